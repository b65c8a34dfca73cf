//! What a changing call has started.

use alloc::format;
use alloc::string::String;

use proxmox_types::{Upid, VolumeId};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// What a changing call has started. `Client::wait` takes it as it takes a UPID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Started {
    /// A worker.
    Task(Upid),
    /// Nothing that goes on: the call was done when it was answered.
    Done,
    /// Nothing, because there was nothing to do: no chosen guest is on this node. PVE answers `OK`.
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

/// The answer of a changing call. That of a call which returns `()` names no worker: run or settle the call to find one.
pub trait Change: Sized {
    /// The worker that the answer names.
    fn upid(&self) -> Option<&Upid> {
        None
    }

    /// What was started, as far as the answer says it.
    fn into_started(self) -> Started {
        Started::Done
    }
}

impl Change for () {}

impl Change for VolumeId {}

impl Change for Upid {
    fn upid(&self) -> Option<&Upid> {
        Some(self)
    }

    fn into_started(self) -> Started {
        Started::Task(self)
    }
}

impl Change for Started {
    fn upid(&self) -> Option<&Upid> {
        self.upid()
    }

    fn into_started(self) -> Started {
        self
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
