//! What a run found, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::compare::Verdict;
use super::generate::AREAS;

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

const REPORT: &str = "\
# Comparisons with Helm on inputs that nobody wrote

What `bowsprit-dev differ --report fixtures/differ.md` found in its last run of each area; see
`crates/bowsprit-dev/README.md` for what the areas are and how answers are compared. A run continues
where an earlier one of the same seed stopped: `requests` says which ones it made. Differences that were
found and mended are kept as vectors in `fixtures/vectors/helm/differ.jsonl`.

| area | seed | requests | compared | equal | different | unstable in Helm | given up |
|---|---|---|---|---|---|---|---|
";

const LEFT: &str = "\nDifferences that are left, cut down; COMPATIBILITY.md says why:\n\n";

/// The requests of a run.
pub(super) struct Span {
    pub(super) seed: u64,
    pub(super) first: u64,
    pub(super) end: u64,
}

/// The report with the rows of a run in place of older ones of the same areas.
pub(super) fn markdown(old: &str, rows: &[Row], span: &Span) -> String {
    let ran = |area: &str| rows.iter().any(|row| row.area == area);
    let of_area = |line: &str, start: &str| {
        let area = line.strip_prefix(start)?.split([' ', ':']).next()?;
        AREAS.iter().find(|known| known.name == area && !ran(area)).map(|known| known.name)
    };
    let mut lines: BTreeMap<&str, String> = BTreeMap::new();
    let mut left: Vec<String> = Vec::new();
    for line in old.lines() {
        if let Some(area) = of_area(line, "| ") {
            lines.insert(area, line.to_owned());
        } else if of_area(line, "- ").is_some() {
            left.push(line.to_owned());
        }
    }
    for row in rows {
        lines.insert(row.area, row.markdown(span));
        let cases = row.cases.iter();
        left.extend(cases.map(|case| format!("- {}: `{}`", row.area, case.request)));
    }
    left.sort();
    let ordered = AREAS.iter().filter_map(|area| lines.get(area.name));
    let lines: Vec<&str> = ordered.map(String::as_str).collect();
    let left = match left.as_slice() {
        [] => String::new(),
        left => format!("{LEFT}{}\n", left.join("\n")),
    };
    format!("{REPORT}{}\n{left}", lines.join("\n"))
}

impl Row {
    fn markdown(&self, span: &Span) -> String {
        let compared = self.equal + self.different + self.unstable;
        format!(
            "| {} | {} | {}–{} | {compared} | {} | {} | {} | {} |",
            self.area,
            span.seed,
            span.first,
            span.end,
            self.equal,
            self.different,
            self.unstable,
            self.gave_up
        )
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_other_areas_stay() {
        let span = |first, end| Span { seed: 1, first, end };
        let mut row = Row::new("regex");
        row.count(Verdict::Equal);
        let first = markdown("", &[row], &span(0, 1));
        let mut row = Row::new("printf");
        row.count(Verdict::GaveUp);
        let both = markdown(&first, &[row], &span(5, 6));
        let lines: Vec<&str> = both.lines().rev().take(2).collect();
        assert_eq!(
            lines,
            ["| regex | 1 | 0–1 | 1 | 1 | 0 | 0 | 0 |", "| printf | 1 | 5–6 | 0 | 0 | 0 | 0 | 1 |"]
        );
        assert_eq!(both.matches("| regex").count(), 1);

        let mut row = Row::new("regex");
        row.cases.push(Case { request: json!({}), helm: json!(1), ours: json!(2), count: 1 });
        let cases = markdown(&both, &[row], &span(0, 1));
        assert!(cases.ends_with("\n- regex: `{}`\n"), "{cases}");
        assert_eq!(
            markdown(&cases, &[Row::new("regex")], &span(0, 1)).matches("- regex").count(),
            0
        );
    }
}
