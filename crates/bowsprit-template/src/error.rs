//! Errors of a run: a chain from the outermost template to the cause.

use bowsprit_value::{FuncError, FuncErrorKind};
use std::fmt;
use std::sync::Arc;

/// One link of the chain, from the outside in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Link {
    /// A template was executing a node.
    Executing {
        /// `FILE:LINE:COLUMN`, the line from 1, the column in bytes from 0.
        location: String,
        /// The byte offset of the node in the source of its file.
        offset: usize,
        /// The name of the template.
        template: String,
        /// The node's text.
        context: String,
        /// The function that was being called, if what failed is a call.
        calling: Option<String>,
    },
    /// `tpl` was running a text.
    Tpl {
        /// The text, quoted as Go does.
        quoted: String,
        /// True where the text could not be parsed.
        parsing: bool,
    },
}

/// What stopped the run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The machine itself: a wrong type, a missing template, a bad call.
    Evaluator(String),
    /// A function's error.
    Function(FuncError),
}

/// A template that was running when a run failed, and the node it was at.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The name that positions in this text begin with.
    pub file: String,
    /// The name of the template.
    pub template: String,
    /// The text that the template is part of.
    pub source: Arc<[u8]>,
    /// The node's first byte in the text.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
    /// What called the template: `include`, `tpl` or `template`; none for the outermost.
    pub called_by: Option<&'static str>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}..{}", self.file, self.start, self.end)
    }
}

/// Where a failed run was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trace {
    /// The templates that were running, the innermost first; of very deep chains only the ends.
    pub places: Vec<Place>,
    /// How many of them were left out after the first half.
    pub omitted: usize,
    /// The part of the innermost node that had been evaluated when the next field could not be:
    /// `.Values.a` of `.Values.a.b`.
    pub operand: Option<String>,
}

/// More places than this are not kept.
pub(crate) const MAX_PLACES: usize = 16;

/// A failed run.
///
/// `Display` gives the text of Go's `text/template`, on one line as long as no message has a line
/// break.
#[derive(Clone, PartialEq, Eq)]
pub struct ExecError(Box<(Vec<Link>, Cause, Trace)>);

impl ExecError {
    pub(crate) fn new(links: Vec<Link>, cause: Cause) -> ExecError {
        ExecError(Box::new((links, cause, Trace::default())))
    }

    pub(crate) fn with_trace(mut self, trace: Trace) -> ExecError {
        self.0.2 = trace;
        self
    }

    /// Where the run was when it failed.
    pub fn trace(&self) -> &Trace {
        &self.0.2
    }

    /// The chain, from the outermost template to the one that failed.
    pub fn links(&self) -> &[Link] {
        &self.0.0
    }

    /// What stopped the run.
    pub fn cause(&self) -> &Cause {
        &self.0.1
    }

    /// The kind of the function's error, if a function stopped the run.
    pub fn func_kind(&self) -> Option<FuncErrorKind> {
        match self.cause() {
            Cause::Function(error) => Some(error.kind()),
            Cause::Evaluator(_) => None,
        }
    }

    /// The text from a link on, as Go's `Error` method of that link gives it.
    pub fn text_from(&self, link: usize) -> String {
        let mut out = String::new();
        for link in self.links().iter().skip(link) {
            match link {
                Link::Executing { location, template, context, calling, .. } => {
                    let quoted = bowsprit_value::strconv::quote(template.as_bytes());
                    let quoted = String::from_utf8_lossy(&quoted);
                    out.push_str(&format!(
                        "template: {location}: executing {quoted} at <{context}>: "
                    ));
                    if let Some(name) = calling {
                        out.push_str(&format!("error calling {name}: "));
                    }
                }
                Link::Tpl { quoted, parsing: false } => {
                    out.push_str(&format!("error during tpl function execution for {quoted}: "));
                }
                Link::Tpl { quoted, parsing: true } => {
                    out.push_str(&format!("cannot parse template {quoted}: "));
                }
            }
        }
        out.push_str(&self.cause_text());
        out
    }

    /// The text of the cause alone.
    pub fn cause_text(&self) -> String {
        match self.cause() {
            Cause::Evaluator(text) => text.clone(),
            Cause::Function(error) => error.text().to_string(),
        }
    }
}

impl fmt::Debug for ExecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecError")
            .field("links", &self.links())
            .field("cause", self.cause())
            .finish()
    }
}

impl fmt::Display for ExecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text_from(0))
    }
}

impl std::error::Error for ExecError {}
