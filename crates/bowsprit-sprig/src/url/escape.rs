//! Percent-encoding, which differs from part to part of a URL.

use bowsprit_value::strconv::append_quote;

/// The part of a URL that a text stands in.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Part {
    Path,
    Host,
    Zone,
    User,
    Fragment,
}

/// Go's `shouldEscape`.
pub(super) fn must_escape(byte: u8, part: Part) -> bool {
    use Part::{Fragment, Host, Path, User, Zone};
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => false,
        b'$' | b'&' | b'+' | b',' | b';' | b'=' => false,
        b':' => part == User,
        b'@' => !matches!(part, Path | Fragment),
        b'/' => !matches!(part, Path | Fragment),
        b'?' => part != Fragment,
        b'!' | b'(' | b')' | b'*' => !matches!(part, Host | Zone | Fragment),
        b'\'' | b'[' | b']' | b'<' | b'>' | b'"' => !matches!(part, Host | Zone),
        _ => true,
    }
}

pub(super) fn escape(text: &[u8], part: Part, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text {
        if must_escape(*byte, part) {
            let digit = |n: u8| HEX[usize::from(n & 15)];
            out.extend_from_slice(&[b'%', digit(byte >> 4), digit(*byte)]);
        } else {
            out.push(*byte);
        }
    }
}

pub(super) fn escaped(text: &[u8], part: Part) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    escape(text, part, &mut out);
    out
}

/// Decodes, or complains with Go's text.
pub(super) fn unescape(text: &[u8], part: Part) -> Result<Vec<u8>, Vec<u8>> {
    let in_host = matches!(part, Part::Host | Part::Zone);
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, tail)) = rest.split_first() {
        if *byte != b'%' {
            if in_host && byte.is_ascii() && must_escape(*byte, part) {
                return Err(quoted("invalid character ", &[*byte], " in host name"));
            }
            out.push(*byte);
            rest = tail;
            continue;
        }
        let code = rest.get(..3).unwrap_or(rest);
        let decoded = match code {
            [_, high, low] => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        match decoded {
            Some(byte) if code == b"%25" || allowed(byte, part) => out.push(byte),
            _ => return Err(quoted("invalid URL escape ", code, "")),
        }
        rest = rest.get(3..).unwrap_or_default();
    }
    Ok(out)
}

/// What may stand in a host as an escape: there only what is no ASCII, in a zone also what a host can
/// hold as it is, and the blank.
fn allowed(byte: u8, part: Part) -> bool {
    match part {
        Part::Host => !byte.is_ascii(),
        Part::Zone => byte == b' ' || !must_escape(byte, Part::Host),
        _ => true,
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

pub(super) fn quoted(before: &str, text: &[u8], after: &str) -> Vec<u8> {
    let mut out = before.as_bytes().to_vec();
    append_quote(&mut out, text);
    out.extend_from_slice(after.as_bytes());
    out
}
