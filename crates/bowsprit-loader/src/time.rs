//! Times as RFC 3339 writes them, in UTC.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds and nanoseconds since 1970; what lies before counts as 1970.
fn since_epoch(time: SystemTime) -> (u64, u32) {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    (since.as_secs(), since.subsec_nanos())
}

/// The time to the second.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let (seconds, _) = since_epoch(time);
    format!("{}Z", to_second(seconds))
}

/// The time as exactly as it is known, as Go prints it: without zeros at the end.
pub(crate) fn rfc3339_nanos(time: SystemTime) -> String {
    let (seconds, nanos) = since_epoch(time);
    if nanos == 0 {
        return format!("{}Z", to_second(seconds));
    }
    let fraction = format!("{nanos:09}");
    format!("{}.{}Z", to_second(seconds), fraction.trim_end_matches('0'))
}

fn to_second(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days are counted from the first of March of the year 0, so that leap days come last.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn times_are_written() {
        let at = |seconds, nanos| UNIX_EPOCH + Duration::new(seconds, nanos);
        assert_eq!(rfc3339(at(0, 5)), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(at(951_782_400, 0)), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339_nanos(at(1_795_699_307, 343_362_031)), "2026-11-26T13:21:47.343362031Z");
        assert_eq!(rfc3339_nanos(at(1, 500_000_000)), "1970-01-01T00:00:01.5Z");
    }
}
