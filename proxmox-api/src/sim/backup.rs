//! Backups of simulated containers.
//!
//! Source: pve-manager `PVE/API2/VZDump.pm`, `PVE/VZDump.pm`; recordings `vzdump-*`, `golden-*`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Value, json};

use super::answer::{Principal, Refusal, Reply};
use super::ask::{Ask, Row};
use super::container::{Options, Volume};
use super::sentence::{self, Said};
use super::storage::check_access;
use super::world::{Log, World};

pub(super) const HANDLERS: &[Row] = &[
    ("backup.create", "POST /nodes/{node}/vzdump", create),
    ("backup.defaults", "GET /nodes/{node}/vzdump/defaults", |world, ask| {
        let storage = ask.get("storage").unwrap_or("local");
        let path = format!("/storage/{storage}");
        world.require(ask.principal, &path, &["Datastore.Audit", "Datastore.AllocateSpace"], true)?;
        Ok(json!({
            "bwlimit": 0, "compress": "0", "notification-mode": "auto", "pigz": 0, "stdexcludes": 1, "zstd": 1,
            "remove": 1, "stopwait": 10, "dumpdir": "/var/lib/vz/dump", "mailnotification": "always", "stop": 0,
            "performance": { "max-workers": 16, "pbs-entries-max": 1_048_576 }, "storage": storage, "lockwait": 180,
            "fleecing": { "enabled": 0 }, "prune-backups": "keep-all=1", "ionice": 7, "quiet": 0, "all": 0,
            "mode": "snapshot",
        })
        .into())
    }),
    ("backup.extract_config", "GET /nodes/{node}/vzdump/extractconfig", |world, ask| {
        let volume = ask.get("volume").unwrap_or_default();
        let (storage, name) = volume.split_once(':').unwrap_or_default();
        check_access(world, ask, storage, name)?;
        if !name.starts_with("backup/") {
            return Err(Refusal::die(sentence::NOT_A_BACKUP.of(&[&volume])));
        }
        let backup = world.storage(storage)?.volumes.get(name);
        let backup = backup.ok_or_else(|| Refusal::die(sentence::NO_VOLUME.of(&[&volume])))?;
        Ok(Value::from(config_text(&backup.config)).into())
    }),
];

/// What a backup job was told.
#[derive(Clone)]
struct Order {
    storage: String,
    compress: String,
    mode: String,
    notes: Option<String>,
    is_protected: bool,
}

fn create(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    if ask.flag("stop") {
        world.require(ask.principal, &format!("/nodes/{}", world.node), &["Sys.Modify"], false)?;
    }
    if ["bwlimit", "ionice", "performance"].into_iter().any(|name| ask.get(name).is_some()) {
        world.require(ask.principal, "/", &["Sys.Modify"], false)?;
    }
    let vmids: Vec<u32> = ask.list("vmid").into_iter().filter_map(|vmid| vmid.parse().ok()).collect();
    let everything = ask.flag("all") || ask.get("pool").is_some() || ask.get("exclude").is_some();
    if vmids.is_empty() && !everything && !ask.flag("stop") {
        return Err(Refusal::parameter("vmid", sentence::NO_GUEST));
    }
    let order = Order {
        storage: ask.get("storage").unwrap_or("local").into(),
        compress: ask.get("compress").unwrap_or("0").into(),
        mode: ask.get("mode").unwrap_or("snapshot").into(),
        notes: ask.get("notes-template").map(ToString::to_string),
        is_protected: ask.flag("protected"),
    };
    let path = format!("/storage/{}", order.storage);
    world.require(ask.principal, &path, &["Datastore.AllocateSpace"], false)?;
    if ask.get("prune-backups").is_some() {
        world.require(ask.principal, &path, &["Datastore.Allocate"], false)?;
    }
    if vmids.is_empty() && !everything {
        return Ok(Value::from("OK").into());
    }
    let chosen = if everything { every_guest(world, ask) } else { vmids };
    let id = match chosen.as_slice() {
        [one] => one.to_string(),
        _ => String::new(),
    };
    let (principal, guests, job) = (ask.principal.clone(), chosen.clone(), order.clone());
    let upid = world.spawn(
        "vzdump",
        &id,
        ask.principal,
        move |world, log| begin(world, log, &principal, &guests, &job),
        move |world, log| finish(world, log, &chosen, &order),
    );
    Ok(Value::from(upid).into())
}

/// With `all`, guests without VM.Backup are left out silently.
fn every_guest(world: &World, ask: &Ask<'_>) -> Vec<u32> {
    let excluded = ask.list("exclude");
    let may = |vmid: &u32| world.has(ask.principal, &format!("/vms/{vmid}"), &["VM.Backup"], false);
    let in_pool = |vmid: &u32| {
        ask.get("pool")
            .is_none_or(|pool| world.containers.get(vmid).is_some_and(|ct| ct.pool.as_deref() == Some(pool)))
    };
    let chosen = world.containers.keys().copied();
    chosen
        .filter(|vmid| may(vmid) && in_pool(vmid) && !excluded.contains(&vmid.to_string().as_str()))
        .collect()
}

