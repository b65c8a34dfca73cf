//! What is wrong, why, and the command that repairs it: of a call that failed here, of the rest in the files below.

pub mod guests;

use proxmox_api::{Cause, Client, Denied, Error, Stage, Thing, TransportError};
use proxmox_types::params::StorageFilter;
use proxmox_types::{NodeName, StorageId, StorageStatus};

use crate::config::Config;
use crate::report::chain;
use crate::report::exit::Exit;
use crate::report::finding::{Finding, Remedy};
use guests::containers_path;

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

/// What a node says of one storage; nothing if the token may not see it.
pub async fn storage_of(
    client: &Client,
    node: &NodeName,
    storage: &StorageId,
) -> Result<Option<StorageStatus>, Error> {
    let filter = StorageFilter { storage: Some(storage.clone()), ..StorageFilter::default() };
    let rows = client.node(node).storages().with(filter).unless_unread(|_| true).await?;
    Ok(rows.into_iter().next())
}

/// The command that repairs it, or that shows what is in the way.
fn repair(config: &Config, error: &Error) -> Remedy {
    if let Some(command) = error.cause().and_then(command_for) {
        return Remedy::look(command.replace("{node}", config.node.as_str()));
    }
    match (error.cause(), error) {
        (Some(Cause::Gateway { .. }), _) => Remedy::fix("systemctl restart pvedaemon"),
        (Some(Cause::Outage { .. }), _) => Remedy::fix("systemctl restart pve-cluster"),
        (Some(Cause::Permission(denied)), _) => grant(config, denied).map_or_else(
            || Remedy::look(format!("pveum user permissions '{}'", config.token.id())),
            Remedy::Fix,
        ),
        (_, Error::Decode { .. }) => Remedy::look("pveversion && felhom-agent --version"),
        (_, Error::Transport { source: TransportError::NotSent { stage: Stage::Tls, reason }, .. }) => {
            of_handshake(reason)
        }
        (_, Error::Transport { source: TransportError::NotSent { stage: Stage::Connect, .. }, .. }) => {
            Remedy::fix("systemctl restart pveproxy")
        }
        (_, Error::Transport { .. }) => {
            Remedy::look(format!("systemctl status pveproxy && ping -c 3 {}", config.url.bare_host()))
        }
        (_, Error::TaskUnwatched { source, .. }) => repair(config, source),
        _ => Remedy::look(match error.upid() {
            Some(upid) => format!("pvesh get /nodes/{}/tasks/{upid}/log", upid.node()),
            None => "journalctl -u pveproxy -u pvedaemon --since -10min".into(),
        }),
    }
}

/// What shows why a handshake failed. One that breaks off, as when pveproxy restarts, says nothing of a certificate.
pub fn of_handshake(reason: &str) -> Remedy {
    let is_certificate = ["certificate", "signature"].iter().any(|word| reason.contains(word));
    Remedy::look(if is_certificate {
        "pvenode cert info"
    } else {
        "systemctl status pveproxy && journalctl -u pveproxy --since -10min"
    })
}

/// What shows what is in the way, by its cause.
fn command_for(cause: &Cause) -> Option<&'static str> {
    Some(match cause {
        Cause::Locked { .. } | Cause::LockTimeout | Cause::Unlisted => {
            "pvesh get /nodes/{node}/tasks --source active"
        }
        Cause::NoQuorum => "pvecm status",
        Cause::StorageUnavailable { .. }
        | Cause::NoSpace
        | Cause::NotFound { what: Thing::Storage | Thing::Volume, .. } => "pvesm status",
        Cause::NotFound { what: Thing::Pool, .. } => "pvesh get /pools",
        Cause::NotFound { what: Thing::Container, .. } | Cause::AlreadyRunning | Cause::NotRunning => {
            "pct list"
        }
        Cause::NotFound { what: Thing::Node, .. } => "pvesh get /nodes",
        _ => return None,
    })
}

/// Gives what is missing. A container gets its privileges from the pool, where one is configured.
fn grant(config: &Config, denied: &Denied) -> Option<String> {
    let token = config.token.id();
    let is_container = denied.path.as_deref().is_some_and(|path| path.starts_with("/vms/"));
    match (is_container, &config.pool) {
        (true, Some(_)) => denied.pveum_on(&containers_path(config), token),
        _ => denied.pveum(token),
    }
}

/// The server does not accept the token, so nothing more is asked.
fn refused(config: &Config, error: &Error) -> Finding {
    let (token, owner) = (config.token.id(), config.token.id().owner());
    let reason = refusal(error);
    let look = format!("pveum user token list '{owner}' && journalctl -u pveproxy --since -10min");
    Finding::fail(format!("the server refused {token}: {reason}"), Remedy::look(look))
        .because(
            "PVE does not tell an unknown token from a wrong secret, an expired token or a disabled user; \
             nothing else was asked, since every refusal takes 3 s",
        )
        .ending(Exit::Unchecked)
}

/// The server's word for it, wherever it was said.
fn refusal(error: &Error) -> &str {
    match error {
        Error::Unauthorized { reason, .. } => reason,
        Error::TaskUnwatched { source, .. } => refusal(source),
        _ => "",
    }
}
