//! Whether a container can do something.

use serde::Deserialize;

/// Answer of `GET /nodes/{node}/lxc/{vmid}/feature`: whether all volumes can be snapshotted, cloned or copied.
///
/// Source: pve-container `PVE/API2/LXC.pm`; recordings `get-lxc-feature-*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Feature {
    /// Whether it can. A bind mount or a storage of type `dir` makes snapshots impossible.
    #[serde(rename = "hasFeature")]
    pub has_feature: bool,
}
