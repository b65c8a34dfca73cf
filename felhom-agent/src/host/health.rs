//! How well a disk or a sensor is, by what it tells. What tells nothing is neither well nor bad.

mod disk;
mod sensor;

use crate::report::finding::Status;

pub use disk::disk;
pub use sensor::{sensor, unit};

/// A verdict, and why.
pub type Judgement = (Status, String);

/// The order in which a person wants to read verdicts: worst first.
pub const fn rank(status: Status) -> u8 {
    match status {
        Status::Fail => 0,
        Status::Warn => 1,
        Status::Skip => 2,
        Status::Ok => 3,
    }
}
