//! What Helm logs while it loads a chart; returned, never printed.

use bowsprit_value::{strconv, unicode};
use std::fmt;

/// The level at which Helm logs a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// `level=DEBUG`, printed only when asked for.
    Debug,
    /// `level=INFO`.
    Info,
    /// `level=WARN`.
    Warn,
    /// `level=ERROR`.
    Error,
}

/// One line of Helm's log: a message and its attributes.
///
/// `Display` is the line as Helm prints it.
///
/// ```
/// use bowsprit_chart::{Level, LogLine};
///
/// let line = LogLine {
///     level: Level::Info,
///     message: "found it".into(),
///     attrs: vec![("path", "/a b".into()), ("rule", "x".into())],
/// };
/// assert_eq!(line.to_string(), r#"level=INFO msg="found it" path="/a b" rule=x"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// The level.
    pub level: Level,
    /// The `msg` attribute.
    pub message: String,
    /// The other attributes, in Helm's order.
    pub attrs: Vec<(&'static str, String)>,
}

impl LogLine {
    pub(crate) fn info(message: &str) -> LogLine {
        LogLine { level: Level::Info, message: message.to_owned(), attrs: Vec::new() }
    }
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERROR",
        };
        write!(f, "level={level} msg=")?;
        write_value(f, &self.message)?;
        self.attrs.iter().try_for_each(|(key, value)| {
            write!(f, " {key}=")?;
            write_value(f, value)
        })
    }
}

fn write_value(f: &mut fmt::Formatter<'_>, value: &str) -> fmt::Result {
    if needs_quoting(value) {
        f.write_str(&String::from_utf8_lossy(&strconv::quote(value.as_bytes())))
    } else {
        f.write_str(value)
    }
}

/// `slog.TextHandler`: quoted is what is empty, blank, unprintable, or could be taken for syntax.
fn needs_quoting(value: &str) -> bool {
    let safe = |c: char| match c {
        ' ' | '=' | '"' | '\u{fffd}' => false,
        '\u{7f}' => true,
        c if c.is_ascii() => !c.is_ascii_control(),
        c => !unicode::is_space(c) && unicode::is_print(c),
    };
    value.is_empty() || !value.chars().all(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_is_slogs() {
        for (value, want) in [
            ("", true),
            ("a", false),
            ("a b", true),
            ("a=b", true),
            ("a\"", true),
            ("a\\b", false),
            ("a\n", true),
            ("\u{7f}", false),
            ("é", false),
            ("\u{a0}", true),
            ("\u{200b}", true),
        ] {
            assert_eq!(needs_quoting(value), want, "{value:?}");
        }
    }
}
