//! The settings: every key of the configuration once as a typed field, and once as a row that says what it means.
//!
//! A new key is a field here and a row of [`KEYS`]. File, environment, suggestions and `docs/configuration.md` follow.

use std::path::PathBuf;

use proxmox_privileged::argument::{FsUuid, MountTarget};
use proxmox_types::{Bridge, Fingerprint, NodeName, PoolId, Secret, StorageId, Vmid, VolumeId, vmid};
use serde::{Deserialize, Deserializer};

use ValueKind::{FileOnly, Flag, List, Number, Text};

/// What the names of the agent's variables begin with.
pub(super) const PREFIX: &str = "FELHOM_AGENT_";

/// Where USB disks are mounted.
pub const USB_ROOT: &str = "/mnt/felhom";

/// A key of the configuration.
pub(super) struct ConfigKey {
    /// Its place in the file, joined by dots.
    pub(super) path: &'static str,
    pub(super) kind: ValueKind,
    meaning: &'static str,
    default: &'static str,
}

/// How the text of a variable becomes a value. Plain text is never read as anything else, so `0123` stays a string.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueKind {
    Text,
    /// Joined by commas.
    List,
    /// true or false.
    Flag,
    Number,
    /// Only in the file.
    FileOnly,
}

const fn key(path: &'static str, kind: ValueKind, meaning: &'static str, default: &'static str) -> ConfigKey {
    ConfigKey { path, kind, meaning, default }
}

/// Every key of the configuration.
pub(super) const KEYS: &[ConfigKey] = &[
    key("url", Text, "where pveproxy listens, `https://host:port`", "`https://127.0.0.1:8006`"),
    key("node", Text, "PVE's name of the node", "the short host name"),
    key("token", Text, "the API token, `user@realm!name=secret`", ""),
    key("token_file", Text, "a file that holds the token and nothing else", ""),
    key("tls.pins", List, "accepted SHA-256 fingerprints of the server's certificate", ""),
    key("tls.spki_pins", List, "accepted SHA-256 fingerprints of the server's public key", ""),
    key("tls.ca_file", Text, "PEM file with the CA that signed the server's certificate", ""),
    key(
        "tls.server_name",
        Text,
        "name to verify with the CA, if `url` holds one that is not in the certificate",
        "the host of `url`",
    ),
    key("tls.insecure", Flag, "accepts any server", "`false`"),
    key("privileged.mode", Text, "`sudo` or `direct`: how commands that need root are run", "`sudo`"),
    key("pool", Text, "the pool that the agent creates containers in", ""),
    key("storages", List, "the storages that the agent uses", ""),
    key("bridges", List, "the bridges that the agent uses", ""),
    key("golden", Text, "volume id of the backup that customers' containers are restored from", ""),
    key(
        "usb",
        FileOnly,
        r#"disks that should be mounted: `[{"name": "...", "uuid": "..."}]`, with `"any_disk": true` also from a disk that is not on USB"#,
        "",
    ),
    key("selftest.vmid", Number, "the container that the self-test may snapshot and roll back", ""),
    key(
        "state_dir",
        Text,
        "absolute path of the folder of the journal and the lock, which belongs to the agent",
        "`/var/lib/felhom-agent`",
    ),
    key("log.level", Text, "`error`, `warn`, `info`, `debug` or `trace`", "`warn`"),
    key("log.format", Text, "`text` or `json`, on stderr", "`text`"),
];

/// The table of all keys in Markdown, as it stands in `docs/configuration.md`.
pub fn table() -> String {
    let rows = KEYS.iter().map(|key| {
        let variable = match key.kind {
            FileOnly => "only in the file".into(),
            _ => format!("`{}`", key.variable()),
        };
        let default = if key.default.is_empty() { String::new() } else { format!("{} ", key.default) };
        format!("| `{}` | {variable} | {} | {default}|\n", key.path, key.meaning)
    });
    let head = "| Key | Variable | Meaning | Default |\n|---|---|---|---|\n";
    std::iter::once(head.into()).chain(rows).collect()
}

impl ConfigKey {
    /// The variable of the environment that sets it.
    pub(super) fn variable(&self) -> String {
        format!("{PREFIX}{}", self.path.replace('.', "__").to_uppercase())
    }
}

/// What the file and the environment say. It is all that commands need that stay on this host.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Settings {
    pub(super) url: String,
    pub(super) node: Option<NodeName>,
    pub(super) token: Option<Secret>,
    pub(super) token_file: Option<PathBuf>,
    /// How the server's identity is checked.
    pub tls: TlsConfig,
    /// Root commands.
    pub privileged: Privileged,
    /// The pool that the agent creates containers in.
    pub pool: Option<PoolId>,
    /// The storages that the agent may use.
    pub storages: Vec<StorageId>,
    /// The bridges that the agent may use.
    pub bridges: Vec<Bridge>,
    /// The backup that customers' containers are restored from.
    pub golden: Option<VolumeId>,
    /// The USB disks that should be mounted.
    pub usb: Vec<UsbDisk>,
    /// The self-test.
    pub selftest: Selftest,
    /// Where the journal and the lock are.
    pub state_dir: PathBuf,
    /// The log.
    pub log: LogSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            url: "https://127.0.0.1:8006".into(),
            node: None,
            token: None,
            token_file: None,
            tls: TlsConfig::default(),
            privileged: Privileged::default(),
            pool: None,
            storages: Vec::new(),
            bridges: Vec::new(),
            golden: None,
            usb: Vec::new(),
            selftest: Selftest::default(),
            state_dir: "/var/lib/felhom-agent".into(),
            log: LogSettings::default(),
        }
    }
}

