//! `bowsprit flux diff`.

use super::input;
use crate::commands::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::{limits, streams};
use bowsprit::flux::{RenderingDifference, compare};
use bowsprit::manifest::diff::{MarkdownOptions, TextOptions};

pub(super) static COMMAND: Command = Command {
    name: "diff",
    usage: "diff BEFORE AFTER [flags]",
    about: "Show what a change of HelmReleases changes in what is installed",
    examples: "\
BEFORE and AFTER are files or folders with HelmReleases and what they refer to, such as the checkouts of
two branches. Both are rendered as by `bowsprit flux render`, and the objects are compared by kind,
namespace and name. What Secrets hold is not shown.

Of a HelmRelease or Kustomization that fails in either nothing is compared; its failure is shown instead.

Examples:
  bowsprit flux diff main/apps branch/apps --mirror '*=mirror'
  bowsprit flux diff main/apps branch/apps --mirror '*=mirror' --format markdown > comment.md
  bowsprit flux diff main/apps branch/apps --mirror '*=mirror' --exit-code",
    flags: &[FLAGS, input::FLAGS, limits::FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::with("format", Kind::Text, "FORMAT", "text or markdown (default text)"),
    Flag::with("title", Kind::Text, "TEXT", "Heading of the Markdown"),
    Flag::with("context", Kind::Uint64, "N", "Lines around each difference (default 3)"),
    Flag::switch("exit-code", "End with exit code 1 where anything differs"),
];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let [before, after] = invocation.args() else {
        return Err(Failure::Error(
            "\"bowsprit flux diff\" requires 2 arguments\n\n\
             Usage:  bowsprit flux diff BEFORE AFTER [flags]"
                .to_owned(),
        ));
    };
    let parsed = invocation.parsed;
    let markdown = match parsed.non_empty("format") {
        None | Some("text") => false,
        Some("markdown") => true,
        Some(other) => {
            return Err(Failure::Error(format!("--format: want text or markdown, not {other:?}")));
        }
    };
    let mut sides = Vec::new();
    for name in [before, after] {
        let inventory = input::inventory(invocation, std::slice::from_ref(name))?;
        sides.push(input::render(invocation, inventory)?);
    }
    let [before, after] = sides.as_slice() else { return Ok(()) };
    let difference = compare(before, after);
    let context = usize::try_from(parsed.number("context").unwrap_or(3)).unwrap_or(3);
    let text = if markdown {
        let title = parsed.non_empty("title").unwrap_or("What changes in the rendered objects");
        in_markdown(&difference, title, context)
    } else {
        let options = TextOptions::default().context(context).color(streams::is_terminal());
        in_text(&difference, &options)
    };
    streams::write(text.as_bytes())?;
    let same = difference.objects.is_empty() && difference.failures.is_empty();
    if parsed.is_on("exit-code") && !same {
        return Err(Failure::Bare(difference.objects.summary()));
    }
    Ok(())
}

fn in_text(difference: &RenderingDifference, options: &TextOptions) -> String {
    let mut out = String::new();
    for (side, key, error) in &difference.failures {
        out.push_str(&format!("{key} fails {side} the change: {error}\n"));
    }
    out + &difference.objects.to_text(options)
}

fn in_markdown(difference: &RenderingDifference, title: &str, context: usize) -> String {
    let options = MarkdownOptions::default().title(title).context(context);
    let mut out = difference.objects.to_markdown(&options);
    for (side, key, error) in &difference.failures {
        let error = error.replace('`', "'");
        out.push_str(&format!("\n**{key} fails {side} the change:**\n\n```\n{error}\n```\n"));
    }
    out
}
