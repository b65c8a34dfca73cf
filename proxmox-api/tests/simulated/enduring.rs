//! What a wait survives, for how long, and what ends it at once.

use core::time::Duration;

use proxmox_api::scope::task;
use proxmox_api::sim::{Effect, HttpAnswer, Injection, now};
use proxmox_api::{Error, Patience};
use proxmox_types::params::VzdumpParams;

use crate::waiting::{MINUTE, node, started, vmid, wait};

fn answered(status: u16, body: &str) -> Effect {
    Effect::Instead(HttpAnswer { body: body.into(), ..HttpAnswer::bare(status, "Said so") })
}

/// Statuses that are about the moment, or make no sense.
const PASSING: [u16; 22] = [
    100, 101, 201, 202, 204, 206, 301, 302, 304, 408, 425, 429, 500, 501, 502, 503, 504, 507, 595, 596, 599,
    999,
];

/// Bodies that are not the status of a task.
const SENSELESS: [&str; 16] = [
    "",
    " ",
    "{",
    "null",
    "[]",
    "\"OK\"",
    "{}",
    "{\"data\":null}",
    "{\"data\":[]}",
    "{\"data\":{}}",
    "{\"data\":{\"status\":\"stopped\"}}",
    "{\"data\":{\"status\":\"stopped\",\"exitstatus\":\"O",
    "<html><body>502 Bad Gateway</body></html>",
    "\u{feff}{\"data\":null}",
    "{\"data\":\"UPID:pve1:0000091C:0004ED09:6B052CDB:vzdump::root@pam:\"}",
    "{\"data\":{\"status\":\"stopped\",\"exitstatus\":\"OK\",\"id\":\"300\",\"node\":\"pve1\",\"pid\":1,\"pstart\":1,\
     \"starttime\":1,\"type\":\"vzsnapshot\",\"upid\":\"UPID:pve1:0000091C:0004ED09:6B052CDB:vzsnapshot:300:x@pve:\",\"user\":\"x@pve\"}}",
];

fn passing() -> Vec<Effect> {
    let lost = [Effect::Refused, Effect::LostRequest, Effect::LostAnswer, Effect::Gateway(596)];
    let unknown = Effect::Instead(HttpAnswer::refused_parameter("upid", "no such task"));
    let ipcc = Effect::Instead(HttpAnswer::bare(500, "ipcc_send_rec[1] failed: Connection refused"));
    let statuses = PASSING.map(|status| answered(status, ""));
    let bodies = SENSELESS.map(|body| answered(200, body));
    lost.into_iter().chain([unknown, ipcc]).chain(statuses).chain(bodies).collect()
}

#[test]
fn polls_survive_what_passes() {
    for effect in passing() {
        let (sim, client, upid) = started(300, Duration::from_millis(10));
        sim.inject(Injection { endpoint: &task::STATUS, effect: effect.clone(), times: 3 });
        let ended = wait(&client, &upid);
        assert_eq!(ended.expect("it passes").polls, 4, "{effect:?}");
    }
}

#[test]
fn an_outage_is_not_borne_for_ever() {
    let unknown = |effect: &Effect| matches!(effect, Effect::Instead(answer) if answer.status == 400);
    for effect in passing().into_iter().filter(|effect| !unknown(effect)) {
        let (sim, client, upid) = started(300, MINUTE * 5);
        sim.inject(Injection { endpoint: &task::STATUS, effect: effect.clone(), times: usize::MAX });
        let start = sim.world().now;
        let error = wait(&client, &upid).unwrap_err();
        let took = sim.world().now.saturating_sub(start);
        assert!(took >= MINUTE && took <= MINUTE + Duration::from_secs(3), "{effect:?}: {took:?}");
        assert!(matches!(error, Error::TaskUnwatched { .. }), "{effect:?}: {error}");
        assert_eq!((error.upid(), error.may_have_happened()), (Some(&upid), true));
    }
}

#[test]
fn one_answer_ends_an_outage() {
    let (sim, client, upid) = started(300, MINUTE * 4);
    for _ in 0..4 {
        // Polls come every 2 s at last.
        sim.inject(Injection { endpoint: &task::STATUS, effect: answered(503, ""), times: 25 });
        sim.inject(Injection::once(&task::STATUS, Effect::Slow(Duration::ZERO)));
    }
    wait(&client, &upid).unwrap();
}

#[test]
fn what_would_be_said_again_ends_the_wait_at_once() {
    for status in [400, 401, 403, 404, 405, 407, 410, 413, 414, 418, 431, 451] {
        let (sim, client, upid) = started(300, MINUTE);
        let reason = if status == 403 { "Permission check failed" } else { "Said so" };
        let effect = Effect::Instead(HttpAnswer::bare(status, reason));
        sim.inject(Injection { endpoint: &task::STATUS, effect, times: usize::MAX });
        let before = sim.count(&task::STATUS);
        let start = sim.world().now;
        let error = wait(&client, &upid).unwrap_err();
        assert!(sim.world().now.saturating_sub(start) < Duration::from_secs(1), "{status}");
        assert_eq!((error.upid(), sim.count(&task::STATUS) - before), (Some(&upid), 0), "{status}");
        assert_eq!((error.is_unauthorized(), error.denied().is_some()), (status == 401, status == 403));
    }
}

#[test]
fn a_log_is_read_to_its_end_whatever_passes() {
    // A task that is not known has no log, and a log may have no lines.
    let is_said = |answer: &HttpAnswer| answer.status == 400 || answer.body == "{\"data\":[]}";
    let is_failure = |effect: &Effect| !matches!(effect, Effect::Instead(answer) if is_said(answer));
    for effect in passing().into_iter().filter(is_failure) {
        let (sim, client, failing) = started(101, Duration::ZERO);
        sim.inject(Injection { endpoint: &task::LOG, effect: effect.clone(), times: 2 });
        let error = wait(&client, &failing).unwrap_err();
        let Error::TaskFailed { log_tail, .. } = error else { panic!("{effect:?}: {error}") };
        assert_eq!(
            log_tail.last().map(String::as_str),
            Some("TASK ERROR: snapshot feature is not available")
        );
        let started = now(client.node(&node()).vzdump(&VzdumpParams::new(vmid(100).into()))).unwrap();
        sim.inject(Injection { endpoint: &task::LOG, effect: effect.clone(), times: 3 });
        let mut lines = Vec::new();
        let mut collect = |line: &str| lines.push(line.to_owned());
        let upid = started.upid().unwrap();
        now(client.task(upid).wait_with_log(Patience::default(), &mut collect)).unwrap();
        assert_eq!(lines.last().map(String::as_str), Some("TASK OK"), "{effect:?}");
    }
}
