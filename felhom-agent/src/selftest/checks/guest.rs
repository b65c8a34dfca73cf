//! Checks of the containers.

use std::sync::Arc;

use proxmox_types::{GuestStatus, Lock, Resource, Vmid};
use serde_json::json;

use crate::config::Config;
use crate::connection::Connection;
use crate::diagnosis::call_failed;
use crate::diagnosis::guests::none_shown;
use crate::diagnosis::guests::{Busy, caution, unlock};
use crate::diagnosis::guests::{may_be_here, untold};
use crate::report::finding::Finding;
use crate::selftest::check::{Findings, found};
use crate::selftest::context::Context;

pub(super) fn list(context: Arc<Context>) -> Findings {
    found(async move {
        let (config, connection) = context.connected()?;
        let guests = context.guests(connection).await.map_err(|error| call_failed(config, &error))?;
        let containers: Vec<&Resource> =
            guests.iter().filter(|guest| guest.is_container_of(&config.node)).collect();
        let running = running(config, connection, &containers).await;
        let data = json!({ "containers": containers.len(), "running": running });
        let finding = match (containers.len(), running) {
            (0, _) => none(config, connection).await,
            (number, Some(running)) => Finding::ok(format!("{}, {running} running", counted(number))),
            (number, None) => Finding::warn(format!("{}; which of them run is not known", counted(number)))
                .because("the statistics of the node are stale, and the node itself did not tell"),
        };
        let left_out = untold(&may_be_here(guests.unread(), &config.node), "it is left out");
        Ok([finding.with(data)].into_iter().chain(left_out).collect())
    })
}

fn counted(number: usize) -> String {
    format!("{number} container{}", if number == 1 { "" } else { "s" })
}

/// How many run. The node itself knows; what the cluster tells are statistics, which may be old or missing.
async fn running(config: &Config, connection: &Connection, listed: &[&Resource]) -> Option<usize> {
    if let Ok(containers) = connection.client.node(&config.node).containers().await {
        return Some(containers.iter().filter(|container| container.status == GuestStatus::Running).count());
    }
    let is_known =
        listed.iter().all(|guest| guest.status.as_deref().is_some_and(|status| status != "unknown"));
    is_known.then(|| listed.iter().filter(|guest| guest.status.as_deref() == Some("running")).count())
}

/// Tells that there is none from that none is shown.
async fn none(config: &Config, connection: &Connection) -> Finding {
    match none_shown(config, &connection.client).await {
        Ok(None) => Finding::ok("there is no container"),
        Ok(Some(finding)) => finding,
        Err(error) => call_failed(config, &error),
    }
}

pub(super) fn locks(context: Arc<Context>) -> Findings {
    found(async move {
        let (config, connection) = context.connected()?;
        let guests = context.guests(connection).await.map_err(|_| not_listed())?;
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
        let busy = Busy::of_node(&connection.client, &config.node).await;
        let busy = busy.map_err(|error| call_failed(config, &error))?;
        Ok(locked.iter().map(|(vmid, lock)| judge(*vmid, lock, &busy)).chain(hidden).collect())
    })
}

/// The check of the list has told why.
pub(super) fn not_listed() -> Finding {
    Finding::skip("the containers could not be listed")
}

fn judge(vmid: Vmid, lock: &Lock, busy: &Busy) -> Finding {
    if busy.holds(vmid, lock) {
        return Finding::ok(format!("{vmid} is locked ({lock}) by a task that runs")).about(vmid.to_string());
    }
    Finding::warn(format!("{vmid} is locked ({lock}), and no task works on it"))
        .about(vmid.to_string())
        .because(caution(lock))
        .fix(unlock(vmid, lock))
}
