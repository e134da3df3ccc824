//! `bowsprit get`: parts of a stored release.

use super::block::{self, Shown, print_value, yaml};
use super::{Session, integer, one_arg};
use crate::commands::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::output::{self, Format, Item, Table};
use crate::streams;
use bowsprit::apply::Record;
use bowsprit::deploy::{computed_values, template_data};
use bowsprit::value::{Map, Str, Value};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// `get`.
pub(crate) static COMMAND: Command = Command {
    name: "get",
    usage: "get [command]",
    about: "Show a part of a stored release",
    examples: "\
Examples:
  bowsprit get values web -n web --all
  bowsprit get manifest web -n web --revision 2
  bowsprit get metadata web -n web -o json",
    flags: &[],
    children: &[&ALL, &HOOKS, &MANIFEST, &METADATA, &NOTES, &VALUES],
    run: None,
};

macro_rules! part {
    ($static:ident, $name:literal, $about:literal, $run:expr, [$($flags:expr),*]) => {
        static $static: Command = Command {
            name: $name,
            usage: concat!("get ", $name, " RELEASE [flags]"),
            about: $about,
            examples: concat!("Examples:\n  bowsprit get ", $name, " web -n web"),
            flags: &[super::REVISION, super::CONNECT $(, $flags)*],
            children: &[],
            run: Some($run),
        };
    };
}

part!(ALL, "all", "Show all of a stored release", all, [TEMPLATE]);
part!(HOOKS, "hooks", "Show the hooks", hooks, []);
part!(MANIFEST, "manifest", "Show the objects", manifest, []);
part!(METADATA, "metadata", "Show chart, state and labels", metadata, [output::FLAGS]);
part!(NOTES, "notes", "Show the notes", notes, []);
part!(VALUES, "values", "Show the user's values", values, [ALL_VALUES, output::FLAGS]);

static TEMPLATE: &[Flag] = &[Flag::with(
    "template",
    Kind::Text,
    "TEMPLATE",
    "Print what a template makes of the release: {{ .Release.Name }}",
)];

static ALL_VALUES: &[Flag] =
    &[Flag::switch("all", "The values that charts saw, defaults included").short('a')];

fn record(invocation: &Invocation<'_>, part: &str) -> Result<Record, Failure> {
    let usage = format!("get {part} RELEASE [flags]");
    let name = one_arg(invocation, &format!("get {part}"), &usage)?;
    let revision = integer(invocation.parsed, "revision").unwrap_or(0);
    Session::open(invocation)?.record(name, revision)
}

fn all(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let record = record(invocation, "all")?;
    if let Some(template) = invocation.parsed.non_empty("template") {
        let release = Map::new();
        release.insert(Str::from_static("Release"), template_data(&record));
        let text = bowsprit::pipeline::render_data(template, Value::Map(release));
        return streams::write(&text.map_err(Failure::of)?);
    }
    let shown = Shown { metadata: true, everything: true, ..Shown::default() };
    block::print(invocation.parsed, &record, None, shown)
}

fn hooks(invocation: &Invocation<'_>) -> Result<(), Failure> {
    streams::write(block::hooks_text(&record(invocation, "hooks")?).as_bytes())
}

fn manifest(invocation: &Invocation<'_>) -> Result<(), Failure> {
    streams::write(format!("{}\n", record(invocation, "manifest")?.manifest).as_bytes())
}

fn notes(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let notes = record(invocation, "notes")?.info.notes;
    if notes.is_empty() {
        return Ok(());
    }
    streams::write(format!("NOTES:\n{notes}\n").as_bytes())
}

fn values(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    let record = record(invocation, "values")?;
    let (title, values) = match parsed.is_on("all") {
        true => {
            let computed = computed_values(&record).map_err(Failure::of)?;
            ("COMPUTED VALUES:", Value::Map(computed))
        }
        false => ("USER-SUPPLIED VALUES:", record.config.clone()),
    };
    if output::format(parsed) != Format::Table {
        return print_value(parsed, &values);
    }
    let mut out = format!("{title}\n").into_bytes();
    out.extend(yaml(&values)?);
    streams::write(&out)
}

