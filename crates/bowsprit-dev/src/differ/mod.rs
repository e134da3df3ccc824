//! Compares bowsprit with Helm on inputs that nobody wrote.
//!
//! Each area makes requests from random numbers, the oracle (`tools/oracle`, Helm's own packages behind
//! JSON lines) and bowsprit answer them, and every difference is cut down to a small case.

mod compare;
mod generate;
mod options;
mod record;
mod report;
mod rng;
mod shrink;
mod sides;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::TaskResult;
use compare::{Verdict, compare};
use generate::Area;
use options::Options;
use record::{Case, Counts, Run};
use rng::Rng;
use sides::{Bowsprit, Program};

/// Requests that are on their way at once.
const BATCH: u64 = 500;

/// What was found is saved after so many requests.
const SLICE: u64 = 20_000;

/// Helm's answer that depends on the order of a Go map shows it in so many runs: of two entries the second
/// comes first in one run of eight. Few runs come first, since mostly they are enough.
const RUNS: [usize; 5] = [4, 8, 16, 32, 400];

const ORACLE_ARGS: &[&str] = &["-timeout", "20s"];

/// Requests that shrinking one difference may cost.
const SHRINK_BUDGET: usize = 4000;

pub(crate) fn run(args: &[String]) -> TaskResult {
    let options = Options::parse(args)?;
    let mut runs = Vec::new();
    for path in &options.add {
        runs.extend(record::load(path)?);
    }
    let added = runs.len();
    let started = Instant::now();
    for area in &options.areas {
        if options.count > 0 {
            run_area(area, &options, started, &mut runs, added)?;
        }
    }
    record::distinct(&runs)?;
    if let Some(path) = &options.report {
        std::fs::write(path, report::markdown(&runs))
            .map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(report::table(&runs))
}

/// Makes an area's requests; what was found is saved from time to time.
fn run_area(
    area: &'static Area,
    options: &Options,
    started: Instant,
    runs: &mut Vec<Run>,
    added: usize,
) -> Result<(), String> {
    let at = runs.len();
    runs.push(Run {
        area: area.name,
        commit: options.commit.clone(),
        seed: options.seed,
        first: options.first,
        end: options.first,
        counts: Counts::default(),
        cases: Vec::new(),
    });
    let begun = Instant::now();
    let end = options.first.saturating_add(options.count);
    while runs[at].end < end {
        let late = |minutes| started.elapsed() >= Duration::from_secs(60 * minutes);
        if options.minutes.is_some_and(late) {
            break;
        }
        let to = runs[at].end.saturating_add(SLICE).min(end);
        slice(area, options, &mut runs[at], to)?;
        if let Some(path) = &options.out {
            record::save(path, &runs[added..])?;
        }
    }
    let run = &runs[at];
    let rate = (run.end - run.first) as f64 / begun.elapsed().as_secs_f64();
    eprintln!("{}   {rate:.0}/s", report::line(run));
    for case in &run.cases {
        eprintln!("{}", report::show(case));
    }
    Ok(())
}

/// Makes the requests from the end of a run up to `end`, in several threads.
fn slice(area: &Area, options: &Options, run: &mut Run, end: u64) -> Result<(), String> {
    let next = AtomicU64::new(run.end);
    let found = Mutex::new(&mut *run);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..options.jobs)
            .map(|_| scope.spawn(|| work(area, options, &next, end, &found)))
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|_| Err("a worker panicked".to_owned()))
        })
    })?;
    run.end = end;
    Ok(())
}

fn work(
    area: &Area,
    options: &Options,
    next: &AtomicU64,
    end: u64,
    found: &Mutex<&mut Run>,
) -> Result<(), String> {
    let judge = Judge {
        oracle: options.oracle.clone(),
        helm: Program::start(&options.oracle, ORACLE_ARGS)?,
        ours: Bowsprit::new(options.bowsprit.as_deref())?,
        warnings: options.warnings,
    };
    loop {
        let from = next.fetch_add(BATCH, Ordering::Relaxed);
        if from >= end {
            return Ok(());
        }
        let requests: Vec<Value> = (from..end.min(from + BATCH))
            .map(|index| (area.make)(&mut Rng::of(options.seed, area.name, index)))
            .collect();
        let mut counts = Counts::default();
        for (request, (.., verdict)) in requests.iter().zip(judge.ask(&requests)?) {
            counts.count(verdict);
            if verdict != Verdict::Different {
                continue;
            }
            if !judge.is_stable(request)? {
                counts.is_unstable();
            } else if found.lock().unwrap_or_else(PoisonError::into_inner).cases.len()
                < options.cases
                && let Some(case) = small(&judge, request)?
            {
                found.lock().unwrap_or_else(PoisonError::into_inner).note(case);
            }
        }
        found.lock().unwrap_or_else(PoisonError::into_inner).counts.add(counts);
    }
}

/// A difference, cut down.
fn small(judge: &Judge, request: &Value) -> Result<Option<Case>, String> {
    let small = shrink::shrink(request, SHRINK_BUDGET, |some| judge.differs(some))?;
    let small = if judge.is_stable(&small)? { small } else { request.clone() };
    let answer = judge.ask(std::slice::from_ref(&small))?.pop();
    Ok(answer.map(|(helm, ours, _)| Case { request: small, helm, ours, count: 1 }))
}

/// The sides, and how their answers are compared.
struct Judge {
    oracle: PathBuf,
    helm: Program,
    ours: Bowsprit,
    warnings: bool,
}

impl Judge {
    fn ask(&self, requests: &[Value]) -> Result<Vec<(Value, Value, Verdict)>, String> {
        self.helm.send(requests)?;
        let ours = self.ours.ask(requests)?;
        let helm = self.helm.receive(requests.len())?;
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
        let first = self.helm.ask(std::slice::from_ref(request))?.pop().unwrap_or_default();
        for runs in RUNS {
            let answers = self.ask(&vec![request.clone(); runs])?;
            let stable = answers.iter().all(|(helm, _, verdict)| {
                *verdict == Verdict::Different && compare::same(helm, &first)
            });
            if !stable {
                return Ok(false);
            }
        }
        // What depends on where a process keeps its memory, such as a printed address, is the same in all
        // answers of one.
        for _ in 0..3 {
            let fresh =
                Program::start(&self.oracle, ORACLE_ARGS)?.ask(std::slice::from_ref(request))?;
            if !fresh.first().is_some_and(|answer| compare::same(answer, &first)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
