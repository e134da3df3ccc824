//! How a command ends that did not do what it should.

use crate::advice;
use crate::commands::Command;
use crate::settings::Settings;
use crate::streams;
use bowsprit::chart::LogLine;
use bowsprit::diag::Diagnostic;
use std::fmt::Display;

/// What is printed before the program ends with exit code 1, or the code it ends with.
#[derive(Debug)]
pub(crate) enum Failure {
    /// `Error: ` and a text.
    Error(String),
    /// A text that stands for itself.
    Bare(String),
    /// `Error: `, a text, and the places that it is about.
    Found(Box<Diagnostic>),
    /// A text that stands for itself and may have colours.
    Styled(String),
    /// A line of the log.
    Log(LogLine),
    /// Nothing to print: the exit code says it.
    Code(u8),
}

impl Failure {
    /// A failure with the text of an error.
    pub(crate) fn of(error: impl Display) -> Failure {
        Failure::Error(error.to_string())
    }

    /// A failure with the places that it is about.
    pub(crate) fn found(found: Diagnostic) -> Failure {
        Failure::Found(Box::new(found))
    }

    /// The same in the form that is wanted: rich, with hints, or the text alone. The command that failed is
    /// given with those on the way to it.
    pub(crate) fn styled(self, settings: &Settings, path: &[&'static Command]) -> Failure {
        match (self, settings.error_style()) {
            (Failure::Found(mut found), Some(style)) => {
                if found.hints.is_empty() {
                    found.hints = advice::hints(&found.message, path);
                }
                let report = found.report(style.headline(false));
                Failure::Styled(format!("{}: {report}", style.error("Error")))
            }
            (Failure::Error(text), Some(style)) => {
                let mut report = Diagnostic::error(text);
                report.hints = advice::hints(&report.message, path);
                let report = report.report(style.headline(false));
                Failure::Styled(format!("{}: {report}", style.error("Error")))
            }
            (other, _) => other,
        }
    }

    pub(crate) fn print(&self) {
        match self {
            Failure::Error(text) => streams::say(&format!("Error: {text}")),
            Failure::Bare(text) => streams::say(text),
            Failure::Found(found) => streams::say(&format!("Error: {}", found.message)),
            Failure::Styled(text) => streams::say_styled(text),
            Failure::Log(line) => streams::say(&line.to_string()),
            Failure::Code(_) => {}
        }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Failure::Code(code) => *code,
            _ => 1,
        }
    }
}
