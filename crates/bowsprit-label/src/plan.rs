//! Which labels go where, and which do not.

use crate::options::{OnConflict, Options};
use crate::report::{Conflict, Place, Reason};
use crate::selectors::{Used, used};
use crate::targets::{Target, targets};
use bowsprit_manifest::{Labels, Object, string_map};
use bowsprit_value::{Map, Value};
use bowsprit_yaml::Step;

/// What of `metadata` is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `labels`.
    Labels,
    /// `annotations`.
    Annotations,
}

impl Field {
    const fn name(self) -> &'static str {
        match self {
            Field::Labels => "labels",
            Field::Annotations => "annotations",
        }
    }
}

/// One value to set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    /// The object, counted from 0 in the order in which they were given.
    pub object: usize,
    /// Where in the object.
    pub place: Place,
    /// What of its `metadata`.
    pub field: Field,
    /// The name.
    pub key: String,
    /// The value.
    pub value: String,
    /// The way from the object to the value.
    pub steps: Vec<Step>,
}

/// All values to set, and what stands against others.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What is to be set, object by object.
    pub additions: Vec<Addition>,
    /// What is not simply to be set; the paths of texts are left empty.
    pub conflicts: Vec<(usize, Conflict)>,
}

/// Decides what is put on the objects of a release. All of them must be given, so that all selectors
/// are known.
pub fn plan(objects: &[&Object], options: &Options) -> Plan {
    let mut plan = Plan::default();
    if options.is_empty() {
        return plan;
    }
    let selectors = used(objects.iter().copied(), &options.labels);
    for (index, object) in objects.iter().enumerate() {
        for target in targets(object, options) {
            let mut planner = Planner { plan: &mut plan, index, object, target: &target, options };
            planner.labels(&selectors);
            if target.place == Place::Object {
                planner.put(Field::Annotations, &options.annotations);
            }
        }
    }
    plan
}

struct Planner<'p> {
    plan: &'p mut Plan,
    index: usize,
    object: &'p Object,
    target: &'p Target,
    options: &'p Options,
}

impl Planner<'_> {
    fn labels(&mut self, selectors: &[Used]) {
        let Some(existing) = self.existing(Field::Labels) else {
            return self.refuse_all(&self.options.labels);
        };
        let before = string_map(existing.map(Value::Map).as_ref());
        let mut wanted = self.options.labels.clone();
        let taken = |key: &String| before.get(key).is_some_and(|value| !value.is_empty());
        if self.options.on_conflict != OnConflict::Overwrite {
            // What stays as it is can't lead a selector astray.
            wanted.retain(|key, _| !taken(key));
        }
        let mut refused: Vec<(String, Reason)> = Vec::new();
        while let Some(used) = self.misled(selectors, &before, &wanted) {
            let reason = Reason::Selector {
                object: used.object.clone(),
                selector: used.selector.to_string(),
            };
            let keys: Vec<String> =
                wanted.keys().filter(|key| used.selector.mentions(key)).cloned().collect();
            for key in keys {
                wanted.remove(&key);
                refused.push((key, reason.clone()));
            }
        }
        let mut put = self.options.labels.clone();
        for (key, reason) in refused {
            let Some(value) = put.remove(&key) else { continue };
            self.conflict(&key, &value, reason);
        }
        self.put(Field::Labels, &put);
    }

    /// The first selector that matches otherwise with the labels than without.
    fn misled<'s>(
        &self,
        selectors: &'s [Used],
        before: &Labels,
        wanted: &Labels,
    ) -> Option<&'s Used> {
        let mut after = before.clone();
        after.extend(wanted.iter().map(|(k, v)| (k.clone(), v.clone())));
        selectors.iter().find(|used| {
            used.concerns(&self.target.class)
                && wanted.keys().any(|key| used.selector.mentions(key))
                && used.selector.matches(before) != used.selector.matches(&after)
        })
    }

    /// `metadata.labels` or `metadata.annotations`; none where a mapping can't be put there.
    fn existing(&self, field: Field) -> Option<Option<Map>> {
        let metadata = match &self.target.metadata {
            None | Some(Value::Nil) => return Some(None),
            Some(Value::Map(metadata)) => metadata,
            Some(_) => return None,
        };
        match metadata.get(field.name().as_bytes()) {
            None | Some(Value::Nil) => Some(None),
            Some(Value::Map(map)) => Some(Some(map)),
            Some(_) => None,
        }
    }

    fn put(&mut self, field: Field, wanted: &Labels) {
        let Some(existing) = self.existing(field) else { return self.refuse_all(wanted) };
        for (key, value) in wanted {
            let old = existing.as_ref().and_then(|map| map.get(key.as_bytes()));
            let old = match old {
                None | Some(Value::Nil) => None,
                Some(Value::Str(old)) if old == value.as_str() => continue,
                Some(Value::Str(old)) => Some(old.to_string()),
                Some(other) => Some(shown(&other)),
            };
            if let Some(old) = old {
                let overwritten = self.options.on_conflict == OnConflict::Overwrite;
                self.conflict(key, value, Reason::Taken { value: old, overwritten });
                if !overwritten {
                    continue;
                }
            }
            let mut steps = self.target.steps.clone();
            steps.extend(["metadata", field.name(), key.as_str()].map(Step::from));
            self.plan.additions.push(Addition {
                object: self.index,
                place: self.target.place,
                field,
                key: key.clone(),
                value: value.clone(),
                steps,
            });
        }
    }

    fn refuse_all(&mut self, wanted: &Labels) {
        for (key, value) in wanted {
            self.conflict(key, value, Reason::Malformed);
        }
    }

    fn conflict(&mut self, key: &str, wanted: &str, reason: Reason) {
        let conflict = Conflict {
            object: self.object.identity.clone(),
            path: String::new(),
            place: self.target.place,
            key: key.to_owned(),
            wanted: wanted.to_owned(),
            reason,
        };
        self.plan.conflicts.push((self.index, conflict));
    }
}

/// A value that is no string, for reports.
fn shown(value: &Value) -> String {
    let mut text = Vec::new();
    let written = bowsprit_yaml::encode(value, &mut text, &bowsprit_value::Meter::default());
    written.map_or(String::new(), |()| String::from_utf8_lossy(&text).trim_end().to_owned())
}
