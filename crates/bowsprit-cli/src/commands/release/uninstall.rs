//! `bowsprit uninstall`.

use super::{Session, check_name, listener, timeout};
use crate::commands::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::streams;
use bowsprit::apply::{self, Cascade, ErrorKind, UninstallOptions};
use std::fmt::Write as _;

/// `uninstall`.
pub(crate) static COMMAND: Command = Command {
    name: "uninstall",
    usage: "uninstall RELEASE... [flags]",
    about: "Delete releases: their objects and their records",
    examples: "\
Objects with the annotation helm.sh/resource-policy: keep stay. The namespace stays too, unless
--delete-namespace is given and no other release is in it.

Examples:
  bowsprit uninstall web -n web
  bowsprit uninstall web -n web --keep-history
  bowsprit uninstall web -n web --wait --delete-namespace",
    flags: &[FLAGS, super::CONNECT, super::TAKE_OVER],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::switch("keep-history", "Keep the records"),
    Flag::switch("no-hooks", "Leave hooks out; as --hooks skip"),
    Flag::with(
        "hooks",
        Kind::Text,
        "HOW",
        "run, deliver or skip hooks (default what fits the space)",
    ),
    Flag::with(
        "cascade",
        Kind::Text,
        "HOW",
        "background, foreground or orphan (default background)",
    ),
    Flag::with("wait", Kind::Wait, "HOW", "Wait until all objects are gone").optional("watcher"),
    Flag::with("timeout", Kind::Duration, "DURATION", "How long to try and to wait (default 5m0s)"),
    Flag::with("description", Kind::Text, "TEXT", "The description, with --keep-history"),
    Flag::switch("ignore-not-found", "A release that is not there is no error"),
    Flag::switch("dry-run", "Only look whether the release is there"),
    Flag::switch("delete-namespace", "Delete the namespace too, if no other release is in it"),
];

fn options(parsed: &Parsed) -> Result<UninstallOptions, Failure> {
    let mut options = UninstallOptions::default();
    options.keep_history = parsed.is_on("keep-history");
    options.hooks = super::options::hooks(parsed)?;
    options.cascade = match parsed.text("cascade") {
        None | Some("background") => Cascade::Background,
        Some("foreground") => Cascade::Foreground,
        Some("orphan") => Cascade::Orphan,
        Some(other) => {
            return Err(Failure::Error(format!(
                "invalid cascade value ({other}). Must be \"background\", \"foreground\", or \"orphan\""
            )));
        }
    };
    options.wait = matches!(parsed.text("wait"), Some("watcher" | "legacy" | "true"));
    options.timeout = timeout(parsed);
    options.description = parsed.non_empty("description").map(str::to_owned);
    options.delete_namespace = parsed.is_on("delete-namespace");
    options.take_over = parsed.is_on("take-over");
    Ok(options)
}

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    if invocation.args().is_empty() {
        return Err(Failure::Error(
            "\"bowsprit uninstall\" requires at least 1 argument\n\n\
             Usage:  bowsprit uninstall RELEASE... [flags]"
                .to_owned(),
        ));
    }
    let options = options(parsed)?;
    let session = Session::open(invocation)?;
    let listener = listener(invocation, false);
    let store = session.store();
    for name in invocation.args() {
        check_name(name, "uninstall: Release name")?;
        let done = if parsed.is_on("dry-run") {
            session.change(apply::find(&store, name)).map(|_| Vec::new())
        } else {
            let uninstalled = apply::uninstall(&session.cluster, &store, name, &options, &listener);
            session.change(uninstalled).map(|uninstalled| uninstalled.kept)
        };
        let kept = match done {
            Ok(kept) => kept,
            Err(error)
                if error.kind() == ErrorKind::ReleaseNotFound
                    && parsed.is_on("ignore-not-found") =>
            {
                Vec::new()
            }
            Err(error) => return Err(Failure::of(error)),
        };
        streams::write(text(name, &kept).as_bytes())?;
    }
    Ok(())
}

fn text(name: &str, kept: &[(String, String)]) -> String {
    let mut out = String::new();
    if !kept.is_empty() {
        out.push_str("These resources were kept due to the resource policy:\n");
        for (kind, name) in kept {
            let _ = writeln!(out, "[{kind}] {name}");
        }
        out.push('\n');
    }
    let _ = writeln!(out, "release {name:?} uninstalled");
    out
}
