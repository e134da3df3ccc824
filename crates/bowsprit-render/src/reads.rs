//! Which values a chart's templates could read, in any branch and with any values.
//!
//! [`Reads`] follows all templates of a chart and its subcharts, those that are switched off too,
//! without running them. Conditions, tags and imports of `Chart.yaml` count as reads.
//!
//! ```
//! use bowsprit_chart::{Chart, File, Limits};
//! use bowsprit_render::reads::Reads;
//! use std::sync::Arc;
//!
//! let files = vec![
//!     File::new("Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n"),
//!     File::new("templates/a.yaml", "{{ if .Values.on }}{{ toYaml .Values.all }}{{ end }}"),
//! ];
//! let chart = Arc::new(Chart::from_files(files, &Limits::default())?.output);
//! let reads = Reads::of(&chart, &[]).unwrap();
//! let all = reads.children(reads.root(), "all").next().unwrap();
//! assert!(reads.is_whole(all));
//! assert!(reads.children(reads.root(), "off").next().is_none());
//! # Ok::<(), bowsprit_chart::Error>(())
//! ```

use crate::engine::Engine;
use crate::plan::{Plan, plan_everything};
use crate::request::RenderRequest;
use bowsprit_chart::Chart;
use bowsprit_template::flow::{Effect, Flow};
use bowsprit_value::{Str, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use bowsprit_template::flow::Origin;

/// How often the templates are followed until nothing new is found.
const MAX_ROUNDS: usize = 4;

/// A value in the tree of those that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(usize);

#[derive(Clone, Debug, Default)]
struct Node {
    read: bool,
    whole: bool,
    children: BTreeMap<String, usize>,
    any: Option<usize>,
    origin: Option<Origin>,
}

/// Which values are read: a tree of [`Place`]s that begins with the root chart's values.
#[derive(Clone, Debug)]
pub struct Reads {
    nodes: Vec<Node>,
}

impl Reads {
    /// Follows a chart's templates. `values` are texts of values files whose strings may be templates.
    ///
    /// None where a template can't be parsed, or where there is too much to be followed.
    pub fn of(chart: &Arc<Chart>, values: &[&[u8]]) -> Option<Reads> {
        let plan = plan_everything(chart)?;
        let compiled = Engine::new().compile(Arc::clone(chart));
        let (set, names) = compiled.templates(&plan, &RenderRequest::new("x", "x")).ok()?;
        let texts = texts(&plan, values);
        let mut tracker = Tracker { flow: Flow::new(&set, &effect), roots: Vec::new() };
        tracker.begin(&plan);
        for _ in 0..MAX_ROUNDS {
            tracker.follow(&names, &texts);
            if tracker.flow.gave_up() {
                return None;
            }
            if !tracker.flow.next_round() {
                break;
            }
        }
        tracker.finish()
    }

    /// The root chart's values.
    pub fn root(&self) -> Place {
        Place(0)
    }

    /// The places of a key: its own, and that of keys that are not known before templates run.
    pub fn children<'r>(
        &'r self,
        place: Place,
        key: &str,
    ) -> impl Iterator<Item = Place> + use<'r> {
        let node = self.nodes.get(place.0);
        let own = node.and_then(|node| node.children.get(key).copied());
        own.into_iter().chain(node.and_then(|node| node.any)).map(Place)
    }

    /// The places of a list's items.
    pub fn items<'r>(&'r self, place: Place) -> impl Iterator<Item = Place> + use<'r> {
        let node = self.nodes.get(place.0);
        let own = node.into_iter().flat_map(|node| node.children.iter());
        let own = own.filter(|(key, _)| key.bytes().all(|b| b.is_ascii_digit())).map(|(_, n)| *n);
        own.chain(node.and_then(|node| node.any)).map(Place)
    }

    /// The keys that are read by name right below a place.
    pub fn keys<'r>(&'r self, place: Place) -> impl Iterator<Item = &'r str> + use<'r> {
        self.nodes.get(place.0).into_iter().flat_map(|n| n.children.keys().map(String::as_str))
    }

    /// Whether the value or something in it is read.
    pub fn is_read(&self, place: Place) -> bool {
        self.nodes.get(place.0).is_some_and(|node| node.read)
    }

    /// Whether the value is used with all that is in it, so that every key below counts as read.
    pub fn is_whole(&self, place: Place) -> bool {
        self.nodes.get(place.0).is_some_and(|node| node.whole)
    }

    /// Where the value is read first.
    pub fn origin(&self, place: Place) -> Option<&Origin> {
        self.nodes.get(place.0)?.origin.as_ref()
    }

    /// The paths of all values that are read by name, sorted.
    pub fn paths(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut pending = vec![(0usize, String::new())];
        let mut seen = BTreeSet::from([0]);
        while let Some((number, path)) = pending.pop() {
            let children = self.nodes.get(number).into_iter().flat_map(|n| n.children.iter());
            for (key, child) in children {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                if self.is_read(Place(*child)) {
                    found.push(path.clone());
                }
                if seen.insert(*child) {
                    pending.push((*child, path));
                }
            }
        }
        found.sort();
        found
    }
}

