//! `Chart.yaml`, and what makes it valid.

use crate::decode::{self, DecodeError};
use crate::dependency::Dependency;
use crate::path;
use crate::quote::quote;
use bowsprit_semver::Version;
use bowsprit_value::unicode;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The first version of the chart format, and what a `Chart.yaml` without a version is taken for.
pub const API_VERSION_V1: &str = "v1";
/// The version of the chart format that Helm 3 brought.
pub const API_VERSION_V2: &str = "v2";
/// The version that Helm 4 prepares: it loads, but nothing can be done with it yet.
pub const API_VERSION_V3: &str = "v3";

/// What `Chart.yaml` says, under Helm's names for the fields.
///
/// Lists and maps are `None` where Go has nil: the key is missing or null.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    /// The chart's name.
    pub name: String,
    /// A URL about the project.
    pub home: String,
    /// URLs of the source code.
    pub sources: Option<Vec<String>>,
    /// The chart's version, as it is written.
    pub version: String,
    /// One sentence.
    pub description: String,
    /// Words to find the chart by.
    pub keywords: Option<Vec<String>>,
    /// Who maintains the chart; `None` inside the list never outlives validation.
    pub maintainers: Option<Vec<Option<Maintainer>>>,
    /// URL of an icon.
    pub icon: String,
    /// `v1`, `v2` or, read as a subchart, anything.
    pub api_version: String,
    /// A path of a value that enables the chart.
    pub condition: String,
    /// Tags that enable the chart. A string, unlike those of a dependency.
    pub tags: String,
    /// The version of what the chart installs.
    pub app_version: String,
    /// Whether the chart should not be used any more.
    pub deprecated: bool,
    /// Whatever else its authors want to say.
    pub annotations: Option<BTreeMap<String, String>>,
    /// A constraint on the version of Kubernetes.
    pub kube_version: String,
    /// The charts that this one needs. Nil and an empty list differ: with the latter, subcharts that
    /// are there are processed.
    pub dependencies: Option<Vec<Option<Dependency>>>,
    /// `application`, `library` or empty, which means the former.
    pub ty: String,
}

/// Someone who maintains a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maintainer {
    /// A person or an organization.
    pub name: String,
    /// An address.
    pub email: String,
    /// A URL.
    pub url: String,
}

/// Why a chart's metadata is invalid; `Display` is Helm's text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValidationError {
    /// `apiVersion` is empty.
    ApiVersionMissing,
    /// `name` is empty.
    NameMissing,
    /// `name` is `.` or `..`.
    NameNotAllowed(String),
    /// `name` is a path.
    NameInvalid(String),
    /// `version` is empty.
    VersionMissing,
    /// `version` is no version.
    VersionInvalid(String),
    /// `type` is unknown.
    TypeInvalid,
    /// A null in the list of maintainers.
    EmptyMaintainer,
    /// A null in the list of dependencies.
    EmptyDependency,
    /// The alias of the dependency with this name could not be part of a path.
    AliasInvalid(String),
    /// Two dependencies would go by this name.
    DuplicateDependency(String),
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("validation: ")?;
        match self {
            Self::ApiVersionMissing => f.write_str("chart.metadata.apiVersion is required"),
            Self::NameMissing => f.write_str("chart.metadata.name is required"),
            Self::NameNotAllowed(name) => {
                write!(f, "chart.metadata.name {} is not allowed", quote(name.as_bytes()))
            }
            Self::NameInvalid(name) => {
                write!(f, "chart.metadata.name {} is invalid", quote(name.as_bytes()))
            }
            Self::VersionMissing => f.write_str("chart.metadata.version is required"),
            Self::VersionInvalid(version) => {
                write!(f, "chart.metadata.version {} is invalid", quote(version.as_bytes()))
            }
            Self::TypeInvalid => f.write_str("chart.metadata.type must be application or library"),
            Self::EmptyMaintainer => {
                f.write_str("maintainers must not contain empty or null nodes")
            }
            Self::EmptyDependency => {
                f.write_str("dependencies must not contain empty or null nodes")
            }
            Self::AliasInvalid(name) => write!(
                f,
                "dependency {} has disallowed characters in the alias",
                quote(name.as_bytes())
            ),
            Self::DuplicateDependency(name) => {
                write!(f, "more than one dependency with name or alias {}", quote(name.as_bytes()))
            }
        }
    }
}

