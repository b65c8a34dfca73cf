//! The commands `usb persist` and `usb forget`: whether a disk is mounted again after a reboot.

use proxmox_privileged::argument::MountTarget;
use proxmox_privileged::mount::alias::Aliases;
use proxmox_privileged::mount::filesystem::Survey;
use proxmox_privileged::mount::findmnt::complaints;
use proxmox_privileged::mount::fstab::{FstabConflict, FstabEntry, put, remove};
use proxmox_privileged::mount::{TargetPlace, sole_holder};
use proxmox_types::{Rows, StorageDefinition};
use serde_json::json;

use super::named::{DiskName, Named, disk, failed, target_of};
use crate::cli::output::{Common, Printed, print_error, stopped};
use crate::cli::session::{self, Session};
use crate::config::UsbDisk;
use crate::config::{Environment, Settings};
use crate::host::device::{Devices, is_same};
use crate::host::fstab::{Fstab, FstabChange, FstabError};
use crate::host::place::place_of;
use crate::report::chain;
use crate::report::exit::Exit;
use crate::report::finding::Finding;
use crate::report::terminal::plain;
use crate::wiring;

/// Writes the line of a disk.
pub(super) async fn persist(
    session: &Session<Settings>,
    named: &Named,
    common: &Common,
    environment: &Environment,
) -> Result<Printed, Box<Finding>> {
    let disk = disk(session, named)?;
    let (entry, aliases) = entry(session, &disk).await?;
    let change = changed(named.name.dry_run, |text| put(text, &entry, &aliases))?;
    let mut warnings = unguarded(&disk.target, common, environment).await;
    warnings.extend(wrong(session, named.name.dry_run, &change).await);
    let already = format!("{} is mounted after a reboot already", disk.target);
    Ok(told("felhom.usb-persist/1", &change, named.name.dry_run, &already, &warnings))
}

/// Takes the line of a disk out.
pub(super) async fn forget(session: &Session<Settings>, name: &DiskName) -> Result<Printed, Box<Finding>> {
    let target = target_of(name)?;
    let change = changed(name.dry_run, |text| remove(text, &target))?;
    let warnings = wrong(session, name.dry_run, &change).await;
    let already = format!("{target} is not in /etc/fstab");
    Ok(told("felhom.usb-forget/1", &change, name.dry_run, &already, &warnings))
}

/// The line of the disk, and what else it may be called; refused like a mount.
async fn entry(session: &Session<Settings>, disk: &UsbDisk) -> Result<(FstabEntry, Aliases), Box<Finding>> {
    let UsbDisk { target, uuid, .. } = disk;
    let place = place_of(target);
    if matches!(place, TargetPlace::Symlink | TargetPlace::NotDirectory | TargetPlace::Writable) {
        return Err(stopped(format!("{target} is no place to mount on: {place:?}"), Exit::Fail));
    }
    let devices = Devices::of_host();
    let candidates = devices.candidates(disk.any_disk);
    let survey = Survey::of(&*session.runner, &candidates.devices, devices.filesystems()).await;
    let (_, kind) = sole_holder(&survey, uuid, &candidates).map_err(|error| failed(&error))?;
    let entry = FstabEntry { uuid: uuid.clone(), target: target.clone(), kind };
    Ok((entry, Aliases::new(uuid, &survey, is_same)))
}

fn changed(
    dry_run: bool,
    edit: impl FnOnce(&[u8]) -> Result<Vec<u8>, FstabConflict>,
) -> Result<FstabChange, Box<Finding>> {
    let fstab = Fstab::of_host();
    let change = if dry_run { fstab.preview(edit) } else { fstab.change(edit) };
    change.map_err(|error| {
        let hint = if matches!(error, FstabError::NotRoot { .. }) { "; run this as root" } else { "" };
        stopped(format!("{}{hint}", chain(&error)), Exit::Fail)
    })
}

/// What findmnt finds wrong in the new table.
async fn wrong(session: &Session<Settings>, dry_run: bool, change: &FstabChange) -> Vec<String> {
    if dry_run || !change.is_some() {
        return Vec::new();
    }
    complaints(&*session.runner, &change.after)
        .await
        .unwrap_or_else(|error| vec![format!("/etc/fstab was not checked: {}", chain(&error))])
}

