//! Where the values stand that a schema does not allow.

use super::{Finding, ValuesError, ValuesFile, ValuesOptions, set};
use bowsprit_chart::Chart;
use bowsprit_diag::{Label, Source, Span};
use bowsprit_value::{Map, Value};
use bowsprit_yaml::{Document, Node};

/// So many values are shown.
pub(crate) const MOST: usize = 5;

/// The steps of a JSON pointer.
pub(crate) fn pointer(text: &str) -> Vec<String> {
    let steps = text.split('/').skip(1);
    steps.map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
}

/// A value's place in a YAML or JSON text, if it is there. The root has none.
pub(crate) fn in_yaml(source: &Source, path: &[String], message: &str) -> Option<Label> {
    let document = Document::parse(source.text()).ok()?;
    let mut node = document.root();
    for step in path {
        node = node.get(step.as_bytes()).or_else(|| item(node, step))?;
    }
    if path.is_empty() {
        return None;
    }
    let start = node.span().start;
    let line = source.line_span(source.line_at(start))?;
    let span = Span::new(start, node.span().end.min(line.end).max(start));
    Some(Label::primary(source, span, message))
}

fn item<'d>(node: Node<'d>, step: &str) -> Option<Node<'d>> {
    node.items().nth(step.parse().ok()?)
}

/// Where the user's files and arguments set the values that a schema does not allow, as far as they do.
///
/// What counts last is looked at first: arguments before files, later ones before earlier ones.
pub fn locate(error: &ValuesError, options: &ValuesOptions) -> Vec<Label> {
    let findings = error.findings().iter().take(MOST);
    findings.filter_map(|finding| locate_one(finding, options)).collect()
}

fn locate_one(finding: &Finding, options: &ValuesOptions) -> Option<Label> {
    type Parse = fn(&[u8], &Map) -> Result<(), ValuesError>;
    let flags: [(&str, &[String], Parse); 5] = [
        ("--set-literal", &options.set_literal, set::parse_literal_into),
        ("--set-file", &options.set_file, |arg, values| {
            set::parse_into_file(arg, values, &mut |_| Ok(Vec::new()))
        }),
        ("--set-string", &options.set_string, set::parse_into_string),
        ("--set", &options.set, set::parse_into),
        ("--set-json", &options.set_json, set::parse_json),
    ];
    for (flag, args, parse) in flags {
        let sets = |arg: &&String| {
            let values = Map::new();
            parse(arg.as_bytes(), &values).is_ok() && holds(&values, &finding.path)
        };
        if let Some(arg) = args.iter().rev().find(sets) {
            let span = Span::new(0, arg.len());
            return Some(Label::primary(&Source::new(flag, arg), span, &finding.message));
        }
    }
    options.files.iter().rev().find_map(|file| match file {
        ValuesFile::Yaml { name, text } => {
            in_yaml(&Source::new(name, text), &finding.path, &finding.message)
        }
        ValuesFile::Parsed(_) => None,
    })
}

/// Where the defaults of a chart or of its subcharts stand that a schema does not allow; `user` are the
/// values that are none of theirs.
pub(crate) fn in_chart(error: &ValuesError, chart: &Chart, user: &Map) -> Vec<Label> {
    let findings = error.findings().iter().take(MOST);
    let defaults = findings.filter(|finding| !holds(user, &finding.path));
    defaults.filter_map(|finding| default_of(finding, chart)).collect()
}

fn default_of(finding: &Finding, chart: &Chart) -> Option<Label> {
    let (mut chart, mut path) = (chart, finding.path.as_slice());
    let mut name = format!("{}/", chart.metadata.name);
    loop {
        if let Some(text) = &chart.values_source {
            let source = Source::new(format!("{name}values.yaml"), text.as_bytes());
            if let Some(label) = in_yaml(&source, path, &finding.message) {
                return Some(label);
            }
        }
        let (first, rest) = path.split_first()?;
        chart = chart.dependencies.iter().find(|sub| sub.metadata.name == *first)?;
        name = format!("{name}charts/{first}/");
        path = rest;
    }
}

fn holds(values: &Map, path: &[String]) -> bool {
    let mut value = Value::Map(values.clone());
    for step in path {
        let below = match &value {
            Value::Map(map) => map.get(step.as_bytes()),
            Value::List(list) => step.parse().ok().and_then(|at| list.get(at).cloned()),
            _ => None,
        };
        match below {
            Some(below) => value = below,
            None => return false,
        }
    }
    !path.is_empty()
}
