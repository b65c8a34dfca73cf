//! Storages and the volumes on them.
//!
//! Left out: the upload, whose body is multipart; templates come in through `download-url`.

use proxmox_types::params::{
    AllocateParams, ContentFilter, DeleteVolumeParams, DownloadUrlParams, PruneParams, StorageFilter,
    VolumeParams,
};
use proxmox_types::{
    Content, PruneEntry, Rows, StorageDefinition, StorageId, StorageStatus, Upid, VolumeAttributes, VolumeId,
};

use super::place::{Node, Nothing, Storage, Volume};
use crate::endpoint::{Pace, TaskId, Trace, Worker};
use crate::{Client, Started};

const CONTENT_API: &str = "pve-storage PVE/API2/Storage/Content.pm";
const PRUNE_API: &str = "pve-storage PVE/API2/Storage/PruneBackups.pm";

endpoints! {
    impl Client as self, '_ {
        /// Lists the storage definitions of the cluster.
        ///
        /// Source: pve-storage `PVE/API2/Storage/Config.pm`.
        GET "/storage" as DEFINITIONS "storage.definitions"
        fn storage_definitions(&self) -> Rows<StorageDefinition>
        needs (any token)
        check(
            "rows without it are left out",
            ("Datastore.Audit" or "Datastore.AllocateSpace" on "/storage/{storage}"),
            "pve-storage PVE/API2/Storage/Config.pm, index"
        ).filters().seen("get-storage.none");

        /// Reads one storage definition, which needs more than the list does.
        ///
        /// Source: pve-storage `PVE/API2/Storage/Config.pm`.
        GET "/storage/{storage}" as DEFINITION "storage.definition"
        fn storage_definition(&self, storage: &StorageId) -> StorageDefinition { .at(&[storage]) }
        needs ("Datastore.Allocate" on "/storage/{storage}");
    }

    impl Node<'a> as self, 'a {
        /// Lists the storages with their space. PVE asks every one of them, so one that hangs makes this slow.
        ///
        /// Source: pve-storage `PVE/API2/Storage/Status.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// for storage in node.storages().await?.iter() {
        ///     println!("{:?}: {:?} bytes are free", storage.storage, storage.avail);
        /// }
        /// # Ok(()) });
        /// ```
        GET "/nodes/{node}/storage" as LIST "storage.list"
        fn storages(self) -> Rows<StorageStatus>, with StorageFilter
        needs (any token)
        .paced(Pace::Storage)
        .protected()
        check(
            "rows without it are left out",
            ("Datastore.Audit" or "Datastore.AllocateSpace" on "/storage/{storage}"),
            "pve-storage PVE/API2/Storage/Status.pm, index"
        ).filters().seen("get-node-storage.none");
    }

    impl Storage<'a> as self, 'a {
        /// Reads the space. PVE looks at every storage for it, so another one that hangs makes this slow.
        ///
        /// Source: pve-storage `PVE/API2/Storage/Status.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// # let storage = "local".parse()?; let storage = node.storage(&storage);
        /// assert!(storage.status().await?.total > Some(0));
        /// # Ok(()) });
        /// ```
        GET "/nodes/{node}/storage/{storage}/status" as STATUS "storage.status"
        fn status(self) -> StorageStatus
        needs ("Datastore.Audit" or "Datastore.AllocateSpace" on "/storage/{storage}")
        .paced(Pace::Storage)
        .protected();

        /// Lists volumes. An empty list may mean that the token sees none: backups need more than the storage itself.
        ///
        /// Source: pve-storage `PVE/API2/Storage/Content.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// # let storage = "local".parse()?; let storage = node.storage(&storage);
        /// use types::{ContentType, params::ContentFilter};
        /// let backups = ContentFilter { content: Some(ContentType::Backup), ..ContentFilter::default() };
        /// for volume in storage.content().with(backups).await?.iter() {
        ///     println!("{}", volume.volid);
        /// }
        /// # Ok(()) });
        /// ```
        GET "/nodes/{node}/storage/{storage}/content" as CONTENT_LIST "volume.list"
        fn content(self) -> Rows<Content>, with ContentFilter
        needs ("Datastore.Audit" or "Datastore.AllocateSpace" on "/storage/{storage}")
        .paced(Pace::Storage)
        .protected()
        check(
            "backups without it are left out",
            (both ("Datastore.AllocateSpace" on "/storage/{storage}") ("VM.Backup" on "/vms/{vmid}")),
            CONTENT_API
        ).filters().seen("get-content-backup.none");

        /// Allocates a volume, at once, and returns its id. PVE takes names of every kind, also those of other guests.
        ///
        /// Source: pve-storage `PVE/API2/Storage/Content.pm`.
        POST "/nodes/{node}/storage/{storage}/content" as ALLOCATE "volume.allocate"
        fn allocate(self, params: &AllocateParams) -> VolumeId { .fields(params) }
        needs ("Datastore.AllocateSpace" on "/storage/{storage}");

        /// Starts downloading a template or an image.
        ///
        /// Source: pve-storage `PVE/API2/Storage/Status.pm`.
        POST "/nodes/{node}/storage/{storage}/download-url" as DOWNLOAD "storage.download"
        fn download(self, params: &DownloadUrlParams) -> Upid { .fields(params) }
        needs (both
            ("Datastore.AllocateTemplate" on "/storage/{storage}")
            (either ("Sys.Audit" and "Sys.Modify" on "/") ("Sys.AccessNetwork" on "/nodes/{node}")))
        .starts(&["download"], "filename");

        /// Lists the backups with what a retention would do to each, and does nothing.
        ///
        /// Source: pve-storage `PVE/API2/Storage/PruneBackups.pm`.
        GET "/nodes/{node}/storage/{storage}/prunebackups" as PRUNE_DRY_RUN "storage.prune_dry_run"
        fn prune_dry_run(self) -> Rows<PruneEntry>, with PruneParams
        needs ("Datastore.Audit" or "Datastore.AllocateSpace" on "/storage/{storage}")
        .paced(Pace::Storage)
        .protected();

        /// Starts deleting the backups that a retention does not keep.
        ///
        /// Source: pve-storage `PVE/API2/Storage/PruneBackups.pm`.
        DELETE "/nodes/{node}/storage/{storage}/prunebackups" as PRUNE_BACKUPS "storage.prune"
        fn prune(self) -> Upid, with PruneParams
        needs (any token)
        .traced(Trace::Task(Worker { kinds: &["prunebackups"], id: TaskId::Storage }))
        check(
            "with `vmid`",
            (both ("Datastore.AllocateSpace" on "/storage/{storage}") ("VM.Backup" on "/vms/{vmid}")),
            PRUNE_API
        ).seen("prune-403-limited")
        check("without `vmid`", ("Datastore.Allocate" on "/storage/{storage}"), PRUNE_API);
    }

    impl Volume<'a> as self, 'a {
        /// Reads size, notes and protection. The size is rounded up, unlike the one in the list.
        ///
        /// Source: pve-storage `PVE/API2/Storage/Content.pm`.
        GET "/nodes/{node}/storage/{storage}/content/{volume}" as VOLUME "volume.get"
        fn get(self) -> VolumeAttributes
        needs (any token)
        .paced(Pace::Storage)
        .protected()
        check(
            "for a backup",
            (both ("Datastore.AllocateSpace" on "/storage/{storage}") ("VM.Backup" on "/vms/{vmid}")),
            CONTENT_API
        ).seen("get-content-volume.limited");

        /// Changes notes and protection of a backup, at once. Other volumes are refused.
        ///
        /// Source: pve-storage `PVE/API2/Storage/Content.pm`.
        PUT "/nodes/{node}/storage/{storage}/content/{volume}" as SET_VOLUME "volume.set"
        fn set(self) -> Nothing, with VolumeParams
        needs (any token)
        .traced(Trace::Value(&VOLUME))
        check(
            "for a backup",
            (both ("Datastore.AllocateSpace" on "/storage/{storage}") ("VM.Backup" on "/vms/{vmid}")),
            CONTENT_API
        ).seen("content-put-backuponly");

        /// Starts deleting the volume. A backup that is already gone is a task that succeeds; a protected one fails in it.
        ///
        /// With a delay the answer may come after the end, and then there is no task.
        /// Source: pve-storage `PVE/API2/Storage/Content.pm`.
        DELETE "/nodes/{node}/storage/{storage}/content/{volume}" as DELETE_VOLUME "volume.delete"
        fn delete(self) -> Started, with DeleteVolumeParams
        needs (any token)
        .traced(Trace::Deleted(Worker { kinds: &["imgdel"], id: TaskId::Storage }, &VOLUME))
        check(
            "for a backup",
            (both ("Datastore.AllocateSpace" on "/storage/{storage}") ("VM.Backup" on "/vms/{vmid}")),
            CONTENT_API
        ).seen("content-delete-backuponly")
        check("for everything else", ("Datastore.Allocate" on "/storage/{storage}"), CONTENT_API)
            .seen("content-delete-403-limited");
    }
}
