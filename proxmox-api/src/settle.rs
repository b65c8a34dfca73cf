//! Finding out what became of a call whose answer was lost, without repeating it.
//!
//! What a call started shows in the list of tasks, since the call by the server's clock, by type and id, of the same
//! token, and not among those that this client knows. What a call set shows in what is read back.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use proxmox_types::params::{TaskFilter, TaskSource};
use proxmox_types::{NodeName, SnapshotEntry, Upid};
use serde_json::Value;
use tracing::debug;

use crate::endpoint::table::snapshot;
use crate::endpoint::{Endpoint, Kind, Trace, Worker};
use crate::error::Error;
use crate::{Call, Cause, Client, Parameter, Patience, Request, Started, decode};

/// How long is looked for a trace: PVE waits 10 s for a lock before it starts a worker.
const GRACE: Duration = Duration::from_secs(15);

/// How far the server's clock, which is read in whole seconds, may be off.
const SLACK: u64 = 2;

/// More tasks of one type than this are not started within the time that is looked at.
const ROWS: u64 = 200;

/// What became of a call.
#[derive(Debug)]
#[must_use]
pub enum Outcome {
    /// It was executed: wait for what it started.
    Done(Started),
    /// It was not executed, and to repeat it is safe.
    NotDone(Error),
    /// It may have been executed, or still be: look at what it was to change.
    Unknown(Error),
}

impl Outcome {
    /// What it started; an error if it was not executed, or if that is unknown.
    pub fn done(self) -> Result<Started, Error> {
        match self {
            Self::Done(started) => Ok(started),
            Self::NotDone(error) | Self::Unknown(error) => Err(error),
        }
    }
}

impl<'a, T: Into<Started> + Send + 'a> Call<'a, T> {
    /// Sends the request, once. If its answer is lost, looks for up to 15 s for what it has left on the server.
    ///
    /// For changing calls whose repetition would do harm. A refusal is [`Outcome::NotDone`].
    pub async fn settle(self) -> Outcome {
        let (client, endpoint, request) = (self.client(), self.endpoint(), self.request().clone());
        let sent = client.now();
        match self.await {
            Ok(value) => Outcome::Done(value.into()),
            Err(error) if error.may_have_happened() => {
                Search { client, endpoint, request, sent, lost: client.now() }.settle(error).await
            }
            Err(error) => Outcome::NotDone(error),
        }
    }
}

/// What a look at the server tells.
enum Sight {
    /// It was executed.
    Executed(Started),
    /// There is no trace of it.
    Nothing,
    /// It cannot be told.
    Unclear,
}

/// A search for the trace of one call.
struct Search<'a> {
    client: &'a Client,
    endpoint: &'static Endpoint,
    request: Request,
    /// When the request was sent, by the transport's clock.
    sent: Duration,
    /// When its answer was given up.
    lost: Duration,
}

