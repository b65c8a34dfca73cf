//! How long a worker is waited for, how often it is asked for, and which errors are waited out.

use core::time::Duration;

use crate::Error;

/// How long to wait for a worker, and how often to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    total: Duration,
}

impl Patience {
    /// The shortest and the longest pause between two polls. Beyond 5 s each poll would cost a TLS handshake.
    pub(super) const SHORTEST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(2);
    /// The longest pause where one list serves everybody who waits.
    const LONGEST_SHARED: Duration = Duration::from_millis(1180);

    /// Waits this long at most.
    pub const fn new(total: Duration) -> Self {
        Self { total }
    }

    /// How long it waits at most.
    pub const fn total(self) -> Duration {
        self.total
    }

    /// The pause after this much time was waited: a tenth of it, within bounds and never beyond the end.
    pub(crate) fn pause(self, waited: Duration, is_shared: bool) -> Duration {
        let longest = if is_shared { Self::LONGEST_SHARED } else { Self::LONGEST };
        (waited / 10).clamp(Self::SHORTEST, longest).min(self.total.saturating_sub(waited))
    }
}

impl Default for Patience {
    /// Ten minutes.
    fn default() -> Self {
        Self::new(Duration::from_mins(10))
    }
}

/// Whether an error of a read may be gone when it is asked again. A 4xx is about the request, which stays the same.
pub(super) fn may_pass(error: &Error) -> bool {
    match error {
        Error::Transport { .. } | Error::Decode { .. } => true,
        Error::Rejected { status, .. } => !(400..500).contains(status) || PASSING.contains(status),
        _ => false,
    }
}

/// Statuses of 4xx that are about the moment: out of time, too early, too many requests.
const PASSING: [u16; 3] = [408, 425, 429];
