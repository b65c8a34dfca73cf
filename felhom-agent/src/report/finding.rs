//! A claim, what was found of it, and the command that repairs it.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::report::exit::Exit;

/// Headings of the report, and the first words of the ids below each.
const HEADINGS: [(&str, &[&str]); 10] = [
    ("CONFIG", &["config"]),
    ("API", &["net", "tls", "auth", "api", "time"]),
    ("NODE", &["node", "pool", "bridge"]),
    ("PERMISSIONS", &["perm"]),
    ("STORAGE", &["storage"]),
    ("GUESTS", &["guests"]),
    ("SUDO", &["sudo"]),
    ("HOST", &["host"]),
    ("EXERCISE", &["x"]),
    ("DRIFT", &["decode"]),
];

/// How a run ends if a claim with this first word fails; with 1 if it is another.
const EXITS: [(&str, Exit); 4] =
    [("config", Exit::Config), ("net", Exit::Unchecked), ("tls", Exit::Unchecked), ("auth", Exit::Unchecked)];

/// One line of the report, or several: what is claimed there.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// Its id, which is public interface and never used again for something else.
    pub id: &'static str,
    /// What it proves, in a line.
    pub proves: &'static str,
    /// What is asked or looked at.
    pub source: &'static str,
    /// The claims that must not have failed before it makes sense.
    pub needs: &'static [&'static str],
}

impl Claim {
    /// A claim that needs no other.
    pub const fn new(id: &'static str, proves: &'static str, source: &'static str) -> Self {
        Self { id, proves, source, needs: &[] }
    }

    /// The claims that must not have failed before it makes sense.
    #[must_use]
    pub const fn needs(self, needs: &'static [&'static str]) -> Self {
        Self { needs, ..self }
    }

    fn word(&self) -> &'static str {
        self.id.split('.').next().unwrap_or_default()
    }

    /// The heading that it stands under, which the first word of its id decides.
    pub fn heading(&self) -> &'static str {
        HEADINGS.iter().find(|(_, words)| words.contains(&self.word())).map_or("", |(heading, _)| heading)
    }

    /// How the run ends because of a finding, if that decides on it.
    fn exit(&self, finding: &Finding) -> Option<Exit> {
        let claimed =
            || EXITS.iter().find(|(word, _)| *word == self.word()).map_or(Exit::Fail, |(_, exit)| *exit);
        finding.exit.or_else(|| (finding.status == Status::Fail).then(claimed))
    }

    /// The id of a finding: where a claim is about several things by name, the name stands for its `*`.
    pub fn id_of(&self, finding: &Finding) -> String {
        match (self.id.strip_suffix('*'), &finding.instance) {
            (Some(start), Some(instance)) => format!("{start}{instance}"),
            _ => self.id.into(),
        }
    }
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It holds.
    Ok,
    /// It works today and will bite.
    Warn,
    /// Something cannot work.
    Fail,
    /// It does not apply, or could not be done; the reason is said.
    Skip,
}

impl Status {
    /// What a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
            Self::Skip => "skip",
        }
    }
}

/// A command against what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Changes something, so that the finding goes away.
    Fix(String),
    /// Changes nothing: it shows what only a person can decide.
    Look(String),
}

impl Remedy {
    /// A command that makes the finding go away.
    pub fn fix(command: impl Into<String>) -> Self {
        Self::Fix(command.into())
    }

    /// A command that only shows.
    pub fn look(command: impl Into<String>) -> Self {
        Self::Look(command.into())
    }
}

/// A plain text is a fix.
impl<T: Into<String>> From<T> for Remedy {
    fn from(command: T) -> Self {
        Self::Fix(command.into())
    }
}

/// A command of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RootCommand {
    /// The command, to be copied as it is.
    pub run: String,
    /// Where: on the PVE node or on the host of the agent, which mostly are one.
    #[serde(rename = "where")]
    pub place: &'static str,
    /// As whom.
    #[serde(rename = "as")]
    pub user: &'static str,
}

