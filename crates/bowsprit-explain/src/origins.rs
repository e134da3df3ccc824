//! Where the values of a render come from.
//!
//! Nothing of how Helm merges is repeated here. Every value of every source is replaced by a mark that
//! says where it stands, and the engine merges and coalesces these; what mark comes out at a path is
//! where its value comes from. Conditions and tags look at values that are booleans, so a second run
//! keeps those: it decides for all others.

use crate::path::{Path, leaves};
use bowsprit_chart::Chart;
use bowsprit_render::plan::plan_as;
use bowsprit_render::values::{ValuesError, ValuesFile, ValuesOptions, merge};
use bowsprit_value::{Map, Str, Value};
use bowsprit_yaml::Syntax;
use std::fmt;
use std::sync::Arc;

/// What kind of source a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A values file of the user's.
    File,
    /// A flag such as `--set`.
    Flag {
        /// The flag, with its dashes.
        flag: &'static str,
        /// Its argument.
        argument: String,
    },
    /// The defaults of a chart.
    Defaults {
        /// Where the chart lies in the tree of charts: `web`, or `web/charts/db`.
        chart: String,
        /// Whether it is the chart that is rendered.
        root: bool,
    },
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// What kind of source it is.
    pub kind: SourceKind,
    /// The file: as the user named it, or `values.yaml` behind the path of a chart in its tree. Empty
    /// for a flag.
    pub file: String,
    /// The path under which the source has it.
    pub path: Path,
    /// The line in the file, from 1.
    pub line: Option<u32>,
    /// The column, from 1.
    pub column: Option<u32>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let SourceKind::Flag { flag, argument } = &self.kind {
            return write!(f, "{flag} {argument}");
        }
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        match &self.kind {
            SourceKind::Defaults { root: true, .. } => f.write_str(" (default)"),
            SourceKind::Defaults { .. } => f.write_str(" (default of the subchart)"),
            _ => Ok(()),
        }
    }
}

/// Where values come from, for one chart and what its user gives.
#[derive(Debug)]
pub struct Origins {
    sources: Vec<Source>,
    marks: Vec<Mark>,
    /// Values that are marks, but for booleans.
    exact: Map,
    /// Values that are all marks. Conditions could not be evaluated, so all subcharts are on.
    all: Map,
}

#[derive(Debug)]
struct Source {
    kind: SourceKind,
    file: String,
    text: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Mark {
    source: usize,
    path: Path,
    value: Value,
}

/// Begins every mark; no values file can hold it.
const MARK: &str = "\u{0}bowsprit:";

impl Origins {
    /// Follows what the user gives, and the defaults of all charts. `read_file` reads what `--set-file`
    /// names.
    ///
    /// # Errors
    ///
    /// Fails where the values can't be merged, with Helm's text.
    pub fn of(
        chart: &Arc<Chart>,
        options: &ValuesOptions,
        read_file: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
    ) -> Result<Origins, ValuesError> {
        let mut origins =
            Origins { sources: Vec::new(), marks: Vec::new(), exact: Map::new(), all: Map::new() };
        let user = origins.user(options, read_file)?;
        let marked = origins.chart(chart, &chart.metadata.name, true);
        let mut log = Vec::new();
        origins.all = plan_as(&marked, &user, options.compat, &mut log)?.values;
        let (chart, user) = (origins.chart_with_booleans(&marked), origins.with_booleans(&user));
        origins.exact = plan_as(&chart, &user, options.compat, &mut log)?.values;
        Ok(origins)
    }

    /// Where the value at a path of the root's values comes from. For a table that is where one of
    /// its sources has it: the one that counts most. None where nothing is set.
    pub fn of_value(&self, path: &Path) -> Option<Origin> {
        let mark = match path.value_in(&self.exact) {
            Some(Value::Bool(_)) => path.value_in(&self.all).and_then(|v| self.mark(&v)),
            Some(value) => self.mark(&value),
            None => None,
        };
        match mark {
            Some(mark) => Some(self.origin(mark.source, mark.path.clone())),
            None => self.table(path),
        }
    }

    /// The paths of all values that come out, but for tables and lists that hold some, in order.
    pub fn paths(&self) -> Vec<Path> {
        let mut found = Vec::new();
        leaves(&Value::Map(self.exact.clone()), &Path::default(), &mut |path, _| found.push(path));
        found
    }

