//! Tasks of the simulated node.
//!
//! Source: pve-manager `PVE/API2/Tasks.pm`; recordings `task-*`, `tasks-*`, `get-tasks*`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

use crate::sim::answer::{Refusal, Reply, fields, said};
use crate::sim::ask::{Ask, Handled, Route};
use crate::sim::world::{NODE, TaskWorker, WorkerState, World};

pub(super) const HANDLERS: &[Route] = &[
    ("task.list", "GET /nodes/{node}/tasks", |world, ask| Ok(list(world, ask))),
    ("task.status", "GET /nodes/{node}/tasks/{upid}/status", |world, ask| {
        Ok(known(world, ask, "Sys.Audit")?.map(status).ok_or_else(no_task)?.into())
    }),
    ("task.log", "GET /nodes/{node}/tasks/{upid}/log", log),
    ("task.stop", "DELETE /nodes/{node}/tasks/{upid}", |world, ask| {
        let worker = known(world, ask, "Sys.Modify")?.ok_or_else(no_task)?;
        let (upid, is_job) = (worker.upid.clone(), worker.kind == "vzdump");
        world.stop_worker(&upid, if is_job { said!("job errors") } else { said!("received interrupt") });
        Ok(Value::Null.into())
    }),
];

fn no_task() -> Refusal {
    Refusal::parameter("upid", &said!("no such task"))
}

/// The task that the path means: a token's own, or anybody's with the privilege; none if it is forgotten.
fn known<'w>(world: &'w World, ask: &Ask<'_>, privilege: &str) -> Result<Option<&'w TaskWorker>, Refusal> {
    let upid = ask.variable("upid");
    let parsed = upid.parse::<proxmox_types::Upid>();
    let parsed = parsed.map_err(|_| Refusal::parameter("upid", &said!("unable to parse worker upid")))?;
    if parsed.user() != ask.principal.as_str() {
        world.require(ask.principal, &format!("/nodes/{NODE}"), privilege)?;
    }
    Ok(world.workers.iter().find(|worker| worker.upid == upid))
}

/// The fields that status and list share. A token's task names the user without the token, and the token beside it.
fn common(worker: &TaskWorker) -> Map<String, Value> {
    let (user, token) = worker.principal.parts();
    let mut row = fields(json!({
        "upid": worker.upid, "type": worker.kind, "id": worker.id, "user": user, "pid": worker.pid,
        "pstart": worker.pstart, "starttime": worker.started, "node": NODE,
    }));
    row.extend(token.map(|token| ("tokenid".into(), token.into())));
    row
}

fn status(worker: &TaskWorker) -> Map<String, Value> {
    let mut row = common(worker);
    let status = if worker.exit().is_some() { "stopped" } else { "running" };
    row.insert("status".into(), status.into());
    row.extend(worker.exit().map(|exit| ("exitstatus".into(), exit.into())));
    row
}

/// A row of the list. A running task names the token inside `user`.
fn row(worker: &TaskWorker) -> Map<String, Value> {
    let mut row = common(worker);
    let more = match &worker.state {
        WorkerState::Ended(exit, at) => json!({ "status": exit.as_str(), "endtime": at }),
        WorkerState::Running(_) => {
            json!({ "user": worker.principal.as_str(), "status": "RUNNING", "saved": "0" })
        }
    };
    if worker.exit().is_none() {
        row.remove("tokenid");
    }
    row.extend(fields(more));
    row
}

/// A row of the cluster's list, which says whether the task's end was saved instead of naming the process.
pub(super) fn cluster_row(worker: &TaskWorker) -> Map<String, Value> {
    let mut row = row(worker);
    row.retain(|key, _| key != "pid" && key != "pstart");
    row.insert("saved".into(), if worker.exit().is_some() { "1" } else { "0" }.into());
    row
}

fn list(world: &mut World, ask: &Ask<'_>) -> Reply {
    let sees_all = world.has(ask.principal, &format!("/nodes/{NODE}"), "Sys.Audit");
    let source = ask.get("source").unwrap_or("archive");
    let is_error = |exit: &str| exit != "OK" && !exit.starts_with("WARNINGS: ");
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
        .filter(|worker| ask.number("since").is_none_or(|since: u64| worker.started >= since))
        .filter(|worker| ask.number("until").is_none_or(|until: u64| worker.started <= until))
        .filter(|worker| !ask.flag("errors") || worker.exit().is_some_and(is_error));
    page(matching.map(|worker| Value::Object(row(worker))).collect(), ask, 0)
}

/// The rows that `start` and `limit` ask for, else 50. A limit of 0 means all lines of a log, and no row of a list.
fn page(rows: Vec<Value>, ask: &Ask<'_>, of_zero: usize) -> Reply {
    let limit = ask.number("limit").unwrap_or(50);
    let limit = if limit == 0 { of_zero } else { limit };
    let total = Some(rows.len());
    let rows = rows.into_iter().skip(ask.number("start").unwrap_or_default()).take(limit);
    Reply { data: rows.collect(), total }
}

fn log(world: &mut World, ask: &Ask<'_>) -> Handled {
    let lines = match known(world, ask, "Sys.Audit")? {
        // Not recorded: pve-common PVE/Tools.pm, dump_logfile.
        Some(worker) if worker.log.lines.is_empty() => alloc::vec![said!("no content")],
        Some(worker) => worker.log.lines.clone(),
        None => alloc::vec![said!("unable to open file - No such file or directory")],
    };
    let rows = (1_u64..).zip(lines).map(|(n, t)| json!({ "n": n, "t": t.as_str() })).collect();
    Ok(page(rows, ask, usize::MAX))
}
