//! The conformance report and the scores that are held.
//!
//! The shared checks write their results as JSON. From these, `--write` makes the committed report
//! and raises the committed scores; without it the results are compared with the scores.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use bowsprit_testkit::repository;
use serde_json::Value;

use crate::TaskResult;

/// Passed counts by check: `vectors/AREA` or `corpus`.
type Scores = BTreeMap<String, u64>;

#[derive(Default)]
struct Options {
    vectors: Option<PathBuf>,
    corpus: Option<PathBuf>,
    write: bool,
}

pub(crate) fn run(args: &[String]) -> TaskResult {
    let options = options(args)?;
    let vectors = options.vectors.as_ref().map(read_json).transpose()?;
    let corpus = options.corpus.as_ref().map(read_json).transpose()?;
    let got = scores(vectors.as_ref(), corpus.as_ref());
    if got.is_empty() {
        return Err("nothing to look at: give --vectors or --corpus".into());
    }
    let path = repository().join(".ci/scores");
    let held = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let held = parse_scores(&held)?;
    if !options.write {
        return compare(&held, &got);
    }
    let raised = raise(held, &got);
    write(&path, &scores_text(&raised))?;
    let report = report(vectors.as_ref(), corpus.as_ref());
    let report_path = repository().join("fixtures/conformance.md");
    write(&report_path, &report)?;
    Ok(format!("wrote {} and {}", path.display(), report_path.display()))
}

fn options(args: &[String]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--vectors" => options.vectors = args.next().map(PathBuf::from),
            "--corpus" => options.corpus = args.next().map(PathBuf::from),
            "--write" => options.write = true,
            other => return Err(format!("unknown argument {other}")),
        }
    }
    Ok(options)
}

fn read_json(path: &PathBuf) -> Result<Value, String> {
    let bytes = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_slice(&bytes).map_err(|e| format!("{}: {e}", path.display()))
}

fn write(path: &PathBuf, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}

fn scores(vectors: Option<&Value>, corpus: Option<&Value>) -> Scores {
    let mut scores = Scores::new();
    for (area, row) in areas(vectors) {
        scores.insert(format!("vectors/{area}"), number(&row["pass"]));
    }
    if let Some(corpus) = corpus {
        scores.insert("corpus".into(), number(&corpus["passed"]));
    }
    scores
}

fn areas(vectors: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    vectors.and_then(|v| v["areas"].as_object()).into_iter().flatten()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

fn parse_scores(text: &str) -> Result<Scores, String> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, score) = line.rsplit_once(' ').ok_or(line)?;
            Ok((name.to_string(), score.parse().map_err(|_| line)?))
        })
        .collect::<Result<Scores, &str>>()
        .map_err(|line| format!(".ci/scores: `{line}` is not NAME COUNT"))
}

fn scores_text(scores: &Scores) -> String {
    let mut text = String::from(
        "# How many cases of each shared check pass at least. Raised with\n\
         # `just conformance`, lowered only with a reason in the commit.\n",
    );
    for (name, score) in scores {
        let _ = writeln!(text, "{name} {score}");
    }
    text
}

fn raise(mut held: Scores, got: &Scores) -> Scores {
    for (name, &score) in got {
        let best = held.entry(name.clone()).or_insert(score);
        *best = score.max(*best);
    }
    held
}

/// A check that was not run today is not compared; one that was must have all its areas.
fn compare(held: &Scores, got: &Scores) -> TaskResult {
    let ran = |name: &str| {
        let check = name.split('/').next();
        got.keys().any(|other| other.split('/').next() == check)
    };
    let below: Vec<String> = held
        .iter()
        .filter(|(name, _)| ran(name))
        .map(|(name, &score)| (name, score, got.get(name).copied().unwrap_or(0)))
        .filter(|(_, score, now)| now < score)
        .map(|(name, score, now)| format!("{name}: {now} passed, {score} are held"))
        .collect();
    if below.is_empty() {
        Ok(format!("conformance: {} passed, no score lost", got.values().sum::<u64>()))
    } else {
        Err(format!("{}\nconformance: {} scores lost", below.join("\n"), below.len()))
    }
}

