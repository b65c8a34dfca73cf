//! Checks of the way to root: whether sudo can be used, and permits exactly what the agent needs.

use std::collections::BTreeSet;

use proxmox_privileged::argument::UserName;
use proxmox_privileged::{RunError, SudoTrouble, sudoers};
use serde_json::json;

use crate::config::{Config, PrivilegedMode};
use crate::host::account;
use crate::report::finding::{Claim, Finding, Remedy};
use crate::selftest::{Check, Look, at_once};
use crate::wiring;

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        Claim::new("sudo.nnp", "programs of the agent may become root", "/proc/self/status")
            .needs(&["config.file"]),
        Look::Host(|config| at_once(vec![flag(config)])),
    ),
    Check::new(
        Claim::new("sudo.ready", "sudo runs every command of the agent without a password", "sudo -l")
            .needs(&["sudo.nnp"]),
        Look::Host(|config| Box::pin(listed(config, ready))),
    ),
    Check::new(
        Claim::new("sudo.exact", "sudo permits nothing else", "sudo -l").needs(&["sudo.ready"]),
        Look::Host(|config| Box::pin(listed(config, exact))),
    ),
];

/// Where the drop-in is.
const DROP_IN: &str = "/etc/sudoers.d/felhom-agent";

/// Installs it again, for the account that runs this; where there is none, makes one.
fn install() -> String {
    account::name().map_or_else(
        || "adduser --system --group --home /var/lib/felhom-agent felhom".into(),
        |account| install_at(DROP_IN, &account),
    )
}

fn install_at(path: &str, account: &str) -> String {
    let rules = format!("felhom-agent sudoers --user {account}");
    format!("{rules} | visudo -c -f - && {rules} | install -m 0440 /dev/stdin {path}")
}

/// A drop-in that is read after all others, so that none of them changes what it says.
const LAST: &str = "/etc/sudoers.d/zzz-felhom-agent";

/// Moves the rules behind everything that others have said since.
fn install_last(account: &str) -> String {
    format!("{} && rm -f {DROP_IN}", install_at(LAST, account))
}

/// Makes the account valid again: one without an entry in shadow, an expired one, and one with an expired password.
fn revive(account: &str) -> String {
    format!("pwconv && chage -E -1 -M -1 -I -1 {account}")
}

/// Brings back the sudo that the rules are written for: sudo-rs knows neither their expressions nor their time limits.
fn original(_: &str) -> String {
    "apt install --reinstall sudo && (update-alternatives --set sudo /usr/bin/sudo.ws || true)".into()
}

/// What repairs a complaint of sudo, for the account of the agent.
type Repair = fn(&str) -> String;

/// What sudo says, and what repairs it. The first that fits counts.
///
/// Seen with sudo 1.9.13 and sudo-rs 0.2.15; the last four are from the sources of sudo, `plugins/sudoers`.
const REPAIRS: [(&str, Repair); 10] = [
    ("sudo-rs", original),
    ("Sorry, user", original),
    ("I'm sorry", original),
    ("interactive authentication is required", original),
    ("account validation failure", revive),
    ("must have a tty", install_last),
    ("expired", revive),
    ("no valid sudoers sources", |_| {
        "chown root:root /etc/sudoers && chmod 0440 /etc/sudoers && visudo -c".into()
    }),
    ("effective uid is not 0", |_| "mount -o remount,suid \"$(findmnt -no TARGET -T /usr/bin/sudo)\"".into()),
    ("PAM", |_| "apt install --reinstall -o Dpkg::Options::=--force-confmiss sudo libpam-modules".into()),
];

/// Shows what else the files of sudo say.
const LOOK: &str = "grep -rnE 'includedir|requiretty|listpw|felhom' /etc/sudoers /etc/sudoers.d";

/// Why nothing has to be looked at.
fn unused(config: &Config) -> Option<Finding> {
    if config.privileged.mode == PrivilegedMode::Direct {
        return Some(Finding::skip("privileged.mode is direct: sudo is not used"));
    }
    rustix::process::geteuid().is_root().then(|| Finding::skip("root needs no sudo"))
}

