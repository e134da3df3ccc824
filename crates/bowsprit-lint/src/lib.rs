//! Checks of charts: Helm's own, with its text, and bowsprit's.
//!
//! [`lint`] runs the rules of `helm lint` over a [`Source`], in Helm's order and with its words, and
//! after them those of bowsprit's rules that [`Options::rules`] selects. [`RULES`] lists the latter with
//! what each wants.
//!
//! The crate does no I/O: a [`Source`] is made of an archive's bytes, or by whoever reads a folder.
//!
//! ```
//! use bowsprit_lint::{Options, lint, Entry, Source};
//! use bowsprit_chart::{Chart, File, Limits, Warned};
//! use bowsprit_value::Hermetic;
//! use std::sync::Arc;
//!
//! let chart_yaml = "apiVersion: v2\nname: web\nversion: 1.0\n";
//! let files = vec![File::new("Chart.yaml", chart_yaml)];
//! let chart = Chart::from_files(files, &Limits::default())?;
//! let source = Source {
//!     name: "web".into(),
//!     dir: "/charts/web".into(),
//!     chart_yaml: Entry::File(chart_yaml.into()),
//!     values: Entry::Missing,
//!     schema: Entry::Missing,
//!     templates: Entry::Missing,
//!     crds: Entry::Missing,
//!     changelog: Entry::Missing,
//!     since: None,
//!     chart: Ok(Warned { output: Arc::new(chart.output), warnings: chart.warnings }),
//!     unread: Default::default(),
//!     compiled: None,
//! };
//! let linted = lint(&source, &Options::default(), &Hermetic::default());
//! let lines: Vec<String> = linted.messages.iter().map(|m| m.to_string()).collect();
//! assert_eq!(lines[0], "[ERROR] Chart.yaml: version should be of type string but it's of type float64");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod helm;
mod message;
mod print;
mod rules;
mod source;

pub use helm::{HELM_RULES, is_request_url};
pub use message::Message;
pub use print::{Linted, Printed, print, report};
pub use rules::{RULES, Selection, Since, Usage, ValueKey, ValuesText, unused_values, value_usage};
pub use source::{CannotExamine, Entry, LoadFailure, Source};

use bowsprit_render::plan::Plan;
use bowsprit_render::{CompiledChart, Engine, KubeVersion, RenderedFiles, Seen};
use bowsprit_report::Severity;
use bowsprit_value::{Host, Limits, Map};

/// How charts are checked. The default is what Helm does without flags.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The namespace that templates see.
    pub namespace: String,
    /// The user's values. As in Helm, tables among them take up the defaults of the charts that are
    /// checked, and so the charts that come later see those of the earlier ones.
    pub values: Map,
    /// The version of Kubernetes that templates see and that API versions are judged by.
    pub kube_version: Option<KubeVersion>,
    /// Leaves `values.schema.json` unread.
    pub skip_schema_validation: bool,
    /// Lets warnings fail.
    pub strict: bool,
    /// Bounds what templates may use.
    pub limits: Limits,
    /// Which of bowsprit's own rules run.
    pub rules: Selection,
    /// The texts of the user's values files, for rules that name places in them.
    pub values_texts: Vec<ValuesText>,
    /// The labels that `BS006` wants on every object.
    pub required_labels: Vec<String>,
}

/// The labels that Kubernetes recommends and by which a release is found.
const LABELS: [&str; 2] = ["app.kubernetes.io/name", "app.kubernetes.io/instance"];

impl Default for Options {
    fn default() -> Options {
        Options {
            namespace: "default".to_owned(),
            values: Map::new(),
            kube_version: None,
            skip_schema_validation: false,
            strict: false,
            limits: Limits::default(),
            rules: Selection::default(),
            values_texts: Vec::new(),
            required_labels: LABELS.map(str::to_owned).to_vec(),
        }
    }
}

impl Options {
    /// The severity from which on a message makes its chart fail.
    pub fn failing(&self) -> Severity {
        if self.strict { Severity::Warning } else { Severity::Error }
    }
}

/// The engine that charts are compiled and rendered with.
pub fn engine(options: &Options) -> Engine {
    Engine::builder().lint(true).known_primes(true).limits(options.limits).build()
}

/// Checks a chart.
pub fn lint(source: &Source, options: &Options, host: &dyn Host) -> Linted {
    lint_with_remains(source, options, host).0
}

/// What was made of a chart while it was checked.
#[derive(Debug)]
pub struct Remains {
    #[expect(dead_code, reason = "kept until it is dropped")]
    compiled: Option<CompiledChart>,
    #[expect(dead_code, reason = "kept until it is dropped")]
    plan: Option<Plan>,
    #[expect(dead_code, reason = "kept until it is dropped")]
    files: Option<RenderedFiles>,
    #[expect(dead_code, reason = "kept until it is dropped")]
    seen: Option<Seen>,
}

/// As [`lint`], and gives what was made of the chart. To drop that takes a while, which a process that ends
/// anyway can save.
pub fn lint_with_remains(source: &Source, options: &Options, host: &dyn Host) -> (Linted, Remains) {
    let mut linter = helm::Linter::new(source, options);
    let remains = linter.run(host);
    if let Some(text) = source.unread.text() {
        let error = CannotExamine(text.to_owned());
        return (Linted::not_examined(&source.name, error), remains);
    }
    let failed = linter.messages.iter().any(|m| m.severity >= options.failing());
    let linted = Linted {
        name: source.name.clone(),
        outcome: Ok(()),
        messages: linter.messages,
        log: linter.log,
        failed,
    };
    (linted, remains)
}
