//! `bowsprit explain`.

use super::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::render::{self, Job};
use crate::{charts, limits, release, report, streams, values};
use bowsprit::explain::{
    At, Cause, Explainer, Explanation, Origin, Origins, Path, explanation_json, explanation_text,
    influence_json, influence_text, report as report_of,
};
use bowsprit::pipeline;
use bowsprit::report::Format;
use std::time::{Duration, Instant};

pub(super) static COMMAND: Command = Command {
    name: "explain",
    usage: "explain [NAME] CHART [flags]",
    about: "Say which template line and which values made a line of the output",
    examples: "\
With --at: the places in the templates that wrote the line, the values that change it or decide whether
it is there, and where each of these comes from. Nothing is guessed: each value that was read for the
file is changed, the file is rendered once more, and the line compared. --value says the reverse: which
objects and fields a value changes. Without either, all values are tried, and named with the objects
that they change.

WHERE is KIND/NAME:PATH, KIND/NAMESPACE/NAME:PATH, or the number of a line of what bowsprit template
prints with the same flags. PATH is as --set takes it; dots of keys need no backslash. The exit code is
0, and 1 where the chart can't be rendered or there is no such line.

Examples:
  bowsprit explain demo ./chart --at Deployment/web:spec.replicas
  bowsprit explain demo ./chart -f prod.yaml --at 'Service/web:spec.ports[0].port'
  bowsprit explain demo ./chart --at Deployment/web:metadata.labels.app.kubernetes.io/name
  bowsprit explain demo ./chart --at 120
  bowsprit explain demo ./chart --value image.tag
  bowsprit explain demo ./chart --at 120 --format json",
    flags: &[FLAGS, report::FLAGS, charts::FLAGS, values::FLAGS, release::FLAGS, release::TARGET, limits::FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::with("at", Kind::Texts, "WHERE", "What is to be explained; repeatable"),
    Flag::with("value", Kind::Texts, "PATH", "Print what this value changes; repeatable"),
    Flag::with(
        "try-for",
        Kind::Duration,
        "DURATION",
        "How long values are tried for each line, or in all without --at (default 30s)",
    ),
    Flag::with(
        "try-values",
        Kind::Uint64,
        "N",
        "How many values are tried at most for each line, or in all without --at",
    ),
    Flag::with("name-template", Kind::Text, "TEMPLATE", "Make the release's name of a template"),
    Flag::switch("include-crds", "Count the lines of custom resource definitions too"),
    Flag::switch("no-hooks", "Count no lines of hooks"),
    Flag::switch("skip-tests", "Count no lines of tests"),
];

/// What is looked at, with the world it needs.
struct Work {
    job: Job,
    origins: Option<Origins>,
    chart: String,
}

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    if invocation.args().is_empty() {
        return Err(Failure::Error(
            "\"bowsprit explain\" requires a chart\n\n\
             Usage:  bowsprit explain [NAME] CHART [flags]"
                .to_owned(),
        ));
    }
    let format = report::format(parsed)?;
    let (name, reference) = render::name_and_chart(invocation)?;
    let now = std::time::SystemTime::now();
    let mut job = render::prepare(invocation, name, &reference)?;
    job.host = release::steady_host(parsed, now);
    let chart = job.chart.chart();
    // A set that can't be followed is no reason to say nothing of the rest.
    let origins = Origins::of(chart, &values::given_again(invocation)?, &mut |path| {
        values::read_file(invocation, path)
    });
    let work = Work { origins: origins.ok(), job, chart: reference };
    let release = work.job.release(invocation)?;
    let printed = pipeline::print(&release, &work.job.options);
    let printed = String::from_utf8_lossy(&printed);
    let host = || release::steady_host(parsed, now);
    let explainer = Explainer::new(&work.job.chart, work.job.request.clone(), &host);
    let explainer = explainer.map_err(|error| Failure::found(error.diagnostic()))?;
    let places = parsed.all("at");
    if places.is_empty() {
        return influences(parsed, &work, &explainer, format);
    }
    if !parsed.all("value").is_empty() {
        return Err(Failure::Error("--at and --value exclude each other".to_owned()));
    }
    let mut found = Vec::new();
    for place in &places {
        let at = At::parse(place).map_err(|error| Failure::Error(format!("--at: {error}")))?;
        let explanation = explainer.explain(&at, &printed, &mut bound(parsed));
        found.push(explanation.map_err(|error| Failure::Error(format!("--at {place}: {error}")))?);
    }
    print(parsed, &work, &explainer, &found, format)
}

/// Says whether there is time left, and another value may be tried.
fn bound(parsed: &Parsed) -> impl FnMut() -> bool + use<> {
    let limit = match parsed.non_empty("try-for") {
        Some(_) => parsed.duration("try-for").unwrap_or_default(),
        None => Duration::from_secs(30),
    };
    let most = parsed.number("try-values").unwrap_or(u64::MAX);
    let (start, mut tried) = (Instant::now(), 0);
    move || {
        tried += 1;
        tried <= most && start.elapsed() < limit
    }
}

fn print(
    parsed: &Parsed,
    work: &Work,
    explainer: &Explainer<'_>,
    found: &[Explanation],
    format: Format,
) -> Result<(), Failure> {
    let origin =
        |cause: &Cause| -> Option<Origin> { explainer.origin_of(cause, work.origins.as_ref()?) };
    let texts: Vec<String> = found.iter().map(|e| explanation_text(e, &origin)).collect();
    let text = texts.join("\n");
    if format == Format::Json {
        let list: Vec<_> = found.iter().map(|e| explanation_json(e, &origin)).collect();
        return report::print_json(parsed, &text, "explanations", list);
    }
    let name = work.job.chart.chart().metadata.name.clone();
    let place = |file: &str| values::place_in_chart(&work.chart, &name, file);
    let made = report_of(found, &origin, &place, env!("CARGO_PKG_VERSION"));
    report::print(parsed, &made, &text)
}

/// Which values change which objects.
fn influences(
    parsed: &Parsed,
    work: &Work,
    explainer: &Explainer<'_>,
    format: Format,
) -> Result<(), Failure> {
    if !matches!(format, Format::Text | Format::Json) {
        let name = parsed.non_empty("format").unwrap_or_default();
        return Err(Failure::Error(format!("--format {name} needs --at; else it is text or json")));
    }
    let named = parsed.all("value");
    let all = named.is_empty();
    let paths: Result<Vec<Path>, String> = named.iter().map(|path| Path::parse(path)).collect();
    let mut paths = paths.map_err(|error| Failure::Error(format!("--value: {error}")))?;
    if all {
        paths = explainer.paths();
    }
    let (mut text, mut list, mut untried) = (String::new(), Vec::new(), 0);
    let mut go_on = bound(parsed);
    let bar = streams::progress("values", paths.len());
    for path in &paths {
        bar.step();
        if all && !go_on() {
            untried += 1;
            continue;
        }
        let influence = explainer.influence(path);
        if all && influence.objects.is_empty() && influence.broken.is_none() {
            continue;
        }
        let ways = explainer.ways(path);
        let origin = work.origins.as_ref();
        let origin = origin.and_then(|o| ways.iter().find_map(|path| o.of_value(path)));
        text.push_str(&influence_text(&influence, origin.as_ref()));
        list.push(influence_json(&influence, origin.as_ref()));
    }
    bar.finish();
    if untried > 0 {
        text.push_str(&format!(
            "{untried} more values were not tried; --try-for and --try-values allow for more\n"
        ));
    }
    if format == Format::Json {
        return report::print_json(parsed, &text, "influences", list);
    }
    report::print_text(parsed, &text)
}
