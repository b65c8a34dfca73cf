//! Backups with vzdump.
//!
//! Left out: `dumpdir`, `tmpdir`, `script` and `job-id`, which PVE grants to root@pam alone, `stdout`, which only the
//! command line has, and `node`, which the path says.

use alloc::string::String;

use proxmox_types::params::VzdumpParams;
use proxmox_types::{BackupVolume, StorageId, VzdumpDefaults};

use super::place::Node;
use crate::Started;
use crate::endpoint::{Pace, Returns, TaskId, Trace, Worker};

const API: &str = "pve-manager PVE/API2/Backup.pm, assert_param_permission_common";
const VZDUMP_API: &str = "pve-manager PVE/API2/VZDump.pm";

endpoints! {
    impl Node<'a> as self, 'a {
        /// Starts backing containers up. PVE does not say which volume it made: see
        /// [`Storage::backups_made_by`](crate::Storage::backups_made_by).
        ///
        /// One missing privilege fails the whole job; with all guests it leaves them out silently, and a job of none at
        /// all ends well. [`Started::Nothing`] is that no chosen guest is on this node: no backup was made.
        /// Source: pve-manager `PVE/API2/VZDump.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// use types::params::VzdumpParams;
        /// let ct: types::Vmid = "101".parse()?;
        /// let params = VzdumpParams { storage: "local".parse().ok(), ..VzdumpParams::new(ct.into()) };
        /// assert!(!node.vzdump(&params).run().await?.had_nothing_to_do);
        /// # Ok(()) });
        /// ```
        POST "/nodes/{node}/vzdump" as VZDUMP "backup.create"
        fn vzdump(self, params: &VzdumpParams) -> Started { .fields(params) }
        needs (any token)
        .returning(Returns::UpidOrOk)
        .traced(Trace::Task(Worker { kinds: &["vzdump"], id: TaskId::Guests }))
        check(
            "for each guest; with `all` the guests without it are left out",
            ("VM.Backup" on "/vms/{vmid}"),
            "pve-manager PVE/VZDump.pm, exec_backup"
        ).in_task().seen("vzdump-403-dsonly")
        check("for the storage", ("Datastore.AllocateSpace" on "/storage/{storage}"), VZDUMP_API)
            .seen("vzdump-403-limited")
        check("for `prune-backups`", ("Datastore.Allocate" on "/storage/{storage}"), API)
            .seen("vzdump-prune-backuponly")
        check("for `bwlimit`, `ionice`, `performance`", ("Sys.Modify" on "/"), API).seen("vzdump-bwlimit-token")
        check("for `stop`", ("Sys.Modify" on "/nodes/{node}"), VZDUMP_API).seen("vzdump-stop-param");

        /// Reads what a backup does unless it is told otherwise, for a storage or for the node.
        ///
        /// Source: pve-manager `PVE/API2/VZDump.pm`.
        GET "/nodes/{node}/vzdump/defaults" as DEFAULTS "backup.defaults"
        fn vzdump_defaults(self, storage: Option<&StorageId>) -> VzdumpDefaults { .optional("storage", storage) }
        needs (any token)
        check(
            "for the storage",
            ("Datastore.Audit" or "Datastore.AllocateSpace" on "/storage/{storage}"),
            "pve-manager PVE/API2/VZDump.pm, defaults"
        );

        /// Reads the configuration inside a backup, as the lines of a configuration file.
        ///
        /// Source: pve-manager `PVE/API2/VZDump.pm`.
        GET "/nodes/{node}/vzdump/extractconfig" as EXTRACT_CONFIG "backup.extract_config"
        fn extract_config(self, volume: &BackupVolume) -> String { .parameter("volume", volume) }
        needs (any token)
        .paced(Pace::Storage)
        .protected()
        check(
            "always",
            (both ("Datastore.AllocateSpace" on "/storage/{storage}") ("VM.Backup" on "/vms/{vmid}")),
            "pve-manager PVE/API2/VZDump.pm, extractconfig"
        ).seen("get-extractconfig.limited");
    }
}
