//! Checks of what the server answers: the token, the version, the clock, and what nobody knows.

use serde_json::json;

use crate::diagnosis::call_failed;
use crate::report::finding::{Claim, Finding, Remedy};
use crate::report::terminal::counted;
use crate::selftest::{Check, FirstAnswer, Look, Ready, at_once};
use crate::wiring::Drifted;

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        Claim::new("auth.token", "the server accepts the token", "GET /version")
            .needs(&["tls.pin", "tls.ca"]),
        Look::FirstAnswer(token),
    ),
    Check::new(
        Claim::new("api.version", "this version of PVE is known", "GET /version").needs(&["auth.token"]),
        Look::FirstAnswer(version),
    ),
    Check::new(
        Claim::new("time.skew", "the clocks of server and agent agree", "GET /version")
            .needs(&["auth.token"]),
        Look::FirstAnswer(skew),
    ),
];

/// The check that runs after all others.
pub(super) const LAST: &[Check] = &[Check::new(
    Claim::new("decode.drift", "the server says nothing that this version does not know", "every answer")
        .needs(&["auth.token"]),
    Look::Api(|ready| at_once(Ok(vec![fields(ready)]))),
)
.last()];

fn token(view: &FirstAnswer<'_>) -> Finding {
    match &view.probe.answer {
        Ok(_) => Finding::ok(format!("{} is accepted", view.config.token.id())),
        Err(error) => call_failed(view.config, error),
    }
}

fn version(view: &FirstAnswer<'_>) -> Finding {
    let Ok(version) = &view.probe.answer else { return Finding::skip("there was no answer") };
    judge(&version.version).with(json!({ "version": version.version }))
}

fn judge(version: &str) -> Finding {
    let summary = format!("PVE {version}");
    match major(version) {
        Some(8) => Finding::ok(format!(
            "{summary}; the agent was made from 9.2, and a newer parameter may be refused"
        )),
        Some(9) => Finding::ok(summary),
        Some(old @ ..8) => too_old(old, &summary),
        Some(_) => Finding::warn(format!("{summary} is newer than this agent"))
            .because("its answers may hold what this version does not know; see decode.drift"),
        None => Finding::warn(format!("unknown version {version:?}"))
            .because("a PVE tells its version as 9.2.11; what answers may be something else")
            .look("pveversion"),
    }
}

/// The number before the first point or hyphen: `9.2.11`, `7.4-16`.
fn major(version: &str) -> Option<u32> {
    version.split(['.', '-', '~', '+']).next()?.parse().ok()
}

/// `apt dist-upgrade` stays on the old version: the way to the next one is a guide, and a program that checks it.
fn too_old(major: u32, summary: &str) -> Finding {
    let next = major + 1;
    let guide = match major {
        7 => "https://pve.proxmox.com/wiki/Upgrade_from_7_to_8".into(),
        _ => format!("https://pve.proxmox.com/wiki/Upgrade_from_{major}.x_to_{next}.0"),
    };
    Finding::fail(
        format!("{summary} is too old, 8.0 is the least"),
        Remedy::look(format!("pve{major}to{next}")),
    )
    .because(format!("an upgrade by hand, one version after the other, leads to the next: {guide}"))
}

fn skew(view: &FirstAnswer<'_>) -> Finding {
    let Some(skew) = view.probe.skew else { return Finding::skip("the answer had no date") };
    let direction = if skew > 0 { "ahead" } else { "behind" };
    let summary = format!("server clock is {} s {direction}", skew.unsigned_abs());
    let because = "task start times, token expiry and certificates are judged by a wrong clock";
    match skew.unsigned_abs() {
        0..=1 => Finding::ok("the clocks agree"),
        2..=5 => Finding::ok(summary),
        6..=60 => Finding::warn(summary).because(because).fix("chronyc makestep"),
        _ => Finding::fail(summary, "chronyc makestep").because(because),
    }
    .with(json!({ "skew_s": skew }))
}

/// Fields that are known and left out on purpose.
const LEFT_OUT: [&str; 5] = [
    "GET /nodes: data.*.id",
    "GET /nodes: data.*.type",
    "GET /nodes/{node}/status: data.idle",
    "GET /nodes/{node}/disks/list: data.*.osdid",
    "GET /nodes/{node}/disks/list: data.*.osdid-list",
];

/// How many of those that could not be read are shown; all of them are in the JSON.
const SHOWN: usize = 5;

fn fields(ready: Ready<'_>) -> Finding {
    let mut seen = ready.connection.drift.seen();
    seen.unknown.retain(|field| !LEFT_OUT.contains(&field.as_str()));
    let data = json!({ "unknown_fields": seen.unknown, "unread": seen.unread });
    drifted(&seen).with(data)
}

fn drifted(seen: &Drifted) -> Finding {
    let places: Vec<String> =
        seen.unread.iter().map(|(place, reason)| format!("{place}: {reason}")).collect();
    match (places.len(), seen.unknown.len()) {
        (0, 0) => Finding::ok("every field of every answer is known"),
        (0, 1) => Finding::ok("1 field is unknown to this version, and ignored"),
        (0, more) => Finding::ok(format!("{more} fields are unknown to this version, and ignored")),
        (more, _) => Finding::warn(format!("{} that PVE said could not be read", counted(more, "thing")))
            .because(places.get(..SHOWN).unwrap_or(&places).join("\n"))
            .fix("pveversion && felhom-agent --version"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::finding::Status;

    #[test]
    fn a_version_is_known_old_new_or_no_version() {
        use Status::{Fail, Ok, Warn};
        let cases = [
            ("9.2.11", Ok, "PVE 9.2.11"),
            ("9.0", Ok, "PVE 9.0"),
            ("9.3~rc1", Ok, "PVE 9.3~rc1"),
            ("8.0.2", Ok, "made from 9.2"),
            ("8.4-1", Ok, "made from 9.2"),
            ("10.0.1", Warn, "newer"),
            ("7.4-16", Fail, "too old"),
            ("6.4-15", Fail, "too old"),
            ("pve", Warn, "unknown version \"pve\""),
            ("v9.2", Warn, "unknown version \"v9.2\""),
            ("", Warn, "unknown version \"\""),
            ("-9", Warn, "unknown version \"-9\""),
            ("9,2", Warn, "unknown version \"9,2\""),
            ("99999999999.1", Warn, "unknown version"),
            ("9\u{200b}.2", Warn, "unknown version"),
        ];
        for (version, status, words) in cases {
            let finding = judge(version);
            assert_eq!(finding.status, status, "{version}");
            assert!(finding.summary.contains(words), "{version}: {}", finding.summary);
        }
        let old = ["7.4-16", "6.4-15", "5.4"].map(|version| {
            let finding = judge(version);
            (finding.look[0].run.clone(), finding.detail.unwrap().rsplit('/').next().unwrap().to_owned())
        });
        let commands = [
            ("pve7to8", "Upgrade_from_7_to_8"),
            ("pve6to7", "Upgrade_from_6.x_to_7.0"),
            ("pve5to6", "Upgrade_from_5.x_to_6.0"),
        ];
        assert_eq!(old, commands.map(|(command, page)| (command.to_owned(), page.to_owned())));
    }
}
