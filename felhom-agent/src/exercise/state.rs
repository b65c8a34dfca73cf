//! What an exercise has left at a container, as it looks now, and what is to be done about it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proxmox_api::endpoint::Pace;
use proxmox_api::{Cause, Error, Thing};
use proxmox_types::params::{TaskFilter, TaskSource};
use proxmox_types::{Digest, Lock, LxcConfig, SnapshotEntry, SnapshotName, Tags, Unread, Upid, Vmid};

use super::journal::Journal;
use super::leftover::{AtContainer, Leftover, MARKER, TAG, cleanup_line, is_name, is_ours, unmark_line};
use super::site::Site;
use crate::config::Config;
use crate::diagnosis::guests::unlock;
use crate::report::shell::word;

/// The workers that an exercise starts.
const WORKERS: [&str; 3] = ["vzsnapshot", "vzrollback", "vzdelsnapshot"];

/// The locks that an exercise takes, and that a worker leaves if it is killed.
const LOCKS: [Lock; 3] = [Lock::Snapshot, Lock::SnapshotDelete, Lock::Rollback];

/// How long a call whose answer was never seen may take to show: as long as pvedaemon may work on it.
const GRACE: Duration = Pace::Change.time_limit();

/// Where an exercise may have left something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remains {
    /// The container.
    pub vmid: Vmid,
    /// The snapshot.
    pub snapname: Option<SnapshotName>,
    /// How long a call that was not answered may still take to show.
    pub shows_within: Duration,
}

impl Remains {
    /// As a journal says, of which only the place and the time of an unanswered call count.
    pub fn of_journal(journal: &Journal, now: SystemTime) -> Self {
        Self {
            vmid: journal.vmid,
            snapname: Some(journal.snapname.clone()),
            shows_within: remains_of_grace(journal.time, now),
        }
    }

    /// What was found at a container, apart from the snapshots that are known already.
    pub fn of_container(found: &AtContainer, known: &[Self]) -> Vec<Self> {
        let mut names: Vec<Option<SnapshotName>> = found.snapshots.iter().cloned().map(Some).collect();
        if names.is_empty() && found.is_marked {
            names.push(None);
        }
        let is_known = |name: &Option<SnapshotName>| {
            known.iter().any(|other| other.vmid == found.vmid && (name.is_none() || other.snapname == *name))
        };
        let new = names.into_iter().filter(|name| !is_known(name));
        new.map(|snapname| Self { vmid: found.vmid, snapname, shows_within: Duration::ZERO }).collect()
    }

    /// The snapshot that was looked for and is not there.
    pub fn gone(&self) -> Option<String> {
        self.snapname.as_ref().map(|name| format!("snapshot {name} of container {}", self.vmid))
    }

    /// What may be left, without looking.
    pub fn suspected(&self) -> Vec<Leftover> {
        let vmid = self.vmid;
        // A journal that names anything else is no reason to delete it.
        let named = self.snapname.as_ref().filter(|name| is_name(name.as_str()));
        let snapshot = named.map(|name| {
            let what = format!("snapshot {name} of container {vmid}, perhaps");
            Leftover::new(what, format!("pct delsnapshot {vmid} {name}"))
        });
        let marker = Leftover::new(format!("tag {MARKER} of container {vmid}, perhaps"), unmark_line(vmid));
        snapshot.into_iter().chain([marker]).collect()
    }

    /// What is left if the container cannot be seen: all of it, or nothing because it was destroyed.
    pub(super) fn hidden(&self, config: &Config) -> Leftover {
        let (vmid, folder) = (self.vmid, word(&config.state_dir));
        let what = format!("what is left at container {vmid}, if there still is one");
        Leftover::new(what, format!("pct listsnapshot {vmid} || rm {folder}/exercise.json"))
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
    /// Leave these tags, if the configuration is still the one that was seen.
    Unmark(Tags, Option<Digest>),
    /// Delete the snapshot; whether it is unfinished.
    Delete(SnapshotName, bool),
}

impl Todo {
    /// What is done, in words.
    pub fn describe(&self, vmid: Vmid) -> String {
        match self {
            Self::Unmark(..) => format!("take the tag {MARKER} from container {vmid}"),
            Self::Delete(name, _) => format!("delete snapshot {name} of container {vmid}"),
        }
    }

