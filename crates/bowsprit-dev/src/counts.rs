//! What the stages of a render take in instructions and allocations, held in a file.
//!
//! Counts repeat from run to run where times don't, so a change that makes a stage dearer shows on any
//! machine. `benches/counts.rs` runs the stages under callgrind; calls of the allocator are counted from
//! the same profile.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bowsprit_testkit::repository;

use crate::TaskResult;

const USAGE: &str = "usage: bowsprit-dev counts [--write] [--charts FOLDER]";
const HELD: &str = "benches/counts.tsv";
const HEAD: &str = "\
# Instructions and allocations of each stage on each chart, by `bowsprit-dev counts`.
# CI fails where one has grown by more than 3%: mend it, or say why and run `bowsprit-dev counts --write`.
# chart\tstage\tinstructions\tallocations
";

/// What may be more before it counts as growth.
const SLACK: f64 = 1.03;
/// Fewer instructions, and fewer allocations, vary by more than that.
const SMALL: (u64, u64) = (200_000, 100);

/// Lets the C library copy in one way on all processors, whose caches and string instructions differ.
const TUNABLES: &str =
    "glibc.cpu.hwcaps=-ERMS,-FSRM:glibc.cpu.x86_non_temporal_threshold=0x4000000";

/// Charts of the repository.
const FIXTURES: &[&str] = &["hmco-platform", "subcharts", "cache-0.2.0.tgz"];
/// Charts of the shared corpus, which lies beside the checkout.
const CORPUS: &[&str] =
    &["podinfo-6.14.1.tgz", "postgresql-17.1.0.tgz", "kube-prometheus-stack-88.5.3.tgz"];
/// Kinds of `gen_charts.py`, small.
const FAMILIES: &[(&str, u32, u32)] = &[
    ("aliases", 20, 1),
    ("append_loop", 1000, 1),
    ("big_values", 4, 1000),
    ("concat_loop", 1000, 1),
    ("deep_values", 10, 200),
    ("files_get", 200, 1),
    ("files_glob", 50, 20),
    ("from_yaml", 500, 10),
    ("globals", 10, 500),
    ("import_values", 10, 50),
    ("include_count", 2000, 1),
    ("include_depth", 50, 20),
    ("many_docs", 500, 1),
    ("many_templates", 250, 1),
    ("merge_loop", 500, 10),
    ("nested", 20, 1),
    ("range_list", 1000, 1),
    ("regex_loop", 1000, 1),
    ("schema", 5, 100),
    ("to_yaml", 500, 10),
    ("tpl_defines", 200, 200),
    ("tpl_grid", 20, 10),
    ("tpl_umbrella", 10, 10),
    ("umbrella", 10, 1),
];

type Counts = BTreeMap<(String, String), Count>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Count {
    instructions: u64,
    allocations: u64,
}

pub(crate) fn run(args: &[String]) -> TaskResult {
    let mut write = false;
    let mut folder = None;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--write" => write = true,
            "--charts" => folder = Some(PathBuf::from(args.next().ok_or(USAGE)?)),
            _ => return Err(format!("{arg}: unknown\n{USAGE}")),
        }
    }
    let root = repository();
    let home = std::env::temp_dir().join(format!("bowsprit-counts-{}", std::process::id()));
    fs::create_dir_all(&home).map_err(|e| format!("{}: {e}", home.display()))?;
    let found = count(&root, &home, folder);
    // A folder that cannot be removed costs nobody anything.
    let _ = fs::remove_dir_all(&home);
    let (found, missing) = found?;
    let path = root.join(HELD);
    let held = fs::read_to_string(&path).unwrap_or_default();
    let mut held = parse(&held)?;
    if write {
        // What could not be counted here keeps its figures.
        held.retain(|(chart, _), _| missing.contains(chart));
        held.extend(found);
        fs::write(&path, text(&held)).map_err(|e| format!("{}: {e}", path.display()))?;
        return Ok(format!("{} counts written to {HELD}", held.len()));
    }
    compare(&held, &found)
}

