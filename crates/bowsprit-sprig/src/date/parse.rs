//! Go's `time.ParseInLocation`.

use super::civil::{days_before, days_in, is_leap};
use super::duration::leading_int;
use super::layout::{Element, MONTHS, Shape, WEEKDAYS, next_element};
use super::time::{Fields, Time};
use super::zone::Zone;
use bowsprit_value::Str;

/// Why an element could not be read.
enum Wrong {
    /// The text does not look like the element.
    Shape,
    /// The number is out of the range of this part.
    Range(&'static str),
}

type Read<'v, T> = Result<(T, &'v [u8]), Wrong>;

/// What was read so far.
#[derive(Default)]
struct Parts<'v> {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: i64,
    am: bool,
    pm: bool,
    utc: bool,
    offset: Option<i64>,
    zone_name: &'v [u8],
}

/// Reads a time in a zone; fails with Go's text.
pub(super) fn parse(layout: &[u8], value: &[u8], zone: &Zone) -> Result<Time, Str> {
    let mut parts = Parts::default();
    let mut layout_rest = layout;
    let mut rest = value;
    loop {
        let found = next_element(layout_rest);
        let end = found.map_or(layout_rest.len(), |(start, _, _)| start);
        let (literal, _) = layout_rest.split_at_checked(end).unwrap_or((layout_rest, b""));
        rest = skip(rest, literal).map_err(|at| cannot_parse(value, layout, at, literal))?;
        let Some((start, element, end)) = found else { break };
        let text = layout_rest.get(start..end).unwrap_or_default();
        layout_rest = layout_rest.get(end..).unwrap_or_default();
        rest = parts.read(element, rest, layout_rest).map_err(|wrong| match wrong {
            Wrong::Shape => cannot_parse(value, layout, rest, text),
            Wrong::Range(part) => out_of_range(value, part),
        })?;
    }
    if !rest.is_empty() {
        let mut text = b": extra text: ".to_vec();
        quote(rest, &mut text);
        return Err(message(value, &text));
    }
    parts.settle_day().map_err(|text| message(value, text.as_bytes()))?;
    Ok(parts.into_time(zone))
}

