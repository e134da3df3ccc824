//! Go's reference-time layouts: their elements, and printing by them.

use super::civil::Day;
use super::time::Time;

/// An element of a layout; the text stands for the reference time 2006-01-02 15:04:05 -0700 MST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// `January`
    LongMonth,
    /// `Jan`
    ShortMonth,
    /// `1`
    Month,
    /// `01`
    PaddedMonth,
    /// `Monday`
    LongWeekday,
    /// `Mon`
    ShortWeekday,
    /// `2`
    Day,
    /// `_2`
    SpacedDay,
    /// `02`
    PaddedDay,
    /// `__2`
    SpacedYearDay,
    /// `002`
    PaddedYearDay,
    /// `15`
    Hour24,
    /// `3`
    Hour12,
    /// `03`
    PaddedHour12,
    /// `4`
    Minute,
    /// `04`
    PaddedMinute,
    /// `5`
    Second,
    /// `05`
    PaddedSecond,
    /// `2006`
    LongYear,
    /// `06`
    ShortYear,
    /// `PM`
    UpperHalf,
    /// `pm`
    LowerHalf,
    /// `MST`
    ZoneName,
    /// `-0700` and the like; with `zulu`, `Z0700` and the like
    Offset { zulu: bool, shape: Shape },
    /// `.000`, or with `trim` `.999`
    Fraction { trim: bool, digits: usize, separator: u8 },
}

/// How an offset is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `07`
    Hours,
    /// `0700`
    Plain,
    /// `07:00`
    Colon,
    /// `070000`
    PlainSeconds,
    /// `07:00:00`
    ColonSeconds,
}

impl Shape {
    pub(super) const fn colon(self) -> bool {
        matches!(self, Shape::Colon | Shape::ColonSeconds)
    }

    pub(super) const fn seconds(self) -> bool {
        matches!(self, Shape::PlainSeconds | Shape::ColonSeconds)
    }
}

// In the order in which Go looks for them: a longer one is not always first.
const SHAPES: [(&[u8], Shape); 5] = [
    (b"070000", Shape::PlainSeconds),
    (b"07:00:00", Shape::ColonSeconds),
    (b"0700", Shape::Plain),
    (b"07:00", Shape::Colon),
    (b"07", Shape::Hours),
];

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The first element of a layout and where it lies.
pub(super) fn next_element(layout: &[u8]) -> Option<(usize, Element, usize)> {
    (0..layout.len()).find_map(|start| {
        let (skip, element, len) = element_at(layout.get(start..)?)?;
        Some((start + skip, element, start + skip + len))
    })
}

/// The element that a text starts with: bytes of literal text before it, element, length.
fn element_at(text: &[u8]) -> Option<(usize, Element, usize)> {
    let plain = |element, len| Some((0, element, len));
    match text.first()? {
        b'J' if text.starts_with(b"January") => plain(Element::LongMonth, 7),
        b'J' if is_short(text, b"Jan") => plain(Element::ShortMonth, 3),
        b'M' if text.starts_with(b"Monday") => plain(Element::LongWeekday, 6),
        b'M' if is_short(text, b"Mon") => plain(Element::ShortWeekday, 3),
        b'M' if text.starts_with(b"MST") => plain(Element::ZoneName, 3),
        b'0' => zero_element(text).and_then(|(element, len)| plain(element, len)),
        b'1' if text.starts_with(b"15") => plain(Element::Hour24, 2),
        b'1' => plain(Element::Month, 1),
        b'2' if text.starts_with(b"2006") => plain(Element::LongYear, 4),
        b'2' => plain(Element::Day, 1),
        // The underscore of _2006 is literal.
        b'_' if text.starts_with(b"_2006") => Some((1, Element::LongYear, 4)),
        b'_' if text.starts_with(b"_2") => plain(Element::SpacedDay, 2),
        b'_' if text.starts_with(b"__2") => plain(Element::SpacedYearDay, 3),
        b'3' => plain(Element::Hour12, 1),
        b'4' => plain(Element::Minute, 1),
        b'5' => plain(Element::Second, 1),
        b'P' if text.starts_with(b"PM") => plain(Element::UpperHalf, 2),
        b'p' if text.starts_with(b"pm") => plain(Element::LowerHalf, 2),
        sign @ (b'-' | b'Z') => {
            let (shape_text, shape) = SHAPES.iter().find(|(t, _)| text[1..].starts_with(t))?;
            plain(Element::Offset { zulu: *sign == b'Z', shape: *shape }, 1 + shape_text.len())
        }
        b'.' | b',' => fraction(text).and_then(|(element, len)| plain(element, len)),
        _ => None,
    }
}

fn is_short(text: &[u8], name: &[u8]) -> bool {
    text.starts_with(name) && !text.get(name.len()).is_some_and(u8::is_ascii_lowercase)
}

fn zero_element(text: &[u8]) -> Option<(Element, usize)> {
    Some(match text.get(1)? {
        b'1' => (Element::PaddedMonth, 2),
        b'2' => (Element::PaddedDay, 2),
        b'3' => (Element::PaddedHour12, 2),
        b'4' => (Element::PaddedMinute, 2),
        b'5' => (Element::PaddedSecond, 2),
        b'6' => (Element::ShortYear, 2),
        b'0' if text.get(2) == Some(&b'2') => (Element::PaddedYearDay, 3),
        _ => return None,
    })
}

fn fraction(text: &[u8]) -> Option<(Element, usize)> {
    let (separator, digits) = text.split_first()?;
    let digit = *digits.first().filter(|d| matches!(d, b'0' | b'9'))?;
    let run = digits.iter().take_while(|&&b| b == digit).count();
    if digits.get(run).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    // Go keeps the count in twelve bits.
    let element =
        Element::Fraction { trim: digit == b'9', digits: run & 0xfff, separator: *separator };
    Some((element, run + 1))
}

