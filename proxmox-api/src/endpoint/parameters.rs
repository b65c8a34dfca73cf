//! The parameters of the endpoints, with their kinds and bounds.

use super::kind::{
    CONTENT, DEVICE, DISK_SIZE, DNS_NAME, ENTRYPOINT, ENVIRONMENT, FEATURES, FLEECING, Format, HOSTNAME,
    HTTP_URL, MAIL, MOUNT_POINT, NAMESERVER, NET, NEW_SIZE, NEW_SNAPSHOT, NODE, OPTION_NAME, PERFORMANCE,
    POOL, PRUNE, ROOTFS, SNAPSHOT, STARTUP, STORAGE, STORAGE_PAIR, TAG, TASK_STATUS, TIMEZONE, UNBOUNDED,
    USER_OR_TOKEN, VMID, VOLUME,
};
use super::{Kind, ParameterRow, Rule};

/// The parameters of an operation, in groups, and what they demand of each other.
type Row = (&'static str, &'static [&'static [ParameterRow]], &'static [Rule]);

/// The parameters of an operation.
pub(super) const fn of(operation: &str) -> Row {
    let mut rest = TABLE;
    while let [row, more @ ..] = rest {
        if is_same(row.0.as_bytes(), operation.as_bytes()) {
            return *row;
        }
        rest = more;
    }
    ("", &[], &[])
}

const fn is_same(mut left: &[u8], mut right: &[u8]) -> bool {
    while let ([one, ones @ ..], [other, others @ ..]) = (left, right) {
        if *one != *other {
            return false;
        }
        (left, right) = (ones, others);
    }
    left.is_empty() && right.is_empty()
}

const fn required(name: &'static str, kind: Kind) -> ParameterRow {
    ParameterRow { name, kind, is_required: true }
}

const fn optional(name: &'static str, kind: Kind) -> ParameterRow {
    ParameterRow { name, kind, is_required: false }
}

/// A number without an upper bound.
const fn at_least(low: i64) -> Kind {
    Kind::Integer(low, i64::MAX)
}

const VMID_KIND: Kind = Kind::Format(VMID);
const NODE_KIND: Kind = Kind::Format(NODE);
const STORAGE_KIND: Kind = Kind::Format(STORAGE);
const SNAPSHOT_KIND: Kind = Kind::Format(SNAPSHOT);
const DIGEST: Kind = Kind::Text(0, 40);
/// A bandwidth limit in KiB/s.
const BWLIMIT: Kind = Kind::Number(0.0, f64::INFINITY);
const ANY_TEXT: Kind = Kind::Text(0, UNBOUNDED);

const fn format_of(format: Format) -> Kind {
    Kind::Format(format)
}

/// Options that a restore can replace. Source: pve-container `PVE/LXC/Config.pm`, `$confdesc`.
const OPTIONS: &[ParameterRow] = &[
    optional("cores", Kind::Integer(1, 8192)),
    optional("cpulimit", Kind::Number(0.0, 8192.0)),
    optional("cpuunits", Kind::Integer(0, 500_000)),
    optional("description", Kind::Text(0, 8192)),
    optional("features", Kind::Property(FEATURES)),
    optional("hostname", Kind::Format(HOSTNAME)),
    optional("memory", at_least(16)),
    optional("mp[n]", Kind::Property(MOUNT_POINT)),
    optional("nameserver", Kind::List(NAMESERVER)),
    optional("net[n]", Kind::Property(NET)),
    optional("onboot", Kind::Boolean),
    optional("protection", Kind::Boolean),
    optional("rootfs", Kind::Property(ROOTFS)),
    optional("searchdomain", Kind::List(DNS_NAME)),
    optional("startup", Kind::Format(STARTUP)),
    optional("swap", at_least(0)),
    optional("tags", Kind::List(TAG)),
    optional("timezone", Kind::Format(TIMEZONE)),
    optional("unprivileged", Kind::Boolean),
];

/// Options that a restore takes from the backup.
const CREATE_OPTIONS: &[ParameterRow] = &[
    optional("arch", Kind::OneOf(&["amd64", "i386", "arm64", "armhf", "riscv32", "riscv64"])),
    optional("cmode", Kind::OneOf(&["shell", "console", "tty"])),
    optional("console", Kind::Boolean),
    optional("debug", Kind::Boolean),
    optional("entrypoint", Kind::Pattern(ENTRYPOINT)),
    optional("env", Kind::Pattern(ENVIRONMENT)),
    optional(
        "ostype",
        Kind::OneOf(&[
            "debian",
            "devuan",
            "ubuntu",
            "centos",
            "fedora",
            "opensuse",
            "archlinux",
            "alpine",
            "gentoo",
            "nixos",
            "unmanaged",
        ]),
    ),
    optional("template", Kind::Boolean),
    optional("tty", Kind::Integer(0, 6)),
    optional("unused[n]", Kind::Property(VOLUME)),
];

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

const PRUNE_FILTER: &[ParameterRow] = &[
    optional("prune-backups", Kind::Format(PRUNE)),
    optional("type", Kind::OneOf(&["qemu", "lxc"])),
    optional("vmid", VMID_KIND),
];

const ANY_NUMBER: Kind = Kind::Integer(i64::MIN, i64::MAX);

const TABLE: &[Row] = &[
    (
        "access.permissions",
        &[&[optional("path", ANY_TEXT), optional("userid", Kind::Pattern(USER_OR_TOKEN))]],
        &[],
    ),
    ("pool.list", &[&[optional("poolid", format_of(POOL))]], &[]),
    (
        "backup.create",
        &[&[
            optional("vmid", Kind::List(VMID)),
            optional("all", Kind::Boolean),
            optional("exclude", Kind::List(VMID)),
            optional("pool", ANY_TEXT),
            optional("storage", STORAGE_KIND),
            optional("mode", Kind::OneOf(&["snapshot", "suspend", "stop"])),
            optional("compress", Kind::OneOf(&["0", "1", "gzip", "lzo", "zstd"])),
            optional("zstd", Kind::Integer(i64::MIN, i64::MAX)),
            optional("pigz", Kind::Integer(i64::MIN, i64::MAX)),
            optional("bwlimit", at_least(0)),
            optional("ionice", Kind::Integer(0, 8)),
            optional("performance", Kind::Format(PERFORMANCE)),
            optional("fleecing", Kind::Format(FLEECING)),
            optional("prune-backups", Kind::Format(PRUNE)),
            optional("remove", Kind::Boolean),
            optional("notes-template", Kind::Text(0, 1024)),
            optional("protected", Kind::Boolean),
            optional("exclude-path", Kind::Array),
            optional("stdexcludes", Kind::Boolean),
            optional("lockwait", at_least(0)),
            optional("stopwait", at_least(0)),
            optional("stop", Kind::Boolean),
            optional("mailto", Kind::List(MAIL)),
            optional("mailnotification", Kind::OneOf(&["always", "failure"])),
            optional("notification-mode", Kind::OneOf(&["auto", "legacy-sendmail", "notification-system"])),
            optional("pbs-change-detection-mode", Kind::OneOf(&["legacy", "data", "metadata"])),
            optional("quiet", Kind::Boolean),
        ]],
        &[
            Rule::Needs("notes-template", "storage"),
            Rule::Needs("protected", "storage"),
            Rule::Clashes("prune-backups", "remove", "0"),
        ],
    ),
    ("backup.defaults", &[&[optional("storage", STORAGE_KIND)]], &[]),
    ("backup.extract_config", &[&[required("volume", ANY_TEXT)]], &[]),
    ("cluster.next_id", &[&[optional("vmid", VMID_KIND)]], &[]),
    ("cluster.resources", &[&[optional("type", Kind::OneOf(&["vm", "storage", "node", "sdn"]))]], &[]),
    ("node.replication", &[&[optional("guest", VMID_KIND)]], &[]),
    ("lxc.config", &[&[optional("current", Kind::Boolean), optional("snapshot", SNAPSHOT_KIND)]], &[]),
    ("lxc.feature", &[&[required("feature", Kind::OneOf(&["snapshot", "clone", "copy"]))]], &[]),
    (
        "lxc.create",
        &[
            NEW,
            OPTIONS,
            CREATE_OPTIONS,
            &[optional("password", Kind::Text(5, UNBOUNDED)), optional("ssh-public-keys", ANY_TEXT)],
        ],
        &[],
    ),
    (
        "lxc.restore",
        &[
            NEW,
            OPTIONS,
            &[
                required("restore", Kind::Boolean),
                optional("force", Kind::Boolean),
                optional("unique", Kind::Boolean),
            ],
        ],
        &[Rule::Needs("mp[n]", "rootfs")],
    ),
    (
        "lxc.destroy",
        &[&[
            optional("force", Kind::Boolean),
            optional("purge", Kind::Boolean),
            optional("destroy-unreferenced-disks", Kind::Boolean),
        ]],
        &[],
    ),
    (
        "lxc.set_config",
        &[
            OPTIONS,
            CREATE_OPTIONS,
            &[
                optional("delete", Kind::List(OPTION_NAME)),
                optional("revert", Kind::List(OPTION_NAME)),
                optional("digest", DIGEST),
            ],
        ],
        &[],
    ),
    (
        "lxc.resize",
        &[&[
            required("disk", Kind::VolumeKey(false)),
            required("size", Kind::Pattern(DISK_SIZE)),
            optional("digest", DIGEST),
        ]],
        &[],
    ),
    (
        "lxc.clone",
        &[&[
            required("newid", VMID_KIND),
            optional("hostname", format_of(DNS_NAME)),
            optional("description", ANY_TEXT),
            optional("pool", format_of(POOL)),
            optional("snapname", SNAPSHOT_KIND),
            optional("storage", STORAGE_KIND),
            optional("full", Kind::Boolean),
            optional("target", NODE_KIND),
            optional("bwlimit", BWLIMIT),
        ]],
        &[],
    ),
    (
        "lxc.move_volume",
        &[&[
            required("volume", Kind::VolumeKey(true)),
            optional("storage", STORAGE_KIND),
            optional("delete", Kind::Boolean),
            optional("digest", DIGEST),
            optional("bwlimit", BWLIMIT),
            optional("target-vmid", VMID_KIND),
            optional("target-volume", Kind::VolumeKey(true)),
            optional("target-digest", DIGEST),
        ]],
        &[],
    ),
    ("lxc.migrate_preconditions", &[&[optional("target", NODE_KIND)]], &[]),
    (
        "lxc.migrate",
        &[&[
            required("target", NODE_KIND),
            optional("target-storage", Kind::List(STORAGE_PAIR)),
            optional("online", Kind::Boolean),
            optional("restart", Kind::Boolean),
            optional("timeout", at_least(0)),
            optional("bwlimit", BWLIMIT),
        ]],
        &[],
    ),
    ("node.network", &[&[optional("type", Kind::OneOf(&["any_bridge"]))]], &[]),
    (
        "disk.list",
        &[&[
            optional("include-partitions", Kind::Boolean),
            optional("skipsmart", Kind::Boolean),
            optional("type", Kind::OneOf(&["unused", "journal_disks"])),
        ]],
        &[],
    ),
    ("disk.smart", &[&[required("disk", Kind::Pattern(DEVICE))]], &[]),
    ("lxc.start", &[&[optional("debug", Kind::Boolean)]], &[]),
    ("lxc.stop", &[&[optional("overrule-shutdown", Kind::Boolean)]], &[]),
    ("lxc.shutdown", &[&[optional("timeout", at_least(0)), optional("forceStop", Kind::Boolean)]], &[]),
    ("lxc.reboot", &[&[optional("timeout", at_least(0))]], &[]),
    (
        "snapshot.create",
        &[&[required("snapname", format_of(NEW_SNAPSHOT)), optional("description", ANY_TEXT)]],
        &[],
    ),
    ("snapshot.delete", &[&[optional("force", Kind::Boolean)]], &[]),
    ("snapshot.rollback", &[&[optional("start", Kind::Boolean)]], &[]),
    ("snapshot.set_config", &[&[optional("description", ANY_TEXT)]], &[]),
    (
        "storage.list",
        &[&[
            optional("storage", STORAGE_KIND),
            optional("content", Kind::List(CONTENT)),
            optional("enabled", Kind::Boolean),
            optional("target", NODE_KIND),
            optional("format", Kind::Boolean),
        ]],
        &[],
    ),
    ("volume.list", &[&[optional("content", Kind::Format(CONTENT)), optional("vmid", VMID_KIND)]], &[]),
    ("volume.set", &[&[optional("notes", ANY_TEXT), optional("protected", Kind::Boolean)]], &[]),
    ("volume.delete", &[&[optional("delay", Kind::Integer(1, 30))]], &[]),
    (
        "volume.allocate",
        &[&[
            required("filename", ANY_TEXT),
            required("vmid", VMID_KIND),
            required("size", Kind::Pattern(NEW_SIZE)),
            optional("format", Kind::OneOf(&["raw", "qcow2", "subvol", "vmdk"])),
        ]],
        &[],
    ),
    (
        "storage.download",
        &[&[
            required("url", Kind::Pattern(HTTP_URL)),
            required("content", Kind::OneOf(&["iso", "vztmpl", "import"])),
            required("filename", Kind::Text(0, 255)),
            optional("checksum", ANY_TEXT),
            optional(
                "checksum-algorithm",
                Kind::OneOf(&["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]),
            ),
            optional("verify-certificates", Kind::Boolean),
        ]],
        &[Rule::Needs("checksum", "checksum-algorithm"), Rule::Needs("checksum-algorithm", "checksum")],
    ),
    ("storage.prune_dry_run", &[PRUNE_FILTER], &[]),
    ("storage.prune", &[PRUNE_FILTER], &[]),
    (
        "task.list",
        &[&[
            optional("start", at_least(0)),
            optional("limit", at_least(0)),
            optional("userfilter", ANY_TEXT),
            optional("typefilter", ANY_TEXT),
            optional("vmid", VMID_KIND),
            optional("errors", Kind::Boolean),
            optional("source", Kind::OneOf(&["archive", "active", "all"])),
            optional("since", ANY_NUMBER),
            optional("until", ANY_NUMBER),
            optional("statusfilter", Kind::List(TASK_STATUS)),
        ]],
        &[],
    ),
    ("task.log", &[&[optional("start", at_least(0)), optional("limit", at_least(0))]], &[]),
];
