//! What the server answers: tasks that run, lists of any length, and for everything else the simulated node.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use proxmox_api::sim::{Principal, Sim};

use super::tasks::Tasks;
use crate::bodies::BodyKind;

/// The token that the simulated node gives to the agent.
const AGENT: &str = "felhom@pve!agent";

/// One answer.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) body: Arc<[u8]>,
    /// Whether pvedaemon formed it, so that pveproxy closes the connection.
    pub(crate) closes: bool,
}

impl Answer {
    fn ok(body: String, closes: bool) -> Self {
        Self { status: 200, reason: "OK".into(), body: body.into_bytes().into(), closes }
    }
}

pub(crate) struct NodeWorld {
    sim: Sim,
    principal: Principal,
    pub(crate) tasks: Tasks,
    /// Answers that were formed once are kept, so that the server stays fast.
    formed: HashMap<String, Answer>,
    /// What was asked for since somebody looked.
    pub(crate) targets: Vec<String>,
}

impl NodeWorld {
    /// A world that begins at this time, in seconds since 1970.
    pub(crate) fn new(epoch: u64) -> Self {
        Self {
            sim: Sim::new().in_real_time(epoch),
            principal: Principal::token(AGENT),
            tasks: Tasks::new(epoch),
            formed: HashMap::new(),
            targets: Vec::new(),
        }
    }

    /// The agent's token with its secret.
    pub(crate) fn token(&self) -> String {
        let world = self.sim.world();
        world.acl.tokens.get(AGENT).map(|token| format!("{AGENT}={}", token.secret)).unwrap_or_default()
    }

    /// Answers at this time since the beginning.
    pub(crate) fn answer(&mut self, target: &str, now: Duration) -> Answer {
        if self.targets.len() < 1000 {
            self.targets.push(target.to_owned());
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = path.strip_prefix("/api2/json").unwrap_or_default();
        if let Some(rest) = path.strip_prefix("/nodes/pve1/tasks") {
            let task = rest.strip_prefix('/').and_then(|rest| rest.strip_suffix("/status"));
            let upid = task.map(|task| percent_decode_str(task).decode_utf8_lossy());
            match upid {
                Some(upid) => {
                    if let Some(body) = self.tasks.status(&upid, now) {
                        return Answer::ok(body, true);
                    }
                }
                None if rest.is_empty() => return Answer::ok(self.tasks.list(query, now), false),
                None => {}
            }
        }
        if let Some(formed) = self.formed.get(target) {
            return formed.clone();
        }
        let answer = self.form(path, target);
        self.formed.insert(target.to_owned(), answer.clone());
        answer
    }

    fn form(&self, path: &str, target: &str) -> Answer {
        let list =
            path.strip_prefix("/nodes/pve1/storage/rows-").and_then(|rest| rest.strip_suffix("/content"));
        if let Some(rows) = list.and_then(|rows| rows.parse().ok()) {
            return Answer::ok(BodyKind::Content.body(rows), true);
        }
        let answer = self.sim.serve("GET", target, "", Some(&self.principal));
        let body = answer.body.into_bytes().into();
        Answer { status: answer.status, reason: answer.reason, body, closes: answer.is_proxied }
    }
}
