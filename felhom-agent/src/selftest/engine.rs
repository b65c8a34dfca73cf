//! Runs checks: each after those that it needs, side by side otherwise, within a time limit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::sleep_until;

use super::check::Check;
use super::checks::LAST;
use super::context::Context;
use crate::report::exit::Exit;
use crate::report::finding::{Finding, Group, Outcome, Remedy, Status};

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

impl Check {
    /// Whether it asks the server: those of the host do not.
    fn asks(&self) -> bool {
        !matches!(self.claim.group, Group::Config | Group::Sudo | Group::Host)
    }
}

fn stands_for(wanted: &str, id: &str) -> bool {
    id.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What became of all checks, in the order of the table.
#[derive(Debug)]
pub struct Run {
    /// The outcomes.
    pub outcomes: Vec<Outcome>,
    /// Why the run ended before its end.
    pub cut_short: Option<Exit>,
    /// Whether a check panicked.
    pub has_panicked: bool,
}

enum State {
    Waiting,
    Running(Id),
    /// With the check that stands in the way of what needs this one.
    Done(Outcome, Option<&'static str>),
}

/// Runs the checks. `stop` ends the run early, with the exit that it returns.
pub async fn run(
    context: Arc<Context>,
    checks: &'static [Check],
    selection: &Selection,
    limit: Duration,
    stop: impl Future<Output = Exit>,
) -> Run {
    let mut board = Board::new(checks, selection);
    let mut running = JoinSet::new();
    let deadline = Instant::now() + limit;
    tokio::pin!(stop);
    let cut_short = loop {
        board.start(&context, &mut running);
        tokio::select! {
            ended = running.join_next_with_id() => match ended {
                Some(ended) => board.end(ended),
                None => break None,
            },
            () = sleep_until(deadline.into()) => break Some(Exit::OutOfTime),
            exit = &mut stop => break Some(exit),
        }
    };
    board.close(cut_short)
}

/// What a check's task returns.
type Ended = (Vec<Finding>, Duration);

struct Board<'a> {
    checks: &'static [Check],
    selection: &'a Selection,
    states: Vec<State>,
    has_panicked: bool,
    /// The check after which nothing is asked any more.
    last: Option<&'static str>,
}

impl<'a> Board<'a> {
    fn new(checks: &'static [Check], selection: &'a Selection) -> Self {
        Self {
            checks,
            selection,
            states: checks.iter().map(|_| State::Waiting).collect(),
            has_panicked: false,
            last: None,
        }
    }

    /// Starts whatever can start, and settles what needs no running.
    fn start(&mut self, context: &Arc<Context>, running: &mut JoinSet<Ended>) {
        while let Some((index, check)) = self.next() {
            let state = if let Some((reason, root)) = self.obstacle(check) {
                State::Done(self.outcome(check, vec![Finding::skip(reason)], Duration::ZERO), root)
            } else {
                let context = context.clone();
                let task = running.spawn(async move {
                    let start = Instant::now();
                    let findings = (check.run)(context).await;
                    (findings, start.elapsed())
                });
                State::Running(task.id())
            };
            if let Some(slot) = self.states.get_mut(index) {
                *slot = state;
            }
        }
    }

    /// A check that waits for nothing any more.
    fn next(&self) -> Option<(usize, &'static Check)> {
        let is_ready = |check: &Check| {
            let others_done =
                || self.checks.iter().all(|other| other.claim.id == LAST || self.is_done(other.claim.id));
            check.claim.needs.iter().all(|need| self.is_done(need))
                && (check.claim.id != LAST || others_done())
        };
        let waiting = self.checks.iter().enumerate().zip(&self.states);
        waiting
            .filter(|(_, state)| matches!(state, State::Waiting))
            .map(|(check, _)| check)
            .find(|(_, check)| is_ready(check))
    }

    fn is_done(&self, id: &str) -> bool {
        let index = self.checks.iter().position(|check| check.claim.id == id);
        index.and_then(|index| self.states.get(index)).is_none_or(|state| matches!(state, State::Done(..)))
    }

    /// Why a check is not done, and which check stands in the way of what needs it.
    fn obstacle(&self, check: &Check) -> Option<(String, Option<&'static str>)> {
        if !self.selection.runs(self.checks, check.claim.id) {
            return Some(("not asked for".into(), None));
        }
        if let Some(last) = self.last.filter(|_| check.asks()) {
            return Some((format!("needs {last}"), Some(last)));
        }
        let roots = self.checks.iter().zip(&self.states).filter_map(|(other, state)| match state {
            State::Done(_, Some(root)) if check.claim.needs.contains(&other.claim.id) => Some(*root),
            _ => None,
        });
        roots.into_iter().next().map(|root| (format!("needs {root}"), Some(root)))
    }

    fn outcome(&self, check: &'static Check, findings: Vec<Finding>, duration: Duration) -> Outcome {
        let has_failed = findings.iter().any(|finding| finding.status == Status::Fail);
        let is_asked_for = self.selection.reports(check.claim.id);
        Outcome { claim: &check.claim, findings, duration, is_reported: is_asked_for || has_failed }
    }

    fn end(&mut self, ended: Result<(Id, Ended), JoinError>) {
        let (id, (findings, duration)) = ended.unwrap_or_else(|error| {
            self.has_panicked = true;
            let finding =
                Finding::fail("internal error: the check panicked", Remedy::look("felhom-agent --version"));
            (error.id(), (vec![finding], Duration::ZERO))
        });
        let is_its = |state: &State| matches!(state, State::Running(running) if *running == id);
        if let Some(index) = self.states.iter().position(is_its) {
            self.settle(index, findings, duration);
        }
    }

    fn settle(&mut self, index: usize, findings: Vec<Finding>, duration: Duration) {
        let Some(check) = self.checks.get(index) else { return };
        if findings.iter().any(|finding| finding.is_last) {
            self.last = Some(check.claim.id);
        }
        let outcome = self.outcome(check, findings, duration);
        let root = outcome.has(Status::Fail).then_some(check.claim.id);
        if let Some(slot) = self.states.get_mut(index) {
            *slot = State::Done(outcome, root);
        }
    }

    fn close(self, cut_short: Option<Exit>) -> Run {
        let reason = match cut_short {
            Some(Exit::OutOfTime) => "the time was used up",
            _ => "interrupted",
        };
        let Self { checks, selection, states, has_panicked, .. } = self;
        let outcomes = checks.iter().zip(states).map(|(check, state)| match state {
            State::Done(outcome, _) => outcome,
            State::Waiting | State::Running(_) => Outcome {
                claim: &check.claim,
                findings: vec![Finding::skip(reason)],
                duration: Duration::ZERO,
                is_reported: selection.reports(check.claim.id),
            },
        });
        Run { outcomes: outcomes.collect(), cut_short, has_panicked }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::findings;
    use super::*;
    use crate::config::{Config, Environment};
    use crate::report::finding::Claim;

    const fn check(
        id: &'static str,
        needs: &'static [&'static str],
        run: fn(Arc<Context>) -> super::super::check::Findings,
    ) -> Check {
        Check { claim: Claim { id, group: Group::Api, proves: "", source: "", needs, exit: Exit::Fail }, run }
    }

    fn good(_: Arc<Context>) -> super::super::check::Findings {
        findings(async { vec![Finding::ok("good")] })
    }

    fn bad(_: Arc<Context>) -> super::super::check::Findings {
        findings(async { vec![Finding::fail("bad", Remedy::fix("true"))] })
    }

    fn slow(_: Arc<Context>) -> super::super::check::Findings {
        findings(async {
            tokio::time::sleep(Duration::from_hours(1)).await;
            vec![Finding::ok("slow")]
        })
    }

    fn brief(_: Arc<Context>) -> super::super::check::Findings {
        findings(async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            vec![Finding::ok("brief")]
        })
    }

    fn refused(_: Arc<Context>) -> super::super::check::Findings {
        findings(async { vec![Finding::fail("refused", Remedy::fix("true")).halting()] })
    }

    fn broken(_: Arc<Context>) -> super::super::check::Findings {
        findings(async { panic!("a bug") })
    }

    static CHECKS: [Check; 5] = [
        check("a.one", &[], good),
        check("a.two", &["a.one"], bad),
        check("b.three", &["a.two"], good),
        check("b.four", &["b.three"], good),
        check("c.five", &["a.one"], good),
    ];
    static SLOW: [Check; 2] = [check("slow", &[], slow), check("after", &["slow"], good)];
    static REFUSED: [Check; 3] =
        [check("refused", &[], refused), check("brief", &[], brief), check("after", &["brief"], good)];
    static BROKEN: [Check; 2] = [check("broken", &[], broken), check("after", &["broken"], good)];

    fn lines(checks: &'static [Check], selection: &Selection) -> (Vec<String>, Run) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let config = Config::load("/nonexistent".as_ref(), &Environment::default());
        let context = Arc::new(Context::new(config, None));
        let never = std::future::pending();
        let run = runtime.block_on(run(context, checks, selection, Duration::from_secs(10), never));
        let reported = run.outcomes.iter().filter(|outcome| outcome.is_reported);
        let lines = reported.map(|outcome| {
            let finding = &outcome.findings[0];
            format!("{} {:?} {}", outcome.claim.id, finding.status, finding.summary)
        });
        (lines.collect(), run)
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
    fn after_a_refused_token_nothing_is_asked_any_more() {
        assert_eq!(
            lines(&REFUSED, &Selection::default()).0,
            ["refused Fail refused", "brief Ok brief", "after Skip needs refused"]
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
        let (lines, run) = lines(&SLOW, &Selection::default());
        assert_eq!(lines, ["slow Skip the time was used up", "after Skip the time was used up"]);
        assert_eq!(run.cut_short, Some(Exit::OutOfTime));
    }

    #[test]
    fn a_check_that_panics_is_a_finding() {
        let (lines, run) = lines(&BROKEN, &Selection::default());
        assert_eq!(lines, ["broken Fail internal error: the check panicked", "after Skip needs broken"]);
        assert!(run.has_panicked);
    }
}
