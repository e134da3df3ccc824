//! How tests ended.

use crate::snapshot::SnapshotCounts;

/// How a suite ended.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SuiteResult {
    /// What the suite is called.
    pub name: String,
    /// Its file.
    pub file: String,
    /// Whether all its tests passed.
    pub passed: bool,
    /// Whether all were skipped.
    pub skipped: bool,
    /// Whether the first failure ended it.
    pub failed_fast: bool,
    /// Why it could not run.
    pub error: Option<String>,
    /// Its tests, those left out that a failure before them kept from running.
    pub tests: Vec<TestResult>,
    /// Its snapshots.
    pub snapshots: SnapshotCounts,
}

/// How a test ended.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TestResult {
    /// What it is called.
    pub name: String,
    /// The line of the suite's file on which it begins.
    pub line: Option<u32>,
    /// Whether all that it says is so.
    pub passed: bool,
    /// Whether it was not run, or said nothing.
    pub skipped: bool,
    /// Why it could not run, or the chart not be rendered.
    pub error: Option<String>,
    /// Its assertions, up to the first failure if that ends it.
    pub asserts: Vec<AssertResult>,
    /// What it took, in nanoseconds.
    pub nanos: u64,
}

/// How an assertion ended.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AssertResult {
    /// Its number in the test, from 0.
    pub index: usize,
    /// The line of the suite's file on which it begins.
    pub line: Option<u32>,
    /// The name of its type.
    pub name: &'static str,
    /// Whether it says `not: true`.
    pub not: bool,
    /// Whether it is so.
    pub passed: bool,
    /// Why it was not asked.
    pub skip_reason: Option<&'static str>,
    /// What is wrong.
    pub lines: Vec<String>,
}

impl SuiteResult {
    /// A suite that could not run.
    pub fn failed(file: impl Into<String>, error: impl Into<String>) -> SuiteResult {
        SuiteResult { file: file.into(), error: Some(error.into()), ..SuiteResult::default() }
    }

    /// What all its tests took, in nanoseconds.
    pub fn nanos(&self) -> u64 {
        self.tests.iter().map(|test| test.nanos).sum()
    }
}

impl AssertResult {
    /// `- asserts[0] NOT `equal` fail`.
    pub fn title(&self) -> String {
        let not = if self.not { " NOT" } else { "" };
        format!("- asserts[{}]{not} `{}` fail", self.index, self.name)
    }
}

impl TestResult {
    /// All that is to be said, as reports have it.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if self.skipped {
            text.push_str(&format!("SKIPPED '{}' \n", self.name));
        }
        if let Some(error) = &self.error {
            text.push_str(&format!("{error}\n"));
        }
        for assert in &self.asserts {
            text.push_str(&format!("\t\t {} \n", assert.title()));
            match assert.skip_reason {
                Some(reason) => text.push_str(&format!("\t\t\t {reason} \n")),
                None => assert.lines.iter().for_each(|l| text.push_str(&format!("\t\t\t {l} \n"))),
            }
        }
        text
    }
}
