//! Requests by reqwest.

use super::{
    Addresses, Body, Fetch, Method, Pending, Proxies, Request, Response, Tls, TransportError,
};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::collections::HashMap;
use std::error::Error as StdError;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Makes requests with reqwest and rustls.
///
/// A client is made for each set of TLS options when it is first needed, and the system's authorities
/// are read only for `https:` URLs.
#[derive(Debug)]
pub struct Http {
    user_agent: String,
    proxies: Proxies,
    addresses: Addresses,
    connect_timeout: Duration,
    clients: Mutex<HashMap<(Tls, bool), reqwest::Client>>,
}

impl Http {
    /// A fetcher that introduces itself as `user_agent`.
    pub fn new(user_agent: impl Into<String>) -> Http {
        Http {
            user_agent: user_agent.into(),
            proxies: Proxies::default(),
            addresses: Addresses::Any,
            connect_timeout: Duration::from_secs(30),
            clients: Mutex::default(),
        }
    }

    /// Sends requests through proxies.
    #[must_use]
    pub fn proxies(mut self, proxies: Proxies) -> Http {
        self.proxies = proxies;
        self
    }

    /// Restricts the addresses that are talked to. A proxy is asked whatever its address.
    #[must_use]
    pub fn addresses(mut self, addresses: Addresses) -> Http {
        self.addresses = addresses;
        self
    }

    /// How long connecting may take; 30 seconds without it.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Http {
        self.connect_timeout = timeout;
        self
    }

    fn client(&self, tls: &Tls, secure: bool) -> Result<reqwest::Client, TransportError> {
        let key = (tls.clone(), secure);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let client = self.build(tls, secure)?;
        clients.insert(key, client.clone());
        Ok(client)
    }

    fn build(&self, tls: &Tls, secure: bool) -> Result<reqwest::Client, TransportError> {
        let proxies = [&self.proxies.http, &self.proxies.https];
        let secure_proxy = proxies.into_iter().flatten().any(|p| p.starts_with("https:"));
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.config(secure || secure_proxy)?)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .user_agent(&self.user_agent)
            .connect_timeout(self.connect_timeout)
            .dns_resolver(Resolver(self.addresses));
        let builder = self.proxies.apply(builder);
        let built = builder.and_then(reqwest::ClientBuilder::build);
        built.map_err(|error| TransportError::Other(chain(&error)))
    }

    async fn send(&self, request: &Request) -> Result<Response, TransportError> {
        let url = reqwest::Url::parse(&request.url)
            .map_err(|e| TransportError::Url(format!("invalid URL: {e}")))?;
        let literal = url.host_str().map(|host| host.trim_matches(['[', ']']).parse::<IpAddr>());
        if let Some(Ok(ip)) = literal {
            self.addresses.check(ip)?;
        }
        let client = self.client(&request.tls, url.scheme() == "https")?;
        let mut builder = client.request(method(request.method), url.clone());
        for header in &request.headers {
            builder = builder.header(header.name.as_str(), header.value.as_str());
        }
        if let Some(body) = &request.body {
            builder = builder.body(body.to_vec());
        }
        let sent = builder.send().await;
        let response = sent.map_err(|error| classify(&error, &url, self.connect_timeout))?;
        Ok(convert(response))
    }
}

impl Fetch for Http {
    fn fetch<'a>(&'a self, request: &'a Request) -> Pending<'a, Result<Response, TransportError>> {
        Box::pin(self.send(request))
    }
}

fn method(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Head => reqwest::Method::HEAD,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Patch => reqwest::Method::PATCH,
        Method::Delete => reqwest::Method::DELETE,
    }
}

fn convert(response: reqwest::Response) -> Response {
    let words = response.extensions().get::<hyper::ext::ReasonPhrase>();
    let reason = match words {
        Some(words) => String::from_utf8_lossy(words.as_bytes()).into_owned(),
        None => response.status().canonical_reason().unwrap_or_default().to_owned(),
    };
    let headers = response.headers().iter();
    let headers = headers.map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    Response {
        status: response.status().as_u16(),
        reason,
        headers: headers.collect(),
        body: Box::new(Pieces(response)),
    }
}

/// The rest of an answer.
struct Pieces(reqwest::Response);

impl Body for Pieces {
    fn chunk(&mut self) -> Pending<'_, Result<Option<Vec<u8>>, TransportError>> {
        Box::pin(async {
            let url = self.0.url().clone();
            let piece = self.0.chunk().await;
            match piece {
                Ok(piece) => Ok(piece.map(|bytes| bytes.to_vec())),
                Err(error) => Err(match classify(&error, &url, Duration::ZERO) {
                    TransportError::Closed => TransportError::Other("unexpected EOF".to_owned()),
                    other => other,
                }),
            }
        })
    }
}

/// Names are looked up by the system and judged by the addresses that they have.
#[derive(Debug)]
struct Resolver(Addresses);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let addresses = self.0;
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = tokio::net::lookup_host((host.as_str(), 0)).await;
            let found = found.map(Iterator::collect).map_err(|_| ());
            let found = found.map_err(|()| TransportError::NoSuchHost(host.clone()))?;
            let kept = addresses.filter(found)?;
            Ok(Box::new(kept.into_iter()) as Addrs)
        })
    }
}

/// Finds in the causes of an error what went wrong.
fn classify(error: &reqwest::Error, url: &reqwest::Url, connecting: Duration) -> TransportError {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    let mut closed = false;
    while let Some(cause) = next {
        if let Some(known) = cause.downcast_ref::<TransportError>() {
            return known.clone();
        }
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return classify_tls(tls);
        }
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            if let Some(found) = classify_io(io, url) {
                return found;
            }
            // What the system did not say may be said by what is inside.
            if let Some(inner) = io.get_ref() {
                next = Some(inner);
                continue;
            }
        }
        if let Some(hyper) = cause.downcast_ref::<hyper::Error>() {
            closed |= hyper.is_incomplete_message() || hyper.is_closed();
        }
        next = cause.source();
    }
    if closed {
        return TransportError::Closed;
    }
    if error.is_timeout() {
        return TransportError::TimedOut("connecting", connecting);
    }
    TransportError::Other(chain(error))
}

fn classify_tls(error: &rustls::Error) -> TransportError {
    use rustls::{CertificateError, InvalidMessage};
    match error {
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => TransportError::NotTls,
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            TransportError::UnknownAuthority
        }
        rustls::Error::InvalidCertificate(error) => {
            TransportError::Tls(format!("failed to verify certificate: {error}"))
        }
        error => TransportError::Tls(error.to_string()),
    }
}

fn classify_io(error: &std::io::Error, url: &reqwest::Url) -> Option<TransportError> {
    use std::io::ErrorKind;
    Some(match error.kind() {
        ErrorKind::ConnectionRefused => {
            let host = url.host_str().unwrap_or_default();
            let port = url.port_or_known_default().unwrap_or_default();
            TransportError::Refused(format!("{host}:{port}"))
        }
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted => {
            TransportError::Reset
        }
        ErrorKind::UnexpectedEof => TransportError::Closed,
        _ => return None,
    })
}

/// The causes of an error, which reqwest does not print.
fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}
