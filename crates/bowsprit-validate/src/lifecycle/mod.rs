//! When API versions of kinds were deprecated and removed, and what replaces them.
//!
//! The dates are those that Kubernetes 1.36 states of its own types, written by `tools/lifecycle` from
//! its Go client, and by hand those of kinds that no longer exist there.

use std::cmp::Ordering;

/// A minor version of Kubernetes 1.
pub type Minor = u32;

/// What is known of a kind at an API version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifecycle {
    /// The API version, such as `batch/v1beta1`.
    pub api_version: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// The first version of Kubernetes, as major and minor, in which it is deprecated.
    pub deprecated: (Minor, Minor),
    /// The first version that does not serve it any more.
    pub removed: Option<(Minor, Minor)>,
    /// API version and kind to use instead.
    pub replacement: Option<(&'static str, &'static str)>,
}

impl Lifecycle {
    /// What the API server says of it, and so Helm:
    /// `batch/v1beta1 CronJob is deprecated in v1.21+, unavailable in v1.25+; use batch/v1 CronJob`.
    pub fn warning(&self) -> String {
        let (major, minor) = self.deprecated;
        let mut text =
            format!("{} {} is deprecated in v{major}.{minor}+", self.api_version, self.kind);
        if let Some((major, minor)) = self.removed {
            text.push_str(&format!(", unavailable in v{major}.{minor}+"));
        }
        if let Some((api_version, kind)) = self.replacement {
            text.push_str(&format!("; use {api_version} {kind}"));
        }
        text
    }
}

/// Written by `tools/lifecycle`.
const SCHEME: &str = include_str!("scheme.tsv");
/// Kinds that Kubernetes 1.36 has no type for any more, from the project's migration guide.
const GONE: &str = include_str!("gone.tsv");

/// The life cycle of a kind that Kubernetes 1.36 still has a type for: all that Helm warns of.
pub fn of_scheme(api_version: &str, kind: &str) -> Option<Lifecycle> {
    find(SCHEME, api_version, kind)
}

/// The life cycle of a kind, also of one that is long gone.
pub fn of(api_version: &str, kind: &str) -> Option<Lifecycle> {
    of_scheme(api_version, kind).or_else(|| find(GONE, api_version, kind))
}

/// Looks up a line, of which the first two cells are sorted.
fn find(mut table: &'static str, api_version: &str, kind: &str) -> Option<Lifecycle> {
    while !table.is_empty() {
        let middle = table.as_bytes().get(..table.len() / 2)?;
        let start = middle.iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1);
        let (before, rest) = table.split_at_checked(start)?;
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let mut cells = line.split('\t');
        match (cells.next()?, cells.next()?).cmp(&(api_version, kind)) {
            Ordering::Less => table = after,
            Ordering::Equal => return row(line),
            Ordering::Greater => table = before,
        }
    }
    None
}

fn row(line: &'static str) -> Option<Lifecycle> {
    let mut cells = line.split('\t');
    let (api_version, kind) = (cells.next()?, cells.next()?);
    let deprecated = version(cells.next()?)?;
    let removed = version(cells.next()?);
    let replacement = cells.next()?.split_once(' ');
    Some(Lifecycle { api_version, kind, deprecated, removed, replacement })
}

fn version(text: &str) -> Option<(Minor, Minor)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_found() {
        for text in [SCHEME, GONE] {
            for line in text.lines() {
                let wanted = row(line).unwrap();
                assert_eq!(find(text, wanted.api_version, wanted.kind), Some(wanted));
                assert_eq!(find(text, wanted.api_version, &format!("{}x", wanted.kind)), None);
            }
            assert!(text.lines().is_sorted());
            assert_eq!(find(text, "", ""), None);
            assert_eq!(find(text, "z", "z"), None);
        }
    }

    #[test]
    fn warnings_are_kubernetes_own() {
        let warning = |api_version, kind| of(api_version, kind).map(|life| life.warning());
        assert_eq!(
            warning("batch/v1beta1", "CronJob").as_deref(),
            Some(
                "batch/v1beta1 CronJob is deprecated in v1.21+, unavailable in v1.25+; use \
                 batch/v1 CronJob"
            )
        );
        assert_eq!(
            warning("policy/v1beta1", "PodSecurityPolicy").as_deref(),
            Some("policy/v1beta1 PodSecurityPolicy is deprecated in v1.21+, unavailable in v1.25+")
        );
        assert!(warning("apps/v1", "Deployment").is_none());
        assert!(of_scheme("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition").is_none());
    }
}
