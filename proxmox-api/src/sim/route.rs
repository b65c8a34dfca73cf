//! Finds the handler of a request, and checks what PVE checks before it: route, privileges, node, parameters.
//!
//! Source: pve-manager `PVE/HTTPServer.pm`, pve-common `PVE/RESTHandler.pm`.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::answer::{Answer, Arrived, Deferred, Effect, Principal, Refusal};
use super::ask::{Ask, Row};
use super::schema;
use super::sentence;
use super::world::{Received, World};
use super::{backup, create, lifecycle, lxc, node, snapshot, storage, task};
use crate::{Request, Stage, TransportError};

/// Every operation that the node knows.
const HANDLERS: &[&[Row]] = &[
    node::HANDLERS,
    lxc::HANDLERS,
    create::HANDLERS,
    lifecycle::HANDLERS,
    snapshot::HANDLERS,
    backup::HANDLERS,
    storage::HANDLERS,
    task::HANDLERS,
];

/// The operation that a request means, by its name.
pub(super) fn operation(method: &str, target: &str, body: &str) -> Option<&'static str> {
    Parsed::new(method, target, body).row().map(|((operation, ..), _)| *operation)
}

/// Answers a request, and notes how.
pub(super) fn serve(
    world: &mut World,
    method: &str,
    target: &str,
    body: &str,
    principal: Option<&Principal>,
) -> Answer {
    let before = world.workers.len();
    let answer = answer(world, method, target, body, principal);
    let upids = world.workers.iter().skip(before).map(|worker| worker.upid.clone()).collect();
    if let Some(received) = world.received.last_mut() {
        (received.status, received.upids) = (answer.status, upids);
    }
    answer
}

fn answer(
    world: &mut World,
    method: &str,
    target: &str,
    body: &str,
    principal: Option<&Principal>,
) -> Answer {
    let parsed = Parsed::new(method, target, body);
    let row = parsed.row();
    world.received.push(Received {
        operation: row.as_ref().map_or("", |((operation, ..), _)| *operation),
        method: method.into(),
        path: parsed.path.clone(),
        parameters: parsed.parameters.clone(),
        principal: principal.map_or("", Principal::as_str).into(),
        number: world.received.len(),
        status: 0,
        upids: Vec::new(),
    });
    let Some(principal) = principal else { return Answer::said(401, sentence::NO_TICKET) };
    let Some(((_, route, handler), variables)) = row else {
        return Refusal::not_implemented(method, &parsed.path).into_answer(false);
    };
    let entry = schema::of(route);
    let is_proxied = entry.get("protected").is_some_and(|protected| protected == 1);
    if is_proxied && world.is_daemon_down {
        return Answer::said(595, sentence::NO_DAEMON);
    }
    let reply = check(world, entry, principal, &variables, &parsed.parameters)
        .and_then(|()| handler(world, &Ask { principal, variables, parameters: parsed.parameters }));
    reply.map_or_else(|refusal| refusal.into_answer(is_proxied), |reply| reply.into_answer(is_proxied))
}

impl World {
    /// Lets time pass up to `now`; workers that end by then end, and what is due by then is done.
    pub(super) fn settle(&mut self, now: Duration) {
        loop {
            let ending = self.next_ending(now);
            let due = ending.map_or(now, |(_, at)| at);
            if let Some(index) = self.deferred.iter().position(|deferred| deferred.due <= due) {
                let Deferred { due, call } = self.deferred.remove(index);
                self.now = self.now.max(due);
                self.act(&call);
            } else if let Some((index, at)) = ending {
                self.now = self.now.max(at);
                self.end_worker(index);
            } else {
                self.now = self.now.max(now);
                return;
            }
        }
    }

    /// Answers somebody else's request: method, path below `/api2/json`, and form body.
    pub fn serve(&mut self, who: &Principal, method: &str, path: &str, body: &str) -> Answer {
        serve(self, method, path, body, Some(who))
    }

    /// Answers a request, and notes which it was.
    pub(super) fn act(&mut self, call: &Arrived) -> Answer {
        let answer = serve(self, call.method.as_str(), &call.target, &call.body, Some(&call.principal));
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
        let operation = operation(call.method.as_str(), &call.target, &call.body)?;
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

/// What PVE checks before the code of a route runs, in its order.
fn check(
    world: &World,
    entry: &Value,
    principal: &Principal,
    variables: &schema::Parameters,
    parameters: &schema::Parameters,
) -> Result<(), Refusal> {
    let value = |name: &str| variables.get(name).or_else(|| parameters.get(name)).map(String::as_str);
    world.check_declared(principal, entry, &value)?;
    if let Some(node) = variables.get("node").filter(|node| **node != world.node) {
        return Err(Refusal::die(sentence::NO_NODE.of(&[node, node])));
    }
    schema::check(entry, variables, parameters)
}

/// A request taken apart.
struct Parsed<'a> {
    method: &'a str,
    path: String,
    segments: Vec<String>,
    parameters: schema::Parameters,
}

impl<'a> Parsed<'a> {
    fn new(method: &'a str, target: &str, body: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = path.strip_prefix("/api2/json").unwrap_or(path);
        let segments: Vec<String> =
            path.split('/').filter(|segment| !segment.is_empty()).map(decoded).collect();
        let mut parameters = pairs(body);
        parameters.extend(pairs(query));
        Self { method, path: format!("/{}", segments.join("/")), segments, parameters }
    }

    /// What answers it, and the variables of its path. Creating and restoring share a route.
    fn row(&self) -> Option<(&'static Row, schema::Parameters)> {
        let is_restore = self.parameters.get("restore").is_some_and(|value| value == "1");
        let rows = HANDLERS.iter().flat_map(|group| group.iter());
        rows.filter(|(operation, ..)| *operation != "lxc.create" || !is_restore)
            .find_map(|row| Some((row, schema::variables(row.1, self.method, &self.segments)?)))
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Splits as pveproxy does: at `&` and `;`, then at the first `=`. A repeated name makes a list.
fn pairs(text: &str) -> BTreeMap<String, String> {
    let mut pairs: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in text.split(['&', ';']).filter_map(|pair| pair.split_once('=')) {
        let (name, value) = (decoded(&name.replace('+', " ")), decoded(&value.replace('+', " ")));
        pairs.entry(name).and_modify(|list| *list = format!("{list},{value}")).or_insert(value);
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_endpoint_table_is_answered_on_its_route() {
        let known: Vec<(&str, String)> = HANDLERS
            .iter()
            .flat_map(|group| group.iter())
            .map(|(name, route, _)| (*name, (*route).into()))
            .collect();
        let rows =
            crate::scope::all().map(|row| (row.operation, format!("{} {}", row.method.as_str(), row.path)));
        let missing: Vec<_> = rows.filter(|row| !known.contains(row)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn every_route_is_in_the_schema() {
        let rows = HANDLERS.iter().flat_map(|group| group.iter());
        let unknown: Vec<&str> =
            rows.map(|(_, route, _)| *route).filter(|route| schema::of(route).is_null()).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
