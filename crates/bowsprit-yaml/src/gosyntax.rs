//! Go's `%#v` of what goyaml decodes; some of its errors quote values so.

use crate::document::{Any, Entry, Key, Pair};
use crate::resolve::Resolved;
use crate::tree::Tree;
use bowsprit_value::fmt::append_float;
use bowsprit_value::strconv::append_quote;
use std::collections::BTreeMap;
use std::ops::Range;

enum Step {
    Value(u32),
    Key(u32),
    Text(&'static str),
}

/// What a document is made of, or will be.
pub(crate) struct Parts<'a> {
    pub(crate) tree: &'a Tree<'a>,
    pub(crate) values: &'a [Entry],
    pub(crate) items: &'a [u32],
    pub(crate) pairs: &'a [Pair],
    pub(crate) twins: &'a Twins,
}

/// Entries that lose their place in JSON to others of the same name, but not of the same Go type: behind
/// the last pair of such a mapping, up to the pair that is named here.
#[derive(Debug, Default)]
pub(crate) struct Twins(BTreeMap<u32, u32>);

impl Twins {
    pub(crate) fn insert(&mut self, end: u32, with_twins: u32) {
        self.0.insert(end, with_twins);
    }

    /// A mapping's pairs, and those that lose to them.
    pub(crate) fn widen(&self, range: &Range<u32>) -> Range<u32> {
        let end = self.0.get(&range.end).filter(|_| !range.is_empty());
        range.start..end.copied().unwrap_or(range.end)
    }
}

/// Appends a value as Go syntax, without recursion.
pub(crate) fn append(out: &mut Vec<u8>, parts: &Parts<'_>, root: u32) {
    let Parts { tree, values, items, pairs, twins } = parts;
    let mut steps = vec![Step::Value(root)];
    while let Some(step) = steps.pop() {
        match step {
            Step::Text(text) => out.extend_from_slice(text.as_bytes()),
            Step::Key(index) => {
                if let Some(pair) = pairs.get(index as usize) {
                    append_key(out, &pair.key);
                }
            }
            Step::Value(index) => match values.get(index as usize).map(|entry| &entry.value) {
                Some(Any::List(range)) => {
                    out.extend_from_slice(b"[]interface {}{");
                    steps.push(Step::Text("}"));
                    for (i, at) in range.clone().enumerate().collect::<Vec<_>>().into_iter().rev() {
                        steps.extend(items.get(at as usize).map(|&item| Step::Value(item)));
                        steps.extend((i > 0).then_some(Step::Text(", ")));
                    }
                }
                Some(Any::Map(range)) => {
                    out.extend_from_slice(b"map[interface {}]interface {}{");
                    steps.push(Step::Text("}"));
                    let mut order: Vec<u32> = twins.widen(range).collect();
                    order.sort_by(|&a, &b| go_order(pairs, a, b));
                    for (i, &at) in order.iter().enumerate().rev() {
                        steps.extend(pairs.get(at as usize).map(|pair| Step::Value(pair.value)));
                        steps.push(Step::Text(":"));
                        steps.push(Step::Key(at));
                        steps.extend((i > 0).then_some(Step::Text(", ")));
                    }
                }
                Some(scalar) => append_scalar(out, tree, scalar),
                None => {}
            },
        }
    }
}

/// Keys of one type by value, and the types in the order in which they lie in the Helm binary.
fn go_order(pairs: &[Pair], a: u32, b: u32) -> std::cmp::Ordering {
    let rank = |key: &Key| match key.kind {
        Resolved::Null => 0,
        Resolved::Str | Resolved::Timestamp => 1,
        Resolved::Uint(_) => 2,
        Resolved::Int(_) => 3,
        Resolved::Float(_) => 4,
        Resolved::Bool(_) => 5,
    };
    let (Some(a), Some(b)) = (pairs.get(a as usize), pairs.get(b as usize)) else {
        return std::cmp::Ordering::Equal;
    };
    rank(&a.key).cmp(&rank(&b.key)).then_with(|| match (a.key.kind, b.key.kind) {
        (Resolved::Int(a), Resolved::Int(b)) => a.cmp(&b),
        (Resolved::Uint(a), Resolved::Uint(b)) => a.cmp(&b),
        (Resolved::Float(a), Resolved::Float(b)) => a.total_cmp(&b),
        _ => a.key.name.cmp(&b.key.name),
    })
}

fn append_key(out: &mut Vec<u8>, key: &Key) {
    match key.kind {
        Resolved::Null => out.extend_from_slice(b"interface {}(nil)"),
        Resolved::Str | Resolved::Timestamp => append_quote(out, key.name.as_bytes()),
        Resolved::Uint(n) => out.extend_from_slice(format!("{n:#x}").as_bytes()),
        Resolved::Float(f) => append_float(out, f, b'g', None, 64),
        Resolved::Bool(_) | Resolved::Int(_) => out.extend_from_slice(key.name.as_bytes()),
    }
}

fn append_scalar(out: &mut Vec<u8>, tree: &Tree<'_>, scalar: &Any) {
    match scalar {
        Any::Null => out.extend_from_slice(b"interface {}(nil)"),
        Any::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Any::Int(n) => out.extend_from_slice(n.to_string().as_bytes()),
        Any::Uint(n) => out.extend_from_slice(format!("{n:#x}").as_bytes()),
        Any::Float(f) => append_float(out, *f, b'g', None, 64),
        Any::Text(text) => append_quote(out, tree.text(*text)),
        Any::Binary(bytes) => append_quote(out, bytes),
        Any::List(_) | Any::Map(_) => {}
    }
}
