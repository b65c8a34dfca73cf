//! What steers the token is guarded like the token: who could have put a file there, or can change it.
//!
//! The configuration, the CA file, the token file and the state folder are reached component by component. Every
//! folder on the way up to `/` belongs to root or to this account, and nobody else can write it; a folder with the
//! sticky bit, as `/tmp`, may be on the way, since only the owner replaces what lies in it. A symbolic link is judged
//! by its folder and by where it leads. Access lists count as much as mode bits.

mod access;
mod way;

use std::path::Path;

use rustix::fs::Stat;

pub use access::{AgentAccount, Guard, access_line, install_line};
pub(crate) use way::acl;
pub use way::{Folder, Last, Way, reach};

use crate::report::shell::word;
use access::{Grant, Who, grants};

/// Why somebody else could read or change a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// Who can do what, with the mode, the owner or the entry of the access list that lets them.
    pub danger: String,
    /// The command, to be run by root, that ends it.
    pub fix: String,
}

/// What others can do to a file, apart from its folders.
pub fn of_file(
    path: &Path,
    status: &Stat,
    acl: Option<&[u8]>,
    guard: Guard,
    ours: &AgentAccount,
) -> Option<Exposure> {
    let danger = file_danger(status, acl, guard, ours)?;
    let shown = word(path);
    let repair = match guard {
        Guard::Steering if !ours.has(status.st_uid) => format!("chown root {shown} && chmod go-w {shown}"),
        Guard::Steering => format!("chmod go-w {shown}"),
        Guard::Token | Guard::Credential => access_line(path),
    };
    let strip = if acl.is_some() { format!("setfacl -b {shown} && ") } else { String::new() };
    Some(Exposure { danger, fix: format!("{strip}{repair}") })
}

fn file_danger(status: &Stat, acl: Option<&[u8]>, guard: Guard, ours: &AgentAccount) -> Option<String> {
    let Some(grants) = grants(status, acl) else {
        return Some("its access list cannot be understood".into());
    };
    let mode = status.st_mode & 0o7777;
    if let Some(grant) = grants.iter().find(|grant| is_too_much(grant, guard, ours)) {
        let reads = guard != Guard::Steering;
        return Some(match grant.who {
            Who::Others if reads => format!("others can read or write it: its mode is {mode:04o}"),
            Who::Others => format!("others can write it: its mode is {mode:04o}"),
            Who::Group(gid) if grant.writes() => {
                format!("its group can write it: its mode is {mode:04o}, its group {gid}")
            }
            Who::Group(gid) => {
                format!(
                    "a group that is not the agent's own can read it: its mode is {mode:04o}, its group {gid}"
                )
            }
            Who::NamedUser(_) | Who::NamedGroup(_) => format!("its access list lets {grant} it"),
        });
    }
    let uid = status.st_uid;
    (!ours.has(uid)).then(|| format!("it belongs to somebody else: its owner is {uid}"))
}

fn is_too_much(grant: &Grant, guard: Guard, ours: &AgentAccount) -> bool {
    let may_read = match grant.who {
        Who::Others => guard == Guard::Steering,
        Who::Group(gid) => guard != Guard::Token || ours.groups.contains(&gid),
        Who::NamedGroup(gid) => guard == Guard::Steering || ours.groups.contains(&gid),
        Who::NamedUser(uid) => guard == Guard::Steering || ours.has(uid),
    };
    let may_write = matches!(grant.who, Who::NamedUser(uid) if ours.has(uid));
    let is_opened = matches!(grant.who, Who::Others) && !may_read && grant.permissions != 0;
    (grant.writes() && !may_write) || (grant.reads() && !may_read) || is_opened
}

/// What others can do to a folder on the way, which is the file's own or one above it.
pub(crate) fn folder_danger(
    path: &Path,
    status: &Stat,
    acl: Option<&[u8]>,
    is_sticky_fine: bool,
    ours: &AgentAccount,
) -> Option<FolderDanger> {
    const SHARED: &str = "it lies in a directory where somebody but its owner can replace it";
    let (shown, mode) = (path.display(), status.st_mode & 0o7777);
    // A folder of somebody else, and one that is meant for everybody, others need as it is.
    let told = |text, is_repairable| FolderDanger::new(path, text, is_repairable, acl.is_some());
    if !ours.has_folder(status.st_uid) {
        let text =
            format!("it lies in a directory of somebody else: {shown} belongs to user {}", status.st_uid);
        return Some(told(text, false));
    }
    let Some(grants) = grants(status, acl) else {
        return Some(told(format!("{SHARED}: the access list of {shown} cannot be understood"), true));
    };
    let grant = grants.iter().find(|grant| is_too_much(grant, Guard::Steering, ours))?;
    let is_sticky = mode & 0o1000 != 0;
    let reason = match grant.who {
        Who::NamedUser(_) | Who::NamedGroup(_) => format!("the access list of {shown} lets {grant} it"),
        Who::Others | Who::Group(_) => format!("{shown} has the mode {mode:04o}"),
    };
    (!is_sticky || !is_sticky_fine).then(|| told(format!("{SHARED}: {reason}"), !is_sticky))
}

