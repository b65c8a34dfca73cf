//! Worker tasks.

use super::super::kind::TASK_STATUS;
use super::{
    ANY_TEXT, CodeCheck, Endpoint, Kind, Privileges, Returns, VMID_KIND, at_least, check, delete, get,
    optional,
};

const TASKS: &str = "pve-manager PVE/API2/Tasks.pm";
const FOREIGN: CodeCheck =
    check("for tasks of anyone but the same token", Privileges::All("/nodes/{node}", &["Sys.Audit"]), TASKS)
        .seen("task-status-403.limited");
const ANY_NUMBER: Kind = Kind::Integer(i64::MIN, i64::MAX);

/// Tasks of a node.
pub static LIST: Endpoint = get("task.list", "/nodes/{node}/tasks", Privileges::Anyone, Returns::Page)
    .with(&[&[
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
    ]])
    .checks(&[check(
        "tasks of anyone but the same token are left out without it",
        Privileges::All("/nodes/{node}", &["Sys.Audit"]),
        TASKS,
    )
    .filters()
    .seen("get-tasks.none")]);

/// State of a task.
pub static STATUS: Endpoint =
    get("task.status", "/nodes/{node}/tasks/{upid}/status", Privileges::Anyone, Returns::Object)
        .checks(&[FOREIGN])
        .protected();

/// Log of a task.
pub static LOG: Endpoint =
    get("task.log", "/nodes/{node}/tasks/{upid}/log", Privileges::Anyone, Returns::Page)
        .with(&[&[optional("start", at_least(0)), optional("limit", at_least(0))]])
        .checks(&[FOREIGN.seen("task-log-403.none")])
        .protected();

/// Stops a task.
pub static STOP: Endpoint =
    delete("task.stop", "/nodes/{node}/tasks/{upid}", Privileges::Anyone, Returns::Null).checks(&[check(
        "for tasks of anyone but the same token",
        Privileges::All("/nodes/{node}", &["Sys.Modify"]),
        TASKS,
    )
    .seen("task-stop-403.full")]);

pub(super) static ENDPOINTS: &[&Endpoint] = &[&LIST, &STATUS, &LOG, &STOP];
