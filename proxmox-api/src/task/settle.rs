//! Finding out what became of a call whose answer was lost, without repeating it.
//!
//! What a call started shows in the list of tasks, since the call by the server's clock, by type and id, of the same
//! token, and not among those that this client knows. What a call set shows in what is read back.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use proxmox_types::params::{TaskFilter, TaskSource};
use proxmox_types::{NodeName, Rows, SnapshotEntry, Unread, Upid};
use serde_json::Value;
use tracing::debug;

use crate::endpoint::{Endpoint, Trace, Worker};
use crate::error::Error;
use crate::scope::snapshot;
use crate::{Call, Cause, Change, Client, Ended, Parameter, Patience, Request, Started, decode};

/// How long is looked for a trace after the answer was given up, at least. After all the time that a call may take,
/// pvedaemon does not work on it any more: pveproxy itself gives up on it after 30 s.
const GRACE: Duration = Duration::from_secs(15);

/// How far the server's clock, which is read in whole seconds, may be off.
const SLACK: u64 = 2;

/// More tasks of one type than this are not started within the time that is looked at.
const ROWS: u64 = 200;

impl<'a, T: Change + Send + 'a, P: 'a> Call<'a, T, P> {
    /// Sends the request, once, finds out what became of it if its answer is lost, and waits with the client's patience for
    /// what it started: the way to change something.
    ///
    /// Whether it may have been executed in spite of an error is told by [`Error::may_have_happened`].
    ///
    /// ```
    /// # use proxmox_api::*; sim::example(async |client, node, ct| {
    /// let ended = ct.start().run().await?;
    /// assert!(ended.upid.is_some() && ended.warnings == 0);
    /// # Ok(()) });
    /// ```
    pub async fn run(self) -> Result<Ended, Error> {
        let client = self.client();
        client.wait(self.settle().await?, client.patience()).await
    }

    /// Sends the request, once. If its answer is lost, looks for what it has left on the server: until it is found, and
    /// else for as long as the server may take for such a call, which is 35 s after it was sent.
    ///
    /// An error of which [`Error::may_have_happened`] is false says that the call was not executed, and to repeat it is
    /// safe. With any other error it may have been executed, or still be: look at what it was to change.
    ///
    /// ```
    /// # use proxmox_api::*; sim::example(async |client, node, ct| {
    /// let started = ct.start().settle().await?;
    /// client.wait(started, client.patience()).await?;
    /// # Ok(()) });
    /// ```
    pub async fn settle(self) -> Result<Started, Error> {
        let (client, endpoint, request) = (self.client(), self.endpoint(), self.request().clone());
        let (sent, time) = (client.now(), client.server_time());
        let answer = self.await;
        let search = Search { client, endpoint, request, sent, time, lost: client.now() };
        match answer {
            Ok(value) => Ok(search.complete(value.into_started()).await),
            Err(error) if error.may_have_happened() => search.settle(error).await,
            Err(error) => Err(error),
        }
    }
}

/// What a look at the server tells.
enum CallTrace {
    /// It was executed.
    Executed(Started),
    /// There is no trace of it.
    Nothing,
    /// It cannot be told.
    Unclear,
}

/// When a call began, by the server's clock: as it was before the call, and as it is now. The two differ if the clock was
/// set meanwhile; then what began by one of them alone may be the call's or an older one.
struct Window {
    first: u64,
    last: u64,
    /// Seconds since then.
    ago: u64,
}

impl Window {
    const fn earliest(&self) -> u64 {
        self.first.saturating_sub(SLACK)
    }

    /// Whether what began then can be of the call.
    const fn may_hold(&self, at: u64) -> bool {
        self.earliest() <= at && at <= self.last.saturating_add(self.ago).saturating_add(SLACK)
    }

    /// Whether it began after the call was sent by both clocks.
    const fn holds(&self, at: u64) -> bool {
        let latest = self.first.saturating_add(self.ago).saturating_add(SLACK);
        self.last.saturating_sub(SLACK) <= at && at <= latest
    }
}

/// A search for the trace of one call.
struct Search<'a> {
    client: &'a Client,
    endpoint: &'static Endpoint,
    request: Request,
    /// When the request was sent, by the transport's clock.
    sent: Duration,
    /// The same by the server's clock, as far as it was known.
    time: Option<u64>,
    /// When its answer was given up.
    lost: Duration,
}

