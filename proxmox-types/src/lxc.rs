//! The shapes of a container.

mod ability;
mod config;
pub(crate) mod indexed;
mod options;
mod snapshot;
mod status;

pub use ability::{BlockingHaResource, Feature, MigratePreconditions, NotAllowedNode};
pub use config::LxcConfig;
pub use options::{Arch, ConsoleMode, LxcOptions};
pub use snapshot::{PendingChange, SnapshotEntry, SnapshotState};
pub use status::{GuestStatus, HaManagement, IpAddress, Lock, LxcInterface, LxcStatus};
