//! The sentences of PVE and what they mean.

use super::meaning::Meaning::{
    self, Conflict, Fetch, Guest, LockTimeout, Locked, Missing, NoQuorum, NoSnapshots, NoSpace, NotRunning,
    Outage, Present, Privileges, Protected, RootOnly, Running, Template, Unavailable, Unfit, Unlisted,
    Unnamed, Uri,
};
use crate::error::Thing;

/// One sentence and its meaning.
pub(super) struct SentenceRow {
    /// As [`captures`](super::captures) reads it. The first text is the name that the meaning has.
    pub(super) pattern: &'static str,
    pub(super) meaning: Meaning,
    /// Where it was seen: a recording, or a file of PVE's source (`.pm`) if no recording holds it. A task's exit status
    /// counts as a sentence.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the tests that replay the recordings"))]
    pub(super) seen: &'static str,
    /// Whether PVE says it before it does anything, so that it proves that nothing was done.
    pub(super) comes_first: bool,
}

/// What may also be said in the middle, such as a lock that could not be had.
const fn row(pattern: &'static str, meaning: Meaning, seen: &'static str) -> SentenceRow {
    SentenceRow { pattern, meaning, seen, comes_first: false }
}

/// A refusal that comes before the worker is started, or before the first write of a call without one.
const fn first(pattern: &'static str, meaning: Meaning, seen: &'static str) -> SentenceRow {
    SentenceRow { pattern, meaning, seen, comes_first: true }
}

/// The table; the first row that fits counts.
pub(super) const ROWS: &[&[SentenceRow]] =
    &[DENIALS, OUTAGES, LOCKS, MISSING, PRESENT, STATES, STORAGES, UNFIT];

/// What may stand before a sentence: a status, or what was to be done. The last text is the sentence.
pub(super) const HEADS: &[&str] =
    &["403 {}", "400 {}", "500 {}", "unable to {} CT {name} - {}", "unable to {} CT {name}: {}"];

/// The same of a step of something that had already begun.
pub(super) const STEPS: &[&str] = &[
    "ERROR: {}",
    "Backup of VM {name} failed - {}",
    "clone failed: {}",
    "zfs error: {}",
    "cfs-lock {name} error: {}",
    "error with cfs lock {name}: {}",
    "could not activate storage {name}: {}",
    "could not get storage information for {name}: {}",
    "access permissions cleanup for CT {name} failed: {}",
    "unable to hotplug {name}: {}",
    "unable to apply pending change {name}: {}",
];

/// Rows of the table: `first` or `row`, the sentence, its meaning, and where it was seen.
macro_rules! sentences {
    ($($kind:ident $pattern:literal $meaning:ident $(($of:expr))? $seen:literal;)*) => {
        &[$($kind($pattern, $meaning $(($of))?, $seen)),*]
    };
}

const DENIALS: &[SentenceRow] = sentences! {
    first "Permission check failed (user != root@pam)" RootOnly("this") "volume-copy-r2";
    first "Permission check failed ({} is only allowed for root@pam)"
        RootOnly("") "config-put-keyctl-token";
    first "Permission check failed (URI {name} not available with API token{}"
        Uri "token-notallowed-endpoint";
    first "Permission check failed (pool {name} does not exist)" Missing(Thing::Pool) "create-nopool";
    first "Permission check failed ({}, {})" Privileges "start-403-none";
    first "Permission check failed{}" Unnamed "lp-restore-nopool";
    first "Only root can pass arbitrary filesystem paths."
        RootOnly("an arbitrary filesystem path") "pve-storage PVE/Storage.pm check_volume_access";
    first "only root can set {name} config" RootOnly("") "pve-container PVE/LXC.pm";
};

