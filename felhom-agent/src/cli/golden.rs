//! The command `golden create`: makes the container that customers' containers are restored from.

use std::sync::Arc;

use clap::{Args, Subcommand};
use proxmox_api::{Cause, Client, Error, Thing};
use proxmox_privileged::argument::{Cores, Hostname, MemoryMib, RootfsGib, TemplateVolume};
use proxmox_privileged::golden::{GoldenLeftover, GoldenSpec, create_golden_lxc};
use proxmox_types::params::ContentFilter;
use proxmox_types::{Bridge, ContentType, NodeName, StorageId, Vmid};
use serde_json::json;

use super::output::{Common, Printed, stopped};
use super::session::{self, Session};
use crate::config::{Config, Environment};
use crate::diagnosis::{call_failed, storage_of};
use crate::host::preview::Preview;
use crate::process::interrupt::Interrupt;
use crate::report::chain;
use crate::report::exit::Exit;
use crate::report::finding::{Finding, Found};
use crate::wiring;

/// What is done with golden containers.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum GoldenVerb {
    /// Creates one with `keyctl=1`, which the API refuses to every token; needs root or the sudo rule
    Create(GoldenArguments),
}

/// What the container shall be.
#[derive(Clone, Debug, Args)]
pub(super) struct GoldenArguments {
    /// Its number, which must be free on the whole cluster
    #[arg(long)]
    vmid: Vmid,
    /// The template to unpack: `local:vztmpl/...`
    #[arg(long, value_name = "VOLUME")]
    template: TemplateVolume,
    /// The storage for its root file system
    #[arg(long)]
    storage: StorageId,
    /// The size of its root file system in GiB
    #[arg(long, value_name = "GIB", default_value = "8")]
    rootfs: RootfsGib,
    /// Number of cores
    #[arg(long, default_value = "1")]
    cores: Cores,
    /// Memory in MiB
    #[arg(long, value_name = "MIB", default_value = "512")]
    memory: MemoryMib,
    /// Its name
    #[arg(long, value_name = "NAME", default_value = "golden")]
    hostname: Hostname,
    /// The bridge that its network card joins
    #[arg(long, default_value = "vmbr0")]
    bridge: Bridge,
    /// Checks everything, shows the command, and creates nothing
    #[arg(long)]
    dry_run: bool,
}

impl GoldenArguments {
    fn spec(&self) -> GoldenSpec {
        let Self { vmid, template, storage, rootfs, cores, memory, hostname, bridge, .. } = self.clone();
        GoldenSpec { vmid, template, storage, rootfs, cores, memory, hostname, bridge }
    }
}

pub(super) fn run(common: &Common, verb: &GoldenVerb, environment: &Environment) -> Exit {
    let GoldenVerb::Create(arguments) = verb;
    session::run(common, environment, session::whole, async |session| create(arguments, &session).await)
}

/// Creates the container, or shows how it would be.
async fn create(arguments: &GoldenArguments, session: &Session<Config>) -> Found<Printed> {
    let (config, runner) = (&session.config, &session.runner);
    let connection = wiring::connect(config)?;
    let spec = arguments.spec();
    let against = preflight(&connection.client, &config.node, &spec).await;
    let against = against.map_err(|error| unasked(config, &error))?;
    if !against.is_empty() {
        return Err(stopped(against.join("; "), Exit::Fail));
    }
    if arguments.dry_run {
        let preview = Preview::new(Arc::clone(runner));
        // It is only shown, so it is never created.
        let _shown = create_golden_lxc(&preview, &spec).await;
        let commands = preview.noted();
        let document = json!({ "schema": "felhom.golden/1", "would_run": commands });
        return Ok(Printed::new(format!("{}\n", commands.join("\n")), &document, Exit::Ok));
    }
    let mut interrupt = Interrupt::listen();
    let what = format!("creating container {}", spec.vmid);
    let created = tokio::select! {
        created = session.progress.wait(&what, create_golden_lxc(&**runner, &spec)) => created,
        // Whoever stops waiting has told pct to end.
        _ = interrupt.nth(1) => {
            let leftover = GoldenLeftover { vmid: spec.vmid };
            return Err(stopped(format!("interrupted; {leftover}"), Exit::Leftover));
        }
    };
    let created = created.map_err(|error| {
        let exit = if error.leftover().is_some() { Exit::Leftover } else { Exit::Fail };
        stopped(chain(&error), exit)
    })?;
    let warning = created.warning.as_deref().map(|text| format!("warning: {text}\n")).unwrap_or_default();
    let text = format!("container {} is created\n{warning}", created.vmid);
    Ok(Printed::new(text, &json!({ "schema": "felhom.golden/1", "created": created }), Exit::Ok))
}

/// Says that a call failed, and what repairs it. Nothing was created.
fn unasked(config: &Config, error: &Error) -> Box<Finding> {
    let mut finding = call_failed(config, error);
    finding.summary = format!("what the container needs cannot be looked at: {}", finding.summary);
    let exit = finding.exit.unwrap_or(Exit::Unchecked);
    Box::new(finding.ending(exit))
}

