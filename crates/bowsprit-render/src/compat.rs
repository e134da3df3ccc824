//! What differs between Helm's releases, in one table.
//!
//! Every row is a difference that charts or their users can see, found by running the same charts
//! through all three and read in their sources. The golden cases below `fixtures/golden/compat` prove
//! each. Code elsewhere asks a [`Rules`] field and never the version.

use crate::scope::{API_VERSIONS_1_35, API_VERSIONS_1_36, API_VERSIONS_1_37};
use bowsprit_chart::{Level, LogLine, Reading};
use bowsprit_manifest::Dialect;
use bowsprit_value::strconv;
use std::fmt;

/// A release of Helm to be compatible with.
///
/// ```
/// use bowsprit_render::{Compat, Engine};
///
/// let compat: Compat = "3.22".parse()?;
/// let engine = Engine::builder().compat(compat).build();
/// # let _ = engine;
/// # Ok::<(), bowsprit_render::CompatError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Compat {
    /// Helm 3.22.0.
    V3_22,
    /// Helm 4.1.4.
    V4_1,
    /// Helm 4.2.4.
    #[default]
    V4_2,
}

/// No release that there is a level for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompatError {
    given: String,
}

impl fmt::Display for CompatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<&str> = Compat::ALL.iter().map(|compat| compat.name()).collect();
        write!(f, "no compatibility level {:?}: must be one of {}", self.given, known.join(", "))
    }
}

impl std::error::Error for CompatError {}

impl std::str::FromStr for Compat {
    type Err = CompatError;

    fn from_str(text: &str) -> Result<Compat, CompatError> {
        let found = Compat::ALL.into_iter().find(|compat| compat.name() == text);
        found.ok_or_else(|| CompatError { given: text.to_owned() })
    }
}

impl fmt::Display for Compat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How an execution error is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorLayout {
    /// As Go prints it.
    OneLine,
    /// A block of lines for each template on the way.
    Blocks,
}

/// What `.Chart` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChartObject {
    /// A struct: an unknown field is an error.
    Struct,
    /// A map: an unknown key is nothing.
    Map,
}

/// What becomes of nulls in a chart's default values that nothing is laid over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultNulls {
    /// They stay.
    Kept,
    /// They are taken out of tables.
    Removed,
}

/// What becomes of the subcharts of a chart that goes by an alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasSubcharts {
    /// All aliases of the chart have the same, which lie where the chart itself would.
    Shared,
    /// Each alias has its own.
    Copied,
}

/// Which `apiVersion` a chart may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChartVersions {
    /// Any at all.
    Any,
    /// One that there are charts of.
    Known,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// `coalesce.go:298: warning: …`.
    Plain,
    /// `level=INFO msg="warning: …"`.
    Structured,
}

/// Whether Helm says why the chart failed before it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepErrors {
    /// The cause alone.
    Bare,
    /// With the step in front of the cause, and in the log too.
    Named,
}