impl std::error::Error for ValidationError {}

impl Metadata {
    /// Decodes a `Chart.yaml` and nothing more: neither is it checked, nor are texts cleaned.
    ///
    /// # Errors
    /// What Helm says of text that can't be decoded.
    pub fn parse(text: &[u8]) -> Result<Metadata, DecodeError> {
        let mut metadata = Metadata::default();
        decode::metadata(text, &mut metadata)?;
        Ok(metadata)
    }

    /// As [`Metadata::parse`], but keys that mean nothing and keys that occur twice are errors.
    ///
    /// # Errors
    /// What Helm says of text that can't be decoded strictly.
    pub fn parse_strict(text: &[u8]) -> Result<Metadata, DecodeError> {
        decode::metadata_strict(text)
    }

    /// The dependencies that are not null; all of them, once the metadata is valid.
    pub fn dependencies(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies.iter().flatten().flatten()
    }

    /// Cleans the fields and checks them, in Helm's order.
    ///
    /// Blanks of any kind become `' '`, unprintable characters are removed; `version`, `type` and
    /// `annotations` stay as they are.
    ///
    /// # Errors
    /// The first thing that Helm complains about.
    pub fn validate(&mut self) -> Result<(), ValidationError> {
        self.sanitize();
        if self.api_version.is_empty() {
            return Err(ValidationError::ApiVersionMissing);
        }
        self.validate_name()?;
        if self.version.is_empty() {
            return Err(ValidationError::VersionMissing);
        }
        if Version::parse(&self.version).is_err() {
            return Err(ValidationError::VersionInvalid(self.version.clone()));
        }
        if !matches!(self.ty.as_str(), "" | "application" | "library") {
            return Err(ValidationError::TypeInvalid);
        }
        for maintainer in self.maintainers.iter_mut().flatten() {
            let maintainer = maintainer.as_mut().ok_or(ValidationError::EmptyMaintainer)?;
            sanitize_all([&mut maintainer.name, &mut maintainer.email, &mut maintainer.url]);
        }
        self.validate_dependencies()
    }

    fn sanitize(&mut self) {
        sanitize_all([
            &mut self.name,
            &mut self.description,
            &mut self.home,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ]);
        sanitize_all(self.sources.iter_mut().flatten());
        sanitize_all(self.keywords.iter_mut().flatten());
    }

    fn validate_name(&self) -> Result<(), ValidationError> {
        match self.name.as_str() {
            "" => Err(ValidationError::NameMissing),
            "." | ".." => Err(ValidationError::NameNotAllowed(self.name.clone())),
            name if path::base(name.as_bytes()) != name.as_bytes() => {
                Err(ValidationError::NameInvalid(self.name.clone()))
            }
            _ => Ok(()),
        }
    }

    fn validate_dependencies(&mut self) -> Result<(), ValidationError> {
        let mut seen = BTreeSet::new();
        for dependency in self.dependencies.iter_mut().flatten() {
            let dependency = dependency.as_mut().ok_or(ValidationError::EmptyDependency)?;
            dependency.validate()?;
            if !seen.insert(dependency.key()) {
                return Err(ValidationError::DuplicateDependency(dependency.key().to_owned()));
            }
        }
        Ok(())
    }
}

pub(crate) fn sanitize_all<'a>(texts: impl IntoIterator<Item = &'a mut String>) {
    for text in texts {
        if let Cow::Owned(clean) = sanitize(text) {
            *text = clean;
        }
    }
}

