//! `--show-only`: some documents of a printed release.

use bowsprit_chart::filepath_match;
use bowsprit_manifest::{Dialect, split_as};
use std::fmt;

/// No document comes from a template that the pattern matches. `Display` is Helm's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateNotFound {
    /// The pattern.
    pub pattern: String,
}

impl fmt::Display for TemplateNotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not find template {} in chart", self.pattern)
    }
}

impl std::error::Error for TemplateNotFound {}

/// Takes from a printed release the documents whose template, as a path in the root chart, matches one
/// of the patterns; pattern by pattern, so that a document can come twice.
///
/// ```
/// let text = b"---\n# Source: web/templates/a.yaml\na: 1\n---\n# Source: web/templates/b.yaml\nb: 1\n";
/// let shown = bowsprit::pipeline::show_only(text, &["templates/b.*"])?;
/// assert_eq!(shown, b"---\n# Source: web/templates/b.yaml\nb: 1\n\n");
/// # Ok::<(), bowsprit::pipeline::TemplateNotFound>(())
/// ```
///
/// # Errors
///
/// Fails at the first pattern that matches nothing.
pub fn show_only<P: AsRef<str>>(text: &[u8], patterns: &[P]) -> Result<Vec<u8>, TemplateNotFound> {
    show_only_as(text, patterns, Dialect::default())
}

/// As [`show_only`], as one of Helm's releases does it.
///
/// # Errors
///
/// As [`show_only`].
pub fn show_only_as<P: AsRef<str>>(
    text: &[u8],
    patterns: &[P],
    dialect: Dialect,
) -> Result<Vec<u8>, TemplateNotFound> {
    let documents = split_as(text, dialect).into_iter();
    let documents: Vec<(&[u8], &[u8])> =
        documents.filter_map(|document| Some((source(document)?, document))).collect();
    let mut out = Vec::new();
    for pattern in patterns {
        let pattern = pattern.as_ref();
        let mut missing = true;
        for (source, document) in &documents {
            if filepath_match(pattern.as_bytes(), source) == Ok(true) {
                missing = false;
                for part in [b"---\n", *document, b"\n"] {
                    out.extend_from_slice(part);
                }
            }
        }
        if missing {
            return Err(TemplateNotFound { pattern: pattern.to_owned() });
        }
    }
    Ok(out)
}

/// What `# Source: [^/]+/(.+)` captures.
fn source(document: &[u8]) -> Option<&[u8]> {
    const MARK: &[u8] = b"# Source: ";
    let mut rest = document;
    loop {
        let at = rest.windows(MARK.len()).position(|window| window == MARK)?;
        rest = rest.get(at + MARK.len()..)?;
        let slash = rest.iter().position(|b| *b == b'/')?;
        let after = rest.get(slash + 1..)?;
        let end = after.iter().position(|b| *b == b'\n').unwrap_or(after.len());
        if slash > 0 && end > 0 {
            return after.get(..end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_found_as_the_expression_does() {
        for (document, want) in [
            ("# Source: a/b/c\nd", Some("b/c")),
            ("x # Source: a/b", Some("b")),
            ("# Source: a", None),
            ("# Source: a\nb/c\n", Some("c")),
            ("# Source: /a\n# Source: b/c", Some("c")),
            ("# Source: a/\n# Source: b/c", Some("c")),
        ] {
            let got = source(document.as_bytes());
            assert_eq!(got, want.map(str::as_bytes), "{document:?}");
        }
    }

    #[test]
    fn a_missing_template_is_an_error_whatever_else_matches() {
        let text = b"---\n# Source: c/templates/a.yaml\na: 1\n";
        let error = show_only(text, &["templates/a.yaml", "a.yaml"]).unwrap_err();
        assert_eq!(error.to_string(), "could not find template a.yaml in chart");
        assert_eq!(show_only(text, &["[", "x"]).unwrap_err().pattern, "[");
        let twice = show_only(text, &["templates/*", "*/a.yaml"]).unwrap();
        assert_eq!(twice.len(), 2 * (text.len() + 1));
    }
}
