//! Runs the requests in `fixtures/vectors/helm` and compares the answers with Helm's.
//!
//! A line is a request as [`bowsprit::eval`] takes it, with Helm's answer beside it: `want`, `wants` or
//! `error`. Text must agree byte for byte, JSON as values.

use bowsprit::eval::Evaluator;
use bowsprit::value::{Hermetic, Limits, Map, Str, Timestamp, Value, deep_equal, json};
use std::error::Error;
use std::path::Path;

fn field(map: &Map, name: &str) -> Option<Value> {
    map.get(name.as_bytes())
}

fn text(value: Option<Value>) -> Option<Str> {
    value.and_then(|v| v.as_str().cloned())
}

/// Whether an answer is the one that Helm gave.
fn agrees(case: &Map, answer: &Map) -> bool {
    if let Some(error) = text(field(case, "error")) {
        return text(field(answer, "error")) == Some(error);
    }
    let (wanted, given) = match field(case, "wants") {
        Some(wants) => (wants, field(answer, "outs")),
        None => (field(case, "want").unwrap_or_default(), field(answer, "out")),
    };
    given.is_some_and(|given| deep_equal(&wanted, &given))
}

fn check(path: &Path, evaluator: &Evaluator<Hermetic>) -> Result<Vec<String>, Box<dyn Error>> {
    let mut wrong = Vec::new();
    for line in std::fs::read(path)?.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        let case = json::decode_map(line)?;
        let answer = json::decode_map(&evaluator.answer(line))?;
        if !agrees(&case, &answer) {
            let id = text(field(&case, "id")).unwrap_or_default();
            wrong.push(format!("{id}: got {answer:?}"));
        }
    }
    Ok(wrong)
}

#[test]
fn answers_as_helm() -> Result<(), Box<dyn Error>> {
    let folder = bowsprit_testkit::repository().join("fixtures/vectors/helm");
    let now = Timestamp { seconds: 1_700_000_000, nanos: 0 };
    let evaluator = Evaluator::new(Hermetic::new(1, now), Limits::default());
    let (mut wrong, mut files) = (Vec::new(), 0);
    for entry in std::fs::read_dir(folder)? {
        files += 1;
        wrong.append(&mut check(&entry?.path(), &evaluator)?);
    }
    assert!(files > 20, "only {files} files of vectors");
    assert!(wrong.is_empty(), "{} differ from Helm:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}
