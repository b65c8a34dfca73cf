//! Containers: reading, creating, restoring, changing, removing.

use super::super::kind::UNBOUNDED;
use super::super::kind::{DISK_SIZE, DNS_NAME, OPTION_NAME, POOL, STORAGE_PAIR};
use super::options::{
    BRIDGE, CPU, CREATE_OPTIONS, DISK, MEMORY, NESTING, NETWORK, NEW_VOLUME, OPTIONS, OTHERS,
};
use super::{
    ANY_TEXT, BWLIMIT, CodeCheck, DIGEST, Endpoint, Kind, NODE_KIND, Pace, ParameterRow, Privileges, Returns,
    Rule, SNAPSHOT_KIND, STORAGE_KIND, TaskId, Trace, VMID_KIND, Worker, at_least, check, delete, format_of,
    get, optional, post, put, required,
};

const AUDIT: Privileges = Privileges::All("/vms/{vmid}", &["VM.Audit"]);
const ALLOCATE: Privileges = Privileges::All("/vms/{vmid}", &["VM.Allocate"]);
const API: &str = "pve-container PVE/API2/LXC.pm, create_vm";

/// Containers of a node.
pub static LIST: Endpoint = get("lxc.list", "/nodes/{node}/lxc", Privileges::Anyone, Returns::List)
    .checks(&[check("rows without it are left out", AUDIT, "pve-container PVE/API2/LXC.pm, vmlist")
        .filters()
        .seen("get-lxc-list.none")])
    .protected();

/// State of a container.
pub static STATUS: Endpoint =
    get("lxc.status", "/nodes/{node}/lxc/{vmid}/status/current", AUDIT, Returns::Object).protected();

/// Configuration of a container: with pending changes, in effect, or of a snapshot.
pub static CONFIG: Endpoint = get("lxc.config", "/nodes/{node}/lxc/{vmid}/config", AUDIT, Returns::Object)
    .with(&[&[optional("current", Kind::Boolean), optional("snapshot", SNAPSHOT_KIND)]]);

/// Options of a container with their pending changes.
pub static PENDING: Endpoint = get("lxc.pending", "/nodes/{node}/lxc/{vmid}/pending", AUDIT, Returns::List);

/// Whether a container can be snapshotted, cloned or copied.
pub static FEATURE: Endpoint = get("lxc.feature", "/nodes/{node}/lxc/{vmid}/feature", AUDIT, Returns::Object)
    .with(&[&[required("feature", Kind::OneOf(&["snapshot", "clone", "copy"]))]])
    .protected();

/// Network interfaces inside a running container.
pub static INTERFACES: Endpoint =
    get("lxc.interfaces", "/nodes/{node}/lxc/{vmid}/interfaces", AUDIT, Returns::List).protected();

/// Parameters that creating and restoring share.
const NEW: &[ParameterRow] = &[
    required("vmid", VMID_KIND),
    required("ostemplate", Kind::Text(0, 255)),
    optional("storage", STORAGE_KIND),
    optional("pool", format_of(POOL)),
    optional("bwlimit", BWLIMIT),
    optional("ignore-unpack-errors", Kind::Boolean),
    optional("start", Kind::Boolean),
    optional("ha-managed", Kind::Boolean),
];

const POOLED_ALLOCATE: CodeCheck = check(
    "always; without a pool in the call a grant on the pool does not count, and the 403 names nothing",
    Privileges::Either(&[ALLOCATE, Privileges::IfSent("pool", "/pool/{pool}", &["VM.Allocate"])]),
    API,
)
.seen("lp-restore-nopool");
const TARGET: CodeCheck =
    check("for the target storage", Privileges::All("/storage/{storage}", &["Datastore.AllocateSpace"]), API)
        .seen("restore-403-vmonly");
const HA: CodeCheck = check("for `ha-managed`", Privileges::All("/", &["Sys.Console"]), API);

/// Creates a container from a template.
pub static CREATE: Endpoint = post("lxc.create", "/nodes/{node}/lxc", Privileges::Anyone, Returns::Upid)
    .with(&[
        NEW,
        OPTIONS,
        CREATE_OPTIONS,
        &[optional("password", Kind::Text(5, UNBOUNDED)), optional("ssh-public-keys", ANY_TEXT)],
    ])
    .checks(&[
        POOLED_ALLOCATE,
        TARGET,
        check(
            "for the template's storage",
            Privileges::AnyOf("/storage/{storage}", &["Datastore.AllocateSpace", "Datastore.Audit"]),
            API,
        )
        .seen("lxc-create-403-vmonly"),
        CPU,
        MEMORY,
        NETWORK,
        DISK,
        OTHERS,
        NESTING,
        BRIDGE.seen("create-403-nosdn"),
        check("for `unprivileged=0`", Privileges::All("/", &["Sys.Modify"]), API),
        HA,
    ])
    .starts(&["vzcreate"], "vmid");

