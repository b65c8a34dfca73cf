//! Makes the call of every operation from a path and parameters, as they are recorded or written down.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::rc::Rc;

use proxmox_api::{Call, Client, Error, FeatureName, Request};
use proxmox_types::lenient::{Tree, from_value, strictly};
use proxmox_types::params::VzdumpParams;
use proxmox_types::{NodeName, SnapshotName, StorageId, TokenId, Upid, Vmid, VolumeId};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::canned::now;

/// What a call is built from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    /// The variables of the path.
    pub(crate) place: BTreeMap<String, String>,
    /// The parameters.
    pub(crate) parameters: Map<String, Value>,
    /// Fields of the parameter struct that no parameter filled.
    pub(crate) empty: Rc<RefCell<BTreeSet<String>>>,
}

/// A call that was built and awaited.
#[derive(Debug)]
pub(crate) struct Made {
    /// What it sent.
    pub(crate) request: Request,
    /// What the call returns, as `Debug` prints it.
    pub(crate) answer: Result<String, Error>,
}

/// A call, or why a typed client does not build it.
pub(crate) type Built = Result<Made, String>;

type Build = fn(&Client, Given) -> Built;

impl Given {
    fn variable<T: DeserializeOwned>(&self, name: &str) -> Result<T, String> {
        let text = self.place.get(name).cloned().unwrap_or_default();
        from_value(&Value::String(text)).map_err(|error| format!("{name}: {error}"))
    }

    fn node(&self) -> Result<NodeName, String> {
        self.variable("node")
    }

    fn vmid(&self) -> Result<Vmid, String> {
        self.variable("vmid")
    }

    fn storage(&self) -> Result<StorageId, String> {
        self.variable("storage")
    }

    fn volume(&self) -> Result<VolumeId, String> {
        self.variable("volume")
    }

    fn snapshot(&self) -> Result<SnapshotName, String> {
        self.variable("snapname")
    }

    fn upid(&self) -> Result<Upid, String> {
        self.variable("upid")
    }

    /// Takes one parameter.
    fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, String> {
        let value = self.parameters.remove(name).unwrap_or_default();
        from_value(&value).map_err(|error| format!("{name}: {error}"))
    }

    /// Reads the parameters that are left.
    fn rest<T: DeserializeOwned + Debug>(&self) -> Result<T, String> {
        let value = Value::Object(self.parameters.clone());
        let read: T = strictly(&Tree::from(&value)).map_err(|error| error.to_string())?;
        self.empty.borrow_mut().extend(empty_fields(&format!("{read:?}")));
        Ok(read)
    }

    /// The request of a call that takes no more parameters.
    fn bare<T: Send + Debug>(&self, call: Call<'_, T>) -> Built {
        match self.parameters.keys().next() {
            None => built(call),
            Some(name) => Err(format!("the call does not take `{name}`")),
        }
    }
}

/// The fields that hold nothing, but not those inside a property string.
fn empty_fields(shown: &str) -> BTreeSet<String> {
    let mut parts = shown.split("Property(");
    let mut outside = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut depth = 1;
        outside.extend(part.chars().skip_while(|character| {
            depth += i32::from(*character == '(') - i32::from(*character == ')');
            depth > 0
        }));
    }
    let fields =
        outside.match_indices(": None").filter_map(|(end, _)| outside.get(..end)?.rsplit(' ').next());
    fields.map(str::to_owned).collect()
}

fn built<T: Send + Debug>(call: Call<'_, T>) -> Built {
    call.check().map_err(|error| error.to_string())?;
    Ok(Made {
        request: call.request().clone(),
        answer: now(call.into_future()).map(|answer| format!("{answer:?}")),
    })
}

/// Makes the call of an operation.
pub(crate) fn build(client: &Client, operation: &str, given: Given) -> Built {
    let row = BUILDS.iter().flat_map(|group| group.iter()).find(|(name, _)| *name == operation);
    let (_, build) = row.unwrap_or_else(|| panic!("no call is known for {operation}"));
    build(client, given)
}

const BUILDS: &[&[(&str, Build)]] =
    &[NODES, GUESTS, CHANGES, POWER, SNAPSHOTS, BACKUPS, STORAGES, TASKS, CLUSTER, ACCESS];

const NODES: &[(&str, Build)] = &[
    ("version", |client, given| given.bare(client.version())),
    ("node.list", |client, given| given.bare(client.nodes())),
    ("node.status", |client, given| given.bare(client.node(&given.node()?).status())),
    ("node.time", |client, given| given.bare(client.node(&given.node()?).time())),
    ("node.version", |client, given| given.bare(client.node(&given.node()?).version())),
    ("node.network", |client, mut given| {
        let (node, kind) = (given.node()?, given.take::<Option<String>>("type")?);
        let node = client.node(&node);
        given.bare(if kind.is_some() { node.bridges() } else { node.network() })
    }),
    ("node.services", |client, given| given.bare(client.node(&given.node()?).services())),
    ("node.certificates", |client, given| given.bare(client.node(&given.node()?).certificates())),
    ("disk.list", |client, given| built(client.node(&given.node()?).disks().with(given.rest()?))),
    ("disk.smart", |client, mut given| {
        let disk: String = given.take("disk")?;
        given.bare(client.node(&given.node()?).smart(&disk))
    }),
    ("node.replication", |client, mut given| {
        let guest = given.take("guest")?;
        given.bare(client.node(&given.node()?).replication(guest))
    }),
];

