//! A container: its state, its configuration, its power, its volumes.

use core::fmt;

use proxmox_types::params::{
    CloneParams, DestroyParams, MigrateParams, MoveVolumeParams, RebootParams, ResizeParams, SetConfigParams,
    ShutdownParams, StartParams, StopParams,
};
use proxmox_types::{
    Feature, LxcConfig, LxcInterface, LxcStatus, MigratePreconditions, NodeName, PendingChange, Rows,
    SnapshotEntry, SnapshotName, Upid, Vmid,
};

use super::{Node, Snapshot};
use crate::Call;
use crate::endpoint::Endpoint;
use crate::endpoint::table::{lxc, power, snapshot};

/// A container on a node.
#[derive(Clone, Copy, Debug)]
pub struct Lxc<'a> {
    pub(crate) node: Node<'a>,
    pub(crate) vmid: Vmid,
}

impl<'a> Lxc<'a> {
    /// The VMID.
    pub const fn vmid(self) -> Vmid {
        self.vmid
    }

    pub(crate) fn call<T: serde::de::DeserializeOwned, P>(
        self,
        endpoint: &'static Endpoint,
    ) -> Call<'a, T, P> {
        self.node.client.call(endpoint, &[self.node.node, &self.vmid])
    }

    /// A snapshot of this container. Nothing is asked; it need not exist.
    pub const fn snapshot(self, name: &'a SnapshotName) -> Snapshot<'a> {
        Snapshot { lxc: self, name }
    }

    /// Reads the state.
    ///
    /// `GET /nodes/{node}/lxc/{vmid}/status/current`; needs `VM.Audit` on `/vms/{vmid}`, without which every VMID is a
    /// 403. Source: pve-container `PVE/API2/LXC/Status.pm`.
    pub fn status(self) -> Call<'a, LxcStatus> {
        self.call(&lxc::STATUS)
    }

    /// Reads the configuration with pending changes laid over it, which is what holds after the next start.
    ///
    /// `GET /nodes/{node}/lxc/{vmid}/config`; needs `VM.Audit` on `/vms/{vmid}`.
    /// Source: pve-container `PVE/API2/LXC/Config.pm`.
    pub fn config(self) -> Call<'a, LxcConfig> {
        self.call(&lxc::CONFIG)
    }

    /// Reads the configuration that is in effect.
    ///
    /// `GET /nodes/{node}/lxc/{vmid}/config?current=1`; needs `VM.Audit` on `/vms/{vmid}`.
    /// Source: pve-container `PVE/API2/LXC/Config.pm`.
    pub fn current_config(self) -> Call<'a, LxcConfig> {
        self.call(&lxc::CONFIG).parameter("current", 1)
    }

    /// Reads the configuration that a snapshot holds, with the container's digest.
    ///
    /// `GET /nodes/{node}/lxc/{vmid}/config?snapshot=...`; needs `VM.Audit` on `/vms/{vmid}`.
    /// Source: pve-container `PVE/API2/LXC/Config.pm`.
    pub fn config_in(self, snapshot: &SnapshotName) -> Call<'a, LxcConfig> {
        self.call(&lxc::CONFIG).parameter("snapshot", snapshot)
    }

    /// Lists the options with their pending changes.
    ///
    /// `GET /nodes/{node}/lxc/{vmid}/pending`; needs `VM.Audit` on `/vms/{vmid}`.
    /// Source: pve-container `PVE/API2/LXC.pm`.
    pub fn pending(self) -> Call<'a, Rows<PendingChange>> {
        self.call(&lxc::PENDING)
    }

    /// Changes options, at once. Says nothing about which of them wait for the next start: see [`Lxc::apply`].
    ///
    /// `PUT /nodes/{node}/lxc/{vmid}/config`; needs a `VM.Config.*` on `/vms/{vmid}` per option, `SDN.Use` per bridge,
    /// `VM.Allocate` for `nesting`. A locked container and an outdated digest are refused on the call. After 30 s
    /// pveproxy answers 596 although PVE goes on.
    /// Source: pve-container `PVE/API2/LXC/Config.pm`.
    pub fn set_config(self, params: &SetConfigParams) -> Call<'a, ()> {
        self.call(&lxc::SET_CONFIG).fields(params).unit()
    }

    /// Asks whether all volumes can be snapshotted, cloned or copied.
    ///
    /// `GET /nodes/{node}/lxc/{vmid}/feature`; needs `VM.Audit` on `/vms/{vmid}`. A bind mount makes snapshots
    /// impossible, and so does a `dir` storage.
    /// Source: pve-container `PVE/API2/LXC.pm`.
    pub fn feature(self, feature: FeatureName) -> Call<'a, Feature> {
        self.call(&lxc::FEATURE).parameter("feature", feature)
    }

    /// Lists the network interfaces inside the container; nothing if it does not run.
    ///
    /// `GET /nodes/{node}/lxc/{vmid}/interfaces`; needs `VM.Audit` on `/vms/{vmid}`.
    /// Source: pve-container `PVE/API2/LXC.pm`.
    pub fn interfaces(self) -> Call<'a, Option<Rows<LxcInterface>>> {
        self.call(&lxc::INTERFACES)
    }

    /// Starts the container.
    ///
    /// `POST /nodes/{node}/lxc/{vmid}/status/start`; needs `VM.PowerMgmt` on `/vms/{vmid}`. A running container is
    /// refused on the call; a lock, a template or a missing container fails in the task.
    /// Where HA manages the container, the task only hands the request on: `OK` says nothing about the container.
    /// Source: pve-container `PVE/API2/LXC/Status.pm`.
    pub fn start(self) -> Call<'a, Upid, StartParams> {
        self.call(&power::START).changing()
    }

    /// Stops the container at once.
    ///
    /// `POST /nodes/{node}/lxc/{vmid}/status/stop`; needs `VM.PowerMgmt` on `/vms/{vmid}`. A stopped container is refused
    /// on the call, a locked one in the task.
    /// Where HA manages the container, the task only hands the request on: `OK` says nothing about the container.
    /// Source: pve-container `PVE/API2/LXC/Status.pm`.
    pub fn stop(self) -> Call<'a, Upid, StopParams> {
        self.call(&power::STOP).changing()
    }

    /// Asks the container to shut down.
    ///
    /// `POST /nodes/{node}/lxc/{vmid}/status/shutdown`; needs `VM.PowerMgmt` on `/vms/{vmid}`. Without `forceStop` a
    /// container that takes too long fails the task and goes on.
    /// Where HA manages the container, the task only hands the request on: `OK` says nothing about the container.
    /// Source: pve-container `PVE/API2/LXC/Status.pm`.
    pub fn shutdown(self) -> Call<'a, Upid, ShutdownParams> {
        self.call(&power::SHUTDOWN).changing()
    }

    /// Shuts the container down and starts it again, which makes pending changes effective.
    ///
    /// `POST /nodes/{node}/lxc/{vmid}/status/reboot`; needs `VM.PowerMgmt` on `/vms/{vmid}`.
    /// Source: pve-container `PVE/API2/LXC/Status.pm`.
    pub fn reboot(self) -> Call<'a, Upid, RebootParams> {
        self.call(&power::REBOOT).changing()
    }

    /// Checkpoints the container to disk; PVE calls this experimental.
    ///
    /// `POST /nodes/{node}/lxc/{vmid}/status/suspend`; needs `VM.PowerMgmt` on `/vms/{vmid}`.
    /// Source: pve-container `PVE/API2/LXC/Status.pm`.
    pub fn suspend(self) -> Call<'a, Upid> {
        self.call(&power::SUSPEND).changing()
    }

    /// Continues a checkpointed container.
    ///
    /// `POST /nodes/{node}/lxc/{vmid}/status/resume`; needs `VM.PowerMgmt` on `/vms/{vmid}`.
    /// Source: pve-container `PVE/API2/LXC/Status.pm`.
    pub fn resume(self) -> Call<'a, Upid> {
        self.call(&power::RESUME).changing()
    }

    /// Starts destroying the container with its volumes, its snapshots, its ACLs and its pool membership.
    ///
    /// `DELETE /nodes/{node}/lxc/{vmid}`; needs `VM.Allocate` on `/vms/{vmid}`. A running, a locked and a protected
    /// container are refused on the call.
    /// Source: pve-container `PVE/API2/LXC.pm`, `destroy_vm`.
    pub fn destroy(self) -> Call<'a, Upid, DestroyParams> {
        self.call(&lxc::DESTROY).changing()
    }

    /// Starts growing a volume. The task is OK even if the file system did not grow with it: look inside.
    ///
    /// `PUT /nodes/{node}/lxc/{vmid}/resize`; needs `VM.Config.Disk` and `VM.Config.Options` on `/vms/{vmid}` and
    /// `Datastore.AllocateSpace` on the storage. Shrinking, the same size and a lock are refused on the call.
    /// Source: pve-container `PVE/API2/LXC.pm`, `resize_vm`.
    pub fn resize(self, params: &ResizeParams) -> Call<'a, Upid> {
        self.call(&lxc::RESIZE).fields(params).changing()
    }

    /// Starts copying the container to another VMID.
    ///
    /// `POST /nodes/{node}/lxc/{vmid}/clone`; needs `VM.Clone` on `/vms/{vmid}`, `VM.Allocate` on `/vms/{newid}` or the
    /// pool, `Datastore.AllocateSpace` per storage, `SDN.Use` per bridge. A running container can only be copied from a
    /// snapshot.
    /// Source: pve-container `PVE/API2/LXC.pm`, `clone_vm`.
    pub fn clone_to(self, params: &CloneParams) -> Call<'a, Upid> {
        self.call(&lxc::CLONE).fields(params).changing()
    }

    /// Starts turning the container into a template. PVE starts a worker and throws its UPID away: [`Call::settle`] finds
    /// it, so that it can be waited for.
    ///
    /// `POST /nodes/{node}/lxc/{vmid}/template`; needs `VM.Allocate` on `/vms/{vmid}`.
    /// Source: pve-container `PVE/API2/LXC.pm`, `template`.
    pub fn template(self) -> Call<'a, ()> {
        self.call(&lxc::TEMPLATE).unit()
    }

    /// Starts moving a volume to another storage or container. The container must be stopped.
    ///
    /// `POST /nodes/{node}/lxc/{vmid}/move_volume`; needs `VM.Config.Disk` on `/vms/{vmid}` and
    /// `Datastore.AllocateSpace` on the target.
    /// Source: pve-container `PVE/API2/LXC.pm`, `move_volume`.
    pub fn move_volume(self, params: &MoveVolumeParams) -> Call<'a, Upid> {
        self.call(&lxc::MOVE_VOLUME).fields(params).changing()
    }

    /// Reads what stands in the way of moving the container to another node.
    ///
    /// `GET /nodes/{node}/lxc/{vmid}/migrate`; needs `VM.Migrate` on `/vms/{vmid}`.
    /// Source: pve-container `PVE/API2/LXC.pm`.
    pub fn migrate_preconditions(self, target: Option<&NodeName>) -> Call<'a, MigratePreconditions> {
        self.call(&lxc::MIGRATE_PRECONDITIONS).optional("target", target)
    }

    /// Starts moving the container to another node.
    ///
    /// `POST /nodes/{node}/lxc/{vmid}/migrate`; needs `VM.Migrate` on `/vms/{vmid}`.
    /// Where HA manages the container, the task only hands the request on: `OK` says nothing about the container.
    /// Source: pve-container `PVE/API2/LXC.pm`.
    pub fn migrate(self, params: &MigrateParams) -> Call<'a, Upid> {
        self.call(&lxc::MIGRATE).fields(params).changing()
    }

    /// Lists the snapshots, unordered, and the running state as one row more.
    ///
    /// `GET /nodes/{node}/lxc/{vmid}/snapshot`; needs `VM.Audit` on `/vms/{vmid}`.
    /// Source: pve-container `PVE/API2/LXC/Snapshot.pm`.
    pub fn snapshots(self) -> Call<'a, Rows<SnapshotEntry>> {
        self.call(&snapshot::LIST)
    }
}

/// What a container may be able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeatureName {
    /// Be snapshotted.
    Snapshot,
    /// Be cloned without copying the data.
    Clone,
    /// Be copied.
    Copy,
}

impl fmt::Display for FeatureName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Snapshot => "snapshot",
            Self::Clone => "clone",
            Self::Copy => "copy",
        })
    }
}
