//! The `format` keyword, judged and worded as Helm's library does.

use super::address;
use super::url::{Part, Url, unescape};
use bowsprit_value::{strconv, unicode};

/// A check of one string.
///
/// # Errors
///
/// Says what is wrong.
pub(super) type Check = fn(&[u8]) -> Result<(), String>;

/// The check of a format, if it is known; `regex` is not among them.
pub(super) fn find(name: &[u8]) -> Option<(&'static str, Check)> {
    FORMATS.iter().find(|(known, _)| known.as_bytes() == name).copied()
}

const FORMATS: &[(&str, Check)] = &[
    ("json-pointer", json_pointer),
    ("relative-json-pointer", relative_json_pointer),
    ("uuid", uuid),
    ("duration", duration),
    ("period", period),
    ("ipv4", ipv4),
    ("ipv6", ipv6),
    ("hostname", hostname),
    ("email", email),
    ("date", date),
    ("time", time),
    ("date-time", date_time),
    ("uri", uri),
    ("iri", uri),
    ("uri-reference", uri_reference),
    ("iri-reference", uri_reference),
    ("uri-template", uri_template),
    ("semver", semver),
];

type Outcome = Result<(), String>;

fn no(text: impl Into<String>) -> Outcome {
    Err(text.into())
}

fn ensure(holds: bool, text: &str) -> Outcome {
    if holds { Ok(()) } else { no(text) }
}

/// `%q` of a rune.
fn rune(c: char) -> String {
    String::from_utf8_lossy(&strconv::quote_rune(c)).into_owned()
}

fn split(s: &[u8], by: u8) -> impl Iterator<Item = &[u8]> {
    s.split(move |b| *b == by)
}

fn leading_digits(s: &[u8]) -> usize {
    s.iter().take_while(|b| b.is_ascii_digit()).count()
}

fn tail(s: &[u8], from: usize) -> &[u8] {
    s.get(from..).unwrap_or_default()
}

fn cut(s: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let i = s.iter().position(|b| *b == at)?;
    Some((s.get(..i)?, s.get(i + 1..)?))
}

fn json_pointer(s: &[u8]) -> Outcome {
    if s.is_empty() {
        return Ok(());
    }
    let Some(rest) = s.strip_prefix(b"/") else { return no("not starting with /") };
    for token in split(rest, b'/') {
        let mut escape = false;
        for (c, _) in unicode::runes(token) {
            if escape && c != '0' && c != '1' {
                break;
            }
            escape = !escape && c == '~';
        }
        ensure(!escape, "~ must be followed by 0 or 1")?;
    }
    Ok(())
}

fn relative_json_pointer(s: &[u8]) -> Outcome {
    let digits = leading_digits(s);
    ensure(digits > 0, "must start with non-negative integer")?;
    ensure(digits == 1 || !s.starts_with(b"0"), "starts with zero")?;
    match tail(s, digits) {
        b"#" => Ok(()),
        pointer => json_pointer(pointer),
    }
}

fn uuid(s: &[u8]) -> Outcome {
    const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
    ensure(split(s, b'-').count() == GROUPS.len(), "must have 5 elements")?;
    for ((i, group), len) in split(s, b'-').enumerate().zip(GROUPS) {
        if group.len() != len {
            return no(format!("element {} must be {len} characters long", i + 1));
        }
        if let Some((c, _)) = unicode::runes(group).find(|(c, _)| !c.is_ascii_hexdigit()) {
            return no(format!("non-hex character {}", rune(c)));
        }
    }
    Ok(())
}

fn duration(s: &[u8]) -> Outcome {
    let Some(s) = s.strip_prefix(b"P") else { return no("must start with P") };
    ensure(!s.is_empty(), "nothing after P")?;
    if let Some(week) = s.strip_suffix(b"W") {
        ensure(!week.is_empty(), "no number in week")?;
        return ensure(week.iter().all(u8::is_ascii_digit), "invalid week");
    }
    const UNITS: [&[u8]; 2] = [b"YMD", b"HMS"];
    for (i, part) in split(s, b'T').enumerate() {
        ensure(i == 0 || !part.is_empty(), "no time elements")?;
        let Some(units) = UNITS.get(i) else { return no("more than one T") };
        elements(part, units)?;
    }
    Ok(())
}

