//! Runs the recorded YAML vectors.

mod answer;
mod hostile;
mod objects;
mod skim;

use serde_json::Value as Json;

fn vectors(name: &str) -> Vec<Json> {
    let text = bowsprit_testkit::fixture(&format!("vectors/{name}")).expect("vectors are there");
    let text = String::from_utf8(text).expect("vectors are UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("vectors are JSON")).collect()
}

fn check(name: &str, at_least: usize) {
    let (mut run, mut failures) = (0, Vec::new());
    for vector in vectors(name) {
        let Some(got) = answer::answer(&vector) else { continue };
        run += 1;
        let passed = match (&got, vector.get("error")) {
            (Err(error), Some(want)) => Some(error.as_str()) == want.as_str(),
            (Ok(out), None) => same(out, &vector["want"]),
            _ => false,
        };
        if !passed {
            failures.push(format!("{}: {got:?}\n  {vector}", vector["id"]));
        }
    }
    assert!(failures.is_empty(), "{} of {run}:\n{}", failures.len(), failures.join("\n"));
    assert!(run >= at_least, "{name}: only {run} vectors");
}

#[test]
fn yaml() {
    check("yaml.jsonl", 300);
}

/// Equality where 1 and 1.0 are the same number.
fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a.as_f64() == b.as_f64(),
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
        }
        _ => a == b,
    }
}
