//! What an `index.yaml` says of one version of a chart.

use crate::decode::{self, DecodeError};
use crate::metadata::{Metadata, ValidationError};
use bowsprit_yaml::Node;

/// One version of a chart in a repository's index.
#[derive(Clone, Debug, Default)]
pub struct ChartVersion {
    /// What the chart's own `Chart.yaml` says.
    pub metadata: Metadata,
    /// Where the archive is, relative to the index or absolute; the first counts.
    pub urls: Option<Vec<String>>,
    /// When it was indexed, as RFC 3339 text; empty where the index does not say.
    pub created: String,
    /// Whether it was taken back.
    pub removed: bool,
    /// The SHA-256 of the archive, usually without `sha256:` before it.
    pub digest: String,
    /// `checksum` of old indexes, which nothing reads.
    pub checksum: String,
    /// `engine` of old indexes, which nothing reads.
    pub engine: String,
    /// `tillerVersion` of old indexes, which nothing reads.
    pub tiller_version: String,
    /// `url` of old indexes, which nothing reads.
    pub url: String,
}

impl ChartVersion {
    /// Reads an entry. With `strict`, as for YAML, unknown fields are errors; for JSON they are not.
    ///
    /// # Errors
    /// For values of wrong types, with the words of Go's JSON decoder.
    pub fn decode(node: Node<'_>, strict: bool) -> Result<ChartVersion, DecodeError> {
        decode::chart_version(node, strict)
    }

    /// Makes an entry fit for use: cleans its texts and checks them. What charts must fulfil but old
    /// repositories don't, that no two dependencies have one name, is let pass.
    ///
    /// # Errors
    /// Why Helm would leave the entry out.
    pub fn validate(&mut self) -> Result<(), ValidationError> {
        if self.metadata.api_version.is_empty() {
            self.metadata.api_version = crate::API_VERSION_V1.to_owned();
        }
        match self.metadata.validate() {
            Err(ValidationError::DuplicateDependency(_)) => Ok(()),
            outcome => outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowsprit_yaml::Document;

    fn decode(text: &str, strict: bool) -> Result<ChartVersion, String> {
        let document = Document::parse_strict(text.as_bytes()).map_err(|e| e.to_string())?;
        ChartVersion::decode(document.root(), strict).map_err(|e| e.to_string())
    }

    #[test]
    fn entries_are_read() {
        let text = "name: a\nversion: 1.10\nurls: [a.tgz]\ncreated: 2020-01-02T03:04:05.6Z\n\
                    digest: 12ab\nremoved: true\nmaintainers: [{name: n}]\n";
        let mut entry = decode(text, true).unwrap();
        assert_eq!(entry.metadata.version, "1.1");
        assert_eq!(entry.urls.as_deref(), Some(&["a.tgz".to_owned()][..]));
        assert_eq!(entry.created, "2020-01-02T03:04:05.6Z");
        assert!(entry.removed);
        assert_eq!(entry.validate(), Ok(()));
        assert_eq!(entry.metadata.api_version, "v1");
    }

    #[test]
    fn unknown_fields_are_errors_in_yaml() {
        let error = decode("name: a\nnope: 1\n", true).unwrap_err();
        let want = "error unmarshaling JSON: while decoding JSON: json: unknown field \"nope\"";
        assert_eq!(error, want);
        assert!(decode("name: a\nnope: 1\n", false).is_ok());
        assert!(decode("name: a\nmaintainers: [{nope: 1}]\n", true).is_err());
    }
}
