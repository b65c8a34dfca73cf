//! What people read, as it is printed: `texts.txt` says what is done, and each text is a golden file in `snapshots`.
//!
//! What differs from run to run is replaced: the folder, the port, fingerprints, times, versions, numbers of requests.

use std::fmt::Write as _;
use std::thread;

use insta::{Settings, assert_snapshot};
use serde_json::Value;

use crate::agent::{Agent, state};
use crate::cleanup::journal;
use crate::node::Node;

/// What differs from run to run, and what stands in its place.
const FILTERS: [(&str, &str); 15] = [
    (r"/[^ '\x22]*/\.tmp[A-Za-z0-9]+", "/folder"),
    (r"127\.0\.0\.1:[0-9]{2,5}", "127.0.0.1:8006"),
    (r"sport = :[0-9]+", "sport = :8006"),
    (r"([0-9A-F]{2}:){31}[0-9A-F]{2}", "FINGERPRINT"),
    (r"([0-9A-F]{2}:)+[0-9A-F]{2}\.\.\.[0-9A-F]{2}(:[0-9A-F]{2})+", "FINGER...PRINT"),
    (r"OU=[0-9a-f-]{36}", "OU=UUID"),
    (r"felhom-agent [0-9]+\.[0-9.]+ \([^)]*\)", "felhom-agent VERSION"),
    (r"\b(in|after) [0-9.]+ m?s\b", "$1 TIME"),
    (r"expires in [0-9]+ days", "expires in DAYS"),
    (r"[0-9]+ requests?  [0-9]+ handshakes?  [0-9.]+ s", "REQUESTS  HANDSHAKES  TIME"),
    (r"UPID:pve1:[0-9A-F:]+:", "UPID:pve1:NUMBERS:"),
    (r"felhom-st-[0-9a-f]{8}-[0-9a-f]{8}", "felhom-st-NAME"),
    (r#""(git|started)": "[^"]*""#, r#""$1": "TEXT""#),
    (
        r#""([a-z_]+_ms|polls|bytes_in|closed_by_server|connections|handshakes|not_after|not_before|requests|retries|skew_s)": -?[0-9.]+"#,
        r#""$1": 0"#,
    ),
    (r"\b20[0-9]{2}-[0-9]{2}-[0-9]{2}[T ][0-9:]+Z?", "DATE"),
];

/// Names that are told apart.
const NAMES: [(&str, &str); 2] =
    [("felhom-st-6b052c47-0a1b2c3d", "felhom-st-FIRST"), ("felhom-st-6b052c48-0a1b2c3d", "felhom-st-SECOND")];

/// A node, an agent, and what was printed so far.
struct Stage {
    node: Option<Node>,
    agent: Agent,
    text: String,
}

impl Stage {
    fn perform(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (first, more) = rest.split_once(' ').unwrap_or((rest, ""));
        match word {
            "$" => self.run(rest),
            "world" => {
                let node = Node::start(rest);
                self.agent = Agent::of(&node);
                self.node = Some(node);
            }
            "node" => match self.node().ask(rest) {
                Value::Null => {}
                answer => self.say(line, &answer),
            },
            "state" => {
                let (snapshots, tags) = state(self.node());
                let has_journal = self.agent.path("state/exercise.json").exists();
                self.say(line, &format_args!("{snapshots} {tags}, journal {has_journal}"));
            }
            "config" => self.agent.configure(self.node(), &serde_json::from_str(rest).unwrap()),
            "file" => drop(self.agent.write(first, more, 0o600)),
            "shell" => self.agent.shell("", rest),
            "journal" => journal(&self.agent, &serde_json::from_str(rest).unwrap()),
            "stop" => self.node = None,
            _ => assert!(word.is_empty() || word == "#", "{line}"),
        }
    }

    fn node(&self) -> &Node {
        self.node.as_ref().expect("a world comes first")
    }

    fn say(&mut self, line: &str, answer: &dyn std::fmt::Display) {
        writeln!(self.text, "{line}: {answer}\n").unwrap();
    }

    fn run(&mut self, line: &str) {
        let run = self.agent.run(line);
        writeln!(self.text, "$ felhom-agent {line}\n{}", run.stdout).unwrap();
        if !run.stderr.is_empty() {
            writeln!(self.text, "-- stderr\n{}", run.stderr).unwrap();
        }
        writeln!(self.text, "-- exit {}\n", run.exit).unwrap();
    }
}

/// Does what a case says, and returns all that was printed.
fn printed(case: &str) -> String {
    let mut stage = Stage { node: None, agent: Agent::with_text("{}"), text: String::new() };
    case.lines().for_each(|line| stage.perform(line));
    stage.text
}

/// Whether the host was so busy that connecting took longer than is well. No case is about that.
fn is_late(text: &str) -> bool {
    let times = text.split(" in ").filter_map(|rest| rest.split_once(" ms")?.0.parse().ok());
    times.into_iter().any(|milliseconds: f64| milliseconds > 200.0)
}

/// Does what a case says, and holds all that was printed against the golden text.
fn play(name: &str, case: &str) {
    let text = (0..10).map(|_| printed(case)).find(|text| !is_late(text));
    let text = text.expect("the host is never idle enough to connect in time");
    let mut settings = Settings::clone_current();
    for (pattern, replacement) in FILTERS {
        settings.add_filter(pattern, replacement);
    }
    settings.set_omit_expression(true);
    settings.set_prepend_module_to_snapshot(false);
    let text = NAMES.iter().fold(text, |text, (name, shown)| text.replace(name, shown));
    settings.bind(|| assert_snapshot!(name, text));
}

#[test]
fn what_is_printed_is_what_was_read_and_committed() {
    let cases = include_str!("texts.txt").split("\n== ").skip(1).map(|case| case.split_once('\n').unwrap());
    let failed = thread::scope(|scope| {
        let plays: Vec<_> = cases.map(|(name, case)| (name, scope.spawn(|| play(name, case)))).collect();
        let failed = plays.into_iter().filter_map(|(name, play)| play.join().err().map(|_| name));
        failed.collect::<Vec<_>>()
    });
    assert_eq!(failed, Vec::<&str>::new());
}
