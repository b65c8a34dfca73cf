//! Tests of reading leniently.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    Content, LxcConfig, LxcStatus, NetworkInterface, NodeEntry, NodeStatus, Pool, Rows, StorageStatus,
    TaskEntry,
};

/// What a row becomes with another value at a key, or without the key, and where something was left out.
fn odd<T: DeserializeOwned + fmt::Debug>(
    row: &Value,
    key: &str,
    value: Option<&Value>,
) -> (String, Vec<String>) {
    let (mut row, mut paths) = (row.clone(), Vec::new());
    row.as_object_mut().unwrap().remove(key);
    if let Some(value) = value {
        row[key] = value.clone();
    }
    let read: T = read(row.to_string().as_bytes(), &mut |note| {
        paths.push(match note {
            Note::Unknown { path } | Note::Unread { path, .. } => path,
        });
    })
    .unwrap_or_else(|fault| panic!("{row}: {fault}"));
    (format!("{read:?}"), paths)
}

#[test]
fn what_only_informs_is_read_or_absent_and_told() {
    type Odd = fn(&Value, &str, Option<&Value>) -> (String, Vec<String>);
    let container = json!({ "vmid": 100, "status": "running" });
    let storage = json!({ "storage": "local", "type": "dir", "content": "backup" });
    let node = json!({ "node": "pve1", "status": "online" });
    let task = json!({
        "upid": "UPID:pve1:0000091C:0004ED09:6B052CDB:vzdump:100:root@pam:", "node": "pve1", "type": "vzdump",
        "id": "100", "user": "root@pam", "starttime": 1,
    });
    let volume = json!({ "volid": "pbs:backup/ct/100/x", "format": "pbs-ct" });
    let bridge = json!({ "iface": "vmbr0", "type": "bridge" });
    let status = json!({ "rootfs": { "total": 10, "used": 5, "free": 5 } });
    let shapes: [(Odd, &Value, &[&str]); 7] = [
        (odd::<LxcStatus>, &container, &["mem", "swap", "disk", "maxmem", "netin", "pid", "cpus", "name"]),
        (odd::<StorageStatus>, &storage, &["avail", "total", "used", "used_fraction", "formats", "format"]),
        (odd::<NodeEntry>, &node, &["ssl_fingerprint", "mem", "maxcpu", "uptime", "level"]),
        (odd::<TaskEntry>, &task, &["pid", "pstart", "saved", "tokenid"]),
        (odd::<Content>, &volume, &["verification", "size", "ctime", "vmid", "parent"]),
        (odd::<NetworkInterface>, &bridge, &["bridge_vids", "mtu", "vlan-id", "netmask6", "bridge_fd"]),
        (odd::<NodeStatus>, &status, &["memory", "ksm", "uptime", "cpu", "current-kernel"]),
    ];
    for (read, row, keys) in shapes {
        for key in keys {
            for value in [json!({ "a": [1] }), json!([[]]), json!([{ "b": "c" }])] {
                let (shown, paths) = read(row, key, Some(&value));
                let nothing = value.is_object().then(|| json!({}));
                let absent = [None, nothing.as_ref()].map(|nothing| read(row, key, nothing).0);
                assert!(absent.contains(&shown), "{key} {value}");
                assert!(!paths.is_empty(), "{key} {value}");
                assert!(paths.iter().all(|path| path.starts_with(key)), "{paths:?}");
            }
        }
    }
}

#[test]
fn numbers_that_only_inform_may_be_negative_missing_or_text() {
    let container = json!({ "vmid": 100, "status": "running" });
    let cases = [
        ("swap", json!(-24576), None, true),
        ("mem", json!(-4096), None, true),
        ("disk", json!("n/a"), None, true),
        ("netin", json!("-1"), None, true),
        ("maxmem", json!(1.5), None, true),
        ("pid", json!(4_294_967_296_u64), None, true),
        ("uptime", json!(-3), Some(json!(-3)), false),
        ("cpu", json!("0.25"), Some(json!(0.25)), false),
        ("mem", json!(null), None, false),
        ("mem", json!(""), None, false),
        ("mem", json!("1.05e2"), Some(json!(105)), false),
    ];
    for (key, value, read, is_told) in cases {
        let (shown, paths) = odd::<LxcStatus>(&container, key, Some(&value));
        let (wanted, _) = odd::<LxcStatus>(&container, key, read.as_ref());
        assert_eq!((shown, !paths.is_empty()), (wanted, is_told), "{key} {value}");
    }
}