impl Search<'_> {
    /// Looks for the task of an answer that does not name it. The call was executed, whether the task is found or not.
    async fn complete(&self, started: Started) -> Started {
        if let Trace::Dropped(_) = self.endpoint.trace
            && let CallTrace::Executed(found) = self.search().await
        {
            return found;
        }
        started
    }

    async fn settle(&self, error: Error) -> Result<Started, Error> {
        debug!(request = %self.request, %error, "the answer is lost");
        match self.search().await {
            CallTrace::Executed(started) => Ok(started),
            CallTrace::Nothing if self.has_ended(&error) => Err(error.not_executed()),
            CallTrace::Nothing | CallTrace::Unclear => Err(error),
        }
    }

    async fn search(&self) -> CallTrace {
        let until = self.sent.saturating_add(self.request.time_limit).max(self.lost.saturating_add(GRACE));
        loop {
            let state = self.look().await;
            if let CallTrace::Executed(Started::Task(upid)) = &state {
                self.client.remember(upid);
            }
            let now = self.client.now();
            if now >= until || matches!(state, CallTrace::Executed(_)) {
                return state;
            }
            let waited = now.saturating_sub(self.lost);
            self.client.pause(Patience::new(until.saturating_sub(self.lost)).pause(waited, false)).await;
        }
    }

    /// Whether the server cannot have acted on the call, nor be working on it, if it left no trace. It may be if pveproxy
    /// gave up on pvedaemon, or we did; and it has acted if it said so, in whatever words. With a 500 pvedaemon has ended
    /// the call, and with a 595 it was not reached.
    fn has_ended(&self, error: &Error) -> bool {
        let took = self.lost.saturating_sub(self.sent);
        match error {
            Error::Transport { .. } => took < self.request.time_limit,
            Error::Rejected { status: 500 | 595, cause, .. } => **cause != Cause::Unlisted,
            _ => false,
        }
    }

    async fn look(&self) -> CallTrace {
        match self.endpoint.trace {
            Trace::Nowhere => CallTrace::Unclear,
            Trace::Task(worker) | Trace::Dropped(worker) => self.look_for_task(worker).await,
            Trace::Snapshot(worker) => match self.look_for_task(worker).await {
                CallTrace::Executed(started) => CallTrace::Executed(started),
                state => self.look_for_snapshot(state).await,
            },
            Trace::Deleted(worker, read) => match self.look_for_task(worker).await {
                // The task may be about another volume of the same owner.
                CallTrace::Executed(started) if self.is_gone(read).await => CallTrace::Executed(started),
                CallTrace::Executed(_) => CallTrace::Unclear,
                state => state,
            },
            Trace::Value(read) => self.read_back(read).await,
        }
    }

    async fn is_gone(&self, read: &'static Endpoint) -> bool {
        let answer = Call::<_>::read(self.client, read, &self.request.path, decode::data::<Value>).await;
        answer.is_err_and(|error| error.is_not_found())
    }

    /// When the call can have begun, by the server's clock.
    fn window(&self) -> Option<Window> {
        let ago = self.client.now().saturating_sub(self.sent).as_secs();
        let by_now = self.client.server_time()?.checked_sub(ago)?;
        let by_then = self.time.unwrap_or(by_now);
        Some(Window { first: by_now.min(by_then), last: by_now.max(by_then), ago })
    }

    async fn look_for_task(&self, worker: Worker) -> CallTrace {
        let Some(node) = self.node() else { return CallTrace::Unclear };
        let mut found: Vec<(bool, Upid)> = Vec::new();
        for kind in worker.kinds {
            let filter = TaskFilter {
                source: Some(TaskSource::All),
                typefilter: Some((*kind).into()),
                limit: Some(ROWS),
                ..TaskFilter::default()
            };
            let Ok(page) = self.client.node(&node).tasks().with(filter).await else {
                return CallTrace::Unclear;
            };
            let Some(window) = self.window() else { return CallTrace::Unclear };
            if page.rows.unread().iter().any(|row| may_be_since(row, window.earliest())) {
                return CallTrace::Unclear;
            }
            let upids = page.rows.into_iter().map(|row| row.upid);
            let ours = upids.filter(|upid| self.is_of_call(upid, worker) && window.may_hold(upid.started()));
            found.extend(ours.map(|upid| (window.holds(upid.started()), upid)));
        }
        match (found.pop(), found.is_empty()) {
            (None, _) => CallTrace::Nothing,
            (Some((true, upid)), true) => CallTrace::Executed(Started::Task(upid)),
            _ => CallTrace::Unclear,
        }
    }

    fn is_of_call(&self, upid: &Upid, worker: Worker) -> bool {
        worker.kinds.contains(&upid.worker_type())
            && worker.id.fits(upid.id(), &|name| self.value(name))
            && upid.user() == self.client.token().to_string()
            && !self.client.knows(upid)
    }

    /// A variable of the path, or a parameter.
    fn value(&self, name: &str) -> Option<&str> {
        let mut parameters = self.request.parameters.iter();
        let sent = || parameters.find(|parameter| parameter.name == name).map(Parameter::expose);
        self.endpoint.variable(&self.request.path, name).or_else(sent)
    }

    fn node(&self) -> Option<NodeName> {
        self.endpoint.variable(&self.request.path, "node")?.parse().ok()
    }

    /// A snapshot of this name that is not older than the call. One that is older contradicts that nothing happened.
    async fn look_for_snapshot(&self, otherwise: CallTrace) -> CallTrace {
        let list = Call::<_>::read(self.client, &snapshot::LIST, &self.request.path, decode::data);
        let Ok(snapshots) = list.await else { return CallTrace::Unclear };
        let snapshots: Rows<SnapshotEntry> = snapshots;
        let name = self.value("snapname");
        match (snapshots.iter().find(|entry| Some(entry.name.as_str()) == name), self.window()) {
            (None, _) if snapshots.unread().is_empty() => otherwise,
            (Some(entry), Some(window))
                if entry.snapstate.is_none() && entry.snaptime.is_some_and(|at| window.holds(at)) =>
            {
                CallTrace::Executed(Started::Done)
            }
            _ => CallTrace::Unclear,
        }
    }

    async fn read_back(&self, read: &'static Endpoint) -> CallTrace {
        let Ok(value) = Call::<_>::read(self.client, read, &self.request.path, decode::data::<Value>).await
        else {
            return CallTrace::Unclear;
        };
        // An unchanged digest proves that nothing happened, whatever the values look like.
        let digest = self.value("digest").map(|sent| value.get("digest").is_some_and(|now| now == sent));
        if digest == Some(true) {
            return CallTrace::Nothing;
        }
        let mut parameters = self.request.parameters.iter();
        let is_in_effect = parameters.all(|sent| is_in_effect(&sent.name, sent.expose(), &value));
        // What a revert does cannot be read back.
        let is_told = digest.is_some() || self.value("revert").is_none();
        if is_in_effect && is_told { CallTrace::Executed(Started::Done) } else { CallTrace::Unclear }
    }
}

