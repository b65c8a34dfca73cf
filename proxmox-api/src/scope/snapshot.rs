//! Snapshots of containers.

use proxmox_types::params::{DeleteSnapshotParams, RollbackParams, SnapshotConfigParams, SnapshotParams};
use proxmox_types::{LxcConfig, Rows, SnapshotEntry, Upid};

use super::place::{Lxc, Nothing, Snapshot};
use crate::endpoint::{TaskId, Trace, Worker};

endpoints! {
    impl Lxc<'a> as self, 'a {
        /// Lists the snapshots, unordered, and the running state as one row more.
        ///
        /// Source: pve-container `PVE/API2/LXC/Snapshot.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// let snapshots = ct.snapshots().await?;
        /// assert!(snapshots.iter().all(|entry| entry.is_current() == entry.snapshot().is_none()));
        /// # Ok(()) });
        /// ```
        GET "/nodes/{node}/lxc/{vmid}/snapshot" as LIST "snapshot.list"
        fn snapshots(self) -> Rows<SnapshotEntry>
        needs ("VM.Audit" on "/vms/{vmid}")
        .protected();
    }

    impl Snapshot<'a> as self, 'a {
        /// Starts taking the snapshot. Returns at once; wait on the UPID.
        ///
        /// A name that is taken, a lock and a storage without snapshots fail in the task, not here.
        /// Source: pve-container `PVE/API2/LXC/Snapshot.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// # let name = "before".parse()?; let snapshot = ct.snapshot(&name);
        /// use types::params::SnapshotParams;
        /// let described = SnapshotParams { description: Some("before the update".into()) };
        /// snapshot.create().with(described).run().await?;
        /// # Ok(()) });
        /// ```
        POST "/nodes/{node}/lxc/{vmid}/snapshot" as CREATE "snapshot.create"
        fn create(self) -> Upid, with SnapshotParams { .parameter("snapname", self.name) }
        needs ("VM.Snapshot" on "/vms/{vmid}")
        .traced(Trace::Snapshot(Worker { kinds: &["vzsnapshot"], id: TaskId::Named("vmid") }));

        /// Starts deleting the snapshot.
        ///
        /// A snapshot that does not exist fails in the task, and so does one of a container that is just being started,
        /// after 10 s.
        /// Source: pve-container `PVE/API2/LXC/Snapshot.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// # let name = "before".parse()?; let snapshot = ct.snapshot(&name);
        /// snapshot.create().run().await?;
        /// snapshot.delete().run().await?;
        /// assert!(snapshot.delete().run().await.is_err_and(|error| error.is_not_found()));
        /// # Ok(()) });
        /// ```
        DELETE "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}" as DELETE "snapshot.delete"
        fn delete(self) -> Upid, with DeleteSnapshotParams
        needs ("VM.Snapshot" on "/vms/{vmid}")
        .starts(&["vzdelsnapshot"], "vmid");

        /// Starts rolling the container back. A running container is stopped at once, without being asked, and stays
        /// stopped unless `start` is set; then a second task starts it. Everything goes back but the description.
        ///
        /// Source: pve-container `PVE/API2/LXC/Snapshot.pm`, pve-guest-common `PVE/AbstractConfig.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// # let name = "before".parse()?; let snapshot = ct.snapshot(&name);
        /// use types::params::RollbackParams;
        /// snapshot.create().run().await?;
        /// snapshot.rollback().with(RollbackParams { start: Some(true) }).run().await?;
        /// # Ok(()) });
        /// ```
        POST "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/rollback" as ROLLBACK "snapshot.rollback"
        fn rollback(self) -> Upid, with RollbackParams
        needs ("VM.Snapshot" or "VM.Snapshot.Rollback" on "/vms/{vmid}")
        .starts(&["vzrollback"], "vmid");

        /// Reads the configuration that the snapshot holds.
        ///
        /// Source: pve-container `PVE/API2/LXC/Snapshot.pm`.
        GET "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config" as CONFIG "snapshot.config"
        fn config(self) -> LxcConfig
        needs ("VM.Snapshot" or "VM.Snapshot.Rollback" or "VM.Audit" on "/vms/{vmid}");

        /// Changes the description, at once.
        ///
        /// Source: pve-container `PVE/API2/LXC/Snapshot.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// # let name = "before".parse()?; let snapshot = ct.snapshot(&name);
        /// use types::params::SnapshotConfigParams;
        /// snapshot.create().run().await?;
        /// let described = SnapshotConfigParams { description: Some("kept".into()) };
        /// snapshot.set_config().with(described).await?;
        /// assert_eq!(snapshot.config().await?.options.common.description.as_deref().map(str::trim), Some("kept"));
        /// # Ok(()) });
        /// ```
        PUT "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config" as SET_CONFIG "snapshot.set_config"
        fn set_config(self) -> Nothing, with SnapshotConfigParams
        needs ("VM.Snapshot" on "/vms/{vmid}")
        .traced(Trace::Value(&CONFIG));
    }
}
