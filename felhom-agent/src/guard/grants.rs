//! Who may do what with a file: its mode bits, and the POSIX access list that can stand behind them.

use std::fmt;

use rustix::fs::Stat;

/// Somebody who is not the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// The group of the file.
    Group(u32),
    /// Everybody else.
    Others,
    /// A user that the list names.
    NamedUser(u32),
    /// A group that the list names.
    NamedGroup(u32),
}

/// What somebody may do, as far as the mask of the list lets it be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) who: Who,
    /// Read 4, write 2, execute 1.
    pub(super) permissions: u32,
}

impl Grant {
    pub(super) const fn reads(&self) -> bool {
        self.permissions & 4 != 0
    }

    pub(super) const fn writes(&self) -> bool {
        self.permissions & 2 != 0
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.writes() { "write" } else { "read" };
        match self.who {
            Who::Others => write!(f, "others {what}"),
            Who::NamedUser(uid) => write!(f, "user {uid} {what}"),
            Who::Group(gid) | Who::NamedGroup(gid) => write!(f, "group {gid} {what}"),
        }
    }
}

/// The version of the list's layout, which has been the same since Linux 2.6.
const VERSION: u32 = 2;

// The tags of the entries.
const USER: u16 = 0x02;
const GROUP_OWNER: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
const OTHERS: u16 = 0x20;

/// An entry of the list.
struct Entry {
    tag: u16,
    permissions: u32,
    id: u32,
}

/// What everybody but the owner may do; nothing if the list cannot be understood.
///
/// Source: acl(5) and Linux `include/uapi/linux/posix_acl_xattr.h`. Where there is a list, the bits of the group in the
/// mode are its mask.
pub(super) fn grants(status: &Stat, acl: Option<&[u8]>) -> Option<Vec<Grant>> {
    let (gid, mode) = (status.st_gid, status.st_mode);
    let Some(acl) = acl else {
        let group = Grant { who: Who::Group(gid), permissions: mode >> 3 & 7 };
        return Some(vec![Grant { who: Who::Others, permissions: mode & 7 }, group]);
    };
    let entries = entries(acl)?;
    let mask = entries.iter().find(|entry| entry.tag == MASK).map_or(7, |entry| entry.permissions);
    let grant = |entry: &Entry| {
        let (who, mask) = match entry.tag {
            USER => (Who::NamedUser(entry.id), mask),
            GROUP => (Who::NamedGroup(entry.id), mask),
            GROUP_OWNER => (Who::Group(gid), mask),
            OTHERS => (Who::Others, 7),
            _ => return None,
        };
        Some(Grant { who, permissions: entry.permissions & mask })
    };
    Some(entries.iter().filter_map(grant).collect())
}

fn entries(acl: &[u8]) -> Option<Vec<Entry>> {
    let (version, rest) = acl.split_first_chunk::<4>()?;
    let (entries, rest) = rest.as_chunks::<8>();
    let is_known = u32::from_le_bytes(*version) == VERSION && rest.is_empty();
    is_known.then(|| {
        entries
            .iter()
            .map(|[a, b, c, d, id @ ..]| Entry {
                tag: u16::from_le_bytes([*a, *b]),
                permissions: u16::from_le_bytes([*c, *d]).into(),
                id: u32::from_le_bytes(*id),
            })
            .collect()
    })
}