/// Restores a container from a backup.
pub static RESTORE: Endpoint = post("lxc.restore", "/nodes/{node}/lxc", Privileges::Anyone, Returns::Upid)
    .with(&[
        NEW,
        OPTIONS,
        &[
            required("restore", Kind::Boolean),
            optional("force", Kind::Boolean),
            optional("unique", Kind::Boolean),
        ],
    ])
    .checks(&[
        check(
            "always; without a pool in the call a grant on the pool does not count; VM.Backup is enough to overwrite",
            Privileges::Either(&[
                ALLOCATE,
                Privileges::IfSent("pool", "/pool/{pool}", &["VM.Allocate"]),
                Privileges::IfSent("force", "/vms/{vmid}", &["VM.Backup"]),
            ]),
            API,
        )
        .seen("lp-restore-nopool"),
        TARGET,
        check(
            "to read the backup, unless it is one of the same VMID",
            Privileges::Either(&[
                Privileges::All("/storage/{archive storage}", &["Datastore.Allocate"]),
                Privileges::Both(&[
                    Privileges::All("/storage/{archive storage}", &["Datastore.AllocateSpace"]),
                    Privileges::All("/vms/{archive vmid}", &["VM.Backup"]),
                ]),
            ]),
            "pve-storage PVE/Storage.pm, check_volume_access",
        )
        .seen("restore-403-vmonly"),
        CPU,
        MEMORY,
        NETWORK,
        DISK,
        OTHERS,
        NESTING.seen("golden-restore-features-param"),
        BRIDGE,
        check(
            "for each bridge in the backup",
            Privileges::All("/sdn/zones/localnetwork/{bridge}", &["SDN.Use"]),
            "pve-container PVE/LXC/Create.pm, restore_configuration",
        )
        .in_task()
        .seen("restore-403-nosdn-ignoreunpack"),
        check("if the result is privileged", Privileges::All("/", &["Sys.Modify"]), API).in_task(),
        HA,
    ])
    // Volumes are all made anew or all as in the backup.
    .ruled(&[Rule::Needs("mp[n]", "rootfs")])
    .starts(&["vzrestore"], "vmid");

/// Destroys a container and its volumes.
pub static DESTROY: Endpoint = delete("lxc.destroy", "/nodes/{node}/lxc/{vmid}", ALLOCATE, Returns::Upid)
    .with(&[&[
        optional("force", Kind::Boolean),
        optional("purge", Kind::Boolean),
        optional("destroy-unreferenced-disks", Kind::Boolean),
    ]])
    .starts(&["vzdestroy"], "vmid");

/// Changes options of a container.
pub static SET_CONFIG: Endpoint = put(
    "lxc.set_config",
    "/nodes/{node}/lxc/{vmid}/config",
    Privileges::AnyOf(
        "/vms/{vmid}",
        &["VM.Config.Disk", "VM.Config.CPU", "VM.Config.Memory", "VM.Config.Network", "VM.Config.Options"],
    ),
    Returns::Null,
)
.with(&[
    OPTIONS,
    CREATE_OPTIONS,
    &[
        optional("delete", Kind::List(OPTION_NAME)),
        optional("revert", Kind::List(OPTION_NAME)),
        optional("digest", DIGEST),
    ],
])
.checks(&[CPU, MEMORY, NETWORK, DISK, OTHERS, NESTING, BRIDGE, NEW_VOLUME])
.traced(Trace::Value(&CONFIG));

/// Grows a volume of a container.
pub static RESIZE: Endpoint = put(
    "lxc.resize",
    "/nodes/{node}/lxc/{vmid}/resize",
    Privileges::AnyOf("/vms/{vmid}", &["VM.Config.Disk"]),
    Returns::Upid,
)
.with(&[&[
    required("disk", Kind::VolumeKey(false)),
    required("size", Kind::Pattern(DISK_SIZE)),
    optional("digest", DIGEST),
]])
.checks(&[
    check(
        "always",
        Privileges::All("/vms/{vmid}", &["VM.Config.Options"]),
        "pve-container PVE/API2/LXC.pm, resize_vm",
    ),
    check(
        "for the storage of the volume",
        Privileges::All("/storage/{storage}", &["Datastore.AllocateSpace"]),
        "pve-container PVE/API2/LXC.pm, resize_vm",
    ),
])
.starts(&["resize"], "vmid");

