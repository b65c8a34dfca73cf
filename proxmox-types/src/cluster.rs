//! The shapes of a cluster.

mod ha;
mod replication;
mod resource;
mod status;

pub use ha::HaResource;
pub use replication::ReplicationJob;
pub use resource::{Resource, ResourceType};
pub use status::ClusterStatusEntry;
