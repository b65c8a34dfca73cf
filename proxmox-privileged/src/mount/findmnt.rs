//! The mount table of the node, as `findmnt` prints it, and what findmnt finds wrong with `/etc/fstab`.
//!
//! **What runs.** `findmnt -J -l -v -o SOURCE,TARGET,FSROOT,FSTYPE,OPTIONS,UUID` and `findmnt --verify`, without root. The UUID column comes
//! from udev and is null where udev knows nothing, so a mount is told by its device as well. Names are bytes, which
//! findmnt passes through; what is no UTF-8 is replaced, and so never is a directory or a device of ours.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use snafu::{ResultExt, Snafu, ensure};

use crate::command::argument::{FsUuid, MountTarget};
use crate::command::shape::Part::Text;
use crate::command::shape::Shape;
use crate::command::{Privilege, Program};
use crate::mount::fstab::place_of_ours;
use crate::{CommandEnd, RunError, Runner};

impl Program {
    /// util-linux `findmnt`.
    pub const FINDMNT: Self = Self::new("/usr/bin/findmnt", "util-linux");
}

/// `findmnt`: the whole mount table as a flat list, subdirectory mounts told by their own column.
pub(crate) static FINDMNT: Shape<()> = Shape {
    program: Program::FINDMNT,
    privilege: Privilege::Caller,
    changes: false,
    seconds: 15,
    purpose: "read the mount table",
    words: &[
        &[Text("-J")],
        &[Text("-l")],
        &[Text("-v")],
        &[Text("-o")],
        &[Text("SOURCE,TARGET,FSROOT,FSTYPE,OPTIONS,UUID")],
    ],
};

/// `findmnt`, checking `/etc/fstab`.
pub(crate) static VERIFY: Shape<()> = Shape {
    program: Program::FINDMNT,
    privilege: Privilege::Caller,
    changes: false,
    seconds: 15,
    purpose: "look for errors in /etc/fstab",
    words: &[&[Text("--verify")]],
};

/// One mount. A column that findmnt leaves out or prints as null is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Device, or whatever else stands in its place.
    #[serde(default, deserialize_with = "text")]
    pub source: String,
    /// Directory that it is mounted on.
    #[serde(default, deserialize_with = "text")]
    pub target: String,
    /// Directory within the filesystem that is mounted: `/` unless only a part of it is.
    #[serde(default, deserialize_with = "text", rename(deserialize = "fsroot"))]
    pub root: String,
    /// Type: `ext4`, `fuseblk`.
    #[serde(default, deserialize_with = "text", rename(deserialize = "fstype"))]
    pub kind: String,
    /// Options, separated by commas.
    #[serde(default, deserialize_with = "text")]
    pub options: String,
    /// UUID of the filesystem, if udev or the device could be asked.
    #[serde(default, deserialize_with = "text")]
    pub uuid: String,
}

/// Reads a string, or null as the empty string.
fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl Mount {
    /// Whether an option is in force.
    pub fn has(&self, option: &str) -> bool {
        self.options.split(',').any(|found| found == option)
    }

    /// Whether setuid files, devices and programs on it are switched off, as they are on every mount made here.
    pub fn is_harmless(&self) -> bool {
        ["nosuid", "nodev", "noexec"].iter().all(|option| self.has(option))
    }

    /// Why nothing can be written to it, if that is so.
    ///
    /// ext4 keeps `rw` beside `emergency_ro` and `shutdown`. Source: Linux `fs/ext4/super.c`, `_ext4_show_options`.
    pub fn unwritable(&self) -> Option<&'static str> {
        let known = [
            ("shutdown", "shut down after an error"),
            ("emergency_ro", "read-only since an error"),
            ("ro", "read-only"),
        ];
        known.into_iter().find(|(option, _)| self.has(option)).map(|(_, text)| text)
    }

    /// Whether nothing is mounted but what waits for somebody to look, and mounts then.
    pub fn is_automount(&self) -> bool {
        self.kind == "autofs"
    }

    /// Whether this is the filesystem of that UUID, or the one on that device.
    fn holds(&self, uuid: &FsUuid, device: &str) -> bool {
        self.uuid == uuid.as_str() || self.source == device
    }
}

