//! Where the suite runs: on the simulated node, or on the host that the environment names.

use std::env;
use std::os::unix::fs::PermissionsExt;

use felhom_agent::config::{Config, Environment};
use proxmox_api::Client;
use proxmox_api::sim::Sim;
use proxmox_types::{NodeName, PoolId, StorageId, TemplateVolume};
use serde_json::{Value, json};

use crate::node::{Facts, Node};

/// Where the suite runs, and with what.
pub(crate) struct Place {
    pub(crate) client: Client,
    pub(crate) node: NodeName,
    /// For containers; it must be able to snapshot.
    pub(crate) storage: StorageId,
    pub(crate) template: TemplateVolume,
    pub(crate) pool: Option<PoolId>,
}

impl Place {
    /// A real host if `FELHOM_PVE_URL` is set, else the simulated node in virtual time.
    ///
    /// A real host needs `FELHOM_PVE_TOKEN`, `FELHOM_PVE_PIN` or `FELHOM_PVE_CA`, `FELHOM_PVE_NODE`,
    /// `FELHOM_PVE_STORAGE` and `FELHOM_PVE_TEMPLATE` as well, and takes `FELHOM_PVE_POOL`.
    pub(crate) fn of_environment() -> Self {
        let Ok(url) = env::var("FELHOM_PVE_URL") else { return Self::simulated() };
        let var =
            |name: &str| env::var(name).unwrap_or_else(|_| panic!("FELHOM_PVE_URL is set and {name} is not"));
        let tls = match (env::var("FELHOM_PVE_PIN"), env::var("FELHOM_PVE_CA")) {
            (Ok(pin), Ok(ca)) => json!({ "pins": [pin], "ca_file": ca }),
            (Ok(pin), Err(_)) => json!({ "pins": [pin] }),
            (Err(_), Ok(ca)) => json!({ "ca_file": ca }),
            (Err(_), Err(_)) => {
                panic!("FELHOM_PVE_URL is set and neither FELHOM_PVE_PIN nor FELHOM_PVE_CA is")
            }
        };
        let node = var("FELHOM_PVE_NODE");
        let config = json!({ "url": url, "node": node, "token": var("FELHOM_PVE_TOKEN"), "tls": tls });
        Self {
            storage: var("FELHOM_PVE_STORAGE").parse().unwrap(),
            template: var("FELHOM_PVE_TEMPLATE").parse().unwrap(),
            pool: env::var("FELHOM_PVE_POOL").ok().map(|pool| pool.parse().unwrap()),
            ..Self::over_tls(&config)
        }
    }

    /// The simulated node behind a socket.
    pub(crate) fn served(node: &Node) -> Self {
        let Facts { url, fingerprint, token, .. } = &node.facts;
        Self::over_tls(
            &json!({ "url": url, "node": "pve1", "token": token, "tls": { "pins": [fingerprint] } }),
        )
    }

    /// The client that an agent with this configuration has.
    fn over_tls(config: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, config.to_string()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let config = Config::load(&path, &Environment::default()).unwrap();
        let client = felhom_agent::wiring::connect(&config).unwrap().client;
        Self { client, node: config.node, ..Self::simulated() }
    }

    fn simulated() -> Self {
        Self {
            client: Sim::new().client(),
            node: "pve1".parse().unwrap(),
            storage: "local-btrfs".parse().unwrap(),
            template: "local:vztmpl/alpine-3.22-mini_3.22.0_amd64.tar.gz".parse().unwrap(),
            pool: Some("felhom".parse().unwrap()),
        }
    }
}
