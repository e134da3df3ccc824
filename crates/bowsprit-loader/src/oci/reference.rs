//! `host/repository:tag`, `host/repository@sha256:…`.

use super::OciError;
use std::fmt;

/// What a registry is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OciReference {
    /// The host, with a port where it is not the usual one.
    pub registry: String,
    /// The path in the registry.
    pub repository: String,
    /// A tag, in which `_` stands for `+`.
    pub tag: Option<String>,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: Option<String>,
}

impl OciReference {
    /// Parses a reference, with `oci://` before it or without. A `+` in the tag becomes `_`.
    ///
    /// ```
    /// use bowsprit_loader::oci::OciReference;
    ///
    /// let reference = OciReference::parse("oci://localhost:5000/charts/web:1.2.3+build")?;
    /// assert_eq!(reference.registry, "localhost:5000");
    /// assert_eq!(reference.to_string(), "localhost:5000/charts/web:1.2.3_build");
    /// # Ok::<(), bowsprit_loader::oci::OciError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Says which part is wrong.
    pub fn parse(text: &str) -> Result<OciReference, OciError> {
        let text = text.strip_prefix("oci://").unwrap_or(text);
        let invalid = |what: String| OciError::Reference(format!("invalid reference: {what}"));
        let (text, digest) = match text.rsplit_once('@') {
            Some((rest, digest)) => (rest, Some(digest.to_owned())),
            None => (text, None),
        };
        let Some((registry, path)) = text.split_once('/') else {
            return Err(invalid("missing registry or repository".to_owned()));
        };
        let (repository, tag) = match path.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag.replace('+', "_"))),
            None => (path, None),
        };
        if !is_registry(registry) {
            return Err(invalid(format!("invalid registry {registry:?}")));
        }
        if !is_repository(repository) {
            return Err(invalid(format!("invalid repository {repository:?}")));
        }
        let tag = tag.filter(|tag| !tag.is_empty());
        if let Some(tag) = tag.as_ref().filter(|tag| !is_tag(tag)) {
            return Err(invalid(format!("invalid tag {tag:?}")));
        }
        if let Some(digest) = digest.as_ref().filter(|digest| !is_digest(digest)) {
            return Err(invalid(format!("invalid digest {digest:?}")));
        }
        Ok(OciReference {
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            tag,
            digest,
        })
    }

    /// What stands behind `manifests/` in a request.
    pub(super) fn target(&self) -> &str {
        self.digest.as_deref().or(self.tag.as_deref()).unwrap_or("latest")
    }
}

/// Docker's registry lives elsewhere than its name says.
pub(super) fn host(registry: &str) -> &str {
    if registry == "docker.io" { "registry-1.docker.io" } else { registry }
}

impl fmt::Display for OciReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        match (&self.tag, &self.digest) {
            (Some(tag), _) => write!(f, ":{tag}"),
            (None, Some(digest)) => write!(f, "@{digest}"),
            (None, None) => Ok(()),
        }
    }
}

fn is_registry(text: &str) -> bool {
    let legal =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    let parsed = ::url::Url::parse(&format!("http://{text}/"));
    !text.is_empty() && text.bytes().all(legal) && parsed.is_ok_and(|url| url.has_host())
}

/// Parts of lower-case letters and digits, joined by `.`, `_`, `__` or dashes.
fn is_repository(text: &str) -> bool {
    text.split('/').all(|part| {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let edge = |b: Option<u8>| b.is_some_and(inner);
        let mut separators = part.split(|c: char| c.is_ascii_alphanumeric());
        edge(part.bytes().next())
            && edge(part.bytes().last())
            && part.bytes().all(|b| inner(b) || matches!(b, b'.' | b'_' | b'-'))
            && separators
                .all(|s| matches!(s, "" | "." | "_" | "__") || s.bytes().all(|b| b == b'-'))
    })
}

fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
}

/// `sha256:` and the digits of such a hash. Others are not supported by registries that hold charts.
pub(crate) fn is_digest(text: &str) -> bool {
    let digits = text.strip_prefix("sha256:").unwrap_or_default();
    digits.len() == 64 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for (text, shown) in [
            ("oci://h/a/b", "h/a/b".to_owned()),
            ("h:1/a:1.2.3+b+c", "h:1/a:1.2.3_b_c".to_owned()),
            ("h/a__b/c--d.e:v", "h/a__b/c--d.e:v".to_owned()),
            (&format!("h/a@{digest}"), format!("h/a@{digest}")),
            (&format!("h/a:1@{digest}"), "h/a:1".to_owned()),
            ("[::1]:5/a", "[::1]:5/a".to_owned()),
        ] {
            assert_eq!(OciReference::parse(text).unwrap().to_string(), shown, "{text}");
        }
        for (text, want) in [
            ("h", "invalid reference: missing registry or repository"),
            ("h/A", "invalid reference: invalid repository \"A\""),
            ("h/a/", "invalid reference: invalid repository \"a/\""),
            ("h/a_-b", "invalid reference: invalid repository \"a_-b\""),
            ("h /a", "invalid reference: invalid registry \"h \""),
            ("u@h/a", "invalid reference: missing registry or repository"),
            ("h/a:-b", "invalid reference: invalid tag \"-b\""),
            ("h/a@sha256:1", "invalid reference: invalid digest \"sha256:1\""),
        ] {
            assert_eq!(OciReference::parse(text).unwrap_err().to_string(), want, "{text}");
        }
    }
}
