//! A release as `install`, `upgrade`, `status`, `test` and `get all` print it.

use crate::failure::Failure;
use crate::flags::Parsed;
use crate::output::{self, Format};
use crate::streams;
use bowsprit::apply::{Record, ResourceTable, Time};
use bowsprit::deploy::computed_values;
use bowsprit::value::{Map, Meter, Str, Value, json};
use std::fmt::Write as _;

/// What of a release is shown.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shown {
    /// Chart, version and the version of the application.
    pub(super) metadata: bool,
    /// Values, hooks and manifest too.
    pub(super) everything: bool,
    pub(super) hide_notes: bool,
    /// Whether the chart is part of the data.
    pub(super) with_chart: bool,
}

/// Prints a release in the format that `-o` asks for.
pub(super) fn print(
    parsed: &Parsed,
    record: &Record,
    resources: Option<&[ResourceTable]>,
    shown: Shown,
) -> Result<(), Failure> {
    if output::format(parsed) == Format::Table {
        return streams::write(text(record, resources.unwrap_or_default(), shown)?.as_bytes());
    }
    let value = record.to_value(shown.with_chart);
    if let Some(tables) = resources.filter(|tables| !tables.is_empty()) {
        let entries = tables
            .iter()
            .map(|table| (Str::from(table.kind.as_str()), Value::list(table.objects.clone())));
        let info = value.as_map().and_then(|map| map.get(b"info"));
        if let Some(info) = info.as_ref().and_then(Value::as_map) {
            info.insert(Str::from_static("resources"), Value::Map(Map::from_entries(entries)));
        }
    }
    match output::format(parsed) {
        Format::Json => {
            let mut out = Vec::new();
            write_ordered(&value, &ORDER, &mut out)?;
            out.push(b'\n');
            streams::write(&out)
        }
        _ => print_value(parsed, &value),
    }
}

/// The order in which Helm's JSON has the fields of a release, and of what is in it.
const ORDER: [&str; 25] = [
    "name",
    "info",
    "chart",
    "config",
    "first_deployed",
    "last_deployed",
    "deleted",
    "description",
    "status",
    "notes",
    "resources",
    "kind",
    "path",
    "manifest",
    "hooks",
    "version",
    "namespace",
    "events",
    "last_run",
    "started_at",
    "completed_at",
    "phase",
    "weight",
    "delete_policies",
    "output_log_policies",
];

/// Parts of a release whose own fields are the user's or the server's, and sorted.
const SORTED: [&str; 3] = ["chart", "config", "resources"];

/// Writes JSON with the fields in an order; those that it does not name come last.
fn write_ordered(value: &Value, order: &[&str], out: &mut Vec<u8>) -> Result<(), Failure> {
    let plain = |value: &Value, out: &mut Vec<u8>| {
        let written = json::encode(value, &json::Options::default(), out, &Meter::default());
        written.map_err(|e| Failure::Error(format!("unable to write JSON output: {e}")))
    };
    if let Some(items) = value.as_list() {
        out.push(b'[');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            write_ordered(item, order, out)?;
        }
        out.push(b']');
        return Ok(());
    }
    let Some(map) = value.as_map() else { return plain(value, out) };
    let entries = map.peek();
    let mut entries: Vec<(&Str, &Value)> = entries.iter().collect();
    entries.sort_by_key(|(key, _)| {
        order.iter().position(|known| *key == *known).unwrap_or(order.len())
    });
    out.push(b'{');
    for (at, (key, value)) in entries.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        plain(&Value::Str(key.clone()), out)?;
        out.push(b':');
        match SORTED.iter().any(|sorted| key == *sorted) {
            true => plain(value, out)?,
            false => write_ordered(value, order, out)?,
        }
    }
    out.push(b'}');
    Ok(())
}

/// Prints data as JSON or YAML.
pub(super) fn print_value(parsed: &Parsed, value: &Value) -> Result<(), Failure> {
    let mut out = Vec::new();
    if output::format(parsed) == Format::Json {
        let written = json::encode(value, &json::Options::default(), &mut out, &Meter::default());
        written.map_err(|e| Failure::Error(format!("unable to write JSON output: {e}")))?;
        out.push(b'\n');
        return streams::write(&out);
    }
    streams::write(&yaml(value)?)
}

