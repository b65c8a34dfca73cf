//! What goes on, on stderr: one line that is rewritten on a terminal, plain lines in a pipe, nothing if none is wanted.

use std::io::{IsTerminal, Write, stderr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use proxmox_types::redact;
use tokio::time::{Instant, interval_at};

use super::terminal::plain;
use crate::config::Environment;

/// How long is waited before a terminal shows it.
const SOON: Duration = Duration::from_secs(2);

/// How often a terminal shows that the wait goes on.
const FRAME: Duration = Duration::from_millis(100);

/// How often a pipe is told that the wait goes on.
const LATER: Duration = Duration::from_secs(10);

/// Frames of the wheel.
const WHEEL: [char; 4] = ['|', '/', '-', '\\'];

/// Columns, where the terminal does not say how many it has.
const COLUMNS: usize = 80;

/// What takes the rewritten line away.
const CLEAR: &str = "\r\x1b[2K";

/// How progress is shown; silent unless it is made otherwise.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    kind: ProgressKind,
    /// The last word of what is waited for.
    last: Arc<Mutex<String>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ProgressKind {
    #[default]
    Silent,
    Lines,
    Terminal,
}

impl Progress {
    /// As stderr is, unless nothing is wanted; in lines where log lines stand between.
    pub fn of_stderr(is_quiet: bool, is_logged: bool, environment: &Environment) -> Self {
        let is_terminal = stderr().is_terminal() && !is_logged && environment.get("TERM") != Some("dumb");
        let kind = match (is_quiet, is_terminal) {
            (true, _) => ProgressKind::Silent,
            (false, true) => ProgressKind::Terminal,
            (false, false) => ProgressKind::Lines,
        };
        Self { kind, ..Self::default() }
    }

    /// Whether a line is rewritten, so that every word can be shown.
    pub fn is_terminal(&self) -> bool {
        self.kind == ProgressKind::Terminal
    }

    /// Says something that stays.
    pub fn say(&self, text: &str) {
        match self.kind {
            ProgressKind::Silent => {}
            ProgressKind::Lines => write(&mut stderr(), &format!("{text}\n")),
            ProgressKind::Terminal => write(&mut stderr(), &format!("{CLEAR}{text}\n")),
        }
    }

    /// Says something where lines stay anyway.
    pub fn note(&self, text: &str) {
        if self.kind == ProgressKind::Lines {
            self.say(text);
        }
    }

    /// Keeps the last word of what is waited for.
    pub fn hear(&self, text: &str) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = plain(text);
    }

    /// Waits for something. If it takes long, it is shown what is waited for, since when, and the last word of it: on a
    /// terminal after 2 s, in a pipe every 10 s.
    pub fn wait<T>(&self, what: &str, something: impl Future<Output = T>) -> impl Future<Output = T> {
        // It may be large, and is moved from here to there.
        let something = Box::pin(something);
        async move { self.show(&mut stderr(), what, something).await }
    }

    async fn show<T>(&self, out: &mut dyn Write, what: &str, something: impl Future<Output = T>) -> T {
        self.hear("");
        let (start, mut line) = (Instant::now(), RewrittenLine { out, is_shown: false });
        let (first, period) = if self.is_terminal() { (SOON, FRAME) } else { (LATER, LATER) };
        let mut ticks = interval_at(start + first, period);
        let mut something = pin!(something);
        for wheel in WHEEL.iter().cycle() {
            tokio::select! {
                biased;
                done = &mut something => return done,
                _ = ticks.tick() => {}
            }
            let (seconds, last) =
                (start.elapsed().as_secs(), self.last.lock().unwrap_or_else(PoisonError::into_inner).clone());
            let text = format!("{what}  {:02}:{:02}  {last}", seconds / 60, seconds % 60);
            match self.kind {
                ProgressKind::Silent => {}
                ProgressKind::Lines => write(line.out, &format!("{}\n", text.trim_end())),
                ProgressKind::Terminal => line.rewrite(*wheel, &text),
            }
        }
        something.await
    }
}

/// The line of a terminal, which is for what goes on, and is taken away then.
struct RewrittenLine<'w> {
    out: &'w mut dyn Write,
    is_shown: bool,
}

impl RewrittenLine<'_> {
    fn rewrite(&mut self, wheel: char, text: &str) {
        let text: String = text.chars().take(columns().saturating_sub(3)).collect();
        write(self.out, &format!("{CLEAR}{wheel} {}", text.trim_end()));
        self.is_shown = true;
    }
}

impl Drop for RewrittenLine<'_> {
    fn drop(&mut self) {
        if self.is_shown {
            write(self.out, CLEAR);
        }
    }
}

fn columns() -> usize {
    rustix::termios::tcgetwinsize(stderr()).map_or(COLUMNS, |size| match size.ws_col {
        0 => COLUMNS,
        columns => columns.into(),
    })
}

fn write(out: &mut dyn Write, text: &str) {
    // Progress that cannot be shown is no reason to stop.
    let _written = out.write_all(redact(text).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown while something takes so long and says a word after a second.
    async fn shown(kind: ProgressKind, took: Duration) -> String {
        let (progress, mut out) = (Progress { kind, ..Progress::default() }, Vec::new());
        let something = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            progress.hear("half\u{1b}");
            tokio::time::sleep(took.saturating_sub(Duration::from_secs(1))).await;
        };
        progress.show(&mut out, "step", something).await;
        String::from_utf8(out).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_terminal_shows_one_line_from_two_seconds_on_and_takes_it_away() {
        let seconds = Duration::from_secs;
        assert_eq!(shown(ProgressKind::Terminal, Duration::from_millis(1900)).await, "");
        let text = shown(ProgressKind::Terminal, seconds(65)).await;
        assert!(
            text.starts_with("\r\x1b[2K| step  00:02  half\\u{1b}\r\x1b[2K/ step  00:02  half"),
            "{text}"
        );
        assert!(text.ends_with("step  01:04  half\\u{1b}\r\x1b[2K"), "{text}");
        assert!(!text.contains('\n'));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pipe_is_told_every_ten_seconds() {
        let text = shown(ProgressKind::Lines, Duration::from_secs(25)).await;
        assert_eq!(text, "step  00:10  half\\u{1b}\nstep  00:20  half\\u{1b}\n");
        assert_eq!(shown(ProgressKind::Silent, Duration::from_secs(25)).await, "");
    }
}
