//! Errors with their sources: what `{:#}` prints behind Helm's text.

use crate::compiled::Job;
use crate::error::{Error, ErrorKind};
use crate::plan::Plan;
use bowsprit_chart::Chart;
use bowsprit_diag::{Diagnostic, Label, Source, Span};
use bowsprit_template::{Cause, ExecError, Observer, ParseError, Place, Site};
use bowsprit_value::{Map, Value};
use std::sync::Arc;

/// Lines of rendered text shown before and behind the one that is wrong.
const CONTEXT: usize = 3;

impl Error {
    /// The error with the places that it is about: source lines, the chain of includes, the value that
    /// was missing. Its message is the error's text.
    pub fn diagnostic(&self) -> Diagnostic {
        let mut found = Diagnostic::error(self.to_string());
        match self.kind() {
            ErrorKind::Exec(error) => found = exec(found, error, &self.details().missing),
            ErrorKind::Manifest { error, files } => {
                if let Some(label) = manifest(error, files.get(&error.path)) {
                    let tab = starts_with_tab(&label);
                    found = found.with_label(label);
                    if tab {
                        found = found.with_hint("YAML allows no tabs in indentation");
                    }
                }
            }
            ErrorKind::Values(error) => found.labels.extend(error.diagnostic().labels),
            ErrorKind::Parse(_) => {}
        }
        found.labels.extend(self.details().labels.iter().cloned());
        found
    }
}

/// What is known of an error only where it happens.
#[derive(Clone, Debug, Default)]
pub(crate) struct Details {
    /// Places to show.
    pub(crate) labels: Vec<Label>,
    /// What the values lack.
    pub(crate) missing: Missing,
}

/// A value that a template wanted and did not find.
#[derive(Clone, Debug, Default)]
pub(crate) struct Missing {
    /// `.Values.a.b`, where nothing is set.
    path: Option<String>,
    /// What is there instead of a table.
    instead: Option<&'static str>,
    /// What is there under similar names.
    similar: Vec<String>,
}

fn exec(mut found: Diagnostic, error: &ExecError, missing: &Missing) -> Diagnostic {
    let trace = error.trace();
    let (mut called_by, mut repeated) = (None, 0);
    let mut last: Option<&Place> = None;
    for (index, place) in trace.places.iter().enumerate() {
        if last.is_some_and(|l| (&l.file, l.start, l.end) == (&place.file, place.start, place.end))
        {
            repeated += 1;
            continue;
        }
        last = Some(place);
        let source = Source::shared(shown_name(place), Arc::clone(&place.source));
        let span = Span::new(place.start, place.end);
        let label = match called_by {
            _ if index == 0 => Label::primary(&source, span, operand_text(error, missing)),
            Some("include") => Label::secondary(&source, span, "").with_relation("included from"),
            Some("tpl") => Label::secondary(&source, span, "").with_relation("run by tpl in"),
            _ => Label::secondary(&source, span, "").with_relation("called from"),
        };
        found = found.with_label(label);
        called_by = place.called_by;
    }
    if trace.omitted + repeated > 0 {
        let count = trace.omitted + repeated;
        found =
            found.with_note(format!("{count} more templates lie between these, not shown here"));
    }
    if let Some(path) = &missing.path {
        let text = format!("{path} is set neither in the chart's values nor by the user");
        found = found.with_note(text);
    }
    if !missing.similar.is_empty() {
        found = found.with_hint(format!("did you mean {}?", missing.similar.join(" or ")));
    }
    found
}

fn shown_name(place: &Place) -> String {
    match place.called_by {
        Some("tpl") => "text given to tpl".to_owned(),
        _ => place.file.clone(),
    }
}

/// What stands behind the caret.
fn operand_text(error: &ExecError, missing: &Missing) -> String {
    let (Cause::Evaluator(text), Some(operand)) = (error.cause(), &error.trace().operand) else {
        return String::new();
    };
    if text.starts_with("nil pointer evaluating") {
        let why = if missing.path.is_some() { "is not set" } else { "is null" };
        return format!("{operand} {why}");
    }
    if let Some(instead) = missing.instead {
        return format!("{operand} is {instead}");
    }
    match text.split_once(" in type ") {
        Some((_, ty)) => format!("{operand} is of type {ty}"),
        None => String::new(),
    }
}