fn elements(mut s: &[u8], all: &[u8]) -> Outcome {
    let mut units = all;
    while !s.is_empty() {
        let digits = leading_digits(s);
        ensure(digits > 0, "missing number")?;
        let Some((&unit, rest)) = tail(s, digits).split_first() else { return no("missing unit") };
        s = rest;
        match units.iter().position(|u| *u == unit) {
            Some(i) => units = tail(units, i + 1),
            None => {
                let shown = rune(char::from(unit));
                return no(if all.contains(&unit) {
                    format!("unit {shown} out of order")
                } else {
                    format!("invalid unit {shown}")
                });
            }
        }
    }
    Ok(())
}

fn ipv4(s: &[u8]) -> Outcome {
    ensure(split(s, b'.').count() == 4, "expected four decimals")?;
    for group in split(s, b'.') {
        ensure(group.len() <= 1 || !group.starts_with(b"0"), "leading zeros")?;
        let n = strconv::atoi(group).map_err(|e| e.to_string())?;
        ensure((0..=255).contains(&n), "decimal must be between 0 and 255")?;
    }
    Ok(())
}

fn ipv6(s: &[u8]) -> Outcome {
    ensure(s.contains(&b':'), "missing colon")?;
    let address = address::parse(s)?;
    ensure(!address.has_zone, "zone id is not a part of ipv6 address")
}

fn hostname(s: &[u8]) -> Outcome {
    let s = s.strip_suffix(b".").unwrap_or(s);
    ensure(s.len() <= 253, "more than 253 characters long")?;
    for label in split(s, b'.') {
        ensure((1..=63).contains(&label.len()), "label must be 1 to 63 characters long")?;
        ensure(!label.starts_with(b"-"), "label starts with hyphen")?;
        ensure(!label.ends_with(b"-"), "label ends with hyphen")?;
        refuse(label, |c| c.is_ascii_alphanumeric() || c == '-', "")?;
    }
    Ok(())
}

fn refuse(s: &[u8], allowed: impl Fn(char) -> bool, place: &str) -> Outcome {
    match unicode::runes(s).find(|(c, _)| !allowed(*c)) {
        Some((c, _)) => no(format!("invalid character {}{place}", rune(c))),
        None => Ok(()),
    }
}

fn email(s: &[u8]) -> Outcome {
    ensure(s.len() <= 254, "more than 255 characters long")?;
    let Some(at) = s.iter().rposition(|b| *b == b'@') else { return no("missing @") };
    let (local, domain) = (s.get(..at).unwrap_or_default(), tail(s, at + 1));
    ensure(local.len() <= 64, "local part more than 64 characters long")?;
    local_part(local)?;
    let Some(literal) = domain.strip_prefix(b"[").and_then(|d| d.strip_suffix(b"]")) else {
        return hostname(domain).map_err(|e| format!("invalid domain: {e}"));
    };
    match literal.strip_prefix(b"IPv6:") {
        Some(v6) => ipv6(v6).map_err(|e| format!("invalid ipv6 address: {e}")),
        None => ipv4(literal).map_err(|e| format!("invalid ipv4 address: {e}")),
    }
}

fn local_part(local: &[u8]) -> Outcome {
    if let [b'"', inner @ .., _] = local {
        let plain = !inner.contains(&b'\\') && !inner.contains(&b'"');
        return ensure(plain, "backslash and quote are not allowed within quoted local part");
    }
    ensure(!local.starts_with(b"."), "starts with dot")?;
    ensure(!local.ends_with(b"."), "ends with dot")?;
    ensure(!local.windows(2).any(|w| w == b".."), "consecutive dots")?;
    refuse(local, |c| c.is_ascii_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(c), "")
}

const DATE: &str = "2006-01-02";

