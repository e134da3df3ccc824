//! A rendered text into documents.

use crate::dialect::{Dialect, Documents};
use bowsprit_value::unicode;

/// Splits a text at every line that begins with `---`, as Helm does: what follows on that line belongs
/// to the next document, even inside a quoted scalar. White space before a document is cut off, what
/// stands behind it is kept; blank documents vanish.
///
/// ```
/// let text = b"\n a: 1\n--- # two\nb: 2\n---\n\n";
/// let documents: Vec<&[u8]> = bowsprit_manifest::split(text).collect();
/// assert_eq!(documents, [&b"a: 1\n"[..], b"# two\nb: 2\n"]);
/// ```
pub fn split(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(trim_start(text));
    let mut at_line_start = true;
    std::iter::from_fn(move || {
        let text = rest?;
        match separator(text, std::mem::take(&mut at_line_start)) {
            Some((at, end)) => {
                rest = text.get(end..);
                text.get(..at)
            }
            None => {
                rest = None;
                Some(text)
            }
        }
    })
    .map(trim_start)
    .filter(|document| !document.is_empty())
}

/// Splits a text as one of Helm's releases does.
///
/// ```
/// use bowsprit_manifest::{Dialect, split_as};
///
/// let text = b"a: 1\n\n--- # two\nb: 2\n";
/// assert_eq!(split_as(text, Dialect::V3), [&b"a: 1"[..], b"# two\nb: 2"]);
/// ```
pub fn split_as(text: &[u8], dialect: Dialect) -> Vec<&[u8]> {
    match dialect.documents {
        Documents::KeepEnd => split(text).collect(),
        Documents::Trimmed => split_trimmed(text),
    }
}

/// Helm's `(?:^|\s*\n)---\s*`: what a separator swallows before it can't be part of the one before.
fn split_trimmed(text: &[u8]) -> Vec<&[u8]> {
    let text = trim(text);
    let mut documents = Vec::new();
    let (mut start, mut from) = (0, 0);
    while let Some((at, end)) = old_separator(text, from) {
        documents.push(text.get(start..at).unwrap_or_default());
        (start, from) = (end, end);
    }
    documents.push(text.get(start..).unwrap_or_default());
    documents.into_iter().filter(|document| !document.is_empty()).map(trim).collect()
}

fn old_separator(text: &[u8], from: usize) -> Option<(usize, usize)> {
    let is_blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\n' | 0x0c | b'\r');
    let end = |at: usize| at + 3 + text.iter().skip(at + 3).take_while(|b| is_blank(b)).count();
    if from == 0 && text.starts_with(b"---") {
        return Some((0, end(0)));
    }
    let mut at = from;
    while let Some(newline) = text.iter().skip(at).position(|b| *b == b'\n').map(|n| n + at) {
        if text.get(newline + 1..).is_some_and(|rest| rest.starts_with(b"---")) {
            let before = text.get(from.min(newline)..newline).unwrap_or_default();
            let blanks = before.iter().rev().take_while(|b| is_blank(b)).count();
            return Some((newline - blanks, end(newline + 1)));
        }
        at = newline + 1;
    }
    None
}

/// Go's `TrimSpace`.
fn trim(text: &[u8]) -> &[u8] {
    let mut text = trim_start(text);
    while !text.is_empty() {
        let (rune, width) = unicode::decode_last_rune(text);
        if !unicode::is_space(rune) || width == 0 {
            break;
        }
        text = text.get(..text.len().saturating_sub(width)).unwrap_or_default();
    }
    text
}

/// Go's `TrimLeftFunc(unicode.IsSpace)`.
fn trim_start(text: &[u8]) -> &[u8] {
    let spaces = unicode::runes(text).take_while(|(rune, _)| unicode::is_space(*rune));
    let width: usize = spaces.map(|(_, width)| width).sum();
    text.get(width..).unwrap_or_default()
}

/// The first separator: where it starts, and where the blanks behind it end.
fn separator(text: &[u8], at_line_start: bool) -> Option<(usize, usize)> {
    let mut line = if at_line_start { 0 } else { memchr::memchr(b'\n', text)? + 1 };
    loop {
        let rest = text.get(line..)?;
        if rest.starts_with(b"---") {
            let blanks = rest.iter().skip(3).take_while(|b| matches!(b, b' ' | b'\t')).count();
            return Some((line, line + 3 + blanks));
        }
        line += memchr::memchr(b'\n', rest)? + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{Dialect, split, split_as};

    #[test]
    fn older_releases_trim_documents() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[""]),
            ("\n---\n---\n", &["---"]),
            ("---yes: 1\n\n", &["yes: 1"]),
            ("a: 1\n ---\nb: 2", &["a: 1\n ---\nb: 2"]),
            ("a: 1\n \n---   \t\n\n b: 2\n", &["a: 1", "b: 2"]),
            ("a\n---\n---\nb", &["a", "---\nb"]),
            ("------", &["---"]),
        ];
        for (text, want) in cases {
            let got: Vec<_> = split_as(text.as_bytes(), Dialect::V3)
                .into_iter()
                .map(String::from_utf8_lossy)
                .collect();
            let want: Vec<_> = want.iter().filter(|w| !w.is_empty()).collect();
            assert_eq!(got, want.into_iter().copied().collect::<Vec<_>>(), "{text:?}");
        }
    }

    #[test]
    fn documents_end_where_helm_ends_them() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            (" \n---\n---\n", &[]),
            ("---yes: 1", &["yes: 1"]),
            ("a: 1\n ---\nb: 2", &["a: 1\n ---\nb: 2"]),
            ("a: 1\n---   \t\nb: 2\n", &["a: 1\n", "b: 2\n"]),
            ("------", &["---"]),
            ("a: |\n  x\n---\n  b: 1", &["a: |\n  x\n", "b: 1"]),
            ("\u{85}a\n\n---\n\u{a0}b", &["a\n\n", "b"]),
        ];
        for (text, want) in cases {
            let got: Vec<_> = split(text.as_bytes()).map(String::from_utf8_lossy).collect();
            assert_eq!(got, *want, "{text:?}");
        }
    }
}
