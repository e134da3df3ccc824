//! Both sides in turn, on the same charts, in one run: bowsprit and Helm 4.2.4.
//!
//! Writes `benchmarks.md` and `benchmarks.svg`. Every figure in them comes from the run that writes
//! them.

mod charts;
mod families;
mod inside;
mod options;
mod plot;
mod process;
mod programs;
mod report;
mod stats;
mod threads;

pub(crate) use stats::median;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bowsprit_testkit::repository;

use self::charts::{Charts, Named};
use self::families::{Families, Growth};
use self::inside::{Ours, Theirs};
use self::options::Options;
use self::process::{Cost, Runner};
use self::programs::Programs;
use crate::TaskResult;

/// What one run found.
#[derive(Debug)]
struct Results {
    versions: Vec<String>,
    runs: usize,
    family_runs: usize,
    whole: Vec<Whole>,
    /// The same with charts that are found compiled.
    again: Vec<Whole>,
    inside: Vec<Inside>,
    corpus: Vec<Inside>,
    /// Charts that do not render without values, on either side.
    left_out: usize,
    /// Charts that make keys.
    with_keys: usize,
    growths: Vec<Growth>,
    /// Renders a second of each chart by one thread and by two.
    threads: Vec<threads::Rates>,
    /// The command line that was given.
    command: String,
    /// Instructions of each stage, as held in `benches/counts.tsv`.
    shares: Vec<crate::counts::Shares>,
}

/// Whole processes on one chart.
#[derive(Debug)]
struct Whole {
    name: String,
    bytes: usize,
    agreement: charts::Agreement,
    helm: Vec<Cost>,
    ours: Vec<Cost>,
}

/// Stages inside a process on one chart.
#[derive(Debug)]
struct Inside {
    name: String,
    helm: Theirs,
    ours: Ours,
}

/// How long each stage is repeated: for charts that are named, and for each of a whole corpus.
const BUDGET: Duration = Duration::from_millis(300);
const BUDGET_CORPUS: Duration = Duration::from_millis(10);
const FAMILY_RUNS: usize = 3;

pub(crate) fn run(args: &[String]) -> TaskResult {
    match args.split_first() {
        Some((flag, rest)) if flag == "--measured" => process::measured(rest),
        Some((flag, rest)) if flag == "--inside" => inside::measure(rest),
        Some((flag, rest)) if flag == "--threads" => threads::measure(rest),
        _ => compare(&Options::parse(args)?, args),
    }
}

fn compare(options: &Options, args: &[String]) -> TaskResult {
    if cfg!(debug_assertions) {
        return Err("versus-helm: build it with --release, it times code of its own".into());
    }
    let home = std::env::temp_dir().join(format!("bowsprit-versus-{}", std::process::id()));
    fs::create_dir_all(&home).map_err(|e| format!("{}: {e}", home.display()))?;
    let outcome = compare_in(options, args, &home);
    // A folder that cannot be removed costs nobody anything.
    let _ = fs::remove_dir_all(&home);
    outcome
}

fn compare_in(options: &Options, args: &[String], home: &Path) -> TaskResult {
    let root = repository();
    let bench = root.join("tools/bench");
    let programs = Programs::find(options, &root, home)?;
    let runner = Runner { home: home.to_path_buf() };
    let charts = Charts::find(&options.charts, &root, home)?;
    let all = if options.wants("corpus") { &charts.all[..] } else { &[] };
    let (mut corpus, left_out) = corpus(&runner, &programs, all);
    let measured = corpus.len();
    corpus.retain(|chart| !chart.ours.keys);
    let mut results = Results {
        with_keys: measured - corpus.len(),
        versions: programs.versions(&runner),
        runs: options.runs,
        family_runs: FAMILY_RUNS,
        whole: Vec::new(),
        again: Vec::new(),
        inside: Vec::new(),
        corpus,
        left_out,
        growths: Vec::new(),
        threads: Vec::new(),
        command: command(args),
        shares: crate::counts::shares(&root)?,
    };
    for chart in &charts.named {
        progress(&chart.name);
        if options.wants("whole") {
            results.whole.push(whole(&runner, &programs, chart, options.runs, None)?);
            let kept = runner.home.join("compiled");
            results.again.push(whole(&runner, &programs, chart, options.runs, Some(&kept))?);
        }
        if options.wants("inside") {
            results.inside.push(inside(&runner, &programs, chart, BUDGET)?);
        }
        if options.wants("threads") {
            results.threads.push(threads::rates(&runner, chart)?);
        }
    }
    if options.families && options.wants("families") {
        let families = Families {
            runner: &runner,
            programs: &programs,
            bench: &bench,
            rounds: FAMILY_RUNS,
            counted: options.counted,
            only: &options.family,
        };
        results.growths = families.run(charts.base.as_deref())?;
    }
    let out = options.out.clone().unwrap_or_else(|| root.join("docs"));
    write(&out, "benchmarks.svg", &plot::svg(&results))?;
    write(&out, "benchmarks.md", &report::markdown(&results))?;
    Ok(report::summary(&results))
}

