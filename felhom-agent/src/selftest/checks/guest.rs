//! Checks of the containers, and of what an exercise of the self-test has left at them.

use proxmox_types::{GuestStatus, Lock, Resource, Vmid};
use serde_json::json;

use crate::config::Config;
use crate::diagnosis::guests::{Busy, may_be_here, none_shown, stale_lock, untold};
use crate::exercise::journal::{is_taken, peek};
use crate::exercise::leftover::{AtContainer, MARKER, cleanup_line, search};
use crate::report::finding::{Claim, Finding, Found, Status};
use crate::report::terminal::counted;
use crate::selftest::{Check, Look, Ready};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        Claim::new("guests.list", "the containers can be seen and read", "GET /cluster/resources")
            .needs(&["node.exists"]),
        Look::Api(|ready| Box::pin(list(ready))),
    ),
    Check::new(
        Claim::new(
            "guests.locks",
            "no container is locked without a task that runs",
            "GET /cluster/resources",
        )
        .needs(&["guests.list"]),
        Look::Api(|ready| Box::pin(locks(ready))),
    ),
    Check::new(
        Claim::new(
            "guests.leftovers",
            "no exercise of the self-test has left anything",
            "GET /nodes/{node}/lxc/{vmid}/snapshot",
        )
        .needs(&["guests.list"]),
        Look::Api(|ready| Box::pin(leftovers(ready))),
    ),
];

async fn list(ready: Ready<'_>) -> Found<Vec<Finding>> {
    let config = ready.config;
    let guests = ready.guests().await?;
    let containers: Vec<&Resource> =
        guests.iter().filter(|guest| guest.is_container_of(&config.node)).collect();
    let running = running(ready, &containers).await;
    let data = json!({ "containers": containers.len(), "running": running });
    let finding = match (containers.len(), running) {
        (0, _) => none(ready).await,
        (number, Some(running)) => {
            Finding::ok(format!("{}, {running} running", counted(number, "container")))
        }
        (number, None) => {
            Finding::warn(format!("{}; which of them run is not known", counted(number, "container")))
                .because("the statistics of the node are stale, and the node itself did not tell")
        }
    };
    let left_out = untold(&may_be_here(guests.unread(), &config.node), "it is left out");
    Ok([finding.with(data)].into_iter().chain(left_out).collect())
}

/// How many run. The node itself knows; what the cluster tells are statistics, which may be old or missing.
async fn running(ready: Ready<'_>, listed: &[&Resource]) -> Option<usize> {
    if let Ok(containers) = ready.client.node(&ready.config.node).containers().await {
        return Some(containers.iter().filter(|container| container.status == GuestStatus::Running).count());
    }
    let is_known =
        listed.iter().all(|guest| guest.status.as_deref().is_some_and(|status| status != "unknown"));
    is_known.then(|| listed.iter().filter(|guest| guest.status.as_deref() == Some("running")).count())
}

/// Tells that there is none from that none is shown.
async fn none(ready: Ready<'_>) -> Finding {
    match none_shown(ready.config, ready.client).await {
        Ok(None) => Finding::ok("there is no container"),
        Ok(Some(finding)) => finding,
        Err(error) => *ready.failed(&error),
    }
}

async fn locks(ready: Ready<'_>) -> Found<Vec<Finding>> {
    let config = ready.config;
    let guests = ready.guests().await.map_err(|_| not_listed())?;
    let here = guests.iter().filter(|guest| guest.is_container_of(&config.node));
    let locked: Vec<(Vmid, &Lock)> =
        here.filter_map(|guest| Some((guest.vmid?, guest.lock.as_ref()?))).collect();
    let hidden = may_be_here(guests.unread(), &config.node);
    let hidden = untold(&hidden, "it cannot be told whether it is locked");
    match (locked.is_empty(), hidden.is_empty()) {
        (true, true) => return Ok(vec![Finding::ok("no container is locked")]),
        (true, false) => return Ok(hidden),
        _ => {}
    }
    let busy = Busy::of_node(ready.client, &config.node).await;
    let busy = busy.map_err(|error| ready.failed(&error))?;
    Ok(locked.iter().map(|(vmid, lock)| judge(*vmid, lock, &busy)).chain(hidden).collect())
}

/// The check of the list has told why.
fn not_listed() -> Finding {
    Finding::skip("the containers could not be listed")
}

fn judge(vmid: Vmid, lock: &Lock, busy: &Busy) -> Finding {
    if busy.holds(vmid, lock) {
        return Finding::ok(format!("{vmid} is locked ({lock}) by a task that runs")).about(vmid.to_string());
    }
    stale_lock(Status::Warn, vmid, lock).about(vmid.to_string())
}

async fn leftovers(ready: Ready<'_>) -> Found<Vec<Finding>> {
    let config = ready.config;
    if is_taken(config) {
        return Ok(vec![Finding::ok("an exercise or a cleanup is running")]);
    }
    let guests = ready.guests().await.map_err(|_| not_listed())?;
    let failed = |error| ready.failed(&error);
    let (containers, hidden) = search(ready.client, &config.node, guests).await.map_err(failed)?;
    let mut left: Vec<Finding> = in_journal(config).into_iter().collect();
    left.extend(containers.iter().flat_map(|found| at_container(config, found)));
    left.extend(hidden);
    if left.is_empty() {
        let is_any_shown = guests.iter().any(|guest| guest.is_container_of(&config.node));
        let none_shown = async || none_shown(config, ready.client).await.map_err(failed);
        left.push(match if is_any_shown { None } else { none_shown().await? } {
            Some(_) => Finding::skip("no container is shown, so nothing can be told"),
            None => Finding::ok("no exercise has left anything"),
        });
    }
    Ok(left)
}

fn in_journal(config: &Config) -> Option<Finding> {
    match peek(config) {
        Ok(journal) => journal.map(|journal| {
            let (vmid, node) = (journal.vmid, journal.node);
            left(config, format!("an exercise of container {vmid} on {node} did not get to its end"))
        }),
        Err(finding) => {
            let why = "it cannot be told whether an exercise was killed; the agent's own account can read it";
            let detail = finding.detail.clone().or_else(|| Some(why.into()));
            Some(Finding { status: Status::Warn, detail, exit: None, ..*finding })
        }
    }
}

fn at_container(config: &Config, found: &AtContainer) -> Vec<Finding> {
    let vmid = found.vmid;
    let snapshots = found.snapshots.iter();
    let snapshots = snapshots.map(|name| left(config, format!("container {vmid} has the snapshot {name}")));
    let marker = found.is_marked.then(|| left(config, format!("container {vmid} has the tag {MARKER}")));
    let alike = found.alike.iter().map(|name| {
        Finding::warn(format!("container {vmid} has the snapshot {name}, which no exercise took"))
            .because("its name begins like those of the exercises, so it is easily taken for one; it is never deleted")
            .look(format!("pct listsnapshot {vmid}"))
    });
    snapshots.chain(marker).chain(alike).chain(found.doubts()).collect()
}

fn left(config: &Config, what: String) -> Finding {
    Finding::warn(what).fix(cleanup_line(config))
}
