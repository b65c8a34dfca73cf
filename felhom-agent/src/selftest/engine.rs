//! Runs checks: each after those that it needs, side by side otherwise, within a time limit.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::Check;
use crate::process::catch_panic;
use crate::report::exit::Exit;
use crate::report::finding::{Checked, Claim, Finding, Remedy};

/// Which checks are asked for. An id also stands for what begins with it and a dot: `tls` is `tls.pin` and others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only these, and what they need. Empty is all.
    pub only: Vec<String>,
    /// Not these. What needs them is done nevertheless.
    pub skip: Vec<String>,
}

impl Selection {
    /// An id that stands for no check.
    pub fn unknown<'a>(&'a self, checks: &[Check]) -> Option<&'a str> {
        let all = self.only.iter().chain(&self.skip).map(String::as_str);
        all.into_iter().find(|wanted| !checks.iter().any(|check| stands_for(wanted, check.claim.id)))
    }

    /// Whether it leaves no check over.
    pub fn is_empty(&self, checks: &[Check]) -> bool {
        !checks.iter().any(|check| self.reports(check.claim.id))
    }

    fn reports(&self, id: &str) -> bool {
        let is_chosen = self.only.is_empty() || self.only.iter().any(|wanted| stands_for(wanted, id));
        is_chosen && !self.skips(id)
    }

    fn skips(&self, id: &str) -> bool {
        self.skip.iter().any(|wanted| stands_for(wanted, id))
    }

    /// Whether a check is done: it is asked for, or one that is asked for needs it.
    fn runs(&self, checks: &[Check], id: &str) -> bool {
        let is_needed = || {
            checks.iter().any(|check| check.claim.needs.contains(&id) && self.runs(checks, check.claim.id))
        };
        !self.skips(id) && (self.reports(id) || is_needed())
    }
}

fn stands_for(wanted: &str, id: &str) -> bool {
    id.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// How far a check is.
enum CheckState {
    Waiting,
    Running,
    Done(Checked),
}

/// Runs checks, each as `look` does, and returns those that were asked for or failed, in the order of the table.
///
/// `stop` ends the run early, with the exit that it returns; so does the limit. What was not done by then is skipped.
pub async fn run<L: Future<Output = Vec<Finding>> + Send + 'static>(
    checks: &'static [Check],
    selection: &Selection,
    look: impl Fn(&'static Check) -> L,
    limit: Duration,
    stop: impl Future<Output = Exit>,
) -> Vec<Checked> {
    let states = checks.iter().map(|_| CheckState::Waiting).collect();
    let mut board = Board { checks, selection, states };
    let mut running = JoinSet::new();
    let deadline = Instant::now() + limit;
    tokio::pin!(stop);
    let cut_short = loop {
        while let Some((index, check)) = board.next() {
            let claim = &check.claim;
            board.set(
                index,
                board.obstacle(check).map_or(CheckState::Running, |skip| done(claim, vec![skip])),
            );
            if matches!(board.states.get(index), Some(CheckState::Running)) {
                let looking = catch_panic(look(check));
                running.spawn(async move {
                    let start = Instant::now();
                    let findings = looking.await.unwrap_or_else(|| vec![panicked()]);
                    (index, Checked { claim, findings, duration: start.elapsed() })
                });
            }
        }
        tokio::select! {
            ended = running.join_next() => match ended {
                Some(Ok((index, checked))) => board.set(index, CheckState::Done(checked)),
                Some(Err(_)) => {}
                None => break Exit::Ok,
            },
            () = sleep_until(deadline.into()) => break Exit::OutOfTime,
            exit = &mut stop => break exit,
        }
    };
    board.close(cut_short)
}

fn done(claim: &'static Claim, findings: Vec<Finding>) -> CheckState {
    CheckState::Done(Checked { claim, findings, duration: Duration::ZERO })
}

fn panicked() -> Finding {
    let look = Remedy::look("felhom-agent --version");
    Finding::fail("internal error: the check panicked", look).ending(Exit::Internal)
}

struct Board<'a> {
    checks: &'static [Check],
    selection: &'a Selection,
    states: Vec<CheckState>,
}

