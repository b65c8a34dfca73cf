//! Starting and stopping containers.
//!
//! Left out: `skiplock`, which PVE grants to root@pam alone.

use super::{Endpoint, Kind, Privileges, Returns, at_least, optional, post};

const POWER: Privileges = Privileges::All("/vms/{vmid}", &["VM.PowerMgmt"]);

/// Starts a container.
pub static START: Endpoint = post("lxc.start", "/nodes/{node}/lxc/{vmid}/status/start", POWER, Returns::Upid)
    .with(&[&[optional("debug", Kind::Boolean)]])
    .starts(&["vzstart", "hastart"], "vmid");

/// Stops a container at once.
pub static STOP: Endpoint = post("lxc.stop", "/nodes/{node}/lxc/{vmid}/status/stop", POWER, Returns::Upid)
    .with(&[&[optional("overrule-shutdown", Kind::Boolean)]])
    .starts(&["vzstop", "hastop"], "vmid");

/// Asks a container to shut down.
pub static SHUTDOWN: Endpoint =
    post("lxc.shutdown", "/nodes/{node}/lxc/{vmid}/status/shutdown", POWER, Returns::Upid)
        .with(&[&[optional("timeout", at_least(0)), optional("forceStop", Kind::Boolean)]])
        .starts(&["vzshutdown", "hastop"], "vmid");

/// Shuts a container down and starts it again.
pub static REBOOT: Endpoint =
    post("lxc.reboot", "/nodes/{node}/lxc/{vmid}/status/reboot", POWER, Returns::Upid)
        .with(&[&[optional("timeout", at_least(0))]])
        .starts(&["vzreboot"], "vmid");

/// Checkpoints a container to disk.
pub static SUSPEND: Endpoint =
    post("lxc.suspend", "/nodes/{node}/lxc/{vmid}/status/suspend", POWER, Returns::Upid)
        .starts(&["vzsuspend"], "vmid");

/// Continues a suspended container.
pub static RESUME: Endpoint =
    post("lxc.resume", "/nodes/{node}/lxc/{vmid}/status/resume", POWER, Returns::Upid)
        .starts(&["vzresume"], "vmid");

pub(super) static ENDPOINTS: &[&Endpoint] = &[&START, &STOP, &SHUTDOWN, &REBOOT, &SUSPEND, &RESUME];
