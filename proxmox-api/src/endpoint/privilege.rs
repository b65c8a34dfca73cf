//! Which privileges an endpoint needs, in PVE's own terms.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// The privileges that PVE's schema declares for an endpoint.
///
/// Paths hold the variables of the endpoint's path, and parameters, in braces.
/// Source: the `permissions` of PVE's schema; pve-access-control `PVE/RPCEnvironment.pm`, `check_api2_permissions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Privileges {
    /// Every authenticated user or token; the answer may be filtered.
    Anyone,
    /// All of the privileges on the path.
    All(&'static str, &'static [&'static str]),
    /// One of the privileges on the path.
    AnyOf(&'static str, &'static [&'static str]),
    /// All of the privileges on the path, counted only if the call sends the named parameter.
    IfSent(&'static str, &'static str, &'static [&'static str]),
    /// Only the user himself. A token is never its user.
    OwnUser,
    /// The privileges on the group of the user in question.
    UserGroup(&'static [&'static str]),
    /// One of the alternatives.
    Either(&'static [Self]),
    /// All of the parts.
    Both(&'static [Self]),
}

/// A check that PVE makes only in its code, beside the declared privileges.
#[derive(Clone, Copy, Debug)]
pub struct CodeCheck {
    /// When it applies: "for each `netN` that is set".
    pub when: &'static str,
    /// What is needed.
    pub needs: Privileges,
    /// Where it shows that the privilege is missing.
    pub shows: Shows,
    /// The PVE file and sub that checks it.
    pub source: &'static str,
    /// A recording in which it was seen.
    pub recording: Option<&'static str>,
}

/// Where it shows that a privilege is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shows {
    /// The call is refused.
    OnTheCall,
    /// The task fails.
    InTheTask,
    /// Rows are left out, and nothing says so.
    ByLeavingOut,
}

impl CodeCheck {
    /// A check that applies to the call itself.
    pub(crate) const fn new(when: &'static str, needs: Privileges, source: &'static str) -> Self {
        Self { when, needs, shows: Shows::OnTheCall, source, recording: None }
    }

    pub(crate) const fn seen(self, recording: &'static str) -> Self {
        Self { recording: Some(recording), ..self }
    }

    pub(crate) const fn in_task(self) -> Self {
        Self { shows: Shows::InTheTask, ..self }
    }

    pub(crate) const fn filters(self) -> Self {
        Self { shows: Shows::ByLeavingOut, ..self }
    }
}

impl fmt::Display for Privileges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anyone => f.write_str("any token"),
            Self::All(path, privileges) => write!(f, "{} on {path}", privileges.join(" and ")),
            Self::AnyOf(path, privileges) => write!(f, "{} on {path}", privileges.join(" or ")),
            Self::IfSent(parameter, path, privileges) => {
                write!(f, "{} on {path} (with `{parameter}`)", privileges.join(" and "))
            }
            Self::OwnUser => f.write_str("the user itself"),
            Self::UserGroup(privileges) => write!(f, "{} on the user's group", privileges.join(" and ")),
            Self::Either(parts) => f.write_str(&joined(parts, " or ")),
            Self::Both(parts) => f.write_str(&joined(parts, "; ")),
        }
    }
}

fn joined(parts: &[Privileges], separator: &str) -> String {
    parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(separator)
}