/// `sanitizeString`.
fn sanitize(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Cow::Borrowed(text);
    }
    let clean = |c| match c {
        c if unicode::is_space(c) => Some(' '),
        c => unicode::is_print(c).then_some(c),
    };
    Cow::Owned(text.chars().filter_map(clean).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid() -> Metadata {
        Metadata {
            api_version: "v2".into(),
            name: "c".into(),
            version: "1.2.3".into(),
            ..Metadata::default()
        }
    }

    fn check(change: impl FnOnce(&mut Metadata)) -> String {
        let mut metadata = valid();
        change(&mut metadata);
        metadata.validate().map_or_else(|error| error.to_string(), |()| "ok".into())
    }

    fn dependency(name: &str, alias: &str) -> Option<Dependency> {
        Some(Dependency { name: name.into(), alias: alias.into(), ..Dependency::default() })
    }

    #[test]
    fn names() {
        for name in ["C", "a.b", "a_b", "a b", "a\\b", "-a", "é", "...", "/"] {
            assert_eq!(check(|m| m.name = name.into()), "ok", "{name}");
        }
        for (name, want) in [
            ("", "validation: chart.metadata.name is required"),
            ("\u{200b}", "validation: chart.metadata.name is required"),
            (".", "validation: chart.metadata.name \".\" is not allowed"),
            ("..", "validation: chart.metadata.name \"..\" is not allowed"),
            ("a/b", "validation: chart.metadata.name \"a/b\" is invalid"),
            ("a/", "validation: chart.metadata.name \"a/\" is invalid"),
        ] {
            assert_eq!(check(|m| m.name = name.into()), want, "{name}");
        }
    }

    #[test]
    fn versions_and_types() {
        for version in ["1", "1.2", "v1.2.3", "01.2.3", "1.2.03", "1.2.3-a+b"] {
            assert_eq!(check(|m| m.version = version.into()), "ok", "{version}");
        }
        for version in ["1.2.3.4", "1.2.3 ", "latest", "=1.2"] {
            let want = format!("validation: chart.metadata.version {version:?} is invalid");
            assert_eq!(check(|m| m.version = version.into()), want);
        }
        let missing = "validation: chart.metadata.version is required";
        assert_eq!(check(|m| m.version.clear()), missing);
        let api = "validation: chart.metadata.apiVersion is required";
        assert_eq!(check(|m| m.api_version.clear()), api);
        assert_eq!(check(|m| m.ty = "library".into()), "ok");
        let ty = "validation: chart.metadata.type must be application or library";
        assert_eq!(check(|m| m.ty = "Library".into()), ty);
    }

    #[test]
    fn lists() {
        let null = "validation: maintainers must not contain empty or null nodes";
        assert_eq!(check(|m| m.maintainers = Some(vec![None])), null);
        let null = "validation: dependencies must not contain empty or null nodes";
        assert_eq!(check(|m| m.dependencies = Some(vec![None])), null);
        for (dependencies, want) in [
            (vec![dependency("a", ""), dependency("a", "b")], "ok"),
            (
                vec![dependency("a", ""), dependency("a", "")],
                "validation: more than one dependency with name or alias \"a\"",
            ),
            (
                vec![dependency("a", ""), dependency("b", "a")],
                "validation: more than one dependency with name or alias \"a\"",
            ),
            (
                vec![dependency("a", "x.y")],
                "validation: dependency \"a\" has disallowed characters in the alias",
            ),
        ] {
            assert_eq!(check(|m| m.dependencies = Some(dependencies)), want);
        }
    }

    #[test]
    fn texts_are_cleaned() {
        let mut metadata = valid();
        metadata.description = "a\tb\u{a0}c\n\u{1b}[2J\u{feff}é".into();
        metadata.keywords = Some(vec!["\u{7}k".into()]);
        metadata.ty = String::new();
        metadata.validate().unwrap();
        assert_eq!(metadata.description, "a b c [2Jé");
        assert_eq!(metadata.keywords, Some(vec!["k".into()]));
    }
}
