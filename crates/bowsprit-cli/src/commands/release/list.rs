//! `bowsprit list`.

use super::{Session, block, integer};
use crate::commands::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::output::{self, Format, Item, Table};
use crate::streams;
use bowsprit::apply::{Record, Status, Stored, Time};
use bowsprit::render::sprig_functions;
use bowsprit::value::{Args, FuncImpl, Meter, Value};
use std::collections::BTreeMap;

/// `list`.
pub(crate) static COMMAND: Command = Command {
    name: "list",
    usage: "list [flags]",
    about: "List releases",
    examples: "\
Examples:
  bowsprit list -n web
  bowsprit list -A --failed --pending
  bowsprit list -A -f '^web-' -o json",
    flags: &[FLAGS, super::CONNECT, output::FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::switch("all-namespaces", "List the releases of all namespaces").short('A'),
    Flag::with("filter", Kind::Text, "REGEX", "Only releases whose names match").short('f'),
    Flag::with("selector", Kind::Text, "SELECTOR", "Only releases whose records have these labels")
        .short('l'),
    Flag::switch("deployed", "Those that are deployed"),
    Flag::switch("failed", "Those that failed"),
    Flag::switch("pending", "Those that are under way"),
    Flag::switch("superseded", "Those that were replaced"),
    Flag::switch("uninstalled", "Those that were uninstalled with --keep-history"),
    Flag::switch("uninstalling", "Those that are being uninstalled"),
    Flag::switch("date", "Sort by date").short('d'),
    Flag::switch("reverse", "Sort the other way round").short('r'),
    Flag::switch("short", "Only names").short('q'),
    Flag::switch("no-headers", "No line of names above the table"),
    Flag::with("time-format", Kind::Text, "LAYOUT", "A layout of Go's for times"),
    Flag::with("max", Kind::Int64, "N", "At most N releases (default 256)").short('m'),
    Flag::with("offset", Kind::Int64, "N", "Leave the first N out"),
];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    super::super::no_args(invocation, "bowsprit list")?;
    let session = Session::open(invocation)?;
    let store = if parsed.is_on("all-namespaces") { session.all_stores() } else { session.store() };
    let all = session.run(store.all(parsed.text("selector").unwrap_or_default()))?;
    let mut records = newest(all, parsed)?;
    sort(&mut records, parsed);
    let count = |flag: &str| integer(parsed, flag).and_then(|n| usize::try_from(n).ok());
    let limit = count("max").filter(|max| *max > 0).unwrap_or(256);
    let records: Vec<Record> =
        records.into_iter().skip(count("offset").unwrap_or(0)).take(limit).collect();
    if parsed.is_on("short") {
        return print_names(parsed, &records);
    }
    let items = Item::List(records.iter().map(|record| item(record, parsed)).collect());
    output::print(parsed, &items, || table(&records, parsed))
}

/// The newest revision of each release, in a wanted state and of a wanted name.
fn newest(all: Vec<Stored>, parsed: &Parsed) -> Result<Vec<Record>, Failure> {
    let mut latest: BTreeMap<(String, String), Stored> = BTreeMap::new();
    let superseded = parsed.is_on("superseded");
    let mut others = Vec::new();
    for stored in all {
        let place = (stored.namespace.clone(), stored.name.clone());
        match latest.get(&place) {
            Some(known) if known.revision >= stored.revision => {
                if superseded {
                    others.push(stored);
                }
            }
            _ => {
                let before = latest.insert(place, stored);
                others.extend(before.filter(|_| superseded));
            }
        }
    }
    let wanted = states(parsed);
    if let Some(pattern) = parsed.non_empty("filter") {
        // A wrong pattern is wrong without releases, too.
        matches(pattern, "")?;
    }
    let mut records = Vec::new();
    let chosen =
        latest.into_values().chain(others.into_iter().filter(|s| s.status == Status::Superseded));
    for stored in chosen.filter(|stored| wanted.is_empty() || wanted.contains(&stored.status)) {
        if let Some(pattern) = parsed.non_empty("filter")
            && !matches(pattern, &stored.name)?
        {
            continue;
        }
        match stored.record() {
            Ok(record) => records.push(record),
            Err(error) => super::warn(&format!("{}: {error}", stored.name)),
        }
    }
    Ok(records)
}

