//! What people read, as it is printed: each text is a golden file in `snapshots`.
//!
//! What differs from run to run is replaced: the folder, the port, fingerprints, times, versions, numbers of requests.

use std::fmt::Write as _;

use insta::{Settings, assert_snapshot};
use serde_json::json;

use crate::agent::{Agent, clean, state, world};
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

/// Commands as they were typed, with all that they printed.
struct Transcript<'a> {
    agent: &'a Agent,
    text: String,
}

impl<'a> Transcript<'a> {
    fn of(agent: &'a Agent) -> Self {
        Self { agent, text: String::new() }
    }

    /// Adds a run of the agent; the words are separated by blanks.
    fn run(&mut self, line: &str) -> &mut Self {
        let run = self.agent.run(line);
        writeln!(self.text, "$ felhom-agent {line}\n{}", run.stdout).unwrap();
        if !run.stderr.is_empty() {
            writeln!(self.text, "-- stderr\n{}", run.stderr).unwrap();
        }
        writeln!(self.text, "-- exit {}\n", run.exit).unwrap();
        self
    }

    /// Holds everything against the golden text.
    fn assert(&self, name: &str) {
        let mut settings = Settings::clone_current();
        for (pattern, replacement) in FILTERS {
            settings.add_filter(pattern, replacement);
        }
        settings.set_omit_expression(true);
        settings.set_prepend_module_to_snapshot(false);
        settings.bind(|| assert_snapshot!(name, self.text));
    }
}

/// The host that the tests run on is not a PVE host.
const REPORT: &str = "selftest --skip sudo,host";
const REPORT_JSON: &str = "selftest --skip sudo,host -o json";

#[test]
fn help() {
    let agent = Agent::with_text("{}");
    let mut transcript = Transcript::of(&agent);
    let commands = "|selftest |cleanup |disks |sensors |usb |usb list |usb status |usb mount |usb unmount |usb persist \
                    |usb forget |golden |golden create |sudoers ";
    for command in commands.split('|') {
        transcript.run(&format!("{command}--help"));
    }
    transcript.run("selftest --list-checks").run("sudoers").run("sudoers --user other").assert("help");
}

#[test]
fn wrong_command_lines() {
    Transcript::of(&Agent::with_text("{}"))
        .run("selftest --only tls.pins")
        .run("selftest --only x.guest")
        .run("selftest --only decode --skip decode")
        .run("selftest --task --skip tls")
        .run("selftest --timeout soon")
        .run("cleanup now")
        .run("usb mount ../etc")
        .run("golden create")
        .run("sudoers --user ALL")
        .assert("wrong_command_lines");
}

#[test]
fn all_is_well() {
    let (_node, agent) = world(&[]);
    Transcript::of(&agent)
        .run(REPORT)
        .run("selftest -q --skip sudo,host")
        .run("selftest --color always --only tls.pin,api")
        .run(REPORT_JSON)
        .run("cleanup")
        .run("cleanup --dry-run -o json")
        .run("usb status")
        .run("usb status -o json")
        .assert("all_is_well");
}

#[test]
fn golden() {
    let (node, agent) = world(&[]);
    let mut transcript = Transcript::of(&agent);
    for time in ["05_46_14", "00_00_00"] {
        let golden = format!("local:backup/vzdump-lxc-210-2026_11_24-{time}.tar.zst");
        agent.configure(&node, &json!({ "golden": golden }));
        transcript.run("selftest --only storage.golden");
    }
    let create = "golden create --vmid 310 --storage local --dry-run --template";
    transcript
        .run(&format!("{create} local:vztmpl/alpine-3.22-mini_3.22.0_amd64.tar.gz"))
        .run(&format!("{create} local:vztmpl/alpine-3.22-mini_3.22.0_amd64.tar.gz -o json"))
        .run(&format!("{create} local:vztmpl/absent-1_amd64.tar.gz"))
        .assert("golden");
}

