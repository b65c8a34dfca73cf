//! A container of the simulated node.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_printed_as_pve_does() {
        assert_eq!(["1G", "1280M", "8T", "512"].map(bytes), [GIB, 1280 << 20, 8 << 40, 512]);
        assert_eq!([GIB, 1280 << 20, 8 << 40, 513].map(printed), ["1G", "1280M", "8T", "513"]);
    }
}
