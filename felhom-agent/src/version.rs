//! What this build is.

/// The version.
pub const NUMBER: &str = env!("CARGO_PKG_VERSION");

/// The commit that it was built from, as `g1a2b3c4`.
pub const COMMIT: &str = env!("FELHOM_COMMIT");

/// The version with the commit, its date, and what it was built with.
pub const LONG: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("FELHOM_COMMIT"),
    ", ",
    env!("FELHOM_COMMIT_DATE"),
    ", ",
    env!("FELHOM_RUSTC"),
    ", rustls 0.23/ring)"
);
