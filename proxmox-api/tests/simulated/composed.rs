//! What takes more than one call: a free VMID, a change with its effect, the volume of a backup, what a list hides.

use core::time::Duration;
use std::sync::Mutex;

use proxmox_api::scope::cluster;
use proxmox_api::sim::{Container, Effect, HttpAnswer, Injection, Sim, now};
use proxmox_api::{ConfigChange, Error, Patience, Visibility};
use proxmox_types::params::{MigrateParams, RestoreParams, SetConfigParams, TaskFilter, VzdumpParams};
use proxmox_types::{CommonOptions, ConsoleMode, LxcOptions, StorageId, Vmid};

use crate::waiting::{node, vmid};

fn root() -> Sim {
    Sim::new().as_token("root@pam!full".parse().unwrap())
}

#[test]
fn a_vmid_that_somebody_else_took_is_left_to_them() {
    let sim = root();
    let (client, node) = (sim.client(), node());
    let golden = "local:backup/vzdump-lxc-210-2026_11_24-05_46_14.tar.zst";
    let tried = Mutex::new(Vec::new());
    let restore = |vmid: Vmid| {
        let mut tried = tried.lock().unwrap();
        tried.push(vmid.get());
        if tried.len() <= 2 {
            // Between the question and the call.
            let rootfs = format!("local-btrfs:{vmid}/vm-{vmid}-disk-0.raw,size=1G");
            sim.world().containers.insert(vmid.get(), Container::new("faster", &rootfs));
        }
        let mut params = RestoreParams::new(vmid, golden.parse().unwrap());
        params.new.storage = Some("local-btrfs".parse().unwrap());
        client.node(&node).restore(&params)
    };
    let (vmid, started) = now(client.cluster().with_next_id(restore)).unwrap();
    now(client.wait(started.unwrap(), Patience::default())).unwrap();
    assert_eq!((vmid.get(), tried.into_inner().unwrap()), (104, vec![102, 103, 104]));
}

fn set(options: LxcOptions) -> SetConfigParams {
    SetConfigParams { options, ..SetConfigParams::default() }
}

#[test]
fn a_change_says_whether_it_waits_for_the_next_start() {
    let sim = root();
    let (client, node) = (sim.client(), node());
    let (running, stopped) = (client.node(&node).lxc(vmid(100)), client.node(&node).lxc(vmid(101)));
    let cmode = set(LxcOptions { cmode: Some(ConsoleMode::Shell), ..LxcOptions::default() });
    let memory = set(CommonOptions { memory: Some(1024), ..CommonOptions::default() }.into());
    assert!(matches!(now(stopped.apply(&cmode)).unwrap(), ConfigChange::Live));
    let ConfigChange::AtNextStart(waiting) = now(running.apply(&cmode)).unwrap() else { panic!("it waits") };
    assert_eq!(waiting.iter().map(|option| option.key.as_str()).collect::<Vec<_>>(), ["cmode"]);
    // What another change left waiting does not count.
    assert!(matches!(now(running.apply(&memory)).unwrap(), ConfigChange::Live));
    let revert = SetConfigParams { revert: "cmode".parse().unwrap(), ..SetConfigParams::default() };
    assert!(matches!(now(running.apply(&revert)).unwrap(), ConfigChange::Live));
}

#[test]
fn the_volume_of_a_backup_is_found() {
    let sim = Sim::new();
    let (client, node) = (sim.client(), node());
    let storage: StorageId = "local".parse().unwrap();
    let params = VzdumpParams { storage: Some(storage.clone()), ..VzdumpParams::new(vmid(101).into()) };
    let mut made = Vec::new();
    for _ in 0..2 {
        let started = now(client.node(&node).vzdump(&params)).unwrap();
        let upid = started.upid().unwrap().clone();
        now(client.wait(started, Patience::default())).unwrap();
        sim.advance(Duration::from_secs(2));
        let found = now(client.node(&node).storage(&storage).backups_made_by(&upid)).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].vmid, Some(vmid(101)));
        made.push(found[0].volid.to_string());
    }
    assert_ne!(made[0], made[1]);
}

