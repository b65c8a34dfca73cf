//! Privileges, roles, tokens and pools of the simulated node.
//!
//! Source: pve-access-control `PVE/API2/AccessControl.pm`; recordings `lp-permissions*`, `get-access-*`, `get-pools*`.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;

use serde_json::{Map, Value, json};

use super::acl::{Held, Principal};
use super::answer::{Refusal, Reply, set};
use super::cluster::member;
use super::route::{Ask, Handler};
use super::world::World;

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("access.permissions", permissions),
    ("access.roles", |world, _| {
        let rows = world.acl.roles.iter().map(|(role, privileges)| {
            json!({ "roleid": role, "privs": privileges.join(","), "special": u8::from(!role.starts_with("Felhom")) })
        });
        Ok(Value::Array(rows.collect()).into())
    }),
    ("access.token", |world, ask| {
        let (user, name) = (ask.variable("userid"), ask.variable("tokenid"));
        let token = world.acl.tokens.get(&format!("{user}!{name}"));
        let missing = || Refusal::die(format!("no such token '{name}' for user '{user}'"));
        let token = token.ok_or_else(missing)?;
        Ok(json!({ "privsep": u8::from(token.privsep), "expire": token.expire }).into())
    }),
    ("pool.list", pools),
];

fn permissions(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let principal = match ask.get("userid") {
        Some(other) if other != ask.principal.as_str() => {
            world.require(ask.principal, "/access", &["Sys.Audit"], false)?;
            Principal::token(other)
        }
        _ => ask.principal.clone(),
    };
    if let Some(path) = ask.get("path") {
        let held = json_of(&world.held(&principal, path));
        return Ok(json!({ path: held }).into());
    }
    let mut paths: BTreeSet<String> = world.acl.entries.iter().map(|entry| entry.path.clone()).collect();
    let pooled = world.containers.iter().filter(|(_, container)| container.pool.is_some());
    paths.extend(pooled.map(|(vmid, _)| format!("/vms/{vmid}")));
    paths.extend(["/", "/access", "/nodes", "/storage", "/vms"].map(Into::into));
    let held = paths.into_iter().map(|path| (path.clone(), world.held(&principal, &path)));
    let shown: Map<String, Value> =
        held.filter(|(_, held)| !held.is_empty()).map(|(path, held)| (path, json_of(&held))).collect();
    Ok(Value::Object(shown).into())
}

fn json_of(held: &Held) -> Value {
    Value::Object(
        held.iter().map(|(name, propagates)| (name.clone(), u8::from(*propagates).into())).collect(),
    )
}

/// One pool is shown to everybody, recordings `pools-poolid-missing`, `pools-poolid-without-audit`.
fn pools(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let wanted = ask.get("poolid");
    if let Some(missing) = wanted.filter(|wanted| !world.pools.contains_key(*wanted)) {
        return Err(Refusal::die(format!("pool '{missing}' does not exist")));
    }
    let is_shown = |pool: &str| match wanted {
        Some(wanted) => wanted == pool,
        None => world.has(ask.principal, &format!("/pool/{pool}"), &["Pool.Audit"], false),
    };
    let rows = world.pools.iter().filter(|(pool, _)| is_shown(pool)).map(|(pool, comment)| {
        let mut row = json!({ "poolid": pool, "comment": comment });
        if wanted.is_some() {
            let members = world.containers.iter().filter(|(_, ct)| ct.pool.as_ref() == Some(pool));
            set(&mut row, "members", members.filter_map(|(vmid, _)| member(world, *vmid)).collect::<Value>());
        }
        row
    });
    Ok(Value::Array(rows.collect()).into())
}
