//! Why values can't be made.

use bowsprit_diag::{Diagnostic, Label, Source};
use std::fmt;

/// What kind of thing went wrong with values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValuesErrorKind {
    /// A values file can't be read as YAML.
    File,
    /// An argument of the `--set` family is wrong.
    Set,
    /// A subchart's values are no table.
    TypeMismatch,
    /// The values or the schema itself are not valid.
    Schema,
    /// The chart's `kubeVersion` excludes this cluster.
    KubeVersion,
    /// A bound against hostile input was reached.
    Limit,
    /// A schema asked for a document that it may not have.
    Denied,
}

/// Values that can't be made. `{}` prints Helm's text, `{:#}` the line of the file too.
pub struct ValuesError(Box<Repr>);

#[derive(Clone)]
struct Repr {
    kind: ValuesErrorKind,
    text: String,
    labels: Vec<Label>,
    findings: Vec<Finding>,
}

/// A value that a schema does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The keys and indexes that lead to it from the root of the values.
    pub path: Vec<String>,
    /// What is wrong with it.
    pub message: String,
}

impl ValuesError {
    pub(crate) fn new(kind: ValuesErrorKind, text: impl Into<String>) -> ValuesError {
        let (labels, findings) = (Vec::new(), Vec::new());
        ValuesError(Box::new(Repr { kind, text: text.into(), labels, findings }))
    }

    pub(crate) fn set(text: impl Into<String>) -> ValuesError {
        ValuesError::new(ValuesErrorKind::Set, text)
    }

    /// The same error with words before its text.
    pub(crate) fn prefixed(mut self, prefix: &str) -> ValuesError {
        self.0.text.insert_str(0, prefix);
        self
    }

    pub(crate) fn at(mut self, label: Label) -> ValuesError {
        self.0.labels.push(label);
        self
    }

    /// The same error with other words.
    pub(crate) fn worded(mut self, text: String) -> ValuesError {
        self.0.text = text;
        self
    }

    /// The same error, about a text of this name.
    pub(crate) fn in_source(mut self, name: &str) -> ValuesError {
        for label in &mut self.0.labels {
            label.source = Source::new(name, label.source.text());
        }
        self
    }

    pub(crate) fn with_findings(mut self, findings: Vec<Finding>) -> ValuesError {
        self.0.findings = findings;
        self
    }

    /// The values that a schema does not allow.
    pub fn findings(&self) -> &[Finding] {
        &self.0.findings
    }

    /// The error with the places that it is about. Its message is the error's text.
    pub fn diagnostic(&self) -> Diagnostic {
        let mut found = Diagnostic::error(self.0.text.clone());
        found.labels.clone_from(&self.0.labels);
        found
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> ValuesErrorKind {
        self.0.kind
    }
}

impl Clone for ValuesError {
    fn clone(&self) -> ValuesError {
        ValuesError(self.0.clone())
    }
}

impl fmt::Debug for ValuesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ValuesError").field(&self.0.kind).field(&self.0.text).finish()
    }
}

impl fmt::Display for ValuesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return write!(f, "{:#}", self.diagnostic());
        }
        f.write_str(&self.0.text)
    }
}

impl std::error::Error for ValuesError {}
