//! The check of PVE's services: the one that keeps the statistics may be dead while everything else works.

use proxmox_types::{NodeEntry, NodeState, Rows, Service};
use serde_json::json;

use crate::report::finding::{Claim, Finding, Found, Remedy};
use crate::selftest::{Check, Ready};

pub(super) const SERVICES: Check = Check::api(
    Claim::new(
        "node.services",
        "pvestatd, pveproxy, pvedaemon and pve-cluster run",
        "GET /nodes/{node}/services",
    )
    .needs(&["node.exists"]),
    |ready| Box::pin(services(ready)),
);

/// The services that the agent lives on, and what does not work without each.
const VITAL: [(&str, &str); 4] = [
    ("pvestatd", "the statistics stand still: /nodes and /cluster/resources tell how it was, or nothing"),
    ("pveproxy", "nobody answers on port 8006"),
    ("pvedaemon", "nothing can be changed"),
    ("pve-cluster", "without its file system there is no configuration, no user and no token"),
];

async fn services(ready: Ready<'_>) -> Found<Vec<Finding>> {
    let config = ready.config;
    let services = match ready.client.node(&config.node).services().await {
        Ok(services) => services,
        Err(error) if error.denied().is_some() => Rows::default(),
        Err(error) => return Err(ready.failed(&error)),
    };
    let known: Vec<&Service> = VITAL.iter().filter_map(|(name, _)| known(&services, name)).collect();
    let mut against: Vec<Finding> = known.iter().filter_map(|service| judge(service)).collect();
    let nodes = ready.nodes().await;
    let is_stale =
        nodes.is_ok_and(|nodes| nodes.iter().any(|node| node.node == config.node && is_stale(node)));
    if is_stale && !against.iter().any(|finding| finding.instance.as_deref() == Some("pvestatd")) {
        against.push(stale());
    }
    if against.is_empty() {
        against.push(match known.len() {
            0 => Finding::skip("the node does not tell which services run"),
            _ => Finding::ok(
                known.iter().map(|service| service.service.as_str()).collect::<Vec<_>>().join(", "),
            ),
        });
    }
    Ok(against)
}

/// The service, if systemd knows it: in a container PVE is started by something else.
fn known<'a>(services: &'a [Service], name: &str) -> Option<&'a Service> {
    let is_it = |service: &&Service| service.service == name;
    services
        .iter()
        .find(is_it)
        .filter(|service| !["not-found", "unknown"].contains(&service.unit_state.as_str()))
}

fn judge(service: &Service) -> Option<Finding> {
    let name = service.service.as_str();
    let why = VITAL.iter().find(|(known, _)| *known == name).map_or("", |(_, why)| why);
    let is_masked = service.unit_state.starts_with("masked");
    let finding = match service.active_state.as_str() {
        "active" | "reloading" | "refreshing" if is_masked || service.unit_state == "disabled" => {
            let enable = if is_masked { "unmask" } else { "enable" };
            Finding::warn(format!("{name} runs, and will not after a reboot"))
                .fix(format!("systemctl {enable} {name}"))
        }
        "active" | "reloading" | "refreshing" => return None,
        "activating" | "deactivating" => {
            let look = format!("journalctl -u {name} -n 20 --no-pager");
            Finding::warn(format!("{name} is {}, {}", service.active_state, service.state)).look(look)
        }
        _ => {
            let unmask = if is_masked { format!("systemctl unmask {name} && ") } else { String::new() };
            Finding::fail(
                format!("{name} does not run ({})", service.state),
                Remedy::fix(format!("{unmask}systemctl restart {name}")),
            )
            .look(format!("journalctl -u {name} -n 20 --no-pager"))
        }
    };
    let data = json!({ "state": service.state, "active_state": service.active_state, "unit_state": service.unit_state });
    Some(finding.about(name).because(why).with(data))
}

/// Whether the server has no statistics of the node, which says nothing of the node itself: it has just answered.
///
/// Source: pve-manager `PVE/API2Tools.pm`, `extract_node_stats`; recording `nodes-pvestatd-dead`.
pub(super) fn is_stale(node: &NodeEntry) -> bool {
    node.status == NodeState::Unknown
}

/// What is said of statistics that are gone.
pub(super) fn stale() -> Finding {
    Finding::warn(
        "the statistics of the node are stale: pvestatd does not run, or pve-cluster has just started",
    )
    .about("pvestatd")
    .because("what is told of load and of running guests may be old; everything else works")
    .fix("systemctl restart pvestatd")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_judged_by_what_systemd_says() {
        let cases = [
            ("running", "active", "enabled", "", ""),
            ("exited", "active", "enabled", "", ""),
            ("reload", "reloading", "enabled", "", ""),
            ("running", "active", "disabled", "warn", "systemctl enable pvestatd"),
            ("dead", "inactive", "enabled", "FAIL", "systemctl restart pvestatd"),
            ("failed", "failed", "enabled", "FAIL", "systemctl restart pvestatd"),
            ("dead", "inactive", "masked", "FAIL", "systemctl unmask pvestatd && systemctl restart pvestatd"),
            ("auto-restart", "activating", "enabled", "warn", ""),
            ("dead", "maintenance", "enabled", "FAIL", "systemctl restart pvestatd"),
        ];
        for (state, active, unit, label, fix) in cases {
            let service: Service = serde_json::from_value(json!({
                "service": "pvestatd", "name": "pvestatd", "desc": "", "state": state, "active-state": active,
                "unit-state": unit,
            }))
            .unwrap();
            let found = judge(&service);
            let fixes = found.iter().flat_map(|finding| &finding.fix).map(|fix| fix.run.as_str());
            let labels = found.iter().map(|finding| finding.status.label());
            assert_eq!(
                (labels.collect::<String>(), fixes.collect::<String>()),
                (label.into(), fix.into()),
                "{state}"
            );
        }
    }
}
