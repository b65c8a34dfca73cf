//! Undoing an exercise that did not get to its end.

use std::mem::{Discriminant, discriminant};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proxmox_api::endpoint::Pace;
use proxmox_api::{Cause, Error, Started};
use proxmox_types::params::SetConfigParams;
use proxmox_types::{Digest, Lock, LxcOptions, SnapshotName, Tags, Upid, Vmid};
use tokio::time::Instant;

use super::claims;
use super::journal::Entry;
use super::leftover::{AtContainer, Leftover, MARKER, cleanup_line, is_name, unmark_line};
pub use super::sight::{Sight, look};
use super::site::Site;
use crate::config::Config;
use crate::diagnosis::guests::unlock;
use crate::report::exit::Exit;
use crate::report::shell::word;

/// The workers that an exercise starts.
pub(super) const WORKERS: [&str; 3] = ["vzsnapshot", "vzrollback", "vzdelsnapshot"];

/// The locks that an exercise takes, and that a worker leaves if it is killed.
const LOCKS: [Lock; 3] = [Lock::Snapshot, Lock::SnapshotDelete, Lock::Rollback];

/// How long a call whose answer was never seen may take to show: as long as pvedaemon may work on it.
const GRACE: Duration = Pace::Change.time_limit();

/// How long the server may be away before the look at what is left is given up.
const OUTAGE: Duration = Duration::from_secs(30);

/// How long is waited before looking again.
const PAUSE: Duration = Duration::from_millis(500);

/// What an exercise may have left at a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The container.
    pub vmid: Vmid,
    /// The snapshot.
    pub snapname: Option<SnapshotName>,
    /// Whether the marker may be set.
    pub is_marked: bool,
    /// How long a call that was not answered may still take to show.
    pub shows_within: Duration,
}

impl Trace {
    /// What a journal tells of. Whether a call may still show is told apart, since a journal only names tasks.
    pub fn of_journal(entry: &Entry, is_in_doubt: bool, now: SystemTime) -> Self {
        Self {
            vmid: entry.vmid,
            snapname: Some(entry.snapname.clone()),
            is_marked: [claims::MARKER.id, claims::ROLLBACK.id].contains(&entry.step.as_str()),
            shows_within: if is_in_doubt { remains_of_grace(entry.time, now) } else { Duration::ZERO },
        }
    }

    /// What was found at a container, apart from the snapshots that are known already.
    pub fn of_container(found: &AtContainer, known: &[Self]) -> Vec<Self> {
        let mut names: Vec<Option<SnapshotName>> = found.snapshots.iter().cloned().map(Some).collect();
        if names.is_empty() && found.is_marked {
            names.push(None);
        }
        let is_known = |name: &Option<SnapshotName>| {
            known.iter().any(|trace| trace.vmid == found.vmid && (name.is_none() || trace.snapname == *name))
        };
        let new = names.into_iter().filter(|name| !is_known(name));
        let (vmid, is_marked) = (found.vmid, found.is_marked);
        new.map(|snapname| Self { vmid, snapname, is_marked, shows_within: Duration::ZERO }).collect()
    }

    /// The snapshot that was looked for and is not there.
    pub fn gone(&self) -> Option<String> {
        self.snapname.as_ref().map(|name| format!("snapshot {name} of container {}", self.vmid))
    }

    /// What is left as far as is known without looking.
    pub fn suspected(&self) -> Vec<Leftover> {
        let vmid = self.vmid;
        // A journal that names anything else is no reason to delete it.
        let named = self.snapname.as_ref().filter(|name| is_name(name.as_str()));
        let snapshot = named.map(|name| Leftover {
            what: format!("snapshot {name} of container {vmid}, perhaps"),
            command: format!("pct delsnapshot {vmid} {name}"),
        });
        let marker = self.is_marked.then(|| Leftover {
            what: format!("tag {MARKER} of container {vmid}, perhaps"),
            command: unmark_line(vmid),
        });
        snapshot.into_iter().chain(marker).collect()
    }

    /// What is left if the container cannot be seen: all of it, or nothing because it was destroyed.
    fn hidden(&self, config: &Config) -> Leftover {
        let (vmid, folder) = (self.vmid, word(&config.state_dir));
        Leftover {
            what: format!("what is left at container {vmid}, if there still is one"),
            command: format!("pct listsnapshot {vmid} || rm {folder}/exercise.json"),
        }
    }
}

/// What is left of the time in which a call shows. Clocks may have been set since, so it is never more than all of it.
fn remains_of_grace(time: u64, now: SystemTime) -> Duration {
    let at = UNIX_EPOCH.checked_add(Duration::from_secs(time));
    let age = at.and_then(|at| now.duration_since(at).ok());
    age.map_or(GRACE, |age| GRACE.saturating_sub(age))
}

/// Something that has to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Todo {
    /// Wait for a task.
    Wait(Upid),
    /// Leave these tags, if the configuration is still the one that was seen.
    Unmark(Tags, Option<Digest>),
    /// Delete the snapshot; whether it is unfinished.
    Delete(SnapshotName, bool),
}

