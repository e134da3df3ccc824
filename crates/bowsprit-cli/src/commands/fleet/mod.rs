//! `bowsprit fleet`.

mod apply;
mod deliver;
mod diff;
mod init;
mod plan;
pub(super) mod promote;
mod render;
mod report;
mod schema;
mod status;

use super::release::connect_options;
use super::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::{charts, limits};
use bowsprit::apply::ConnectOptions;
use bowsprit::fleet::{ChartSource, Contexts, Disk, FleetFile, Plan, Scope, Target, TargetSource};
use bowsprit::loader;
use std::cell::OnceCell;
use std::path::{Path, PathBuf};

pub(super) static COMMAND: Command = Command {
    name: "fleet",
    usage: "fleet [command]",
    about: "Bring charts to many clusters, by ring and by region",
    examples: "\
A fleet file names releases, the clusters they are for, and the layers of values that hold for which of
them. Each chart is compiled once, and clusters with equal inputs share one render.

Examples:
  bowsprit fleet init
  bowsprit fleet plan
  bowsprit fleet render --output-dir out
  bowsprit fleet diff --since main
  bowsprit fleet apply --dry-run
  bowsprit fleet status
  bowsprit fleet report --html fleet.html
  bowsprit promote web --from canary --to stable",
    flags: &[],
    children: &[
        &apply::COMMAND,
        &diff::COMMAND,
        &init::COMMAND,
        &plan::COMMAND,
        &render::COMMAND,
        &report::COMMAND,
        &schema::COMMAND,
        &status::COMMAND,
    ],
    run: None,
};

/// The flag of the fleet file.
pub(super) static FILE: &[Flag] =
    &[Flag::with("file", Kind::Text, "FILE", "The fleet file (default bowsprit.yaml)").short('f')];

/// What part of a fleet is looked at.
pub(super) static SCOPE: &[Flag] = &[
    Flag::with("release", Kind::List, "NAMES", "Only these releases; repeatable"),
    Flag::with(
        "clusters",
        Kind::Text,
        "SELECTOR",
        "Only clusters whose labels match, as region=eu,ring!=canary",
    )
    .short('l'),
    Flag::with("cluster", Kind::List, "NAMES", "Only these clusters; repeatable"),
];

pub(super) static THREADS: &[Flag] = &[Flag::with(
    "threads",
    Kind::Uint64,
    "N",
    "Render with N threads (default one per processor)",
)];

/// A fleet file that has been read.
pub(super) struct Fleet<'a> {
    pub(super) path: PathBuf,
    pub(super) text: Vec<u8>,
    pub(super) file: FleetFile,
    pub(super) disk: Disk<'a>,
    connect: ConnectOptions,
    contexts: OnceCell<Contexts>,
}

impl Fleet<'_> {
    /// What errors call the file.
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The fleet's API servers; nobody is asked before it is needed.
    pub(super) fn contexts(&self) -> Result<&Contexts, Failure> {
        if let Some(contexts) = self.contexts.get() {
            return Ok(contexts);
        }
        let contexts = Contexts::new(self.connect.clone()).map_err(Failure::Error)?;
        Ok(self.contexts.get_or_init(|| contexts))
    }

    pub(super) fn targets(&self) -> Result<Vec<Target>, Failure> {
        let live = &mut |source: &TargetSource| {
            self.contexts().map_err(|_| "no runtime".to_owned())?.targets(source)
        };
        let targets = self.disk.targets(&self.file, live).map_err(Failure::Error)?;
        if targets.is_empty() {
            return Err(Failure::Error(format!(
                "{}: the fleet has no clusters; list them below `targets`",
                self.name()
            )));
        }
        Ok(targets)
    }

    pub(super) fn plan(&self, parsed: &Parsed) -> Result<Plan, Failure> {
        let mut scope = scope(parsed)?;
        if let Some(shard) = parsed.non_empty("shard") {
            scope.shard = shard.parse().map_err(Failure::Error)?;
        }
        let plan =
            bowsprit::fleet::plan(&self.name(), &self.file, self.targets()?, &self.disk, &scope);
        plan.map_err(described)
    }
}

fn scope(parsed: &Parsed) -> Result<Scope, Failure> {
    let mut scope = Scope::default();
    scope.releases = parsed.all("release");
    scope.names = parsed.all("cluster");
    if let Some(selector) = parsed.non_empty("clusters") {
        scope.clusters = selector.parse().map_err(Failure::of)?;
    }
    Ok(scope)
}

/// An error with what can be done about it.
pub(super) fn described(error: bowsprit::fleet::Error) -> Failure {
    Failure::Error(format!("{error:#}"))
}

/// Reads the fleet file that the flags name.
pub(super) fn open<'a>(invocation: &'a Invocation<'_>) -> Result<Fleet<'a>, Failure> {
    let path = invocation.parsed.non_empty("file").unwrap_or("bowsprit.yaml");
    open_at(invocation, Path::new(path))
}

/// Reads the fleet file at a path.
pub(super) fn open_at<'a>(
    invocation: &'a Invocation<'_>,
    path: &Path,
) -> Result<Fleet<'a>, Failure> {
    let text = std::fs::read(path).map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::NotFound => {
                "; `bowsprit fleet init` writes a first one, --file names another"
            }
            _ => "",
        };
        let reason = error.to_string();
        let reason = reason.split(" (os error").next().unwrap_or_default();
        Failure::Error(format!("{}: {reason}{hint}", path.display()))
    })?;
    let file = FleetFile::parse(&path.display().to_string(), &text).map_err(described)?;
    let locate = |source: ChartSource<'_>| locate(invocation, source);
    let disk = Disk::new(path, limits::engine(invocation.parsed), Box::new(locate));
    let disk = disk.delivering(&file.delivery);
    let connect = connect_options(invocation);
    Ok(Fleet { path: path.to_owned(), text, file, disk, connect, contexts: OnceCell::new() })
}

/// The path of a chart, which is downloaded where it has to be.
fn locate(invocation: &Invocation<'_>, source: ChartSource<'_>) -> Result<PathBuf, String> {
    let said = |failure: Failure| match failure {
        Failure::Error(text) | Failure::Bare(text) => text,
        Failure::Code(_) => "interrupted".to_owned(),
        other => format!("{other:?}"),
    };
    let mut query = charts::query(invocation).map_err(said)?;
    query.version = source.version.unwrap_or_default().to_owned();
    query.repository_url = source.repository.unwrap_or_default().to_owned();
    if source.repository.is_none() {
        match loader::locate(source.reference) {
            Ok(path) => return Ok(path),
            Err(error) if !error.is_remote() => return Err(error.to_string()),
            Err(_) => {}
        }
    }
    let located = charts::bring(invocation, source.reference, &query).map_err(said)?;
    Ok(located.path)
}

/// How many threads render.
pub(super) fn threads(parsed: &Parsed) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let wanted = parsed.number("threads").and_then(|n| usize::try_from(n).ok());
    wanted.filter(|n| *n > 0).unwrap_or_else(cores).min(256)
}

/// A command whose arguments are wrong.
pub(super) fn usage(command: &str, expected: &str) -> Failure {
    Failure::Error(format!(
        "\"bowsprit {command}\" {expected}\n\nUse \"bowsprit help {command}\" for more."
    ))
}
