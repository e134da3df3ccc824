//! Paths into values and objects.

use bowsprit_value::{Map, Str, Value};
use bowsprit_yaml::{SyntaxKind, SyntaxNode, SyntaxStyle};
use std::fmt;

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A key of a table.
    Key(String),
    /// An item of a list, from 0.
    Index(usize),
}

/// A path into values or an object, printed as `--set` takes it: `hosts[0].name`, and a dot that
/// belongs to a key as `\.`.
///
/// ```
/// use bowsprit_explain::Path;
///
/// let path = Path::parse(r"metadata.labels.app\.kubernetes\.io/name")?;
/// assert_eq!(path.steps().len(), 3);
/// assert_eq!(Path::parse("a[0].b")?.to_string(), "a[0].b");
/// assert!(Path::parse("a[x]").is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<Step>);

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) => {
                    if number > 0 {
                        f.write_str(".")?;
                    }
                    for c in key.chars() {
                        if matches!(c, '.' | '[' | '\\' | ',' | '=') {
                            f.write_str("\\")?;
                        }
                        write!(f, "{c}")?;
                    }
                }
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl FromIterator<Step> for Path {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Path {
        Path(steps.into_iter().collect())
    }
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// For brackets without a number.
    pub fn parse(text: &str) -> Result<Path, String> {
        let mut steps = Vec::new();
        let mut key = String::new();
        let mut chars = text.trim_start_matches('.').chars();
        let flush = |key: &mut String, steps: &mut Vec<Step>| {
            if !key.is_empty() {
                steps.push(Step::Key(std::mem::take(key)));
            }
        };
        while let Some(c) = chars.next() {
            match c {
                '\\' => key.extend(chars.next()),
                '.' => flush(&mut key, &mut steps),
                '[' => {
                    flush(&mut key, &mut steps);
                    let inside: String = chars.by_ref().take_while(|c| *c != ']').collect();
                    let quoted = inside.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                    steps.push(match (quoted, inside.parse()) {
                        (Some(key), _) => Step::Key(key.to_owned()),
                        (None, Ok(index)) => Step::Index(index),
                        _ => return Err(format!("{text}: [{inside}] is no number")),
                    });
                }
                c => key.push(c),
            }
        }
        flush(&mut key, &mut steps);
        Ok(Path(steps))
    }

    /// The steps.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether it is the path of everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The path of what is one step below.
    #[must_use]
    pub fn join(&self, step: Step) -> Path {
        let mut steps = self.0.clone();
        steps.push(step);
        Path(steps)
    }

    /// The path of a key below.
    #[must_use]
    pub fn key(&self, key: &str) -> Path {
        self.join(Step::Key(key.to_owned()))
    }

    /// The path of what it lies in.
    pub fn parent(&self) -> Option<Path> {
        let (_, rest) = self.0.split_last()?;
        Some(Path(rest.to_vec()))
    }

    /// Whether another path lies below this one, or is this one.
    pub fn holds(&self, other: &Path) -> bool {
        other.0.starts_with(&self.0)
    }

    /// What stands at the path in values.
    pub fn value_in(&self, values: &Map) -> Option<Value> {
        let mut at = Value::Map(values.clone());
        for step in &self.0 {
            at = match (&at, step) {
                (Value::Map(map), Step::Key(key)) => map.get(key.as_bytes())?,
                (Value::List(list), Step::Index(index)) => list.get(*index)?.clone(),
                _ => return None,
            };
        }
        Some(at)
    }

    /// The values with another one at this path. Lists on the way, which values files replace as a
    /// whole, are copied from `known`. None where something on the way is no table.
    pub(crate) fn set_in(&self, values: &Map, known: &Map, value: Value) -> Option<Map> {
        let top = values.fork();
        let mut at = top.clone();
        let mut known = Some(Value::Map(known.clone()));
        let mut steps = self.0.as_slice();
        while let Some((Step::Key(key), rest)) = steps.split_first() {
            let name = Str::from(key.as_str());
            let below = known.as_ref().and_then(|known| known.as_map()?.get(key.as_bytes()));
            match rest.first() {
                None => {
                    at.insert(name, value);
                    return Some(top);
                }
                Some(Step::Index(_)) => {
                    let list = at.get(key.as_bytes()).filter(|v| matches!(v, Value::List(_)));
                    at.insert(name, replaced(&list.or(below)?, rest, value)?);
                    return Some(top);
                }
                Some(Step::Key(_)) => {}
            }
            at = match at.get(key.as_bytes()) {
                Some(Value::Map(next)) => next,
                None | Some(Value::Nil) => {
                    let next = Map::new();
                    at.insert(name, Value::Map(next.clone()));
                    next
                }
                Some(_) => return None,
            };
            (known, steps) = (below, rest);
        }
        None
    }

    /// The node at the path, and that of its key. Dots of keys need not be escaped: where there is no
    /// such key, the names up to the next ones are tried as one.
    pub(crate) fn node<'t>(&self, root: SyntaxNode<'t>) -> Option<Found<'t>> {
        let mut found = Found { path: Path::default(), key: None, value: root };
        let mut steps = self.0.as_slice();
        while let Some((step, rest)) = steps.split_first() {
            let value = found.value.target();
            steps = rest;
            match step {
                Step::Index(index) => {
                    found.value = value.items().nth(*index)?;
                    found.key = None;
                    found.path = found.path.join(step.clone());
                }
                Step::Key(name) => {
                    let mut name = name.clone();
                    let (key, below) = loop {
                        if let Some(entry) = entry(value, &name) {
                            break entry;
                        }
                        let (Step::Key(more), rest) = steps.split_first()? else { return None };
                        name = format!("{name}.{more}");
                        steps = rest;
                    };
                    found.path = found.path.key(&name);
                    found.key = Some(key);
                    found.value = below;
                }
            }
        }
        Some(found)
    }
}

