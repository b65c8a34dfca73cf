//! The steps of the exercise.

use std::future::Future;
use std::pin::Pin;
use std::time::{SystemTime, UNIX_EPOCH};

use proxmox_api::{Call, Ended, Error, Outcome, Started};
use proxmox_types::params::{DeleteSnapshotParams, RollbackParams, SetConfigParams, SnapshotParams};
use proxmox_types::{GuestStatus, LxcConfig, LxcOptions, SnapshotEntry, SnapshotName, Tags};

use super::guest::Guest;
use super::journal::{Entry, StateDir};
use super::names::MARKER;
use super::site::{Site, Unfinished};
use super::{Leftover, claims, cleanup};
use crate::selftest::check::{Claim, Finding};

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

/// An exercise on its way.
pub(super) struct Steps<'c> {
    pub(super) site: Site<'c>,
    state: StateDir,
    guest: Guest,
    name: SnapshotName,
    entry: Entry,
    /// Whether something may have to be undone.
    is_open: bool,
    is_marked: bool,
}

impl<'c> Steps<'c> {
    pub(super) fn new(site: Site<'c>, state: StateDir, guest: Guest, name: SnapshotName) -> Self {
        let entry = Entry {
            node: site.node.clone(),
            vmid: guest.vmid,
            snapname: name.clone(),
            tags: guest.before.options.tags.clone().unwrap_or_default(),
            step: String::new(),
            upid: None,
            time: 0,
        };
        Self { site, state, guest, name, entry, is_open: false, is_marked: false }
    }

    /// Undoes what was begun and not finished.
    pub(super) async fn undo(&mut self) -> Vec<Leftover> {
        if !self.is_open {
            return Vec::new();
        }
        let undone = cleanup::undo(&mut self.site, &self.entry).await;
        if undone.leftovers.is_empty() {
            self.is_open = self.state.clear().is_err();
        }
        undone.leftovers
    }

    /// Writes down what is about to be done.
    fn announce(&mut self, claim: &Claim) -> Result<(), Box<Finding>> {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let entry = Entry { step: claim.id.into(), upid: None, time, ..self.entry.clone() };
        self.state.write(&entry).map_err(|error| {
            let fix = format!("df -h {0} && ls -ld {0}", self.state.path().display());
            Finding::fail(error.to_string(), fix)
                .because("nothing is done that cannot be written down before")
        })?;
        self.entry = entry;
        self.is_open = true;
        Ok(())
    }

    /// Starts a task and waits for it.
    async fn task<T: Into<Started> + Send>(
        &mut self,
        claim: &Claim,
        call: Call<'_, T>,
    ) -> Result<Ended, Box<Finding>> {
        self.announce(claim)?;
        let started = match call.settle().await {
            Outcome::Done(started) => started,
            Outcome::NotDone(error) | Outcome::Unknown(error) => return Err(self.failed(&error)),
        };
        let Some(upid) = started.upid().cloned() else { return Ok(Ended::default()) };
        self.entry.upid = Some(upid.clone());
        // The journal names the snapshot already, which is enough to undo the step.
        let _noted = self.state.write(&self.entry);
        self.site.follow(claim.id, &upid).await.map_err(|unfinished| match unfinished {
            Unfinished::Failed(error) => self.failed(&error),
            Unfinished::GivenUp => Box::new(Finding::skip("interrupted")),
        })
    }

    fn failed(&self, error: &Error) -> Box<Finding> {
        let upid = error.upid().map(|upid| format!("pvesh get /nodes/{}/tasks/{upid}/log", upid.node()));
        let grant = error.denied().and_then(|denied| denied.pveum(self.site.client.token()));
        let look = format!("pct listsnapshot {}", self.guest.vmid);
        let finding = Finding::fail(error.to_string(), grant.or(upid).unwrap_or(look));
        Box::new(match error {
            Error::TaskFailed { log_tail, .. } if !log_tail.is_empty() => {
                finding.because(log_tail.join("\n"))
            }
            Error::TaskUnwatched { source, .. } => finding.because(source.to_string()),
            _ => finding,
        })
    }

    async fn snapshot(&mut self) -> Found {
        let (lxc, name) = (self.site.lxc(self.guest.vmid), self.name.clone());
        let params = SnapshotParams { description: Some("self-test of felhom-agent".into()) };
        let ended = self.task(&claims::SNAPSHOT, lxc.snapshot(&name).create(&params)).await?;
        Ok(finding(format!("{} is taken", self.name), &ended))
    }

    async fn snapshots(&self) -> Result<Vec<SnapshotEntry>, Box<Finding>> {
        let snapshots = self.site.lxc(self.guest.vmid).snapshots().await;
        snapshots.map_err(|error| self.failed(&error))
    }

    async fn config(&self) -> Result<LxcConfig, Box<Finding>> {
        self.site.lxc(self.guest.vmid).config().await.map_err(|error| self.failed(&error))
    }

    /// A finding that something is not as it must be after a task that went well.
    fn wrong(&self, what: String) -> Box<Finding> {
        Box::new(Finding::fail(what, format!("pct listsnapshot {0} && pct config {0}", self.guest.vmid)))
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
        self.announce(&claims::MARKER)?;
        let digest = self.config().await?.digest;
        let tags: Tags = self.entry.tags.0.iter().map(String::as_str).chain([MARKER]).collect();
        let options = LxcOptions { tags: Some(tags), ..LxcOptions::default() };
        let params = SetConfigParams { options, digest, ..SetConfigParams::default() };
        match self.site.lxc(self.guest.vmid).set_config(&params).settle().await {
            Outcome::Done(_) => {
                self.is_marked = true;
                Ok(Finding::ok(format!("the tag {MARKER} is set")))
            }
            Outcome::NotDone(error) if error.denied().is_some() => {
                Ok(Finding::skip(format!("{error}; the rollback is not proven without a change")))
            }
            Outcome::NotDone(error) | Outcome::Unknown(error) => Err(self.failed(&error)),
        }
    }

    async fn rollback(&mut self) -> Found {
        let (lxc, name) = (self.site.lxc(self.guest.vmid), self.name.clone());
        let call = lxc.snapshot(&name).rollback(&RollbackParams::default());
        let ended = self.task(&claims::ROLLBACK, call).await?;
        Ok(finding("its task went well".into(), &ended))
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
        let call = lxc.snapshot(&name).delete(&DeleteSnapshotParams::default());
        let ended = self.task(&claims::DELETE, call).await?;
        Ok(finding("its task went well".into(), &ended))
    }

    async fn gone(&mut self) -> Found {
        if self.snapshots().await?.iter().any(|entry| entry.name == self.name.as_str()) {
            return Err(self.wrong("it is still listed, although its task went well".into()));
        }
        let cleared = self.state.clear();
        self.is_open = cleared.is_err();
        cleared.map_err(|error| Box::new(Finding::fail(error.to_string(), "felhom-agent cleanup")))?;
        Ok(Finding::ok("it is not listed any more"))
    }

    async fn unchanged(&mut self) -> Found {
        let now = self.config().await?;
        let status = self.site.lxc(self.guest.vmid).status().await.map_err(|error| self.failed(&error))?;
        if status.status != GuestStatus::Stopped {
            return Err(self.wrong(format!("the container is {}", status.status)));
        }
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