impl<'v> Parts<'v> {
    /// Reads one element; returns what follows it.
    fn read(&mut self, element: Element, v: &'v [u8], layout: &[u8]) -> Result<&'v [u8], Wrong> {
        match element {
            Element::LongMonth
            | Element::ShortMonth
            | Element::Month
            | Element::PaddedMonth
            | Element::LongYear
            | Element::ShortYear
            | Element::Day
            | Element::SpacedDay
            | Element::PaddedDay
            | Element::SpacedYearDay
            | Element::PaddedYearDay => self.read_date(element, v),
            Element::LongWeekday => Ok(name(&WEEKDAYS, usize::MAX, v)?.1),
            Element::ShortWeekday => Ok(name(&WEEKDAYS, 3, v)?.1),
            Element::ZoneName => self.read_zone_name(v),
            Element::Offset { zulu, shape } => self.read_offset(zulu, shape, v),
            Element::Fraction { trim: false, digits, .. } => {
                let (text, rest) = v.split_at_checked(digits + 1).ok_or(Wrong::Shape)?;
                self.nanos = nanoseconds(text)?;
                Ok(rest)
            }
            Element::Fraction { trim: true, .. } => self.read_optional_fraction(v),
            _ => self.read_clock(element, v, layout),
        }
    }

    fn read_date(&mut self, element: Element, v: &'v [u8]) -> Result<&'v [u8], Wrong> {
        match element {
            Element::ShortYear => {
                let (text, rest) = v.split_at_checked(2).ok_or(Wrong::Shape)?;
                let year = atoi(text)?;
                self.year = year + if year >= 69 { 1900 } else { 2000 };
                Ok(rest)
            }
            Element::LongYear => {
                let (text, rest) = v.split_at_checked(4).ok_or(Wrong::Shape)?;
                text.first().filter(|b| b.is_ascii_digit()).ok_or(Wrong::Shape)?;
                self.year = atoi(text)?;
                Ok(rest)
            }
            Element::LongMonth => keep(&mut self.month, name(&MONTHS, usize::MAX, v)),
            Element::ShortMonth => keep(&mut self.month, name(&MONTHS, 3, v)),
            Element::Month | Element::PaddedMonth => {
                let (month, rest) = number(v, element == Element::PaddedMonth)?;
                in_range(month, 1, 12, "month")?;
                self.month = Some(month);
                Ok(rest)
            }
            Element::SpacedDay => keep(&mut self.day, number(skip_spaces(v, 1), false)),
            Element::SpacedYearDay => keep(&mut self.year_day, number3(skip_spaces(v, 2), false)),
            Element::PaddedYearDay => keep(&mut self.year_day, number3(v, true)),
            _ => keep(&mut self.day, number(v, element == Element::PaddedDay)),
        }
    }

    fn read_clock(
        &mut self,
        element: Element,
        v: &'v [u8],
        layout: &[u8],
    ) -> Result<&'v [u8], Wrong> {
        match element {
            Element::Hour24 => set(&mut self.hour, number(v, false)?, 23, "hour"),
            Element::Hour12 => set(&mut self.hour, number(v, false)?, 12, "hour"),
            Element::PaddedHour12 => set(&mut self.hour, number(v, true)?, 12, "hour"),
            Element::Minute => set(&mut self.minute, number(v, false)?, 59, "minute"),
            Element::PaddedMinute => set(&mut self.minute, number(v, true)?, 59, "minute"),
            Element::UpperHalf => self.read_half(v, b"AM", b"PM"),
            Element::LowerHalf => self.read_half(v, b"am", b"pm"),
            _ => {
                let padded = element == Element::PaddedSecond;
                let rest = set(&mut self.second, number(v, padded)?, 59, "second")?;
                // A fraction may follow seconds even where the layout has none.
                match next_element(layout) {
                    Some((_, Element::Fraction { .. }, _)) => Ok(rest),
                    _ => self.read_optional_fraction(rest),
                }
            }
        }
    }

    fn read_half(&mut self, v: &'v [u8], am: &[u8], pm: &[u8]) -> Result<&'v [u8], Wrong> {
        let (text, rest) = v.split_at_checked(2).ok_or(Wrong::Shape)?;
        if text != am && text != pm {
            return Err(Wrong::Shape);
        }
        self.am |= text == am;
        self.pm |= text == pm;
        Ok(rest)
    }

    fn read_optional_fraction(&mut self, v: &'v [u8]) -> Result<&'v [u8], Wrong> {
        if !matches!(v, [b'.' | b',', b'0'..=b'9', ..]) {
            return Ok(v);
        }
        let digits = v.iter().skip(1).take_while(|b| b.is_ascii_digit()).count();
        let (text, rest) = v.split_at_checked(digits + 1).unwrap_or((v, b""));
        self.nanos = nanoseconds(text)?;
        Ok(rest)
    }

    fn read_zone_name(&mut self, v: &'v [u8]) -> Result<&'v [u8], Wrong> {
        if let Some(rest) = v.strip_prefix(b"UTC") {
            self.utc = true;
            return Ok(rest);
        }
        let len = zone_name_len(v).ok_or(Wrong::Shape)?;
        let (zone_name, rest) = v.split_at_checked(len).ok_or(Wrong::Shape)?;
        self.zone_name = zone_name;
        Ok(rest)
    }

    fn read_offset(&mut self, zulu: bool, shape: Shape, v: &'v [u8]) -> Result<&'v [u8], Wrong> {
        if zulu && let Some(rest) = v.strip_prefix(b"Z") {
            self.utc = true;
            return Ok(rest);
        }
        let len = match shape {
            Shape::Hours => 3,
            Shape::Plain => 5,
            Shape::Colon => 6,
            Shape::PlainSeconds => 7,
            Shape::ColonSeconds => 9,
        };
        let (text, rest) = v.split_at_checked(len).ok_or(Wrong::Shape)?;
        let (sign, fields) = text.split_first().ok_or(Wrong::Shape)?;
        let step = if shape.colon() { 3 } else { 2 };
        if shape.colon() && fields.iter().skip(2).step_by(3).any(|&b| b != b':') {
            return Err(Wrong::Shape);
        }
        self.offset = offset_seconds(*sign, fields, step)?;
        Ok(rest)
    }

    /// Turns a day of the year into month and day, and checks what there is.
    fn settle_day(&mut self) -> Result<(), &'static str> {
        if let Some(year_day) = self.year_day {
            let (month, day) = date_of(year_day, self.year)?;
            if self.month.is_some_and(|m| m != month) {
                return Err(": day-of-year does not match month");
            }
            if self.day.is_some_and(|d| d != day) {
                return Err(": day-of-year does not match day");
            }
            (self.month, self.day) = (Some(month), Some(day));
        }
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        if day < 1 || day > days_in(month, self.year) {
            return Err(": day out of range");
        }
        Ok(())
    }

    fn into_time(self, here: &Zone) -> Time {
        let hour = match self.hour {
            hour if self.pm && hour < 12 => hour + 12,
            12 if self.am => 0,
            hour => hour,
        };
        let fields = Fields {
            year: self.year,
            month: self.month.unwrap_or(1),
            day: self.day.unwrap_or(1),
            second_of_day: hour * 3600 + self.minute * 60 + self.second,
            nanos: self.nanos as u32,
        };
        let date = |zone: &Zone| Time::from_fields(fields, zone.clone(), here.clone());
        if self.utc {
            date(&Zone::UTC)
        } else if let Some(offset) = self.offset {
            at_offset(date(&Zone::UTC), offset, self.zone_name, here)
        } else if !self.zone_name.is_empty() {
            at_name(date(&Zone::UTC), self.zone_name, here)
        } else {
            date(here)
        }
    }
}

/// A local time with a known offset: in the local zone if that has this offset then.
fn at_offset(mut time: Time, offset: i64, name: &[u8], here: &Zone) -> Time {
    time.add_seconds(-offset);
    let span = here.at(time.unix());
    if span.offset == offset && (name.is_empty() || span.name == name) {
        return time.with_zone(here.clone());
    }
    time.with_zone(Zone::fixed(name.into(), offset))
}

/// A local time with an abbreviation: in the local zone if that has it, else a made-up zone.
fn at_name(mut time: Time, name: &[u8], here: &Zone) -> Time {
    if let Some(offset) = here.offset_of(name, time.unix()) {
        time.add_seconds(-offset);
        return time.with_zone(here.clone());
    }
    let hours = name.strip_prefix(b"GMT").filter(|h| !h.is_empty());
    let offset = hours.and_then(|h| atoi(h).ok()).unwrap_or(0) * 3600;
    time.with_zone(Zone::fixed(name.into(), offset))
}

/// Hours, minutes, seconds behind a sign. `None` for -1, which Go takes for no offset.
fn offset_seconds(sign: u8, fields: &[u8], step: usize) -> Result<Option<i64>, Wrong> {
    const PARTS: [(&str, i64); 3] = [
        ("time zone offset hour", 24),
        ("time zone offset minute", 60),
        ("time zone offset second", 60),
    ];
    let mut units = [0; 3];
    let mut wrong = None;
    for (i, unit) in units.iter_mut().enumerate() {
        let Some(text) = fields.get(i * step..) else { break };
        match number(text, true) {
            Ok((n, _)) => *unit = n,
            Err(_) if text.is_empty() => break,
            Err(e) => {
                wrong = Some(e);
                break;
            }
        }
    }
    // Go checks the ranges even where a later part is no number; the last one out of range shows.
    let beyond = units.iter().zip(PARTS).rev().find(|(unit, (_, max))| *unit > max);
    if let Some((_, (part, _))) = beyond {
        return Err(Wrong::Range(part));
    }
    if let Some(wrong) = wrong {
        return Err(wrong);
    }
    let [hours, minutes, seconds] = units;
    let offset = (hours * 60 + minutes) * 60 + seconds;
    match sign {
        b'+' => Ok(Some(offset)),
        b'-' => Ok(Some(-offset).filter(|&o| o != -1)),
        _ => Err(Wrong::Shape),
    }
}

/// Month and day of a day of the year.
fn date_of(year_day: i64, year: i64) -> Result<(i64, i64), &'static str> {
    let mut day = year_day;
    if is_leap(year) {
        if day == 31 + 29 {
            return Ok((2, 29));
        }
        day -= i64::from(day > 31 + 29);
    }
    if !(1..=365).contains(&day) {
        return Err(": day-of-year out of range");
    }
    let mut month = (day - 1) / 31 + 1;
    month += i64::from(days_before(month + 1) < day);
    Ok((month, day - days_before(month)))
}

fn keep<'v>(slot: &mut Option<i64>, read: Read<'v, i64>) -> Result<&'v [u8], Wrong> {
    let (value, rest) = read?;
    *slot = Some(value);
    Ok(rest)
}

fn set<'v>(
    slot: &mut i64,
    (value, rest): (i64, &'v [u8]),
    max: i64,
    part: &'static str,
) -> Result<&'v [u8], Wrong> {
    in_range(value, 0, max, part)?;
    *slot = value;
    Ok(rest)
}