fn flag(config: &Config) -> Finding {
    if let Some(skip) = unused(config) {
        return skip;
    }
    match wiring::sudo_trouble() {
            Some(SudoTrouble::NoNewPrivileges) => Finding::fail(
                "the \"no new privileges\" flag is set, so sudo cannot become root",
                "systemctl edit felhom-agent && systemctl restart felhom-agent",
            )
            .look("systemctl cat felhom-agent | grep -nE 'NoNewPrivileges|PrivateDevices|Protect|Restrict|SystemCall|Lock|MemoryDeny'")
            .because("NoNewPrivileges=yes sets it, and so do many other settings of a unit with User="),
            _ => Finding::ok("programs may become another user"),
        }
}

/// Judges the rules that sudo lists, or why it does not.
async fn listed(config: &Config, judge: fn(Result<String, RunError>) -> Vec<Finding>) -> Vec<Finding> {
    match unused(config) {
        Some(skip) => vec![skip],
        None => judge(wiring::permitted().await),
    }
}

fn ready(listed: Result<String, RunError>) -> Vec<Finding> {
    vec![listed.map_or_else(|error| refused(&error), |listed| of_rules(&listed))]
}

fn refused(error: &RunError) -> Finding {
    let fix = match error {
        RunError::SudoUnusable { trouble: SudoTrouble::Missing } => "apt install sudo".into(),
        RunError::SudoUnusable { trouble: SudoTrouble::NotSetuid } => {
            "chown root:root /usr/bin/sudo && chmod 4755 /usr/bin/sudo".into()
        }
        error => account::name().map_or_else(install, |account| repair(error, &account)),
    };
    Finding::fail(error.to_string(), fix).look(LOOK)
}

/// What repairs a refusal. Where it is about a password, the rules may be missing, or come before others.
fn repair(error: &RunError, account: &str) -> String {
    let said = error.to_string();
    match (REPAIRS.iter().find(|(words, _)| said.contains(words)), error) {
        (Some((_, repair)), _) => repair(account),
        (None, RunError::PasswordWanted) => install_last(account),
        _ => install(),
    }
}

/// Judges the rules that sudo lists.
fn of_rules(listed: &str) -> Finding {
    let missing: Vec<String> = expected().difference(&rules(listed)).map(program).collect();
    if !missing.is_empty() {
        return Finding::fail(format!("sudo does not permit {}", missing.join(", ")), install());
    }
    match overriding(listed) {
        Some(later) => {
            let account = account::name().unwrap_or_else(|| "felhom".into());
            let fix = Remedy::Fix(install_last(&account));
            Finding::fail(format!("a later rule asks for a password: {later}"), fix).look(LOOK)
        }
        None => Finding::ok("sudo runs every command of the agent without a password"),
    }
}

/// A rule behind ours that asks for a password: of several that fit, the last one counts.
fn overriding(listed: &str) -> Option<&str> {
    let ours = expected();
    let programs: BTreeSet<String> = ours.iter().map(program).collect();
    let lines: Vec<&str> = lines(listed).collect();
    let last = lines.iter().rposition(|line| rule(line).is_some_and(|rule| ours.contains(&rule)))?;
    let is_about_us = |line: &&str| {
        line.ends_with(" ALL") || programs.iter().any(|program| line.contains(program.as_str()))
    };
    let mut later = lines.into_iter().skip(last + 1);
    later.find(|line| !line.contains("NOPASSWD:") && is_about_us(line))
}

fn exact(listed: Result<String, RunError>) -> Vec<Finding> {
    let Ok(listed) = listed else { return vec![Finding::skip("sudo does not list its rules")] };
    let (expected, found) = (expected(), rules(&listed));
    let extra: Vec<&SudoRule> = found.difference(&expected).collect();
    if extra.is_empty() {
        return vec![Finding::ok(format!("{} rules, and no other", expected.len()))];
    }
    let warn = |rule: &SudoRule| {
        Finding::warn(format!("sudo permits more: {}", rule.command))
            .because("whoever takes over the agent can run it as root")
            .fix(format!("visudo -f {DROP_IN}"))
            .look("grep -rn felhom /etc/sudoers /etc/sudoers.d")
    };
    let more = json!({ "extra": extra.iter().map(|rule| &rule.command).collect::<Vec<_>>() });
    extra.into_iter().map(warn).map(|finding| finding.with(more.clone())).collect()
}