/// Go's `time.Parse` with the layout of a date.
fn date(s: &[u8]) -> Outcome {
    let cannot = |rest: &[u8], want: &str| {
        let (whole, rest) = (time_quote(s), time_quote(rest));
        no(format!("parsing time {whole} as \"{DATE}\": cannot parse {rest} as \"{want}\""))
    };
    let number = |text: Option<&[u8]>| {
        text.filter(|t| t.iter().all(u8::is_ascii_digit))
            .map(|t| t.iter().fold(0u32, |v, d| v * 10 + u32::from(d - b'0')))
    };
    let Some(year) = number(s.get(..4)) else { return cannot(s, "2006") };
    let rest = tail(s, 4);
    let Some(rest) = rest.strip_prefix(b"-") else { return cannot(rest, "-") };
    let Some(month) = number(rest.get(..2)) else { return cannot(rest, "01") };
    let after = tail(rest, 2);
    if !(1..=12).contains(&month) {
        return no(format!("parsing time {}: month out of range", time_quote(s)));
    }
    let Some(rest) = after.strip_prefix(b"-") else { return cannot(after, "-") };
    let Some(day) = number(rest.get(..2)) else { return cannot(rest, "02") };
    let extra = tail(rest, 2);
    if !extra.is_empty() {
        return no(format!("parsing time {}: extra text: {}", time_quote(s), time_quote(extra)));
    }
    if day < 1 || day > days_in(month, year) {
        return no(format!("parsing time {}: day out of range", time_quote(s)));
    }
    Ok(())
}

