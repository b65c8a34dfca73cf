//! The command `golden create`: makes the container that customers' containers are restored from.

use std::sync::Arc;

use clap::{Args, Subcommand};
use proxmox_api::{Client, Error};
use proxmox_privileged::argument::{Cores, Hostname, MemoryMib, RootfsGib, TemplateVolume};
use proxmox_privileged::golden::{GoldenSpec, Leftover, create_golden_lxc};
use proxmox_types::params::{ContentFilter, StorageFilter};
use proxmox_types::{Bridge, ContentType, NodeName, StorageId, Vmid};
use serde_json::{Value, json};

use super::Common;
use super::problem::{Problem, tell};
use super::session::Session;
use crate::chain::chain;
use crate::config::{Config, Environment};
use crate::exit::Exit;
use crate::host::preview::Preview;
use crate::interrupt::Interrupt;
use crate::wiring;

/// What is done with golden containers.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Verb {
    /// Creates one with `keyctl=1`, which the API refuses to every token; needs root or the sudo rule
    Create(Arguments),
}

/// What the container shall be.
#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
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

impl Arguments {
    fn spec(&self) -> GoldenSpec {
        GoldenSpec {
            vmid: self.vmid,
            template: self.template.clone(),
            storage: self.storage.clone(),
            rootfs: self.rootfs,
            cores: self.cores,
            memory: self.memory,
            hostname: self.hostname.clone(),
            bridge: self.bridge.clone(),
        }
    }
}

pub(super) fn run(common: &Common, verb: &Verb, environment: &Environment) -> Exit {
    let Verb::Create(arguments) = verb;
    let session = match Session::start(common, environment) {
        Ok(session) => session,
        Err(exit) => return exit,
    };
    let config = match &session.config {
        Ok(config) => config,
        Err(error) => return Problem::new(error.to_string(), Exit::Config).tell(common),
    };
    match session.runtime.block_on(create(arguments, config)) {
        Ok((text, document)) => tell(common, &text, &document, Exit::Ok),
        Err(problem) => problem.tell(common),
    }
}

/// Creates the container, or shows how it would be.
async fn create(arguments: &Arguments, config: &Config) -> Result<(String, Value), Problem> {
    let connection =
        wiring::connect(config).map_err(|error| Problem::new(error.to_string(), Exit::Config))?;
    let spec = arguments.spec();
    let against = preflight(&connection.client, &config.node, &spec).await.map_err(|error| {
        let text = format!("what the container needs cannot be looked at: {}", chain(&error));
        Problem::new(text, Exit::Unchecked)
    })?;
    if !against.is_empty() {
        return Err(Problem::new(against.join("; "), Exit::Fail));
    }
    let runner = wiring::runner(config.privileged_mode);
    if arguments.dry_run {
        let preview = Preview::new(Arc::clone(&runner));
        // It is only shown, so it is never created.
        let _shown = create_golden_lxc(&preview, &spec).await;
        let commands = preview.noted();
        let document = json!({ "schema": "felhom.golden/1", "would_run": commands });
        return Ok((format!("{}\n", commands.join("\n")), document));
    }
    let mut interrupt = Interrupt::listen();
    let created = tokio::select! {
        created = create_golden_lxc(&*runner, &spec) => created,
        // Whoever stops waiting has told pct to end.
        _ = interrupt.nth(1) => {
            let leftover = Leftover { vmid: spec.vmid };
            return Err(Problem::new(format!("interrupted; {leftover}"), Exit::Leftover));
        }
    };
    let created = created.map_err(|error| {
        let exit = if error.leftover().is_some() { Exit::Leftover } else { Exit::Fail };
        Problem::new(chain(&error), exit)
    })?;
    let warning = created.warning.as_deref().map(|text| format!("warning: {text}\n")).unwrap_or_default();
    let text = format!("container {} is created\n{warning}", created.vmid);
    Ok((text, json!({ "schema": "felhom.golden/1", "created": created })))
}

/// What stands against it: `pct` accepts a bridge that does not exist, and a size that the storage does not have.
async fn preflight(client: &Client, node: &NodeName, spec: &GoldenSpec) -> Result<Vec<String>, Error> {
    let mut against = Vec::new();
    let on = client.node(node);
    match client.cluster().check_id(spec.vmid).await {
        Ok(_) => {}
        Err(error) if error.cause().is_some() => against.push(format!("VMID {} is taken", spec.vmid)),
        Err(error) => return Err(error),
    }
    let interfaces = on.network().await?;
    if !interfaces.iter().any(|interface| interface.iface == spec.bridge.as_str()) {
        against.push(format!("there is no bridge {}", spec.bridge));
    }
    let template = spec.template.to_string();
    let source: Option<StorageId> = template.split(':').next().and_then(|storage| storage.parse().ok());
    if let Some(source) = source {
        let filter = ContentFilter { content: Some(ContentType::Vztmpl), ..ContentFilter::default() };
        let volumes = on.storage(&source).content(&filter).await?;
        if !volumes.iter().any(|volume| volume.volid.to_string() == template) {
            against.push(format!("there is no template {template}, or the token may not see it"));
        }
    }
    against.extend(space(client, node, spec).await?);
    Ok(against)
}

async fn space(client: &Client, node: &NodeName, spec: &GoldenSpec) -> Result<Option<String>, Error> {
    let filter = StorageFilter { storage: Some(spec.storage.clone()), ..StorageFilter::default() };
    let rows = client.node(node).storages(&filter).await?;
    let Some(storage) = rows.first() else {
        return Ok(Some(format!("there is no storage {}, or the token may not see it", spec.storage)));
    };
    if !storage.active {
        return Ok(Some(format!("storage {} is not active", spec.storage)));
    }
    let wanted = u64::from(spec.rootfs.get()) << 30;
    let free = storage.avail.unwrap_or_default();
    let text = format!("storage {} has {} free", spec.storage, super::table::bytes(free));
    Ok((free < wanted).then_some(text))
}