fn in_range(value: i64, min: i64, max: i64, part: &'static str) -> Result<(), Wrong> {
    if value < min || value > max { Err(Wrong::Range(part)) } else { Ok(()) }
}

/// The 1-based index of the name that a text starts with, whatever its case.
fn name<'v>(names: &[&str], len: usize, v: &'v [u8]) -> Read<'v, i64> {
    for (index, name) in (1..).zip(names) {
        let name = name.as_bytes();
        let name = name.get(..len).unwrap_or(name);
        if let Some((head, rest)) = v.split_at_checked(name.len())
            && head.eq_ignore_ascii_case(name)
        {
            return Ok((index, rest));
        }
    }
    Err(Wrong::Shape)
}

/// One or two digits; `fixed` asks for two.
fn number(v: &[u8], fixed: bool) -> Read<'_, i64> {
    match v {
        [a @ b'0'..=b'9', b @ b'0'..=b'9', rest @ ..] => {
            Ok((i64::from(a - b'0') * 10 + i64::from(b - b'0'), rest))
        }
        [a @ b'0'..=b'9', rest @ ..] if !fixed => Ok((i64::from(a - b'0'), rest)),
        _ => Err(Wrong::Shape),
    }
}

/// One to three digits; `fixed` asks for three.
fn number3(v: &[u8], fixed: bool) -> Read<'_, i64> {
    let digits = v.iter().take(3).take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 || fixed && digits != 3 {
        return Err(Wrong::Shape);
    }
    let (text, rest) = v.split_at_checked(digits).ok_or(Wrong::Shape)?;
    Ok((text.iter().fold(0, |n, d| n * 10 + i64::from(d - b'0')), rest))
}

