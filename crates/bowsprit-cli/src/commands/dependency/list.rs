//! `bowsprit dependency list`.

use super::chart;
use crate::commands::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::output::Table;
use crate::streams;
use bowsprit::loader::list_dependencies;
use std::path::Path;

pub(super) static COMMAND: Command = Command {
    name: "list",
    usage: "dependency list [CHART] [flags]",
    about: "List what a chart needs, and whether it is there",
    examples: "\
CHART is a directory or an archive; without it the working directory is meant.

Examples:
  bowsprit dependency list
  bowsprit dependency list ./chart-1.2.3.tgz",
    flags: &[FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[Flag::with(
    "max-col-width",
    Kind::Uint64,
    "N",
    "Cut columns that are wider (default 80, 0 for none)",
)];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let chart = chart(invocation, "dependency list CHART")?;
    let listing = list_dependencies(Path::new(chart)).map_err(|error| {
        error.log().iter().for_each(|line| invocation.settings.log(line));
        Failure::of(error)
    })?;
    listing.log.iter().for_each(|line| invocation.settings.log(line));
    let mut text = String::new();
    if let Some(dependencies) = &listing.dependencies {
        let width = invocation.parsed.number("max-col-width").unwrap_or(80);
        let mut table = Table::new(["NAME", "VERSION", "REPOSITORY", "STATUS"])
            .max_width(usize::try_from(width).unwrap_or(usize::MAX));
        for (needed, status) in dependencies {
            table.row([&needed.name, &needed.version, &needed.repository, &status.to_string()]);
        }
        text.push_str(&table.text());
        text.push('\n');
    }
    for warning in &listing.warnings {
        text.push_str(warning);
        text.push('\n');
    }
    streams::write(text.as_bytes())
}
