//! What the node does when it is asked: one file for each part of the API. Handlers know the world; it knows none of them.

mod backup;
pub(super) mod create;
pub(super) mod lifecycle;
mod lxc;
mod node;
pub(super) mod recorded;
mod snapshot;
mod storage;
mod task;

use super::ask::Route;

/// Every operation that the node knows.
pub(super) const HANDLERS: &[&[Route]] = &[
    recorded::HANDLERS,
    node::HANDLERS,
    lxc::HANDLERS,
    create::HANDLERS,
    lifecycle::HANDLERS,
    snapshot::HANDLERS,
    backup::HANDLERS,
    storage::HANDLERS,
    task::HANDLERS,
];