/// What a check found: one line of the report, and more below it if it is not well.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Which of several it is about: a path and a privilege, a storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// How it ended.
    pub status: Status,
    /// The line.
    pub summary: String,
    /// Why it matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What makes it go away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fix: Vec<RootCommand>,
    /// What only shows more of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub look: Vec<RootCommand>,
    /// The same for programs.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub data: Value,
    /// How the run ends because of it, where that is not as the claim says of a failure.
    #[serde(skip)]
    pub exit: Option<Exit>,
    /// The failed check because of which this one was not done.
    #[serde(skip)]
    pub blocked_by: Option<&'static str>,
}

/// A value, or the finding that says why there is none. The agent's own errors are findings from the start.
pub type Found<T> = Result<T, Box<Finding>>;

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary)
    }
}

impl std::error::Error for Finding {}

impl Finding {
    /// One of any status.
    pub fn new(status: Status, summary: impl Into<String>) -> Self {
        Self {
            instance: None,
            status,
            summary: summary.into(),
            detail: None,
            fix: Vec::new(),
            look: Vec::new(),
            data: Value::Null,
            exit: None,
            blocked_by: None,
        }
    }

    /// It holds.
    pub fn ok(summary: impl Into<String>) -> Self {
        Self::new(Status::Ok, summary)
    }

    /// It works today and will bite.
    pub fn warn(summary: impl Into<String>) -> Self {
        Self::new(Status::Warn, summary)
    }

    /// Something cannot work; the remedy is a fix where there is one.
    pub fn fail(summary: impl Into<String>, remedy: impl Into<Remedy>) -> Self {
        Self::new(Status::Fail, summary).remedy(remedy.into())
    }

    /// It was not done.
    pub fn skip(reason: impl Into<String>) -> Self {
        Self::new(Status::Skip, reason)
    }

    /// It was not done, because a check that it needs failed.
    pub fn needs(root: &'static str) -> Self {
        Self { blocked_by: Some(root), ..Self::skip(format!("needs {root}")) }
    }

    /// Says which of several it is about.
    #[must_use]
    pub fn about(mut self, instance: impl Into<String>) -> Self {
        self.instance = Some(instance.into());
        self
    }

    /// Says why it matters.
    #[must_use]
    pub fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds a command that makes it go away.
    #[must_use]
    pub fn fix(self, command: impl Into<String>) -> Self {
        self.remedy(Remedy::fix(command))
    }

    /// Adds a command that only shows.
    #[must_use]
    pub fn look(self, command: impl Into<String>) -> Self {
        self.remedy(Remedy::look(command))
    }

    /// Adds a command of either kind.
    #[must_use]
    pub fn remedy(mut self, remedy: Remedy) -> Self {
        let (list, run) = match remedy {
            Remedy::Fix(run) => (&mut self.fix, run),
            Remedy::Look(run) => (&mut self.look, run),
        };
        list.push(RootCommand { run, place: "node", user: "root" });
        self
    }

    /// Its commands, each with its label: what repairs it, then what shows more.
    pub fn commands(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let fixes = self.fix.iter().map(|line| ("fix", line.run.as_str()));
        fixes.chain(self.look.iter().map(|line| ("look", line.run.as_str())))
    }

    /// Says how the run ends, if not as the claim says.
    #[must_use]
    pub fn ending(mut self, exit: Exit) -> Self {
        self.exit = Some(exit);
        self
    }

    /// Adds the facts for programs.
    #[must_use]
    pub fn with(mut self, data: Value) -> Self {
        self.data = data;
        self
    }
}

/// A claim that was checked.
#[derive(Clone, Debug)]
pub struct Checked {
    /// What was claimed.
    pub claim: &'static Claim,
    /// What was found.
    pub findings: Vec<Finding>,
    /// How long it took.
    pub duration: Duration,
}

impl Checked {
    /// How the run ends because of it.
    pub fn exits(&self) -> impl Iterator<Item = Exit> {
        self.findings.iter().filter_map(|finding| self.claim.exit(finding))
    }

    /// Whether something in it failed.
    pub fn has_failed(&self) -> bool {
        self.findings.iter().any(|finding| finding.status == Status::Fail)
    }
}