/// Data as YAML.
pub(super) fn yaml(value: &Value) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    bowsprit::yaml::encode(value, &mut out, &Meter::default())
        .map_err(|e| Failure::Error(format!("unable to write YAML output: {e}")))?;
    Ok(out)
}

fn text(record: &Record, tables: &[ResourceTable], shown: Shown) -> Result<String, Failure> {
    let mut out = String::new();
    let info = &record.info;
    let _ = writeln!(out, "NAME: {}", record.name);
    if let Some(time) = info.last_deployed {
        let _ = writeln!(out, "LAST DEPLOYED: {}", time.ansic());
    }
    let _ = writeln!(out, "NAMESPACE: {}", record.namespace);
    let _ = writeln!(out, "STATUS: {}", info.status);
    let _ = writeln!(out, "REVISION: {}", record.revision);
    if shown.metadata {
        let _ = writeln!(out, "CHART: {}", record.chart_text("name"));
        let _ = writeln!(out, "VERSION: {}", record.chart_text("version"));
        let _ = writeln!(out, "APP_VERSION: {}", record.chart_text("appVersion"));
    }
    let _ = writeln!(out, "DESCRIPTION: {}", info.description);
    if !tables.is_empty() {
        let _ = writeln!(out, "RESOURCES:\n{}", resources_text(tables));
    }
    push_tests(&mut out, record);
    if shown.everything {
        push_values(&mut out, record)?;
    }
    if shown.everything || info.description.eq_ignore_ascii_case("Dry run complete") {
        out.push_str("HOOKS:\n");
        out.push_str(&hooks_text(record));
        let _ = writeln!(out, "MANIFEST:\n{}", record.manifest);
    }
    if !shown.hide_notes && !info.notes.is_empty() {
        let _ = writeln!(out, "NOTES:\n{}", info.notes.trim());
    }
    Ok(out)
}

fn push_values(out: &mut String, record: &Record) -> Result<(), Failure> {
    let text = |value: &Value| yaml(value).map(|text| String::from_utf8_lossy(&text).into_owned());
    let _ = writeln!(out, "USER-SUPPLIED VALUES:\n{}", text(&record.config)?);
    let computed = computed_values(record).map_err(Failure::of)?;
    let _ = writeln!(out, "COMPUTED VALUES:\n{}", text(&Value::Map(computed))?);
    Ok(())
}

/// The hooks behind lines that name their templates.
pub(super) fn hooks_text(record: &Record) -> String {
    let hooks = record.hooks.iter();
    hooks.map(|hook| format!("---\n# Source: {}\n{}\n", hook.path, hook.manifest)).collect()
}

fn push_tests(out: &mut String, record: &Record) {
    let mut tests = record
        .hooks
        .iter()
        .filter(|hook| hook.events.iter().any(|event| event == "test"))
        .peekable();
    if tests.peek().is_none() {
        out.push_str("TEST SUITE: None\n");
        return;
    }
    let time = |time: Option<Time>| {
        time.map_or_else(|| "Mon Jan  1 00:00:00 0001".to_owned(), |time| time.ansic())
    };
    for hook in tests.filter(|hook| hook.last_run.started_at.is_some()) {
        let _ = write!(
            out,
            "TEST SUITE:     {}\nLast Started:   {}\nLast Completed: {}\nPhase:          {}\n",
            hook.name,
            time(hook.last_run.started_at),
            time(hook.last_run.completed_at),
            hook.last_run.phase
        );
    }
}

/// Tables as kubectl prints them: columns three blanks apart.
fn resources_text(tables: &[ResourceTable]) -> String {
    let mut out = String::new();
    for table in tables {
        let _ = writeln!(out, "==> {}", table.kind);
        let rows = std::iter::once(&table.columns).chain(&table.rows);
        let rows: Vec<&Vec<String>> = rows.filter(|row| !row.is_empty()).collect();
        let columns = table.columns.len();
        let width = |at: usize| {
            let cells = rows.iter().filter_map(|row| row.get(at));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0).max(3) + 3
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in rows {
            for (at, cell) in row.iter().enumerate() {
                match widths.get(at) {
                    Some(width) if at + 1 < columns => {
                        let _ = write!(out, "{cell:width$}");
                    }
                    _ => out.push_str(cell),
                }
            }
            out.push('\n');
        }
        out.push('\n');
    }
    out
}