/// A number that fills the text, with or without a sign; a bare sign is 0, as in Go.
fn atoi(text: &[u8]) -> Result<i64, Wrong> {
    let (negative, digits) = match text.split_first() {
        Some((sign @ (b'-' | b'+'), rest)) => (*sign == b'-', rest),
        _ => (false, text),
    };
    match leading_int(digits) {
        Some((n, b"")) => Ok(if negative { (n as i64).wrapping_neg() } else { n as i64 }),
        _ => Err(Wrong::Shape),
    }
}

/// Separator and digits of a fraction of a second; beyond nine digits they are cut.
fn nanoseconds(text: &[u8]) -> Result<i64, Wrong> {
    let Some((b'.' | b',', digits)) = text.split_first() else { return Err(Wrong::Shape) };
    let digits = digits.get(..9).unwrap_or(digits);
    let n = atoi(digits)?;
    if n < 0 {
        return Err(Wrong::Range("fractional second"));
    }
    Ok((digits.len()..9).fold(n, |n, _| n * 10))
}

fn skip_spaces(v: &[u8], most: usize) -> &[u8] {
    (0..most).fold(v, |v, _| v.strip_prefix(b" ").unwrap_or(v))
}

fn cut_space(mut v: &[u8]) -> &[u8] {
    while let Some(rest) = v.strip_prefix(b" ") {
        v = rest;
    }
    v
}

