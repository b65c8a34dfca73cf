//! Containers: reading, creating, restoring, changing, moving, removing.
//!
//! Left out: `hookscript` and `devN`, which PVE grants to root@pam alone, and `lock`, which any token could set and none
//! could remove.

use core::fmt;

use proxmox_types::params::{
    CloneParams, CreateParams, DestroyParams, MigrateParams, MoveVolumeParams, ResizeParams, RestoreParams,
    SetConfigParams,
};
use proxmox_types::{
    Feature, LxcConfig, LxcInterface, LxcStatus, MigratePreconditions, NodeName, PendingChange, Rows,
    SnapshotName, Upid,
};
use serde::Deserialize;

use super::place::{Lxc, Node, Nothing};
use crate::Call;
use crate::endpoint::{CodeCheck, Pace, Privileges, TaskId, Trace, Worker};

/// Nothing if the container does not run.
type Interfaces = Option<Rows<LxcInterface>>;

const CREATE_API: &str = "pve-container PVE/API2/LXC.pm, create_vm";
const RESIZE_API: &str = "pve-container PVE/API2/LXC.pm, resize_vm";
const CLONE_API: &str = "pve-container PVE/API2/LXC.pm, clone_vm";
const MOVE_API: &str = "pve-container PVE/API2/LXC.pm, move_volume";

/// What each option of a container needs. A pool that is passed stands in for the container.
///
/// `nesting` and `bridge` are the recordings in which these checks were seen.
const fn options(nesting: &'static str, bridge: &'static str) -> [CodeCheck; 7] {
    const fn option(when: &'static str, needs: Privileges) -> CodeCheck {
        CodeCheck::new(when, needs, "pve-container PVE/LXC.pm, check_ct_modify_config_perm")
    }
    let cpu = privileges!(("VM.Config.CPU" on "/vms/{vmid}"));
    let memory = privileges!(("VM.Config.Memory" on "/vms/{vmid}"));
    let network = privileges!(("VM.Config.Network" on "/vms/{vmid}"));
    let disk = privileges!(("VM.Config.Disk" on "/vms/{vmid}"));
    let others = privileges!(("VM.Config.Options" on "/vms/{vmid}"));
    let allocate = privileges!(("VM.Allocate" on "/vms/{vmid}"));
    let sdn = privileges!(("SDN.Use" on "/sdn/zones/localnetwork/{bridge}"));
    [
        option("for `cores`, `cpulimit`, `cpuunits`", cpu),
        option("for `memory`, `swap`", memory).seen("config-put-403-vmonly"),
        option("for `netN`, `nameserver`, `searchdomain`, `hostname`", network).seen("config-put-403-vmonly-net"),
        option("for `rootfs`, `mpN`", disk).seen("config-put-403-vmonly-mp"),
        option("for every other option", others).seen("config-put-ok-vmonly-option"),
        option(
            "for `features` with `nesting` alone, of an unprivileged container; any other feature is for root@pam",
            allocate,
        )
        .seen(nesting),
        CodeCheck::new(
            "for each bridge in `netN`",
            sdn,
            "pve-guest-common PVE/GuestHelpers.pm, check_vnet_access",
        )
        .seen(bridge),
    ]
}