/// What stands against it: `pct` accepts a bridge that does not exist, and a size that the storage does not have.
async fn preflight(client: &Client, node: &NodeName, spec: &GoldenSpec) -> Result<Vec<String>, Error> {
    let mut against = Vec::new();
    let on = client.node(node);
    match client.cluster().check_id(spec.vmid).await {
        Ok(_) => {}
        Err(error) if error.is_taken() => against.push(format!("VMID {} is taken", spec.vmid)),
        Err(error) => return Err(error),
    }
    let interfaces = on.bridges().unless_unread(|row| row.may_have("iface", spec.bridge.as_str())).await?;
    if !interfaces.iter().any(|interface| interface.iface == spec.bridge.as_str()) {
        against.push(format!("there is no bridge {}, or the token may not use it", spec.bridge));
    }
    let template = spec.template.to_string();
    let source: Option<StorageId> = template.split(':').next().and_then(|storage| storage.parse().ok());
    if let Some(source) = source {
        let filter = ContentFilter { content: Some(ContentType::Vztmpl), ..ContentFilter::default() };
        let content = on.storage(&source).content().with(filter);
        let volumes = content.unless_unread(|row| row.may_have("volid", &template)).await?;
        if !volumes.iter().any(|volume| volume.volid.to_string() == template) {
            against.push(format!("there is no template {template}, or the token may not see it"));
        }
    }
    against.extend(space(client, node, spec).await?);
    Ok(against)
}

fn is_missing(error: &Error) -> bool {
    matches!(error.cause(), Some(Cause::NotFound { what: Thing::Storage, .. }))
}

async fn space(client: &Client, node: &NodeName, spec: &GoldenSpec) -> Result<Option<String>, Error> {
    let (name, wanted) = (&spec.storage, u64::from(spec.rootfs.get()) << 30);
    let storage = match storage_of(client, node, name).await {
        Err(error) if is_missing(&error) => return Ok(Some(format!("there is no storage {name}"))),
        storage => storage?,
    };
    Ok(match storage {
        None => Some(format!("the token may not see storage {name}")),
        Some(storage) if !storage.content.0.contains(&ContentType::Rootdir) => {
            Some(format!("storage {name} may not hold containers: it has no content type rootdir"))
        }
        Some(storage) if !storage.active => Some(format!("storage {name} is not active")),
        Some(storage) => match storage.avail {
            None => Some(format!("storage {name} does not tell how much is free")),
            Some(free) if free < wanted => {
                Some(format!("storage {name} has {} free", super::table::bytes(free)))
            }
            Some(_) => None,
        },
    })
}

#[cfg(test)]
mod tests {
    use proxmox_api::scope::cluster::NEXT_ID;
    use proxmox_api::sim::{Effect, HttpAnswer, Injection, Sim};

    use serde_json::Value;

    use super::*;

    /// What stands against a container of that number on a simulated node, and whether PVE could be asked.
    fn against(sim: &Sim, vmid: u32) -> Result<Vec<String>, Error> {
        against_one(sim, &[("vmid", json!(vmid))])
    }

    /// The same for one that differs in some things.
    fn against_one(sim: &Sim, changes: &[(&str, Value)]) -> Result<Vec<String>, Error> {
        let mut spec = json!({
            "vmid": 310, "template": "local:vztmpl/alpine-3.22-mini_3.22.0_amd64.tar.gz",
            "storage": "local-btrfs", "rootfs": 1, "cores": 1, "memory": 256, "hostname": "golden",
            "bridge": "vmbr0",
        });
        for (key, value) in changes {
            spec[key] = value.clone();
        }
        let spec: GoldenSpec = serde_json::from_value(spec).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(preflight(&sim.client(), &"pve1".parse().unwrap(), &spec))
    }

    #[test]
    fn a_storage_and_a_bridge_that_cannot_be_used_are_told_before_anything_is_created() {
        let cases = [
            ("storage", "nosuch", "there is no storage nosuch"),
            ("storage", "hidden", "the token may not see storage hidden"),
            ("storage", "images", "storage images may not hold containers: it has no content type rootdir"),
            ("storage", "off", "storage off is not active"),
            ("storage", "small", "storage small has 0 B free"),
            ("bridge", "vmbr7", "there is no bridge vmbr7, or the token may not use it"),
        ];
        let sim = Sim::new();
        {
            let mut world = sim.world();
            for (name, content) in
                [("hidden", "rootdir"), ("images", "images"), ("off", "rootdir"), ("small", "rootdir")]
            {
                let mut storage = world.storages["local-btrfs"].clone();
                storage.content = vec![content];
                storage.is_active = name != "off";
                storage.used = if name == "small" { storage.total } else { storage.used };
                world.storages.insert(name.into(), storage);
                if name != "hidden" {
                    let both = ["felhom@pve", "felhom@pve!agent"];
                    world.acl.grant(&format!("/storage/{name}"), &both, "FelhomStore");
                }
            }
        }
        for (key, value, expected) in cases {
            assert_eq!(against_one(&sim, &[(key, json!(value))]).unwrap(), [expected]);
        }
    }

    #[test]
    fn only_a_number_that_pve_calls_taken_is_taken() {
        let sim = Sim::new();
        assert_eq!(against(&sim, 300).unwrap(), ["VMID 300 is taken"]);
        assert_eq!(against(&sim, 310).unwrap(), [""; 0]);
        let answers = [
            HttpAnswer::bare(595, "Connection refused"),
            HttpAnswer::bare(596, "Connection timed out"),
            HttpAnswer::bare(403, "Permission check failed (/vms/310, VM.Audit)"),
            HttpAnswer::bare(500, "unable to open file"),
        ];
        for answer in answers {
            let (code, reason) = (answer.status, answer.reason.clone());
            sim.inject(Injection::once(&NEXT_ID, Effect::Instead(answer)));
            let error = against(&sim, 310).unwrap_err();
            assert!(error.cause().is_some(), "{code} {reason}: {error}");
        }
    }
}
