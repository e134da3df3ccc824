//! What can go wrong between a release and a cluster.

use std::fmt;

/// What kind of thing went wrong; the text says the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The kubeconfig does not say how to reach a cluster.
    Config,
    /// The API server does not answer.
    Unreachable,
    /// The API server does not know who asks.
    Unauthorized,
    /// A right is missing.
    Forbidden,
    /// What was asked for is not there.
    NotFound,
    /// The name is taken.
    AlreadyExists,
    /// Another writer was faster, or owns a field.
    Conflict,
    /// The server refuses an object as wrong.
    Invalid,
    /// The server failed.
    Server,
    /// Another operation on the release is under way.
    Busy,
    /// Another process has taken the release over while this one worked on it.
    Lost,
    /// There is no such release.
    ReleaseNotFound,
    /// A stored release can't be read.
    Record,
    /// The record is larger than a Secret may be.
    TooLarge,
    /// A manifest can't be read, or names a kind that the server does not have.
    Build,
    /// Objects are in the way, or wrong; nothing has been written.
    Plan,
    /// A hook failed.
    Hook,
    /// Time is up.
    Timeout,
    /// The caller asked to stop.
    Cancelled,
    /// What was asked for makes no sense.
    Usage,
}

/// An error. `Display` is a text for the user, in Helm's words where Helm has some.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    text: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What this crate's functions give.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    #[cold]
    pub(crate) fn new(kind: ErrorKind, text: impl Into<String>) -> Error {
        Error(Box::new(Inner { kind, text: text.into(), source: None }))
    }

    #[cold]
    pub(crate) fn caused(
        kind: ErrorKind,
        text: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        Error(Box::new(Inner { kind, text: text.into(), source: Some(source.into()) }))
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The same error with words in front.
    #[must_use]
    pub fn context(mut self, words: impl fmt::Display) -> Error {
        self.0.text = format!("{words}: {}", self.0.text);
        self
    }

    /// The same error, which says that nothing answers.
    #[must_use]
    pub(crate) fn unreachable(self) -> Error {
        const WORDS: &str = "kubernetes cluster unreachable";
        if self.0.text.starts_with(WORDS) { self } else { self.context(WORDS) }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.0.kind).field("text", &self.0.text).finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}