/// Counts what is there; gives the charts that are not, too.
fn count(
    root: &Path,
    home: &Path,
    folder: Option<PathBuf>,
) -> Result<(Counts, Vec<String>), String> {
    let shared = std::env::var_os("SHARED").map_or(root.join("../shared"), PathBuf::from);
    let folder = folder.unwrap_or(shared.join("corpus/charts"));
    let (present, absent): (Vec<_>, Vec<_>) =
        CORPUS.iter().map(|name| folder.join(name)).partition(|path| path.exists());
    let mut charts: Vec<PathBuf> =
        FIXTURES.iter().map(|name| root.join("fixtures/charts").join(name)).collect();
    charts.extend(present);
    for path in &absent {
        eprintln!(
            "!!!! SKIPPED: {} is not there, so nothing was counted on it !!!!",
            path.display()
        );
    }
    let generate = root.join("tools/bench/gen_charts.py");
    for (kind, n, m) in FAMILIES {
        let chart = home.join(kind);
        let mut python = Command::new("python3");
        python.arg(&generate).arg(kind).arg(&chart);
        output(python.args(["-n", &n.to_string(), "-m", &m.to_string()]))?;
        charts.push(chart);
    }
    let program = build(root)?;
    let stages = profile(&program, home, &charts)?;
    let mut counts = Counts::new();
    for (number, stage) in stages.lines().enumerate() {
        let dump = home.join(format!("dump.{}", number + 1));
        let profile = fs::read_to_string(&dump).map_err(|e| format!("{}: {e}", dump.display()))?;
        let (chart, stage) = stage.rsplit_once(' ').ok_or("counts: no stage")?;
        counts.insert((chart.into(), stage.into()), read(&profile)?);
    }
    let name = |path: &PathBuf| path.file_name().map(|n| n.to_string_lossy().into_owned());
    Ok((counts, absent.iter().filter_map(name).collect()))
}

/// Builds the program that runs the stages, in the profile that keeps its functions' names.
fn build(root: &Path) -> Result<PathBuf, String> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root).args(["build", "--quiet", "--profile", "fast", "--locked"]);
    cargo.args(["--package", "bowsprit-benches", "--bench", "counts"]);
    // Incremental builds cut crates into other units, and inline otherwise.
    cargo.env("CARGO_INCREMENTAL", "0");
    let messages = output(cargo.arg("--message-format=json"))?;
    let mut program = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message["executable"].as_str()?))
    });
    program.next_back().ok_or_else(|| "cargo: no program".to_string())
}

fn profile(program: &Path, home: &Path, charts: &[PathBuf]) -> Result<String, String> {
    const STAGE: &str = "counts::counted_stage";
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--compress-strings=no", "--compress-pos=no"]);
    valgrind.arg(format!("--zero-before={STAGE}")).arg(format!("--dump-after={STAGE}"));
    valgrind.arg(format!("--callgrind-out-file={}", home.join("dump").display()));
    valgrind.env("GLIBC_TUNABLES", TUNABLES);
    output(valgrind.arg(program).args(charts))
}

fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|e| format!("{name}: {e}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Instructions of a chart's stages.
#[derive(Debug)]
pub(crate) struct Shares {
    pub(crate) chart: String,
    pub(crate) whole: f64,
    pub(crate) load: f64,
    pub(crate) compile: f64,
    pub(crate) values: f64,
    pub(crate) templates: f64,
    pub(crate) sort: f64,
    /// What is left of the whole.
    pub(crate) print: f64,
    /// Only copying the output.
    pub(crate) copy: f64,
}

/// The shares that the held counts give of the corpus' charts.
pub(crate) fn shares(root: &Path) -> Result<Vec<Shares>, String> {
    let held = parse(&fs::read_to_string(root.join(HELD)).unwrap_or_default())?;
    let of = |chart: &str, stage: &str| {
        let count = held.get(&(chart.to_string(), stage.to_string()))?;
        Some(count.instructions as f64)
    };
    let share = |chart: &&str| {
        let (whole, load, values) = (of(chart, "whole")?, of(chart, "load")?, of(chart, "values")?);
        // Compiling plans too; rendering knows the plan.
        let compile = (of(chart, "compile")? - values).max(0.0);
        let templates = of(chart, "render")?;
        let sort = of(chart, "sort")?;
        let print = (whole - load - compile - values - templates - sort).max(0.0);
        let copy = of(chart, "copy")?;
        let chart = (*chart).to_string();
        Some(Shares { chart, whole, load, compile, values, templates, sort, print, copy })
    };
    Ok(CORPUS.iter().filter_map(share).collect())
}

/// Reads callgrind's format: the instructions of a dump, and the calls of the allocator in it.
fn read(profile: &str) -> Result<Count, String> {
    const ALLOCATORS: &[&str] = &["malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc"];
    let mut instructions = None;
    let mut allocations = 0;
    let mut callee = "";
    for line in profile.lines() {
        if let Some(name) = line.strip_prefix("cfn=") {
            callee = name;
        } else if let Some(calls) = line.strip_prefix("calls=") {
            if ALLOCATORS.contains(&callee) {
                let calls = calls.split(' ').next().and_then(|calls| calls.parse::<u64>().ok());
                allocations += calls.unwrap_or(0);
            }
        } else if let Some(total) =
            line.strip_prefix("summary: ").or_else(|| line.strip_prefix("totals: "))
        {
            instructions = total.trim().parse().ok();
        }
    }
    let instructions = instructions.ok_or("callgrind: no totals")?;
    Ok(Count { instructions, allocations })
}

fn text(counts: &Counts) -> String {
    let mut text = HEAD.to_string();
    for ((chart, stage), count) in counts {
        let Count { instructions, allocations } = count;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{chart}\t{stage}\t{instructions}\t{allocations}");
    }
    text
}

fn parse(text: &str) -> Result<Counts, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let mut fields = line.split('\t');
            let mut next = || fields.next().ok_or(format!("{HELD}: {line}: too few fields"));
            let key = (next()?.to_string(), next()?.to_string());
            let mut number = || next()?.parse().map_err(|_| format!("{HELD}: {line}: no number"));
            Ok((key, Count { instructions: number()?, allocations: number()? }))
        })
        .collect()
}

