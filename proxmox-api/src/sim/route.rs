//! Finds the handler of a request, and checks what PVE checks before it: route, privileges, node, parameters.
//!
//! Source: pve-manager `PVE/HTTPServer.pm`, pve-common `PVE/RESTHandler.pm`.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Display;

use percent_encoding::percent_decode_str;

use super::acl::Principal;
use super::answer::{Answer, Refusal, Reply};
use super::sentence::Said;
use super::world::{Received, World};
use super::{
    access, backup, cluster, config, create, lifecycle, lxc, node, power, sentence, snapshot, storage, task,
    volume,
};
use crate::Method;
use crate::endpoint::{Endpoint, Kind, table};

/// Answers one operation.
pub(super) type Handler = fn(&mut World, &Ask<'_>) -> Result<Reply, Refusal>;

/// Every operation of the endpoint table and what answers it.
const HANDLERS: &[&[(&str, Handler)]] = &[
    node::HANDLERS,
    lxc::HANDLERS,
    config::HANDLERS,
    create::HANDLERS,
    lifecycle::HANDLERS,
    power::HANDLERS,
    snapshot::HANDLERS,
    backup::HANDLERS,
    storage::HANDLERS,
    volume::HANDLERS,
    task::HANDLERS,
    cluster::HANDLERS,
    access::HANDLERS,
];

/// A request that found its endpoint.
pub(super) struct Ask<'a> {
    pub(super) principal: &'a Principal,
    variables: BTreeMap<&'static str, String>,
    parameters: BTreeMap<String, String>,
}

impl Ask<'_> {
    /// A variable of the path.
    pub(super) fn variable(&self, name: &str) -> &str {
        self.variables.get(name).map_or("", String::as_str)
    }

    pub(super) fn vmid(&self) -> Result<u32, Refusal> {
        let bad = || Refusal::parameter("vmid", sentence::BAD_VMID);
        let number: u32 = self.variable("vmid").parse().map_err(|_| bad())?;
        if (100..=999_999_999).contains(&number) { Ok(number) } else { Err(bad()) }
    }

    /// A parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name) == Some("1")
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    /// The items of a list.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        self.get(name)
            .map(|text| text.split([',', ';', ' ']).filter(|item| !item.is_empty()).collect())
            .unwrap_or_default()
    }

    /// All parameters.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The operation that a request means, by its name in the endpoint table.
pub(super) fn operation(method: &str, target: &str, body: &str) -> Option<&'static str> {
    let parsed = Parsed::new(method, target, body);
    parsed.endpoint().map(|endpoint| endpoint.operation)
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
    let endpoint = parsed.endpoint();
    world.received.push(Received {
        operation: endpoint.map_or("", |endpoint| endpoint.operation),
        method: method.into(),
        path: parsed.path.clone(),
        parameters: parsed.parameters.clone(),
        principal: principal.map_or("", Principal::as_str).into(),
        number: world.received.len(),
        status: 0,
        upids: Vec::new(),
    });
    let Some(principal) = principal else { return Answer::said(401, sentence::NO_TICKET) };
    let Some(endpoint) = endpoint else {
        return Refusal::not_implemented(method, &parsed.path).into_answer(false);
    };
    if endpoint.protected && world.is_daemon_down {
        return Answer::said(595, sentence::NO_DAEMON);
    }
    match parsed.run(world, endpoint, principal) {
        Ok(reply) => reply.into_answer(endpoint.protected),
        Err(refusal) => refusal.into_answer(endpoint.protected),
    }
}

/// A request taken apart.
struct Parsed {
    method: Option<Method>,
    path: String,
    segments: Vec<String>,
    parameters: BTreeMap<String, String>,
}

impl Parsed {
    fn new(method: &str, target: &str, body: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = path.strip_prefix("/api2/json").unwrap_or(path);
        let segments: Vec<String> =
            path.split('/').filter(|segment| !segment.is_empty()).map(decoded).collect();
        let methods = [Method::Get, Method::Post, Method::Put, Method::Delete];
        let mut parameters = pairs(body);
        parameters.extend(pairs(query));
        Self {
            method: methods.into_iter().find(|known| known.as_str() == method),
            path: format!("/{}", segments.join("/")),
            segments,
            parameters,
        }
    }

