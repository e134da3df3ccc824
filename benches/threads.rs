//! How much more two threads render than one, of one compiled chart.
//!
//! ```text
//! cargo bench -p bowsprit-benches --bench threads -- CHART...
//! ```
//!
//! Rounds of one thread and of two follow one another, so that both see the same machine; what counts is
//! the median of the rounds' ratios. The machine needs two idle cores.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bowsprit::loader::{Options, load_path};
use bowsprit::render::{CompiledChart, Engine, RenderRequest};
use bowsprit::value::Hermetic;
use bowsprit_testkit::repository;

const CHARTS: &[&str] = &["engine", "subcharts", "hmco-platform"];
const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(200);

fn main() -> Result<(), Box<dyn Error>> {
    let given = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).map(PathBuf::from);
    let mut charts: Vec<PathBuf> = given.collect();
    if charts.is_empty() {
        let root = repository().join("fixtures/charts");
        charts.extend(CHARTS.iter().map(|chart| root.join(chart)));
    }
    println!(
        "{:<28} {:>14} {:>14} {:>7}",
        "renders a second", "one thread", "two threads", "ratio"
    );
    for chart in &charts {
        measure(chart).map_err(|error| format!("{}: {error}", chart.display()))?;
    }
    Ok(())
}

fn measure(path: &Path) -> Result<(), Box<dyn Error>> {
    let chart = Arc::new(load_path(path, &Options::default())?.output);
    let compiled = Engine::new().compile(chart);
    compiled.render(&RenderRequest::new("bench", "default"), &Hermetic::default())?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let one = rate(&compiled, 1);
        rounds.push((one, rate(&compiled, 2)));
    }
    rounds.sort_by(|a, b| (a.1 / a.0).total_cmp(&(b.1 / b.0)));
    let (one, two) = rounds.get(ROUNDS / 2).copied().unwrap_or_default();
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    println!("{name:<28} {one:>14.1} {two:>14.1} {:>6.2}×", two / one);
    Ok(())
}

/// Renders a second, of all threads together.
fn rate(chart: &CompiledChart, threads: usize) -> f64 {
    let done = AtomicUsize::new(0);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while start.elapsed() < ROUND {
                    let request = RenderRequest::new("bench", "default");
                    if chart.render(&request, &Hermetic::default()).is_ok() {
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
}
