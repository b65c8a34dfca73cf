//! The command `usb`: disks that customers plug in, by the UUID of their file system.

mod named;
mod persist;

use std::sync::Arc;

use clap::Subcommand;
use proxmox_privileged::Runner;
use proxmox_privileged::argument::BlockDevice;
use proxmox_privileged::mount::filesystem::{Filesystem, Survey, unprobed};
use proxmox_privileged::mount::{MountError, MountRequest, mount_by_uuid, unmount};
use serde_json::{Value, json};

use super::output::{Common, Printed, print_error, print_problem, stopped};
use super::session::{self, Session};
use super::table::{bytes, or_dash, table, worst};
use crate::config::{Environment, Settings};
use crate::host::device::{Devices, HostDevice, is_same};
use crate::host::health::rank;
use crate::host::place::place_of;
use crate::host::preview::Preview;
use crate::host::usb::{UsbState, examine, unwritable};
use crate::report::chain;
use crate::report::exit::Exit;
use crate::report::finding::Finding;
use crate::report::terminal::plain;
use named::{DiskName, Named, disk, failed, target_of};

/// What is done with USB disks.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum UsbVerb {
    /// Lists the file systems that are plugged in
    List,
    /// Tells how the disks of the configuration are, worst first
    Status,
    /// Mounts a disk at /mnt/felhom/NAME
    Mount(Named),
    /// Unmounts what is at /mnt/felhom/NAME
    Unmount(DiskName),
    /// Writes a disk into /etc/fstab, so that it is mounted again after a reboot; only root can
    Persist(Named),
    /// Takes a disk out of /etc/fstab; only root can
    Forget(DiskName),
}

pub(super) fn run(common: &Common, verb: &UsbVerb, environment: &Environment) -> Exit {
    session::run(common, environment, session::host, async |session| match verb {
        UsbVerb::List => list(&session).await,
        UsbVerb::Status => status(&session).await,
        UsbVerb::Mount(named) => mount(&session, named).await,
        UsbVerb::Unmount(name) => unmount_one(&session, name).await,
        UsbVerb::Persist(named) => persist::persist(&session, named, common, environment).await,
        UsbVerb::Forget(name) => persist::forget(&session, name).await,
    })
}

async fn list(session: &Session<Settings>) -> Result<Printed, Box<Finding>> {
    let devices = Devices::of_host();
    let mut listed = devices.list();
    // Without udev's data the device itself is asked.
    let unknown = listed.iter().filter(|device| device.filesystem.is_none());
    let unknown: Vec<BlockDevice> = unknown.map(|device| device.device.clone()).collect();
    let survey = Survey::of(&*session.runner, &unknown, devices.filesystems()).await;
    if !unknown.is_empty() && survey.unprobed.len() == listed.len() {
        return Err(stopped(unprobed(&survey.unprobed), Exit::Unchecked));
    }
    listed.sort_by_key(|device| !device.is_usb);
    let held = |device: &HostDevice| {
        survey.filesystems.iter().find(|known| known.device == device.device.as_str()).cloned()
    };
    let rows: Vec<_> = listed
        .into_iter()
        .filter_map(|device| held(&device).map(|filesystem| (device, filesystem)))
        .collect();
    let text = match rows.as_slice() {
        [] if survey.ambivalent.is_empty() => "no file system is plugged in\n".into(),
        [] => String::new(),
        rows => {
            let heading = ["DEVICE", "PORT", "SIZE", "TYPE", "UUID", "LABEL"];
            table(&heading, &rows.iter().map(cells).collect::<Vec<_>>())
        }
    };
    warn_of(&survey);
    let listed: Vec<Value> = rows.iter().map(described).collect();
    let unprobed = survey.unprobed.iter();
    let unprobed: Vec<Value> =
        unprobed.map(|error| json!({ "device": error.device, "reason": error.reason.to_string() })).collect();
    let document = json!({
        "schema": "felhom.usb-list/1", "filesystems": listed, "ambivalent": survey.ambivalent,
        "unprobed": unprobed,
    });
    Ok(Printed::new(text, &document, Exit::Ok))
}

/// Says which devices the list cannot tell of.
fn warn_of(survey: &Survey) {
    let ambivalent = survey
        .ambivalent
        .iter()
        .map(|device| format!("{device} holds more than one signature; wipefs -n {device} shows them"));
    let unprobed = Some(unprobed(&survey.unprobed)).filter(|text| !text.is_empty());
    for text in ambivalent.chain(unprobed) {
        print_error(&format!("felhom-agent: warning: {}", plain(&text)));
    }
}

fn cells((device, filesystem): &(HostDevice, Filesystem)) -> Vec<String> {
    vec![
        device.device.to_string(),
        if device.is_usb { "USB" } else { "-" }.into(),
        bytes(device.size_bytes),
        filesystem.kind.clone(),
        or_dash(filesystem.uuid.as_ref(), ""),
        or_dash(filesystem.label.as_ref(), ""),
    ]
}

