//! Dates as vzdump writes them into file names and logs.

use alloc::format;
use alloc::string::String;

/// `2026_11_24-05_49_15` of seconds since 1970, in UTC.
pub(super) fn stamp(time: u64) -> String {
    let (year, month, day) = civil(time / 86_400);
    let (hour, minute, second) = (time / 3600 % 24, time / 60 % 60, time % 60);
    format!("{year:04}_{month:02}_{day:02}-{hour:02}_{minute:02}_{second:02}")
}

/// `2026-11-24 05:49:15` of seconds since 1970, in UTC.
pub(super) fn log_time(time: u64) -> String {
    let stamp = stamp(time);
    let (date, clock) = stamp.split_once('-').unwrap_or_default();
    format!("{} {}", date.replace('_', "-"), clock.replace('_', ":"))
}

/// Year, month and day of a number of days since 1970, counted month by month.
fn civil(mut days: u64) -> (u64, u64, u64) {
    let mut year = 1970;
    loop {
        let leap = u64::from(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
        let months = [31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        for (month, length) in (1..).zip(months) {
            if days < length {
                return (year, month, days + 1);
            }
            days -= length;
        }
        year += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_vzdump_writes_them() {
        assert_eq!(
            (stamp(1_795_499_355), log_time(1_795_499_355)),
            ("2026_11_24-05_49_15".into(), "2026-11-24 05:49:15".into())
        );
    }
}
