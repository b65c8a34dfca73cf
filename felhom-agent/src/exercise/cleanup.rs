//! Undoing an exercise that did not get to its end.

use std::time::Duration;

use proxmox_api::{Cause, Error, Started};
use proxmox_types::params::SetConfigParams;
use proxmox_types::{Digest, LxcOptions, SnapshotName, Tags, Upid, Vmid};
use tokio::time::Instant;

use super::leftover::Leftover;
use super::site::Site;
use super::state::{GuestState, Remains, Todo, look};
use crate::report::exit::Exit;

/// How long the server may be away before the look at what is left is given up.
const OUTAGE: Duration = Duration::from_secs(30);

/// How long is waited before looking again.
const PAUSE: Duration = Duration::from_millis(500);

/// What was undone.
#[derive(Debug, Default)]
pub struct Undone {
    /// What was done, in words.
    pub done: Vec<String>,
    /// Snapshots that a journal names, and that no exercise took.
    pub alike: Vec<String>,
    /// What could not be done.
    pub leftovers: Vec<Leftover>,
    /// Why the first of them could not.
    pub error: Option<Error>,
}

impl Undone {
    /// Whether there was nothing to undo.
    pub fn is_empty(&self) -> bool {
        self.done.is_empty() && self.alike.is_empty() && self.leftovers.is_empty() && self.error.is_none()
    }

    fn fail(&mut self, leftovers: impl IntoIterator<Item = Leftover>, error: Error) {
        self.leftovers.extend(leftovers);
        self.error.get_or_insert(error);
    }
}

/// Undoes what is left, until that happens.
pub async fn undo_unless(
    site: &mut Site<'_>,
    remains: &Remains,
    until: impl Future<Output = Exit>,
) -> Undone {
    tokio::select! {
        biased;
        _ = until => Undone { leftovers: remains.suspected(), ..Undone::default() },
        undone = undo(site, remains) => undone,
    }
}

async fn undo(site: &mut Site<'_>, remains: &Remains) -> Undone {
    let mut undone = Undone::default();
    let state = match settle(site, remains).await {
        Ok(state) => state,
        Err(error) if error.denied().is_some() => {
            undone.fail([remains.hidden(site.config)], error);
            return undone;
        }
        Err(error) => {
            undone.fail(remains.suspected(), error);
            return undone;
        }
    };
    undone.alike.extend(state.alike.iter().map(|name| format!("{name} of container {}", remains.vmid)));
    undone.leftovers.extend(state.left.clone());
    for todo in &state.todos {
        match execute(site, remains.vmid, todo).await {
            Err(error) if !is_gone(site, remains, todo).await => {
                undone.fail([todo.leftover(site, remains.vmid, state.lock.as_ref())], error);
            }
            _ => undone.done.push(todo.describe(remains.vmid)),
        }
    }
    undone
}

/// Waits until no task works on the container any more, and says what is to be done then.
async fn settle(site: &mut Site<'_>, remains: &Remains) -> Result<GuestState, Error> {
    let start = Instant::now();
    loop {
        let state = look_patiently(site, remains).await?;
        let waits: Vec<Upid> = state.todos.iter().filter_map(awaited).cloned().collect();
        if waits.is_empty() && (!state.is_empty() || start.elapsed() >= remains.shows_within) {
            return Ok(state);
        }
        for upid in &waits {
            match site.follow("cleanup", upid).await {
                // However it ended, what it left is looked at again.
                Ok(_) | Err(Error::TaskFailed { .. } | Error::TaskUnknown { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        if waits.is_empty() {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Looks, and looks again while the server is away.
async fn look_patiently(site: &Site<'_>, remains: &Remains) -> Result<GuestState, Error> {
    let start = Instant::now();
    loop {
        match look(site, remains).await {
            Err(error) if is_away(&error) && start.elapsed() < OUTAGE => tokio::time::sleep(PAUSE).await,
            looked => return looked,
        }
    }
}

/// Whether the server is away, as when pveproxy or the node restarts.
fn is_away(error: &Error) -> bool {
    matches!(error, Error::Transport { .. }) || matches!(error.cause(), Some(Cause::Gateway { .. }))
}

fn awaited(todo: &Todo) -> Option<&Upid> {
    match todo {
        Todo::Wait(upid) => Some(upid),
        Todo::Unmark(..) | Todo::Delete(..) => None,
    }
}

/// Whether there is nothing to be done any more although doing it failed.
async fn is_gone(site: &Site<'_>, remains: &Remains, todo: &Todo) -> bool {
    let is_left = |other: &Todo| other.kind() == todo.kind() || awaited(other).is_some();
    look_patiently(site, remains)
        .await
        .is_ok_and(|state| state.left.is_none() && !state.todos.iter().any(is_left))
}

async fn execute(site: &mut Site<'_>, vmid: Vmid, todo: &Todo) -> Result<(), Error> {
    match todo {
        Todo::Wait(_) => Ok(()),
        Todo::Unmark(rest, digest) => unmark(site, vmid, rest, digest.clone()).await,
        Todo::Delete(name, _) => delete(site, vmid, name).await,
    }
}

async fn unmark(site: &Site<'_>, vmid: Vmid, rest: &Tags, digest: Option<Digest>) -> Result<(), Error> {
    let mut params = SetConfigParams { digest, ..SetConfigParams::default() };
    if rest.0.is_empty() {
        params.delete = ["tags".to_string()].into_iter().collect();
    } else {
        params.options = LxcOptions { tags: Some(rest.clone()), ..LxcOptions::default() };
    }
    site.lxc(vmid).set_config(&params).settle().await.map(|_| ())
}

async fn delete(site: &mut Site<'_>, vmid: Vmid, name: &SnapshotName) -> Result<(), Error> {
    let call = site.lxc(vmid).snapshot(name).delete();
    match call.settle().await? {
        Started::Task(upid) => site.follow("cleanup", &upid).await.map(|_| ()),
        Started::Done | Started::Nothing => Ok(()),
    }
}