/// Looks for what an operand names in the values of the chart whose template failed.
pub(crate) fn missing(error: &ExecError, values: Option<Map>) -> Missing {
    let path = error.trace().operand.as_deref().unwrap_or_default();
    let path = path.strip_prefix('$').unwrap_or(path);
    let (Some(names), Some(mut table)) = (path.strip_prefix(".Values."), values) else {
        return Missing::default();
    };
    let mut walked = String::from(".Values");
    for name in names.split('.') {
        match table.get(name.as_bytes()) {
            Some(Value::Map(below)) => table = below,
            Some(other) => return Missing { instead: described(&other), ..Missing::default() },
            None => {
                let similar = similar(&table, name);
                let similar = similar.iter().map(|key| format!("{walked}.{key}")).collect();
                let path = Some(format!("{walked}.{name}"));
                return Missing { path, similar, ..Missing::default() };
            }
        }
        walked = format!("{walked}.{name}");
    }
    Missing::default()
}

fn described(value: &Value) -> Option<&'static str> {
    match value {
        Value::Str(_) => Some("a string"),
        Value::Bool(_) => Some("a boolean"),
        Value::Int(..) | Value::Float(_) => Some("a number"),
        Value::List(_) => Some("a list"),
        _ => None,
    }
}

fn starts_with_tab(label: &Label) -> bool {
    let line = label.source.line(label.position().line).unwrap_or_default();
    line.iter().take_while(|b| b.is_ascii_whitespace()).any(|b| *b == b'\t')
}

/// Keys that differ in few letters, the nearest first.
fn similar(table: &Map, name: &str) -> Vec<String> {
    let allowed = 1 + name.chars().count() / 4;
    let entries = table.entries();
    let keys = entries.iter().map(|(key, _)| key.to_string_lossy().into_owned());
    let mut near: Vec<(usize, String)> =
        keys.map(|key| (distance(&key, name), key)).filter(|(far, _)| *far <= allowed).collect();
    near.sort();
    near.into_iter().take(2).map(|(_, key)| key).collect()
}

