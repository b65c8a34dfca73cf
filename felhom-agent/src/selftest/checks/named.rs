//! Checks that the pool and the bridges of the configuration are there: PVE takes privileges on what is not.

use std::sync::Arc;

use proxmox_api::{Cause, Error, Thing};
use proxmox_types::params::PermissionFilter;
use proxmox_types::{Bridge, NetworkInterface, PoolId, Unread};
use serde_json::json;

use crate::config::Config;
use crate::connection::Connection;
use crate::diagnosis::call_failed;
use crate::diagnosis::guests::untold;
use crate::report::finding::{Finding, Remedy};
use crate::report::shell::edit_line;
use crate::selftest::check::{Findings, found};
use crate::selftest::context::Context;

pub(super) fn pool(context: Arc<Context>) -> Findings {
    found(async move {
        let (config, connection) = context.connected()?;
        let Some(pool) = &config.pool else {
            return Ok(vec![Finding::skip("the configuration names no pool")]);
        };
        Ok(vec![match connection.client.pool(pool).await {
            Ok(_) => Finding::ok(format!("{pool} is there")),
            Err(error) if is_missing(&error) => {
                Finding::fail(format!("there is no pool {pool}"), Remedy::fix(add(pool))).because(
                    "PVE takes privileges on a pool that does not exist, and then creates nothing in it",
                )
            }
            Err(error) => call_failed(config, &error),
        }])
    })
}

fn is_missing(error: &Error) -> bool {
    matches!(error.cause(), Some(Cause::NotFound { what: Thing::Pool, .. }))
}

/// Makes the pool, and those that it lies in.
fn add(pool: &PoolId) -> String {
    let pool = pool.as_str();
    let above = pool.match_indices('/').filter_map(|(at, _)| pool.get(..at));
    let above = above.map(|outer| format!("(pveum pool add {outer} || true) && "));
    format!("{}pveum pool add {pool}", above.collect::<String>())
}

pub(super) fn bridges(context: Arc<Context>) -> Findings {
    found(async move {
        let (config, connection) = context.connected()?;
        if config.bridges.is_empty() {
            return Ok(vec![Finding::skip("the configuration names no bridge")]);
        }
        let shown = connection.client.node(&config.node).bridges().await;
        let shown = shown.map_err(|error| call_failed(config, &error))?;
        let mut against = Vec::new();
        for bridge in &config.bridges {
            let unread = shown
                .unread()
                .iter()
                .filter(|row| row.field("iface").is_none_or(|name| name == bridge.as_str()));
            let unread: Vec<Unread> = unread.cloned().collect();
            let untold = untold(&unread, "it cannot be told whether it is there");
            if !untold.is_empty() {
                against.extend(untold);
                continue;
            }
            against.extend(match shown.iter().find(|interface| interface.iface == bridge.as_str()) {
                Some(interface) => is_down(interface).then(|| down(bridge)),
                None => Some(absent(config, connection, bridge, &shown).await),
            });
        }
        if against.is_empty() {
            let names: Vec<&str> = config.bridges.iter().map(Bridge::as_str).collect();
            against.push(Finding::ok(names.join(", ")).with(json!({ "bridges": names })));
        }
        Ok(against)
    })
}

/// Bridges of Open vSwitch and vnets are not always told to be up.
fn is_down(interface: &NetworkInterface) -> bool {
    interface.kind == "bridge" && interface.active != Some(true)
}

fn down(bridge: &Bridge) -> Finding {
    Finding::fail(format!("{bridge} is not up"), Remedy::fix(format!("ifup {bridge}")))
        .about(bridge.to_string())
        .because("a container that joins it is created, and does not start")
}

/// Tells a bridge that is not there from one that is not shown.
async fn absent(
    config: &Config,
    connection: &Connection,
    bridge: &Bridge,
    shown: &[NetworkInterface],
) -> Finding {
    let path = format!("/sdn/zones/localnetwork/{bridge}");
    let filter = PermissionFilter { userid: None, path: Some(path.clone()) };
    let finding = match connection.client.access().permissions().with(filter).await {
        Err(error) => call_failed(config, &error),
        Ok(held) if !["SDN.Use", "SDN.Audit"].iter().any(|privilege| held.holds(&path, privilege)) => {
            Finding::skip(format!("{bridge} is not shown to a token without SDN.Use on {path}"))
        }
        Ok(_) => none(config, bridge, shown),
    };
    finding.about(bridge.to_string())
}

fn none(config: &Config, bridge: &Bridge, shown: &[NetworkInterface]) -> Finding {
    let names: Vec<&str> = shown.iter().map(|interface| interface.iface.as_str()).collect();
    let there =
        if names.is_empty() { "none is shown".into() } else { format!("there is {}", names.join(", ")) };
    Finding::fail(format!("there is no bridge {bridge}; {there}"), Remedy::fix(edit_line(&config.path)))
        .because(format!(
            "a container that joins it is created, and does not start; name another in `bridges`, or make it: \
             pvesh create /nodes/{0}/network --iface {bridge} --type bridge --autostart 1 && pvesh set /nodes/{0}/network",
            config.node
        ))
        .look("ip -br link show type bridge")
}
