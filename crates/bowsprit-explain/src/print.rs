//! Explanations as text, as JSON, and as a report.

use crate::explainer::{Cause, Effect, Explanation};
use crate::influence::Influence;
use crate::origins::{Origin, SourceKind};
use crate::path::Path;
use bowsprit_report::{Finding, Location, Report, Rule, Severity, Subject};
use bowsprit_value::{Meter, Value, json};
use serde_json::{Map, json};
use std::fmt::Write as _;

/// A value on one line, as JSON.
pub(crate) fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "(not set)".to_owned(), one_line)
}

fn one_line(value: &Value) -> String {
    const LONGEST: usize = 80;
    let text = encoded(value);
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

fn encoded(value: &Value) -> String {
    let mut out = Vec::new();
    match json::encode(value, &json::Options::default(), &mut out, &Meter::default()) {
        Ok(()) => String::from_utf8_lossy(&out).trim_end().to_owned(),
        Err(_) => String::new(),
    }
}

/// Finds the origin of a cause.
pub type OriginOf<'o> = &'o dyn Fn(&Cause) -> Option<Origin>;

/// An explanation for people.
pub fn explanation_text(explanation: &Explanation, origin: OriginOf<'_>) -> String {
    let mut out = String::new();
    let subject = &explanation.subject;
    let path = subject.path.as_ref().map(|path| format!(": {path}")).unwrap_or_default();
    let _ = writeln!(out, "{}{path}", subject.object);
    let _ = writeln!(out, "    {}", subject.text);
    let mut how = "written by";
    for place in &explanation.places {
        let template = if place.template == place.file {
            String::new()
        } else {
            format!(", template {:?}", place.template)
        };
        let _ = writeln!(out, "{how} {}:{}:{}{template}", place.file, place.line, place.column);
        let _ = writeln!(out, "    {}", place.source.trim().replace('\n', "\n    "));
        how = "  from";
    }
    for (effect, title) in [
        (Effect::Changes, "changed by"),
        (Effect::Decides, "there because of, and gone with another value of"),
    ] {
        let causes: Vec<&Cause> =
            explanation.causes.iter().filter(|cause| cause.effect == effect).collect();
        if causes.is_empty() {
            continue;
        }
        let _ = writeln!(out, "{title}");
        for cause in causes {
            let from = origin(cause).map(|origin| format!("  from {origin}")).unwrap_or_default();
            let value = shown(cause.value.as_ref());
            let _ = writeln!(out, "    {} = {value}{from}", cause.name());
        }
    }
    if explanation.causes.is_empty() {
        let _ = writeln!(out, "no value changes it");
    }
    if !explanation.also_read.is_empty() {
        let _ = writeln!(out, "read for it too: {}", explanation.also_read.join(", "));
    }
    if !explanation.unclear.is_empty() {
        let names = explanation.unclear.join(", ");
        let _ = writeln!(out, "not known, because other values break the render: {names}");
    }
    if explanation.untried > 0 {
        let _ = writeln!(out, "{} more values were not tried", explanation.untried);
    }
    out
}

fn origin_json(origin: &Origin) -> serde_json::Value {
    let mut object = Map::new();
    let kind = match &origin.kind {
        SourceKind::File => "file",
        SourceKind::Flag { flag, argument } => {
            object.insert("flag".into(), (*flag).into());
            object.insert("argument".into(), argument.as_str().into());
            "flag"
        }
        SourceKind::Defaults { chart, .. } => {
            object.insert("chart".into(), chart.as_str().into());
            "defaults"
        }
    };
    object.insert("kind".into(), kind.into());
    if !origin.file.is_empty() {
        object.insert("file".into(), origin.file.as_str().into());
    }
    object.insert("path".into(), origin.path.to_string().into());
    for (name, number) in [("line", origin.line), ("column", origin.column)] {
        if let Some(number) = number {
            object.insert(name.into(), number.into());
        }
    }
    serde_json::Value::Object(object)
}

/// JSON that is not printed yet.
pub type Json = serde_json::Value;

/// The document that explanations stand in, by the published schema.
pub fn document(version: &str, name: &str, list: Vec<Json>) -> String {
    let mut document = Map::new();
    document.insert("schemaVersion".into(), 1.into());
    document.insert("tool".into(), json!({"name": "bowsprit", "version": version}));
    document.insert(name.into(), list.into());
    let text = serde_json::to_string_pretty(&Json::Object(document));
    format!("{}\n", text.unwrap_or_default())
}

/// Where a value comes from, for documents.
pub fn value_origin_json(path: &str, value: Option<&Value>, origin: Option<&Origin>) -> Json {
    json!({"name": path, "value": value.map(value_json), "origin": origin.map(origin_json)})
}

/// A value on one line, for people.
pub fn value_text(value: Option<&Value>) -> String {
    shown(value)
}

fn value_json(value: &Value) -> serde_json::Value {
    serde_json::from_str(&encoded(value)).unwrap_or_default()
}

/// An explanation by the published schema, `docs/schemas/explain.schema.json`.
pub fn explanation_json(explanation: &Explanation, origin: OriginOf<'_>) -> serde_json::Value {
    let subject = &explanation.subject;
    let places = explanation.places.iter().map(|place| {
        json!({
            "file": place.file, "line": place.line, "column": place.column,
            "template": place.template, "source": place.source, "text": place.is_text,
        })
    });
    let causes = explanation.causes.iter().map(|cause| {
        let mut object = Map::new();
        object.insert("name".into(), cause.name().into());
        object.insert("isValue".into(), cause.path().is_some().into());
        object.insert("effect".into(), cause.effect.name().into());
        object.insert("near".into(), cause.near.into());
        if let Some(value) = &cause.value {
            object.insert("value".into(), value_json(value));
        }
        object.insert("tried".into(), value_json(&cause.tried));
        if let Some(became) = &cause.became {
            object.insert("became".into(), became.as_str().into());
        }
        if let Some(origin) = origin(cause) {
            object.insert("origin".into(), origin_json(&origin));
        }
        serde_json::Value::Object(object)
    });
    json!({
        "file": subject.file,
        "line": subject.line,
        "text": subject.text,
        "object": subject.object.to_string(),
        "path": subject.path.as_ref().map(ToString::to_string),
        "places": places.collect::<Vec<_>>(),
        "causes": causes.collect::<Vec<_>>(),
        "alsoRead": explanation.also_read,
        "unclear": explanation.unclear,
        "untried": explanation.untried,
    })
}

/// What a value changes, for people.
pub fn influence_text(influence: &Influence, origin: Option<&Origin>) -> String {
    const MOST: usize = 12;
    let mut out = String::new();
    let from = origin.map(|origin| format!("  from {origin}")).unwrap_or_default();
    let _ = writeln!(out, "{} = {}{from}", influence.path, shown(influence.value.as_ref()));
    for object in &influence.objects {
        let _ = write!(out, "    {} {}", object.kind.name(), object.object);
        let fields = object.fields.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
        let more = object.fields.len().saturating_sub(MOST);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = match fields.is_empty() {
            true => writeln!(out),
            false => writeln!(out, ": {fields}{more}"),
        };
    }
    if let Some(error) = &influence.broken {
        let _ = writeln!(out, "    not known, because other values break the render: {error}");
    } else if influence.objects.is_empty() {
        let _ = writeln!(out, "    changes no object");
    }
    out
}

/// What a value changes, by the published schema.
pub fn influence_json(influence: &Influence, origin: Option<&Origin>) -> serde_json::Value {
    let objects = influence.objects.iter().map(|object| {
        json!({"object": object.object, "change": object.kind.name(), "fields": object.fields})
    });
    json!({
        "name": influence.path.to_string(),
        "value": influence.value.as_ref().map(value_json),
        "tried": influence.tried.as_ref().map(value_json),
        "objects": objects.collect::<Vec<_>>(),
        "broken": influence.broken,
        "origin": origin.map(origin_json),
    })
}

/// What reports of explanations refer to.
static RULES: &[Rule] = &[
    Rule {
        code: "EX001",
        name: "written-by",
        summary: "the place in a template that wrote a line",
        severity: Severity::Info,
    },
    Rule {
        code: "EX002",
        name: "changed-by",
        summary: "a value whose change changes a line",
        severity: Severity::Info,
    },
    Rule {
        code: "EX003",
        name: "decided-by",
        summary: "a value that decides whether a line is there",
        severity: Severity::Info,
    },
];

/// Explanations as a report, for the formats that machines read. `place` gives the path under which a
/// file of the chart lies.
pub fn report(
    explanations: &[Explanation],
    origin: OriginOf<'_>,
    place: &dyn Fn(&str) -> String,
    version: &str,
) -> Report {
    let mut report = Report::new("explain", version);
    report.rules = RULES.to_vec();
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    for explanation in explanations {
        let about = &explanation.subject;
        let path = about.path.as_ref().map(|path| format!(":{path}")).unwrap_or_default();
        let mut subject = Subject::new(format!("{}{path}", about.object));
        for made in &explanation.places {
            let location = Location::line(place(&made.file), number(made.line));
            let message = format!("{path} is written here", path = subject.name);
            let finding = Finding::new("EX001", Severity::Info, message);
            let finding = finding.at(location.column(number(made.column)));
            subject.findings.push(finding.about(about.object.to_string()));
        }
        for cause in &explanation.causes {
            let (code, does) = match cause.effect {
                Effect::Changes => ("EX002", "changes"),
                Effect::Decides => ("EX003", "decides whether there is"),
            };
            let value = shown(cause.value.as_ref());
            let message = format!("{} = {value} {does} {}", cause.name(), subject.name);
            let mut finding = Finding::new(code, Severity::Info, message);
            finding = finding.about(about.object.to_string());
            if let Some(origin) = origin(cause).filter(|origin| !origin.file.is_empty()) {
                let mut location = Location::file(place(&origin.file));
                location.line = origin.line;
                location.column = origin.column;
                finding = finding.at(location);
            }
            subject.findings.push(finding);
        }
        report.subjects.push(subject);
    }
    report
}

/// Values with where they come from, as a report. `place` gives the path under which a file of the
/// chart lies.
pub fn values_report(
    chart: &str,
    values: &[(Path, Value, Option<Origin>)],
    place: &dyn Fn(&str) -> String,
    version: &str,
) -> Report {
    let mut report = Report::new("values", version);
    report.rules.push(Rule {
        code: "VA001",
        name: "origin",
        summary: "where a value comes from",
        severity: Severity::Info,
    });
    let mut subject = Subject::new(chart);
    for (path, value, origin) in values {
        let message = format!("{path} = {}", shown(Some(value)));
        let mut finding = Finding::new("VA001", Severity::Info, message);
        match origin {
            Some(origin) if !origin.file.is_empty() => {
                let mut location = Location::file(place(&origin.file));
                (location.line, location.column) = (origin.line, origin.column);
                finding = finding.at(location);
            }
            Some(origin) => finding.help = Some(format!("given by {origin}")),
            None => {}
        }
        subject.findings.push(finding);
    }
    report.subjects.push(subject);
    report
}
