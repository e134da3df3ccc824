//! The report and its parts.

use std::fmt;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; never fails.
    Info,
    /// Works, but is not as it should be. Fails where the user asks for strictness.
    Warning,
    /// Does not work.
    Error,
}

impl Severity {
    /// `info`, `warning` or `error`.
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A place in a file. Lines and columns begin with 1; columns count characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// The file, relative to where the command was run, with `/` between its parts.
    pub file: String,
    /// The line; none for the file as a whole.
    pub line: Option<u32>,
    /// The column.
    pub column: Option<u32>,
    /// The last line of what is meant.
    pub end_line: Option<u32>,
    /// The column behind what is meant.
    pub end_column: Option<u32>,
}

impl Location {
    /// A whole file.
    pub fn file(file: impl Into<String>) -> Location {
        Location { file: file.into(), ..Location::default() }
    }

    /// A line of a file.
    pub fn line(file: impl Into<String>, line: u32) -> Location {
        Location { line: Some(line), ..Location::file(file) }
    }

    /// The same from a column on.
    #[must_use]
    pub fn column(mut self, column: u32) -> Location {
        self.column = Some(column);
        self
    }

    /// The same up to a place.
    #[must_use]
    pub fn end(mut self, line: u32, column: u32) -> Location {
        self.end_line = Some(line);
        self.end_column = Some(column);
        self
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        Ok(())
    }
}

/// Something that a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule's code, such as `BS001`.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// What was found: lower case, no final period.
    pub message: String,
    /// Where.
    pub location: Option<Location>,
    /// The object it is about, such as `Deployment/web` or `Service/prod/web`.
    pub object: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// The [`Check::name`] that failed, where the finding belongs to one.
    pub check: Option<String>,
}

impl Finding {
    /// The object, unless the message begins with it, and the message.
    pub(crate) fn sentence(&self) -> String {
        match &self.object {
            Some(object) if !self.message.starts_with(object.as_str()) => {
                format!("{object}: {}", self.message)
            }
            _ => self.message.clone(),
        }
    }

    /// A finding without a place.
    pub fn new(rule: impl Into<String>, severity: Severity, message: impl Into<String>) -> Finding {
        Finding {
            rule: rule.into(),
            severity,
            message: message.into(),
            location: None,
            object: None,
            help: None,
            check: None,
        }
    }

    /// The same at a place.
    #[must_use]
    pub fn at(mut self, location: Location) -> Finding {
        self.location = Some(location);
        self
    }

    /// The same about an object.
    #[must_use]
    pub fn about(mut self, object: impl Into<String>) -> Finding {
        self.object = Some(object.into());
        self
    }

    /// The same with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Finding {
        self.help = Some(help.into());
        self
    }

    /// The same as part of a check.
    #[must_use]
    pub fn of_check(mut self, check: impl Into<String>) -> Finding {
        self.check = Some(check.into());
        self
    }
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was found.
    Passed,
    /// Something was found; the findings of the same name say what.
    Failed,
    /// It was not made.
    Skipped,
}

/// A check that was made, such as a rule, an object that was validated, or a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The name, unique within the subject.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What it took, in milliseconds.
    pub millis: Option<u64>,
}

/// What was checked: a chart, a release, a suite of tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subject {
    /// What it is called: the path that the user gave, usually.
    pub name: String,
    /// The checks that were made. Those that only fail need not be listed.
    pub checks: Vec<Check>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// Whether the subject fails as a whole, by the caller's judgement.
    pub failed: bool,
}

impl Subject {
    /// A subject without findings.
    pub fn new(name: impl Into<String>) -> Subject {
        Subject { name: name.into(), ..Subject::default() }
    }
}

/// A rule that findings refer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The code.
    pub code: &'static str,
    /// A name in kebab case.
    pub name: &'static str,
    /// One sentence: what the rule wants.
    pub summary: &'static str,
    /// How bad its findings are unless they say otherwise.
    pub severity: Severity,
}

/// What a command found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The command, such as `lint`.
    pub command: String,
    /// The version of the program.
    pub version: String,
    /// The rules that were applied.
    pub rules: Vec<Rule>,
    /// What was checked.
    pub subjects: Vec<Subject>,
}

/// How many findings there are of each severity, and how many subjects failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Totals {
    pub subjects: usize,
    pub failed: usize,
    pub checks: usize,
    pub errors: usize,
    pub warnings: usize,
    pub infos: usize,
}

impl Report {
    /// An empty report.
    pub fn new(command: impl Into<String>, version: impl Into<String>) -> Report {
        Report {
            command: command.into(),
            version: version.into(),
            rules: Vec::new(),
            subjects: Vec::new(),
        }
    }

    /// All findings with their subjects, in order.
    pub fn findings(&self) -> impl Iterator<Item = (&Subject, &Finding)> {
        self.subjects.iter().flat_map(|s| s.findings.iter().map(move |f| (s, f)))
    }

    /// Whether a subject failed.
    pub fn failed(&self) -> bool {
        self.subjects.iter().any(|subject| subject.failed)
    }

    /// The counts.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals { subjects: self.subjects.len(), ..Totals::default() };
        for subject in &self.subjects {
            totals.failed += usize::from(subject.failed);
            totals.checks += subject.checks.len();
        }
        for (_, finding) in self.findings() {
            match finding.severity {
                Severity::Error => totals.errors += 1,
                Severity::Warning => totals.warnings += 1,
                Severity::Info => totals.infos += 1,
            }
        }
        totals
    }
}
