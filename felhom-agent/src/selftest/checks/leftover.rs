//! The check for what an exercise of the self-test has left.

use std::sync::Arc;

use super::guest::not_listed;
use crate::config::Config;
use crate::diagnosis::call_failed;
use crate::diagnosis::guests::none_shown;
use crate::diagnosis::guests::{may_be_here, untold};
use crate::exercise::journal::{JournalError, is_taken, peek};
use crate::exercise::leftover::{AtContainer, MARKER, cleanup_line, search};
use crate::report::finding::Finding;
use crate::selftest::check::{Findings, found};
use crate::selftest::context::Context;

pub(super) fn leftovers(context: Arc<Context>) -> Findings {
    found(async move {
        let (config, connection) = context.connected()?;
        if is_taken(&config.state_dir) {
            return Ok(vec![Finding::ok("an exercise or a cleanup is running")]);
        }
        let guests = context.guests(connection).await.map_err(|_| not_listed())?;
        let failed = |error| call_failed(config, &error);
        let containers = search(&connection.client, &config.node, guests).await.map_err(failed)?;
        let mut left: Vec<Finding> = in_journal(config).into_iter().collect();
        left.extend(containers.iter().flat_map(|found| at_container(config, found)));
        let hidden = may_be_here(guests.unread(), &config.node);
        left.extend(untold(&hidden, "it cannot be told whether an exercise left something there"));
        if left.is_empty() {
            let is_any_shown = guests.iter().any(|guest| guest.is_container_of(&config.node));
            let none_shown = async || none_shown(config, &connection.client).await.map_err(failed);
            left.push(match if is_any_shown { None } else { none_shown().await? } {
                Some(_) => Finding::skip("no container is shown, so nothing can be told"),
                None => Finding::ok("no exercise has left anything"),
            });
        }
        Ok(left)
    })
}

fn in_journal(config: &Config) -> Option<Finding> {
    match peek(&config.state_dir) {
        Ok(entry) => entry.map(|entry| {
            let (vmid, node, step) = (entry.vmid, entry.node, entry.step);
            left(config, format!("an exercise of container {vmid} on {node} stopped at {step}"))
        }),
        Err(error @ JournalError::Malformed { .. }) => {
            let finding = Finding::warn(error.to_string()).remedy(error.repair(config));
            Some(finding.because("what it told of is found again by the tags and names at the containers"))
        }
        Err(error) => Some(
            Finding::warn(error.to_string())
                .because(
                    "it cannot be told whether an exercise was killed; the agent's own account can read it",
                )
                .remedy(error.repair(config)),
        ),
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
    let what = format!("it cannot be told whether an exercise left it at container {vmid}");
    snapshots.chain(marker).chain(alike).chain(untold(&found.hidden, &what)).collect()
}

fn left(config: &Config, what: String) -> Finding {
    Finding::warn(what).fix(cleanup_line(config))
}
