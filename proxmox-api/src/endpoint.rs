//! What one endpoint of the API is, as data: method, path, parameters, privileges, result.
//!
//! The rows are in [`scope`](crate::scope), each beside its method, written once. They drive the privileges that errors
//! name, the contract test against PVE's own schema, `docs/endpoints.md` and the self-test's report of permissions.

pub mod privilege;
pub mod worker;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

pub use privilege::{CodeCheck, Privileges, Shows};
pub use worker::{TaskId, Worker};

use crate::{Method, Request};

/// One endpoint.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Endpoint {
    /// What the operation is called in the documentation: `lxc.snapshot.create`.
    pub operation: &'static str,
    /// The method.
    pub method: Method,
    /// The path below `/api2/json` with its variables in braces, as PVE's schema writes it.
    pub path: &'static str,
    /// The privileges that PVE's schema declares.
    pub declared: Privileges,
    /// What PVE's code checks besides, in groups that endpoints share.
    pub in_code: &'static [&'static [CodeCheck]],
    /// What an answer with status 200 holds.
    pub returns: Returns,
    /// How long the answer may take.
    pub pace: Pace,
    /// Whether pveproxy hands the call to pvedaemon, which PVE's schema calls protected. Every such answer closes the
    /// connection, and a pvedaemon that is down or slow shows as 595 or 596.
    pub protected: bool,
    /// Where it shows afterwards that a call was executed.
    pub trace: Trace,
    /// Whether a refusal with status 500 can prove that nothing was done. A `PUT` writes first: with a network on a bridge
    /// that does not exist, `PUT config` stores the change and then answers `500 bridge '...' does not exist`.
    pub refuses_first: bool,
}

/// What an answer with status 200 holds in `data`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Returns {
    /// An object.
    Object,
    /// A list.
    List,
    /// A list, with the number of all rows beside it.
    Page,
    /// A string that is not a UPID.
    Text,
    /// An integer, which may arrive as a string.
    Integer,
    /// The UPID of the worker that was started.
    Upid,
    /// The UPID of the worker, or the literal `OK` if there was nothing to do here.
    UpidOrOk,
    /// The UPID of the worker, or null if it has already ended.
    UpidOrNull,
    /// Null: the call was done when it was answered.
    Null,
}

/// How long an answer may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pace {
    /// A read: 5 s.
    Read,
    /// A read that makes PVE look at every storage, of which one may hang: 10 s.
    Storage,
    /// A change: 35 s, because pveproxy itself gives up on pvedaemon after 30 s and says so.
    Change,
}

impl Pace {
    /// The time limit of a request.
    pub const fn time_limit(self) -> Duration {
        Duration::from_secs(match self {
            Self::Read => 5,
            Self::Storage => 10,
            Self::Change => 35,
        })
    }
}

/// Where it shows that a call which changes something was executed, if its answer was lost.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Trace {
    /// Nowhere that is of use: it is a read, or its effect does not tell who caused it.
    Nowhere,
    /// In the list of tasks.
    Task(Worker),
    /// In the list of tasks alone: PVE starts a worker, and answers without its UPID.
    Dropped(Worker),
    /// In the list of tasks, and in the container's list of snapshots.
    Snapshot(Worker),
    /// In the list of tasks, and in that this endpoint finds nothing at the same path any more.
    Deleted(Worker, &'static Endpoint),
    /// In what this endpoint reads at the same path: the parameters that were sent.
    Value(&'static Endpoint),
}

impl Trace {
    /// The worker that the call starts.
    pub const fn worker(&self) -> Option<Worker> {
        match self {
            Self::Task(worker)
            | Self::Dropped(worker)
            | Self::Snapshot(worker)
            | Self::Deleted(worker, _) => Some(*worker),
            Self::Nowhere | Self::Value(_) => None,
        }
    }
}

impl Endpoint {
    /// An endpoint with what its method makes likely: a change takes its time and is handed to pvedaemon.
    pub(crate) const fn new(
        operation: &'static str,
        method: Method,
        path: &'static str,
        declared: Privileges,
        returns: Returns,
    ) -> Self {
        Self {
            operation,
            method,
            path,
            declared,
            in_code: &[],
            returns,
            pace: if method.is_read() { Pace::Read } else { Pace::Change },
            protected: !method.is_read(),
            trace: Trace::Nowhere,
            refuses_first: !matches!(method, Method::Put),
        }
    }

    pub(crate) const fn checks(self, in_code: &'static [&'static [CodeCheck]]) -> Self {
        Self { in_code, ..self }
    }

    /// Answers something else than the type of the answer makes likely.
    pub(crate) const fn returning(self, returns: Returns) -> Self {
        Self { returns, ..self }
    }

    /// Marks a read that pvedaemon answers; it answers every change.
    pub(crate) const fn protected(self) -> Self {
        Self { protected: true, ..self }
    }

    pub(crate) const fn paced(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// Starts a worker of this type, whose id is a variable of the path or a parameter.
    pub(crate) const fn starts(self, kinds: &'static [&'static str], id: &'static str) -> Self {
        self.traced(Trace::Task(Worker { kinds, id: TaskId::Named(id) }))
    }

    pub(crate) const fn traced(self, trace: Trace) -> Self {
        Self { trace, ..self }
    }

    /// What PVE's code checks beside the declared privileges.
    pub fn code_checks(&self) -> impl Iterator<Item = &'static CodeCheck> {
        self.in_code.iter().copied().flatten()
    }

    /// The segment of a request's path, still encoded, that stands for a variable.
    pub(crate) fn variable<'p>(&self, path: &'p str, name: &str) -> Option<&'p str> {
        let mut segments = self.path.split('/').zip(path.split('/'));
        segments.find(|(template, _)| braced(template) == Some(name)).map(|(_, segment)| segment)
    }

    /// A path of privileges with the variables of a request's path filled in; others stay.
    pub(crate) fn filled(&self, path: &str, request_path: &str) -> String {
        let known = |name: &str| self.variable(request_path, name).map(ToString::to_string);
        let fill = |segment: &str| braced(segment).and_then(known).unwrap_or_else(|| segment.to_string());
        path.split('/').map(fill).collect::<Vec<_>>().join("/")
    }

    /// Every privilege that a call needs, in words.
    pub(crate) fn needs(&self, request: &Request) -> String {
        let checks = self.code_checks().filter(|check| check.shows == Shows::OnTheCall);
        let listed =
            checks.map(|check| format!("{} ({})", self.filled_words(&check.needs, request), check.when));
        let declared =
            (self.declared != Privileges::Anyone).then(|| self.filled_words(&self.declared, request));
        declared.into_iter().chain(listed).collect::<Vec<_>>().join("; ")
    }

    fn filled_words(&self, privileges: &Privileges, request: &Request) -> String {
        let words = privileges.to_string();
        words.split(' ').map(|word| self.filled(word, &request.path)).collect::<Vec<_>>().join(" ")
    }

    /// The names of the variables of the path, in order.
    pub fn path_variables(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(braced)
    }

    /// Whether a decoded path is one of this endpoint.
    pub fn matches(&self, method: Method, segments: &[&str]) -> bool {
        let mut template = self.path.split('/').filter(|segment| !segment.is_empty());
        method == self.method
            && segments.iter().all(|segment| {
                template.next().is_some_and(|wanted| wanted.starts_with('{') || wanted == *segment)
            })
            && template.next().is_none()
    }
}

/// The name in the braces of a variable.
fn braced(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}
