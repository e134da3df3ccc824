//! Go's reading of RFC 3339 times in JSON, for the one time in a lock file.
//!
//! Nothing uses the time; it is checked because Helm refuses a lock with a bad one, and written again
//! when a chart is packed.

use bowsprit_value::json;
use std::fmt;

const LAYOUT: &str = "2006-01-02T15:04:05Z07:00";

/// Why a text is no time; `Display` is Go's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ParseError {
    NotAString,
    /// The text, what was left of it, and the piece of the layout that it does not match.
    Mismatch(Vec<u8>, Vec<u8>, &'static str),
    /// The text and what is wrong with one of its numbers.
    Range(Vec<u8>, &'static str),
    /// The text and what follows the time.
    Extra(Vec<u8>, Vec<u8>),
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAString => f.write_str("Time.UnmarshalJSON: input is not a JSON string"),
            Self::Mismatch(text, rest, piece) => write!(
                f,
                "parsing time {} as \"{LAYOUT}\": cannot parse {} as \"{piece}\"",
                quote(text),
                quote(rest)
            ),
            Self::Range(text, what) => {
                write!(f, "parsing time {}: {what} out of range", quote(text))
            }
            Self::Extra(text, rest) => {
                write!(f, "parsing time {}: extra text: {}", quote(text), quote(rest))
            }
        }
    }
}

/// The `time` package's own quoting: everything beyond printable ASCII in hexadecimal.
fn quote(text: &[u8]) -> String {
    let mut out = String::from("\"");
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=b'\x7f' => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

/// `Time.UnmarshalJSON`, which looks at the JSON text between the quotes without resolving escapes.
pub(crate) fn check_json_time(text: Option<&[u8]>) -> Result<String, ParseError> {
    let text = text.ok_or(ParseError::NotAString)?;
    let mut json = Vec::new();
    json::append_string(&mut json, text, true);
    let inner = json.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    Parser { text: inner.unwrap_or_default(), rest: inner.unwrap_or_default() }.parse()?;
    Ok(String::from_utf8_lossy(text).into_owned())
}

/// How Go writes a time that it has read: two digits for the hour, a point before the fraction and no
/// zeros behind it, `Z` for no offset. The text must be one that [`check_json_time`] accepts.
pub(crate) fn normalized(text: &str) -> String {
    let Some((date, clock)) = text.split_once('T') else { return text.to_owned() };
    let (clock, zone) = match clock.find(['Z', '+', '-']) {
        Some(at) => clock.split_at_checked(at).unwrap_or_default(),
        None => (clock, "Z"),
    };
    let (seconds, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, ""));
    let fraction = fraction.get(..9).unwrap_or(fraction).trim_end_matches('0');
    let zero = if seconds.find(':') == Some(1) { "0" } else { "" };
    let dot = if fraction.is_empty() { "" } else { "." };
    let zone = if matches!(zone, "+00:00" | "-00:00") { "Z" } else { zone };
    format!("{date}T{zero}{seconds}{dot}{fraction}{zone}")
}

struct Parser<'t> {
    text: &'t [u8],
    rest: &'t [u8],
}

