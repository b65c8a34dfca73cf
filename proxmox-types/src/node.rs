//! The shapes of a node.

mod certificate;
mod disk;
mod entry;
mod network;
mod service;
mod status;
mod time;

pub use certificate::Certificate;
pub use disk::{Disk, DiskHealth, SmartAttribute, Wearout};
pub use entry::{NodeEntry, NodeState};
pub use network::NetworkInterface;
pub use service::Service;
pub use status::{BootInfo, CpuInfo, Kernel, Ksm, NodeStatus, Usage};
pub use time::NodeTime;