endpoints! {
    impl Node<'a> as self, 'a {
        /// Lists the containers. An empty list may mean that the token sees none: ask for its permissions.
        ///
        /// Source: pve-container `PVE/API2/LXC.pm`.
        GET "/nodes/{node}/lxc" as LIST "lxc.list"
        fn containers(self) -> Rows<LxcStatus>
        needs (any token)
        .protected()
        check(
            "rows without it are left out",
            ("VM.Audit" on "/vms/{vmid}"),
            "pve-container PVE/API2/LXC.pm, vmlist"
        ).filters().seen("get-lxc-list.none");

        /// Starts creating a container from a template.
        ///
        /// A taken VMID is refused on the call; a missing template or a full storage fails in the task. Options need what
        /// changing them needs. Send the pool if the grant is on the pool: without it the 403 names nothing.
        /// Source: pve-container `PVE/API2/LXC.pm`, `create_vm`.
        POST "/nodes/{node}/lxc" as CREATE "lxc.create"
        fn create(self, params: &CreateParams) -> Upid { .fields(params).secret("password", params.password.as_ref()) }
        needs (any token)
        .starts(&["vzcreate"], "vmid")
        check(
            "always; without a pool in the call a grant on the pool does not count, and the 403 names nothing",
            (either ("VM.Allocate" on "/vms/{vmid}") ("VM.Allocate" on "/pool/{pool}" with "pool")),
            CREATE_API
        ).seen("lp-restore-nopool")
        check("for the target storage", ("Datastore.AllocateSpace" on "/storage/{storage}"), CREATE_API)
            .seen("restore-403-vmonly")
        check(
            "for the template's storage",
            ("Datastore.AllocateSpace" or "Datastore.Audit" on "/storage/{storage}"),
            CREATE_API
        ).seen("lxc-create-403-vmonly")
        check("for `unprivileged=0`", ("Sys.Modify" on "/"), CREATE_API)
        check("for `ha-managed`", ("Sys.Console" on "/"), CREATE_API)
        and &options("config-put-keyctl-token", "create-403-nosdn");

        /// Starts restoring a container from a backup, by default to a VMID that is free.
        ///
        /// Options need what changing them needs; bridges of the backup are checked in the task.
        /// Source: pve-container `PVE/API2/LXC.pm`, `create_vm`, `PVE/LXC/Create.pm`.
        POST "/nodes/{node}/lxc" as RESTORE "lxc.restore"
        fn restore(self, params: &RestoreParams) -> Upid { .fields(params).parameter("restore", 1) }
        needs (any token)
        .starts(&["vzrestore"], "vmid")
        check(
            "always; without a pool in the call a grant on the pool does not count; VM.Backup is enough to overwrite",
            (either
                ("VM.Allocate" on "/vms/{vmid}")
                ("VM.Allocate" on "/pool/{pool}" with "pool")
                ("VM.Backup" on "/vms/{vmid}" with "force")),
            CREATE_API
        ).seen("lp-restore-nopool")
        check("for the target storage", ("Datastore.AllocateSpace" on "/storage/{storage}"), CREATE_API)
            .seen("restore-403-vmonly")
        check(
            "to read the backup, unless it is one of the same VMID",
            (either
                ("Datastore.Allocate" on "/storage/{archive storage}")
                (both
                    ("Datastore.AllocateSpace" on "/storage/{archive storage}")
                    ("VM.Backup" on "/vms/{archive vmid}"))),
            "pve-storage PVE/Storage.pm, check_volume_access"
        ).seen("restore-403-vmonly")
        check(
            "for each bridge in the backup",
            ("SDN.Use" on "/sdn/zones/localnetwork/{bridge}"),
            "pve-container PVE/LXC/Create.pm, restore_configuration"
        ).in_task().seen("restore-403-nosdn-ignoreunpack")
        check("if the result is privileged", ("Sys.Modify" on "/"), CREATE_API).in_task()
        check("for `ha-managed`", ("Sys.Console" on "/"), CREATE_API)
        and &options("golden-restore-features-param", "config-put-403-nosdn");
    }

    impl Lxc<'a> as self, 'a {
        /// Reads the state. Without the privilege every VMID is a 403.
        ///
        /// Source: pve-container `PVE/API2/LXC/Status.pm`.
        GET "/nodes/{node}/lxc/{vmid}/status/current" as STATUS "lxc.status"
        fn status(self) -> LxcStatus
        needs ("VM.Audit" on "/vms/{vmid}")
        .protected();

        /// Reads the configuration with pending changes laid over it, which is what holds after the next start.
        ///
        /// Source: pve-container `PVE/API2/LXC/Config.pm`.
        GET "/nodes/{node}/lxc/{vmid}/config" as CONFIG "lxc.config"
        fn config(self) -> LxcConfig
        needs ("VM.Audit" on "/vms/{vmid}");

        /// Lists the options with their pending changes.
        ///
        /// Source: pve-container `PVE/API2/LXC.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// let waiting = ct.pending().await?.iter().filter(|change| change.is_pending()).count();
        /// assert_eq!(waiting, 0);
        /// # Ok(()) });
        /// ```
        GET "/nodes/{node}/lxc/{vmid}/pending" as PENDING "lxc.pending"
        fn pending(self) -> Rows<PendingChange>
        needs ("VM.Audit" on "/vms/{vmid}");

        /// Asks whether all volumes can be snapshotted, cloned or copied. A bind mount makes snapshots impossible, and so
        /// does a `dir` storage.
        ///
        /// Source: pve-container `PVE/API2/LXC.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// assert!(ct.feature(FeatureName::Snapshot).await?.has_feature);
        /// # Ok(()) });
        /// ```
        GET "/nodes/{node}/lxc/{vmid}/feature" as FEATURE "lxc.feature"
        fn feature(self, feature: FeatureName) -> Feature { .parameter("feature", feature) }
        needs ("VM.Audit" on "/vms/{vmid}")
        .protected();

        /// Lists the network interfaces inside the container; nothing if it does not run.
        ///
        /// Source: pve-container `PVE/API2/LXC.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// for interface in ct.interfaces().await?.iter().flatten() {
        ///     println!("{}", interface.name);
        /// }
        /// # Ok(()) });
        /// ```
        GET "/nodes/{node}/lxc/{vmid}/interfaces" as INTERFACES "lxc.interfaces"
        fn interfaces(self) -> Interfaces
        needs ("VM.Audit" on "/vms/{vmid}")
        .protected();

        /// Starts destroying the container with its volumes, its snapshots, its ACLs and its pool membership.
        ///
        /// A running, a locked and a protected container are refused on the call.
        /// Source: pve-container `PVE/API2/LXC.pm`, `destroy_vm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// ct.destroy().run().await?;
        /// assert!(ct.status().await.is_err());
        /// # Ok(()) });
        /// ```
        DELETE "/nodes/{node}/lxc/{vmid}" as DESTROY "lxc.destroy"
        fn destroy(self) -> Upid, with DestroyParams
        needs ("VM.Allocate" on "/vms/{vmid}")
        .starts(&["vzdestroy"], "vmid");

        /// Changes options, at once. Says nothing about which of them wait for the next start: see [`Lxc::apply`].
        ///
        /// Each option needs its own `VM.Config.*`, each bridge `SDN.Use`, and `nesting` needs `VM.Allocate`. A locked
        /// container and an outdated digest are refused on the call. After 30 s pveproxy answers 596 although PVE goes on.
        /// Source: pve-container `PVE/API2/LXC/Config.pm`.
        PUT "/nodes/{node}/lxc/{vmid}/config" as SET_CONFIG "lxc.set_config"
        fn set_config(self, params: &SetConfigParams) -> Nothing { .fields(params) }
        needs (
            "VM.Config.Disk" or "VM.Config.CPU" or "VM.Config.Memory" or "VM.Config.Network" or "VM.Config.Options"
                on "/vms/{vmid}"
        )
        .traced(Trace::Value(&CONFIG))
        check("for each new volume", ("Datastore.AllocateSpace" on "/storage/{storage}"), CREATE_API)
        and &options("config-put-keyctl-token", "config-put-403-nosdn");

        /// Starts growing a volume. The task is OK even if the file system did not grow with it: look inside.
        ///
        /// Shrinking, the same size and a lock are refused on the call.
        /// Source: pve-container `PVE/API2/LXC.pm`, `resize_vm`.
        PUT "/nodes/{node}/lxc/{vmid}/resize" as RESIZE "lxc.resize"
        fn resize(self, params: &ResizeParams) -> Upid { .fields(params) }
        needs ("VM.Config.Disk" on "/vms/{vmid}")
        .starts(&["resize"], "vmid")
        check("always", ("VM.Config.Options" on "/vms/{vmid}"), RESIZE_API)
        check("for the storage of the volume", ("Datastore.AllocateSpace" on "/storage/{storage}"), RESIZE_API);

        /// Starts copying the container to another VMID. A running container can only be copied from a snapshot.
        ///
        /// Source: pve-container `PVE/API2/LXC.pm`, `clone_vm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// use types::params::CloneParams;
        /// let copy = client.cluster().next_id().await?;
        /// ct.clone_to(&CloneParams { full: Some(true), ..CloneParams::new(copy) }).run().await?;
        /// assert!(!node.lxc(copy).status().await?.is_running());
        /// # Ok(()) });
        /// ```
        POST "/nodes/{node}/lxc/{vmid}/clone" as CLONE "lxc.clone"
        fn clone_to(self, params: &CloneParams) -> Upid { .fields(params) }
        needs (both
            ("VM.Clone" on "/vms/{vmid}")
            (either ("VM.Allocate" on "/vms/{newid}") ("VM.Allocate" on "/pool/{pool}" with "pool")))
        .starts(&["vzclone"], "vmid")
        check("for the storage of each copy", ("Datastore.AllocateSpace" on "/storage/{storage}"), CLONE_API)
        check("for each bridge", ("SDN.Use" on "/sdn/zones/localnetwork/{bridge}"), CLONE_API);

        /// Starts turning the container into a template. PVE starts a worker and throws its UPID away: [`Call::settle`]
        /// finds it, so that it can be waited for.
        ///
        /// Source: pve-container `PVE/API2/LXC.pm`, `template`.
        POST "/nodes/{node}/lxc/{vmid}/template" as TEMPLATE "lxc.template"
        fn template(self) -> Nothing
        needs ("VM.Allocate" on "/vms/{vmid}")
        .traced(Trace::Dropped(Worker { kinds: &["vztemplate"], id: TaskId::Named("vmid") }))
        check(
            "for the storage of each volume",
            ("Datastore.AllocateSpace" on "/storage/{storage}"),
            "pve-container PVE/API2/LXC.pm, template"
        );

        /// Starts moving a volume to another storage or container. The container must be stopped.
        ///
        /// Source: pve-container `PVE/API2/LXC.pm`, `move_volume`.
        POST "/nodes/{node}/lxc/{vmid}/move_volume" as MOVE_VOLUME "lxc.move_volume"
        fn move_volume(self, params: &MoveVolumeParams) -> Upid { .fields(params) }
        needs ("VM.Config.Disk" on "/vms/{vmid}")
        .traced(Trace::Task(Worker { kinds: &["move_volume"], id: TaskId::Begins("vmid") }))
        check("for the target storage", ("Datastore.AllocateSpace" on "/storage/{storage}"), MOVE_API)
        check("for `target-vmid`", ("VM.Config.Disk" on "/vms/{target-vmid}"), MOVE_API);

        /// Reads what stands in the way of moving the container to another node.
        ///
        /// Source: pve-container `PVE/API2/LXC.pm`.
        GET "/nodes/{node}/lxc/{vmid}/migrate" as MIGRATE_PRECONDITIONS "lxc.migrate_preconditions"
        fn migrate_preconditions(self, target: Option<&NodeName>) -> MigratePreconditions { .optional("target", target) }
        needs ("VM.Migrate" on "/vms/{vmid}")
        .paced(Pace::Storage)
        .protected();

        /// Starts moving the container to another node.
        ///
        /// Where HA manages the container, the task only hands the request on: `OK` says nothing about the container.
        /// Source: pve-container `PVE/API2/LXC.pm`.
        POST "/nodes/{node}/lxc/{vmid}/migrate" as MIGRATE "lxc.migrate"
        fn migrate(self, params: &MigrateParams) -> Upid { .fields(params) }
        needs ("VM.Migrate" on "/vms/{vmid}")
        .starts(&["vzmigrate", "hamigrate"], "vmid");
    }
}

impl<'a> Lxc<'a> {
    /// Reads the configuration that is in effect: [`Lxc::config`] with `current`.
    pub fn current_config(self) -> Call<'a, LxcConfig> {
        self.config().parameter("current", 1)
    }

    /// Reads the configuration that a snapshot holds, with the container's digest: [`Lxc::config`] with `snapshot`.
    pub fn config_in(self, snapshot: &SnapshotName) -> Call<'a, LxcConfig> {
        self.config().parameter("snapshot", snapshot)
    }
}

/// What a container may be able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
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
