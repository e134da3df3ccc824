//! The digest of a lock: whether `Chart.lock` still belongs to `Chart.yaml`.

use crate::dependency::{Dependency, Lock};
use crate::encode::{EncodeError, dependency_lists_json};
use crate::metadata::{API_VERSION_V1, Metadata};
use sha2::{Digest, Sha256};
use std::fmt;

impl Lock {
    /// The name of the file that holds the lock of a chart.
    pub fn file_name(metadata: &Metadata) -> &'static str {
        if metadata.api_version == API_VERSION_V1 { "requirements.lock" } else { "Chart.lock" }
    }

    /// The dependencies that are not null.
    pub fn dependencies(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies.iter().flatten().flatten()
    }
}

/// A lock that was made for other dependencies. `Display` is Helm's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfSync {
    /// True for charts whose lock is called `requirements.lock`.
    pub legacy: bool,
}

impl fmt::Display for OutOfSync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.legacy {
            true => {
                "the lock file (requirements.lock) is out of sync with the dependencies file \
                 (requirements.yaml). Please update the dependencies"
            }
            false => {
                "the lock file (Chart.lock) is out of sync with the dependencies file (Chart.yaml). \
                 Please update the dependencies with 'helm dependency update'"
            }
        })
    }
}

impl std::error::Error for OutOfSync {}

/// `HashReq`: the digest of a lock, `sha256:` and hexadecimal, of the dependencies that a chart asks
/// for and those that were found.
///
/// Aliases of repositories (`@name`) must have been replaced by their URLs, as Helm does before.
///
/// ```
/// use bowsprit_chart::{Dependency, lock_digest};
///
/// let mut wanted = Dependency::default();
/// (wanted.name, wanted.version) = ("a".into(), ">=1".into());
/// let mut found = Dependency::default();
/// (found.name, found.version) = ("a".into(), "1.2.3".into());
/// assert_eq!(
///     lock_digest(&[wanted], &[found])?,
///     "sha256:5826b7433ce2cd6537f356ee7ab8c3f374a6d745c878411a404007a7fa91c2a3",
/// );
/// # Ok::<(), bowsprit_chart::EncodeError>(())
/// ```
///
/// # Errors
/// For values in `import-values` that JSON lacks.
pub fn lock_digest(wanted: &[Dependency], found: &[Dependency]) -> Result<String, EncodeError> {
    Ok(digest(&dependency_lists_json(&[wanted, found])?))
}

/// `HashV2Req`: the digest that Helm 2 wrote into `requirements.lock`.
///
/// # Errors
/// As [`lock_digest`].
pub fn legacy_lock_digest(wanted: &[Dependency]) -> Result<String, EncodeError> {
    let list = dependency_lists_json(&[wanted])?;
    let list = list.strip_prefix(b"[").and_then(|list| list.strip_suffix(b"]"));
    Ok(digest(&[b"{\"dependencies\":", list.unwrap_or_default(), b"}"].concat()))
}

fn digest(json: &[u8]) -> String {
    let mut text = String::from("sha256:");
    for byte in Sha256::digest(json) {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependency(name: &str, version: &str, repository: &str, alias: &str) -> Dependency {
        Dependency {
            name: name.into(),
            version: version.into(),
            repository: repository.into(),
            alias: alias.into(),
            ..Dependency::default()
        }
    }

    /// Helm's own digest of these.
    #[test]
    fn digests_are_helms() {
        let web = "http://127.0.0.1:8899";
        let wanted = [
            dependency("a", "1.x", web, ""),
            dependency("b", "0.1.0", "file://../b", ""),
            dependency("a", "~1.0.0", web, "a2"),
        ];
        let found = [
            dependency("a", "1.1.0", web, ""),
            dependency("b", "0.1.0", "file://../b", ""),
            dependency("a", "1.0.0", web, ""),
        ];
        assert_eq!(
            lock_digest(&wanted, &found).unwrap(),
            "sha256:afd9d2286fd48022af9d4245f59162f927baa0b387ca5d3167ab87601a7078a6"
        );
    }

    #[test]
    fn the_json_is_gos() {
        let mut one = dependency("a", ">=1", "", "");
        one.condition = "a.on".into();
        one.tags = Some(vec!["t".into()]);
        one.enabled = true;
        one.import_values = Some(vec!["x".into(), 1.0.into()]);
        let json = dependency_lists_json(&[&[one], &[]]).unwrap();
        let want = "[[{\"name\":\"a\",\"version\":\"\\u003e=1\",\"repository\":\"\",\
             \"condition\":\"a.on\",\"tags\":[\"t\"],\"enabled\":true,\
             \"import-values\":[\"x\",1]}],[]]";
        assert_eq!(String::from_utf8_lossy(&json), want.replace(" ", ""));
    }
}