/// The command line, with paths as they were given.
fn command(args: &[String]) -> String {
    let mut command = "bowsprit-dev versus-helm".to_string();
    for arg in args {
        command.push(' ');
        command.push_str(arg);
    }
    command
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let path = folder.join(name);
    fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))
}

fn whole(
    runner: &Runner,
    programs: &Programs,
    chart: &Named,
    runs: usize,
    kept: Option<&Path>,
) -> Result<Whole, String> {
    let path = chart.path.to_string_lossy();
    let args = ["template", "r", &*path];
    let kept = kept.map(|folder| folder.to_string_lossy());
    let our_args: Vec<&str> = match &kept {
        Some(folder) => args.iter().copied().chain(["--compiled-cache", folder]).collect(),
        None => args.to_vec(),
    };
    let once = runner.output(&programs.helm, &args)?;
    let again = runner.output(&programs.helm, &args)?;
    if kept.is_some() {
        // The second run keeps the chart, once what was unpacked for this is old enough.
        std::thread::sleep(Duration::from_secs(3));
        runner.output(&programs.bowsprit, &our_args)?;
        runner.output(&programs.bowsprit, &our_args)?;
    }
    let got = runner.output(&programs.bowsprit, &our_args)?;
    let (mut helm, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        helm.push(runner.cost(&programs.helm, &args)?);
        ours.push(runner.cost(&programs.bowsprit, &our_args)?);
    }
    let agreement = charts::compare(&once, &again, &got);
    Ok(Whole { name: chart.name.clone(), bytes: once.len(), agreement, helm, ours })
}

fn inside(
    runner: &Runner,
    programs: &Programs,
    chart: &Named,
    budget: Duration,
) -> Result<Inside, String> {
    let path = chart.path.to_string_lossy();
    let helm = inside::theirs(runner, &programs.gobench, &path, budget)?;
    let ours = inside::ours(runner, &path, budget)?;
    Ok(Inside { name: chart.name.clone(), helm, ours })
}

/// Measures every chart that renders without values, and counts the others.
fn corpus(runner: &Runner, programs: &Programs, charts: &[PathBuf]) -> (Vec<Inside>, usize) {
    let mut measured = Vec::new();
    let mut left_out = 0;
    for path in charts {
        let chart = Named { name: charts::stem(path), path: path.clone() };
        match inside(runner, programs, &chart, BUDGET_CORPUS) {
            Ok(one) => measured.push(one),
            Err(error) => {
                progress(&format!("{}: left out: {error}", chart.name));
                left_out += 1;
            }
        }
    }
    (measured, left_out)
}

/// Says on the standard error what is being done; a run takes minutes.
fn progress(what: &str) {
    eprintln!("{what}");
}

/// Runs a tool to its end and returns what it printed.
fn tool(
    program: &str,
    args: &[&str],
    environment: Option<(&str, &Path)>,
) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(args);
    if let Some((key, value)) = environment {
        command.env(key, value);
    }
    let output = command.output().map_err(|e| format!("{program}: {e}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr)))
}
