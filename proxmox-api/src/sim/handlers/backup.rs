//! Backups of simulated containers.
//!
//! Source: pve-manager `PVE/API2/VZDump.pm`, `PVE/VZDump.pm`; recordings `vzdump-*`, `golden-*`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::Value;

use super::storage::check_access;
use crate::sim::answer::{Refusal, Said, die_if, said};
use crate::sim::ask::{Ask, Handled, Route};
use crate::sim::container::{Options, VolumeState};
use crate::sim::world::{Log, NODE, World};

pub(super) const HANDLERS: &[Route] = &[
    ("backup.create", "POST /nodes/{node}/vzdump", create),
    ("backup.extract_config", "GET /nodes/{node}/vzdump/extractconfig", |world, ask| {
        let volume = ask.text("volume");
        let (storage, name) = volume.split_once(':').unwrap_or_default();
        check_access(world, ask, volume)?;
        let is_backup = name.starts_with("backup/");
        die_if(!is_backup, said!("unable to use volume {volume} - content type needs to be 'backup'"))?;
        world.storage(storage)?;
        let backup = world.volume(volume).ok_or_else(|| said!("volume '{volume}' does not exist"))?;
        Ok(config_text(&backup.config).into())
    }),
];

/// What a backup job was told.
#[derive(Clone)]
struct BackupJob {
    guests: Vec<u32>,
    storage: String,
    compress: String,
    mode: String,
    notes: String,
    is_protected: bool,
}

fn create(world: &mut World, ask: &Ask<'_>) -> Handled {
    if ask.flag("stop") {
        world.require(ask.principal, &format!("/nodes/{NODE}"), "Sys.Modify")?;
    }
    if ["bwlimit", "ionice", "performance"].into_iter().any(|name| ask.get(name).is_some()) {
        world.require(ask.principal, "/", "Sys.Modify")?;
    }
    let named: Vec<u32> = ask.list("vmid").into_iter().filter_map(|vmid| vmid.parse().ok()).collect();
    let everything = ask.flag("all") || ask.get("pool").is_some() || ask.get("exclude").is_some();
    if named.is_empty() && !everything && !ask.flag("stop") {
        return Err(Refusal::parameter("vmid", &said!("property is missing")));
    }
    let job = BackupJob {
        guests: if everything { every_guest(world, ask) } else { named },
        storage: ask.get("storage").unwrap_or("local").into(),
        compress: ask.text("compress").into(),
        mode: ask.get("mode").unwrap_or("snapshot").into(),
        notes: ask.text("notes-template").into(),
        is_protected: ask.flag("protected"),
    };
    world.require_on(ask, &job.storage, "Datastore.AllocateSpace")?;
    if ask.get("prune-backups").is_some() {
        world.require_on(ask, &job.storage, "Datastore.Allocate")?;
    }
    if job.guests.is_empty() && !everything {
        return Ok("OK".into());
    }
    let id = match job.guests.as_slice() {
        [one] => one.to_string(),
        _ => String::new(),
    };
    let later = job.clone();
    let begin = |world: &mut World, log: &mut Log| job.begin(world, log, ask);
    let upid = world.spawn("vzdump", id, ask.principal, begin, move |world, log| later.finish(world, log));
    Ok(upid.into())
}

/// With `all`, guests without VM.Backup are left out silently.
fn every_guest(world: &World, ask: &Ask<'_>) -> Vec<u32> {
    let excluded = ask.list("exclude");
    let chosen = world.containers.iter().filter(|(vmid, container)| {
        world.has(ask.principal, &format!("/vms/{vmid}"), "VM.Backup")
            && ask.get("pool").is_none_or(|pool| container.pool.as_deref() == Some(pool))
            && !excluded.contains(&vmid.to_string().as_str())
    });
    chosen.map(|(vmid, _)| *vmid).collect()
}

impl BackupJob {
    fn begin(&self, world: &mut World, log: &mut Log, ask: &Ask<'_>) -> Result<(), Refusal> {
        let (storage, guests) = (&self.storage, self.guests.iter().map(ToString::to_string));
        let guests = guests.collect::<Vec<_>>().join(" ");
        log.line(said!("INFO: starting new backup job: vzdump {guests} --storage {storage}"));
        if let Err(Refusal { message, .. }) = world.storage(storage) {
            return Err(said!("could not activate storage '{storage}': {message}").into());
        }
        for vmid in &self.guests {
            world.require(ask.principal, &format!("/vms/{vmid}"), "VM.Backup")?;
        }
        for vmid in &self.guests {
            if let Ok(container) = world.unlocked(*vmid) {
                container.set_lock(Some("backup"));
            }
        }
        Ok(())
    }

