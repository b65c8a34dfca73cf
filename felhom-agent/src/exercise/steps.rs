//! The steps of the exercise.

use std::future::Future;
use std::pin::Pin;
use std::time::UNIX_EPOCH;

use proxmox_api::{Call, Change, Ended, Error, Started};
use proxmox_types::params::{SetConfigParams, SnapshotParams};
use proxmox_types::{GuestStatus, LxcConfig, LxcOptions, Rows, SnapshotEntry, SnapshotName, Tags, Unread};

use super::cleanup::{Trace, undo_unless};
use super::guest::Guest;
use super::journal::{Entry, JournalError, StateDir};
use super::leftover::{DESCRIPTION, Leftover, MARKER, TAG};
use super::site::Site;
use super::{LENIENCE, claims};
use crate::diagnosis::call_failed;
use crate::report::finding::{Claim, Finding, Remedy};

/// Takes one step.
pub(super) type Step = for<'s> fn(&'s mut Steps<'_>) -> Pin<Box<dyn Future<Output = Finding> + 's>>;

/// The steps, each with what it claims.
pub(super) const STEPS: [(&Claim, Step); 8] = [
    (&claims::SNAPSHOT, |steps| Box::pin(settled(steps.snapshot()))),
    (&claims::VISIBLE, |steps| Box::pin(settled(steps.visible()))),
    (&claims::MARKER, |steps| Box::pin(settled(steps.marker()))),
    (&claims::ROLLBACK, |steps| Box::pin(settled(steps.rollback()))),
    (&claims::RESTORED, |steps| Box::pin(settled(steps.restored()))),
    (&claims::DELETE, |steps| Box::pin(settled(steps.delete()))),
    (&claims::GONE, |steps| Box::pin(settled(steps.gone()))),
    (&claims::UNCHANGED, |steps| Box::pin(settled(steps.unchanged()))),
];

/// What a step finds; an error ends the exercise.
type Found = Result<Finding, Box<Finding>>;

/// A step finds something either way.
async fn settled(step: impl Future<Output = Found>) -> Finding {
    step.await.unwrap_or_else(|finding| *finding)
}

/// Whether something has to be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mess {
    /// Nothing was done, or everything is undone.
    None,
    /// What was done is known.
    Known,
    /// A call was sent, and neither answered nor found again.
    InDoubt,
}

/// An exercise on its way.
pub(super) struct Steps<'c> {
    pub(super) site: Site<'c>,
    state: StateDir,
    guest: Guest,
    name: SnapshotName,
    entry: Entry,
    mess: Mess,
    is_marked: bool,
}

impl<'c> Steps<'c> {
    pub(super) fn new(site: Site<'c>, state: StateDir, guest: Guest, name: SnapshotName) -> Self {
        let entry = Entry {
            node: site.config.node.clone(),
            vmid: guest.vmid,
            snapname: name.clone(),
            step: String::new(),
            upid: None,
            time: 0,
        };
        Self { site, state, guest, name, entry, mess: Mess::None, is_marked: false }
    }

    /// Undoes what was begun and not finished.
    pub(super) async fn undo(&mut self) -> Vec<Leftover> {
        if self.mess == Mess::None {
            return Vec::new();
        }
        self.site.progress.say(&format!("undoing what was done to container {}", self.guest.vmid));
        let trace = self.trace();
        let mut interrupt = self.site.interrupt.clone();
        let undone = undo_unless(&mut self.site, &trace, interrupt.spent(LENIENCE)).await;
        if undone.leftovers.is_empty() {
            // A journal that stays is found by the next run.
            self.clear().unwrap_or_default();
            self.site.progress.say("undone: nothing is left");
        }
        undone.leftovers
    }

    /// What is left as far as is known without looking.
    pub(super) fn suspected(&self) -> Vec<Leftover> {
        if self.mess == Mess::None { Vec::new() } else { self.trace().suspected() }
    }

    fn trace(&self) -> Trace {
        Trace::of_journal(&self.entry, self.mess == Mess::InDoubt, (self.site.clock)())
    }

