//! What each format prints of one report.

use bowsprit_report::{Check, Finding, Format, Location, Outcome, Report, Rule, Severity, Subject};
use serde_json::{Value, json};

fn report() -> Report {
    let mut chart = Subject::new("charts/web");
    chart.failed = true;
    chart.checks.push(Check { name: "renders".into(), outcome: Outcome::Passed, millis: Some(12) });
    chart.checks.push(Check { name: "schema".into(), outcome: Outcome::Failed, millis: None });
    chart.checks.push(Check { name: "hooks".into(), outcome: Outcome::Skipped, millis: None });
    chart.findings.push(
        Finding::new("BS001", Severity::Warning, "no template reads \"a<b>\"")
            .at(Location::line("charts/web/values.yaml", 3).column(5).end(3, 9))
            .help("did you mean a.b?\nor c?"),
    );
    chart.findings.push(
        Finding::new("K8S002", Severity::Error, "100% wrong, really: yes")
            .about("Deployment/web")
            .of_check("schema"),
    );
    chart.findings.push(Finding::new("BS005", Severity::Info, "a note").at(Location::file("x y")));
    let mut report = Report::new("lint", "0.1.0");
    report.rules.push(Rule {
        code: "BS001",
        name: "unused-value",
        summary: "every value is read",
        severity: Severity::Warning,
    });
    report.subjects.push(chart);
    report.subjects.push(Subject::new("charts/empty"));
    report
}

fn json_of(format: Format) -> Value {
    serde_json::from_str(&format.print(&report())).expect("JSON")
}

#[test]
fn text() {
    assert_eq!(
        Format::Text.print(&report()),
        "charts/web/values.yaml:3:5: warning: no template reads \"a<b>\" [BS001]\n\
         \x20 help: did you mean a.b?\n        or c?\n\
         charts/web: error: Deployment/web: 100% wrong, really: yes [K8S002]\n\
         x y: info: a note [BS005]\n\
         2 checked, 1 failed: 1 error, 1 warning, 1 note\n"
    );
}

#[test]
fn json() {
    let report = json_of(Format::Json);
    assert_eq!(report["schemaVersion"], 1);
    assert_eq!(report["totals"]["errors"], 1);
    let finding = &report["subjects"][0]["findings"][0];
    let want = json!({"file": "charts/web/values.yaml", "line": 3, "column": 5, "endLine": 3, "endColumn": 9});
    assert_eq!(finding["location"], want);
    assert_eq!(report["subjects"][0]["findings"][1]["check"], "schema");
    assert!(serde_json::from_str::<Value>(bowsprit_report::JSON_SCHEMA).is_ok());
}

#[test]
fn junit() {
    let text = Format::JUnit.print(&report());
    for piece in [
        "<testsuites name=\"bowsprit lint\" tests=\"6\" failures=\"1\" errors=\"0\" skipped=\"1\">",
        "<testcase name=\"renders\" classname=\"charts/web\" time=\"0.012\"/>",
        "<system-out>charts/web/values.yaml:3:5: no template reads &quot;a&lt;b&gt;&quot; [BS001]",
        "<testcase name=\"schema\" classname=\"charts/web\">\n      <failure message=\"100% wrong",
        "<testcase name=\"hooks\" classname=\"charts/web\">\n      <skipped/>",
        "<system-out>x y: a note [BS005]</system-out>",
        "<testcase name=\"charts/empty\" classname=\"charts/empty\"/>",
    ] {
        assert!(text.contains(piece), "{piece}\n{text}");
    }
}

#[test]
fn junit_fails_warnings_where_they_fail_the_subject() {
    let mut report = report();
    let chart = &mut report.subjects[0];
    chart.findings.retain(|finding| finding.severity != Severity::Error);
    let strict = Format::JUnit.print(&report);
    assert!(strict.contains(
        "<failure message=\"no template reads &quot;a&lt;b&gt;&quot;\" type=\"warning\">"
    ));
    report.subjects[0].failed = false;
    assert!(
        !Format::JUnit.print(&report).contains("no template reads &quot;a&lt;b&gt;&quot;\" type")
    );
}

#[test]
fn sarif() {
    let sarif = json_of(Format::Sarif);
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "BS001");
    let results = run["results"].as_array().expect("results");
    assert_eq!(results.len(), 3);
    assert_eq!(results[0]["ruleIndex"], 0);
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["region"]["startColumn"], 5);
    assert_eq!(
        results[1]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "charts/web"
    );
    assert_eq!(results[2]["level"], "note");
    assert_eq!(results[2]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "x%20y");
}

#[test]
fn github() {
    let text = Format::GitHub.print(&report());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "::warning file=charts/web/values.yaml,line=3,col=5,endLine=3,endColumn=9,title=BS001::\
         no template reads \"a<b>\"%0Adid you mean a.b?%0Aor c?"
    );
    assert_eq!(
        lines[1],
        "::error title=K8S002::charts/web: Deployment/web: 100%25 wrong, really: yes"
    );
    assert_eq!(lines[2], "::notice file=x y,title=BS005::a note");
}

#[test]
fn gitlab() {
    let issues = json_of(Format::GitLab);
    assert_eq!(issues[0]["severity"], "minor");
    assert_eq!(
        issues[0]["location"],
        json!({"path": "charts/web/values.yaml", "lines": {"begin": 3}})
    );
    assert_eq!(issues[1]["location"]["path"], "charts/web");
    let prints: Vec<&str> = (0..3).filter_map(|i| issues[i]["fingerprint"].as_str()).collect();
    assert!(prints.len() == 3 && prints[0] != prints[1] && prints[0].len() == 32);
}

#[test]
fn names_and_formats_agree() {
    for name in Format::NAMES {
        assert!(Format::from_name(name).is_some(), "{name}");
    }
}
