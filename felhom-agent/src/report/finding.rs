//! What is claimed, what is found of it, and what repairs it.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::report::exit::Exit;

/// One line of the report, or several: what is claimed there.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// Its id, which is public interface and never used again for something else.
    pub id: &'static str,
    /// The heading that it stands under.
    pub group: Group,
    /// What it proves, in a line.
    pub proves: &'static str,
    /// What is asked or looked at.
    pub source: &'static str,
    /// The claims that must not have failed before it makes sense.
    pub needs: &'static [&'static str],
    /// How the run ends if it fails.
    pub exit: Exit,
}

impl Claim {
    /// The id of a finding: where a claim is about several things by name, the name stands for its `*`.
    pub fn id_of(&self, finding: &Finding) -> String {
        match (self.id.strip_suffix('*'), &finding.instance) {
            (Some(start), Some(instance)) => format!("{start}{instance}"),
            _ => self.id.into(),
        }
    }
}

/// Headings of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// The configuration of the agent.
    Config,
    /// The way to the API.
    Api,
    /// What the token may do.
    Permissions,
    /// The node.
    Node,
    /// The storages.
    Storage,
    /// The containers.
    Guests,
    /// The way to root.
    Sudo,
    /// The host itself.
    Host,
    /// The exercise of task mode.
    Exercise,
    /// What this version does not know.
    Drift,
}

impl Group {
    /// The heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Config => "CONFIG",
            Self::Api => "API",
            Self::Permissions => "PERMISSIONS",
            Self::Node => "NODE",
            Self::Storage => "STORAGE",
            Self::Guests => "GUESTS",
            Self::Sudo => "SUDO",
            Self::Host => "HOST",
            Self::Exercise => "EXERCISE",
            Self::Drift => "DRIFT",
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

/// A command of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Run {
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
    pub fix: Vec<Run>,
    /// What only shows more of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub look: Vec<Run>,
    /// The same for programs.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub data: Value,
    /// How the run ends because of it, where that is not as the claim says of a failure.
    #[serde(skip)]
    pub exit: Option<Exit>,
    /// Whether nothing may be asked of the server after it.
    #[serde(skip)]
    pub is_last: bool,
}

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
            is_last: false,
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
    pub fn fail(summary: impl Into<String>, remedy: Remedy) -> Self {
        Self::new(Status::Fail, summary).remedy(remedy)
    }

    /// It was not done.
    pub fn skip(reason: impl Into<String>) -> Self {
        Self::new(Status::Skip, reason)
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
        list.push(Run { run, place: "node", user: "root" });
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

    /// Says that nothing may be asked of the server any more.
    #[must_use]
    pub fn halting(mut self) -> Self {
        self.is_last = true;
        self
    }

    /// Adds the facts for programs.
    #[must_use]
    pub fn with(mut self, data: Value) -> Self {
        self.data = data;
        self
    }
}

/// What became of a check.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was claimed.
    pub claim: &'static Claim,
    /// What it found.
    pub findings: Vec<Finding>,
    /// How long it took.
    pub duration: Duration,
    /// Whether it belongs into the report: it was asked for, or it failed.
    pub is_reported: bool,
}

impl Outcome {
    /// How the run ends because of it.
    pub fn exits(&self) -> impl Iterator<Item = Exit> {
        let claimed = |finding: &Finding| (finding.status == Status::Fail).then_some(self.claim.exit);
        self.findings.iter().filter_map(move |finding| finding.exit.or_else(|| claimed(finding)))
    }

    /// Whether something in it failed.
    pub fn has(&self, status: Status) -> bool {
        self.findings.iter().any(|finding| finding.status == status)
    }
}
