//! What was asked for on the command line.

use std::path::PathBuf;
use std::process::Command;

use super::generate::{AREAS, Area};

pub(super) struct Options {
    pub(super) oracle: PathBuf,
    pub(super) bowsprit: Option<PathBuf>,
    pub(super) areas: Vec<&'static Area>,
    pub(super) count: u64,
    pub(super) first: u64,
    pub(super) seed: u64,
    pub(super) cases: usize,
    pub(super) jobs: usize,
    /// No requests are made after so many minutes.
    pub(super) minutes: Option<u64>,
    pub(super) warnings: bool,
    /// What is measured, as the report names it.
    pub(super) commit: String,
    pub(super) out: Option<PathBuf>,
    /// Files that earlier runs wrote.
    pub(super) add: Vec<PathBuf>,
    pub(super) report: Option<PathBuf>,
}

pub(super) const USAGE: &str =
    "bowsprit-dev differ --oracle PATH [--bowsprit PATH] [--area AREA]... [--count N] [--first N]
                           [--seed N] [--cases N] [--jobs N] [--minutes N] [--warnings] [--commit NAME]
                           [--out RUNS.json] [--add RUNS.json]... [--report REPORT.md]";

impl Options {
    pub(super) fn parse(args: &[String]) -> Result<Options, String> {
        let mut options = Options {
            oracle: PathBuf::from("oracle"),
            bowsprit: None,
            areas: Vec::new(),
            count: 20_000,
            first: 0,
            seed: 1,
            cases: 20,
            jobs: 1,
            minutes: None,
            warnings: false,
            commit: String::new(),
            out: None,
            add: Vec::new(),
            report: None,
        };
        let mut args = args.iter();
        while let Some(flag) = args.next() {
            if flag == "--warnings" {
                options.warnings = true;
                continue;
            }
            let value = args.next().ok_or_else(|| format!("usage: {USAGE}"))?;
            options.set(flag, value)?;
        }
        if options.areas.is_empty() {
            options.areas = AREAS.iter().collect();
        }
        if options.commit.is_empty() {
            options.commit = checked_out().unwrap_or_else(|| "unknown".to_owned());
        }
        Ok(options)
    }

    fn set(&mut self, flag: &str, value: &str) -> Result<(), String> {
        let number = || value.parse::<u64>().map_err(|e| format!("{flag} {value}: {e}"));
        match flag {
            "--oracle" => self.oracle = PathBuf::from(value),
            "--bowsprit" => self.bowsprit = Some(PathBuf::from(value)),
            "--area" => self.areas.push(area(value)?),
            "--count" => self.count = number()?,
            "--first" => self.first = number()?,
            "--seed" => self.seed = number()?,
            "--cases" => self.cases = number()? as usize,
            "--jobs" => self.jobs = number()?.clamp(1, 256) as usize,
            "--minutes" => self.minutes = Some(number()?),
            "--commit" => value.clone_into(&mut self.commit),
            "--out" => self.out = Some(PathBuf::from(value)),
            "--add" => self.add.push(PathBuf::from(value)),
            "--report" => self.report = Some(PathBuf::from(value)),
            _ => return Err(format!("usage: {USAGE}")),
        }
        Ok(())
    }
}

fn area(name: &str) -> Result<&'static Area, String> {
    let names = || AREAS.iter().map(|area| area.name).collect::<Vec<_>>().join(", ");
    AREAS
        .iter()
        .find(|area| area.name == name)
        .ok_or_else(|| format!("no area `{name}`; there are {}", names()))
}

/// The commit of the folder that this runs in, marked if files differ from it.
fn checked_out() -> Option<String> {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=10"])
        .output()
        .ok()?;
    let name = String::from_utf8(output.stdout).ok()?;
    (output.status.success()).then(|| name.trim().to_owned())
}
