//! What the tests are given: commands as the library builds them, stubs in the place of programs.

use std::fs;
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use felhom_agent::config::PrivilegedMode;
use felhom_agent::runner::ProcessRunner;
use proxmox_privileged::argument::{BlockDevice, Disk, FsUuid, MountTarget};
use proxmox_privileged::golden::{GoldenSpec, create_golden_lxc};
use proxmox_privileged::mount::filesystem::probe;
use proxmox_privileged::mount::{Candidates, MountRequest, TargetPlace, mount_by_uuid, unmount};
use proxmox_privileged::sensors::sensors;
use proxmox_privileged::smart::smart;
use proxmox_privileged::{Command, CommandEnd, CommandOutput, Program, RunError, RunFuture, Runner};

use crate::contained::write;

/// Runs nothing, keeps every command and answers as a host does where all is well.
#[derive(Default)]
struct Recorder {
    table: String,
    filesystem: String,
    commands: Mutex<Vec<Command>>,
}

impl Runner for Recorder {
    fn run(&self, command: &Command) -> RunFuture<'_, Result<CommandOutput, RunError>> {
        self.commands.lock().unwrap().push(command.clone());
        let stdout = match command.program() {
            Program::FINDMNT => format!("{{\"filesystems\": [{}]}}", self.table),
            Program::BLKID => self.filesystem.clone(),
            _ => String::new(),
        };
        Box::pin(async move { Ok(exited(0, &stdout)) })
    }
}

/// The value of a future that never waits.
fn value<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the recorder never waits"),
    }
}

impl Recorder {
    /// The one command of the program that was run.
    fn only(self, program: Program) -> Command {
        let commands = self.commands.into_inner().unwrap();
        let mut commands = commands.into_iter().filter(|command| command.program() == program);
        commands.next().unwrap_or_else(|| panic!("no {program}"))
    }
}

pub(crate) fn create(spec: &GoldenSpec) -> Command {
    let recorder = Recorder::default();
    value(create_golden_lxc(&recorder, spec)).unwrap();
    recorder.only(Program::PCT)
}

pub(crate) fn mount(uuid: &FsUuid, target: &MountTarget) -> Command {
    let filesystem = format!("UUID={uuid}\nTYPE=ext4\n");
    let recorder = Recorder { filesystem, ..Recorder::default() };
    let request = MountRequest {
        uuid: uuid.clone(),
        target: target.clone(),
        place: TargetPlace::Absent,
        candidates: Candidates {
            devices: vec!["/dev/sda1".parse().unwrap()],
            allowed: vec!["/dev/sda1".parse().unwrap()],
        },
        fstab: Vec::new(),
        is_same: |_, _| false,
        udev: Vec::new(),
    };
    // It fails in the end: the mount table stays as it was.
    let _failed = value(mount_by_uuid(&recorder, &request));
    recorder.only(Program::MOUNT)
}

pub(crate) fn umount(target: &MountTarget) -> Command {
    let table = format!("{{\"source\": \"/dev/sda1\", \"target\": \"{target}\"}}");
    let recorder = Recorder { table, ..Recorder::default() };
    let _failed = value(unmount(&recorder, target));
    recorder.only(Program::UMOUNT)
}

pub(crate) fn blkid(device: &BlockDevice) -> Command {
    let recorder = Recorder::default();
    let _nothing = value(probe(&recorder, device));
    recorder.only(Program::BLKID)
}

pub(crate) fn smartctl(disk: &Disk) -> Command {
    let recorder = Recorder::default();
    let _nothing = value(smart(&recorder, disk));
    recorder.only(Program::SMARTCTL)
}

/// `sensors`: as the caller, at most 15 s.
pub(crate) fn sensors_command() -> Command {
    let recorder = Recorder::default();
    let _nothing = value(sensors(&recorder));
    recorder.only(Program::SENSORS)
}

/// `findmnt`: as the caller, at most 15 s.
pub(crate) fn findmnt() -> Command {
    let recorder = Recorder::default();
    let _nothing = value(unmount(&recorder, &"/mnt/felhom/usb".parse().unwrap()));
    recorder.only(Program::FINDMNT)
}

/// Puts a shell script in the place of a program.
pub(crate) fn stub(program: Program, script: &str) {
    write(program.path(), &format!("#!/bin/sh\n{script}\n"), 0o755);
}

/// The value of a future, on a runtime of its own in this thread.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A runner that never becomes somebody else.
pub(crate) fn direct() -> ProcessRunner {
    ProcessRunner::new(PrivilegedMode::Direct)
}

/// Runs a command without sudo.
pub(crate) async fn run(command: &Command) -> Result<CommandOutput, RunError> {
    direct().run(command).await
}

/// Output of a process that exited and said this on stdout.
pub(crate) fn exited(status: i32, stdout: &str) -> CommandOutput {
    said(status, stdout, "")
}

/// Output of a process that exited and said this.
pub(crate) fn said(status: i32, stdout: &str, stderr: &str) -> CommandOutput {
    CommandOutput { end: CommandEnd::Exit(status), stderr: stderr.into(), ..stdout.into() }
}

/// Names of all processes but this one and the first, with `(zombie)` behind those that nobody has waited for.
pub(crate) fn others() -> Vec<String> {
    let this = std::process::id().to_string();
    let folders = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
    let pids = folders.filter_map(|name| name.into_string().ok());
    let pids = pids.filter(|pid| pid.starts_with(|c: char| c.is_ascii_digit()) && *pid != this && pid != "1");
    let status = pids.filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/status")).ok());
    status.map(|status| name(&status)).collect()
}

fn name(status: &str) -> String {
    let value = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim();
    let mark = if value("State:").starts_with('Z') { " (zombie)" } else { "" };
    format!("{}{mark}", value("Name:"))
}
