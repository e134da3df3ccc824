//! `bowsprit search`.

use super::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::output::{self, Format, Item, Table};
use crate::streams;
use bowsprit::chart::{Level, LogLine};
use bowsprit::loader::repo::{Found, IndexLimits, Matcher, RepositoryFile, Search};
use bowsprit::sprig::goregex::GoRegex;
use std::convert::Infallible;

pub(super) static COMMAND: Command = Command {
    name: "search",
    usage: "search COMMAND",
    about: "Search for charts",
    examples: "",
    flags: &[],
    children: &[&REPO],
    run: None,
};

static REPO: Command = Command {
    name: "repo",
    usage: "search repo [KEYWORD] [flags]",
    about: "Search the chart repositories that have been added",
    examples: "\
Names, descriptions and keywords of the charts in the cached indexes are searched, which repo update
brings. Without KEYWORD all charts are found.

Examples:
  bowsprit search repo nginx
  bowsprit search repo nginx --versions --devel
  bowsprit search repo 'nginx-.*' --regexp --version ^1.0.0 -o json",
    flags: &[FLAGS, output::FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::switch("regexp", "Take KEYWORD for a regular expression").short('r'),
    Flag::switch("versions", "Print all versions, not just the newest").short('l'),
    Flag::switch("devel", "Take versions into account that are not released yet, as >0.0.0-0 does"),
    Flag::with("version", Kind::Text, "RANGE", "Only versions in this range"),
    Flag::with("max-col-width", Kind::Uint64, "N", "Cut wider columns; 0 cuts none (default 50)"),
    Flag::switch("fail-on-no-result", "Fail where nothing is found"),
];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    let range = match parsed.non_empty("version") {
        Some(range) => range,
        None if parsed.is_on("devel") => ">0.0.0-0",
        None => ">0.0.0",
    };
    let keyword = invocation.args().join(" ");
    let matcher = (!invocation.args().is_empty())
        .then(|| matcher(&keyword, parsed.is_on("regexp")))
        .transpose()?;
    let paths = invocation.settings.helm_paths();
    let file = RepositoryFile::load(&paths.repository_config).ok().flatten().unwrap_or_default();
    if file.repositories.is_empty() {
        return Err(Failure::Error("no repositories configured".to_owned()));
    }
    let mut search =
        Search::new(matcher, range, parsed.is_on("versions")).map_err(Failure::Error)?;
    for repository in &file.repositories {
        let name = &repository.name;
        match search.add(name, &paths.index_file(name), &IndexLimits::default()) {
            Ok(log) => log.iter().for_each(|line| invocation.settings.log(line)),
            Err(error) => invocation.settings.log(&LogLine {
                level: Level::Warn,
                message: "repo is corrupt or missing".to_owned(),
                attrs: vec![("repo", name.clone()), ("error", error.to_string())],
            }),
        }
    }
    print(invocation, &search.results())
}

/// Finds a text without regard to case, or a regular expression.
fn matcher(keyword: &str, regexp: bool) -> Result<Matcher<'static>, Failure> {
    if !regexp {
        let keyword = keyword.to_lowercase();
        return Ok(Box::new(move |line| line.to_lowercase().find(&keyword)));
    }
    let regexp = GoRegex::compile(keyword).map_err(Failure::of)?;
    Ok(Box::new(move |line| {
        let found = regexp.find::<Infallible>(line.as_bytes(), &mut |_| Ok(()));
        found.ok().flatten().map(|range| range.start)
    }))
}

fn print(invocation: &Invocation<'_>, found: &[Found]) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    if found.is_empty() {
        if parsed.is_on("fail-on-no-result") {
            return Err(Failure::Error("no results found".to_owned()));
        }
        if output::format(parsed) == Format::Table {
            return streams::write(b"No results found\n");
        }
    }
    let item = |found: &Found| {
        Item::Object(vec![
            ("name", Item::text(&found.name)),
            ("version", Item::text(&found.version)),
            ("app_version", Item::text(&found.app_version)),
            ("description", Item::text(&found.description)),
        ])
    };
    output::print(parsed, &Item::List(found.iter().map(item).collect()), || {
        let width = parsed.number("max-col-width").unwrap_or(50);
        let header = ["NAME", "CHART VERSION", "APP VERSION", "DESCRIPTION"];
        let mut table = Table::new(header).max_width(usize::try_from(width).unwrap_or(0));
        for Found { name, version, app_version, description, .. } in found {
            table.row([name, version, app_version, description]);
        }
        table
    })
}
