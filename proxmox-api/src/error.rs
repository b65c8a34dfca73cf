//! What can go wrong, in the terms in which a caller can act on it.

pub mod cause;
pub(crate) mod classify;
mod message;
pub(crate) mod text;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use proxmox_types::Upid;
use snafu::Snafu;

pub use cause::{Cause, Denied, Thing};
pub(crate) use message::rejection;

use crate::TransportError;

/// Why a call failed, or why the end of a task is not the wanted one.
///
/// A refusal of the server and the failure of a task share one [`Cause`]: a missing privilege is the same value
/// whether PVE noticed it on the call or inside the worker.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(crate)))]
#[non_exhaustive]
#[expect(clippy::error_impl_error, reason = "callers write `proxmox_api::Error`")]
pub enum Error {
    /// The call was not sent, because its parameters cannot be written.
    #[snafu(display("{request}: not sent: {reason}"))]
    Refused {
        /// Method and path.
        request: Box<str>,
        /// Why not.
        reason: Box<str>,
    },
    /// There is no answer.
    #[snafu(display("{request}: {source}"))]
    Transport {
        /// Method and path.
        request: Box<str>,
        /// Why.
        source: TransportError,
        /// Whether the server may have acted on the call all the same.
        may_have_happened: bool,
    },
    /// The server does not know the token, or its secret is wrong, or it has expired: PVE does not tell which. Never
    /// repeated, because every such answer takes 3 s.
    #[snafu(display("{request}: the server refused the token: {reason}"))]
    Unauthorized {
        /// Method and path.
        request: Box<str>,
        /// The reason phrase, which is all there is.
        reason: Box<str>,
    },
    /// The server refused the call.
    #[snafu(display("{request}: {cause}"))]
    Rejected {
        /// Method and path.
        request: Box<str>,
        /// HTTP status.
        status: u16,
        /// What it means.
        cause: Box<Cause>,
        /// The server's own words, all lines of them.
        message: Box<str>,
        /// Whether the server may have acted on the call all the same. Only what PVE is known to say before it does
        /// anything proves the contrary.
        may_have_happened: bool,
    },
    /// The answer is not what this endpoint returns.
    #[snafu(display("{request}: unexpected answer at `{path}`: {reason}"))]
    Decode {
        /// Method and path.
        request: Box<str>,
        /// Where in the JSON.
        path: Box<str>,
        /// What is wrong there. Quotes no more of the answer than a line has room for.
        reason: Box<str>,
    },
    /// The worker failed.
    #[snafu(display("task {upid} failed: {cause}"))]
    TaskFailed {
        /// The task.
        upid: Upid,
        /// Its exit status, in the server's words.
        exit: Box<str>,
        /// What it means.
        cause: Box<Cause>,
        /// The last lines of its log.
        log_tail: Vec<String>,
    },
    /// Patience ran out before the worker ended. It goes on; wait again with the UPID.
    #[snafu(display("task {upid} is still running after {:.1} s", waited.as_secs_f64()))]
    TaskStillRunning {
        /// The task.
        upid: Upid,
        /// How long it was waited for.
        waited: Duration,
    },
    /// Nobody can tell how the worker ended: look at what it was to change.
    #[snafu(display("task {upid} has an unknown outcome: {reason}"))]
    TaskUnknown {
        /// The task.
        upid: Upid,
        /// Why it cannot be told.
        reason: Box<str>,
    },
    /// The end of a task could not be learnt. The task goes on; wait again with the UPID.
    #[snafu(display("cannot follow task {upid}"))]
    TaskUnwatched {
        /// The task.
        upid: Upid,
        /// What kept us from learning it.
        #[snafu(source(from(Error, Box::new)))]
        source: Box<Self>,
    },
}

impl Error {
    /// What the server's refusal, or the failure of its worker, means.
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Rejected { cause, .. } | Self::TaskFailed { cause, .. } => Some(cause),
            Self::TaskUnwatched { source, .. } => source.cause(),
            _ => None,
        }
    }

    /// The permission that is missing, wherever PVE noticed it.
    pub fn denied(&self) -> Option<&Denied> {
        match self.cause()? {
            Cause::Permission(denied) => Some(denied),
            _ => None,
        }
    }

    /// The task that the error is about.
    pub fn upid(&self) -> Option<&Upid> {
        match self {
            Self::TaskFailed { upid, .. }
            | Self::TaskStillRunning { upid, .. }
            | Self::TaskUnknown { upid, .. }
            | Self::TaskUnwatched { upid, .. } => Some(upid),
            _ => None,
        }
    }

    /// Whether the token was refused.
    pub fn is_unauthorized(&self) -> bool {
        match self {
            Self::Unauthorized { .. } => true,
            Self::TaskUnwatched { source, .. } => source.is_unauthorized(),
            _ => false,
        }
    }

    /// Whether what was asked for does not exist. PVE also says so of things that the token may not see.
    pub fn is_not_found(&self) -> bool {
        matches!(self.cause(), Some(Cause::NotFound { .. }))
    }

    /// Whether what was to be made is there already. PVE also says so of a VMID that a virtual machine has.
    pub fn is_taken(&self) -> bool {
        matches!(self.cause(), Some(Cause::AlreadyExists { .. }))
    }

    /// Whether the container is locked by another operation.
    pub fn is_locked(&self) -> bool {
        matches!(self.cause(), Some(Cause::Locked { .. } | Cause::LockTimeout))
    }

    /// Whether the server may have acted on the call although it failed: look before repeating it.
    pub fn may_have_happened(&self) -> bool {
        match self {
            Self::Transport { may_have_happened, .. } | Self::Rejected { may_have_happened, .. } => {
                *may_have_happened
            }
            Self::Decode { .. }
            | Self::TaskFailed { .. }
            | Self::TaskStillRunning { .. }
            | Self::TaskUnknown { .. }
            | Self::TaskUnwatched { .. } => true,
            Self::Refused { .. } | Self::Unauthorized { .. } => false,
        }
    }

    /// The same error, of a call of which it was found that the server did not act on it.
    pub(crate) fn not_executed(mut self) -> Self {
        if let Self::Transport { may_have_happened, .. } | Self::Rejected { may_have_happened, .. } =
            &mut self
        {
            *may_have_happened = false;
        }
        self
    }
}
