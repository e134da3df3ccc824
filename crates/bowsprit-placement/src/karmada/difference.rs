//! The smallest set of overriders that turns one object into another.
//!
//! Maps are compared member by member, so that no override replaces more than what differs. Lists are
//! lined up by the names of their items, by position, or replaced, whichever puts the least anew.
//!
//! Overriders meet the object as Karmada's API server keeps it, with defaults filled in and empty values
//! dropped. So what may have been dropped is never taken for being there.

use super::image::Image;
use super::normal::normal;
use super::overriders::{
    ArgsOverrider, Component, ImageOverrider, LabelsOverrider, Operator, Overriders, Plaintext,
};
use super::patch::escape;
use super::special;
use crate::document::json;
use bowsprit_manifest::{Identity, Labels};
use bowsprit_value::{Map, Str, Value, deep_equal};
use std::collections::{BTreeMap, BTreeSet};

/// Below this nesting values are replaced as a whole.
const MAX_DEPTH: usize = 64;
/// In so many lists around them lists are replaced as a whole, for each list is tried in three ways.
const MAX_LISTS: usize = 6;
/// Lists with more pairs of items than this are not lined up.
const MAX_PAIRS: usize = 1 << 20;

/// What turns `base` into `other`, both objects of the same kind and name: of several ways the one that
/// puts the least anew. Members that are null count for missing ones, empty labels for none, and
/// `stringData` of Secrets for `data`, as API servers keep them.
pub fn difference(base: &Value, other: &Value) -> Overriders {
    let (base, other) = (normal(base), normal(other));
    let identity = Identity::of(&base);
    let workload = matches!(
        (identity.group(), identity.kind.as_str()),
        ("", "Pod") | ("apps", "ReplicaSet" | "Deployment" | "DaemonSet" | "StatefulSet")
    );
    let containers =
        if identity.kind == "Pod" { "/spec/containers" } else { "/spec/template/spec/containers" };
    let walk = Walk { containers: if workload { containers } else { "" } };
    let mut overriders = walk.values(&base, &other, &At::default());
    special::leave_defaults(&base, &other, &mut overriders);
    overriders
}

/// Where a value is: before any patch, and when its patch is applied.
#[derive(Clone, Debug, Default)]
struct At {
    before: String,
    now: String,
    depth: usize,
    lists: usize,
    /// The value is a container of a workload.
    container: bool,
}

impl At {
    fn member(&self, key: &Str) -> At {
        let key = escape(&key.to_string_lossy());
        self.below(&key, &key)
    }

    fn item(&self, before: usize, now: usize) -> At {
        let at = self.below(&before.to_string(), &now.to_string());
        At { lists: self.lists + 1, ..at }
    }

    fn below(&self, before: &str, now: &str) -> At {
        At {
            before: format!("{}/{before}", self.before),
            now: format!("{}/{now}", self.now),
            depth: self.depth + 1,
            lists: self.lists,
            container: false,
        }
    }
}

struct Walk {
    /// Where Karmada looks for containers by name; empty where it doesn't.
    containers: &'static str,
}

impl Walk {
    /// What turns one value into another, neither of them empty where they are of one kind.
    fn values(&self, base: &Value, other: &Value, at: &At) -> Overriders {
        if deep_equal(base, other) {
            return Overriders::default();
        }
        match (base, other) {
            (Value::Map(base), Value::Map(other)) if at.depth < MAX_DEPTH && !base.is_empty() => {
                self.maps(base, other, at)
            }
            (Value::List(base), Value::List(other))
                if at.depth < MAX_DEPTH && at.lists < MAX_LISTS && !base.is_empty() =>
            {
                self.lists(base.as_slice(), other.as_slice(), at)
            }
            _ => patch(Operator::Replace, &at.now, Some(other.clone())),
        }
    }

    fn maps(&self, base: &Map, other: &Map, at: &At) -> Overriders {
        let mut out = Overriders::default();
        let (old, new) = (base.peek(), other.peek());
        let keys: BTreeSet<&Str> = old.iter().chain(new.iter()).map(|(key, _)| key).collect();
        for key in keys {
            let (old, new) = (base.get(key.as_bytes()), other.get(key.as_bytes()));
            let at_key = at.member(key);
            let special = self.special(base, old.as_ref(), new.as_ref(), &at_key, at);
            out.append(special.unwrap_or_else(|| self.member(old, new, &at_key)));
        }
        out
    }

    /// What turns one member of a mapping into another, either of which may be missing.
    fn member(&self, old: Option<Value>, new: Option<Value>, at: &At) -> Overriders {
        match (old, new) {
            (Some(old), Some(new)) if deep_equal(&old, &new) => Overriders::default(),
            (Some(old), Some(new)) if may_be_dropped(&old) || is_union(&old, &new, at) => {
                patch(Operator::Add, &at.now, Some(new))
            }
            (Some(old), Some(new)) => self.values(&old, &new, at),
            (Some(old), None) => {
                let mut out = Overriders::default();
                if may_be_dropped(&old) {
                    out.append(patch(Operator::Add, &at.now, Some(old)));
                }
                out.append(patch(Operator::Remove, &at.now, None));
                out
            }
            (None, Some(new)) => patch(Operator::Add, &at.now, Some(new)),
            (None, None) => Overriders::default(),
        }
    }

