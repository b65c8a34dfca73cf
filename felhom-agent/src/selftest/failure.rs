//! What is said of a call that failed.

use proxmox_api::{Cause, Denied, Error};
use proxmox_types::{Lock, Vmid};

use super::check::Finding;
use crate::chain::chain;
use crate::config::Config;
use crate::exit::Exit;

/// What a check says that its call failed: with the grant if a privilege is missing, else with where to look.
pub fn call_failed(config: &Config, error: &Error) -> Finding {
    if error.is_unauthorized() {
        return refused(config, error);
    }
    let mut detail = Vec::new();
    if let Error::TaskFailed { log_tail, .. } = error {
        detail.extend(log_tail.iter().map(String::as_str));
    }
    let mut finding = Finding::fail(chain(error), repair(config, error));
    if !detail.is_empty() {
        finding = finding.because(detail.join("\n"));
    }
    match error {
        Error::Transport { .. } => finding.ending(Exit::Unchecked),
        Error::TaskUnwatched { source, .. } if matches!(**source, Error::Transport { .. }) => {
            finding.ending(Exit::Unchecked)
        }
        _ => finding,
    }
}

fn repair(config: &Config, error: &Error) -> String {
    let token = config.token.id();
    match (error.cause(), error) {
        (Some(Cause::Permission(denied)), _) => {
            grant(config, denied).unwrap_or_else(|| format!("pveum user permissions '{token}'"))
        }
        (Some(Cause::Gateway { .. }), _) => {
            "systemctl restart pvedaemon && systemctl status pvedaemon".into()
        }
        (_, Error::Decode { .. }) => "pveversion && felhom-agent --version".into(),
        _ => match error.upid() {
            Some(upid) => format!("pvesh get /nodes/{}/tasks/{upid}/log", upid.node()),
            None => "journalctl -u pveproxy -u pvedaemon --since -10min".into(),
        },
    }
}

/// Gives what is missing. A container gets its privileges from the pool, where one is configured.
fn grant(config: &Config, denied: &Denied) -> Option<String> {
    let token = config.token.id();
    let vmid = denied.path.as_deref().and_then(|path| path.strip_prefix("/vms/"));
    match (vmid, &config.pool) {
        // Who cannot even see it has it outside of the pool.
        (Some(vmid), Some(pool)) if denied.privileges.iter().any(|name| name == "VM.Audit") => {
            Some(format!("pveum pool modify {pool} --vms {vmid}"))
        }
        (Some(_), Some(pool)) => denied.pveum_on(&format!("/pool/{pool}"), token),
        _ => denied.pveum(token),
    }
}

/// The server does not accept the token, so nothing more is asked.
fn refused(config: &Config, error: &Error) -> Finding {
    let (token, owner) = (config.token.id(), config.token.id().owner());
    let reason = match error {
        Error::Unauthorized { reason, .. } => reason.to_string(),
        other => other.to_string(),
    };
    let fix = format!("pveum user token list '{owner}' && journalctl -u pveproxy --since -10min");
    Finding::fail(format!("the server refused {token}: {reason}"), fix)
        .because(
            "PVE does not tell an unknown token from a wrong secret, an expired token or a disabled user; \
             nothing else was asked, since every refusal takes 3 s",
        )
        .ending(Exit::Unchecked)
        .halting()
}

/// Commands that take a lock away; every other lock is taken away by `pct unlock`.
const UNLOCK: [(Lock, &str); 1] = [(Lock::Mounted, "pct unmount")];

/// The command that takes a lock from a container that no task works on.
pub fn unlock(vmid: Vmid, lock: &Lock) -> String {
    let command = UNLOCK.iter().find(|(known, _)| known == lock).map_or("pct unlock", |(_, command)| command);
    format!("{command} {vmid}")
}