/// Whether a task that could not be read may be one of this time.
fn may_be_since(row: &Unread, since: u64) -> bool {
    let started = row.field("starttime").and_then(|time| time.parse().ok());
    started.is_none_or(|started: u64| started >= since)
}

/// Keys that PVE adds to the properties that it is sent.
const ADDED: [&str; 3] = ["hwaddr", "type", "size"];

/// Whether the properties that are read back are those that were sent, and what PVE adds.
fn is_written_so(read: &BTreeSet<&str>, sent: &BTreeSet<&str>) -> bool {
    let key = |piece: &str| piece.split_once('=').map_or("", |(key, _)| key).to_string();
    let is_added = |piece: &str| ADDED.contains(&key(piece).as_str());
    read.is_superset(sent) && read.difference(sent).all(|piece| is_added(piece))
}

/// Whether a parameter's value is in what was read back.
fn is_in_effect(name: &str, sent: &str, value: &Value) -> bool {
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
    match name.trim_end_matches(|character: char| character.is_ascii_digit()) {
        // PVE adds keys, such as the address of a network interface.
        "net" | "mp" | "rootfs" | "features" | "unused" => is_written_so(&pieces(&read), &pieces(sent)),
        "tags" | "nameserver" | "searchdomain" => pieces(&read) == pieces(sent),
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

    #[test]
    fn what_is_in_effect_is_told_by_the_kind_of_the_parameter() {
        let read = json!({
            "cores": 2, "onboot": 1, "description": "a, b\n", "tags": "b;a", "hostname": "web1",
            "net0": "bridge=vmbr0,hwaddr=BC:24:11:2C:02:F5,name=eth0,type=veth",
            "net2": "bridge=vmbr0,hwaddr=BC:24:11:2C:02:F6,name=eth2,tag=7,type=veth",
        });
        let is = |name, sent| is_in_effect(name, sent, &read);
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
            // The VLAN is still there.
            is("net2", "name=eth2,bridge=vmbr0"),
        ];
        assert_eq!((in_effect, not), ([true; 7], [false; 9]));
    }
}
