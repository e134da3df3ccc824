//! `bowsprit fleet init`.

use super::super::{Command, Invocation, no_args};
use super::FILE;
use crate::failure::Failure;
use crate::streams;
use std::io::Write;

pub(super) static COMMAND: Command = Command {
    name: "init",
    usage: "fleet init [flags]",
    about: "Write a first fleet file with comments",
    examples: "\
An existing file is never overwritten.

Examples:
  bowsprit fleet init
  bowsprit fleet init -f fleets/shop.yaml",
    flags: &[FILE],
    children: &[],
    run: Some(run),
};

/// The first fleet file.
const FIRST: &str = include_str!("first.yaml");

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    no_args(invocation, "bowsprit fleet init")?;
    let path = invocation.parsed.non_empty("file").unwrap_or("bowsprit.yaml");
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::Error(format!("{path} exists already and stays as it is"))
        }
        _ => Failure::Error(format!("{path}: {error}")),
    };
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(FIRST.as_bytes())).map_err(failed)?;
    streams::write(format!("wrote {path}; next: bowsprit fleet plan -f {path}\n").as_bytes())
}