impl Parser<'_> {
    fn parse(mut self) -> Result<(), ParseError> {
        let year = self.year()?;
        self.literal("-")?;
        let month = self.number("01", true, 1..=12, "month")?;
        self.literal("-")?;
        let day = self.number("02", true, 0..=99, "day")?;
        self.literal("T")?;
        self.number("15", false, 0..=23, "hour")?;
        self.literal(":")?;
        self.number("04", true, 0..=59, "minute")?;
        self.literal(":")?;
        self.number("05", true, 0..=59, "second")?;
        self.fraction();
        self.zone()?;
        if !self.rest.is_empty() {
            return Err(ParseError::Extra(self.text.to_vec(), self.rest.to_vec()));
        }
        let in_month = 1..=days_in(month, year);
        if in_month.contains(&day) { Ok(()) } else { Err(self.out_of_range("day")) }
    }

    fn mismatch(&self, piece: &'static str) -> ParseError {
        ParseError::Mismatch(self.text.to_vec(), self.rest.to_vec(), piece)
    }

    fn out_of_range(&self, what: &'static str) -> ParseError {
        ParseError::Range(self.text.to_vec(), what)
    }

    fn literal(&mut self, piece: &'static str) -> Result<(), ParseError> {
        self.rest = self.rest.strip_prefix(piece.as_bytes()).ok_or_else(|| self.mismatch(piece))?;
        Ok(())
    }

    fn year(&mut self) -> Result<u32, ParseError> {
        let (digits, rest) = self.rest.split_at_checked(4).ok_or_else(|| self.mismatch("2006"))?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(self.mismatch("2006"));
        }
        self.rest = rest;
        Ok(digits.iter().fold(0, |year, &b| year * 10 + u32::from(b - b'0')))
    }

    fn number(
        &mut self,
        piece: &'static str,
        two_digits: bool,
        range: std::ops::RangeInclusive<u32>,
        what: &'static str,
    ) -> Result<u32, ParseError> {
        let (value, rest) =
            two_digit_number(self.rest, two_digits).ok_or_else(|| self.mismatch(piece))?;
        self.rest = rest;
        if range.contains(&value) { Ok(value) } else { Err(self.out_of_range(what)) }
    }

    fn fraction(&mut self) {
        if let [b'.' | b',', digits @ ..] = self.rest {
            let count = digits.iter().take_while(|b| b.is_ascii_digit()).count();
            if count > 0 {
                self.rest = digits.get(count..).unwrap_or_default();
            }
        }
    }

    fn zone(&mut self) -> Result<(), ParseError> {
        if let [b'Z', rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(());
        }
        let zone = self.rest.get(..6).filter(|zone| zone.get(3) == Some(&b':'));
        let number =
            |at: usize| two_digit_number(zone?.get(at..at + 2)?, true).map(|(value, _)| value);
        let (hours, minutes) = (number(1), number(4));
        match (hours, minutes, zone.and_then(<[u8]>::first)) {
            (Some(25..), Some(_), _) => Err(self.out_of_range("time zone offset hour")),
            (Some(_), Some(61..), _) => Err(self.out_of_range("time zone offset minute")),
            (Some(_), Some(_), Some(b'+' | b'-')) => {
                self.rest = self.rest.get(6..).unwrap_or_default();
                Ok(())
            }
            _ => Err(self.mismatch("Z07:00")),
        }
    }
}

fn two_digit_number(text: &[u8], two_digits: bool) -> Option<(u32, &[u8])> {
    let value = |b: u8| u32::from(b - b'0');
    match text {
        [a @ b'0'..=b'9', b @ b'0'..=b'9', rest @ ..] => Some((value(*a) * 10 + value(*b), rest)),
        [a @ b'0'..=b'9', rest @ ..] if !two_digits => Some((value(*a), rest)),
        _ => None,
    }
}

fn days_in(month: u32, year: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> String {
        check_json_time(Some(text.as_bytes())).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn times_that_go_reads() {
        for text in [
            "2024-02-29T10:00:00Z",
            "2024-01-01T1:02:03Z",
            "2024-01-01T10:00:00.123456789+02:00",
            "2024-01-01T10:00:00,5-24:60",
        ] {
            assert_eq!(check(text), text);
        }
    }

    #[test]
    fn times_are_written_as_go_writes_them() {
        for (text, want) in [
            ("2024-02-29T10:00:00Z", "2024-02-29T10:00:00Z"),
            ("2024-01-01T1:02:03.500Z", "2024-01-01T01:02:03.5Z"),
            ("2024-01-01T10:00:00,000+02:00", "2024-01-01T10:00:00+02:00"),
            ("2024-01-01T10:00:00.123456789123-00:00", "2024-01-01T10:00:00.123456789Z"),
        ] {
            assert_eq!(normalized(text), want);
        }
    }

    #[test]
    fn errors_are_gos() {
        let as_layout = |text: &str, rest: &str, piece: &str| {
            format!("parsing time {text:?} as \"{LAYOUT}\": cannot parse {rest:?} as {piece:?}")
        };
        for (text, rest, piece) in [
            ("", "", "2006"),
            ("x", "x", "2006"),
            ("2024/01", "/01", "-"),
            ("2024-1-01", "1-01", "01"),
            ("2024-01-01", "", "T"),
            ("2024-01-01 10:00:00Z", " 10:00:00Z", "T"),
            ("2024-01-01T10:00:00", "", "Z07:00"),
            ("2024-01-01T10:00:00+0200", "+0200", "Z07:00"),
        ] {
            assert_eq!(check(text), as_layout(text, rest, piece));
        }
        for (text, message) in [
            ("2024-13-01T10:00:00Z", "month out of range"),
            ("2023-02-29T10:00:00Z", "day out of range"),
            ("2024-01-01T24:00:00Z", "hour out of range"),
            ("2024-01-01T10:00:00+25:00", "time zone offset hour out of range"),
            ("2024-01-01T10:00:00Zx", "extra text: \"x\""),
        ] {
            assert_eq!(check(text), format!("parsing time {text:?}: {message}"));
        }
        assert_eq!(
            check("é"),
            r#"parsing time "\xc3\xa9" as "2006-01-02T15:04:05Z07:00": cannot parse "\xc3\xa9" as "2006""#
        );
        let number = check_json_time(None).unwrap_err().to_string();
        assert_eq!(number, "Time.UnmarshalJSON: input is not a JSON string");
    }
}
