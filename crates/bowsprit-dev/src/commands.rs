//! `commands`: the pages about commands, made of what the program says about itself.
//!
//! Each command of the first level has a page in `docs/commands`, with the help of the commands below it;
//! the first page lists them and has the flags that all of them share.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bowsprit_testkit::repository;

use crate::TaskResult;

const FOLDER: &str = "docs/commands";
const NOTICE: &str =
    "<!-- Written by `bowsprit-dev commands --write` from the program's own help. -->\n";
/// Help begins its list of shared flags with this.
const SHARED: &str = "\nGlobal options:\n";

/// Compares the pages with the program's help, or writes them.
pub(crate) fn run(args: &[String]) -> TaskResult {
    let mut program = None;
    let mut write = false;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--write" => write = true,
            "--bowsprit" => program = args.next().map(PathBuf::from),
            other => return Err(format!("commands: unknown argument {other}")),
        }
    }
    let program = program.unwrap_or_else(|| repository().join("target/debug/bowsprit"));
    let pages = pages(&program)?;
    let folder = repository().join(FOLDER);
    if write { write_pages(&folder, &pages) } else { compare(&folder, &pages) }
}

fn write_pages(folder: &Path, pages: &BTreeMap<String, String>) -> TaskResult {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(failed)?;
    }
    fs::create_dir_all(folder).map_err(failed)?;
    for (name, text) in pages {
        fs::write(folder.join(name), text).map_err(failed)?;
    }
    Ok(format!("commands: {} pages written", pages.len()))
}

fn compare(folder: &Path, pages: &BTreeMap<String, String>) -> TaskResult {
    let mut wrong: Vec<String> = Vec::new();
    for (name, text) in pages {
        let there = fs::read_to_string(folder.join(name)).unwrap_or_default();
        if there.replace("\r\n", "\n") != *text {
            wrong.push(name.clone());
        }
    }
    let entries = fs::read_dir(folder).map_err(|error| format!("{FOLDER}: {error}"))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    wrong.extend(names.filter(|name| !pages.contains_key(name)));
    if wrong.is_empty() {
        return Ok(format!("commands: {} pages say what the program says", pages.len()));
    }
    let all = wrong.join(", ");
    Err(format!("commands: {FOLDER} is behind: {all}; `bowsprit-dev commands --write` mends it"))
}

fn pages(program: &Path) -> Result<BTreeMap<String, String>, String> {
    let root = help(program, &[])?;
    let mut pages = BTreeMap::new();
    let mut index = format!("# Commands\n\n{NOTICE}\n| command | |\n|---|---|\n");
    for (name, about) in children(&root) {
        let _ = writeln!(index, "| [`bowsprit {name}`]({name}.md) | {about} |");
        pages.insert(format!("{name}.md"), page(program, name)?);
    }
    let shared = root.split_once(SHARED).map_or("", |(_, rest)| rest);
    let shared = shared.split("\n\n").next().unwrap_or_default();
    let _ = write!(index, "\n## Flags of all commands\n\n```text\n{}\n```\n", shared.trim_end());
    pages.insert("README.md".to_owned(), index);
    Ok(pages)
}

/// The page of a command, and of those below it.
fn page(program: &Path, name: &str) -> Result<String, String> {
    let text = help(program, &[name])?;
    let mut page = format!("# bowsprit {name}\n\n{NOTICE}\n{}", block(&text));
    for (child, _) in children(&text) {
        let text = help(program, &[name, child])?;
        let _ = write!(page, "\n## bowsprit {name} {child}\n\n{}", block(&text));
    }
    Ok(page)
}

fn help(program: &Path, path: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .arg("help")
        .args(path)
        .env_clear()
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    String::from_utf8(output.stdout).map_err(|error| format!("help {path:?}: {error}"))
}

/// Names and descriptions of the commands that help lists.
fn children(help: &str) -> Vec<(&str, &str)> {
    let list = help.split_once("\nCommands:\n").map_or("", |(_, rest)| rest);
    let lines = list.lines().take_while(|line| !line.is_empty());
    let pair = |line: &'_ str| -> Option<(usize, usize)> {
        let from = line.len() - line.trim_start().len();
        let to = from + line.get(from..)?.find(' ')?;
        Some((from, to))
    };
    lines
        .filter_map(|line| {
            let (from, to) = pair(line)?;
            Some((line.get(from..to)?, line.get(to..)?.trim()))
        })
        .collect()
}

/// Help without the shared flags.
fn block(help: &str) -> String {
    let text = match help.split_once(SHARED) {
        Some((before, rest)) => {
            let after = rest.split_once("\n\n").map_or("", |(_, after)| after);
            format!("{before}\n{after}")
        }
        None => help.to_owned(),
    };
    let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
    format!("```text\n{}\n```\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELP: &str = "Does\n\nUsage: x\n\nCommands:\n  a    Does a\n  b-c  Does b\n\nOptions:\n  -h  \n\n\
                        Global options:\n      --debug  x\n\nMore.\n";

    #[test]
    fn help_is_taken_apart() {
        assert_eq!(children(HELP), [("a", "Does a"), ("b-c", "Does b")]);
        let block = block(HELP);
        assert!(!block.contains("--debug") && block.ends_with("-h\n\nMore.\n```\n"), "{block}");
    }
}
