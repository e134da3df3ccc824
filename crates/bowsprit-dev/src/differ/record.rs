//! The runs that were made, kept in files so that many of them make one report.

use std::path::Path;

use serde_json::{Value, json};

use super::compare::Verdict;
use super::generate::AREAS;

/// A difference, cut down.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) request: Value,
    pub(super) helm: Value,
    pub(super) ours: Value,
    /// How many differences came down to this one.
    pub(super) count: u64,
}

/// What some requests gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) equal: u64,
    pub(super) different: u64,
    /// Helm itself answers now so, now so.
    pub(super) unstable: u64,
    pub(super) gave_up: u64,
}

impl Counts {
    pub(super) fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Equal => self.equal += 1,
            Verdict::Different => self.different += 1,
            Verdict::GaveUp => self.gave_up += 1,
        }
    }

    /// What counted as different turned out to be no property of the request.
    pub(super) fn is_unstable(&mut self) {
        self.different -= 1;
        self.unstable += 1;
    }

    pub(super) fn add(&mut self, other: Counts) {
        self.equal += other.equal;
        self.different += other.different;
        self.unstable += other.unstable;
        self.gave_up += other.gave_up;
    }

    pub(super) fn compared(&self) -> u64 {
        self.equal + self.different + self.unstable
    }
}

/// Requests of one area that were made in a row, and what they gave.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) area: &'static str,
    pub(super) commit: String,
    pub(super) seed: u64,
    pub(super) first: u64,
    pub(super) end: u64,
    pub(super) counts: Counts,
    pub(super) cases: Vec<Case>,
}

impl Run {
    /// Takes in what was found once more, or anew.
    pub(super) fn note(&mut self, case: Case) {
        match self.cases.iter_mut().find(|known| known.request == case.request) {
            Some(known) => known.count += case.count,
            None => self.cases.push(case),
        }
    }

    /// Whether both made a request in common.
    pub(super) fn overlaps(&self, other: &Run) -> bool {
        (self.area, self.seed, &self.commit) == (other.area, other.seed, &other.commit)
            && self.first < other.end
            && other.first < self.end
    }

    fn json(&self) -> Value {
        let cases: Vec<Value> = self
            .cases
            .iter()
            .map(|case| json!({"count": case.count, "request": case.request, "helm": case.helm, "bowsprit": case.ours}))
            .collect();
        json!({
            "area": self.area,
            "commit": self.commit,
            "seed": self.seed,
            "first": self.first,
            "end": self.end,
            "equal": self.counts.equal,
            "different": self.counts.different,
            "unstable": self.counts.unstable,
            "gaveUp": self.counts.gave_up,
            "cases": cases,
        })
    }

    fn from_json(value: &Value) -> Option<Run> {
        let name = value["area"].as_str()?;
        let number = |field: &str| value[field].as_u64();
        let cases = value["cases"].as_array()?.iter().map(|case| {
            Some(Case {
                request: case["request"].clone(),
                helm: case["helm"].clone(),
                ours: case["bowsprit"].clone(),
                count: case["count"].as_u64()?,
            })
        });
        Some(Run {
            area: AREAS.iter().find(|area| area.name == name)?.name,
            commit: value["commit"].as_str()?.to_owned(),
            seed: number("seed")?,
            first: number("first")?,
            end: number("end")?,
            counts: Counts {
                equal: number("equal")?,
                different: number("different")?,
                unstable: number("unstable")?,
                gave_up: number("gaveUp")?,
            },
            cases: cases.collect::<Option<_>>()?,
        })
    }
}

pub(super) fn save(path: &Path, runs: &[Run]) -> Result<(), String> {
    let runs: Vec<Value> = runs.iter().map(Run::json).collect();
    std::fs::write(path, format!("{:#}\n", json!({ "runs": runs })))
        .map_err(|e| format!("{}: {e}", path.display()))
}

pub(super) fn load(path: &Path) -> Result<Vec<Run>, String> {
    let wrong = |why: &str| format!("{}: {why}", path.display());
    let text = std::fs::read_to_string(path).map_err(|e| wrong(&e.to_string()))?;
    let value: Value = serde_json::from_str(&text).map_err(|e| wrong(&e.to_string()))?;
    let runs = value["runs"].as_array().map(Vec::as_slice).unwrap_or_default();
    runs.iter()
        .map(|run| Run::from_json(run).ok_or_else(|| wrong("not a run of this program")))
        .collect()
}

/// Refuses runs that made the same requests of the same build: they would count twice.
pub(super) fn distinct(runs: &[Run]) -> Result<(), String> {
    for (at, run) in runs.iter().enumerate() {
        if let Some(other) = runs[..at].iter().find(|other| other.overlaps(run)) {
            return Err(format!(
                "{}, seed {}: {}–{} and {}–{} overlap",
                run.area, run.seed, other.first, other.end, run.first, run.end
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
pub(super) fn run(area: &'static str, seed: u64, first: u64, equal: u64) -> Run {
    let counts = Counts { equal, ..Counts::default() };
    let end = first + equal;
    Run { area, commit: "abc".to_owned(), seed, first, end, counts, cases: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_comes_back() {
        let mut one = run("regex", 3, 5, 10);
        let case = Case { request: json!({"a": 1}), helm: json!("x"), ours: json!(null), count: 2 };
        one.note(case.clone());
        one.note(case);
        assert_eq!(one.cases.len(), 1);
        let again = Run::from_json(&one.json()).map(|run| run.json());
        assert_eq!(again, Some(one.json()));
        assert_eq!(one.cases[0].count, 4);
    }

    #[test]
    fn requests_count_once() {
        let runs = [run("regex", 1, 0, 10), run("regex", 1, 10, 10), run("regex", 2, 0, 10)];
        assert_eq!(distinct(&runs), Ok(()));
        let twice = [run("regex", 1, 0, 10), run("regex", 1, 9, 10)];
        assert_eq!(distinct(&twice), Err("regex, seed 1: 0–10 and 9–19 overlap".to_owned()));
    }
}
