//! Scripted faults: what may go wrong between the client and the node.

use alloc::string::String;
use core::time::Duration;

use super::answer::Answer;
use super::world::World;
use crate::{Response, Stage, TransportError};

/// A fault that strikes an operation.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The operation's name in the endpoint table.
    pub operation: &'static str,
    /// What happens to it.
    pub effect: Effect,
    /// How often it strikes.
    pub times: usize,
}

impl Fault {
    /// A fault that strikes once.
    pub const fn once(operation: &'static str, effect: Effect) -> Self {
        Self { operation, effect, times: 1 }
    }
}

/// What happens to a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Effect {
    /// The connection is refused: nothing is sent.
    Refused,
    /// The connection breaks after the request was sent and before the node read it: nothing happens.
    LostRequest,
    /// The node acts on the request, and its answer is lost.
    LostAnswer,
    /// The node acts on the request, and pveproxy answers with a status of its own (595 to 599).
    Gateway(u16),
    /// pveproxy answers with a status and a reason, and the node does nothing.
    Status(u16, &'static str),
    /// The request takes this long; beyond its time limit the answer is lost.
    Slow(Duration),
}

/// What becomes of the request before the node sees it.
pub(super) fn before(
    effect: Option<&Effect>,
    world: &mut World,
    time_limit: Duration,
) -> Result<(), TransportError> {
    match effect {
        Some(Effect::Refused) => {
            Err(TransportError::NotSent { stage: Stage::Connect, reason: "connection refused".into() })
        }
        Some(Effect::LostRequest) => Err(lost()),
        Some(Effect::Slow(duration)) => {
            let now = world.now.saturating_add((*duration).min(time_limit));
            world.settle(now);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What becomes of the answer.
pub(super) fn after(
    effect: Option<&Effect>,
    answer: Answer,
    world: &World,
    time_limit: Duration,
) -> Result<Response, TransportError> {
    let replaced = |status: u16, reason: &str| Response {
        status,
        reason: reason.into(),
        date: Some(world.time()),
        body: String::new().into(),
    };
    match effect {
        Some(Effect::LostAnswer) => Err(lost()),
        Some(Effect::Gateway(status)) => Ok(replaced(*status, "Connection timed out")),
        Some(Effect::Status(status, reason)) => Ok(replaced(*status, reason)),
        Some(Effect::Slow(duration)) if *duration >= time_limit => Err(lost()),
        _ => Ok(answer.into_response(world.time())),
    }
}

fn lost() -> TransportError {
    TransportError::Unknown { reason: "connection reset".into() }
}
