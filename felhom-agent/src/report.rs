//! What a run says: findings, how it ends, and how text gets to people.

pub mod exit;
pub mod finding;
pub mod progress;
pub mod shell;
pub mod terminal;

/// The version of this build.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit that this build was made from, as `g1a2b3c4`.
pub const COMMIT: &str = env!("FELHOM_COMMIT");

/// The version of this build with the commit, its date, and what it was built with.
pub const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("FELHOM_COMMIT"),
    ", ",
    env!("FELHOM_COMMIT_DATE"),
    ", ",
    env!("FELHOM_RUSTC"),
    ", rustls 0.23/ring)"
);

/// An error with its sources, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let said = inner.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        source = inner.source();
    }
    text
}
