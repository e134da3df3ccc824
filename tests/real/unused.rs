//! Values that no template reads, on public charts: misspelt keys are found with what was meant, and no
//! key that matters is called unused.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::charts::{Folder, charts, json, output};

/// How many charts get a misspelt key.
const SEEDED: usize = 30;

/// Every so many charts one is looked at for keys that are wrongly called unused.
const STEP: usize = 12;

/// The paths that the chart's own templates write as `.Values.a.b`.
fn written_paths(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            written_paths(&path, found);
            continue;
        }
        let text = fs::read(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        for (_, rest) in
            text.match_indices(".Values.").map(|(at, word)| text.split_at(at + word.len()))
        {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'));
            let path = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            let parts: Vec<&str> = path.split('.').collect();
            if parts.len() <= 3 && parts.iter().all(|part| !part.is_empty()) {
                found.insert(path.to_owned());
            }
        }
    }
}

/// A key with a mistake of a kind that the number chooses.
fn misspelt(key: &str, number: usize) -> String {
    let mut letters: Vec<char> = key.chars().collect();
    let at = letters.len() / 2;
    match number % 4 {
        0 if letters[at - 1] != letters[at] => letters.swap(at - 1, at),
        1 => drop(letters.remove(at)),
        2 => letters.insert(at, letters[at]),
        _ => letters[at] = if letters[at] == 'x' { 'z' } else { 'x' },
    }
    letters.into_iter().collect()
}

/// Whether all keys of the table that a path's last key is in are read by name: others may be read by
/// any, and then none is a mistake.
fn is_closed(schema: &Value, path: &str) -> bool {
    let mut at = schema;
    let mut parts: Vec<&str> = path.split('.').collect();
    parts.pop();
    for part in parts {
        at = &at["properties"][part];
    }
    at["additionalProperties"] == Value::Bool(false)
}

fn nested(path: &str) -> String {
    let lines = path.split('.').enumerate();
    let lines: Vec<String> =
        lines.map(|(depth, key)| format!("{}{key}:", "  ".repeat(depth))).collect();
    format!("{} 1\n", lines.join("\n"))
}

#[test]
fn misspelt_keys_are_found() {
    let charts = charts();
    let folder = Folder::new("unused");
    let (mut seeded, mut reported, mut right, mut missed) = (0, 0, 0, Vec::new());
    // A fifth of the charts, then the next one.
    for chart in (0..5).flat_map(|first| charts.iter().skip(first).step_by(5)) {
        if seeded == SEEDED {
            break;
        }
        let root = folder.unpack(chart);
        let mut paths = BTreeSet::new();
        written_paths(&root.join("templates"), &mut paths);
        let values = fs::read_to_string(root.join("values.yaml")).unwrap_or_default();
        let top = |path: &str| {
            let first = path.split('.').next().unwrap_or_default();
            values.lines().any(|line| line.starts_with(&format!("{first}:")))
        };
        let fits = |path: &&String| {
            top(path) && !path.starts_with("global") && path.rsplit('.').next().unwrap().len() > 4
        };
        let paths: Vec<&String> = paths.iter().filter(fits).collect();
        let root = root.display().to_string();
        let Some(schema) = json(&["values", "schema", &root, "--strict"]) else { continue };
        let (before, after) = paths.split_at(paths.len() / 2);
        let Some(path) = after.iter().chain(before).find(|path| is_closed(&schema, path)) else {
            continue;
        };
        let (above, key) = path.rsplit_once('.').unwrap_or(("", path));
        let wrong = misspelt(key, seeded);
        let full = if above.is_empty() { wrong } else { format!("{above}.{wrong}") };
        let file = folder.write("seeded.yaml", &nested(&full));
        let found = json(&["lint", &root, "--select", "BS001", "-f", &file, "--format", "json"]);
        let found = found.expect("a report");
        seeded += 1;
        let findings = found["subjects"][0]["findings"].as_array().unwrap();
        let is_it = |finding: &&Value| {
            finding["rule"] == "BS001"
                && finding["message"] == format!("no template reads the value {full}")
        };
        match findings.iter().find(is_it) {
            Some(finding) if finding["help"] == format!("did you mean {path}?") => {
                reported += 1;
                right += 1;
            }
            Some(finding) => {
                reported += 1;
                missed.push(format!("{root}: {full} for {path}: {}", finding["help"]));
            }
            None => missed.push(format!("{root}: {full} was not reported")),
        }
    }
    if charts.is_empty() {
        return;
    }
    println!(
        "{seeded} charts, {reported} reported, {right} with the right suggestion: {missed:#?}"
    );
    assert_eq!((seeded, reported), (SEEDED, SEEDED), "{missed:#?}");
    assert!(right * 10 >= SEEDED * 9, "{right}: {missed:#?}");
}

#[test]
fn what_is_called_unused_changes_nothing() {
    let (mut judged, mut wrong) = (0, Vec::new());
    let charts: Vec<PathBuf> = charts().into_iter().step_by(STEP).collect();
    for chart in &charts {
        let chart = chart.display().to_string();
        let render = |more: &[&str]| {
            let fixed = ["template", "demo", &chart, "--seed", "1", "--skip-schema-validation"];
            output(&[&fixed, more].concat())
        };
        let Some(before) = render(&[]) else { continue };
        let Some(found) = json(&["values", &chart, "--unused", "--format", "json"]) else {
            continue;
        };
        let findings = found["subjects"][0]["findings"].as_array().unwrap();
        for finding in findings.iter().take(8) {
            let path = finding["message"].as_str().unwrap();
            let path = path.strip_prefix("no template reads the value ").unwrap();
            if path.contains(['/', '\\', '[']) {
                continue;
            }
            judged += 1;
            for value in ["\"changed\"", "{\"changed\":\"x\"}", "[\"changed\"]"] {
                let set = format!("{path}={value}");
                if render(&["--set-json", &set]).as_ref() != Some(&before) {
                    wrong.push(format!("{chart}: {set}"));
                }
            }
        }
    }
    println!("{} charts: {judged} keys that are called unused were changed", charts.len());
    assert!(wrong.is_empty(), "these change the output: {wrong:#?}");
}
