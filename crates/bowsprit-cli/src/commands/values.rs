//! `bowsprit values`.

use super::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Parsed};
use crate::{charts, limits, release, render, report, streams, values};
use bowsprit::chart::Chart;
use bowsprit::explain::{
    Origin, Origins, Path, docs, schema, value_origin_json, value_text, values_report,
};
use bowsprit::lint::unused_values;
use bowsprit::report::Format;
use bowsprit::value::Value;
use bowsprit::yaml;
use std::sync::Arc;

pub(super) static COMMAND: Command = Command {
    name: "values",
    usage: "values CHART [flags]",
    about: "Print the values that a chart's templates see, and where they come from",
    examples: "\
Lays what the flags give over the defaults of the chart and its subcharts, as a render does, and prints
the outcome. --origin names each value with the file and line, flag or subchart it comes from; --unused
names the keys of values.yaml and of the files given with -f that no template reads. The exit code is 0,
and 1 where the values can't be merged, or with --unused and --strict where there are such keys.

Examples:
  bowsprit values ./chart -f prod.yaml
  bowsprit values ./chart -f prod.yaml --set image.tag=v2 --origin
  bowsprit values ./chart -f prod.yaml --unused
  bowsprit values ./chart --origin --format json
  bowsprit values schema ./chart > chart/values.schema.json
  bowsprit values docs ./chart >> README.md",
    flags: &[FLAGS, report::FLAGS, charts::FLAGS, values::FLAGS, release::FLAGS, limits::FLAGS],
    children: &[&DOCS, &SCHEMA],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::switch("origin", "Print where each value comes from"),
    Flag::switch("unused", "Print the keys that no template reads"),
    Flag::switch("strict", "With --unused, fail if there are any"),
];

static DOCS: Command = Command {
    name: "docs",
    usage: "values docs CHART [flags]",
    about: "Print a chart's values as a Markdown table",
    examples: "\
Descriptions are comments above keys of values.yaml in the habit of helm-docs: # -- text, with
@default, @section and @ignored; and in that of Bitnami: ## @param path text. A table or list that is
described is one row.

Examples:
  bowsprit values docs ./chart
  bowsprit values docs ./chart --all-comments",
    flags: &[DOCS_FLAGS, charts::FLAGS],
    children: &[],
    run: Some(run_docs),
};

static DOCS_FLAGS: &[Flag] =
    &[Flag::switch("all-comments", "Take comments without a mark for descriptions too")];

static SCHEMA: Command = Command {
    name: "schema",
    usage: "values schema CHART [flags]",
    about: "Print a JSON schema for a chart's values",
    examples: "\
Types are those of the defaults, descriptions the comments above them; values that templates read and
that values.yaml does not have are there without a type. With --strict no other keys are allowed where
templates read all keys by name, so that misspelt ones are errors.

Examples:
  bowsprit values schema ./chart > chart/values.schema.json
  bowsprit values schema ./chart --strict",
    flags: &[SCHEMA_FLAGS, charts::FLAGS],
    children: &[],
    run: Some(run_schema),
};

static SCHEMA_FLAGS: &[Flag] =
    &[Flag::switch("strict", "Allow no keys that no template reads, where that is known")];

/// The chart that is the only argument.
fn reference<'i>(invocation: &'i Invocation<'_>, usage: &str) -> Result<&'i str, Failure> {
    match invocation.args() {
        [chart] => Ok(chart),
        _ => {
            let path = usage.split(" CHART").next().unwrap_or_default();
            let usage = format!("Usage:  bowsprit {usage}");
            Err(Failure::Error(format!("\"bowsprit {path}\" requires 1 argument\n\n{usage}")))
        }
    }
}

fn chart(invocation: &Invocation<'_>, usage: &str) -> Result<Arc<Chart>, Failure> {
    let path = charts::locate(invocation, reference(invocation, usage)?)?;
    Ok(Arc::new(release::load(invocation, &path)?))
}

fn run_docs(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let chart = chart(invocation, DOCS.usage)?;
    let text = chart.values_source.as_ref().map(|text| text.as_bytes()).unwrap_or_default();
    let table = docs::markdown(text, invocation.parsed.is_on("all-comments"));
    streams::write(table.as_bytes())
}

fn run_schema(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let chart = chart(invocation, SCHEMA.usage)?;
    let options = schema::Options { strict: invocation.parsed.is_on("strict") };
    let schema = schema::infer(&chart, options);
    streams::write(format!("{schema:#}\n").as_bytes())
}

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    let format = report::format(parsed)?;
    let reference = reference(invocation, COMMAND.usage)?;
    if parsed.is_on("unused") {
        return unused(invocation, reference);
    }
    let job = render::prepare(invocation, "release-name".to_owned(), reference)?;
    let plan = job.chart.plan(&job.request).map_err(|error| Failure::found(error.diagnostic()))?;
    plan.warnings.iter().for_each(|line| invocation.settings.log(line));
    let values = plan.output.values;
    if !parsed.is_on("origin") && format == Format::Text {
        let mut out = Vec::new();
        let meter = bowsprit::value::Meter::default();
        yaml::encode(&Value::Map(values), &mut out, &meter).map_err(Failure::of)?;
        return report::print_text(parsed, &String::from_utf8_lossy(&out));
    }
    let chart = job.chart.chart();
    let origins = Origins::of(chart, &values::given_again(invocation)?, &mut |path| {
        values::read_file(invocation, path)
    });
    let origins = origins.map_err(|error| Failure::found(error.diagnostic()))?;
    let found: Vec<(Path, Value, Option<Origin>)> = origins
        .paths()
        .into_iter()
        .filter_map(|path| {
            let value = path.value_in(&values)?;
            let origin = origins.of_value(&path);
            Some((path, value, origin))
        })
        .collect();
    let name = chart.metadata.name.clone();
    let place = |file: &str| values::place_in_chart(reference, &name, file);
    let line = |(path, value, origin): &(Path, Value, Option<Origin>)| {
        let from = origin.as_ref().map(|origin| format!("  # {origin}")).unwrap_or_default();
        format!("{path} = {}{from}\n", value_text(Some(value)))
    };
    let text: String = found.iter().map(line).collect();
    if format == Format::Json {
        let list = found.iter().map(|(path, value, origin)| {
            value_origin_json(&path.to_string(), Some(value), origin.as_ref())
        });
        return report::print_json(parsed, &text, "values", list.collect());
    }
    let made = values_report(reference, &found, &place, env!("CARGO_PKG_VERSION"));
    report::print(parsed, &made, &text)
}

fn unused(invocation: &Invocation<'_>, reference: &str) -> Result<(), Failure> {
    let parsed: &Parsed = invocation.parsed;
    let path = charts::locate(invocation, reference)?;
    let chart = Arc::new(release::load(invocation, &path)?);
    let texts = values::texts(parsed);
    let version = env!("CARGO_PKG_VERSION");
    let found = unused_values(&chart, reference, &texts, version).ok_or_else(|| {
        Failure::Error(format!("{reference}: the templates can't be parsed, or not be followed"))
    })?;
    let text = Format::Text.print(&found);
    report::print(parsed, &found, &text)?;
    let count = found.totals().warnings;
    if parsed.is_on("strict") && count > 0 {
        let keys = if count == 1 { "1 key is".to_owned() } else { format!("{count} keys are") };
        return Err(Failure::Error(format!("{keys} read by no template")));
    }
    Ok(())
}
