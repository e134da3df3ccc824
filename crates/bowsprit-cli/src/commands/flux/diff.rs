//! `bowsprit flux diff`.

use super::input;
use crate::commands::release::{self, Session};
use crate::commands::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::{limits, release as release_host, streams};
use bowsprit::apply::{Hooks, Record, drift};
use bowsprit::flux::{Network, Rendering, RenderingDifference, compare};
use bowsprit::manifest::Identity;
use bowsprit::manifest::diff::{MarkdownOptions, ObjectSet, TextOptions, diff};
use bowsprit::value::Host;

pub(super) static COMMAND: Command = Command {
    name: "diff",
    usage: "flux diff [BEFORE] AFTER [flags]",
    about: "Show what a change of HelmReleases changes in what is installed",
    examples: "\
BEFORE and AFTER are files or folders with HelmReleases and what they refer to, such as the checkouts of
two branches. Both are rendered as by `bowsprit flux render`, and the objects are compared by kind,
namespace and name. What Secrets hold is not shown. Charts come from where Flux would bring them, or from
the folders of --mirror.

With --live there is only AFTER, and it is compared with the cluster of the kubeconfig: what the server
would make of the objects, against what is there. Objects that only the cluster has are not found.

Of a HelmRelease or Kustomization that fails in either nothing is compared; its failure is shown instead.

Examples:
  bowsprit flux diff main/apps branch/apps
  bowsprit flux diff main/apps branch/apps --mirror '*=mirror' --offline
  bowsprit flux diff main/apps branch/apps --mirror '*=mirror' --format markdown > comment.md
  bowsprit flux diff main/apps branch/apps --mirror '*=mirror' --exit-code
  bowsprit flux diff apps --mirror '*=mirror' --live --context prod",
    flags: &[FLAGS, release::CONNECT, input::FLAGS, limits::FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::with("format", Kind::Text, "FORMAT", "text or markdown (default text)"),
    Flag::with("title", Kind::Text, "TEXT", "Heading of the Markdown"),
    Flag::with("lines", Kind::Uint64, "N", "Lines around each difference (default 3)"),
    Flag::switch("live", "Compare with a cluster"),
    Flag::switch("exit-code", "End with exit code 1 where anything differs"),
];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    let markdown = match parsed.non_empty("format") {
        None | Some("text") => false,
        Some("markdown") => true,
        Some(other) => {
            return Err(Failure::Error(format!("--format: want text or markdown, not {other:?}")));
        }
    };
    let charts = input::charts(invocation)?;
    let difference = match (parsed.is_on("live"), invocation.args()) {
        (false, [before, after]) => {
            // What a chart draws by lot must not look like a change: both draw from the beginning.
            // And what both need is brought once, so that both see the same.
            let rendering = |name| {
                rendering(invocation, name, &charts, &*release_host::repeatable_host(parsed))
            };
            compare(&rendering(before)?, &rendering(after)?)
        }
        (true, [after]) => {
            let host = release_host::host(parsed);
            live(invocation, &rendering(invocation, after, &charts, &*host)?)?
        }
        (live, _) => {
            let (count, usage) =
                if live { ("1 argument", "AFTER --live") } else { ("2 arguments", "BEFORE AFTER") };
            return Err(Failure::Error(format!(
                "\"bowsprit flux diff\" requires {count}\n\n\
                 Usage:  bowsprit flux diff {usage} [flags]"
            )));
        }
    };
    let context = usize::try_from(parsed.number("lines").unwrap_or(3)).unwrap_or(3);
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

fn rendering(
    invocation: &Invocation<'_>,
    name: &String,
    charts: &Network,
    host: &dyn Host,
) -> Result<Rendering, Failure> {
    let inventory = input::inventory(invocation, std::slice::from_ref(name))?;
    input::render_on(invocation, inventory, charts, host)
}

/// What the server would make of the releases, against what it has.
fn live(
    invocation: &Invocation<'_>,
    rendering: &Rendering,
) -> Result<RenderingDifference, Failure> {
    let session = Session::open(invocation)?;
    let (mut before, mut after) = (ObjectSet::new(), ObjectSet::new());
    let mut failures = Vec::new();
    for outcome in &rendering.releases {
        let rendered = match &outcome.result {
            Ok(rendered) => rendered,
            Err(failure) => {
                failures.push(("after", outcome.key.clone(), failure.to_string()));
                continue;
            }
        };
        let mut record =
            Record::new(rendered.release.as_str(), rendered.namespace.as_str(), rendered.revision);
        record.manifest = rendered.manifest();
        let comparison = session.run(drift(&session.cluster, &record, Hooks::Run))?;
        for pair in comparison.pairs {
            let identity =
                Identity::new(&pair.api_version, &pair.kind, Some(&pair.namespace), &pair.name);
            // Drift looks back, from what is there to what was wanted.
            before.extend(pair.after.map(|value| (identity.clone(), value)));
            after.extend(pair.before.map(|value| (identity, value)));
        }
    }
    Ok(RenderingDifference { objects: diff(&before, &after), failures })
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