fn report(vectors: Option<&Value>, corpus: Option<&Value>) -> String {
    let mut text = String::from(
        "# Conformance\n\nHow much of the shared material renders as Helm 4.2.4 rendered it. \
         Written by `just conformance`, never by hand; it may only improve.\n",
    );
    if let Some(vectors) = vectors {
        report_vectors(vectors, &mut text);
    }
    if let Some(corpus) = corpus {
        report_corpus(corpus, &mut text);
    }
    text
}

fn report_vectors(vectors: &Value, text: &mut String) {
    let _ = write!(
        text,
        "\n## Vectors\n\n{} passed, {} failed.\n\n| area | vectors | passed | failed |\n|---|--:|--:|--:|\n",
        number(&vectors["passed"]),
        number(&vectors["failed"])
    );
    for (area, row) in areas(Some(vectors)) {
        let (all, passed) = (number(&row["n"]), number(&row["pass"]));
        let _ = writeln!(text, "| {area} | {all} | {passed} | {} |", all.saturating_sub(passed));
    }
    let failures = vectors["failures"].as_array().map_or(&[][..], Vec::as_slice);
    let mut by_verdict: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for failure in failures {
        let verdict = failure["verdict"].as_str().unwrap_or_default();
        by_verdict.entry(verdict).or_default().extend(failure["id"].as_str());
    }
    for (verdict, ids) in by_verdict {
        let _ = write!(text, "\n{verdict} ({}):\n\n", ids.len());
        for ids in ids.chunks(6) {
            let _ = writeln!(text, "    {}", ids.join(" "));
        }
    }
}

fn report_corpus(corpus: &Value, text: &mut String) {
    let _ = write!(
        text,
        "\n## Charts\n\n{} cases passed, {} failed. Of {} charts {} pass in every case.\n",
        number(&corpus["passed"]),
        number(&corpus["failed"]),
        number(&corpus["charts"]),
        number(&corpus["charts_wholly_passed"])
    );
    let results = corpus["results"].as_array().map_or(&[][..], Vec::as_slice);
    let failing: Vec<&Value> = results
        .iter()
        .filter(|result| result["result"] != "identical" && result["result"] != "error-match")
        .collect();
    if !failing.is_empty() {
        text.push_str("\n| case | result |\n|---|---|\n");
    }
    for result in failing {
        let field = |name: &str| result[name].as_str().unwrap_or_default();
        let _ = writeln!(text, "| {} | {} |", field("case"), field("result"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn result(passed: u64) -> Value {
        json!({"passed": passed, "failed": 1, "areas": {"a": {"n": 5, "pass": passed}},
               "failures": [{"id": "a-0001", "verdict": "wrong"}]})
    }

    #[test]
    fn a_lost_score_is_an_error() {
        let held = scores(Some(&result(4)), None);
        assert!(compare(&held, &held).is_ok());
        let got = scores(Some(&result(3)), None);
        let error = compare(&held, &got).unwrap_err();
        assert!(error.starts_with("vectors/a: 3 passed, 4 are held"), "{error}");
        assert!(compare(&held, &Scores::from([("corpus".into(), 1)])).is_ok());
        assert!(compare(&held, &Scores::from([("vectors/b".into(), 9)])).is_err());
    }

    #[test]
    fn scores_are_raised_never_lowered() {
        let held = scores(Some(&result(4)), None);
        assert_eq!(raise(held.clone(), &scores(Some(&result(3)), None)), held);
        assert_eq!(parse_scores(&scores_text(&held)).unwrap(), held);
        assert!(parse_scores("x").is_err());
    }

    #[test]
    fn the_report_names_what_fails() {
        let corpus = json!({"passed": 1, "failed": 1, "charts": 2, "charts_wholly_passed": 1,
            "results": [{"case": "x/default", "result": "different", "detail": ""},
                        {"case": "y/default", "result": "identical", "detail": ""}]});
        let text = report(Some(&result(4)), Some(&corpus));
        assert!(text.contains("| a | 5 | 4 | 1 |"), "{text}");
        assert!(text.contains("wrong (1):\n\n    a-0001\n"), "{text}");
        assert!(text.contains("| x/default | different |"), "{text}");
        assert!(!text.contains("y/default"), "{text}");
    }
}