fn described((device, filesystem): &(HostDevice, Filesystem)) -> Value {
    json!({ "device": device.device, "is_usb": device.is_usb, "size_bytes": device.size_bytes, "filesystem": filesystem })
}

async fn status(session: &Session<Settings>) -> Result<Printed, Box<Finding>> {
    let fstab = std::fs::read("/etc/fstab").unwrap_or_default();
    let mut states = Vec::new();
    for disk in &session.config.usb {
        let state = examine(&*session.runner, &Devices::of_host(), &fstab, disk).await;
        states.push(state.map_err(|error| stopped(chain(&error), Exit::Unchecked))?);
    }
    states.sort_by_key(|state| rank(state.finding.status));
    let text = match states.as_slice() {
        [] => "the configuration names no USB disk\n".into(),
        states => table(&["NAME", "STATE", "WHAT", "REPAIR"], &states.iter().map(line).collect::<Vec<_>>()),
    };
    let exit = worst(states.iter().map(|state| state.finding.status));
    Ok(Printed::new(text, &json!({ "schema": "felhom.usb-status/1", "disks": states }), exit))
}

fn line(state: &UsbState) -> Vec<String> {
    let finding = &state.finding;
    let command = finding.commands().next().map(|(_, command)| command.into()).unwrap_or_default();
    vec![state.name.clone(), finding.status.label().into(), finding.summary.clone(), command]
}

/// Runs something, or shows what it would run.
async fn shown_or_done<T>(
    session: &Session<Settings>,
    dry_run: bool,
    act: impl AsyncFnOnce(&dyn Runner) -> Result<T, MountError>,
) -> Result<Result<T, Vec<String>>, Box<Finding>> {
    if !dry_run {
        return act(&*session.runner).await.map(Ok).map_err(|error| failed(&error));
    }
    let preview = Preview::new(Arc::clone(&session.runner));
    match (act(&preview).await, preview.noted()) {
        (Ok(done), noted) if noted.is_empty() => Ok(Ok(done)),
        (Err(error), noted) if noted.is_empty() => Err(failed(&error)),
        (_, noted) => Ok(Err(noted)),
    }
}

/// What a dry run prints.
fn would_run(schema: &str, commands: &[String]) -> Printed {
    let document = json!({ "schema": schema, "would_run": commands });
    Printed::new(format!("{}\n", commands.join("\n")), &document, Exit::Ok)
}

async fn mount(session: &Session<Settings>, named: &Named) -> Result<Printed, Box<Finding>> {
    let disk = disk(session, named)?;
    let devices = Devices::of_host();
    let fstab = std::fs::read("/etc/fstab").unwrap_or_default();
    let request = MountRequest {
        uuid: disk.uuid.clone(),
        target: disk.target.clone(),
        place: place_of(&disk.target),
        candidates: devices.candidates(disk.any_disk),
        fstab,
        is_same,
        udev: devices.filesystems(),
    };
    let act = async |runner: &dyn Runner| mount_by_uuid(runner, &request).await;
    match shown_or_done(session, named.name.dry_run, act).await? {
        Err(commands) => Ok(would_run("felhom.usb-mount/1", &commands)),
        Ok(mounted) => {
            let was = if mounted.was_mounted { "was mounted already" } else { "is mounted" };
            let unwritable = unwritable(&devices, &disk.name, &mounted.mount);
            let but = unwritable.as_ref().map(|(why, _)| format!(", but {why}")).unwrap_or_default();
            let text = format!("{} {was} at {}{but}\n", mounted.mount.source, mounted.mount.target);
            let document = json!({
                "schema": "felhom.usb-mount/1", "mounted": mounted, "read_only": unwritable.is_some(),
            });
            let Some((why, remedy)) = unwritable else { return Ok(Printed::new(text, &document, Exit::Ok)) };
            print_problem(&Finding::fail(format!("{} is {why}", disk.target), remedy));
            Ok(Printed::new(text, &document, Exit::Fail))
        }
    }
}

async fn unmount_one(session: &Session<Settings>, name: &DiskName) -> Result<Printed, Box<Finding>> {
    let target = target_of(name)?;
    let act = async |runner: &dyn Runner| unmount(runner, &target).await;
    match shown_or_done(session, name.dry_run, act).await? {
        Err(commands) => Ok(would_run("felhom.usb-unmount/1", &commands)),
        Ok(unmounted) => {
            let was = if unmounted.was_mounted { "is unmounted" } else { "was not mounted" };
            let document =
                json!({ "schema": "felhom.usb-unmount/1", "target": target, "unmounted": unmounted });
            Ok(Printed::new(format!("{target} {was}\n"), &document, Exit::Ok))
        }
    }
}