const GUESTS: &[(&str, Build)] = &[
    ("lxc.list", |client, given| given.bare(client.node(&given.node()?).containers())),
    ("lxc.status", |client, given| given.bare(client.node(&given.node()?).lxc(given.vmid()?).status())),
    ("lxc.config", |client, mut given| {
        let node = given.node()?;
        let lxc = client.node(&node).lxc(given.vmid()?);
        let (current, snapshot): (Option<Value>, Option<SnapshotName>) =
            (given.take("current")?, given.take("snapshot")?);
        match (current, snapshot) {
            (None, None) => given.bare(lxc.config()),
            (Some(current), None) if current == 1 || current == "1" => given.bare(lxc.current_config()),
            (None, Some(snapshot)) => given.bare(lxc.config_in(&snapshot)),
            (current, snapshot) => Err(format!("no call asks for {current:?} and {snapshot:?}")),
        }
    }),
    ("lxc.pending", |client, given| given.bare(client.node(&given.node()?).lxc(given.vmid()?).pending())),
    ("lxc.feature", |client, mut given| {
        let name: String = given.take("feature")?;
        let known = [FeatureName::Snapshot, FeatureName::Clone, FeatureName::Copy];
        let feature = known.into_iter().find(|feature| feature.to_string() == name);
        let feature = feature.ok_or_else(|| format!("no feature is called {name}"))?;
        given.bare(client.node(&given.node()?).lxc(given.vmid()?).feature(feature))
    }),
    ("lxc.interfaces", |client, given| {
        given.bare(client.node(&given.node()?).lxc(given.vmid()?).interfaces())
    }),
    ("lxc.migrate_preconditions", |client, mut given| {
        let target: Option<NodeName> = given.take("target")?;
        let node = given.node()?;
        let lxc = client.node(&node).lxc(given.vmid()?);
        given.bare(lxc.migrate_preconditions(target.as_ref()))
    }),
];

const CHANGES: &[(&str, Build)] = &[
    ("lxc.create", |client, given| built(client.node(&given.node()?).create(&given.rest()?))),
    ("lxc.restore", |client, mut given| {
        let _added: Value = given.take("restore")?;
        built(client.node(&given.node()?).restore(&given.rest()?))
    }),
    ("lxc.destroy", |client, given| {
        built(client.node(&given.node()?).lxc(given.vmid()?).destroy().with(given.rest()?))
    }),
    ("lxc.set_config", |client, given| {
        built(client.node(&given.node()?).lxc(given.vmid()?).set_config(&given.rest()?))
    }),
    ("lxc.resize", |client, given| {
        built(client.node(&given.node()?).lxc(given.vmid()?).resize(&given.rest()?))
    }),
    ("lxc.clone", |client, given| {
        built(client.node(&given.node()?).lxc(given.vmid()?).clone_to(&given.rest()?))
    }),
    ("lxc.template", |client, given| given.bare(client.node(&given.node()?).lxc(given.vmid()?).template())),
    ("lxc.move_volume", |client, given| {
        built(client.node(&given.node()?).lxc(given.vmid()?).move_volume(&given.rest()?))
    }),
    ("lxc.migrate", |client, given| {
        built(client.node(&given.node()?).lxc(given.vmid()?).migrate(&given.rest()?))
    }),
];

const POWER: &[(&str, Build)] = &[
    ("lxc.start", |client, given| {
        built(client.node(&given.node()?).lxc(given.vmid()?).start().with(given.rest()?))
    }),
    ("lxc.stop", |client, given| {
        built(client.node(&given.node()?).lxc(given.vmid()?).stop().with(given.rest()?))
    }),
    ("lxc.shutdown", |client, given| {
        built(client.node(&given.node()?).lxc(given.vmid()?).shutdown().with(given.rest()?))
    }),
    ("lxc.reboot", |client, given| {
        built(client.node(&given.node()?).lxc(given.vmid()?).reboot().with(given.rest()?))
    }),
    ("lxc.suspend", |client, given| given.bare(client.node(&given.node()?).lxc(given.vmid()?).suspend())),
    ("lxc.resume", |client, given| given.bare(client.node(&given.node()?).lxc(given.vmid()?).resume())),
];