/// The mount table, in the order in which the mounts were made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct MountTable {
    #[serde(default)]
    filesystems: Vec<Mount>,
}

impl MountTable {
    /// The topmost mount on the target. util-linux 2.41 stacks one upon the other without a word.
    pub(crate) fn at(&self, target: &MountTarget) -> Option<&Mount> {
        self.filesystems.iter().rfind(|mount| mount.target == target.as_str())
    }

    /// How many mounts lie on the target, those that wait included.
    pub(crate) fn depth(&self, target: &MountTarget) -> usize {
        self.filesystems.iter().filter(|mount| mount.target == target.as_str()).count()
    }

    /// Whether something is mounted on the target that does not only wait.
    pub(crate) fn is_mounted(&self, target: &MountTarget) -> bool {
        self.filesystems.iter().any(|mount| mount.target == target.as_str() && !mount.is_automount())
    }

    /// Any mount of this filesystem, or of a part of it.
    pub(crate) fn of(&self, uuid: &FsUuid, device: &str) -> Option<&Mount> {
        self.filesystems.iter().find(|mount| mount.holds(uuid, device))
    }
}

/// Why the mount table could not be read.
#[derive(Debug, Snafu)]
#[non_exhaustive]
pub enum TableError {
    /// findmnt could not be run.
    #[snafu(display("the mount table cannot be read"))]
    NotRun {
        /// What happened.
        source: RunError,
    },
    /// findmnt did not print the whole table.
    #[snafu(display("findmnt printed no mount table: {text}"))]
    NoTable {
        /// Its error text, or its exit status.
        text: String,
    },
    /// findmnt printed something else.
    #[snafu(display("findmnt printed an unknown form"))]
    Unknown {
        /// Where it goes wrong.
        source: serde_json::Error,
    },
}

/// Reads the mount table.
pub(crate) async fn mount_table(runner: &dyn Runner) -> Result<MountTable, TableError> {
    let output = runner.run(&FINDMNT.command(&())).await.context(NotRunSnafu)?;
    ensure!(output.is_success() && !output.stdout_truncated, NoTableSnafu { text: output.last_words() });
    serde_json::from_str(&String::from_utf8_lossy(&output.stdout)).context(UnknownSnafu)
}

/// Tells what is mounted on the target.
///
/// ```
/// # mod now { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/now.rs")); }
/// # use now::now;
/// # use proxmox_privileged::{Command, CommandOutput, mount::findmnt::mount_state};
/// let table = r#"{"filesystems": [{"source": "/dev/sdb1", "target": "/mnt/felhom/usb", "options": "rw"}]}"#;
/// let runner = |_: &Command| Ok(CommandOutput::from(table));
/// let mount = now(mount_state(&runner, &"/mnt/felhom/usb".parse()?))?.unwrap();
/// assert!(mount.source == "/dev/sdb1" && !mount.is_harmless());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn mount_state(runner: &dyn Runner, target: &MountTarget) -> Result<Option<Mount>, TableError> {
    Ok(mount_table(runner).await?.at(target).cloned())
}

/// Tells where a filesystem is mounted, or a part of it: found by its UUID, or by the device that holds it.
///
/// ```
/// # mod now { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/now.rs")); }
/// # use now::now;
/// # use proxmox_privileged::{Command, CommandOutput, mount::findmnt::mount_of};
/// let table = r#"{"filesystems": [{"source": "/dev/sdb1", "target": "/mnt/felhom/usb", "options": "rw"}]}"#;
/// let runner = |_: &Command| Ok(CommandOutput::from(table));
/// let mount = now(mount_of(&runner, &"ABCD-1234".parse()?, "/dev/sdb1"))?.unwrap();
/// assert_eq!(mount.target, "/mnt/felhom/usb");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn mount_of(runner: &dyn Runner, uuid: &FsUuid, device: &str) -> Result<Option<Mount>, TableError> {
    Ok(mount_table(runner).await?.of(uuid, device).cloned())
}

