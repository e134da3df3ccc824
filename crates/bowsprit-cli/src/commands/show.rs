//! `bowsprit show`.

use super::{Command, Invocation, exact_args};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::{charts, streams};
use bowsprit::chart::{Chart, Level, LogLine};
use bowsprit::loader::{self, ApiVersions, Options};
use bowsprit::show::{Part, show};

pub(super) static COMMAND: Command = Command {
    name: "show",
    usage: "show PART CHART",
    about: "Print what a chart says of itself",
    examples: "\
Examples:
  bowsprit show values ./chart
  bowsprit show chart repo/web --version '^1.2'
  bowsprit show all oci://registry.example.com/charts/web",
    flags: &[],
    children: &[&ALL, &CHART, &CRDS, &README, &VALUES],
    run: None,
};

static ALL: Command = Command {
    name: "all",
    usage: "show all CHART [flags]",
    about: "Print Chart.yaml, the values, the README and the CRDs",
    examples: "\
Examples:
  bowsprit show all ./chart",
    flags: &[charts::FLAGS],
    children: &[],
    run: Some(|invocation| run(invocation, "all", Part::All)),
};

static CHART: Command = Command {
    name: "chart",
    usage: "show chart CHART [flags]",
    about: "Print Chart.yaml, as Helm would write it",
    examples: "\
Examples:
  bowsprit show chart ./chart",
    flags: &[charts::FLAGS],
    children: &[],
    run: Some(|invocation| run(invocation, "chart", Part::Chart)),
};

static CRDS: Command = Command {
    name: "crds",
    usage: "show crds CHART [flags]",
    about: "Print the custom resource definitions, those of subcharts too",
    examples: "\
Examples:
  bowsprit show crds ./chart",
    flags: &[charts::FLAGS],
    children: &[],
    run: Some(|invocation| run(invocation, "crds", Part::Crds)),
};

static README: Command = Command {
    name: "readme",
    usage: "show readme CHART [flags]",
    about: "Print the README",
    examples: "\
Examples:
  bowsprit show readme ./chart",
    flags: &[charts::FLAGS],
    children: &[],
    run: Some(|invocation| run(invocation, "readme", Part::Readme)),
};

static VALUES: Command = Command {
    name: "values",
    usage: "show values CHART [flags]",
    about: "Print values.yaml, or parts of it",
    examples: "\
Examples:
  bowsprit show values ./chart
  bowsprit show values ./chart --jsonpath '{.image.repository}:{.image.tag}'
  bowsprit show values ./chart --jsonpath '{range .hosts[*]}{.name}{\"\\n\"}{end}'",
    flags: &[VALUES_FLAGS, charts::FLAGS],
    children: &[],
    run: Some(|invocation| run(invocation, "values", Part::Values)),
};

static VALUES_FLAGS: &[Flag] = &[Flag::with(
    "jsonpath",
    Kind::Text,
    "TEMPLATE",
    "Print what a template of the Kubernetes JSONPath kind selects",
)];

fn run(invocation: &Invocation<'_>, name: &str, part: Part) -> Result<(), Failure> {
    let [reference] = exact_args(invocation, &format!("show {name} [CHART]"))?;
    let path = charts::locate(invocation, reference)?;
    let mut options = Options::default();
    options.api_versions = ApiVersions::Any;
    let loaded = loader::load_path(&path, &options).map_err(|error| {
        error.log().iter().for_each(|line| invocation.settings.log(line));
        Failure::of(error)
    })?;
    loaded.warnings.iter().for_each(|line| invocation.settings.log(line));
    let chart = loaded.output;
    let template = invocation.parsed.non_empty("jsonpath");
    let values = match template.filter(|_| chart.values_source.is_some()) {
        Some(template) => Some(select(invocation, template, &chart)?),
        None => None,
    };
    streams::write(&show(&chart, part, values.as_deref()).map_err(Failure::of)?)
}

fn select(invocation: &Invocation<'_>, template: &str, chart: &Chart) -> Result<Vec<u8>, Failure> {
    let parsed = bowsprit::jsonpath::JsonPath::parse(template)
        .map_err(|error| Failure::of(format!("error parsing jsonpath {template}: {error}")))?;
    let mut out = Vec::new();
    if let Err(error) = parsed.execute(&chart.values.clone().into(), &mut out) {
        // Helm says nothing and is content with it.
        invocation.settings.log(&LogLine {
            level: Level::Warn,
            message: "jsonpath selects nothing".to_owned(),
            attrs: vec![("reason", error.to_string())],
        });
    }
    Ok(out)
}
