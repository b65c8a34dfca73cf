//! What the token is shown: PVE leaves out what it may not see, and says nothing of it.

use proxmox_api::{Client, Error, Visibility};
use proxmox_types::NodeEntry;

use super::configuration::edit_line;
use crate::config::Config;
use crate::finding::{Finding, Remedy};

/// The path on which the configuration wants the containers' privileges.
pub fn containers_path(config: &Config) -> String {
    config.pool.as_ref().map_or_else(|| "/vms".into(), |pool| format!("/pool/{pool}"))
}

/// That no container is shown, whatever there is; nothing if the token would be shown one.
pub async fn none_shown(config: &Config, client: &Client) -> Result<Option<Finding>, Error> {
    Ok(match client.node(&config.node).containers().visibility().await? {
        Visibility::Nothing(denied) => {
            let path = containers_path(config);
            let fix = denied.pveum_on(&path, config.token.id()).unwrap_or_default();
            let finding = Finding::warn("no container is shown, whatever there is");
            Some(finding.because(format!("the token needs VM.Audit on {path}")).fix(fix))
        }
        _ => None,
    })
}

/// That the configured node is none of the cluster.
pub fn no_such_node(config: &Config, nodes: &[NodeEntry]) -> Finding {
    let names: Vec<String> = nodes.iter().map(|node| node.node.to_string()).collect();
    let text = format!("{} is no node of this cluster; there is {}", config.node, names.join(", "));
    Finding::fail(text, Remedy::fix(edit_line(&config.path)))
        .because("PVE knows a node by its short host name")
}
