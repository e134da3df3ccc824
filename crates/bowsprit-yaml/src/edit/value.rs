//! Edits of values.

use super::{Change, EditError, Step};
use bowsprit_value::{Map, Str, Value};

#[cold]
pub(super) fn no_such_place(path: &[Step]) -> EditError {
    let parts: Vec<String> = path.iter().map(Step::to_string).collect();
    EditError::NoSuchPlace(parts.join("."))
}

/// A value with changes made in it.
pub(super) fn changed(
    value: &Value,
    changes: &[(Step, Change)],
    path: &mut Vec<Step>,
) -> Result<Value, EditError> {
    match value {
        Value::List(list) => {
            let mut items = list.as_slice().to_vec();
            for (step, change) in changes {
                path.push(step.clone());
                let item = match step {
                    Step::Index(index) => items.get_mut(*index),
                    Step::Key(_) => None,
                };
                let item = item.ok_or_else(|| no_such_place(path))?;
                *item = made(Some(item), change, path)?;
                path.pop();
            }
            Ok(Value::list(items))
        }
        Value::Map(_) | Value::Nil => {
            let old = value.as_map().map(Map::peek);
            let old = old.iter().flat_map(|old| old.iter());
            let new = Map::from_entries(old.map(|(k, v)| (k.clone(), v.clone())));
            for (step, change) in changes {
                path.push(step.clone());
                let Step::Key(key) = step else { return Err(no_such_place(path)) };
                let made = made(new.get(key.as_bytes()).as_ref(), change, path)?;
                new.insert(key.clone(), made);
                path.pop();
            }
            Ok(Value::Map(new))
        }
        _ => Err(no_such_place(path)),
    }
}

/// What a change makes of a value that may be missing.
pub(super) fn made(
    old: Option<&Value>,
    change: &Change,
    path: &mut Vec<Step>,
) -> Result<Value, EditError> {
    match change {
        Change::Set(value) => Ok(value.clone()),
        Change::Under(below) => changed(old.unwrap_or(&Value::Nil), below, path),
    }
}

/// The entries that are set, if nothing is changed below them.
pub(super) fn plain_sets(changes: &[(Step, Change)]) -> Option<Vec<(Str, Value)>> {
    let set = |(step, change): &(Step, Change)| match (step, change) {
        (Step::Key(key), Change::Set(value)) => Some((key.clone(), value.clone())),
        _ => None,
    };
    changes.iter().map(set).collect()
}
