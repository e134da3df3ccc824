//! From a loaded chart to what `helm template` prints.
//!
//! [`render`] makes the checks that stand between loading a chart and rendering it, in Helm's order;
//! [`post_render`] has a program change its manifests,
//! [`label()`] puts labels on its objects; [`print()`], [`show_only`] and [`file_writes`] say what becomes of the outcome. Nothing here does I/O:
//! texts and files come back as bytes for the caller to write.
//!
//! ```
//! use bowsprit::chart::{Chart, File, Limits};
//! use bowsprit::pipeline::{Options, print, render};
//! use bowsprit::value::Hermetic;
//! use bowsprit::{Engine, RenderRequest};
//! use std::sync::Arc;
//!
//! let files = vec![
//!     File::new("Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n"),
//!     File::new("templates/a.yaml", "kind: ConfigMap\n"),
//! ];
//! let chart = Arc::new(Chart::from_files(files, &Limits::default())?.output);
//! let web = Engine::new().compile(chart);
//! let request = RenderRequest::new("demo", "default");
//! let release = render(&web, &request, &Options::default(), &Hermetic::default())?.output;
//! let text = print(&release, &Options::default());
//! assert_eq!(text, b"---\n# Source: web/templates/a.yaml\nkind: ConfigMap\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod label;
mod name;
mod postrender;
mod print;
mod show;
mod write;

pub use error::{Error, ErrorKind, load_diagnostic};
pub use label::{label, unlabelled};
pub use name::{
    MAX_RELEASE_NAME, ReleaseNameError, ReleaseNameReason, TemplateNameError, release_name_from,
    render_data, validate_release_name,
};
pub use postrender::post_render;
pub use print::{pieces, print, print_broken};
pub use show::{TemplateNotFound, show_only, show_only_as};
pub use write::{FileWrite, WriteMode, broken_file_writes, file_writes};

use bowsprit_chart::{Chart, Level, LogLine, Warned, check_dependencies};
use bowsprit_render::compat::ChartVersions;
use bowsprit_render::plan::{Plan, plan_as};
use bowsprit_render::{Compat, CompiledChart, Release, RenderRequest};
use bowsprit_value::{Host, Value};

/// Labels that Helm keeps for itself.
const SYSTEM_LABELS: [&str; 6] = ["name", "owner", "status", "version", "createdAt", "modifiedAt"];

/// What of a release is wanted, and how it is made.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// Puts the custom resource definitions before the manifests (`--include-crds`).
    pub include_crds: bool,
    /// Leaves the hooks out (`--no-hooks`).
    pub no_hooks: bool,
    /// Leaves out the hooks that are tests (`--skip-tests`).
    pub skip_tests: bool,
    /// Names of labels that the release is to have (`--labels`); Helm keeps some for itself.
    pub labels: Vec<String>,
    /// Logs what Helm logs with `--debug`.
    pub debug: bool,
}

/// Checks a loaded chart: whether it can be installed, and whether its dependencies are there. Gives
/// what Helm logs.
///
/// # Errors
///
/// The first thing that Helm complains about.
pub fn check_chart(chart: &Chart) -> Result<Vec<LogLine>, Error> {
    check_chart_as(chart, Compat::default())
}

/// As [`check_chart`], with the words of one of Helm's releases.
///
/// # Errors
///
/// As [`check_chart`].
pub fn check_chart_as(chart: &Chart, compat: Compat) -> Result<Vec<LogLine>, Error> {
    let mut log = Vec::new();
    if let Err(error) = chart.check_installable() {
        return Err(Error::new(ErrorKind::NotInstallable(error), log, compat));
    }
    if chart.metadata.deprecated {
        log.push(LogLine {
            level: Level::Warn,
            message: "this chart is deprecated".to_owned(),
            attrs: Vec::new(),
        });
    }
    // Helm takes the number of subcharts for that of the entries which ask for them.
    let unknown = chart.check_api_version().is_err();
    let wanted = chart.metadata.dependencies.as_ref().map_or(0, Vec::len);
    let unwanted = chart.dependencies.len() > wanted;
    if compat.rules().chart_versions == ChartVersions::Known && unknown && unwanted {
        return Err(Error::new(ErrorKind::DependencyType, log, compat));
    }
    if let Err(error) = check_dependencies(chart) {
        return Err(Error::new(ErrorKind::MissingDependencies(error), log, compat));
    }
    Ok(log)
}

