//! What an exercise has left at a container, as it looks now.

use proxmox_api::{Cause, Error, Thing};
use proxmox_types::params::{TaskFilter, TaskSource};
use proxmox_types::{Lock, LxcConfig, SnapshotEntry, SnapshotName, Unread, Upid, Vmid};

use super::cleanup::{Todo, Trace, WORKERS};
use super::leftover::{Leftover, MARKER, TAG, cleanup_line, is_ours};
use super::site::Site;

/// What an exercise has left, as it looks now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// What is to be done.
    pub todos: Vec<Todo>,
    /// The snapshot of that name, if an exercise did not take it.
    pub alike: Option<SnapshotName>,
    /// The snapshot of an exercise, if the container is not meant for one any more: only a person may delete it.
    pub left: Option<Leftover>,
    /// The lock of the container, where none of our tasks works on it.
    pub lock: Option<Lock>,
}

impl Sight {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.todos.is_empty() && self.alike.is_none() && self.left.is_none()
    }
}

/// Looks at what an exercise has left.
pub async fn look(site: &Site<'_>, trace: &Trace) -> Result<Sight, Error> {
    let running = running(site, trace.vmid).await?;
    if !running.is_empty() {
        return Ok(Sight { todos: running, ..Sight::default() });
    }
    let lxc = site.lxc(trace.vmid);
    let config = match lxc.config().await {
        // What was left went with the container.
        Err(error) if is_destroyed(&error) => return Ok(Sight::default()),
        config => config?,
    };
    if let Some(why) = untold(&config) {
        return Ok(Sight { left: Some(unread(site, trace.vmid, why)), ..Sight::default() });
    }
    let matters = |row: &Unread| {
        trace.snapname.is_some()
            && row
                .field("name")
                .is_none_or(|name| trace.snapname.as_ref().is_some_and(|own| own.as_str() == name))
    };
    let snapshots = lxc.snapshots().unless_unread(matters).await?;
    Ok(Sight { lock: config.options.lock.clone(), ..sight(trace, &config, &snapshots) })
}

fn is_destroyed(error: &Error) -> bool {
    matches!(error.cause(), Some(Cause::NotFound { what: Thing::Container, .. }))
}

/// A snapshot is only deleted if its name, its description and the tag of its container say that it is ours. A journal
/// says where to look, and may have been written by anybody.
fn sight(trace: &Trace, config: &LxcConfig, snapshots: &[SnapshotEntry]) -> Sight {
    let tags = config.options.tags.clone().unwrap_or_default();
    let is_meant = tags.contains(TAG);
    let unmark = tags.contains(MARKER).then(|| {
        let rest = tags.0.into_iter().filter(|tag| !tag.eq_ignore_ascii_case(MARKER));
        Todo::Unmark(rest.collect(), config.digest.clone())
    });
    let mut sight = Sight { todos: unmark.into_iter().collect(), ..Sight::default() };
    let named = trace
        .snapname
        .as_ref()
        .and_then(|name| Some((name, snapshots.iter().find(|snapshot| snapshot.name == name.as_str())?)));
    match named {
        Some((name, snapshot)) if !is_ours(snapshot) => sight.alike = Some(name.clone()),
        Some((name, _)) if !is_meant => sight.left = Some(untagged(trace.vmid, name)),
        Some((name, snapshot)) => sight.todos.push(Todo::Delete(name.clone(), snapshot.snapstate.is_some())),
        None => {}
    }
    sight
}

fn untagged(vmid: Vmid, name: &SnapshotName) -> Leftover {
    Leftover {
        what: format!("snapshot {name} of container {vmid}, which has no tag {TAG}"),
        command: format!("pct delsnapshot {vmid} {name}"),
    }
}

/// Why the tags that a configuration lacks may be there. Without its digest it is no configuration.
fn untold(config: &LxcConfig) -> Option<&'static str> {
    match config.digest {
        None => Some("configuration came without its digest"),
        Some(_) => config.unread.contains_key("tags").then_some("tags could not be read"),
    }
}

fn unread(site: &Site<'_>, vmid: Vmid, why: &str) -> Leftover {
    Leftover {
        what: format!("what is left at container {vmid}, whose {why}"),
        command: cleanup_line(site.config),
    }
}

/// The tasks that still work on the container, of this token and of the kinds that an exercise starts.
async fn running(site: &Site<'_>, vmid: Vmid) -> Result<Vec<Todo>, Error> {
    let filter = TaskFilter { source: Some(TaskSource::Active), vmid: Some(vmid), ..TaskFilter::default() };
    let may_be_ours = |row: &Unread| row.field("type").is_none_or(|kind| WORKERS.contains(&kind.as_str()));
    let tasks =
        site.client.node(&site.config.node).tasks().with(filter).unless_unread(may_be_ours).await?.rows;
    let ours = site.client.token().to_string();
    let is_ours = |upid: &Upid| upid.user() == ours && WORKERS.contains(&upid.worker_type());
    let running = tasks.into_iter().filter(|task| task.endtime.is_none()).map(|task| task.upid);
    Ok(running.filter(is_ours).map(Todo::Wait).collect())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn config(tags: &str) -> LxcConfig {
        let config =
            serde_json::json!({ "tags": tags, "digest": "9b478d342345db870b031591e6a50638477118d4" });
        serde_json::from_value(config).unwrap()
    }

    fn trace(name: Option<&str>) -> Trace {
        let snapname = name.map(|name| name.parse().unwrap());
        Trace { vmid: 300.try_into().unwrap(), snapname, is_marked: true, shows_within: Duration::ZERO }
    }

    #[test]
    fn only_the_marker_is_taken_from_the_tags() {
        let config = config("a;felhom-selftest;Felhom-ST-Marker;new");
        let [Todo::Unmark(rest, digest)] = &sight(&trace(None), &config, &[]).todos[..] else { panic!() };
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
            let sight = sight(&trace(Some(name)), &config(tags), &[entry]);
            let is_deleted = sight.todos.iter().any(|todo| matches!(todo, Todo::Delete(..)));
            let found = [is_deleted, sight.alike.is_some(), sight.left.is_some()];
            assert_eq!(found, *expected, "{name} {description:?} {tags}");
        }
    }
}
