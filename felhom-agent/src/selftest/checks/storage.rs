//! Checks of the storages.

use std::time::Duration;

use proxmox_api::grant::{STORE, grant_line};
use proxmox_types::{StorageId, StorageStatus, Unread};
use serde_json::json;
use tokio::time::timeout;

use super::node::{judge, percent, percents};
use crate::config::Config;
use crate::diagnosis::guests::untold;
use crate::report::finding::{Claim, Finding, Found, Remedy};
use crate::report::shell::edit_line;
use crate::selftest::{Check, Look, Ready};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        Claim::new("storage.list", "every configured storage can be seen", "GET /nodes/{node}/storage")
            .needs(&["node.exists"]),
        Look::Api(|ready| Box::pin(list(ready))),
    ),
    Check::new(
        Claim::new("storage.space", "the storages are active and have room", "GET /nodes/{node}/storage")
            .needs(&["storage.list"]),
        Look::Api(|ready| Box::pin(space(ready))),
    ),
    Check::new(
        Claim::new(
            "storage.golden",
            "the backup that customers' containers are restored from is there",
            "GET /nodes/{node}/storage/{storage}/content/{volume}",
        )
        .needs(&["storage.list"]),
        Look::Api(|ready| Box::pin(golden(ready))),
    ),
];

/// How long the node may take to look at its storages; less than a whole run has by default.
const LONGEST: Duration = Duration::from_secs(9);

async fn list(ready: Ready<'_>) -> Found<Vec<Finding>> {
    let config = ready.config;
    let storages = timeout(LONGEST, ready.storages()).await;
    let storages = storages.map_err(|_| hanging())??;
    let seen: Vec<String> = storages.iter().map(name).collect();
    let left_out = untold(storages.unread(), "it is left out");
    let named: Vec<String> = storages.unread().iter().map(Unread::name).collect();
    let is_listed = |name: &String| seen.contains(name) || named.contains(name);
    let hidden = config.storages.iter().filter(|storage| !is_listed(&storage.to_string()));
    let failures: Vec<Finding> = hidden.map(|storage| missing(config, storage)).collect();
    if !failures.is_empty() {
        return Ok(failures.into_iter().chain(left_out).collect());
    }
    let summary = format!("{} visible: {}", seen.len(), seen.join(", "));
    let finding = if seen.is_empty() {
        Finding::warn("no storage is visible").because("the token may audit none of them")
    } else {
        Finding::ok(summary)
    };
    Ok([finding.with(json!({ "storages": seen }))].into_iter().chain(left_out).collect())
}

/// PVE looks at its storages one after the other, so that one which hangs holds up all.
fn hanging() -> Finding {
    Finding::fail(
        format!("the node has not told its storages within {} s", LONGEST.as_secs()),
        Remedy::look("timeout 5 pvesm status || dmesg | tail"),
    )
    .because("a storage hangs, as NFS does without its server, and PVE waits for it before it tells of any")
}

fn missing(config: &Config, storage: &StorageId) -> Finding {
    let fix = grant_line(&format!("/storage/{storage}"), STORE, config.token.id());
    Finding::fail(format!("{storage} is not visible"), fix)
        .about(storage.to_string())
        .because("it does not exist or the token may not see it: PVE leaves both out alike")
        .look("pvesm status")
}

fn name(storage: &StorageStatus) -> String {
    storage.storage.as_ref().map_or_else(String::new, ToString::to_string)
}

async fn space(ready: Ready<'_>) -> Found<Vec<Finding>> {
    let config = ready.config;
    let storages = ready.storages().await;
    let storages = storages.map_err(|_| Finding::skip("the storages could not be listed"))?;
    let is_used = |storage: &&StorageStatus| {
        config.storages.is_empty() || storage.storage.as_ref().is_some_and(|id| config.storages.contains(id))
    };
    let judged = storages.iter().filter(is_used).filter(|storage| storage.enabled).map(one);
    let findings: Vec<Finding> = judged.collect();
    Ok(if findings.is_empty() { vec![Finding::skip("no storage to look at")] } else { findings })
}

async fn golden(ready: Ready<'_>) -> Found<Vec<Finding>> {
    let config = ready.config;
    let Some(volume) = &config.golden else {
        return Ok(vec![Finding::skip("the configuration names no golden backup")]);
    };
    let storage: StorageId = match volume.storage().parse() {
        Ok(storage) => storage,
        Err(error) => {
            return Ok(vec![Finding::fail(error.to_string(), edit_line(&config.path))]);
        }
    };
    let list = format!("pvesm list {storage} --content backup");
    let node = ready.client.node(&config.node);
    let finding = match node.storage(&storage).volume(volume).get().await {
        Ok(found) => Finding::ok(format!("{volume} is there{}", size(found.size))),
        Err(error) if error.is_not_found() || error.denied().is_some() => {
            Finding::fail(format!("{volume} is not there, or the token may not see it"), Remedy::look(list))
                .because("without it no container can be provisioned")
        }
        Err(error) => *ready.failed(&error),
    };
    Ok(vec![finding])
}

fn size(bytes: Option<u64>) -> String {
    bytes.map_or_else(String::new, |bytes| format!(", {} MiB", bytes >> 20))
}

fn one(storage: &StorageStatus) -> Finding {
    let name = name(storage);
    let (total, used) = (storage.total, storage.used);
    if !storage.active {
        let text = format!("{name} ({}) is not active", storage.kind);
        return Finding::fail(text, Remedy::look("pvesm status")).about(name);
    }
    if total == Some(0) {
        return Finding::skip(format!("{name} ({}) has no size of its own", storage.kind)).about(name);
    }
    let full = percent(used, total);
    judge(full, format!("{name} ({}) {}", storage.kind, percents(full)), &format!("pvesm list {name}"))
        .about(name)
        .with(json!({ "used_bytes": used, "total_bytes": total, "percent": full }))
}
