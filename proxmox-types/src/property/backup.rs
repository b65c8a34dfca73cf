//! Options of a backup: `prune-backups`, `performance`, `fleecing`.

use serde::{Deserialize, Serialize};

use super::{OtherKeys, PropertyString};
use crate::StorageId;

/// How many backups of a guest to keep, per period.
///
/// Each period counts what the ones before it did not keep. Nothing set, or only zeros, keeps all; `keep-all` together
/// with another key is refused.
///
/// Source: pve-storage `PVE/Storage/Plugin.pm`, format `prune-backups`; recordings `vzdump-defaults`, `get-storage`.
///
/// ```
/// # use proxmox_types::property::{Property, PruneBackups};
/// assert_eq!(Property::new(PruneBackups::last(3)).to_string(), "keep-last=3");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PruneBackups {
    /// Keep every backup.
    pub keep_all: Option<bool>,
    /// Keep so many of the latest.
    pub keep_last: Option<u32>,
    /// Keep the latest of so many hours.
    pub keep_hourly: Option<u32>,
    /// Keep the latest of so many days.
    pub keep_daily: Option<u32>,
    /// Keep the latest of so many weeks.
    pub keep_weekly: Option<u32>,
    /// Keep the latest of so many months.
    pub keep_monthly: Option<u32>,
    /// Keep the latest of so many years.
    pub keep_yearly: Option<u32>,
    /// Keys that this version does not know.
    #[serde(flatten)]
    pub other: OtherKeys,
}

impl PropertyString for PruneBackups {
    const DEFAULT_KEY: Option<&'static str> = None;
}

impl PruneBackups {
    /// Keeps the latest `count` backups of each guest.
    pub fn last(count: u32) -> Self {
        Self { keep_last: Some(count), ..Self::default() }
    }
}

/// Limits of a backup's parallelism. Setting them needs `Sys.Modify` on `/`.
///
/// A property string in parameters, an object in the defaults.
///
/// Source: pve-guest-common `PVE/VZDump/Common.pm`, format `backup-performance`; recording `vzdump-defaults`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Performance {
    /// Workers of a virtual machine's backup, 1 to 256; containers do not use it. PVE's default is 16.
    pub max_workers: Option<u32>,
    /// Directory entries held in memory by a container's backup to a backup server. PVE's default is 1048576.
    pub pbs_entries_max: Option<u64>,
}

impl PropertyString for Performance {
    const DEFAULT_KEY: Option<&'static str> = None;
}

/// A cache for a virtual machine's backup; containers do not use it.
///
/// A property string in parameters, an object in the defaults.
///
/// Source: pve-guest-common `PVE/VZDump/Common.pm`, format `backup-fleecing`; recording `vzdump-defaults`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fleecing {
    /// Whether it is on; PVE's default is no.
    pub enabled: Option<bool>,
    /// Storage of the cache; needs `Datastore.AllocateSpace` on it.
    pub storage: Option<StorageId>,
}

impl PropertyString for Fleecing {
    const DEFAULT_KEY: Option<&'static str> = Some("enabled");
}

#[cfg(test)]
mod tests {
    use super::super::{parse, print};
    use super::*;

    #[test]
    fn every_period_is_read_and_written() {
        let text = "keep-daily=3,keep-hourly=2,keep-last=1,keep-monthly=5,keep-weekly=4,keep-yearly=6";
        let prune: PruneBackups = parse(text).unwrap();
        assert!(prune.other.is_empty());
        assert_eq!(print(&prune).unwrap(), text);
        assert_eq!(print(&parse::<PruneBackups>("keep-all=1").unwrap()).unwrap(), "keep-all=1");
    }

    #[test]
    fn performance_and_fleecing_are_read_and_written() {
        let text = "max-workers=2,pbs-entries-max=1048576";
        assert_eq!(print(&parse::<Performance>(text).unwrap()).unwrap(), text);
        assert_eq!(print(&parse::<Fleecing>("enabled=1,storage=local").unwrap()).unwrap(), "1,storage=local");
    }
}
