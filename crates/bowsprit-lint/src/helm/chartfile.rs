//! `Chart.yaml`.

use super::address::{is_email, is_request_url, is_url};
use super::{Linter, quote};
use crate::source::Entry;
use bowsprit_chart::{API_VERSION_V1, API_VERSION_V2, Metadata, path};
use bowsprit_semver::{Constraint, Version};
use bowsprit_value::Value;
use bowsprit_yaml::{Skimmed, skim};

const FILE: &str = "Chart.yaml";

impl Linter<'_> {
    pub(super) fn chartfile(&mut self) {
        let text = match &self.source.chart_yaml {
            Entry::File(bytes) => bytes.as_bytes(),
            Entry::Directory => {
                self.error("HL001", FILE, "should be a file, not a directory");
                let dir = &self.source.dir;
                let text = format!("unable to parse YAML\n\tread {dir}/{FILE}: is a directory");
                return self.error("HL002", FILE, text);
            }
            Entry::Unreadable(error) => {
                return self.error("HL002", FILE, format!("unable to parse YAML\n\t{error}"));
            }
            // Nothing is examined without one.
            Entry::Missing => return,
        };
        // What is read strictly reads the same without.
        let metadata = match Metadata::parse_strict(text) {
            Ok(metadata) => metadata,
            Err(strict) => match Metadata::parse(text) {
                Ok(metadata) => {
                    let text = format!("failed to strictly parse chart metadata file\n\t{strict}");
                    self.warn("HL003", FILE, text);
                    metadata
                }
                Err(error) => {
                    return self.error("HL002", FILE, format!("unable to parse YAML\n\t{error}"));
                }
            },
        };
        let decoded = match has_plain_versions(text) {
            true => Value::Nil,
            false => bowsprit_yaml::decode(text).unwrap_or_default(),
        };
        self.name_and_api_version(&metadata);
        self.versions(&metadata, &decoded);
        self.people(&metadata);
        self.urls(&metadata);
        self.v1(&metadata);
        if Version::parse_strict(&metadata.version).is_err() {
            let text = format!("version '{}' is not a valid SemVerV2", metadata.version);
            self.warn("HL015", FILE, text);
        }
    }

    fn name_and_api_version(&mut self, metadata: &Metadata) {
        let name = metadata.name.as_str();
        if name.is_empty() {
            self.error("HL004", FILE, "name is required");
        } else if path::base(name.as_bytes()) != name.as_bytes() {
            self.error("HL004", FILE, format!("chart name {} is invalid", quote(name)));
        }
        const EITHER: &str = "The value must be either \"v1\" or \"v2\"";
        match metadata.api_version.as_str() {
            API_VERSION_V1 | API_VERSION_V2 => {}
            "" => self.error("HL005", FILE, format!("apiVersion is required. {EITHER}")),
            other => {
                self.error("HL005", FILE, format!("apiVersion '{other}' is not valid. {EITHER}"));
            }
        }
    }

    fn versions(&mut self, metadata: &Metadata, decoded: &Value) {
        if let Some(text) = not_a_string(decoded, "version") {
            self.error("HL006", FILE, text);
        }
        if let Some(text) = wrong_version(&metadata.version) {
            self.error("HL007", FILE, text);
        }
        if let Some(text) = not_a_string(decoded, "appVersion") {
            self.error("HL008", FILE, text);
        }
    }

    /// Only the first complaint counts.
    fn people(&mut self, metadata: &Metadata) {
        for maintainer in metadata.maintainers.iter().flatten() {
            let Some(maintainer) = maintainer else {
                return self.error("HL009", FILE, "a maintainer entry is empty");
            };
            let name = &maintainer.name;
            if name.is_empty() {
                return self.error("HL009", FILE, "each maintainer requires a name");
            }
            let (email, url) = (&maintainer.email, &maintainer.url);
            if !email.is_empty() && !is_email(email) {
                let text = format!("invalid email '{email}' for maintainer '{name}'");
                return self.error("HL009", FILE, text);
            }
            if !url.is_empty() && !is_url(url) {
                let text = format!("invalid url '{url}' for maintainer '{name}'");
                return self.error("HL009", FILE, text);
            }
        }
    }

    fn urls(&mut self, metadata: &Metadata) {
        let mut sources = metadata.sources.iter().flatten();
        if let Some(source) = sources.find(|source| !is_request_url(source)) {
            self.error("HL010", FILE, format!("invalid source URL '{source}'"));
        }
        let icon = &metadata.icon;
        if icon.is_empty() {
            self.info("HL011", FILE, "icon is recommended");
        } else if !is_request_url(icon) {
            self.error("HL012", FILE, format!("invalid icon URL '{icon}'"));
        }
    }

    fn v1(&mut self, metadata: &Metadata) {
        let version = &metadata.api_version;
        if version == API_VERSION_V2 {
            return;
        }
        if !metadata.ty.is_empty() {
            let text = format!(
                "chart type is not valid in apiVersion '{version}'. It is valid in apiVersion \
                 '{API_VERSION_V2}'"
            );
            self.error("HL013", FILE, text);
        }
        if metadata.dependencies.as_ref().is_some_and(|list| !list.is_empty()) {
            let text = format!(
                "dependencies are not valid in the Chart file with apiVersion '{version}'. They \
                 are valid in apiVersion '{API_VERSION_V2}'"
            );
            self.error("HL014", FILE, text);
        }
    }
}

/// Whether the versions, where they are given, surely are strings.
fn has_plain_versions(text: &[u8]) -> bool {
    let mut plain = true;
    let read = skim(text, |level, key, value| {
        let is_version = level == 0 && matches!(key, b"version" | b"appVersion");
        plain &= !is_version || matches!(value, Skimmed::Text(_) | Skimmed::Quoted(_));
    });
    read && plain
}

fn not_a_string(decoded: &Value, key: &str) -> Option<String> {
    let found = decoded.as_map()?.get(key.as_bytes())?;
    let ty = match &found {
        Value::Str(_) => return None,
        Value::Nil => "<nil>".into(),
        found => found.type_name(),
    };
    Some(format!("{key} should be of type string but it's of type {ty}"))
}

fn wrong_version(version: &str) -> Option<String> {
    if version.is_empty() {
        return Some("version is required".to_owned());
    }
    let Ok(parsed) = Version::parse(version) else {
        return Some(format!("version '{version}' is not a valid SemVer"));
    };
    let above_zero = Constraint::parse(">0.0.0-0").ok()?;
    let complaints = above_zero.validate(&parsed).err()?;
    complaints.first().map(|complaint| format!("version {complaint}"))
}