fn begin(
    world: &mut World,
    log: &mut Log,
    principal: &Principal,
    guests: &[u32],
    order: &Order,
) -> Result<(), Refusal> {
    let listed: Vec<String> = guests.iter().map(ToString::to_string).collect();
    log.line(sentence::BACKUP_JOB.of(&[&listed.join(" "), &order.storage]));
    world
        .storage(&order.storage)
        .map_err(|refusal| Refusal::die(sentence::NOT_ACTIVATED.of(&[&order.storage, refusal.message()])))?;
    for vmid in guests {
        world.require(principal, &format!("/vms/{vmid}"), &["VM.Backup"], false)?;
    }
    for vmid in guests {
        if let Some(container) = world.containers.get_mut(vmid).filter(|container| container.lock().is_none())
        {
            container.set_lock(Some("backup"));
        }
    }
    Ok(())
}

fn finish(world: &mut World, log: &mut Log, guests: &[u32], order: &Order) -> Result<(), Refusal> {
    let mut failed = false;
    for vmid in guests {
        if let Err(reason) = back_up(world, log, *vmid, order) {
            log.line(sentence::BACKUP_FAILED.of(&[vmid, &reason]));
            failed = true;
        }
    }
    if failed {
        log.line(sentence::BACKUPS_FAILED);
        return Err(Refusal::die(sentence::JOB_ERRORS));
    }
    log.line(sentence::BACKUPS_DONE);
    Ok(())
}

fn back_up(world: &mut World, log: &mut Log, vmid: u32, order: &Order) -> Result<(), Said> {
    let (time, node) = (world.time(), world.node.clone());
    let missing = || sentence::NO_GUEST_OF.of(&[&vmid]);
    let can_snapshot = world.containers.get(&vmid).is_some_and(|container| world.can_snapshot(container));
    let container = world.containers.get_mut(&vmid).ok_or_else(missing)?;
    if container.lock() != Some("backup") {
        return Err(sentence::LOCKED.of(&[&container.lock().unwrap_or_default()]));
    }
    container.set_lock(None);
    let mode = match (container.is_running, order.mode.as_str()) {
        (false, _) => "stop",
        (true, "snapshot") if !can_snapshot => "suspend",
        (true, mode) => mode,
    };
    let ending = order.ending();
    let name = format!("vzdump-lxc-{vmid}-{}.tar{ending}", stamp(time));
    write_log(log, vmid, time, mode, &name);
    let volume = Volume {
        content: "backup",
        format: format!("tar{ending}"),
        size: 1_414_353,
        time,
        vmid: Some(vmid),
        notes: order.notes(&node, vmid, &container.name(vmid)),
        is_protected: order.is_protected,
        config: container.options.clone(),
        is_truncated: false,
    };
    let storage = world.storages.get_mut(&order.storage).ok_or_else(missing)?;
    storage.volumes.insert(format!("backup/{name}"), volume);
    Ok(())
}

impl Order {
    /// What follows `.tar` in the name of the archive.
    fn ending(&self) -> &'static str {
        match self.compress.as_str() {
            "zstd" => ".zst",
            "gzip" => ".gz",
            "lzo" | "1" => ".lzo",
            _ => "",
        }
    }

    fn notes(&self, node: &str, vmid: u32, name: &str) -> String {
        let template = self.notes.as_deref().unwrap_or_default();
        let named = template.replace("{{guestname}}", name).replace("{{node}}", node);
        named.replace("{{vmid}}", &vmid.to_string())
    }
}

fn write_log(log: &mut Log, vmid: u32, time: u64, mode: &str, name: &str) {
    for line in [
        sentence::BACKUP_OF.of(&[&vmid]),
        sentence::BACKUP_AT.of(&[&log_time(time)]),
        sentence::BACKUP_MODE.of(&[&mode]),
        sentence::BACKUP_FILE.of(&[&name]),
        sentence::BACKUP_DONE.of(&[&vmid, &"00:00:00"]),
    ] {
        log.line(line);
    }
}

/// The lines of a configuration file, as they lie in a backup.
pub(super) fn config_text(options: &Options) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToString::to_string);
    let lines: Vec<String> =
        options.iter().map(|(option, value)| format!("{option}: {}\n", text(value))).collect();
    lines.concat()
}

/// `2026_11_24-05_49_15` of seconds since 1970, in UTC.
pub(super) fn stamp(time: u64) -> String {
    let (year, month, day) = civil(time / 86_400);
    let (hour, minute, second) = (time / 3600 % 24, time / 60 % 60, time % 60);
    format!("{year:04}_{month:02}_{day:02}-{hour:02}_{minute:02}_{second:02}")
}

/// `2026-11-24 05:49:15` of seconds since 1970, in UTC.
pub(super) fn log_time(time: u64) -> String {
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
