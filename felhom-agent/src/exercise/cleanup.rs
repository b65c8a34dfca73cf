//! Undoing an exercise that did not get to its end.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proxmox_api::{Error, Started};
use proxmox_types::params::{DeleteSnapshotParams, SetConfigParams, TaskFilter, TaskSource};
use proxmox_types::{LxcConfig, LxcOptions, SnapshotEntry, Tags, Upid};

use super::Leftover;
use super::journal::Entry;
use super::names::MARKER;
use super::site::{Site, Unfinished};

/// The workers that an exercise starts.
const WORKERS: [&str; 3] = ["vzsnapshot", "vzrollback", "vzdelsnapshot"];

/// How long a call whose answer was never seen may take to show: PVE waits 10 s for a lock before it starts a worker.
const GRACE: Duration = Duration::from_secs(12);

/// Something that has to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Todo {
    /// Wait for a task.
    Wait(Upid),
    /// Set the tags that the container had before.
    Tags,
    /// Delete the snapshot; whether it is unfinished.
    Delete(bool),
}

impl Todo {
    /// What is done, in words.
    pub fn describe(&self, entry: &Entry) -> String {
        match self {
            Self::Wait(upid) => format!("wait for task {upid}"),
            Self::Tags => format!("set the tags of container {} to `{}`", entry.vmid, entry.tags),
            Self::Delete(_) => format!("delete snapshot {} of container {}", entry.snapname, entry.vmid),
        }
    }

    /// What is left if it cannot be done.
    fn leftover(&self, entry: &Entry) -> Leftover {
        let (vmid, name) = (entry.vmid, &entry.snapname);
        let (what, command) = match self {
            Self::Wait(upid) => (format!("task {upid}"), "felhom-agent cleanup".into()),
            Self::Tags => (
                format!("tag {MARKER} of container {vmid}"),
                format!("pct set {vmid} --tags '{}'", entry.tags),
            ),
            Self::Delete(false) => {
                (format!("snapshot {name} of container {vmid}"), format!("pct delsnapshot {vmid} {name}"))
            }
            Self::Delete(true) => (
                format!("unfinished snapshot {name} of container {vmid}"),
                format!("pct unlock {vmid}; pct delsnapshot {vmid} {name} --force"),
            ),
        };
        Leftover { what, command }
    }
}

/// Looks at what an exercise has left.
pub async fn look(site: &Site<'_>, entry: &Entry) -> Result<Vec<Todo>, Error> {
    let running = running(site, entry).await?;
    if !running.is_empty() {
        return Ok(running);
    }
    let lxc = site.lxc(entry.vmid);
    let (config, snapshots) = (lxc.config().await?, lxc.snapshots().await?);
    Ok(todo(entry, &config, &snapshots))
}

fn todo(entry: &Entry, config: &LxcConfig, snapshots: &[SnapshotEntry]) -> Vec<Todo> {
    let is_marked = config.options.tags.as_ref().is_some_and(|tags| tags.contains(MARKER));
    let snapshot = snapshots.iter().find(|snapshot| snapshot.name == entry.snapname.as_str());
    let delete = snapshot.map(|snapshot| Todo::Delete(snapshot.snapstate.is_some()));
    is_marked.then_some(Todo::Tags).into_iter().chain(delete).collect()
}

/// The tasks that still work on the container, of this token and of the kinds that an exercise starts.
async fn running(site: &Site<'_>, entry: &Entry) -> Result<Vec<Todo>, Error> {
    let filter =
        TaskFilter { source: Some(TaskSource::Active), vmid: Some(entry.vmid), ..TaskFilter::default() };
    let tasks = site.client.node(site.node).tasks(&filter).await?.rows;
    let ours = site.client.token().to_string();
    let is_ours = |upid: &Upid| upid.user() == ours && WORKERS.contains(&upid.worker_type());
    let running = tasks.into_iter().filter(|task| task.endtime.is_none()).map(|task| task.upid);
    Ok(running.filter(is_ours).map(Todo::Wait).collect())
}

/// What was undone.
#[derive(Debug, Default)]
pub struct Undone {
    /// What was done, in words.
    pub done: Vec<String>,
    /// What could not be done.
    pub leftovers: Vec<Leftover>,
    /// Why the first of them could not.
    pub error: Option<Error>,
}

