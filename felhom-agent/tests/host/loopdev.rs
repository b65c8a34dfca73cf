//! Disks that are files: an image, a loop device, and a name of the kind that disks have.
#![expect(clippy::disallowed_types, reason = "the tests make disks")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::{fs, path::Path};

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use crate::contained::tmpfs;

/// Takes a free loop device, tells its number, and once there is a node for it gives it the image. Bit 2 of the flags
/// makes the kernel let go of the device when nobody has it open any more, so it cannot outlive the test. That can only
/// be said by this call, which no program of util-linux makes without mounting.
///
/// Source: Linux `include/uapi/linux/loop.h`, `struct loop_config`.
const ATTACH: &str = r#"
    use Fcntl;
    $| = 1;
    my ($path, $read_only) = @ARGV;
    my $mode = $read_only ? O_RDONLY : O_RDWR;
    sysopen(my $image, $path, $mode) or die "$path: $!";
    sysopen(my $control, "/dev/loop-control", O_RDWR) or die "loop-control: $!";
    my $info = pack("Q5 L4 a64 a64 a32 Q2", 0, 0, 0, 0, 0, 0, 0, 0, 4 | $read_only, "", "", "", 0, 0);
    my $config = pack("L L a* a64", fileno($image), 0, $info, "");
    while (1) {
        my $number = ioctl($control, 0x4C82, 0) or die "LOOP_CTL_GET_FREE: $!";
        print 0 + $number, "\n";
        chomp(my $node = <STDIN> // exit);
        sysopen(my $loop, $node, $mode) or die "$node: $!";
        next if !ioctl($loop, 0x4C0A, $config) && $!{EBUSY};
        print "attached\n";
        <STDIN>;
        exit;
    }
"#;

/// Mounts a filesystem whose driver never answers: whoever asks it for anything waits until the driver ends.
///
/// Source: Linux `Documentation/filesystems/fuse.rst`; call 165 is mount(2) on x86-64, 40 on arm64.
const STUCK: &str = r#"
    use Fcntl;
    $| = 1;
    my ($source, $target) = @ARGV;
    sysopen(my $driver, "/dev/fuse", O_RDWR) or die "/dev/fuse: $!";
    my $call = `uname -m` =~ /x86_64/ ? 165 : 40;
    my $options = sprintf "fd=%d,rootmode=40000,user_id=0,group_id=0", fileno($driver);
    my $kind = "fuse";
    syscall($call, $source, $target, $kind, 0, $options) == 0 or die "mount: $!";
    print "mounted\n";
    <STDIN>;
"#;

/// Mounts an autofs that nobody serves, as systemd does for `x-systemd.automount`.
///
/// Source: Linux `Documentation/filesystems/autofs.rst`.
const AUTOFS: &str = r#"
    use Fcntl;
    $| = 1;
    setpgrp(0, 0);
    my ($source, $target) = @ARGV;
    pipe(my $requests, my $kernel) or die "pipe: $!";
    fcntl($kernel, F_SETFD, 0);
    my $call = `uname -m` =~ /x86_64/ ? 165 : 40;
    my $options = sprintf "fd=%d,pgrp=%d,minproto=5,maxproto=5,direct", fileno($kernel), getpgrp(0);
    my $kind = "autofs";
    syscall($call, $source, $target, $kind, 0, $options) == 0 or die "mount: $!";
    print "mounted\n";
    <STDIN>;
"#;

/// A filesystem whose driver never answers, until this is dropped.
pub(crate) struct Stuck(Child);

impl Stuck {
    pub(crate) fn mount(source: &str, target: &str) -> Self {
        Self::by(STUCK, source, target)
    }

    /// An automount that waits on the target.
    pub(crate) fn automount(source: &str, target: &str) -> Self {
        Self::by(AUTOFS, source, target)
    }

    fn by(script: &str, source: &str, target: &str) -> Self {
        let mut command = Command::new("/usr/bin/perl");
        command.args(["-e", script, source, target]);
        let mut driver = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut reply = String::new();
        let read = BufReader::new(driver.stdout.take().unwrap()).read_line(&mut reply);
        let stuck = Self(driver);
        assert_eq!((read.unwrap(), reply.as_str()), (8, "mounted\n"));
        stuck
    }
}

impl Drop for Stuck {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

/// A disk. It is pulled out when this is dropped, unless it is mounted.
pub(crate) struct Loop {
    holder: Child,
    replies: BufReader<ChildStdout>,
}

/// Replaces `/dev` by one with the least that programs need, and no disk.
pub(crate) fn empty_dev() {
    tmpfs("/dev");
    let nodes = [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9)];
    for (name, major, minor) in nodes {
        node(FileType::CharacterDevice, &format!("/dev/{name}"), major, minor);
    }
    node(FileType::CharacterDevice, "/dev/loop-control", 10, 237);
    node(FileType::CharacterDevice, "/dev/fuse", 10, 229);
}

fn node(kind: FileType, path: &str, major: u32, minor: u32) {
    mknodat(CWD, path, kind, Mode::from_raw_mode(0o666), makedev(major, minor)).unwrap();
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
}

impl Loop {
    /// Makes the image a disk of this name.
    pub(crate) fn attach(image: &str, device: &str) -> Self {
        Self::attached(image, device, "0")
    }

    /// Makes the image a disk of this name that nobody can write to.
    pub(crate) fn attach_read_only(image: &str, device: &str) -> Self {
        Self::attached(image, device, "1")
    }

    fn attached(image: &str, device: &str, read_only: &str) -> Self {
        let mut command = Command::new("/usr/bin/perl");
        command.args(["-MErrno", "-e", ATTACH, image, read_only]);
        let mut holder = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let replies = BufReader::new(holder.stdout.take().unwrap());
        let mut disk = Self { holder, replies };
        disk.take_name(device);
        disk
    }

    /// Gives every device that the holder has taken this name, until one is its own.
    fn take_name(&mut self, device: &str) {
        loop {
            let mut reply = String::new();
            self.replies.read_line(&mut reply).unwrap();
            if reply == "attached\n" {
                return;
            }
            let _absent = fs::remove_file(device);
            node(FileType::BlockDevice, device, 7, reply.trim().parse().unwrap());
            writeln!(self.holder.stdin.as_ref().unwrap(), "{device}").unwrap();
        }
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        self.holder.wait().unwrap();
    }
}

/// Runs a program that makes or changes a filesystem.
pub(crate) fn make(program: &str, args: &[&str]) {
    let output = Command::new(program).args(args).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{program} {args:?}: {output:?}");
}

/// Makes an image with an ext4 in it.
pub(crate) fn ext4(image: &str, uuid: &str, options: &[&str]) {
    fs::File::create(Path::new(image)).unwrap().set_len(8 << 20).unwrap();
    make("/usr/sbin/mkfs.ext4", &[&["-q", "-F", "-U", uuid], options, &[image]].concat());
}
