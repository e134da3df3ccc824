//! The flags that say how findings are printed, and the printing.

use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::streams;
use bowsprit::loader::PathError;
use bowsprit::report::{Format, Report};
use std::path::Path;

pub(crate) static FLAGS: &[Flag] = &[
    Flag::with(
        "format",
        Kind::Text,
        "FORMAT",
        "How findings are printed: text, json, junit, sarif, github or gitlab",
    ),
    Flag::with(
        "report-file",
        Kind::Text,
        "FILE",
        "Write the report in --format to FILE, and the text to standard output",
    ),
];

/// The format that is asked for.
///
/// # Errors
///
/// Fails for a name that no format has.
pub(crate) fn format(parsed: &Parsed) -> Result<Format, Failure> {
    let name = parsed.non_empty("format").unwrap_or("text");
    Format::from_name(name).ok_or_else(|| {
        let names = Format::NAMES.join(", ");
        Failure::Error(format!("unknown format {name:?}: must be one of {names}"))
    })
}

/// Prints a JSON document with a list, for commands whose findings are more than a report holds.
///
/// # Errors
///
/// Fails where it can't be written.
pub(crate) fn print_json(
    parsed: &Parsed,
    text: &str,
    name: &str,
    list: Vec<bowsprit::explain::Json>,
) -> Result<(), Failure> {
    let document = bowsprit::explain::document(env!("CARGO_PKG_VERSION"), name, list);
    put(parsed, &document, text)
}

/// Prints a text, in the report's file too if there is to be one.
///
/// # Errors
///
/// Fails where it can't be written.
pub(crate) fn print_text(parsed: &Parsed, text: &str) -> Result<(), Failure> {
    put(parsed, text, text)
}

/// Writes what is in the wanted format, to a file if one is named; then the text is printed.
fn put(parsed: &Parsed, formatted: &str, text: &str) -> Result<(), Failure> {
    let Some(file) = parsed.non_empty("report-file") else {
        return streams::write(formatted.as_bytes());
    };
    std::fs::write(file, formatted)
        .map_err(|error| Failure::of(PathError::new("open", Path::new(file), error)))?;
    streams::write(text.as_bytes())
}

/// Prints a report as the flags say; `text` is what people get to read.
///
/// # Errors
///
/// Fails where it can't be written.
pub(crate) fn print(parsed: &Parsed, report: &Report, text: &str) -> Result<(), Failure> {
    let format = format(parsed)?;
    let formatted = if format == Format::Text { text.to_owned() } else { format.print(report) };
    put(parsed, &formatted, text)
}
