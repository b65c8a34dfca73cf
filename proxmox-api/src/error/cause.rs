//! What a refusal of the server, or the failure of its worker, means.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The meaning of a refusal. PVE says nearly everything with status 500 and prose; the table in `classify` reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// A privilege is missing.
    Permission(Denied),
    /// Another operation holds the container.
    Locked {
        /// PVE's name for the lock: `backup`, `snapshot`, `create`, ...
        by: String,
    },
    /// PVE waited for a lock file, in most cases 10 s, and gave up.
    LockTimeout,
    /// PVE started the worker, and then could not put it into its list of tasks. The worker runs.
    Unlisted,
    /// Something does not exist.
    NotFound {
        /// What kind of thing.
        what: Thing,
        /// Its name; empty if PVE does not say it.
        name: String,
    },
    /// Something exists that must not.
    AlreadyExists {
        /// What kind of thing.
        what: Thing,
        /// Its name.
        name: String,
    },
    /// The container runs, and must not.
    AlreadyRunning,
    /// The container does not run, and must.
    NotRunning,
    /// The configuration changed since its digest was read.
    Conflict,
    /// The cluster has no quorum, so nothing can be changed.
    NoQuorum,
    /// The cluster's filesystem does not answer, without which no daemon of PVE can do anything.
    Outage {
        /// The server's words.
        reason: String,
    },
    /// The container or the volume is protected from removal.
    Protected,
    /// The container is a template.
    IsTemplate,
    /// A volume of the container lies on a storage without snapshots, or is a bind mount.
    NoSnapshots,
    /// The storage is disabled or offline, or not one of this node.
    StorageUnavailable {
        /// Its name.
        name: String,
    },
    /// A storage, or the node, is full.
    NoSpace,
    /// What was asked for does not fit the container, the volume or the storage.
    Unfit {
        /// The server's words.
        reason: String,
    },
    /// A file could not be fetched, or is not the one that was wanted.
    Fetch {
        /// The server's words.
        reason: String,
    },
    /// PVE refused parameters.
    Parameters {
        /// What is wrong, per parameter.
        fields: BTreeMap<String, String>,
    },
    /// pveproxy did not get an answer from pvedaemon or from another node. The client's own connection is fine.
    Gateway {
        /// 502 to 504 or 595 to 599.
        status: u16,
        /// The reason phrase.
        reason: String,
    },
    /// Anything else, in the server's words.
    Status {
        /// The message.
        message: String,
    },
}

/// What may be missing or in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Thing {
    /// A container.
    Container,
    /// A storage.
    Storage,
    /// A snapshot.
    Snapshot,
    /// A volume, which may be a backup or a template.
    Volume,
    /// A task.
    Task,
    /// A token.
    Token,
    /// A pool.
    Pool,
    /// A node.
    Node,
    /// A bridge.
    Bridge,
}

/// A missing permission.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Denied {
    /// Where it is missing. PVE does not always say.
    pub path: Option<String>,
    /// The privileges; empty if PVE does not say.
    pub privileges: Vec<String>,
    /// Whether one of the privileges is enough.
    pub any: bool,
    /// Whether only root@pam may do it, which no token is, not even one of root@pam. Says what.
    pub root_only: Option<String>,
    /// What calls of this kind need, if PVE does not say what is missing.
    pub needs: Option<String>,
}

impl Denied {
    /// Whether PVE does not say what is missing.
    pub const fn is_unnamed(&self) -> bool {
        self.privileges.is_empty() && self.root_only.is_none()
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Permission(denied) => denied.fmt(f),
            Self::Locked { by } => write!(f, "the container is locked ({by})"),
            Self::LockTimeout => f.write_str("another operation holds the lock file"),
            Self::Unlisted => f.write_str("the worker was started, but PVE could not list it"),
            Self::NotFound { what, name } => write!(f, "{what}{} does not exist", Quoted(name)),
            Self::AlreadyExists { what, name } => write!(f, "{what}{} already exists", Quoted(name)),
            Self::AlreadyRunning => f.write_str("the container is already running"),
            Self::NotRunning => f.write_str("the container is not running"),
            Self::Conflict => f.write_str("the configuration has changed in the meantime"),
            Self::NoQuorum => f.write_str("the cluster has no quorum"),
            Self::Outage { reason } => {
                write!(f, "the cluster filesystem (pmxcfs, service pve-cluster) does not answer: {reason}")
            }
            Self::NoSpace => f.write_str("there is no space left"),
            Self::Unfit { reason } | Self::Fetch { reason } => f.write_str(reason),
            Self::Protected => f.write_str("it is protected from removal"),
            Self::IsTemplate => f.write_str("the container is a template"),
            Self::NoSnapshots => f.write_str("a volume of the container cannot be snapshotted"),
            Self::StorageUnavailable { name } => write!(f, "storage{} is not available", Quoted(name)),
            Self::Parameters { fields } => {
                f.write_str("PVE refused parameters:")?;
                fields.iter().try_for_each(|(name, text)| write!(f, " {name}: {};", text.trim()))
            }
            Self::Gateway { status, reason } => write!(
                f,
                "pveproxy got no answer from pvedaemon or the other node ({status} {reason}); \
                 the connection to pveproxy itself is fine"
            ),
            Self::Status { message } => f.write_str(message),
        }
    }
}

/// A name in backquotes after a blank; nothing for an unknown name.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " `{}`", self.0) }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Container => "container",
            Self::Storage => "storage",
            Self::Snapshot => "snapshot",
            Self::Volume => "volume",
            Self::Task => "task",
            Self::Token => "token",
            Self::Pool => "pool",
            Self::Node => "node",
            Self::Bridge => "bridge",
        })
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(what) = &self.root_only {
            return write!(f, "permission denied: {what} is for root@pam alone, which no token is");
        }
        let privileges = self.privileges.join(if self.any { " or " } else { " and " });
        match (privileges.as_str(), &self.path) {
            ("", _) => {
                f.write_str("permission denied; PVE does not say which privilege is missing")?;
                self.needs.as_ref().map_or(Ok(()), |needs| write!(f, ". It needs {needs}"))
            }
            (privileges, Some(path)) => write!(f, "permission denied: needs {privileges} on {path}"),
            (privileges, None) => write!(f, "permission denied: needs {privileges}"),
        }
    }
}
