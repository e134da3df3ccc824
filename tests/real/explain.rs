//! Explanations of lines of public charts, put to the test: the value that is named is changed where it
//! is said to stand, the template line that is named is changed, and the line of the output is looked at.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::charts::{Folder, charts, json, output, said};
use crate::tools::tool;

/// How many charts, and how many lines of each.
const CHARTS: usize = 20;
const LINES: usize = 10;

/// How many lines of a chart are asked for; some are plain text, or made of the release's name.
const ASKED: usize = 36;

/// How many values are tried for each line. A time would make the sample depend on the machine.
const TRIED: &str = "40";

/// Every so many charts one is taken.
const STEP: usize = 6;

fn is_of_interest(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with(['#', '-']) && !line.ends_with(':') && line.contains(": ")
}

fn render(root: &str) -> Option<String> {
    output(&["template", "demo", root, "--seed", "1", "--skip-schema-validation"])
}

/// Whether a line of the output is another one, or gone. An output that fails shows nothing.
fn changes(before: &str, after: Option<&str>, number: usize) -> bool {
    let Some(after) = after else { return false };
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let line = old[number - 1];
    if old.len() == new.len() {
        return new[number - 1] != line;
    }
    is_rarer(before, after, line)
}

fn is_rarer(before: &str, after: &str, line: &str) -> bool {
    let count = |text: &str| text.lines().filter(|other| *other == line).count();
    count(after) < count(before)
}

/// Whether the output without an action lacks the line, be it YAML or not any more.
fn is_gone(root: &str, before: &str, number: usize) -> bool {
    let args = ["template", "demo", root, "--seed", "1", "--skip-schema-validation", "--debug"];
    let after = said(&args);
    let line = before.lines().nth(number - 1).unwrap_or_default();
    after.contains("# Source: ") && is_rarer(before, &after, line)
}

/// The file that is named from the chart's name on.
fn file_in(root: &Path, name: &str) -> Option<PathBuf> {
    let (_, below) = name.split_once('/')?;
    let path = root.join(below);
    path.is_file().then_some(path)
}

/// Does something while a line of a file is another one, and puts it back.
fn with_line<T>(
    file: &Path,
    number: usize,
    change: impl FnOnce(&str) -> Option<String>,
    then: impl FnOnce() -> T,
) -> Option<T> {
    let text = fs::read_to_string(file).ok()?;
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let line = lines.get_mut(number.checked_sub(1)?)?;
    *line = change(line)?;
    fs::write(file, lines.join("\n")).ok()?;
    let done = then();
    fs::write(file, text).ok()?;
    Some(done)
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

/// The line without the action that holds a column.
fn without_action(line: &str, column: usize) -> Option<String> {
    let (before, from) = line.split_at_checked(column.checked_sub(1)?)?;
    let start = before.rfind("{{")?;
    let end = from.find("}}")? + 2;
    Some(format!("{}{}", before.get(..start)?, from.get(end..)?))
}

/// What became of a sample.
#[derive(Debug, Default)]
struct Tally {
    lines: usize,
    values_right: usize,
    templates_right: usize,
    wrong: Vec<String>,
}

/// One line that is explained by a value, and where the explanation can be put to the test.
struct Sample<'v> {
    number: usize,
    found: &'v Value,
    values: (PathBuf, usize),
    template: (PathBuf, usize, usize),
    /// Whether the value changes the line and does not only let it be there.
    changes: bool,
}

/// None where an explanation can't be tried: what no value makes, values of several lines, and files of
/// a packed subchart.
fn sample<'v>(root: &Path, number: usize, found: &'v Value) -> Option<Sample<'v>> {
    let cause = found["causes"].get(0).filter(|cause| cause["isValue"] == true)?;
    let place_of = |place: &Value| {
        let file = file_in(root, place["file"].as_str()?)?;
        Some((file, usize::try_from(place["line"].as_u64()?).ok()?))
    };
    let values = place_of(&cause["origin"])?;
    let text = fs::read_to_string(&values.0).ok()?;
    another_value(text.lines().nth(values.1 - 1)?, &cause["tried"])?;
    // Text of values alone, which `tpl` ran, stands in no template.
    let places = found["places"].as_array()?;
    let place = places.iter().rev().find(|place| place["file"] != "gotpl")?;
    let (file, line) = place_of(place)?;
    let template = (file, line, usize::try_from(place["column"].as_u64()?).ok()?);
    Some(Sample { number, found, values, template, changes: cause["effect"] == "changes" })
}

