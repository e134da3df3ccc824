//! Suites at once, results in their order.

use super::Options;
use super::files::join;
use bowsprit_loader::PathError;
use bowsprit_render::CompiledChart;
use bowsprit_template::Observer;
use bowsprit_unittest::{Coverage, Snapshots, Suite, SuiteResult, World};
use bowsprit_value::Host;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

/// Runs suites and hands over each result, in the order of the suites. With `fail_fast` nothing is run after
/// a suite that failed.
pub(super) fn run(
    chart: &CompiledChart,
    suites: &[Suite],
    options: &Options,
    outside: (&dyn Host, &dyn World),
    coverage: Option<&mut Coverage>,
    done: &mut dyn FnMut(&SuiteResult),
) -> Vec<SuiteResult> {
    if options.run.fail_fast {
        return one_by_one(chart, suites, options, outside, coverage, done);
    }
    let groups = groups(suites);
    let threads = match options.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let (covered, counted) = mpsc::channel();
    let mut waiting: BTreeMap<usize, SuiteResult> = BTreeMap::new();
    let mut results = Vec::with_capacity(suites.len());
    std::thread::scope(|scope| {
        for _ in 0..threads.min(groups.len()) {
            let (sender, next, groups) = (sender.clone(), &next, &groups);
            let mut own = coverage.is_some().then(Coverage::default);
            let covered = covered.clone();
            scope.spawn(move || {
                while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                    for (number, suite) in group {
                        let result = one(chart, suite, options, outside, own.as_mut());
                        if sender.send((*number, result)).is_err() {
                            return;
                        }
                    }
                }
                // Whoever listens has gone only if all is over.
                let _ = own.map(|own| covered.send(own));
            });
        }
        drop((sender, covered));
        for (number, result) in receiver {
            waiting.insert(number, result);
            while let Some(result) = waiting.remove(&results.len()) {
                done(&result);
                results.push(result);
            }
        }
    });
    if let Some(coverage) = coverage {
        counted.into_iter().for_each(|own| coverage.merge(own));
    }
    results
}

fn one_by_one(
    chart: &CompiledChart,
    suites: &[Suite],
    options: &Options,
    outside: (&dyn Host, &dyn World),
    mut coverage: Option<&mut Coverage>,
    done: &mut dyn FnMut(&SuiteResult),
) -> Vec<SuiteResult> {
    let mut results = Vec::new();
    for suite in suites {
        let result = one(chart, suite, options, outside, coverage.as_deref_mut());
        done(&result);
        let stop = result.failed_fast;
        results.push(result);
        if stop {
            break;
        }
    }
    results
}

/// Suites with one snapshot file come one after the other: each reads what the one before has written.
fn groups(suites: &[Suite]) -> Vec<Vec<(usize, &Suite)>> {
    let mut groups: Vec<Vec<(usize, &Suite)>> = Vec::new();
    let mut by_file: BTreeMap<String, usize> = BTreeMap::new();
    for (number, suite) in suites.iter().enumerate() {
        let group = *by_file.entry(suite.snapshot_base()).or_insert(groups.len());
        match groups.get_mut(group) {
            Some(group) => group.push((number, suite)),
            None => groups.push(vec![(number, suite)]),
        }
    }
    groups
}

fn one(
    chart: &CompiledChart,
    suite: &Suite,
    options: &Options,
    outside: (&dyn Host, &dyn World),
    coverage: Option<&mut Coverage>,
) -> SuiteResult {
    let file = snapshot_file(&suite.snapshot_base());
    let read = match std::fs::read(&file) {
        Ok(text) => Snapshots::parse(Some(&text), options.update_snapshots),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Snapshots::parse(None, options.update_snapshots)
        }
        Err(error) => Err(PathError::new("open", Path::new(&file), error).to_string()),
    };
    let mut snapshots = match read {
        Ok(snapshots) => snapshots,
        Err(error) => return SuiteResult::failed(suite.file.clone(), error),
    };
    let observer = coverage.map(|coverage| coverage as &mut dyn Observer);
    let mut result =
        bowsprit_unittest::run(chart, suite, &mut snapshots, &options.run, outside, observer);
    if let Some(text) = snapshots.to_store()
        && let Err(error) = store(&file, &text)
    {
        result.passed = false;
        result.error = Some(error);
    }
    result
}

fn snapshot_file(suite: &str) -> String {
    let (dir, base) = suite.rsplit_once('/').unwrap_or(("", suite));
    let base = format!("{base}.snap");
    match suite.starts_with('/') {
        true => join(&["/", dir, "__snapshot__", &base]),
        false => join(&[dir, "__snapshot__", &base]),
    }
}

fn store(file: &str, text: &str) -> Result<(), String> {
    let path = Path::new(file);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| PathError::new("mkdir", folder, error).to_string())?;
    }
    std::fs::write(path, text).map_err(|error| PathError::new("open", path, error).to_string())
}
