//! bowsprit's own rules: `BS001` and so on. None runs unless it is selected.

mod changelog;
mod hooks;
mod keys;
mod labels;
mod numbers;
mod random;
mod schema;
mod since;
mod unused;
mod yaml11;

pub use since::Since;
pub use unused::{Usage, ValueKey, unused_values, value_usage};

use crate::helm::Linter;
use crate::message::Message;
use bowsprit_chart::Chart;
use bowsprit_render::RenderedFiles;
use bowsprit_report::{Rule, Severity};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A text of values that the user gives, by the name of its file.
#[derive(Clone, Debug)]
pub struct ValuesText {
    /// The file's name.
    pub name: String,
    /// Its text.
    pub text: Vec<u8>,
}

/// bowsprit's own rules.
pub static RULES: &[Rule] = &[
    Rule {
        code: "BS001",
        name: "unused-value",
        summary: "every key of a values file is read by some template",
        severity: Severity::Warning,
    },
    Rule {
        code: "BS002",
        name: "undefined-value",
        summary: "every value that a template reads is defined in values.yaml",
        severity: Severity::Info,
    },
    Rule {
        code: "BS003",
        name: "exponent",
        summary: "no number of the values comes out as 1e+06",
        severity: Severity::Warning,
    },
    Rule {
        code: "BS004",
        name: "yaml11-word",
        summary: "words that YAML 1.1 takes for booleans, such as y and off, are quoted",
        severity: Severity::Warning,
    },
    Rule {
        code: "BS005",
        name: "not-repeatable",
        summary: "templates call no function whose result changes from run to run",
        severity: Severity::Warning,
    },
    Rule {
        code: "BS006",
        name: "missing-label",
        summary: "every object has the labels by which placement finds it",
        severity: Severity::Warning,
    },
    Rule {
        code: "BS007",
        name: "hook-runs-workload",
        summary: "no hook waits for a workload, which nothing runs in a WDS",
        severity: Severity::Warning,
    },
    Rule {
        code: "BS008",
        name: "version-not-raised",
        summary: "a chart that changed since a git reference has a higher version",
        severity: Severity::Error,
    },
    Rule {
        code: "BS009",
        name: "changelog",
        summary: "a CHANGELOG.md, or the annotation artifacthub.io/changes, speaks of the version",
        severity: Severity::Warning,
    },
    Rule {
        code: "BS010",
        name: "not-in-schema",
        summary: "every key of a values file is described by values.schema.json",
        severity: Severity::Warning,
    },
];

/// Which of bowsprit's own rules run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection(BTreeSet<&'static str>);

impl Selection {
    /// The rules that `select` names and `ignore` does not: codes, beginnings of codes, names, or
    /// `all`. With `ignore` alone, all others are selected.
    ///
    /// ```
    /// use bowsprit_lint::Selection;
    ///
    /// let selection = Selection::new(&["all"], &["BS00", "not-in-schema"])?;
    /// assert!(selection.is_empty());
    /// assert!(Selection::new(&["unused-value"], &[])?.has("BS001"));
    /// assert!(Selection::new(&["BS9"], &[]).is_err());
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// # Errors
    ///
    /// For what names no rule.
    pub fn new(select: &[&str], ignore: &[&str]) -> Result<Selection, String> {
        let mut codes = BTreeSet::new();
        if select.is_empty() && !ignore.is_empty() {
            codes.extend(RULES.iter().map(|rule| rule.code));
        }
        for name in select {
            codes.extend(named(name)?);
        }
        for name in ignore {
            for code in named(name)? {
                codes.remove(code);
            }
        }
        Ok(Selection(codes))
    }

    /// Whether a rule is selected.
    pub fn has(&self, code: &str) -> bool {
        self.0.contains(code)
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn named(name: &str) -> Result<Vec<&'static str>, String> {
    let matches = |rule: &&Rule| {
        name.eq_ignore_ascii_case("all")
            || rule.name.eq_ignore_ascii_case(name)
            || (name.len() >= 2 && rule.code.starts_with(&name.to_uppercase()))
    };
    let codes: Vec<&'static str> = RULES.iter().filter(matches).map(|rule| rule.code).collect();
    if codes.is_empty() {
        return Err(format!("unknown rule {name:?}: bowsprit lint --list-rules names them all"));
    }
    Ok(codes)
}

impl Linter<'_> {
    /// Runs the selected rules. `files` is what Helm's rules have rendered, if they could.
    pub(crate) fn own_rules(&mut self, files: Option<&RenderedFiles>) {
        let rules = &self.options.rules;
        if rules.is_empty() {
            return;
        }
        let Ok(loaded) = &self.source.chart else { return };
        let chart = Arc::clone(&loaded.output);
        let before = self.messages.len();
        if rules.has("BS001") || rules.has("BS002") {
            unused::check(self, &chart);
        }
        if rules.has("BS004") {
            yaml11::check(self);
        }
        if rules.has("BS005") {
            random::check(self, &chart);
        }
        if let Some(files) = files {
            self.rules_of_output(&chart, files);
        }
        if rules.has("BS008") {
            since::check(self, &chart);
        }
        if rules.has("BS009") {
            changelog::check(self, &chart);
        }
        if rules.has("BS010") {
            schema::check(self, &chart);
        }
        // Rules run family by family; people read code by code.
        if let Some(own) = self.messages.get_mut(before..) {
            own.sort_by_key(|message| message.code);
        }
    }

    fn rules_of_output(&mut self, chart: &Chart, files: &RenderedFiles) {
        let rules = &self.options.rules;
        if rules.has("BS003") {
            numbers::check(self, files);
        }
        if rules.has("BS006") {
            labels::check(self, chart, files);
        }
        if rules.has("BS007") {
            hooks::check(self, chart, files);
        }
    }

    pub(crate) fn own(&mut self, code: &'static str, label: &str, text: String) -> &mut Message {
        let rule = RULES.iter().find(|rule| rule.code == code);
        let severity = rule.map_or(Severity::Warning, |rule| rule.severity);
        self.messages.push(Message::new(code, severity, label, text));
        let last = self.messages.len() - 1;
        &mut self.messages[last]
    }
}
