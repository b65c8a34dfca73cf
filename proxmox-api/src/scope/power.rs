//! Starting and stopping containers.
//!
//! Where HA manages the container, the task of a start or a stop only hands the request on: `OK` says nothing about the
//! container. Left out: `skiplock`, which PVE grants to root@pam alone.

use proxmox_types::Upid;
use proxmox_types::params::{RebootParams, ShutdownParams, StartParams, StopParams};

use super::place::Lxc;

endpoints! {
    impl Lxc<'a> as self, 'a {
        /// Starts the container.
        ///
        /// A running container is refused on the call; a lock, a template or a missing container fails in the task.
        /// Where HA manages the container, the task only hands the request on: `OK` says nothing about the container.
        /// Source: pve-container `PVE/API2/LXC/Status.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// ct.start().run().await?;
        /// assert!(ct.status().await?.is_running());
        /// # Ok(()) });
        /// ```
        POST "/nodes/{node}/lxc/{vmid}/status/start" as START "lxc.start"
        fn start(self) -> Upid, with StartParams
        needs ("VM.PowerMgmt" on "/vms/{vmid}")
        .starts(&["vzstart", "hastart"], "vmid");

        /// Stops the container at once.
        ///
        /// A stopped container is refused on the call, a locked one in the task.
        /// Where HA manages the container, the task only hands the request on: `OK` says nothing about the container.
        /// Source: pve-container `PVE/API2/LXC/Status.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// ct.start().run().await?;
        /// ct.stop().run().await?;
        /// assert!(!ct.status().await?.is_running());
        /// # Ok(()) });
        /// ```
        POST "/nodes/{node}/lxc/{vmid}/status/stop" as STOP "lxc.stop"
        fn stop(self) -> Upid, with StopParams
        needs ("VM.PowerMgmt" on "/vms/{vmid}")
        .starts(&["vzstop", "hastop"], "vmid");

        /// Asks the container to shut down.
        ///
        /// Without `forceStop` a container that takes too long fails the task and goes on.
        /// Where HA manages the container, the task only hands the request on: `OK` says nothing about the container.
        /// Source: pve-container `PVE/API2/LXC/Status.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// use types::params::ShutdownParams;
        /// ct.start().run().await?;
        /// let patiently = ShutdownParams { timeout: Some(60), ..ShutdownParams::default() };
        /// ct.shutdown().with(patiently).run().await?;
        /// # Ok(()) });
        /// ```
        POST "/nodes/{node}/lxc/{vmid}/status/shutdown" as SHUTDOWN "lxc.shutdown"
        fn shutdown(self) -> Upid, with ShutdownParams
        needs ("VM.PowerMgmt" on "/vms/{vmid}")
        .starts(&["vzshutdown", "hastop"], "vmid");

        /// Shuts the container down and starts it again, which makes pending changes effective.
        ///
        /// Source: pve-container `PVE/API2/LXC/Status.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// ct.start().run().await?;
        /// ct.reboot().run().await?;
        /// # Ok(()) });
        /// ```
        POST "/nodes/{node}/lxc/{vmid}/status/reboot" as REBOOT "lxc.reboot"
        fn reboot(self) -> Upid, with RebootParams
        needs ("VM.PowerMgmt" on "/vms/{vmid}")
        .starts(&["vzreboot"], "vmid");

        /// Checkpoints the container to disk; PVE calls this experimental.
        ///
        /// Source: pve-container `PVE/API2/LXC/Status.pm`.
        POST "/nodes/{node}/lxc/{vmid}/status/suspend" as SUSPEND "lxc.suspend"
        fn suspend(self) -> Upid
        needs ("VM.PowerMgmt" on "/vms/{vmid}")
        .starts(&["vzsuspend"], "vmid");

        /// Continues a checkpointed container.
        ///
        /// Source: pve-container `PVE/API2/LXC/Status.pm`.
        POST "/nodes/{node}/lxc/{vmid}/status/resume" as RESUME "lxc.resume"
        fn resume(self) -> Upid
        needs ("VM.PowerMgmt" on "/vms/{vmid}")
        .starts(&["vzresume"], "vmid");
    }
}