    fn finish(&self, world: &mut World, log: &mut Log) -> Result<(), Refusal> {
        let failures = self.guests.iter().filter(|vmid| match self.back_up(world, log, **vmid) {
            Err(reason) => {
                log.line(said!("ERROR: Backup of VM {vmid} failed - {reason}"));
                true
            }
            Ok(()) => false,
        });
        if failures.count() > 0 {
            log.line(said!("INFO: Backup job finished with errors"));
            return Err(said!("job errors").into());
        }
        log.line(said!("INFO: Backup job finished successfully"));
        Ok(())
    }

    fn back_up(&self, world: &mut World, log: &mut Log, vmid: u32) -> Result<(), Said> {
        let (time, can_snapshot) = (world.time(), world.can_snapshot(vmid));
        let missing = || said!("unable to find VM '{vmid}'");
        let container = world.containers.get_mut(&vmid).ok_or_else(missing)?;
        let lock = container.lock().unwrap_or_default();
        if lock != "backup" {
            return Err(said!("CT is locked ({lock})"));
        }
        container.set_lock(None);
        let mode = match (container.is_running, self.mode.as_str()) {
            (false, _) => "stop",
            (true, "snapshot") if !can_snapshot => "suspend",
            (true, mode) => mode,
        };
        let ending = self.ending();
        let name = format!("vzdump-lxc-{vmid}-{}.tar{ending}", stamp(time));
        write_log(log, vmid, time, mode, &name);
        let notes = self.notes.replace("{{guestname}}", &container.name(vmid)).replace("{{node}}", NODE);
        let volume = VolumeState {
            content: "backup",
            format: format!("tar{ending}"),
            size: 1_414_353,
            time,
            vmid: Some(vmid),
            notes: notes.replace("{{vmid}}", &vmid.to_string()),
            is_protected: self.is_protected,
            config: container.options.clone(),
        };
        world.put(&self.storage, &format!("backup/{name}"), volume);
        Ok(())
    }

    /// What follows `.tar` in the name of the archive.
    fn ending(&self) -> &'static str {
        match self.compress.as_str() {
            "zstd" => ".zst",
            "gzip" => ".gz",
            "lzo" | "1" => ".lzo",
            _ => "",
        }
    }
}

fn write_log(log: &mut Log, vmid: u32, time: u64, mode: &str, name: &str) {
    let at = log_time(time);
    for line in [
        said!("INFO: Starting Backup of VM {vmid} (lxc)"),
        said!("INFO: Backup started at {at}"),
        said!("INFO: backup mode: {mode}"),
        said!("INFO: creating vzdump archive '/var/lib/vz/dump/{name}'"),
        said!("INFO: Finished Backup of VM {vmid} (00:00:00)"),
    ] {
        log.line(line);
    }
}

/// The lines of a configuration file, as they lie in a backup.
fn config_text(options: &Options) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToString::to_string);
    let lines: Vec<String> =
        options.iter().map(|(option, value)| format!("{option}: {}\n", text(value))).collect();
    lines.concat()
}
/// `2026_11_24-05_49_15` of seconds since 1970, in UTC.
fn stamp(time: u64) -> String {
    let (year, month, day) = civil(time / 86_400);
    let (hour, minute, second) = (time / 3600 % 24, time / 60 % 60, time % 60);
    format!("{year:04}_{month:02}_{day:02}-{hour:02}_{minute:02}_{second:02}")
}

/// `2026-11-24 05:49:15` of seconds since 1970, in UTC.
fn log_time(time: u64) -> String {
    let stamp = stamp(time);
    let (date, clock) = stamp.split_once('-').unwrap_or_default();
    format!("{} {}", date.replace('_', "-"), clock.replace('_', ":"))
}

/// Year, month and day of a number of days since 1970, counted month by month.
fn civil(mut days: u64) -> (u64, u64, u64) {
    let mut year = 1970;
    loop {
        let leap = u64::from(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
        let months = [31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        for (month, length) in (1..).zip(months) {
            if days < length {
                return (year, month, days + 1);
            }
            days -= length;
        }
        year += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_vzdump_writes_them() {
        assert_eq!(
            (stamp(1_795_499_355), log_time(1_795_499_355)),
            ("2026_11_24-05_49_15".into(), "2026-11-24 05:49:15".into())
        );
    }
}
