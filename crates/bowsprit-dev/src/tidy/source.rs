//! Rules for Rust files.

use std::fs;
use std::path::{Path, PathBuf};

/// A file longer than this needs one subject and a line in [`LONG_FILES`].
const FILE_LIMIT: usize = 800;

/// A function longer than this is cut, or is a dispatch `match` with a line in [`LONG_FUNCTIONS`].
const FUNCTION_LIMIT: usize = 70;

/// Files above the limit: one subject that does not divide. A `tables.rs` holds data and is exempt.
const LONG_FILES: &[&str] = &[];

/// Functions above the limit: the one dispatch `match` of an engine.
const LONG_FUNCTIONS: &[(&str, &str)] = &[("bowsprit-template/src/vm/mod.rs", "run_frame")];

/// Words that never reach the main branch, with the reason.
const FORBIDDEN: &[(&str, &str)] = &[
    ("todo!(", "a stub"),
    ("unimplemented!(", "a stub"),
    ("#[ignore", "assert today's wrong answer instead and say why it is wrong"),
    ("#![feature(", "we build with stable Rust"),
    ("dbg!(", "left over"),
];

/// A Rust file and its text.
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

pub(super) fn read(root: &Path, files: &[PathBuf]) -> Result<Vec<Source>, String> {
    let rust = files.iter().filter(|file| file.extension().is_some_and(|e| e == "rs"));
    rust.map(|file| {
        let path = root.join(file);
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Source { path: file.clone(), text })
    })
    .collect()
}

pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        check_header(source, &mut complaints);
        check_length(source, &mut complaints);
        check_functions(source, &mut complaints);
        // This file names the words it forbids.
        if !source.path.ends_with("tidy/source.rs") {
            check_words(source, &mut complaints);
        }
    }
    complaints
}

fn check_header(source: &Source, complaints: &mut Vec<String>) {
    let is_root = ["src/lib.rs", "src/main.rs"].iter().any(|root| source.path.ends_with(root));
    if is_root && !source.text.starts_with("//! ") {
        complaints.push(format!("{}: does not open with what the crate is", source.path.display()));
    }
}

fn check_length(source: &Source, complaints: &mut Vec<String>) {
    let lines = source.text.lines().count();
    let listed = source.path.ends_with("tables.rs")
        || LONG_FILES.iter().any(|file| source.path.ends_with(file));
    if lines > FILE_LIMIT && !listed {
        complaints.push(format!("{}: {lines} lines", source.path.display()));
    }
}

fn check_words(source: &Source, complaints: &mut Vec<String>) {
    for (number, line) in source.text.lines().enumerate() {
        for (word, reason) in FORBIDDEN {
            if line.contains(word) {
                let path = source.path.display();
                complaints.push(format!("{path}:{}: {word}: {reason}", number + 1));
            }
        }
        let issue = line.split_once("TODO").map(|(_, rest)| rest);
        if issue.is_some_and(|rest| !rest.starts_with("(#")) && line.contains("//") {
            complaints.push(format!(
                "{}:{}: a TODO carries its issue: TODO(#12)",
                source.path.display(),
                number + 1
            ));
        }
    }
}

/// Formatted code shows where a function ends: at the brace that is indented as its `fn` is.
fn check_functions(source: &Source, complaints: &mut Vec<String>) {
    let lines: Vec<&str> = source.text.lines().collect();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent: String = line.chars().take_while(|c| *c == ' ').collect();
        let closing = format!("{indent}}}");
        let body = lines.iter().skip(start).position(|line| *line == closing);
        let length = body.map_or(1, |last| last + 1);
        let listed = LONG_FUNCTIONS.iter().any(|(f, n)| source.path.ends_with(f) && *n == name);
        // A declaration in a trait has no body of its own.
        let declared_only = lines
            .iter()
            .skip(start)
            .take_while(|line| !line.ends_with('{'))
            .any(|line| line.ends_with(';'));
        if length > FUNCTION_LIMIT && !listed && !declared_only {
            complaints.push(format!(
                "{}:{}: fn {name} has {length} lines",
                source.path.display(),
                start + 1
            ));
        }
    }
}

fn function_name(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let at = line.find("fn ")?;
    let before = line.get(..at)?;
    let is_item = before.split_whitespace().all(|word| {
        word.starts_with("pub") || matches!(word, "const" | "async" | "in" | "unsafe" | "extern")
    });
    let name = line.get(at + 3..)?;
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    if is_item { name.get(..end) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(text: &str) -> Vec<String> {
        check(&[Source { path: "crates/x/src/a.rs".into(), text: text.to_string() }])
    }

    #[test]
    fn long_functions_are_found() {
        let body = "        x;\n".repeat(70);
        let text = format!("impl A {{\n    pub(crate) fn long(&self) {{\n{body}    }}\n}}\n");
        assert_eq!(complaints(&text), ["crates/x/src/a.rs:2: fn long has 72 lines"]);
        let text = format!("trait A {{\n    fn declared(&self);\n    fn b() {{\n{body}}}\n");
        assert!(complaints(&text).is_empty());
    }

    #[test]
    fn stubs_and_bare_todos_are_found() {
        let found = complaints("fn f() {\n    todo!()\n}\n// TODO later\n// TODO(#3): fine\n");
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn names_of_items_only() {
        assert_eq!(function_name("    pub(super) const fn a_b<T>(x: T) {"), Some("a_b"));
        assert_eq!(function_name("    let f: fn (u8) = x;"), None);
        assert_eq!(function_name("// the fn x is"), None);
    }
}
