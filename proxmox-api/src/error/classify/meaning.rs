//! What a sentence can mean.

use alloc::string::{String, ToString};

use crate::error::{Cause, Denied, Thing};

/// What a sentence says.
#[derive(Clone, Copy)]
pub(super) enum Meaning {
    LockTimeout,
    Unlisted,
    Running,
    NotRunning,
    Conflict,
    NoQuorum,
    Outage,
    Protected,
    Template,
    NoSnapshots,
    NoSpace,
    Unavailable,
    Unfit,
    Fetch,
    Missing(Thing),
    Present(Thing),
    /// A container that is missing: the last text is its VMID.
    Guest,
    /// The last text is the lock.
    Locked,
    /// Something that is for root alone; the first text says what if nothing stands here.
    RootOnly(&'static str),
    /// A path and the privileges that are missing on it.
    Privileges,
    /// A privilege is missing that PVE does not name.
    Unnamed,
    /// A path of the API that no token may use.
    Uri,
}

impl Meaning {
    pub(super) fn cause(self, sentence: &str, texts: &[&str]) -> Cause {
        let name = || texts.first().copied().unwrap_or_default().to_string();
        let last = || texts.last().copied().unwrap_or_default().to_string();
        let reason = || sentence.to_string();
        match self {
            Self::LockTimeout => Cause::LockTimeout,
            Self::Unlisted => Cause::Unlisted,
            Self::Running => Cause::AlreadyRunning,
            Self::NotRunning => Cause::NotRunning,
            Self::Conflict => Cause::Conflict,
            Self::NoQuorum => Cause::NoQuorum,
            Self::Outage => Cause::Outage { reason: reason() },
            Self::Protected => Cause::Protected,
            Self::Template => Cause::IsTemplate,
            Self::NoSnapshots => Cause::NoSnapshots,
            Self::NoSpace => Cause::NoSpace,
            Self::Unavailable => Cause::StorageUnavailable { name: name() },
            Self::Unfit => Cause::Unfit { reason: reason() },
            Self::Fetch => Cause::Fetch { reason: reason() },
            Self::Missing(what) => Cause::NotFound { what, name: name() },
            Self::Present(what) => Cause::AlreadyExists { what, name: name() },
            Self::Guest => Cause::NotFound { what: Thing::Container, name: last() },
            Self::Locked => Cause::Locked { by: last() },
            Self::RootOnly("") => root_only(&name()),
            Self::RootOnly(what) => root_only(what),
            Self::Privileges => privileges(name(), &last()),
            Self::Unnamed => Cause::Permission(Denied::default()),
            Self::Uri => {
                Cause::Unfit { reason: alloc::format!("`{}` cannot be used with an API token", name()) }
            }
        }
    }
}

pub(super) fn root_only(what: &str) -> Cause {
    Cause::Permission(Denied { root_only: Some(what.into()), ..Denied::default() })
}

fn privileges(path: String, listed: &str) -> Cause {
    Cause::Permission(Denied {
        path: Some(path),
        any: listed.contains('|'),
        privileges: listed.split(['|', ',']).map(|privilege| privilege.trim().to_string()).collect(),
        ..Denied::default()
    })
}