    /// What Karmada has own overriders for.
    fn special(
        &self,
        parent: &Map,
        old: Option<&Value>,
        new: Option<&Value>,
        at: &At,
        around: &At,
    ) -> Option<Overriders> {
        let mut out = Overriders::default();
        match at.before.as_str() {
            "/metadata/labels" => out.labels = labels(old, new)?,
            "/metadata/annotations" => out.annotations = labels(old, new)?,
            path if path.ends_with("/image") && is_container(&around.before) => {
                let (old, new) = (old?.as_str()?, new?.as_str()?);
                out.image.extend(image(old, new, path)?);
            }
            path if around.container && (path.ends_with("/args") || path.ends_with("/command")) => {
                let name = parent.get(b"name")?.as_str()?.to_string_lossy().into_owned();
                let list = args(&name, old, new?)?;
                match path.ends_with("/args") {
                    true => out.args = list,
                    false => out.command = list,
                }
                let plain = self.member(old.cloned(), new.cloned(), at);
                // Of the same number those that name the container are easier to read.
                if plain.len() < out.len() {
                    return Some(plain);
                }
            }
            _ => return None,
        }
        Some(out)
    }

    fn lists(&self, base: &[Value], other: &[Value], at: &At) -> Overriders {
        let whole = patch(Operator::Replace, &at.now, Some(Value::list(other.to_vec())));
        let mut ways = vec![whole];
        if base.len().saturating_mul(other.len()) <= MAX_PAIRS && !other.is_empty() {
            ways.push(self.aligned(base, other, at));
            if base.len() == other.len() && !are_named(base) {
                let mut out = Overriders::default();
                for (index, (old, new)) in base.iter().zip(other).enumerate() {
                    out.append(self.values(old, new, &at.item(index, index)));
                }
                ways.push(out);
            }
        }
        ways.into_iter().min_by_key(cost).unwrap_or_default()
    }

    /// Items that have no partner are removed from behind, then the list is gone through from the front.
    fn aligned(&self, base: &[Value], other: &[Value], at: &At) -> Overriders {
        let named = are_named(base) && are_named(other);
        let key = |value: &Value| match value.as_map().and_then(|map| map.get(b"name")) {
            Some(name) if named => json(&name),
            _ => json(value),
        };
        let old: Vec<String> = base.iter().map(key).collect();
        let new: Vec<String> = other.iter().map(key).collect();
        let pairs = common(&old, &new);
        let partner: BTreeMap<usize, usize> = pairs.iter().map(|(i, j)| (*j, *i)).collect();
        let kept: BTreeSet<usize> = pairs.iter().map(|(i, _)| *i).collect();
        let mut out = Overriders::default();
        for index in (0..base.len()).rev().filter(|index| !kept.contains(index)) {
            out.append(patch(Operator::Remove, &at.item(index, index).now, None));
        }
        let container = named && at.before == self.containers;
        for (index, value) in other.iter().enumerate() {
            let old = partner.get(&index).and_then(|before| Some((*before, base.get(*before)?)));
            out.append(match old {
                Some((before, old)) => {
                    self.values(old, value, &At { container, ..at.item(before, index) })
                }
                None => patch(Operator::Add, &at.item(index, index).now, Some(value.clone())),
            });
        }
        out
    }
}

fn patch(operator: Operator, path: &str, value: Option<Value>) -> Overriders {
    let plaintext = vec![Plaintext { path: path.to_owned(), operator, value }];
    Overriders { plaintext, ..Overriders::default() }
}

/// What is put anew counts by its length, each overrider by the length of a short value.
fn cost(way: &Overriders) -> usize {
    const STEP: usize = 8;
    let length = |text: &String| text.len();
    let plain: usize = way.plaintext.iter().flat_map(|p| &p.value).map(|v| json(v).len()).sum();
    let image: usize = way.image.iter().map(|image| image.value.len()).sum();
    let args = way.command.iter().chain(&way.args).flat_map(|args| &args.value).map(length);
    plain + image + args.sum::<usize>() + STEP * way.len()
}

