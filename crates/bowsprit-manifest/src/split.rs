//! A rendered text into documents.

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
    use super::split;

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
