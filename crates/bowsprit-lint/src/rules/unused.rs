//! Values that no template reads, and values that are read but nowhere defined.

use super::keys::{Key, keys, nearest, slip};
use crate::helm::Linter;
use bowsprit_chart::Chart;
use bowsprit_render::reads::{Place, Reads};
use bowsprit_report::{Finding, Location, Report, Severity, Subject};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A key of a values file and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueKey {
    /// The path, with dots between its parts.
    pub path: String,
    /// The line in the file, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// What is known of it.
    pub usage: Usage,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Usage {
    /// Some template reads it, or what is below it.
    Read,
    /// No template reads it, nor anything below it; with what was probably meant.
    Unused(Option<String>),
    /// It lies in a table that templates use as a whole, or whose keys they choose when they run, but the
    /// chart's own values have another key there that is so near that it was probably meant.
    Doubtful(String),
}

/// Says of each key of a values text for a chart whether a template could read it. Below a key that is
/// not read nothing more is said. None where the chart's templates can't be followed.
pub fn value_usage(chart: &Arc<Chart>, text: &[u8]) -> Option<Vec<ValueKey>> {
    let reads = Reads::of(chart, &[text])?;
    Some(usage(&reads, chart, text))
}

/// The keys of a chart's own values and of other texts that no template reads, as a report with the rule
/// `BS001`. `path` is where the chart lies. None as for [`value_usage`].
pub fn unused_values(
    chart: &Arc<Chart>,
    path: &str,
    texts: &[(String, Vec<u8>)],
    version: &str,
) -> Option<Report> {
    let path = path.trim_end_matches('/');
    let own = chart.values_source.as_ref().map(|text| text.as_bytes().to_vec());
    let own = own.map(|text| (format!("{path}/values.yaml"), text));
    let texts: Vec<&(String, Vec<u8>)> = own.iter().chain(texts).collect();
    let all: Vec<&[u8]> = texts.iter().map(|(_, text)| text.as_slice()).collect();
    let reads = Reads::of(chart, &all)?;
    let mut report = Report::new("values", version);
    report.rules.extend(super::RULES.iter().filter(|rule| rule.code == "BS001").cloned());
    let mut subject = Subject::new(path);
    for (file, text) in texts {
        for key in usage(&reads, chart, text) {
            let Usage::Unused(suggestion) = key.usage else { continue };
            let message = format!("no template reads the value {}", key.path);
            let place = Location::line(file.as_str(), key.line).column(key.column);
            let mut finding = Finding::new("BS001", Severity::Warning, message).at(place);
            finding.help = suggestion.map(|path| format!("did you mean {path}?"));
            subject.findings.push(finding);
        }
    }
    report.subjects.push(subject);
    Some(report)
}

fn usage(reads: &Reads, chart: &Chart, text: &[u8]) -> Vec<ValueKey> {
    let defaults = chart.values_source.as_ref().map(|source| keys(source.as_bytes()));
    let survey = Survey { reads, all: reads.paths() };
    let mut found = Vec::new();
    let defaults = defaults.unwrap_or_default();
    // All values are used as a whole, as by `toYaml .Values`.
    if reads.is_whole(reads.root()) {
        doubtful(&keys(text), &defaults, "", &mut found);
        return found;
    }
    let root = Level { places: vec![reads.root()], defaults };
    survey.level(&keys(text), &root, "", &mut found);
    found
}

/// Where a level of a values file stands: the places that its keys are read at, and the keys that the
/// chart's own values have there.
struct Level {
    places: Vec<Place>,
    defaults: Vec<Key>,
}

struct Survey<'r> {
    reads: &'r Reads,
    /// All paths that are read.
    all: Vec<String>,
}

impl Survey<'_> {
    fn level(&self, keys: &[Key], level: &Level, path: &str, found: &mut Vec<ValueKey>) {
        for key in keys {
            let full =
                if path.is_empty() { key.name.clone() } else { format!("{path}.{}", key.name) };
            let places: Vec<Place> =
                level.places.iter().flat_map(|p| self.reads.children(*p, &key.name)).collect();
            let entry =
                |usage| ValueKey { path: full.clone(), line: key.line, column: key.column, usage };
            let same = level.defaults.iter().find(|default| default.name == key.name);
            let defaults = same.map(|default| default.below.clone()).unwrap_or_default();
            // Only keys that are known when templates run lead there.
            let named = || level.places.iter().any(|p| self.reads.keys(*p).any(|k| k == key.name));
            if same.is_none()
                && places.iter().any(|p| self.reads.is_read(*p) || self.reads.is_whole(*p))
                && !named()
                && let Some(near) = missing_slip(&key.name, keys, &level.defaults)
            {
                let near = if path.is_empty() { near.to_owned() } else { format!("{path}.{near}") };
                found.push(entry(Usage::Doubtful(near)));
                continue;
            }
            if places.iter().any(|place| self.reads.is_whole(*place)) {
                found.push(entry(Usage::Read));
                if !key.is_list {
                    doubtful(&key.below, &defaults, &full, found);
                }
                continue;
            }
            if !places.iter().any(|place| self.reads.is_read(*place)) {
                found.push(entry(Usage::Unused(self.suggest(&key.name, level, path, keys))));
                continue;
            }
            found.push(entry(Usage::Read));
            let places = if key.is_list { self.items(&places) } else { places };
            self.level(&key.below, &Level { places, defaults }, &full, found);
        }
    }

    /// The places of a list's items.
    fn items(&self, places: &[Place]) -> Vec<Place> {
        places.iter().flat_map(|place| self.reads.items(*place)).collect()
    }

    fn suggest(&self, name: &str, level: &Level, path: &str, siblings: &[Key]) -> Option<String> {
        let read: BTreeSet<&str> =
            level.places.iter().flat_map(|place| self.reads.keys(*place)).collect();
        let given = |key: &str| siblings.iter().any(|sibling| sibling.name == key);
        let known = level.defaults.iter().map(|key| key.name.as_str());
        let candidates: BTreeSet<&str> = read.iter().copied().chain(known).collect();
        let full = |key: &str| {
            if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
        };
        let missing = candidates.iter().copied().filter(|key| !given(key) && read.contains(key));
        let near = nearest(name, missing)
            .or_else(|| nearest(name, read.iter().copied()))
            .or_else(|| nearest(name, candidates.iter().copied()));
        if let Some(near) = near {
            return Some(full(near));
        }
        // The right word in the wrong place.
        let suffix = format!(".{name}");
        let mut elsewhere = self.all.iter().filter(|p| p.as_str() == name || p.ends_with(&suffix));
        let first = elsewhere.next()?;
        elsewhere.next().is_none().then(|| first.clone())
    }
}