/// A node that a path leads to.
#[derive(Clone, Debug)]
pub(crate) struct Found<'t> {
    pub(crate) path: Path,
    /// None for an item of a list, and for the root.
    pub(crate) key: Option<SyntaxNode<'t>>,
    pub(crate) value: SyntaxNode<'t>,
}

/// An entry of a table, or of one that is merged into it with `<<`.
fn entry<'t>(table: SyntaxNode<'t>, name: &str) -> Option<(SyntaxNode<'t>, SyntaxNode<'t>)> {
    let own = table.entries().filter(|(key, _)| key.text() == name.as_bytes()).last();
    own.or_else(|| {
        let merged = table.entries().filter(|(key, _)| {
            key.kind() == SyntaxKind::Scalar
                && key.style() == SyntaxStyle::Plain
                && key.text() == b"<<"
        });
        merged.map(|(_, value)| value.target()).find_map(|table| {
            let tables: Vec<_> = match table.kind() {
                SyntaxKind::Sequence => table.items().map(|item| item.target()).collect(),
                _ => vec![table],
            };
            tables
                .into_iter()
                .find_map(|table| table.entries().find(|(key, _)| key.text() == name.as_bytes()))
        })
    })
}

/// A list or table with another value somewhere inside.
fn replaced(within: &Value, steps: &[Step], value: Value) -> Option<Value> {
    let Some((step, rest)) = steps.split_first() else { return Some(value) };
    match (within, step) {
        (Value::List(list), Step::Index(index)) => {
            let mut items: Vec<Value> = list.iter().cloned().collect();
            let item = items.get(*index)?.clone();
            *items.get_mut(*index)? = replaced(&item, rest, value)?;
            Some(Value::list(items))
        }
        (Value::Map(map), Step::Key(key)) => {
            let below = map.get(key.as_bytes()).unwrap_or_default();
            let below = replaced(&below, rest, value)?;
            let entries = map.entries();
            let entries = entries.iter().map(|(key, value)| (key.clone(), value.clone()));
            let map = Map::from_entries(entries);
            map.insert(Str::from(key.as_str()), below);
            Some(Value::Map(map))
        }
        _ => None,
    }
}

/// The paths of all values that are no tables or lists, or empty ones, below a value.
pub(crate) fn leaves(value: &Value, path: &Path, found: &mut dyn FnMut(Path, &Value)) {
    let mut pending = vec![(path.clone(), value.clone())];
    while let Some((path, value)) = pending.pop() {
        match &value {
            Value::Map(map) if !map.is_empty() => {
                let below: Vec<_> = map
                    .entries()
                    .iter()
                    .map(|(key, value)| (path.key(&key.to_string_lossy()), value.clone()))
                    .collect();
                pending.extend(below.into_iter().rev());
            }
            Value::List(list) if !list.is_empty() => {
                let below: Vec<_> = list
                    .iter()
                    .enumerate()
                    .map(|(index, value)| (path.join(Step::Index(index)), value.clone()))
                    .collect();
                pending.extend(below.into_iter().rev());
            }
            value => found(path, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowsprit_yaml::{Syntax, read_values};

    #[test]
    fn values_are_set_and_lists_kept() {
        let known = read_values(b"a: {b: [{c: 1, d: 2}, 3]}\n").unwrap();
        let path = Path::parse("a.b[0].c").unwrap();
        let set = path.set_in(&Map::new(), &known, Value::from("x")).unwrap();
        assert_eq!(path.value_in(&set).unwrap().as_str().unwrap(), "x");
        let other = Path::parse("a.b[1]").unwrap();
        assert!(other.value_in(&set).is_some());
        assert!(Path::parse("a.b[0].d").unwrap().value_in(&set).is_some());
        assert!(Path::parse("a.b.c").unwrap().set_in(&set, &known, Value::Nil).is_none());
    }

    #[test]
    fn nodes_are_found_behind_dots_and_merges() {
        let text = b"x: &x {p: 1}\nlabels:\n  a.b/c: 2\n  <<: *x\n";
        let syntax = Syntax::parse(text).unwrap().unwrap();
        let root = syntax.root().unwrap();
        let found = Path::parse("labels.a.b/c").unwrap().node(root).unwrap();
        assert_eq!((found.path.to_string().as_str(), found.value.line()), (r"labels.a\.b/c", 3));
        assert_eq!(Path::parse("labels.p").unwrap().node(root).unwrap().value.line(), 1);
        assert!(Path::parse("labels.q").unwrap().node(root).is_none());
    }
}
