//! What a run found, for people and for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use super::compare::Verdict;

/// A difference, cut down.
pub(super) struct Case {
    pub(super) request: Value,
    pub(super) helm: Value,
    pub(super) ours: Value,
    /// How many differences came down to this one.
    pub(super) count: usize,
}

/// What one area gave.
pub(super) struct Row {
    area: &'static str,
    equal: u64,
    different: u64,
    /// Helm itself answers now so, now so.
    unstable: u64,
    gave_up: u64,
    pub(super) cases: Vec<Case>,
}

impl Row {
    pub(super) fn new(area: &'static str) -> Row {
        Row { area, equal: 0, different: 0, unstable: 0, gave_up: 0, cases: Vec::new() }
    }

    pub(super) fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Equal => self.equal += 1,
            Verdict::Different => self.different += 1,
            Verdict::GaveUp => self.gave_up += 1,
        }
    }

    pub(super) fn is_unstable(&mut self) {
        self.different -= 1;
        self.unstable += 1;
    }
}

const HEAD: &str = "area          equal   different   unstable   gave up";

pub(super) fn line(row: &Row) -> String {
    format!(
        "{:<10}{:>9}   {:>9}  {:>9} {:>9}",
        row.area, row.equal, row.different, row.unstable, row.gave_up
    )
}

pub(super) fn table(rows: &[Row]) -> String {
    let lines: Vec<String> = rows.iter().map(line).collect();
    format!("{HEAD}\n{}", lines.join("\n"))
}

pub(super) fn show(case: &Case) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "  {} x {}", case.count, case.request);
    let _ = writeln!(text, "    helm {}", case.helm);
    let _ = write!(text, "    ours {}", case.ours);
    text
}

pub(super) fn json(rows: &[Row], seed: u64) -> Value {
    let areas: Vec<Value> = rows
        .iter()
        .map(|row| {
            let cases: Vec<Value> = row
                .cases
                .iter()
                .map(|c| json!({"count": c.count, "request": c.request, "helm": c.helm, "bowsprit": c.ours}))
                .collect();
            json!({
                "area": row.area,
                "comparisons": row.equal + row.different + row.unstable + row.gave_up,
                "equal": row.equal,
                "different": row.different,
                "unstable": row.unstable,
                "gaveUp": row.gave_up,
                "cases": cases,
            })
        })
        .collect();
    json!({"seed": seed, "areas": areas})
}
