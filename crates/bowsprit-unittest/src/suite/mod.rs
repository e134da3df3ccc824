//! A suite of tests, as its file has it.

mod assertion;
mod node;
mod params;
mod read;

pub use read::{ReadOptions, Suites, read};

use crate::assert::Check;
use bowsprit_value::{Map, Value};

/// The version of helm-unittest whose suites are understood, which `skip.minimumVersion` is compared with.
pub const HELM_UNITTEST_VERSION: &str = "1.1.2";

/// A suite file that can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuiteError(pub String);

impl std::fmt::Display for SuiteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SuiteError {}

/// Tests of some templates of a chart.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Suite {
    /// What it is called.
    pub name: String,
    /// The file it was read from, as the user would name it.
    pub file: String,
    /// The chart it is about: the root's name, or `root/charts/sub`.
    pub route: String,
    /// Values files, relative to the suite's file; those of the command line are absolute.
    pub values: Vec<String>,
    /// Values by path.
    pub set: Map,
    /// The templates to render; all if empty.
    pub templates: Vec<String>,
    /// Those of them to leave out.
    pub exclude_templates: Vec<String>,
    /// Whether custom resource definitions are documents too.
    pub include_crds: bool,
    /// What `.Release` says.
    pub release: ReleaseSettings,
    /// What `.Chart` says.
    pub chart: ChartSettings,
    /// What `.Capabilities` says.
    pub capabilities: CapabilitySettings,
    /// What `lookup` finds.
    pub provider: Provider,
    /// What rendered manifests go through.
    pub post_renderer: PostRenderer,
    /// The tests; none for an empty item of the list.
    pub tests: Vec<Test>,
    /// What the name of the snapshot file ends with.
    pub snapshot_id: String,
    /// Why it is skipped; empty if it is not.
    pub skip_reason: String,
}

/// One test: a render and what is to be seen in it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Test {
    /// What it is called.
    pub name: String,
    /// The line of the suite's file on which it begins, where that is known.
    pub line: Option<u32>,
    /// More values files.
    pub values: Vec<String>,
    /// More values by path.
    pub set: Map,
    /// The template that assertions are about.
    pub template: String,
    /// The templates that assertions are about.
    pub templates: Vec<String>,
    /// The document that assertions are about.
    pub document_index: Option<i64>,
    /// The documents that assertions are about.
    pub selector: Option<Selector>,
    /// What `.Release` says.
    pub release: ReleaseSettings,
    /// What `.Chart` says.
    pub chart: ChartSettings,
    /// What `.Capabilities` says.
    pub capabilities: CapabilitySettings,
    /// What `lookup` finds.
    pub provider: Provider,
    /// What rendered manifests go through.
    pub post_renderer: PostRenderer,
    /// What is to be seen; none for an empty item of the list.
    pub asserts: Vec<Option<Assertion>>,
    /// Why it is skipped; empty if it is not.
    pub skip_reason: String,
}

/// What is to be seen in documents.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Assertion {
    /// The name of its type, such as `equal`.
    pub name: &'static str,
    /// The line of the suite's file on which it begins, where that is known.
    pub line: Option<u32>,
    /// The template it is about.
    pub template: String,
    /// The document it is about.
    pub document_index: Option<i64>,
    /// The documents it is about.
    pub selector: Option<Selector>,
    /// Whether it says `not: true`.
    pub not: bool,
    /// Whether the type itself says no, as `notEqual` does.
    pub(crate) antonym: bool,
    /// Whether it is about what was rendered, and not about a failure.
    pub(crate) wants_success: bool,
    pub(crate) check: Check,
}

/// Chooses documents by what they contain.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Selector {
    /// Where to look.
    pub path: String,
    /// What must be there; anything if nil.
    pub value: Value,
    /// Whether there may be several.
    pub match_many: bool,
    /// Whether there may be none.
    pub skip_empty_templates: bool,
}

/// What `.Release` says; empty fields leave it as it is.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct ReleaseSettings {
    pub name: String,
    pub namespace: String,
    pub revision: i64,
    pub upgrade: bool,
}

/// What `.Chart` says; empty fields leave it as it is.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct ChartSettings {
    pub version: String,
    pub app_version: String,
}

/// What `.Capabilities` says.
#[derive(Clone, Debug, Default)]
pub struct CapabilitySettings {
    /// The major version of Kubernetes; empty for that of the test before.
    pub major: String,
    /// The minor version.
    pub minor: String,
    /// The API versions; none where a test says `apiVersions: null`, which its suite can't add to.
    pub api_versions: Option<Vec<String>>,
}

/// The objects that `lookup` finds, and what it takes to find them.
#[derive(Clone, Debug, Default)]
pub struct Provider {
    /// By `apiVersion/kind`.
    pub scheme: Vec<(String, Resource)>,
    /// The objects.
    pub objects: Vec<Map>,
}

/// How a kind of object is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Resource {
    pub group: String,
    pub version: String,
    pub resource: String,
    pub namespaced: bool,
}

/// A program that rendered manifests go through; none if the command is empty.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct PostRenderer {
    pub command: String,
    pub args: Vec<String>,
}

impl Suite {
    /// The file that its snapshots are called after.
    pub fn snapshot_base(&self) -> String {
        if self.snapshot_id.is_empty() {
            return self.file.clone();
        }
        format!("{}_{}", self.file, self.snapshot_id)
    }

    /// Whether all of it is skipped because all its tests are.
    fn settle_skips(&mut self) {
        let skipped = self.tests.iter().filter(|test| !test.skip_reason.is_empty()).count();
        if self.skip_reason.is_empty() && skipped > 0 && skipped == self.tests.len() {
            self.skip_reason = "all tests are skipped".to_owned();
        }
        if !self.skip_reason.is_empty() {
            for test in &mut self.tests {
                test.skip_reason.clone_from(&self.skip_reason);
            }
        }
    }

    /// Hands what the suite says down to its tests.
    fn settle(&mut self) {
        self.settle_skips();
        for test in &mut self.tests {
            test.release.inherit(&self.release);
            test.chart.inherit(&self.chart);
            test.capabilities.inherit(&self.capabilities);
            test.provider.inherit(&self.provider);
            test.values.splice(0..0, self.values.iter().cloned());
            if test.post_renderer.command.is_empty() {
                test.post_renderer.clone_from(&self.post_renderer);
            }
        }
    }
}

fn or(own: &mut String, other: &str) {
    if own.is_empty() {
        other.clone_into(own);
    }
}

impl ReleaseSettings {
    fn inherit(&mut self, suite: &ReleaseSettings) {
        or(&mut self.name, &suite.name);
        or(&mut self.namespace, &suite.namespace);
        if self.revision == 0 {
            self.revision = suite.revision;
        }
        self.upgrade |= suite.upgrade;
    }
}

impl ChartSettings {
    fn inherit(&mut self, suite: &ChartSettings) {
        or(&mut self.version, &suite.version);
        or(&mut self.app_version, &suite.app_version);
    }
}

impl CapabilitySettings {
    fn inherit(&mut self, suite: &CapabilitySettings) {
        or(&mut self.major, &suite.major);
        or(&mut self.minor, &suite.minor);
        if let (Some(own), Some(suite)) = (&mut self.api_versions, &suite.api_versions) {
            own.extend(suite.iter().cloned());
        }
    }
}

impl Provider {
    fn inherit(&mut self, suite: &Provider) {
        self.objects.extend(suite.objects.iter().cloned());
        for (kind, resource) in &suite.scheme {
            self.scheme.retain(|(own, _)| own != kind);
            self.scheme.push((kind.clone(), resource.clone()));
        }
    }
}
