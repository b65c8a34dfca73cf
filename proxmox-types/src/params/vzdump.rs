//! Backing up containers.

use alloc::string::String;
use alloc::vec::Vec;

use serde::de::IgnoredAny;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::lenient::loosely;
use crate::property::{Fleecing, Performance, Property, PruneBackups};
use crate::{BackupOptions, CommaList, Compression, PoolId, StorageId, Vmid};

/// Parameters of `POST /nodes/{node}/vzdump`. What is not set comes from the node's `/etc/vzdump.conf`.
///
/// Two defaults are not PVE's. Old backups are kept: PVE's default removes some after each new one. And
/// [`Self::compress`] is zstd: PVE's default does not compress at all.
///
/// Left out are `tmpdir`, `dumpdir`, `script` and `job-id`, which are for root@pam, `stdout`, which is for the command
/// line, and `node`, which the path has.
///
/// Source: pve-guest-common `PVE/VZDump/Common.pm`, pve-manager `PVE/API2/VZDump.pm`; recordings `vzdump-*`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct VzdumpParams {
    /// Which guests. None chosen, as in the default, cannot be sent.
    #[serde(flatten)]
    pub guests: Guests,
    /// Storage; PVE's default is `local`. Needs `Datastore.AllocateSpace` on it.
    pub storage: Option<StorageId>,
    /// How it is compressed.
    pub compress: Option<Compression>,
    /// What becomes of the older backups of the same guest.
    #[serde(flatten, deserialize_with = "loosely")]
    pub old_backups: OldBackups,
    /// Limits of its parallelism. Needs `Sys.Modify` on `/`.
    pub performance: Option<Property<Performance>>,
    /// Cache for virtual machines.
    pub fleecing: Option<Property<Fleecing>>,
    /// Paths in the guest that are left out; shell patterns, on top of the node's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude_path: Vec<String>,
    /// Who gets mail.
    #[serde(default, skip_serializing_if = "CommaList::is_empty")]
    pub mailto: CommaList<String>,
    /// How it runs.
    #[serde(flatten, deserialize_with = "loosely")]
    pub options: BackupOptions,
}

impl VzdumpParams {
    /// A backup of these guests that keeps the old ones and is compressed with zstd.
    pub fn new(guests: Guests) -> Self {
        let (storage, old_backups, performance, fleecing, exclude_path, mailto, options) = Default::default();
        let compress = Some(Compression::Zstd);
        Self { guests, storage, compress, old_backups, performance, fleecing, exclude_path, mailto, options }
    }
}

impl Default for VzdumpParams {
    fn default() -> Self {
        Self::new(Guests::Vmids(CommaList::default()))
    }
}

/// What becomes of older backups; sent as `remove` and `prune-backups`, of which PVE ignores the latter if `remove` is off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Removal", into = "Removal")]
pub enum OldBackups {
    /// All stay. A storage whose own rule keeps a fixed number refuses the backup once there are that many: "max backup
    /// limit".
    #[default]
    Kept,
    /// What the node's `/etc/vzdump.conf` says.
    AsConfigured,
    /// Those go that the storage's own rule, or else the node's, does not keep.
    Removed,
    /// Those go that this rule does not keep. Needs `Datastore.Allocate` on the storage.
    RemovedBut(Property<PruneBackups>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Removal {
    remove: Option<bool>,
    prune_backups: Option<Property<PruneBackups>>,
}

impl From<OldBackups> for Removal {
    fn from(old: OldBackups) -> Self {
        match old {
            OldBackups::AsConfigured => Self { remove: None, prune_backups: None },
            OldBackups::Kept => Self { remove: Some(false), prune_backups: None },
            OldBackups::Removed => Self { remove: Some(true), prune_backups: None },
            OldBackups::RemovedBut(kept) => Self { remove: Some(true), prune_backups: Some(kept) },
        }
    }
}

impl TryFrom<Removal> for OldBackups {
    type Error = &'static str;

    fn try_from(removal: Removal) -> Result<Self, Self::Error> {
        Ok(match (removal.remove, removal.prune_backups) {
            (None, None) => Self::AsConfigured,
            (Some(false), None) => Self::Kept,
            (Some(true), None) => Self::Removed,
            (Some(true), Some(kept)) => Self::RemovedBut(kept),
            (_, Some(_)) => return Err("`prune-backups` does nothing without `remove`"),
        })
    }
}

/// Which guests a backup is of: PVE takes exactly one of these.
///
/// Source: pve-guest-common `PVE/VZDump/Common.pm`; pve-manager `PVE/VZDump.pm`, `verify_vzdump_parameters`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Guests {
    /// These; sent as `vmid`. One that is on another node is skipped; if all are, the answer is `OK` and no task.
    #[serde(rename = "vmid", serialize_with = "chosen")]
    Vmids(CommaList<Vmid>),
    /// All that the token may back up; sent as `all`. The others are skipped silently.
    #[serde(rename = "all", serialize_with = "yes", deserialize_with = "set")]
    All,
    /// All that the token may back up but these; sent as `exclude`.
    #[serde(rename = "exclude", serialize_with = "chosen")]
    AllExcept(CommaList<Vmid>),
    /// The members of a pool; sent as `pool`.
    #[serde(rename = "pool")]
    Pool(PoolId),
}

impl From<Vmid> for Guests {
    fn from(vmid: Vmid) -> Self {
        Self::Vmids([vmid].into_iter().collect())
    }
}

fn chosen<S: Serializer>(vmids: &CommaList<Vmid>, serializer: S) -> Result<S::Ok, S::Error> {
    if vmids.is_empty() { Err(S::Error::custom("no guest is chosen")) } else { vmids.serialize(serializer) }
}

fn yes<S: Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(true)
}

fn set<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    IgnoredAny::deserialize(deserializer).map(drop)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sent;
    use super::*;

    #[test]
    fn each_choice_of_guests_has_its_own_key() {
        let vmids: CommaList<Vmid> = "101,103".parse().unwrap();
        let written = [
            Guests::from("100".parse::<Vmid>().unwrap()),
            Guests::All,
            Guests::AllExcept(vmids),
            Guests::Pool("felhom".parse().unwrap()),
        ]
        .map(|guests| serde_json::to_value(guests).unwrap());
        let wanted = [
            json!({ "vmid": "100" }),
            json!({ "all": true }),
            json!({ "exclude": "101,103" }),
            json!({ "pool": "felhom" }),
        ];
        assert_eq!(written, wanted);
    }

    #[test]
    fn the_default_keeps_old_backups_and_compresses() {
        let params = VzdumpParams { guests: Guests::All, ..VzdumpParams::default() };
        assert_eq!(sent(&params), json!({ "all": true, "remove": false, "compress": "zstd" }));
    }

    #[test]
    fn a_backup_of_nothing_cannot_be_sent() {
        let error = serde_json::to_value(VzdumpParams::default()).unwrap_err();
        assert_eq!(alloc::format!("{error}"), "no guest is chosen");
    }
}
