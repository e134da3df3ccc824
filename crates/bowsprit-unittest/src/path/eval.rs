//! What a path leads to.

use super::{MAX_FOUND, Path, PathError, Step};
use bowsprit_value::Value;
use bowsprit_yaml::{AnyEntry, any_entries};

impl Path {
    /// As [`Path::find`], from a value inside a document.
    pub(super) fn find_from(&self, from: &Value, root: &Value) -> Result<Vec<Value>, PathError> {
        let mut found = vec![from.clone()];
        for step in &self.steps {
            let mut next = Vec::new();
            for value in &found {
                step.take(value, root, &mut next)?;
                if next.len() > MAX_FOUND {
                    return Err(PathError("the path leads to too many values".to_owned()));
                }
            }
            found = next;
        }
        Ok(found)
    }
}

impl Step {
    fn take(&self, value: &Value, root: &Value, out: &mut Vec<Value>) -> Result<(), PathError> {
        match self {
            Step::Child(name) => out.extend(child(value, name)),
            Step::Children(names) => out.extend(names.iter().filter_map(|name| child(value, name))),
            Step::All => out.extend(children(value)),
            Step::Items(subscript) => match value {
                Value::List(list) => {
                    let places = subscript.places(list.len());
                    out.extend(places.into_iter().filter_map(|at| list.get(at).cloned()));
                }
                mapping if subscript.is_all() => {
                    out.extend(any_entries(mapping).into_iter().flatten().map(|e| e.value));
                }
                _ => {}
            },
            Step::Descend => descend(value, out)?,
            Step::Filter(filter) => match value {
                Value::List(list) => {
                    for item in list.iter() {
                        if filter.holds(item, root)? {
                            out.push(item.clone());
                        }
                    }
                }
                value => {
                    if filter.holds(value, root)? {
                        out.push(value.clone());
                    }
                }
            },
            Step::FilterSelf(filter) => {
                if filter.holds(value, root)? {
                    out.push(value.clone());
                }
            }
            Step::Name(name) => out.extend(entry(value, name).map(|entry| entry.key)),
            Step::Names(names) => {
                out.extend(names.iter().filter_map(|name| entry(value, name)).map(|e| e.key));
            }
            Step::AllNames => out.extend(any_entries(value).into_iter().flatten().map(|e| e.key)),
        }
        Ok(())
    }
}

fn entry(value: &Value, name: &[u8]) -> Option<AnyEntry> {
    if let Value::Map(map) = value {
        let value = map.get(name)?;
        let name: bowsprit_value::Str = bowsprit_value::Str::from_bytes(name);
        return Some(AnyEntry { key: Value::Str(name.clone()), name, value });
    }
    any_entries(value)?.into_iter().find(|entry| entry.name.as_bytes() == name)
}

fn child(value: &Value, name: &[u8]) -> Option<Value> {
    match value {
        Value::Map(map) => map.get(name),
        other => entry(other, name).map(|entry| entry.value),
    }
}

fn children(value: &Value) -> Vec<Value> {
    match value {
        Value::List(list) => list.iter().cloned().collect(),
        mapping => any_entries(mapping).into_iter().flatten().map(|entry| entry.value).collect(),
    }
}

/// Documents are nested no deeper than [`bowsprit_yaml::MAX_ANY_DEPTH`].
fn descend(value: &Value, out: &mut Vec<Value>) -> Result<(), PathError> {
    if out.len() > MAX_FOUND {
        return Err(PathError("the path leads to too many values".to_owned()));
    }
    match value {
        Value::List(list) => list.iter().try_for_each(|item| descend(item, out))?,
        mapping => {
            for entry in any_entries(mapping).into_iter().flatten() {
                out.push(entry.key);
                descend(&entry.value, out)?;
            }
        }
    }
    out.push(value.clone());
    Ok(())
}
