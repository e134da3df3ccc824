//! The suites of a chart and its subcharts.

use super::Options;
use super::files::{absolute, join, relative};
use super::glob;
use bowsprit_chart::{Chart, Dependency};
use bowsprit_loader::PathError;
use bowsprit_render::values::merge_values_tables;
use bowsprit_render::{CompiledChart, RenderRequest};
use bowsprit_unittest::{ReadOptions, Suite, SuiteResult, read};
use bowsprit_value::{Hermetic, Map, Value};
use std::path::Path;
use std::sync::Arc;

/// Why suites can't be read, and how the file that is to blame is shown.
pub(super) struct Failed {
    pub(super) error: String,
    pub(super) suite: Option<Box<SuiteResult>>,
}

impl From<String> for Failed {
    fn from(error: String) -> Failed {
        Failed { error, suite: None }
    }
}

/// All suites, in the order in which they are to be run.
pub(super) fn find(
    path: &str,
    compiled: &CompiledChart,
    options: &Options,
) -> Result<Vec<Suite>, Failed> {
    let chart = compiled.chart();
    let name = &chart.metadata.name;
    let mut suites = of_chart(path, name, options)?;
    if options.with_subcharts {
        let values = merged_values(path, chart, options);
        of_subcharts(path, name, chart, values.as_ref(), options, &mut suites);
    }
    Ok(suites)
}

/// Charts are nested no deeper by any loader.
fn of_subcharts(
    path: &str,
    route: &str,
    chart: &Arc<Chart>,
    values: Option<&Map>,
    options: &Options,
    suites: &mut Vec<Suite>,
) {
    let mut subcharts: Vec<&Arc<Chart>> = chart.dependencies.iter().collect();
    subcharts.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    for subchart in subcharts {
        let name = &subchart.metadata.name;
        let declared = chart.metadata.dependencies().find(|dependency| dependency.key() == name);
        if let (Some(values), Some(dependency)) = (values, declared)
            && !is_enabled(dependency, values)
        {
            continue;
        }
        let path = join(&[path, "charts", name]);
        let route = format!("{route}/charts/{name}");
        // What is wrong with a subchart's suites is not this chart's fault.
        let Ok(own) = of_chart(&path, &route, options) else { continue };
        suites.extend(own);
        of_subcharts(&path, &route, subchart, values, options, suites);
    }
}

fn is_enabled(dependency: &Dependency, values: &Map) -> bool {
    if !dependency.condition.is_empty() {
        let mut at = Value::Map(values.clone());
        for part in dependency.condition.split('.') {
            match at.as_map().and_then(|map| map.get(part.as_bytes())) {
                Some(next) => at = next,
                None => return true,
            }
        }
        return !matches!(at, Value::Bool(false));
    }
    let tags = dependency.tags.iter().flatten();
    match values.get(b"tags") {
        Some(Value::Map(set)) if tags.clone().next().is_some() => {
            tags.into_iter().any(|tag| matches!(set.get(tag.as_bytes()), Some(Value::Bool(true))))
        }
        _ => true,
    }
}

/// The values that conditions of subcharts are judged by; none if a file can't be read.
fn merged_values(path: &str, chart: &Chart, options: &Options) -> Option<Map> {
    let mut base = chart.values.fork();
    for name in &options.values {
        let file = if name.starts_with('/') { name.clone() } else { join(&[path, name]) };
        let text = std::fs::read(file).ok()?;
        let values = match bowsprit_yaml::decode_any(&text).ok()? {
            Value::Map(map) => map,
            Value::Nil => Map::new(),
            _ => return None,
        };
        merge_values_tables(&values, &base, &mut Vec::new());
        base = values;
    }
    Some(base)
}

fn of_chart(path: &str, route: &str, options: &Options) -> Result<Vec<Suite>, Failed> {
    let mut files = Vec::new();
    let mut last: Option<&String> = None;
    for pattern in &options.files {
        if last == Some(pattern) {
            continue;
        }
        last = Some(pattern);
        files.extend(suite_files(path, pattern)?);
    }
    let mut reading = ReadOptions::default();
    route.clone_into(&mut reading.route);
    reading.strict = options.strict;
    for pattern in &options.values {
        let found = if pattern.starts_with('/') {
            vec![pattern.clone()]
        } else {
            glob::files(pattern).map_err(Failed::from)?
        };
        reading.values.extend(found.iter().map(|file| absolute(file)));
    }
    let rendered = rendered_suites(path, &reading, options)?;
    let mut suites = Vec::new();
    for file in files {
        reading.file = relative(&file);
        let text = std::fs::read(&file)
            .map_err(|error| PathError::new("open", Path::new(&file), error).to_string());
        let found = text.and_then(|text| read(&text, &reading).map_err(|e| e.to_string()));
        suites.extend(found.map_err(|error| Failed {
            suite: Some(Box::new(SuiteResult::failed(file.clone(), error.clone()))),
            error,
        })?);
    }
    suites.extend(rendered);
    Ok(suites)
}

fn suite_files(path: &str, pattern: &str) -> Result<Vec<String>, Failed> {
    if pattern.starts_with('/') {
        return Ok(vec![pattern.to_owned()]);
    }
    let base = format!("{path}/");
    let pattern =
        if pattern.contains(&base) { pattern.to_owned() } else { join(&[&base, pattern]) };
    Ok(glob::files(&pattern)?)
}

/// The suites that the templates of a chart of suites print.
fn rendered_suites(
    path: &str,
    reading: &ReadOptions,
    options: &Options,
) -> Result<Vec<Suite>, Failed> {
    let folder = join(&[path, &options.chart_tests]);
    if options.chart_tests.is_empty() || !Path::new(&folder).exists() {
        return Ok(Vec::new());
    }
    let chart_yaml = join(&[&folder, "Chart.yaml"]);
    if let Err(error) = Path::new(&chart_yaml).metadata() {
        let error = PathError::new("stat", Path::new(&chart_yaml), error);
        return Err(error.to_string().into());
    }
    let compiled = super::open(&folder, options)?;
    let name = compiled.chart().metadata.name.clone();
    let mut request = RenderRequest::new("TEST-SUITE-RELEASE", "NAMESPACE");
    request.release.is_install = false;
    request.capabilities = bowsprit_render::Capabilities::of(options.compat);
    let plan = compiled.plan(&request).map_err(|error| error.to_string())?.output;
    let rendered = compiled
        .render_plan(&plan, &request, &Hermetic::default(), None)
        .map_err(|error| error.to_string())?;
    let (mut suites, mut errors) = (Vec::new(), Vec::new());
    for (template, text) in rendered.output {
        let mut reading = reading.clone();
        reading.rendered = true;
        reading.file = relative(&join(&[&folder, &template.replacen(&name, "", 1)]));
        match read(&text, &reading) {
            Ok(found) if found.is_empty() => errors
                .push(format!("test suite template ({template}) file did not render a manifest")),
            Ok(found) => suites.extend(found),
            Err(error) => {
                errors.push(format!("test suite template ({template}) error: {error}"));
            }
        }
    }
    if errors.is_empty() { Ok(suites) } else { Err(errors.join("\n").into()) }
}
