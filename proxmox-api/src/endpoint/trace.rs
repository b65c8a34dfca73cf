//! Where it shows afterwards that a call was executed.

use super::Endpoint;

/// Where it shows that a call which changes something was executed, if its answer was lost.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Trace {
    /// Nowhere that is of use: it is a read, or its effect does not tell who caused it.
    Nowhere,
    /// In the list of tasks.
    Task(Worker),
    /// In the list of tasks, and in the container's list of snapshots.
    Snapshot(Worker),
    /// In what this endpoint reads at the same path: the parameters that were sent.
    Value(&'static Endpoint),
}

/// The worker that a call starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Its type, as UPIDs have it.
    pub kind: &'static str,
    /// The variable of the path, or the parameter, that is the id in its UPID; nothing if the id is made otherwise. The
    /// id is empty if the parameter holds several items, or none.
    pub id: Option<&'static str>,
}

impl Trace {
    /// The worker that the call starts.
    pub const fn worker(&self) -> Option<Worker> {
        match self {
            Self::Task(worker) | Self::Snapshot(worker) => Some(*worker),
            Self::Nowhere | Self::Value(_) => None,
        }
    }
}
