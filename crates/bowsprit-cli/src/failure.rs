//! How a command ends that did not do what it should.

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

    /// A failure with a diagnostic: in the rich form if that is wanted, else the text alone.
    pub(crate) fn found(found: &Diagnostic, settings: &Settings) -> Failure {
        match settings.error_style() {
            None => Failure::Error(found.message.clone()),
            Some(style) => {
                let report = found.report(style.headline(false));
                Failure::Styled(format!("{}: {report}", style.error("Error")))
            }
        }
    }

    pub(crate) fn print(&self) {
        match self {
            Failure::Error(text) => streams::say(&format!("Error: {text}")),
            Failure::Bare(text) => streams::say(text),
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
