//! Typed shapes of the Proxmox VE 9.2 API: identifiers, property strings, what the server answers and what it accepts.
//!
//! This crate does no I/O and knows neither HTTP nor processes. Every shape says where its facts were seen: a file of
//! the PVE sources, or a recording of a running 9.2.11 server in `fixtures/`.
//!
//! Three rules hold everywhere. Text is parsed once, at the edge, into a type that cannot hold anything else
//! ([`Vmid`], [`Upid`], [`ApiToken`], ...). Loose scalars (`"1"`, `1`, `true`, `""`, `null`) are read by the one
//! deserializer in [`lenient`]. Unknown fields are ignored on shapes that are only read, kept on [`LxcConfig`], which is
//! written back, and on [`StorageDefinition`], whose keys depend on plugins.
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
mod cluster;
mod id;
pub mod lenient;
mod list;
mod lxc;
mod node;
pub mod params;
pub mod property;
mod rows;
mod shown;
mod storage;
mod task;
mod text;

pub use access::{Permissions, Role, TokenInfo};
pub use cluster::{ClusterStatusEntry, HaResource, Pool, ReplicationJob, Resource, ResourceType, Version};
pub use id::{
    ApiToken, BackupVolume, Bridge, Digest, DiskSize, Fingerprint, Hostname, NodeName, PoolId, Secret,
    SnapshotName, StorageId, Tags, TemplateVolume, TokenError, TokenId, Upid, Vmid, VolumeId, VolumeKey,
    vmid,
};
pub use list::CommaList;
pub use lxc::{
    Arch, BlockingHaResource, CommonOptions, ConsoleMode, Feature, GuestStatus, HaManagement, IpAddress,
    Lock, LxcConfig, LxcInterface, LxcOptions, LxcStatus, MigratePreconditions, NotAllowedNode,
    PendingChange, SnapshotEntry, SnapshotState,
};
pub use node::{
    BackupMode, BackupOptions, BootInfo, Certificate, Compression, CpuInfo, Disk, DiskHealth, Kernel, Ksm,
    NetworkInterface, NodeEntry, NodeState, NodeStatus, NodeTime, Service, SmartAttribute, Usage,
    VzdumpDefaults, Wearout,
};
pub use rows::{Rows, Unread};
pub use shown::{
    LONGEST_SNIPPET, Malformed, Stray, clean, first_invisible, is_invisible, quoted, redact, redact_strictly,
};
pub use storage::{
    Content, ContentType, PruneEntry, PruneMark, StorageDefinition, StorageFormats, StorageStatus,
    Verification, VolumeAttributes,
};
pub use task::{ExitStatus, TaskEntry, TaskLogLine, TaskState, TaskStatus};
