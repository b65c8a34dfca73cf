//! The sentences of PVE that were recorded or stand in its source, and others of their kind.

use alloc::format;
use alloc::vec::Vec;

use super::*;

/// The sentence of a recorded refusal, or of the end of a recorded task.
fn recorded(name: &str) -> String {
    let read = |name: &str| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../proxmox-types/fixtures");
        let text = std::fs::read_to_string(folder.join(format!("{name}.json")));
        text.ok().map(|text| serde_json::from_str::<serde_json::Value>(&text).unwrap())
    };
    let call = read(name).unwrap_or_else(|| panic!("there is no recording {name}"));
    if call["status"] != 200 {
        return call["reason"].as_str().unwrap().into();
    }
    let task = read(&format!("{name}.task-status")).unwrap();
    let body: serde_json::Value = serde_json::from_str(task["body"].as_str().unwrap()).unwrap();
    body["data"]["exitstatus"].as_str().unwrap().into()
}

/// Every row has a recording that it reads and no row before it does, or a file of the source.
#[test]
fn every_sentence_was_said_in_the_recording_or_the_source_that_its_row_names() {
    for wanted in ROWS.iter().flat_map(|group| group.iter()) {
        if wanted.seen.contains(".pm") {
            continue;
        }
        let (row, _) = find(&recorded(wanted.seen)).unwrap_or_else(|| panic!("{}", wanted.seen));
        assert_eq!(row.pattern, wanted.pattern, "{}", wanted.seen);
    }
}

/// A meaning as the cases write it; all of it is there.
fn written(cause: &Cause, text: &str) -> String {
    let Cause::Permission(denied) = cause else {
        return format!("{cause:?}").replace(&format!("{text:?}"), "..");
    };
    assert!(!denied.any && denied.needs.is_none(), "{denied:?}");
    match (&denied.root_only, &denied.path) {
        (Some(what), None) if denied.privileges.is_empty() => format!("root@pam: {what}"),
        (None, Some(path)) => format!("{} on {path}", denied.privileges.join(",")),
        _ => format!("{denied:?}"),
    }
}

/// What a case means, wherever PVE can say it.
fn meanings(said: &str) -> Vec<String> {
    let mut parts = said.split(" | ").map(|part| part.replace("\\n", "\n"));
    let (text, log) = (parts.next().unwrap(), parts.collect::<Vec<_>>());
    let ended = written(&classify_exit(&text, &log), &text);
    if !log.is_empty() {
        return alloc::vec![ended];
    }
    alloc::vec![ended, written(&classify(500, &text, BTreeMap::new()), &text)]
}

/// What a case about a parameter means.
fn refused(name: &str, text: &str) -> String {
    let fields = BTreeMap::from([(name.into(), text.replace("\\n", "\n"))]);
    written(&classify(400, "Parameter verification failed.", fields), text)
}

#[test]
fn what_pve_says_means_what_the_cases_say() {
    let (mut claim, mut checked) = ("", 0);
    for line in include_str!("cases.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some((said, wanted)) = line.split_once(" => ") else {
            claim = line;
            continue;
        };
        let parameter =
            said.split_once(": ").filter(|_| claim.contains("option") || claim.contains("parameter"));
        let seen = parameter.map_or_else(|| meanings(said), |(name, text)| alloc::vec![refused(name, text)]);
        assert!(seen.iter().all(|seen| seen == wanted), "{claim}: {said}: {seen:?}");
        checked += 1;
    }
    assert_eq!(checked, 81);
}
