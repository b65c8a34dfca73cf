//! How a node backs up.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::StorageId;
use crate::lenient::read_in_parts;
use crate::property::{Fleecing, Performance, Property, PruneBackups};
use crate::text::open_text;

open_text!(
    /// What a backup does to a running container.
    ///
    /// Source: pve-guest-common `PVE/VZDump/Common.pm`; pve-manager `PVE/VZDump.pm`.
    pub enum BackupMode {
        /// It copies from a snapshot; becomes `suspend` where the volumes cannot be snapshotted. PVE's default.
        Snapshot = "snapshot",
        /// It stops the container for the length of the backup.
        Stop = "stop",
        /// It copies twice and freezes the container for the second time; needs room for a whole copy.
        Suspend = "suspend",
    }
);

open_text!(
    /// How a backup is compressed.
    ///
    /// Source: pve-guest-common `PVE/VZDump/Common.pm`.
    pub enum Compression {
        /// Not at all; PVE's default.
        None = "0",
        /// An older way to say lzo.
        One = "1",
        /// With gzip, or pigz if `pigz` is set.
        Gzip = "gzip",
        /// With lzo.
        Lzo = "lzo",
        /// With zstd.
        Zstd = "zstd",
    }
);

/// How a backup runs: in the node's defaults and in parameters.
///
/// Source: pve-guest-common `PVE/VZDump/Common.pm`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BackupOptions {
    /// What it does to a running guest; PVE falls back to a more intrusive one without asking.
    pub mode: Option<BackupMode>,
    /// Threads of zstd; 0 is half the cores, PVE's default is 1.
    pub zstd: Option<u32>,
    /// Threads of pigz; PVE's default 0 uses gzip instead.
    pub pigz: Option<u32>,
    /// Whether the backup is protected from deletion. PVE takes it only together with a storage.
    pub protected: Option<bool>,
    /// Template of its notes, one line: `{{guestname}} on {{node}}`. PVE takes it only together with a storage.
    pub notes_template: Option<String>,
    /// Rate limit in KiB/s. Needs `Sys.Modify` on `/`.
    pub bwlimit: Option<u64>,
    /// I/O priority, 0 to 8; 8 is idle, PVE's default is 7. Needs `Sys.Modify` on `/`.
    pub ionice: Option<u8>,
    /// Whether `/tmp`, `/var/tmp` and pid files are left out; PVE's default is yes.
    pub stdexcludes: Option<bool>,
    /// Minutes to wait for another backup on the node; PVE's default is 180.
    pub lockwait: Option<u32>,
    /// Minutes to wait for a guest to stop; PVE's default is 10.
    pub stopwait: Option<u32>,
    /// Whether any running backup on the node is aborted first. Needs `Sys.Modify` on `/nodes/{node}`.
    pub stop: Option<bool>,
    /// Whether it says little.
    pub quiet: Option<bool>,
    /// When mail is sent: `always`, which is PVE's default, or `failure`.
    pub mailnotification: Option<String>,
    /// How it is announced: `auto`, which is PVE's default, `legacy-sendmail` or `notification-system`.
    pub notification_mode: Option<String>,
    /// How a backup server finds what changed: `legacy`, `data` or `metadata`.
    pub pbs_change_detection_mode: Option<String>,
}

/// Answer of `GET /nodes/{node}/vzdump/defaults`: what a backup does unless told otherwise.
///
/// `mailto`, `tmpdir`, `dumpdir`, `script` and `ionice` need `Sys.Audit` on the node.
///
/// Source: pve-manager `PVE/API2/VZDump.pm`; recording `vzdump-defaults`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", remote = "Self")]
#[non_exhaustive]
pub struct VzdumpDefaults {
    /// Storage.
    pub storage: Option<StorageId>,
    /// How it is compressed. Arrives as the string `0` for not at all.
    pub compress: Option<Compression>,
    /// Whether old backups are removed afterwards.
    pub remove: Option<bool>,
    /// Which backups to keep.
    pub prune_backups: Option<Property<PruneBackups>>,
    /// Limits of its parallelism.
    pub performance: Option<Performance>,
    /// Cache for virtual machines.
    pub fleecing: Option<Fleecing>,
    /// Paths that are left out, joined by commas.
    pub exclude_path: Option<String>,
    /// Whether all guests are backed up.
    pub all: Option<bool>,
    /// Guests that are left out.
    pub exclude: Option<String>,
    /// Who gets mail, joined by commas.
    pub mailto: Option<String>,
    /// Directory of the backups where no storage is set.
    pub dumpdir: Option<String>,
    /// Directory of temporary files.
    pub tmpdir: Option<String>,
    /// Script that runs at each step.
    pub script: Option<String>,
    /// How it runs.
    #[serde(skip_deserializing)]
    pub options: BackupOptions,
}

read_in_parts!(VzdumpDefaults { options: options });