type FlowPlace = bowsprit_template::flow::Place;

struct Tracker<'s> {
    flow: Flow<'s>,
    /// Each instance's values and root object.
    roots: Vec<(FlowPlace, FlowPlace)>,
}

impl Tracker<'_> {
    fn begin(&mut self, plan: &Plan) {
        self.flow.add_view("AsMap");
        let global = self.flow.tracked();
        for instance in plan.instances.iter() {
            let values = self.flow.tracked();
            let scope = self.flow.object();
            let subcharts = self.flow.object();
            self.flow.link(values, b"global", global);
            self.flow.link(scope, b"Values", values);
            self.flow.link(scope, b"Subcharts", subcharts);
            if let Some((above, above_scope)) =
                instance.parent.and_then(|parent| self.roots.get(parent).copied())
            {
                self.flow.link(above, instance.name.as_bytes(), values);
                if let Some(above) = self.flow.child(above_scope, b"Subcharts") {
                    self.flow.link(above, instance.name.as_bytes(), scope);
                }
            }
            self.roots.push((values, scope));
        }
        for (instance, (values, _)) in plan.instances.iter().zip(self.roots.clone()) {
            self.chart_yaml(&instance.chart, values, &plan.instances);
        }
        let root = self.roots.first().map(|(values, _)| *values);
        // What a subchart is called stands in its parent's values.
        for instance in plan.instances.iter().skip(1) {
            let parent = instance.parent.and_then(|parent| self.roots.get(parent));
            if let Some((above, _)) = parent.copied() {
                self.flow.mark_read(above, &[instance.name.as_bytes()]);
            }
        }
        if let Some(root) = root {
            self.flow.mark_read(root, &[b"global"]);
        }
    }

    /// What `Chart.yaml` says of values.
    fn chart_yaml(
        &mut self,
        chart: &Chart,
        values: FlowPlace,
        instances: &[crate::plan::Instance],
    ) {
        let there = |key: &str| instances.iter().any(|i| i.name.as_bytes() == key.as_bytes());
        for dependency in chart.metadata.dependencies() {
            for condition in dependency.condition.split(',').filter(|c| !c.trim().is_empty()) {
                let path: Vec<&[u8]> = condition.trim().split('.').map(str::as_bytes).collect();
                self.flow.mark_read(values, &path);
            }
            if dependency.tags.is_some() {
                let tags = self.flow.mark_read(values, &[b"tags"]);
                self.flow.mark_whole(tags);
            }
            let below = self.flow.mark_read(values, &[dependency.key().as_bytes()]);
            if !there(dependency.key()) {
                // What is not there may read anything.
                self.flow.mark_whole(below);
                self.flow.set_incomplete();
            }
            for import in dependency.import_values.iter().flatten() {
                self.import(import, values, below);
            }
        }
    }

    fn import(&mut self, import: &Value, values: FlowPlace, below: FlowPlace) {
        let text = |value: Option<Value>| match value {
            Some(Value::Str(text)) => text.to_string_lossy().into_owned(),
            _ => String::new(),
        };
        let whole = |flow: &mut Flow<'_>, place: FlowPlace, path: &str| {
            let path: Vec<&[u8]> = path.split('.').map(str::as_bytes).collect();
            let place = flow.mark_read(place, &path);
            flow.mark_whole(place);
        };
        match import {
            Value::Str(name) => {
                let path = format!("exports.{}", name.to_string_lossy());
                whole(&mut self.flow, below, &path);
            }
            Value::Map(map) => {
                whole(&mut self.flow, below, &text(map.get(b"child")));
                let parent = text(map.get(b"parent"));
                if parent != "." {
                    whole(&mut self.flow, values, &parent);
                }
            }
            _ => {}
        }
    }

    fn follow(&mut self, names: &[(usize, Str)], texts: &[(usize, Vec<u8>)]) {
        for (instance, name) in names {
            if let Some((_, scope)) = self.roots.get(*instance).copied() {
                self.flow.run(name.as_bytes(), scope);
            }
        }
        for (instance, text) in texts {
            if let Some((_, scope)) = self.roots.get(*instance).copied() {
                self.flow.run_text(text, scope);
            }
        }
    }

    /// Copies what was found, from the root's values on.
    fn finish(self) -> Option<Reads> {
        let (root, _) = *self.roots.first()?;
        let mut nodes = vec![Node::default()];
        let mut numbers = BTreeMap::from([(root, 0usize)]);
        let mut pending = vec![root];
        while let Some(place) = pending.pop() {
            let Some(number) = numbers.get(&place).copied() else { continue };
            let mut number_of = |place: FlowPlace, nodes: &mut Vec<Node>| {
                *numbers.entry(place).or_insert_with(|| {
                    nodes.push(Node::default());
                    pending.push(place);
                    nodes.len() - 1
                })
            };
            let mut node = Node {
                read: self.flow.is_read(place),
                whole: self.flow.is_whole(place),
                origin: self.flow.origin(place).cloned(),
                ..Node::default()
            };
            for (key, child) in self.flow.keys(place) {
                let number = number_of(child, &mut nodes);
                node.children.insert(key.to_string_lossy().into_owned(), number);
            }
            node.any = self.flow.any(place).map(|any| number_of(any, &mut nodes));
            if let Some(slot) = nodes.get_mut(number) {
                *slot = node;
            }
        }
        Some(Reads { nodes })
    }
}

