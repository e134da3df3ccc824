//! What is said about an input.

use crate::source::{Position, Source, Span};
use std::borrow::Cow;

/// How bad it is. The order is from the worst on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It does not work.
    Error,
    /// It works, and should be looked at.
    Warning,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// `error`, `warning` or `info`.
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        }
    }
}

/// What a place has to do with the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelKind {
    /// This is where it is. The first such label gives the diagnostic its position.
    Primary,
    /// This has to do with it.
    Secondary,
}

/// A place in a text, and what there is to say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Label {
    /// The text.
    pub source: Source,
    /// The place in it.
    pub span: Span,
    /// What stands behind the caret; may be empty.
    pub message: String,
    /// Whether this is the place itself.
    pub kind: LabelKind,
    /// How many lines around it are shown, too.
    pub context: usize,
    /// What stands before the place's name, such as `included from`; may be empty.
    pub relation: String,
}

impl Label {
    fn new(source: &Source, span: Span, message: String, kind: LabelKind) -> Label {
        let source = source.clone();
        Label { source, span, message, kind, context: 0, relation: String::new() }
    }

    /// The place itself.
    pub fn primary(source: &Source, span: Span, message: impl Into<String>) -> Label {
        Label::new(source, span, message.into(), LabelKind::Primary)
    }

    /// A place that has to do with it.
    pub fn secondary(source: &Source, span: Span, message: impl Into<String>) -> Label {
        Label::new(source, span, message.into(), LabelKind::Secondary)
    }

    /// The same with so many lines shown before and behind it.
    #[must_use]
    pub fn with_context(mut self, lines: usize) -> Label {
        self.context = lines;
        self
    }

    /// The same with words before the place's name.
    #[must_use]
    pub fn with_relation(mut self, relation: impl Into<String>) -> Label {
        self.relation = relation.into();
        self
    }

    /// Line and column of the place's beginning.
    pub fn position(&self) -> Position {
        self.source.position(self.span.start)
    }
}

/// A message about an input, with the places that it is about.
///
/// `{}` prints the message, `{:#}` all there is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable name of what was found, such as a rule of a linter.
    pub code: Option<Cow<'static, str>>,
    /// What was found. May have several lines.
    pub message: String,
    /// Where.
    pub labels: Vec<Label>,
    /// What else there is to know.
    pub notes: Vec<String>,
    /// What can be done.
    pub hints: Vec<String>,
}

impl Diagnostic {
    /// A message of some severity.
    pub fn new(severity: Severity, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity,
            code: None,
            message: message.into(),
            labels: Vec::new(),
            notes: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// An error.
    pub fn error(message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Error, message)
    }

    /// A warning.
    pub fn warning(message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Warning, message)
    }

    /// Something worth knowing.
    pub fn info(message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Info, message)
    }

    /// The same under a name.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Diagnostic {
        self.code = Some(code.into());
        self
    }

    /// The same with one more place.
    #[must_use]
    pub fn with_label(mut self, label: Label) -> Diagnostic {
        self.labels.push(label);
        self
    }

    /// The same with something else to know.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Diagnostic {
        self.notes.push(note.into());
        self
    }

    /// The same with something to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Diagnostic {
        self.hints.push(hint.into());
        self
    }

    /// The label that says where it is: the first primary one, or else the first.
    pub fn primary(&self) -> Option<&Label> {
        let primary = self.labels.iter().find(|label| label.kind == LabelKind::Primary);
        primary.or(self.labels.first())
    }
}
