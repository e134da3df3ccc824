//! When two answers are the same.

use serde_json::Value;

/// What a pair of answers shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Equal,
    Different,
    /// One side gave up: a limit that Helm has not, a worker that died, or no request for Helm.
    GaveUp,
}

pub(super) fn compare(helm: &Value, ours: &Value, warnings: bool) -> Verdict {
    if helm["fatal"] == true || ours["fatal"] == true {
        return Verdict::GaveUp;
    }
    // The oracle speaks for itself there, not for Helm.
    if helm["error"].as_str().is_some_and(|error| error.starts_with("oracle: ")) {
        return Verdict::GaveUp;
    }
    // Helm opens whatever a schema names; bowsprit opens nothing.
    if ours["error"].as_str().is_some_and(|e| e.contains("schemas may not load other documents")) {
        return Verdict::GaveUp;
    }
    let fields: &[&str] = if warnings {
        &["error", "out", "outs", "warnings", "defect"]
    } else {
        &["error", "out", "outs", "defect"]
    };
    if fields.iter().all(|field| same(&helm[*field], &ours[*field])) {
        Verdict::Equal
    } else {
        Verdict::Different
    }
}

/// Equality as values: 1 is 1.0, the order of keys is nothing. Text must agree exactly.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_values_and_texts_are_bytes() {
        assert!(same(&json!({"a": 1, "b": [2]}), &json!({"b": [2.0], "a": 1.0})));
        assert!(!same(&json!("1"), &json!(1)));
        assert!(!same(&json!(true), &json!(1)));
        let (helm, ours) = (json!({"error": "x"}), json!({"error": "y"}));
        assert_eq!(compare(&helm, &ours, false), Verdict::Different);
        assert_eq!(compare(&json!({"fatal": true}), &ours, false), Verdict::GaveUp);
    }
}
