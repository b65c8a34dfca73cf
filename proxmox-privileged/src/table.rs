//! Every command that this crate can run: the one table behind the argument lists and the sudoers rules.
//!
//! Each word is literal text, a slot, or both. A slot names the type of its argument, which brings the grammar for
//! sudoers, and where its value is found.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use proxmox_types::{Bridge, StorageId, Vmid};

use crate::argument::{
    Argument, BlockDevice, Cores, Disk, FsUuid, Hostname, MemoryMib, MountTarget, RootfsGib, TemplateVolume,
};
use crate::command::{Command, Privilege, Program};
use crate::filesystem::FsType;
use crate::golden::GoldenSpec;
use crate::grammar::Grammar;
use crate::mount::MountLine;

use Part::Text;
use Privilege::{Caller, Root, RootAlone};

/// `pct create`. PVE's defaults apply to what is not named here (swap, DNS, architecture).
pub(crate) static CREATE: Shape<GoldenSpec> = Shape {
    program: Program::Pct,
    privilege: Root,
    seconds: 600,
    purpose: "create the golden container: unprivileged, with the two features that the API refuses to tokens",
    words: &[
        &[Text("create")],
        &[slot::<Vmid, _>(|spec| &spec.vmid)],
        &[slot::<TemplateVolume, _>(|spec| &spec.template)],
        &[Text("--unprivileged")],
        &[Text("1")],
        &[Text("--features")],
        &[Text("nesting=1,keyctl=1")],
        &[Text("--rootfs")],
        &[slot::<StorageId, _>(|spec| &spec.storage), Text(":"), slot::<RootfsGib, _>(|spec| &spec.rootfs)],
        &[Text("--cores")],
        &[slot::<Cores, _>(|spec| &spec.cores)],
        &[Text("--memory")],
        &[slot::<MemoryMib, _>(|spec| &spec.memory)],
        &[Text("--hostname")],
        &[slot::<Hostname, _>(|spec| &spec.hostname)],
        &[Text("--net0")],
        &[Text("name=eth0,bridge="), slot::<Bridge, _>(|spec| &spec.bridge), Text(",ip=dhcp")],
    ],
};

/// `mount`. The type is named, since it chooses the `mount.TYPE` that is started as root.
pub(crate) static MOUNT: Shape<MountLine> = Shape {
    program: Program::Mount,
    privilege: Root,
    seconds: 60,
    purpose: "mount a filesystem below /mnt/felhom, its setuid files, devices and programs switched off",
    words: &[
        &[Text("-o")],
        &[Text("nosuid,nodev,noexec,X-mount.mkdir")],
        &[Text("-t")],
        &[slot::<FsType, _>(|line| &line.kind)],
        &[Text("UUID="), slot::<FsUuid, _>(|line| &line.uuid)],
        &[slot::<MountTarget, _>(|line| &line.target)],
    ],
};

/// `umount`.
pub(crate) static UMOUNT: Shape<MountTarget> = Shape {
    program: Program::Umount,
    privilege: Root,
    seconds: 60,
    purpose: "unmount what is mounted below /mnt/felhom",
    words: &[&[slot::<MountTarget, _>(|target| target)]],
};

/// `blkid`, probing the device itself: its cache and udev's can be out of date.
pub(crate) static BLKID: Shape<BlockDevice> = Shape {
    program: Program::Blkid,
    privilege: RootAlone,
    seconds: 30,
    purpose: "read which filesystem a disk or partition holds, to find two with one UUID",
    words: &[&[Text("-p")], &[Text("-o")], &[Text("export")], &[slot::<BlockDevice, _>(|device| device)]],
};

/// `smartctl`, leaving a sleeping disk asleep.
pub(crate) static SMARTCTL: Shape<Disk> = Shape {
    program: Program::Smartctl,
    privilege: RootAlone,
    seconds: 60,
    purpose: "read the health of a disk without waking it; no test, no setting",
    words: &[
        &[Text("-a")],
        &[Text("-j")],
        &[Text("-n")],
        &[Text("standby")],
        &[slot::<Disk, _>(|disk| disk)],
    ],
};

/// `findmnt`: the whole mount table as a flat list, subdirectory mounts told by their own column.
pub(crate) static FINDMNT: Shape<()> = Shape {
    program: Program::Findmnt,
    privilege: Caller,
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
    program: Program::Findmnt,
    privilege: Caller,
    seconds: 15,
    purpose: "look for errors in /etc/fstab",
    words: &[&[Text("--verify")]],
};

/// `sensors` in its raw form.
pub(crate) static SENSORS: Shape<()> = Shape {
    program: Program::Sensors,
    privilege: Caller,
    seconds: 15,
    purpose: "read temperatures, fans and voltages",
    words: &[&[Text("-u")]],
};

/// One command line with slots. `T` has the values that fill them.
pub(crate) struct Shape<T: 'static> {
    pub(crate) program: Program,
    pub(crate) privilege: Privilege,
    pub(crate) seconds: u64,
    pub(crate) purpose: &'static str,
    words: &'static [&'static [Part<T>]],
}

enum Part<T: 'static> {
    Text(&'static str),
    Slot { grammar: &'static Grammar, value: fn(&T) -> &dyn Value },
}

/// What can fill a slot: an [`Argument`], and nothing else.
trait Value: fmt::Display {}

impl<A: Argument> Value for A {}

const fn slot<A: Argument, T>(value: fn(&T) -> &dyn Value) -> Part<T> {
    Part::Slot { grammar: A::GRAMMAR, value }
}

impl<T> Shape<T> {
    /// The command with its slots filled.
    pub(crate) fn command(&self, values: &T) -> Command {
        let filled = |part: &Part<T>| match part {
            Text(text) => (*text).to_owned(),
            Part::Slot { value, .. } => value(values).to_string(),
        };
        let args = self.words.iter().map(|word| word.iter().map(filled).collect()).collect();
        Command {
            program: self.program,
            privilege: self.privilege,
            limit: Duration::from_secs(self.seconds),
            purpose: self.purpose,
            args,
        }
    }

    /// The arguments, joined by blanks, as a POSIX extended regular expression without anchors.
    pub(crate) fn regex(&self) -> String {
        let regex = |part: &Part<T>| match part {
            Text(text) => Grammar::Text(text).regex(),
            Part::Slot { grammar, .. } => grammar.regex(),
        };
        let words = self.words.iter().map(|word| word.iter().map(regex).collect());
        words.collect::<Vec<String>>().join(" ")
    }
}