#[test]
fn an_unreadable_load_leaves_the_rest_of_the_status() {
    for load in [json!(["fake"]), json!(["0.1", "x"]), json!("0.1"), json!({}), json!([["0.1"]])] {
        let status = json!({ "loadavg": load, "rootfs": { "total": "10", "used": 5, "free": -5 } });
        let mut notes = Vec::new();
        let read: NodeStatus = read(status.to_string().as_bytes(), &mut |note| notes.push(note)).unwrap();
        assert_eq!((read.loadavg.len(), read.rootfs.total, read.rootfs.free), (0, Some(10), None));
        assert_eq!(notes.len(), 2, "{notes:?}");
    }
}

#[test]
fn an_unreadable_value_says_where_it_stands() {
    let cases = [
        (json!({}), ""),
        (json!({ "vmid": "x", "status": "running" }), "vmid"),
        (json!({ "vmid": 100, "status": [] }), "status"),
        (json!({ "vmid": 100, "status": "running", "ha": { "managed": {} } }), "ha.managed"),
        (json!("text"), ""),
    ];
    for (json, path) in cases {
        let fault = from_value::<LxcStatus>(&json).unwrap_err();
        assert_eq!(fault.path, path, "{}", fault.source);
    }
}

fn must<T: DeserializeOwned>(json: &str) -> Option<T> {
    strictly(json).ok()
}

fn may<T: DeserializeOwned>(json: &str) -> Option<T> {
    #[derive(Deserialize)]
    struct Field<T> {
        field: Option<T>,
    }
    must::<Field<T>>(&format!("{{\"field\":{json}}}")).unwrap().field
}

#[test]
fn booleans_come_in_many_forms() {
    let truths = ["1", "\"1\"", "true", "\"yes\"", "1.0"].map(must::<bool>);
    let falsehoods = ["0", "\"0\"", "false", "\"\"", "null", "\"off\""].map(must::<bool>);
    let nonsense = ["2", "\"maybe\"", "-1", "[]"].map(must::<bool>);
    assert_eq!((truths, falsehoods, nonsense), ([Some(true); 5], [Some(false); 6], [None; 4]));
}

#[test]
fn integers_neither_wrap_nor_round() {
    let read =
        ["105", "\"105\"", "105.0", "\"1.05e2\"", "-1", "1.5", "\"x\"", "18446744073709551616", "true"]
            .map(must::<u64>);
    assert_eq!(read, [Some(105), Some(105), Some(105), Some(105), None, None, None, None, None]);
}

#[test]
fn large_sizes_printed_with_an_exponent_stay_exact() {
    assert_eq!(must::<u64>("1e+16"), Some(10_000_000_000_000_000));
}

#[test]
fn negative_integers_are_read_where_they_may_occur() {
    assert_eq!([must::<i64>("-38"), must::<i64>("\"-38\""), must::<i64>("-38.0")], [Some(-38); 3]);
}

#[test]
fn numbers_may_be_strings_and_never_infinite() {
    assert_eq!(
        ["0", "\"0.00\"", "-0.5", "\"inf\"", "\"nan\""].map(must::<f64>),
        [Some(0.0), Some(0.0), Some(-0.5), None, None]
    );
}

#[test]
fn absent_numbers_are_null_or_empty() {
    assert_eq!(["null", "\"\"", "7"].map(may::<u64>), [None, None, Some(7)]);
}

#[test]
fn an_empty_string_is_a_string() {
    assert_eq!([may::<String>("\"\""), may::<String>("null")], [Some(String::new()), None]);
}

