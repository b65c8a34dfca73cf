//! The configuration of a container, which is read, changed and written back.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::LxcOptions;
use crate::{Digest, SnapshotName, flattened, scalar};

/// Answer of `GET /nodes/{node}/lxc/{vmid}/config` and of `GET .../snapshot/{snapname}/config`.
///
/// While a container is created or restored it has nothing but `lock` and `digest`. Without `current=1` the values
/// are those after the next start.
///
/// Source: pve-container `PVE/API2/LXC/Config.pm`; recordings `get-lxc-config-100`, `restorerunning-config`,
/// `get-snapshot-config.full`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LxcConfig {
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

/// Reads the keys that are no options, so that none is lost.
fn unknown<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Value>, D::Error> {
    let (_, keys) = flattened::split::<LxcOptions, D>(deserializer)?;
    Ok(keys.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
}
