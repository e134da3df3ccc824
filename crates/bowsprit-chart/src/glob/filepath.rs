//! Go's `path/filepath.Match`, as on Unix.

use std::fmt;

use bowsprit_value::unicode::{RUNE_ERROR, decode_rune};

/// The pattern is malformed: Go's `filepath.ErrBadPattern`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadPattern;

impl std::error::Error for BadPattern {}

impl fmt::Display for BadPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("syntax error in pattern")
    }
}

/// Whether the whole name matches the pattern, in which `*` and `?` stop at slashes, `[a-z]` and
/// `[^a]` are classes, and a backslash quotes.
///
/// A malformed pattern is an error only if the matching gets as far as the fault, as in Go. The time
/// is at most proportional to pattern times name.
pub fn filepath_match(mut pattern: &[u8], mut name: &[u8]) -> Result<bool, BadPattern> {
    while !pattern.is_empty() {
        let (star, chunk, rest) = scan_chunk(pattern);
        pattern = rest;
        if star && chunk.is_empty() {
            return Ok(!name.contains(&b'/'));
        }
        let last = pattern.is_empty();
        match match_chunk(chunk, name)? {
            Some(rest) if rest.is_empty() || !last => name = rest,
            _ if !star => return Ok(false),
            _ => match skip_to_chunk(chunk, name, last)? {
                Some(rest) => name = rest,
                None => return Ok(false),
            },
        }
    }
    Ok(name.is_empty())
}

/// Lets a star swallow bytes until the chunk matches; the last chunk has to reach the end.
fn skip_to_chunk<'n>(
    chunk: &[u8],
    name: &'n [u8],
    last: bool,
) -> Result<Option<&'n [u8]>, BadPattern> {
    let mut name = name;
    while let Some((byte, rest)) = name.split_first() {
        if *byte == b'/' {
            break;
        }
        name = rest;
        match match_chunk(chunk, name)? {
            Some(rest) if rest.is_empty() || !last => return Ok(Some(rest)),
            _ => {}
        }
    }
    Ok(None)
}

/// Takes leading stars and all up to the next star off the pattern.
fn scan_chunk(pattern: &[u8]) -> (bool, &[u8], &[u8]) {
    let stars = pattern.iter().take_while(|&&b| b == b'*').count();
    let pattern = pattern.get(stars..).unwrap_or_default();
    let mut in_class = false;
    let mut at = 0;
    while let Some(byte) = pattern.get(at) {
        match byte {
            b'\\' => at += 1,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'*' if !in_class => break,
            _ => {}
        }
        at += 1;
    }
    let (chunk, rest) = pattern.split_at(at.min(pattern.len()));
    (stars > 0, chunk, rest)
}

/// Matches a chunk, which has no star, against the start of the name; gives what is left of the
/// name.
fn match_chunk<'n>(mut chunk: &[u8], name: &'n [u8]) -> Result<Option<&'n [u8]>, BadPattern> {
    // After a mismatch the rest of the chunk is still checked.
    let mut left = Some(name);
    while let Some((&byte, rest)) = chunk.split_first() {
        left = left.filter(|name| !name.is_empty());
        chunk = rest;
        match byte {
            b'[' => {
                let (rune, width) = decode_rune(left.unwrap_or_default());
                let (matched, rest) = match_class(chunk, left.map(|_| rune))?;
                chunk = rest;
                left = left.filter(|_| matched).and_then(|name| name.get(width..));
            }
            b'?' => {
                left = left.filter(|name| name.first() != Some(&b'/'));
                let (_, width) = decode_rune(left.unwrap_or_default());
                left = left.and_then(|name| name.get(width..));
            }
            _ => {
                let mut wanted = byte;
                if byte == b'\\' {
                    (wanted, chunk) =
                        chunk.split_first().map(|(b, c)| (*b, c)).ok_or(BadPattern)?;
                }
                left = left.and_then(|name| name.strip_prefix(&[wanted]));
            }
        }
    }
    Ok(left)
}

/// Reads a class after its bracket: whether it accepts the rune, and what follows.
fn match_class(mut chunk: &[u8], rune: Option<char>) -> Result<(bool, &[u8]), BadPattern> {
    let negated = chunk.first() == Some(&b'^');
    if negated {
        chunk = chunk.get(1..).unwrap_or_default();
    }
    let mut matched = false;
    let mut first = true;
    loop {
        if let (false, Some(rest)) = (first, chunk.strip_prefix(b"]")) {
            return Ok((matched != negated, rest));
        }
        first = false;
        let (lo, rest) = class_char(chunk)?;
        chunk = rest;
        let mut hi = lo;
        if let Some(rest) = chunk.strip_prefix(b"-") {
            (hi, chunk) = class_char(rest)?;
        }
        matched = matched || rune.is_some_and(|rune| lo <= rune && rune <= hi);
    }
}

/// Reads a possibly quoted character of a class, after which the class must go on.
fn class_char(chunk: &[u8]) -> Result<(char, &[u8]), BadPattern> {
    let chunk = match chunk {
        [] | [b'-' | b']', ..] => return Err(BadPattern),
        [b'\\', rest @ ..] => rest,
        _ => chunk,
    };
    let (rune, width) = decode_rune(chunk);
    if rune == RUNE_ERROR && width == 1 {
        return Err(BadPattern);
    }
    match chunk.get(width..) {
        None | Some([]) => Err(BadPattern),
        Some(rest) => Ok((rune, rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_go_does() {
        let cases: &[(&str, &str, Result<bool, BadPattern>)] = &[
            ("abc", "abc", Ok(true)),
            ("*", "abc", Ok(true)),
            ("*", "a/b", Ok(false)),
            ("*c", "abc", Ok(true)),
            ("a*/b", "abc/b", Ok(true)),
            ("a*/b", "a/c/b", Ok(false)),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/f", Ok(true)),
            ("a*b?c*x", "abxbbxdbxebxczzy", Ok(false)),
            ("a[!a]b", "a☺b", Ok(false)),
            ("a[^a]b", "a☺b", Ok(true)),
            ("a???b", "a☺b", Ok(false)),
            ("[a-ζ]*", "α", Ok(true)),
            ("a\\*b", "a*b", Ok(true)),
            ("[\\]a]", "]", Ok(true)),
            ("[\\-x]", "-", Ok(true)),
            ("[]a]", "]", Err(BadPattern)),
            ("[a-]", "-", Err(BadPattern)),
            ("[a-b-d]", "a", Err(BadPattern)),
            ("\\", "a", Err(BadPattern)),
            ("[", "a", Err(BadPattern)),
            ("[^bc", "a", Err(BadPattern)),
            ("a[", "ab", Err(BadPattern)),
            ("a[", "x", Err(BadPattern)),
            ("x*[", "a", Ok(false)),
            ("a/b[", "x", Err(BadPattern)),
            ("", "", Ok(true)),
        ];
        for (pattern, name, wanted) in cases {
            let found = filepath_match(pattern.as_bytes(), name.as_bytes());
            assert_eq!(found, *wanted, "{pattern} {name}");
        }
    }
}