#[test]
fn of_a_key_that_comes_twice_the_last_value_counts() {
    let pairs = [
        (
            r#"{"status":[],"vmid":7,"vmid":"x","status":"stopped","vmid":101}"#,
            r#"{"status":"stopped","vmid":101}"#,
        ),
        (
            r#"{"vmid":1,"ha":{"managed":[],"managed":1},"vmid":100,"status":"a"}"#,
            r#"{"vmid":100,"status":"a","ha":{"managed":1}}"#,
        ),
    ];
    for (twice, once) in pairs {
        let rows =
            |row: &str| from_text::<Rows<LxcStatus>>(&format!("[{row},{{\"vmid\":200,\"status\":\"b\"}}]"));
        assert_eq!(rows(twice).unwrap(), rows(once).unwrap());
        assert_eq!(strictly::<Value>(twice).unwrap(), serde_json::from_str::<Value>(twice).unwrap());
    }
    let config = |json: &str| from_text::<LxcConfig>(json).unwrap();
    assert_eq!(config(r#"{"arch":[],"x":1,"arch":"amd64","x":2}"#), config(r#"{"arch":"amd64","x":2}"#));
}

#[test]
fn a_key_that_is_unknown_in_many_rows_is_told_once() {
    let row =
        json!({ "vmid": 100, "status": "running", "new": { "a": 1 }, "ha": { "managed": 1, "new": [] } });
    let json = json!([row, row, { "vmid": "x", "newer": 1 }, row]).to_string();
    let mut notes = Vec::new();
    let rows: Rows<LxcStatus> = read(json.as_bytes(), &mut |note| notes.push(note)).unwrap();
    let unknown = |path: &str| Note::Unknown { path: path.into() };
    assert_eq!((rows.len(), rows.unread().len()), (3, 1));
    assert_eq!(notes[..2], [unknown("[0].ha.new"), unknown("[0].new")]);
    assert_eq!(notes[2..].iter().map(|note| matches!(note, Note::Unread { .. })).collect::<Vec<_>>(), [true]);
}

#[test]
fn an_answer_that_is_cut_off_too_deep_or_too_long_is_never_read() {
    let json = r#"{"list":[{"vmid":100,"mem":[],"a\u00fc\"":[1.5,true,null,{}]},{"vmid":200}],"odd":1}"#;
    let cut = (0..json.len()).filter_map(|end| json.get(..end)).map(str::to_string);
    let deep = ["[", "{\"a\":"].map(|open| open.repeat(1000));
    let deep_but_whole = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    let long = format!("{{\"odd\":\"{}\"}}", "x".repeat((1 << 20) + 1));
    for json in cut.chain(deep).chain([deep_but_whole, long]) {
        let faults = [
            from_text::<Value>(&json).unwrap_err(),
            from_text::<LxcConfig>(&json).unwrap_err(),
            from_text::<Pool>(&json).unwrap_err(),
        ];
        assert!(faults[0].path.is_empty(), "{} {}", faults[0].path, faults[0].source);
    }
}

proptest! {
    #[test]
    fn every_integer_survives_as_number_and_as_string(value: u64) {
        prop_assert_eq!(must::<u64>(&value.to_string()), Some(value));
        prop_assert_eq!(must::<u64>(&format!("\"{value}\"")), Some(value));
    }

    #[test]
    fn json_is_what_serde_json_takes_for_it(json in r#"[\[\]{}:, ]{0,3}(["0-9a\\\\n/t,:\[\]{}u \t-]|true|null|"a":|,1|\\\\u00e[0-9]){0,12}"#) {
        let (read, wanted) = (strictly::<Value>(&json), serde_json::from_str::<Value>(&json));
        prop_assert_eq!(read.ok(), wanted.ok());
    }

    #[test]
    fn no_scalar_panics(json in "[-+0-9.eE\"a-z]{0,12}") {
        let _ = (must::<bool>(&json), must::<u64>(&json), must::<i64>(&json), must::<f64>(&json));
    }
}
