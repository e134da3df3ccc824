//! The commands, and the way from arguments to one of them.

mod completion;
mod convert;
mod create;
pub(crate) mod dependency;
mod eval;
mod explain;
mod fleet;
mod flux;
mod help;
mod label;
mod lint;
mod man;
mod package;
mod place;
mod pull;
mod push;
mod registry;
mod release;
mod repo;
mod search;
mod show;
mod template;
mod unittest;
mod validate;
mod values;
mod verify;
mod version;

use crate::failure::Failure;
use crate::flags::{Flag, HELP, Parsed, Parser, is_optional};
use crate::settings::{self, Settings};
use crate::streams;
use bowsprit::value::strconv;

/// What a command does.
pub(crate) type Run = fn(&Invocation<'_>) -> Result<(), Failure>;

/// A command of the tree.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) name: &'static str,
    /// What follows the program's name in the usage line.
    pub(crate) usage: &'static str,
    /// One line.
    pub(crate) about: &'static str,
    /// What stands below the flags in help.
    pub(crate) examples: &'static str,
    pub(crate) flags: &'static [&'static [Flag]],
    pub(crate) children: &'static [&'static Command],
    /// None for a command that only has others below it.
    pub(crate) run: Option<Run>,
}

/// A command with what it was given.
#[derive(Debug)]
pub(crate) struct Invocation<'a> {
    /// The command, behind those on the way to it.
    pub(crate) path: &'a [&'static Command],
    pub(crate) parsed: &'a Parsed,
    pub(crate) settings: &'a Settings,
}

impl Invocation<'_> {
    /// Whether Helm has the command too, so that what it prints goes where Helm prints it.
    pub(crate) fn is_helms(&self) -> bool {
        let name = self.path.first().map_or("", |command| command.name);
        ["template", "install", "upgrade", "pull", "show"].contains(&name)
    }

    /// Whether the command has a flag, given or not.
    pub(crate) fn has(&self, flag: &str) -> bool {
        let tables = self.path.iter().flat_map(|command| command.flags);
        tables.flat_map(|table| table.iter()).any(|one| one.name == flag)
    }

    /// The arguments that are no flags.
    pub(crate) fn args(&self) -> &[String] {
        &self.parsed.args
    }
}

/// The program itself.
pub(crate) static ROOT: Command = Command {
    name: "bowsprit",
    usage: "[command]",
    about: "Renders Helm charts as Helm 4.2.4 does, only faster",
    examples: "\
Examples:
  bowsprit template demo ./chart
  bowsprit template demo ./chart-1.2.3.tgz -f prod.yaml --set image.tag=v2
  bowsprit eval --set a=x '{{ .Values.a | quote }}'

Use \"bowsprit help COMMAND\" for more about a command.",
    flags: &[],
    children: &[
        &release::apply::APPLY,
        &completion::COMMAND,
        &convert::COMMAND,
        &create::COMMAND,
        &dependency::COMMAND,
        &release::diff::DIFF,
        &release::diff::DRIFT,
        &eval::COMMAND,
        &explain::COMMAND,
        &fleet::COMMAND,
        &flux::COMMAND,
        &release::get::COMMAND,
        &help::COMMAND,
        &release::history::COMMAND,
        &release::apply::INSTALL,
        &label::COMMAND,
        &lint::COMMAND,
        &release::list::COMMAND,
        &man::COMMAND,
        &package::COMMAND,
        &place::COMMAND,
        &fleet::promote::COMMAND,
        &pull::COMMAND,
        &push::COMMAND,
        &registry::COMMAND,
        &repo::COMMAND,
        &release::rollback::COMMAND,
        &search::COMMAND,
        &show::COMMAND,
        &release::snapshot::COMMAND,
        &release::status::COMMAND,
        &template::COMMAND,
        &release::test::COMMAND,
        &unittest::COMMAND,
        &release::uninstall::COMMAND,
        &release::apply::UPGRADE,
        &validate::COMMAND,
        &values::COMMAND,
        &verify::COMMAND,
        &version::COMMAND,
    ],
    run: None,
};

/// Runs the program on its arguments.
///
/// # Errors
///
/// Whatever the command fails with.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let mut settings = Settings::from_env();
    // Helm looks for its global flags before it knows the command.
    settings.apply(&parser(&[settings::FLAGS], true).parse(args).0);
    settings.start_logging()?;
    let (path, rest) = find(args);
    let command = path.last().copied().unwrap_or(&ROOT);
    if path.is_empty()
        && let Some(unknown) = positional(&rest, &tables(&ROOT)).first()
    {
        return Err(unknown_command(unknown, &path));
    }
    let mut all = tables(command);
    all.push(HELP);
    let (parsed, outcome) = parser(&all, false).parse(&rest);
    parsed.log.iter().for_each(|line| settings.log(line));
    outcome.map_err(|error| Failure::of(error).styled(&settings, &path))?;
    parsed.notices.iter().for_each(|notice| streams::say(notice));
    settings.apply(&parsed);
    let Some(run) = command.run.filter(|_| !parsed.is_on("help")) else {
        return help_or_unknown(&path, &parsed);
    };
    settings::check_driver(settings.compat())?;
    settings.check()?;
    run(&Invocation { path: &path, parsed: &parsed, settings: &settings })
        .map_err(|failure| failure.styled(&settings, &path))
}

