//! Checks of what the token may do.

use std::collections::BTreeMap;

use proxmox_api::Error;
use proxmox_api::grant::{AGENT, AgentRole, NET, NODE, STORE, acl_line, role_line};
use proxmox_types::Permissions;
use proxmox_types::params::PermissionFilter;
use serde_json::json;
use tokio::task::JoinSet;

use crate::config::Config;
use crate::diagnosis::guests::containers_path;
use crate::report::finding::{Claim, Finding, Found};
use crate::selftest::{Check, Look, Ready};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        Claim::new(
            "perm.need",
            "the token has every privilege that the agent needs",
            "GET /access/permissions",
        )
        .needs(&["node.exists"]),
        Look::Api(|ready| Box::pin(need(ready))),
    ),
    Check::new(
        Claim::new(
            "perm.excess",
            "the token has no privilege that the agent must not have",
            "GET /access/permissions",
        )
        .needs(&["auth.token"]),
        Look::Api(|ready| Box::pin(excess(ready))),
    ),
];

/// Privileges with which the agent could do more than look after containers.
const FORBIDDEN: [&str; 9] = [
    "Permissions.Modify",
    "Sys.Modify",
    "Sys.Console",
    "Sys.PowerMgmt",
    "Realm.Allocate",
    "Realm.AllocateUser",
    "User.Modify",
    "Group.Allocate",
    "VM.Console",
];

/// The paths that the configuration names, each with the role that is needed there.
fn needed(config: &Config) -> Vec<(String, AgentRole)> {
    let storages = config.storages.iter().map(|storage| (format!("/storage/{storage}"), STORE));
    let bridges = config.bridges.iter().map(|bridge| (format!("/sdn/zones/localnetwork/{bridge}"), NET));
    let mut paths = vec![(containers_path(config), AGENT), (format!("/nodes/{}", config.node), NODE)];
    paths.extend(storages.chain(bridges));
    paths
}

async fn need(ready: Ready<'_>) -> Found<Vec<Finding>> {
    compare(ready).await.map_err(|error| ready.failed(&error))
}

/// What the token has on one path.
type OnPath = (String, AgentRole, Permissions);

/// Asks for all paths at once; the transport keeps three requests in flight.
async fn on_paths(ready: Ready<'_>) -> Result<Vec<OnPath>, Error> {
    let mut asking = JoinSet::new();
    for (index, (path, role)) in needed(ready.config).into_iter().enumerate() {
        let client = ready.client.clone();
        asking.spawn(async move {
            let filter = PermissionFilter { userid: None, path: Some(path.clone()) };
            let permissions = client.access().permissions().with(filter).await;
            (index, permissions.map(|permissions| (path, role, permissions)))
        });
    }
    let mut answers = Vec::new();
    while let Some(answer) = asking.join_next().await {
        // Dropping the set gives up on the others: they would fail alike.
        answers
            .extend(answer.ok().map(|(index, on_path)| on_path.map(|on_path| (index, on_path))).transpose()?);
    }
    answers.sort_by_key(|(index, _)| *index);
    Ok(answers.into_iter().map(|(_, on_path)| on_path).collect())
}

async fn compare(ready: Ready<'_>) -> Result<Vec<Finding>, Error> {
    let config = ready.config;
    let (mut failures, mut held, mut roles) = (Vec::new(), 0, None);
    let on_paths = on_paths(ready).await?;
    for (path, role, permissions) in &on_paths {
        let (has, lacks): (Vec<&str>, Vec<&str>) =
            role.privileges.iter().partition(|privilege| permissions.holds(path, privilege));
        held += has.len();
        if lacks.is_empty() {
            continue;
        }
        if roles.is_none() {
            let listed = ready.client.access().roles().await?.into_iter();
            roles = Some(listed.map(|role| (role.roleid, role.privs.0)).collect());
        }
        let fix = repair(config, path, *role, roles.as_ref());
        failures.extend(lacks.into_iter().map(|privilege| missing(path, privilege, &fix)));
    }
    if failures.is_empty() {
        let paths = on_paths.len();
        return Ok(vec![Finding::ok(format!("all {held} privileges are held, on {paths} paths"))]);
    }
    Ok(failures)
}

