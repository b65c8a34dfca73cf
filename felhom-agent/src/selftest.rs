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

/// What checks a claim, by what it needs. A check whose need is not there is skipped.
#[derive(Clone, Copy, Debug)]
enum Look {
    /// Needs nothing: it is about the configuration itself, which may be missing.
    Setup(fn(&Setup) -> Finding),
    /// Needs the configuration and no server: it is about this host.
    Host(for<'a> fn(&'a Config) -> Boxed<'a, Vec<Finding>>),
    /// Looks at the way to the server and at its first answer.
    FirstAnswer(for<'a> fn(&FirstAnswer<'a>) -> Finding),
    /// Asks the server.
    Api(for<'a> fn(Ready<'a>) -> Boxed<'a, Found<Vec<Finding>>>),
}

impl Check {
    const fn new(claim: Claim, look: Look) -> Self {
        Self { claim, is_last: false, look }
    }

    /// The same, run after all others.
    #[must_use]
    const fn last(self) -> Self {
        Self { is_last: true, ..self }
    }

    /// Checks the claim. What needs a configuration that there is not is skipped.
    pub async fn run(&self, setup: Arc<Setup>) -> Vec<Finding> {
        match (self.look, &setup.config, setup.ready()) {
            (Look::Setup(look), ..) => vec![look(&setup)],
            (Look::Host(look), Ok(config), _) => look(config).await,
            (Look::FirstAnswer(look), _, Some(ready)) => {
                let answer = ready.first_answer().await;
                vec![answer.map_or_else(|| Finding::skip("there is no wire"), |answer| look(&answer))]
            }
            (Look::Api(look), _, Some(ready)) => look(ready).await.unwrap_or_else(|finding| vec![*finding]),
            // Nothing was checked, whatever the run was asked to leave out.
            _ => vec![Finding::skip("there is no configuration").ending(Exit::Config)],
        }
    }
}

/// What a check finds that waits for nothing.
fn at_once<'a, T: Send + 'a>(findings: T) -> Boxed<'a, T> {
    Box::pin(ready(findings))
}
