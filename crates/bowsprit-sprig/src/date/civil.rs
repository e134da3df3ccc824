//! The calendar: seconds to dates and back, with Go's wrap-around at the ends of time.

/// Seconds per day.
pub(super) const DAY: i64 = 86_400;

/// Seconds from year 1 to 1970: Go counts from the former.
pub(super) const UNIX_TO_INTERNAL: i64 = (1969 * 365 + 1969 / 4 - 1969 / 100 + 1969 / 400) * DAY;

// Go's absolute times start on March 1st of a year far enough back that no time is negative.
const ABSOLUTE_YEARS: u64 = 292_277_022_400;
const MARCH_TO_DECEMBER: i64 = 306;
const INTERNAL_TO_ABSOLUTE: i64 = (ABSOLUTE_YEARS as i64 / 400 * 146_097 + MARCH_TO_DECEMBER) * DAY;

/// Seconds from the absolute start to 1970.
pub(super) const UNIX_TO_ABSOLUTE: i64 = UNIX_TO_INTERNAL + INTERNAL_TO_ABSOLUTE;

/// A local moment as seconds since the absolute start.
#[derive(Clone, Copy)]
pub(super) struct Absolute(pub(super) u64);

/// Year, month (1 to 12), day of the month and of the year (from 1).
#[derive(Clone, Copy)]
pub(super) struct Day {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) year_day: i64,
}

impl Absolute {
    pub(super) fn date(self) -> Day {
        let days = self.0 / DAY as u64;
        let era = days / 146_097;
        let of_era = days % 146_097;
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let march_day = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let index = (5 * march_day + 2) / 153;
        let day = march_day - (153 * index + 2) / 5 + 1;
        let month = if index < 10 { index + 3 } else { index - 9 };
        let early = u64::from(month <= 2);
        let year = (year_of_era + era * 400 + early).wrapping_sub(ABSOLUTE_YEARS) as i64;
        let year_day = if early == 1 {
            march_day as i64 - MARCH_TO_DECEMBER + 1
        } else {
            march_day as i64 + 60 + i64::from(is_leap(year))
        };
        Day { year, month: month as i64, day: day as i64, year_day }
    }

    /// Hour, minute, second.
    pub(super) fn clock(self) -> (i64, i64, i64) {
        let sec = (self.0 % DAY as u64) as i64;
        (sec / 3600, sec / 60 % 60, sec % 60)
    }

    /// 0 is Sunday.
    pub(super) fn weekday(self) -> i64 {
        ((self.0 / DAY as u64 + 3) % 7) as i64
    }
}

/// Unix seconds of a normalised date and time of day, as if in UTC.
pub(super) fn unix_seconds(year: i64, month: i64, day: i64, second_of_day: i64) -> i64 {
    let early = u64::from(month < 3);
    let march = month as u64 + 12 * early;
    let year = (year as u64).wrapping_sub(early).wrapping_add(ABSOLUTE_YEARS);
    let (century, year) = (year / 100, year % 100);
    let days = (146_097_u64.wrapping_mul(century) / 4)
        .wrapping_add(1461 * year / 4 + ((979 * march - 2919) >> 5))
        .wrapping_add((day as u64).wrapping_sub(1));
    (days as i64).wrapping_mul(DAY).wrapping_add(second_of_day).wrapping_sub(UNIX_TO_ABSOLUTE)
}

pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(super) fn days_in(month: i64, year: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of a common year before a month; 13 gives all of them.
pub(super) fn days_before(month: i64) -> i64 {
    let shift = if month >= 3 { -2 } else { 0 };
    (214 * month - 211) / 7 + shift
}

/// Carries `low` into `high` so that it lies in `0..base`.
pub(super) fn carry(high: i64, low: i64, base: i64) -> (i64, i64) {
    (high.wrapping_add(low.div_euclid(base)), low.rem_euclid(base))
}