impl Todo {
    /// What is done, in words.
    pub fn describe(&self, vmid: Vmid) -> String {
        match self {
            Self::Wait(upid) => format!("wait for task {upid}"),
            Self::Unmark(..) => format!("take the tag {MARKER} from container {vmid}"),
            Self::Delete(name, _) => format!("delete snapshot {name} of container {vmid}"),
        }
    }

    /// What is left if it cannot be done, and how root does it. A lock of a worker that was killed is in the way.
    fn leftover(&self, site: &Site<'_>, vmid: Vmid, lock: Option<&Lock>) -> Leftover {
        let (what, command) = match self {
            Self::Wait(upid) => (format!("task {upid}"), cleanup_line(site.config)),
            Self::Unmark(rest, _) => {
                (format!("tag {MARKER} of container {vmid}"), format!("pct set {vmid} --tags '{rest}'"))
            }
            Self::Delete(name, is_unfinished) => {
                let (unfinished, force) = if *is_unfinished { ("unfinished ", " --force") } else { ("", "") };
                (
                    format!("{unfinished}snapshot {name} of container {vmid}"),
                    format!("pct delsnapshot {vmid} {name}{force}"),
                )
            }
        };
        match (lock, self) {
            (None, _) => Leftover { what, command },
            (Some(lock @ Lock::Rollback), Self::Delete(name, _)) => broken_off(vmid, name, lock),
            (Some(lock), _) if LOCKS.contains(lock) => {
                Leftover { what, command: format!("{} && {command}", unlock(vmid, lock)) }
            }
            (Some(lock), _) => Leftover { what: format!("{what}, which is locked ({lock})"), command },
        }
    }

    fn kind(&self) -> Discriminant<Self> {
        discriminant(self)
    }
}

/// A snapshot that a rollback was going back to when its worker was killed: nothing else may be whole any more.
fn broken_off(vmid: Vmid, name: &SnapshotName, lock: &Lock) -> Leftover {
    Leftover {
        what: format!(
            "snapshot {name} of container {vmid}, which may be the only whole copy, since a rollback to it was broken \
             off: look at the container (pct config {vmid}); unless it is whole, roll back again before you delete"
        ),
        command: format!(
            "{} && pct rollback {vmid} {name} && pct delsnapshot {vmid} {name}",
            unlock(vmid, lock)
        ),
    }
}

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
pub async fn undo_unless(site: &mut Site<'_>, trace: &Trace, until: impl Future<Output = Exit>) -> Undone {
    tokio::select! {
        biased;
        _ = until => Undone { leftovers: trace.suspected(), ..Undone::default() },
        undone = undo(site, trace) => undone,
    }
}

async fn undo(site: &mut Site<'_>, trace: &Trace) -> Undone {
    let mut undone = Undone::default();
    let sight = match settle(site, trace).await {
        Ok(sight) => sight,
        Err(error) if error.denied().is_some() => {
            undone.fail([trace.hidden(site.config)], error);
            return undone;
        }
        Err(error) => {
            undone.fail(trace.suspected(), error);
            return undone;
        }
    };
    undone.alike.extend(sight.alike.iter().map(|name| format!("{name} of container {}", trace.vmid)));
    undone.leftovers.extend(sight.left.clone());
    for todo in &sight.todos {
        match execute(site, trace.vmid, todo).await {
            Err(error) if !is_gone(site, trace, todo).await => {
                undone.fail([todo.leftover(site, trace.vmid, sight.lock.as_ref())], error);
            }
            _ => undone.done.push(todo.describe(trace.vmid)),
        }
    }
    undone
}

/// Waits until no task works on the container any more, and says what is to be done then.
async fn settle(site: &mut Site<'_>, trace: &Trace) -> Result<Sight, Error> {
    let start = Instant::now();
    loop {
        let sight = look_patiently(site, trace).await?;
        let waits: Vec<Upid> = sight.todos.iter().filter_map(awaited).cloned().collect();
        if waits.is_empty() && (!sight.is_empty() || start.elapsed() >= trace.shows_within) {
            return Ok(sight);
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
async fn look_patiently(site: &Site<'_>, trace: &Trace) -> Result<Sight, Error> {
    let start = Instant::now();
    loop {
        match look(site, trace).await {
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
async fn is_gone(site: &Site<'_>, trace: &Trace, todo: &Todo) -> bool {
    let is_left = |other: &Todo| other.kind() == todo.kind() || awaited(other).is_some();
    look_patiently(site, trace)
        .await
        .is_ok_and(|sight| sight.left.is_none() && !sight.todos.iter().any(is_left))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait_longer() {
        let today: u64 = 1_795_500_000;
        let now = UNIX_EPOCH + Duration::from_secs(today);
        let remains = |age: i64| remains_of_grace(today.saturating_add_signed(-age), now);
        assert_eq!([remains(-86_400), remains(-i64::MAX), remains(60)], [GRACE, GRACE, Duration::ZERO]);
        assert_eq!(remains(5) + Duration::from_secs(5), GRACE);
    }
}
