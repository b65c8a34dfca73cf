//! Scripted faults: what may go wrong between the client and the node.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::time::Duration;

use super::acl::Principal;
use super::answer::Answer;
use super::route;
use super::sentence;
use super::world::World;
use crate::endpoint::Endpoint;
use crate::{Method, Request, Stage, TransportError};

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
    /// The node acts on the request, and this is the answer.
    Answered(Answer),
    /// This is the answer, and the node does nothing.
    Instead(Answer),
    /// The node acts on the request, and only half of the body arrives.
    Cut,
    /// The node acts on the request, and this arrives as the body of its answer.
    Body(&'static str),
    /// The request takes this long; beyond its time limit the answer is lost.
    Slow(Duration),
    /// The connection breaks, and the node acts on the request so much later.
    Late(Duration),
}

/// Decides whether a fault strikes a request.
type Decide = dyn FnMut(&mut World, &Request) -> Option<Effect> + Send;

/// Decides at every request, before the node sees it, whether a fault strikes. It may also change the node.
pub struct Script(Box<Decide>);

impl Script {
    /// A script that decides so.
    pub fn new(decide: impl FnMut(&mut World, &Request) -> Option<Effect> + Send + 'static) -> Self {
        Self(Box::new(decide))
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

/// A request that the node acts on later.
#[derive(Debug)]
pub(super) struct Deferred {
    pub(super) due: Duration,
    pub(super) call: Arrived,
}

/// A request as it arrives at the node.
#[derive(Clone, Debug)]
pub(super) struct Arrived {
    pub(super) number: usize,
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) body: String,
    pub(super) principal: Principal,
}

impl World {
    /// Answers a request, and notes which it was.
    pub(super) fn act(&mut self, call: &Arrived) -> Answer {
        let answer =
            route::serve(self, call.method.as_str(), &call.target, &call.body, Some(&call.principal));
        if let Some(received) = self.received.last_mut() {
            received.number = call.number;
        }
        answer
    }

    /// The fault that strikes a request: the script's, or the first one that was injected for its endpoint.
    pub(super) fn fault_of(&mut self, request: &Request, call: &Arrived) -> Option<Effect> {
        if let Some(mut script) = self.script.take() {
            let effect = (script.0)(self, request);
            self.script.get_or_insert(script);
            if effect.is_some() {
                return effect;
            }
        }
        let operation = route::operation(call.method.as_str(), &call.target, &call.body)?;
        let mut faults = self.faults.iter_mut();
        let fault = faults.find(|fault| fault.endpoint.operation == operation && fault.times > 0)?;
        fault.times -= 1;
        Some(fault.effect.clone())
    }
}

/// What becomes of the request before the node sees it: it may be answered already.
pub(super) fn before(
    effect: Option<&Effect>,
    world: &mut World,
    call: &Arrived,
    time_limit: Duration,
) -> Result<Option<Answer>, TransportError> {
    match effect {
        Some(Effect::Refused) => {
            Err(TransportError::NotSent { stage: Stage::Connect, reason: "connection refused".into() })
        }
        Some(Effect::LostRequest) => Err(lost()),
        Some(Effect::Late(duration)) => {
            let due = world.now.saturating_add(*duration);
            world.deferred.push(Deferred { due, call: call.clone() });
            Err(lost())
        }
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
        Some(Effect::Answered(instead)) => Ok(instead.clone()),
        Some(Effect::Gateway(status)) => Ok(Answer::said(*status, sentence::NO_ANSWER)),
        Some(Effect::Body(body)) => Ok(Answer { body: (*body).into(), ..answer }),
        Some(Effect::Cut) => {
            let half = answer.body.get(..answer.body.len() / 2).unwrap_or_default().into();
            Ok(Answer { body: half, ..answer })
        }
        Some(Effect::Slow(duration)) if *duration >= time_limit => Err(lost()),
        _ => Ok(answer),
    }
}

fn lost() -> TransportError {
    TransportError::Unknown { reason: "connection reset".into() }
}