    /// What is left if it cannot be done, and how root does it. A lock of a worker that was killed is in the way.
    pub(super) fn leftover(&self, vmid: Vmid, lock: Option<&Lock>) -> Leftover {
        let (what, command) = match self {
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
            (None, _) => Leftover::new(what, command),
            (Some(lock @ Lock::Rollback), Self::Delete(name, _)) => broken_off(vmid, name, lock),
            (Some(lock), _) if LOCKS.contains(lock) => {
                Leftover::new(what, format!("{} && {command}", unlock(vmid, lock)))
            }
            (Some(lock), _) => Leftover::new(format!("{what}, which is locked ({lock})"), command),
        }
    }
}

/// A snapshot that a rollback was going back to when its worker was killed: nothing else may be whole any more.
fn broken_off(vmid: Vmid, name: &SnapshotName, lock: &Lock) -> Leftover {
    let what = format!(
        "snapshot {name} of container {vmid}, which may be the only whole copy, since a rollback to it was broken \
         off: look at the container (pct config {vmid}); unless it is whole, roll back again before you delete"
    );
    let unlock = unlock(vmid, lock);
    Leftover::new(what, format!("{unlock} && pct rollback {vmid} {name} && pct delsnapshot {vmid} {name}"))
}

/// What an exercise has left, as it looks now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuestState {
    /// Tasks of ours that work on it. While there are, nothing else is looked at.
    pub running: Vec<Upid>,
    /// What is to be done.
    pub todos: Vec<Todo>,
    /// The snapshot of that name, if an exercise did not take it.
    pub alike: Option<SnapshotName>,
    /// The snapshot of an exercise, if the container is not meant for one any more: only a person may delete it.
    pub left: Option<Leftover>,
    /// The lock of the container, where none of our tasks works on it.
    pub lock: Option<Lock>,
}

impl GuestState {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.running.is_empty() && self.todos.is_empty() && self.alike.is_none() && self.left.is_none()
    }
}

/// Looks at what an exercise has left at a container.
pub async fn look(site: &Site<'_>, remains: &Remains) -> Result<GuestState, Error> {
    let running = running(site, remains.vmid).await?;
    if !running.is_empty() {
        return Ok(GuestState { running, ..GuestState::default() });
    }
    let lxc = site.lxc(remains.vmid);
    let config = match lxc.config().await {
        // What was left went with the container.
        Err(error) if is_destroyed(&error) => return Ok(GuestState::default()),
        config => config?,
    };
    if let Some(why) = untold(&config) {
        let what = format!("what is left at container {}, whose {why}", remains.vmid);
        let left = Some(Leftover::new(what, cleanup_line(site.config)));
        return Ok(GuestState { left, ..GuestState::default() });
    }
    let own = remains.snapname.as_ref();
    let matters = |row: &Unread| own.is_some_and(|own| row.may_have("name", own.as_str()));
    let snapshots = lxc.snapshots().unless_unread(matters).await?;
    Ok(GuestState { lock: config.lock.clone(), ..judge(remains, &config, &snapshots) })
}

fn is_destroyed(error: &Error) -> bool {
    matches!(error.cause(), Some(Cause::NotFound { what: Thing::Container, .. }))
}

/// A snapshot is only deleted if its name, its description and the tag of its container say that it is ours. A journal
/// says where to look, and may have been written by anybody.
fn judge(remains: &Remains, config: &LxcConfig, snapshots: &[SnapshotEntry]) -> GuestState {
    let tags = config.options.common.tags.clone().unwrap_or_default();
    let is_meant = tags.contains(TAG);
    let unmark = tags.contains(MARKER).then(|| {
        let rest = tags.0.into_iter().filter(|tag| !tag.eq_ignore_ascii_case(MARKER));
        Todo::Unmark(rest.collect(), config.digest.clone())
    });
    let mut state = GuestState { todos: unmark.into_iter().collect(), ..GuestState::default() };
    let Some(name) = &remains.snapname else { return state };
    match snapshots.iter().find(|snapshot| snapshot.name == name.as_str()) {
        Some(snapshot) if !is_ours(snapshot) => state.alike = Some(name.clone()),
        Some(_) if !is_meant => {
            let vmid = remains.vmid;
            let what = format!("snapshot {name} of container {vmid}, which has no tag {TAG}");
            state.left = Some(Leftover::new(what, format!("pct delsnapshot {vmid} {name}")));
        }
        Some(snapshot) => state.todos.push(Todo::Delete(name.clone(), snapshot.snapstate.is_some())),
        None => {}
    }
    state
}