/// Copies a container.
pub static CLONE: Endpoint = post(
    "lxc.clone",
    "/nodes/{node}/lxc/{vmid}/clone",
    Privileges::Both(&[
        Privileges::All("/vms/{vmid}", &["VM.Clone"]),
        Privileges::Either(&[
            Privileges::All("/vms/{newid}", &["VM.Allocate"]),
            Privileges::IfSent("pool", "/pool/{pool}", &["VM.Allocate"]),
        ]),
    ]),
    Returns::Upid,
)
.with(&[&[
    required("newid", VMID_KIND),
    optional("hostname", format_of(DNS_NAME)),
    optional("description", ANY_TEXT),
    optional("pool", format_of(POOL)),
    optional("snapname", SNAPSHOT_KIND),
    optional("storage", STORAGE_KIND),
    optional("full", Kind::Boolean),
    optional("target", NODE_KIND),
    optional("bwlimit", BWLIMIT),
]])
.checks(&[
    check(
        "for the storage of each copy",
        Privileges::All("/storage/{storage}", &["Datastore.AllocateSpace"]),
        "pve-container PVE/API2/LXC.pm, clone_vm",
    ),
    check(
        "for each bridge",
        Privileges::All("/sdn/zones/localnetwork/{bridge}", &["SDN.Use"]),
        "pve-container PVE/API2/LXC.pm, clone_vm",
    ),
])
.starts(&["vzclone"], "vmid");

/// Turns a container into a template.
pub static TEMPLATE: Endpoint =
    post("lxc.template", "/nodes/{node}/lxc/{vmid}/template", ALLOCATE, Returns::Null)
        .checks(&[check(
            "for the storage of each volume",
            Privileges::All("/storage/{storage}", &["Datastore.AllocateSpace"]),
            "pve-container PVE/API2/LXC.pm, template",
        )])
        .traced(Trace::Dropped(Worker { kinds: &["vztemplate"], id: TaskId::Named("vmid") }));

/// Moves a volume to another storage or another container.
pub static MOVE_VOLUME: Endpoint = post(
    "lxc.move_volume",
    "/nodes/{node}/lxc/{vmid}/move_volume",
    Privileges::All("/vms/{vmid}", &["VM.Config.Disk"]),
    Returns::Upid,
)
.with(&[&[
    required("volume", Kind::VolumeKey(true)),
    optional("storage", STORAGE_KIND),
    optional("delete", Kind::Boolean),
    optional("digest", DIGEST),
    optional("bwlimit", BWLIMIT),
    optional("target-vmid", VMID_KIND),
    optional("target-volume", Kind::VolumeKey(true)),
    optional("target-digest", DIGEST),
]])
.checks(&[
    check(
        "for the target storage",
        Privileges::All("/storage/{storage}", &["Datastore.AllocateSpace"]),
        "pve-container PVE/API2/LXC.pm, move_volume",
    ),
    check(
        "for `target-vmid`",
        Privileges::All("/vms/{target-vmid}", &["VM.Config.Disk"]),
        "pve-container PVE/API2/LXC.pm, move_volume",
    ),
])
.traced(Trace::Task(Worker { kinds: &["move_volume"], id: TaskId::Begins("vmid") }));

const MIGRATE_PRIVILEGE: Privileges = Privileges::All("/vms/{vmid}", &["VM.Migrate"]);

/// What stands in the way of moving a container to another node.
pub static MIGRATE_PRECONDITIONS: Endpoint =
    get("lxc.migrate_preconditions", "/nodes/{node}/lxc/{vmid}/migrate", MIGRATE_PRIVILEGE, Returns::Object)
        .with(&[&[optional("target", NODE_KIND)]])
        .paced(Pace::Storage)
        .protected();

/// Moves a container to another node.
pub static MIGRATE: Endpoint =
    post("lxc.migrate", "/nodes/{node}/lxc/{vmid}/migrate", MIGRATE_PRIVILEGE, Returns::Upid)
        .with(&[&[
            required("target", NODE_KIND),
            optional("target-storage", Kind::List(STORAGE_PAIR)),
            optional("online", Kind::Boolean),
            optional("restart", Kind::Boolean),
            optional("timeout", at_least(0)),
            optional("bwlimit", BWLIMIT),
        ]])
        .starts(&["vzmigrate", "hamigrate"], "vmid");

pub(super) static ENDPOINTS: &[&Endpoint] = &[
    &LIST,
    &STATUS,
    &CONFIG,
    &PENDING,
    &FEATURE,
    &INTERFACES,
    &CREATE,
    &RESTORE,
    &DESTROY,
    &SET_CONFIG,
    &RESIZE,
    &CLONE,
    &TEMPLATE,
    &MOVE_VOLUME,
    &MIGRATE_PRECONDITIONS,
    &MIGRATE,
];
