//! Containers of the simulated node, and the storages that they lie on.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

use super::answer::fields;

/// Options as they stand in the configuration file.
pub(super) type Options = Map<String, Value>;

/// A container.
#[derive(Clone, Debug, Default)]
pub struct Container {
    /// Options in effect, by PVE's names.
    pub options: Map<String, Value>,
    /// Changes that wait for the next start; null deletes.
    pub pending: Map<String, Value>,
    /// Snapshots by name.
    pub snapshots: BTreeMap<String, SavedSnapshot>,
    /// The snapshot that the current state descends from.
    pub parent: Option<String>,
    /// Whether it runs.
    pub is_running: bool,
    /// The pool that it belongs to.
    pub pool: Option<String>,
    /// Whether starting it gives a warning, as an untested distribution does.
    pub warns: bool,
}

/// A snapshot.
#[derive(Clone, Debug)]
pub struct SavedSnapshot {
    /// The options that it holds.
    pub options: Map<String, Value>,
    /// Its description.
    pub description: String,
    /// When it was taken, in seconds since 1970.
    pub time: u64,
    /// The snapshot before it.
    pub parent: Option<String>,
    /// `prepare` or `delete` if a worker died over it.
    pub state: Option<String>,
}

impl Container {
    /// A stopped, unprivileged container.
    pub fn new(hostname: &str, rootfs: &str) -> Self {
        let options = json!({
            "arch": "amd64", "cores": 1, "hostname": hostname, "memory": 256, "ostype": "alpine",
            "rootfs": rootfs, "swap": 512, "unprivileged": 1,
        });
        Self { options: fields(options), ..Self::default() }
    }

    /// Sets an option.
    #[must_use]
    pub fn with(mut self, option: &str, value: impl Into<Value>) -> Self {
        self.options.insert(option.into(), value.into());
        self
    }

    /// Puts it into a pool.
    #[must_use]
    pub fn in_pool(mut self, pool: &str) -> Self {
        self.pool = Some(pool.into());
        self
    }

    /// Lets it run.
    #[must_use]
    pub fn running(mut self) -> Self {
        self.is_running = true;
        self
    }

    /// Its host name, or `CT` and its number.
    pub(super) fn name(&self, vmid: u32) -> String {
        self.text("hostname").map_or_else(|| format!("CT{vmid}"), ToString::to_string)
    }

    /// The lock that another operation holds.
    pub fn lock(&self) -> Option<&str> {
        self.text("lock")
    }

    /// Locks it, or unlocks it.
    pub fn set_lock(&mut self, lock: Option<&str>) {
        match lock {
            Some(lock) => self.options.insert("lock".into(), lock.into()),
            None => self.options.remove("lock"),
        };
    }

    pub(super) fn is_template(&self) -> bool {
        self.number("template") == Some(1)
    }

    pub(super) fn text(&self, option: &str) -> Option<&str> {
        self.options.get(option)?.as_str()
    }

    pub(super) fn number(&self, option: &str) -> Option<u64> {
        self.options.get(option)?.as_u64()
    }

    /// Its volumes: option, volume id, size in bytes.
    pub(super) fn volumes(&self) -> Vec<(&str, &str, u64)> {
        let is_volume = |key: &str| key == "rootfs" || is_indexed(key, "mp");
        let volumes = self.options.iter().filter(|(key, _)| is_volume(key)).filter_map(|(key, value)| {
            let text = value.as_str()?;
            let volume = text.split(',').next()?;
            Some((key.as_str(), volume.strip_prefix("volume=").unwrap_or(volume), volume_size(text)))
        });
        volumes.collect()
    }

    /// The volume of an option, with its size in bytes.
    pub(super) fn volume(&self, option: &str) -> Option<(String, u64)> {
        let found = self.volumes().into_iter().find(|(key, ..)| *key == option);
        found.map(|(_, volume, size)| (volume.to_string(), size))
    }

    /// The bridges of its networks.
    pub(super) fn bridges(&self) -> impl Iterator<Item = &str> {
        let nets = self.options.iter().filter(|(key, _)| key.starts_with("net"));
        nets.filter_map(|(_, net)| bridge_of(net.as_str()?))
    }

    /// SHA-1 in PVE; here any 40 hex digits that change with the configuration.
    pub(super) fn digest(&self) -> String {
        let state = format!("{:?}{:?}{:?}{:?}", self.options, self.pending, self.snapshots, self.parent);
        // FNV-1a.
        let add = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        format!("{:040x}", state.bytes().fold(0xcbf2_9ce4_8422_2325, add))
    }

    /// The configuration as `GET config` prints it.
    pub(super) fn config(&self, options: &Options) -> Options {
        let mut config = options.clone();
        if let Some(Value::String(text)) = config.get_mut("description") {
            text.push('\n');
        }
        config.extend(self.parent.as_ref().map(|parent| ("parent".into(), parent.as_str().into())));
        config.insert("digest".into(), self.digest().into());
        config
    }

    /// Options with the pending changes applied.
    pub(super) fn overlaid(&self) -> Options {
        let mut options = self.options.clone();
        options.extend(self.pending.clone());
        options.retain(|_, value| !value.is_null());
        options
    }

    /// Makes pending changes effective.
    pub(super) fn apply_pending(&mut self) {
        self.options = self.overlaid();
        self.pending.clear();
    }
}