    /// Removes the journal: there is nothing to undo.
    fn clear(&mut self) -> Result<(), JournalError> {
        self.state.clear()?;
        self.mess = Mess::None;
        Ok(())
    }

    /// Writes down what is about to be done.
    fn announce(&mut self, claim: &Claim) -> Result<(), Box<Finding>> {
        let time = (self.site.clock)().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let entry = Entry { step: claim.id.into(), upid: None, time, ..self.entry.clone() };
        self.state.write(&entry).map_err(|error| {
            Finding::fail(error.to_string(), error.repair(self.site.config))
                .because("nothing is done that cannot be written down before")
        })?;
        self.entry = entry;
        self.mess = Mess::InDoubt;
        Ok(())
    }

    /// Makes a call that changes something, and learns what became of it.
    async fn change<T: Change + Send>(&mut self, call: Call<'_, T, impl Sized>) -> Result<Started, Error> {
        let started = call.settle().await;
        if !started.as_ref().is_err_and(Error::may_have_happened) {
            self.mess = Mess::Known;
            if started.is_err() && self.entry.step == claims::SNAPSHOT.id {
                self.clear().unwrap_or_default();
            }
        }
        started
    }

    /// Starts a task and waits for it.
    async fn task<T: Change + Send>(
        &mut self,
        claim: &'static Claim,
        call: Call<'_, T, impl Sized>,
    ) -> Result<Ended, Box<Finding>> {
        self.announce(claim)?;
        let started = self.change(call).await.map_err(|error| self.failed(&error))?;
        let Some(upid) = started.upid().cloned() else { return Ok(Ended::default()) };
        self.entry.upid = Some(upid.clone());
        // The journal names the snapshot already, which is enough to undo the step.
        let _noted = self.state.write(&self.entry);
        self.site.follow(claim.id, &upid).await.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &Error) -> Box<Finding> {
        Box::new(call_failed(self.site.config, error))
    }

    async fn snapshot(&mut self) -> Found {
        let (lxc, name) = (self.site.lxc(self.guest.vmid), self.name.clone());
        let params = SnapshotParams { description: Some(DESCRIPTION.into()) };
        let ended = self.task(&claims::SNAPSHOT, lxc.snapshot(&name).create().with(params)).await?;
        Ok(finding(format!("{} is taken", self.name), &ended))
    }

    async fn snapshots(&self) -> Result<Rows<SnapshotEntry>, Box<Finding>> {
        let is_ours = |row: &Unread| row.may_have("name", self.name.as_str());
        let snapshots = self.site.lxc(self.guest.vmid).snapshots().unless_unread(is_ours).await;
        snapshots.map_err(|error| self.failed(&error))
    }

    /// The configuration. One without a digest is none: an option that it lacks may be there, and would be overwritten.
    async fn config(&self) -> Result<LxcConfig, Box<Finding>> {
        let vmid = self.guest.vmid;
        let config = self.site.lxc(vmid).config().await.map_err(|error| self.failed(&error))?;
        if config.digest.is_none() {
            return Err(self.wrong(format!("the configuration of container {vmid} came without its digest")));
        }
        Ok(config)
    }

    /// A finding that something is not as it must be after a task that went well.
    fn wrong(&self, what: String) -> Box<Finding> {
        Box::new(Finding::fail(
            what,
            Remedy::look(format!("pct listsnapshot {0} && pct config {0}", self.guest.vmid)),
        ))
    }

    async fn visible(&mut self) -> Found {
        let snapshots = self.snapshots().await?;
        let is_listed = snapshots.iter().any(|entry| entry.name == self.name.as_str());
        let current = snapshots.iter().find(|entry| entry.is_current());
        let is_parent = current.is_some_and(|entry| entry.parent.as_ref() == Some(&self.name));
        match (is_listed, is_parent) {
            (true, true) => Ok(Finding::ok("it is listed, and the container descends from it")),
            (true, false) => Err(self.wrong("the container does not descend from it".into())),
            (false, _) => Err(self.wrong("it is not listed, although its task went well".into())),
        }
    }

