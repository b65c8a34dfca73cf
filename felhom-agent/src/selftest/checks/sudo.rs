//! Checks of the way to root: whether sudo can be used, and permits exactly what the agent needs.

use std::collections::BTreeSet;
use std::sync::Arc;

use proxmox_privileged::argument::UserName;
use proxmox_privileged::{RunError, SudoTrouble, sudoers};
use serde_json::json;

use crate::config::PrivilegedMode;
use crate::finding::{Finding, Remedy};
use crate::host::account;
use crate::selftest::check::{Findings, findings};
use crate::selftest::context::Context;
use crate::wiring;

/// Where the drop-in is.
const DROP_IN: &str = "/etc/sudoers.d/felhom-agent";

/// Installs it again, for the account that runs this; where there is none, makes one.
fn install() -> String {
    match account::name() {
        Some(name) => {
            let rules = format!("felhom-agent sudoers --user {name}");
            format!("{rules} | visudo -c -f - && {rules} | install -m 0440 /dev/stdin {DROP_IN}")
        }
        None => "adduser --system --group --home /var/lib/felhom-agent felhom".into(),
    }
}

/// Why nothing has to be looked at.
fn unused(context: &Context) -> Option<Finding> {
    match &context.config {
        Err(_) => Some(Finding::skip("there is no configuration")),
        Ok(config) if config.privileged_mode == PrivilegedMode::Direct => {
            Some(Finding::skip("privileged.mode is direct: sudo is not used"))
        }
        Ok(_) if rustix::process::geteuid().is_root() => Some(Finding::skip("root needs no sudo")),
        Ok(_) => None,
    }
}

pub(super) fn flag(context: Arc<Context>) -> Findings {
    findings(async move {
        if let Some(skip) = unused(&context) {
            return vec![skip];
        }
        vec![match wiring::sudo_trouble() {
            Some(SudoTrouble::NoNewPrivileges) => Finding::fail(
                "the \"no new privileges\" flag is set, so sudo cannot become root",
                Remedy::fix("systemctl edit felhom-agent && systemctl restart felhom-agent"),
            )
            .look("systemctl cat felhom-agent | grep -nE 'NoNewPrivileges|PrivateDevices|Protect|Restrict|SystemCall|Lock|MemoryDeny'")
            .because("NoNewPrivileges=yes sets it, and so do many other settings of a unit with User="),
            _ => Finding::ok("programs may become another user"),
        }]
    })
}

pub(super) fn ready(context: Arc<Context>) -> Findings {
    findings(async move {
        if let Some(skip) = unused(&context) {
            return vec![skip];
        }
        vec![match wiring::permitted().await {
            Ok(listed) => {
                let missing: Vec<String> = expected().difference(&rules(&listed)).map(program).collect();
                if missing.is_empty() {
                    Finding::ok("sudo runs every command of the agent without a password")
                } else {
                    Finding::fail(
                        format!("sudo does not permit {}", missing.join(", ")),
                        Remedy::fix(install()),
                    )
                }
            }
            Err(error) => refused(&error),
        }]
    })
}

fn refused(error: &RunError) -> Finding {
    let fix = match error {
        RunError::SudoUnusable { trouble: SudoTrouble::Missing } => "apt install sudo".into(),
        RunError::SudoUnusable { trouble: SudoTrouble::NotSetuid } => "apt install --reinstall sudo".into(),
        _ => install(),
    };
    Finding::fail(error.to_string(), Remedy::fix(fix))
}

pub(super) fn exact(context: Arc<Context>) -> Findings {
    findings(async move {
        if let Some(skip) = unused(&context) {
            return vec![skip];
        }
        let Ok(listed) = wiring::permitted().await else {
            return vec![Finding::skip("sudo does not list its rules")];
        };
        let (expected, found) = (expected(), rules(&listed));
        let extra: Vec<&Rule> = found.difference(&expected).collect();
        if extra.is_empty() {
            return vec![Finding::ok(format!("{} rules, and no other", expected.len()))];
        }
        let warn = |rule: &Rule| {
            Finding::warn(format!("sudo permits more: {}", rule.command))
                .because("whoever takes over the agent can run it as root")
                .fix(format!("visudo -f {DROP_IN}"))
                .look("grep -rn felhom /etc/sudoers /etc/sudoers.d")
        };
        let more = json!({ "extra": extra.iter().map(|rule| &rule.command).collect::<Vec<_>>() });
        extra.into_iter().map(warn).map(|finding| finding.with(more.clone())).collect()
    })
}

/// What sudo may run, and how long: the rest of a rule decides nothing that is looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rule {
    command: String,
    seconds: Option<u64>,
}

fn program(rule: &Rule) -> String {
    rule.command.split(' ').next().unwrap_or_default().to_string()
}

/// The rules of the drop-in. They are the same for every account.
fn expected() -> BTreeSet<Rule> {
    let text = "felhom".parse::<UserName>().map(|user| sudoers(&user)).unwrap_or_default();
    text.lines().filter(|line| line.contains(" ALL=(root) ")).filter_map(rule).collect()
}

/// The rules that `sudo -l` lists, below its heading.
fn rules(listed: &str) -> BTreeSet<Rule> {
    listed.lines().filter(|line| line.trim_start().starts_with('(')).filter_map(rule).collect()
}

/// `(root) TIMEOUT=75 NOSETENV: NOPASSWD: /usr/bin/mount ^...$`, or the same with other tags in another order.
fn rule(line: &str) -> Option<Rule> {
    let start = line.find(" /").map_or_else(|| line.rfind(": ").map(|at| at + 2), |at| Some(at + 1))?;
    let seconds = line.split_once("TIMEOUT=").map(|(_, rest)| rest.trim_start_matches('0'));
    let digits = seconds.map(|text| text.chars().take_while(char::is_ascii_digit).collect::<String>());
    Some(Rule {
        command: line.get(start..)?.trim().into(),
        seconds: digits.and_then(|text| text.parse().ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As sudo 1.9.13 lists the drop-in: tags in another order, no unit after the time.
    fn listed() -> String {
        let text = sudoers(&"felhom".parse().unwrap());
        let rules = text.lines().filter_map(|line| line.strip_prefix("felhom ALL="));
        let lines = rules
            .map(|rule| format!("    {}\n", rule.replace("s NOPASSWD: NOSETENV:", " NOSETENV: NOPASSWD:")));
        format!("User felhom may run the following commands on pve1:\n{}", lines.collect::<Vec<_>>().concat())
    }

    #[test]
    fn the_drop_in_is_known_again_in_the_words_of_sudo() {
        assert_eq!(rules(&listed()), expected());
        assert_eq!(expected().len(), 5);
    }

    #[test]
    fn a_rule_more_a_rule_less_and_a_longer_time_are_told() {
        let more = listed() + "    (ALL : ALL) NOPASSWD: ALL\n    (root) NOPASSWD: /usr/bin/cat *\n";
        let extra: Vec<String> =
            rules(&more).difference(&expected()).map(|rule| rule.command.clone()).collect();
        assert_eq!(extra, ["/usr/bin/cat *", "ALL"]);
        let longer = listed().replace("TIMEOUT=75", "TIMEOUT=7500");
        assert_eq!(rules(&longer).difference(&expected()).count(), 3);
        let less = listed().replace("/usr/sbin/pct", "/usr/sbin/qm");
        assert_eq!(expected().difference(&rules(&less)).map(program).collect::<Vec<_>>(), ["/usr/sbin/pct"]);
    }
}
