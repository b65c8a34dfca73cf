//! The cluster: resources, status, tasks, HA, replication.

use super::{Endpoint, Kind, Privileges, Returns, VMID_KIND, check, get, optional};

const ROOT_AUDIT: Privileges = Privileges::All("/", &["Sys.Audit"]);

/// A VMID that is free.
pub static NEXT_ID: Endpoint =
    get("cluster.next_id", "/cluster/nextid", Privileges::Anyone, Returns::Integer)
        .with(&[&[optional("vmid", VMID_KIND)]]);

/// Guests, storages, nodes and pools of the cluster.
pub static RESOURCES: Endpoint =
    get("cluster.resources", "/cluster/resources", Privileges::Anyone, Returns::List)
        .with(&[&[optional("type", Kind::OneOf(&["vm", "storage", "node", "sdn"]))]])
        .checks(&[check(
            "guests without it are left out; pools need Pool.Audit, storages Datastore.Audit",
            Privileges::All("/vms/{vmid}", &["VM.Audit"]),
            "pve-manager PVE/API2/Cluster.pm, resources",
        )
        .filters()
        .seen("get-cluster-resources.path100")]);

/// Quorum and nodes of the cluster.
pub static STATUS: Endpoint = get("cluster.status", "/cluster/status", ROOT_AUDIT, Returns::List).protected();

/// Recent tasks of all nodes. A token sees none of its own.
pub static TASKS: Endpoint = get("cluster.tasks", "/cluster/tasks", Privileges::Anyone, Returns::List)
    .checks(&[check(
        "all tasks are left out without it",
        ROOT_AUDIT,
        "pve-manager PVE/API2/Cluster.pm, tasks",
    )
    .filters()
    .seen("get-cluster-tasks.limited")]);

/// Guests that are managed by HA.
pub static HA_RESOURCES: Endpoint =
    get("cluster.ha_resources", "/cluster/ha/resources", ROOT_AUDIT, Returns::List);

/// Replication jobs of a node.
pub static REPLICATION: Endpoint =
    get("node.replication", "/nodes/{node}/replication", Privileges::Anyone, Returns::List)
        .with(&[&[optional("guest", VMID_KIND)]])
        .checks(&[check(
            "jobs of guests without it are left out",
            Privileges::All("/vms/{vmid}", &["VM.Audit"]),
            "pve-manager PVE/API2/Replication.pm, status",
        )
        .filters()])
        .protected();

pub(super) static ENDPOINTS: &[&Endpoint] =
    &[&NEXT_ID, &RESOURCES, &STATUS, &TASKS, &HA_RESOURCES, &REPLICATION];
