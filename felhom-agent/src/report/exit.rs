//! Exit codes, which are public interface, and which of several counts.

/// How a run ended. A caller must read an unknown code as failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exit {
    /// Everything passed.
    Ok,
    /// At least one check failed.
    Fail,
    /// The command line was wrong.
    Usage,
    /// There are warnings, and `--strict` was given.
    Warnings,
    /// The configuration is missing or invalid: nothing was checked.
    Config,
    /// It could not be checked: network, certificate or token.
    Unchecked,
    /// The exercise left something behind.
    Leftover,
    /// Another exercise holds the lock.
    Busy,
    /// The time was used up; the report is incomplete.
    OutOfTime,
    /// Something inside is wrong.
    Internal,
    /// SIGINT, and everything is clean.
    Interrupted,
    /// SIGTERM, and everything is clean.
    Terminated,
}

/// The order in which they count.
const PRECEDENCE: [Exit; 12] = [
    Exit::Leftover,
    Exit::Busy,
    Exit::Internal,
    Exit::Interrupted,
    Exit::Terminated,
    Exit::Config,
    Exit::Unchecked,
    Exit::OutOfTime,
    Exit::Fail,
    Exit::Warnings,
    Exit::Usage,
    Exit::Ok,
];

impl Exit {
    /// The code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Fail => 1,
            Self::Usage => 2,
            Self::Warnings => 3,
            Self::Config => 4,
            Self::Unchecked => 5,
            Self::Leftover => 6,
            Self::Busy => 7,
            Self::OutOfTime => 8,
            Self::Internal => 70,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// The one that counts.
    pub fn of(all: impl IntoIterator<Item = Self>) -> Self {
        let rank = |exit: &Self| PRECEDENCE.iter().position(|ranked| ranked == exit).unwrap_or_default();
        all.into_iter().min_by_key(rank).unwrap_or(Self::Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_behind_counts_before_everything_else() {
        assert_eq!(Exit::of([Exit::Fail, Exit::Config, Exit::Leftover, Exit::Busy]), Exit::Leftover);
    }

    #[test]
    fn what_could_not_be_checked_counts_before_what_failed() {
        assert_eq!(Exit::of([Exit::Warnings, Exit::Fail, Exit::Unchecked, Exit::OutOfTime]), Exit::Unchecked);
        assert_eq!(Exit::of([Exit::Fail, Exit::OutOfTime]), Exit::OutOfTime);
        assert_eq!(Exit::of([]), Exit::Ok);
    }
}
