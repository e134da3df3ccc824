//! Workflow commands of GitHub Actions, one for each finding.

use crate::model::{Report, Severity};
use std::fmt::Write;

pub(crate) fn print(report: &Report) -> String {
    let mut out = String::new();
    for (subject, finding) in report.findings() {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let mut properties = Vec::new();
        if let Some(location) = &finding.location {
            properties.push(format!("file={}", property(&location.file)));
            let numbers = [
                ("line", location.line),
                ("col", location.column),
                ("endLine", location.end_line),
                ("endColumn", location.end_column),
            ];
            for (name, number) in numbers {
                if let Some(number) = number {
                    properties.push(format!("{name}={number}"));
                }
            }
        }
        properties.push(format!("title={}", property(&finding.rule)));
        let mut message = String::new();
        if finding.location.is_none() {
            let _ = write!(message, "{}: ", subject.name);
        }
        message.push_str(&finding.sentence());
        if let Some(help) = &finding.help {
            let _ = write!(message, "\n{help}");
        }
        let _ = writeln!(out, "::{command} {}::{}", properties.join(","), data(&message));
    }
    out
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
