//! From a rendered release to one on a server, and back.
//!
//! The renderer and the applier know nothing of each other; here is what joins them: a rendered release
//! as the record that Helm would store, the values that an upgrade takes over from the revision before
//! it, what a cluster can do as charts see it.

mod chart;
mod values;

pub use chart::{chart_value, slim_chart_value};
pub use values::{ReuseValues, computed_values, reuse_values};

use bowsprit_apply::{Base, Comparison, Discovery, Record, RecordHook};
use bowsprit_chart::Chart;
use bowsprit_manifest::Identity;
use bowsprit_manifest::diff::ObjectSet;
use bowsprit_render::{Capabilities, KubeVersion, KubeVersionError, Release, RenderRequest};
use bowsprit_value::{Map, Str, Value};
use std::collections::BTreeMap;

/// What a cluster can do, together with what the definitions in a chart's `crds/` will add to it.
///
/// # Errors
///
/// Fails where the server's version is none.
pub fn capabilities(
    discovery: &Discovery,
    chart: &Chart,
) -> Result<Capabilities, KubeVersionError> {
    let discovery = discovery.with_definitions(&definitions(chart));
    let version = KubeVersion::parse(discovery.version())?;
    Ok(Capabilities::new(version, discovery.api_versions().into_iter().map(Str::from)))
}

/// The definitions in a chart's `crds/`: names and texts.
pub fn definitions(chart: &Chart) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let crds = chart.crd_objects().into_iter();
    crds.map(|crd| (text(crd.filename.as_bytes()), text(crd.file.data.as_bytes()))).collect()
}

/// What is and what would be, as sets of objects that can be compared.
pub fn object_sets(comparison: &Comparison) -> (ObjectSet, ObjectSet) {
    let (mut before, mut after) = (ObjectSet::new(), ObjectSet::new());
    for pair in &comparison.pairs {
        let identity =
            Identity::new(&pair.api_version, &pair.kind, Some(&pair.namespace), &pair.name);
        if let Some(value) = &pair.before {
            before.push(identity.clone(), value.clone());
        }
        if let Some(value) = &pair.after {
            after.push(identity, value.clone());
        }
    }
    (before, after)
}

/// How a record is made of a release.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RecordOptions {
    /// Labels that the record gets; the value `null` takes one away that the last revision had.
    pub labels: BTreeMap<String, String>,
    /// Leaves the chart's templates and files out, for charts whose records would be too large.
    pub slim: bool,
    /// Puts the notes of subcharts behind the chart's own.
    pub subchart_notes: bool,
}

/// The record of a rendered release, as Helm would store it.
pub fn record(
    release: &Release,
    request: &RenderRequest,
    chart: Value,
    base: &Base,
    options: &RecordOptions,
) -> Record {
    let mut record = Record::new(
        release.options.name.as_str(),
        release.options.namespace.as_str(),
        base.next_revision(),
    );
    record.chart = chart;
    record.config =
        if request.values.is_empty() { Value::Nil } else { Value::Map(request.values.fork()) };
    record.manifest = release.manifest(false);
    record.hooks = release.hooks.iter().map(RecordHook::from).collect();
    record.info.notes = notes(release, options.subchart_notes);
    if let Some(newest) = base.newest() {
        record.labels.clone_from(&newest.labels);
    }
    record.labels.extend(options.labels.iter().map(|(k, v)| (k.clone(), v.clone())));
    record.labels.retain(|_, value| value != "null");
    record
}

fn notes(release: &Release, subcharts: bool) -> String {
    if !subcharts {
        return release.notes.clone();
    }
    let own = format!("{}/templates/NOTES.txt", release.chart.metadata.name);
    let mut notes = release.notes.clone();
    for (name, text) in release.all_notes.iter().filter(|(name, _)| *name != own) {
        let _ = name;
        if !notes.is_empty() && !notes.ends_with('\n') {
            notes.push('\n');
        }
        notes.push_str(text);
    }
    notes
}

/// A manifest in which a comment stands for every Secret, as `--hide-secret` prints it.
pub fn hide_secrets(manifest: &str) -> String {
    let mut out = String::new();
    for document in bowsprit_manifest::split(manifest.as_bytes()) {
        let head = bowsprit_manifest::Head::parse(document).unwrap_or_default();
        let text = String::from_utf8_lossy(document);
        out.push_str("---\n");
        if head.kind == "Secret" && head.api_version == "v1" {
            let source = text.lines().next().filter(|line| line.starts_with("# Source: "));
            if let Some(source) = source {
                out.push_str(source);
                out.push('\n');
            }
            out.push_str("# HIDDEN: The Secret output has been suppressed\n");
        } else {
            out.push_str(&text);
        }
    }
    out
}

/// A record as templates of `helm get all --template` see it, under the names of Go's fields.
pub fn template_data(record: &Record) -> Value {
    let text = |text: &str| Value::from(text);
    let time = |time: &Option<bowsprit_apply::Time>| {
        time.map_or(Value::from(""), |time| Value::from(time.go_string()))
    };
    let info = &record.info;
    let hooks = record.hooks.iter().map(|hook| {
        let events = hook.events.iter().map(|event| Value::from(event.as_str())).collect();
        table([
            ("Name", text(&hook.name)),
            ("Kind", text(&hook.kind)),
            ("Path", text(&hook.path)),
            ("Manifest", text(&hook.manifest)),
            ("Events", Value::list(events)),
            ("Weight", Value::int(hook.weight)),
        ])
    });
    let chart = record.chart.as_map();
    let metadata = chart.and_then(|chart| chart.get(b"metadata"));
    let metadata = metadata.as_ref().and_then(Value::as_map).cloned().unwrap_or_default();
    let metadata = metadata.entries();
    let metadata = metadata.iter().map(|(key, value)| (go_name(key), value.clone()));
    let chart = table([
        ("Metadata", Value::Map(Map::from_entries(metadata))),
        ("Values", chart.and_then(|chart| chart.get(b"values")).unwrap_or_default()),
    ]);
    let labels = record.labels.iter().map(|(k, v)| (Str::from(k.as_str()), text(v)));
    table([
        ("Name", text(&record.name)),
        ("Namespace", text(&record.namespace)),
        ("Version", Value::int(record.revision)),
        ("Manifest", text(&record.manifest)),
        ("Config", record.config.clone()),
        ("ApplyMethod", text(&record.apply_method)),
        ("Labels", Value::Map(Map::from_entries(labels))),
        ("Chart", chart),
        ("Hooks", Value::list(hooks.collect())),
        (
            "Info",
            table([
                ("Status", text(info.status.name())),
                ("Description", text(&info.description)),
                ("Notes", text(&info.notes)),
                ("FirstDeployed", time(&info.first_deployed)),
                ("LastDeployed", time(&info.last_deployed)),
                ("Deleted", time(&info.deleted)),
            ]),
        ),
    ])
}

fn table(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    Value::Map(Map::from_entries(fields.into_iter().map(|(k, v)| (Str::from_static(k), v))))
}

/// The name of a field of a chart's metadata in Go.
fn go_name(key: &Str) -> Str {
    let key = key.to_string_lossy();
    if key == "apiVersion" {
        return Str::from_static("APIVersion");
    }
    let mut letters = key.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    Str::from(first.into_iter().chain(letters).collect::<String>())
}
