//! Escapes and fingerprints that several formats need.

use crate::model::{Finding, Subject};
use std::fmt::Write;

/// Text for XML: markup escaped, and what XML can't hold replaced.
pub(crate) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A path as a relative URI, as SARIF wants it.
pub(crate) fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b'/'
            | b'+'
            | b'@'
            | b'='
            | b',' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// A number that stays the same while lines move: made of rule, file, object and message.
pub(crate) fn fingerprint(subject: &Subject, finding: &Finding) -> String {
    let file = finding.location.as_ref().map_or(subject.name.as_str(), |l| l.file.as_str());
    let object = finding.object.as_deref().unwrap_or_default();
    let parts = [finding.rule.as_str(), file, object, finding.message.as_str()];
    let hash = |seed: u64| {
        parts.iter().fold(seed, |hash, part| {
            part.bytes().chain([0]).fold(hash, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            })
        })
    };
    format!("{:016x}{:016x}", hash(0xcbf2_9ce4_8422_2325), hash(0x8422_2325_cbf2_9ce4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_control_characters_are_escaped() {
        assert_eq!(xml("a<b>&\"\u{1b}\n"), "a&lt;b&gt;&amp;&quot;\u{fffd}&#10;");
        assert_eq!(uri("a b/ü.yaml"), "a%20b/%C3%BC.yaml");
    }
}
