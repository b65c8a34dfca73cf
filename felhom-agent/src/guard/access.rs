//! Who may have to do with the agent's files, and who can: owner, mode bits, and the POSIX access list behind them.

use std::fmt;
use std::path::Path;

use rustix::fs::Stat;

use crate::report::shell::word;

/// What a file is to be guarded against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// It says where the token goes: nobody else may write it.
    Steering,
    /// It holds the token: nobody else may read or write it.
    Token,
    /// It holds the token, and systemd has put it there, readable by a group.
    Credential,
}

/// The group for which an operator runs the agent as root.
const GROUP: &str = "felhom";

/// The account that the kernel shows for one without a number in the namespace, unless it was told another.
const OVERFLOW: u32 = 65_534;

/// Whether a user namespace has a number of its own for an account. The lines are: inside, outside, how many.
fn is_mapped(map: &str, uid: u32) -> bool {
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        let (Some(Ok(inside)), Some(Ok(_)), Some(Ok(count))) =
            (numbers.next(), numbers.next(), numbers.next())
        else {
            return false;
        };
        uid.checked_sub(inside).is_some_and(|offset| offset < count)
    })
}

/// Who may have to do with a file of ours.
#[derive(Clone, Debug)]
pub struct AgentAccount {
    pub(super) uid: u32,
    pub(super) groups: Vec<u32>,
    /// The number of [`GROUP`], where there is one.
    agents: Option<u32>,
    /// What stands for every account that a user namespace does not know, root of the host among them.
    unmapped: Option<u32>,
}

impl AgentAccount {
    /// This process: its user, its groups, and the agent's group.
    pub fn of_process() -> Self {
        let listed = std::fs::read_to_string("/etc/group").unwrap_or_default();
        let fields =
            |line: &str| line.strip_prefix(GROUP)?.strip_prefix(':')?.split(':').nth(1)?.parse().ok();
        let agents: Option<u32> = listed.lines().find_map(fields);
        let mut groups: Vec<u32> = agents.into_iter().collect();
        groups.push(rustix::process::getegid().as_raw());
        groups.extend(rustix::process::getgroups().unwrap_or_default().iter().map(|group| group.as_raw()));
        let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        let unmapped = Some(OVERFLOW).filter(|uid| !map.is_empty() && !is_mapped(&map, *uid));
        Self { uid: rustix::process::geteuid().as_raw(), groups, agents, unmapped }
    }

    /// Another account, for which root looks.
    pub fn of_account(uid: u32) -> Self {
        Self { uid, ..Self::of_process() }
    }

    /// Whether it is root, who can do everything anyway, or this account.
    pub const fn has(&self, uid: u32) -> bool {
        uid == 0 || uid == self.uid
    }

    /// Whether a folder on the way may belong to it. In a namespace that does not know root of the host, nobody can tell
    /// him from others; the mode still counts.
    pub(super) fn has_folder(&self, uid: u32) -> bool {
        self.has(uid) || self.unmapped == Some(uid)
    }

    /// Owner, group and mode that a file with the token should have.
    fn wanted(&self) -> (String, String, &'static str) {
        match self.agents {
            Some(_) => ("root".into(), GROUP.into(), "0640"),
            None => (self.uid.to_string(), rustix::process::getegid().as_raw().to_string(), "0600"),
        }
    }

    /// The same for a file that may hold something else.
    pub(super) fn wanted_for(&self, guard: Guard) -> (String, String, &'static str) {
        let (owner, group, mode) = self.wanted();
        (owner, group, if guard == Guard::Steering { "0644" } else { mode })
    }
}

/// The command that writes a token file which is accepted, from what is typed.
pub fn install_line(path: &Path) -> String {
    let (owner, group, mode) = AgentAccount::of_process().wanted();
    format!("install -m {mode} -o {owner} -g {group} /dev/stdin {}", word(path))
}

/// The command that lets this account, and nobody else, read a file that is there.
pub fn access_line(path: &Path) -> String {
    let (owner, group, mode) = AgentAccount::of_process().wanted();
    format!("chown {owner}:{group} {0} && chmod {mode} {0}", word(path))
}

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
const NAMED_USER: u16 = 0x02;
const GROUP_OWNER: u16 = 0x04;
const NAMED_GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
const OTHERS: u16 = 0x20;

/// An entry of the list.
struct ListEntry {
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
    let grant = |entry: &ListEntry| {
        let (who, mask) = match entry.tag {
            NAMED_USER => (Who::NamedUser(entry.id), mask),
            NAMED_GROUP => (Who::NamedGroup(entry.id), mask),
            GROUP_OWNER => (Who::Group(gid), mask),
            OTHERS => (Who::Others, 7),
            _ => return None,
        };
        Some(Grant { who, permissions: entry.permissions & mask })
    };
    Some(entries.iter().filter_map(grant).collect())
}

fn entries(acl: &[u8]) -> Option<Vec<ListEntry>> {
    let (version, rest) = acl.split_first_chunk::<4>()?;
    let (entries, rest) = rest.as_chunks::<8>();
    let is_known = u32::from_le_bytes(*version) == VERSION && rest.is_empty();
    is_known.then(|| {
        entries
            .iter()
            .map(|[a, b, c, d, id @ ..]| ListEntry {
                tag: u16::from_le_bytes([*a, *b]),
                permissions: u16::from_le_bytes([*c, *d]).into(),
                id: u32::from_le_bytes(*id),
            })
            .collect()
    })
}

#[cfg(test)]
impl AgentAccount {
    pub(crate) fn new(uid: u32, groups: Vec<u32>, agents: Option<u32>) -> Self {
        Self { uid, groups, agents, unmapped: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_knows_the_accounts_of_its_map() {
        let cases = [
            ("         0          0 4294967295\n", true),
            ("0 100000 65536\n", true),
            ("0 1000 1\n", false),
            ("990 990 1\n", false),
            ("0 1000 1\n1 100000 65535\n", true),
            ("nonsense", false),
        ];
        for (map, expected) in cases {
            assert_eq!(is_mapped(map, OVERFLOW), expected, "{map}");
        }
    }

    #[test]
    fn a_repair_fits_the_accounts_of_the_host() {
        let with_group = AgentAccount::new(990, vec![990], Some(990));
        assert_eq!(with_group.wanted(), ("root".into(), "felhom".into(), "0640"));
        let (owner, _, mode) = AgentAccount::new(990, vec![990], None).wanted();
        assert_eq!((owner.as_str(), mode), ("990", "0600"));
    }
}
