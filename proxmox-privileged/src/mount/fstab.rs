//! Edits the one line of a mount target in `/etc/fstab`, so that the disk is there again after a reboot.
//!
//! Works on bytes and does no I/O: whoever calls writes a new file beside the old one and renames it. Every byte of
//! every other line stays as it is, comments, line ends and a missing newline at the end included. A line is ours only
//! if its six fields are what is written here; any other line for the same target or the same filesystem, by whatever
//! name ([`Aliases`]), is someone's decision, and the edit is refused. [`complaints`](super::findmnt::complaints) has
//! findmnt look at the file afterwards.
//!
//! Source: `fstab(5)`; with `nofail` and a short device time-out a node boots without the disk. The pass is 0: with
//! another one root would run a checker at boot on whatever disk has the UUID then.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;
use snafu::Snafu;

use crate::command::argument::{FsUuid, MountTarget};
use crate::mount::alias::{Aliases, plain};
use crate::mount::escape::unescaped;
use crate::mount::filesystem::FsType;

const OPTIONS: &str = "nosuid,nodev,noexec,nofail,X-mount.mkdir,x-systemd.device-timeout=10s";

/// One line of ours. Prints as the line, without its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FstabEntry {
    /// The filesystem.
    pub uuid: FsUuid,
    /// The directory.
    pub target: MountTarget,
    /// The type. Never `auto`: at boot that would be whatever the disk claims to be.
    pub kind: FsType,
}

/// What `/etc/fstab` has in store for a filesystem on a target, in a line of ours or of somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtBoot {
    /// No line mounts it there by itself.
    Nothing,
    /// It is mounted at boot.
    Mounted,
    /// Once somebody looks at the target (`x-systemd.automount`).
    Awaited,
}

/// A line that is not ours has the same target or the same filesystem.
#[derive(Clone, Debug, PartialEq, Eq, Snafu)]
#[snafu(display("line {line} of fstab is not ours: {text:?}"))]
pub struct FstabConflict {
    /// Number of the line, from 1.
    pub line: usize,
    /// The line.
    pub text: String,
}

impl fmt::Display for FstabEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UUID={} {} {} {OPTIONS} 0 0", self.uuid, self.target, self.kind)
    }
}

/// A line of ours, read. Versions before this one wrote `auto` as the type, here `None`.
#[derive(PartialEq)]
struct OurLine {
    uuid: FsUuid,
    target: MountTarget,
    kind: Option<FsType>,
}

impl OurLine {
    /// Reads a line, however its fields are spaced.
    fn read(line: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(line).ok()?;
        let fields: Vec<_> = text.split_ascii_whitespace().collect();
        let [source, target, kind, OPTIONS, "0", "0"] = fields.as_slice() else { return None };
        Some(Self {
            uuid: source.strip_prefix("UUID=")?.parse().ok()?,
            target: target.parse().ok()?,
            kind: match *kind {
                "auto" => None,
                kind => Some(FsType::ALL.into_iter().find(|known| known.as_str() == kind)?),
            },
        })
    }
}

/// The index of the first line of ours that has the target.
pub(super) fn place_of_ours(fstab: &[u8], target: &MountTarget) -> Option<usize> {
    lines(fstab).position(|line| OurLine::read(line).is_some_and(|found| found.target == *target))
}

/// What the first line does that mounts the filesystem on the target.
pub fn at_boot(fstab: &[u8], target: &MountTarget, aliases: &Aliases) -> AtBoot {
    let is_it = |line: &Line| aliases.are_for(&line.source) && line.is_on(target);
    let line = lines(fstab).filter_map(Line::read).find(is_it);
    line.map_or(AtBoot::Nothing, |line| {
        let has = |option: &str| line.options.split(',').any(|found| found == option);
        match (has("x-systemd.automount"), has("noauto")) {
            (true, _) => AtBoot::Awaited,
            (false, true) => AtBoot::Nothing,
            (false, false) => AtBoot::Mounted,
        }
    })
}