/// The states that flags ask for; none for all.
fn states(parsed: &Parsed) -> Vec<Status> {
    const FLAGS: [(&str, &[Status]); 6] = [
        ("deployed", &[Status::Deployed]),
        ("failed", &[Status::Failed]),
        ("pending", &[Status::PendingInstall, Status::PendingUpgrade, Status::PendingRollback]),
        ("superseded", &[Status::Superseded]),
        ("uninstalled", &[Status::Uninstalled]),
        ("uninstalling", &[Status::Uninstalling]),
    ];
    let on = FLAGS.iter().filter(|(flag, _)| parsed.is_on(flag));
    on.flat_map(|(_, states)| states.iter().copied()).collect()
}

/// Whether a name matches a regular expression of Go's.
fn matches(pattern: &str, name: &str) -> Result<bool, Failure> {
    let functions = sprig_functions();
    let function = functions.iter().find(|func| func.name == "mustRegexMatch");
    let Some(FuncImpl::Pure(regex_match)) = function.map(|func| func.body) else {
        return Ok(name.contains(pattern));
    };
    let mut values = [Value::from(pattern), Value::from(name)];
    let found = regex_match(&mut Args::new(&mut values, &Meter::default()));
    Ok(matches!(found.map_err(Failure::of)?, Value::Bool(true)))
}

fn sort(records: &mut [Record], parsed: &Parsed) {
    if parsed.is_on("date") {
        records.sort_by_key(|record| record.info.last_deployed);
    } else {
        records.sort_by(|a, b| (&a.name, &a.namespace).cmp(&(&b.name, &b.namespace)));
    }
    if parsed.is_on("reverse") {
        records.reverse();
    }
}

fn print_names(parsed: &Parsed, records: &[Record]) -> Result<(), Failure> {
    if output::format(parsed) == Format::Table {
        let lines: String = records.iter().map(|record| format!("{}\n", record.name)).collect();
        return streams::write(lines.as_bytes());
    }
    let names = records.iter().map(|record| Value::from(record.name.as_str())).collect();
    block::print_value(parsed, &Value::list(names))
}

fn updated(record: &Record, parsed: &Parsed) -> String {
    let Some(time) = record.info.last_deployed else { return "-".to_owned() };
    match parsed.non_empty("time-format") {
        Some(layout) => formatted(time, layout).unwrap_or_else(|| time.go_string()),
        None => time.go_string(),
    }
}

/// A time in one of Go's layouts, as sprig's `date` prints it.
fn formatted(time: Time, layout: &str) -> Option<String> {
    let functions = sprig_functions();
    let date = functions.iter().find(|func| func.name == "dateInZone")?;
    let mut values = [Value::from(layout), Value::int(time.unix()), Value::from("UTC")];
    let meter = Meter::default();
    let mut args = Args::new(&mut values, &meter);
    let text = match date.body {
        FuncImpl::Pure(call) => call(&mut args).ok()?,
        FuncImpl::Host(call) => call(&mut args, &bowsprit::value::Hermetic::default()).ok()?,
        _ => return None,
    };
    Some(text.as_str()?.to_string_lossy().into_owned())
}

fn item(record: &Record, parsed: &Parsed) -> Item {
    Item::Object(vec![
        ("name", Item::text(record.name.as_str())),
        ("namespace", Item::text(record.namespace.as_str())),
        ("revision", Item::text(record.revision.to_string())),
        ("updated", Item::text(updated(record, parsed))),
        ("status", Item::text(record.info.status.name())),
        ("chart", Item::text(record.chart_label())),
        ("app_version", Item::text(record.chart_text("appVersion"))),
    ])
}

fn table(records: &[Record], parsed: &Parsed) -> Table {
    let mut table = match parsed.is_on("no-headers") {
        true => Table::default(),
        false => Table::new([
            "NAME",
            "NAMESPACE",
            "REVISION",
            "UPDATED",
            "STATUS",
            "CHART",
            "APP VERSION",
        ]),
    };
    for record in records {
        table.row([
            record.name.as_str(),
            record.namespace.as_str(),
            record.revision.to_string().as_str(),
            updated(record, parsed).as_str(),
            record.info.status.name(),
            record.chart_label().as_str(),
            record.chart_text("appVersion").as_str(),
        ]);
    }
    table
}
