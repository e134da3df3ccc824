//! Other values than those that are there, to see what they do.

use bowsprit_value::{Map, Str, Value};

/// Values to try in the place of one, the likeliest to be accepted first.
pub(crate) fn others(value: Option<&Value>) -> Vec<Value> {
    let text = |text: String| Value::Str(Str::from(text));
    match value {
        Some(Value::Bool(truth)) => vec![Value::Bool(!truth)],
        Some(Value::Float(number)) => vec![Value::Float(number + 1.0), Value::Float(number + 7.0)],
        Some(Value::Int(kind, number)) => vec![Value::Int(*kind, number.wrapping_add(1))],
        Some(Value::Str(old)) => {
            let old = old.to_string_lossy();
            let mut others = Vec::new();
            match old.as_ref() {
                "true" => others.push(text("false".to_owned())),
                "false" => others.push(text("true".to_owned())),
                _ => {}
            }
            others.extend(raised(&old).map(text));
            if !old.is_empty() {
                others.push(text(format!("{old}x")));
            }
            others.extend([text("changed".to_owned()), text(String::new())]);
            others.retain(|other| other.as_str().is_none_or(|s| s.as_bytes() != old.as_bytes()));
            others
        }
        Some(Value::Map(map)) if !map.is_empty() => vec![Value::Nil],
        Some(Value::List(list)) if !list.is_empty() => vec![Value::list(Vec::new())],
        Some(Value::Map(_)) => vec![table()],
        Some(Value::List(_)) => {
            vec![Value::list(vec![text("changed".to_owned())]), Value::list(vec![table()])]
        }
        _ => vec![
            text("changed".to_owned()),
            Value::Bool(true),
            Value::Float(1.0),
            table(),
            Value::list(vec![text("changed".to_owned())]),
        ],
    }
}

fn table() -> Value {
    Value::Map(Map::from_entries([(Str::from_static("changed"), Value::from("changed"))]))
}

/// `128Mi` made `129Mi`.
fn raised(text: &str) -> Option<String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    Some(format!("{}{rest}", number.checked_add(1)?))
}
