//! `bowsprit unittest`, and `bowsprit test` of charts.

use super::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::{limits, release, report, streams};
use bowsprit::loader::PathError;
use bowsprit::report::Format;
use bowsprit::unittest::{
    Covered, DEFAULT_FILES, Options, Outcome, OutputType, Printer, SuiteResult,
    report as report_of, scene, test,
};
use std::path::{Path, PathBuf};

pub(super) static COMMAND: Command = Command {
    name: "unittest",
    usage: "unittest CHART... [flags]",
    about: "Run the unit tests of charts",
    examples: "\
CHART is a chart's folder or an archive. Its tests are suites of helm-unittest: YAML files that say
what to render and what is to be seen in it; docs/unittest.md describes them. Suites run at once,
results come in their order. The exit code is 0 if all tests pass, and 1 if not.

Examples:
  bowsprit unittest ./chart
  bowsprit unittest ./chart -f 'tests/**/*_test.yaml' -v ci/values.yaml
  bowsprit unittest charts/* --update-snapshot
  bowsprit unittest ./chart --strict --failfast
  bowsprit unittest ./chart -o report.xml -t JUnit
  bowsprit unittest ./chart --coverage lcov.info
  bowsprit unittest ./chart --format github",
    flags: &[FLAGS, report::FLAGS, limits::FLAGS],
    children: &[],
    run: Some(run),
};

pub(super) static FLAGS: &[Flag] = &[
    Flag::with(
        "file",
        Kind::Texts,
        "GLOB",
        "Suite files, relative to the chart (default tests/*_test.yaml)",
    )
    .short('f'),
    Flag::with("values", Kind::Texts, "GLOB", "Values files for all tests").short('v'),
    Flag::switch("update-snapshot", "Write what was rendered into snapshots that differ")
        .short('u'),
    Flag::switch("with-subchart", "Run the suites of subcharts below charts/ too (default true)")
        .short('s'),
    Flag::switch("strict", "Refuse suites with unknown keys"),
    Flag::switch("failfast", "Stop at the first failure").short('q'),
    Flag::switch("skip-schema-validation", "Leave values.schema.json unread"),
    Flag::with(
        "chart-tests-path",
        Kind::Text,
        "FOLDER",
        "A folder of the chart that is a chart itself, whose templates print suites",
    ),
    Flag::with("color", Kind::Text, "WHEN", "Colours: never, auto or always (alone: always)")
        .optional("always"),
    Flag::with("output-file", Kind::Text, "FILE", "Write the results into FILE too").short('o'),
    Flag::with(
        "output-type",
        Kind::Text,
        "FORMAT",
        "The format of --output-file: JUnit, NUnit, XUnit or Sonar (default XUnit)",
    )
    .short('t'),
    Flag::with("coverage", Kind::Text, "FILE", "Write which lines of templates printed, in LCOV")
        .short('C'),
    Flag::switch("debugPlugin", "Keep what templates print below .debug").short('d'),
    Flag::with("threads", Kind::Uint64, "NUMBER", "How many suites to run at once"),
    Flag::with("seed", Kind::Uint64, "N", "Make randomness the same in every run"),
];

pub(super) fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    super::min_args(invocation, "bowsprit unittest", "CHART...", 1)?;
    let parsed = invocation.parsed;
    let output = output_type(parsed)?;
    let as_text =
        parsed.non_empty("report-file").is_some() || report::format(parsed)? == Format::Text;
    let outcome = tested(invocation, as_text)?;
    let suites: Vec<&SuiteResult> = outcome.suites().collect();
    if let Some(file) = parsed.non_empty("coverage") {
        write_file(file, &outcome.lcov)?;
        let Covered { lines, hit } = outcome.covered;
        if as_text && lines > 0 {
            let share = hit as f64 / lines as f64 * 100.0;
            streams::write(format!("Coverage:    {share:.1}% of {lines} lines\n").as_bytes())?;
        }
    }
    if let Some(file) = parsed.non_empty("output-file") {
        write_file(file, &output.print(&suites, &scene(&*release::host(parsed))))?;
    }
    if report::format(parsed)? != Format::Text || parsed.non_empty("report-file").is_some() {
        let found = report_of(suites.iter().copied(), env!("CARGO_PKG_VERSION"));
        report::print(parsed, &found, "")?;
    }
    if outcome.passed { Ok(()) } else { Err(Failure::Code(1)) }
}

fn output_type(parsed: &Parsed) -> Result<OutputType, Failure> {
    let name = parsed.non_empty("output-type").unwrap_or("XUnit");
    OutputType::from_name(name).ok_or_else(|| {
        let names = OutputType::NAMES.join(", ");
        Failure::Error(format!("unknown output type {name:?}: must be one of {names}"))
    })
}

fn write_file(file: &str, text: &str) -> Result<(), Failure> {
    let path = Path::new(file);
    let failed = |error| Failure::of(PathError::new("open", path, error));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, text).map_err(failed)
}

fn tested(invocation: &Invocation<'_>, as_text: bool) -> Result<Outcome, Failure> {
    let parsed = invocation.parsed;
    let options = options(invocation);
    let colored = match parsed.text("color") {
        Some("always") => true,
        Some("never") => false,
        _ => streams::is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    };
    let mut failure = Ok(());
    let mut print = |text: &str| {
        if as_text && failure.is_ok() {
            failure = streams::write(text.as_bytes());
        }
    };
    let host = release::host(parsed);
    let outcome = test(invocation.args(), &options, &*host, Printer { colored }, &mut print);
    failure?;
    Ok(outcome)
}

fn options(invocation: &Invocation<'_>) -> Options {
    let parsed = invocation.parsed;
    let mut options = Options::default();
    let files = parsed.all("file");
    options.files = if files.is_empty() { vec![DEFAULT_FILES.to_owned()] } else { files };
    options.values = parsed.all("values");
    options.strict = parsed.is_on("strict");
    options.update_snapshots = parsed.is_on("update-snapshot");
    options.with_subcharts =
        parsed.text("with-subchart").is_none() || parsed.is_on("with-subchart");
    options.chart_tests = parsed.text("chart-tests-path").unwrap_or_default().to_owned();
    options.keep_rendered = parsed.is_on("debugPlugin").then(|| PathBuf::from(".debug"));
    options.coverage = parsed.non_empty("coverage").is_some();
    options.threads = parsed.number("threads").and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    options.limits = limits::limits(parsed);
    options.run.fail_fast = parsed.is_on("failfast");
    options.run.skip_schema_validation = parsed.is_on("skip-schema-validation");
    options
}

/// Whether `bowsprit test` is asked for the tests of charts, and not for those of a release.
pub(super) fn is_meant(arguments: &[String]) -> bool {
    arguments.first().is_some_and(|argument| is_chart(argument))
}

fn is_chart(argument: &str) -> bool {
    let path = Path::new(argument);
    let named = argument.contains(['/', '\\']) || argument.starts_with('.');
    path.join("Chart.yaml").is_file()
        || (named && path.exists())
        || (argument.ends_with(".tgz") && path.is_file())
}
