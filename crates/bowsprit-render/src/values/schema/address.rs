//! IP addresses as Go's `net/netip` reads them.

use bowsprit_value::strconv;

/// What callers ask of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) is_v4: bool,
    pub(super) has_zone: bool,
}

/// Go's `netip.ParseAddr`.
///
/// # Errors
///
/// Gives the text of Go's error.
pub(super) fn parse(text: &[u8]) -> Result<Address, String> {
    match text.iter().find(|b| b".:%".contains(b)) {
        Some(b'.') => parse_v4(text, text).map(|()| Address { is_v4: true, has_zone: false }),
        Some(b':') => parse_v6(text),
        Some(_) => Err(error(text, "missing IPv6 address", b"")),
        None => Err(error(text, "unable to parse IP", b"")),
    }
}

fn quote(text: &[u8]) -> String {
    String::from_utf8_lossy(&strconv::quote(text)).into_owned()
}

fn error(whole: &[u8], message: &str, at: &[u8]) -> String {
    if at.is_empty() {
        format!("ParseAddr({}): {message}", quote(whole))
    } else {
        format!("ParseAddr({}): {message} (at {})", quote(whole), quote(at))
    }
}

/// Four decimal fields.
fn parse_v4(whole: &[u8], s: &[u8]) -> Result<(), String> {
    let (mut value, mut fields, mut digits) = (0u32, 0, 0);
    let mut before = b'.';
    for (i, &byte) in s.iter().enumerate() {
        let at = s.get(i..).unwrap_or_default();
        match byte {
            b'0'..=b'9' => {
                if digits == 1 && value == 0 {
                    return Err(error(whole, "IPv4 field has octet with leading zero", b""));
                }
                value = value * 10 + u32::from(byte - b'0');
                digits += 1;
                if value > 255 {
                    return Err(error(whole, "IPv4 field has value >255", b""));
                }
            }
            b'.' => {
                if before == b'.' || i + 1 == s.len() {
                    return Err(error(whole, "IPv4 field must have at least one digit", at));
                }
                if fields == 3 {
                    return Err(error(whole, "IPv4 address too long", b""));
                }
                fields += 1;
                (value, digits) = (0, 0);
            }
            _ => return Err(error(whole, "unexpected character", at)),
        }
        before = byte;
    }
    if fields < 3 {
        return Err(error(whole, "IPv4 address too short", b""));
    }
    Ok(())
}

fn parse_v6(whole: &[u8]) -> Result<Address, String> {
    let fail = |message, at| Err(error(whole, message, at));
    let (mut s, mut has_zone) = (whole, false);
    if let Some(i) = whole.iter().position(|b| *b == b'%') {
        let (address, zone) = whole.split_at(i);
        if zone.len() == 1 {
            return fail("zone must be a non-empty string", b"");
        }
        (s, has_zone) = (address, true);
    }
    let done = Ok(Address { is_v4: false, has_zone });
    let (mut bytes, mut ellipsis) = (0, false);
    if let Some(rest) = s.strip_prefix(b"::") {
        (s, ellipsis) = (rest, true);
        if s.is_empty() {
            return done;
        }
    }
    while bytes < 16 {
        let off = hex_group(whole, s)?;
        if s.get(off) == Some(&b'.') {
            if !ellipsis && bytes != 12 {
                let text = "embedded IPv4 address must replace the final 2 fields of the address";
                return fail(text, s);
            }
            if bytes + 4 > 16 {
                let text = "too many hex fields to fit an embedded IPv4 at the end of the address";
                return fail(text, s);
            }
            parse_v4(whole, s)?;
            (s, bytes) = (b"", bytes + 4);
            break;
        }
        bytes += 2;
        s = s.get(off..).unwrap_or_default();
        match s {
            [] => break,
            [b':'] => return fail("colon must be followed by more characters", s),
            [b':', rest @ ..] => s = rest,
            _ => return fail("unexpected character, want colon", s),
        }
        if let [b':', rest @ ..] = s {
            if ellipsis {
                return fail("multiple :: in address", s);
            }
            (s, ellipsis) = (rest, true);
            if s.is_empty() {
                break;
            }
        }
    }
    if !s.is_empty() {
        return fail("trailing garbage after address", s);
    }
    match (bytes < 16, ellipsis) {
        (true, false) => fail("address string too short", b""),
        (false, true) => fail("the :: must expand to at least one field of zeros", b""),
        _ => done,
    }
}

/// Length of a group of hexadecimal digits.
fn hex_group(whole: &[u8], s: &[u8]) -> Result<usize, String> {
    let len = s.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    match len {
        0 => {
            let text = "each colon-separated field must have at least one digit";
            Err(error(whole, text, s))
        }
        1..=4 => Ok(len),
        _ => Err(error(whole, "each group must have 4 or less digits", s)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for ok in ["1.2.3.4", "::", "::1", "1::", "fe80::1%eth0", "::ffff:1.2.3.4"] {
            assert!(parse(ok.as_bytes()).is_ok(), "{ok}");
        }
        let error = |s: &str| parse(s.as_bytes()).unwrap_err();
        assert_eq!(error("x"), "ParseAddr(\"x\"): unable to parse IP");
        assert_eq!(error("1:2"), "ParseAddr(\"1:2\"): address string too short");
        assert_eq!(error("1::2::3"), "ParseAddr(\"1::2::3\"): multiple :: in address (at \":3\")");
    }
}
