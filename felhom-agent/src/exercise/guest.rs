//! Which container may be used: one that is named, tagged, stopped, and that nothing else has to do with.

use proxmox_api::{Error, FeatureName, Lxc};
use proxmox_types::params::PermissionFilter;
use proxmox_types::{GuestStatus, LxcConfig, LxcStatus, StorageId, Tags, Unread, Vmid};

use super::leftover::{AtContainer, TAG, cleanup_line};
use super::site::Site;
use crate::config::Config;
use crate::diagnosis::call_failed;
use crate::diagnosis::guests::containers_path;
use crate::diagnosis::guests::{Busy, stale_lock};
use crate::diagnosis::storage_of;
use crate::report::finding::{Finding, Remedy, Status};
use crate::report::shell::edit_line;

/// Options that decide whether a container may be used.
const DECISIVE: [&str; 5] = ["lock", "tags", "template", "rootfs", "protection"];

/// Looks at the container, and returns its configuration; every reason against it is a finding of its own.
pub(super) async fn examine(site: &Site<'_>, vmid: Vmid) -> Result<(LxcConfig, Finding), Vec<Finding>> {
    let (lxc, config) = (site.lxc(vmid), site.config);
    let failed = |error: Error| vec![call_failed(config, &error)];
    let status = match lxc.status().await {
        Err(error) if error.denied().is_some() => return Err(vec![hidden(site, vmid, &error).await]),
        status => status.map_err(failed)?,
    };
    let before = lxc.config().await.map_err(failed)?;
    let tags = before.options.tags.clone().unwrap_or_default();
    if before.unread.contains_key("tags") {
        return Err(vec![unreadable(vmid, "tags")]);
    }
    if !tags.contains(TAG) {
        return Err(vec![untagged(vmid, &tags)]);
    }
    let snapshots = lxc.snapshots().await.map_err(failed)?;
    let mut against = of_itself(site, vmid, &status, &before);
    against.extend(of_earlier(&AtContainer::new(vmid, &snapshots, &tags), config));
    against.extend(of_lock(site, vmid, &before).await);
    against.extend(of_snapshots(lxc, config).await);
    against.extend(of_space(site, &before).await);
    let mut notes = Vec::new();
    for checked in [managed(site, vmid, &status).await, replicated(site, vmid).await] {
        match checked {
            Ok(found) => against.extend(found),
            Err(note) => notes.push(note),
        }
    }
    if !against.is_empty() {
        return Err(against);
    }
    let name = before.options.hostname.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
    let mut summary = format!("container {vmid}{name} is tagged, stopped and free");
    for note in &notes {
        summary.extend(["; ", note]);
    }
    Ok((before, Finding::ok(summary)))
}

/// A container that is not meant for it may be anybody's, so nothing is offered that would change it.
fn untagged(vmid: Vmid, tags: &Tags) -> Finding {
    let more = tags.0.iter().map(String::as_str).chain([TAG]).collect::<Vec<_>>().join(";");
    Finding::fail(format!("{vmid} has no tag {TAG}"), Remedy::look(format!("pct config {vmid}"))).because(
        format!(
            "only a container that was made for it is ever rolled back; if this one was, tag it: \
         pct set {vmid} --tags '{more}'"
        ),
    )
}

/// A container that the token may not see: the pool's privileges are missing, or it is not in the pool, or not there.
async fn hidden(site: &Site<'_>, vmid: Vmid, error: &Error) -> Finding {
    let (config, path) = (site.config, containers_path(site.config));
    let filter = PermissionFilter { userid: None, path: Some(path.clone()) };
    let is_pool_readable = match site.client.access().permissions().with(filter).await {
        Ok(permissions) => permissions.holds(&path, "VM.Audit"),
        Err(error) => return call_failed(config, &error),
    };
    match &config.pool {
        Some(pool) if is_pool_readable => Finding::fail(
            format!("{vmid} is not in the pool {pool}, or not there"),
            Remedy::look(format!("pct config {vmid}")),
        )
        .because(format!(
            "PVE does not tell which; if it was made for the exercise, let the agent see it: \
                     pveum pool modify {pool} --vms {vmid}"
        )),
        _ => call_failed(config, error),
    }
}

fn of_itself(site: &Site<'_>, vmid: Vmid, status: &LxcStatus, config: &LxcConfig) -> Vec<Finding> {
    let mut against = Vec::new();
    if status.status != GuestStatus::Stopped {
        let text = format!("{vmid} is {}", status.status);
        let finding = Finding::fail(text, format!("pct shutdown {vmid}"));
        against.push(finding.because("a running container is never touched"));
    }
    for key in DECISIVE.iter().filter(|key| config.unread.contains_key(**key)) {
        against.push(unreadable(vmid, key));
    }
    if config.options.template == Some(true) {
        let finding = Finding::fail(
            format!("{vmid} is a template, which cannot be rolled back"),
            edit_line(&site.config.path),
        );
        against.push(finding.because("name another container: `selftest.vmid`, or --vmid"));
    }
    against
}

