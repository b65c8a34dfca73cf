//! Typed shapes of the Proxmox VE 9.2 API: identifiers, property strings, what the server answers and what it accepts.
//!
//! This crate does no I/O and knows neither HTTP nor processes. Every shape says where its facts were seen: a file of
//! the PVE sources, or a recording of a running 9.2.11 server in `fixtures/`.
//!
//! Three rules hold everywhere. Text is parsed once, at the edge, into a type that cannot hold anything else
//! ([`Vmid`], [`Upid`], [`ApiToken`], ...). Loose scalars (`"1"`, `1`, `true`, `""`, `null`) are read by the one
//! deserializer in [`lenient`]. Unknown fields are ignored on shapes that are only read, kept on [`LxcConfig`], which is
//! written back, and on [`StorageDefinition`], whose keys depend on plugins, and refused in [`params`].
#![no_std]
#![forbid(clippy::disallowed_types, clippy::disallowed_methods)]
#![warn(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod access;
mod backup;
mod clean;
mod cluster;
mod digest;
mod fingerprint;
mod invisible;
pub mod lenient;
mod list;
mod lxc;
mod malformed;
mod name;
mod node;
pub mod params;
mod pool;
pub mod property;
mod rows;
mod secret;
mod storage;
mod tags;
mod task;
mod text;
mod token;
mod upid;
mod version;
pub mod vmid;
mod volume;

pub use access::{Permissions, Role, TokenInfo};
pub use backup::{BackupMode, Compression, VzdumpDefaults};
pub use clean::{LONGEST_SNIPPET, clean, quoted};
pub use cluster::{ClusterStatusEntry, HaResource, ReplicationJob, Resource, ResourceType};
pub use digest::Digest;
pub use fingerprint::Fingerprint;
pub use invisible::{Stray, first_invisible, is_invisible};
pub use list::CommaList;
pub use lxc::{
    Arch, BlockingHaResource, ConsoleMode, Feature, GuestStatus, HaManagement, IpAddress, Lock, LxcConfig,
    LxcInterface, LxcOptions, LxcStatus, MigratePreconditions, NotAllowedNode, PendingChange, SnapshotEntry,
    SnapshotState,
};
pub use malformed::Malformed;
pub use name::{Bridge, Hostname, NodeName, PoolId, SnapshotName, StorageId};
pub use node::{
    BootInfo, Certificate, CpuInfo, Disk, DiskHealth, Kernel, Ksm, NetworkInterface, NodeEntry, NodeState,
    NodeStatus, NodeTime, Service, SmartAttribute, Usage, Wearout,
};
pub use pool::Pool;
pub use rows::{Rows, Unread};
pub use secret::Secret;
pub use storage::{
    Content, ContentType, PruneEntry, PruneMark, StorageDefinition, StorageFormats, StorageStatus,
    Verification, VolumeAttributes,
};
pub use tags::Tags;
pub use task::{ExitStatus, TaskEntry, TaskLogLine, TaskState, TaskStatus};
pub use token::{ApiToken, TokenError, TokenId, redact, redact_strictly};
pub use upid::Upid;
pub use version::Version;
pub use vmid::Vmid;
pub use volume::{BackupVolume, DiskSize, TemplateVolume, VolumeId, VolumeKey};
