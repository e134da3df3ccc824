//! What a render costs, stage by stage.
//!
//! ```text
//! cargo bench -p bowsprit-benches                 # the charts in fixtures/charts
//! cargo bench -p bowsprit-benches -- a.tgz b/     # other charts
//! ```
//!
//! The stages are those that an embedder pays for at different times: loading a chart (files or an
//! archive to a parsed chart), its first render (every template is parsed and compiled when it is first
//! needed), and each further render of the same compiled chart. Figures are medians of wall time.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::error::Error;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bowsprit_loader::{Options, load_path};
use bowsprit_render::{CompiledChart, Engine, RenderRequest};
use bowsprit_testkit::repository;
use bowsprit_value::Hermetic;

/// Charts of the repository that render without values of a user.
const CHARTS: &[&str] = &["mychart", "engine", "subcharts", "hmco-platform", "cache-0.2.0.tgz"];

/// How long each stage is repeated, and how often at least.
const BUDGET: Duration = Duration::from_millis(700);
const AT_LEAST: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds flags of its own, such as --bench.
    let given = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).map(PathBuf::from);
    let mut charts: Vec<PathBuf> = given.collect();
    if charts.is_empty() {
        let root = repository().join("fixtures/charts");
        charts.extend(CHARTS.iter().map(|chart| root.join(chart)));
    }
    println!(
        "{:<28} {:>10} {:>12} {:>10} {:>9}",
        "chart", "load", "first render", "render", "output"
    );
    for chart in &charts {
        bench(chart).map_err(|error| format!("{}: {error}", chart.display()))?;
    }
    Ok(())
}

fn bench(path: &Path) -> Result<(), Box<dyn Error>> {
    let engine = Engine::new();
    let chart = Arc::new(load_path(path, &Options::default())?.output);
    let compiled = engine.compile(Arc::clone(&chart));
    let bytes = render(&compiled)?;

    let load = median(|| drop(black_box(load_path(path, &Options::default()))));
    let first = median(|| drop(black_box(render(&engine.compile(Arc::clone(&chart))))));
    let again = median(|| drop(black_box(render(&compiled))));

    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    println!(
        "{name:<28} {:>10} {:>12} {:>10} {bytes:>9}",
        microseconds(load),
        microseconds(first),
        microseconds(again)
    );
    Ok(())
}

/// Renders and returns how many bytes the manifests have.
fn render(chart: &CompiledChart) -> Result<usize, Box<dyn Error>> {
    let request = RenderRequest::new("bench", "default");
    let release = chart.render(&request, &Hermetic::default())?.output;
    Ok(release.manifest(false).len())
}

fn median(mut run: impl FnMut()) -> Duration {
    let mut times = Vec::new();
    let start = Instant::now();
    while times.len() < AT_LEAST || start.elapsed() < BUDGET {
        let lap = Instant::now();
        run();
        times.push(lap.elapsed());
    }
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn microseconds(time: Duration) -> String {
    format!("{:.1} µs", time.as_secs_f64() * 1e6)
}
