//! Checks of the containers.

use std::collections::BTreeSet;
use std::sync::Arc;

use proxmox_api::{Error, Visibility};
use proxmox_types::params::{TaskFilter, TaskSource};
use proxmox_types::{Lock, Resource, Vmid};
use serde_json::json;

use crate::config::Config;
use crate::selftest::check::{Finding, Findings, found};
use crate::selftest::context::{Connection, Context};
use crate::selftest::failure::{call_failed, unlock};

pub(super) fn list(context: Arc<Context>) -> Findings {
    found(async move {
        let (config, connection) = context.connected()?;
        let guests = context.guests(connection).await.map_err(|error| call_failed(config, &error))?;
        let containers: Vec<&Resource> =
            guests.iter().filter(|guest| guest.is_container_of(&config.node)).collect();
        let running = containers.iter().filter(|guest| guest.status.as_deref() == Some("running")).count();
        let data = json!({ "containers": containers.len(), "running": running });
        let finding = match containers.len() {
            0 => none(config, connection).await,
            number => Finding::ok(format!("{number} containers, {running} running")),
        };
        Ok(vec![finding.with(data)])
    })
}

/// Tells that there is none from that none is shown.
async fn none(config: &Config, connection: &Connection) -> Finding {
    match connection.client.node(&config.node).containers().visibility().await {
        Ok(Visibility::Everything) => Finding::ok("there is no container"),
        Ok(Visibility::Nothing(denied)) => {
            let pool = config.pool.as_ref().map_or_else(|| "/vms".into(), |pool| format!("/pool/{pool}"));
            let finding =
                Finding::warn("no container is shown, whatever there is").because(denied.to_string());
            finding.fix(proxmox_api::grant::acl_line(&pool, "FelhomAgent", config.token.id()))
        }
        Ok(_) => Finding::ok("there is no container where the token may look"),
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
        if locked.is_empty() {
            return Ok(vec![Finding::ok("no container is locked")]);
        }
        let busy = busy(config, connection).await.map_err(|error| call_failed(config, &error))?;
        Ok(locked.iter().map(|(vmid, lock)| judge(*vmid, lock, &busy)).collect())
    })
}

/// The check of the list has told why.
pub(super) fn not_listed() -> Finding {
    Finding::skip("the containers could not be listed")
}

/// The containers that a running task works on.
async fn busy(config: &Config, connection: &Connection) -> Result<BTreeSet<String>, Error> {
    let filter = TaskFilter { source: Some(TaskSource::Active), ..TaskFilter::default() };
    let tasks = connection.client.node(&config.node).tasks(&filter).await?;
    let running = tasks.rows.into_iter().filter(|task| task.endtime.is_none());
    Ok(running.map(|task| task.id.split('@').next().unwrap_or_default().to_string()).collect())
}

fn judge(vmid: Vmid, lock: &Lock, busy: &BTreeSet<String>) -> Finding {
    // A backup of several containers has no id.
    let is_busy = busy.contains(&vmid.to_string()) || (*lock == Lock::Backup && busy.contains(""));
    if is_busy {
        return Finding::ok(format!("{vmid} is locked ({lock}) by a task that runs")).about(vmid.to_string());
    }
    Finding::warn(format!("{vmid} is locked ({lock}), and no task works on it"))
        .about(vmid.to_string())
        .because("a worker was killed, or the token cannot see its task; make sure that none runs before unlocking")
        .fix(unlock(vmid, lock))
}
