//! Creating a container from a template.

use alloc::string::String;

use crate::lenient::loosely;
use serde::{Deserialize, Serialize};

use crate::{LxcOptions, PoolId, Secret, StorageId, TemplateVolume, Vmid};

/// Parameters of `POST /nodes/{node}/lxc` without `restore`.
///
/// `unprivileged` is on unless switched off, which needs `Sys.Modify` on `/`. Without `rootfs` the container gets 4 GiB
/// on `storage`. Left out is `unique`, which needs `restore`.
///
/// Source: pve-container `PVE/API2/LXC.pm`, `create_vm`; recordings `lxc-create-*`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CreateParams {
    /// The new container. Nothing reserves a number; if it is taken, PVE says so.
    pub vmid: Vmid,
    /// The template.
    pub ostemplate: TemplateVolume,
    /// Storage of new volumes; PVE's default is `local`, which often takes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageId>,
    /// Pool that the container joins at the end. Privileges on the pool then count for all of this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolId>,
    /// Password of root in the container, 5 characters or more. Never serialised: the client sends it by itself.
    #[serde(skip_serializing)]
    pub password: Option<Secret>,
    /// Public keys that may log in as root, one a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssh_public_keys: Option<String>,
    /// Whether to start it. The start is a task of its own, which may fail after this one succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<bool>,
    /// Rate limit in KiB/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bwlimit: Option<u64>,
    /// Whether errors of unpacking the template are swallowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_unpack_errors: Option<bool>,
    /// Whether high availability manages it; needs `Sys.Console` on `/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ha_managed: Option<bool>,
    /// The options.
    #[serde(flatten, deserialize_with = "loosely")]
    pub options: LxcOptions,
}

impl CreateParams {
    /// A container with PVE's defaults.
    pub fn new(vmid: Vmid, ostemplate: TemplateVolume) -> Self {
        Self {
            vmid,
            ostemplate,
            storage: None,
            pool: None,
            password: None,
            ssh_public_keys: None,
            start: None,
            bwlimit: None,
            ignore_unpack_errors: None,
            ha_managed: None,
            options: LxcOptions::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_full_value_has_the_documented_keys_and_not_the_password() {
        let sent = json!({
            "vmid": 101, "ostemplate": "local:vztmpl/alpine.tar.gz", "storage": "local-zfs", "pool": "felhom",
            "ssh-public-keys": "ssh-ed25519 AAAA", "start": true, "bwlimit": 1024, "ignore-unpack-errors": true,
            "ha-managed": false, "hostname": "cust1", "net0": "bridge=vmbr0,name=eth0", "rootfs": "local-zfs:8",
        });
        let mut read = sent.clone();
        read["password"] = json!("hunter2");
        let params: CreateParams = serde_json::from_value(read).unwrap();
        assert_eq!(params.password, Some(Secret::new("hunter2")));
        assert_eq!(serde_json::to_value(params).unwrap(), sent);
    }

    #[test]
    fn what_is_not_set_is_not_sent() {
        let params =
            CreateParams::new(101.try_into().unwrap(), "local:vztmpl/alpine.tar.gz".parse().unwrap());
        assert_eq!(
            serde_json::to_value(params).unwrap(),
            json!({ "vmid": 101, "ostemplate": "local:vztmpl/alpine.tar.gz" })
        );
    }
}