    async fn marker(&mut self) -> Found {
        let now = self.config().await?;
        let tags = now.options.tags.unwrap_or_default();
        if !tags.contains(TAG) {
            return Err(self.wrong(format!("container {} has no tag {TAG} any more", self.guest.vmid)));
        }
        self.announce(&claims::MARKER)?;
        let tags: Tags = tags.0.iter().map(String::as_str).chain([MARKER]).collect();
        let options = LxcOptions { tags: Some(tags), ..LxcOptions::default() };
        let params = SetConfigParams { options, digest: now.digest, ..SetConfigParams::default() };
        let lxc = self.site.lxc(self.guest.vmid);
        match self.change(lxc.set_config(&params)).await {
            Ok(_) => {
                self.is_marked = true;
                Ok(Finding::ok(format!("the tag {MARKER} is set")))
            }
            Err(error) if error.denied().is_some() => {
                Ok(Finding::skip(format!("{error}; the rollback is not proven without a change")))
            }
            Err(error) => Err(self.failed(&error)),
        }
    }

    async fn rollback(&mut self) -> Found {
        // A rollback stops a container that runs, so this is looked at as late as possible.
        self.stopped().await?;
        let (lxc, name) = (self.site.lxc(self.guest.vmid), self.name.clone());
        let call = lxc.snapshot(&name).rollback();
        let ended = self.task(&claims::ROLLBACK, call).await?;
        Ok(finding("its task went well".into(), &ended))
    }

    /// The container still does not run.
    async fn stopped(&self) -> Result<(), Box<Finding>> {
        let vmid = self.guest.vmid;
        let status = self.site.lxc(vmid).status().await.map_err(|error| self.failed(&error))?;
        if status.status == GuestStatus::Stopped {
            return Ok(());
        }
        let finding = Finding::fail(
            format!("container {vmid} is {} since", status.status),
            Remedy::fix(format!("pct shutdown {vmid} && felhom-agent selftest --task --vmid {vmid}")),
        );
        Err(Box::new(finding.because("a running container is never rolled back")))
    }

    async fn restored(&mut self) -> Found {
        let now = self.config().await?;
        if now.options.tags.as_ref().is_some_and(|tags| tags.contains(MARKER)) {
            return Err(self.wrong(format!("the tag {MARKER} is still set: the rollback did nothing")));
        }
        match (same(&self.guest.before, &now), self.is_marked) {
            (false, _) => Err(self.wrong("the configuration is not what the snapshot holds".into())),
            (true, true) => Ok(Finding::ok("the tag is gone, and the configuration is what it was")),
            (true, false) => Ok(Finding::skip("nothing was changed, so nothing is proven")),
        }
    }

    async fn delete(&mut self) -> Found {
        let (lxc, name) = (self.site.lxc(self.guest.vmid), self.name.clone());
        let call = lxc.snapshot(&name).delete();
        let ended = self.task(&claims::DELETE, call).await?;
        Ok(finding("its task went well".into(), &ended))
    }

    async fn gone(&mut self) -> Found {
        if self.snapshots().await?.iter().any(|entry| entry.name == self.name.as_str()) {
            return Err(self.wrong("it is still listed, although its task went well".into()));
        }
        self.clear()
            .map_err(|error| Box::new(Finding::fail(error.to_string(), error.repair(self.site.config))))?;
        Ok(Finding::ok("it is not listed any more"))
    }

    async fn unchanged(&mut self) -> Found {
        let now = self.config().await?;
        self.stopped().await?;
        if !same(&self.guest.before, &now) {
            return Err(self.wrong("the configuration is not what it was".into()));
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

/// What a task that went well found.
fn finding(text: String, ended: &Ended) -> Finding {
    if ended.warnings == 0 {
        return Finding::ok(text);
    }
    Finding::warn(format!("{text}, with {} warnings", ended.warnings)).because(ended.warning_lines.join("\n"))
}