/// The help of a command that only has others below it; a name that is none of them is an error, though in
/// Helm's own families Helm prints the help and is content.
fn help_or_unknown(path: &[&'static Command], parsed: &Parsed) -> Result<(), Failure> {
    let command = path.last().copied().unwrap_or(&ROOT);
    let unknown = parsed.args.first().filter(|_| command.run.is_none() && !path.is_empty());
    let Some(unknown) = unknown.filter(|_| !parsed.is_on("help")) else {
        return help::print(path);
    };
    let failure = unknown_command(unknown, path);
    let as_helm = ["completion", "dependency", "get", "registry", "repo", "search", "show"];
    if as_helm.contains(&command.name) {
        failure.print();
        return help::print(path);
    }
    Err(failure)
}

fn parser<'p>(tables: &'p [&'static [Flag]], allow_unknown: bool) -> Parser<'p> {
    Parser { tables, allow_unknown, post_renderer: &settings::find_post_renderer }
}

fn tables(command: &Command) -> Vec<&'static [Flag]> {
    let mut tables = command.flags.to_vec();
    tables.push(settings::FLAGS);
    tables
}

/// The command that arguments name, as the commands on the way to it, and the arguments without the
/// names.
fn find(args: &[String]) -> (Vec<&'static Command>, Vec<String>) {
    let mut path: Vec<&'static Command> = Vec::new();
    let mut rest = args.to_vec();
    loop {
        let command = path.last().copied().unwrap_or(&ROOT);
        let tables = tables(command);
        let next = positional(&rest, &tables).into_iter().next();
        let named = next.and_then(|name| {
            let child = command.children.iter().find(|child| is_called(child, &name))?;
            Some((name, child))
        });
        let Some((name, child)) = named else {
            // A chart has other tests than a release, and they have other flags.
            if let Some(last) = path.last_mut().filter(|last| last.name == "test")
                && unittest::is_meant(&positional(&rest, &self::tables(&unittest::COMMAND)))
            {
                *last = &unittest::COMMAND;
            }
            return (path, rest);
        };
        remove_first(&mut rest, &name, &tables);
        path.push(child);
    }
}

/// Whether a command goes by a name: its own, or a shorter or older one that Helm knows too.
fn is_called(command: &Command, name: &str) -> bool {
    let family = command.usage.split(' ').next().unwrap_or_default();
    let others: &[&str] = match (family, command.name) {
        ("pull", _) => &["fetch"],
        ("repo" | "dependency" | "list", "list") => &["ls"],
        ("repo", "remove") => &["rm"],
        ("repo" | "dependency", "update") => &["up"],
        ("dependency", "dependency") => &["dep", "dependencies"],
        ("show", "show") => &["inspect"],
        _ => &[],
    };
    command.name == name || others.contains(&name)
}

/// The arguments that are neither flags nor their values, judged without the flags of commands that
/// are not known yet.
fn positional(args: &[String], tables: &[&'static [Flag]]) -> Vec<String> {
    let mut found = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--" {
            break;
        }
        if takes_next(arg, tables) {
            // Where the value is the last argument, there is nothing behind it.
            if args.next().is_none() {
                break;
            }
        } else if !arg.is_empty() && !arg.starts_with('-') {
            found.push(arg.clone());
        }
    }
    found
}

