//! Source texts, spans, diagnostics, and how they print.
//!
//! A [`Diagnostic`] is what is said about an input: a message, the places in [`Source`] texts that it is
//! about, notes and hints. It is data first; [`Diagnostic`]'s `Display` gives the message alone with
//! `{}`, and message, source lines, carets, notes and hints with `{:#}`. [`Diagnostic::report`] prints
//! the same with a severity in front, in colour if wanted.
//!
//! Texts come from charts, whose authors may not drive a terminal: what is printed of a source has its
//! control characters spelled out. The crate does no I/O, and knows neither templates nor YAML.
//!
//! ```
//! use bowsprit_diag::{Diagnostic, Label, Source, Span};
//!
//! let source = Source::new("web/templates/a.yaml", "kind: {{ .Kindd }}\n");
//! let found = Diagnostic::error("no field Kindd")
//!     .with_label(Label::primary(&source, Span::new(9, 15), "not in values"))
//!     .with_hint("did you mean .Kind?");
//! assert_eq!(found.to_string(), "no field Kindd");
//! assert_eq!(
//!     format!("{found:#}"),
//!     "no field Kindd\n \
//!      --> web/templates/a.yaml:1:10\n  \
//!       |\n\
//!      1 | kind: {{ .Kindd }}\n  \
//!       |          ^^^^^^ not in values\n  \
//!       |\n  \
//!       = hint: did you mean .Kind?"
//! );
//! ```

mod diagnostic;
mod escape;
mod print;
mod source;

pub use diagnostic::{Diagnostic, Label, LabelKind, Severity};
pub use escape::escape_controls;
pub use print::{Report, Style};
pub use source::{Position, Source, Span};
