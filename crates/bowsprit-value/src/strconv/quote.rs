//! Go string and character literals.

use crate::unicode::{RUNE_ERROR, decode_rune, is_print, push_rune};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// A double-quoted literal; unprintable runes and wrong bytes are escaped.
///
/// ```
/// use bowsprit_value::strconv::quote;
///
/// assert_eq!(quote("é\n".as_bytes()), "\"é\\n\"".as_bytes());
/// assert_eq!(quote(&[0xff]), b"\"\\xff\"");
/// ```
pub fn quote(s: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(s.len() + 2);
    append_quote(&mut out, s);
    out
}

/// Appends what [`quote`] gives.
pub fn append_quote(out: &mut Vec<u8>, s: &[u8]) {
    append_quoted(out, s, b'"', false);
}

/// A double-quoted literal in ASCII alone.
pub fn quote_to_ascii(s: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(s.len() + 2);
    append_quote_to_ascii(&mut out, s);
    out
}

/// Appends what [`quote_to_ascii`] gives.
pub fn append_quote_to_ascii(out: &mut Vec<u8>, s: &[u8]) {
    append_quoted(out, s, b'"', true);
}

/// A single-quoted literal of one rune.
pub fn quote_rune(c: char) -> Vec<u8> {
    let mut out = Vec::new();
    append_quote_rune(&mut out, c);
    out
}

/// Appends what [`quote_rune`] gives.
pub fn append_quote_rune(out: &mut Vec<u8>, c: char) {
    out.push(b'\'');
    append_escaped(out, c, b'\'', false);
    out.push(b'\'');
}

/// Appends a single-quoted literal of one rune, in ASCII alone.
pub fn append_quote_rune_to_ascii(out: &mut Vec<u8>, c: char) {
    out.push(b'\'');
    append_escaped(out, c, b'\'', true);
    out.push(b'\'');
}

fn append_quoted(out: &mut Vec<u8>, mut s: &[u8], delim: u8, ascii: bool) {
    out.reserve(s.len() + 2);
    out.push(delim);
    while !s.is_empty() {
        let plain = plain_prefix(s, delim);
        let (head, tail) = s.split_at(plain);
        out.extend_from_slice(head);
        s = tail;
        let Some(&first) = s.first() else { break };
        let (c, width) = decode_rune(s);
        if c == RUNE_ERROR && width == 1 {
            push_hex(out, "\\x", u32::from(first), 2);
        } else {
            append_escaped(out, c, delim, ascii);
        }
        s = s.get(width..).unwrap_or_default();
    }
    out.push(delim);
}

fn plain_prefix(s: &[u8], delim: u8) -> usize {
    s.iter().position(|&b| !matches!(b, b' '..=b'~') || b == delim || b == b'\\').unwrap_or(s.len())
}

fn append_escaped(out: &mut Vec<u8>, c: char, delim: u8, ascii: bool) {
    if c == char::from(delim) || c == '\\' {
        out.push(b'\\');
        return push_rune(out, c);
    }
    if is_print(c) && (c.is_ascii() || !ascii) {
        return push_rune(out, c);
    }
    match c {
        '\x07' => out.extend_from_slice(b"\\a"),
        '\x08' => out.extend_from_slice(b"\\b"),
        '\x0c' => out.extend_from_slice(b"\\f"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\x0b' => out.extend_from_slice(b"\\v"),
        c if c < ' ' || c == '\x7f' => push_hex(out, "\\x", c.into(), 2),
        c if c < '\u{10000}' => push_hex(out, "\\u", c.into(), 4),
        c => push_hex(out, "\\U", c.into(), 8),
    }
}

fn push_hex(out: &mut Vec<u8>, prefix: &str, code: u32, digits: u32) {
    out.extend_from_slice(prefix.as_bytes());
    for i in (0..digits).rev() {
        out.push(HEX[(code >> (4 * i) & 0xf) as usize]);
    }
}

/// True where a back-quoted literal on one line can hold the string as it is.
pub fn can_backquote(mut s: &[u8]) -> bool {
    while !s.is_empty() {
        let (c, width) = decode_rune(s);
        let fits = match c {
            '\t' => true,
            '`' | '\x7f' | '\u{feff}' => false,
            RUNE_ERROR => width > 1,
            c => c >= ' ',
        };
        if !fits {
            return false;
        }
        s = s.get(width..).unwrap_or_default();
    }
    true
}

/// One character of a literal's inside, and what follows it. See [`unquote_char`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unquoted<'a> {
    /// The rune, or the byte where `multibyte` is false.
    pub value: u32,
    /// The value is a rune to be written as UTF-8, not a byte.
    pub multibyte: bool,
    /// What follows.
    pub tail: &'a [u8],
}

impl Unquoted<'_> {
    /// Appends the character.
    pub fn push_to(&self, out: &mut Vec<u8>) {
        match char::from_u32(self.value) {
            Some(c) if self.multibyte => push_rune(out, c),
            _ => out.push(self.value as u8),
        }
    }
}