/// Whether an option is one of `mp0`, `mp1`, ...
pub(super) fn is_indexed(option: &str, name: &str) -> bool {
    option.strip_prefix(name).is_some_and(|index| index.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The bridge of a `netN`.
pub(super) fn bridge_of(net: &str) -> Option<&str> {
    net.split(',').find_map(|part| part.strip_prefix("bridge="))
}

/// Where the use of a bridge is granted.
pub(super) fn zone(bridge: &str) -> String {
    format!("/sdn/zones/localnetwork/{bridge}")
}

/// The size in bytes of a volume that a configuration has.
pub(super) fn volume_size(text: &str) -> u64 {
    text.split(',').find_map(|part| part.strip_prefix("size=")).map_or(0, bytes)
}

const UNITS: [(char, u32); 4] = [('T', 40), ('G', 30), ('M', 20), ('K', 10)];

/// The bytes of a size such as `8G` or `1280M`.
pub(super) fn bytes(size: &str) -> u64 {
    let unit = UNITS.into_iter().find(|(unit, _)| size.ends_with(*unit));
    let number = size.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    number.parse::<u64>().unwrap_or_default() << unit.map_or(0, |(_, shift)| shift)
}

/// A size in bytes as PVE writes it: in the largest unit that divides it.
pub(super) fn printed(size: u64) -> String {
    let unit = UNITS.into_iter().find(|(_, shift)| size != 0 && size.trailing_zeros() >= *shift);
    unit.map_or_else(|| size.to_string(), |(unit, shift)| format!("{}{unit}", size >> shift))
}

/// A storage.
#[derive(Clone, Debug)]
pub struct StorageState {
    /// `dir`, `btrfs`, `nfs`, ...
    pub kind: &'static str,
    /// What may be on it.
    pub content: Vec<&'static str>,
    /// Size in bytes.
    pub total: u64,
    /// Bytes in use.
    pub used: u64,
    /// Whether it can be reached.
    pub is_active: bool,
    /// Volumes by the part of their id after the colon.
    pub volumes: BTreeMap<String, VolumeState>,
}

/// A volume.
#[derive(Clone, Debug, Default)]
pub struct VolumeState {
    /// `rootdir`, `backup`, `vztmpl`, ...
    pub content: &'static str,
    /// `raw`, `tar.zst`, ...
    pub format: String,
    /// Size in bytes.
    pub size: u64,
    /// When it was made, in seconds since 1970.
    pub time: u64,
    /// The container that it belongs to.
    pub vmid: Option<u32>,
    /// Notes of a backup.
    pub notes: String,
    /// Whether a backup is protected.
    pub is_protected: bool,
    /// The configuration inside a backup.
    pub config: Map<String, Value>,
}

impl VolumeState {
    /// The volume of a container.
    pub(super) fn disk(vmid: u32, size: u64, time: u64) -> Self {
        Self { content: "rootdir", format: "raw".into(), size, time, vmid: Some(vmid), ..Self::default() }
    }

    /// A template, of the size of a recorded one.
    pub(super) fn template(content: &'static str, time: u64) -> Self {
        Self { content, format: "tgz".into(), size: 1_372_520, time, ..Self::default() }
    }
}

impl StorageState {
    /// An active storage of 8 GiB, a quarter in use.
    pub fn new(kind: &'static str, content: &[&'static str]) -> Self {
        let (total, used) = (8 << 30, 2 << 30);
        Self { kind, content: content.to_vec(), total, used, is_active: true, volumes: BTreeMap::new() }
    }

    /// Puts a volume on it.
    #[must_use]
    pub fn with(mut self, name: &str, volume: VolumeState) -> Self {
        self.volumes.insert(name.into(), volume);
        self
    }

    /// Whether containers on it can be snapshotted.
    pub(super) fn has_snapshots(&self) -> bool {
        matches!(self.kind, "btrfs" | "zfspool" | "lvmthin")
    }

    /// The fields that list and status share.
    pub(super) fn status(&self) -> Map<String, Value> {
        let of = |bytes: u64| if self.is_active { bytes } else { 0 };
        fields(json!({
            "type": self.kind, "content": self.content.join(","), "enabled": 1,
            "active": u8::from(self.is_active), "shared": u8::from(self.kind == "nfs"), "total": of(self.total),
            "used": of(self.used), "avail": of(self.total.saturating_sub(self.used)),
        }))
    }

    /// How the storage is defined.
    pub(super) fn definition(&self, name: &str) -> Value {
        let mut definition = json!({
            "storage": name, "type": self.kind, "content": self.content.join(","), "path": format!("/var/lib/{name}"),
            "digest": "3e461a7132b16bad9942d1e2598f43e03d874155",
        });
        if self.content.contains(&"backup") {
            definition["prune-backups"] = "keep-all=1".into();
        }
        definition
    }
}

/// The name of a container's root volume on its storage.
pub(super) fn disk_name(vmid: u32) -> String {
    format!("{vmid}/vm-{vmid}-disk-0.raw")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_printed_as_pve_does() {
        let sizes = [("1G", 1 << 30), ("1280M", 1280 << 20), ("8T", 8 << 40), ("513", 513)];
        assert_eq!(sizes.map(|(text, _)| bytes(text)), sizes.map(|(_, size)| size));
        assert_eq!(sizes.map(|(_, size)| printed(size)), sizes.map(|(text, _)| text));
    }
}
