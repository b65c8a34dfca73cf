//! Scripted faults: what may go wrong between the client and the node.

use core::time::Duration;

use super::answer::Answer;
use super::world::World;
use crate::endpoint::Endpoint;
use crate::{Stage, TransportError};

/// A fault that strikes calls of an endpoint.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The endpoint whose calls it strikes.
    pub endpoint: &'static Endpoint,
    /// What happens to them.
    pub effect: Effect,
    /// How often it strikes.
    pub times: usize,
}

impl Fault {
    /// A fault that strikes once.
    pub const fn once(endpoint: &'static Endpoint, effect: Effect) -> Self {
        Self { endpoint, effect, times: 1 }
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
    /// This is the answer, and the node does nothing.
    Instead(Answer),
    /// The request takes this long; beyond its time limit the answer is lost.
    Slow(Duration),
}

/// What becomes of the request before the node sees it: it may be answered already.
pub(super) fn before(
    effect: Option<&Effect>,
    world: &mut World,
    time_limit: Duration,
) -> Result<Option<Answer>, TransportError> {
    match effect {
        Some(Effect::Refused) => {
            Err(TransportError::NotSent { stage: Stage::Connect, reason: "connection refused".into() })
        }
        Some(Effect::LostRequest) => Err(lost()),
        Some(Effect::Instead(answer)) => Ok(Some(answer.clone())),
        Some(Effect::Slow(duration)) => {
            let now = world.now.saturating_add((*duration).min(time_limit));
            world.settle(now);
            Ok(None)
        }
        _ => Ok(None),
    }
}

/// What becomes of the answer.
pub(super) fn after(
    effect: Option<&Effect>,
    answer: Answer,
    time_limit: Duration,
) -> Result<Answer, TransportError> {
    match effect {
        Some(Effect::LostAnswer) => Err(lost()),
        Some(Effect::Gateway(status)) => Ok(Answer::bare(*status, "Connection timed out")),
        Some(Effect::Slow(duration)) if *duration >= time_limit => Err(lost()),
        _ => Ok(answer),
    }
}

fn lost() -> TransportError {
    TransportError::Unknown { reason: "connection reset".into() }
}