const OUTAGES: &[SentenceRow] = sentences! {
    row "{}No space left on device{}" NoSpace "pve-common PVE/Tools.pm file_set_contents";
    row "{}no space left on device{}" NoSpace "pve-storage PVE/Storage/PBSPlugin.pm";
    row "{}Disk quota exceeded{}" NoSpace "pve-common PVE/Tools.pm file_set_contents";
    row "{}out of space{}" NoSpace "pve-storage PVE/Storage/ZFSPoolPlugin.pm zfs_request";
    row "{}insufficient free space{}" NoSpace "pve-storage PVE/Storage/LVMPlugin.pm alloc_image";
    row "{}not enough free space{}" NoSpace "pve-storage PVE/Storage/LVMPlugin.pm alloc_image";
    row "{}free space in thin pool {} reached threshold{}"
        NoSpace "pve-storage PVE/Storage/LvmThinPlugin.pm";
    first "cluster not ready - no quorum?" NoQuorum "pve-cluster PVE/Cluster.pm check_cfs_quorum";
    row "{}no quorum{}" NoQuorum "pve-cluster PVE/Cluster.pm cfs_lock";
    row "unable to open file '/etc/pve/{}' - Permission denied"
        NoQuorum "pve-common PVE/Tools.pm file_set_contents";
    first "RPCEnvironment init request failed: {}" Outage "version-pmxcfs-dead";
    first "Unable to load access control list: {}"
        Outage "pve-access-control PVE/RPCEnvironment.pm init_request";
    row "ipcc_send_rec{}failed: {}" Outage "pve-cluster PVE/Cluster.pm ipcc_send_rec";
    row "{}Transport endpoint is not connected{}" Outage "pve-cluster PVE/Cluster.pm ipcc_send_rec";
    row "{}pmxcfs not mounted{}" Outage "pve-cluster PVE/Cluster.pm cfs_lock";
    row "pve configuration filesystem {}not mounted{}"
        Outage "pve-cluster PVE/Cluster.pm check_cfs_is_mounted";
    row "pve cluster filesystem not online{}" Outage "pve-cluster PVE/Cluster.pm";
    row "unable to {} file '/etc/pve/{}' - {}" Outage "pve-common PVE/Tools.pm file_get_contents";
};

const LOCKS: &[SentenceRow] = sentences! {
    first "{name} is locked ({})" Locked "locked-delete";
    first "{name} {name} is locked ({})" Locked "pve-guest-common PVE/AbstractConfig.pm check_lock";
    // After 10 s, also while the container is started.
    row "Failed to obtain guest migration lock - replication running?"
        LockTimeout "pve-guest-common PVE/AbstractConfig.pm snapshot_delete";
    // The list is written after the worker was let go.
    row "can't lock file '/var/log/pve/tasks/.active.lock' - got timeout"
        Unlisted "pve-common PVE/RESTEnvironment.pm fork_worker";
    row "can't lock file {name} - got timeout" LockTimeout "flock-held-config-put";
    row "can't acquire lock {name} - {}" LockTimeout "pve-manager PVE/VZDump.pm getlock";
    row "can't acquire lock {name} (wait = {})" LockTimeout "pve-manager PVE/VZDump.pm getlock";
    row "{}got lock request timeout{}" LockTimeout "pve-cluster PVE/Cluster.pm cfs_lock";
};

const MISSING: &[SentenceRow] = sentences! {
    first "Configuration file '{}/lxc/{}.conf' does not exist" Guest "get-lxc-config-missing";
    first "unable to find VM {name}" Missing(Thing::Container) "pve-manager PVE/VZDump.pm exec_backup";
    first "unable to find configuration file for CT {name}{}"
        Missing(Thing::Container) "pve-container PVE/CLI/pct.pm";
    first "storage {name} does not exist{}" Missing(Thing::Storage) "get-storage-get-missing";
    first "No such storage." Missing(Thing::Storage) "pve-storage PVE/API2/Storage/Status.pm index";
    first "snapshot {name} does not exist" Missing(Thing::Snapshot) "snapshot-config-missing";
    row "volume {name} does not exist" Missing(Thing::Volume) "extractconfig-missing";
    row "volume {name} for container {} does not exist"
        Missing(Thing::Volume) "pve-container PVE/API2/LXC.pm move_volume";
    row "volume_size_info on {name} failed{}" Missing(Thing::Volume) "content-volume-get-missing";
    row "cannot open {name}: dataset does not exist{}"
        Missing(Thing::Volume) "pve-storage PVE/Storage/ZFSPoolPlugin.pm";
    row "bridge {name} does not exist" Missing(Thing::Bridge) "start-missing-bridge";
    first "pool {name} does not exist" Missing(Thing::Pool) "pools-poolid-missing";
    first "no such token {name} for user {}" Missing(Thing::Token) "token-get-missing.root";
    first "hostname lookup {name} failed{}" Missing(Thing::Node) "get-node-unknown";
    first "address lookup for {name} did not find{}" Missing(Thing::Node) "offline-node-status";
    first "no such cluster node {name}" Missing(Thing::Node) "clone-r2-target-node-unknown";
    first "failed to get address info for: {name}: {}"
        Missing(Thing::Node) "pve-common PVE/Network.pm get_ip_from_hostname";
    first "no such task" Missing(Thing::Task) "pve-manager PVE/API2/Tasks.pm read_task_status";
};

