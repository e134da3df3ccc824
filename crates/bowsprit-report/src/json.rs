//! JSON by the published schema.

use crate::model::{Check, Finding, Outcome, Report, Subject};
use serde_json::{Map, Value, json};

pub(crate) fn print(report: &Report) -> String {
    let totals = report.totals();
    let rules: Vec<Value> = report
        .rules
        .iter()
        .map(|rule| {
            json!({
                "code": rule.code,
                "name": rule.name,
                "summary": rule.summary,
                "severity": rule.severity.name(),
            })
        })
        .collect();
    let document = json!({
        "schemaVersion": 1,
        "tool": {"name": "bowsprit", "version": report.version},
        "command": report.command,
        "failed": report.failed(),
        "totals": {
            "subjects": totals.subjects,
            "failed": totals.failed,
            "checks": totals.checks,
            "errors": totals.errors,
            "warnings": totals.warnings,
            "infos": totals.infos,
        },
        "rules": rules,
        "subjects": report.subjects.iter().map(subject).collect::<Vec<_>>(),
    });
    to_text(&document)
}

/// Indented, with a final line break.
pub(crate) fn to_text(document: &Value) -> String {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

fn subject(subject: &Subject) -> Value {
    json!({
        "name": subject.name,
        "failed": subject.failed,
        "checks": subject.checks.iter().map(check).collect::<Vec<_>>(),
        "findings": subject.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

fn check(check: &Check) -> Value {
    let outcome = match check.outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::Skipped => "skipped",
    };
    let mut object = Map::new();
    object.insert("name".into(), check.name.as_str().into());
    object.insert("outcome".into(), outcome.into());
    if let Some(millis) = check.millis {
        object.insert("millis".into(), millis.into());
    }
    Value::Object(object)
}

fn finding(finding: &Finding) -> Value {
    let mut object = Map::new();
    object.insert("rule".into(), finding.rule.as_str().into());
    object.insert("severity".into(), finding.severity.name().into());
    object.insert("message".into(), finding.message.as_str().into());
    if let Some(location) = &finding.location {
        let mut place = Map::new();
        place.insert("file".into(), location.file.as_str().into());
        let numbers = [
            ("line", location.line),
            ("column", location.column),
            ("endLine", location.end_line),
            ("endColumn", location.end_column),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                place.insert(name.into(), number.into());
            }
        }
        object.insert("location".into(), Value::Object(place));
    }
    let texts = [("object", &finding.object), ("help", &finding.help), ("check", &finding.check)];
    for (name, text) in texts {
        if let Some(text) = text {
            object.insert(name.into(), text.as_str().into());
        }
    }
    Value::Object(object)
}
