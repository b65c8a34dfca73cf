//! Every recorded end of a task, and what waiting for it returns.

use proxmox_api::{Client, Ended, Error, Patience};
use proxmox_types::{TaskStatus, Upid};
use serde::Deserialize;

use crate::canned::{client, now};
use crate::recording::{Recording, all, one};

#[derive(Deserialize)]
struct Envelope {
    data: TaskStatus,
}

fn upid(recording: &Recording) -> Upid {
    let body = recording.response.clone().unwrap().body;
    serde_json::from_slice::<Envelope>(body.as_bytes()).unwrap().data.upid
}

fn waited(recording: &Recording) -> Result<Ended, Error> {
    let status = recording.response.clone().unwrap();
    let log = one(&recording.name.replace(".task-status", ".task-log")).and_then(|log| log.response);
    // The log is read twice: for its length, and for its end.
    let client: Client = client([Some(status), log.clone(), log].into_iter().flatten());
    now(client.task(&upid(recording)).wait(Patience::default()))
}

fn ends() -> impl Iterator<Item = Recording> {
    all().into_iter().filter(|recording| recording.name.ends_with(".task-status"))
}

#[test]
fn every_recorded_end_is_judged_as_the_table_says() {
    let lines = ends().map(|recording| {
        let name = recording.name.trim_end_matches(".task-status");
        match waited(&recording) {
            Ok(ended) if ended.had_nothing_to_do => format!("{name}: ok, nothing to do"),
            Ok(ended) if ended.warnings == 0 => format!("{name}: ok"),
            Ok(ended) => format!("{name}: ok with {} warnings {:?}", ended.warnings, ended.warning_lines),
            Err(Error::TaskFailed { cause, log_tail, .. }) => {
                format!("{name}: failed, {cause:?}, {} lines of log", log_tail.len())
            }
            Err(error) => format!("{name}: {error}"),
        }
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_failure_carries_the_last_lines_of_the_log() {
    let recording = one("lxc-create-fail-no-template.task-status").unwrap();
    let Err(Error::TaskFailed { log_tail, exit, .. }) = waited(&recording) else { panic!("it failed") };
    assert_eq!(log_tail.last().unwrap(), &format!("TASK ERROR: {exit}"));
}