impl Board<'_> {
    fn set(&mut self, index: usize, state: CheckState) {
        if let Some(slot) = self.states.get_mut(index) {
            *slot = state;
        }
    }

    /// A check that waits for nothing any more.
    fn next(&self) -> Option<(usize, &'static Check)> {
        let is_ready = |check: &Check| {
            check.claim.needs.iter().all(|need| self.is_done(need))
                && (!check.is_last
                    || self.checks.iter().all(|other| other.is_last || self.is_done(other.claim.id)))
        };
        let checks = self.checks.iter().enumerate().zip(&self.states);
        let mut waiting =
            checks.filter(|(_, state)| matches!(state, CheckState::Waiting)).map(|(check, _)| check);
        waiting.find(|(_, check)| is_ready(check))
    }

    fn is_done(&self, id: &str) -> bool {
        let index = self.checks.iter().position(|check| check.claim.id == id);
        index
            .and_then(|index| self.states.get(index))
            .is_none_or(|state| matches!(state, CheckState::Done(_)))
    }

    /// Why a check is not done: nobody asked, or one that it needs has failed, or was not done for another that has.
    fn obstacle(&self, check: &Check) -> Option<Finding> {
        if !self.selection.runs(self.checks, check.claim.id) {
            return Some(Finding::skip("not asked for"));
        }
        let mut needed = self.states.iter().filter_map(|state| match state {
            CheckState::Done(checked) if check.claim.needs.contains(&checked.claim.id) => Some(checked),
            _ => None,
        });
        let root = |checked: &Checked| {
            let blocked_by = checked.findings.iter().find_map(|finding| finding.blocked_by);
            blocked_by.or_else(|| checked.has_failed().then_some(checked.claim.id))
        };
        needed.find_map(root).map(Finding::needs)
    }

    fn close(self, cut_short: Exit) -> Vec<Checked> {
        let reason = if cut_short == Exit::OutOfTime { "the time was used up" } else { "interrupted" };
        let unfinished = || vec![Finding::skip(reason).ending(cut_short)];
        let checked = self.checks.iter().zip(self.states).map(|(check, state)| match state {
            CheckState::Done(checked) => checked,
            CheckState::Waiting | CheckState::Running => {
                Checked { claim: &check.claim, findings: unfinished(), duration: Duration::ZERO }
            }
        });
        checked.filter(|checked| self.selection.reports(checked.claim.id) || checked.has_failed()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selftest::{Look, at_once};

    /// A check; the first word of what it proves says how it goes.
    const fn check(id: &'static str, needs: &'static [&'static str], goes: &'static str) -> Check {
        Check::new(Claim::new(id, goes, "").needs(needs), Look::Host(|_| at_once(Vec::new())))
    }

    async fn look(check: &'static Check) -> Vec<Finding> {
        match check.claim.proves {
            "good" => vec![Finding::ok("good")],
            "bad" => vec![Finding::fail("bad", "true")],
            "slow" => {
                tokio::time::sleep(Duration::from_hours(1)).await;
                vec![Finding::ok("slow")]
            }
            _ => panic!("a bug"),
        }
    }

    static CHECKS: [Check; 5] = [
        check("a.one", &[], "good"),
        check("a.two", &["a.one"], "bad"),
        check("b.three", &["a.two"], "good"),
        check("b.four", &["b.three"], "good"),
        check("c.five", &["a.one"], "good"),
    ];
    static SLOW: [Check; 2] = [check("slow", &[], "slow"), check("after", &["slow"], "good")];
    static BROKEN: [Check; 2] = [check("broken", &[], "broken"), check("after", &["broken"], "good")];

    fn lines(checks: &'static [Check], selection: &Selection) -> (Vec<String>, Exit) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let never = std::future::pending();
        let checked = runtime.block_on(run(checks, selection, look, Duration::from_secs(10), never));
        let lines = checked.iter().map(|checked| {
            let finding = &checked.findings[0];
            format!("{} {:?} {}", checked.claim.id, finding.status, finding.summary)
        });
        (lines.collect(), Exit::of(checked.iter().flat_map(Checked::exits)))
    }

    #[test]
    fn what_needs_a_failed_check_is_skipped_with_the_root_of_it() {
        assert_eq!(
            lines(&CHECKS, &Selection::default()).0,
            [
                "a.one Ok good",
                "a.two Fail bad",
                "b.three Skip needs a.two",
                "b.four Skip needs a.two",
                "c.five Ok good",
            ]
        );
    }

    #[test]
    fn only_reports_what_was_asked_for_and_what_failed_on_the_way() {
        let only =
            |ids: &[&str]| Selection { only: ids.iter().map(ToString::to_string).collect(), skip: vec![] };
        assert_eq!(lines(&CHECKS, &only(&["c"])).0, ["c.five Ok good"]);
        assert_eq!(lines(&CHECKS, &only(&["b.four"])).0, ["a.two Fail bad", "b.four Skip needs a.two"]);
    }

    #[test]
    fn skipping_a_check_does_not_skip_what_needs_it() {
        let selection = Selection { only: vec![], skip: vec!["a.two".into()] };
        assert_eq!(
            lines(&CHECKS, &selection).0,
            ["a.one Ok good", "b.three Ok good", "b.four Ok good", "c.five Ok good"]
        );
    }

    #[test]
    fn unknown_ids_are_found_before_anything_runs() {
        let selection = Selection { only: vec!["a".into(), "a.on".into()], skip: vec![] };
        assert_eq!(selection.unknown(&CHECKS), Some("a.on"));
    }

    #[test]
    fn a_run_that_takes_too_long_is_cut_short() {
        let (lines, exit) = lines(&SLOW, &Selection::default());
        assert_eq!(lines, ["slow Skip the time was used up", "after Skip the time was used up"]);
        assert_eq!(exit, Exit::OutOfTime);
    }

    #[test]
    fn a_check_that_panics_is_a_finding() {
        let (lines, exit) = lines(&BROKEN, &Selection::default());
        assert_eq!(lines, ["broken Fail internal error: the check panicked", "after Skip needs broken"]);
        assert_eq!(exit, Exit::Internal);
    }
}