const PRESENT: &[SentenceRow] = sentences! {
    // A virtual machine has the VMID as well.
    first "CT {name} already exists{}" Present(Thing::Container) "create-twice-second";
    first "VM {name} already exists{}" Present(Thing::Container) "pve-manager PVE/API2/Cluster.pm nextid";
    first "Could not reserve ID {name}, already taken"
        Present(Thing::Container) "pve-container PVE/API2/LXC.pm create_vm";
    first "snapshot name {name} already used" Present(Thing::Snapshot) "snapshot-create-dup";
    first "disk image {name} already exists" Present(Thing::Volume) "allocate-r2-exists";
    first "volume {name} already exists{}"
        Present(Thing::Volume) "pve-storage PVE/Storage/Plugin.pm volume_import";
    first "file {name} already exists{}"
        Present(Thing::Volume) "pve-storage PVE/Storage/Plugin.pm volume_import";
    first "refusing to override existing file {name}"
        Present(Thing::Volume) "pve-storage PVE/API2/Storage/Status.pm";
    row "cannot create {name}: dataset already exists{}"
        Present(Thing::Volume) "pve-storage PVE/Storage/ZFSPoolPlugin.pm";
    first "pool {name} already exists" Present(Thing::Pool) "pve-manager PVE/API2/Pool.pm create_pool";
    first "storage ID {name} already defined"
        Present(Thing::Storage) "pve-storage PVE/API2/Storage/Config.pm create";
};

const STATES: &[SentenceRow] = sentences! {
    first "CT {name} already running" Running "lxc-start-already-running";
    first "can't overwrite running container" Running "restore-force-403-path100";
    first "{}container is running" Running "lxc-delete-running";
    first "unable to rollback vm {}: vm is running"
        Running "pve-guest-common PVE/AbstractConfig.pm snapshot_rollback";
    first "you can't convert a running CT to template" Running "pve-container PVE/API2/LXC.pm template";
    first "cannot move volumes of a running container{}"
        Running "pve-container PVE/API2/LXC.pm move_volume";
    first "can't migrate running container without --online or --restart"
        Running "pve-container PVE/API2/LXC.pm migrate_vm";
    first "Full clone of a running container is only possible from a snapshot" Running "clone-running-full";
    first "CT {name} not running" NotRunning "lxc-stop-not-running";
    first "VM {name} not running" NotRunning "lxc-reboot-not-running";
    first "detected modified {}" Conflict "resize-digest";
    first "{} - protection mode enabled" Protected "lxc-delete-protected";
    first "cannot remove protected volume{}" Protected "content-volume-delete-protected";
    first "you can't {} if it's a template" Template "template-snapshot";
    first "you can't {} if vm is a template"
        Template "pve-guest-common PVE/AbstractConfig.pm snapshot_rollback";
    first "you can't convert a template to a template" Template "template-again";
    first "snapshot feature is not available" NoSnapshots "snapshot-missing-disk";
};

