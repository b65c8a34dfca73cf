//! Locks of a container's configuration.

use crate::text::open_text;

open_text!(
    /// Why a container's configuration is locked: an operation runs, or one was killed.
    ///
    /// No API call removes a lock; root does it with `pct unlock`.
    ///
    /// Source: pve-container `PVE/LXC/Config.pm`, option `lock`; recordings `locked-*`, `restorerunning-config`.
    pub enum Lock {
        /// A backup runs.
        Backup = "backup",
        /// The container is being created or restored; its configuration has nothing but this lock.
        Create = "create",
        /// The container is being destroyed.
        Destroyed = "destroyed",
        /// A volume is being copied: the container is the source of a clone or moves a volume.
        Disk = "disk",
        /// Unused blocks are being discarded.
        Fstrim = "fstrim",
        /// The container moves to another node.
        Migrate = "migrate",
        /// The volumes are mounted on the host.
        Mounted = "mounted",
        /// A rollback runs.
        Rollback = "rollback",
        /// A snapshot is being taken.
        Snapshot = "snapshot",
        /// A snapshot is being deleted.
        SnapshotDelete = "snapshot-delete",
    }
);
