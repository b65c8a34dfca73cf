//! Transcripts: what is typed on a host that was made for it, and what comes of it.
//!
//! A case begins with `== NAME`. A line with `$ ` goes to `/bin/sh`, which has the words of `host.sh`; below it stands what
//! is printed, with `! ` before each line of stderr and the exit status in brackets unless it is 0. `[..]` stands for any
//! text. `FELHOM_ACCEPT=1` writes down what was printed, to be read and committed.

use std::fs;
use std::io::Write;

use crate::contained::{End, assert_passed, each, prepare, shell};

/// A line for the shell, and what is printed then.
type Step<'a> = (&'a str, Vec<&'a str>);

/// The cases of a file, each with its name and its text.
fn cases(text: &str) -> Vec<(&str, &str)> {
    let cases = text.split("\n== ").skip(1);
    cases.map(|case| case.split_once('\n').unwrap()).collect()
}

/// What is said before the first line for the shell, and the steps.
fn steps(case: &str) -> (&str, Vec<Step<'_>>) {
    let (head, rest) = case.split_once("$ ").unwrap();
    let steps = rest.trim_end().split("\n$ ").map(|step| {
        let mut lines = step.lines();
        (lines.next().unwrap(), lines.collect())
    });
    (head, steps.collect())
}

/// Whether a line is the one that is expected, in which `[..]` is any text.
fn fits(expected: &str, line: &str) -> bool {
    let Some((start, rest)) = expected.split_once("[..]") else { return expected == line };
    let Some(line) = line.strip_prefix(start) else { return false };
    let places = line.char_indices().map(|(at, _)| at).chain([line.len()]);
    places.map(|at| line.split_at(at).1).any(|line| fits(rest, line))
}

/// A line and what it prints; lines that fit stay as they were expected.
fn printed((line, expected): &Step<'_>) -> String {
    let output = shell(line).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut lines: Vec<String> = text(&output.stdout).lines().map(Into::into).collect();
    lines.extend(text(&output.stderr).lines().map(|line| format!("! {line}")));
    match output.status.code() {
        Some(0) => (),
        Some(status) => lines.push(format!("[{status}]")),
        None => lines.push(format!("[{}]", output.status)),
    }
    for (line, expected) in lines.iter_mut().zip(expected) {
        if fits(expected, line) {
            line.replace_range(.., expected);
        }
    }
    lines.insert(0, format!("$ {line}"));
    lines.join("\n") + "\n"
}

/// Plays a case, and gives what it should have been.
fn played(case: &str) -> String {
    let (head, steps) = steps(case);
    head.to_owned() + &steps.iter().map(printed).collect::<String>()
}

/// Plays every case of a file.
fn play(name: &str) {
    let path = format!("{}/tests/host/{}.txt", env!("CARGO_MANIFEST_DIR"), name.replace("::", "/"));
    let text = fs::read_to_string(&path).unwrap();
    let cases = cases(&text);
    let names: Vec<_> = cases.iter().map(|(name, _)| *name).collect();
    let ends = each(name, &names, |name| {
        prepare();
        let (_, case) = cases.iter().find(|(known, _)| *known == name).unwrap();
        let played = played(case);
        println!("{BEGIN}{played}{END}");
        let is_skipped = played.contains("\nSKIPPED");
        assert!(is_skipped || played.trim_end() == case.trim_end(), "differs");
    });
    if !ends.is_empty() && std::env::var_os("FELHOM_ACCEPT").is_some() {
        let played =
            |end: &End| end.said.split_once(BEGIN)?.1.split_once(END).map(|(played, _)| played.to_owned());
        let cases = ends.iter().zip(&cases).map(|(end, (name, case))| {
            format!("\n== {name}\n{}", played(end).unwrap_or_else(|| (*case).to_owned()))
        });
        let head = text.split("\n== ").next().unwrap();
        fs::write(path, format!("{head}{}", cases.collect::<String>())).unwrap();
    }
    for skipped in ends.iter().filter(|end| end.said.contains("\nSKIPPED")) {
        writeln!(std::io::stderr(), "{}: {}", skipped.name, skipped.said).unwrap();
    }
    assert_passed(&ends);
}

/// What stands around a transcript in the output of a case.
const BEGIN: &str = "\n--- printed\n";
const END: &str = "--- end\n";

#[test]
fn usb() {
    play("transcripts::usb");
}

#[test]
fn mounts() {
    play("transcripts::mounts");
}

#[test]
fn persist() {
    play("transcripts::persist");
}

#[test]
fn golden() {
    play("transcripts::golden");
}

#[test]
fn selftest() {
    play("transcripts::selftest");
}

#[test]
fn tools() {
    play("transcripts::tools");
}
