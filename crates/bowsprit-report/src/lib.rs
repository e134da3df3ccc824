//! What checks find, and the formats in which people and machines read it.
//!
//! Every command that checks something fills a [`Report`]: one [`Subject`] for each chart, release or
//! test suite, with the [`Check`]s that were made and the [`Finding`]s. [`Format`] says how it is
//! printed:
//!
//! * [`Format::Text`]: lines for people, as compilers print them.
//! * [`Format::Json`]: everything, by a published schema (`docs/schemas/report.schema.json`).
//! * [`Format::JUnit`]: test suites and cases, for CI servers.
//! * [`Format::Sarif`]: SARIF 2.1.0, for code scanning.
//! * [`Format::GitHub`]: workflow commands, which become annotations of a pull request.
//! * [`Format::GitLab`]: a Code Quality report.
//!
//! The crate does no I/O and knows nothing of charts: what is checked, and which findings fail, is the
//! caller's business. Printing is deterministic: the same report gives the same bytes.
//!
//! ```
//! use bowsprit_report::{Finding, Format, Location, Report, Severity, Subject};
//!
//! let mut chart = Subject::new("charts/web");
//! chart.findings.push(
//!     Finding::new("BS001", Severity::Warning, "no template reads replicaCout")
//!         .at(Location::line("charts/web/values.yaml", 3).column(1))
//!         .help("did you mean replicaCount?"),
//! );
//! let mut report = Report::new("lint", "1.0.0");
//! report.subjects.push(chart);
//! let text = Format::Text.print(&report);
//! assert!(text.starts_with("charts/web/values.yaml:3:1: warning: no template reads replicaCout [BS001]\n"));
//! ```

mod escape;
mod github;
mod gitlab;
mod json;
mod junit;
mod model;
mod sarif;
mod text;

pub use model::{Check, Finding, Location, Outcome, Report, Rule, Severity, Subject, Totals};

/// How a report is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Lines for people.
    #[default]
    Text,
    /// JSON by the published schema.
    Json,
    /// JUnit's XML.
    JUnit,
    /// SARIF 2.1.0.
    Sarif,
    /// Workflow commands of GitHub Actions.
    GitHub,
    /// GitLab's Code Quality JSON.
    GitLab,
}

impl Format {
    /// The names by which users choose, in the order of the help text.
    pub const NAMES: [&'static str; 6] = ["text", "json", "junit", "sarif", "github", "gitlab"];

    /// The format of a name.
    ///
    /// ```
    /// use bowsprit_report::Format;
    ///
    /// assert_eq!(Format::from_name("sarif"), Some(Format::Sarif));
    /// assert_eq!(Format::from_name("xml"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Format> {
        Some(match name {
            "text" => Format::Text,
            "json" => Format::Json,
            "junit" => Format::JUnit,
            "sarif" => Format::Sarif,
            "github" => Format::GitHub,
            "gitlab" => Format::GitLab,
            _ => return None,
        })
    }

    /// The report in this format, with a final line break unless it is empty.
    pub fn print(self, report: &Report) -> String {
        match self {
            Format::Text => text::print(report),
            Format::Json => json::print(report),
            Format::JUnit => junit::print(report),
            Format::Sarif => sarif::print(report),
            Format::GitHub => github::print(report),
            Format::GitLab => gitlab::print(report),
        }
    }
}

/// The schema that [`Format::Json`] keeps to: JSON Schema, draft 2020-12.
pub const JSON_SCHEMA: &str = include_str!("../../../docs/schemas/report.schema.json");
