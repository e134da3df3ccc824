//! What goes wrong with registries.

use crate::io::PathError;
use crate::net::{FetchError, FetchErrorKind};
use std::fmt;

/// Why a registry could not be used. `{}` is Helm's text; `{:#}` adds what [`FetchError`] adds, and which
/// credential helpers failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum OciError {
    /// The reference is none.
    Reference(String),
    /// A request failed.
    Fetch {
        /// What was done: `failed to perform "FetchReference" on source: `; may be empty.
        doing: String,
        /// What there is to say instead of the request's error, such as `not found`.
        instead: Option<String>,
        /// Why.
        source: FetchError,
        /// Credential helpers that failed before.
        troubles: Vec<String>,
    },
    /// What was brought is not what the manifest promised.
    Digest {
        /// The digest in the manifest or the reference.
        wanted: String,
        /// The digest of what came.
        found: String,
    },
    /// The registry's answer is not as it must be, or what is asked for makes no sense.
    Invalid(String),
    /// The disk refuses.
    Io(PathError),
}

impl OciError {
    /// The failed request, where there is one.
    pub fn fetch(&self) -> Option<&FetchError> {
        match self {
            Self::Fetch { source, .. } => Some(source),
            _ => None,
        }
    }

    /// True where the registry has nothing of that name.
    pub fn is_not_found(&self) -> bool {
        self.fetch().and_then(FetchError::status) == Some(404)
    }

    /// Says what was done.
    pub(super) fn doing(mut self, what: impl Into<String>) -> OciError {
        if let Self::Fetch { doing, .. } = &mut self {
            *doing = what.into();
        }
        self
    }
}

impl From<PathError> for OciError {
    fn from(error: PathError) -> OciError {
        OciError::Io(error)
    }
}

impl fmt::Display for OciError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference(text) | Self::Invalid(text) => f.write_str(text),
            Self::Fetch { doing, instead, source, troubles } => {
                f.write_str(doing)?;
                match instead {
                    Some(text) => f.write_str(text)?,
                    None => write_fetch(f, source)?,
                }
                if f.alternate() {
                    if instead.is_some() {
                        write!(f, "\n  url: {}", source.url())?;
                    }
                    source.write_details(f)?;
                    for trouble in troubles {
                        write!(f, "\n  note: {trouble}")?;
                    }
                }
                Ok(())
            }
            Self::Digest { wanted, found } => {
                write!(f, "mismatch digest: got {found}, but {wanted} was expected")
            }
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OciError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Fetch { source, .. } => Some(source),
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

/// Helm's library prints answers in another way than its client for repositories does.
fn write_fetch(f: &mut fmt::Formatter<'_>, error: &FetchError) -> fmt::Result {
    let FetchErrorKind::Status { status, line, body, .. } = error.kind() else {
        return write!(f, "{error}");
    };
    let said = messages(body).unwrap_or_else(|| {
        line.split_once(' ').map_or(String::new(), |(_, words)| words.to_owned())
    });
    let (method, url) = (error.method().name(), error.url());
    write!(f, "{method} \"{url}\": response status code {status}: {said}")
}

/// The errors that a registry lists in its answer.
fn messages(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let errors = body.get("errors")?.as_array()?;
    let message = |error: &serde_json::Value| {
        let text = |name: &str| error.get(name).and_then(|v| v.as_str()).unwrap_or_default();
        let code = text("code").to_lowercase().replace('_', " ");
        match text("message") {
            "" => code,
            message => format!("{code}: {message}"),
        }
    };
    let messages: Vec<String> = errors.iter().map(message).collect();
    (!messages.is_empty()).then(|| messages.join("; "))
}
