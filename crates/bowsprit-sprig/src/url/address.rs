//! Go's `netip.ParseAddr`: whether a text is an IP address, and if not, why.

use super::escape::quoted;

/// The kind of an address.
#[derive(Debug, PartialEq)]
pub(super) enum Address {
    V4,
    V6,
}

/// Why a text is no address: a message, and where.
struct Wrong<'s>(&'static str, &'s [u8]);

/// Reads an address, or complains with Go's text.
pub(super) fn parse(text: &[u8]) -> Result<Address, Vec<u8>> {
    let wrong = match text.iter().find(|b| matches!(b, b'.' | b':' | b'%')) {
        Some(b'.') => check_v4(text).map(|()| Address::V4),
        Some(b':') => check_v6(text).map(|()| Address::V6),
        Some(_) => Err(Wrong("missing IPv6 address", &[])),
        None => Err(Wrong("unable to parse IP", &[])),
    };
    wrong.map_err(|Wrong(message, at)| {
        let mut out = quoted("ParseAddr(", text, "): ");
        out.extend_from_slice(message.as_bytes());
        if !at.is_empty() {
            out.extend_from_slice(&quoted(" (at ", at, ")"));
        }
        out
    })
}

fn check_v4(text: &[u8]) -> Result<(), Wrong<'_>> {
    let (mut value, mut digits, mut fields) = (0, 0, 0);
    for (i, byte) in text.iter().enumerate() {
        let at = text.get(i..).unwrap_or_default();
        match byte {
            b'0'..=b'9' => {
                if digits == 1 && value == 0 {
                    return Err(Wrong("IPv4 field has octet with leading zero", &[]));
                }
                value = value * 10 + u32::from(byte - b'0');
                digits += 1;
                if value > 255 {
                    return Err(Wrong("IPv4 field has value >255", &[]));
                }
            }
            b'.' => {
                if digits == 0 || at.len() == 1 {
                    return Err(Wrong("IPv4 field must have at least one digit", at));
                }
                if fields == 3 {
                    return Err(Wrong("IPv4 address too long", &[]));
                }
                fields += 1;
                (value, digits) = (0, 0);
            }
            _ => return Err(Wrong("unexpected character", at)),
        }
    }
    if fields < 3 { Err(Wrong("IPv4 address too short", &[])) } else { Ok(()) }
}

fn check_v6(text: &[u8]) -> Result<(), Wrong<'_>> {
    let mut s = text;
    if let Some(zone) = text.iter().position(|b| *b == b'%') {
        if zone + 1 == text.len() {
            return Err(Wrong("zone must be a non-empty string", &[]));
        }
        s = text.get(..zone).unwrap_or_default();
    }
    let mut ellipsis = false;
    if let Some(rest) = s.strip_prefix(b"::") {
        ellipsis = true;
        s = rest;
        if s.is_empty() {
            return Ok(());
        }
    }
    let mut filled = 0;
    while filled < 16 {
        let digits = group(s)?;
        if s.get(digits) == Some(&b'.') {
            if !ellipsis && filled != 12 {
                return Err(Wrong(
                    "embedded IPv4 address must replace the final 2 fields of the address",
                    s,
                ));
            }
            if filled + 4 > 16 {
                return Err(Wrong(
                    "too many hex fields to fit an embedded IPv4 at the end of the address",
                    s,
                ));
            }
            check_v4(s)?;
            s = &[];
            filled += 4;
            break;
        }
        filled += 2;
        s = s.get(digits..).unwrap_or_default();
        match s {
            [] => break,
            [b':'] => return Err(Wrong("colon must be followed by more characters", s)),
            [b':', b':', rest @ ..] => {
                if ellipsis {
                    return Err(Wrong("multiple :: in address", s.get(1..).unwrap_or_default()));
                }
                ellipsis = true;
                s = rest;
                if s.is_empty() {
                    break;
                }
            }
            [b':', rest @ ..] => s = rest,
            _ => return Err(Wrong("unexpected character, want colon", s)),
        }
    }
    match (s.is_empty(), filled < 16, ellipsis) {
        (false, ..) => Err(Wrong("trailing garbage after address", s)),
        (_, true, false) => Err(Wrong("address string too short", &[])),
        (_, false, true) => Err(Wrong("the :: must expand to at least one field of zeros", &[])),
        _ => Ok(()),
    }
}

/// The number of hex digits that a text begins with, one to four.
fn group(s: &[u8]) -> Result<usize, Wrong<'_>> {
    match s.iter().take_while(|b| b.is_ascii_hexdigit()).count() {
        0 => Err(Wrong("each colon-separated field must have at least one digit", s)),
        digits @ 1..=4 => Ok(digits),
        _ => Err(Wrong("each group must have 4 or less digits", s)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart() {
        for text in ["::", "::1", "1:2:3:4:5:6:7:8", "fe80::1%eth0", "::ffff:1.2.3.4"] {
            assert_eq!(parse(text.as_bytes()), Ok(Address::V6), "{text}");
        }
        assert_eq!(parse(b"1.2.3.4"), Ok(Address::V4));
        for (text, want) in [
            ("x", "ParseAddr(\"x\"): unable to parse IP"),
            ("1.2.3", "ParseAddr(\"1.2.3\"): IPv4 address too short"),
            ("1..2", "ParseAddr(\"1..2\"): IPv4 field must have at least one digit (at \".2\")"),
            ("1::2::3", "ParseAddr(\"1::2::3\"): multiple :: in address (at \":3\")"),
            ("1:", "ParseAddr(\"1:\"): colon must be followed by more characters (at \":\")"),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(want.as_bytes().to_vec()), "{text}");
        }
    }
}
