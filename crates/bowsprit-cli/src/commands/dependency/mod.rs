//! `bowsprit dependency`.

mod bring;
mod list;

pub(crate) use bring::update;

use super::{Command, Invocation};
use crate::failure::Failure;

pub(super) static COMMAND: Command = Command {
    name: "dependency",
    usage: "dependency COMMAND",
    about: "Bring what a chart needs into its charts/ folder",
    examples: "\
What a chart needs stands in its Chart.yaml: name, version or range, and where it is to be had: the
URL of a repository, @name or alias:name of one that was added, oci:// or file://. Chart.lock says
which versions were found.

Examples:
  bowsprit dependency list ./chart
  bowsprit dependency update ./chart
  bowsprit dependency build ./chart",
    flags: &[],
    children: &[&bring::BUILD, &list::COMMAND, &bring::UPDATE],
    run: None,
};

/// The chart's directory: the argument, or the working directory.
fn chart<'i>(invocation: &'i Invocation<'_>, usage: &str) -> Result<&'i str, Failure> {
    match invocation.args() {
        [] => Ok("."),
        [chart] => Ok(chart),
        _ => {
            let name = usage.split(' ').take(2).collect::<Vec<_>>().join(" ");
            Err(Failure::Error(format!(
                "\"helm {name}\" accepts at most 1 argument\n\nUsage:  helm {usage} [flags]"
            )))
        }
    }
}
