//! The command lines of Helm's command tests, and the output that they keep.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::eval::{Function, Names, names, value};
use super::parse::Expr;

/// A command line, and what it prints.
pub(super) struct Line {
    pub(super) test: String,
    pub(super) command: String,
    /// Relative to `testdata`.
    pub(super) golden: Option<String>,
    pub(super) fails: bool,
}

/// What a test function holds: lines that can be run here, and how many need a store of releases.
pub(super) fn lines(function: &Function<'_>, outer: &Names) -> (Vec<Line>, usize) {
    let names = names(function.body, outer);
    let (mut lines, mut others) = (Vec::new(), 0);
    let own = |name: &&String| !outer.contains_key(*name) || names.get(*name) != outer.get(*name);
    for table in names.keys().filter(own).filter_map(|name| names.get(name)) {
        let Expr::Composite(kind, entries) = table else { continue };
        if kind != "[]cmdTestCase" {
            continue;
        }
        for (_, entry) in entries {
            match line(function.name, entry, &names) {
                Some(line) if runs_here(&line) => lines.push(line),
                _ => others += 1,
            }
        }
    }
    (lines, others)
}

fn line(test: &str, entry: &Expr, names: &Names) -> Option<Line> {
    let Expr::Composite(_, fields) = entry else { return None };
    let field = |name: &str| {
        let is = |key: &Option<Expr>| *key == Some(Expr::Name(name.to_owned()));
        fields.iter().find(|(key, _)| is(key)).map(|(_, value)| value)
    };
    if field("rels").is_some() {
        return None;
    }
    let text = |name: &str| match value(field(name)?, names) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    Some(Line {
        test: format!("{test}/{}", text("name").unwrap_or_default()),
        command: text("cmd")?,
        golden: match field("golden") {
            Some(_) => Some(text("golden")?).filter(|path| !path.is_empty()),
            None => None,
        },
        fails: field("wantError").is_some_and(|fails| *fails == Expr::Name("true".to_owned())),
    })
}

/// Commands that need neither a store of releases nor a shell that completes.
const COMMANDS: &[&str] = &["template", "show", "dependency", "search", "repo", "lint"];

fn runs_here(line: &Line) -> bool {
    let word = line.command.split(' ').next().unwrap_or_default();
    COMMANDS.contains(&word) && !line.command.contains("__complete")
}

/// What a command printed on both of its streams, and whether it succeeded.
pub(super) fn run(
    bowsprit: &Path,
    folder: &Path,
    home: &Path,
    command: &str,
) -> Result<(String, bool), String> {
    let mut arguments = words(command);
    let own = |more: &[&str]| more.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    match arguments.first().map(String::as_str) {
        // Helm takes this version of Kubernetes for the cluster's while it is tested.
        Some("template" | "lint") if arguments.len() > 1 && !command.contains("--kube-version") => {
            arguments.extend(own(&["--kube-version", "v1.20.0"]));
        }
        // Their tests add this to every line.
        Some("search") => arguments.extend(own(&[
            "--repository-config",
            "testdata/helmhome/helm/repositories.yaml",
            "--repository-cache",
            "testdata/helmhome/helm/repository",
        ])),
        _ => {}
    }
    let (mut output, stdout) = std::io::pipe().map_err(|e| e.to_string())?;
    let stderr = stdout.try_clone().map_err(|e| e.to_string())?;
    let mut process = Command::new(bowsprit);
    process.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(stdout).stderr(stderr);
    for name in ["CACHE", "CONFIG", "DATA"] {
        process.env(format!("HELM_{name}_HOME"), home.join(name.to_lowercase()));
    }
    let mut child = process.spawn().map_err(|e| format!("{}: {e}", bowsprit.display()))?;
    drop(process);
    let mut text = Vec::new();
    output.read_to_end(&mut text).map_err(|e| e.to_string())?;
    let status = child.wait().map_err(|e| e.to_string())?;
    // What is logged goes past what Helm's tests look at.
    let text = String::from_utf8_lossy(&text).replace("\r\n", "\n");
    let lines = text.split_inclusive('\n').filter(|line| !line.starts_with("level="));
    Ok((lines.collect(), status.success()))
}

/// A line's words, as a shell has them.
fn words(line: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ' | '\n' | '\t') => out.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    out.extend(word);
    out
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_those_of_a_shell() {
        assert_eq!(words("a 'b c'  \"d\"e ''"), ["a", "b c", "de", ""]);
    }
}
