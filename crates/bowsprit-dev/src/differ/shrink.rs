//! Makes a request smaller while its two answers still differ.

use serde_json::Value;

/// Steps to a part of a request.
type Path = Vec<Step>;

#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Index(usize),
}

/// So many requests are tried at once; the first that still differs, counted from the greatest cut, is
/// kept.
const BATCH: usize = 48;

/// Shrinks a request. `differs` tells of some requests which of them still differ.
pub(super) fn shrink(
    request: &Value,
    budget: usize,
    mut differs: impl FnMut(&[Value]) -> Result<Vec<bool>, String>,
) -> Result<Value, String> {
    let mut best = request.clone();
    let mut left = budget;
    'again: while left > 0 {
        let candidates = candidates(&best);
        for batch in candidates.chunks(BATCH) {
            left = left.saturating_sub(batch.len());
            let found = differs(batch)?;
            if let Some(at) = found.iter().position(|found| *found) {
                best = batch[at].clone();
                continue 'again;
            }
            if left == 0 {
                break;
            }
        }
        break;
    }
    Ok(best)
}

/// Smaller requests, the smallest first.
fn candidates(request: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    walk(request, request, &mut Vec::new(), &mut found);
    let mut sized: Vec<(usize, Value)> =
        found.into_iter().map(|value| (value.to_string().len(), value)).collect();
    sized.sort_by_key(|(size, _)| *size);
    let size = request.to_string().len();
    sized.retain(|(smaller, _)| *smaller < size);
    sized.dedup_by(|a, b| a.1 == b.1);
    sized.into_iter().map(|(_, value)| value).collect()
}

fn walk(root: &Value, part: &Value, path: &mut Path, found: &mut Vec<Value>) {
    match part {
        Value::Object(map) => {
            for (key, below) in map {
                if path.is_empty() && (key == "kind" || key == "id") {
                    continue;
                }
                found.push(without(root, path, &Step::Key(key.clone())));
                path.push(Step::Key(key.clone()));
                walk(root, below, path, found);
                path.pop();
            }
        }
        Value::Array(list) => {
            for (index, below) in list.iter().enumerate() {
                found.push(without(root, path, &Step::Index(index)));
                path.push(Step::Index(index));
                walk(root, below, path, found);
                path.pop();
            }
        }
        Value::String(text) => {
            found.extend(shorter(text).into_iter().map(|t| with(root, path, Value::String(t))));
        }
        Value::Number(_) => found.push(with(root, path, Value::from(0))),
        Value::Bool(_) | Value::Null => {}
    }
    let is_whole = path.len() < 2;
    if !is_whole && (part.is_object() || part.is_array() || part.is_string()) {
        found.push(with(root, path, Value::from(0)));
    }
}

/// Texts with a part cut out: an action, a line, a run of characters of every power of two, a pair of
/// parentheses.
fn shorter(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    for (open, close) in [("{{", "}}"), ("(", ")"), ("[", "]"), ("\"", "\"")] {
        out.extend(without_brackets(text, open, close));
    }
    let words: Vec<&str> = text.split_inclusive([' ', '\n', ',']).collect();
    let chars: Vec<&str> = {
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        ends.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
    };
    for parts in [words, chars] {
        let mut size = parts.len().next_power_of_two() / 2;
        while size > 0 {
            // Long runs at every half of their length, short ones everywhere.
            let step = if parts.len() > 400 { size } else { size.div_ceil(2) };
            for from in (0..parts.len()).step_by(step.max(1)) {
                let to = (from + size).min(parts.len());
                out.push([parts[..from].concat(), parts[to..].concat()].concat());
            }
            size /= 2;
        }
    }
    out
}

/// The text without each bracketed part, and without the brackets alone.
fn without_brackets(text: &str, open: &str, close: &str) -> Vec<String> {
    let mut out = Vec::new();
    for (from, _) in text.match_indices(open) {
        let inner = from + open.len();
        let ends = text[inner..].match_indices(close).take(6);
        for (length, _) in ends {
            let (end, after) = (inner + length, inner + length + close.len());
            out.push([&text[..from], &text[after..]].concat());
            out.push([&text[..from], &text[inner..end], &text[after..]].concat());
        }
    }
    out
}

fn at<'a>(root: &'a mut Value, path: &[Step]) -> Option<&'a mut Value> {
    path.iter().try_fold(root, |part, step| match step {
        Step::Key(key) => part.get_mut(key),
        Step::Index(index) => part.get_mut(index),
    })
}

fn with(root: &Value, path: &[Step], value: Value) -> Value {
    let mut root = root.clone();
    if let Some(part) = at(&mut root, path) {
        *part = value;
    }
    root
}

fn without(root: &Value, path: &[Step], step: &Step) -> Value {
    let mut root = root.clone();
    match (at(&mut root, path), step) {
        (Some(Value::Object(map)), Step::Key(key)) => {
            map.shift_remove(key);
        }
        (Some(Value::Array(list)), Step::Index(index)) => {
            list.remove(*index);
        }
        _ => {}
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keeps_only_what_matters() {
        let request = json!({
            "kind": "template",
            "template": "a{{ if .x }}b{{ end }} {{ printf \"%d\" (add 1 2) }}",
            "values": {"a": [1, 2, {"b": "c"}]},
        });
        let small = shrink(&request, 10_000, |requests| {
            let matters = |r: &Value| r["template"].as_str().is_some_and(|t| t.contains("add"));
            Ok(requests.iter().map(matters).collect())
        });
        assert_eq!(small, Ok(json!({"kind": "template", "template": "add"})));
    }
}