fn missing(path: &str, privilege: &str, fix: &str) -> Finding {
    Finding::fail(format!("{path}: {privilege} is missing"), fix)
        .about(format!("{path} {privilege}"))
        .because("a separated token has only what both it and its user have, so both need the entry")
        .with(json!({ "path": path, "privilege": privilege }))
}

/// The privileges of the server's roles.
type Roles = BTreeMap<String, Vec<String>>;

/// The commands that make or complete the role, if need be, and grant it.
fn repair(config: &Config, path: &str, role: AgentRole, roles: Option<&Roles>) -> String {
    let grant = acl_line(path, role.name, config.token.id());
    let has = roles.and_then(|roles| roles.get(role.name)).map_or(&[][..], Vec::as_slice);
    let is_lacking = |name: &&&str| !has.iter().any(|held| held == **name);
    let lacking: Vec<&str> = role.privileges.iter().filter(is_lacking).copied().collect();
    if lacking.is_empty() { grant } else { format!("{} && {grant}", role_line(role.name, &lacking)) }
}

/// Most paths that are told by name.
const MOST: usize = 3;

/// The paths without those below another of them, and the containers among them as one: a right on a pool shows on
/// each of its members.
fn folded(paths: &[&str]) -> Vec<String> {
    let is_inside = |path: &str, other: &str| {
        path.strip_prefix(other.trim_end_matches('/'))
            .is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
    };
    let outermost = paths.iter().filter(|path| !paths.iter().any(|other| is_inside(path, other)));
    let (guests, rest): (Vec<&str>, Vec<&str>) =
        outermost.copied().partition(|path| path.starts_with("/vms/"));
    let mut told: Vec<String> = rest.iter().take(MOST).map(ToString::to_string).collect();
    let more = rest.len() - told.len();
    told.extend((more > 0).then(|| format!("{more} more paths")));
    told.extend(match guests.as_slice() {
        [] => None,
        [one] => Some((*one).into()),
        [first, .., last] => Some(format!("{} guests, {first} to {last}", guests.len())),
    });
    told
}

async fn excess(ready: Ready<'_>) -> Found<Vec<Finding>> {
    let config = ready.config;
    let permissions = ready.client.access().permissions().await;
    let permissions = permissions.map_err(|error| ready.failed(&error))?;
    let mut held: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in permissions.paths() {
        for privilege in permissions.privileges(path).filter(|privilege| FORBIDDEN.contains(privilege)) {
            held.entry(privilege).or_default().push(path);
        }
    }
    if held.is_empty() {
        return Ok(vec![Finding::ok("no privilege that the agent must not have")]);
    }
    let list = format!("pveum acl list && pveum user permissions '{}'", config.token.id());
    let warn = |(privilege, paths): (&str, Vec<&str>)| {
        Finding::warn(format!("{privilege} on {}", folded(&paths).join(", ")))
            .about(privilege)
            .because("whoever takes over the agent can do more than look after containers")
            .look(list.clone())
            .with(json!({ "privilege": privilege, "paths": paths }))
    };
    Ok(held.into_iter().map(warn).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_folded() {
        let many: Vec<String> = (100..1100).map(|vmid| format!("/vms/{vmid}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let cases: [(&[&str], &[&str]); 8] = [
            (&["/"], &["/"]),
            (&["/", "/access", "/vms/100", "/storage/local"], &["/"]),
            (&["/vms", "/vms/100", "/vms/101"], &["/vms"]),
            (&["/vms/100"], &["/vms/100"]),
            (&many, &["1000 guests, /vms/100 to /vms/1099"]),
            (&["/pool/felhom", "/vms/100", "/vms/101"], &["/pool/felhom", "2 guests, /vms/100 to /vms/101"]),
            (&["/pool/a", "/pool/ab"], &["/pool/a", "/pool/ab"]),
            (
                &["/nodes/a", "/nodes/b", "/nodes/c", "/nodes/d", "/nodes/e"],
                &["/nodes/a", "/nodes/b", "/nodes/c", "2 more paths"],
            ),
        ];
        for (paths, expected) in cases {
            assert_eq!(folded(paths), expected);
        }
    }
}
