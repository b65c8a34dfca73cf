//! Changing the configuration of a container.

use alloc::string::String;

use crate::lenient::loosely;
use serde::{Deserialize, Serialize};

use crate::{CommaList, Digest, LxcOptions};

/// Parameters of `PUT /nodes/{node}/lxc/{vmid}/config`.
///
/// Of a running container some options change only with its next start; ask for its pending changes. An interface
/// without `hwaddr` gets a new MAC address. `delete` of `unusedN` destroys the volume. Left out is `skiplock`, which is
/// for root@pam.
///
/// Source: pve-container `PVE/API2/LXC/Config.pm`; recordings `config-put-*`, `pending-put-cmode`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SetConfigParams {
    /// Options that get another value.
    #[serde(flatten, deserialize_with = "loosely")]
    pub options: LxcOptions,
    /// Options that go back to PVE's default: `description`, `net1`. An unknown name is refused.
    #[serde(default, skip_serializing_if = "CommaList::is_empty")]
    pub delete: CommaList<String>,
    /// Options whose pending change is dropped.
    #[serde(default, skip_serializing_if = "CommaList::is_empty")]
    pub revert: CommaList<String>,
    /// Digest of the configuration that was read; if it is another by now, PVE changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_full_value_has_the_documented_keys() {
        let sent = json!({
            "delete": "description,net1", "revert": "cores", "digest": "9b478d342345db870b031591e6a50638477118d4",
            "memory": 512, "net0": "hwaddr=BC:24:11:2C:02:F5,name=eth0",
        });
        let params: SetConfigParams = serde_json::from_value(sent.clone()).unwrap();
        assert_eq!(serde_json::to_value(params).unwrap(), sent);
    }
}
