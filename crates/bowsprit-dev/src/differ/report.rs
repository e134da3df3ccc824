//! What runs found, for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::generate::AREAS;
use super::record::{Case, Counts, Run};

const HEAD: &str = "area          equal   different   unstable   gave up";

pub(super) fn line(run: &Run) -> String {
    let Counts { equal, different, unstable, gave_up } = run.counts;
    format!("{:<10}{equal:>9}   {different:>9}  {unstable:>9} {gave_up:>9}", run.area)
}

pub(super) fn table(runs: &[Run]) -> String {
    let lines: Vec<String> = runs.iter().map(line).collect();
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

Written by `bowsprit-dev differ --report fixtures/differ.md`, which adds up the runs that `--out` and
`--add` keep; see `crates/bowsprit-dev/README.md` for what the areas are and how answers are compared.
Differences that were found and mended are kept as vectors in `fixtures/vectors/helm/differ.jsonl`. The
counts are those of the commit that is named; an area whose code was mended since has a line for each.

| area | commit | seed: requests | compared | equal | different | unstable in Helm | given up |
|---|---|---|---|---|---|---|---|
";

const LEFT: &str = "
Differences that were found, cut down, and the commit that had them. Those that a later commit of the same
area has no more were mended, or known again as no property of the request, such as the length of a printed
address; COMPATIBILITY.md says why others stay.

";

/// The report of some runs: a line for each area and commit.
pub(super) fn markdown(runs: &[Run]) -> String {
    let mut text = REPORT.to_owned();
    let mut left = String::new();
    for area in AREAS {
        let mut commits: BTreeMap<&str, Vec<&Run>> = BTreeMap::new();
        for run in runs.iter().filter(|run| run.area == area.name) {
            commits.entry(&run.commit).or_default().push(run);
        }
        for (commit, mut runs) in commits {
            runs.sort_by_key(|run| (run.seed, run.first));
            let mut sum = Counts::default();
            runs.iter().for_each(|run| sum.add(run.counts));
            let _ = writeln!(
                text,
                "| {} | {commit} | {} | {} | {} | {} | {} | {} |",
                area.name,
                spans(&runs),
                sum.compared(),
                sum.equal,
                sum.different,
                sum.unstable,
                sum.gave_up
            );
            for case in runs.iter().flat_map(|run| &run.cases) {
                let _ = writeln!(left, "- {} at {commit}: `{}`", area.name, case.request);
            }
        }
    }
    if !left.is_empty() {
        text.push_str(LEFT);
        text.push_str(&left);
    }
    text
}

/// Which requests were made: `1: 0–500; 7: 0–20, 40–60`, runs that meet as one.
fn spans(runs: &[&Run]) -> String {
    let mut seeds: BTreeMap<u64, Vec<(u64, u64)>> = BTreeMap::new();
    for run in runs {
        let spans = seeds.entry(run.seed).or_default();
        match spans.last_mut() {
            Some((_, end)) if *end == run.first => *end = run.end,
            _ => spans.push((run.first, run.end)),
        }
    }
    let seeds = seeds.iter().map(|(seed, spans)| {
        let spans: Vec<String> = spans.iter().map(|(from, to)| format!("{from}–{to}")).collect();
        format!("{seed}: {}", spans.join(", "))
    });
    seeds.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::super::record;
    use super::*;
    use serde_json::json;

    #[test]
    fn runs_of_an_area_are_added_up() {
        let mut runs = vec![
            record::run("regex", 2, 0, 5),
            record::run("regex", 1, 10, 10),
            record::run("regex", 1, 0, 10),
            record::run("printf", 1, 0, 3),
        ];
        let text = markdown(&runs);
        let lines: Vec<&str> = text.lines().rev().take(2).collect();
        assert_eq!(
            lines,
            [
                "| regex | abc | 1: 0–20; 2: 0–5 | 25 | 25 | 0 | 0 | 0 |",
                "| printf | abc | 1: 0–3 | 3 | 3 | 0 | 0 | 0 |"
            ]
        );
        "def".clone_into(&mut runs[0].commit);
        runs[0].note(Case { request: json!({}), helm: json!(1), ours: json!(2), count: 1 });
        let text = markdown(&runs);
        assert_eq!(text.matches("| regex").count(), 2);
        assert!(text.ends_with("\n- regex at def: `{}`\n"), "{text}");
    }
}
