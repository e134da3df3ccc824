//! What the stages cost inside a process, on a chart that is loaded once.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bowsprit::loader::{Options, load_path};
use bowsprit::render::{CompiledChart, Engine, RenderRequest};
use bowsprit::value::{Hermetic, Map};
use nix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use super::process::Runner;
use super::stats::median;

/// Medians of CPU time in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ours {
    pub(super) load: f64,
    /// Compiling and rendering.
    pub(super) first: f64,
    /// A render of the compiled chart with the values of the render before.
    pub(super) render: f64,
    /// A render with other values each time; none where the chart's schema forbids the one that differs.
    pub(super) changed: Option<f64>,
    /// Whether private keys are in the output. How long it takes to find one is luck.
    pub(super) keys: bool,
}

/// Medians of CPU time in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Theirs {
    pub(super) load: f64,
    pub(super) deps: f64,
    pub(super) values: f64,
    pub(super) schema: f64,
    pub(super) render: f64,
    pub(super) sort: f64,
}

impl Theirs {
    /// What Helm does with a loaded chart at each render, without what it does once for a chart.
    pub(super) fn engine(&self) -> f64 {
        self.values + self.render + self.sort
    }

    /// The same work as a render of ours: subcharts and schemas too.
    pub(super) fn same_work(&self) -> f64 {
        self.engine() + self.deps + self.schema
    }
}

/// How often a stage runs at least.
const AT_LEAST: usize = 3;

pub(super) fn ours(runner: &Runner, chart: &str, budget: Duration) -> Result<Ours, String> {
    let myself = std::env::current_exe().map_err(|e| e.to_string())?;
    let budget = budget.as_millis().to_string();
    let answer = runner.output(&myself, &["versus-helm", "--inside", &budget, chart])?;
    let answer: Value = serde_json::from_slice(&answer).map_err(|e| e.to_string())?;
    let field = |name: &str| answer[name].as_f64().ok_or_else(|| format!("inside: no {name}"));
    Ok(Ours {
        load: field("load")?,
        first: field("first")?,
        render: field("render")?,
        changed: answer["changed"].as_f64(),
        keys: answer["keys"] == true,
    })
}

pub(super) fn theirs(
    runner: &Runner,
    gobench: &Path,
    chart: &str,
    budget: Duration,
) -> Result<Theirs, String> {
    let budget = format!("{}ms", budget.as_millis());
    let answer = runner.output(
        gobench,
        &["-mode", "brief", "-min", &AT_LEAST.to_string(), "-t", &budget, chart],
    )?;
    parse(&String::from_utf8_lossy(&answer))
}

/// Reads lines such as `render   wall median 1.1 min 0.8  cpu median 1.1 min 0.8 ms ...`.
fn parse(text: &str) -> Result<Theirs, String> {
    let stage = |name: &str| {
        let line = text.lines().find(|line| line.split_ascii_whitespace().next() == Some(name));
        let cpu = line.and_then(|line| line.split_once("cpu median"));
        let figure = cpu.and_then(|(_, rest)| rest.split_ascii_whitespace().next());
        figure.and_then(|figure| figure.parse().ok()).ok_or_else(|| format!("gobench: no {name}"))
    };
    Ok(Theirs {
        load: stage("load")?,
        deps: stage("deps")?,
        values: stage("values")?,
        schema: stage("schema")?,
        render: stage("render")?,
        sort: stage("sort")?,
    })
}

/// The other side of [`ours`].
pub(super) fn measure(args: &[String]) -> Result<String, String> {
    let [budget, chart] = args else { return Err("--inside: lacks a budget and a chart".into()) };
    let budget = Duration::from_millis(budget.parse().map_err(|_| "--inside: no number")?);
    let path = Path::new(chart);
    let load = || load_path(path, &Options::default()).map_err(|e| format!("{chart}: {e}"));
    let engine = Engine::new();
    let tree = Arc::new(load()?.output);
    let compiled = engine.compile(Arc::clone(&tree));
    let manifest = render(&compiled, None)?;
    let keys = KEYS.iter().any(|key| manifest.windows(key.len()).any(|part| part == *key));
    let answer = json!({
        "keys": keys,
        "load": repeat(budget, || drop(black_box(load()))),
        "first": repeat(budget, || drop(black_box(render(&engine.compile(Arc::clone(&tree)), None)))),
        "render": repeat(budget, || drop(black_box(render(&compiled, None)))),
        "changed": changed(&compiled, budget),
    });
    Ok(answer.to_string())
}

/// The head of an RSA key in PEM, and the same in base64.
const KEYS: [&[u8]; 2] = [b"BEGIN RSA PRIVATE KEY", b"LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVkt"];

fn changed(chart: &CompiledChart, budget: Duration) -> Option<f64> {
    render(chart, Some(0)).ok()?;
    let mut number = 0;
    Some(repeat(budget, || {
        number += 1;
        drop(black_box(render(chart, Some(number))));
    }))
}

/// Renders, with a value that makes the values others if there is a number.
fn render(chart: &CompiledChart, number: Option<i64>) -> Result<Vec<u8>, String> {
    let mut request = RenderRequest::new("r", "default");
    if let Some(number) = number {
        let globals = Map::from_entries([("render".into(), bowsprit::value::Value::int(number))]);
        request.values = Map::from_entries([("global".into(), globals.into())]);
    }
    let release = chart.render(&request, &Hermetic::default()).map_err(|e| e.to_string())?;
    Ok(release.output.manifest(false).into())
}

/// Milliseconds of CPU time of this process.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID);
    time.map_or(0.0, |time| Duration::from(time).as_secs_f64() * 1e3)
}

fn repeat(budget: Duration, mut run: impl FnMut()) -> f64 {
    let mut costs = Vec::new();
    let start = Instant::now();
    run();
    while costs.len() < AT_LEAST || start.elapsed() < budget {
        let before = cpu();
        run();
        costs.push(cpu() - before);
    }
    median(costs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_read_from_what_gobench_prints() {
        let line = |name: &str, figure: u32| {
            format!(
                "{name:<8} wall median     9.900 min     9.000  cpu median     {figure}.500 min     0.800 ms\n"
            )
        };
        let mut text =
            "# podinfo: 22 rendered files, 5388 bytes\ndeps     cpu median     0.001 ms\n"
                .to_string();
        for (figure, name) in (1..).zip(["load", "values", "schema", "render", "sort", "all"]) {
            text.push_str(&line(name, figure));
        }
        let theirs = parse(&text).unwrap();
        assert_eq!(theirs.engine(), 2.5 + 4.5 + 5.5);
        assert_eq!(theirs.same_work(), 12.5 + 0.001 + 3.5);
        assert!(parse("nothing").is_err());
    }
}