/// Why the tags that a configuration lacks may be there. Without its digest it is not a configuration.
fn untold(config: &LxcConfig) -> Option<&'static str> {
    match config.digest {
        None => Some("configuration came without its digest"),
        Some(_) => config.unread.contains_key("tags").then_some("tags could not be read"),
    }
}

/// The tasks that still work on the container, of this token and of the kinds that an exercise starts.
async fn running(site: &Site<'_>, vmid: Vmid) -> Result<Vec<Upid>, Error> {
    let filter = TaskFilter { source: Some(TaskSource::Active), vmid: Some(vmid), ..TaskFilter::default() };
    let may_be_ours = |row: &Unread| row.field("type").is_none_or(|kind| WORKERS.contains(&kind.as_str()));
    let tasks = site.client.node(&site.config.node).tasks().with(filter);
    let tasks = tasks.unless_unread(may_be_ours).await?.rows;
    let ours = site.client.token().to_string();
    let is_ours = |upid: &Upid| upid.user() == ours && WORKERS.contains(&upid.worker_type());
    let running = tasks.into_iter().filter(|task| task.endtime.is_none()).map(|task| task.upid);
    Ok(running.filter(is_ours).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(tags: &str) -> LxcConfig {
        let config =
            serde_json::json!({ "tags": tags, "digest": "9b478d342345db870b031591e6a50638477118d4" });
        serde_json::from_value(config).unwrap()
    }

    fn remains(name: Option<&str>) -> Remains {
        let snapname = name.map(|name| name.parse().unwrap());
        Remains { vmid: 300.try_into().unwrap(), snapname, shows_within: Duration::ZERO }
    }

    #[test]
    fn only_the_marker_is_taken_from_the_tags() {
        let config = config("a;felhom-selftest;Felhom-ST-Marker;new");
        let [Todo::Unmark(rest, digest)] = &judge(&remains(None), &config, &[]).todos[..] else { panic!() };
        assert_eq!((rest.to_string().as_str(), digest), ("a;felhom-selftest;new", &config.digest));
    }

    /// Name, description and tags, and whether the snapshot is deleted, told as another's, or left to a person.
    const MARKS: &[(&str, &str, &str, [bool; 3])] = &[
        (
            "felhom-st-6b052c47-0a1b2c3d",
            "self-test of felhom-agent\n",
            "a;felhom-selftest",
            [true, false, false],
        ),
        (
            "felhom-st-6b052c47-0a1b2c3d",
            "self-test of felhom-agent",
            "felhom-st-marker",
            [false, false, true],
        ),
        (
            "felhom-st-6b052c47-0a1b2c3d",
            "self-test of felhom-agent",
            "felhom-selftest-2",
            [false, false, true],
        ),
        ("felhom-st-6b052c47-0a1b2c3d", "self-test of felhom-agent", "", [false, false, true]),
        ("felhom-st-6b052c47-0a1b2c3d", "mine", "felhom-selftest", [false, true, false]),
        ("felhom-st-6b052c47-0a1b2c3d", "", "felhom-selftest", [false, true, false]),
        ("felhom-st-6b052c47-0a1b2c3", "self-test of felhom-agent", "felhom-selftest", [false, true, false]),
        ("before-upgrade", "self-test of felhom-agent", "felhom-selftest", [false, true, false]),
        ("before-upgrade", "my precious", "prod", [false, true, false]),
    ];

    #[test]
    fn a_snapshot_is_deleted_only_with_all_three_marks() {
        for (name, description, tags, expected) in MARKS {
            let entry = serde_json::json!({ "name": name, "description": description, "snaptime": 1 });
            let entry: SnapshotEntry = serde_json::from_value(entry).unwrap();
            let state = judge(&remains(Some(name)), &config(tags), &[entry]);
            let is_deleted = state.todos.iter().any(|todo| matches!(todo, Todo::Delete(..)));
            let found = [is_deleted, state.alike.is_some(), state.left.is_some()];
            assert_eq!(found, *expected, "{name} {description:?} {tags}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait_longer() {
        let today: u64 = 1_795_500_000;
        let now = UNIX_EPOCH + Duration::from_secs(today);
        let remains = |age: i64| remains_of_grace(today.saturating_add_signed(-age), now);
        assert_eq!([remains(-86_400), remains(-i64::MAX), remains(60)], [GRACE, GRACE, Duration::ZERO]);
        assert_eq!(remains(5) + Duration::from_secs(5), GRACE);
    }
}
