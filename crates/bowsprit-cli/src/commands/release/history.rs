//! `bowsprit history`.

use super::{Session, check_name, integer, one_arg};
use crate::commands::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::output::{self, Item, Table};
use bowsprit::apply::{Error, Record};

/// `history`.
pub(crate) static COMMAND: Command = Command {
    name: "history",
    usage: "history RELEASE [flags]",
    about: "List the revisions of a release",
    examples: "\
Examples:
  bowsprit history web -n web
  bowsprit history web -n web --max 3 -o yaml",
    flags: &[FLAGS, super::CONNECT, output::FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[Flag::with(
    "max",
    Kind::Int64,
    "N",
    "Show at most N revisions, the newest ones (default 256)",
)];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let name = one_arg(invocation, "history", "history RELEASE [flags]")?;
    check_name(name, "release name")?;
    let session = Session::open(invocation)?;
    let store = session.store();
    let history = session.run(store.history(name))?;
    if history.is_empty() {
        return Err(Failure::Error("release: not found".to_owned()));
    }
    // Helm takes a negative number for none at all.
    let max = integer(invocation.parsed, "max").map(|max| usize::try_from(max).unwrap_or(0));
    let skip = history.len().saturating_sub(max.unwrap_or(256));
    let shown = history.iter().skip(skip).map(|stored| stored.record());
    let records: Vec<Record> = shown.collect::<Result<_, Error>>().map_err(Failure::of)?;
    let items = Item::List(records.iter().map(item).collect());
    output::print(invocation.parsed, &items, || table(&records))
}

fn item(record: &Record) -> Item {
    let updated = record.info.last_deployed.map_or(String::new(), |time| time.rfc3339());
    Item::Object(vec![
        ("revision", Item::Int(record.revision)),
        ("updated", Item::text(updated)),
        ("status", Item::text(record.info.status.name())),
        ("chart", Item::text(record.chart_label())),
        ("app_version", Item::text(record.chart_text("appVersion"))),
        ("description", Item::text(record.info.description.as_str())),
    ])
}

fn table(records: &[Record]) -> Table {
    let mut table =
        Table::new(["REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION", "DESCRIPTION"]);
    for record in records {
        let updated = record.info.last_deployed.map_or(String::new(), |time| time.ansic());
        table.row([
            record.revision.to_string().as_str(),
            updated.as_str(),
            record.info.status.name(),
            record.chart_label().as_str(),
            record.chart_text("appVersion").as_str(),
            record.info.description.as_str(),
        ]);
    }
    table
}
