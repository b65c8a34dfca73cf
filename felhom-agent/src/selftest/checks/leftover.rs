//! The check for what an exercise of the self-test has left.

use std::sync::Arc;

use proxmox_api::Error;

use crate::config::Config;
use crate::exercise::journal::peek;
use crate::exercise::names::{MARKER, PREFIX, TAG};
use crate::selftest::check::{Finding, Findings, findings};
use crate::selftest::context::{Connection, Context};
use crate::selftest::failure::call_failed;

pub(super) fn leftovers(context: Arc<Context>) -> Findings {
    findings(async move {
        let Some((config, connection)) = context.parts() else {
            return vec![Finding::skip("there is no configuration")];
        };
        let entry = match peek(&config.state_dir) {
            Ok(entry) => entry,
            Err(error) => return vec![Finding::skip(error.to_string())],
        };
        let stopped =
            entry.map(|entry| format!("an exercise of container {} stopped at {}", entry.vmid, entry.step));
        let mut found: Vec<String> = stopped.into_iter().collect();
        match at_containers(&context, config, connection).await {
            Ok(more) => found.extend(more),
            Err(error) => return vec![call_failed(config, &error)],
        }
        if found.is_empty() {
            return vec![Finding::ok("no exercise has left anything")];
        }
        let warn = |what: String| Finding::warn(what).fix("felhom-agent cleanup");
        found.into_iter().map(warn).collect()
    })
}

/// Snapshots and markers at the containers that are tagged for exercises.
async fn at_containers(
    context: &Context,
    config: &Config,
    connection: &Connection,
) -> Result<Vec<String>, Error> {
    let Ok(guests) = context.guests(connection).await else { return Ok(Vec::new()) };
    let is_here = |node: &Option<proxmox_types::NodeName>| node.as_ref() == Some(&config.node);
    let mut found = Vec::new();
    for guest in guests.iter().filter(|guest| is_here(&guest.node) && guest.tags.contains(TAG)) {
        let Some(vmid) = guest.vmid else { continue };
        let snapshots = connection.client.node(&config.node).lxc(vmid).snapshots().await?;
        let ours = snapshots.iter().filter(|entry| entry.name.starts_with(PREFIX));
        found.extend(ours.map(|entry| format!("container {vmid} has the snapshot {}", entry.name)));
        found.extend(guest.tags.contains(MARKER).then(|| format!("container {vmid} has the tag {MARKER}")));
    }
    Ok(found)
}
