//! What a changing call returns where PVE does not always give a UPID.

use alloc::format;
use alloc::string::String;

use proxmox_types::{Upid, VolumeId};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::Done;

/// What became of a call that usually starts a worker. `Client::wait` takes it as it takes a UPID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Started {
    /// A worker was started.
    Task(Upid),
    /// The call was done when it was answered.
    Done,
    /// There was nothing to do: no chosen guest is on this node. PVE answers `OK`.
    Nothing,
}

impl Started {
    /// The UPID, if a worker was started.
    pub const fn upid(&self) -> Option<&Upid> {
        match self {
            Self::Task(upid) => Some(upid),
            Self::Done | Self::Nothing => None,
        }
    }
}

impl From<Upid> for Started {
    fn from(upid: Upid) -> Self {
        Self::Task(upid)
    }
}

impl From<Done> for Started {
    fn from(_: Done) -> Self {
        Self::Done
    }
}

impl From<VolumeId> for Started {
    fn from(_: VolumeId) -> Self {
        Self::Done
    }
}

/// PVE has started a worker, and did not say which. `Call::settle` looks for it; there is nothing here to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the worker is not waited for; settle the call instead of awaiting it to learn its UPID"]
pub struct Forked;

impl<'de> Deserialize<'de> for Forked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Done::deserialize(deserializer).map(|_| Self)
    }
}

/// What a changing call returns, as `Call::settle` reads it.
pub trait Settled {
    /// What became of it.
    fn into_started(self) -> Started;
}

impl<T: Into<Started>> Settled for T {
    fn into_started(self) -> Started {
        self.into()
    }
}

impl Settled for Forked {
    fn into_started(self) -> Started {
        Started::Done
    }
}

impl<'de> Deserialize<'de> for Started {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Option::<String>::deserialize(deserializer)?.as_deref() {
            None => Ok(Self::Done),
            Some("OK") => Ok(Self::Nothing),
            Some(text) => text.parse().map(Self::Task).map_err(|error| D::Error::custom(format!("{error}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_nothing_and_done_are_told_apart() {
        let upid = "UPID:pve1:0000091C:0004ED09:6B052CDB:vzdump:300:felhom@pve!agent:";
        let read = |json: &str| serde_json::from_str::<Started>(json).ok();
        assert_eq!(read(&format!("\"{upid}\"")), Some(Started::Task(upid.parse().unwrap())));
        assert_eq!(
            [read("\"OK\""), read("null"), read("\"\""), read("7")],
            [Some(Started::Nothing), Some(Started::Done), None, None]
        );
    }
}
