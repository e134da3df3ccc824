//! The stages of a render, each ready to be run any number of times.

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use bowsprit::chart::Chart;
use bowsprit::loader::{Options, load_path};
use bowsprit::manifest::{Order, sort_manifests, split};
use bowsprit::pipeline;
use bowsprit::render::plan::{Plan, plan};
use bowsprit::render::values::ValuesError;
use bowsprit::render::{CompiledChart, Engine, RenderRequest, RenderedFiles};
use bowsprit::value::Hermetic;

/// A stage: its name, and one run of it.
pub(crate) type Stage = (&'static str, Box<dyn FnMut()>);

type Outcome<T> = Result<T, Box<dyn Error>>;

fn request() -> RenderRequest {
    RenderRequest::new("bench", "default")
}

fn load(path: &Path) -> Outcome<Arc<Chart>> {
    Ok(Arc::new(load_path(path, &Options::default())?.output))
}

/// Parses and compiles every template, by a render that runs only a blank one.
fn compile(engine: &Engine, chart: &Arc<Chart>) -> Outcome<CompiledChart> {
    let compiled = engine.compile(Arc::clone(chart));
    compiled.render_text("blank", b"", &request(), &Hermetic::default())?;
    Ok(compiled)
}

/// A plan as for values that the chart has not been rendered with before.
fn values_of(chart: &CompiledChart) -> Result<Plan, ValuesError> {
    let mut log = Vec::new();
    let plan = plan(chart.chart(), &request().values, &mut log)?;
    chart.check_schemas(&plan, &mut log)?;
    Ok(plan)
}

fn whole(path: &Path) -> Outcome<Vec<u8>> {
    let compiled = Engine::new().compile(load(path)?);
    let options = pipeline::Options::default();
    let release = pipeline::render(&compiled, &request(), &options, &Hermetic::default())?.output;
    Ok(pipeline::print(&release, &options))
}

/// The stages of a chart, in the order in which a render goes through them.
///
/// - `load`: the files or the archive to a parsed chart
/// - `compile`: all templates, and one plan
/// - `values`: defaults, subcharts, coalescing and schemas
/// - `render`: templates to files, the chart being compiled and its plan known from the render before
/// - `yaml`: the text of the root's `values.yaml` to values and back
/// - `split`: the rendered files into documents
/// - `sort`: the same, with the YAML of each document checked and its head read
/// - `whole`: all of it, and the text that is printed
/// - `copy`: that text, copied; the floor below which nothing gets
///
/// # Errors
///
/// Fails where the chart does not render.
pub(crate) fn stages(path: &Path) -> Outcome<Vec<Stage>> {
    let engine = Engine::new();
    let chart = load(path)?;
    let compiled = compile(&engine, &chart)?;
    let mut files = compiled.render_files(&request(), &Hermetic::default())?.output;
    files.retain(|name, _| !name.ends_with("NOTES.txt"));
    let values = chart.values_source.clone().unwrap_or_default();
    let output = whole(path)?;
    let (split_files, path) = (files.clone(), path.to_owned());
    let again = path.clone();
    let (planned, rendered) = (compiled.clone(), compiled);
    Ok(vec![
        ("load", Box::new(move || drop(black_box(load(&path))))),
        ("compile", Box::new(move || drop(black_box(compile(&engine, &chart))))),
        ("values", Box::new(move || drop(black_box(values_of(&planned))))),
        (
            "render",
            Box::new(move || {
                drop(black_box(rendered.render_files(&request(), &Hermetic::default())));
            }),
        ),
        (
            "yaml",
            Box::new(move || {
                let values = bowsprit::yaml::read_values(&values).unwrap_or_default();
                let mut out = Vec::new();
                let written = bowsprit::yaml::encode(
                    &values.into(),
                    &mut out,
                    &bowsprit::value::Meter::default(),
                );
                drop(black_box((written, out)));
            }),
        ),
        (
            "split",
            Box::new(move || {
                black_box(split_files.values().map(|text| split(text).count()).sum::<usize>());
            }),
        ),
        (
            "sort",
            Box::new(move || {
                black_box(sort(&files));
            }),
        ),
        ("whole", Box::new(move || drop(black_box(whole(&again))))),
        ("copy", Box::new(move || drop(black_box(output.clone())))),
    ])
}

fn sort(files: &RenderedFiles) -> usize {
    let files = files.iter().map(|(name, text)| (name.as_str(), text.as_slice()));
    sort_manifests(files, Order::Install).map_or(0, |outcome| outcome.sorted.manifests.len())
}
