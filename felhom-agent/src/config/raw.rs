//! The configuration as it is written: every key optional, every value of its own type.

use std::path::PathBuf;

use proxmox_types::{Bridge, Fingerprint, NodeName, PoolId, Secret, StorageId, Vmid, VolumeId, vmid};
use serde::{Deserialize, Deserializer};

use super::object::object;
use super::usb::UsbDisk;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    pub(super) url: Option<String>,
    pub(super) node: Option<NodeName>,
    pub(super) token: Option<Secret>,
    pub(super) token_file: Option<PathBuf>,
    #[serde(default, deserialize_with = "object")]
    pub(super) tls: RawTls,
    #[serde(default, deserialize_with = "object")]
    pub(super) privileged: RawPrivileged,
    pub(super) pool: Option<PoolId>,
    #[serde(default)]
    pub(super) storages: Vec<StorageId>,
    #[serde(default)]
    pub(super) bridges: Vec<Bridge>,
    pub(super) golden: Option<VolumeId>,
    #[serde(default)]
    pub(super) usb: Vec<UsbDisk>,
    #[serde(default, deserialize_with = "object")]
    pub(super) selftest: RawSelftest,
    pub(super) state_dir: Option<PathBuf>,
    #[serde(default, deserialize_with = "object")]
    pub(super) log: RawLog,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTls {
    #[serde(default)]
    pub(super) pins: Vec<Fingerprint>,
    #[serde(default)]
    pub(super) spki_pins: Vec<Fingerprint>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) server_name: Option<String>,
    pub(super) insecure: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPrivileged {
    pub(super) mode: Option<PrivilegedMode>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSelftest {
    #[serde(default, deserialize_with = "written")]
    pub(super) vmid: Option<Vmid>,
}

fn written<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vmid>, D::Error> {
    #[derive(Deserialize)]
    struct Written(#[serde(deserialize_with = "vmid::written")] Vmid);
    Ok(Option::<Written>::deserialize(deserializer)?.map(|written| written.0))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLog {
    pub(super) level: Option<LogLevel>,
    pub(super) format: Option<LogFormat>,
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
