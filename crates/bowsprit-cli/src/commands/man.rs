//! `bowsprit man`: manual pages of all commands, from the same tables as their help.

use super::{Command, Invocation, ROOT, find};
use crate::failure::Failure;
use crate::flags::{Flag, HELP, Kind};
use crate::{settings, streams};
use bowsprit::loader::PathError;
use std::fmt::Write as _;
use std::path::Path;

pub(super) static COMMAND: Command = Command {
    name: "man",
    usage: "man [COMMAND] [flags]",
    about: "Print the manual page of a command, or write those of all",
    examples: "\
Examples:
  bowsprit man lint | man -l -
  bowsprit man values schema | man -l -
  bowsprit man --dir ~/.local/share/man/man1",
    flags: &[FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] =
    &[Flag::with("dir", Kind::Text, "DIR", "Write the pages of all commands into DIR")];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let Some(dir) = invocation.parsed.non_empty("dir") else {
        let (path, rest) = find(invocation.args());
        if let Some(unknown) = rest.first() {
            return Err(Failure::Error(format!("there is no command {unknown:?}")));
        }
        return streams::write(page(&path).as_bytes());
    };
    super::no_args(invocation, "bowsprit man --dir")?;
    let dir = Path::new(dir);
    std::fs::create_dir_all(dir).map_err(|e| Failure::of(PathError::new("mkdir", dir, e)))?;
    for (name, text) in pages() {
        let path = dir.join(format!("{name}.1"));
        std::fs::write(&path, text).map_err(|e| Failure::of(PathError::new("open", &path, e)))?;
    }
    Ok(())
}

/// All pages by their names.
fn pages() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut pending: Vec<Vec<&'static Command>> = vec![Vec::new()];
    while let Some(path) = pending.pop() {
        let command = path.last().copied().unwrap_or(&ROOT);
        for child in command.children.iter().rev() {
            let mut below = path.clone();
            below.push(child);
            pending.push(below);
        }
        found.push((name(&path), page(&path)));
    }
    found
}

/// `bowsprit-values-schema`.
fn name(path: &[&'static Command]) -> String {
    path.iter().fold(ROOT.name.to_owned(), |name, command| format!("{name}-{}", command.name))
}

fn page(path: &[&'static Command]) -> String {
    let command = path.last().copied().unwrap_or(&ROOT);
    let name = name(path);
    let version = env!("CARGO_PKG_VERSION");
    let mut out = format!(
        ".TH {} 1 \"\" \"bowsprit {version}\" \"bowsprit manual\"\n.SH NAME\n{} \\- {}\n",
        name.to_uppercase(),
        escaped(&name),
        escaped(command.about)
    );
    let _ = writeln!(out, ".SH SYNOPSIS\n.B {}", escaped(&format!("bowsprit {}", command.usage)));
    let (text, examples) = split(command.examples);
    if !text.trim().is_empty() {
        out.push_str(".SH DESCRIPTION\n");
        paragraphs(&mut out, text);
    }
    if !command.children.is_empty() {
        out.push_str(".SH COMMANDS\n");
        for child in command.children {
            let about = escaped(child.about);
            let _ = writeln!(out, ".TP\n.B {}\n{about}", escaped(child.name));
        }
    }
    let own = command.flags.iter().copied().flatten().chain(HELP);
    options(&mut out, "OPTIONS", own);
    options(&mut out, "GLOBAL OPTIONS", settings::FLAGS.iter());
    if !examples.trim().is_empty() {
        out.push_str(".SH EXAMPLES\n.nf\n");
        examples.trim_end().lines().for_each(|line| {
            let _ = writeln!(out, "{}", escaped(line));
        });
        out.push_str(".fi\n");
    }
    out.push_str(
        ".SH EXIT STATUS\n0 if all went well, 1 if the command failed or, for checks, if something \
         was found that\nfails; other codes are named in the description.\n",
    );
    see_also(&mut out, path);
    out
}

fn split(text: &str) -> (&str, &str) {
    match text.split_once("Examples:\n") {
        Some((before, after)) => (before, after),
        None => (text, ""),
    }
}

fn paragraphs(out: &mut String, text: &str) {
    for (number, paragraph) in text.trim().split("\n\n").enumerate() {
        if number > 0 {
            out.push_str(".PP\n");
        }
        paragraph.lines().for_each(|line| {
            let _ = writeln!(out, "{}", escaped(line.trim()));
        });
    }
}

fn options(out: &mut String, title: &str, flags: impl Iterator<Item = &'static Flag>) {
    let shown: Vec<&Flag> = flags.filter(|flag| !flag.hidden).collect();
    if shown.is_empty() {
        return;
    }
    let _ = writeln!(out, ".SH {title}");
    for flag in shown {
        let short = flag.short.map(|short| format!("\\-{short}, ")).unwrap_or_default();
        let value = if flag.kind == Kind::Bool {
            String::new()
        } else {
            format!(" \\fI{}\\fR", escaped(flag.value))
        };
        let help = escaped(flag.help);
        let _ = writeln!(out, ".TP\n\\fB{short}\\-\\-{}\\fR{value}\n{help}", escaped(flag.name));
    }
}

fn see_also(out: &mut String, path: &[&'static Command]) {
    let mut names = Vec::new();
    if let Some((_, above)) = path.split_last() {
        names.push(name(above));
    }
    let children = path.last().copied().unwrap_or(&ROOT).children;
    names.extend(children.iter().map(|child| format!("{}-{}", name(path), child.name)));
    if names.is_empty() {
        return;
    }
    let names: Vec<String> = names.iter().map(|n| format!(".BR {} (1)", escaped(n))).collect();
    let _ = writeln!(out, ".SH SEE ALSO\n{}", names.join(",\n"));
}

/// Text as troff takes it.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page() {
        let pages = pages();
        let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
        for name in ["bowsprit", "bowsprit-lint", "bowsprit-values-schema", "bowsprit-man"] {
            assert!(names.contains(&name), "{name}");
        }
        for (name, text) in &pages {
            assert!(text.contains(".SH NAME\n"), "{name}");
            assert!(text.contains(".SH EXIT STATUS\n"), "{name}");
        }
        let (_, lint) = pages.iter().find(|(name, _)| name == "bowsprit-lint").unwrap();
        assert!(lint.contains(".TP\n\\fB\\-\\-select\\fR \\fIRULES\\fR\n"), "{lint}");
    }

    #[test]
    fn troff_is_escaped() {
        assert_eq!(escaped("a-b \\n"), "a\\-b \\en");
        assert_eq!(escaped(".x"), "\\&.x");
    }
}
