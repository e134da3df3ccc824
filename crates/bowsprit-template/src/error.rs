//! Errors of a run: a chain from the outermost template to the cause.

use bowsprit_value::{FuncError, FuncErrorKind};
use std::fmt;

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

/// A failed run.
///
/// `Display` gives the text of Go's `text/template`, on one line as long as no message has a line
/// break.
#[derive(Clone, PartialEq, Eq)]
pub struct ExecError(Box<(Vec<Link>, Cause)>);

impl ExecError {
    pub(crate) fn new(links: Vec<Link>, cause: Cause) -> ExecError {
        ExecError(Box::new((links, cause)))
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