/// Makes [`Rules`] and its three columns from rows.
macro_rules! rules {
    ($($(#[$doc:meta])* $field:ident: $ty:ty = $v3_22:expr, $v4_1:expr, $v4_2:expr;)*) => {
        /// One column of the table.
        #[derive(Clone, Copy, Debug)]
        #[non_exhaustive]
        pub struct Rules {
            $($(#[$doc])* pub $field: $ty,)*
        }

        static RULES: [Rules; 3] = [
            Rules { $($field: $v3_22,)* },
            Rules { $($field: $v4_1,)* },
            Rules { $($field: $v4_2,)* },
        ];
    };
}

rules! {
    //                                           3.22                       4.1                         4.2

    /// The release, as `.Capabilities.HelmVersion` has it.
    version: &'static str =                      "v3.22.0",                 "v4.1.4",                   "v4.2.4";
    /// The version of Kubernetes that is assumed without a cluster.
    kube_version: &'static str =                 "v1.37.0",                 "v1.35.0",                  "v1.36.0";
    /// The API versions that are assumed without a cluster, in Helm's order.
    api_versions: &'static [&'static str] =      API_VERSIONS_1_37,         API_VERSIONS_1_35,          API_VERSIONS_1_36;
    /// Whether `.Capabilities.KubeVersion.Version` keeps what follows the numbers.
    kube_version_suffix: bool =                  false,                     true,                       true;
    /// The package of the types of `.Values` and `.Capabilities`.
    package: Package =                           Package::Chartutil,        Package::Common,            Package::Common;
    /// How an execution error is laid out.
    error_layout: ErrorLayout =                  ErrorLayout::OneLine,      ErrorLayout::Blocks,        ErrorLayout::Blocks;
    /// What `.Chart` is.
    chart_object: ChartObject =                  ChartObject::Struct,       ChartObject::Map,           ChartObject::Map;
    /// How a chart's files are read: which documents of a values file count, what types are called.
    reading: Reading =                           Reading::V3,               Reading::V4,                Reading::V4;
    /// Which `apiVersion` a chart may have.
    chart_versions: ChartVersions =              ChartVersions::Any,        ChartVersions::Known,       ChartVersions::Known;
    /// What becomes of nulls in default values.
    default_nulls: DefaultNulls =                DefaultNulls::Kept,        DefaultNulls::Kept,         DefaultNulls::Removed;
    /// What becomes of the subcharts of a chart that goes by an alias.
    alias_subcharts: AliasSubcharts =            AliasSubcharts::Shared,    AliasSubcharts::Copied,     AliasSubcharts::Copied;
    /// Whether `--set-json` takes an object for all values.
    set_json_object: bool =                      false,                     true,                       true;
    /// Whether an index of `--set` without its `]` is an error.
    open_index_fails: bool =                     true,                      false,                      false;
    /// Whether templates can call `mustToYaml`.
    must_to_yaml: bool =                         false,                     true,                       true;
    /// Whether templates can call `mustToToml`.
    must_to_toml: bool =                         false,                     false,                      true;
    /// Whether `.Files.Lines` of an empty file is an error.
    empty_lines_fail: bool =                     false,                     true,                       true;
    /// Where documents end, and the order of kinds.
    documents: Dialect =                         Dialect::V3,               Dialect::V4_1,              Dialect::V4_2;
    /// How log lines look.
    log: LogFormat =                             LogFormat::Plain,          LogFormat::Structured,      LogFormat::Structured;
    /// Whether a failed step is named.
    step_errors: StepErrors =                    StepErrors::Bare,          StepErrors::Named,          StepErrors::Named;
    /// What missing dependencies are announced with.
    missing_dependencies: &'static str =         MISSING_3,                 MISSING_4_1,                MISSING_4_2;
}

const MISSING_3: &str = "An error occurred while checking for chart dependencies. You may need to \
     run `helm dependency build` to fetch missing dependencies";
const MISSING_4_1: &str = "an error occurred while checking for chart dependencies. You may need to \
     run `helm dependency build` to fetch missing dependencies";
const MISSING_4_2: &str = "an error occurred while checking for chart dependencies. You may need to \
     run 'helm dependency build' to fetch missing dependencies";

/// A Go package, as types' names show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Package {
    /// `chartutil`.
    Chartutil,
    /// `common`.
    Common,
}

impl Compat {
    /// All levels, the oldest first.
    pub const ALL: [Compat; 3] = [Compat::V3_22, Compat::V4_1, Compat::V4_2];

    /// The name that flags take: `3.22`.
    pub const fn name(self) -> &'static str {
        match self {
            Compat::V3_22 => "3.22",
            Compat::V4_1 => "4.1",
            Compat::V4_2 => "4.2",
        }
    }

    /// How this release behaves.
    pub fn rules(self) -> &'static Rules {
        let [v3_22, v4_1, v4_2] = &RULES;
        match self {
            Compat::V3_22 => v3_22,
            Compat::V4_1 => v4_1,
            Compat::V4_2 => v4_2,
        }
    }
}