/// Renders a compiled chart after all checks that `helm template` makes, in its order.
///
/// # Errors
///
/// Fails where `helm template` does, with its words.
pub fn render(
    chart: &CompiledChart,
    request: &RenderRequest,
    options: &Options,
    host: &dyn Host,
) -> Result<Warned<Release>, Error> {
    let compat = chart.compat();
    let mut log = check_chart_as(chart.chart(), compat)?;
    if compat.rules().chart_versions == ChartVersions::Known
        && let Err(error) = chart.chart().check_api_version()
    {
        return Err(Error::new(ErrorKind::ApiVersion(error), log, compat));
    }
    if let Err(error) = validate_release_name(&request.release.name) {
        log.push(LogLine {
            level: Level::Error,
            message: "release name check failed".to_owned(),
            attrs: vec![("error", error.to_string())],
        });
        return Err(Error::new(ErrorKind::ReleaseName(error), log, compat));
    }
    let reserved = options.labels.iter().any(|label| SYSTEM_LABELS.contains(&label.as_str()));
    if reserved {
        check_before_labels(chart, request, &mut log)?;
        return Err(Error::new(ErrorKind::SystemLabels, log, compat));
    }
    let at = log.len();
    match chart.render(request, host) {
        Ok(rendered) => {
            log.extend(rendered.warnings);
            add_debug_lines(chart, request, options, at, &mut log);
            Ok(Warned { output: rendered.output, warnings: log })
        }
        Err(error) => {
            log.extend(error.log().iter().cloned());
            add_debug_lines(chart, request, options, at, &mut log);
            Err(Error::new(ErrorKind::Render(error), log, compat))
        }
    }
}

/// Helm looks at the labels after the values and before the version of Kubernetes.
fn check_before_labels(
    chart: &CompiledChart,
    request: &RenderRequest,
    log: &mut Vec<LogLine>,
) -> Result<(), Error> {
    match chart.plan(request) {
        Ok(planned) => log.extend(planned.warnings),
        Err(error) => {
            log.extend(error.log().iter().cloned());
            if !error.has_release() {
                return Err(Error::new(
                    ErrorKind::Render(error),
                    std::mem::take(log),
                    chart.compat(),
                ));
            }
        }
    }
    Ok(())
}

/// Adds what Helm says of the schemas with `--debug`, between what it says of the values and the rest;
/// the log of the render begins at `at`.
fn add_debug_lines(
    chart: &CompiledChart,
    request: &RenderRequest,
    options: &Options,
    at: usize,
    log: &mut Vec<LogLine>,
) {
    if !options.debug || request.skip_schema_validation {
        return;
    }
    let mut planned = Vec::new();
    if let Ok(plan) = plan_as(chart.chart(), &request.values, chart.compat(), &mut planned) {
        let at = log.len().min(at.saturating_add(planned.len()));
        log.splice(at..at, schema_lines(&plan));
    }
}

/// Follows the walk of the schemas' validation.
fn schema_lines(plan: &Plan) -> Vec<LogLine> {
    let line =
        |message: &str, attrs| LogLine { level: Level::Debug, message: message.to_owned(), attrs };
    let mut lines = Vec::new();
    let mut pending = vec![(0, plan.values.clone())];
    while let Some((index, values)) = pending.pop() {
        let Some(instance) = plan.instances.get(index) else { continue };
        let name = instance.name.to_string_lossy().into_owned();
        if let Some(schema) = &instance.chart.schema {
            lines.push(line("chart name", vec![("chart-name", name.clone())]));
            if is_json(schema.as_bytes()) {
                let text = String::from_utf8_lossy(schema.as_bytes()).into_owned();
                lines.push(line("unmarshalled JSON schema", vec![("schema", text)]));
            }
        }
        let count = instance.children.len().to_string();
        let attrs = vec![("chart", name), ("dependencies", count)];
        lines.push(line("number of dependencies in the chart", attrs));
        for &child in instance.children.iter().rev() {
            let Some(name) = plan.instances.get(child).map(|child| &child.name) else { continue };
            if let Some(Value::Map(below)) = values.get(name.as_bytes()) {
                pending.push((child, below));
            }
        }
    }
    lines
}

fn is_json(text: &[u8]) -> bool {
    bowsprit_value::json::decode(text).is_ok()
}
