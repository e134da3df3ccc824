//! Questions to whoever sits at the terminal.

use crate::failure::Failure;
use std::io::{BufRead, Read};

/// All of standard input, without the line feed at its end.
///
/// # Errors
///
/// Fails where it can't be read.
pub(crate) fn secret_from_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text).map_err(Failure::of)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

/// Asks for a line.
///
/// # Errors
///
/// Fails where there is none.
pub(crate) fn ask(question: &str) -> Result<String, Failure> {
    crate::streams::write(question.as_bytes())?;
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line).map_err(Failure::of)?;
    if read == 0 {
        return Err(Failure::Error("EOF".to_owned()));
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
