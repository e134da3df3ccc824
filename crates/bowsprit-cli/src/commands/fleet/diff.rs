//! `bowsprit fleet diff`.

use super::super::{Command, Invocation, no_args};
use super::apply::{SHARED, ship_options};
use super::deliver::{check_clusters, deliver, leftovers, rings};
use super::{FILE, Fleet, SCOPE, THREADS, open, open_at, scope, threads};
use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::interrupts::{self, Pending};
use crate::{charts, limits, streams};
use bowsprit::fleet::{self, Arrival, Changed, Errand, State};
use bowsprit::manifest::diff::{MarkdownOptions, TextOptions};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::sync::{Mutex, PoisonError};

pub(super) static COMMAND: Command = Command {
    name: "diff",
    usage: "fleet diff (--since REF | --against DIR | --live) [flags]",
    about: "Show what changes on which clusters",
    examples: "\
--since compares with the fleet as it was at a git revision, --against with what `fleet render
--output-dir` wrote, --live with what the fleet's servers hold: they say themselves what `fleet apply --repair`
would make of their objects, placement objects among them, and nothing is changed. Clusters that change alike
are shown once. Values of Secrets are masked.

Exit codes: 0, or 2 with --detailed-exitcode where something changes; 1 for errors.

Examples:
  bowsprit fleet diff --since main
  bowsprit fleet diff --since HEAD~1 --format markdown
  bowsprit fleet diff --against out --detailed-exitcode
  bowsprit fleet diff --live --ring canary",
    flags: &[FILE, SCOPE, FLAGS, SHARED, THREADS, charts::REMOTE, limits::FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::with("since", Kind::Text, "REF", "Compare with the fleet at this git revision"),
    Flag::with("against", Kind::Text, "DIR", "Compare with an earlier `fleet render --output-dir`"),
    Flag::switch("live", "Compare with what the fleet's servers hold"),
    Flag::with("format", Kind::Text, "FORMAT", "text (default) or markdown"),
    Flag::with("lines", Kind::Uint64, "LINES", "Lines around each difference (default 3)"),
    Flag::switch("detailed-exitcode", "End with 2 where something changes"),
];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    no_args(invocation, "bowsprit fleet diff")?;
    let parsed = invocation.parsed;
    let markdown = match parsed.non_empty("format") {
        None | Some("text") => false,
        Some("markdown") => true,
        Some(other) => {
            return Err(Failure::Error(format!(
                "--format must be text or markdown, not {other:?}"
            )));
        }
    };
    let fleet = open(invocation)?;
    let (since, against) = (parsed.non_empty("since"), parsed.non_empty("against"));
    let changes = match (since, against, parsed.is_on("live")) {
        (Some(reference), None, false) => {
            changes(invocation, &fleet, &at_revision(invocation, &fleet, reference)?)?
        }
        (None, Some(dir), false) => {
            let before = State::of_folder(Path::new(dir)).map_err(Failure::Error)?;
            changes(invocation, &fleet, &before)?
        }
        (None, None, true) => live(&fleet, parsed)?,
        _ => {
            return Err(Failure::Error(
                "one of --since, --against and --live is needed".to_owned(),
            ));
        }
    };
    let context = parsed.number("lines").and_then(|n| usize::try_from(n).ok()).unwrap_or(3);
    let text = if markdown { in_markdown(&changes, context) } else { in_text(&changes, context) };
    streams::write(text.as_bytes())?;
    match parsed.is_on("detailed-exitcode") && !changes.is_empty() {
        true => Err(Failure::Code(2)),
        false => Ok(()),
    }
}

fn changes(
    invocation: &Invocation<'_>,
    fleet: &Fleet<'_>,
    before: &State,
) -> Result<Vec<Changed>, Failure> {
    if let Some(flag) = SHARED.iter().find(|flag| invocation.parsed.given(flag.name)) {
        return Err(Failure::Error(format!("--{} goes with --live", flag.name)));
    }
    before.changes(&state(invocation, fleet)?).map_err(Failure::Error)
}

/// What `fleet apply --repair` would change on the fleet's servers.
fn live(fleet: &Fleet<'_>, parsed: &Parsed) -> Result<Vec<Changed>, Failure> {
    let mut options = ship_options(parsed);
    options.errand = Errand::Compare;
    options.force_conflicts = true;
    check_clusters(fleet, parsed)?;
    let stages = rings(fleet, parsed)?;
    let found = Mutex::default();
    let delivered = deliver(fleet, parsed, &options, &stages, &|shipment, outcome| {
        if let Ok(Arrival::Compared(difference)) = outcome {
            let found: &Mutex<Vec<_>> = &found;
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.push((shipment.clone(), difference.clone()));
        }
    })?;
    if !delivered.failures.is_empty() {
        return Err(Failure::Error(delivered.failures.join("\n")));
    }
    if delivered.is_whole {
        for left in leftovers(fleet, &delivered, false)? {
            streams::say(&format!(
                "{left}: is not in the fleet any more; fleet apply --prune removes it"
            ));
        }
    }
    Ok(fleet::on_servers(found.into_inner().unwrap_or_else(PoisonError::into_inner)))
}

fn state(invocation: &Invocation<'_>, fleet: &Fleet<'_>) -> Result<State, Failure> {
    let scope = scope(invocation.parsed)?;
    let state = State::of_fleet(
        &fleet.name(),
        &fleet.file,
        fleet.targets()?,
        &fleet.disk,
        &scope,
        threads(invocation.parsed),
    );
    state.map_err(Failure::Error)
}

/// The fleet as it was at a git revision, unpacked into a folder that is removed afterwards.
fn at_revision(
    invocation: &Invocation<'_>,
    fleet: &Fleet<'_>,
    reference: &str,
) -> Result<State, Failure> {
    let folder =
        fleet.path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let top = git(folder, &["rev-parse", "--show-toplevel"])?;
    let inside = git(folder, &["rev-parse", "--show-prefix"])?;
    let unpacked = Unpacked::new(Path::new(&top), reference)?;
    let file = fleet.path.file_name().unwrap_or_default();
    let path = unpacked.0.join(inside).join(file);
    let then = open_at(invocation, &path)?;
    state(invocation, &then)
}

fn git(folder: &Path, args: &[&str]) -> Result<String, Failure> {
    let output = Process::new("git").arg("-C").arg(folder).args(args).output();
    let output = output.map_err(|e| Failure::Error(format!("git: {e}")))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::Error(format!("git {}: {}", args.join(" "), why.trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// A checkout of a revision that git removes again.
struct Unpacked(PathBuf, PathBuf, #[expect(dead_code, reason = "held")] Pending);

impl Unpacked {
    fn new(top: &Path, reference: &str) -> Result<Unpacked, Failure> {
        let folder = std::env::temp_dir().join(format!("bowsprit-fleet-{}", std::process::id()));
        let path = folder.to_string_lossy().into_owned();
        let (here, there) = (top.to_owned(), folder.clone());
        let pending = interrupts::if_ended(move || remove(&here, &there));
        git(top, &["worktree", "add", "--quiet", "--detach", &path, reference])?;
        Ok(Unpacked(folder, top.to_owned(), pending))
    }
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        remove(&self.1, &self.0);
    }
}

fn remove(top: &Path, folder: &Path) {
    let _ = git(top, &["worktree", "remove", "--force", &folder.to_string_lossy()]);
}

fn which(change: &Changed) -> String {
    const SHOWN: usize = 5;
    let shown =
        change.clusters.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match change.clusters.len() {
        1 => format!("cluster {shown}"),
        n if n <= SHOWN => format!("{n} clusters: {shown}"),
        n => format!("{n} clusters: {shown}, …"),
    }
}

fn in_text(changes: &[Changed], context: usize) -> String {
    if changes.is_empty() {
        return "no changes\n".to_owned();
    }
    let color = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let options = TextOptions::default().context(context).color(color);
    let mut out = String::new();
    for change in changes {
        out.push_str(&format!("### {} on {}\n", change.release, which(change)));
        out.push_str(&change.difference.to_text(&options));
        out.push('\n');
    }
    out
}

fn in_markdown(changes: &[Changed], context: usize) -> String {
    if changes.is_empty() {
        return "No changes.\n".to_owned();
    }
    let part = |change: &Changed| {
        let title = format!("{} on {}", change.release, which(change));
        change.difference.to_markdown(&MarkdownOptions::default().title(title).context(context))
    };
    changes.iter().map(part).collect::<Vec<_>>().join("\n")
}