fn days_in(month: u32, year: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The quoting that Go's `time` has of its own.
fn time_quote(s: &[u8]) -> String {
    let mut out = String::from("\"");
    for &byte in s {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b' '..=b'\x7f' => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

fn time(s: &[u8]) -> Outcome {
    ensure(s.len() >= 9, "less than 9 characters long")?;
    let colons = s.get(2) == Some(&b':') && s.get(5) == Some(&b':');
    ensure(colons, "missing colon in correct place")?;
    let mut hms = [0; 3];
    for (slot, token) in
        hms.iter_mut().zip(s.get(..8).unwrap_or_default().splitn(3, |b| *b == b':'))
    {
        *slot = strconv::atoi(token).map_err(|_| "invalid hour/min/sec".to_owned())?;
        ensure(*slot >= 0, "non-positive hour/min/sec")?;
    }
    let [h, m, sec] = hms;
    ensure(h <= 23 && m <= 59 && sec <= 60, "hour/min/sec out of range")?;
    let mut rest = tail(s, 8);
    if let Some(fraction) = rest.strip_prefix(b".") {
        let digits = leading_digits(fraction);
        ensure(digits > 0, "no digits in second fraction")?;
        rest = tail(fraction, digits);
    }
    let (h, m) = match rest {
        b"z" | b"Z" => (h, m),
        offset => apply_offset(offset, h * 60 + m)?,
    };
    ensure(sec < 60 || (h == 23 && m == 59), "invalid leap second")
}

/// The time in UTC, from minutes of the day and an offset.
fn apply_offset(offset: &[u8], minutes: i64) -> Result<(i64, i64), String> {
    ensure(offset.len() == 6, "offset must be 6 characters long")?;
    let (sign, rest) = match offset.split_first() {
        Some((b'+', rest)) => (-1, rest),
        Some((b'-', rest)) => (1, rest),
        _ => return Err("offset must begin with plus/minus".to_owned()),
    };
    ensure(rest.get(2) == Some(&b':'), "missing colon in offset in correct place")?;
    let mut zone = [0; 2];
    for (slot, token) in zone.iter_mut().zip(rest.splitn(2, |b| *b == b':')) {
        *slot = strconv::atoi(token).map_err(|_| "invalid hour/min in offset".to_owned())?;
        ensure(*slot >= 0, "non-positive hour/min in offset")?;
    }
    ensure(zone[0] <= 23 && zone[1] <= 59, "hour/min in offset out of range")?;
    let mut at = minutes + sign * (zone[0] * 60 + zone[1]);
    if at < 0 {
        at += 24 * 60;
    }
    Ok((at / 60, at % 60))
}

fn date_time(s: &[u8]) -> Outcome {
    ensure(s.len() >= 20, "less than 20 characters long")?;
    ensure(matches!(s.get(10), Some(b't' | b'T')), "11th character must be t or T")?;
    date(s.get(..10).unwrap_or_default()).map_err(|e| format!("invalid date element: {e}"))?;
    time(tail(s, 11)).map_err(|e| format!("invalid time element: {e}"))
}

fn parse_url(s: &[u8]) -> Result<Url, String> {
    let url = Url::parse(&String::from_utf8_lossy(s))?;
    let host = url.hostname();
    if host.contains(':') {
        ensure(url.host_has_brackets(), "ipv6 address not enclosed in brackets")?;
        ipv6(host.as_bytes()).map_err(|e| format!("invalid ipv6 address: {e}"))?;
    }
    Ok(url)
}

fn uri(s: &[u8]) -> Outcome {
    ensure(parse_url(s)?.is_absolute(), "relative url")
}

fn uri_reference(s: &[u8]) -> Outcome {
    ensure(!s.contains(&b'\\'), r"contains \")?;
    parse_url(s).map(drop)
}

fn uri_template(s: &[u8]) -> Outcome {
    let url = parse_url(s)?;
    for token in url.raw_path().split('/') {
        let token = unescape(token, Part::PathSegment)
            .map_err(|e| format!("percent decode failed: {e}"))?;
        let mut want = true;
        for brace in token.into_iter().filter(|b| matches!(b, b'{' | b'}')) {
            ensure((brace == b'{') == want, "nested curly braces")?;
            want = !want;
        }
        ensure(want, "no matching closing brace")?;
    }
    Ok(())
}

fn period(s: &[u8]) -> Outcome {
    let Some((start, end)) = cut(s, b'/') else { return no("missing slash") };
    if start.starts_with(b"P") {
        duration(start).map_err(|e| format!("invalid start duration: {e}"))?;
        return date_time(end).map_err(|e| format!("invalid end date-time: {e}"));
    }
    date_time(start).map_err(|e| format!("invalid start date-time: {e}"))?;
    if end.starts_with(b"P") {
        return duration(end).map_err(|e| format!("invalid end duration: {e}"));
    }
    date_time(end).map_err(|e| format!("invalid end date-time: {e}"))
}

fn semver(s: &[u8]) -> Outcome {
    let identifier = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut core = s;
    if let Some((before, build)) = cut(core, b'+') {
        ensure(!build.is_empty(), "build is empty")?;
        for id in split(build, b'.') {
            ensure(!id.is_empty(), "build identifier is empty")?;
            refuse(id, identifier, " in build identifier")?;
        }
        core = before;
    }
    if let Some((before, pre)) = cut(core, b'-') {
        for id in split(pre, b'.') {
            ensure(!id.is_empty(), "pre-release identifier is empty")?;
            refuse(id, identifier, " in pre-release identifier")?;
            let numeric = id.iter().all(u8::is_ascii_digit);
            let zero = numeric && id.len() > 1 && id.starts_with(b"0");
            ensure(!zero, "pre-release numeric identifier starts with zero")?;
        }
        core = before;
    }
    let three = split(core, b'.').count() == 3;
    ensure(three, "versionCore must have 3 numbers separated by dot")?;
    for (number, name) in split(core, b'.').zip(["major", "minor", "patch"]) {
        ensure(!number.is_empty(), &format!("{name} is empty"))?;
        let zero = number.len() > 1 && number.starts_with(b"0");
        ensure(!zero, &format!("{name} starts with zero"))?;
        let digits = number.iter().all(u8::is_ascii_digit);
        ensure(digits, &format!("{name} contains non-digit"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_and_their_words() {
        let say = |name: &str, s: &str| {
            let (_, check) = find(name.as_bytes()).unwrap();
            check(s.as_bytes()).err().unwrap_or_default()
        };
        assert_eq!(say("email", "x"), "missing @");
        assert_eq!(say("email", "a@b.c"), "");
        assert_eq!(say("date", "2020-02-30"), "parsing time \"2020-02-30\": day out of range");
        assert_eq!(
            say("date", "x"),
            "parsing time \"x\" as \"2006-01-02\": cannot parse \"x\" as \"2006\""
        );
        assert_eq!(say("time", "23:59:60Z"), "");
        assert_eq!(say("time", "22:59:60Z"), "invalid leap second");
        assert_eq!(say("duration", "P1D2Y"), "unit 'Y' out of order");
        assert_eq!(say("uuid", "x"), "must have 5 elements");
        assert_eq!(say("uri", "a/b"), "relative url");
        assert_eq!(say("ipv4", "1.2.3.x"), "strconv.Atoi: parsing \"x\": invalid syntax");
        assert_eq!(say("json-pointer", "/a~2"), "~ must be followed by 0 or 1");
        assert_eq!(say("semver", "1.02.3"), "minor starts with zero");
    }
}