/// The first line of somebody else that has the target or the filesystem, so that [`put`] refuses.
pub fn in_the_way(fstab: &[u8], target: &MountTarget, aliases: &Aliases) -> Option<FstabConflict> {
    let place = place_of_ours(fstab, target);
    let is_in_the_way =
        |(index, line): &(usize, &[u8])| Some(*index) != place && concerns(line, target, Some(aliases));
    lines(fstab).enumerate().find(is_in_the_way).map(|(index, line)| conflict(index, line))
}

/// The file with this entry in it, in place of the one that the target had. The same file if nothing changes.
///
/// ```
/// # use proxmox_privileged::mount::alias::Aliases;
/// # use proxmox_privileged::mount::filesystem::{FsType, Survey};
/// # use proxmox_privileged::mount::fstab::{AtBoot, FstabEntry, at_boot, put, remove};
/// let entry = FstabEntry { uuid: "ABCD-1234".parse()?, target: "/mnt/felhom/usb".parse()?, kind: FsType::Vfat };
/// let aliases = Aliases::new(&entry.uuid, &Survey::default(), |_, _| false);
/// let edited = put(b"proc /proc proc defaults 0 0\n", &entry, &aliases)?;
/// assert_eq!(at_boot(&edited, &entry.target, &aliases), AtBoot::Mounted);
/// assert_eq!(remove(&edited, &entry.target)?, b"proc /proc proc defaults 0 0\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn put(fstab: &[u8], entry: &FstabEntry, aliases: &Aliases) -> Result<Vec<u8>, FstabConflict> {
    if let Some(conflict) = in_the_way(fstab, &entry.target, aliases) {
        return Err(conflict);
    }
    let Some(place) = place_of_ours(fstab, &entry.target) else { return Ok(appended(fstab, entry)) };
    let FstabEntry { uuid, target, kind } = entry.clone();
    let is_same =
        lines(fstab).nth(place).and_then(OurLine::read) == Some(OurLine { uuid, target, kind: Some(kind) });
    Ok(if is_same { fstab.to_owned() } else { replaced(fstab, place, entry) })
}

/// The file without the entry of the target. The same file if there is none.
pub fn remove(fstab: &[u8], target: &MountTarget) -> Result<Vec<u8>, FstabConflict> {
    let mut kept = Vec::with_capacity(fstab.len());
    for (index, line) in lines(fstab).enumerate() {
        if OurLine::read(line).is_some_and(|found| found.target == *target) {
            // The newline before a line without its own was put there together with the line.
            if !line.ends_with(b"\n") && kept.ends_with(b"\n") {
                kept.pop();
            }
        } else if concerns(line, target, None) {
            return Err(conflict(index, line));
        } else {
            kept.extend_from_slice(line);
        }
    }
    Ok(kept)
}

/// The lines with their ends.
fn lines(fstab: &[u8]) -> impl Iterator<Item = &[u8]> {
    fstab.split_inclusive(|byte| *byte == b'\n')
}

fn conflict(index: usize, line: &[u8]) -> FstabConflict {
    FstabConflict { line: index + 1, text: String::from_utf8_lossy(line.trim_ascii()).into_owned() }
}

fn replaced(fstab: &[u8], place: usize, entry: &FstabEntry) -> Vec<u8> {
    let mut edited = Vec::with_capacity(fstab.len());
    for (index, line) in lines(fstab).enumerate() {
        if index == place {
            let end = [b"\r\n".as_slice(), b"\n"].into_iter().find(|end| line.ends_with(end));
            edited.extend_from_slice(alloc::format!("{entry}").as_bytes());
            edited.extend_from_slice(end.unwrap_or_default());
        } else {
            edited.extend_from_slice(line);
        }
    }
    edited
}

/// The file with a line more. A file without a newline at its end keeps that manner, so that [`remove`] restores it.
fn appended(fstab: &[u8], entry: &FstabEntry) -> Vec<u8> {
    let line = if fstab.is_empty() || fstab.ends_with(b"\n") {
        alloc::format!("{entry}\n")
    } else {
        alloc::format!("\n{entry}")
    };
    [fstab, line.as_bytes()].concat()
}

