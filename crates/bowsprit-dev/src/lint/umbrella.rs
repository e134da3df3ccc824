//! An umbrella of many subcharts, on which Helm's linter is slowest.

use super::run::Sides;
use crate::versus::median;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How many subcharts the umbrella has.
const SUBCHARTS: usize = 63;

/// How often each side examines it; medians count.
const RUNS: usize = 5;

/// The chart that it has copies of.
const BASE: &str = "postgresql";

/// From the third run on a chart is found compiled, if its files have lain there for some seconds.
const BEFORE: usize = 2;
const SETTLED: Duration = Duration::from_secs(3);

/// Measures umbrellas of several sizes on both sides, to show that the cost is linear; on ours also examined
/// again, with what the runs before have kept.
pub(super) fn measure(sides: &Sides, charts: &Path) -> Result<String, String> {
    let folder = std::env::temp_dir().join(format!("bowsprit-lint-{}", std::process::id()));
    let outcome = in_folder(sides, charts, &folder);
    let _ = fs::remove_dir_all(&folder);
    outcome
}

fn in_folder(sides: &Sides, charts: &Path, folder: &Path) -> Result<String, String> {
    let base = base(charts)?;
    let mut text = String::new();
    for count in [SUBCHARTS / 4, SUBCHARTS / 2, SUBCHARTS] {
        let umbrella = folder.join(count.to_string()).join("umbrella");
        build(&umbrella, &base, count).map_err(|error| format!("umbrella: {error}"))?;
        let mut times = [Vec::new(), Vec::new()];
        // In turn, so that what else the machine does is shared by both.
        for _ in 0..RUNS {
            let [helm, ours] = sides.both(&umbrella, &[])?;
            if helm.stdout != ours.stdout || helm.code != ours.code {
                return Err(format!(
                    "umbrella of {count}: {:?} and {:?}",
                    helm.stdout, ours.stdout
                ));
            }
            times.iter_mut().zip([helm.cpu, ours.cpu]).for_each(|(times, cpu)| times.push(cpu));
        }
        let [helm, ours] = times.map(median);
        let again = again(sides, &umbrella, &folder.join("compiled"))?;
        let ratio = |ours: f64| helm / ours.max(1e-9);
        let _ = writeln!(
            text,
            "umbrella of {count} {BASE}, medians of {RUNS}: helm {helm:.2} s, bowsprit {ours:.3} s: {:.1} times; \
             examined again {again:.3} s: {:.1} times",
            ratio(ours),
            ratio(again),
        );
    }
    Ok(text)
}

/// The CPU time of a run that finds the chart compiled.
fn again(sides: &Sides, umbrella: &Path, cache: &Path) -> Result<f64, String> {
    std::thread::sleep(SETTLED);
    let mut times = Vec::new();
    let mut texts = Vec::new();
    for _ in 0..BEFORE + RUNS {
        let ours = sides.ours(umbrella, cache)?;
        times.push(ours.cpu);
        texts.push(ours.stdout);
    }
    texts.dedup();
    if texts.len() > 1 {
        return Err(format!("{}: examined again: {texts:?}", umbrella.display()));
    }
    Ok(median(times.split_off(BEFORE)))
}

fn base(charts: &Path) -> Result<PathBuf, String> {
    let entries = fs::read_dir(charts).map_err(|e| format!("{}: {e}", charts.display()))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let version = name.strip_prefix(BASE).and_then(|rest| rest.strip_prefix('-'));
            version.is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit()))
        })
        .collect();
    found.sort();
    found.pop().ok_or_else(|| format!("{}: no chart {BASE}", charts.display()))
}

/// Every subchart is a copy of the base under a name of its own.
fn build(umbrella: &Path, base: &Path, count: usize) -> std::io::Result<()> {
    fs::create_dir_all(umbrella.join("templates"))?;
    fs::write(umbrella.join("templates/a.yaml"), "kind: ConfigMap\nmetadata: {name: a}\n")?;
    fs::write(umbrella.join("values.yaml"), "{}\n")?;
    let mut chart = String::from("apiVersion: v2\nname: umbrella\nversion: 1.0.0\ndependencies:\n");
    for number in 0..count {
        let name = format!("db{number}");
        let folder = umbrella.join("charts").join(&name);
        fs::create_dir_all(&folder)?;
        let status = Command::new("tar")
            .args(["--strip-components=1", "-xzf"])
            .arg(base)
            .arg("-C")
            .arg(&folder)
            .status()?;
        if !status.success() {
            return Err(std::io::Error::other("tar failed"));
        }
        let metadata = fs::read_to_string(folder.join("Chart.yaml"))?;
        let renamed = metadata.replace(&format!("\nname: {BASE}\n"), &format!("\nname: {name}\n"));
        fs::write(folder.join("Chart.yaml"), renamed)?;
        let _ = writeln!(chart, "- {{name: {name}, version: '>0.0.0-0', repository: ''}}");
    }
    fs::write(umbrella.join("Chart.yaml"), chart)
}
