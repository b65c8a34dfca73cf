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

use super::access::Principal;
use super::answer::{Arrived, Effect, HttpAnswer, Refusal, Said, said};
use super::ask::{Ask, Route};
use super::handlers::HANDLERS;
use super::handlers::lifecycle::no_node;
use super::schema;
use super::world::{NODE, Received, World};
use crate::{Request, Stage, TransportError};

/// Answers a request, and notes how.
pub(super) fn serve(
    world: &mut World,
    method: &str,
    target: &str,
    body: &str,
    principal: Option<&Principal>,
) -> HttpAnswer {
    let parsed = RequestParts::new(method, target, body);
    let found = parsed.route();
    let (at, before) = (world.received.len(), world.workers.len());
    world.received.push(Received {
        operation: found.as_ref().map_or("", |((operation, ..), _)| *operation),
        method: method.into(),
        path: parsed.path.clone(),
        parameters: parsed.parameters.clone(),
        principal: principal.map_or("", Principal::as_str).into(),
        number: at,
        status: 0,
        upids: Vec::new(),
    });
    let answer = answer(world, parsed, found, principal);
    let upids = world.workers.iter().skip(before).map(|worker| worker.upid.clone()).collect();
    if let Some(received) = world.received.last_mut() {
        (received.status, received.upids) = (answer.status, upids);
    }
    answer
}

