//! Storages and the volumes on them.
//!
//! Left out: the upload, whose body is multipart; templates come in through `download-url`.

use super::super::kind::{CONTENT, HTTP_URL, NEW_SIZE, PRUNE};
use super::{
    ANY_TEXT, CodeCheck, Endpoint, Kind, NODE_KIND, Pace, ParameterRow, Privileges, Returns, Rule,
    STORAGE_KIND, TaskId, Trace, VMID_KIND, Worker, check, delete, get, optional, post, put, required,
};

const SEEN: Privileges =
    Privileges::AnyOf("/storage/{storage}", &["Datastore.Audit", "Datastore.AllocateSpace"]);
const SPACE: Privileges = Privileges::All("/storage/{storage}", &["Datastore.AllocateSpace"]);
const CONTENT_API: &str = "pve-storage PVE/API2/Storage/Content.pm";
const BACKUP_ACCESS: Privileges = Privileges::Both(&[SPACE, Privileges::All("/vms/{vmid}", &["VM.Backup"])]);

const FILTERED: CodeCheck =
    check("rows without it are left out", SEEN, "pve-storage PVE/API2/Storage/Status.pm, index")
        .filters()
        .seen("get-node-storage.none");

/// Storage definitions of the cluster.
pub static DEFINITIONS: Endpoint = get("storage.definitions", "/storage", Privileges::Anyone, Returns::List)
    .checks(&[check("rows without it are left out", SEEN, "pve-storage PVE/API2/Storage/Config.pm, index")
        .filters()
        .seen("get-storage.none")]);

/// One storage definition.
pub static DEFINITION: Endpoint = get(
    "storage.definition",
    "/storage/{storage}",
    Privileges::All("/storage/{storage}", &["Datastore.Allocate"]),
    Returns::Object,
);

/// Storages of a node with their space.
pub static LIST: Endpoint = get("storage.list", "/nodes/{node}/storage", Privileges::Anyone, Returns::List)
    .with(&[&[
        optional("storage", STORAGE_KIND),
        optional("content", Kind::List(CONTENT)),
        optional("enabled", Kind::Boolean),
        optional("target", NODE_KIND),
        optional("format", Kind::Boolean),
    ]])
    .checks(&[FILTERED])
    .paced(Pace::Storage)
    .protected();

/// Space of one storage.
pub static STATUS: Endpoint =
    get("storage.status", "/nodes/{node}/storage/{storage}/status", SEEN, Returns::Object)
        .paced(Pace::Storage)
        .protected();

/// Volumes on a storage.
pub static CONTENT_LIST: Endpoint =
    get("volume.list", "/nodes/{node}/storage/{storage}/content", SEEN, Returns::List)
        .with(&[&[optional("content", Kind::Format(CONTENT)), optional("vmid", VMID_KIND)]])
        .checks(&[check("backups without it are left out", BACKUP_ACCESS, CONTENT_API)
            .filters()
            .seen("get-content-backup.none")])
        .paced(Pace::Storage)
        .protected();

/// Attributes of one volume.
pub static VOLUME: Endpoint = get(
    "volume.get",
    "/nodes/{node}/storage/{storage}/content/{volume}",
    Privileges::Anyone,
    Returns::Object,
)
.checks(&[check("for a backup", BACKUP_ACCESS, CONTENT_API).seen("get-content-volume.limited")])
.paced(Pace::Storage)
.protected();

/// Changes notes and protection of a backup.
pub static SET_VOLUME: Endpoint =
    put("volume.set", "/nodes/{node}/storage/{storage}/content/{volume}", Privileges::Anyone, Returns::Null)
        .with(&[&[optional("notes", ANY_TEXT), optional("protected", Kind::Boolean)]])
        .checks(&[check("for a backup", BACKUP_ACCESS, CONTENT_API).seen("content-put-backuponly")])
        .traced(Trace::Value(&VOLUME));