/// What findmnt calls an error in `/etc/fstab`: the mount point, if it has one, and the words.
///
/// That the target or the disk of an entry of ours is not there is no error, whatever findmnt says: the entry has
/// `nofail` and `X-mount.mkdir`, and findmnt knows neither.
///
/// Source: util-linux 2.38 `misc-utils/findmnt-verify.c`.
///
/// ```
/// # mod now { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/now.rs")); }
/// # use now::now;
/// # use proxmox_privileged::{Command, CommandOutput, mount::findmnt::complaints};
/// let runner = |_: &Command| Ok(CommandOutput::from("/mnt/x\n   [E] unreachable: No such file or directory\n"));
/// assert_eq!(now(complaints(&runner, b""))?, ["/mnt/x: unreachable: No such file or directory"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn complaints(runner: &dyn Runner, fstab: &[u8]) -> Result<Vec<String>, TableError> {
    let output = runner.run(&VERIFY.command(&())).await.map_err(|source| TableError::NotRun { source })?;
    if !matches!(output.end, CommandEnd::Exit(0 | 1)) || output.stdout_truncated {
        return Err(TableError::NoTable { text: output.last_words() });
    }
    let ours = |place: &str| place.parse().is_ok_and(|target| place_of_ours(fstab, &target).is_some());
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let (mut found, mut place) = (Vec::new(), "");
    for line in stdout.lines() {
        match line.trim_start().strip_prefix("[E] ") {
            Some(text) if !(text.starts_with("unreachable") && ours(place)) => {
                found.push(alloc::format!("{place}: {text}"));
            }
            None if !line.starts_with(' ') => place = line,
            _ => (),
        }
    }
    found.extend(stderr.lines().filter(|line| line.contains(": parse error at line ")).map(String::from));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;
    use crate::CommandOutput;
    use crate::script::{exited, now, recording, scripted};

    fn state(output: CommandOutput) -> Result<Option<Mount>, TableError> {
        let line = "/usr/bin/findmnt -J -l -v -o SOURCE,TARGET,FSROOT,FSTYPE,OPTIONS,UUID";
        now(mount_state(&scripted(vec![(line, Ok(output))]), &"/mnt/felhom/usb".parse().unwrap()))
    }

    fn recorded(name: &str) -> Option<Mount> {
        state(exited(0, &recording(&alloc::format!("host/findmnt/{name}.json")), "")).unwrap()
    }

    fn mount(source: &str, root: &str, kind: &str, options: &str, uuid: &str) -> Mount {
        let [source, root, kind, options, uuid] =
            [source, root, kind, options, uuid].map(ToString::to_string);
        Mount { source, target: "/mnt/felhom/usb".into(), root, kind, options, uuid }
    }

    #[test]
    fn every_recorded_table_tells_what_is_on_the_target() {
        let (uuid, ours) = ("1eb2d69a-3f9f-4098-a928-68706a2d5f86", "rw,nosuid,nodev,noexec,relatime");
        let fuse = alloc::format!("{ours},user_id=0,group_id=0,allow_other,blksize=4096");
        assert_eq!(
            ["unmounted", "ext4", "ext4-no-uuid", "stacked", "subdirectory", "ntfs"].map(recorded),
            [
                None,
                Some(mount("/dev/loop0", "/", "ext4", ours, uuid)),
                Some(mount("/dev/loop0", "/", "ext4", ours, "")),
                Some(mount("/dev/loop0", "/", "ext4", ours, uuid)),
                Some(mount("/dev/loop0", "/sub", "ext4", "rw,relatime", uuid)),
                Some(mount("/dev/loop3", "/", "fuseblk", &fuse, "303C1917625920E9")),
            ]
        );
    }

    #[test]
    fn a_mount_without_the_protective_options_is_told() {
        let harmless = ["ext4", "subdirectory"].map(|name| recorded(name).unwrap().is_harmless());
        assert_eq!(harmless, [true, false]);
    }

    #[test]
    fn a_filesystem_that_cannot_be_written_to_is_told_by_its_options() {
        let rows = [
            ("ro,nosuid,nodev,noexec,relatime", Some("read-only")),
            ("ro", Some("read-only")),
            ("rw,relatime,emergency_ro", Some("read-only since an error")),
            ("ro,emergency_ro,errors=remount-ro", Some("read-only since an error")),
            ("rw,errors=remount-ro,shutdown", Some("shut down after an error")),
            ("rw,errors=remount-ro", None),
            ("rw,relatime,root,norecovery,ro2,robust", None),
            ("rw,subvol=/ro", None),
            ("", None),
        ];
        for (options, expected) in rows {
            assert_eq!(mount("", "", "", options, "").unwritable(), expected, "{options}");
        }
    }

    #[test]
    fn names_that_are_no_utf8_hide_no_other_mount_and_are_none_of_ours() {
        let latin_shift_jis_half_a_pair_and_slash =
            [b"\xe9".as_slice(), b"\x8e\xa9\x82\xe7", b"\xed\xa0\x80", b"\xc0\xaf"];
        for (name, table) in latin_shift_jis_half_a_pair_and_slash.iter().zip(["ext4", "unmounted"].repeat(2))
        {
            let text = recording(&alloc::format!("host/findmnt/{table}.json"));
            let (head, tail) = text.split_once('[').unwrap();
            let row = [b"[{\"source\":\"/dev/sdb1\",\"target\":\"/mnt/felhom/usb", *name, b"\"},"].concat();
            let stdout = [head.as_bytes(), &row, tail.as_bytes()].concat();
            let read = state(CommandOutput { stdout, ..exited(0, "", "") }).unwrap();
            assert_eq!(read, recorded(table), "{name:x?}");
        }
    }

    #[test]
    fn half_a_table_is_no_table() {
        let cut = CommandOutput { stdout_truncated: true, ..exited(0, "{\"filesystems\": []}", "") };
        let errors = [cut, exited(1, "", "findmnt: x\n"), exited(0, "{", "")]
            .map(|output| state(output).unwrap_err().to_string());
        assert_eq!(
            errors,
            [
                "findmnt printed no mount table: exit status 0",
                "findmnt printed no mount table: findmnt: x",
                "findmnt printed an unknown form"
            ]
        );
    }

    fn verified(output: CommandOutput) -> Result<Vec<String>, String> {
        let line = "UUID=1eb2d69a-3f9f-4098-a928-68706a2d5f86 /mnt/felhom/usb ext4 nosuid,nodev,noexec,nofail,X-mount.mkdir,\
                    x-systemd.device-timeout=10s 0 0";
        let runner = scripted(alloc::vec![("/usr/bin/findmnt --verify", Ok(output))]);
        now(complaints(&runner, line.as_bytes())).map_err(|error| error.to_string())
    }

    #[test]
    fn findmnt_finds_what_is_wrong_with_other_lines() {
        let stdout = "/mnt/felhom/usb\n   [E] unreachable on boot required target: No such file or directory\n   \
                      [E] unreachable on boot required source: UUID=1eb2d69a-3f9f-4098-a928-68706a2d5f86\n   \
                      [W] x does not match\n/mnt/nowhere\n   [E] unreachable on boot required target: No such \
                      file or directory\n\n1 parse error, 3 errors, 1 warning\n";
        let stderr = "findmnt: /etc/fstab: parse error at line 3 -- ignored\n";
        let target = "/mnt/nowhere: unreachable on boot required target: No such file or directory";
        assert_eq!(
            verified(exited(1, stdout, stderr)),
            Ok(alloc::vec![target.into(), stderr.trim_end().into()])
        );
    }

    #[test]
    fn a_file_without_errors_has_no_complaints() {
        let verdicts =
            [exited(0, "Success, no errors or warnings detected\n", ""), exited(2, "", "findmnt: x\n")]
                .map(verified);
        assert_eq!(verdicts, [Ok(Vec::new()), Err("findmnt printed no mount table: findmnt: x".into())]);
    }
}