fn try_out(tally: &mut Tally, root: &Path, before: &str, sample: &Sample<'_>) {
    let path = root.display().to_string();
    let number = sample.number;
    let tried = &sample.found["causes"][0]["tried"];
    let (file, line) = &sample.values;
    let value = with_line(file, *line, |old| another_value(old, tried), || render(&path)).flatten();
    let (file, line, column) = &sample.template;
    // A comment leaves YAML what it is.
    let comment = |old: &str| Some(format!("{old} #Zz"));
    let marked = with_line(file, *line, comment, || render(&path)).flatten();
    let is_right = changes(before, marked.as_deref(), number) || {
        // What prints several lines carries the mark in one of them, and takes all away with it.
        let without = |old: &str| without_action(old, *column);
        with_line(file, *line, without, || is_gone(&path, before, number)) == Some(true)
    };
    tally.lines += 1;
    let line = before.lines().nth(number - 1);
    let what = || format!("{path}: line {number} {line:?}: {:#}", sample.found);
    if changes(before, value.as_deref(), number) {
        tally.values_right += 1;
    } else {
        tally.wrong.push(format!("value: {}", what()));
    }
    if is_right {
        tally.templates_right += 1;
    } else {
        tally.wrong.push(format!("template: {}", what()));
    }
}

/// What `explain` says of lines over all of a chart's output.
fn explained(path: &str, before: &str) -> Option<Vec<(usize, Value)>> {
    let lines = before.lines().enumerate().filter(|(_, line)| is_of_interest(line));
    let numbers: Vec<usize> = lines.map(|(number, _)| number + 1).collect();
    let step = (numbers.len() / ASKED).max(1);
    let asked: Vec<String> =
        numbers.iter().step_by(step).take(ASKED).map(usize::to_string).collect();
    let mut args = vec!["explain", "demo", path, "--seed", "1", "--format", "json"];
    args.extend(["--skip-schema-validation", "--try-for", "1h", "--try-values", TRIED]);
    args.extend(asked.iter().flat_map(|number| ["--at", number.as_str()]));
    let found = json(&args)?;
    let found = found["explanations"].as_array()?.iter().cloned();
    Some(numbers.into_iter().step_by(step).zip(found).collect())
}

#[test]
fn explanations_are_right() {
    // It asks for a thousand explanations, which take a build for speed, as CI makes it for these tests.
    if tool("helm").is_none() {
        return;
    }
    let all = charts();
    let folder = Folder::new("explain");
    let mut tally = Tally::default();
    let mut used = 0;
    for chart in (0..STEP).flat_map(|first| all.iter().skip(first).step_by(STEP)) {
        if used == CHARTS {
            break;
        }
        let root = folder.unpack(chart);
        let path = root.display().to_string();
        let Some(before) = render(&path) else { continue };
        let Some(found) = explained(&path, &before) else { continue };
        let samples = found.iter().filter_map(|(number, found)| sample(&root, *number, found));
        let (mut samples, others): (Vec<_>, Vec<_>) = samples.partition(|sample| sample.changes);
        samples.extend(others);
        if samples.len() < LINES {
            continue;
        }
        for sample in &samples[..LINES] {
            try_out(&mut tally, &root, &before, sample);
        }
        used += 1;
    }
    if all.is_empty() {
        return;
    }
    println!(
        "{used} charts, {} lines: {} values and {} template lines are right; wrong: {:#?}",
        tally.lines, tally.values_right, tally.templates_right, tally.wrong
    );
    assert_eq!((used, tally.lines), (CHARTS, CHARTS * LINES));
    let right = tally.values_right.min(tally.templates_right);
    assert_eq!(right, tally.lines);
}
