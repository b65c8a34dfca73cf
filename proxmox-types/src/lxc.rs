//! The shapes of a container.

mod config;
mod feature;
pub(crate) mod indexed;
mod interface;
mod lock;
mod migrate;
mod options;
mod pending;
mod snapshot;
mod status;

pub use config::LxcConfig;
pub use feature::Feature;
pub use interface::{IpAddress, LxcInterface};
pub use lock::Lock;
pub use migrate::{BlockingHaResource, MigratePreconditions, NotAllowedNode};
pub use options::{Arch, ConsoleMode, LxcOptions};
pub use pending::PendingChange;
pub use snapshot::{SnapshotEntry, SnapshotState};
pub use status::{GuestStatus, HaManagement, LxcStatus};