#[test]
fn without_a_configuration() {
    let agent = Agent::with_text("{ \"url\": \"https://127.0.0.1:8006\", ");
    let mut transcript = Transcript::of(&agent);
    transcript.run(REPORT).run("cleanup").run("cleanup -o json").run("usb status").run("usb status -o json");
    agent.write(
        "config.json",
        "{ \"url\": \"127.0.0.1\", \"nod\": \"pve1\", \"pool\": 7, \"token\": \"x\" }",
        0o600,
    );
    transcript.run(REPORT).run("cleanup");
    agent.write("config.json", "{}", 0o644);
    transcript.run(REPORT).run("cleanup");
    agent.write("config.json", "{", 0o600);
    transcript.run("selftest --skip config,sudo,host");
    let ca = "{ \"url\": \"https://127.0.0.1\", \"node\": \"pve1\", \"token\": \"felhom@pve!agent=0c7f2a4e-9b1d-4e6a-8f35-2d6b7c9e1a40\", \"tls\": { \"ca_file\": \"/etc/passwd\" } }";
    agent.write("config.json", ca, 0o600);
    transcript.run("selftest --skip config.tls,sudo,host").run(REPORT);
    std::fs::remove_file(agent.path("config.json")).unwrap();
    transcript.run(REPORT).run("cleanup").assert("without_a_configuration");
}

#[test]
fn without_a_connection() {
    let (node, agent) = world(&[]);
    drop(node);
    Transcript::of(&agent)
        .run(REPORT)
        .run("selftest --task")
        .run("cleanup")
        .run("cleanup -o json")
        .assert("without_a_connection");
}

#[test]
fn a_certificate_of_somebody_else() {
    let node = Node::start("");
    let agent = Agent::changed(&node, &json!({ "tls": { "pins": ["00".repeat(32)] } }));
    Transcript::of(&agent).run(REPORT).run("cleanup").assert("a_certificate_of_somebody_else");
}

#[test]
fn missing_privileges() {
    let (_node, agent) = world(&[
        "revoke /pool/felhom FelhomAgent",
        "revoke /nodes/pve1 FelhomNode",
        "role FelhomNet",
        "role FelhomStore Datastore.Audit",
        "revoke /sdn/zones/localnetwork/vmbr0 FelhomNet",
    ]);
    Transcript::of(&agent)
        .run(REPORT)
        .run(REPORT_JSON)
        .run("selftest --task")
        .run("cleanup")
        .assert("missing_privileges");
}

#[test]
fn a_refused_token() {
    let (node, agent) = world(&[]);
    node.refuse_token();
    Transcript::of(&agent)
        .run(REPORT)
        .run(REPORT_JSON)
        .run("selftest --task")
        .run("cleanup")
        .run("cleanup -o json")
        .assert("a_refused_token");
}

#[test]
fn an_ill_node() {
    let (node, agent) = world(&[]);
    let mut transcript = Transcript::of(&agent);
    node.tell("lock 101 backup");
    transcript.run(REPORT).run("selftest -q --strict --skip sudo,host");
    node.tell("lock 101");
    node.tell("delay storage.list 30000");
    transcript.run(REPORT);
    node.tell("delay storage.list 0");
    node.tell("daemon down");
    transcript.run(REPORT).run("cleanup").assert("an_ill_node");
}

#[test]
fn a_leftover_of_an_exercise() {
    let (node, agent) = world(&[]);
    let mut transcript = Transcript::of(&agent);
    node.tell("snapshot 300 felhom-st-6b052c47-0a1b2c3d self-test of felhom-agent");
    node.tell("snapshot 300 felhom-st-before-upgrade mine");
    journal(&agent, &json!({ "vmid": 999 }));
    transcript.run("selftest --only guests.leftovers").run("selftest --task").run("cleanup --dry-run");
    journal(&agent, &json!({ "node": "pve2" }));
    transcript.run("cleanup");
    journal(&agent, &json!({}));
    transcript.run("cleanup --dry-run").run("cleanup -o json").run("cleanup");
    agent.write("state/exercise.json", "{\"vmid\": 3", 0o600);
    transcript.run("cleanup").run("selftest --only guests.leftovers").assert("a_leftover_of_an_exercise");
}

#[test]
fn the_exercise() {
    let (node, agent) = world(&[]);
    let mut transcript = Transcript::of(&agent);
    transcript.run("selftest --task").run("selftest --task -o json").run("selftest --task --vmid 100");
    // With fewer privileges nothing is left either.
    for privileges in ["VM.Audit VM.Snapshot", "VM.Audit VM.Config.Options"] {
        node.tell(&format!("role FelhomAgent {privileges}"));
        transcript.run("selftest --task");
        assert_eq!(state(&node), clean(), "{privileges}");
    }
    transcript.assert("the_exercise");
}
