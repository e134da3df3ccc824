//! The POSIX rule that ends a TZif file: what holds after the last listed transition.

use super::civil::{Absolute, DAY, UNIX_TO_ABSOLUTE, days_before, days_in, is_leap};
use super::zone::Span;

/// What a rule says about a moment; `None` where the rule is empty or wrong.
pub(super) fn at(rule: &'static [u8], last: i64, unix: i64) -> Option<Span<'static>> {
    let mut text = Text(rule);
    let std_name = text.name()?;
    let std_offset = -text.offset()?;
    if matches!(text.0.first(), None | Some(b',')) {
        return Some(Span {
            name: std_name,
            offset: std_offset,
            start: last,
            end: i64::MAX,
            dst: false,
        });
    }
    let dst_name = text.name()?;
    let dst_offset = match text.0.first() {
        None | Some(b',') => std_offset + 3600,
        Some(_) => -text.offset()?,
    };
    if text.0.is_empty() {
        text = Text(b",M3.2.0,M11.1.0");
    }
    (text.eat(b',') || text.eat(b';')).then_some(())?;
    let from = text.date()?;
    text.eat(b',').then_some(())?;
    let to = text.date()?;
    text.0.is_empty().then_some(())?;

    // Go takes the year of the moment in UTC.
    let year = Absolute(unix.wrapping_add(UNIX_TO_ABSOLUTE) as u64).date();
    let of_year = (year.year_day - 1) * DAY + unix % DAY;
    let year_start = unix.wrapping_sub(of_year);
    let mut std = (std_name, std_offset, false);
    let mut dst = (dst_name, dst_offset, true);
    let mut start = from.seconds(year.year) - std_offset;
    let mut end = to.seconds(year.year) - dst_offset;
    if end < start {
        (start, end, std, dst) = (end, start, dst, std);
    }
    let ((name, offset, is_dst), start, end) = if of_year < start {
        (std, 0, start)
    } else if of_year >= end {
        (std, end, 365 * DAY)
    } else {
        (dst, start, end)
    };
    Some(Span {
        name,
        offset,
        start: year_start.wrapping_add(start),
        end: year_start.wrapping_add(end),
        dst: is_dst,
    })
}

enum Date {
    Julian(i64),
    DayOfYear(i64),
    Weekday { month: i64, week: i64, day: i64 },
}

struct Change {
    date: Date,
    time: i64,
}

impl Change {
    /// Seconds from the start of a year.
    fn seconds(&self, year: i64) -> i64 {
        let leap = i64::from(is_leap(year));
        let days = match self.date {
            Date::Julian(day) => day - 1 + if day >= 60 { leap } else { 0 },
            Date::DayOfYear(day) => day,
            Date::Weekday { month, week, day } => {
                // Zeller's congruence gives the weekday of the month's first day.
                let m = (month + 9) % 12 + 1;
                let y = if month <= 2 { year - 1 } else { year };
                let (high, low) = (y / 100, y % 100);
                let first = (26 * m - 2) / 10 + 1 + low + low / 4 + high / 4 - 2 * high;
                let mut date = (day - first.rem_euclid(7)).rem_euclid(7);
                for _ in 1..week {
                    if date + 7 >= days_in(month, year) {
                        break;
                    }
                    date += 7;
                }
                date + days_before(month) + if month > 2 { leap } else { 0 }
            }
        };
        days * DAY + self.time
    }
}

struct Text(&'static [u8]);

impl Text {
    fn eat(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn cut(&mut self, at: usize) -> &'static [u8] {
        let (head, tail) = self.0.split_at_checked(at).unwrap_or((self.0, b""));
        self.0 = tail;
        head
    }

    fn name(&mut self) -> Option<&'static [u8]> {
        if self.eat(b'<') {
            let end = self.0.iter().position(|&b| b == b'>')?;
            let name = self.cut(end);
            self.eat(b'>');
            return Some(name);
        }
        let end = self.0.iter().position(|b| matches!(b, b'0'..=b'9' | b',' | b'-' | b'+'));
        let name = self.cut(end.unwrap_or(self.0.len()));
        (name.len() >= 3).then_some(name)
    }

    fn number(&mut self, min: i64, max: i64) -> Option<i64> {
        let end = self.0.iter().position(|b| !b.is_ascii_digit()).unwrap_or(self.0.len());
        let digits = self.cut(end);
        if digits.is_empty() || digits.len() > 9 {
            return None;
        }
        let n = digits.iter().fold(0, |n, d| n * 10 + i64::from(d - b'0'));
        (min..=max).contains(&n).then_some(n)
    }

    fn offset(&mut self) -> Option<i64> {
        let sign = if self.eat(b'-') { -1 } else { 1 };
        if sign > 0 {
            self.eat(b'+');
        }
        let mut seconds = self.number(0, 24 * 7)? * 3600;
        if self.eat(b':') {
            seconds += self.number(0, 59)? * 60;
            if self.eat(b':') {
                seconds += self.number(0, 59)?;
            }
        }
        Some(sign * seconds)
    }

    fn date(&mut self) -> Option<Change> {
        let date = if self.eat(b'J') {
            Date::Julian(self.number(1, 365)?)
        } else if self.eat(b'M') {
            let month = self.number(1, 12)?;
            self.eat(b'.').then_some(())?;
            let week = self.number(1, 5)?;
            self.eat(b'.').then_some(())?;
            Date::Weekday { month, week, day: self.number(0, 6)? }
        } else {
            Date::DayOfYear(self.number(0, 365)?)
        };
        let time = if self.eat(b'/') { self.offset()? } else { 2 * 3600 };
        Some(Change { date, time })
    }
}
