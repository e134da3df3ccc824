//! `bowsprit version`.

use super::{Command, Invocation, no_args};
use crate::failure::Failure;
use crate::flags::Flag;
use crate::streams;

pub(super) static COMMAND: Command = Command {
    name: "version",
    usage: "version [flags]",
    about: "Print the version, and Helm's whose behaviour it has",
    examples: "\
Examples:
  bowsprit version
  bowsprit version --short",
    flags: &[FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[Flag::switch("short", "Print only the number")];

/// The version whose output and errors are matched.
const HELM: &str = "v4.2.4";

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    no_args(invocation, "bowsprit version")?;
    let version = concat!("v", env!("CARGO_PKG_VERSION"));
    let text = if invocation.parsed.is_on("short") {
        format!("{version}\n")
    } else {
        format!("bowsprit {version} (Helm {HELM})\n")
    };
    streams::write(text.as_bytes())
}
