//! The charts that a chart needs.

use crate::chart::Chart;
use crate::metadata::{Metadata, ValidationError, sanitize_all};
use bowsprit_value::Value;
use std::fmt;

/// An entry of `dependencies` in `Chart.yaml`, `requirements.yaml` or a lock.
#[derive(Clone, Debug, Default)]
pub struct Dependency {
    /// The name in the needed chart's `Chart.yaml`.
    pub name: String,
    /// A constraint on its version; in a lock the version itself.
    pub version: String,
    /// Where it is to be found.
    pub repository: String,
    /// Paths of values that switch it on or off, separated by commas.
    pub condition: String,
    /// Tags that switch it on or off.
    pub tags: Option<Vec<String>>,
    /// Whether it is switched on; what the file says here is overwritten before rendering.
    pub enabled: bool,
    /// Which of its values the parent takes over: names, or maps with `child` and `parent`.
    pub import_values: Option<Vec<Value>>,
    /// The name it goes by in the parent.
    pub alias: String,
}

impl Dependency {
    /// The name it goes by: the alias, if there is one.
    pub fn key(&self) -> &str {
        if self.alias.is_empty() { &self.name } else { &self.alias }
    }

    pub(crate) fn validate(&mut self) -> Result<(), ValidationError> {
        sanitize_all([
            &mut self.name,
            &mut self.version,
            &mut self.repository,
            &mut self.condition,
        ]);
        sanitize_all(self.tags.iter_mut().flatten());
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        if !self.alias.bytes().all(legal) {
            return Err(ValidationError::AliasInvalid(self.name.clone()));
        }
        Ok(())
    }
}

/// `Chart.lock` or `requirements.lock`: the versions that were found for the dependencies.
#[derive(Clone, Debug, Default)]
pub struct Lock {
    /// When it was written, as RFC 3339 text; empty where the file does not say.
    pub generated: String,
    /// A hash of the dependencies in `Chart.yaml`.
    pub digest: String,
    /// The dependencies with their exact versions.
    pub dependencies: Option<Vec<Option<Dependency>>>,
}

/// Dependencies that are named in `Chart.yaml` but not there. `Display` is Helm's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingDependencies {
    /// Their names, in the order of `Chart.yaml`.
    pub names: Vec<String>,
}

impl fmt::Display for MissingDependencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.names.join(", ");
        write!(f, "found in Chart.yaml, but missing in charts/ directory: {names}")
    }
}

impl std::error::Error for MissingDependencies {}

/// Checks that every dependency of a chart has been loaded with it (`CheckDependencies`).
///
/// Only names are compared: aliases, versions and conditions do not count, nor do the dependencies of
/// subcharts. Commands that install put `an error occurred while checking for chart dependencies. You
/// may need to run 'helm dependency build' to fetch missing dependencies: ` before the text.
///
/// # Errors
/// The dependencies that are missing.
pub fn check_dependencies(chart: &Chart) -> Result<(), MissingDependencies> {
    let metadata: &Metadata = &chart.metadata;
    let loaded = |name: &str| chart.dependencies.iter().any(|sub| sub.metadata.name == name);
    let missing = metadata.dependencies().filter(|needed| !loaded(&needed.name));
    let names: Vec<String> = missing.map(|needed| needed.name.clone()).collect();
    if names.is_empty() { Ok(()) } else { Err(MissingDependencies { names }) }
}
