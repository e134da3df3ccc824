//! `bowsprit create`.

use super::{Command, Invocation, exact_args};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::{settings, streams};
use bowsprit::loader::{self, CreateOptions};
use std::path::{Path, PathBuf};

pub(super) static COMMAND: Command = Command {
    name: "create",
    usage: "create NAME [flags]",
    about: "Create a chart with the usual files",
    examples: "\
NAME may be a path, whose last element becomes the chart's name. Files of the same names are
overwritten, others stay. A starter is a chart whose templates and values.yaml say <CHARTNAME> where
the name belongs: a path, or the name of one in Helm's folder for starters.

Examples:
  bowsprit create web
  bowsprit create charts/web --environments
  bowsprit create web --starter /srv/starters/service",
    flags: &[FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::switch(
        "environments",
        "Add values/dev.yaml, values/staging.yaml, values/prod.yaml and CHANGELOG.md",
    ),
    Flag::with("starter", Kind::Text, "STARTER", "Begin with this chart").short('p'),
    Flag::with("chart-api-version", Kind::Text, "VERSION", "").hidden(),
];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    let [name] = exact_args(invocation, "create NAME")?;
    streams::write(format!("Creating {name}\n").as_bytes())?;
    match parsed.text("chart-api-version") {
        None | Some("" | "v2") => {}
        Some(version) => {
            return Err(Failure::of(format!(
                "unsupported chart API version: {version} (supported: v2)"
            )));
        }
    }
    let mut options = CreateOptions::default();
    options.environments = parsed.is_on("environments");
    options.starter = parsed.non_empty("starter").map(starter);
    let created = loader::create(Path::new(name), &options).map_err(Failure::of)?;
    let warnings: String = created.warnings().map(|line| line + "\n").collect();
    streams::write(warnings.as_bytes())
}

fn starter(name: &str) -> PathBuf {
    // An absolute path replaces what it is joined to.
    settings::data_home().join("starters").join(name)
}
