//! What callers send: one struct per call, with PVE's own names.
//!
//! Everything that is not set is left out, so that PVE's defaults hold: it is written as null, which the client does not
//! send. Booleans stay booleans here, and a list of ids is one string. Only what an API token may send is here; what PVE
//! reserves for root@pam (`skiplock`, `dumpdir`, `tmpdir`, `script`, `job-id`) or for its command line (`stdout`) is not.

mod create;
mod filter;
mod guest;
mod volume;
mod vzdump;

pub use create::{CreateParams, NewContainer, Overwrite, RestoreParams, RestoreReplacements, RestoreVolumes};
pub use filter::{
    ContentFilter, DiskFilter, DiskUse, LogRange, PermissionFilter, ResourceClass, ResourceFilter,
    StorageFilter, TaskFilter, TaskOutcome, TaskSource,
};
pub use guest::{
    CloneParams, DeleteSnapshotParams, DestroyParams, MigrateParams, MoveTarget, MoveVolumeParams,
    RebootParams, ResizeParams, RollbackParams, SetConfigParams, ShutdownParams, SnapshotConfigParams,
    SnapshotParams, StartParams, StopParams,
};
pub use volume::{
    AllocateParams, Checksum, ChecksumAlgorithm, DeleteVolumeParams, DownloadUrlParams, GuestKind,
    PruneParams, VolumeParams,
};
pub use vzdump::{Guests, OldBackups, VzdumpParams};

/// What the client sends of parameters.
#[cfg(test)]
pub(crate) fn sent(params: &impl serde::Serialize) -> serde_json::Value {
    let mut fields = serde_json::to_value(params).unwrap();
    fields.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    fields
}
