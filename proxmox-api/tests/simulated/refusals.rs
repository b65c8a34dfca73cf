//! What the simulated node refuses, and in which words.

use proxmox_api::sim::{Principal, Sim};
use serde_json::{Value, json};

/// Token, method, target, body, and the status, message and texts per parameter that answer it.
type Row = (&'static str, &'static str, &'static str, &'static str, u16, &'static str, Value);

const FULL: &str = "root@pam!full";
const NONE: &str = "felhom@pve!none";
const NEW_IN_POOL: &str =
    "vmid=400&pool=nopool&ostemplate=local%3Avztmpl%2Falpine-3.22-mini_3.22.0_amd64.tar.gz";

fn answer(token: &str, method: &str, target: &str, body: &str) -> (u16, String, Value) {
    let sim = Sim::new();
    let template = sim.world().containers[&101].clone().with("template", 1);
    sim.world().containers.insert(500, template);
    let answer = sim.serve(method, &format!("/api2/json{target}"), body, Some(&Principal::token(token)));
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    (answer.status, answer.reason, body)
}

fn refused(rows: &[Row]) {
    for (token, method, target, body, status, message, errors) in rows {
        let (found, reason, body) = answer(token, method, target, body);
        assert_eq!((found, reason.as_str(), &body["errors"]), (*status, *message, errors), "{target}");
    }
}

/// A refusal without texts per parameter, of a call of the full token.
fn row(method: &'static str, target: &'static str, body: &'static str, message: &'static str) -> Row {
    (FULL, method, target, body, 500, message, Value::Null)
}

#[test]
fn calls_of_containers_are_refused_in_the_words_of_the_recordings() {
    let no_pool = "Permission check failed (pool 'nopool' does not exist)";
    refused(&[
        row("DELETE", "/nodes/pve1/lxc/100", "", "unable to destroy CT 100 - container is running"),
        row(
            "POST",
            "/nodes/pve1/lxc/100/snapshot",
            "snapname=vzdump",
            "unable to use snapshot name 'vzdump' (reserved name)",
        ),
        row("POST", "/nodes/pve1/lxc/500/template", "", "you can't convert a template to a template"),
        (FULL, "POST", "/nodes/pve1/lxc", NEW_IN_POOL, 403, no_pool, Value::Null),
        (NONE, "GET", "/pools?poolid=nopool", "", 500, "pool 'nopool' does not exist", Value::Null),
    ]);
}

#[test]
fn calls_of_storages_are_refused_in_the_words_of_the_recordings() {
    let content = "/nodes/pve1/storage/local-btrfs/content";
    let download = "/nodes/pve1/storage/local-btrfs/download-url";
    let prune = "/nodes/pve1/storage/local-btrfs/prunebackups";
    let disk = "vmid=300&size=8M&filename=vm-300-disk-0.raw";
    let url = "url=https%3A%2F%2Fx%2Fx.tar.zst&content=vztmpl&filename=x.tar.zst";
    let other = "storage 'local-btrfs' is not configured for content-type 'vztmpl'";
    refused(&[
        row("GET", prune, "", "storage 'local-btrfs' does not support backups"),
        row("POST", content, disk, "disk image '300/vm-300-disk-0.raw' already exists"),
        row("POST", download, url, other),
    ]);
}

const BAD: &str = "Parameter verification failed.";
const UNKNOWN: &str = "property is not defined in schema and the schema does not allow additional properties";

/// A refusal of parameters, of a call of the full token.
fn bad(target: &'static str, method: &'static str, body: &'static str, errors: Value) -> Row {
    (FULL, method, target, body, 400, BAD, errors)
}

#[test]
fn formats_of_parameters_are_refused_in_the_words_of_the_recordings() {
    let (config, snapshot) = ("/nodes/pve1/lxc/101/config", "/nodes/pve1/lxc/101/snapshot");
    refused(&[
        bad(config, "PUT", "tags=a%2Fb", json!({ "tags": "invalid format - invalid characters in tag\n" })),
        bad(config, "PUT", "net0=nonsense%3D1", json!({ "net0": "invalid format - format error\n" })),
        bad(
            config,
            "PUT",
            "hostname=-x",
            json!({ "hostname": "invalid format - value does not look like a valid DNS name\n" }),
        ),
        bad(
            snapshot,
            "POST",
            "snapname=x",
            json!({ "snapname": "invalid format - invalid configuration ID 'x'\n" }),
        ),
        bad(
            "/nodes/pve1/lxc/99/config",
            "GET",
            "",
            json!({ "vmid": "invalid format - value does not look like a valid VM ID\n" }),
        ),
        bad(
            "/nodes/pve1/storage/local/content?content=bogus",
            "GET",
            "",
            json!({ "content": "invalid format - invalid content type 'bogus'\n" }),
        ),
        bad(
            "/nodes/pve1/vzdump",
            "POST",
            "vmid=101&protected=1",
            json!({ "storage": "missing property - 'protected' requires this property" }),
        ),
    ]);
}

#[test]
fn parameters_are_refused_in_the_words_of_the_recordings() {
    let absent = "property is missing and it is not optional";
    let (config, snapshot) = ("/nodes/pve1/lxc/101/config", "/nodes/pve1/lxc/101/snapshot");
    refused(&[
        bad("/nodes/pve1/storage?storage=nosuch", "GET", "", json!({ "storage": "No such storage." })),
        bad(config, "PUT", "memory=-5", json!({ "memory": "value must have a minimum value of 16" })),
        bad(config, "PUT", "cores=9000", json!({ "cores": "value must have a maximum value of 8192" })),
        bad(config, "PUT", "memory=x", json!({ "memory": "type check ('integer') failed - got 'x'" })),
        bad(config, "PUT", "onboot=yes", json!({ "onboot": "type check ('boolean') failed - got 'yes'" })),
        bad(snapshot, "POST", "", json!({ "snapname": absent })),
        bad(snapshot, "POST", "snapname=abc&x=1", json!({ "x": UNKNOWN })),
        bad(
            "/nodes/pve1/vzdump",
            "POST",
            "vmid=101&mode=turbo",
            json!({
                "mode": "value 'turbo' does not have a value in the enumeration 'snapshot, suspend, stop'",
            }),
        ),
        bad(
            "/nodes/pve1/lxc/101/move_volume",
            "POST",
            "volume=rootfs",
            json!({
                "storage": "both 'storage' and 'target-vmid' missing, either needs to be set",
                "target-vmid": "both 'storage' and 'target-vmid' missing, either needs to be set",
            }),
        ),
    ]);
}

#[test]
fn a_pool_is_shown_to_every_token_that_names_it() {
    let (status, _, body) = answer(NONE, "GET", "/pools?poolid=felhom", "");
    assert_eq!((status, body["data"][0]["members"].as_array().map(Vec::len)), (200, Some(5)));
    assert_eq!(answer(NONE, "GET", "/pools", "").2["data"], json!([]));
}
