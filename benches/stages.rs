//! What a render costs, stage by stage.
//!
//! ```text
//! cargo bench -p bowsprit-benches --bench stages                 # the charts in fixtures/charts
//! cargo bench -p bowsprit-benches --bench stages -- a.tgz b/     # other charts
//! ```
//!
//! Figures are medians of wall time in microseconds. An embedder pays for the stages at different times:
//! for `load` and `compile` once per chart, for `values` at every render with other values than the one
//! before, for `render` at every one. `bowsprit-dev counts` counts the instructions and allocations of the same
//! stages.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[path = "work.rs"]
mod work;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bowsprit_testkit::repository;

/// Charts of the repository that render without values of a user.
const CHARTS: &[&str] = &["mychart", "engine", "subcharts", "hmco-platform", "cache-0.2.0.tgz"];

/// How long each stage is repeated, and how often at least.
const BUDGET: Duration = Duration::from_millis(400);
const AT_LEAST: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds flags of its own, such as --bench.
    let given = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).map(PathBuf::from);
    let mut charts: Vec<PathBuf> = given.collect();
    if charts.is_empty() {
        let root = repository().join("fixtures/charts");
        charts.extend(CHARTS.iter().map(|chart| root.join(chart)));
    }
    let mut headed = false;
    for chart in &charts {
        let stages =
            work::stages(chart).map_err(|error| format!("{}: {error}", chart.display()))?;
        if !std::mem::replace(&mut headed, true) {
            let names: String = stages.iter().map(|(stage, _)| format!(" {stage:>10}")).collect();
            println!("{:<28}{names}", "µs");
        }
        println!("{:<28}{}", name(chart), figures(stages));
    }
    Ok(())
}

fn name(chart: &Path) -> String {
    chart.file_name().unwrap_or(chart.as_os_str()).to_string_lossy().into_owned()
}

fn figures(stages: Vec<work::Stage>) -> String {
    let figure = |(_, run): work::Stage| format!(" {:>10.1}", median(run).as_secs_f64() * 1e6);
    stages.into_iter().map(figure).collect()
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
