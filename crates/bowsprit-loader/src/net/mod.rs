//! HTTP for chart repositories and registries.
//!
//! [`Fetch`] makes one request and follows nothing: embedders may bring their own. [`Http`] is ours, on
//! reqwest. [`Client`] puts the policy around either: redirects that never carry credentials to another
//! host, retries that honour `Retry-After`, interrupted downloads that go on where they stopped, bounds
//! on size and time.

mod address;
pub(crate) mod client;
mod error;
mod http;
mod proxy;
pub(crate) mod sink;
mod tls;
mod trust;
mod url;

pub use address::Addresses;
pub use client::{Call, Client, Policy};
pub use error::{FetchError, FetchErrorKind, TransportError};
pub use http::Http;
pub use proxy::Proxies;
pub use sink::{FileSink, MemorySink, Sink};
pub use tls::Tls;
pub(crate) use url::{origin, redacted, resolve, without_userinfo};

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

/// A future that may move between threads.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Reads the headers only.
    Head,
    /// Begins an upload, or asks for a token.
    Post,
    /// Writes.
    Put,
    /// Writes a part.
    Patch,
    /// Removes.
    Delete,
}

impl Method {
    /// The name in a request.
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }

    /// As Go's client names it in errors.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Method::Get => "Get",
            Method::Head => "Head",
            Method::Post => "Post",
            Method::Put => "Put",
            Method::Patch => "Patch",
            Method::Delete => "Delete",
        }
    }

    /// Whether a request may be made again when nobody knows what became of it.
    pub(crate) fn is_idempotent(self) -> bool {
        !matches!(self, Method::Post | Method::Patch)
    }
}

/// A name and a password, or a token in the place of the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The name; empty where the password is a token that needs none.
    pub username: String,
    /// The password or token.
    pub password: String,
    /// Where they were found, as errors say it: `--username`, `repositories.yaml`.
    pub source: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Credentials { username, source, .. } = self;
        f.debug_struct("Credentials")
            .field("username", username)
            .field("source", source)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.username.is_empty() {
            return write!(f, "a token from {}", self.source);
        }
        write!(f, "user {:?} from {}", self.username, self.source)
    }
}

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    /// What it does.
    pub method: Method,
    /// Where it goes.
    pub url: String,
    /// Headers; credentials are among them only if they are meant for this host.
    pub headers: Vec<Header>,
    /// What is sent.
    pub body: Option<Arc<[u8]>>,
    /// Whom to trust and how to identify.
    pub tls: Arc<Tls>,
}

/// A header of a request. Its value is not printed where it is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// In lower case.
    pub name: String,
    /// As it is sent.
    pub value: String,
    /// Not to be printed, and not to be sent to another host.
    pub secret: bool,
}

impl Header {
    /// A header that anyone may read.
    pub fn new(name: &str, value: impl Into<String>) -> Header {
        Header { name: name.to_owned(), value: value.into(), secret: false }
    }

    /// A header that is for one host alone.
    pub fn secret(name: &str, value: impl Into<String>) -> Header {
        Header { name: name.to_owned(), value: value.into(), secret: true }
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = if self.secret { "[secret]" } else { &self.value };
        write!(f, "{}: {value}", self.name)
    }
}

/// The answer to a request, whose body is still to be read.
pub struct Response {
    /// The status: 200, 404.
    pub status: u16,
    /// The words that the server has for the status; may be empty.
    pub reason: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// What follows.
    pub body: Box<dyn Body>,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Response { status, headers, .. } = self;
        f.debug_struct("Response")
            .field("status", status)
            .field("headers", headers)
            .finish_non_exhaustive()
    }
}

impl Response {
    /// The first header of a name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Status and words: `404 Not Found`.
    pub fn status_line(&self) -> String {
        format!("{} {}", self.status, self.reason).trim_end().to_owned()
    }
}

/// The body of an answer, piece by piece.
pub trait Body: Send {
    /// The next piece; `None` at the end. An end that comes too early is an error.
    fn chunk(&mut self) -> Pending<'_, Result<Option<Vec<u8>>, TransportError>>;
}

/// Makes requests, one at a time and without following redirects.
pub trait Fetch: Send + Sync + fmt::Debug {
    /// Sends a request and waits for the head of the answer.
    fn fetch<'a>(&'a self, request: &'a Request) -> Pending<'a, Result<Response, TransportError>>;
}

/// What happens meanwhile, for whoever shows progress.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A transfer begins; `total` where its size is known.
    Started {
        /// What is transferred, in a few words.
        what: String,
        /// Bytes to come.
        total: Option<u64>,
    },
    /// Bytes of a transfer are through, all in all.
    Moved {
        /// As in [`Event::Started`].
        what: String,
        /// Bytes so far.
        bytes: u64,
    },
    /// A transfer is over, well or not.
    Ended {
        /// As in [`Event::Started`].
        what: String,
    },
    /// A request is made again after a pause.
    Retrying {
        /// Where to, without secrets.
        url: String,
        /// Why.
        reason: String,
        /// For how long nothing happens.
        milliseconds: u64,
    },
}

/// Who wants to know.
pub trait Progress: Send + Sync {
    /// Something happened.
    fn event(&self, event: &Event);
}

/// Nobody wants to know.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn event(&self, _: &Event) {}
}
