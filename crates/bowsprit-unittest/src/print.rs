//! What people read while suites run.

use crate::result::{SuiteResult, TestResult};
use crate::snapshot::SnapshotCounts;
use std::fmt::Write;
use std::time::Duration;

/// Prints results as helm-unittest does, with colours or without.
#[derive(Clone, Copy, Debug, Default)]
pub struct Printer {
    /// Whether to use the terminal's colours.
    pub colored: bool,
}

/// How many there were, and how they ended.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    passed: usize,
    failed: usize,
    errored: usize,
    skipped: usize,
}

/// The sum of everything.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    charts: Counts,
    suites: Counts,
    tests: Counts,
    snapshots: SnapshotCounts,
    /// Suites with snapshots that failed.
    snapshot_suites: usize,
}

impl Printer {
    fn style(self, codes: &str, text: &str) -> String {
        if self.colored { format!("\x1b[{codes}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn danger(self, text: &str) -> String {
        self.style("31", text)
    }

    fn bold(self, text: &str) -> String {
        self.style("1", text)
    }

    fn faint(self, text: &str) -> String {
        self.style("2", text)
    }

    /// What stands before a chart's suites.
    pub fn chart(self, name: &str, path: &str) -> String {
        format!("\n### Chart [ {} ] {}\n\n", self.bold(name), self.faint(path))
    }

    /// A chart that has none because it can't be used.
    pub fn chart_error(self, error: &str) -> String {
        format!("\n### {} {error}\n\n", self.danger("Error: "))
    }

    /// A suite, and what is wrong in it.
    pub fn suite(self, result: &SuiteResult) -> String {
        let label = if result.skipped {
            self.style("43;30", " SKIP ")
        } else if result.passed {
            self.style("42;30", " PASS ")
        } else {
            self.style("41;37", " FAIL ")
        };
        let file = match result.file.rsplit_once('/') {
            _ if result.file.is_empty() => String::new(),
            Some((dir, base)) => format!("{}{base}", self.faint(&format!("{dir}/"))),
            None => format!("{}{}", self.faint("./"), result.file),
        };
        let mut out = format!("{label} {}\t{file}\n", self.bold(&result.name));
        if let Some(error) = &result.error {
            let _ = writeln!(out, "\t{}", self.bold("- Execution Error: "));
            let _ = writeln!(out, "\t\t{error}\n");
            return out;
        }
        result.tests.iter().for_each(|test| self.test(test, &mut out));
        out
    }

    fn test(self, test: &TestResult, out: &mut String) {
        if test.passed {
            return;
        }
        if test.skipped {
            let label = self.style("43;30", "SKIPPED");
            let name = self.style("33", &format!(" '{}'", test.name));
            let _ = writeln!(out, "\t{}{label}{name}", self.bold("- "));
            return;
        }
        if let Some(error) = &test.error {
            let _ = writeln!(out, "\t{}", self.bold(&format!("- {}", test.name)));
            let _ = writeln!(out, "\t\t{}", self.bold(&format!("Error: {error}\n")));
            return;
        }
        let _ = writeln!(out, "\t{}", self.danger(&format!("- {}\n", test.name)));
        for assert in test.asserts.iter().filter(|assert| !assert.passed) {
            let _ = writeln!(out, "\t\t{}", self.danger(&assert.title()));
            for line in &assert.lines {
                let _ = writeln!(out, "\t\t\t{line}");
            }
            out.push('\n');
        }
    }

    /// The last lines.
    pub fn summary(self, summary: &Summary, elapsed: Duration) -> String {
        let mut out = String::new();
        if summary.snapshots.failed > 0 {
            let failed = format!("{} snapshot failed", summary.snapshots.failed);
            let hint = " Check changes and use `-u` to update snapshot.";
            let _ = writeln!(
                out,
                "\nSnapshot Summary: {} in {} test suite.{}",
                self.danger(&failed),
                summary.snapshot_suites,
                self.faint(hint)
            );
        }
        let snapshots = Counts {
            passed: summary.snapshots.total - summary.snapshots.failed,
            failed: summary.snapshots.failed,
            ..Counts::default()
        };
        let _ = writeln!(
            out,
            "\nCharts:      {}\nTest Suites: {}\nTests:       {}\nSnapshot:    {}\nTime:        {}\n",
            self.counts(summary.charts),
            self.counts(summary.suites),
            self.counts(summary.tests),
            self.counts(snapshots),
            go_duration(elapsed)
        );
        out
    }

    fn counts(self, counts: Counts) -> String {
        let mut out = String::new();
        if counts.failed > 0 {
            out.push_str(&self.danger(&format!("{} failed, ", counts.failed)));
        }
        if counts.errored > 0 {
            let _ = write!(out, "{} errored, ", counts.errored);
        }
        let _ = write!(out, "{} passed, ", counts.passed);
        if counts.skipped > 0 {
            let _ = write!(out, "{} skipped, ", counts.skipped);
        }
        let total = counts.passed + counts.failed + counts.skipped;
        let _ = write!(out, "{total} total");
        out
    }
}

impl Counts {
    fn count(&mut self, passed: bool, skipped: bool, errored: bool) {
        if skipped {
            self.skipped += 1;
        } else if passed {
            self.passed += 1;
        } else {
            self.failed += 1;
            self.errored += usize::from(errored);
        }
    }
}

impl Summary {
    /// Counts a chart.
    pub fn chart(&mut self, passed: bool, errored: bool) {
        self.charts.count(passed, false, errored);
    }

    /// Counts a suite with its tests and snapshots.
    pub fn suite(&mut self, result: &SuiteResult) {
        self.suites.count(result.passed, result.skipped, result.error.is_some());
        if !result.passed && !result.skipped && result.snapshots.failed > 0 {
            self.snapshot_suites += 1;
        }
        self.snapshots.total += result.snapshots.total;
        self.snapshots.failed += result.snapshots.failed;
        self.snapshots.created += result.snapshots.created;
        self.snapshots.vanished += result.snapshots.vanished;
        for test in &result.tests {
            self.tests.count(test.passed, test.skipped && !test.passed, test.error.is_some());
        }
    }
}

/// A duration as Go prints it.
fn go_duration(elapsed: Duration) -> String {
    let trimmed = |number: f64, digits: usize| {
        let text = format!("{number:.digits$}");
        match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        }
    };
    let nanos = elapsed.as_nanos();
    let seconds = elapsed.as_secs_f64();
    match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => format!("{}µs", trimmed(nanos as f64 / 1e3, 3)),
        1_000_000..1_000_000_000 => format!("{}ms", trimmed(nanos as f64 / 1e6, 6)),
        _ if seconds < 60.0 => format!("{}s", trimmed(seconds, 9)),
        _ => {
            let minutes = elapsed.as_secs() / 60;
            let rest = trimmed(seconds - (minutes * 60) as f64, 9);
            match minutes / 60 {
                0 => format!("{minutes}m{rest}s"),
                hours => format!("{hours}h{}m{rest}s", minutes % 60),
            }
        }
    }
}
