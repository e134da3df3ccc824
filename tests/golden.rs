//! Every case in `fixtures/golden`: bowsprit does what Helm did.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use bowsprit_testkit::{Case, Expected, cases, repository, run_case};

use crate::program::program;

/// Fewer cases than this mean that the fixtures were not found.
const AT_LEAST: usize = 150;

/// Reports of more failing cases than this are cut.
const SHOWN: usize = 10;

#[test]
fn golden_cases_match_helm() {
    let root = repository();
    let all = cases(&root.join("fixtures/golden")).unwrap();
    assert!(all.len() >= AT_LEAST, "only {} golden cases found", all.len());

    let filter = std::env::var("GOLDEN").unwrap_or_default();
    let chosen: Vec<Case> = all.into_iter().filter(|case| case.name.contains(&filter)).collect();
    assert!(!chosen.is_empty(), "GOLDEN={filter} matches no case");

    let failures = failures(&chosen);
    let shown: String = failures.iter().take(SHOWN).map(|(_, report)| report.as_str()).collect();
    let names: Vec<&str> = failures.iter().map(|(name, _)| *name).collect();
    assert!(
        failures.is_empty(),
        "{shown}\n{} of {} golden cases differ from Helm:\n  {}\n",
        failures.len(),
        chosen.len(),
        names.join("\n  ")
    );
}

/// Names and reports of the cases that differ, sorted by name. Cases run on every core.
fn failures(cases: &[Case]) -> Vec<(&str, String)> {
    program();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut failures = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(report) = failure(case) {
                failures.push((case.name.as_str(), report));
            }
        }
        failures
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut failures: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("workers collect failures and do not panic"))
            .collect()
    });
    failures.sort();
    failures
}

fn failure(case: &Case) -> Option<String> {
    let expected = match Expected::read(case) {
        Ok(expected) => expected,
        Err(error) => return Some(format!("\n{error}\n")),
    };
    let mut case = case.clone();
    if let Some(compat) = &case.command.compat {
        case.command.args.extend(["--helm-compat".to_string(), compat.clone()]);
    }
    let difference = match run_case(program(), &repository(), &case) {
        Ok(outcome) => expected.compare(&outcome)?,
        Err(error) => error.to_string(),
    };
    Some(format!("\n{}: bowsprit {}\n{difference}", case.name, case.command.args.join(" ")))
}