/// Takes literal text off; runs of blanks match each other. Fails with where it stopped.
fn skip<'v>(mut value: &'v [u8], mut literal: &[u8]) -> Result<&'v [u8], &'v [u8]> {
    while let Some((byte, rest)) = literal.split_first() {
        if *byte == b' ' {
            if value.first().is_some_and(|&b| b != b' ') {
                return Err(value);
            }
            literal = cut_space(literal);
            value = cut_space(value);
            continue;
        }
        value = value.strip_prefix(std::slice::from_ref(byte)).ok_or(value)?;
        literal = rest;
    }
    Ok(value)
}

/// The length of what looks like a zone's abbreviation.
fn zone_name_len(v: &[u8]) -> Option<usize> {
    if v.len() < 3 {
        return None;
    }
    if v.starts_with(b"ChST") || v.starts_with(b"MeST") {
        return Some(4);
    }
    if let Some(rest) = v.strip_prefix(b"GMT") {
        return Some(3 + signed_hours_len(rest));
    }
    if matches!(v, [b'+' | b'-', ..]) {
        return Some(signed_hours_len(v)).filter(|&len| len > 0);
    }
    let upper = v.iter().take(6).take_while(|b| b.is_ascii_uppercase()).count();
    match upper {
        3 => Some(3),
        4 if v.get(3) == Some(&b'T') || v.starts_with(b"WITA") => Some(4),
        5 if v.get(4) == Some(&b'T') => Some(5),
        _ => None,
    }
}

/// The length of a sign with an hour of at most 23; 0 for anything else.
fn signed_hours_len(v: &[u8]) -> usize {
    let [b'+' | b'-', digits @ ..] = v else { return 0 };
    match leading_int(digits) {
        Some((n, rest)) if n <= 23 && rest.len() < digits.len() => v.len() - rest.len(),
        _ => 0,
    }
}

/// Go's quoting inside of package time: whatever is not printable ASCII as `\xNN`.
pub(super) fn quote(text: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    for &b in text {
        match b {
            0..0x20 | 0x80.. => {
                let (high, low) = (usize::from(b >> 4), usize::from(b & 15));
                out.extend_from_slice(&[b'\\', b'x', HEX[high], HEX[low]]);
            }
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', b]),
            _ => out.push(b),
        }
    }
    out.push(b'"');
}

#[cold]
fn cannot_parse(value: &[u8], layout: &[u8], at: &[u8], element: &[u8]) -> Str {
    let mut text = b" as ".to_vec();
    quote(layout, &mut text);
    text.extend_from_slice(b": cannot parse ");
    quote(at, &mut text);
    text.extend_from_slice(b" as ");
    quote(element, &mut text);
    message(value, &text)
}

#[cold]
fn out_of_range(value: &[u8], part: &str) -> Str {
    message(value, format!(": {part} out of range").as_bytes())
}

#[cold]
fn message(value: &[u8], text: &[u8]) -> Str {
    let mut out = b"parsing time ".to_vec();
    quote(value, &mut out);
    out.extend_from_slice(text);
    Str::from(out)
}