    fn endpoint(&self) -> Option<&'static Endpoint> {
        let method = self.method?;
        let segments: Vec<&str> = self.segments.iter().map(String::as_str).collect();
        let is_restore = self.parameters.get("restore").is_some_and(|value| value == "1");
        table::all()
            .filter(|endpoint| endpoint.matches(method, &segments))
            .find(|endpoint| endpoint.operation != "lxc.create" || !is_restore)
    }

    fn variables(&self, endpoint: &Endpoint) -> BTreeMap<&'static str, String> {
        let template = endpoint.path.split('/').filter(|segment| !segment.is_empty());
        template
            .zip(&self.segments)
            .filter_map(|(name, value)| Some((name.strip_prefix('{')?.strip_suffix('}')?, value.clone())))
            .collect()
    }

    fn run(
        &self,
        world: &mut World,
        endpoint: &'static Endpoint,
        principal: &Principal,
    ) -> Result<Reply, Refusal> {
        let variables = self.variables(endpoint);
        let value = |name: &str| variables.get(name).or_else(|| self.parameters.get(name)).cloned();
        world.check_declared(principal, &endpoint.declared, &value)?;
        if let Some(node) = variables.get("node").filter(|node| **node != world.node) {
            return Err(Refusal::die(sentence::NO_NODE.of(&[node, node])));
        }
        check_parameters(endpoint, &self.parameters)?;
        let ask = Ask { principal, variables, parameters: self.parameters.clone() };
        let handlers = HANDLERS.iter().flat_map(|group| group.iter());
        match handlers.into_iter().find(|(operation, _)| *operation == endpoint.operation) {
            Some((_, handler)) => handler(world, &ask),
            None => Err(Refusal::not_implemented(endpoint.method.as_str(), &self.path)),
        }
    }
}

fn check_parameters(endpoint: &Endpoint, parameters: &BTreeMap<String, String>) -> Result<(), Refusal> {
    let mut refusal = Refusal::parameters();
    for (name, value) in parameters {
        match endpoint.parameter(name) {
            None => refusal = refusal.with(name, sentence::UNKNOWN_PARAMETER),
            Some(row) if row.kind.check(value).is_err() => {
                refusal = refusal.with(name, complaint(&row.kind, value));
            }
            Some(_) => {}
        }
    }
    let rows = endpoint.parameters.iter().flat_map(|group| group.iter());
    for row in rows.filter(|row| row.is_required && !parameters.contains_key(row.name)) {
        refusal = refusal.with(row.name, sentence::ABSENT);
    }
    if refusal.names_nothing() { Ok(()) } else { Err(refusal) }
}

/// What PVE says of a value that its schema does not take.
fn complaint(kind: &Kind, value: &str) -> Said {
    match kind {
        Kind::Boolean => sentence::WRONG_TYPE.of(&[&"boolean", &value]),
        Kind::Integer(low, high) => outside(value.parse(), low, high, "integer", value),
        Kind::Number(low, high) => outside(value.parse(), low, high, "number", value),
        Kind::Text(least, _) if value.chars().count() < *least => sentence::TOO_SHORT.of(&[least]),
        Kind::Text(_, most) => sentence::TOO_LONG.of(&[most]),
        Kind::OneOf(words) => sentence::NOT_LISTED.of(&[&value, &words.join(", ")]),
        _ => sentence::BAD_FORMAT.into(),
    }
}

fn outside<T: PartialOrd + Display, E>(
    number: Result<T, E>,
    low: &T,
    high: &T,
    kind: &str,
    value: &str,
) -> Said {
    match number {
        Err(_) => sentence::WRONG_TYPE.of(&[&kind, &value]),
        Ok(number) if number < *low => sentence::TOO_SMALL.of(&[low]),
        Ok(_) => sentence::TOO_BIG.of(&[high]),
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
    fn every_operation_of_the_table_has_a_handler() {
        let handled: Vec<&str> =
            HANDLERS.iter().flat_map(|group| group.iter()).map(|(name, _)| *name).collect();
        let missing: Vec<&str> =
            table::all().map(|endpoint| endpoint.operation).filter(|name| !handled.contains(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
