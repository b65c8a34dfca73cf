//! Tasks of the simulated node.
//!
//! Source: pve-manager `PVE/API2/Tasks.pm`; recordings `task-*`, `tasks-*`, `get-tasks*`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

use super::answer::{Principal, Refusal, Reply};
use super::ask::{Ask, Row};
use super::sentence;
use super::world::{State, Worker, World};

pub(super) const HANDLERS: &[Row] = &[
    ("task.list", "GET /nodes/{node}/tasks", |world, ask| Ok(list(world, ask))),
    ("task.status", "GET /nodes/{node}/tasks/{upid}/status", |world, ask| {
        let worker = visible(world, ask, "Sys.Audit")?;
        Ok(Value::Object(status(worker)).into())
    }),
    ("task.log", "GET /nodes/{node}/tasks/{upid}/log", log),
    ("task.stop", "DELETE /nodes/{node}/tasks/{upid}", |world, ask| {
        let upid = visible(world, ask, "Sys.Modify")?.upid.clone();
        let kind = world.workers.iter().find(|worker| worker.upid == upid).map(|worker| worker.kind);
        let exit = if kind == Some("vzdump") { sentence::JOB_ERRORS } else { sentence::INTERRUPTED };
        world.stop_worker(&upid, &exit.into());
        Ok(Value::Null.into())
    }),
];

/// The task that the path means: a token's own, or anybody's with the privilege.
fn visible<'w>(world: &'w World, ask: &Ask<'_>, privilege: &str) -> Result<&'w Worker, Refusal> {
    let upid = ask.variable("upid");
    let parsed: proxmox_types::Upid =
        upid.parse().map_err(|_| Refusal::parameter("upid", sentence::BAD_UPID))?;
    if parsed.user() != ask.principal.as_str() {
        world.require(ask.principal, &format!("/nodes/{}", world.node), &[privilege], false)?;
    }
    let worker = world.workers.iter().find(|worker| worker.upid == upid);
    worker.ok_or_else(|| Refusal::parameter("upid", sentence::NO_TASK))
}

/// The fields that status and list share. A token's task names the user without the token, and the token beside it.
fn common(worker: &Worker, principal: &Principal) -> Map<String, Value> {
    let (user, token) = principal.parts();
    let row = json!({
        "upid": worker.upid, "type": worker.kind, "id": worker.id, "user": user, "pid": worker.pid,
        "pstart": worker.pstart, "starttime": worker.started,
    });
    let mut row = row.as_object().cloned().unwrap_or_default();
    if let Some(token) = token {
        row.insert("tokenid".into(), token.into());
    }
    row
}

fn node_of(worker: &Worker) -> Value {
    worker.upid.split(':').nth(1).unwrap_or_default().into()
}

fn status(worker: &Worker) -> Map<String, Value> {
    let mut row = common(worker, &worker.principal);
    row.insert("node".into(), node_of(worker));
    match worker.exit() {
        Some(exit) => {
            row.insert("status".into(), "stopped".into());
            row.insert("exitstatus".into(), exit.into());
        }
        None => {
            row.insert("status".into(), "running".into());
        }
    }
    row
}

/// A row of the list. A running task names the token inside `user`.
pub(super) fn row(worker: &Worker) -> Map<String, Value> {
    let mut row = common(worker, &worker.principal);
    row.insert("node".into(), node_of(worker));
    match &worker.state {
        State::Ended(exit, at) => {
            row.insert("status".into(), exit.as_str().into());
            row.insert("endtime".into(), (*at).into());
        }
        State::Running(_) => {
            row.remove("tokenid");
            row.insert("user".into(), worker.principal.as_str().into());
            row.insert("status".into(), "RUNNING".into());
            row.insert("saved".into(), "0".into());
        }
    }
    row
}

/// A row of the cluster's list, which says whether the task's end was saved instead of naming the process.
pub(super) fn cluster_row(worker: &Worker) -> Map<String, Value> {
    let mut row = row(worker);
    row.retain(|key, _| key != "pid" && key != "pstart");
    row.insert("saved".into(), if worker.exit().is_some() { "1" } else { "0" }.into());
    row
}

fn list(world: &mut World, ask: &Ask<'_>) -> Reply {
    let sees_all = world.has(ask.principal, &format!("/nodes/{}", world.node), &["Sys.Audit"], false);
    let source = ask.get("source").unwrap_or("archive");
    let matching = world
        .workers
        .iter()
        .rev()
        .filter(|worker| sees_all || worker.principal == *ask.principal)
        .filter(|worker| match source {
            "archive" => worker.exit().is_some(),
            "active" => worker.exit().is_none(),
            _ => true,
        })
        .filter(|worker| ask.get("typefilter").is_none_or(|kind| kind == worker.kind))
        .filter(|worker| ask.get("vmid").is_none_or(|vmid| worker.id.split(['@', '-']).next() == Some(vmid)))
        .filter(|worker| ask.number("since").is_none_or(|since| worker.started >= since))
        .filter(|worker| ask.number("until").is_none_or(|until| worker.started <= until))
        .filter(|worker| !ask.flag("errors") || worker.exit().is_some_and(is_error));
    let rows: Vec<Value> = matching.map(|worker| Value::Object(row(worker))).collect();
    let total = rows.len();
    Reply { data: page(rows, ask, 50, false), total: Some(total) }
}

fn is_error(exit: &str) -> bool {
    exit != "OK" && !exit.starts_with("WARNINGS: ")
}

/// The rows that `start` and `limit` ask for. A limit of 0 means all lines of a log, and no row of a list.
fn page(rows: Vec<Value>, ask: &Ask<'_>, limit: u64, zero_is_all: bool) -> Value {
    let number = |name: &str| ask.number(name).and_then(|number| usize::try_from(number).ok());
    let limit = number("limit").or_else(|| usize::try_from(limit).ok()).unwrap_or_default();
    let limit = if limit == 0 && zero_is_all { usize::MAX } else { limit };
    Value::Array(rows.into_iter().skip(number("start").unwrap_or_default()).take(limit).collect())
}

fn log(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let lines = match visible(world, ask, "Sys.Audit") {
        Ok(worker) if worker.log.lines.is_empty() => alloc::vec![sentence::LOG_EMPTY.into()],
        Ok(worker) => worker.log.lines.clone(),
        Err(refusal) if refusal.says(sentence::NO_TASK) => alloc::vec![sentence::LOG_MISSING.into()],
        Err(refusal) => return Err(refusal),
    };
    let total = lines.len();
    let rows = (1_u64..).zip(lines).map(|(n, t)| json!({ "n": n, "t": t.as_str() })).collect();
    Ok(Reply { data: page(rows, ask, 50, true), total: Some(total) })
}
