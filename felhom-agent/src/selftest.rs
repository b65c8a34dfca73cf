//! The self-test: checks with stable ids, what each needs, and a report.

pub mod checks;
pub mod engine;
pub mod report;
pub mod setup;

use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;

pub use engine::{Selection, run};
pub use report::Report;
pub use setup::{FirstAnswer, Ready, Setup};

use crate::config::Config;
use crate::report::exit::Exit;
use crate::report::finding::{Claim, Finding, Found};

/// A future that can be sent to another thread.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A claim, and what checks it without changing anything.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// What is claimed.
    pub claim: Claim,
    /// Whether it looks back at all others, and so runs after them.
    pub is_last: bool,
    look: Look,
}

/// What checks a claim, by what it needs.
#[derive(Clone, Copy, Debug)]
enum Look {
    Setup(fn(&Setup) -> Finding),
    Host(for<'a> fn(&'a Config) -> Boxed<'a, Vec<Finding>>),
    FirstAnswer(for<'a> fn(&FirstAnswer<'a>) -> Finding),
    Api(for<'a> fn(Ready<'a>) -> Boxed<'a, Found<Vec<Finding>>>),
}

impl Check {
    const fn new(claim: Claim, look: Look) -> Self {
        Self { claim, is_last: false, look }
    }

    /// A check of the configuration itself, which may be missing.
    const fn setup(claim: Claim, look: fn(&Setup) -> Finding) -> Self {
        Self::new(claim, Look::Setup(look))
    }

    /// A check of this host, which needs the configuration and no server.
    const fn host(claim: Claim, look: for<'a> fn(&'a Config) -> Boxed<'a, Vec<Finding>>) -> Self {
        Self::new(claim, Look::Host(look))
    }

    /// A check of the way to the server and of its first answer.
    const fn first_answer(claim: Claim, look: for<'a> fn(&FirstAnswer<'a>) -> Finding) -> Self {
        Self::new(claim, Look::FirstAnswer(look))
    }

    /// A check that asks the server.
    const fn api(claim: Claim, look: for<'a> fn(Ready<'a>) -> Boxed<'a, Found<Vec<Finding>>>) -> Self {
        Self::new(claim, Look::Api(look))
    }

    /// The same, run after all others.
    #[must_use]
    const fn last(self) -> Self {
        Self { is_last: true, ..self }
    }

    /// Checks the claim. What needs a configuration that there is not is skipped.
    pub async fn run(&self, setup: Arc<Setup>) -> Vec<Finding> {
        let findings = match self.look {
            Look::Setup(look) => Some(vec![look(&setup)]),
            Look::Host(look) => match &setup.config {
                Ok(config) => Some(look(config).await),
                Err(_) => None,
            },
            Look::FirstAnswer(look) => match setup.ready() {
                Some(ready) => Some(vec![match ready.first_answer().await {
                    Some(answer) => look(&answer),
                    None => Finding::skip("there is no wire"),
                }]),
                None => None,
            },
            Look::Api(look) => match setup.ready() {
                Some(ready) => Some(look(ready).await.unwrap_or_else(|finding| vec![*finding])),
                None => None,
            },
        };
        // Nothing was checked, whatever the run was asked to leave out.
        findings.unwrap_or_else(|| vec![Finding::skip("there is no configuration").ending(Exit::Config)])
    }
}

/// What a check finds that waits for nothing.
fn at_once<'a, T: Send + 'a>(findings: T) -> Boxed<'a, T> {
    Box::pin(ready(findings))
}
