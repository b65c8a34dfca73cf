//! The steps of the exercise, and what each of them claims.

use std::future::Future;
use std::pin::Pin;
use std::time::UNIX_EPOCH;

use proxmox_api::{Call, Change, Ended, Error, Lxc, Started};
use proxmox_types::params::{SetConfigParams, SnapshotParams};
use proxmox_types::{CommonOptions, GuestStatus, LxcConfig, Rows, SnapshotEntry, Tags, Unread};

use super::cleanup::{CleanupReport, undo_unless};
use super::journal::{Journal, StateDir, UNWRITTEN};
use super::leftover::{DESCRIPTION, Leftover, MARKER, TAG};
use super::site::{LENIENCE, Site};
use super::state::Remains;
use crate::report::finding::{Claim, Finding, Found, Remedy};

const GET_CONFIG: &str = "GET /nodes/{node}/lxc/{vmid}/config";
const GET_SNAPSHOTS: &str = "GET /nodes/{node}/lxc/{vmid}/snapshot";

const fn claim(
    id: &'static str,
    proves: &'static str,
    source: &'static str,
    needs: &'static [&'static str],
) -> Claim {
    Claim::new(id, proves, source).needs(needs)
}

/// What the exercise claims: of the container before it begins, and then of each of its steps.
pub static CLAIMS: [Claim; 9] = [
    claim("x.guest", "the container is meant for it, stopped and free", GET_CONFIG, &["node.exists"]),
    claim("x.snapshot", "a snapshot can be taken", "POST /nodes/{node}/lxc/{vmid}/snapshot", &["x.guest"]),
    claim(
        "x.visible",
        "the snapshot is listed, and the container descends from it",
        GET_SNAPSHOTS,
        &["x.snapshot"],
    ),
    claim("x.marker", "the container can be changed", "PUT /nodes/{node}/lxc/{vmid}/config", &["x.visible"]),
    claim(
        "x.rollback",
        "the container can be rolled back",
        "POST /nodes/{node}/lxc/{vmid}/snapshot/{snapname}/rollback",
        &["x.marker"],
    ),
    claim("x.restored", "the rollback took the change back", GET_CONFIG, &["x.rollback"]),
    claim(
        "x.delete",
        "the snapshot can be deleted",
        "DELETE /nodes/{node}/lxc/{vmid}/snapshot/{snapname}",
        &["x.restored"],
    ),
    claim("x.gone", "the snapshot is gone", GET_SNAPSHOTS, &["x.delete"]),
    claim("x.unchanged", "the container is as it was before", GET_CONFIG, &["x.gone"]),
];

/// Takes one step.
pub(super) type ExerciseStep =
    for<'s> fn(&'s mut Steps<'_>) -> Pin<Box<dyn Future<Output = Found<Finding>> + 's>>;

/// The steps, in the order of what they claim. An error ends the exercise.
pub(super) const STEPS: [ExerciseStep; 8] = [
    |steps| Box::pin(steps.snapshot()),
    |steps| Box::pin(steps.visible()),
    |steps| Box::pin(steps.marker()),
    |steps| Box::pin(steps.rollback()),
    |steps| Box::pin(steps.restored()),
    |steps| Box::pin(steps.delete()),
    |steps| Box::pin(steps.gone()),
    |steps| Box::pin(steps.unchanged()),
];

/// An exercise on its way.
pub(super) struct Steps<'c> {
    pub(super) site: Site<'c>,
    state: StateDir<'c>,
    /// The configuration of the container before anything was done.
    before: LxcConfig,
    journal: Journal,
    /// Whether something may have to be undone.
    pending: bool,
    is_marked: bool,
}

impl<'c> Steps<'c> {
    pub(super) fn new(site: Site<'c>, state: StateDir<'c>, before: LxcConfig, journal: Journal) -> Self {
        Self { site, state, before, journal, pending: false, is_marked: false }
    }