/// What an option says is unknown, and it decides.
fn unreadable(vmid: Vmid, key: &str) -> Finding {
    Finding::fail(
        format!("the option {key} of {vmid} could not be read"),
        Remedy::look(format!("pct config {vmid}")),
    )
}

fn of_earlier(left: &AtContainer, config: &Config) -> Vec<Finding> {
    let vmid = left.vmid;
    let left_there = || {
        let what = format!("an earlier exercise left something at {vmid}");
        Finding::fail(what, cleanup_line(config))
    };
    let hidden = left.hidden.iter().map(|row| {
        let what = format!("snapshot {row}: it cannot be told whether an earlier exercise left it at {vmid}");
        Finding::fail(what, Remedy::look(format!("pct listsnapshot {vmid}")))
    });
    hidden.chain(left.is_dirty().then(left_there)).collect()
}

async fn of_lock(site: &Site<'_>, vmid: Vmid, config: &LxcConfig) -> Option<Finding> {
    let lock = config.lock.as_ref()?;
    let node = &site.config.node;
    Some(match Busy::of_node(site.client, node).await {
        Err(error) => call_failed(site.config, &error),
        Ok(busy) if busy.holds(vmid, lock) => Finding::fail(
            format!("{vmid} is locked ({lock}) by a task that runs"),
            Remedy::look(format!("pvesh get /nodes/{node}/tasks --source active")),
        ),
        Ok(_) => stale_lock(Status::Fail, vmid, lock),
    })
}

async fn of_snapshots(lxc: Lxc<'_>, config: &Config) -> Option<Finding> {
    match lxc.feature(FeatureName::Snapshot).await {
        Ok(feature) if feature.has_feature => None,
        Ok(_) => {
            let vmid = lxc.vmid();
            let look = Remedy::look(format!("pct config {vmid} && pvesm status"));
            let finding = Finding::fail(format!("{vmid} lies on a storage without snapshots"), look);
            Some(
                finding.because(
                    "directory storages and bind mounts have none; ZFS, btrfs and LVM-thin have them",
                ),
            )
        }
        Err(error) => Some(call_failed(config, &error)),
    }
}

/// The storage of the root file system must have 5 % left: a thin pool that runs full takes every container with it.
async fn of_space(site: &Site<'_>, before: &LxcConfig) -> Option<Finding> {
    let volume = before.options.rootfs.as_ref().map(|rootfs| rootfs.volume.to_string())?;
    let storage: StorageId = volume.split_once(':')?.0.parse().ok()?;
    let row = match storage_of(site.client, &site.config.node, &storage).await {
        Ok(row) => row?,
        Err(error) => return Some(call_failed(site.config, &error)),
    };
    let look = Remedy::look(format!("pvesm list {storage}"));
    let (Some(total), Some(used)) = (row.total, row.used) else {
        return Some(Finding::fail(format!("{storage} does not tell how full it is"), look));
    };
    let is_full = used.saturating_mul(100) > total.saturating_mul(95);
    is_full.then(|| Finding::fail(format!("{storage} has less than 5 % left"), look))
}

/// What a look found against the container, or why it could not be looked.
type Looked = Result<Option<Finding>, String>;

/// Who may see the container may see that HA manages it; the list of HA also has what is not managed at the moment.
async fn managed(site: &Site<'_>, vmid: Vmid, status: &LxcStatus) -> Looked {
    let sid = format!("ct:{vmid}");
    let is_managed = status.ha.as_ref().is_some_and(|ha| ha.managed);
    let found = is_managed || {
        let listed = site.client.cluster().ha_resources().await.map_err(|error| unseen("HA", &error))?;
        if let Some(row) = listed.unread().iter().find(|row| row.may_have("sid", &sid)) {
            return Ok(Some(untold(vmid, "managed by HA", row)));
        }
        listed.iter().any(|resource| resource.sid == sid)
    };
    Ok(found.then(|| Finding::fail(format!("{vmid} is managed by HA"), format!("ha-manager remove {sid}"))))
}

async fn replicated(site: &Site<'_>, vmid: Vmid) -> Looked {
    let jobs = site.client.node(&site.config.node).replication(vmid).await;
    let jobs = jobs.map_err(|error| unseen("replication", &error))?;
    if let (None, Some(row)) = (jobs.first(), jobs.unread().first()) {
        return Ok(Some(untold(vmid, "replicated", row)));
    }
    let job = jobs.first().map(|job| job.id.clone());
    Ok(job.map(|job| Finding::fail(format!("{vmid} is replicated"), format!("pvesr delete {job}"))))
}

/// What cannot be ruled out counts against the container.
fn untold(vmid: Vmid, what: &str, row: &Unread) -> Finding {
    let text = format!("it cannot be told whether {vmid} is {what}: {row}");
    Finding::fail(text, Remedy::look("pveversion && felhom-agent --version"))
}

fn unseen(what: &str, error: &Error) -> String {
    match error.denied() {
        Some(denied) => format!("{what} not looked at: {denied}"),
        None => format!("{what} not looked at: {error}"),
    }
}
