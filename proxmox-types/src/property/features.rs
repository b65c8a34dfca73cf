//! The `features` of a container.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{OtherKeys, PropertyString, list};

/// Kernel features that a container may use; all are off by default.
///
/// An API token may only switch `nesting`, and only on an unprivileged container; everything else is for root@pam.
/// A restore keeps the features of the backup as long as none are passed.
///
/// Source: pve-container `PVE/LXC/Config.pm`; recordings `config-put-keyctl-token`, `golden-restore-*`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features {
    /// Lets the container run containers of its own.
    pub nesting: Option<bool>,
    /// Allows the `keyctl` system call, which Docker inside an unprivileged container needs.
    pub keyctl: Option<bool>,
    /// Allows FUSE file systems.
    pub fuse: Option<bool>,
    /// Allows `mknod` for some devices.
    pub mknod: Option<bool>,
    /// Mounts `/sys` read-write in an unprivileged container.
    pub force_rw_sys: Option<bool>,
    /// File system types that the container may mount.
    #[serde(default, with = "list", skip_serializing_if = "Vec::is_empty")]
    pub mount: Vec<String>,
    /// Keys that this version does not know.
    #[serde(flatten)]
    pub other: OtherKeys,
}

impl PropertyString for Features {
    const DEFAULT_KEY: Option<&'static str> = None;
}

#[cfg(test)]
mod tests {
    use super::super::{parse, print};
    use super::*;

    #[test]
    fn features_read_and_write_the_golden_image() {
        let features: Features = parse("nesting=1,keyctl=1").unwrap();
        assert_eq!((features.nesting, features.keyctl, features.fuse), (Some(true), Some(true), None));
        assert_eq!(print(&features).unwrap(), "keyctl=1,nesting=1");
    }

    #[test]
    fn mountable_file_systems_are_a_list() {
        let features: Features = parse("mount=nfs;cifs").unwrap();
        assert_eq!(
            (features.mount.join(" "), print(&features).unwrap()),
            ("nfs cifs".into(), "mount=nfs;cifs".into())
        );
    }
}
