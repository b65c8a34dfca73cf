//! Which container may be used: one that is named, tagged, stopped, and that nothing else has to do with.

use proxmox_api::{Error, FeatureName, Lxc};
use proxmox_types::params::PermissionFilter;
use proxmox_types::{GuestStatus, LxcConfig, LxcStatus, StorageId, Tags, Unread, Vmid};

use super::leftover::{AtContainer, TAG, cleanup_line};
use super::site::Site;
use crate::config::Config;
use crate::diagnosis::guests::{Busy, containers_path, stale_lock};
use crate::diagnosis::storage_of;
use crate::report::finding::{Finding, Remedy, Status};
use crate::report::shell::edit_line;

/// Options that decide whether a container may be used.
const DECISIVE: [&str; 5] = ["lock", "tags", "template", "rootfs", "protection"];

/// Looks at the container, and returns its configuration; every reason against it is a finding of its own.
pub(super) async fn examine(site: &Site<'_>, vmid: Vmid) -> Result<(LxcConfig, Finding), Vec<Finding>> {
    let lxc = site.lxc(vmid);
    let failed = |error: Error| vec![*site.failed(&error)];
    let status = match lxc.status().await {
        Err(error) if error.denied().is_some() => return Err(vec![hidden(site, vmid, &error).await]),
        status => status.map_err(failed)?,
    };
    let before = lxc.config().await.map_err(failed)?;
    let tags = before.options.common.tags.clone().unwrap_or_default();
    if before.unread.contains_key("tags") {
        return Err(vec![unreadable(vmid, "tags")]);
    }
    if !tags.contains(TAG) {
        return Err(vec![untagged(vmid, &tags)]);
    }
    let snapshots = lxc.snapshots().await.map_err(failed)?;
    let mut found = of_itself(site, vmid, &status, &before);
    found.extend(of_earlier(&AtContainer::new(vmid, &snapshots, &tags), site.config));
    found.extend(of_lock(site, vmid, &before).await);
    found.extend(of_snapshots(site, lxc).await);
    found.extend(of_space(site, &before).await);
    found.extend(managed(site, vmid, &status).await);
    found.extend(replicated(site, vmid).await);
    let (notes, against): (Vec<_>, Vec<_>) = found.into_iter().partition(|one| one.status == Status::Skip);
    if !against.is_empty() {
        return Err(against);
    }
    let name = before.options.common.hostname.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
    let free = format!("container {vmid}{name} is tagged, stopped and free");
    let parts: Vec<String> = [free].into_iter().chain(notes.into_iter().map(|note| note.summary)).collect();
    Ok((before, Finding::ok(parts.join("; "))))
}

/// A reason against the container that only a person can judge.
fn against(text: String, look: String) -> Finding {
    Finding::fail(text, Remedy::Look(look))
}

/// A container that is not meant for it may be anybody's, so nothing is offered that would change it.
fn untagged(vmid: Vmid, tags: &Tags) -> Finding {
    let more = tags.0.iter().map(String::as_str).chain([TAG]).collect::<Vec<_>>().join(";");
    against(format!("{vmid} has no tag {TAG}"), format!("pct config {vmid}")).because(format!(
        "only a container that was made for it is ever rolled back; if this one was, tag it: \
         pct set {vmid} --tags '{more}'"
    ))
}

/// A container that the token may not see: the pool's privileges are missing, or it is not in the pool, or not there.
async fn hidden(site: &Site<'_>, vmid: Vmid, error: &Error) -> Finding {
    let path = containers_path(site.config);
    let filter = PermissionFilter { userid: None, path: Some(path.clone()) };
    match (site.client.access().permissions().with(filter).await, &site.config.pool) {
        (Err(error), _) => *site.failed(&error),
        (Ok(permissions), Some(pool)) if permissions.holds(&path, "VM.Audit") => {
            let text = format!("{vmid} is not in the pool {pool}, or not there");
            against(text, format!("pct config {vmid}")).because(format!(
                "PVE does not tell which; if it was made for the exercise, let the agent see it: \
                 pveum pool modify {pool} --vms {vmid}"
            ))
        }
        _ => *site.failed(error),
    }
}

fn of_itself(site: &Site<'_>, vmid: Vmid, status: &LxcStatus, config: &LxcConfig) -> Vec<Finding> {
    let running = (status.status != GuestStatus::Stopped).then(|| {
        Finding::fail(format!("{vmid} is {}", status.status), format!("pct shutdown {vmid}"))
            .because("a running container is never touched")
    });
    let unread = DECISIVE.iter().filter(|key| config.unread.contains_key(**key));
    let template = (config.options.template == Some(true)).then(|| {
        let text = format!("{vmid} is a template, which cannot be rolled back");
        Finding::fail(text, edit_line(&site.config.path))
            .because("name another container: `selftest.vmid`, or --vmid")
    });
    running.into_iter().chain(unread.map(|key| unreadable(vmid, key))).chain(template).collect()
}