/// How the server's identity is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct TlsConfig {
    /// Accepted SHA-256 fingerprints of the certificate.
    pub pins: Vec<Fingerprint>,
    /// Accepted SHA-256 fingerprints of the public key.
    pub spki_pins: Vec<Fingerprint>,
    /// File with the CA.
    pub ca_file: Option<PathBuf>,
    /// Name to verify instead of the host.
    pub server_name: Option<String>,
    /// Whether anything is accepted.
    #[serde(rename = "insecure")]
    pub is_insecure: bool,
}

/// Root commands.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Privileged {
    /// How they are run.
    pub mode: PrivilegedMode,
}

/// A USB disk that should be mounted at `/mnt/felhom/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "WrittenDisk")]
pub struct UsbDisk {
    /// Name of the directory.
    pub name: String,
    /// The directory.
    pub target: MountTarget,
    /// The file system.
    pub uuid: FsUuid,
    /// Whether it may be on a disk that is not on USB.
    pub any_disk: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDisk {
    name: String,
    uuid: FsUuid,
    #[serde(default)]
    any_disk: bool,
}

impl TryFrom<WrittenDisk> for UsbDisk {
    type Error = proxmox_privileged::Malformed;

    fn try_from(written: WrittenDisk) -> Result<Self, Self::Error> {
        Ok(Self { any_disk: written.any_disk, ..Self::new(&written.name, written.uuid)? })
    }
}

impl UsbDisk {
    /// The disk with that file system, below [`USB_ROOT`], on USB.
    pub fn new(name: &str, uuid: FsUuid) -> Result<Self, proxmox_privileged::Malformed> {
        Ok(Self { name: name.into(), target: usb_target(name)?, uuid, any_disk: false })
    }
}

/// The directory of a disk of that name.
pub fn usb_target(name: &str) -> Result<MountTarget, proxmox_privileged::Malformed> {
    format!("{USB_ROOT}/{name}").parse()
}

/// The self-test.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Selftest {
    /// The container that its task mode may use.
    #[serde(deserialize_with = "written")]
    pub vmid: Option<Vmid>,
}

fn written<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vmid>, D::Error> {
    #[derive(Deserialize)]
    struct Written(#[serde(deserialize_with = "vmid::written")] Vmid);
    Ok(Option::<Written>::deserialize(deserializer)?.map(|written| written.0))
}

/// The log.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct LogSettings {
    /// The least level that is logged.
    pub level: LogLevel,
    /// How its lines are written.
    pub format: LogFormat,
}

/// How root commands are run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrivilegedMode {
    /// Through `sudo -n`.
    #[default]
    Sudo,
    /// Directly, because the agent is root.
    Direct,
}

/// The least level that is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What failed.
    Error,
    /// What somebody should look at.
    #[default]
    Warn,
    /// What an operator did.
    Info,
    /// What went over the wire.
    Debug,
    /// Everything.
    Trace,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields of the object at a path, as serde names them to whoever writes another.
    fn fields(path: &str) -> Vec<String> {
        let unknown = path.split('.').filter(|part| !part.is_empty()).rev();
        let text = unknown.fold(r#"{"?": 1}"#.to_string(), |text, part| format!("{{\"{part}\": {text}}}"));
        let error = serde_json::from_str::<Settings>(&text).unwrap_err().to_string();
        error.split('`').skip(3).step_by(2).map(Into::into).collect()
    }

    #[test]
    fn every_field_has_a_row_and_every_row_a_field() {
        let in_table = |above: &str| {
            let mut names: Vec<&str> = Vec::new();
            for key in KEYS {
                let below = if above.is_empty() { Some(key.path) } else { key.path.strip_prefix(above) };
                let name = below.and_then(|below| below.trim_start_matches('.').split('.').next());
                names.extend(name.filter(|name| !names.contains(name)));
            }
            names
        };
        for above in ["", "tls", "privileged", "selftest", "log"] {
            assert_eq!(fields(above), in_table(above), "{above}");
        }
    }

    #[test]
    fn every_key_is_documented() {
        let page = include_str!("../../../docs/configuration.md");
        assert!(page.contains(&table()), "run `cargo xtask docs`");
    }

    #[test]
    fn a_disk_has_a_directory_below_the_root_and_nowhere_else() {
        let read =
            |json: &str| serde_json::from_str::<UsbDisk>(json).map(|disk| disk.target.to_string()).ok();
        let read_back = read(r#"{"name": "backup", "uuid": "1A2B-3C4D"}"#);
        assert_eq!(read_back, Some("/mnt/felhom/backup".into()));
        let any_disk = |json: &str| serde_json::from_str::<UsbDisk>(json).map(|disk| disk.any_disk).ok();
        assert_eq!(any_disk(r#"{"name": "backup", "uuid": "1A2B-3C4D"}"#), Some(false));
        assert_eq!(any_disk(r#"{"name": "a", "uuid": "1A2B-3C4D", "any_disk": true}"#), Some(true));
        for bad in ["../etc", "a b", "-o", "", "a/b", "/etc"] {
            assert_eq!(read(&format!(r#"{{"name": "{bad}", "uuid": "1A2B-3C4D"}}"#)), None, "{bad}");
        }
    }
}
