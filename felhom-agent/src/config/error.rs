//! Why there is no configuration.

use std::path::PathBuf;

use snafu::Snafu;

use super::file::FileError;
use super::token::TokenProblem;

/// Why there is no configuration.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(super)))]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[snafu(display("{}: {source}", path.display()))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: FileError,
    },
    /// The file is not what it must be.
    #[snafu(display("{}:{line}:{column}: {problem}", path.display()))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong, and what was probably meant.
        problem: String,
    },
    /// A variable of the environment is not what it must be.
    #[snafu(display("environment variable {variable}: {problem}"))]
    Variable {
        /// The variable.
        variable: String,
        /// What is wrong.
        problem: String,
    },
    /// A value is missing, or contradicts another.
    #[snafu(display("{}: `{key}`: {problem}", path.display()))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// There is no token that may be used.
    #[snafu(display("{source}"))]
    Token {
        /// Why.
        source: TokenProblem,
    },
}

impl ConfigError {
    /// Whether it is about the token, and the rest of the configuration is fine.
    pub const fn is_about_token(&self) -> bool {
        matches!(self, Self::Token { .. })
    }
}
