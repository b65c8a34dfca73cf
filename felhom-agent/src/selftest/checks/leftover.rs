//! The check for what an exercise of the self-test has left.

use std::sync::Arc;

use super::guest::not_listed;
use crate::exercise::journal::{JournalError, peek};
use crate::exercise::leftover::{AtContainer, MARKER, search};
use crate::selftest::check::{Finding, Findings, found};
use crate::selftest::context::Context;
use crate::selftest::failure::call_failed;

pub(super) fn leftovers(context: Arc<Context>) -> Findings {
    found(async move {
        let (config, connection) = context.connected()?;
        let guests = context.guests(connection).await.map_err(|_| not_listed())?;
        let containers = search(&connection.client, &config.node, guests).await;
        let containers = containers.map_err(|error| call_failed(config, &error))?;
        let mut left: Vec<Finding> = in_journal(&config.state_dir).into_iter().collect();
        left.extend(containers.iter().flat_map(at_container));
        if left.is_empty() {
            left.push(Finding::ok("no exercise has left anything"));
        }
        Ok(left)
    })
}

fn in_journal(folder: &std::path::Path) -> Option<Finding> {
    match peek(folder) {
        Ok(entry) => entry.map(|entry| {
            left(format!(
                "an exercise of container {} on {} stopped at {}",
                entry.vmid, entry.node, entry.step
            ))
        }),
        Err(error @ JournalError::Malformed { .. }) => {
            let finding = Finding::warn(error.to_string()).fix(error.repair());
            Some(finding.because("what it told of is found again by the tags and names at the containers"))
        }
        Err(error) => Some(
            Finding::warn(error.to_string())
                .because("it cannot be told whether an exercise was killed; the agent's account can read it")
                .fix(error.repair()),
        ),
    }
}

fn at_container(found: &AtContainer) -> Vec<Finding> {
    let vmid = found.vmid;
    let snapshots =
        found.snapshots.iter().map(|name| left(format!("container {vmid} has the snapshot {name}")));
    let marker = found.is_marked.then(|| left(format!("container {vmid} has the tag {MARKER}")));
    let alike = found.alike.iter().map(|name| {
        Finding::warn(format!("container {vmid} has the snapshot {name}, which no exercise took"))
            .because("its name begins like those of the exercises, so it is easily taken for one; it is never deleted")
            .fix(format!("pct listsnapshot {vmid}"))
    });
    snapshots.chain(marker).chain(alike).collect()
}

fn left(what: String) -> Finding {
    Finding::warn(what).fix("felhom-agent cleanup")
}
