//! Help, and what completions are made of: the tables of commands and flags as clap's commands.

use super::{Command, Invocation, ROOT, find};
use crate::failure::Failure;
use crate::flags::{Flag, HELP, Kind};
use crate::{settings, streams};
use clap::{Arg, ArgAction, ValueHint};

pub(super) static COMMAND: Command = Command {
    name: "help",
    usage: "help [COMMAND]",
    about: "Print help for a command",
    examples: "",
    flags: &[],
    children: &[],
    run: Some(run),
};

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let (path, rest) = find(invocation.args());
    if path.is_empty()
        && let Some(topic) = rest.first()
    {
        streams::say(&format!("Unknown help topic [`{topic}`]"));
    }
    print(&path)
}

/// Prints the help of a command, given with the commands on the way to it.
///
/// # Errors
///
/// Fails where it can't be written.
pub(super) fn print(path: &[&'static Command]) -> Result<(), Failure> {
    let command = path.last().copied().unwrap_or(&ROOT);
    let mut shown = own(command)
        .override_usage(format!("{} {}", ROOT.name, command.usage))
        .after_help(command.examples)
        .term_width(100);
    // A command may have a flag of its own by the name of one of all.
    let own = |name: &str| command.flags.iter().copied().flatten().any(|flag| flag.name == name);
    for flag in settings::FLAGS.iter().filter(|flag| !flag.hidden && !own(flag.name)) {
        shown = shown.arg(arg(flag).help_heading("Global options"));
    }
    let text = shown.render_help().to_string();
    streams::write(text.as_bytes())
}

/// All commands with all flags that are shown.
pub(super) fn tree() -> clap::Command {
    let globals = settings::FLAGS.iter().filter(|flag| !flag.hidden);
    with_paths(&ROOT, own(&ROOT).args(globals.map(|flag| arg(flag).global(true))))
}

/// The commands with what they take beside flags, where that may be a path.
fn with_paths(command: &Command, mut shown: clap::Command) -> clap::Command {
    if command.run.is_some() && ["CHART", "PATH"].iter().any(|word| command.usage.contains(word)) {
        shown = shown.arg(Arg::new("CHART").value_hint(ValueHint::AnyPath).num_args(0..));
    }
    let below = |shown: clap::Command, child: &&'static Command| {
        shown.mut_subcommand(child.name, |shown| with_paths(child, shown))
    };
    command.children.iter().fold(shown, below)
}

/// A command and those below it; two levels are all there are.
fn own(command: &Command) -> clap::Command {
    let child = |child: &&'static Command| {
        bare(child).subcommands(child.children.iter().map(|grandchild| bare(grandchild)))
    };
    bare(command).subcommands(command.children.iter().map(child))
}

fn bare(command: &Command) -> clap::Command {
    let flags = command.flags.iter().copied().flatten().chain(HELP);
    clap::Command::new(command.name)
        .about(command.about)
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .args(flags.filter(|flag| !flag.hidden).map(arg))
}

fn arg(flag: &'static Flag) -> Arg {
    let mut arg = Arg::new(flag.name).long(flag.name).help(flag.help);
    if let Some(short) = flag.short {
        arg = arg.short(short);
    }
    if flag.kind == Kind::Bool {
        return arg.action(ArgAction::SetTrue);
    }
    let hint = match flag.value {
        "FILE" | "KEY=FILE" => ValueHint::FilePath,
        "DIR" => ValueHint::DirPath,
        "CHART" | "PATH" => ValueHint::AnyPath,
        _ => ValueHint::Other,
    };
    arg.value_name(flag.value).value_hint(hint).action(ArgAction::Append)
}
