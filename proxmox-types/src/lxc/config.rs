//! The configuration of a container, which is read, changed and written back.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use core::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::LxcOptions;
use crate::lenient::{ONE, Tolerant, tolerate};
use crate::{Digest, SnapshotName, flattened, scalar};

/// Answer of `GET /nodes/{node}/lxc/{vmid}/config` and of `GET .../snapshot/{snapname}/config`.
///
/// While a container is created or restored it has nothing but `lock` and `digest`. Without `current=1` the values
/// are those after the next start.
///
/// Source: pve-container `PVE/API2/LXC/Config.pm`; recordings `get-lxc-config-100`, `restorerunning-config`,
/// `get-snapshot-config.full`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct LxcConfig {
    /// Options whose values this version cannot read, as they came: a host name with an underscore, a `net0` without a
    /// name. They are absent among the options, which does not mean that they are not set.
    #[serde(flatten, skip_deserializing)]
    pub unread: BTreeMap<String, Value>,
    /// Keys that this version does not know, as they came.
    // First, so that an option that was set wins over a key kept here.
    #[serde(flatten, deserialize_with = "unknown")]
    pub other: BTreeMap<String, Value>,
    /// The options.
    #[serde(flatten)]
    pub options: LxcOptions,
    /// Digest of the configuration; absent on a snapshot's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The snapshot that the container descends from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<SnapshotName>,
    /// When the snapshot was taken, in seconds since 1970; only on a snapshot's.
    #[serde(default, deserialize_with = "scalar::optional", skip_serializing_if = "Option::is_none")]
    pub snaptime: Option<u64>,
    /// Raw `lxc.*` lines as pairs of key and value; PVE does not take them through the API.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lxc: Vec<(String, String)>,
}

impl Serialize for LxcConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for LxcConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ByKey)
    }
}

/// Reads a configuration key by key, so that one value hides none of the others.
struct ByKey;

impl<'de> Visitor<'de> for ByKey {
    type Value = LxcConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration of a container")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LxcConfig, A::Error> {
        let (mut read, mut unread) = (Map::new(), BTreeMap::new());
        while let Some(key) = map.next_key::<String>()? {
            match map.next_value_seed(ValueOf(&key))? {
                Ok(value) => drop(read.insert(key, value)),
                Err(value) => drop(unread.insert(key, value)),
            }
        }
        let config = LxcConfig::deserialize(Value::Object(read)).map_err(A::Error::custom)?;
        Ok(LxcConfig { unread, ..config })
    }
}

/// The value of one key: an error, with the value as it came, if no configuration can have it there.
struct ValueOf<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for ValueOf<'_> {
    type Value = Result<Value, Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        tolerate(deserializer, ONE, self)
    }
}

impl<'de> Tolerant<'de> for ValueOf<'_> {
    type Value = Result<Value, Value>;

    fn take<A: SeqAccess<'de>>(self, mut attempts: A) -> Result<Self::Value, A::Error> {
        match attempts.next_element_seed(Readable(self.0)) {
            Ok(read) => Ok(Ok(read.unwrap_or_default())),
            Err(_) => attempts.next_element().map(|value| Err(value.unwrap_or_default())),
        }
    }
}

/// The value of one key, which must be one that a configuration can have there.
struct Readable<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Readable<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let alone = Map::from_iter([(self.0.into(), value.clone())]);
        LxcConfig::deserialize(Value::Object(alone)).map(|_| value).map_err(D::Error::custom)
    }
}

/// Reads the keys that are no options, so that none is lost.
fn unknown<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Value>, D::Error> {
    let (_, keys) = flattened::split::<LxcOptions, D>(deserializer)?;
    Ok(keys.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lenient::{Note, read};

    #[test]
    fn known_keys_are_options_and_others_are_kept() {
        let config: LxcConfig = serde_json::from_value(json!({
            "memory": "512", "digest": "aa", "net0": "name=eth0", "new-option": 1, "net99999": "x",
            "lxc": [["lxc.cap.drop", "sys_admin"]],
        }))
        .unwrap();
        assert_eq!((config.options.memory, config.options.net.len(), config.lxc.len()), (Some(512), 1, 1));
        assert_eq!(
            config.other,
            BTreeMap::from([("net99999".into(), json!("x")), ("new-option".into(), json!(1))])
        );
    }

    #[test]
    fn an_option_that_was_set_wins_over_a_key_that_was_kept() {
        let mut config: LxcConfig = serde_json::from_value(json!({ "cores": "" })).unwrap();
        config.options.cores = Some(2);
        assert_eq!(serde_json::to_value(&config).unwrap(), json!({ "cores": 2 }));
    }

    #[test]
    fn an_option_that_cannot_be_read_is_kept_as_it_came_and_hides_no_other() {
        let cases = [
            ("hostname", json!("my_container")),
            ("hostname", json!("-web")),
            ("net0", json!("bridge=vmbr0")),
            ("net1", json!("name=eth1,mtu=huge")),
            ("mp0", json!("local:1")),
            ("rootfs", json!("nowhere")),
            ("features", json!("nesting=perhaps")),
            ("startup", json!("order=first")),
            ("startup", json!("any,up=1")),
            ("hookscript", json!("hook.sh")),
            ("cores", json!("all")),
            ("memory", json!(-1)),
            ("unused0", json!("/dev/sdb")),
            ("dev0", json!("path=/dev/x,path=/dev/y")),
            ("digest", json!("not-hex")),
            ("parent", json!("1st")),
            ("snaptime", json!("yesterday")),
            ("lxc", json!([["lxc.cap.drop"]])),
            ("tags", json!(["a"])),
        ];
        for (key, odd) in cases {
            let mut sent = json!({ "arch": "amd64", "swap": 512, "net9": "name=eth9", "new-option": 1 });
            sent[key] = odd.clone();
            let mut notes = Vec::new();
            let config: LxcConfig = read(&sent, "data", &mut |note| notes.push(note)).unwrap();
            assert_eq!(config.unread, BTreeMap::from([(key.into(), odd)]));
            assert_eq!(
                (config.options.swap, config.options.net.len(), config.other.len()),
                (Some(512), 1, 1)
            );
            let [Note::Unread { path, .. }] = &notes[..] else { panic!("{notes:?}") };
            assert_eq!(path, &alloc::format!("data.{key}"));
            assert_eq!(serde_json::to_value(&config).unwrap(), sent);
            assert_eq!(serde_json::from_value::<LxcConfig>(sent).unwrap(), config);
        }
    }

    #[test]
    fn property_strings_are_written_as_they_were_read_until_they_are_changed() {
        let texts = ["order=1,up=30", "1,up=30", "up=30,order=1", "down=60", "up=5,order=2,down=1"];
        for text in texts {
            let config: LxcConfig = serde_json::from_value(json!({ "startup": text })).unwrap();
            assert_eq!(serde_json::to_value(&config).unwrap(), json!({ "startup": text }));
            let mut startup = config.options.startup.unwrap();
            startup.down = Some(7);
            assert!(alloc::format!("{startup}").contains("down=7"));
        }
    }
}