/// What answers a request, and the variables of its path.
type RouteMatch = (&'static Route, schema::Parameters);

fn answer(
    world: &mut World,
    RequestParts { method, path, parameters, .. }: RequestParts<'_>,
    found: Option<RouteMatch>,
    principal: Option<&Principal>,
) -> HttpAnswer {
    let Some(principal) = principal else { return bare(401, &said!("Authentication failed!")) };
    let Some(((_, route, handler), variables)) = found else {
        let message = said!("Method '{method} {path}' not implemented");
        return Refusal { status: 501, ..message.into() }.into_answer(false);
    };
    let entry = schema::of(route);
    let is_proxied = entry["protected"] == 1;
    if is_proxied && world.is_daemon_down {
        return bare(595, &said!("Connection refused"));
    }
    let ask = Ask { principal, variables, parameters };
    let reply = check(world, entry, &ask).and_then(|()| handler(world, &ask));
    reply.map_or_else(|refusal| refusal.into_answer(is_proxied), |reply| reply.into_answer(is_proxied))
}

fn bare(status: u16, text: &Said) -> HttpAnswer {
    HttpAnswer::bare(status, text.as_str())
}

impl World {
    /// Lets time pass up to `now`; workers that end by then end, and what is due by then is done.
    pub(super) fn settle(&mut self, now: Duration) {
        loop {
            let ending = self.next_ending(now).map_or(now, |(_, at)| at);
            let Some(index) = self.deferred.iter().position(|(due, _)| *due <= ending) else { break };
            let (due, call) = self.deferred.remove(index);
            self.now = self.now.max(due);
            self.act(&call);
        }
        self.end_workers(now);
    }

    /// Answers somebody else's request: method, path below `/api2/json`, and form body.
    pub fn serve(&mut self, who: &Principal, method: &str, path: &str, body: &str) -> HttpAnswer {
        serve(self, method, path, body, Some(who))
    }

    /// Answers a request, and notes which it was.
    fn act(&mut self, call: &Arrived) -> HttpAnswer {
        let answer = serve(self, call.method.as_str(), &call.target, &call.body, Some(&call.principal));
        if let Some(received) = self.received.last_mut() {
            received.number = call.number;
        }
        answer
    }

    /// The fault that strikes a request: the script's, or the first one that was injected for its endpoint.
    fn fault_of(&mut self, request: &Request, call: &Arrived) -> Option<Effect> {
        if let Some(mut script) = self.script.take() {
            let effect = (script.0)(self, request);
            self.script = Some(script);
            if effect.is_some() {
                return effect;
            }
        }
        let ((operation, ..), _) =
            RequestParts::new(call.method.as_str(), &call.target, &call.body).route()?;
        let mut faults = self.faults.iter_mut();
        let fault = faults.find(|fault| fault.endpoint.operation == *operation && fault.times > 0)?;
        fault.times -= 1;
        Some(fault.effect.clone())
    }

    /// Answers a request that came over the seam, with the fault that strikes it.
    pub(super) fn meet(&mut self, request: &Request, call: &Arrived) -> Result<HttpAnswer, TransportError> {
        let limit = request.time_limit;
        let effect = self.fault_of(request, call);
        match &effect {
            Some(Effect::Refused) => {
                let reason = "connection refused".into();
                return Err(TransportError::NotSent { stage: Stage::Connect, reason });
            }
            Some(Effect::LostRequest) => return Err(lost()),
            Some(Effect::Late(late)) => {
                self.deferred.push((self.now.saturating_add(*late), call.clone()));
                return Err(lost());
            }
            Some(Effect::Instead(answer)) => return Ok(answer.clone()),
            Some(Effect::Slow(long)) => self.settle(self.now.saturating_add((*long).min(limit))),
            _ => {}
        }
        let answer = self.act(call);
        match effect {
            Some(Effect::LostAnswer) => Err(lost()),
            Some(Effect::Slow(long)) if long >= limit => Err(lost()),
            Some(Effect::Answered(instead)) => Ok(instead),
            // Not recorded: libanyevent-http-perl AnyEvent/HTTP.pm, http_request.
            Some(Effect::Gateway(status)) => Ok(bare(status, &said!("Connection timed out"))),
            Some(Effect::Body(body)) => Ok(HttpAnswer { body: body.into(), ..answer }),
            Some(Effect::Cut) => {
                let half = answer.body.get(..answer.body.len() / 2).unwrap_or_default().into();
                Ok(HttpAnswer { body: half, ..answer })
            }
            _ => Ok(answer),
        }
    }
}

fn lost() -> TransportError {
    TransportError::Unknown { reason: "connection reset".into() }
}

/// What PVE checks before the code of a route runs, in its order.
fn check(world: &World, entry: &Value, ask: &Ask<'_>) -> Result<(), Refusal> {
    let value = |name: &str| ask.variables.get(name).map(String::as_str).or_else(|| ask.get(name));
    if let Some(check) = entry.pointer("/permissions/check").filter(|check| check.is_array()) {
        world.check_declared(ask.principal, check, &value)?;
    }
    if let Some(node) = ask.variables.get("node").filter(|node| *node != NODE) {
        return Err(no_node(node).into());
    }
    schema::check(entry, &ask.variables, &ask.parameters)
}

/// A request taken apart.
struct RequestParts<'a> {
    method: &'a str,
    path: String,
    segments: Vec<String>,
    parameters: schema::Parameters,
}

impl<'a> RequestParts<'a> {
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
    fn route(&self) -> Option<RouteMatch> {
        let is_restore = self.parameters.get("restore").is_some_and(|value| value == "1");
        routes()
            .filter(|(operation, ..)| *operation != "lxc.create" || !is_restore)
            .find_map(|route| Some((route, schema::variables(route.1, self.method, &self.segments)?)))
    }
}

fn routes() -> impl Iterator<Item = &'static Route> {
    HANDLERS.iter().flat_map(|group| group.iter())
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
        let known: Vec<(&str, String)> = routes().map(|(name, route, _)| (*name, (*route).into())).collect();
        let rows =
            crate::scope::all().map(|row| (row.operation, format!("{} {}", row.method.as_str(), row.path)));
        let missing: Vec<_> = rows.filter(|row| !known.contains(row)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn every_route_is_in_the_schema() {
        let unknown: Vec<&str> =
            routes().map(|(_, route, _)| *route).filter(|route| schema::of(route).is_null()).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
