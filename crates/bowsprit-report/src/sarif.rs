//! SARIF 2.1.0, as code scanning services read it.

use crate::escape::{fingerprint, uri};
use crate::json::to_text;
use crate::model::{Finding, Location, Report, Severity, Subject};
use serde_json::{Map, Value, json};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
const HOME: &str = "https://github.com/bowsprit/bowsprit";

pub(crate) fn print(report: &Report) -> String {
    let rules: Vec<Value> = report
        .rules
        .iter()
        .map(|rule| {
            json!({
                "id": rule.code,
                "name": rule.name,
                "shortDescription": {"text": rule.summary},
                "helpUri": format!("{HOME}/blob/main/docs/lint-rules.md#{}", rule.code.to_lowercase()),
                "defaultConfiguration": {"level": level(rule.severity)},
            })
        })
        .collect();
    let results: Vec<Value> =
        report.findings().map(|(subject, finding)| result(report, subject, finding)).collect();
    to_text(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "bowsprit",
                "semanticVersion": report.version,
                "informationUri": HOME,
                "rules": rules,
            }},
            "automationDetails": {"id": format!("bowsprit/{}", report.command)},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn result(report: &Report, subject: &Subject, finding: &Finding) -> Value {
    let mut text = finding.message.clone();
    if let Some(help) = &finding.help {
        text.push_str("\n\n");
        text.push_str(help);
    }
    let mut result = Map::new();
    result.insert("ruleId".into(), finding.rule.as_str().into());
    if let Some(index) = report.rules.iter().position(|rule| rule.code == finding.rule) {
        result.insert("ruleIndex".into(), index.into());
    }
    result.insert("level".into(), level(finding.severity).into());
    result.insert("message".into(), json!({"text": text}));
    result.insert("locations".into(), json!([location(subject, finding)]));
    let fingerprint = fingerprint(subject, finding);
    result.insert("partialFingerprints".into(), json!({"bowsprit/v1": fingerprint}));
    Value::Object(result)
}

fn location(subject: &Subject, finding: &Finding) -> Value {
    let mut out = Map::new();
    let whole = Location::file(subject.name.as_str());
    let place = finding.location.as_ref().unwrap_or(&whole);
    let mut physical = Map::new();
    physical.insert("artifactLocation".into(), json!({"uri": uri(&place.file)}));
    let numbers = [
        ("startLine", place.line),
        ("startColumn", place.column),
        ("endLine", place.end_line),
        ("endColumn", place.end_column),
    ];
    let region: Map<String, Value> =
        numbers.iter().filter_map(|(k, n)| Some(((*k).to_owned(), (*n)?.into()))).collect();
    if !region.is_empty() {
        physical.insert("region".into(), Value::Object(region));
    }
    out.insert("physicalLocation".into(), Value::Object(physical));
    if let Some(object) = &finding.object {
        out.insert(
            "logicalLocations".into(),
            json!([{"fullyQualifiedName": object, "kind": "object"}]),
        );
    }
    Value::Object(out)
}
