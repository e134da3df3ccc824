//! GitLab's Code Quality report.

use crate::escape::fingerprint;
use crate::json::to_text;
use crate::model::{Report, Severity};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) fn print(report: &Report) -> String {
    // GitLab keeps one of several issues with the same fingerprint.
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let issues: Vec<Value> = report
        .findings()
        .map(|(subject, finding)| {
            let mut print = fingerprint(subject, finding);
            let times = seen.entry(print.clone()).or_default();
            *times += 1;
            if *times > 1 {
                print.push_str(&format!("-{times}"));
            }
            let help = finding.help.as_ref().map(|h| format!(" ({h})")).unwrap_or_default();
            let location = finding.location.as_ref();
            json!({
                "description": format!("{}{help}", finding.sentence()),
                "check_name": finding.rule,
                "fingerprint": print,
                "severity": match finding.severity {
                    Severity::Info => "info",
                    Severity::Warning => "minor",
                    Severity::Error => "major",
                },
                "location": {
                    "path": location.map_or(subject.name.as_str(), |l| l.file.as_str()),
                    "lines": {"begin": location.and_then(|l| l.line).unwrap_or(1)},
                },
            })
        })
        .collect();
    to_text(&Value::Array(issues))
}