/// Reads the first character or escape of a literal's inside.
///
/// `delim` is the literal's quote: it may not stand unescaped, and it alone may be escaped. With 0
/// both quotes may stand unescaped and neither may be escaped. `None` for wrong syntax.
pub fn unquote_char(s: &[u8], delim: u8) -> Option<Unquoted<'_>> {
    let (&first, rest) = s.split_first()?;
    if first == delim && matches!(delim, b'\'' | b'"') {
        return None;
    }
    if !first.is_ascii() {
        let (c, width) = decode_rune(s);
        let tail = s.get(width..).unwrap_or_default();
        return Some(Unquoted { value: c.into(), multibyte: true, tail });
    }
    if first != b'\\' {
        return Some(Unquoted { value: first.into(), multibyte: false, tail: rest });
    }
    let (&escape, tail) = rest.split_first()?;
    let byte = |value: u8| Some(Unquoted { value: value.into(), multibyte: false, tail });
    match escape {
        b'a' => byte(7),
        b'b' => byte(8),
        b'f' => byte(12),
        b'n' => byte(b'\n'),
        b'r' => byte(b'\r'),
        b't' => byte(b'\t'),
        b'v' => byte(11),
        b'x' => digits(tail, 2, 16).map(|(value, tail)| Unquoted { value, multibyte: false, tail }),
        b'u' => unquote_rune(tail, 4),
        b'U' => unquote_rune(tail, 8),
        b'0'..=b'7' => {
            let (value, tail) = digits(rest, 3, 8)?;
            (value <= 255).then_some(Unquoted { value, multibyte: false, tail })
        }
        b'\\' => byte(b'\\'),
        b'\'' | b'"' if escape == delim => byte(escape),
        _ => None,
    }
}

fn unquote_rune(s: &[u8], count: usize) -> Option<Unquoted<'_>> {
    let (value, tail) = digits(s, count, 16)?;
    char::from_u32(value)?;
    Some(Unquoted { value, multibyte: true, tail })
}

fn digits(s: &[u8], count: usize, radix: u32) -> Option<(u32, &[u8])> {
    let (head, tail) = s.split_at_checked(count)?;
    let mut value = 0u32;
    for &b in head {
        value = value.wrapping_mul(radix).wrapping_add(char::from(b).to_digit(radix)?);
    }
    Some((value, tail))
}

/// The inside of a literal that stands for its own bytes: one in back quotes without a carriage return,
/// or one in double quotes with nothing but plain characters of ASCII.
pub fn unquote_plain(s: &[u8]) -> Option<&[u8]> {
    let (&delim, rest) = s.split_first()?;
    let (&end, inner) = rest.split_last()?;
    let plain = match delim {
        b'`' => memchr::memchr2(b'`', b'\r', inner).is_none(),
        b'"' => inner.iter().all(|b| (b' '..=b'~').contains(b) && !matches!(b, b'"' | b'\\')),
        _ => false,
    };
    (plain && end == delim).then_some(inner)
}

/// What a double-quoted, back-quoted or single-quoted literal stands for; `None` for wrong syntax.
///
/// ```
/// use bowsprit_value::strconv::unquote;
///
/// assert_eq!(unquote(br#""a\tb""#).as_deref(), Some(&b"a\tb"[..]));
/// assert_eq!(unquote(br"'\''").as_deref(), Some(&b"'"[..]));
/// assert_eq!(unquote(br#""a"b"#), None);
/// ```
pub fn unquote(s: &[u8]) -> Option<Vec<u8>> {
    if let Some(plain) = unquote_plain(s) {
        return Some(plain.to_vec());
    }
    let (&delim, rest) = s.split_first()?;
    let inner_end = rest.len().checked_sub(1)?;
    match delim {
        b'`' => {
            let (inner, end) = rest.split_at_checked(inner_end)?;
            (end == b"`" && !inner.contains(&b'`'))
                .then(|| inner.iter().copied().filter(|b| *b != b'\r').collect())
        }
        b'"' | b'\'' => unquote_escaped(rest, delim),
        _ => None,
    }
}

fn unquote_escaped(mut s: &[u8], delim: u8) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(s.len());
    while let Some(&first) = s.first() {
        if first == delim {
            break;
        }
        let c = unquote_char(s, delim)?;
        if first == b'\n' {
            return None;
        }
        c.push_to(&mut out);
        s = c.tail;
        if delim == b'\'' {
            break;
        }
    }
    (s == [delim]).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_come_back() {
        for s in [&b"plain"[..], b"", b"\x00\x07\"\\'`", "\u{feff}\u{1f600}\u{e000}".as_bytes()] {
            assert_eq!(unquote(&quote(s)).as_deref(), Some(s));
            assert_eq!(unquote(&quote_to_ascii(s)).as_deref(), Some(s));
        }
        assert_eq!(unquote(&quote(b"\xff\xc0a")).as_deref(), Some(&b"\xff\xc0a"[..]));
    }

    #[test]
    fn wrong_literals_are_refused() {
        for s in [
            "",
            "\"",
            "'",
            "`",
            "\"a",
            "a\"",
            "'ab'",
            "\"\\'\"",
            "'\\\"'",
            "\"\\8\"",
            "\"\\400\"",
            "\"\\ud800\"",
            "\"\\U00110000\"",
            "\"\\xg0\"",
            "\"\n\"",
            "`a`b`",
            "\"\\",
            "\"\\u12\"",
        ] {
            assert_eq!(unquote(s.as_bytes()), None, "{s}");
        }
        assert_eq!(unquote(b"''"), Some(vec![]));
        assert_eq!(unquote(b"`a\r\nb`"), Some(b"a\nb".to_vec()));
        assert_eq!(unquote(b"\"\\377\\x00\\u00e9\""), Some(b"\xff\x00\xc3\xa9".to_vec()));
    }

    #[test]
    fn runes_are_quoted() {
        assert_eq!(quote_rune('\''), b"'\\''");
        assert_eq!(quote_rune('"'), b"'\"'");
        let mut out = Vec::new();
        append_quote_rune_to_ascii(&mut out, '😀');
        assert_eq!(out, b"'\\U0001f600'");
        assert!(can_backquote(b"a\tb") && !can_backquote(b"a\nb") && !can_backquote(b"\xff"));
    }
}
