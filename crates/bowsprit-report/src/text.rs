//! Lines for people.

use crate::model::{Report, Totals};
use std::fmt::Write;

pub(crate) fn print(report: &Report) -> String {
    let mut out = String::new();
    for (subject, finding) in report.findings() {
        match &finding.location {
            Some(location) => {
                let _ = write!(out, "{location}: ");
            }
            None => {
                let _ = write!(out, "{}: ", subject.name);
            }
        }
        let _ = write!(out, "{}: ", finding.severity);
        let _ = writeln!(out, "{} [{}]", finding.sentence(), finding.rule);
        if let Some(help) = &finding.help {
            let _ = writeln!(out, "  help: {}", help.replace('\n', "\n        "));
        }
    }
    let _ = writeln!(out, "{}", summary(&report.totals()));
    out
}

fn summary(totals: &Totals) -> String {
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let mut text = format!("{} checked, {} failed", totals.subjects, totals.failed);
    let found = [(totals.errors, "error"), (totals.warnings, "warning"), (totals.infos, "note")];
    let found: Vec<String> =
        found.iter().filter(|(n, _)| *n > 0).map(|(n, what)| count(*n, what)).collect();
    if !found.is_empty() {
        let _ = write!(text, ": {}", found.join(", "));
    }
    text
}