/// Whether an API server may keep a value by leaving it out: zeros and what is empty.
fn may_be_dropped(value: &Value) -> bool {
    match value {
        Value::Nil | Value::Bool(false) | Value::Int(_, 0) => true,
        Value::Float(number) => *number == 0.0,
        Value::Str(text) => text.is_empty(),
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}

/// Whether a value's type decides which of its other members may be there. An API server has filled in
/// those of the old type.
fn is_union(old: &Value, new: &Value, at: &At) -> bool {
    let kind = |value: &Value| value.as_map().and_then(|map| map.get(b"type")).map(|ty| json(&ty));
    matches!(at.before.as_str(), "/spec/strategy" | "/spec/updateStrategy")
        && kind(old) != kind(new)
}

/// Whether all items are mappings that their names tell apart.
fn are_named(items: &[Value]) -> bool {
    let name = |item: &Value| Some(item.as_map()?.get(b"name")?.as_str()?.clone());
    let names: BTreeSet<Option<Str>> = items.iter().map(name).collect();
    names.len() == items.len() && !names.contains(&None)
}

/// A longest common subsequence, as pairs of indices.
fn common(old: &[String], new: &[String]) -> Vec<(usize, usize)> {
    let width = new.len() + 1;
    let mut table = vec![0u32; (old.len() + 1) * width];
    let at = |table: &[u32], i: usize, j: usize| table.get(i * width + j).copied().unwrap_or(0);
    for (i, x) in old.iter().enumerate().rev() {
        for (j, y) in new.iter().enumerate().rev() {
            let best = if x == y {
                at(&table, i + 1, j + 1) + 1
            } else {
                at(&table, i + 1, j).max(at(&table, i, j + 1))
            };
            if let Some(cell) = table.get_mut(i * width + j) {
                *cell = best;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    while let (Some(x), Some(y)) = (old.get(i), new.get(j)) {
        if x == y {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if at(&table, i + 1, j) >= at(&table, i, j + 1) {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

fn is_container(path: &str) -> bool {
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    parent.ends_with("/containers") || parent.ends_with("/initContainers")
}

/// Labels that are set and removed; none where Karmada could not read the old ones.
fn labels(old: Option<&Value>, new: Option<&Value>) -> Option<Vec<LabelsOverrider>> {
    let old = old.map_or(Some(Labels::new()), texts)?;
    let new = new.map_or(Some(Labels::new()), texts)?;
    let added = new.iter().filter(|(key, value)| old.get(*key) != Some(*value));
    let added: Labels = added.map(|(k, v)| (k.clone(), v.clone())).collect();
    let removed = old.into_iter().filter(|(key, _)| !new.contains_key(key)).collect();
    let lists = [(Operator::Add, added), (Operator::Remove, removed)];
    let overriders = lists.into_iter().filter(|(_, value)| !value.is_empty());
    Some(overriders.map(|(operator, value)| LabelsOverrider { operator, value }).collect())
}

fn texts(value: &Value) -> Option<Labels> {
    let entries = value.as_map()?.peek();
    let text = |text: &Str| text.to_str().map(str::to_owned);
    entries.iter().map(|(k, v)| Some((text(k)?, text(v.as_str()?)?))).collect()
}

/// The overriders for an image of which some parts have changed; none where Karmada could not read it, or
/// where it is written shorter as a whole.
fn image(old: &Str, new: &Str, path: &str) -> Option<Vec<ImageOverrider>> {
    if old == new {
        return Some(Vec::new());
    }
    // Karmada does not decode the path.
    let parse = |name: &Str| {
        let name = name.to_str().filter(|_| !path.contains('~'))?;
        Image::parse(name).filter(|image| image.to_string() == name)
    };
    let (old, new) = (parse(old)?, parse(new)?);
    let parts = [
        (Component::Registry, &old.registry, &new.registry),
        (Component::Repository, &old.repository, &new.repository),
        (Component::Tag, &old.tag, &new.tag),
    ];
    let changed = parts.into_iter().filter(|(_, old, new)| old != new);
    let overrider = |(component, _, value): (Component, &String, &String)| ImageOverrider {
        component,
        operator: if value.is_empty() { Operator::Remove } else { Operator::Replace },
        value: value.clone(),
        path: Some(path.to_owned()),
    };
    let overriders: Vec<ImageOverrider> = changed.map(overrider).collect();
    Some(overriders).filter(|overriders| overriders.len() == 1)
}

/// The overriders for arguments, if they are only appended and removed.
fn args(container: &str, old: Option<&Value>, new: &Value) -> Option<Vec<ArgsOverrider>> {
    let list = |value: &Value| -> Option<Vec<String>> {
        value.as_list()?.iter().map(|item| Some(item.as_str()?.to_str()?.to_owned())).collect()
    };
    let new = list(new)?;
    let old = old.map_or(Some(Vec::new()), list)?;
    let gone: Vec<String> = old.iter().filter(|item| !new.contains(item)).cloned().collect();
    let rest: Vec<String> = old.into_iter().filter(|item| !gone.contains(item)).collect();
    let added = new.strip_prefix(rest.as_slice())?.to_vec();
    let lists = [(Operator::Remove, gone), (Operator::Add, added)];
    let overrider =
        |(operator, value)| ArgsOverrider { container: container.to_owned(), operator, value };
    Some(lists.into_iter().filter(|(_, value)| !value.is_empty()).map(overrider).collect())
}