/// What sudo may run, and how long: the rest of a rule decides nothing that is looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct SudoRule {
    command: String,
    seconds: Option<u64>,
}

fn program(rule: &SudoRule) -> String {
    rule.command.split(' ').next().unwrap_or_default().to_string()
}

/// The rules of the drop-in. They are the same for every account.
fn expected() -> BTreeSet<SudoRule> {
    let text = "felhom".parse::<UserName>().map(|user| sudoers(&user)).unwrap_or_default();
    text.lines().filter(|line| line.contains(" ALL=(root) ")).filter_map(rule).collect()
}

/// The rules that `sudo -l` lists, below its heading.
fn rules(listed: &str) -> BTreeSet<SudoRule> {
    lines(listed).filter_map(rule).collect()
}

fn lines(listed: &str) -> impl Iterator<Item = &str> {
    listed.lines().map(str::trim).filter(|line| line.starts_with('('))
}

/// `(root) TIMEOUT=75 NOSETENV: NOPASSWD: /usr/bin/mount ^...$`, or the same with other tags in another order.
fn rule(line: &str) -> Option<SudoRule> {
    let start = line.find(" /").map_or_else(|| line.rfind(": ").map(|at| at + 2), |at| Some(at + 1))?;
    let seconds = line.split_once("TIMEOUT=").map(|(_, rest)| rest.trim_start_matches('0'));
    let digits = seconds.map(|text| text.chars().take_while(char::is_ascii_digit).collect::<String>());
    Some(SudoRule {
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
        assert!(!expected().is_empty());
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

    #[test]
    fn each_complaint_of_sudo_has_the_repair_that_works() {
        let other = |message: &str| RunError::SudoUnusable {
            trouble: SudoTrouble::Other { message: message.into() },
        };
        let install = install();
        let cases = [
            (other("sorry, you must have a tty to run sudo"), LAST),
            (RunError::PasswordWanted, LAST),
            (
                other("account validation failure, is your account locked?; a password is required"),
                "chage -E -1",
            ),
            (other("Account or password is expired, reset your password and try again"), "chage -E -1"),
            (other("Account expired or PAM config lacks an \"account\" section for sudo"), "chage -E -1"),
            (other("Sorry, user felhom may not run sudo on pve1."), "reinstall sudo"),
            (other("I'm sorry felhom. I'm afraid I can't do that"), "reinstall sudo"),
            (other("interactive authentication is required"), "reinstall sudo"),
            (other("/etc/sudoers is world writable; no valid sudoers sources found, quitting"), "chmod 0440"),
            (other("effective uid is not 0, is /usr/bin/sudo on a 'nosuid' file system?"), "remount,suid"),
            (other("PAM account management error: Permission denied"), "libpam-modules"),
            (other("something that a later sudo says"), install.as_str()),
        ];
        for (error, words) in cases {
            let fix = repair(&error, "felhom");
            assert!(fix.contains(words), "{error}: {fix}");
        }
    }

    #[test]
    fn a_later_rule_with_a_password_undoes_ours() {
        let with = |line: &str| {
            let listed = format!("{}    {line}\n", listed());
            overriding(&listed).is_some()
        };
        let undone = [
            "(root) PASSWD: ALL",
            "(ALL : ALL) ALL",
            "(root) /usr/bin/mount",
            "(ALL) PASSWD: /usr/sbin/smartctl -a *",
        ];
        assert_eq!(undone.map(with), [true; 4]);
        let harmless =
            ["(root) NOPASSWD: ALL", "(root) PASSWD: /usr/bin/apt", "(ALL) NOPASSWD: /usr/bin/mount"];
        assert_eq!(harmless.map(with), [false; 3]);
        assert_eq!(overriding(&format!("    (ALL : ALL) ALL\n{}", listed())), None);
    }
}