/// Whether the line mounts something on the target, or this filesystem anywhere.
fn concerns(line: &[u8], target: &MountTarget, aliases: Option<&Aliases>) -> bool {
    Line::read(line).is_some_and(|line| {
        line.is_on(target) || aliases.is_some_and(|aliases| aliases.are_for(&line.source))
    })
}

/// The fields of a line that say what is mounted where and how.
struct Line {
    source: String,
    target: String,
    options: String,
}

impl Line {
    /// Reads a line that is no comment and has both.
    fn read(line: &[u8]) -> Option<Self> {
        let mut fields = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).map(decoded);
        let source = fields.next().filter(|source| !source.starts_with('#'))?;
        Some(Self { source, target: fields.next()?, options: fields.nth(1).unwrap_or_default() })
    }

    fn is_on(&self, target: &MountTarget) -> bool {
        plain(&self.target) == target.as_str()
    }
}

/// A field with its octal escapes resolved: `\040` is a blank.
fn decoded(field: &[u8]) -> String {
    unescaped(field, |rest| match rest {
        [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..] => {
            Some(((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'), tail))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;
    use crate::mount::filesystem::Survey;
    use crate::script::assert_cases;

    const UUID: &str = "1eb2d69a-3f9f-4098-a928-68706a2d5f86";
    const LINE: &str = "UUID=1eb2d69a-3f9f-4098-a928-68706a2d5f86 /mnt/felhom/usb ext4 \
                        nosuid,nodev,noexec,nofail,X-mount.mkdir,x-systemd.device-timeout=10s 0 0";
    const PVE: &str = "# <file system> <mount point> <type> <options> <dump> <pass>\n\
                       /dev/pve/root / ext4 errors=remount-ro 0 1\n\
                       /dev/pve/swap none swap sw 0 0\nproc /proc proc defaults 0 0\n";

    fn entry() -> FstabEntry {
        FstabEntry {
            uuid: UUID.parse().unwrap(),
            target: "/mnt/felhom/usb".parse().unwrap(),
            kind: FsType::Ext4,
        }
    }

    fn aliases() -> Aliases {
        Aliases::new(&entry().uuid, &Survey::default(), |_, _| false)
    }

    fn put_text(fstab: &str) -> Result<String, String> {
        let edited = put(fstab.as_bytes(), &entry(), &aliases()).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(edited).unwrap())
    }

    fn remove_text(fstab: &str) -> Result<String, String> {
        let edited = remove(fstab.as_bytes(), &entry().target).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(edited).unwrap())
    }

    #[test]
    fn an_edit_changes_the_line_of_the_target_and_nothing_else() {
        let with = |line: &str| format!("{PVE}{line}");
        let aligned = with(&format!("\t{}\r\n", LINE.replace(' ', " \t ")));
        let auto = with(&LINE.replace("ext4", "auto"));
        let old = with(&LINE.replace(UUID, "ABCD-1234"));
        let other = LINE.replace(UUID, "ABCD-1234").replace("usb", "other");
        let short = format!("#{LINE}\n # {LINE}\n{UUID}\n/mnt/felhom/usb\n\n \t\n");
        let theirs = "LABEL=x /mnt/felhom/usb auto defaults";
        let refused = |line: usize, text: &str| Err(format!("line {line} of fstab is not ours: {text:?}"));
        let (line, pve) = (Ok(with(&format!("{LINE}\n"))), Ok(PVE.to_owned()));
        let rows = [
            ("none", PVE.into(), line.clone(), pve.clone()),
            ("the same", with(&format!("{LINE}\n")), line.clone(), pve.clone()),
            ("spaced otherwise", aligned.clone(), Ok(aligned), pve.clone()),
            ("of an earlier version", format!("{auto}\n"), line.clone(), pve.clone()),
            ("of another disk", format!("{old}\n"), line, pve.clone()),
            ("of another disk, \\r\\n", format!("{old}\r\n"), Ok(with(&format!("{LINE}\r\n"))), pve),
            ("of another disk, no end", old, Ok(with(LINE)), Ok(PVE.trim_end().into())),
            (
                "beside one for another target",
                format!("{other}\n{LINE}\n{PVE}"),
                Ok(format!("{other}\n{LINE}\n{PVE}")),
                Ok(format!("{other}\n{PVE}")),
            ),
            ("twice", format!("{LINE}\n{PVE}{LINE}"), refused(6, LINE), Ok(PVE.trim_end().into())),
            ("beside theirs", format!("{LINE}\n{theirs}\n"), refused(2, theirs), refused(2, theirs)),
            ("comments and short lines", short.clone(), Ok(format!("{short}{LINE}\n")), Ok(short)),
        ];
        for (name, fstab, with, without) in rows {
            assert_eq!((put_text(&fstab), remove_text(&fstab)), (with, without), "{name}");
        }
    }

    #[test]
    fn a_line_names_its_type_and_is_never_checked_at_boot() {
        for kind in FsType::ALL {
            let entry = FstabEntry { kind, ..entry() };
            assert_eq!(entry.to_string(), LINE.replace("ext4", kind.as_str()));
            assert!(entry.to_string().ends_with(" 0 0"));
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_stay() {
        for bytes in [b"\xe9".as_slice(), b"\xff\xfe", b"\xe2\x82", b"\xed\xa0\x80", b"\x00", b"\xc0\xaf"] {
            let line =
                [b"//nas/", bytes, b" /mnt/", bytes, b" cifs x=", bytes, b" 0 0 #", bytes, b"\n"].concat();
            let added = put(&line, &entry(), &aliases()).unwrap();
            assert_eq!(added, [line.as_slice(), LINE.as_bytes(), b"\n"].concat());
            assert_eq!(remove(&added, &entry().target).unwrap(), line);
        }
    }

    #[test]
    fn a_line_is_ours_or_in_the_way_and_does_what_its_options_say() {
        assert_cases("fstab.txt", |line| {
            let at_boot = at_boot(line.as_bytes(), &entry().target, &aliases());
            let edited = put_text(&format!("#\n{line}\r\n{PVE}"));
            let whose = match &edited {
                Ok(text) if text.contains(&format!("{line}\r\n")) => "of no concern",
                Ok(_) => "ours",
                Err(error) if *error == format!("line 2 of fstab is not ours: {line:?}") => "in the way",
                Err(error) => error,
            };
            format!("{at_boot:?}, {whose}")
        });
    }

    fn fstab() -> impl Strategy<Value = Vec<u8>> {
        let line = prop_oneof![
            "#[ -~]{0,30}",
            "[ \t]{0,4}",
            "(UUID=|LABEL=|/dev/)[a-f0-9\\\\-]{1,12}[ \t]{1,3}/[a-z/0-9\\\\]{0,12}[ \t]ext4[ \t]defaults,[a-z]{1,5} 0 [0-2]",
            "[ -~\t]{0,40}",
            Just(LINE.replace(UUID, "ABCD-1234").replace("usb", "other")),
        ];
        let line = prop_oneof![8 => line.prop_map(String::into_bytes), 1 => prop::collection::vec(any::<u8>(), 0..20)];
        let end = prop::sample::select(alloc::vec![b"\n".as_slice(), b"\r\n", b"\n\n"]);
        let lines = prop::collection::vec((line, end), 0..12);
        (lines, any::<bool>()).prop_map(|(lines, is_cut)| {
            let mut fstab: Vec<u8> =
                lines.into_iter().flat_map(|(line, end)| [line, end.to_vec()].concat()).collect();
            if is_cut {
                fstab.pop();
            }
            fstab
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn adding_and_removing_gives_the_original_bytes(fstab in fstab()) {
            let added = put(&fstab, &entry(), &aliases()).unwrap();
            prop_assert_eq!(at_boot(&added, &entry().target, &aliases()), AtBoot::Mounted);
            prop_assert_eq!(put(&added, &entry(), &aliases()).unwrap(), added.clone());
            prop_assert!(added.starts_with(&fstab));
            prop_assert_eq!(remove(&added, &entry().target).unwrap(), fstab);
        }
    }
}
