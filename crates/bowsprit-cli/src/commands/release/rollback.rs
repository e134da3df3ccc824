//! `bowsprit rollback`.

use super::{Session, check_name, listener, timeout};
use crate::commands::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::streams;
use bowsprit::apply::{self, Options};
use bowsprit::value::strconv;

/// `rollback`.
pub(crate) static COMMAND: Command = Command {
    name: "rollback",
    usage: "rollback RELEASE [REVISION] [flags]",
    about: "Bring an older revision of a release back, as a new one",
    examples: "\
Without REVISION the one before the newest comes back.

Examples:
  bowsprit rollback web -n web
  bowsprit rollback web 3 -n web --wait",
    flags: &[FLAGS, super::options::METHOD, super::CONNECT, super::TAKE_OVER],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::switch("no-hooks", "Leave hooks out; as --hooks skip"),
    Flag::with(
        "hooks",
        Kind::Text,
        "HOW",
        "run, deliver or skip hooks (default what fits the space)",
    ),
    Flag::with("space", Kind::Text, "KIND", "wds or cluster (default what the server looks like)"),
    Flag::with(
        "wait",
        Kind::Wait,
        "HOW",
        "Wait until all objects are ready: watcher, legacy or hookOnly",
    )
    .optional("watcher"),
    Flag::switch("wait-for-jobs", "With --wait, wait for Jobs to end too"),
    Flag::with("timeout", Kind::Duration, "DURATION", "How long to try and to wait (default 5m0s)"),
    Flag::switch("force-conflicts", "Take fields that other field managers own"),
    Flag::switch("take-ownership", "Adopt objects that belong to others"),
    Flag::switch("cleanup-on-fail", "Delete what was created before a failure"),
    Flag::with("history-max", Kind::Int64, "N", "Revisions to keep, 0 for all (default 10)"),
    Flag::with("description", Kind::Text, "TEXT", "The revision's description"),
    Flag::with("dry-run", Kind::Text, "HOW", "client or server: only look").optional("unset"),
];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    let (name, revision) = match invocation.args() {
        [name] => (name, 0),
        [name, revision] => (name, number(revision)?),
        _ => {
            return Err(Failure::Error(
                "\"bowsprit rollback\" requires at least 1 argument\n\n\
                 Usage:  bowsprit rollback RELEASE [REVISION] [flags]"
                    .to_owned(),
            ));
        }
    };
    check_name(name, "prepareRollback: Release name")?;
    let mut options = Options::default();
    options.hooks = super::options::hooks(parsed)?;
    options.space = super::options::space(parsed)?;
    options.wait = super::options::wait(parsed);
    options.timeout = timeout(parsed);
    super::options::check_exclusive(parsed)?;
    options.method = super::options::method(parsed)?;
    options.force_conflicts = parsed.is_on("force-conflicts");
    options.force_replace = super::options::force_replace(parsed);
    options.take_ownership = parsed.is_on("take-ownership");
    options.cleanup_on_fail = parsed.is_on("cleanup-on-fail");
    options.history_max = super::options::history_max(parsed);
    options.description = parsed.non_empty("description").map(str::to_owned);
    let session = Session::open(invocation)?;
    let (store, listener) = (session.store(), listener(invocation, false));
    let take_over = parsed.is_on("take-over");
    let dry = parsed.text("dry-run").is_some_and(|how| !matches!(how, "none" | "false"));
    let outcome = session.change(async {
        let plan = apply::plan_rollback(
            &session.cluster,
            &store,
            name,
            revision,
            options,
            &listener,
            take_over,
        )
        .await?;
        if dry { Ok(()) } else { plan.execute().await.map(drop) }
    });
    outcome.map_err(Failure::of)?;
    streams::write(b"Rollback was a success! Happy Helming!\n")
}

fn number(text: &str) -> Result<i64, Failure> {
    let parsed = strconv::parse_int(text.as_bytes(), 10, 64);
    parsed.map_err(|error| {
        let cause = error.text().to_string_lossy().replace("ParseInt", "Atoi");
        Failure::Error(format!("could not convert revision to a number: {cause}"))
    })
}