/// Deletes a volume.
pub static DELETE_VOLUME: Endpoint = delete(
    "volume.delete",
    "/nodes/{node}/storage/{storage}/content/{volume}",
    Privileges::Anyone,
    Returns::UpidOrNull,
)
.with(&[&[optional("delay", Kind::Integer(1, 30))]])
.checks(&[
    check("for a backup", BACKUP_ACCESS, CONTENT_API).seen("content-delete-backuponly"),
    check("for everything else", Privileges::All("/storage/{storage}", &["Datastore.Allocate"]), CONTENT_API)
        .seen("content-delete-403-limited"),
])
.traced(Trace::Deleted(Worker { kinds: &["imgdel"], id: TaskId::Storage }, &VOLUME));

/// Allocates a volume.
pub static ALLOCATE: Endpoint =
    post("volume.allocate", "/nodes/{node}/storage/{storage}/content", SPACE, Returns::Text).with(&[&[
        required("filename", ANY_TEXT),
        required("vmid", VMID_KIND),
        required("size", Kind::Pattern(NEW_SIZE)),
        optional("format", Kind::OneOf(&["raw", "qcow2", "subvol", "vmdk"])),
    ]]);

/// Downloads a template to a storage.
pub static DOWNLOAD: Endpoint = post(
    "storage.download",
    "/nodes/{node}/storage/{storage}/download-url",
    Privileges::Both(&[
        Privileges::All("/storage/{storage}", &["Datastore.AllocateTemplate"]),
        Privileges::Either(&[
            Privileges::All("/", &["Sys.Audit", "Sys.Modify"]),
            Privileges::All("/nodes/{node}", &["Sys.AccessNetwork"]),
        ]),
    ]),
    Returns::Upid,
)
.with(&[&[
    required("url", Kind::Pattern(HTTP_URL)),
    required("content", Kind::OneOf(&["iso", "vztmpl", "import"])),
    required("filename", Kind::Text(0, 255)),
    optional("checksum", ANY_TEXT),
    optional("checksum-algorithm", Kind::OneOf(&["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])),
    optional("verify-certificates", Kind::Boolean),
]])
.ruled(&[Rule::Needs("checksum", "checksum-algorithm"), Rule::Needs("checksum-algorithm", "checksum")])
.traced(Trace::Task(Worker { kinds: &["download"], id: TaskId::Named("filename") }));

const PRUNE_FILTER: &[ParameterRow] = &[
    optional("prune-backups", Kind::Format(PRUNE)),
    optional("type", Kind::OneOf(&["qemu", "lxc"])),
    optional("vmid", VMID_KIND),
];

/// Which backups a retention would keep.
pub static PRUNE_DRY_RUN: Endpoint =
    get("storage.prune_dry_run", "/nodes/{node}/storage/{storage}/prunebackups", SEEN, Returns::List)
        .with(&[PRUNE_FILTER])
        .paced(Pace::Storage)
        .protected();

/// Deletes the backups that a retention does not keep.
pub static PRUNE_BACKUPS: Endpoint = delete(
    "storage.prune",
    "/nodes/{node}/storage/{storage}/prunebackups",
    Privileges::Anyone,
    Returns::Upid,
)
.with(&[PRUNE_FILTER])
.checks(&[
    check("with `vmid`", BACKUP_ACCESS, "pve-storage PVE/API2/Storage/PruneBackups.pm")
        .seen("prune-403-limited"),
    check(
        "without `vmid`",
        Privileges::All("/storage/{storage}", &["Datastore.Allocate"]),
        "pve-storage PVE/API2/Storage/PruneBackups.pm",
    ),
])
.traced(Trace::Task(Worker { kinds: &["prunebackups"], id: TaskId::Storage }));

pub(super) static ENDPOINTS: &[&Endpoint] = &[
    &DEFINITIONS,
    &DEFINITION,
    &LIST,
    &STATUS,
    &CONTENT_LIST,
    &VOLUME,
    &SET_VOLUME,
    &DELETE_VOLUME,
    &ALLOCATE,
    &DOWNLOAD,
    &PRUNE_DRY_RUN,
    &PRUNE_BACKUPS,
];
