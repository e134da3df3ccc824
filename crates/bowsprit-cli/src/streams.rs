//! Standard output, in one piece, and standard error, line by line.

use crate::failure::Failure;
use std::io::{ErrorKind, Write};

/// Prints a line on standard error. When nobody listens there is nothing left to do.
pub(crate) fn say(line: &str) {
    let mut text = String::with_capacity(line.len() + 1);
    text.push_str(line);
    text.push('\n');
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Writes to standard output. A reader that has seen enough is no error.
pub(crate) fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Error(format!("write standard output: {error}")))
        }
        _ => Ok(()),
    }
}
