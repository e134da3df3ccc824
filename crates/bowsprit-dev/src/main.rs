//! The tasks behind `just` that need code.
//!
//! - `tidy` checks what compilers do not: legal arrows between crates, file sizes, headers.
//! - `core` names the crates that must build without an operating system, one per line.
//! - `golden` records `fixtures/golden` from a Helm binary.
//! - `conformance` writes the conformance report from the results of the shared checks, and
//!   compares the results with the scores that are held.
//! - `differ` compares bowsprit with Helm on inputs that nobody wrote.
//! - `helm-tests` asks bowsprit what Helm's own tests ask Helm.
//! - `lint-versus-helm` compares `lint` with Helm's on charts: text, exit code and CPU time.
//! - `validate-versus-kubeconform` compares what `validate` and kubeconform call invalid.
//! - `suites-versus-helm-unittest` compares what `unittest` and helm-unittest say of suites, and the CPU time.
//! - `schemas` writes the bundle of Kubernetes' schemas.
//! - `commands` compares `docs/commands` with what the program says about itself, or writes it.
//! - `umbrella` measures `dependency build` beside Helm's, for a chart with many dependencies.
//! - `apply-time` measures how long bowsprit and Helm take to bring a chart to an API server.
//! - `counts` counts the instructions and allocations of a render's stages and compares them with those
//!   that are held.
//! - `link-order` writes down which functions of the program lie side by side.
//! - `fleet-versus-helm` measures a fleet's renders beside runs of Helm and writes
//!   `docs/fleet-benchmarks.md`.
//! - `versus-helm` measures bowsprit and Helm on the same charts and writes `docs/benchmarks.md`.
//!
//! It is no part of the product and is never published.
//!
//! ```text
//! cargo run -p bowsprit-dev -- tidy
//! cargo run -p bowsprit-dev -- golden --helm /usr/local/bin/helm hmco
//! cargo run -p bowsprit-dev -- conformance --vectors v.json --corpus c.json
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool")]

mod apply_time;
mod commands;
mod conformance;
mod counts;
mod differ;
#[cfg(unix)]
mod fleet;
mod golden;
mod helm_tests;
mod kubeconform;
mod link_order;
#[cfg(unix)]
mod lint;
mod schemas;
#[cfg(unix)]
mod suites;
mod tidy;
mod umbrella;
#[cfg(unix)]
mod versus;

use std::process::ExitCode;

/// What a task answers: a last line for the terminal, or why it failed.
type TaskResult = Result<String, String>;

const USAGE: &str = "usage: bowsprit-dev tidy
       bowsprit-dev core
       bowsprit-dev golden [--helm PATH] [--check] [FILTER]
       bowsprit-dev conformance [--write] [--vectors RESULT.json] [--corpus RESULT.json]
       bowsprit-dev differ --oracle PATH [--bowsprit PATH] [--area AREA]... [--count N] [--first N]
                           [--seed N] [--cases N] [--jobs N] [--minutes N] [--warnings] [--commit NAME]
                           [--out RUNS.json] [--add RUNS.json]... [--report REPORT.md]
       bowsprit-dev helm-tests --source FOLDER [--bowsprit PATH]
       bowsprit-dev fleet-versus-helm [--helm PATH] [--bowsprit PATH] [--charts FOLDER] [--clusters N]
                                      [--runs N] [--out FILE]
       bowsprit-dev lint-versus-helm [--helm PATH] [--bowsprit PATH] [--charts FOLDER] [--only NAME]
                                     [--show N] [--no-umbrella]
       bowsprit-dev validate-versus-kubeconform [--kubeconform PATH] [--bowsprit PATH]
                                                [--cases FOLDER] [--all] [--kube-version VERSION]
       bowsprit-dev suites-versus-helm-unittest [--helm-unittest PATH] [--bowsprit PATH]
                                                [--charts FOLDER] [--file GLOB]... [CHART...]
       bowsprit-dev schemas VERSION=FOLDER...
       bowsprit-dev commands [--write] [--bowsprit PATH]
       bowsprit-dev counts [--write] [--charts FOLDER]
       bowsprit-dev link-order [--bowsprit PATH] [--charts FOLDER]
       bowsprit-dev versus-helm [--helm PATH] [--gobench PATH] [--bowsprit PATH]
                                [--charts FOLDER|CHART...] [--families] [--family NAME...]
                                [--part PART...] [--runs N] [--out FOLDER]
       bowsprit-dev umbrella [--helm PATH] [--bowsprit PATH] [--charts N] [--runs N]
       bowsprit-dev apply-time --chart CHART [--set KEY=VALUE] [--tools FOLDER] [--bowsprit PATH]
                               [--runs N]";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.split_first() {
        Some((task, rest)) if task == "tidy" && rest.is_empty() => tidy::run(),
        Some((task, rest)) if task == "core" && rest.is_empty() => Ok(tidy::core().join("\n")),
        Some((task, rest)) if task == "golden" => golden::run(rest),
        Some((task, rest)) if task == "apply-time" => apply_time::run(rest),
        Some((task, rest)) if task == "commands" => commands::run(rest),
        Some((task, rest)) if task == "conformance" => conformance::run(rest),
        Some((task, rest)) if task == "umbrella" => umbrella::run(rest),
        Some((task, rest)) if task == "differ" => differ::run(rest),
        #[cfg(unix)]
        Some((task, rest)) if task == "fleet-versus-helm" => fleet::run(rest),
        Some((task, rest)) if task == "helm-tests" => helm_tests::run(rest),
        Some((task, rest)) if task == "schemas" => schemas::run(rest),
        Some((task, rest)) if task == "validate-versus-kubeconform" => kubeconform::run(rest),
        #[cfg(unix)]
        Some((task, rest)) if task == "suites-versus-helm-unittest" => suites::run(rest),
        #[cfg(unix)]
        Some((task, rest)) if task == "lint-versus-helm" => lint::run(rest),
        Some((task, rest)) if task == "link-order" => link_order::run(rest),
        Some((task, rest)) if task == "counts" => counts::run(rest),
        #[cfg(unix)]
        Some((task, rest)) if task == "versus-helm" => versus::run(rest),
        _ => Err(USAGE.to_string()),
    };
    match result {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
