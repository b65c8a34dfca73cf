//! Starting and stopping simulated containers.
//!
//! Source: pve-container `PVE/API2/LXC/Status.pm`; recordings `lxc-start-*`, `lxc-stop-*`, `template-start`.

use alloc::string::String;

use serde_json::Value;

use super::acl::Principal;
use super::answer::{Refusal, Reply};
use super::route::{Ask, Row};
use super::sentence::{self, Sentence};
use super::world::World;

pub(super) const HANDLERS: &[Row] = &[
    ("lxc.start", "POST /nodes/{node}/lxc/{vmid}/status/start", |world, ask| {
        let vmid = ask.vmid()?;
        if world.containers.get(&vmid).is_some_and(|container| container.is_running) {
            return Err(Refusal::die(sentence::RUNNING.of(&[&vmid])));
        }
        Ok(Value::from(world.spawn_start(vmid, ask.principal)).into())
    }),
    ("lxc.stop", "POST /nodes/{node}/lxc/{vmid}/status/stop", |world, ask| halt(world, ask, "vzstop")),
    ("lxc.shutdown", "POST /nodes/{node}/lxc/{vmid}/status/shutdown", |world, ask| {
        halt(world, ask, "vzshutdown")
    }),
    ("lxc.reboot", "POST /nodes/{node}/lxc/{vmid}/status/reboot", reboot),
    ("lxc.suspend", "POST /nodes/{node}/lxc/{vmid}/status/suspend", |world, ask| {
        checkpoint(world, ask, "vzsuspend")
    }),
    ("lxc.resume", "POST /nodes/{node}/lxc/{vmid}/status/resume", |world, ask| {
        let vmid = ask.vmid()?;
        if world.container(vmid)?.is_running {
            return Err(Refusal::die(sentence::RUNNING.of(&[&vmid])));
        }
        let finish = move |world: &mut World, _: &mut _| {
            world.container_mut(vmid)?.is_running = true;
            Ok(())
        };
        Ok(Value::from(world.spawn_job("vzresume", &vmid, ask.principal, finish)).into())
    }),
];

impl World {
    /// Starts the worker that starts a container: everything is checked inside it.
    pub(super) fn spawn_start(&mut self, vmid: u32, principal: &Principal) -> String {
        let begin = move |world: &mut Self, _: &mut _| {
            let container = world.unlocked(vmid)?;
            if container.is_template() {
                return Err(Refusal::die(sentence::STARTS_TEMPLATE));
            }
            let missing =
                container.options.iter().filter(|(key, _)| key.starts_with("net")).find_map(|(_, net)| {
                    let bridge = super::config::bridge_of(net.as_str()?)?;
                    (!world.bridges.iter().any(|known| known == bridge)).then(|| bridge.into())
                });
            match missing {
                Some(bridge) => {
                    let bridge: String = bridge;
                    Err(Refusal::die(sentence::NO_BRIDGE.of(&[&bridge])))
                }
                None => Ok(()),
            }
        };
        self.spawn("vzstart", &vmid, principal, begin, move |world, log| {
            let container = world.container_mut(vmid)?;
            container.apply_pending();
            container.is_running = true;
            if container.warns {
                log.warn(sentence::NEWER_DEBIAN);
            }
            Ok(())
        })
    }
}

fn running(world: &World, vmid: u32, otherwise: Sentence) -> Result<(), Refusal> {
    if world.container(vmid)?.is_running {
        return Ok(());
    }
    Err(Refusal::die(otherwise.of(&[&vmid])))
}

fn halt(world: &mut World, ask: &Ask<'_>, kind: &'static str) -> Result<Reply, Refusal> {
    let vmid = ask.vmid()?;
    running(world, vmid, sentence::NOT_RUNNING)?;
    let begin = move |world: &mut World, _: &mut _| world.unlocked(vmid).map(|_| ());
    let upid = world.spawn(kind, &vmid, ask.principal, begin, move |world, _| {
        let container = world.container_mut(vmid)?;
        container.is_running = false;
        container.apply_pending();
        Ok(())
    });
    Ok(Value::from(upid).into())
}

fn reboot(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let vmid = ask.vmid()?;
    running(world, vmid, sentence::VM_NOT_RUNNING)?;
    let upid = world.spawn_job("vzreboot", &vmid, ask.principal, move |world, _| {
        world.container_mut(vmid)?.apply_pending();
        Ok(())
    });
    Ok(Value::from(upid).into())
}

fn checkpoint(world: &mut World, ask: &Ask<'_>, kind: &'static str) -> Result<Reply, Refusal> {
    let vmid = ask.vmid()?;
    running(world, vmid, sentence::NOT_RUNNING)?;
    let upid = world.spawn_job(kind, &vmid, ask.principal, move |world, _| {
        world.container_mut(vmid)?.is_running = false;
        Ok(())
    });
    Ok(Value::from(upid).into())
}
