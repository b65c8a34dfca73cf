//! The checks of the read-only self-test, in the order of the report.

mod api;
mod config;
mod connection;
mod drift;
mod guest;
mod host;
mod leftover;
mod named;
mod node;
mod permission;
mod service;
mod storage;
mod sudo;

use super::check::Check;
use crate::report::exit::Exit;
use crate::report::finding::{Claim, Group};

/// Every check of the read-only mode.
pub const READ_ONLY: &[Check] = &[
    Check {
        claim: Claim {
            id: "config.file",
            group: Group::Config,
            proves: "the configuration is there, and nothing in it is unknown or mistyped",
            source: "the configuration file and the environment",
            needs: &[],
            exit: Exit::Config,
        },
        run: config::file,
    },
    Check {
        claim: Claim {
            id: "config.secret",
            group: Group::Config,
            proves: "the token is there, and nobody else can read or replace it",
            source: "the token file",
            needs: &["config.file"],
            exit: Exit::Config,
        },
        run: config::secret,
    },
    Check {
        claim: Claim {
            id: "config.tls",
            group: Group::Config,
            proves: "the pins and the CA file can be used",
            source: "the CA file",
            needs: &["config.secret"],
            exit: Exit::Config,
        },
        run: config::tls,
    },
    Check {
        claim: Claim {
            id: "net.connect",
            group: Group::Api,
            proves: "the name resolves and the port accepts",
            source: "TCP",
            needs: &["config.tls"],
            exit: Exit::Unchecked,
        },
        run: connection::connect,
    },
    Check {
        claim: Claim {
            id: "tls.handshake",
            group: Group::Api,
            proves: "the server speaks TLS 1.2 or 1.3 and holds the key of its certificate",
            source: "TLS",
            needs: &["net.connect"],
            exit: Exit::Unchecked,
        },
        run: connection::handshake,
    },
    Check {
        claim: Claim {
            id: "tls.pin",
            group: Group::Api,
            proves: "the certificate is one of the pinned ones",
            source: "TLS",
            needs: &["tls.handshake"],
            exit: Exit::Unchecked,
        },
        run: connection::pin,
    },
    Check {
        claim: Claim {
            id: "tls.ca",
            group: Group::Api,
            proves: "the CA signed the certificate, for this name and this time",
            source: "TLS",
            needs: &["tls.handshake"],
            exit: Exit::Unchecked,
        },
        run: connection::authority,
    },
    Check {
        claim: Claim {
            id: "tls.expiry",
            group: Group::Api,
            proves: "the certificate is valid for two weeks more",
            source: "TLS",
            needs: &["tls.pin", "tls.ca"],
            exit: Exit::Fail,
        },
        run: connection::expiry,
    },
    Check {
        claim: Claim {
            id: "auth.token",
            group: Group::Api,
            proves: "the server accepts the token",
            source: "GET /version",
            needs: &["tls.pin", "tls.ca"],
            exit: Exit::Unchecked,
        },
        run: api::token,
    },
    Check {
        claim: Claim {
            id: "api.version",
            group: Group::Api,
            proves: "this version of PVE is known",
            source: "GET /version",
            needs: &["auth.token"],
            exit: Exit::Fail,
        },
        run: api::version,
    },
    Check {
        claim: Claim {
            id: "time.skew",
            group: Group::Api,
            proves: "the clocks of server and agent agree",
            source: "GET /version",
            needs: &["auth.token"],
            exit: Exit::Fail,
        },
        run: api::skew,
    },
    Check {
        claim: Claim {
            id: "node.exists",
            group: Group::Node,
            proves: "the configured node is one of the cluster, and online",
            source: "GET /nodes",
            needs: &["auth.token"],
            exit: Exit::Fail,
        },
        run: node::exists,
    },
    Check {
        claim: Claim {
            id: "node.status",
            group: Group::Node,
            proves: "the node answers, and its root file system has room",
            source: "GET /nodes/{node}/status",
            needs: &["node.exists"],
            exit: Exit::Fail,
        },
        run: node::status,
    },
    Check {
        claim: Claim {
            id: "node.services",
            group: Group::Node,
            proves: "pvestatd, pveproxy, pvedaemon and pve-cluster run",
            source: "GET /nodes/{node}/services",
            needs: &["node.exists"],
            exit: Exit::Fail,
        },
        run: service::services,
    },
    Check {
        claim: Claim {
            id: "pool.exists",
            group: Group::Node,
            proves: "the configured pool is there",
            source: "GET /pools",
            needs: &["auth.token"],
            exit: Exit::Fail,
        },
        run: named::pool,
    },
    Check {
        claim: Claim {
            id: "bridge.exists",
            group: Group::Node,
            proves: "every configured bridge is there, and up",
            source: "GET /nodes/{node}/network",
            needs: &["node.exists"],
            exit: Exit::Fail,
        },
        run: named::bridges,
    },
    Check {
        claim: Claim {
            id: "perm.need",
            group: Group::Permissions,
            proves: "the token has every privilege that the agent needs",
            source: "GET /access/permissions",
            needs: &["node.exists"],
            exit: Exit::Fail,
        },
        run: permission::need,
    },
    Check {
        claim: Claim {
            id: "perm.excess",
            group: Group::Permissions,
            proves: "the token has no privilege that the agent must not have",
            source: "GET /access/permissions",
            needs: &["auth.token"],
            exit: Exit::Fail,
        },
        run: permission::excess,
    },
    Check {
        claim: Claim {
            id: "storage.list",
            group: Group::Storage,
            proves: "every configured storage can be seen",
            source: "GET /nodes/{node}/storage",
            needs: &["node.exists"],
            exit: Exit::Fail,
        },
        run: storage::list,
    },
    Check {
        claim: Claim {
            id: "storage.space",
            group: Group::Storage,
            proves: "the storages are active and have room",
            source: "GET /nodes/{node}/storage",
            needs: &["storage.list"],
            exit: Exit::Fail,
        },
        run: storage::space,
    },
    Check {
        claim: Claim {
            id: "storage.golden",
            group: Group::Storage,
            proves: "the backup that customers' containers are restored from is there",
            source: "GET /nodes/{node}/storage/{storage}/content/{volume}",
            needs: &["storage.list"],
            exit: Exit::Fail,
        },
        run: storage::golden,
    },
    Check {
        claim: Claim {
            id: "guests.list",
            group: Group::Guests,
            proves: "the containers can be seen and read",
            source: "GET /cluster/resources",
            needs: &["node.exists"],
            exit: Exit::Fail,
        },
        run: guest::list,
    },
    Check {
        claim: Claim {
            id: "guests.locks",
            group: Group::Guests,
            proves: "no container is locked without a task that runs",
            source: "GET /cluster/resources",
            needs: &["guests.list"],
            exit: Exit::Fail,
        },
        run: guest::locks,
    },
    Check {
        claim: Claim {
            id: "guests.leftovers",
            group: Group::Guests,
            proves: "no exercise of the self-test has left anything",
            source: "GET /nodes/{node}/lxc/{vmid}/snapshot",
            needs: &["guests.list"],
            exit: Exit::Fail,
        },
        run: leftover::leftovers,
    },
    Check {
        claim: Claim {
            id: "sudo.nnp",
            group: Group::Sudo,
            proves: "programs of the agent may become root",
            source: "/proc/self/status",
            needs: &["config.file"],
            exit: Exit::Fail,
        },
        run: sudo::flag,
    },
    Check {
        claim: Claim {
            id: "sudo.ready",
            group: Group::Sudo,
            proves: "sudo runs every command of the agent without a password",
            source: "sudo -l",
            needs: &["sudo.nnp"],
            exit: Exit::Fail,
        },
        run: sudo::ready,
    },
    Check {
        claim: Claim {
            id: "sudo.exact",
            group: Group::Sudo,
            proves: "sudo permits nothing else",
            source: "sudo -l",
            needs: &["sudo.ready"],
            exit: Exit::Fail,
        },
        run: sudo::exact,
    },
    Check {
        claim: Claim {
            id: "host.binaries",
            group: Group::Host,
            proves: "the programs that run as root are there, and only root can change them",
            source: "stat",
            needs: &["config.file"],
            exit: Exit::Fail,
        },
        run: host::binaries,
    },
    Check {
        claim: Claim {
            id: "host.mountns",
            group: Group::Host,
            proves: "the agent mounts where PVE looks",
            source: "/proc",
            needs: &["config.file"],
            exit: Exit::Fail,
        },
        run: host::mount_namespace,
    },
    Check {
        claim: Claim {
            id: "host.sensors",
            group: Group::Host,
            proves: "the host is not too hot",
            source: "sensors",
            needs: &["config.file"],
            exit: Exit::Fail,
        },
        run: host::temperatures,
    },
    Check {
        claim: Claim {
            id: "host.smart",
            group: Group::Host,
            proves: "no disk expects to fail",
            source: "smartctl",
            needs: &["sudo.ready"],
            exit: Exit::Fail,
        },
        run: host::disks,
    },
    Check {
        claim: Claim {
            id: "host.usb.*",
            group: Group::Host,
            proves: "every USB disk of the configuration is mounted, also after a reboot",
            source: "findmnt",
            needs: &["config.file"],
            exit: Exit::Fail,
        },
        run: host::usb_disks,
    },
    Check {
        claim: Claim {
            id: "decode.drift",
            group: Group::Drift,
            proves: "the server says nothing that this version does not know",
            source: "every answer",
            needs: &["auth.token"],
            exit: Exit::Fail,
        },
        run: drift::fields,
    },
];

/// The check that looks back at all others, and so runs after them.
pub const LAST: &str = "decode.drift";
