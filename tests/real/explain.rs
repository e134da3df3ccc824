//! Explanations of lines of public charts, put to the test: the value that is named is changed where it
//! is said to stand, the template line that is named is changed, and the line of the output is looked at.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::charts::{Folder, charts, json, output};

/// How many charts, and how many lines of each.
const CHARTS: usize = 20;
const LINES: usize = 10;

/// How many lines of a chart are asked for, of which some may be plain text.
const ASKED: usize = 16;

/// Every so many charts one is taken.
const STEP: usize = 6;

fn is_of_interest(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with(['#', '-']) && !line.ends_with(':') && line.contains(": ")
}

fn render(root: &str) -> Option<String> {
    output(&["template", "demo", root, "--seed", "1", "--skip-schema-validation"])
}

/// Whether a line of the output is another one.
fn changes(before: &str, after: Option<&str>, number: usize) -> bool {
    let Some(after) = after else { return true };
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let line = old[number - 1];
    if old.len() == new.len() {
        return new[number - 1] != line;
    }
    let count = |lines: &[&str]| lines.iter().filter(|other| **other == line).count();
    count(&new) < count(&old)
}

/// The file that is named from the chart's name on.
fn file_in(root: &Path, name: &str) -> Option<PathBuf> {
    let (_, below) = name.split_once('/')?;
    let path = root.join(below);
    path.is_file().then_some(path)
}

/// Renders with a line of a file changed, and puts it back.
fn with_line(
    root: &str,
    file: &Path,
    number: usize,
    change: impl FnOnce(&str) -> Option<String>,
) -> Option<Option<String>> {
    let text = fs::read_to_string(file).ok()?;
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let line = lines.get_mut(number.checked_sub(1)?)?;
    *line = change(line)?;
    fs::write(file, lines.join("\n")).ok()?;
    let rendered = render(root);
    fs::write(file, text).ok()?;
    Some(rendered)
}

/// `key: old # comment` with another value; none for values of more lines.
fn another_value(line: &str, tried: &Value) -> Option<String> {
    let trimmed = line.trim_start();
    let start = match trimmed.find(": ") {
        Some(at) => line.len() - trimmed.len() + at + 2,
        None if trimmed.starts_with("- ") => line.len() - trimmed.len() + 2,
        None if trimmed.ends_with(':') => line.len(),
        None => return None,
    };
    let old = line.get(start..)?.trim();
    if old.starts_with(['|', '>', '&', '*', '{', '[']) && old != "{}" && old != "[]" {
        return None;
    }
    Some(format!("{} {tried}", line.get(..start)?.trim_end()))
}

/// What became of a sample.
#[derive(Debug, Default)]
struct Tally {
    lines: usize,
    values_right: usize,
    templates_right: usize,
    wrong: Vec<String>,
}

/// Tries one explanation; false where it can't be tried: values of several lines, and templates whose
/// file is packed.
fn try_out(tally: &mut Tally, root: &Path, before: &str, number: usize, found: &Value) -> bool {
    let path = root.display().to_string();
    let cause = &found["causes"][0];
    if cause["effect"] != "changes" || cause["near"] != true || cause["isValue"] != true {
        return false;
    }
    let origin = &cause["origin"];
    let (Some(file), Some(line)) = (origin["file"].as_str(), origin["line"].as_u64()) else {
        return false;
    };
    let Some(file) = file_in(root, file) else { return false };
    let change = |old: &str| another_value(old, &cause["tried"]);
    let Some(after) = with_line(&path, &file, line as usize, change) else { return false };
    let places = found["places"].as_array().unwrap();
    // Text of values alone, which `tpl` ran, stands in no template.
    let Some(place) = places.iter().rev().find(|place| place["file"] != "gotpl") else {
        return false;
    };
    let (Some(template), Some(line)) = (place["file"].as_str(), place["line"].as_u64()) else {
        return false;
    };
    let Some(template) = file_in(root, template) else { return false };
    let line = line as usize;
    let marked = with_line(&path, &template, line, |old| Some(format!("{old}Zz")));
    tally.lines += 1;
    let what = || format!("{path}: line {number} {:?}: {found:#}", before.lines().nth(number - 1));
    if changes(before, after.as_deref(), number) {
        tally.values_right += 1;
    } else {
        tally.wrong.push(format!("value: {}", what()));
    }
    // What an action prints over many lines carries the mark in one of them.
    let marked = marked.flatten();
    let printed_whole = place["source"].as_str().is_some_and(|text| text.contains("indent"));
    let somewhere = printed_whole && marked.as_deref() != Some(before);
    if somewhere || changes(before, marked.as_deref(), number) {
        tally.templates_right += 1;
    } else {
        tally.wrong.push(format!("template: {}", what()));
    }
    true
}

#[test]
fn explanations_are_right() {
    let all = charts();
    let folder = Folder::new("explain");
    let mut tally = Tally::default();
    let mut used = 0;
    for chart in all.iter().step_by(STEP).chain(all.iter().skip(3).step_by(STEP)) {
        if used == CHARTS {
            break;
        }
        let root = folder.unpack(chart);
        let path = root.display().to_string();
        let Some(before) = render(&path) else { continue };
        let lines = before.lines().enumerate().filter(|(_, line)| is_of_interest(line));
        let numbers: Vec<usize> = lines.map(|(number, _)| number + 1).collect();
        let step = (numbers.len() / ASKED).max(1);
        let asked: Vec<usize> = numbers.into_iter().step_by(step).take(ASKED).collect();
        if asked.is_empty() {
            continue;
        }
        let mut args: Vec<String> = [
            "explain",
            "demo",
            &path,
            "--seed",
            "1",
            "--format",
            "json",
            "--skip-schema-validation",
            "--try-for",
            "1s",
        ]
        .map(str::to_owned)
        .to_vec();
        args.extend(asked.iter().flat_map(|number| ["--at".to_owned(), number.to_string()]));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let Some(found) = json(&args) else { continue };
        let found = found["explanations"].as_array().unwrap();
        let before_chart = tally.lines;
        for (number, found) in asked.iter().zip(found) {
            if tally.lines - before_chart == LINES {
                break;
            }
            try_out(&mut tally, &root, &before, *number, found);
        }
        used += usize::from(tally.lines > before_chart);
    }
    if all.is_empty() {
        return;
    }
    println!(
        "{used} charts, {} lines: {} values and {} template lines are right; wrong: {:#?}",
        tally.lines, tally.values_right, tally.templates_right, tally.wrong
    );
    let most = |right: usize| right * 10 >= tally.lines * 9;
    assert!(most(tally.values_right) && most(tally.templates_right), "{:#?}", tally.wrong);
    assert!(used >= 15 && tally.lines >= 80, "{used} charts, {} lines", tally.lines);
}