    fn mark(&self, value: &Value) -> Option<&Mark> {
        let text = value.as_str()?.to_string_lossy().into_owned();
        self.marks.get(text.strip_prefix(MARK)?.parse::<usize>().ok()?)
    }

    /// A table has no mark of its own: the sources are asked, the strongest first.
    fn table(&self, path: &Path) -> Option<Origin> {
        let of_charts = |s: &&(usize, &Source)| matches!(s.1.kind, SourceKind::Defaults { .. });
        let numbered: Vec<(usize, &Source)> = self.sources.iter().enumerate().collect();
        let files = numbered.iter().filter(|s| matches!(s.1.kind, SourceKind::File)).rev();
        files.chain(numbered.iter().filter(of_charts)).find_map(|(number, source)| {
            let below = match &source.kind {
                SourceKind::Defaults { chart, .. } => below_chart(path, chart)?,
                _ => path.clone(),
            };
            place(&source.text, &below)?;
            Some(self.origin(*number, below))
        })
    }

    fn origin(&self, source: usize, path: Path) -> Origin {
        let Some(found) = self.sources.get(source) else {
            let kind = SourceKind::File;
            return Origin { kind, file: String::new(), path, line: None, column: None };
        };
        let place = place(&found.text, &path);
        Origin {
            kind: found.kind.clone(),
            file: found.file.clone(),
            path,
            line: place.map(|(line, _)| line),
            column: place.map(|(_, column)| column),
        }
    }