/// Storages of PVE on the disk that PVE would write to without it.
async fn unguarded(target: &MountTarget, common: &Common, environment: &Environment) -> Vec<String> {
    match definitions(common, environment).await {
        Ok(definitions) => {
            let unguarded = definitions.iter().filter_map(|storage| without_guard(storage, target));
            let untold = definitions
                .unread()
                .iter()
                .map(|row| format!("whether a storage on {target} needs is_mountpoint is not told of {row}"));
            unguarded.chain(untold).collect()
        }
        Err(problem) => {
            vec![format!("PVE was not asked whether a storage on {target} needs is_mountpoint: {problem}")]
        }
    }
}

async fn definitions(common: &Common, environment: &Environment) -> Result<Rows<StorageDefinition>, String> {
    let (config, _) = session::whole(common, environment).map_err(|finding| finding.summary)?;
    let connection = wiring::connect(&config).map_err(|error| error.to_string())?;
    connection.client.storage_definitions().await.map_err(|error| chain(&error))
}

/// What must be set on a storage that lies on the target. `is_mountpoint` is a yes or no, or the path of the mount.
///
/// Source: pve-storage `PVE/Storage/DirPlugin.pm`, `parse_is_mountpoint`.
fn without_guard(storage: &StorageDefinition, target: &MountTarget) -> Option<String> {
    let place = storage.path.as_deref()?;
    let below = place.strip_prefix(target.as_str())?;
    let is_guarded = !matches!(storage.is_mountpoint.as_deref(), None | Some("0" | "no" | "off" | "false"));
    if is_guarded || !(below.is_empty() || below.starts_with('/')) {
        return None;
    }
    let value = if below.trim_end_matches('/').is_empty() { "yes" } else { target.as_str() };
    let name = &storage.storage;
    Some(format!(
        "PVE fills the root disk through storage {name} when the disk is missing: pvesm set {name} --is_mountpoint {value}"
    ))
}

/// What a command prints; the warnings go to stderr as well.
fn told(schema: &str, change: &FstabChange, dry_run: bool, already: &str, warnings: &[String]) -> Printed {
    for warning in warnings {
        print_error(&format!("felhom-agent: warning: {}", plain(warning)));
    }
    let lines = change.lines();
    let text =
        if change.is_some() { lines.iter().map(|line| plain(line)).collect() } else { vec![already.into()] };
    let document = json!({
        "schema": schema, "changed": change.is_some() && !dry_run, "lines": lines, "warnings": warnings,
    });
    Printed::new(format!("{}\n", text.join("\n")), &document, Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage(path: &str, guard: serde_json::Value) -> StorageDefinition {
        let mut storage = json!({ "storage": "usb", "type": "dir", "path": path });
        if !guard.is_null() {
            storage["is_mountpoint"] = guard;
        }
        proxmox_types::lenient::from_value(&storage).unwrap()
    }

    #[test]
    fn a_storage_on_the_disk_must_know_that_it_is_a_mount() {
        let target = "/mnt/felhom/usb".parse().unwrap();
        let told = |path: &str, guard| {
            let told = without_guard(&storage(path, guard), &target)?;
            Some(told.rsplit(' ').next().unwrap().to_owned())
        };
        let (none, on_itself) = (serde_json::Value::Null, Some("yes".to_owned()));
        let rows = [
            ("/mnt/felhom/usb", none.clone(), on_itself.clone()),
            ("/mnt/felhom/usb/", json!("no"), on_itself.clone()),
            ("/mnt/felhom/usb", json!(0), on_itself),
            ("/mnt/felhom/usb/pve", none.clone(), Some("/mnt/felhom/usb".into())),
            ("/mnt/felhom/usb", json!("yes"), None),
            ("/mnt/felhom/usb", json!(1), None),
            ("/mnt/felhom/usb/pve", json!("/mnt/felhom/usb"), None),
            ("/mnt/felhom/usb2", none.clone(), None),
            ("/var/lib/vz", none, None),
        ];
        for (path, guard, expected) in rows {
            assert_eq!(told(path, guard.clone()), expected, "{path} {guard}");
        }
    }
}
