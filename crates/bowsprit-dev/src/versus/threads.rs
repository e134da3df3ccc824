//! How much more two threads render than one, of one compiled chart.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bowsprit::loader::{Options, load_path};
use bowsprit::render::{CompiledChart, Engine, RenderRequest};
use bowsprit::value::Hermetic;
use serde_json::{Value, json};

use super::charts::Named;
use super::process::Runner;

const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(200);

/// Renders a second.
#[derive(Debug, Clone)]
pub(super) struct Rates {
    pub(super) name: String,
    pub(super) one: f64,
    pub(super) two: f64,
}

/// Measures in a process of its own.
pub(super) fn rates(runner: &Runner, chart: &Named) -> Result<Rates, String> {
    let myself = std::env::current_exe().map_err(|e| e.to_string())?;
    let path = chart.path.to_string_lossy();
    let answer = runner.output(&myself, &["versus-helm", "--threads", &*path])?;
    let answer: Value = serde_json::from_slice(&answer).map_err(|e| e.to_string())?;
    let rate = |name: &str| answer[name].as_f64().ok_or_else(|| format!("threads: no {name}"));
    Ok(Rates { name: chart.name.clone(), one: rate("one")?, two: rate("two")? })
}

/// The other side of [`rates`]. Rounds of one thread and of two follow one another, so that both see
/// the same machine; the median round counts.
pub(super) fn measure(args: &[String]) -> Result<String, String> {
    let [chart] = args else { return Err("--threads: lacks a chart".into()) };
    let loaded = load_path(Path::new(chart), &Options::default());
    let chart = Arc::new(loaded.map_err(|e| format!("{chart}: {e}"))?.output);
    let compiled = Engine::new().compile(chart);
    let request = RenderRequest::new("r", "default");
    compiled.render(&request, &Hermetic::default()).map_err(|e| e.to_string())?;
    let mut rounds: Vec<(f64, f64)> =
        (0..ROUNDS).map(|_| (rate(&compiled, 1), rate(&compiled, 2))).collect();
    rounds.sort_by(|a, b| (a.1 / a.0).total_cmp(&(b.1 / b.0)));
    let (one, two) = rounds.get(ROUNDS / 2).copied().unwrap_or_default();
    Ok(json!({ "one": one, "two": two }).to_string())
}

/// Renders a second, of all threads together.
fn rate(chart: &CompiledChart, threads: usize) -> f64 {
    let done = AtomicUsize::new(0);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while start.elapsed() < ROUND {
                    let request = RenderRequest::new("r", "default");
                    if chart.render(&request, &Hermetic::default()).is_ok() {
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
}
