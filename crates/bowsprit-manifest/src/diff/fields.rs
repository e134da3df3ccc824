//! The walk through two values at once. No recursion: objects may nest as deep as YAML allows.

use super::FieldChange;
use super::lists::{Keyed, keyed};
use bowsprit_value::{Kind, List, Map, Str, Value};

/// Two values at the same place.
struct Pair {
    /// None where nobody asks for it.
    path: Option<String>,
    /// The last field's name, which says how a list is keyed.
    field: String,
    before: Option<Value>,
    after: Option<Value>,
}

impl Pair {
    fn below(&self, step: &str, field: &str, before: Option<Value>, after: Option<Value>) -> Pair {
        let path = self.path.as_ref().map(|path| format!("{path}{step}"));
        Pair { path, field: field.to_owned(), before, after }
    }

    fn change(self) -> FieldChange {
        FieldChange { path: self.path.unwrap_or_default(), before: self.before, after: self.after }
    }
}

/// Whether two values say the same.
pub(super) fn same(before: &Value, after: &Value) -> bool {
    let mut found = false;
    walk(before, after, None, &mut |_| {
        found = true;
        false
    });
    !found
}

/// All fields that differ, by path.
pub(super) fn changes(before: &Value, after: &Value) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    walk(before, after, Some(String::new()), &mut |change| {
        changes.push(change);
        true
    });
    changes
}

/// Tells of each difference until it is told to stop.
fn walk(
    before: &Value,
    after: &Value,
    path: Option<String>,
    tell: &mut dyn FnMut(FieldChange) -> bool,
) {
    let root = Pair {
        path,
        field: String::new(),
        before: Some(before.clone()),
        after: Some(after.clone()),
    };
    let mut pending = vec![root];
    while let Some(mut pair) = pending.pop() {
        pair.before = pair.before.filter(|value| !value.is_nil());
        pair.after = pair.after.filter(|value| !value.is_nil());
        let below = match (&pair.before, &pair.after) {
            (None, None) => continue,
            (Some(Value::Map(before)), Some(Value::Map(after))) => maps(&pair, before, after),
            (Some(Value::List(before)), Some(Value::List(after))) => lists(&pair, before, after),
            (Some(before), Some(after)) if same_scalar(before, after) => continue,
            _ => {
                if !tell(pair.change()) {
                    return;
                }
                continue;
            }
        };
        pending.extend(below.into_iter().rev());
    }
}

fn same_scalar(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Str(a), Value::Str(b)) => a == b,
        (Value::Int(_, a), Value::Int(_, b)) => a == b,
        _ => matches!((number(before), number(after)), (Some(a), Some(b)) if a == b),
    }
}

/// JSON knows one kind of number.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Float(number) => Some(*number),
        Value::Int(_, number) => Some(*number as f64),
        _ => None,
    }
}

fn maps(at: &Pair, before: &Map, after: &Map) -> Vec<Pair> {
    let (before, after) = (before.peek(), after.peek());
    let (mut left, mut right) = (before.iter().peekable(), after.iter().peekable());
    let mut below = Vec::new();
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return below,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((a, _)), Some((b, _))) => a.cmp(b),
        };
        let old = if order.is_le() { left.next() } else { None };
        let new = if order.is_ge() { right.next() } else { None };
        if let Some((key, _)) = old.or(new) {
            let value = |side: Option<(&Str, &Value)>| side.map(|(_, value)| value.clone());
            let name = key.to_string();
            below.push(at.below(&step(at.path.as_deref(), &name), &name, value(old), value(new)));
        }
    }
}

/// A field's name as a piece of a path: `.name`, or in brackets where it has dots or the like.
fn step(path: Option<&str>, name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$');
    match (!name.is_empty() && name.chars().all(plain), path.is_none_or(str::is_empty)) {
        (true, true) => name.to_owned(),
        (true, false) => format!(".{name}"),
        (false, _) => format!("[{name:?}]"),
    }
}

fn lists(at: &Pair, before: &List, after: &List) -> Vec<Pair> {
    match keyed(&at.field, before, after) {
        Some(keys) => keyed_items(at, &keys, before, after),
        None => placed_items(at, before, after),
    }
}

