//! `bowsprit repo index`.

use crate::commands::{Command, Invocation, exact_args};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::network;
use bowsprit::loader::repo::{IndexOptions, write_index};
use std::path::PathBuf;

pub(super) static COMMAND: Command = Command {
    name: "index",
    usage: "repo index DIR [flags]",
    about: "Write the index of a directory with packaged charts",
    examples: "\
The charts are those in DIR and one level below it. The index is DIR/index.yaml.

Examples:
  bowsprit repo index ./charts --url https://charts.example.com
  bowsprit repo index ./new --url https://charts.example.com --merge ./charts/index.yaml",
    flags: &[FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::with(
        "url",
        Kind::Text,
        "URL",
        "Where the directory will be, put before the names of the files",
    ),
    Flag::with("merge", Kind::Text, "FILE", "Add what this index has and the new one has not"),
    Flag::switch("json", "Write JSON"),
];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let [dir] = exact_args(invocation, "repo index [DIR]")?;
    let parsed = invocation.parsed;
    let mut options = IndexOptions::default();
    options.url = parsed.text("url").unwrap_or_default().to_owned();
    options.merge = parsed.non_empty("merge").map(PathBuf::from);
    options.json = parsed.is_on("json");
    let log = write_index(dir.as_ref(), &options).map_err(network::detailed)?;
    log.iter().for_each(|line| invocation.settings.log(line));
    Ok(())
}
