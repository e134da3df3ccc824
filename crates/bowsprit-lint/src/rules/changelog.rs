//! What changed is to be read somewhere.

use crate::helm::Linter;
use bowsprit_chart::Chart;

const ANNOTATION: &str = "artifacthub.io/changes";

pub(super) fn check(linter: &mut Linter<'_>, chart: &Chart) {
    let annotated = chart.metadata.annotations.as_ref().is_some_and(|a| a.contains_key(ANNOTATION));
    let version = chart.metadata.version.as_str();
    match linter.source.changelog.bytes() {
        _ if annotated => {}
        None => {
            let text = format!("there is no CHANGELOG.md and no annotation {ANNOTATION}");
            linter.own("BS009", "CHANGELOG.md", text);
        }
        Some(text) if !mentions(text, version) => {
            let text = format!("CHANGELOG.md says nothing of version {version}");
            linter.own("BS009", "CHANGELOG.md", text);
        }
        Some(_) => {}
    }
}

/// Whether a version stands in a text, not as a part of a longer one.
fn mentions(text: &[u8], version: &str) -> bool {
    let text = String::from_utf8_lossy(text);
    let version = version.strip_prefix('v').unwrap_or(version);
    text.match_indices(version).any(|(at, _)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + version.len()..).unwrap_or_default();
        let longer = after.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+')
            || (after.starts_with('.') && after[1..].starts_with(|c: char| c.is_ascii_digit()));
        !before.is_some_and(|c| c.is_ascii_digit() || c == '.') && !longer
    })
}

#[cfg(test)]
mod tests {
    use super::mentions;

    #[test]
    fn versions_are_words() {
        assert!(mentions(b"## v1.2.3\n", "1.2.3"));
        assert!(mentions(b"[1.2.3]: as of 1.2.3.", "v1.2.3"));
        assert!(!mentions(b"11.2.3 1.2.30 1.2.3-rc1 1.2.3.4", "1.2.3"));
    }
}
