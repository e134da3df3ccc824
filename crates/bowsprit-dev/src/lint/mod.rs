//! `bowsprit lint` beside `helm lint`: the same text and exit code on every chart, and what each costs.

mod run;
mod umbrella;

use crate::TaskResult;
use run::{Outcome, Sides};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Charts whose output differs on purpose, with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("common-4.1.1.tgz", "its schema refers to the web, which schemas may not do here"),
    (
        "private-action-runner-1.28.1.tgz",
        "its schema refers to the web, which schemas may not do here",
    ),
];

#[derive(Debug)]
struct Options {
    helm: PathBuf,
    bowsprit: PathBuf,
    charts: PathBuf,
    only: Option<String>,
    show: usize,
    umbrella: bool,
}

fn options(args: &[String]) -> Result<Options, String> {
    let mut options = Options {
        helm: "helm".into(),
        bowsprit: "target/release/bowsprit".into(),
        charts: "../shared/corpus/charts".into(),
        only: None,
        show: 10,
        umbrella: true,
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().cloned().ok_or_else(|| format!("{arg}: lacks a value"));
        match arg.as_str() {
            "--helm" => options.helm = value()?.into(),
            "--bowsprit" => options.bowsprit = value()?.into(),
            "--charts" => options.charts = value()?.into(),
            "--only" => options.only = Some(value()?),
            "--show" => {
                options.show = value()?.parse().map_err(|_| "--show: no number".to_owned())?;
            }
            "--no-umbrella" => options.umbrella = false,
            other => return Err(format!("lint-versus-helm: unknown argument {other}")),
        }
    }
    Ok(options)
}

/// The ways in which every chart is examined.
const MODES: &[&[&str]] = &[&[], &["--strict", "--quiet", "--kube-version", "1.21"]];

pub(super) fn run(args: &[String]) -> TaskResult {
    let options = options(args)?;
    let sides = Sides::new(&options.helm, &options.bowsprit)?;
    let charts = charts(&options.charts, options.only.as_deref())?;
    let mut report = Report::default();
    for chart in &charts {
        for mode in MODES {
            report.add(chart, mode, &sides.both(chart, mode)?, options.show);
        }
    }
    let mut text = report.summary(charts.len());
    if options.umbrella {
        text.push_str(&umbrella::measure(&sides, &options.charts)?);
    }
    let listed = |name: &str| EXCEPTIONS.iter().any(|(chart, _)| *chart == name);
    for (chart, reason) in EXCEPTIONS {
        if report.different.iter().any(|name| name == chart) {
            let _ = writeln!(text, "exception: {chart}: {reason}");
        }
    }
    match report.different.iter().find(|name| !listed(name)) {
        Some(name) => Err(format!("{text}\n{name}: differs and is not listed as an exception")),
        None => Ok(text),
    }
}

fn charts(folder: &Path, only: Option<&str>) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut charts: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    charts.retain(|path| path.extension().is_some_and(|e| e == "tgz"));
    charts.retain(|path| only.is_none_or(|only| path.to_string_lossy().contains(only)));
    charts.sort();
    if charts.is_empty() { Err(format!("{}: no charts", folder.display())) } else { Ok(charts) }
}

#[derive(Default)]
struct Report {
    runs: usize,
    different: Vec<String>,
    log_differs: Vec<String>,
    helm_cpu: f64,
    our_cpu: f64,
}

impl Report {
    fn add(&mut self, chart: &Path, mode: &[&str], both: &[Outcome; 2], show: usize) {
        let [helm, ours] = both;
        self.runs += 1;
        self.helm_cpu += helm.cpu;
        self.our_cpu += ours.cpu;
        let name = chart.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let same = helm.stdout == ours.stdout && helm.error == ours.error && helm.code == ours.code;
        if !same {
            if self.different.len() < show {
                println!("{name} {}: exit {} and {}", mode.join(" "), helm.code, ours.code);
                print_difference(&helm.stdout, &ours.stdout);
                print_difference(&helm.error, &ours.error);
            }
            self.different.push(name);
        } else if helm.log != ours.log {
            if self.log_differs.len() < show {
                println!("{name} {}: the log differs", mode.join(" "));
                print_difference(&helm.log.join("\n"), &ours.log.join("\n"));
            }
            self.log_differs.push(name);
        }
    }

    fn summary(&self, charts: usize) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{charts} charts, {} runs: {} differ in text or exit code, {} in the log alone",
            self.runs,
            self.different.len(),
            self.log_differs.len()
        );
        let _ = writeln!(
            text,
            "CPU: helm {:.2} s, bowsprit {:.2} s: {:.1} times",
            self.helm_cpu,
            self.our_cpu,
            self.helm_cpu / self.our_cpu.max(1e-9)
        );
        text
    }
}

/// The lines that only one side has.
fn print_difference(helm: &str, ours: &str) {
    let (left, right): (Vec<&str>, Vec<&str>) = (helm.lines().collect(), ours.lines().collect());
    let short = |line: &str| line.chars().take(300).collect::<String>();
    left.iter()
        .filter(|line| !right.contains(line))
        .take(6)
        .for_each(|l| println!("  helm: {}", short(l)));
    right
        .iter()
        .filter(|line| !left.contains(line))
        .take(6)
        .for_each(|l| println!("  ours: {}", short(l)));
    if left != right && left.iter().all(|line| right.contains(line)) && left.len() == right.len() {
        println!("  (the same lines in another order)");
    }
}
