//! An outage in the middle of a wait: pveproxy restarts, and the end of the task is learnt all the same.

use std::time::Duration;

use proxmox_api::Patience;
use proxmox_types::Upid;

use crate::agent::client;
use crate::answers::answer;
use crate::faultd::{Faultd, Step};

const UPID: &str = "UPID:pve1:0000091C:0004ED09:6B052CDB:vzsnapshot:101:felhom@pve!agent:";

fn status(more: &str) -> Vec<u8> {
    let fixed = r#""type":"vzsnapshot","id":"101","node":"pve1","user":"felhom@pve","pid":2332,"pstart":322825,"starttime":1795501275"#;
    answer("200 OK", &format!(r#"{{"data":{{"upid":"{UPID}",{fixed},{more}}}}}"#))
}

#[tokio::test]
async fn a_restart_of_pveproxy_does_not_hide_the_end_of_a_task() {
    let running = status(r#""status":"running""#);
    let stopped = status(r#""status":"stopped","exitstatus":"OK""#);
    let scripts = vec![
        vec![Step::Serve(running, 1), Step::Read, Step::Reset],
        vec![Step::Read],
        vec![Step::Reset],
        vec![Step::Serve(answer("596 Connection timed out", ""), 1)],
        vec![Step::Serve(stopped, 1)],
    ];
    let server = Faultd::node(scripts).await;
    let upid: Upid = UPID.parse().unwrap();
    let ended = client(&server).task(&upid).wait(Patience::new(Duration::from_secs(10))).await.unwrap();
    assert_eq!((ended.upid, ended.warnings), (Some(upid), 0));
}
