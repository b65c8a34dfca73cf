//! The rows of the endpoint table, one file per part of the API.

pub mod access;
pub mod backup;
pub mod cluster;
pub mod lxc;
pub mod node;
pub mod options;
pub mod power;
pub mod snapshot;
pub mod storage;
pub mod task;

use super::kind::{Format, NODE, SNAPSHOT, STORAGE, VMID};
use super::{
    CodeCheck, Endpoint, Kind, Pace, ParameterRow, Privileges, Returns, Rule, Shows, TaskId, Trace, Worker,
};
use crate::Method;

/// Every endpoint that the client speaks to.
pub fn all() -> impl Iterator<Item = &'static Endpoint> {
    [
        node::ENDPOINTS,
        lxc::ENDPOINTS,
        power::ENDPOINTS,
        snapshot::ENDPOINTS,
        backup::ENDPOINTS,
        storage::ENDPOINTS,
        task::ENDPOINTS,
        cluster::ENDPOINTS,
        access::ENDPOINTS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

const fn get(
    operation: &'static str,
    path: &'static str,
    declared: Privileges,
    returns: Returns,
) -> Endpoint {
    Endpoint {
        operation,
        method: Method::Get,
        path,
        parameters: &[],
        rules: &[],
        declared,
        in_code: &[],
        returns,
        pace: Pace::Read,
        protected: false,
        trace: Trace::Nowhere,
        refuses_first: true,
    }
}

const fn post(
    operation: &'static str,
    path: &'static str,
    declared: Privileges,
    returns: Returns,
) -> Endpoint {
    Endpoint {
        method: Method::Post,
        pace: Pace::Change,
        protected: true,
        ..get(operation, path, declared, returns)
    }
}

const fn put(
    operation: &'static str,
    path: &'static str,
    declared: Privileges,
    returns: Returns,
) -> Endpoint {
    Endpoint { method: Method::Put, refuses_first: false, ..post(operation, path, declared, returns) }
}

const fn delete(
    operation: &'static str,
    path: &'static str,
    declared: Privileges,
    returns: Returns,
) -> Endpoint {
    Endpoint { method: Method::Delete, ..post(operation, path, declared, returns) }
}

impl Endpoint {
    const fn with(self, parameters: &'static [&'static [ParameterRow]]) -> Self {
        Self { parameters, ..self }
    }

    const fn ruled(self, rules: &'static [Rule]) -> Self {
        Self { rules, ..self }
    }

    const fn checks(self, in_code: &'static [CodeCheck]) -> Self {
        Self { in_code, ..self }
    }

    /// Marks a read that pvedaemon answers; it answers every change.
    const fn protected(self) -> Self {
        Self { protected: true, ..self }
    }

    const fn paced(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// Starts a worker of this type, whose id is a variable of the path or a parameter.
    const fn starts(self, kinds: &'static [&'static str], id: &'static str) -> Self {
        self.traced(Trace::Task(Worker { kinds, id: TaskId::Named(id) }))
    }

    const fn traced(self, trace: Trace) -> Self {
        Self { trace, ..self }
    }
}

const fn required(name: &'static str, kind: Kind) -> ParameterRow {
    ParameterRow { name, kind, is_required: true }
}

const fn optional(name: &'static str, kind: Kind) -> ParameterRow {
    ParameterRow { name, kind, is_required: false }
}

/// A check that applies to the call itself.
const fn check(when: &'static str, needs: Privileges, source: &'static str) -> CodeCheck {
    CodeCheck { when, needs, shows: Shows::OnTheCall, source, recording: None }
}

impl CodeCheck {
    const fn seen(self, recording: &'static str) -> Self {
        Self { recording: Some(recording), ..self }
    }

    const fn in_task(self) -> Self {
        Self { shows: Shows::InTheTask, ..self }
    }

    const fn filters(self) -> Self {
        Self { shows: Shows::ByLeavingOut, ..self }
    }
}

/// A number without an upper bound.
const fn at_least(low: i64) -> Kind {
    Kind::Integer(low, i64::MAX)
}

const VMID_KIND: Kind = Kind::Format(VMID);
const NODE_KIND: Kind = Kind::Format(NODE);
const STORAGE_KIND: Kind = Kind::Format(STORAGE);
const SNAPSHOT_KIND: Kind = Kind::Format(SNAPSHOT);
const DIGEST: Kind = Kind::Text(0, 40);
/// A bandwidth limit in KiB/s.
const BWLIMIT: Kind = Kind::Number(0.0, f64::INFINITY);
const ANY_TEXT: Kind = Kind::Text(0, super::kind::UNBOUNDED);

const fn format_of(format: Format) -> Kind {
    Kind::Format(format)
}
