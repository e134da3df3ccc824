//! What `helm lint` prints, and the same as a report.

use crate::helm::HELM_RULES;
use crate::message::Message;
use crate::rules::RULES;
use crate::source::CannotExamine;
use bowsprit_chart::LogLine;
use bowsprit_report::{Finding, Location, Report, Severity, Subject};

/// What came of one chart.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Linted {
    /// What the user calls the chart.
    pub name: String,
    /// Why it could not be examined, if so.
    pub outcome: Result<(), CannotExamine>,
    /// What the rules say, in their order.
    pub messages: Vec<Message>,
    /// What Helm logs meanwhile.
    pub log: Vec<LogLine>,
    /// Whether the chart fails.
    pub failed: bool,
}

impl Linted {
    /// A chart that could not be examined.
    pub fn not_examined(name: impl Into<String>, error: CannotExamine) -> Linted {
        Linted {
            name: name.into(),
            outcome: Err(error),
            messages: Vec::new(),
            log: Vec::new(),
            failed: true,
        }
    }

    fn is_clean(&self) -> bool {
        !self.failed && self.messages.iter().all(|m| m.severity == Severity::Info)
    }
}

/// What `helm lint` prints of its charts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Printed {
    /// On standard output.
    pub text: String,
    /// The error at the end, without `Error: `.
    pub error: Option<String>,
}

/// Prints as Helm does. `quiet` leaves out charts and messages that need no attention.
pub fn print(charts: &[Linted], quiet: bool) -> Printed {
    let mut text = String::new();
    let mut failed = 0;
    let mut unclean = 0;
    for chart in charts {
        unclean += usize::from(!chart.is_clean());
        if quiet && chart.is_clean() {
            continue;
        }
        text.push_str(&format!("==> Linting {}\n", chart.name));
        if let (Err(error), true) = (&chart.outcome, chart.messages.is_empty()) {
            text.push_str(&format!("Error {error}\n"));
        }
        let shown = |m: &&Message| !quiet || m.severity > Severity::Info;
        for message in chart.messages.iter().filter(shown) {
            text.push_str(&format!("{message}\n"));
        }
        failed += usize::from(chart.failed);
        text.push('\n');
    }
    let summary = format!("{} chart(s) linted, {failed} chart(s) failed", charts.len());
    if failed > 0 {
        return Printed { text, error: Some(summary) };
    }
    if !quiet || unclean > 0 {
        text.push_str(&summary);
        text.push('\n');
    }
    Printed { text, error: None }
}

/// The same as a report.
pub fn report(charts: &[Linted], quiet: bool, version: &str) -> Report {
    let mut report = Report::new("lint", version);
    report.rules.extend(HELM_RULES.iter().cloned());
    report.rules.extend(RULES.iter().cloned());
    for chart in charts {
        let mut subject = Subject::new(chart.name.as_str());
        subject.failed = chart.failed;
        if let Err(error) = &chart.outcome {
            subject.findings.push(
                Finding::new("HL001", Severity::Error, error.to_string())
                    .at(Location::file(chart.name.as_str())),
            );
        }
        let shown = |m: &&Message| !quiet || m.severity > Severity::Info;
        subject
            .findings
            .extend(chart.messages.iter().filter(shown).map(|m| m.finding(&chart.name)));
        report.subjects.push(subject);
    }
    report
}