fn remove_first(args: &mut Vec<String>, name: &str, tables: &[&'static [Flag]]) {
    let mut at = 0;
    while let Some(arg) = args.get(at) {
        if arg == "--" {
            return;
        }
        if takes_next(arg, tables) {
            at += 1;
        } else if arg == name {
            args.remove(at);
            return;
        }
        at += 1;
    }
}

/// Whether an argument is a flag whose value comes with the next one.
fn takes_next(arg: &str, tables: &[&'static [Flag]]) -> bool {
    let long = arg.starts_with("--");
    let short = arg.starts_with('-') && arg.len() == 2;
    (long || short) && !arg.contains('=') && !is_optional(tables, arg)
}

fn unknown_command(name: &str, path: &[&'static Command]) -> Failure {
    let quoted = strconv::quote(name.as_bytes());
    let quoted = String::from_utf8_lossy(&quoted);
    let command = path.last().copied().unwrap_or(&ROOT);
    let names: Vec<&str> = path.iter().map(|command| command.name).collect();
    let whole = [&[ROOT.name], names.as_slice()].concat().join(" ");
    let mut text = format!("Error: unknown command {quoted} for \"{whole}\"");
    let similar: Vec<&str> = suggestions(name, command).collect();
    if !similar.is_empty() {
        text.push_str("\n\nDid you mean this?\n");
        similar.iter().for_each(|name| text.push_str(&format!("\t{name}\n")));
    }
    Failure::Bare(format!("{text}\nRun '{whole} --help' for usage."))
}

/// Commands whose names are at most two changes away, or begin alike.
fn suggestions(typed: &str, command: &Command) -> impl Iterator<Item = &'static str> {
    let typed = typed.to_lowercase();
    let names = command.children.iter().map(|command| command.name);
    names.filter(move |name| name.starts_with(&typed) || distance(&typed, name) <= 2)
}

/// The Levenshtein distance, in bytes.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut left = i + 1;
        let mut diagonal = i;
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let above = *cell;
            let changed = if x == y { diagonal } else { 1 + above.min(left).min(diagonal) };
            diagonal = above;
            *cell = changed;
            left = changed;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(a.len())
}

/// An error of a command that takes no arguments.
pub(crate) fn no_args(invocation: &Invocation<'_>, path: &str) -> Result<(), Failure> {
    if invocation.args().is_empty() {
        return Ok(());
    }
    Err(Failure::Error(format!("\"{path}\" accepts no arguments\n\nUsage:  {path} [flags]")))
}

/// The arguments of a command that takes a fixed number of them; `usage` is Helm's, which its error
/// quotes.
pub(crate) fn exact_args<'i, const N: usize>(
    invocation: &'i Invocation<'_>,
    usage: &str,
) -> Result<&'i [String; N], Failure> {
    invocation.args().try_into().map_err(|_| {
        let words: Vec<&str> =
            usage.split(' ').take_while(|word| word.starts_with(char::is_lowercase)).collect();
        let s = if N == 1 { "" } else { "s" };
        Failure::Error(format!(
            "\"helm {}\" requires {N} argument{s}\n\nUsage:  helm {usage} [flags]",
            words.join(" ")
        ))
    })
}

/// Refuses too few arguments.
///
/// # Errors
///
/// With Helm's words.
pub(crate) fn min_args(
    invocation: &Invocation<'_>,
    path: &str,
    usage: &str,
    count: usize,
) -> Result<(), Failure> {
    if invocation.args().len() >= count {
        return Ok(());
    }
    let arguments = if count == 1 { "argument" } else { "arguments" };
    let usage = format!("Usage:  {path} {usage} [flags]");
    Err(Failure::Error(format!("{path:?} requires at least {count} {arguments}\n\n{usage}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find_names(args: &str) -> (Vec<&'static str>, String) {
        let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
        let (path, rest) = find(&args);
        (path.iter().map(|c| c.name).collect(), rest.join(" "))
    }

    #[test]
    fn commands_are_found_behind_flags() {
        for (args, path, rest) in [
            ("template a b", vec!["template"], "a b"),
            ("--debug template a", vec!["template"], "--debug a"),
            ("-n template template a", vec!["template"], "-n template a"),
            ("-n=x template a", vec!["template"], "-n=x a"),
            ("--unknown template a", vec![], "--unknown template a"),
            ("completion bash x", vec!["completion", "bash"], "x"),
            ("test web -n web", vec!["test"], "web -n web"),
            ("test -u -f a_test.yaml ./src", vec!["unittest"], "-u -f a_test.yaml ./src"),
            ("test ./src --coverage l.info", vec!["unittest"], "./src --coverage l.info"),
            ("template --set template=1 template", vec!["template"], "--set template=1 template"),
            ("-- template", vec![], "-- template"),
        ] {
            assert_eq!(find_names(args), (path, rest.to_owned()), "{args}");
        }
    }

    #[test]
    fn usage_lines_begin_with_the_commands_name() {
        let mut pending: Vec<(Vec<&str>, &Command)> = vec![(Vec::new(), &ROOT)];
        while let Some((path, command)) = pending.pop() {
            assert!(command.usage.starts_with(&path.join(" ")), "{}: {path:?}", command.usage);
            let below = |child: &&'static Command| ([&path[..], &[child.name]].concat(), *child);
            pending.extend(command.children.iter().map(below));
        }
    }

    #[test]
    fn similar_commands_are_suggested() {
        assert_eq!(suggestions("tempate", &ROOT).collect::<Vec<_>>(), ["template"]);
        assert_eq!(suggestions("TEMPL", &ROOT).collect::<Vec<_>>(), ["template"]);
        assert_eq!(suggestions("evall", &ROOT).collect::<Vec<_>>(), ["eval"]);
        assert_eq!(suggestions("nonsense", &ROOT).count(), 0);
        assert_eq!((distance("", "abc"), distance("kitten", "sitting")), (3, 3));
    }
}
