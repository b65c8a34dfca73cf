//! Which disk is meant, and why nothing was done with it.

use clap::Args;
use proxmox_privileged::Malformed;
use proxmox_privileged::argument::{FsUuid, MountTarget};
use proxmox_privileged::mount::MountError;

use crate::cli::output::stopped;
use crate::cli::session::Session;
use crate::config::{Settings, UsbDisk, usb_target};
use crate::host::usb::look;
use crate::report::chain;
use crate::report::exit::Exit;
use crate::report::finding::{Finding, Remedy};

/// A disk: one of the configuration, or named with its file system.
#[derive(Clone, Debug, Args)]
pub(crate) struct Named {
    #[command(flatten)]
    pub(super) name: DiskName,
    /// UUID of its file system [default: the one that the configuration has for NAME]
    #[arg(long)]
    uuid: Option<FsUuid>,
    /// Accepts a disk that is not on USB [default: as the configuration says with `any_disk`]
    #[arg(long)]
    any_disk: bool,
}

/// The name of a disk.
#[derive(Clone, Debug, Args)]
pub(crate) struct DiskName {
    /// Name of the directory below /mnt/felhom
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// Shows what would be done, and does nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// The disk that is meant.
pub(super) fn disk(session: &Session<Settings>, named: &Named) -> Result<UsbDisk, Box<Finding>> {
    let name = &named.name.name;
    let known = session.config.usb.iter().find(|disk| disk.name == *name);
    let mut disk = match (&named.uuid, known) {
        (Some(uuid), Some(disk)) if disk.uuid == *uuid => disk.clone(),
        (Some(uuid), _) => UsbDisk::new(name, uuid.clone()).map_err(|error| usage(&error))?,
        (None, Some(disk)) => disk.clone(),
        (None, None) => {
            let text = format!(
                "the configuration has no USB disk `{name}`; give --uuid, or see felhom-agent usb list"
            );
            return Err(stopped(text, Exit::Usage));
        }
    };
    disk.any_disk |= named.any_disk;
    Ok(disk)
}

pub(super) fn target_of(name: &DiskName) -> Result<MountTarget, Box<Finding>> {
    usb_target(&name.name).map_err(|error| usage(&error))
}

fn usage(error: &Malformed) -> Box<Finding> {
    stopped(error.to_string(), Exit::Usage)
}

/// Why something was not done, and how to insist on it.
pub(super) fn failed(error: &MountError) -> Box<Finding> {
    let hint = match error {
        MountError::NotUsb { .. } => "; --any-disk, or any_disk in the configuration, accepts it",
        _ => "",
    };
    let problem = Finding::skip(format!("{}{hint}", chain(error)));
    let is_riddle = matches!(error, MountError::Ambivalent { .. });
    let look = look(error).filter(|_| is_riddle).map(Remedy::Look);
    Box::new(look.into_iter().fold(problem, Finding::remedy))
}