/// Levenshtein's distance, letters of either case being equal; only short names are compared.
fn distance(a: &str, b: &str) -> usize {
    const LONGEST: usize = 64;
    let letters = |s: &str| s.to_lowercase().chars().take(LONGEST + 1).collect::<Vec<_>>();
    let (a, b) = (letters(a), letters(b));
    if a.len() > LONGEST || b.len() > LONGEST {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let (mut left, mut diagonal) = (i + 1, i);
        for (cell, y) in row.iter_mut().skip(1).zip(&b) {
            let above = *cell;
            let changed = diagonal + usize::from(x != y);
            diagonal = above;
            *cell = changed.min(1 + above.min(left));
            left = *cell;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(a.len())
}

/// The line of rendered text that is no YAML, with its neighbours.
fn manifest(error: &bowsprit_manifest::Error, file: Option<&Vec<u8>>) -> Option<Label> {
    let text = file?;
    let source = Source::new(format!("{} as rendered", error.path), text);
    let span = source.trimmed_line(rendered_line(error, &source));
    let problem = error.message.rsplit(": ").next().unwrap_or_default();
    Some(Label::primary(&source, span, problem).with_context(CONTEXT))
}

/// The line of the rendered file that an error is about: the one that the YAML library names, counted
/// from the document's beginning, or that beginning.
fn rendered_line(error: &bowsprit_manifest::Error, source: &Source) -> usize {
    let document = error.document.as_bytes();
    let start = find(source.text(), document).unwrap_or(0);
    let named = error.message.split_once("yaml: line ").and_then(|(_, rest)| {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        rest.get(..digits)?.parse::<usize>().ok()
    });
    source.line_at(start) + named.map_or(0, |line| line.saturating_sub(1))
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return None;
    }
    // A document begins at a line's start, behind blanks or behind a separator.
    (0..text.len()).find(|at| text.get(*at..).is_some_and(|rest| rest.starts_with(part)))
}

/// The line that a text's parser stopped at, and the token there if the message names one.
pub(crate) fn parse_labels(error: &ParseError, source: &[u8]) -> Vec<Label> {
    let source = Source::new(error.name.as_str(), source);
    let line = (error.line as usize).clamp(1, source.line_count());
    let mut span = source.trimmed_line(line);
    if let Some(token) = error.message.split('"').nth(1).filter(|token| !token.is_empty()) {
        let text = source.text().get(span.start..span.end).unwrap_or_default();
        if let Some(at) = find(text, token.as_bytes()) {
            span = Span::new(span.start + at, span.start + at + token.len());
        }
    }
    let mut labels = vec![Label::primary(&source, span, "")];
    if let Some(started) = error.started.filter(|started| *started != error.line) {
        let span = source.trimmed_line(started as usize);
        labels.push(Label::secondary(&source, span, "the action begins here"));
    }
    labels
}

/// Finds the template that printed a byte of a rendered file, by rendering the file once more.
#[derive(Default)]
struct Origins {
    written: Vec<Origin>,
}

struct Origin {
    start: usize,
    end: usize,
    source: Arc<[u8]>,
    span: Span,
}

/// More pieces of output than this are not told apart.
const MAX_ORIGINS: usize = 1 << 20;

impl Observer for Origins {
    fn wrote(&mut self, start: usize, end: usize, site: Site<'_>) {
        if start < end && self.written.len() < MAX_ORIGINS {
            let span = Span::new(site.start, site.end);
            let source = site.unit.shared_source();
            self.written.push(Origin { start, end, source, span });
        }
    }

    fn left(&mut self, start: usize, captured: bool, _: &[u8]) {
        if captured {
            while self.written.last().is_some_and(|origin| origin.start >= start) {
                self.written.pop();
            }
        }
    }
}

/// The place in a template that printed the line that is no YAML.
pub(crate) fn printed_by(
    error: &bowsprit_manifest::Error,
    text: &[u8],
    render: impl FnOnce(&Job, &mut dyn Observer) -> Option<Vec<u8>>,
    plan: &Plan,
    jobs: &[Job],
) -> Option<Label> {
    let rendered = Source::new("", text);
    let span = rendered.trimmed_line(rendered_line(error, &rendered));
    let job = jobs.iter().find(|job| job.name.as_bytes() == error.path.as_bytes())?;
    let mut origins = Origins::default();
    if render(job, &mut origins)? != text {
        return None;
    }
    let origin = origins.written.iter().find(|o| o.start <= span.start && span.start < o.end)?;
    let at = match origin.source.get(origin.span.start..origin.span.end) {
        // A piece of plain text: the line lies as far in it as in the output.
        Some(piece) if text.get(origin.start..origin.end) == Some(piece) => {
            let at = origin.span.start + (span.start - origin.start);
            Span::new(at, (at + (span.end - span.start)).min(origin.span.end))
        }
        _ => origin.span,
    };
    let source =
        Source::shared(template_name(plan, jobs, &origin.source)?, Arc::clone(&origin.source));
    Some(Label::secondary(&source, at, "").with_relation("printed by"))
}

fn template_name(plan: &Plan, jobs: &[Job], text: &[u8]) -> Option<String> {
    let job = jobs.iter().find(|job| template_text(plan, job).is_some_and(|data| data == text))?;
    Some(job.name.to_string())
}

pub(crate) fn template_text<'p>(plan: &'p Plan, job: &Job) -> Option<&'p [u8]> {
    let chart: &Chart = &plan.instances.get(job.instance)?.chart;
    Some(chart.templates.get(job.template)?.data.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowsprit_value::Str;

    #[test]
    fn similar_names_are_found() {
        let keys = ["image", "imagePullPolicy", "Imag", "tag", "other"];
        let table = Map::from_entries(keys.map(|key| (Str::from(key), Value::Nil)));
        assert_eq!(similar(&table, "imgae"), ["Imag", "image"]);
        assert_eq!(similar(&table, "replicas"), Vec::<String>::new());
        assert_eq!(
            (distance("", "ab"), distance("kitten", "sitting"), distance("A", "a")),
            (2, 3, 0)
        );
    }
}
