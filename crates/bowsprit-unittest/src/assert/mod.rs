//! What assertions check, and how they say that it is not so.

mod checks;
mod text;
mod values;

use crate::document::Document;
use crate::snapshot::Snapshots;
use bowsprit_value::Value;

/// Which side of a value the actual one may be on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    Least,
    Most,
}

/// What an assertion looks for.
#[derive(Clone, Debug)]
pub(crate) enum Check {
    Snapshot {
        path: String,
        matches: String,
        not_matches: String,
    },
    SnapshotRaw,
    Equal {
        path: String,
        value: Value,
        decode_base64: bool,
    },
    EqualRaw {
        value: String,
    },
    Bound {
        path: String,
        value: Value,
        bound: Bound,
    },
    Exists {
        path: String,
    },
    Regex {
        path: String,
        pattern: String,
        decode_base64: bool,
    },
    RegexRaw {
        pattern: String,
    },
    Contains {
        path: String,
        content: Value,
        count: Option<i64>,
        any: bool,
    },
    /// `kind` and `apiVersion`.
    Field {
        field: &'static str,
        label: &'static str,
        of: String,
    },
    HasDocuments {
        count: i64,
        filter_aware: bool,
    },
    Subset {
        path: String,
        content: Value,
    },
    NullOrEmpty {
        path: String,
    },
    Failed {
        message: String,
        pattern: String,
    },
    ContainsDocument {
        kind: String,
        api_version: String,
        name: String,
        namespace: String,
        any: bool,
    },
    Length {
        paths: Vec<String>,
        path: String,
        count: Option<i64>,
    },
    Type {
        path: String,
        of: String,
    },
}

/// The documents of a template, and what there is to know beside them.
pub(crate) struct Context<'c> {
    /// How many documents the template has.
    pub(crate) all: usize,
    /// Those that were chosen.
    pub(crate) docs: Vec<&'c Document>,
    pub(crate) negative: bool,
    pub(crate) fail_fast: bool,
    pub(crate) render_error: Option<&'c str>,
    pub(crate) test: &'c str,
    /// Counts the snapshots of a test.
    pub(crate) counter: &'c mut u64,
    pub(crate) snapshots: &'c mut Snapshots,
}

/// Whether it holds, and what is to be said if not.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) passed: bool,
    pub(crate) lines: Vec<String>,
}

impl Verdict {
    fn failed(lines: Vec<String>) -> Verdict {
        Verdict { passed: false, lines }
    }

    fn passed() -> Verdict {
        Verdict { passed: true, lines: Vec::new() }
    }

    /// Adds the verdict on the next of several.
    fn and(&mut self, number: usize, next: Verdict) {
        self.passed = next.passed && (number == 0 || self.passed);
        self.lines.extend(next.lines);
    }
}

impl Check {
    pub(crate) fn run(&self, context: &mut Context<'_>) -> Verdict {
        match self {
            Check::Snapshot { path, matches, not_matches } => {
                checks::snapshot(context, path, matches, not_matches)
            }
            Check::SnapshotRaw => checks::snapshot_raw(context),
            Check::EqualRaw { value } => checks::equal_raw(context, value),
            Check::RegexRaw { pattern } => checks::regex_raw(context, pattern),
            Check::Exists { path } => checks::exists(context, path),
            Check::Field { field, label, of } => checks::field(context, field, label, of),
            Check::HasDocuments { count, filter_aware } => {
                checks::has_documents(context, *count, *filter_aware)
            }
            Check::Failed { message, pattern } => checks::failed(context, message, pattern),
            Check::ContainsDocument { .. } => checks::contains_document(context, self),
            Check::Length { paths, path, count } => values::length(context, paths, path, *count),
            Check::Equal { .. }
            | Check::Bound { .. }
            | Check::Regex { .. }
            | Check::Contains { .. }
            | Check::Subset { .. }
            | Check::NullOrEmpty { .. }
            | Check::Type { .. } => values::run(context, self),
        }
    }
}