/// What an option says is unknown, and it decides.
fn unreadable(vmid: Vmid, key: &str) -> Finding {
    against(format!("the option {key} of {vmid} could not be read"), format!("pct config {vmid}"))
}

fn of_earlier(left: &AtContainer, config: &Config) -> Vec<Finding> {
    let vmid = left.vmid;
    let hidden = left.hidden.iter().map(|row| {
        let what = format!("snapshot {row}: it cannot be told whether an earlier exercise left it at {vmid}");
        against(what, format!("pct listsnapshot {vmid}"))
    });
    let what = format!("an earlier exercise left something at {vmid}");
    hidden.chain(left.is_dirty().then(|| Finding::fail(what, cleanup_line(config)))).collect()
}

async fn of_lock(site: &Site<'_>, vmid: Vmid, config: &LxcConfig) -> Option<Finding> {
    let lock = config.lock.as_ref()?;
    let node = &site.config.node;
    Some(match Busy::of_node(site.client, node).await {
        Err(error) => *site.failed(&error),
        Ok(busy) if busy.holds(vmid, lock) => against(
            format!("{vmid} is locked ({lock}) by a task that runs"),
            format!("pvesh get /nodes/{node}/tasks --source active"),
        ),
        Ok(_) => stale_lock(Status::Fail, vmid, lock),
    })
}

async fn of_snapshots(site: &Site<'_>, lxc: Lxc<'_>) -> Option<Finding> {
    let vmid = lxc.vmid();
    match lxc.feature(FeatureName::Snapshot).await {
        Ok(feature) => (!feature.has_feature).then(|| {
            let text = format!("{vmid} lies on a storage without snapshots");
            against(text, format!("pct config {vmid} && pvesm status"))
                .because("directory storages and bind mounts have none; ZFS, btrfs and LVM-thin have them")
        }),
        Err(error) => Some(*site.failed(&error)),
    }
}

/// The storage of the root file system must have 5 % left: a thin pool that runs full takes every container with it.
async fn of_space(site: &Site<'_>, before: &LxcConfig) -> Option<Finding> {
    let volume = before.options.rootfs.as_ref().map(|rootfs| rootfs.volume.to_string())?;
    let storage: StorageId = volume.split_once(':')?.0.parse().ok()?;
    let row = match storage_of(site.client, &site.config.node, &storage).await {
        Ok(row) => row?,
        Err(error) => return Some(*site.failed(&error)),
    };
    let problem = match row.total.zip(row.used) {
        None => "does not tell how full it is",
        Some((total, used)) if used.saturating_mul(100) > total.saturating_mul(95) => {
            "has less than 5 % left"
        }
        Some(_) => return None,
    };
    Some(against(format!("{storage} {problem}"), format!("pvesm list {storage}")))
}

/// Who may see the container may see that HA manages it; the list of HA also has what is not managed at the moment.
async fn managed(site: &Site<'_>, vmid: Vmid, status: &LxcStatus) -> Option<Finding> {
    let sid = format!("ct:{vmid}");
    if !status.ha.as_ref().is_some_and(|ha| ha.managed) {
        let listed = match site.client.cluster().ha_resources().await {
            Ok(listed) => listed,
            Err(error) => return Some(unseen("HA", &error)),
        };
        if let Some(row) = listed.unread().iter().find(|row| row.may_have("sid", &sid)) {
            return Some(untold(vmid, "managed by HA", row));
        }
        listed.iter().find(|resource| resource.sid == sid)?;
    }
    Some(Finding::fail(format!("{vmid} is managed by HA"), format!("ha-manager remove {sid}")))
}

async fn replicated(site: &Site<'_>, vmid: Vmid) -> Option<Finding> {
    let jobs = match site.client.node(&site.config.node).replication(vmid).await {
        Ok(jobs) => jobs,
        Err(error) => return Some(unseen("replication", &error)),
    };
    match jobs.first() {
        Some(job) => Some(Finding::fail(format!("{vmid} is replicated"), format!("pvesr delete {}", job.id))),
        None => jobs.unread().first().map(|row| untold(vmid, "replicated", row)),
    }
}

/// What cannot be ruled out counts against the container.
fn untold(vmid: Vmid, what: &str, row: &Unread) -> Finding {
    let text = format!("it cannot be told whether {vmid} is {what}: {row}");
    against(text, "pveversion && felhom-agent --version".into())
}

/// What the token may not look at counts neither way.
fn unseen(what: &str, error: &Error) -> Finding {
    let why = error.denied().map_or_else(|| error.to_string(), ToString::to_string);
    Finding::skip(format!("{what} not looked at: {why}"))
}