impl Undone {
    fn fail(&mut self, leftover: Leftover, unfinished: Unfinished) {
        self.leftovers.push(leftover);
        if let Unfinished::Failed(error) = unfinished {
            self.error.get_or_insert(error);
        }
    }
}

/// Undoes what is left.
pub async fn undo(site: &mut Site<'_>, entry: &Entry) -> Undone {
    let mut undone = Undone::default();
    match settle(site, entry).await {
        Ok(todos) => execute(site, entry, todos, &mut undone).await,
        Err(Unfinished::GivenUp) => {
            undone.leftovers = [Todo::Delete(false), Todo::Tags].map(|todo| todo.leftover(entry)).into();
        }
        Err(unfinished) => {
            let what = format!("snapshot {} of container {}, perhaps", entry.snapname, entry.vmid);
            undone.fail(Leftover { what, command: "felhom-agent cleanup".into() }, unfinished);
        }
    }
    undone
}

/// Waits until no task works on the container any more, and says what is to be done then.
async fn settle(site: &mut Site<'_>, entry: &Entry) -> Result<Vec<Todo>, Unfinished> {
    let deadline = appears_until(entry);
    loop {
        let todos = look(site, entry).await.map_err(Unfinished::Failed)?;
        let waits: Vec<Upid> = todos.iter().filter_map(awaited).cloned().collect();
        if waits.is_empty() && (!todos.is_empty() || SystemTime::now() >= deadline) {
            return Ok(todos);
        }
        for upid in &waits {
            match site.follow("cleanup", upid).await {
                // However it ended, what it left is looked at again.
                Ok(_) | Err(Unfinished::Failed(Error::TaskFailed { .. } | Error::TaskUnknown { .. })) => {}
                Err(unfinished) => return Err(unfinished),
            }
        }
        if waits.is_empty() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

fn awaited(todo: &Todo) -> Option<&Upid> {
    match todo {
        Todo::Wait(upid) => Some(upid),
        Todo::Tags | Todo::Delete(_) => None,
    }
}

/// Until when a call of the journal may still show. One whose task is known has shown.
fn appears_until(entry: &Entry) -> SystemTime {
    if entry.upid.is_some() {
        return UNIX_EPOCH;
    }
    UNIX_EPOCH + Duration::from_secs(entry.time) + GRACE
}

async fn execute(site: &mut Site<'_>, entry: &Entry, todos: Vec<Todo>, undone: &mut Undone) {
    for todo in todos {
        let done = match &todo {
            Todo::Wait(_) => Ok(()),
            Todo::Tags => set_tags(site, entry).await,
            Todo::Delete(_) => delete(site, entry).await,
        };
        match done {
            Ok(()) => undone.done.push(todo.describe(entry)),
            Err(unfinished) => undone.fail(todo.leftover(entry), unfinished),
        }
    }
}

async fn set_tags(site: &Site<'_>, entry: &Entry) -> Result<(), Unfinished> {
    let mut params = SetConfigParams::default();
    if entry.tags.0.is_empty() {
        params.delete = ["tags".to_string()].into_iter().collect();
    } else {
        params.options = LxcOptions { tags: Some(entry.tags.clone()), ..LxcOptions::default() };
    }
    site.lxc(entry.vmid).set_config(&params).await.map(|_| ()).map_err(Unfinished::Failed)
}

async fn delete(site: &mut Site<'_>, entry: &Entry) -> Result<(), Unfinished> {
    let name = entry.snapname.clone();
    let call = site.lxc(entry.vmid).snapshot(&name).delete(&DeleteSnapshotParams::default());
    let started = match call.settle().await {
        proxmox_api::Outcome::Done(started) => started,
        proxmox_api::Outcome::NotDone(error) | proxmox_api::Outcome::Unknown(error) => {
            return Err(Unfinished::Failed(error));
        }
    };
    match started {
        Started::Task(upid) => site.follow("cleanup", &upid).await.map(|_| ()),
        Started::Done | Started::Nothing => Ok(()),
    }
}

/// The entry for a snapshot or a marker that no journal tells of.
pub fn orphan(
    site: &Site<'_>,
    vmid: proxmox_types::Vmid,
    name: proxmox_types::SnapshotName,
    tags: &Tags,
) -> Entry {
    let tags = tags.0.iter().filter(|tag| !tag.eq_ignore_ascii_case(MARKER)).cloned().collect();
    Entry { node: site.node.clone(), vmid, snapname: name, tags, step: "unknown".into(), upid: None, time: 0 }
}
