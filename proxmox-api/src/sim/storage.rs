//! Storages of the simulated node.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

use super::answer::{Refusal, Reply, set};
use super::container::Options;
use super::route::{Ask, Row};
use super::sentence;
use super::world::World;

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
    fn status(&self) -> Map<String, Value> {
        let is_up = self.is_enabled && self.is_active;
        let of = |bytes: u64| if is_up { bytes } else { 0 };
        let status = json!({
            "type": self.kind, "content": self.content.join(","), "enabled": u8::from(self.is_enabled),
            "active": u8::from(is_up), "shared": u8::from(self.kind == "nfs"), "total": of(self.total),
            "used": of(self.used), "avail": of(self.total.saturating_sub(self.used)),
        });
        status.as_object().cloned().unwrap_or_default()
    }

    fn definition(&self, name: &str) -> Value {
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

pub(super) const HANDLERS: &[Row] = &[
    ("storage.definitions", "GET /storage", |world, ask| {
        let seen = world.storages.iter().filter(|(name, _)| is_seen(world, ask, name));
        let rows = seen.map(|(name, storage)| storage.definition(name));
        Ok(Value::Array(rows.collect()).into())
    }),
    ("storage.definition", "GET /storage/{storage}", |world, ask| {
        let name = ask.variable("storage");
        let storage =
            world.storages.get(name).ok_or_else(|| Refusal::die(sentence::NO_STORAGE.of(&[&name])))?;
        Ok(storage.definition(name).into())
    }),
    ("storage.list", "GET /nodes/{node}/storage", list),
    ("storage.status", "GET /nodes/{node}/storage/{storage}/status", |world, ask| {
        let storage = world
            .storages
            .get(ask.variable("storage"))
            .ok_or_else(|| Refusal::parameter("storage", sentence::NO_SUCH_STORAGE))?;
        Ok(Value::Object(storage.status()).into())
    }),
];

fn is_seen(world: &World, ask: &Ask<'_>, name: &str) -> bool {
    world.has(
        ask.principal,
        &format!("/storage/{name}"),
        &["Datastore.Audit", "Datastore.AllocateSpace"],
        true,
    )
}

/// One that does not exist is refused, one that may not be seen is left out.
fn list(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    if ask.get("storage").is_some_and(|name| !world.storages.contains_key(name)) {
        return Err(Refusal::parameter("storage", sentence::NO_SUCH_STORAGE));
    }
    let wanted = ask.list("content");
    let fits = |storage: &Storage| {
        wanted.is_empty() || wanted.iter().any(|content| storage.content.contains(content))
    };
    let is_named = |name: &str| ask.get("storage").is_none_or(|wanted| wanted == name);
    let rows = world
        .storages
        .iter()
        .filter(|(name, storage)| is_named(name) && fits(storage) && is_seen(world, ask, name))
        .map(|(name, storage)| row(name, storage, ask.flag("format")));
    Ok(Value::Array(rows.collect()).into())
}

fn row(name: &str, storage: &Storage, wants_format: bool) -> Value {
    let mut row = storage.status();
    row.insert("storage".into(), name.into());
    if storage.is_enabled && storage.is_active && storage.total > 0 {
        let permille = storage.used.saturating_mul(1_000_000) / storage.total;
        let fraction = u32::try_from(permille).map(f64::from).unwrap_or_default() / 1_000_000.0;
        row.insert("used_fraction".into(), fraction.into());
    }
    if wants_format {
        row.insert("formats".into(), json!({"default": "raw", "supported": ["raw", "subvol"]}));
        row.insert("format".into(), json!([{"raw": 1, "subvol": 1}, "raw"]));
    }
    Value::Object(row)
}

/// The lines of a configuration file, as they lie in a backup.
pub(super) fn config_text(options: &Options) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToString::to_string);
    let lines: Vec<String> =
        options.iter().map(|(option, value)| format!("{option}: {}\n", text(value))).collect();
    lines.concat()
}
