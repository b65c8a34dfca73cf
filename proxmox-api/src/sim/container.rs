//! Containers of the simulated node, and the storages that they lie on.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

use super::answer::set;

/// Options as they stand in the configuration file.
pub(super) type Options = BTreeMap<String, Value>;

/// A container.
#[derive(Clone, Debug, Default)]
pub struct Container {
    /// Options in effect, by PVE's names.
    pub options: BTreeMap<String, Value>,
    /// Changes that wait for the next start; null deletes.
    pub pending: BTreeMap<String, Value>,
    /// Snapshots by name.
    pub snapshots: BTreeMap<String, Snapshot>,
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
pub struct Snapshot {
    /// The options that it holds.
    pub options: BTreeMap<String, Value>,
    /// Its description.
    pub description: String,
    /// When it was taken, in seconds since 1970.
    pub time: u64,
    /// The snapshot before it.
    pub parent: Option<String>,
    /// `prepare` or `delete` if a worker died over it.
    pub state: Option<String>,
}

/// Bytes in a GiB.
pub(super) const GIB: u64 = 1 << 30;

impl Container {
    /// A stopped, unprivileged container.
    pub fn new(hostname: &str, rootfs: &str) -> Self {
        let options = json!({
            "arch": "amd64", "cores": 1, "hostname": hostname, "memory": 256, "ostype": "alpine",
            "rootfs": rootfs, "swap": 512, "unprivileged": 1,
        });
        Self {
            options: options.as_object().cloned().unwrap_or_default().into_iter().collect(),
            ..Self::default()
        }
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

    pub(super) fn is_protected(&self) -> bool {
        self.number("protection") == Some(1)
    }

    pub(super) fn text(&self, option: &str) -> Option<&str> {
        self.options.get(option)?.as_str()
    }

    pub(super) fn number(&self, option: &str) -> Option<u64> {
        self.options.get(option)?.as_u64()
    }

    /// Its volumes: option, volume id, size in bytes.
    pub(super) fn volumes(&self) -> Vec<(String, String, u64)> {
        let is_volume = |key: &str| {
            key == "rootfs" || key.strip_prefix("mp").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
        };
        let volumes = self.options.iter().filter(|(key, _)| is_volume(key)).filter_map(|(key, value)| {
            let text = value.as_str()?;
            let size = text.split(',').find_map(|part| part.strip_prefix("size=")).map_or(0, bytes);
            let volume = text.split(',').next()?;
            Some((key.clone(), volume.strip_prefix("volume=").unwrap_or(volume).to_string(), size))
        });
        volumes.collect()
    }

    /// SHA-1 in PVE; here any 40 hex digits that change with the configuration.
    pub(super) fn digest(&self) -> String {
        let state = format!("{:?}{:?}{:?}{:?}", self.options, self.pending, self.snapshots, self.parent);
        let hashes: Vec<String> = (0..5_u32).map(|seed| format!("{:08x}", hash(&state, seed))).collect();
        hashes.concat()
    }

    /// The configuration as `GET config` prints it.
    pub(super) fn config(&self, options: &Options) -> Map<String, Value> {
        let mut config: Map<String, Value> = options.clone().into_iter().collect();
        if let Some(Value::String(text)) = config.get_mut("description") {
            text.push('\n');
        }
        if let Some(parent) = &self.parent {
            config.insert("parent".into(), parent.as_str().into());
        }
        config.insert("digest".into(), self.digest().into());
        config
    }

    /// Options with the pending changes applied.
    pub(super) fn overlaid(&self) -> Options {
        let mut options = self.options.clone();
        for (option, value) in &self.pending {
            match value {
                Value::Null => options.remove(option),
                value => options.insert(option.clone(), value.clone()),
            };
        }
        options
    }

    /// Makes pending changes effective.
    pub(super) fn apply_pending(&mut self) {
        self.options = self.overlaid();
        self.pending.clear();
    }
}

/// FNV-1a.
fn hash(text: &str, seed: u32) -> u32 {
    text.bytes().fold(0x811c_9dc5 ^ seed, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The bytes of a size such as `8G` or `1280M`.
pub(super) fn bytes(size: &str) -> u64 {
    let (number, unit) = match size.char_indices().last() {
        Some((at, unit)) if unit.is_ascii_alphabetic() => (size.get(..at).unwrap_or_default(), unit),
        _ => (size, 'B'),
    };
    let shift = match unit {
        'K' => 10,
        'M' => 20,
        'G' => 30,
        'T' => 40,
        _ => 0,
    };
    number.parse::<u64>().unwrap_or_default() << shift
}

/// A size in bytes as PVE writes it: in the largest unit that divides it.
pub(super) fn printed(size: u64) -> String {
    let units = [("T", 40), ("G", 30), ("M", 20), ("K", 10)];
    let unit = units.into_iter().find(|(_, shift)| size != 0 && size.trailing_zeros() >= *shift);
    unit.map_or_else(|| size.to_string(), |(unit, shift)| format!("{}{unit}", size >> shift))
}

/// A storage.
#[derive(Clone, Debug)]
pub struct Storage {
    /// `dir`, `btrfs`, `nfs`, ...
    pub kind: &'static str,
    /// What may be on it.
    pub content: Vec<&'static str>,
    /// Size in bytes.
    pub total: u64,
    /// Bytes in use.
    pub used: u64,
    /// Whether it is not switched off.
    pub is_enabled: bool,
    /// Whether it can be reached.
    pub is_active: bool,
    /// Whether containers on it can be snapshotted.
    pub has_snapshots: bool,
    /// Volumes by the part of their id after the colon.
    pub volumes: BTreeMap<String, Volume>,
}

/// A volume.
#[derive(Clone, Debug, Default)]
pub struct Volume {
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
    pub config: BTreeMap<String, Value>,
    /// Whether reading it fails half-way.
    pub is_truncated: bool,
}

impl Storage {
    /// An active storage of 8 GiB, a quarter in use.
    pub fn new(kind: &'static str, content: &[&'static str]) -> Self {
        Self {
            kind,
            content: content.to_vec(),
            total: 8 << 30,
            used: 2 << 30,
            is_enabled: true,
            is_active: true,
            has_snapshots: matches!(kind, "btrfs" | "zfspool" | "lvmthin"),
            volumes: BTreeMap::new(),
        }
    }

    /// Puts a volume on it.
    #[must_use]
    pub fn with(mut self, name: &str, volume: Volume) -> Self {
        self.volumes.insert(name.into(), volume);
        self
    }

    /// The fields that list and status share.
    pub(super) fn status(&self) -> Map<String, Value> {
        let is_up = self.is_enabled && self.is_active;
        let of = |bytes: u64| if is_up { bytes } else { 0 };
        let status = json!({
            "type": self.kind, "content": self.content.join(","), "enabled": u8::from(self.is_enabled),
            "active": u8::from(is_up), "shared": u8::from(self.kind == "nfs"), "total": of(self.total),
            "used": of(self.used), "avail": of(self.total.saturating_sub(self.used)),
        });
        status.as_object().cloned().unwrap_or_default()
    }

    /// How the storage is defined.
    pub(super) fn definition(&self, name: &str) -> Value {
        let mut definition = json!({
            "storage": name, "type": self.kind, "content": self.content.join(","), "path": format!("/var/lib/{name}"),
            "digest": "3e461a7132b16bad9942d1e2598f43e03d874155",
        });
        if self.content.contains(&"backup") {
            set(&mut definition, "prune-backups", "keep-all=1");
        }
        definition
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_printed_as_pve_does() {
        assert_eq!(["1G", "1280M", "8T", "512"].map(bytes), [GIB, 1280 << 20, 8 << 40, 512]);
        assert_eq!([GIB, 1280 << 20, 8 << 40, 513].map(printed), ["1G", "1280M", "8T", "513"]);
    }
}
