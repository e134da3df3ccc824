//! Why a render fails, in Helm's words.

use crate::compat::ErrorLayout;
use crate::diagnose::Details;
use crate::values::{ValuesError, ValuesErrorKind};
use bowsprit_chart::LogLine;
use bowsprit_template::{Cause, ExecError, Link, ParseError};
use bowsprit_value::FuncErrorKind;
use std::collections::BTreeMap;
use std::fmt;

/// Which step of a render failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Values could not be laid over the charts' defaults or do not fit the schema, or the chart does
    /// not want this version of Kubernetes.
    Values(ValuesError),
    /// A template can't be parsed.
    Parse(ParseError),
    /// A template failed.
    Exec(ExecError),
    /// A rendered document is no YAML.
    Manifest {
        /// What is wrong with which document.
        error: bowsprit_manifest::Error,
        /// All rendered files, for those who want to look at them.
        files: BTreeMap<String, Vec<u8>>,
    },
}

/// A failed render. `{}` gives Helm's text, without `Error: `; `{:#}` adds source lines, the chain of
/// includes and hints.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    log: Vec<LogLine>,
    layout: ErrorLayout,
    details: Details,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, log: Vec<LogLine>, layout: ErrorLayout) -> Error {
        Error(Box::new(Inner { kind, log, layout, details: Details::default() }))
    }

    pub(crate) fn with_details(mut self, details: Details) -> Error {
        self.0.details = details;
        self
    }

    pub(crate) fn details(&self) -> &Details {
        &self.0.details
    }

    /// The same after more was logged.
    pub(crate) fn after(mut self, mut log: Vec<LogLine>) -> Error {
        log.append(&mut self.0.log);
        self.0.log = log;
        self
    }

    /// Which step failed.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// What Helm logs before it fails.
    pub fn log(&self) -> &[LogLine] {
        &self.0.log
    }

    /// Whether a release existed already, so that Helm's command line adds its hint about `--debug`.
    pub fn has_release(&self) -> bool {
        match self.kind() {
            ErrorKind::Values(error) => error.kind() == ValuesErrorKind::KubeVersion,
            _ => true,
        }
    }

    /// Whether a limit of the run was reached.
    pub fn is_limit(&self) -> bool {
        matches!(self.kind(), ErrorKind::Exec(e) if e.func_kind() == Some(FuncErrorKind::Limit))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Error").field(self.kind()).finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return write!(f, "{:#}", self.diagnostic());
        }
        match self.kind() {
            ErrorKind::Values(error) => error.fmt(f),
            ErrorKind::Parse(error) => f.write_str(&parse_error_text(error)),
            ErrorKind::Exec(error) => f.write_str(&exec_error_text(error, self.0.layout)),
            ErrorKind::Manifest { error, .. } => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

/// Helm keeps the position and the last piece of the message.
fn parse_error_text(error: &ParseError) -> String {
    let text = error.to_string();
    let location = text.split(": ").nth(1).unwrap_or_default();
    let message = text.rsplit(": ").next().unwrap_or_default();
    format!("parse error at ({location}): {message}")
}

/// Helm's layout of an execution error: one block of lines for each template on the way, if the whole
/// chain can be read back from its texts; else the one line that Go gives.
fn exec_error_text(error: &ExecError, layout: ErrorLayout) -> String {
    let text = error.to_string();
    let Some(Link::Executing { location, .. }) = error.links().first() else { return text };
    if error.func_kind() == Some(FuncErrorKind::Fail) {
        return format!("execution error at ({location}): {}", error.cause_text());
    }
    if layout == ErrorLayout::OneLine {
        return text;
    }
    let mut blocks: Vec<Block> = Vec::new();
    for text in chain(error) {
        match Block::parse(&text) {
            Some(block) if blocks.last() != Some(&block) => blocks.push(block),
            Some(_) => {}
            None => return error.to_string(),
        }
    }
    let out: String = blocks.iter().map(Block::to_string).collect();
    out.trim().to_owned()
}

/// The texts of the errors that Go's `Unwrap` leads through.
fn chain(error: &ExecError) -> impl Iterator<Item = String> + '_ {
    let links = error.links().len();
    let cause = matches!(error.cause(), Cause::Function(_)).then_some(links);
    (0..links).chain(cause).map(|link| error.text_from(link))
}

/// One entry of Helm's listing.
#[derive(PartialEq, Eq)]
struct Block {
    location: String,
    executing: String,
    message: String,
}

impl Block {
    fn parse(text: &str) -> Option<Block> {
        let rest = text.strip_prefix("template: ")?;
        if rest.starts_with("no template ") {
            return Some(Block {
                location: String::new(),
                executing: String::new(),
                message: text.to_owned(),
            });
        }
        Block::executing(rest).or_else(|| Block::simple(rest))
    }

    fn executing(rest: &str) -> Option<Block> {
        let (location, after) = rest.split_once(": executing ")?;
        let (function, after) = after.strip_prefix('"')?.split_once('"')?;
        let (place, message) = after.strip_prefix(" at <")?.split_once(">: ")?;
        Some(Block {
            location: location.to_owned(),
            executing: format!("executing \"{function}\" at <{place}>:"),
            message: without_next(message),
        })
    }

    fn simple(rest: &str) -> Option<Block> {
        let (location, message) = rest.rsplit_once(": ")?;
        Some(Block {
            location: location.to_owned(),
            executing: String::new(),
            message: without_next(message),
        })
    }
}

/// A message ends where the text of the next template begins.
fn without_next(message: &str) -> String {
    message.split(" template:").next().unwrap_or(message).to_owned()
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.location.is_empty() {
            write!(f, "{}\n  ", self.location)?;
        }
        if !self.executing.is_empty() {
            write!(f, "{}\n    ", self.executing)?;
        }
        if !self.message.is_empty() {
            writeln!(f, "{}", self.message)?;
        }
        Ok(())
    }
}
