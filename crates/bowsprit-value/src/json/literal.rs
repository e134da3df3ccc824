//! Strings and numbers inside JSON text.

use crate::unicode::{RUNE_ERROR, decode_rune, push_rune};

/// How many bytes a string's inside has before its quote, a backslash or a control character.
pub(super) fn plain_prefix(s: &[u8]) -> usize {
    s.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f)).unwrap_or(s.len())
}

/// The inside of a string that is known to be well-formed, escapes and wrong bytes resolved.
pub(super) fn unescape(mut s: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(s.len());
    while let Some((&first, rest)) = s.split_first() {
        if first == b'\\' {
            s = unescape_one(&mut out, rest);
            continue;
        }
        if first.is_ascii() {
            let plain = rest.iter().position(|b| *b == b'\\' || !b.is_ascii());
            let (head, tail) = s.split_at(plain.map_or(s.len(), |n| n + 1));
            out.extend_from_slice(head);
            s = tail;
            continue;
        }
        let (c, width) = decode_rune(s);
        push_rune(&mut out, c);
        s = s.get(width..).unwrap_or_default();
    }
    out
}

/// Resolves what follows a backslash, and gives the rest.
fn unescape_one<'a>(out: &mut Vec<u8>, s: &'a [u8]) -> &'a [u8] {
    let Some((&escape, rest)) = s.split_first() else { return s };
    let byte = match escape {
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => return unescape_unit(out, rest),
        other => other,
    };
    out.push(byte);
    rest
}

fn unescape_unit<'a>(out: &mut Vec<u8>, s: &'a [u8]) -> &'a [u8] {
    let Some((unit, rest)) = unit(s) else { return s };
    if let Some(c) = char::from_u32(unit) {
        push_rune(out, c);
        return rest;
    }
    let low = rest.strip_prefix(b"\\u").and_then(self::unit);
    if let (0xd800..=0xdbff, Some((low @ 0xdc00..=0xdfff, after))) = (unit, low) {
        let code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        push_rune(out, char::from_u32(code).unwrap_or(RUNE_ERROR));
        return after;
    }
    push_rune(out, RUNE_ERROR);
    rest
}

/// Four hexadecimal digits.
fn unit(s: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = s.split_at_checked(4)?;
    let mut unit = 0;
    for b in digits {
        unit = unit << 4 | char::from(*b).to_digit(16)?;
    }
    Some((unit, rest))
}
