//! What callers send: one struct per call, with PVE's own names.
//!
//! Everything that is not set is left out, so that PVE's defaults hold. Booleans stay booleans here, and a list of ids
//! is one string. Only what an API token may send is here; what PVE reserves for root@pam (`skiplock`, `dumpdir`,
//! `tmpdir`, `script`, `job-id`) or for its command line (`stdout`) is not.
//!
//! A key that a struct does not know is refused when it is read.

mod clone;
mod config;
mod create;
mod destroy;
mod download;
mod filter;
mod migrate;
mod move_volume;
mod power;
mod prune;
mod resize;
mod restore;
mod snapshot;
mod volume;
mod vzdump;

pub use clone::CloneParams;
pub use config::SetConfigParams;
pub use create::CreateParams;
pub use destroy::DestroyParams;
pub use download::{Checksum, ChecksumAlgorithm, DownloadUrlParams};
pub use filter::{
    ContentFilter, DiskFilter, DiskUse, LogRange, PermissionFilter, ResourceClass, ResourceFilter,
    StorageFilter, TaskFilter, TaskOutcome, TaskSource,
};
pub use migrate::MigrateParams;
pub use move_volume::{MoveTarget, MoveVolumeParams};
pub use power::{RebootParams, ShutdownParams, StartParams, StopParams};
pub use prune::{GuestKind, PruneParams};
pub use resize::ResizeParams;
pub use restore::{Overwrite, RestoreOverrides, RestoreParams, RestoreReplacements};
pub use snapshot::{DeleteSnapshotParams, RollbackParams, SnapshotConfigParams, SnapshotParams};
pub use volume::{AllocateParams, DeleteVolumeParams, VolumeParams};
pub use vzdump::{Guests, VzdumpParams};
