//! The names by which an exercise is known again.

/// What the names of the snapshots begin with.
pub const PREFIX: &str = "felhom-st-";

/// A container with this tag may be used for the exercise.
pub const TAG: &str = "felhom-selftest";

/// The tag that is set after the snapshot, and must be gone after the rollback. PVE keeps a description through a
/// rollback, so that one would prove nothing.
pub const MARKER: &str = "felhom-st-marker";