/// Go's `Time.AppendFormat`.
pub(super) fn format(time: &Time, layout: &[u8], out: &mut Vec<u8>) {
    let local = time.local();
    let date = local.absolute.date();
    let clock = local.absolute.clock();
    let mut rest = layout;
    while let Some((start, element, end)) = next_element(rest) {
        out.extend_from_slice(rest.get(..start).unwrap_or_default());
        rest = rest.get(end..).unwrap_or_default();
        match element {
            Element::ShortWeekday => push_weekday(out, local.absolute.weekday(), 3),
            Element::LongWeekday => push_weekday(out, local.absolute.weekday(), usize::MAX),
            Element::ZoneName if !local.name.is_empty() => out.extend_from_slice(local.name),
            Element::ZoneName => push_offset(out, local.offset, Shape::Plain),
            Element::Offset { zulu: true, .. } if local.offset == 0 => out.push(b'Z'),
            Element::Offset { shape, .. } => push_offset(out, local.offset, shape),
            Element::Fraction { trim, digits, separator } => {
                push_fraction(out, time.nanos(), trim, digits, separator);
            }
            _ if !push_date(out, element, date) => push_clock(out, element, clock),
            _ => {}
        }
    }
    out.extend_from_slice(rest);
}

fn push_weekday(out: &mut Vec<u8>, day: i64, len: usize) {
    push_name(out, usize::try_from(day).ok().and_then(|d| WEEKDAYS.get(d)), len);
}

fn push_name(out: &mut Vec<u8>, name: Option<&&str>, len: usize) {
    let name = name.map_or(&b""[..], |n| n.as_bytes());
    out.extend_from_slice(name.get(..len).unwrap_or(name));
}

/// Prints an element of the date; false for the others.
fn push_date(out: &mut Vec<u8>, element: Element, date: Day) -> bool {
    let month = || usize::try_from(date.month - 1).ok().and_then(|m| MONTHS.get(m));
    match element {
        Element::ShortYear => push_int(out, date.year.unsigned_abs() as i64 % 100, 2),
        Element::LongYear => push_int(out, date.year, 4),
        Element::ShortMonth => push_name(out, month(), 3),
        Element::LongMonth => push_name(out, month(), usize::MAX),
        Element::Month => push_int(out, date.month, 0),
        Element::PaddedMonth => push_int(out, date.month, 2),
        Element::Day => push_int(out, date.day, 0),
        Element::SpacedDay => push_spaced(out, date.day, 2),
        Element::PaddedDay => push_int(out, date.day, 2),
        Element::SpacedYearDay => push_spaced(out, date.year_day, 3),
        Element::PaddedYearDay => push_int(out, date.year_day, 3),
        _ => return false,
    }
    true
}

fn push_clock(out: &mut Vec<u8>, element: Element, (hour, minute, second): (i64, i64, i64)) {
    let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
    match element {
        Element::Hour24 => push_int(out, hour, 2),
        Element::Hour12 => push_int(out, twelve, 0),
        Element::PaddedHour12 => push_int(out, twelve, 2),
        Element::Minute => push_int(out, minute, 0),
        Element::PaddedMinute => push_int(out, minute, 2),
        Element::Second => push_int(out, second, 0),
        Element::PaddedSecond => push_int(out, second, 2),
        Element::UpperHalf => out.extend_from_slice(if hour >= 12 { b"PM" } else { b"AM" }),
        Element::LowerHalf => out.extend_from_slice(if hour >= 12 { b"pm" } else { b"am" }),
        _ => {}
    }
}

/// Decimal digits, zero-padded to a width that does not count the sign.
pub(super) fn push_int(out: &mut Vec<u8>, n: i64, width: usize) {
    if n < 0 {
        out.push(b'-');
    }
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    let mut rest = n.unsigned_abs();
    while rest > 0 || at == digits.len() {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let at = at.min(digits.len().saturating_sub(width));
    out.extend_from_slice(&digits[at..]);
}

fn push_spaced(out: &mut Vec<u8>, n: i64, width: usize) {
    if width > 2 && n < 100 {
        out.push(b' ');
    }
    if n < 10 {
        out.push(b' ');
    }
    push_int(out, n, 0);
}

fn push_offset(out: &mut Vec<u8>, offset: i64, shape: Shape) {
    let minutes = (offset / 60).abs();
    // The sign is that of the minutes: less than one of them west of UTC prints as east, and its
    // seconds keep their own sign.
    let west = offset / 60 < 0;
    out.push(if west { b'-' } else { b'+' });
    push_int(out, minutes / 60, 2);
    if shape.colon() {
        out.push(b':');
    }
    if shape != Shape::Hours {
        push_int(out, minutes % 60, 2);
    }
    if shape.seconds() {
        if shape.colon() {
            out.push(b':');
        }
        let seconds = if west { -offset } else { offset };
        push_int(out, seconds % 60, 2);
    }
}

fn push_fraction(out: &mut Vec<u8>, nanos: u32, trim: bool, digits: usize, separator: u8) {
    if trim && (digits == 0 || nanos == 0) {
        return;
    }
    let start = out.len();
    out.push(separator);
    push_int(out, i64::from(nanos), 9);
    out.truncate(start + 1 + digits.min(9));
    if trim {
        while out.last() == Some(&b'0') {
            out.pop();
        }
        if out.len() == start + 1 {
            out.pop();
        }
    }
}
