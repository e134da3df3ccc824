//! What can be wrong with a fleet.

use std::fmt;

/// An error about a fleet file, a target or a render.
///
/// `{}` names the place and says what is wrong; `{:#}` adds what can be done about it.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    file: String,
    line: Option<usize>,
    path: String,
    message: String,
    hint: Option<String>,
}

impl Error {
    pub(crate) fn new(file: &str, message: impl Into<String>) -> Error {
        Error(Box::new(Inner {
            file: file.to_owned(),
            line: None,
            path: String::new(),
            message: message.into(),
            hint: None,
        }))
    }

    pub(crate) fn at(mut self, line: usize, path: impl Into<String>) -> Error {
        self.0.line = Some(line);
        self.0.path = path.into();
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Error {
        self.0.hint = Some(hint.into());
        self
    }

    /// The file, or the release and the targets, that it is about.
    pub fn file(&self) -> &str {
        &self.0.file
    }

    /// The 1-based line in the file.
    pub fn line(&self) -> Option<usize> {
        self.0.line
    }

    /// The field's path in the file, as `releases[0].version`; empty where it is about no field.
    pub fn path(&self) -> &str {
        &self.0.path
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        f.write_str(&inner.file)?;
        if let Some(line) = inner.line {
            write!(f, ":{line}")?;
        }
        f.write_str(": ")?;
        if !inner.path.is_empty() {
            write!(f, "{}: ", inner.path)?;
        }
        f.write_str(&inner.message)?;
        match &inner.hint {
            Some(hint) if f.alternate() => write!(f, "\n  {hint}"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
