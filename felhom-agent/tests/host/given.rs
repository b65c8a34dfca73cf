//! Commands as the library builds them, taken from it through its own seam: there is no other way to get one.

use std::sync::Mutex;

use proxmox_privileged::findmnt::mount_state;
use proxmox_privileged::sensors::sensors;
use proxmox_privileged::{BoxFuture, Command, Output, Program, RunError, Runner};

use crate::process::{exited, now};

/// Runs nothing, and keeps every command.
#[derive(Default)]
struct Recorder(Mutex<Vec<Command>>);

impl Runner for Recorder {
    fn run(&self, command: &Command) -> BoxFuture<'_, Result<Output, RunError>> {
        self.0.lock().unwrap().push(command.clone());
        Box::pin(async { Ok(exited(0, "")) })
    }
}

impl Recorder {
    /// The one command of the program that was run.
    fn only(self, program: Program) -> Command {
        let commands = self.0.into_inner().unwrap();
        let mut commands = commands.into_iter().filter(|command| command.program() == program);
        commands.next().unwrap_or_else(|| panic!("no {program}"))
    }
}

/// `sensors`: as the caller, at most 15 s.
pub(crate) fn sensors_command() -> Command {
    let recorder = Recorder::default();
    let _nothing = now(sensors(&recorder));
    recorder.only(Program::Sensors)
}

/// `findmnt`: as the caller, at most 15 s.
pub(crate) fn findmnt() -> Command {
    let recorder = Recorder::default();
    let _nothing = now(mount_state(&recorder, &"/mnt/felhom/usb".parse().unwrap()));
    recorder.only(Program::Findmnt)
}
