//! Results as the other checks report them.

use crate::result::{SuiteResult, TestResult};
use bowsprit_report::{Check, Finding, Location, Outcome, Report, Rule, Severity, Subject};

static RULES: [Rule; 2] = [
    Rule {
        code: "assertion",
        name: "failed-assertion",
        summary: "What a test asserts of rendered documents is so",
        severity: Severity::Error,
    },
    Rule {
        code: "error",
        name: "broken-test",
        summary: "A test and what it needs can be read and rendered",
        severity: Severity::Error,
    },
];

/// A report with one subject for each suite and a check for each test.
pub fn report<'s>(suites: impl IntoIterator<Item = &'s SuiteResult>, version: &str) -> Report {
    let mut report = Report::new("unittest", version);
    report.rules = RULES.to_vec();
    report.subjects.extend(suites.into_iter().map(subject));
    report
}

fn subject(suite: &SuiteResult) -> Subject {
    let mut subject = Subject::new(suite.file.clone());
    subject.failed = !suite.passed && !suite.skipped;
    if let Some(error) = &suite.error {
        let finding = Finding::new("error", Severity::Error, error.clone());
        subject.findings.push(finding.at(Location::file(suite.file.clone())));
    }
    for (number, test) in suite.tests.iter().enumerate() {
        let taken = suite.tests.iter().take(number).any(|other| other.name == test.name);
        let name = if taken || test.name.is_empty() {
            format!("{} #{number}", test.name).trim().to_owned()
        } else {
            test.name.clone()
        };
        subject.checks.push(Check {
            name: name.clone(),
            outcome: match (test.skipped, test.passed) {
                (true, _) => Outcome::Skipped,
                (_, true) => Outcome::Passed,
                _ => Outcome::Failed,
            },
            millis: Some(test.nanos / 1_000_000),
        });
        if !test.passed && !test.skipped {
            subject.findings.extend(findings(suite, test, &name));
        }
    }
    subject
}

fn findings(suite: &SuiteResult, test: &TestResult, name: &str) -> Vec<Finding> {
    let at = |line: Option<u32>| match line {
        Some(line) => Location::line(suite.file.clone(), line),
        None => Location::file(suite.file.clone()),
    };
    if let Some(error) = &test.error {
        let text = format!("{}: {error}", test.name);
        let finding = Finding::new("error", Severity::Error, text).at(at(test.line));
        return vec![finding.of_check(name)];
    }
    let failed = test.asserts.iter().filter(|assert| !assert.passed);
    failed
        .map(|assert| {
            let not = if assert.not { " NOT" } else { "" };
            let mut text = format!("{}:{not} {} failed", test.name, assert.name);
            for line in &assert.lines {
                text.push('\n');
                text.push_str(line);
            }
            let finding = Finding::new("assertion", Severity::Error, text);
            finding.at(at(assert.line.or(test.line))).of_check(name)
        })
        .collect()
}
