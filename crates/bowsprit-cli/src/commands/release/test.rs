//! `bowsprit test` of a release in a cluster.

use super::block::{self, Shown};
use super::{Session, check_name, listener, one_arg, timeout};
use crate::commands::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::{output, streams};
use bowsprit::apply::{self, TestOptions};

/// `test`.
pub(crate) static COMMAND: Command = Command {
    name: "test",
    usage: "test RELEASE [flags]",
    about: "Run the tests of a release in a cluster, or the unit tests of a chart",
    examples: "\
Where the arguments are paths of charts, this is bowsprit unittest, with the flags of that command.

Examples:
  bowsprit test ./chart --coverage lcov.info
  bowsprit test web -n web
  bowsprit test web -n web --logs --filter name=web-connection",
    flags: &[FLAGS, super::CONNECT, output::FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::with("timeout", Kind::Duration, "DURATION", "How long each test may take (default 5m0s)"),
    Flag::switch("logs", "Print the logs of the tests' pods"),
    Flag::with("filter", Kind::List, "NAME", "Only tests with name=NAME, or !name=NAME all others"),
    Flag::with("space", Kind::Text, "KIND", "cluster: run tests even where no pod seems to run"),
];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    let name = one_arg(invocation, "test", "test RELEASE [flags]")?;
    check_name(name, "releaseTest: Release name")?;
    let mut options = TestOptions::default();
    options.timeout = timeout(parsed);
    options.force = parsed.text("space") == Some("cluster");
    for filter in parsed.all("filter") {
        let excluded = filter.strip_prefix("!name=").or_else(|| filter.strip_prefix("! name="));
        match (filter.strip_prefix("name="), excluded) {
            (Some(name), _) => options.filters.push(name.to_owned()),
            (None, Some(name)) => options.filters.push(format!("!{name}")),
            (None, None) => {
                let text = format!("--filter {filter}: want name=NAME or !name=NAME");
                return Err(Failure::Error(text));
            }
        }
    }
    let session = Session::open(invocation)?;
    let (store, listener) = (session.store(), listener(invocation, false));
    let tests = apply::run_tests(&session.cluster, &store, name, &options, &listener);
    let (record, error) = session.change(tests).map_err(Failure::of)?;
    let shown =
        Shown { hide_notes: true, everything: invocation.settings.debug, ..Shown::default() };
    block::print(parsed, &record, None, shown)?;
    if parsed.is_on("logs") {
        streams::write(b"\n")?;
        let tests = record.hooks.iter().filter(|hook| {
            hook.last_run.started_at.is_some() && hook.events.iter().any(|event| event == "test")
        });
        for test in tests {
            let logs = session.run(session.cluster.pod_logs(&record.namespace, &test.name))?;
            streams::write(format!("POD LOGS: {}\n", test.name).as_bytes())?;
            streams::write(&logs)?;
            streams::write(b"\n")?;
        }
    }
    error.map_or(Ok(()), |error| Err(Failure::of(error)))
}
