//! What a rule says of a chart.

use bowsprit_report::{Finding, Location, Severity};
use std::fmt;

/// A message of a rule.
///
/// `Display` is Helm's line: `[WARNING] Chart.yaml: version '1' is not a valid SemVerV2`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The rule's code.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What Helm puts before the text: a file of the chart, a folder, or the chart's own path.
    pub label: String,
    /// The text. Helm's own may have several lines.
    pub text: String,
    /// Where in the file that the label names.
    pub line: Option<u32>,
    /// The column in that line, from 1.
    pub column: Option<u32>,
    /// What to do about it.
    pub help: Option<String>,
    /// The object it is about.
    pub object: Option<String>,
    /// The label names a file outside of the chart.
    pub outside: bool,
}

impl Message {
    /// A message about a file or folder as a whole.
    pub(crate) fn new(
        code: &'static str,
        severity: Severity,
        label: impl Into<String>,
        text: impl Into<String>,
    ) -> Message {
        Message {
            code,
            severity,
            label: label.into(),
            text: text.into(),
            line: None,
            column: None,
            help: None,
            object: None,
            outside: false,
        }
    }

    /// The message as a finding of the chart at `path`.
    pub fn finding(&self, path: &str) -> Finding {
        let text = self.text.trim_end().to_owned();
        let mut finding = Finding::new(self.code, self.severity, text);
        let file = self.label.trim_end_matches('/');
        let mut location = match file {
            "" => Location::file(path),
            file if self.outside => Location::file(file),
            file if file.starts_with('/') => Location::file(path),
            file => Location::file(format!("{}/{file}", path.trim_end_matches('/'))),
        };
        location.line = self.line;
        location.column = self.column;
        finding.location = Some(location);
        finding.help.clone_from(&self.help);
        finding.object.clone_from(&self.object);
        finding
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Info => "INFO",
            Severity::Warning => "WARNING",
            Severity::Error => "ERROR",
        };
        write!(f, "[{severity}] {}", self.label)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        write!(f, ": {}", self.text)?;
        if self.code.starts_with("BS") {
            write!(f, " ({})", self.code)?;
            if let Some(help) = &self.help {
                write!(f, "; {help}")?;
            }
        }
        Ok(())
    }
}
