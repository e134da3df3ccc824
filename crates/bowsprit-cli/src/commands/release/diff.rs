//! `bowsprit diff` and `bowsprit drift`: what would change, and what has.

use super::{Session, apply, integer, one_arg, options};
use crate::commands::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::{charts, labels, limits, release, render, streams, values};
use bowsprit::apply::{Comparison, Hooks, drift};
use bowsprit::manifest::Identity;
use bowsprit::manifest::diff::{Difference, MarkdownOptions, ObjectSet, TextOptions, diff};
use std::io::IsTerminal;

/// `diff`.
pub(crate) static DIFF: Command = Command {
    name: "diff",
    usage: "diff RELEASE CHART [flags]",
    about: "Show what apply would change on the server",
    examples: "\
The server itself says what it would make of the objects, from the last revision, the new one and what is
there, so fields that nobody's chart sets don't show. What Secrets hold is never shown.

With --detailed-exitcode the exit code is 2 where something would change.

Examples:
  bowsprit diff web ./chart -n web -f prod.yaml
  bowsprit diff web ./chart -n web --detailed-exitcode
  bowsprit diff web ./chart -n web --format markdown > comment.md",
    flags: &[
        options::PLAN,
        options::METHOD,
        options::NAMESPACE,
        options::REUSE,
        SHOW_FLAGS,
        render::POST_RENDERER,
        super::CONNECT,
        super::TAKE_OVER,
        charts::FLAGS,
        values::FLAGS,
        labels::FLAGS,
        release::FLAGS,
        limits::FLAGS,
    ],
    children: &[],
    run: Some(run_diff),
};

/// `drift`.
pub(crate) static DRIFT: Command = Command {
    name: "drift",
    usage: "drift RELEASE [flags]",
    about: "Show what has changed on the server since a release was applied",
    examples: "\
With --detailed-exitcode the exit code is 2 where something has changed.

Examples:
  bowsprit drift web -n web
  bowsprit drift web -n web --detailed-exitcode --format markdown",
    flags: &[super::REVISION, SHOW_FLAGS, super::CONNECT],
    children: &[],
    run: Some(run_drift),
};

static SHOW_FLAGS: &[Flag] = &[
    Flag::switch("detailed-exitcode", "End with exit code 2 where something differs"),
    Flag::with("format", Kind::Text, "FORMAT", "text, markdown or summary (default text)"),
    Flag::with("lines", Kind::Int64, "N", "Unchanged lines around changed ones (default 3)"),
];

fn run_diff(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let [name, chart] = invocation.args() else {
        return Err(Failure::Error(
            "\"bowsprit diff\" requires 2 arguments\n\n\
             Usage:  bowsprit diff RELEASE CHART [flags]"
                .to_owned(),
        ));
    };
    let plan = apply::planned(invocation, name.clone(), chart)?;
    plan.warnings().iter().for_each(|warning| super::warn(warning));
    show(invocation.parsed, &plan.comparison(), name)
}

fn run_drift(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let name = one_arg(invocation, "drift", "drift RELEASE [flags]")?;
    let session = Session::open(invocation)?;
    let record = session.record(name, integer(invocation.parsed, "revision").unwrap_or(0))?;
    let wds = session.run(session.cluster.discovery())?.is_wds();
    let hooks = if wds { Hooks::Deliver } else { Hooks::Run };
    let comparison = session.run(drift(&session.cluster, &record, hooks))?;
    show(invocation.parsed, &comparison, name)
}

fn difference(comparison: &Comparison) -> Difference {
    let (mut before, mut after) = (ObjectSet::new(), ObjectSet::new());
    for pair in &comparison.pairs {
        let identity =
            Identity::new(&pair.api_version, &pair.kind, Some(&pair.namespace), &pair.name);
        if let Some(value) = &pair.before {
            before.push(identity.clone(), value.clone());
        }
        if let Some(value) = &pair.after {
            after.push(identity, value.clone());
        }
    }
    diff(&before, &after)
}

fn show(parsed: &Parsed, comparison: &Comparison, name: &str) -> Result<(), Failure> {
    let difference = difference(comparison);
    let lines = integer(parsed, "lines").and_then(|lines| usize::try_from(lines).ok()).unwrap_or(3);
    let text = match parsed.non_empty("format").unwrap_or("text") {
        "summary" => format!("{}\n", difference.summary()),
        "markdown" => {
            let options =
                MarkdownOptions::default().title(format!("Release {name}")).context(lines);
            difference.to_markdown(&options)
        }
        "text" => {
            let color = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            difference.to_text(&TextOptions::default().context(lines).color(color))
        }
        other => {
            return Err(Failure::Error(format!(
                "invalid value {other:?} of --format. Must be \"text\", \"markdown\", or \"summary\""
            )));
        }
    };
    streams::write(text.as_bytes())?;
    if !difference.is_empty() && parsed.is_on("detailed-exitcode") {
        return Err(Failure::Code(2));
    }
    Ok(())
}
