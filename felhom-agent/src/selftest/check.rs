//! What a check is: a claim, and what finds out whether it holds.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::context::Context;
use crate::report::finding::{Claim, Finding};

/// What a check found.
pub type Findings = Pin<Box<dyn Future<Output = Vec<Finding>> + Send>>;

/// A claim, and what checks it without changing anything.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// What is claimed.
    pub claim: Claim,
    /// Checks it.
    pub run: fn(Arc<Context>) -> Findings,
}

/// Boxes the future of a check that ends early with one finding, as where a call failed.
pub fn found(future: impl Future<Output = Result<Vec<Finding>, Box<Finding>>> + Send + 'static) -> Findings {
    findings(async move { future.await.unwrap_or_else(|finding| vec![*finding]) })
}

/// Boxes the future of a check.
pub fn findings(future: impl Future<Output = Vec<Finding>> + Send + 'static) -> Findings {
    Box::pin(future)
}
