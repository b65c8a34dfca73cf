//! How hard a backup works: `performance` and `fleecing`.

use serde::{Deserialize, Serialize};

use super::PropertyString;
use crate::StorageId;

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
    fn performance_and_fleecing_are_read_and_written() {
        let text = "max-workers=2,pbs-entries-max=1048576";
        assert_eq!(print(&parse::<Performance>(text).unwrap()).unwrap(), text);
        assert_eq!(print(&parse::<Fleecing>("enabled=1,storage=local").unwrap()).unwrap(), "1,storage=local");
    }
}
