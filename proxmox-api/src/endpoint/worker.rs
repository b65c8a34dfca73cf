//! The worker that a call starts, and how it is told from others.

use alloc::string::ToString;

use crate::encode;

/// The worker that a call starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Its type, as UPIDs have it. A container that HA manages has another one: it only hands the request on.
    pub kinds: &'static [&'static str],
    /// What stands in the UPID as its id.
    pub id: TaskId,
}

/// What stands in a UPID as the id of a call's worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskId {
    /// A variable of the path, or a parameter.
    Named(&'static str),
    /// A variable of the path, or that and more behind a hyphen.
    Begins(&'static str),
    /// The VMID of the backup if one guest of this node was chosen, however that was; else nothing.
    ///
    /// Source: pve-manager `PVE/API2/VZDump.pm`, `vzdump`.
    Guests,
    /// The storage, or `VMID@STORAGE` with the owner of the volume.
    ///
    /// Source: pve-storage `PVE/API2/Storage/Content.pm`, `delete`; `PruneBackups.pm`, `delete`.
    Storage,
}

impl TaskId {
    /// Whether the worker of a call can have this id. `value` gives what the call has for a variable of its path, or for
    /// a parameter.
    pub fn fits<'v>(self, id: &str, value: &dyn Fn(&str) -> Option<&'v str>) -> bool {
        match self {
            Self::Named(name) => value(name).is_some_and(|text| id == text || id == encode(text).to_string()),
            Self::Begins(name) => value(name)
                .and_then(|text| id.strip_prefix(text))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-')),
            Self::Guests => match value("vmid") {
                Some(guests) if guests.contains(',') => {
                    id.is_empty() || guests.split(',').any(|guest| guest.trim() == id)
                }
                Some(guest) => id == guest,
                None => true,
            },
            Self::Storage => value("storage")
                .and_then(|storage| id.strip_suffix(storage))
                .is_some_and(|owner| owner.is_empty() || is_owner(owner, value)),
        }
    }
}

/// Whether `VMID@` is about the guest that a call names, or that the name of its volume holds.
fn is_owner<'v>(owner: &str, value: &dyn Fn(&str) -> Option<&'v str>) -> bool {
    let Some(vmid) = owner.strip_suffix('@') else { return false };
    let named = value("vmid").map(|named| named == vmid);
    let in_name =
        || value("volume").map(|volume| volume.split(['-', '/', ':', '.', '%']).any(|piece| piece == vmid));
    named.or_else(in_name).unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_told_from_that_of_another_call() {
        let fits = |id: TaskId, text: &str, given: &[(&str, &'static str)]| {
            id.fits(text, &|name| given.iter().find(|(known, _)| *known == name).map(|(_, value)| *value))
        };
        let volume = [("storage", "local"), ("volume", "local%3Abackup%2Fvzdump-lxc-210-2026_11_24.tar.zst")];
        let several = [("vmid", "100,101")];
        let own = [
            fits(TaskId::Named("vmid"), "101", &[("vmid", "101")]),
            fits(TaskId::Named("filename"), "a%20b.iso", &[("filename", "a b.iso")]),
            fits(TaskId::Begins("vmid"), "101-mp0>102-mp1", &[("vmid", "101")]),
            fits(TaskId::Guests, "", &several),
            fits(TaskId::Guests, "101", &several),
            fits(TaskId::Guests, "101", &[]),
            fits(TaskId::Storage, "local", &volume),
            fits(TaskId::Storage, "210@local", &volume),
        ];
        let others = [
            fits(TaskId::Named("vmid"), "1010", &[("vmid", "101")]),
            fits(TaskId::Begins("vmid"), "1010", &[("vmid", "101")]),
            fits(TaskId::Guests, "102", &several),
            fits(TaskId::Guests, "", &[("vmid", "101")]),
            fits(TaskId::Storage, "999@local", &volume),
            fits(TaskId::Storage, "210@local-zfs", &volume),
            fits(TaskId::Storage, "nolocal", &volume),
        ];
        assert_eq!((own, others), ([true; 8], [false; 7]));
    }
}
