//! What can go wrong, and the words that Helm's YAML libraries have for it.

use bowsprit_value::FuncError;
use std::borrow::Cow;
use std::fmt;

/// What an [`Error`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is no YAML: the reader, scanner or parser refused it.
    Syntax,
    /// The YAML is well formed but cannot be decoded: tags, aliases, merges.
    Content,
    /// A mapping key has no JSON form.
    Key,
    /// A value has no JSON form, such as NaN.
    Unsupported,
    /// The value does not fit the Go type that Helm decodes into.
    Type,
    /// Containers are nested too deeply.
    Depth,
    /// A values file's document separator is malformed.
    Separator,
    /// A limit of the run was reached.
    Limit,
}

/// The step during which an error arose; each has its own prefix in Helm's texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Plain,
    ToJson,
    FromJson,
    Marshal,
    Separator,
}

impl Stage {
    const fn prefix(self) -> &'static str {
        match self {
            Stage::Plain => "",
            Stage::ToJson => "error converting YAML to JSON: ",
            Stage::FromJson => "error unmarshaling JSON: while decoding JSON: ",
            Stage::Marshal => "error marshaling into JSON: ",
            Stage::Separator => "error reading yaml document: ",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    kind: ErrorKind,
    stage: Stage,
    in_values: bool,
    line: Option<u32>,
    message: Cow<'static, str>,
}

/// Why YAML could not be read or written. Its text is the one Helm prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Parts>);

impl Error {
    #[cold]
    pub(crate) fn new(
        kind: ErrorKind,
        stage: Stage,
        message: impl Into<Cow<'static, str>>,
    ) -> Error {
        Error(Box::new(Parts {
            kind,
            stage,
            in_values: false,
            line: None,
            message: message.into(),
        }))
    }

    /// A complaint of the reader, scanner or parser, with the line that goyaml names.
    #[cold]
    pub(crate) fn syntax(message: &'static str, line: Option<u32>) -> Error {
        let mut error = Error::new(ErrorKind::Syntax, Stage::Plain, message);
        error.0.line = line;
        error
    }

    /// A complaint of goyaml's decoder.
    #[cold]
    pub(crate) fn content(message: impl Into<Cow<'static, str>>) -> Error {
        Error::new(ErrorKind::Content, Stage::Plain, message)
    }

    #[cold]
    pub(crate) fn limit(error: &FuncError) -> Error {
        Error::new(ErrorKind::Limit, Stage::Plain, error.text().to_string())
    }

    pub(crate) fn at_stage(mut self, stage: Stage) -> Error {
        self.0.stage = stage;
        self
    }

    pub(crate) fn in_values_file(mut self) -> Error {
        self.0.in_values = true;
        self
    }

    /// What the error is about.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The line as Helm's text names it, which for some errors is one less than the true 1-based line.
    pub fn line(&self) -> Option<u32> {
        self.0.line
    }

    /// The problem alone, without prefixes and line.
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = &*self.0;
        if parts.in_values {
            f.write_str("cannot unmarshal yaml document: ")?;
        }
        f.write_str(parts.stage.prefix())?;
        if matches!(parts.kind, ErrorKind::Syntax | ErrorKind::Content) {
            f.write_str("yaml: ")?;
        }
        if let Some(line) = parts.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&parts.message)
    }
}

impl std::error::Error for Error {}
