//! Why something could not be fetched.

use super::Method;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// Why a request got no answer, or an answer no end. `Display` is the text of Go's libraries.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportError {
    /// Nobody knows the host's name.
    NoSuchHost(String),
    /// Nobody listens at an address.
    Refused(String),
    /// The other side ended the connection.
    Closed,
    /// The other side broke the connection off.
    Reset,
    /// Nothing came in time: what for, and how long it took.
    TimedOut(&'static str, Duration),
    /// The other side does not speak TLS.
    NotTls,
    /// The other side's certificate is signed by nobody who is trusted.
    UnknownAuthority,
    /// TLS failed otherwise.
    Tls(String),
    /// The options for TLS are wrong.
    TlsOptions(String),
    /// The address may not be talked to.
    Denied(IpAddr),
    /// The URL can't be asked for.
    Url(String),
    /// Anything else.
    Other(String),
}

impl TransportError {
    /// Whether the same request may do better a moment later.
    pub(crate) fn is_passing(&self) -> bool {
        use TransportError::{Closed, Other, Reset, TimedOut};
        matches!(self, Closed | Reset | TimedOut(..) | Other(_))
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchHost(host) => write!(f, "dial tcp: lookup {host}: no such host"),
            Self::Refused(address) => write!(f, "dial tcp {address}: connect: connection refused"),
            Self::Closed => f.write_str("EOF"),
            Self::Reset => f.write_str("connection reset by peer"),
            Self::TimedOut(what, time) => {
                write!(f, "context deadline exceeded ({what}, {})", seconds(*time))
            }
            Self::NotTls => f.write_str("http: server gave HTTP response to HTTPS client"),
            Self::UnknownAuthority => f.write_str(
                "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            ),
            Self::Tls(text) => write!(f, "tls: {text}"),
            Self::TlsOptions(text) => write!(f, "can't create TLS config for client: {text}"),
            Self::Denied(ip) => write!(f, "address {ip} is not allowed: only public ones are"),
            Self::Url(text) | Self::Other(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for TransportError {}

/// Why something could not be fetched. `{}` is Helm's text; `{:#}` adds with which credentials it was
/// tried, how often, and what to do.
#[derive(Debug)]
pub struct FetchError(pub(super) Box<Parts>);

#[derive(Debug)]
pub(super) struct Parts {
    pub(super) kind: FetchErrorKind,
    pub(super) method: Method,
    /// Without secrets.
    pub(super) url: String,
    pub(super) redirected: Option<String>,
    pub(super) credentials: Option<String>,
    pub(super) attempts: u32,
    pub(super) elapsed: Duration,
}

/// What a [`FetchError`] is about.
#[derive(Debug)]
#[non_exhaustive]
pub enum FetchErrorKind {
    /// There was no answer, or it broke off.
    Transport(TransportError),
    /// The answer was not the one that was hoped for.
    Status {
        /// 404.
        status: u16,
        /// `404 Not Found`.
        line: String,
        /// The beginning of the answer.
        body: Vec<u8>,
        /// How long the server asked to be left alone, where that was too long to wait.
        retry_after: Option<Duration>,
    },
    /// More bytes came than are allowed.
    TooLarge(u64),
    /// Redirects went on and on.
    TooManyRedirects(usize),
    /// A redirect led from TLS to plain text, or to something that is no HTTP.
    Redirect(String),
    /// What came could not be kept.
    Sink(String),
}

impl FetchError {
    /// What went wrong.
    pub fn kind(&self) -> &FetchErrorKind {
        &self.0.kind
    }

    /// The URL that was asked for, without secrets.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// How it was asked for.
    pub fn method(&self) -> Method {
        self.0.method
    }

    /// The status of the answer, where there was one.
    pub fn status(&self) -> Option<u16> {
        match self.0.kind {
            FetchErrorKind::Status { status, .. } => Some(status),
            _ => None,
        }
    }

    /// True where a limit was reached.
    pub fn is_limit(&self) -> bool {
        use FetchErrorKind::{TooLarge, TooManyRedirects, Transport};
        let slow = matches!(&self.0.kind, Transport(TransportError::TimedOut(..)));
        slow || matches!(self.0.kind, TooLarge(_) | TooManyRedirects(_))
    }

    /// True where the policy forbids what was asked for.
    pub fn is_denied(&self) -> bool {
        use FetchErrorKind::{Redirect, Transport};
        matches!(&self.0.kind, Redirect(_) | Transport(TransportError::Denied(_)))
    }

    /// What `{:#}` adds, each line behind a line feed and two blanks.
    pub fn write_details(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = &*self.0;
        if let Some(redirected) = &parts.redirected {
            write!(f, "\n  redirected to: {redirected}")?;
        }
        match &parts.credentials {
            Some(credentials) => write!(f, "\n  credentials: {credentials}")?,
            None => f.write_str("\n  credentials: none")?,
        }
        if parts.attempts > 1 {
            write!(f, "\n  tried: {} times in {}", parts.attempts, seconds(parts.elapsed))?;
        }
        match self.hint() {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }

    fn hint(&self) -> Option<String> {
        let given = self.0.credentials.is_some();
        Some(match &self.0.kind {
            FetchErrorKind::Transport(error) => transport_hint(error)?.to_owned(),
            FetchErrorKind::Status { status: 401, .. } if given => {
                "the server refuses these credentials; check the name and the password".to_owned()
            }
            FetchErrorKind::Status { status: 401, .. } => {
                "the server wants credentials: --username and --password, or 'registry login' for a \
                 registry"
                    .to_owned()
            }
            FetchErrorKind::Status { status: 403, .. } => {
                "the server knows who asks and refuses; ask its owner for access".to_owned()
            }
            FetchErrorKind::Status { status: 404, .. } => {
                "there is nothing at this address; check the URL, the name and the version".to_owned()
            }
            FetchErrorKind::Status { retry_after: Some(after), .. } => {
                format!("the server asks to come back in {}", seconds(*after))
            }
            FetchErrorKind::Status { status: 429 | 500.., .. } => {
                "the server is overloaded or broken; try again later".to_owned()
            }
            FetchErrorKind::Redirect(_) | FetchErrorKind::TooManyRedirects(_) => {
                "use the address at which the redirects end".to_owned()
            }
            _ => return None,
        })
    }
}

fn transport_hint(error: &TransportError) -> Option<&'static str> {
    Some(match error {
        TransportError::NoSuchHost(_) => {
            "check the name of the host, and HTTPS_PROXY behind a proxy"
        }
        TransportError::Refused(_) => "check the address and the port, and that the server runs",
        TransportError::NotTls => {
            "the server speaks HTTP: use http: or, for a registry, --plain-http"
        }
        TransportError::UnknownAuthority => {
            "name the server's authority with --ca-file, or trust it with --insecure-skip-tls-verify"
        }
        TransportError::TimedOut(..) => "the server is slow or unreachable; --timeout may help",
        _ => return None,
    })
}

/// A duration for people: `1.4 s`.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { kind, method, url, .. } = &*self.0;
        match kind {
            FetchErrorKind::Transport(error @ TransportError::TlsOptions(_)) => error.fmt(f)?,
            FetchErrorKind::Transport(error) => write!(f, "{} \"{url}\": {error}", method.title())?,
            FetchErrorKind::Status { line, .. } => write!(f, "failed to fetch {url} : {line}")?,
            FetchErrorKind::TooLarge(limit) => {
                write!(f, "failed to fetch {url} : more than {limit} bytes")?;
            }
            FetchErrorKind::TooManyRedirects(limit) => {
                write!(f, "{} \"{url}\": stopped after {limit} redirects", method.title())?;
            }
            FetchErrorKind::Redirect(why) => write!(f, "{} \"{url}\": {why}", method.title())?,
            FetchErrorKind::Sink(why) => write!(f, "failed to fetch {url} : {why}")?,
        }
        if f.alternate() { self.write_details(f) } else { Ok(()) }
    }
}

impl std::error::Error for FetchError {}
