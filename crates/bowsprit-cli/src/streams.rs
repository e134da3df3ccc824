//! Standard output, in one piece, and standard error, line by line.

use crate::failure::Failure;
use bowsprit::diag::escape_controls;
use std::borrow::Cow;
use std::io::{BufWriter, ErrorKind, IsTerminal, Write};

/// Prints a line on standard error. When nobody listens there is nothing left to do.
///
/// Errors quote charts, whose authors may not drive a terminal; elsewhere the bytes stay as they are.
pub(crate) fn say(line: &str) {
    let mut err = std::io::stderr().lock();
    let text = if err.is_terminal() { escape_controls(line) } else { line.into() };
    let _ = err.write_all(format!("{text}\n").as_bytes());
}

/// Prints a line on standard error that may drive a terminal: its parts have been tamed before.
pub(crate) fn say_styled(line: &str) {
    let _ = std::io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}

/// Whether somebody watches standard error.
pub(crate) fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}

/// Whether somebody reads standard output on a terminal.
pub(crate) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Writes to standard output. A reader that has seen enough is no error.
pub(crate) fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    written(out.write_all(bytes).and_then(|()| out.flush()))
}

/// Writes pieces to standard output, one behind the other, as [`write`] does.
pub(crate) fn write_pieces(pieces: &[Cow<'_, [u8]>]) -> Result<(), Failure> {
    const AT_ONCE: usize = 1 << 16;
    let mut out = BufWriter::with_capacity(AT_ONCE, std::io::stdout().lock());
    let all = pieces.iter().try_for_each(|piece| out.write_all(piece));
    let all = all.and_then(|()| out.flush());
    // What could not be written is not tried again.
    let _ = out.into_parts();
    written(all)
}

fn written(result: std::io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Error(match error.kind() {
                ErrorKind::StorageFull => {
                    "write standard output: no space left on device".to_owned()
                }
                _ => format!("write standard output: {error}"),
            }))
        }
        _ => Ok(()),
    }
}

/// Whether somebody types what standard input has.
pub(crate) fn stdin_is_terminal() -> bool {
    std::io::stdin().is_terminal()
}

/// Asks for something that is not to be seen while it is typed.
///
/// # Errors
///
/// Fails where there is no terminal to ask on.
pub(crate) fn ask_secret(prompt: &str) -> Result<String, String> {
    if !stdin_is_terminal() {
        return Err("inappropriate ioctl for device".to_owned());
    }
    let terminal = console::Term::stderr();
    terminal.write_str(prompt).map_err(|error| error.to_string())?;
    terminal.read_secure_line().map_err(|error| error.to_string())
}

/// Says how far something is, to those who watch.
pub(crate) struct Progress(Option<indicatif::ProgressBar>);

/// The progress of a number of things, called by a name; nothing is shown where nobody watches.
pub(crate) fn progress(what: &'static str, total: usize) -> Progress {
    let shown = is_watched() && is_terminal();
    Progress(shown.then(|| indicatif::ProgressBar::new(total as u64).with_message(what)))
}

impl Progress {
    pub(crate) fn step(&self) {
        if let Some(bar) = &self.0 {
            bar.inc(1);
        }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