/// The labels of the record's object, Helm's own included.
fn labels(invocation: &Invocation<'_>) -> Result<(Record, BTreeMap<String, String>), Failure> {
    let name = one_arg(invocation, "get metadata", "get metadata RELEASE [flags]")?;
    let revision = integer(invocation.parsed, "revision").unwrap_or(0);
    let session = Session::open(invocation)?;
    let store = session.store();
    let stored = session.run(store.get(name, revision))?;
    let record = stored.record().map_err(Failure::of)?;
    Ok((record, stored.labels().clone()))
}

fn metadata(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let (record, labels) = labels(invocation)?;
    if output::format(invocation.parsed) == Format::Table {
        return streams::write(metadata_text(&record, &labels).as_bytes());
    }
    output::print(invocation.parsed, &metadata_item(&record, &labels), Table::default)
}

fn annotations(record: &Record) -> BTreeMap<String, String> {
    let Some(Value::Map(map)) = record.chart_metadata("annotations") else {
        return BTreeMap::new();
    };
    let text = |value: &Value| value.as_str().map(|t| t.to_string_lossy().into_owned());
    let entries = map.entries();
    entries
        .iter()
        .map(|(k, v)| (k.to_string_lossy().into_owned(), text(v).unwrap_or_default()))
        .collect()
}

fn dependencies(record: &Record) -> Vec<String> {
    let list = record.chart_metadata("dependencies");
    let items = list.iter().filter_map(Value::as_list).flat_map(|list| list.iter());
    let name = |item: &Value| {
        let name = item.as_map()?.get(b"name")?;
        Some(name.as_str()?.to_string_lossy().into_owned())
    };
    items.filter_map(name).collect()
}

fn joined(pairs: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(k, v)| format!("{k}={v}")).collect();
    pairs.join(",")
}

fn metadata_text(record: &Record, labels: &BTreeMap<String, String>) -> String {
    let mut names = dependencies(record);
    names.sort();
    let method = match record.apply_method.as_str() {
        "" => "client-side apply (defaulted)".to_owned(),
        "csa" => "client-side apply".to_owned(),
        "ssa" => "server-side apply".to_owned(),
        other => format!("unknown ({other:?})"),
    };
    let deployed = record.info.last_deployed.map_or(String::new(), |t| t.rfc3339_seconds());
    let mut out = String::new();
    for (title, text) in [
        ("NAME", record.name.clone()),
        ("CHART", record.chart_text("name")),
        ("VERSION", record.chart_text("version")),
        ("APP_VERSION", record.chart_text("appVersion")),
        ("ANNOTATIONS", joined(&annotations(record))),
        ("LABELS", joined(labels)),
        ("DEPENDENCIES", names.join(",")),
        ("NAMESPACE", record.namespace.clone()),
        ("REVISION", record.revision.to_string()),
        ("STATUS", record.info.status.name().to_owned()),
        ("DEPLOYED_AT", deployed),
        ("APPLY_METHOD", method),
    ] {
        let _ = writeln!(out, "{title}: {text}");
    }
    out
}

fn metadata_item(record: &Record, labels: &BTreeMap<String, String>) -> Item {
    let deployed = record.info.last_deployed.map_or(String::new(), |t| t.rfc3339_seconds());
    // Labels have names that no table of fields could know.
    let map = |pairs: &BTreeMap<String, String>| {
        let pairs = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str()));
        Item::Map(pairs.map(|(k, v)| (k.to_owned(), Item::text(v))).collect())
    };
    let mut fields = vec![
        ("name", Item::text(record.name.as_str())),
        ("chart", Item::text(record.chart_text("name"))),
        ("version", Item::text(record.chart_text("version"))),
        ("appVersion", Item::text(record.chart_text("appVersion"))),
    ];
    let annotations = annotations(record);
    if !annotations.is_empty() {
        fields.push(("annotations", map(&annotations)));
    }
    if !labels.is_empty() {
        fields.push(("labels", map(labels)));
    }
    let names = dependencies(record);
    if !names.is_empty() {
        let named = |name: String| Item::Object(vec![("name", Item::Text(name))]);
        fields.push(("dependencies", Item::List(names.into_iter().map(named).collect())));
    }
    fields.extend([
        ("namespace", Item::text(record.namespace.as_str())),
        ("revision", Item::Int(record.revision)),
        ("status", Item::text(record.info.status.name())),
        ("deployedAt", Item::text(deployed)),
        ("applyMethod", Item::text(record.apply_method.as_str())),
    ]);
    Item::Object(fields)
}