impl Search<'_> {
    async fn settle(&self, error: Error) -> Outcome {
        debug!(request = %self.request, %error, "the answer is lost");
        let mut sight = self.look().await;
        while !matches!(sight, Sight::Executed(_)) {
            let waited = self.client.now().saturating_sub(self.lost);
            if waited >= GRACE {
                break;
            }
            self.client.pause(Patience::new(GRACE).pause(waited)).await;
            sight = self.look().await;
        }
        match sight {
            Sight::Executed(started) => Outcome::Done(started),
            Sight::Nothing if self.has_ended(&error) => Outcome::NotDone(error),
            Sight::Nothing | Sight::Unclear => Outcome::Unknown(error),
        }
    }

    /// Whether the server cannot be working on the call any more. It may if pveproxy gave up on pvedaemon, or we did.
    fn has_ended(&self, error: &Error) -> bool {
        let took = self.lost.saturating_sub(self.sent);
        !matches!(error.cause(), Some(Cause::Gateway { .. })) && took < self.request.time_limit
    }

    async fn look(&self) -> Sight {
        match self.endpoint.trace {
            Trace::Nowhere => Sight::Unclear,
            Trace::Task(worker) => self.look_for_task(worker).await,
            Trace::Snapshot(worker) => match self.look_for_task(worker).await {
                Sight::Executed(started) => Sight::Executed(started),
                sight => self.look_for_snapshot(sight).await,
            },
            Trace::Value(read) => self.read_back(read).await,
        }
    }

    /// The server's clock when the request was sent, less what may be wrong with it.
    fn since(&self) -> Option<u64> {
        let ago = self.client.now().saturating_sub(self.sent).as_secs();
        self.client.server_time()?.checked_sub(ago)?.checked_sub(SLACK)
    }

    async fn look_for_task(&self, worker: Worker) -> Sight {
        let Some(node) = self.node() else { return Sight::Unclear };
        let filter = TaskFilter {
            source: Some(TaskSource::All),
            typefilter: Some(worker.kind.into()),
            limit: Some(ROWS),
            ..TaskFilter::default()
        };
        let Ok(page) = self.client.node(&node).tasks(&filter).await else { return Sight::Unclear };
        let Some(since) = self.since() else { return Sight::Unclear };
        let upids = page.rows.into_iter().map(|row| row.upid);
        let mut found: Vec<Upid> = upids.filter(|upid| self.is_of_call(upid, worker, since)).collect();
        match (found.pop(), found.is_empty()) {
            (None, _) => Sight::Nothing,
            (Some(upid), true) => {
                self.client.remember(&upid);
                Sight::Executed(Started::Task(upid))
            }
            (Some(_), false) => Sight::Unclear,
        }
    }

    fn is_of_call(&self, upid: &Upid, worker: Worker, since: u64) -> bool {
        upid.worker_type() == worker.kind
            && worker.id.is_none_or(|name| self.value(name) == upid.id())
            && upid.user() == self.client.token().to_string()
            && upid.started() >= since
            && !self.client.knows(upid)
    }

    /// A variable of the path, or a parameter that holds one item.
    fn value(&self, name: &str) -> String {
        if let Some(variable) = self.endpoint.variable(&self.request.path, name) {
            return variable.into();
        }
        let parameters = self.request.parameters.iter();
        let value = parameters.filter(|parameter| parameter.name == name).map(Parameter::expose);
        value.filter(|text| !text.contains([',', ';', ' '])).collect()
    }

    fn node(&self) -> Option<NodeName> {
        self.endpoint.variable(&self.request.path, "node")?.parse().ok()
    }

    /// A snapshot of this name that is not older than the call. One that is older contradicts that nothing happened.
    async fn look_for_snapshot(&self, otherwise: Sight) -> Sight {
        let list = Call::read(self.client, &snapshot::LIST, &self.request.path, decode::data);
        let Ok(snapshots) = list.await else { return Sight::Unclear };
        let snapshots: Vec<SnapshotEntry> = snapshots;
        let name = self.value("snapname");
        match (snapshots.iter().find(|entry| entry.name == name), self.since()) {
            (None, _) => otherwise,
            (Some(entry), Some(since))
                if entry.snapstate.is_none() && entry.snaptime.is_some_and(|at| at >= since) =>
            {
                Sight::Executed(Started::Done)
            }
            (Some(_), _) => Sight::Unclear,
        }
    }

    async fn read_back(&self, read: &'static Endpoint) -> Sight {
        let Ok(value) = Call::read(self.client, read, &self.request.path, decode::data::<Value>).await else {
            return Sight::Unclear;
        };
        let mut parameters = self.request.parameters.iter();
        if parameters.all(|sent| is_in_effect(self.endpoint, &sent.name, sent.expose(), &value)) {
            return Sight::Executed(Started::Done);
        }
        // PVE writes some values otherwise than they were sent, so only an unchanged digest proves that nothing happened.
        let digest = self.request.parameters.iter().find(|parameter| parameter.name == "digest");
        if digest.is_some_and(|digest| value.get("digest").is_some_and(|now| now == digest.expose())) {
            Sight::Nothing
        } else {
            Sight::Unclear
        }
    }
}

/// Whether a parameter's value is in what was read back.
fn is_in_effect(endpoint: &Endpoint, name: &str, sent: &str, value: &Value) -> bool {
    match name {
        "digest" | "revert" => return true,
        "delete" => return pieces(sent).iter().all(|option| value.get(*option).is_none_or(Value::is_null)),
        _ => {}
    }
    let read = match value.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::Bool(flag)) => u8::from(*flag).to_string(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    match endpoint.parameter(name).map(|row| row.kind) {
        // PVE adds keys, such as the address of a network interface.
        Some(Kind::Property(_)) => pieces(&read).is_superset(&pieces(sent)),
        Some(Kind::List(_)) => pieces(&read) == pieces(sent),
        _ => read.trim_end() == sent.trim_end(),
    }
}

fn pieces(text: &str) -> BTreeSet<&str> {
    text.split([',', ';', ' ']).filter(|piece| !piece.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::endpoint::table::lxc;

    #[test]
    fn what_is_in_effect_is_told_by_the_kind_of_the_parameter() {
        let read = json!({
            "cores": 2, "onboot": 1, "description": "a, b\n", "tags": "b;a", "hostname": "web1",
            "net0": "bridge=vmbr0,hwaddr=BC:24:11:2C:02:F5,name=eth0,type=veth",
        });
        let is = |name, sent| is_in_effect(&lxc::SET_CONFIG, name, sent, &read);
        let in_effect = [
            is("cores", "2"),
            is("onboot", "1"),
            is("description", "a, b"),
            is("tags", "a;b"),
            is("net0", "name=eth0,bridge=vmbr0"),
            is("delete", "net1,cmode"),
            is("digest", "aa"),
        ];
        let not = [
            is("cores", "3"),
            is("description", "b"),
            is("description", ""),
            is("tags", "a"),
            is("tags", ""),
            is("net0", "name=eth0,bridge=vmbr1"),
            is("net1", "name=eth1,bridge=vmbr0"),
            is("delete", "net0"),
        ];
        assert_eq!((in_effect, not), ([true; 7], [false; 8]));
    }
}
