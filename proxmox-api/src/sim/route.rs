//! Finds the handler of a request, and checks what PVE checks before it: route, privileges, node, parameters.
//!
//! Source: pve-manager `PVE/HTTPServer.pm`, pve-common `PVE/RESTHandler.pm`.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::acl::Principal;
use super::answer::{Answer, Refusal, Reply};
use super::world::{Received, World};
use super::{
    access, backup, cluster, config, create, lifecycle, lxc, node, power, schema, sentence, snapshot,
    storage, task, volume,
};

/// What answers a route of the schema: the operation's name, `METHOD /path`, and the function.
pub(super) type Row = (&'static str, &'static str, Handler);

/// Answers one operation.
pub(super) type Handler = fn(&mut World, &Ask<'_>) -> Result<Reply, Refusal>;

/// Every operation that the node knows.
const HANDLERS: &[&[Row]] = &[
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
    variables: schema::Parameters,
    parameters: schema::Parameters,
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
