//! How a node backs up.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::property::Property;
use crate::property::backup::{Fleecing, Performance};
use crate::property::prune::PruneBackups;
use crate::text::open_text;
use crate::{StorageId, lenient};

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

/// Answer of `GET /nodes/{node}/vzdump/defaults`: what a backup does unless told otherwise.
///
/// `mailto`, `tmpdir`, `dumpdir`, `script` and `ionice` need `Sys.Audit` on the node.
///
/// Source: pve-manager `PVE/API2/VZDump.pm`; recording `vzdump-defaults`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct VzdumpDefaults {
    /// Storage.
    #[serde(default, deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageId>,
    /// What it does to a running guest.
    #[serde(default, deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub mode: Option<BackupMode>,
    /// How it is compressed. Arrives as the string `0` for not at all.
    #[serde(default, deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub compress: Option<Compression>,
    /// Threads of zstd; 0 is half the cores.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub zstd: Option<u32>,
    /// Threads of pigz; 0 uses gzip instead.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub pigz: Option<u32>,
    /// Whether old backups are removed afterwards.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub remove: Option<bool>,
    /// Which backups to keep.
    #[serde(default, deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub prune_backups: Option<Property<PruneBackups>>,
    /// Whether the backup is protected from deletion.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub protected: Option<bool>,
    /// Template of its notes.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub notes_template: Option<String>,
    /// Rate limit in KiB/s; 0 is none.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub bwlimit: Option<u64>,
    /// I/O priority, 0 to 8; 8 is idle.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub ionice: Option<u8>,
    /// Limits of its parallelism.
    #[serde(default, deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub performance: Option<Performance>,
    /// Cache for virtual machines.
    #[serde(default, deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub fleecing: Option<Fleecing>,
    /// Minutes to wait for another backup on the node.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub lockwait: Option<u32>,
    /// Minutes to wait for a guest to stop.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub stopwait: Option<u32>,
    /// Whether a running backup is aborted first.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub stop: Option<bool>,
    /// Whether temporary files are left out.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub stdexcludes: Option<bool>,
    /// Paths that are left out, joined by commas.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub exclude_path: Option<String>,
    /// Whether all guests are backed up.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub all: Option<bool>,
    /// Guests that are left out.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub exclude: Option<String>,
    /// Whether it says little.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub quiet: Option<bool>,
    /// Who gets mail, joined by commas.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub mailto: Option<String>,
    /// When mail is sent: `always` or `failure`.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub mailnotification: Option<String>,
    /// How it is announced: `auto`, `legacy-sendmail` or `notification-system`.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub notification_mode: Option<String>,
    /// How a backup server finds what changed: `legacy`, `data` or `metadata`.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub pbs_change_detection_mode: Option<String>,
    /// Directory of the backups where no storage is set.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub dumpdir: Option<String>,
    /// Directory of temporary files.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub tmpdir: Option<String>,
    /// Script that runs at each step.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
}
