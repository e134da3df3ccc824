//! Asks bowsprit what Helm's own tests ask Helm.
//!
//! Nothing of Helm's source is kept here: its test files are read from a folder with the source, as far as
//! they are tables and charts written down as Go literals. What is written in another way is counted.

mod commands;
mod engine;
mod eval;
mod lex;
mod parse;
mod strvals;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bowsprit::eval::Evaluator;
use bowsprit::host::OsHost;
use bowsprit::value::Limits;
use serde_json::Value;

use crate::TaskResult;
use engine::{Case, Wanted};
use eval::Names;

const USAGE: &str = "usage: bowsprit-dev helm-tests --source FOLDER [--bowsprit PATH]";

/// Which tests agree.
#[derive(Default)]
struct Tally {
    agree: usize,
    differ: Vec<String>,
    /// Test functions of which nothing could be read.
    unread: Vec<String>,
    /// Cases of tables that can't be run here.
    others: usize,
}

pub(crate) fn run(args: &[String]) -> TaskResult {
    let (mut source, mut bowsprit) = (None, PathBuf::from("target/debug/bowsprit"));
    for pair in args.chunks(2) {
        match pair {
            [flag, folder] if flag == "--source" => source = Some(PathBuf::from(folder)),
            [flag, path] if flag == "--bowsprit" => bowsprit = PathBuf::from(path),
            _ => return Err(USAGE.to_owned()),
        }
    }
    let source = source.ok_or(USAGE)?;
    let bowsprit = bowsprit.canonicalize().map_err(|e| format!("{}: {e}", bowsprit.display()))?;
    let mut lines = Vec::new();
    let tallies = [
        ("pkg/engine", engine_tests(&source)?),
        ("pkg/strvals", strvals_tests(&source)?),
        ("pkg/cmd", command_tests(&source, &bowsprit)?),
    ];
    for (title, tally) in tallies {
        for difference in &tally.differ {
            eprintln!("{difference}\n");
        }
        lines.push(format!("{title}: {} agree, {} differ", tally.agree, tally.differ.len()));
        if tally.others > 0 {
            lines.push(format!("  {} lines of other commands, which need releases or complete a shell's words, not run", tally.others));
        }
        if !tally.unread.is_empty() {
            lines.push(format!("  no tables, not read: {}", tally.unread.join(", ")));
        }
        if !tally.differ.is_empty() {
            lines.extend(
                tally
                    .differ
                    .iter()
                    .filter_map(|d| Some(format!("  differs: {}", d.lines().next()?))),
            );
        }
    }
    Ok(lines.join("\n"))
}

/// The test files of a package, in the order of their names.
fn test_files(folder: &Path) -> Result<Vec<String>, String> {
    let wrong = |e: std::io::Error| format!("{}: {e}", folder.display());
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(wrong)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_str().is_some_and(|path| path.ends_with("_test.go")))
        .collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).map_err(wrong)).collect()
}

fn engine_tests(source: &Path) -> Result<Tally, String> {
    let mut tally = Tally::default();
    let limits = Limits { steps: 200_000_000, bytes: 1 << 30, output: 1 << 28, depth: 1000 };
    let evaluator = Evaluator::new(OsHost::new(), limits);
    for text in test_files(&source.join("pkg/engine"))? {
        let tokens = lex::tokens(&text);
        let (functions, outside) = eval::functions(&tokens);
        let outer = eval::names(&outside, &Names::new());
        for function in functions.iter().filter(|function| function.name.starts_with("Test")) {
            let cases = engine::cases(function, &outer);
            if cases.is_empty() {
                tally.unread.push(function.name.to_owned());
            }
            for case in cases {
                let answer = evaluator.answer(case.request.to_string().as_bytes());
                let answer = serde_json::from_slice(&answer).map_err(|e| e.to_string())?;
                match difference(&case, &answer) {
                    None => tally.agree += 1,
                    Some(text) => tally.differ.push(text),
                }
            }
        }
    }
    Ok(tally)
}

fn difference(case: &Case, answer: &Value) -> Option<String> {
    // Some tests render templates without a chart, whose names have no folder.
    let error = answer["error"].as_str();
    let bare = error.map(|error| error.replace("chart/templates/", ""));
    let agrees = match &case.wanted {
        Wanted::Out(text) => answer["out"].as_str() == Some(text),
        Wanted::Outs(texts) => texts.iter().all(|(name, text)| {
            let out = &answer["outs"];
            let found = out.get(name).or_else(|| out.get(format!("chart/templates/{name}")));
            found.and_then(Value::as_str) == Some(text)
        }),
        Wanted::Error(text) => error == Some(text) || bare.as_ref() == Some(text),
        Wanted::AnyError => error.is_some(),
    };
    let wanted = match &case.wanted {
        Wanted::Out(text) | Wanted::Error(text) => text.clone(),
        Wanted::Outs(texts) => format!("{texts:#?}"),
        Wanted::AnyError => "an error".to_owned(),
    };
    (!agrees).then(|| format!("{}\n{}\nwanted: {wanted}\nfound: {answer}", case.name, case.request))
}

fn strvals_tests(source: &Path) -> Result<Tally, String> {
    let mut tally = Tally::default();
    for text in test_files(&source.join("pkg/strvals"))? {
        let tokens = lex::tokens(&text);
        let (functions, _) = eval::functions(&tokens);
        for function in functions.iter().filter(|function| function.name.starts_with("Test")) {
            let (agree, differ) = strvals::compare(function);
            if agree + differ.len() == 0 {
                tally.unread.push(function.name.to_owned());
            }
            tally.agree += agree;
            tally.differ.extend(differ);
        }
    }
    Ok(tally)
}

fn command_tests(source: &Path, bowsprit: &Path) -> Result<Tally, String> {
    let mut tally = Tally::default();
    let folder = source.join("pkg/cmd");
    let home = std::env::temp_dir().join(format!("bowsprit-helm-tests-{}", std::process::id()));
    let mut seen = BTreeMap::new();
    for text in test_files(&folder)? {
        let tokens = lex::tokens(&text);
        let (functions, outside) = eval::functions(&tokens);
        let own = eval::names(&outside, &Names::new());
        seen.extend(own);
        for function in functions {
            let (lines, others) = commands::lines(&function, &seen);
            tally.others += others;
            for line in lines {
                let (found, succeeded) = commands::run(bowsprit, &folder, &home, &line.command)?;
                let golden = match &line.golden {
                    None => None,
                    Some(path) => {
                        let path = folder.join("testdata").join(path);
                        let text = std::fs::read_to_string(&path)
                            .map_err(|e| format!("{}: {e}", path.display()))?;
                        Some(text.replace("\r\n", "\n"))
                    }
                };
                if succeeded != line.fails && golden.as_ref().is_none_or(|golden| *golden == found)
                {
                    tally.agree += 1;
                    continue;
                }
                tally.differ.push(format!(
                    "{}\n{}\nwanted{}: {}\nfound: {found}",
                    line.test,
                    line.command,
                    if line.fails { " (and an error)" } else { "" },
                    golden.unwrap_or_default(),
                ));
            }
        }
    }
    let _ = std::fs::remove_dir_all(&home);
    Ok(tally)
}