/// What is wrong with a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderDanger {
    /// What is wrong.
    pub text: String,
    /// The command that takes the folder from everybody else; none where others need it.
    pub repair: Option<String>,
}

/// The folder of the agent's files.
const FOLDER: &str = "/etc/felhom-agent";

impl FolderDanger {
    fn new(path: &Path, text: String, is_repairable: bool, has_acl: bool) -> Self {
        let (shown, is_agents) = (word(path), path == Path::new(FOLDER));
        let own = if is_agents { format!("chown root {shown} && ") } else { String::new() };
        let strip = if has_acl { format!("setfacl -b {shown} && ") } else { String::new() };
        let repair = (is_agents || is_repairable).then(|| format!("{strip}{own}chmod go-w {shown}"));
        Self { text, repair }
    }

    /// A symbolic link that somebody has laid into a folder that is open to everybody.
    pub(crate) fn of_link(path: &Path, uid: u32) -> Self {
        let text =
            format!("a symbolic link of somebody else leads to it: {} belongs to user {uid}", path.display());
        Self { text, repair: None }
    }

    /// As it is told of a file, which leaves a folder that is not the agent's and that others need.
    pub fn exposure(&self, file: &Path, guard: Guard, ours: &AgentAccount) -> Exposure {
        let moved = || {
            let (owner, group, mode) = ours.wanted_for(guard);
            let new = Path::new(FOLDER).join(file.file_name().unwrap_or_default());
            format!("install -D -m {mode} -o {owner} -g {group} {} {}", word(file), word(&new))
        };
        Exposure { danger: self.text.clone(), fix: self.repair.clone().unwrap_or_else(moved) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stat would say.
    fn status(mode: u32, uid: u32, gid: u32) -> Stat {
        let mut status = rustix::fs::stat("/").unwrap();
        (status.st_mode, status.st_uid, status.st_gid) = (mode, uid, gid);
        status
    }

    /// A list of entries: tag, permissions, number.
    fn list(entries: &[(u16, u16, u32)]) -> Vec<u8> {
        let entry = |(tag, permissions, id): &(u16, u16, u32)| {
            [&tag.to_le_bytes()[..], &permissions.to_le_bytes(), &id.to_le_bytes()].concat()
        };
        [2_u32.to_le_bytes().to_vec(), entries.iter().flat_map(entry).collect()].concat()
    }

    fn ours() -> AgentAccount {
        AgentAccount::new(990, vec![990], None)
    }

    fn guard(name: &str) -> Guard {
        match name {
            "token" => Guard::Token,
            "credential" => Guard::Credential,
            _ => Guard::Steering,
        }
    }

    /// The rows of a table: columns between bars.
    fn rows<const N: usize>(table: &str) -> impl Iterator<Item = [&str; N]> {
        let rows = table.lines().filter(|line| !line.trim().is_empty());
        rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>().try_into().unwrap())
    }

    /// What is guarded, mode, owner and group, and what is wrong.
    const MODES: &str = "
        token      | 600 |  990 |  990 |
        token      | 640 |    0 |  990 |
        token      | 400 |    0 |    0 |
        token      | 644 |    0 |  990 | others can read or write it: its mode is 0644
        token      | 601 |    0 |  990 | others can read or write it: its mode is 0601
        token      | 660 |    0 |  990 | its group can write it: its mode is 0660, its group 990
        token      | 640 |    0 | 1000 | a group that is not the agent's own can read it: its mode is 0640, its group 1000
        token      | 600 | 1000 |  990 | it belongs to somebody else: its owner is 1000
        token      | 602 |    0 |  990 | others can read or write it: its mode is 0602
        credential | 440 |    0 |    0 |
        credential | 444 |    0 |    0 | others can read or write it: its mode is 0444
        steering   | 644 |    0 |    0 |
        steering   | 755 |  990 |    7 |
        steering   | 666 |    0 |    0 | others can write it: its mode is 0666
        steering   | 664 |    0 |  990 | its group can write it: its mode is 0664, its group 990
        steering   | 644 | 1000 |    0 | it belongs to somebody else: its owner is 1000
    ";

    #[test]
    fn a_file_is_judged_by_its_mode_and_owner() {
        for [name, mode, uid, gid, expected] in rows(MODES) {
            let status =
                status(u32::from_str_radix(mode, 8).unwrap(), uid.parse().unwrap(), gid.parse().unwrap());
            let danger = file_danger(&status, None, guard(name), &ours()).unwrap_or_default();
            assert_eq!(danger, expected, "{name} {mode} {uid}:{gid}");
        }
    }

    /// What a list says: an entry that names somebody (tag, permissions, number), what the group, the mask and others
    /// may do, and what is wrong.
    const LISTS: &str = "
        somebody reads               | token      | 2 4 65534 | 0 4 0 | user 65534 read
        the mask hides him           | token      | 2 4 65534 | 0 0 0 |
        the agent itself reads       | token      | 2 4 990   | 0 4 0 |
        root writes                  | token      | 2 6 0     | 0 6 0 |
        the agent's group reads      | token      | 8 4 990   | 0 4 0 |
        a group reads                | token      | 8 4 7     | 0 4 0 | group 7 read
        a group reads a credential   | credential | 8 4 7     | 0 4 0 | group 7 read
        systemd's way                | credential | 2 4 990   | 0 4 0 |
        somebody reads what he may   | steering   | 2 4 65534 | 4 4 4 |
        somebody writes              | steering   | 2 6 65534 | 0 6 4 | user 65534 write
        a group writes               | steering   | 8 2 7     | 0 7 0 | group 7 write
        the mask takes the writing   | steering   | 2 6 65534 | 6 4 4 |
        a mask alone gives nothing   | steering   | 2 4 990   | 4 7 4 |
    ";

    #[test]
    fn an_access_list_counts_as_far_as_its_mask_lets_it() {
        let numbers = |text: &str| -> [u32; 3] {
            text.split_whitespace().map(|word| word.parse().unwrap()).collect::<Vec<_>>().try_into().unwrap()
        };
        let small = |number: u32| u16::try_from(number).unwrap();
        for [what, name, named, others, expected] in rows(LISTS) {
            let ([tag, permissions, id], others) = (numbers(named), numbers(others).map(small));
            let mut entries = vec![(1, 6, u32::MAX), (small(tag), small(permissions), id)];
            entries.extend([4, 16, 32].into_iter().zip(others).map(|(tag, may)| (tag, may, u32::MAX)));
            let acl = list(&entries);
            let danger = file_danger(&status(0o640, 0, 990), Some(&acl), guard(name), &ours());
            let expected = (!expected.is_empty()).then(|| format!("its access list lets {expected} it"));
            assert_eq!(danger, expected, "{what}");
        }
    }

    #[test]
    fn an_access_list_that_is_none_is_no_excuse() {
        for acl in [&[][..], &[2, 0, 0, 0, 1], &[3, 0, 0, 0]] {
            let danger = file_danger(&status(0o640, 0, 990), Some(acl), Guard::Steering, &ours());
            assert_eq!(danger.as_deref(), Some("its access list cannot be understood"), "{acl:?}");
        }
    }

    #[test]
    fn nobody_but_the_owner_may_write_a_folder() {
        let danger = |mode, uid, is_sticky_fine| {
            folder_danger(Path::new("/a"), &status(mode, uid, 0), None, is_sticky_fine, &ours())
        };
        let fine = [danger(0o755, 0, false), danger(0o700, 990, false), danger(0o1777, 0, true)];
        assert_eq!(fine, [None, None, None]);
        let told = [
            danger(0o775, 0, true),
            danger(0o1777, 0, false),
            danger(0o755, 1000, true),
            danger(0o1777, 1000, true),
        ]
        .map(|danger| danger.map(|danger| (danger.text, danger.repair)));
        let replace = "it lies in a directory where somebody but its owner can replace it: /a has the mode";
        let foreign = "it lies in a directory of somebody else: /a belongs to user 1000";
        assert_eq!(
            told,
            [
                Some((format!("{replace} 0775"), Some("chmod go-w /a".into()))),
                Some((format!("{replace} 1777"), None)),
                Some((foreign.into(), None)),
                Some((foreign.into(), None)),
            ]
        );
    }

    #[test]
    fn a_repair_takes_the_list_away_before_the_bits() {
        let acl = list(&[(1, 6, 0), (2, 6, 65_534), (4, 0, 0), (16, 6, 0), (32, 0, 0)]);
        let path = Path::new("/etc/felhom-agent/ca.pem");
        let fix = |acl: Option<&[u8]>, uid| {
            of_file(path, &status(0o666, uid, 0), acl, Guard::Steering, &ours()).unwrap().fix
        };
        assert_eq!(
            [fix(Some(&acl), 0), fix(None, 0), fix(None, 7)],
            [
                "setfacl -b /etc/felhom-agent/ca.pem && chmod go-w /etc/felhom-agent/ca.pem",
                "chmod go-w /etc/felhom-agent/ca.pem",
                "chown root /etc/felhom-agent/ca.pem && chmod go-w /etc/felhom-agent/ca.pem",
            ]
        );
    }
}
