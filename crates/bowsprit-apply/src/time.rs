//! Moments as release records hold them.

use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

/// A moment with the offset in which it was written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    at: Timestamp,
    offset: Offset,
}

impl Time {
    /// The present.
    pub fn now() -> Time {
        let now = Zoned::now();
        Time { at: now.timestamp(), offset: now.offset() }
    }

    /// Reads RFC 3339. Go's zero time counts for none.
    pub fn parse(text: &str) -> Option<Time> {
        let pieces = DateTimeParser::new().parse_pieces(text).ok()?;
        let at: Timestamp = text.parse().ok()?;
        let offset = pieces.to_numeric_offset().unwrap_or(Offset::UTC);
        let zero = text.starts_with("0001-01-01T00:00:00");
        (!zero).then_some(Time { at, offset })
    }

    /// RFC 3339 with as many digits of the second as there are, as Go writes it.
    pub fn rfc3339(&self) -> String {
        self.with_fraction(&fraction(self.at.subsec_nanosecond()))
    }

    /// RFC 3339 in whole seconds.
    pub fn rfc3339_seconds(&self) -> String {
        self.with_fraction("")
    }

    fn with_fraction(&self, fraction: &str) -> String {
        let zoned = self.at.to_zoned(self.offset.to_time_zone());
        let zone = match self.offset.seconds() {
            0 => "Z".to_owned(),
            _ => zoned.strftime("%:z").to_string(),
        };
        format!("{}{fraction}{zone}", zoned.strftime("%Y-%m-%dT%H:%M:%S"))
    }

    /// As Go prints a time: `2026-11-21 01:46:01.646495488 +0000 UTC`.
    pub fn go_string(&self) -> String {
        let local = self.at.to_zoned(TimeZone::system());
        let zoned = self.at.to_zoned(self.offset.to_time_zone());
        let abbreviation = match self.offset.seconds() {
            0 => "UTC".to_owned(),
            _ if local.offset() == self.offset => local.strftime("%Z").to_string(),
            _ => zoned.strftime("%z").to_string(),
        };
        let fraction = fraction(self.at.subsec_nanosecond());
        let offset = zoned.strftime("%z");
        format!("{}{fraction} {offset} {abbreviation}", zoned.strftime("%Y-%m-%d %H:%M:%S"))
    }

    /// Go's `ANSIC` in the local zone: `Sat Nov 21 01:46:01 2026`.
    pub fn ansic(&self) -> String {
        self.at.to_zoned(TimeZone::system()).strftime("%a %b %e %H:%M:%S %Y").to_string()
    }

    /// The moment in seconds since 1970.
    pub fn unix(&self) -> i64 {
        self.at.as_second()
    }

    /// Seconds since the moment; negative if it is to come.
    pub fn age(&self) -> i64 {
        Timestamp::now().as_second() - self.at.as_second()
    }
}

/// The fraction of a second without the zeros at its end; nothing for none.
fn fraction(nanos: i32) -> String {
    if nanos == 0 {
        return String::new();
    }
    format!(".{nanos:09}").trim_end_matches('0').to_owned()
}

/// A span of time as `kubectl get` prints ages.
pub(crate) fn human_age(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let pair = |big: i64, big_unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{big}{big_unit}"),
        _ => format!("{big}{big_unit}{small}{small_unit}"),
    };
    match seconds {
        s if s < -1 => "<invalid>".to_owned(),
        s if s < 0 => "0s".to_owned(),
        s if s < 120 => format!("{s}s"),
        s if minutes < 10 => pair(minutes, "m", s % 60, "s"),
        _ if minutes < 180 => format!("{minutes}m"),
        _ if hours < 8 => pair(hours, "h", minutes % 60, "m"),
        _ if hours < 48 => format!("{hours}h"),
        _ if days < 8 => pair(days, "d", hours % 24, "h"),
        _ if days < 730 => format!("{days}d"),
        _ if days < 8 * 365 => pair(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_offset_and_fraction() {
        for text in [
            "2026-11-21T01:46:01.646495488Z",
            "2026-11-21T01:46:01.5+02:00",
            "2026-11-21T01:46:01Z",
        ] {
            assert_eq!(Time::parse(text).unwrap().rfc3339(), text);
        }
        assert_eq!(Time::parse("0001-01-01T00:00:00Z"), None);
        assert_eq!(Time::parse(""), None);
        let time = Time::parse("2026-11-21T01:46:01.646495488Z").unwrap();
        assert_eq!(time.go_string(), "2026-11-21 01:46:01.646495488 +0000 UTC");
        assert_eq!(time.rfc3339_seconds(), "2026-11-21T01:46:01Z");
    }

    #[test]
    fn ages_are_kubectls() {
        for (seconds, want) in [
            (5, "5s"),
            (119, "119s"),
            (120, "2m"),
            (130, "2m10s"),
            (3600, "60m"),
            (3 * 3600, "3h"),
            (3 * 3600 + 60, "3h1m"),
            (86_400, "24h"),
            (3 * 86_400, "3d"),
            (324 * 86_400, "324d"),
        ] {
            assert_eq!(human_age(seconds), want);
        }
    }
}
