//! The node: version, status, network, disks, certificates, services.

use super::super::kind::DEVICE;
use super::{Endpoint, Kind, Pace, Privileges, Returns, check, get, optional, required};

const SYS_AUDIT: Privileges = Privileges::All("/nodes/{node}", &["Sys.Audit"]);

/// Version of the server.
pub static VERSION: Endpoint = get("version", "/version", Privileges::Anyone, Returns::Object);

/// Nodes of the cluster.
pub static LIST: Endpoint = get("node.list", "/nodes", Privileges::Anyone, Returns::List);

/// Load, memory and root file system of a node.
pub static STATUS: Endpoint = get("node.status", "/nodes/{node}/status", SYS_AUDIT, Returns::Object);

/// Clock and time zone of a node.
pub static TIME: Endpoint = get("node.time", "/nodes/{node}/time", SYS_AUDIT, Returns::Object);

/// Version of PVE on a node.
pub static NODE_VERSION: Endpoint =
    get("node.version", "/nodes/{node}/version", Privileges::Anyone, Returns::Object);

/// Interfaces and bridges of a node.
pub static NETWORK: Endpoint =
    get("node.network", "/nodes/{node}/network", Privileges::Anyone, Returns::List)
        .with(&[&[optional("type", Kind::OneOf(&["any_bridge"]))]])
        .checks(&[check(
            "bridges without one of them are left out",
            Privileges::AnyOf("/sdn/zones/localnetwork/{iface}", &["SDN.Audit", "SDN.Use"]),
            "pve-manager PVE/API2/Network.pm, index",
        )
        .filters()
        .seen("get-node-network.limited")]);

/// System services of a node.
pub static SERVICES: Endpoint =
    get("node.services", "/nodes/{node}/services", SYS_AUDIT, Returns::List).protected();

/// Certificates that a node serves.
pub static CERTIFICATES: Endpoint =
    get("node.certificates", "/nodes/{node}/certificates/info", Privileges::Anyone, Returns::List);

/// Disks of a node.
pub static DISKS: Endpoint = get(
    "disk.list",
    "/nodes/{node}/disks/list",
    Privileges::Either(&[Privileges::All("/", &["Sys.Audit"]), SYS_AUDIT]),
    Returns::List,
)
.with(&[&[
    optional("include-partitions", Kind::Boolean),
    optional("skipsmart", Kind::Boolean),
    optional("type", Kind::OneOf(&["unused", "journal_disks"])),
]])
.paced(Pace::Storage)
.protected();

/// Health of one disk.
pub static SMART: Endpoint =
    get("disk.smart", "/nodes/{node}/disks/smart", Privileges::All("/", &["Sys.Audit"]), Returns::Object)
        .with(&[&[required("disk", Kind::Pattern(DEVICE))]])
        .paced(Pace::Storage)
        .protected();

pub(super) static ENDPOINTS: &[&Endpoint] =
    &[&VERSION, &LIST, &STATUS, &TIME, &NODE_VERSION, &NETWORK, &SERVICES, &CERTIFICATES, &DISKS, &SMART];
