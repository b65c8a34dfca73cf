//! What the exercise claims, in the order of its steps.

use crate::report::finding::Claim;

const CONFIG: &str = "GET /nodes/{node}/lxc/{vmid}/config";
const SNAPSHOTS: &str = "GET /nodes/{node}/lxc/{vmid}/snapshot";

const fn claim(
    id: &'static str,
    proves: &'static str,
    source: &'static str,
    needs: &'static [&'static str],
) -> Claim {
    Claim::new(id, proves, source).needs(needs)
}

pub(super) static GUEST: Claim =
    claim("x.guest", "the container is meant for it, stopped and free", CONFIG, &["node.exists"]);
pub(super) static SNAPSHOT: Claim =
    claim("x.snapshot", "a snapshot can be taken", "POST /nodes/{node}/lxc/{vmid}/snapshot", &["x.guest"]);
pub(super) static VISIBLE: Claim = claim(
    "x.visible",
    "the snapshot is listed, and the container descends from it",
    SNAPSHOTS,
    &["x.snapshot"],
);
pub(super) static MARKER: Claim =
    claim("x.marker", "the container can be changed", "PUT /nodes/{node}/lxc/{vmid}/config", &["x.visible"]);
pub(super) static ROLLBACK: Claim = claim(
    "x.rollback",
    "the container can be rolled back",
    "POST /nodes/{node}/lxc/{vmid}/snapshot/{snapname}/rollback",
    &["x.marker"],
);
pub(super) static RESTORED: Claim =
    claim("x.restored", "the rollback took the change back", CONFIG, &["x.rollback"]);
pub(super) static DELETE: Claim = claim(
    "x.delete",
    "the snapshot can be deleted",
    "DELETE /nodes/{node}/lxc/{vmid}/snapshot/{snapname}",
    &["x.restored"],
);
pub(super) static GONE: Claim = claim("x.gone", "the snapshot is gone", SNAPSHOTS, &["x.delete"]);
pub(super) static UNCHANGED: Claim =
    claim("x.unchanged", "the container is as it was before", CONFIG, &["x.gone"]);

/// All of them.
pub static ALL: [&Claim; 9] =
    [&GUEST, &SNAPSHOT, &VISIBLE, &MARKER, &ROLLBACK, &RESTORED, &DELETE, &GONE, &UNCHANGED];
