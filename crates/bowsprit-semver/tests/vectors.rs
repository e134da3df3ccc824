//! Runs the cases in `fixtures/vectors/semver.jsonl`, which were recorded from the Go library.

use std::error::Error;

use bowsprit_semver::{Constraint, Version};
use serde_json::{Value, json};

/// Answers one case; each error is prefixed with the field that is wrong.
fn check(case: &Value) -> Result<Value, String> {
    let field = |name: &str| case.get(name).and_then(Value::as_str);
    let read =
        |name: &str, text: &str| Version::parse(text).map_err(|error| format!("{name}: {error}"));
    let version = read("version", field("version").unwrap_or_default())?;
    if let Some(constraint) = field("constraint") {
        let constraint =
            Constraint::parse(constraint).map_err(|error| format!("constraint: {error}"))?;
        return Ok(json!(constraint.check(&version)));
    }
    if let Some(other) = field("other") {
        return Ok(json!(version.compare(&read("other", other)?) as i8));
    }
    Ok(json!({
        "major": version.major(),
        "metadata": version.metadata(),
        "minor": version.minor(),
        "original": version.original(),
        "patch": version.patch(),
        "prerelease": version.prerelease(),
        "string": version.to_string(),
    }))
}

#[test]
fn answers_as_the_go_library() -> Result<(), Box<dyn Error>> {
    let cases = String::from_utf8(bowsprit_testkit::fixture("vectors/semver.jsonl")?)?;
    let mut wrong = Vec::new();
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line)?;
        let answer = check(&case);
        let expected = match case.get("error").and_then(Value::as_str) {
            Some(error) => Err(error.to_owned()),
            None => Ok(case.get("want").cloned().unwrap_or_default()),
        };
        if answer != expected {
            wrong.push(format!("{line}\n  got {answer:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