    fn user(
        &mut self,
        options: &ValuesOptions,
        read_file: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
    ) -> Result<Map, ValuesError> {
        let mut user = Map::new();
        let alone = || ValuesOptions { compat: options.compat, ..ValuesOptions::default() };
        for file in &options.files {
            let (name, text) = match file {
                ValuesFile::Yaml { name, text } => (name.clone(), text.clone()),
                ValuesFile::Parsed(_) => ("values".to_owned(), Vec::new()),
            };
            let given = ValuesOptions { files: vec![file.clone()], ..alone() };
            let given = merge(&given, &mut *read_file)?;
            let source = self.source(SourceKind::File, name, text);
            let given = self.marked(source, &given);
            let files = vec![ValuesFile::Parsed(user), ValuesFile::Parsed(given)];
            user = merge(&ValuesOptions { files, ..alone() }, &mut *read_file)?;
        }
        type Group = fn(&mut ValuesOptions) -> &mut Vec<String>;
        let groups: [(&'static str, &[String], Group); 5] = [
            ("--set-json", &options.set_json, |o| &mut o.set_json),
            ("--set", &options.set, |o| &mut o.set),
            ("--set-string", &options.set_string, |o| &mut o.set_string),
            ("--set-file", &options.set_file, |o| &mut o.set_file),
            ("--set-literal", &options.set_literal, |o| &mut o.set_literal),
        ];
        for (flag, arguments, group) in groups {
            for argument in arguments {
                let mut one = alone();
                one.files.push(ValuesFile::Parsed(user));
                group(&mut one).push(argument.clone());
                user = merge(&one, &mut *read_file)?;
                let kind = SourceKind::Flag { flag, argument: argument.clone() };
                let source = self.source(kind, String::new(), Vec::new());
                // What is no mark yet is what the argument has set.
                user = self.marked(source, &user);
            }
        }
        Ok(user)
    }

    fn source(&mut self, kind: SourceKind, file: String, text: Vec<u8>) -> usize {
        self.sources.push(Source { kind, file, text });
        self.sources.len() - 1
    }

    fn chart(&mut self, chart: &Arc<Chart>, path: &str, root: bool) -> Arc<Chart> {
        let mut marked = Chart::clone(chart);
        if let Some(text) = &chart.values_source {
            let kind = SourceKind::Defaults { chart: path.to_owned(), root };
            let text = text.as_bytes().to_vec();
            let source = self.source(kind, format!("{path}/values.yaml"), text);
            marked.values = self.marked(source, &chart.values);
        }
        let below = |sub: &Arc<Chart>| format!("{path}/charts/{}", sub.metadata.name);
        marked.dependencies =
            chart.dependencies.iter().map(|sub| self.chart(sub, &below(sub), false)).collect();
        Arc::new(marked)
    }

    fn chart_with_booleans(&self, chart: &Arc<Chart>) -> Arc<Chart> {
        let mut changed = Chart::clone(chart);
        if !chart.values.is_nil() {
            changed.values = self.with_booleans(&chart.values);
        }
        changed.dependencies =
            chart.dependencies.iter().map(|sub| self.chart_with_booleans(sub)).collect();
        Arc::new(changed)
    }

    /// A copy in which every value is a mark. Nulls stay, because they delete.
    fn marked(&mut self, source: usize, values: &Map) -> Map {
        if values.is_nil() {
            return values.clone();
        }
        let marked = self.marked_value(source, &Value::Map(values.clone()), &Path::default(), 0);
        marked.as_map().cloned().unwrap_or_default()
    }

    fn marked_value(&mut self, source: usize, value: &Value, path: &Path, depth: u32) -> Value {
        match value {
            Value::Map(map) if depth < MAX_DEPTH => {
                let entries: Vec<_> = map
                    .peek()
                    .iter()
                    .map(|(key, value)| {
                        let path = path.key(&key.to_string_lossy());
                        (key.clone(), self.marked_value(source, value, &path, depth + 1))
                    })
                    .collect();
                Value::Map(Map::from_entries(entries))
            }
            Value::List(list) if depth < MAX_DEPTH => {
                let items = list.iter().enumerate().map(|(index, value)| {
                    let path = path.join(crate::path::Step::Index(index));
                    self.marked_value(source, value, &path, depth + 1)
                });
                Value::list(items.collect())
            }
            Value::Nil => Value::Nil,
            value if self.mark(value).is_some() => value.clone(),
            value => {
                self.marks.push(Mark { source, path: path.clone(), value: value.clone() });
                Value::Str(Str::from(format!("{MARK}{}", self.marks.len() - 1)))
            }
        }
    }

    /// The same with marks of booleans turned back into these.
    fn with_booleans(&self, values: &Map) -> Map {
        let value = self.with_booleans_in(&Value::Map(values.clone()));
        value.as_map().cloned().unwrap_or_default()
    }

    fn with_booleans_in(&self, value: &Value) -> Value {
        match value {
            Value::Map(map) => {
                let entries = map.peek();
                let entries = entries.iter();
                Value::Map(Map::from_entries(
                    entries.map(|(key, value)| (key.clone(), self.with_booleans_in(value))),
                ))
            }
            Value::List(list) => {
                Value::list(list.iter().map(|value| self.with_booleans_in(value)).collect())
            }
            value => match self.mark(value) {
                Some(Mark { value: Value::Bool(truth), .. }) => Value::Bool(*truth),
                _ => value.clone(),
            },
        }
    }
}

/// Deeper tables are marked as a whole.
const MAX_DEPTH: u32 = 200;

/// The path below a subchart's own values, of a path of the root's.
fn below_chart(path: &Path, chart: &str) -> Option<Path> {
    let mut steps = path.steps();
    for name in chart.split("/charts/").skip(1) {
        let (first, rest) = steps.split_first()?;
        if *first != crate::path::Step::Key(name.to_owned()) {
            return None;
        }
        steps = rest;
    }
    Some(steps.iter().cloned().collect())
}

/// Line and column of a path in a values file; those of the key, if it has one.
pub(crate) fn place(text: &[u8], path: &Path) -> Option<(u32, u32)> {
    let mut found = None;
    let mut before = 0;
    for document in split(text) {
        if let Ok(Some(syntax)) = Syntax::parse(document)
            && let Some(node) = syntax.root().and_then(|root| path.node(root))
            && !path.is_empty()
        {
            let node = node.key.unwrap_or(node.value);
            let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            // The last document that has it counts.
            found = Some((number(before + node.line()), number(node.column() + 1)));
        }
        before += document.iter().filter(|b| **b == b'\n').count();
    }
    found
}

/// The documents of a text, each with the separator before it.
fn split(text: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive(|b| *b == b'\n') {
        if line.starts_with(b"---") && at > start {
            found.push(text.get(start..at).unwrap_or_default());
            start = at;
        }
        at += line.len();
    }
    found.push(text.get(start..).unwrap_or_default());
    found
}
