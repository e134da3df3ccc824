//! JUnit's XML, in the shape that Jenkins, GitLab and GitHub's reporters read.

use crate::escape::xml;
use crate::model::{Finding, Outcome, Report, Severity, Subject};
use std::fmt::Write;

pub(crate) fn print(report: &Report) -> String {
    let mut suites = String::new();
    let (mut tests, mut failures, mut skipped) = (0, 0, 0);
    for subject in &report.subjects {
        let suite = Suite::of(subject);
        tests += suite.tests;
        failures += suite.failures;
        skipped += suite.skipped;
        suites.push_str(&suite.print(&subject.name));
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"bowsprit {}\" \
         tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">\n\
         {suites}</testsuites>\n",
        xml(&report.command)
    )
}

/// A finding with its place, its rule and what helps.
fn said(finding: &Finding) -> String {
    let place = finding.location.as_ref().map(|l| format!("{l}: ")).unwrap_or_default();
    let help = finding.help.as_ref().map(|h| format!("\n{h}")).unwrap_or_default();
    format!("{place}{} [{}]{help}", finding.message, finding.rule)
}

#[derive(Default)]
struct Suite {
    tests: usize,
    failures: usize,
    skipped: usize,
    cases: String,
}

impl Suite {
    fn of(subject: &Subject) -> Suite {
        let mut suite = Suite::default();
        for check in &subject.checks {
            let found: Vec<&Finding> = subject
                .findings
                .iter()
                .filter(|f| f.check.as_deref() == Some(check.name.as_str()))
                .collect();
            suite.case(subject, &check.name, check.millis, check.outcome, &found);
        }
        for finding in &subject.findings {
            let listed = |name: &str| subject.checks.iter().any(|check| check.name == name);
            if finding.check.as_deref().is_some_and(listed) {
                continue;
            }
            let place = finding.location.as_ref().map(|l| format!(" {l}")).unwrap_or_default();
            let object = finding.object.as_ref().map(|o| format!(" {o}")).unwrap_or_default();
            let name = format!("{}{place}{object}", finding.rule);
            suite.case(subject, &name, None, Outcome::Failed, &[finding]);
        }
        // A suite without cases is an error to some readers.
        if suite.tests == 0 {
            suite.case(subject, &subject.name, None, Outcome::Passed, &[]);
        }
        suite
    }

    fn case(
        &mut self,
        subject: &Subject,
        name: &str,
        millis: Option<u64>,
        outcome: Outcome,
        findings: &[&Finding],
    ) {
        self.tests += 1;
        let time = millis.map_or(String::new(), |ms| format!(" time=\"{:.3}\"", ms as f64 / 1e3));
        let _ = write!(
            self.cases,
            "    <testcase name=\"{}\" classname=\"{}\"{time}",
            xml(name),
            xml(&subject.name)
        );
        // Where warnings alone fail a subject, they do so here.
        let is_error = |f: &Finding| f.severity == Severity::Error;
        let strict = subject.failed && !subject.findings.iter().any(is_error);
        let bad = |f: &&&Finding| is_error(f) || (strict && f.severity > Severity::Info);
        let failing = findings.iter().filter(bad).count();
        if outcome == Outcome::Failed && (failing > 0 || findings.is_empty()) {
            self.failures += 1;
            self.cases.push_str(">\n");
            for finding in findings.iter().filter(bad) {
                self.failure(finding);
            }
            if findings.is_empty() {
                self.cases.push_str("      <failure message=\"failed\"/>\n");
            }
            self.cases.push_str("    </testcase>\n");
        } else if outcome == Outcome::Skipped {
            self.skipped += 1;
            self.cases.push_str(">\n      <skipped/>\n    </testcase>\n");
        } else if !findings.is_empty() {
            let notes: Vec<String> = findings.iter().map(|finding| said(finding)).collect();
            let _ = writeln!(
                self.cases,
                ">\n      <system-out>{}</system-out>\n    </testcase>",
                xml(&notes.join("\n"))
            );
        } else {
            self.cases.push_str("/>\n");
        }
    }

    fn failure(&mut self, finding: &Finding) {
        let _ = writeln!(
            self.cases,
            "      <failure message=\"{}\" type=\"{}\">{}</failure>",
            xml(&finding.message),
            finding.severity,
            xml(&said(finding))
        );
    }

    fn print(&self, name: &str) -> String {
        format!(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" \
             skipped=\"{}\">\n{}  </testsuite>\n",
            xml(name),
            self.tests,
            self.failures,
            self.skipped,
            self.cases
        )
    }
}
