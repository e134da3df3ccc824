//! Renders of charts with values that differ here and there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bowsprit::host::SeededHost;
use bowsprit::label::Options as LabelOptions;
use bowsprit::manifest::Object;
use bowsprit::place::{Delivery, Options};
use bowsprit::value::{Map, Str, Timestamp, Value};
use bowsprit::{CompiledChart, Engine, RenderRequest, pipeline};

/// Numbers that are the same in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

type Way = Vec<Str>;

/// All values of a chart that are no mappings with members, with the way to each.
fn leaves(map: &Map, way: &Way, found: &mut Vec<(Way, Value)>) {
    for (key, value) in map.peek().iter() {
        let mut way = way.clone();
        way.push(key.clone());
        match value {
            Value::Map(below) if !below.is_empty() => leaves(below, &way, found),
            other => found.push((way, other.clone())),
        }
    }
}

/// Something else that a user might write there.
fn changed(way: &Way, value: &Value, random: &mut Random) -> Value {
    let name = way.last().map(|key| key.to_string().to_lowercase()).unwrap_or_default();
    let number = random.below(90) as i64 + 2;
    match value {
        Value::Bool(on) => Value::Bool(!on),
        Value::Int(..) | Value::Float(_) => Value::Float(number as f64),
        Value::Str(text) if name.contains("tag") || text.is_empty() => {
            Value::from(format!("v{number}"))
        }
        Value::Str(text) => Value::from(format!("{text}{number}")),
        Value::Map(_) => Value::Map(Map::from_entries([(
            Str::from(format!("example.com/k{number}")),
            Value::from("v"),
        )])),
        Value::List(list) if !list.is_empty() && random.below(2) == 0 => {
            Value::list(list.iter().skip(1).cloned().collect())
        }
        Value::List(list) if name.contains("args") || name.contains("command") => {
            let more = Value::from(format!("--more={number}"));
            Value::list(list.iter().cloned().chain([more]).collect())
        }
        Value::Nil => Value::from(format!("v{number}")),
        other => other.clone(),
    }
}

fn set(map: &Map, way: &[Str], value: Value) {
    match way {
        [last] => {
            map.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let below = map.get(first.as_bytes()).and_then(|value| value.as_map().cloned());
            let below = below.unwrap_or_default();
            map.insert(first.clone(), Value::Map(below.clone()));
            set(&below, rest, value);
        }
        [] => {}
    }
}

/// Values that differ from the chart's own in a few places.
fn variation(leaves: &[(Way, Value)], count: usize, random: &mut Random) -> Map {
    let values = Map::new();
    for _ in 0..count {
        let (way, value) = &leaves[random.below(leaves.len())];
        set(&values, way, changed(way, value, random));
    }
    values
}

/// The objects of one render, labelled; none where the chart refuses the values.
fn render(chart: &CompiledChart, values: Map) -> Option<Vec<Object>> {
    let request = RenderRequest::new("demo", "prod").values(values);
    let host = SeededHost::at(7, Timestamp { seconds: 1_700_000_000, nanos: 0 });
    let mut release = chart.render(&request, &host).ok()?.output;
    let labels = LabelOptions::release("demo", &release.chart.metadata.name);
    pipeline::label(&mut release, &labels).ok()?;
    let delivery = Delivery::of(&release, &labels, &Options::default()).ok()?;
    // The last of several documents for one object is the one that a server keeps.
    let mut seen = BTreeSet::new();
    let mut objects: Vec<Object> = delivery.objects().cloned().collect();
    objects.reverse();
    objects
        .retain(|object| !object.identity.name.is_empty() && seen.insert(object.identity.clone()));
    objects.reverse();
    Some(objects)
}

/// The render of a chart with its own values, and up to three with others; none where there are no others.
pub(crate) fn renders(
    archive: &Path,
    random: &mut Random,
) -> Option<(Vec<Object>, Vec<Vec<Object>>)> {
    let chart = bowsprit::loader::load_path(archive, &Default::default()).ok()?;
    let chart = Engine::new().compile(Arc::new(chart.output));
    let mut found = Vec::new();
    leaves(&chart.chart().values, &Vec::new(), &mut found);
    let base = render(&chart, Map::new()).filter(|_| !found.is_empty())?;
    let mut others = Vec::new();
    for _ in 0..12 {
        let count = 1 + random.below(12);
        others.extend(render(&chart, variation(&found, count, random)));
        if others.len() == 3 {
            break;
        }
    }
    Some((base, others)).filter(|(_, others)| !others.is_empty())
}

/// The charts of a folder that are not too large for a test, by name.
pub(crate) fn archives(dir: &Path) -> Vec<PathBuf> {
    const LARGEST: u64 = 120_000;
    let mut all: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.metadata().is_ok_and(|file| file.len() < LARGEST))
        .collect();
    all.sort();
    all
}