/// Where Helm 3.22 logs what, by how the message begins.
const PLACES: &[(&str, &str)] = &[
    ("unknown driver", "helm.go:83"),
    ("warning: skipping globals because destination", "coalesce.go:138"),
    ("warning: skipping globals because source", "coalesce.go:145"),
    ("Conflict: cannot merge map onto non-map", "coalesce.go:161"),
    ("key ", "coalesce.go:175"),
    ("warning: skipped value for", "coalesce.go:237"),
    ("warning: cannot overwrite table", "coalesce.go:316"),
    ("warning: destination for", "coalesce.go:319"),
    ("Warning: Dependencies are handled", "load.go:120"),
    ("Warning: Dependency locking", "load.go:138"),
];

impl Compat {
    /// A log line as this release prints it; none where it prints nothing of the kind.
    pub fn log_text(self, line: &LogLine) -> Option<String> {
        match self.rules().log {
            LogFormat::Structured => Some(line.to_string()),
            LogFormat::Plain => plain_log_text(line),
        }
    }
}

/// Go's `log` with the caller's file and line. Debug lines of Helm 3 carry the time and are left out.
fn plain_log_text(line: &LogLine) -> Option<String> {
    let attr = |name: &str| {
        line.attrs.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value.as_str())
    };
    let quoted =
        |name: &str| String::from_utf8_lossy(&strconv::quote(attr(name).as_bytes())).into_owned();
    let lint = |text: &str| format!("{text}: {}", attr("message"));
    let (chart, error) = (attr("chart"), attr("error"));
    let text = match line.message.as_str() {
        _ if line.level == Level::Debug => return None,
        "release name check failed" | "chart dependencies processing failed" => return None,
        "this chart is deprecated" => "WARNING: This chart is deprecated".to_owned(),
        "returned non-bool value" if attr("tag").is_empty() => {
            let path = attr("path");
            format!(
                "dependencies.go:64: Warning: Condition path '{path}' for chart {chart} returned \
                 non-bool value"
            )
        }
        "returned non-bool value" => {
            let tag = attr("tag");
            format!(
                "dependencies.go:95: Warning: Tag '{tag}' for chart {chart} returned non-bool value"
            )
        }
        "missing required value" => lint("engine.go:206: [INFO] Missing required value"),
        "missing required values" => lint("engine.go:214: [INFO] Missing required value"),
        "funcMap fail" => lint("engine.go:227: [INFO] Fail"),
        "ImportValues missing table from chart" => format!(
            "dependencies.go:270: Warning: ImportValues missing table from chart {chart}: {error}"
        ),
        "ImportValues missing table" => {
            format!("dependencies.go:287: Warning: ImportValues missing table: {error}")
        }
        "skipping unknown hooks" => {
            format!("manifest_sorter.go:199: info: skipping unknown hook: {}", quoted("hookTypes"))
        }
        "unresolved URN reference ignored; using permissive schema" => {
            let urn = attr("urn");
            format!(
                "jsonschema.go:192: WARNING: unresolved URN reference ignored; using permissive \
                 schema: {urn}"
            )
        }
        "found symbolic link in path. Contents of linked file included and used" => {
            let (path, resolved) = (attr("path"), attr("resolved"));
            format!(
                "walk.go:75: found symbolic link in path: {path} resolves to {resolved}. Contents \
                 of linked file included and used"
            )
        }
        "failed to compile" => {
            format!("rules.go:202: Failed to compile {}: {error}", quoted("rule"))
        }
        message => match PLACES.iter().find(|(start, _)| message.starts_with(start)) {
            Some((_, place)) => format!("{place}: {message}"),
            None => line.to_string(),
        },
    };
    Some(text)
}