const SNAPSHOTS: &[(&str, Build)] = &[
    ("snapshot.list", |client, given| given.bare(client.node(&given.node()?).lxc(given.vmid()?).snapshots())),
    ("snapshot.create", |client, mut given| {
        let name = given.take("snapname")?;
        let node = given.node()?;
        built(client.node(&node).lxc(given.vmid()?).snapshot(&name).create().with(given.rest()?))
    }),
    ("snapshot.delete", |client, given| {
        let (node, name) = (given.node()?, given.snapshot()?);
        built(client.node(&node).lxc(given.vmid()?).snapshot(&name).delete().with(given.rest()?))
    }),
    ("snapshot.rollback", |client, given| {
        let (node, name) = (given.node()?, given.snapshot()?);
        built(client.node(&node).lxc(given.vmid()?).snapshot(&name).rollback().with(given.rest()?))
    }),
    ("snapshot.config", |client, given| {
        let (node, name) = (given.node()?, given.snapshot()?);
        given.bare(client.node(&node).lxc(given.vmid()?).snapshot(&name).config())
    }),
    ("snapshot.set_config", |client, given| {
        let (node, name) = (given.node()?, given.snapshot()?);
        built(client.node(&node).lxc(given.vmid()?).snapshot(&name).set_config(&given.rest()?))
    }),
];

const BACKUPS: &[(&str, Build)] = &[
    ("backup.create", |client, mut given| {
        // A list of one travels as a text.
        if let Some(text @ Value::String(_)) = given.parameters.get_mut("exclude-path") {
            *text = Value::Array(vec![text.take()]);
        }
        built(client.node(&given.node()?).vzdump(&given.rest::<VzdumpParams>()?))
    }),
    ("backup.defaults", |client, mut given| {
        let storage: Option<StorageId> = given.take("storage")?;
        given.bare(client.node(&given.node()?).vzdump_defaults(storage.as_ref()))
    }),
    ("backup.extract_config", |client, mut given| {
        let volume = given.take("volume")?;
        given.bare(client.node(&given.node()?).extract_config(&volume))
    }),
];

const STORAGES: &[(&str, Build)] = &[
    ("storage.definitions", |client, given| given.bare(client.storage_definitions())),
    ("storage.definition", |client, given| given.bare(client.storage_definition(&given.storage()?))),
    ("storage.list", |client, given| built(client.node(&given.node()?).storages().with(given.rest()?))),
    ("storage.status", |client, given| {
        given.bare(client.node(&given.node()?).storage(&given.storage()?).status())
    }),
    ("volume.list", |client, given| {
        built(client.node(&given.node()?).storage(&given.storage()?).content().with(given.rest()?))
    }),
    ("volume.allocate", |client, given| {
        built(client.node(&given.node()?).storage(&given.storage()?).allocate(&given.rest()?))
    }),
    ("storage.download", |client, given| {
        built(client.node(&given.node()?).storage(&given.storage()?).download(&given.rest()?))
    }),
    ("storage.prune_dry_run", |client, given| {
        built(client.node(&given.node()?).storage(&given.storage()?).prune_dry_run(&given.rest()?))
    }),
    ("storage.prune", |client, given| {
        built(client.node(&given.node()?).storage(&given.storage()?).prune(&given.rest()?))
    }),
    ("volume.get", |client, given| {
        given.bare(client.node(&given.node()?).storage(&given.storage()?).volume(&given.volume()?).get())
    }),
    ("volume.set", |client, given| {
        built(
            client
                .node(&given.node()?)
                .storage(&given.storage()?)
                .volume(&given.volume()?)
                .set(&given.rest()?),
        )
    }),
    ("volume.delete", |client, given| {
        built(
            client
                .node(&given.node()?)
                .storage(&given.storage()?)
                .volume(&given.volume()?)
                .delete()
                .with(given.rest()?),
        )
    }),
];

const TASKS: &[(&str, Build)] = &[
    ("task.list", |client, given| built(client.node(&given.node()?).tasks().with(given.rest()?))),
    ("task.status", |client, given| given.bare(client.task(&given.upid()?).status())),
    ("task.log", |client, given| built(client.task(&given.upid()?).log().with(given.rest()?))),
    ("task.stop", |client, given| given.bare(client.task(&given.upid()?).stop())),
];

const CLUSTER: &[(&str, Build)] = &[
    ("cluster.next_id", |client, mut given| match given.take("vmid")? {
        Some(vmid) => given.bare(client.cluster().check_id(vmid)),
        None => given.bare(client.cluster().next_id()),
    }),
    ("cluster.resources", |client, given| built(client.cluster().resources().with(given.rest()?))),
    ("cluster.status", |client, given| given.bare(client.cluster().status())),
    ("cluster.tasks", |client, given| given.bare(client.cluster().tasks())),
    ("cluster.ha_resources", |client, given| given.bare(client.cluster().ha_resources())),
];

const ACCESS: &[(&str, Build)] = &[
    ("access.permissions", |client, given| built(client.access().permissions().with(given.rest()?))),
    ("access.roles", |client, given| given.bare(client.access().roles())),
    ("access.token", |client, given| {
        let id = format!("{}!{}", given.place["userid"], given.place["tokenid"]);
        let id: TokenId = id.parse().map_err(|error| format!("{error}"))?;
        given.bare(client.access().token(&id))
    }),
    ("pool.list", |client, mut given| match given.take("poolid")? {
        Some(pool) => given.bare(client.pool(&pool)),
        None => given.bare(client.pools()),
    }),
];
