//! Texts that can't drive a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with its control characters spelled out, but for newlines and tabs. So are the characters
/// that turn the direction of writing, which make a text look like another.
///
/// ```
/// assert_eq!(bowsprit_diag::escape_controls("a\u{1b}[2J\n"), "a\\x1b[2J\n");
/// assert_eq!(bowsprit_diag::escape_controls("a\u{202e}b"), "a\\u202eb");
/// ```
pub fn escape_controls(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        let code = u32::from(c);
        match c {
            c if !is_dangerous(c) => out.push(c),
            _ if code < 0x100 => {
                let _ = write!(out, "\\x{code:02x}");
            }
            _ => {
                let _ = write!(out, "\\u{code:04x}");
            }
        }
    }
    Cow::Owned(out)
}

fn is_dangerous(c: char) -> bool {
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && c != '\n' && c != '\t')
}
