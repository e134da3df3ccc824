//! `bowsprit fleet schema`.

use super::super::{Command, Invocation, no_args};
use crate::failure::Failure;
use crate::streams;

pub(super) static COMMAND: Command = Command {
    name: "schema",
    usage: "fleet schema",
    about: "Print the JSON schema of the fleet file",
    examples: "\
Editors complete and check a fleet file with it.

Examples:
  bowsprit fleet schema > bowsprit.schema.json",
    flags: &[],
    children: &[],
    run: Some(run),
};

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    no_args(invocation, "bowsprit fleet schema")?;
    streams::write(bowsprit::fleet::SCHEMA.as_bytes())
}
