//! Which backups to keep: `prune-backups`.

use serde::{Deserialize, Serialize};

use super::{OtherKeys, PropertyString};

/// How many backups of a guest to keep, per period.
///
/// Each period counts what the ones before it did not keep. Nothing set, or only zeros, keeps all; `keep-all` together
/// with another key is refused.
///
/// Source: pve-storage `PVE/Storage/Plugin.pm`, format `prune-backups`; recordings `vzdump-defaults`, `get-storage`.
///
/// ```
/// # use proxmox_types::property::{Property, prune::PruneBackups};
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
}