/// Texts that `tpl` may be given: strings of values, and files of charts, that hold actions.
fn texts(plan: &Plan, values: &[&[u8]]) -> Vec<(usize, Vec<u8>)> {
    let has_action = |text: &[u8]| text.windows(2).any(|w| w == b"{{");
    let mut found = BTreeSet::new();
    for (number, instance) in plan.instances.iter().enumerate() {
        strings(&Value::Map(instance.chart.values.clone()), &mut |text| {
            if has_action(text) {
                found.insert((number, text.to_vec()));
                found.insert((0, text.to_vec()));
            }
        });
        for file in &instance.chart.files {
            let text = file.data.as_bytes();
            if has_action(text) && text.windows(7).any(|w| w == b".Values") {
                found.insert((number, text.to_vec()));
            }
        }
    }
    for text in values {
        let Ok(map) = bowsprit_yaml::read_values(text) else { continue };
        strings(&Value::Map(map), &mut |text| {
            if has_action(text) {
                for number in 0..plan.instances.len() {
                    found.insert((number, text.to_vec()));
                }
            }
        });
    }
    found.into_iter().collect()
}

fn strings(value: &Value, found: &mut dyn FnMut(&[u8])) {
    let mut pending = vec![value.clone()];
    while let Some(value) = pending.pop() {
        match value {
            Value::Str(text) => found(text.as_bytes()),
            Value::List(list) => pending.extend(list.iter().cloned()),
            Value::Map(map) => pending.extend(map.peek().iter().map(|(_, v)| v.clone())),
            _ => {}
        }
    }
}

/// What sprig's and Helm's functions do with their arguments. All others use them as a whole.
fn effect(name: &str) -> Effect {
    match name {
        "default" | "coalesce" | "ternary" | "required" | "deepCopy" | "mustDeepCopy" | "omit"
        | "pick" | "reverse" | "mustReverse" | "uniq" | "mustUniq" | "compact" | "mustCompact"
        | "sortAlpha" | "concat" | "append" | "mustAppend" | "push" | "mustPush" | "prepend"
        | "mustPrepend" | "initial" | "mustInitial" | "rest" | "mustRest" | "slice"
        | "mustSlice" | "without" | "mustWithout" | "unset" | "tuple" => Effect::Pass,
        "merge" | "mustMerge" | "mergeOverwrite" | "mustMergeOverwrite" => Effect::Merge,
        "first" | "mustFirst" | "last" | "mustLast" => Effect::Part,
        "empty" | "kindOf" | "kindIs" | "typeOf" | "typeIs" | "typeIsLike" | "fail" => {
            Effect::Inspect
        }
        "dict" => Effect::Dict,
        "list" => Effect::List,
        "get" | "hasKey" => Effect::Key,
        "set" => Effect::Set,
        "dig" => Effect::Dig,
        "pluck" => Effect::Pluck,
        "keys" | "values" => Effect::Elements,
        _ => Effect::Consume,
    }
}
