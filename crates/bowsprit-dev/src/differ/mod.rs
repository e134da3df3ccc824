//! Compares bowsprit with Helm on inputs that nobody wrote.
//!
//! Each area makes requests from random numbers, the oracle (`tools/oracle`, Helm's own packages behind
//! JSON lines) and bowsprit answer them, and every difference is cut down to a small case.

mod compare;
mod generate;
mod report;
mod rng;
mod shrink;
mod sides;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use crate::TaskResult;
use compare::{Verdict, compare};
use generate::{AREAS, Area};
use report::{Case, Row, Span};
use rng::Rng;
use sides::{Bowsprit, Program};

/// Requests that are on their way at once.
const BATCH: u64 = 500;

/// Helm's answer that depends on the order of a Go map shows it in so many runs, mostly.
const RUNS: usize = 40;

/// Requests that shrinking one difference may cost.
const SHRINK_BUDGET: usize = 4000;

struct Options {
    oracle: PathBuf,
    bowsprit: Option<PathBuf>,
    areas: Vec<&'static Area>,
    count: u64,
    first: u64,
    seed: u64,
    cases: usize,
    warnings: bool,
    out: Option<PathBuf>,
    report: Option<PathBuf>,
}

pub(crate) const USAGE: &str =
    "bowsprit-dev differ --oracle PATH [--bowsprit PATH] [--area AREA]... [--count N] [--first N]
                           [--seed N] [--cases N] [--warnings] [--out CASES.json] [--report REPORT.md]";

pub(crate) fn run(args: &[String]) -> TaskResult {
    let options = options(args)?;
    let mut rows = Vec::new();
    for area in &options.areas {
        let row = run_area(area, &options)?;
        eprintln!("{}", report::line(&row));
        for case in &row.cases {
            eprintln!("{}", report::show(case));
        }
        rows.push(row);
    }
    if let Some(path) = &options.report {
        let old = std::fs::read_to_string(path).unwrap_or_default();
        let end = options.first.saturating_add(options.count);
        let span = Span { seed: options.seed, first: options.first, end };
        std::fs::write(path, report::markdown(&old, &rows, &span))
            .map_err(|e| format!("{}: {e}", path.display()))?;
    }
    if let Some(path) = &options.out {
        let report = report::json(&rows, options.seed);
        std::fs::write(path, format!("{report:#}\n"))
            .map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(report::table(&rows))
}

fn options(args: &[String]) -> Result<Options, String> {
    let mut options = Options {
        oracle: PathBuf::from("oracle"),
        bowsprit: None,
        areas: Vec::new(),
        count: 20_000,
        first: 0,
        seed: 1,
        cases: 20,
        warnings: false,
        out: None,
        report: None,
    };
    let mut args = args.iter();
    while let Some(flag) = args.next() {
        if flag == "--warnings" {
            options.warnings = true;
            continue;
        }
        let value = args.next().ok_or_else(|| format!("usage: {USAGE}"))?;
        let number = || value.parse::<u64>().map_err(|e| format!("{flag} {value}: {e}"));
        match flag.as_str() {
            "--oracle" => options.oracle = PathBuf::from(value),
            "--bowsprit" => options.bowsprit = Some(PathBuf::from(value)),
            "--area" => options.areas.push(area(value)?),
            "--count" => options.count = number()?,
            "--first" => options.first = number()?,
            "--seed" => options.seed = number()?,
            "--cases" => options.cases = number()? as usize,
            "--report" => options.report = Some(PathBuf::from(value)),
            "--out" => options.out = Some(PathBuf::from(value)),
            _ => return Err(format!("usage: {USAGE}")),
        }
    }
    if options.areas.is_empty() {
        options.areas = AREAS.iter().collect();
    }
    Ok(options)
}

fn area(name: &str) -> Result<&'static Area, String> {
    let names = || AREAS.iter().map(|area| area.name).collect::<Vec<_>>().join(", ");
    AREAS
        .iter()
        .find(|area| area.name == name)
        .ok_or_else(|| format!("no area `{name}`; there are {}", names()))
}

/// The sides, and how their answers are compared.
struct Judge {
    helm: Program,
    ours: Bowsprit,
    warnings: bool,
}

impl Judge {
    fn ask(&self, requests: &[Value]) -> Result<Vec<(Value, Value, Verdict)>, String> {
        let ours = self.ours.ask(requests)?;
        let helm = self.helm.ask(requests)?;
        let pairs = helm.into_iter().zip(ours).map(|(helm, ours)| {
            let verdict = compare(&helm, &ours, self.warnings);
            (helm, ours, verdict)
        });
        Ok(pairs.collect())
    }

    fn differs(&self, requests: &[Value]) -> Result<Vec<bool>, String> {
        let answers = self.ask(requests)?;
        Ok(answers.into_iter().map(|(.., verdict)| verdict == Verdict::Different).collect())
    }

    /// Whether Helm gives the same answer each time and ours is never it.
    fn is_stable(&self, request: &Value) -> Result<bool, String> {
        let answers = self.ask(&vec![request.clone(); RUNS])?;
        Ok(answers.iter().all(|(helm, _, verdict)| {
            *verdict == Verdict::Different && compare::same(helm, &answers[0].0)
        }))
    }
}

fn run_area(area: &Area, options: &Options) -> Result<Row, String> {
    let judge = Judge {
        helm: Program::start(&options.oracle, &["-timeout", "20s"])?,
        ours: Bowsprit::new(options.bowsprit.as_deref())?,
        warnings: options.warnings,
    };
    let mut row = Row::new(area.name);
    let mut cases: BTreeMap<String, Case> = BTreeMap::new();
    let end = options.first.saturating_add(options.count);
    let mut from = options.first;
    while from < end {
        let to = (from + BATCH).min(end);
        let requests: Vec<Value> = (from..to)
            .map(|index| (area.make)(&mut Rng::of(options.seed, area.name, index)))
            .collect();
        for (request, (.., verdict)) in requests.iter().zip(judge.ask(&requests)?) {
            row.count(verdict);
            if verdict == Verdict::Different {
                note(&judge, request, options.cases, &mut row, &mut cases)?;
            }
        }
        from = to;
    }
    row.cases = cases.into_values().collect();
    Ok(row)
}

/// Shrinks a difference and keeps it, unless Helm's answers vary or the same case was found before.
fn note(
    judge: &Judge,
    request: &Value,
    limit: usize,
    row: &mut Row,
    cases: &mut BTreeMap<String, Case>,
) -> Result<(), String> {
    if !judge.is_stable(request)? {
        row.is_unstable();
        return Ok(());
    }
    if cases.len() >= limit {
        return Ok(());
    }
    let small = shrink::shrink(request, SHRINK_BUDGET, |some| judge.differs(some))?;
    let small = if judge.is_stable(&small)? { small } else { request.clone() };
    if let Some((helm, ours, _)) = judge.ask(std::slice::from_ref(&small))?.pop() {
        let case =
            cases.entry(small.to_string()).or_insert(Case { request: small, helm, ours, count: 0 });
        case.count += 1;
    }
    Ok(())
}