#[test]
fn nothing_there_is_told_from_nothing_shown() {
    let sim = Sim::new();
    let node = node();
    let seen_by = |token: &str| {
        let client = sim.as_token(token.parse().unwrap()).client();
        let seen = now(client.node(&node).containers().visibility()).unwrap();
        (now(client.node(&node).containers()).unwrap().len(), seen)
    };
    let pool = ["/vms/100", "/vms/101", "/vms/210", "/vms/300"].map(String::from).to_vec();
    assert_eq!(seen_by("root@pam!full"), (4, Visibility::Everything));
    assert_eq!(seen_by("felhom@pve!agent"), (4, Visibility::Below(pool)));
    let (rows, seen) = seen_by("felhom@pve!none");
    let Visibility::Nothing(denied) = seen else { panic!("nothing is shown, not {seen:?}") };
    assert_eq!((rows, denied.privileges.join(",")), (0, "VM.Audit".into()));
}

#[test]
fn a_refusal_that_names_nothing_says_what_the_call_needs() {
    let (sim, node) = (Sim::new(), node());
    let client = sim.client();
    let golden = "local:backup/vzdump-lxc-210-2026_11_24-05_46_14.tar.zst".parse().unwrap();
    // The grant is on the pool, and the call does not send it.
    let error = now(client.node(&node).restore(&RestoreParams::new(vmid(400), golden))).unwrap_err();
    let denied = error.denied().expect("a permission failure");
    assert_eq!((&denied.path, denied.privileges.len()), (&None, 0));
    let needs = denied.needs.as_deref().unwrap_or_default();
    assert!(needs.contains("VM.Allocate on /pool/{pool} (with `pool`)"), "{needs}");
    assert!(needs.contains("without a pool in the call a grant on the pool does not count"), "{needs}");
}

#[test]
fn a_list_is_read_page_by_page() {
    let sim = root();
    let (client, node) = (sim.client(), node());
    let ct = vmid(101);
    for _ in 0..5 {
        now(client.node(&node).lxc(ct).start().run()).unwrap();
        now(client.node(&node).lxc(ct).stop().run()).unwrap();
    }
    let filter = TaskFilter { vmid: Some(ct), limit: Some(4), start: Some(1), ..TaskFilter::default() };
    let (mut pages, mut sizes, mut upids) =
        (client.node(&node).tasks().pages(filter), Vec::new(), Vec::new());
    while let Some(page) = now(pages.next()) {
        let page = page.unwrap();
        sizes.push(page.rows.len());
        upids.extend(page.rows.into_iter().map(|row| row.upid));
    }
    let whole = now(client.node(&node).tasks().with(TaskFilter { vmid: Some(ct), ..TaskFilter::default() }));
    let rows = whole.unwrap().rows.into_iter().skip(1).map(|row| row.upid);
    assert_eq!((upids, sizes), (rows.collect(), vec![4, 4, 1]));
    assert!(now(pages.next()).is_none());
}

#[test]
fn a_container_that_moved_is_found_again() {
    let sim = root();
    sim.world().other_nodes.push("pve2".into());
    let (client, node) = (sim.client(), node());
    let ct = client.node(&node).lxc(vmid(101));
    assert_eq!(now(client.locate(vmid(101))).unwrap(), Some(node.clone()));
    let params = MigrateParams::new("pve2".parse().unwrap());
    now(ct.migrate(&params).run()).unwrap();
    let error = now(ct.status()).unwrap_err();
    assert!(error.is_not_found() && matches!(error, Error::Rejected { status: 500, .. }), "{error}");
    let found = [101, 100, 999].map(|number| now(client.locate(vmid(number))).unwrap());
    assert_eq!(found, [Some("pve2".parse().unwrap()), Some(node.clone()), None]);
}

#[test]
fn a_row_that_may_be_the_guest_and_cannot_be_read_does_not_say_that_it_is_nowhere() {
    let rows = [
        (r#"{"id":"lxc/999","type":"lxc","vmid":999,"node":"pve2","status":7}"#, true),
        (r#"{"id":"lxc/101","type":"lxc","vmid":101,"node":"pve 2"}"#, false),
        (r#"{"id":"lxc/101","type":"lxc","vmid":101}"#, false),
        (r#"{"id":"lxc/101","type":"lxc","node":"pve2"}"#, false),
        ("7", false),
    ];
    for (row, is_told) in rows {
        let sim = root();
        let body = format!(r#"{{"data":[{row}]}}"#);
        let answer = HttpAnswer { body, ..HttpAnswer::bare(200, "OK") };
        sim.inject(Injection::once(&cluster::RESOURCES, Effect::Instead(answer)));
        let located = now(sim.client().locate(vmid(101)));
        assert_eq!(located.ok(), is_told.then_some(None), "{row}");
    }
}