    fn lxc(&self) -> Lxc<'c> {
        self.site.lxc(self.journal.vmid)
    }

    /// Undoes what was begun and not finished.
    pub(super) async fn undo(&mut self) -> Vec<Leftover> {
        if !self.pending {
            return Vec::new();
        }
        self.site.progress.say(&format!("undoing what was done to container {}", self.journal.vmid));
        let remains = self.remains();
        let mut interrupt = self.site.interrupt.clone();
        let (mut report, progress) = (CleanupReport::default(), self.site.progress.clone());
        let undone = undo_unless(&mut self.site, &remains, interrupt.spent(LENIENCE), &mut report);
        progress.wait("cleanup", undone).await;
        if report.leftovers.is_empty() {
            // A journal that stays is found by the next run.
            self.clear().unwrap_or_default();
            self.site.progress.say("undone: nothing is left");
        }
        report.leftovers
    }

    /// What may be left, without looking.
    pub(super) fn suspected(&self) -> Vec<Leftover> {
        if self.pending { self.remains().suspected() } else { Vec::new() }
    }

    fn remains(&self) -> Remains {
        Remains::of_journal(&self.journal, (self.site.clock)())
    }

    /// Removes the journal: there is nothing to undo.
    fn clear(&mut self) -> Found<()> {
        self.state.clear()?;
        self.pending = false;
        Ok(())
    }

    /// Writes down when a call is made, before it is made.
    fn announce(&mut self) -> Found<()> {
        let time = (self.site.clock)().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let journal = Journal { time, ..self.journal.clone() };
        self.state.write(&journal).map_err(|finding| finding.because(UNWRITTEN))?;
        (self.journal, self.pending) = (journal, true);
        Ok(())
    }

    /// Makes a call that changes something, and learns what became of it.
    async fn change<T: Change + Send>(
        &mut self,
        call: Call<'_, T, impl Sized>,
    ) -> Found<Result<Started, Error>> {
        let was_pending = self.pending;
        self.announce()?;
        let started = call.settle().await;
        match &started {
            Err(error) if error.may_have_happened() => {}
            Err(_) if !was_pending => self.clear().unwrap_or_default(),
            _ => {
                self.journal.time = 0;
                // The journal names the snapshot already, which is enough to undo the step.
                let _noted = self.state.write(&self.journal);
            }
        }
        Ok(started)
    }

    /// Starts a task, waits for it, and says that it went well.
    async fn task<T: Change + Send>(&mut self, call: Call<'_, T, impl Sized>, text: &str) -> Found<Finding> {
        let started = self.change(call).await?.map_err(|error| self.site.failed(&error))?;
        let ended = match started.upid() {
            Some(upid) => self.site.follow(upid).await.map_err(|error| self.site.failed(&error))?,
            None => Ended::default(),
        };
        Ok(match ended.warnings {
            0 => Finding::ok(text),
            number => Finding::warn(format!("{text}, with {number} warnings"))
                .because(ended.warning_lines.join("\n")),
        })
    }

    async fn snapshot(&mut self) -> Found<Finding> {
        let (lxc, name) = (self.lxc(), self.journal.snapname.clone());
        let params = SnapshotParams { description: Some(DESCRIPTION.into()) };
        self.task(lxc.snapshot(&name).create().with(params), &format!("{name} is taken")).await
    }

    async fn snapshots(&self) -> Found<Rows<SnapshotEntry>> {
        let is_ours = |row: &Unread| row.may_have("name", self.journal.snapname.as_str());
        let snapshots = self.lxc().snapshots().unless_unread(is_ours).await;
        snapshots.map_err(|error| self.site.failed(&error))
    }

    /// The configuration. One without a digest is none: an option that it lacks may be there, and would be overwritten.
    async fn config(&self) -> Found<LxcConfig> {
        let config = self.lxc().config().await.map_err(|error| self.site.failed(&error))?;
        if config.digest.is_none() {
            let vmid = self.journal.vmid;
            return Err(self.wrong(format!("the configuration of container {vmid} came without its digest")));
        }
        Ok(config)
    }

    /// A finding that something is not as it must be after a task that went well.
    fn wrong(&self, what: impl Into<String>) -> Box<Finding> {
        let look = format!("pct listsnapshot {0} && pct config {0}", self.journal.vmid);
        Box::new(Finding::fail(what, Remedy::Look(look)))
    }

    async fn visible(&mut self) -> Found<Finding> {
        let snapshots = self.snapshots().await?;
        let is_listed = snapshots.iter().any(|entry| entry.name == self.journal.snapname.as_str());
        let current = snapshots.iter().find(|entry| entry.is_current());
        let is_parent = current.is_some_and(|entry| entry.parent.as_ref() == Some(&self.journal.snapname));
        match (is_listed, is_parent) {
            (true, true) => Ok(Finding::ok("it is listed, and the container descends from it")),
            (true, false) => Err(self.wrong("the container does not descend from it")),
            (false, _) => Err(self.wrong("it is not listed, although its task went well")),
        }
    }

    async fn marker(&mut self) -> Found<Finding> {
        let now = self.config().await?;
        let tags = now.options.common.tags.unwrap_or_default();
        if !tags.contains(TAG) {
            return Err(self.wrong(format!("container {} has no tag {TAG} any more", self.journal.vmid)));
        }
        let tags: Tags = tags.0.iter().map(String::as_str).chain([MARKER]).collect();
        let options = CommonOptions { tags: Some(tags), ..CommonOptions::default() }.into();
        let params = SetConfigParams { options, digest: now.digest, ..SetConfigParams::default() };
        match self.change(self.lxc().set_config(&params)).await? {
            Ok(_) => {
                self.is_marked = true;
                Ok(Finding::ok(format!("the tag {MARKER} is set")))
            }
            Err(error) if error.denied().is_some() => {
                Ok(Finding::skip(format!("{error}; the rollback is not proven without a change")))
            }
            Err(error) => Err(self.site.failed(&error)),
        }
    }

    async fn rollback(&mut self) -> Found<Finding> {
        // A rollback stops a container that runs, so this is looked at as late as possible.
        self.stopped().await?;
        let (lxc, name) = (self.lxc(), self.journal.snapname.clone());
        self.task(lxc.snapshot(&name).rollback(), "its task went well").await
    }

    /// The container still does not run.
    async fn stopped(&self) -> Found<()> {
        let vmid = self.journal.vmid;
        let status = self.lxc().status().await.map_err(|error| self.site.failed(&error))?;
        if status.status == GuestStatus::Stopped {
            return Ok(());
        }
        let fix = format!("pct shutdown {vmid} && felhom-agent selftest --task --vmid {vmid}");
        Err(Finding::fail(format!("container {vmid} is {} since", status.status), fix)
            .because("a running container is never rolled back")
            .into())
    }

    async fn restored(&mut self) -> Found<Finding> {
        let now = self.config().await?;
        if now.options.common.tags.as_ref().is_some_and(|tags| tags.contains(MARKER)) {
            return Err(self.wrong(format!("the tag {MARKER} is still set: the rollback did nothing")));
        }
        match (same(&self.before, &now), self.is_marked) {
            (false, _) => Err(self.wrong("the configuration is not what the snapshot holds")),
            (true, true) => Ok(Finding::ok("the tag is gone, and the configuration is what it was")),
            (true, false) => Ok(Finding::skip("nothing was changed, so nothing is proven")),
        }
    }

    async fn delete(&mut self) -> Found<Finding> {
        let (lxc, name) = (self.lxc(), self.journal.snapname.clone());
        self.task(lxc.snapshot(&name).delete(), "its task went well").await
    }

    async fn gone(&mut self) -> Found<Finding> {
        if self.snapshots().await?.iter().any(|entry| entry.name == self.journal.snapname.as_str()) {
            return Err(self.wrong("it is still listed, although its task went well"));
        }
        self.clear()?;
        Ok(Finding::ok("it is not listed any more"))
    }

    async fn unchanged(&mut self) -> Found<Finding> {
        let now = self.config().await?;
        self.stopped().await?;
        if !same(&self.before, &now) {
            return Err(self.wrong("the configuration is not what it was"));
        }
        Ok(Finding::ok("the container is as it was before"))
    }
}

/// Whether two configurations are the same but for what every change and every snapshot leaves.
fn same(before: &LxcConfig, now: &LxcConfig) -> bool {
    let plain = |config: &LxcConfig| {
        let mut config = config.clone();
        (config.digest, config.parent) = (None, None);
        config
    };
    plain(before) == plain(now)
}
