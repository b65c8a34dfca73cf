//! The shapes of storages and of what is on them.

mod content;
mod definition;
mod status;

pub use content::{Content, ContentType, PruneEntry, PruneMark, Verification, VolumeAttributes};
pub use definition::StorageDefinition;
pub use status::{StorageFormats, StorageStatus};
