//! `bowsprit unittest` beside helm-unittest: what both say of the suites of charts, and what it costs.

use crate::TaskResult;
use bowsprit::loader;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Charts of other authors that render without values.
const CHARTS: [&str; 10] = [
    "apache-11.4.30",
    "argo-workflows-13.0.7",
    "cluster-autoscaler-9.59.0",
    "goldilocks-11.0.0",
    "falcosidekick-0.14.0",
    "cert-manager-v0.0.0",
    "podinfo-6.14.1",
    "external-secrets-2.9.0",
    "crossplane-0.0.1",
    "metrics-server-3.13.1",
];

/// Suites of each of these charts, and tests of each suite.
const SUITES: usize = 4;
const TESTS: usize = 10;

#[derive(Debug)]
struct Options {
    helm_unittest: PathBuf,
    bowsprit: PathBuf,
    charts: PathBuf,
    /// Where suites are in a chart.
    files: Vec<String>,
    given: Vec<PathBuf>,
}

fn options(args: &[String]) -> Result<Options, String> {
    let mut options = Options {
        helm_unittest: "target/tools/helm-unittest".into(),
        bowsprit: "target/release/bowsprit".into(),
        charts: "../shared/corpus/charts".into(),
        files: Vec::new(),
        given: Vec::new(),
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().cloned().ok_or_else(|| format!("{arg}: lacks a value"));
        match arg.as_str() {
            "--helm-unittest" => options.helm_unittest = value()?.into(),
            "--bowsprit" => options.bowsprit = value()?.into(),
            "--charts" => options.charts = value()?.into(),
            "--file" => options.files.push(value()?),
            other if other.starts_with('-') => {
                return Err(format!("suites-versus-helm-unittest: unknown argument {other}"));
            }
            chart => options.given.push(chart.into()),
        }
    }
    Ok(options)
}

pub(super) fn run(args: &[String]) -> TaskResult {
    let mut options = options(args)?;
    let found = |path: &Path| path.canonicalize().map_err(|e| format!("{}: {e}", path.display()));
    options.helm_unittest = found(&options.helm_unittest)?;
    options.bowsprit = found(&options.bowsprit)?;
    let folder = std::env::temp_dir().join(format!("bowsprit-suites-{}", std::process::id()));
    let outcome = compare(&options, &folder);
    let _ = fs::remove_dir_all(&folder);
    outcome
}

/// What a run printed, without the time it took, and its CPU time in seconds.
struct Outcome {
    text: String,
    cpu: f64,
}

fn compare(options: &Options, folder: &Path) -> TaskResult {
    let charts = if options.given.is_empty() {
        CHARTS.iter().map(|name| with_suites(options, folder, name)).collect::<Result<_, _>>()?
    } else {
        options.given.clone()
    };
    let (mut helm_cpu, mut our_cpu, mut tests) = (0.0, 0.0, 0);
    let mut different = Vec::new();
    for chart in &charts {
        let [theirs, ours] = both(options, folder, chart)?;
        (helm_cpu, our_cpu) = (helm_cpu + theirs.cpu, our_cpu + ours.cpu);
        tests += total(&theirs.text);
        if theirs.text == ours.text {
            continue;
        }
        println!("{}: what is said differs", chart.display());
        let pairs = theirs.text.lines().zip(ours.text.lines()).filter(|(a, b)| a != b);
        for (theirs, ours) in pairs.take(3) {
            println!("  helm-unittest: {theirs}\n  bowsprit:      {ours}");
        }
        different.push(chart);
    }
    let mut text = format!("{} charts, {tests} tests: {} differ", charts.len(), different.len());
    let _ = write!(
        text,
        "\nCPU: helm-unittest {helm_cpu:.2} s, bowsprit {our_cpu:.2} s: {:.1} times",
        helm_cpu / our_cpu
    );
    if different.is_empty() { Ok(text) } else { Err(text) }
}

/// How many tests there were, by the last lines of what is printed.
fn total(text: &str) -> usize {
    let line = text.lines().rev().find(|line| line.starts_with("Tests:"));
    let words = line.unwrap_or_default().split_whitespace().rev().nth(1);
    words.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Each side gets a copy, because snapshots are written.
fn both(options: &Options, folder: &Path, chart: &Path) -> Result<[Outcome; 2], String> {
    let side = |name: &str, program: &Path, command: &[&str]| {
        let copy = folder.join(name);
        let failed = |error| format!("{}: {error}", chart.display());
        let _ = fs::remove_dir_all(&copy);
        let chart = chart.canonicalize().map_err(failed)?;
        let base = chart.file_name().unwrap_or_default();
        copy_folder(&chart, &copy.join(base)).map_err(failed)?;
        measured(Command::new(program).args(command).args(files(options)).arg(base), &copy)
    };
    Ok([
        side("theirs", &options.helm_unittest, &[])?,
        side("ours", &options.bowsprit, &["unittest"])?,
    ])
}

fn files(options: &Options) -> impl Iterator<Item = &str> {
    options.files.iter().flat_map(|file| ["-f", file.as_str()])
}

fn children_cpu() -> Result<f64, String> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| error.to_string())?;
    Ok((usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e6)
}

fn measured(command: &mut Command, folder: &Path) -> Result<Outcome, String> {
    let before = children_cpu()?;
    let output = command.current_dir(folder).env("NO_COLOR", "1").stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    let cpu = children_cpu()? - before;
    let mut text = format!("exit {:?}\n", output.status.code());
    let printed = String::from_utf8_lossy(&output.stdout);
    for line in printed.lines().filter(|line| !line.starts_with("Time:")) {
        let _ = writeln!(text, "{line}");
    }
    Ok(Outcome { text: text.replace(&*folder.to_string_lossy(), "FOLDER"), cpu })
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if fs::metadata(entry.path())?.is_dir() {
            copy_folder(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

/// A chart of the corpus with suites that render one template after the other.
fn with_suites(options: &Options, folder: &Path, name: &str) -> Result<PathBuf, String> {
    let archive = options.charts.join(format!("{name}.tgz"));
    let failed = |error: std::io::Error| format!("{name}: {error}");
    let into = folder.join("charts").join(name);
    fs::create_dir_all(&into).map_err(failed)?;
    let chart = loader::expand(&archive, &into).map_err(|error| format!("{name}: {error}"))?;
    let entries = fs::read_dir(chart.join("templates")).map_err(failed)?.flatten();
    let mut templates: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    templates.retain(|name| name.ends_with(".yaml") && !name.starts_with('_'));
    templates.sort();
    let tests = chart.join("tests");
    let _ = fs::remove_dir_all(&tests);
    fs::create_dir_all(&tests).map_err(failed)?;
    for suite in 0..SUITES {
        let mut text = format!("suite: suite {suite}\ntests:\n");
        for (number, template) in templates.iter().cycle().take(TESTS).enumerate() {
            let _ = write!(
                text,
                "- it: is test {number}\n  templates: [{template}]\n  set: {{nameOverride: \
                 n{number}}}\n  asserts:\n  - notFailedTemplate: {{}}\n  - hasDocuments: {{count: \
                 1}}\n"
            );
        }
        fs::write(tests.join(format!("s{suite}_test.yaml")), text).map_err(failed)?;
    }
    Ok(chart)
}