fn grown(held: u64, found: u64, small: u64) -> bool {
    found > small && found as f64 > held as f64 * SLACK
}

fn compare(held: &Counts, found: &Counts) -> TaskResult {
    let mut complaints = Vec::new();
    let mut shrunk = 0;
    for ((chart, stage), count) in found {
        let Some(before) = held.get(&(chart.clone(), stage.clone())) else {
            complaints.push(format!("{chart} {stage}: not in {HELD}"));
            continue;
        };
        let figures = [
            ("instructions", before.instructions, count.instructions, SMALL.0),
            ("allocations", before.allocations, count.allocations, SMALL.1),
        ];
        for (what, before, now, small) in figures {
            if grown(before, now, small) {
                let percent = 100.0 * (now as f64 / before as f64 - 1.0);
                complaints
                    .push(format!("{chart} {stage}: {now} {what}, {before} held: +{percent:.1}%"));
            }
            shrunk += usize::from(grown(now, before, small));
        }
    }
    if !complaints.is_empty() {
        complaints.push("Mend it, or say why and run `bowsprit-dev counts --write`.".to_string());
        return Err(complaints.join("\n"));
    }
    let hint = if shrunk > 0 { format!("; {shrunk} shrank, so write them") } else { String::new() };
    Ok(format!("{} counts hold{hint}", found.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(instructions: u64, allocations: u64) -> Counts {
        let key = ("a".to_string(), "load".to_string());
        [(key, Count { instructions, allocations })].into()
    }

    #[test]
    fn a_profile_gives_instructions_and_allocations() {
        let profile = "events: Ir\nfn=f\n0 10\ncfn=malloc\ncalls=3 0\n0 30\ncfn=g\ncalls=5 0\n\
                       0 7\ncfn=calloc\ncalls=2 0\n0 3\nsummary: 50\ntotals: 50\n";
        assert_eq!(read(profile), Ok(Count { instructions: 50, allocations: 5 }));
        assert!(read("events: Ir\n").is_err());
    }

    #[test]
    fn more_than_three_percent_is_growth() {
        let held = counts(1_000_000, 100_000);
        assert_eq!(parse(&text(&held)), Ok(held.clone()));
        assert!(compare(&held, &counts(1_029_000, 100_000)).is_ok());
        assert!(compare(&held, &counts(1_031_000, 100_000)).is_err());
        assert!(compare(&held, &counts(1_000_000, 103_100)).is_err());
        assert!(compare(&held, &counts(900_000, 1)).is_ok_and(|text| text.contains("2 shrank")));
        assert!(compare(&counts(1_000, 10), &counts(200_000, 100)).is_ok());
        assert!(compare(&Counts::new(), &held).is_err());
        assert!(parse("a\tload\t1\n").is_err());
    }
}
