//! Snapshots of containers.

use super::super::kind::NEW_SNAPSHOT;
use super::{
    ANY_TEXT, Endpoint, Kind, Privileges, Returns, TaskId, Trace, Worker, delete, format_of, get, optional,
    post, put, required,
};

const SNAPSHOT: Privileges = Privileges::All("/vms/{vmid}", &["VM.Snapshot"]);

/// Snapshots of a container.
pub static LIST: Endpoint = get(
    "snapshot.list",
    "/nodes/{node}/lxc/{vmid}/snapshot",
    Privileges::All("/vms/{vmid}", &["VM.Audit"]),
    Returns::List,
)
.protected();

/// Takes a snapshot.
pub static CREATE: Endpoint =
    post("snapshot.create", "/nodes/{node}/lxc/{vmid}/snapshot", SNAPSHOT, Returns::Upid)
        .with(&[&[required("snapname", format_of(NEW_SNAPSHOT)), optional("description", ANY_TEXT)]])
        .traced(Trace::Snapshot(Worker { kinds: &["vzsnapshot"], id: TaskId::Named("vmid") }));

/// Deletes a snapshot.
pub static DELETE: Endpoint =
    delete("snapshot.delete", "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}", SNAPSHOT, Returns::Upid)
        .with(&[&[optional("force", Kind::Boolean)]])
        .starts(&["vzdelsnapshot"], "vmid");

/// Rolls a container back.
pub static ROLLBACK: Endpoint = post(
    "snapshot.rollback",
    "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/rollback",
    Privileges::AnyOf("/vms/{vmid}", &["VM.Snapshot", "VM.Snapshot.Rollback"]),
    Returns::Upid,
)
.with(&[&[optional("start", Kind::Boolean)]])
.starts(&["vzrollback"], "vmid");

/// Configuration that a snapshot holds.
pub static CONFIG: Endpoint = get(
    "snapshot.config",
    "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config",
    Privileges::AnyOf("/vms/{vmid}", &["VM.Snapshot", "VM.Snapshot.Rollback", "VM.Audit"]),
    Returns::Object,
);

/// Changes the description of a snapshot.
pub static SET_CONFIG: Endpoint = put(
    "snapshot.set_config",
    "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config",
    SNAPSHOT,
    Returns::Null,
)
.with(&[&[optional("description", ANY_TEXT)]])
.traced(Trace::Value(&CONFIG));

pub(super) static ENDPOINTS: &[&Endpoint] = &[&LIST, &CREATE, &DELETE, &ROLLBACK, &CONFIG, &SET_CONFIG];
