//! A storage, and the volumes on it.

use proxmox_types::params::{
    AllocateParams, ContentFilter, DeleteVolumeParams, DownloadUrlParams, PruneParams, VolumeParams,
};
use proxmox_types::{Content, PruneEntry, Rows, StorageId, StorageStatus, Upid, VolumeAttributes, VolumeId};
use serde::de::DeserializeOwned;

use super::Node;
use crate::endpoint::Endpoint;
use crate::endpoint::table::storage;
use crate::{Call, Started};

/// A storage, as a node reaches it.
#[derive(Clone, Copy, Debug)]
pub struct Storage<'a> {
    pub(crate) node: Node<'a>,
    pub(crate) storage: &'a StorageId,
}

impl<'a> Storage<'a> {
    fn call<T: DeserializeOwned, P>(self, endpoint: &'static Endpoint) -> Call<'a, T, P> {
        self.node.client.call(endpoint, &[self.node.node, self.storage])
    }

    /// Reads the space. PVE looks at every storage for it, so another one that hangs makes this slow.
    ///
    /// `GET /nodes/{node}/storage/{storage}/status`; needs `Datastore.Audit` or `Datastore.AllocateSpace` on
    /// `/storage/{storage}`.
    /// Source: pve-storage `PVE/API2/Storage/Status.pm`.
    pub fn status(self) -> Call<'a, StorageStatus> {
        self.call(&storage::STATUS)
    }

    /// Lists volumes. An empty list may mean that the token sees none: backups need more than the storage itself.
    ///
    /// `GET /nodes/{node}/storage/{storage}/content`; needs `Datastore.Audit` or `Datastore.AllocateSpace` on
    /// `/storage/{storage}`; backups without `Datastore.AllocateSpace` and `VM.Backup` on their container are left out.
    /// Source: pve-storage `PVE/API2/Storage/Content.pm`.
    pub fn content(self) -> Call<'a, Rows<Content>, ContentFilter> {
        self.call(&storage::CONTENT_LIST)
    }

    /// Allocates a volume, at once, and returns its id. PVE takes names of every kind, also those of other guests.
    ///
    /// `POST /nodes/{node}/storage/{storage}/content`; needs `Datastore.AllocateSpace` on `/storage/{storage}`.
    /// Source: pve-storage `PVE/API2/Storage/Content.pm`.
    pub fn allocate(self, params: &AllocateParams) -> Call<'a, VolumeId> {
        self.call(&storage::ALLOCATE).fields(params).changing()
    }

    /// Starts downloading a template or an image.
    ///
    /// `POST /nodes/{node}/storage/{storage}/download-url`; needs `Datastore.AllocateTemplate` on `/storage/{storage}`
    /// and `Sys.AccessNetwork` on `/nodes/{node}`.
    /// Source: pve-storage `PVE/API2/Storage/Status.pm`.
    pub fn download(self, params: &DownloadUrlParams) -> Call<'a, Upid> {
        self.call(&storage::DOWNLOAD).fields(params).changing()
    }

    /// Lists the backups with what a retention would do to each, and does nothing.
    ///
    /// `GET /nodes/{node}/storage/{storage}/prunebackups`; needs `Datastore.Audit` or `Datastore.AllocateSpace` on
    /// `/storage/{storage}`.
    /// Source: pve-storage `PVE/API2/Storage/PruneBackups.pm`.
    pub fn prune_dry_run(self, params: &PruneParams) -> Call<'a, Rows<PruneEntry>> {
        self.call(&storage::PRUNE_DRY_RUN).fields(params)
    }

    /// Starts deleting the backups that a retention does not keep.
    ///
    /// `DELETE /nodes/{node}/storage/{storage}/prunebackups`; with a VMID needs `Datastore.AllocateSpace` on the storage
    /// and `VM.Backup` on the container, without one `Datastore.Allocate`.
    /// Source: pve-storage `PVE/API2/Storage/PruneBackups.pm`.
    pub fn prune(self, params: &PruneParams) -> Call<'a, Upid> {
        self.call(&storage::PRUNE_BACKUPS).fields(params).changing()
    }
}

/// A volume on a storage.
#[derive(Clone, Copy, Debug)]
pub struct Volume<'a> {
    pub(crate) storage: Storage<'a>,
    pub(crate) volume: &'a VolumeId,
}

impl<'a> Volume<'a> {
    fn call<T: DeserializeOwned, P>(self, endpoint: &'static Endpoint) -> Call<'a, T, P> {
        let node = self.storage.node;
        node.client.call(endpoint, &[node.node, self.storage.storage, self.volume])
    }

    /// Reads size, notes and protection. The size is rounded up, unlike the one in the list.
    ///
    /// `GET /nodes/{node}/storage/{storage}/content/{volume}`; a backup needs `Datastore.AllocateSpace` on the storage
    /// and `VM.Backup` on its container.
    /// Source: pve-storage `PVE/API2/Storage/Content.pm`.
    pub fn get(self) -> Call<'a, VolumeAttributes> {
        self.call(&storage::VOLUME)
    }

    /// Changes notes and protection of a backup, at once.
    ///
    /// `PUT /nodes/{node}/storage/{storage}/content/{volume}`; needs what reading it needs. Other volumes are refused.
    /// Source: pve-storage `PVE/API2/Storage/Content.pm`.
    pub fn set(self, params: &VolumeParams) -> Call<'a, ()> {
        self.call(&storage::SET_VOLUME).fields(params).unit()
    }

    /// Starts deleting the volume. A backup that is already gone is a task that succeeds; a protected one fails in it.
    ///
    /// `DELETE /nodes/{node}/storage/{storage}/content/{volume}`; a backup needs what reading it needs, everything else
    /// `Datastore.Allocate` on `/storage/{storage}`. With a delay the answer may come after the end, and then there is
    /// no task.
    /// Source: pve-storage `PVE/API2/Storage/Content.pm`.
    pub fn delete(self) -> Call<'a, Started, DeleteVolumeParams> {
        self.call(&storage::DELETE_VOLUME).changing()
    }
}