/// Keys of a table that is used as a whole: any may be right, but hardly one that is a slip away from a
/// key of the chart's own values, which is not given.
fn doubtful(table: &[Key], defaults: &[Key], path: &str, found: &mut Vec<ValueKey>) {
    let full =
        |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    for key in table {
        if let Some(default) = defaults.iter().find(|default| default.name == key.name) {
            if !key.is_list {
                doubtful(&key.below, &default.below, &full(&key.name), found);
            }
            continue;
        }
        if let Some(near) = missing_slip(&key.name, table, defaults) {
            let usage = Usage::Doubtful(full(near));
            found.push(ValueKey {
                path: full(&key.name),
                line: key.line,
                column: key.column,
                usage,
            });
        }
    }
}

/// The key of the chart's own values that is a slip away and is not given.
fn missing_slip<'d>(name: &str, given: &[Key], defaults: &'d [Key]) -> Option<&'d str> {
    let is_given = |name: &str| given.iter().any(|sibling| sibling.name == name);
    slip(name, defaults.iter().map(|key| key.name.as_str()).filter(|name| !is_given(name)))
}

/// Both rules, which share the analysis.
pub(super) fn check(linter: &mut Linter<'_>, chart: &Arc<Chart>) {
    let (source, options) = (linter.source, linter.options);
    let mut texts: Vec<(String, bool, &[u8])> = Vec::new();
    if let Some(text) = source.values.bytes() {
        texts.push(("values.yaml".to_owned(), true, text));
    }
    for file in &options.values_texts {
        texts.push((file.name.clone(), false, &file.text));
    }
    let all: Vec<&[u8]> = texts.iter().map(|(_, _, text)| *text).collect();
    let Some(reads) = Reads::of(chart, &all) else { return };
    if options.rules.has("BS001") {
        for (label, own, text) in &texts {
            for key in usage(&reads, chart, text) {
                let (text, suggestion) = match key.usage {
                    Usage::Read => continue,
                    Usage::Unused(near) => {
                        (format!("no template reads the value {}", key.path), near)
                    }
                    Usage::Doubtful(near) => {
                        (format!("the chart's own values have no {}", key.path), Some(near))
                    }
                };
                let message = linter.own("BS001", label, text);
                message.line = Some(key.line);
                message.column = Some(key.column);
                message.help = suggestion.map(|path| format!("did you mean {path}?"));
                message.outside = !own;
            }
        }
    }
    if options.rules.has("BS002") {
        undefined(linter, chart, &reads);
    }
}

/// Values that templates read, that `values.yaml` does not mention, though it has the table they would
/// be in.
fn undefined(linter: &mut Linter<'_>, chart: &Chart, reads: &Reads) {
    let Some(text) = linter.source.values.bytes() else { return };
    let defined = keys(text);
    let words = String::from_utf8_lossy(text);
    let mut pending = vec![(reads.root(), defined.as_slice(), String::new())];
    let subcharts: BTreeSet<&str> = chart
        .dependencies
        .iter()
        .map(|sub| sub.metadata.name.as_str())
        .chain(chart.metadata.dependencies().map(|dependency| dependency.key()))
        .chain(["global", "tags"])
        .collect();
    let mut complaints = Vec::new();
    while let Some((place, defined, path)) = pending.pop() {
        for name in reads.keys(place) {
            if path.is_empty() && subcharts.contains(name) {
                continue;
            }
            let full = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            match defined.iter().find(|key| key.name == name) {
                Some(key) if key.below.is_empty() || key.is_list => {}
                Some(key) => {
                    let children = reads.children(place, name);
                    pending
                        .extend(children.map(|child| (child, key.below.as_slice(), full.clone())));
                }
                // An option that is only spoken of in a comment is there all the same.
                None if words.contains(&format!("{name}:")) => {}
                None => complaints.extend(reads.children(place, name).filter_map(|child| {
                    let origin = reads.origin(child)?;
                    let near = nearest(name, defined.iter().map(|key| key.name.as_str()));
                    Some((origin.clone(), full.clone(), near.map(str::to_owned)))
                })),
            }
        }
    }
    complaints.sort_by(|a, b| (&a.0.file, a.0.line, &a.1).cmp(&(&b.0.file, b.0.line, &b.1)));
    complaints.dedup_by(|a, b| a.1 == b.1);
    let prefix = format!("{}/", chart.metadata.name);
    for (origin, path, near) in complaints {
        let file = origin.file.to_string_lossy().into_owned();
        let label = file.strip_prefix(&prefix).unwrap_or(&file).to_owned();
        let text = format!("the value {path} is read here but is not in values.yaml");
        let message = linter.own("BS002", &label, text);
        message.line = u32::try_from(origin.line).ok();
        message.column = u32::try_from(origin.column).ok();
        message.help = near.map(|near| format!("did you mean {near}?"));
    }
}