fn keyed_items(at: &Pair, keys: &Keyed, before: &List, after: &List) -> Vec<Pair> {
    let place = |keys: &[String], key: &String| keys.iter().position(|other| other == key);
    let mut below = Vec::new();
    if keys.reordered(&at.field) {
        let names = |keys: &[String]| Some(Value::from(keys.join(" ")));
        below.push(at.below("[order]", "", names(&keys.before), names(&keys.after)));
    }
    for (index, key) in keys.before.iter().enumerate() {
        let new = place(&keys.after, key).and_then(|index| after.get(index));
        below.push(at.below(&format!("[{key}]"), "", before.get(index).cloned(), new.cloned()));
    }
    for (index, key) in keys.after.iter().enumerate() {
        if place(&keys.before, key).is_none() {
            below.push(at.below(&format!("[{key}]"), "", None, after.get(index).cloned()));
        }
    }
    below
}

/// Items without keys: what both lists begin and end with is the same; of the rest the nth belongs to
/// the nth.
fn placed_items(at: &Pair, before: &List, after: &List) -> Vec<Pair> {
    let (old, new) = (before.as_slice(), after.as_slice());
    let start = old.iter().zip(new).take_while(|(a, b)| plainly_same(a, b)).count();
    let (old_rest, new_rest) = (old.get(start..).unwrap_or(&[]), new.get(start..).unwrap_or(&[]));
    let end = old_rest.iter().rev().zip(new_rest.iter().rev());
    let end = end.take_while(|(a, b)| plainly_same(a, b)).count();
    let old_rest = old_rest.get(..old_rest.len() - end).unwrap_or(&[]);
    let new_rest = new_rest.get(..new_rest.len() - end).unwrap_or(&[]);
    let count = old_rest.len().max(new_rest.len());
    let pair = |index: usize| {
        let step = format!("[{}]", start + index);
        at.below(&step, "", old_rest.get(index).cloned(), new_rest.get(index).cloned())
    };
    (0..count).map(pair).collect()
}

/// Containers are the same here by [`bowsprit_value::deep_equal`]: what is missed is found below.
fn plainly_same(a: &Value, b: &Value) -> bool {
    match a.kind() {
        Kind::Map | Kind::Slice => bowsprit_value::deep_equal(a, b),
        _ => a.is_nil() && b.is_nil() || same_scalar(a, b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, after: &str, want: &[&str]) {
        let value = |text: &str| bowsprit_yaml::decode(text.as_bytes()).unwrap();
        let changes = changes(&value(before), &value(after));
        let got: Vec<&str> = changes.iter().map(|c| c.path.as_str()).collect();
        assert_eq!(got, want, "{before} / {after}");
        assert_eq!(same(&value(before), &value(after)), want.is_empty());
    }

    #[test]
    fn fields_are_found_by_name_and_key() {
        check("{a: 1, b: null}", "{a: 1.0, c: ~}", &[]);
        check("{a: 1}", "{a: '1'}", &["a"]);
        check("{a: {b.c/d: 1}}", "{a: {b.c/d: 2, e: 3}}", &["a[\"b.c/d\"]", "a.e"]);
        check("{l: [1, 2, 3]}", "{l: [1, 3]}", &["l[1]"]);
        check("{l: [1, 3]}", "{l: [1, 2, 3, 3]}", &["l[1]", "l[2]"]);
        check("{l: [{a: 1}, {a: 2}]}", "{l: [{a: 1}, {a: 3}]}", &["l[1].a"]);
        check("{}", "{a: {}}", &["a"]);
    }

    #[test]
    fn keyed_items_may_move() {
        let two = "{containers: [{name: a, image: x}, {name: b, image: y}]}";
        check(two, "{containers: [{name: b, image: y}, {name: a, image: x}]}", &[]);
        check(
            two,
            "{containers: [{name: b, image: z}, {name: c}]}",
            &["containers[name=a]", "containers[name=b].image", "containers[name=c]"],
        );
        check(
            "{ports: [{containerPort: 80}, {containerPort: 80, protocol: UDP}]}",
            "{ports: [{containerPort: 80, protocol: UDP, hostPort: 1}, {containerPort: 80}]}",
            &["ports[containerPort=80,protocol=UDP].hostPort"],
        );
        check("{env: [{name: a}, {name: b}]}", "{env: [{name: b}, {name: a}]}", &["env[order]"]);
        check("{env: [{name: a}, {name: b}]}", "{env: [{name: b}]}", &["env[name=a]"]);
    }

    #[test]
    fn depth_is_no_danger() {
        let deep = |leaf: Value| {
            (0..200_000).fold(leaf, |value, _| Value::Map(Map::from_entries([("a".into(), value)])))
        };
        assert!(!same(&deep(Value::int(1)), &deep(Value::int(2))));
    }
}
