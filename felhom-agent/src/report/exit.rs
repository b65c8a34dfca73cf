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

/// The codes, in the order in which they count.
const CODES: [(Exit, u8); 12] = [
    (Exit::Leftover, 6),
    (Exit::Busy, 7),
    (Exit::Internal, 70),
    (Exit::Interrupted, 130),
    (Exit::Terminated, 143),
    (Exit::Config, 4),
    (Exit::Unchecked, 5),
    (Exit::OutOfTime, 8),
    (Exit::Fail, 1),
    (Exit::Warnings, 3),
    (Exit::Usage, 2),
    (Exit::Ok, 0),
];

impl Exit {
    /// The code.
    pub fn code(self) -> u8 {
        CODES.iter().find(|(exit, _)| *exit == self).map_or(1, |(_, code)| *code)
    }

    /// The one that counts.
    pub fn of(all: impl IntoIterator<Item = Self>) -> Self {
        let rank = |exit: &Self| CODES.iter().position(|(ranked, _)| ranked == exit).unwrap_or_default();
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
