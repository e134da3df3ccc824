//! `bowsprit repo list`.

use crate::commands::{Command, Invocation, no_args};
use crate::failure::Failure;
use crate::flags::Flag;
use crate::output::{self, Format, Item, Table};
use crate::streams;
use bowsprit::loader::repo::RepositoryFile;

pub(super) static COMMAND: Command = Command {
    name: "list",
    usage: "repo list [flags]",
    about: "List the chart repositories",
    examples: "\
Examples:
  bowsprit repo list
  bowsprit repo list -o json",
    flags: &[FLAGS, output::FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] =
    &[Flag::switch("no-headers", "Print no line with the names of the columns")];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    no_args(invocation, "helm repo list")?;
    let config = invocation.settings.helm_paths().repository_config;
    // A file that can't be read counts for none, as in Helm.
    let file = RepositoryFile::load(&config).ok().flatten().unwrap_or_default();
    let repositories = file.repositories;
    if repositories.is_empty() && output::format(invocation.parsed) == Format::Table {
        streams::say("no repositories to show");
        return Ok(());
    }
    let item = |name: &str, url: &str| {
        Item::Object(vec![("name", Item::text(name)), ("url", Item::text(url))])
    };
    let items = repositories.iter().map(|repository| item(&repository.name, &repository.url));
    output::print(invocation.parsed, &Item::List(items.collect()), || {
        let mut table = match invocation.parsed.is_on("no-headers") {
            true => Table::default(),
            false => Table::new(["NAME", "URL"]),
        };
        repositories.iter().for_each(|repository| table.row([&repository.name, &repository.url]));
        table
    })
}
