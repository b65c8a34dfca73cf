//! The configuration of a container, which is read, changed and written back.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::LxcOptions;
use super::options::ByIndex;
use crate::lenient::{LeftOut, or_default, parts};
use crate::property::{Device, Property};
use crate::{Digest, Lock, SnapshotName, VolumeId};

/// Answer of `GET /nodes/{node}/lxc/{vmid}/config` and of `GET .../snapshot/{snapname}/config`.
///
/// While a container is created or restored it has nothing but `lock` and `digest`. Without `current=1` the values
/// are those after the next start.
///
/// Source: pve-container `PVE/API2/LXC/Config.pm`; recordings `get-lxc-config-100`, `restorerunning-config`,
/// `get-snapshot-config.full`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LxcConfig {
    /// Options whose values this version cannot read, as they came: a host name with an underscore, a `net0` without a
    /// name. They are absent among the options, which does not mean that they are not set.
    pub unread: BTreeMap<String, Value>,
    /// Keys that this version does not know, as they came.
    pub other: BTreeMap<String, Value>,
    /// The options.
    pub options: LxcOptions,
    /// Devices of the host, by index. Only root@pam may set one.
    pub dev: BTreeMap<u16, Property<Device>>,
    /// Script that runs on the node when the container starts and stops. Only root@pam may set one.
    pub hookscript: Option<VolumeId>,
    /// Why the configuration is locked. PVE would take it as an option, and no API call removes it again.
    pub lock: Option<Lock>,
    /// Digest of the configuration; absent on a snapshot's.
    pub digest: Option<Digest>,
    /// The snapshot that the container descends from.
    pub parent: Option<SnapshotName>,
    /// When the snapshot was taken, in seconds since 1970; only on a snapshot's.
    pub snaptime: Option<u64>,
    /// Raw `lxc.*` lines as pairs of key and value; PVE does not take them through the API.
    pub lxc: Vec<(String, String)>,
}

/// The keys that are not options.
#[derive(Deserialize)]
struct Head {
    hookscript: Option<VolumeId>,
    lock: Option<Lock>,
    digest: Option<Digest>,
    parent: Option<SnapshotName>,
    snaptime: Option<u64>,
    #[serde(default, deserialize_with = "or_default")]
    lxc: Vec<(String, String)>,
}

impl<'de> Deserialize<'de> for LxcConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (head, ByIndex(dev), options, other, LeftOut(unread)): (Head, _, _, _, _) = parts(deserializer)?;
        let Head { hookscript, lock, digest, parent, snaptime, lxc } = head;
        Ok(Self { unread, other, options, dev, hookscript, lock, digest, parent, snaptime, lxc })
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use serde_json::json;

    use super::*;
    use crate::lenient::{Note, from_value, read};

    /// A configuration as an update would leave it, with what is not an option.
    fn written(config: LxcConfig) -> Value {
        let mut all = serde_json::to_value(&config.options).unwrap();
        let fields = all.as_object_mut().unwrap();
        fields.retain(|_, value| !value.is_null());
        for (key, value) in config.other.into_iter().chain(config.unread) {
            fields.entry(key).or_insert(value);
        }
        all
    }

    #[test]
    fn known_keys_are_options_and_others_are_kept() {
        let config: LxcConfig = serde_json::from_value(json!({
            "memory": "512", "digest": "aa", "net0": "name=eth0", "new-option": 1, "net99999": "x",
            "lxc": [["lxc.cap.drop", "sys_admin"]],
        }))
        .unwrap();
        assert_eq!(
            (config.options.common.memory, config.options.common.net.len(), config.lxc.len()),
            (Some(512), 1, 1)
        );
        assert_eq!(
            config.other,
            BTreeMap::from([("net99999".into(), json!("x")), ("new-option".into(), json!(1))])
        );
    }

    #[test]
    fn what_no_token_should_set_is_read_beside_the_options() {
        let sent = json!({ "dev0": "/dev/ttyUSB0,mode=0660", "hookscript": "local:snippets/x.sh", "lock": "backup" });
        let config: LxcConfig = from_value(&sent).unwrap();
        let read = (config.dev.len(), config.hookscript.map(|script| script.to_string()), config.lock);
        assert_eq!(read, (1, Some("local:snippets/x.sh".into()), Some(Lock::Backup)));
        assert_eq!((config.options, config.other, config.unread), Default::default());
    }

    #[test]
    fn an_option_that_was_set_wins_over_a_key_that_was_kept() {
        let mut config: LxcConfig = from_value(&json!({ "cores": "" })).unwrap();
        config.options.common.cores = Some(2);
        assert_eq!(written(config.clone()), json!({ "cores": 2 }));
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
            let config: LxcConfig = read(sent.to_string().as_bytes(), &mut |note| notes.push(note)).unwrap();
            assert_eq!(config.unread, BTreeMap::from([(key.into(), odd)]));
            assert_eq!(
                (config.options.common.swap, config.options.common.net.len(), config.other.len()),
                (Some(512), 1, 1)
            );
            let [Note::Unread { path, .. }] = &notes[..] else { panic!("{notes:?}") };
            assert!(path.starts_with(key), "{path}");
            assert_eq!(written(config.clone()), sent);
            assert_eq!(from_value::<LxcConfig>(&sent).unwrap(), config);
        }
    }

    #[test]
    fn property_strings_are_written_as_they_were_read_until_they_are_changed() {
        let texts = ["order=1,up=30", "1,up=30", "up=30,order=1", "down=60", "up=5,order=2,down=1"];
        for text in texts {
            let config: LxcConfig = serde_json::from_value(json!({ "startup": text })).unwrap();
            assert_eq!(written(config.clone()), json!({ "startup": text }));
            let mut startup = config.options.common.startup.unwrap();
            startup.down = Some(7);
            assert!(alloc::format!("{startup}").contains("down=7"));
        }
    }
}
