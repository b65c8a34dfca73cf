//! Whether a container can do something.

use serde::{Deserialize, Serialize};

use crate::scalar;

/// Answer of `GET /nodes/{node}/lxc/{vmid}/feature`: whether all volumes can be snapshotted, cloned or copied.
///
/// Source: pve-container `PVE/API2/LXC.pm`; recordings `get-lxc-feature-*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Feature {
    /// Whether it can. A bind mount or a storage of type `dir` makes snapshots impossible.
    #[serde(rename = "hasFeature", deserialize_with = "scalar::required")]
    pub has_feature: bool,
}
