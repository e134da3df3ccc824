//! Values that no template reads, on public charts: misspelt keys are found with what was meant, and no
//! key that matters is called unused.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bowsprit::value::{Map, Value};
use serde_json::Value as JsonValue;

use crate::charts::{Folder, charts, json, output};
use crate::tools::tool;

/// How many charts get a misspelt key.
const SEEDED: usize = 30;

/// Every so many charts one is looked at for keys that are wrongly called unused.
const STEP: usize = 12;

/// How many keys of a chart are tried before one is found whose misspelt copy changes nothing.
const TRIES: usize = 12;

/// How many keys of a chart that are called unused Helm renders with other values; it takes its time.
const JUDGED_BY_HELM: usize = 1;

/// What Helm renders; none where it fails.
fn by_helm(helm: &Path, chart: &str, more: &[&str]) -> Option<String> {
    let output = Command::new(helm)
        .args(["template", "demo", chart, "--skip-schema-validation"])
        .args(more)
        .env_clear()
        .env("HOME", "/nonexistent")
        .stdin(Stdio::null())
        .output()
        .expect("Helm starts");
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether Helm renders the same with more flags; none where what it renders is another thing each time.
fn is_same_to_helm(helm: &Path, chart: &str, more: &[&str]) -> Option<bool> {
    let before = by_helm(helm, chart, &[])?;
    let after = by_helm(helm, chart, more);
    let same = after.as_ref() == Some(&before);
    (same || by_helm(helm, chart, &[]).as_ref() == Some(&before)).then_some(same)
}

/// The paths of all keys of a chart's own values, with what stands there.
fn paths(table: &Map, above: &str, found: &mut Vec<(String, JsonValue)>) {
    for (key, value) in table.entries().iter() {
        let key = key.to_string_lossy();
        let plain = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !plain || above.is_empty() && key == "global" {
            continue;
        }
        let path = if above.is_empty() { key.to_string() } else { format!("{above}.{key}") };
        if let Value::Map(below) = value {
            paths(below, &path, found);
        }
        // A word of four letters with a mistake may be any other.
        if key.len() > 4 {
            found.push((path, as_json(value)));
        }
    }
}

fn as_json(value: &Value) -> JsonValue {
    match value {
        Value::Bool(truth) => (*truth).into(),
        Value::Float(number) => (*number).into(),
        Value::Str(text) => text.to_string_lossy().into(),
        Value::Map(map) => {
            let entries = map.entries();
            entries.iter().map(|(key, value)| (key.to_string(), as_json(value))).collect()
        }
        Value::List(list) => list.iter().map(as_json).collect(),
        _ => JsonValue::Null,
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

/// Values with something at a path and nothing else; JSON is YAML.
fn nested(path: &str, value: &JsonValue) -> String {
    let table = |value, key: &str| JsonValue::from_iter([(key.to_owned(), value)]);
    path.rsplit('.').fold(value.clone(), table).to_string()
}

/// A misspelt copy of a key of the chart's values, chosen without a look at the templates.
struct Seed {
    meant: String,
    wrong: String,
    file: String,
}

/// A seed that changes nothing of the output: what changes it is in use, as it is where a table is printed
/// whole, and then it is no mistake. `number` chooses.
fn seed(folder: &Folder, root: &str, number: usize, in_use: &mut usize) -> Option<Seed> {
    let text = fs::read(format!("{root}/values.yaml")).ok()?;
    let Value::Map(values) = bowsprit::yaml::decode(&text).ok()? else { return None };
    let mut all = Vec::new();
    paths(&values, "", &mut all);
    let fixed = ["template", "demo", root, "--seed", "1", "--skip-schema-validation"];
    let before = output(&fixed)?;
    for attempt in 0..TRIES.min(all.len()) {
        let (meant, value) = &all[(number * 7919 + attempt * 104_729) % all.len()];
        let (above, key) = meant.rsplit_once('.').unwrap_or(("", meant));
        let wrong = misspelt(key, number);
        let wrong = if above.is_empty() { wrong } else { format!("{above}.{wrong}") };
        if all.iter().any(|(path, _)| *path == wrong) {
            continue;
        }
        let file = folder.write("seeded.yaml", &nested(&wrong, value));
        if output(&[&fixed[..], &["-f", &file]].concat()).as_ref() == Some(&before) {
            return Some(Seed { meant: meant.clone(), wrong, file });
        }
        *in_use += 1;
    }
    None
}

#[test]
fn misspelt_keys_are_found() {
    let charts = charts();
    let helm = tool("helm");
    let folder = Folder::new("unused");
    let (mut seeded, mut reported, mut right, mut in_use, mut judged) = (0, 0, 0, 0, 0);
    let mut missed = Vec::new();
    // A fifth of the charts, then the next one.
    for chart in (0..5).flat_map(|first| charts.iter().skip(first).step_by(5)) {
        if seeded == SEEDED {
            break;
        }
        let root = folder.unpack(chart).display().to_string();
        let Some(seed) = seed(&folder, &root, seeded, &mut in_use) else { continue };
        let same = helm.as_ref().and_then(|h| is_same_to_helm(h, &root, &["-f", &seed.file]));
        assert_ne!(same, Some(false), "{root}: {} changes what Helm renders", seed.wrong);
        judged += usize::from(same.is_some());
        let args = ["lint", &root, "--select", "BS001", "-f", &seed.file, "--format", "json"];
        let found = json(&args).expect("a report");
        seeded += 1;
        let findings = found["subjects"][0]["findings"].as_array().unwrap();
        let names = |finding: &JsonValue, path: &str| {
            let message = finding["message"].as_str().unwrap_or_default();
            finding["rule"] == "BS001" && message.split(' ').next_back() == Some(path)
        };
        // Where no template reads the table, that is what is said.
        let tables = seed.wrong.match_indices('.').map(|(at, _)| &seed.wrong[..at]);
        let mut paths: Vec<&str> = tables.chain([seed.wrong.as_str()]).collect();
        paths.reverse();
        let of_file = |finding: &&JsonValue| finding["location"]["file"] == seed.file.as_str();
        let in_file: Vec<&JsonValue> = findings.iter().filter(of_file).collect();
        let finding = paths.iter().find_map(|path| in_file.iter().find(|f| names(f, path)));
        let Some(finding) = finding else {
            missed.push(format!("{root}: {} was not reported", seed.wrong));
            continue;
        };
        reported += 1;
        if finding["help"] == format!("did you mean {}?", seed.meant) {
            right += 1;
        } else {
            missed.push(format!("{root}: {} for {}: {finding}", seed.wrong, seed.meant));
        }
    }
    if charts.is_empty() {
        return;
    }
    println!(
        "{seeded} charts, {judged} of the keys judged by Helm, {in_use} others were in use; {reported} \
         reported, {right} with the right suggestion: {missed:#?}"
    );
    assert_eq!((seeded, reported), (SEEDED, SEEDED), "{missed:#?}");
    assert!(right * 10 >= SEEDED * 9, "{right}: {missed:#?}");
}

#[test]
fn what_is_called_unused_changes_nothing() {
    let helm = tool("helm");
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
        for (number, finding) in findings.iter().take(8).enumerate() {
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
                let helm = helm.as_ref().filter(|_| number < JUDGED_BY_HELM);
                let same = helm.and_then(|h| is_same_to_helm(h, &chart, &["--set-json", &set]));
                if same == Some(false) {
                    wrong.push(format!("{chart}: {set}, by Helm"));
                }
            }
        }
    }
    println!("{} charts: {judged} keys that are called unused were changed", charts.len());
    assert!(wrong.is_empty(), "these change the output: {wrong:#?}");
}
