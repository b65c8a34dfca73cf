//! A snapshot of a container.

use proxmox_types::params::{DeleteSnapshotParams, RollbackParams, SnapshotConfigParams, SnapshotParams};
use proxmox_types::{LxcConfig, SnapshotName, Upid};
use serde::de::DeserializeOwned;

use super::Lxc;
use crate::Call;
use crate::endpoint::Endpoint;
use crate::endpoint::table::snapshot;

/// A snapshot of a container.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<'a> {
    pub(crate) lxc: Lxc<'a>,
    pub(crate) name: &'a SnapshotName,
}

impl<'a> Snapshot<'a> {
    fn call<T: DeserializeOwned, P>(self, endpoint: &'static Endpoint) -> Call<'a, T, P> {
        let node = self.lxc.node;
        node.client.call(endpoint, &[node.node, &self.lxc.vmid, self.name])
    }

    /// Starts taking the snapshot.
    ///
    /// `POST /nodes/{node}/lxc/{vmid}/snapshot`; needs `VM.Snapshot` on `/vms/{vmid}`. Returns at once; wait on the UPID.
    /// A name that is taken, a lock and a storage without snapshots fail in the task, not here.
    /// Source: pve-container `PVE/API2/LXC/Snapshot.pm`.
    pub fn create(self) -> Call<'a, Upid, SnapshotParams> {
        self.lxc.call(&snapshot::CREATE).parameter("snapname", self.name).changing()
    }

    /// Starts deleting the snapshot.
    ///
    /// `DELETE /nodes/{node}/lxc/{vmid}/snapshot/{snapname}`; needs `VM.Snapshot` on `/vms/{vmid}`. A snapshot that does
    /// not exist fails in the task, and so does one of a container that is just being started, after 10 s.
    /// Source: pve-container `PVE/API2/LXC/Snapshot.pm`.
    pub fn delete(self) -> Call<'a, Upid, DeleteSnapshotParams> {
        self.call(&snapshot::DELETE).changing()
    }

    /// Starts rolling the container back. A running container is stopped at once, without being asked, and stays stopped
    /// unless `start` is set; then a second task starts it. Everything goes back but the description.
    ///
    /// `POST /nodes/{node}/lxc/{vmid}/snapshot/{snapname}/rollback`; needs `VM.Snapshot` or `VM.Snapshot.Rollback` on
    /// `/vms/{vmid}`.
    /// Source: pve-container `PVE/API2/LXC/Snapshot.pm`, pve-guest-common `PVE/AbstractConfig.pm`.
    pub fn rollback(self) -> Call<'a, Upid, RollbackParams> {
        self.call(&snapshot::ROLLBACK).changing()
    }

    /// Reads the configuration that the snapshot holds.
    ///
    /// `GET /nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config`; needs `VM.Audit`, `VM.Snapshot` or
    /// `VM.Snapshot.Rollback` on `/vms/{vmid}`.
    /// Source: pve-container `PVE/API2/LXC/Snapshot.pm`.
    pub fn config(self) -> Call<'a, LxcConfig> {
        self.call(&snapshot::CONFIG)
    }

    /// Changes the description, at once.
    ///
    /// `PUT /nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config`; needs `VM.Snapshot` on `/vms/{vmid}`.
    /// Source: pve-container `PVE/API2/LXC/Snapshot.pm`.
    pub fn set_config(self, params: &SnapshotConfigParams) -> Call<'a, ()> {
        self.call(&snapshot::SET_CONFIG).fields(params).unit()
    }
}