const STORAGES: &[SentenceRow] = sentences! {
    first "storage {name} is disabled{}" Unavailable "content-disabled";
    first "storage {name} is not online{}" Unavailable "content-inactive";
    first "storage {name} is not available on node {}"
        Unavailable "pve-storage PVE/Storage.pm storage_check_node";
    first "storage {name} is not active{}" Unavailable "pve-storage PVE/API2/Storage/Status.pm";
    first "storage {name} is not available{}" Unavailable "pve-storage PVE/Storage.pm";
    first "storage {name} is offline{}" Unavailable "pve-storage PVE/Storage.pm";
    first "unable to activate storage {name} - {}"
        Unavailable "pve-storage PVE/Storage/DirPlugin.pm activate_storage";
    row "could not activate storage {name}, {}"
        Unavailable "pve-storage PVE/Storage/ZFSPoolPlugin.pm activate_storage";
    row "could not activate storage {name}: {}" Unavailable "pve-manager PVE/VZDump.pm storage_info";
    row "{name}: error fetching datastores - {}"
        Unavailable "pve-storage PVE/Storage/PBSPlugin.pm activate_storage";
    row "invalid server response: {}" Fetch "query-url-metadata-r2";
    row "download failed: {}" Fetch "download-url-r2-full";
    row "checksum mismatch: {}" Fetch "upload-r2-checksum";
};

/// What does not fit the container, the volume or the storage that it was asked of. The sentence says it all.
const UNFIT: &[SentenceRow] = sentences! {
    first "storage {} is not configured for content-type {}" Unfit "download-url-r2-no-content";
    first "storage {} does not support {}" Unfit "prune-dry-run-r2-btr-no-backup-content";
    first "can't use storage {} for backups - wrong content type" Unfit "vzdump-storage-no-backup";
    first "can't upload to storage type {}" Unfit "pve-storage PVE/API2/Storage/Status.pm upload";
    first "unable to use volume {} - content type needs to be {}" Unfit "extractconfig-notbackup";
    first "only backups can have notes" Unfit "volume-put-r2-notes-on-template";
    first "illegal name {} - should be {}" Unfit "pve-storage PVE/Storage/Plugin.pm alloc_image";
    first "unsupported format {}" Unfit "pve-storage PVE/Storage/ZFSPoolPlugin.pm alloc_image";
    row "unable to parse {}" Unfit "create-rootfs-size-suffix";
    first "parameter 'storage' not allowed for linked clones"
        Unfit "pve-container PVE/API2/LXC.pm clone_vm";
    first "{}clone feature{} is not {}" Unfit "pve-container PVE/API2/LXC.pm clone_vm";
    first "Moving an unused volume to a used one is not possible" Unfit "move-volume-r2-to-other-ct";
    first "unable to create template, because CT contains snapshots" Unfit "template-r2-with-snapshot";
    first "mount points configured, but 'rootfs' not set - aborting"
        Unfit "pve-container PVE/API2/LXC.pm create_vm";
    first "unable to modify read-only option: {}" Unfit "config-put-unprivileged";
    first "unable to delete required option {}" Unfit "pending-delete-rootfs";
    first "no options specified" Unfit "config-put-empty";
    first "disk is already at specified size" Unfit "resize-same";
    first "unable to shrink disk size" Unfit "resize-shrink";
    row "cannot resize subvolume - {}" Unfit "pve-storage PVE/Storage/BTRFSPlugin.pm volume_resize";
    first "unable to use snapshot name {} (reserved name)" Unfit "snapshot-create-name-vzdump";
    first "unable to rollback to incomplete snapshot {}"
        Unfit "pve-guest-common PVE/AbstractConfig.pm snapshot_rollback";
    first "snapshot {} needed by replication job {}"
        Unfit "pve-guest-common PVE/AbstractConfig.pm snapshot_delete";
    first "can't rollback, {}" Unfit "pve-storage PVE/Storage/ZFSPoolPlugin.pm volume_rollback_is_possible";
    first "unable to remove CT {} - used in HA resources and purge parameter not set."
        Unfit "pve-container PVE/API2/LXC.pm destroy_vm";
    row "base volume {} is still in use {}" Unfit "pve-storage PVE/Storage.pm vdisk_free";
    row "Too many unused volumes - please delete them first."
        Unfit "pve-guest-common PVE/AbstractConfig.pm add_unused_volume";
    row "{}archive contains no configuration file" Unfit "restore-force-corrupt";
};
