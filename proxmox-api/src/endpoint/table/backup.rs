//! Backups with vzdump.
//!
//! Left out: `dumpdir`, `tmpdir`, `script` and `job-id`, which PVE grants to root@pam alone, `stdout`, which only the
//! command line has, and `node`, which the path says.

use super::super::kind::{FLEECING, MAIL, PERFORMANCE, PRUNE, VMID};
use super::{
    ANY_TEXT, Endpoint, Kind, Pace, Privileges, Returns, Rule, STORAGE_KIND, TaskId, Trace, Worker, at_least,
    check, get, optional, post, required,
};

const API: &str = "pve-manager PVE/API2/Backup.pm, assert_param_permission_common";
const SYS_MODIFY: Privileges = Privileges::All("/", &["Sys.Modify"]);

/// Backs containers up.
pub static VZDUMP: Endpoint =
    post("backup.create", "/nodes/{node}/vzdump", Privileges::Anyone, Returns::UpidOrOk)
        .with(&[&[
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
        ]])
        .checks(&[
            check(
                "for each guest; with `all` the guests without it are left out",
                Privileges::All("/vms/{vmid}", &["VM.Backup"]),
                "pve-manager PVE/VZDump.pm, exec_backup",
            )
            .in_task()
            .seen("vzdump-403-dsonly"),
            check(
                "for the storage",
                Privileges::All("/storage/{storage}", &["Datastore.AllocateSpace"]),
                "pve-manager PVE/API2/VZDump.pm",
            )
            .seen("vzdump-403-limited"),
            check("for `prune-backups`", Privileges::All("/storage/{storage}", &["Datastore.Allocate"]), API)
                .seen("vzdump-prune-backuponly"),
            check("for `bwlimit`, `ionice`, `performance`", SYS_MODIFY, API).seen("vzdump-bwlimit-token"),
            check(
                "for `stop`",
                Privileges::All("/nodes/{node}", &["Sys.Modify"]),
                "pve-manager PVE/API2/VZDump.pm",
            )
            .seen("vzdump-stop-param"),
        ])
        .ruled(&[
            Rule::Needs("notes-template", "storage"),
            Rule::Needs("protected", "storage"),
            Rule::Clashes("prune-backups", "remove", "0"),
        ])
        .traced(Trace::Task(Worker { kinds: &["vzdump"], id: TaskId::Guests }));

/// What vzdump does unless it is told otherwise.
pub static DEFAULTS: Endpoint =
    get("backup.defaults", "/nodes/{node}/vzdump/defaults", Privileges::Anyone, Returns::Object)
        .with(&[&[optional("storage", STORAGE_KIND)]])
        .checks(&[check(
            "for the storage",
            Privileges::AnyOf("/storage/{storage}", &["Datastore.Audit", "Datastore.AllocateSpace"]),
            "pve-manager PVE/API2/VZDump.pm, defaults",
        )]);

/// Configuration of a container inside a backup.
pub static EXTRACT_CONFIG: Endpoint =
    get("backup.extract_config", "/nodes/{node}/vzdump/extractconfig", Privileges::Anyone, Returns::Text)
        .with(&[&[required("volume", ANY_TEXT)]])
        .checks(&[check(
            "always",
            Privileges::Both(&[
                Privileges::All("/storage/{storage}", &["Datastore.AllocateSpace"]),
                Privileges::All("/vms/{vmid}", &["VM.Backup"]),
            ]),
            "pve-manager PVE/API2/VZDump.pm, extractconfig",
        )
        .seen("get-extractconfig.limited")])
        .paced(Pace::Storage)
        .protected();

pub(super) static ENDPOINTS: &[&Endpoint] = &[&VZDUMP, &DEFAULTS, &EXTRACT_CONFIG];
