//! Privileges, roles, tokens and pools of the simulated node.
//!
//! Source: pve-access-control `PVE/API2/AccessControl.pm`; recordings `lp-permissions*`, `get-access-*`, `get-pools*`.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;

use serde_json::{Map, Value, json};

use super::acl::{Held, Principal};
use super::answer::{Refusal, Reply};
use super::cluster::member;
use super::route::{Ask, Row};
use super::sentence;
use super::world::World;

pub(super) const HANDLERS: &[Row] = &[
    ("access.permissions", "GET /access/permissions", permissions),
    ("access.roles", "GET /access/roles", |world, _| {
        let rows = world.acl.roles.iter().map(|(role, privileges)| {
            json!({ "roleid": role, "privs": privileges.join(","), "special": u8::from(!role.starts_with("Felhom")) })
        });
        Ok(Value::Array(rows.collect()).into())
    }),
    ("access.token", "GET /access/users/{userid}/token/{tokenid}", |world, ask| {
        let (user, name) = (ask.variable("userid"), ask.variable("tokenid"));
        let token = world.acl.tokens.get(&format!("{user}!{name}"));
        let missing = || Refusal::die(sentence::NO_TOKEN.of(&[&name, &user]));
        let token = token.ok_or_else(missing)?;
        Ok(json!({ "privsep": u8::from(token.privsep), "expire": token.expire }).into())
    }),
    ("pool.list", "GET /pools", pools),
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

/// The pools that the token may audit, or the one that was asked for, which everybody may see.
fn pools(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    if let Some(wanted) = ask.get("poolid") {
        let comment = world.pools.get(wanted);
        let comment = comment.ok_or_else(|| Refusal::die(sentence::NO_POOL.of(&[&wanted])))?;
        let members = world.containers.iter().filter(|(_, ct)| ct.pool.as_deref() == Some(wanted));
        let members: Value = members.filter_map(|(vmid, _)| member(world, *vmid)).collect();
        return Ok(json!([{ "poolid": wanted, "comment": comment, "members": members }]).into());
    }
    let sees = |pool: &str| world.has(ask.principal, &format!("/pool/{pool}"), &["Pool.Audit"], false);
    let pools = world.pools.iter().filter(|(pool, _)| sees(pool));
    let rows = pools.map(|(pool, comment)| json!({ "poolid": pool, "comment": comment }));
    Ok(Value::Array(rows.collect()).into())
}
