//! The policy around requests: redirects, retries, resumption, bounds.

use super::error::Parts;
use super::{
    Body, Credentials, Event, Fetch, FetchError, FetchErrorKind, Header, MemorySink, Method,
    Progress, Quiet, Request, Response, Sink, Tls, TransportError, origin, redacted, resolve,
    without_userinfo,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is allowed, and how long things may take.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Policy {
    /// How often a request is made before it counts as failed.
    pub attempts: u32,
    /// The pause after the first attempt; it doubles each time.
    pub pause: Duration,
    /// How long a server may ask for patience; longer is a failure.
    pub patience: Duration,
    /// How many redirects are followed.
    pub redirects: usize,
    /// How long the other side may say nothing.
    pub idle: Duration,
    /// How long everything may take, retries included.
    pub total: Duration,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            attempts: 4,
            pause: Duration::from_millis(250),
            patience: Duration::from_secs(60),
            redirects: 5,
            idle: Duration::from_secs(60),
            total: Duration::from_secs(120),
        }
    }
}

impl Policy {
    /// For a service that fetches what strangers name.
    pub fn strict() -> Policy {
        Policy {
            attempts: 2,
            patience: Duration::from_secs(2),
            idle: Duration::from_secs(10),
            total: Duration::from_secs(60),
            ..Policy::default()
        }
    }
}

/// What is asked for, before redirects and retries.
#[derive(Clone, Debug)]
pub struct Call {
    /// How.
    pub method: Method,
    /// Of whom.
    pub url: String,
    /// With which headers.
    pub headers: Vec<Header>,
    /// With which content.
    pub body: Option<Arc<[u8]>>,
    /// Whether the content is for that host alone.
    pub body_is_secret: bool,
    /// Whom to trust.
    pub tls: Arc<Tls>,
    /// What errors say of the credentials that are among the headers.
    pub credentials: Option<String>,
    /// Bytes that the answer may have.
    pub limit: u64,
    /// What is transferred, in the words of a progress bar.
    pub what: String,
    /// Another bound on the time that everything may take.
    pub total: Option<Duration>,
}

impl Call {
    /// Asks for a URL without credentials. User and password in the URL become a header.
    pub fn get(url: &str) -> Call {
        let (bare, user) = without_userinfo(url);
        let call = Call {
            method: Method::Get,
            what: redacted(url),
            url: bare,
            headers: Vec::new(),
            body: None,
            body_is_secret: false,
            tls: Arc::default(),
            credentials: None,
            limit: u64::MAX,
            total: None,
        };
        match user {
            Some((username, password)) => {
                let source = "the URL".to_owned();
                call.basic(&Credentials { username, password, source })
            }
            None => call,
        }
    }

    /// Identifies by name and password.
    #[must_use]
    pub fn basic(mut self, credentials: &Credentials) -> Call {
        let pair = format!("{}:{}", credentials.username, credentials.password);
        let value = format!("Basic {}", STANDARD.encode(pair));
        self.headers.retain(|header| header.name != "authorization");
        self.headers.push(Header::secret("authorization", value));
        self.credentials = Some(credentials.to_string());
        self
    }
}

/// An answer, and where it came from in the end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) response: Response,
    pub(crate) url: String,
}

/// Makes requests by a policy.
#[derive(Clone)]
pub struct Client {
    fetch: Arc<dyn Fetch>,
    pub(crate) policy: Policy,
    progress: Arc<dyn Progress>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Client { fetch, policy, .. } = self;
        f.debug_struct("Client")
            .field("fetch", fetch)
            .field("policy", policy)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client with the default policy.
    pub fn new(fetch: Arc<dyn Fetch>) -> Client {
        Client { fetch, policy: Policy::default(), progress: Arc::new(Quiet) }
    }

    /// Another policy.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Client {
        self.policy = policy;
        self
    }

    /// Tells someone of what happens.
    #[must_use]
    pub fn progress(mut self, progress: Arc<dyn Progress>) -> Client {
        self.progress = progress;
        self
    }

    /// Asks for something small.
    ///
    /// # Errors
    ///
    /// Where it can't be had whole.
    pub async fn bytes(&self, call: &Call) -> Result<Vec<u8>, FetchError> {
        let mut sink = MemorySink::default();
        self.download(call, &mut sink).await?;
        Ok(sink.0)
    }

    /// Asks for something and hands it on piece by piece. A download that breaks off goes on where it
    /// stopped, if the server can do that, else from the beginning.
    ///
    /// # Errors
    ///
    /// Where it can't be had whole.
    pub async fn download(&self, call: &Call, sink: &mut dyn Sink) -> Result<(), FetchError> {
        let mut tries = Tries::new(self, call);
        let what = || call.what.clone();
        let total = tries.total;
        let work = download(&mut tries, sink);
        let outcome = match tokio::time::timeout(total, work).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let error = TransportError::TimedOut("the whole download", total);
                Err(tries.error(FetchErrorKind::Transport(error)))
            }
        };
        self.progress.event(&Event::Ended { what: what() });
        outcome
    }

    /// Makes a request and returns the answer, whatever its status, once retries are of no more use.
    pub(crate) async fn send(&self, call: &Call) -> Result<Reply, FetchError> {
        let mut tries = Tries::new(self, call);
        let total = tries.total;
        match tokio::time::timeout(total, tries.send(&call.headers)).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let error = TransportError::TimedOut("the whole request", total);
                Err(tries.error(FetchErrorKind::Transport(error)))
            }
        }
    }

    /// Reads the rest of an answer that is known to be small.
    pub(crate) async fn rest(&self, call: &Call, reply: Reply) -> Result<Vec<u8>, FetchError> {
        let mut body = reply.response.body;
        let read = read_up_to(&mut *body, call.limit, self.policy.idle).await;
        let tries = Tries::new(self, call);
        match read {
            Ok((bytes, true)) => Ok(bytes),
            Ok((_, false)) => Err(tries.error(FetchErrorKind::TooLarge(call.limit))),
            Err(error) => Err(tries.error(FetchErrorKind::Transport(error))),
        }
    }

    /// The error that stands for an answer.
    pub(crate) async fn refused(&self, call: &Call, reply: Reply) -> FetchError {
        Tries::new(self, call).refused(reply).await
    }
}

/// Reads at most `limit` bytes; false where there are more.
async fn read_up_to(
    body: &mut dyn Body,
    limit: u64,
    idle: Duration,
) -> Result<(Vec<u8>, bool), TransportError> {
    let mut bytes = Vec::new();
    while let Some(piece) = next_piece(body, idle).await? {
        bytes.extend_from_slice(&piece);
        if bytes.len() as u64 > limit {
            bytes.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            return Ok((bytes, false));
        }
    }
    Ok((bytes, true))
}

async fn next_piece(
    body: &mut dyn Body,
    idle: Duration,
) -> Result<Option<Vec<u8>>, TransportError> {
    let piece = tokio::time::timeout(idle, body.chunk()).await;
    piece.unwrap_or(Err(TransportError::TimedOut("waiting for more", idle)))
}

/// A call that may take several attempts.
struct Tries<'c> {
    client: &'c Client,
    call: &'c Call,
    started: Instant,
    total: Duration,
    attempts: u32,
    /// Attempts since something was achieved.
    in_vain: u32,
    redirected: Option<String>,
}

impl<'c> Tries<'c> {
    fn new(client: &'c Client, call: &'c Call) -> Tries<'c> {
        let total = call.total.unwrap_or(client.policy.total);
        let started = Instant::now();
        Tries { client, call, started, total, attempts: 0, in_vain: 0, redirected: None }
    }

    #[cold]
    fn error(&self, kind: FetchErrorKind) -> FetchError {
        FetchError(Box::new(Parts {
            kind,
            method: self.call.method,
            url: redacted(&self.call.url),
            redirected: self.redirected.as_deref().map(redacted),
            credentials: self.call.credentials.clone(),
            attempts: self.attempts,
            elapsed: self.started.elapsed(),
        }))
    }

    async fn refused(&self, reply: Reply) -> FetchError {
        let Response { status, .. } = reply.response;
        let line = reply.response.status_line();
        let retry_after = retry_after(&reply.response);
        let mut body = reply.response.body;
        let read = read_up_to(&mut *body, ERROR_BODY, self.client.policy.idle).await;
        let body = read.map(|(body, _)| body).unwrap_or_default();
        self.error(FetchErrorKind::Status { status, line, body, retry_after })
    }

    /// One answer, after redirects and retries.
    async fn send(&mut self, headers: &[Header]) -> Result<Reply, FetchError> {
        loop {
            self.attempts += 1;
            self.in_vain += 1;
            let outcome = self.follow(headers).await;
            let again = match &outcome {
                Ok(reply) => self.again_after_answer(&reply.response),
                Err(error) => self.again_after_error(error),
            };
            let Some((reason, pause)) = again else { return outcome };
            self.pause(reason, pause).await;
        }
    }

    fn again_after_answer(&self, response: &Response) -> Option<(String, Duration)> {
        let status = response.status;
        let untouched = matches!(status, 429 | 503);
        let passing = untouched || matches!(status, 408 | 500 | 502 | 504);
        if !passing || !(untouched || self.call.method.is_idempotent()) || self.is_last() {
            return None;
        }
        let pause = match retry_after(response) {
            Some(asked) if asked > self.client.policy.patience => return None,
            Some(asked) => asked.max(self.own_pause()),
            None => self.own_pause(),
        };
        Some((response.status_line(), pause))
    }

    fn again_after_error(&self, error: &FetchError) -> Option<(String, Duration)> {
        let FetchErrorKind::Transport(transport) = error.kind() else { return None };
        let again = transport.is_passing() && self.call.method.is_idempotent() && !self.is_last();
        again.then(|| (transport.to_string(), self.own_pause()))
    }

    fn is_last(&self) -> bool {
        self.in_vain >= self.client.policy.attempts || self.attempts >= MOST_ATTEMPTS
    }

    fn own_pause(&self) -> Duration {
        let doublings = self.in_vain.saturating_sub(1).min(10);
        self.client.policy.pause.saturating_mul(1 << doublings)
    }

    async fn pause(&self, reason: String, pause: Duration) {
        let url = redacted(&self.call.url);
        let milliseconds = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        self.client.progress.event(&Event::Retrying { url, reason, milliseconds });
        tokio::time::sleep(pause).await;
    }

    /// One attempt, with the redirects that it meets.
    async fn follow(&mut self, headers: &[Header]) -> Result<Reply, FetchError> {
        let call = self.call;
        let mut request = Request {
            method: call.method,
            url: call.url.clone(),
            headers: headers.to_vec(),
            body: call.body.clone(),
            tls: Arc::clone(&call.tls),
        };
        self.redirected = None;
        let home = origin(&call.url);
        let redirects = self.client.policy.redirects;
        for _ in 0..=redirects {
            self.check_url(&request)?;
            let response = self.exchange(&request).await?;
            let Some(location) = redirect(&request, &response) else {
                return Ok(Reply { response, url: request.url });
            };
            let target = resolve(&request.url, &location);
            let target = target.ok_or_else(|| {
                self.error(FetchErrorKind::Redirect("the redirect leads nowhere".to_owned()))
            })?;
            if origin(&request.url).is_some_and(|o| o.scheme == "https")
                && origin(&target).is_none_or(|o| o.scheme != "https")
            {
                let why = format!("the redirect to {} gives up TLS", redacted(&target));
                return Err(self.error(FetchErrorKind::Redirect(why)));
            }
            let (target, _) = without_userinfo(&target);
            if response.status == 303 && request.method != Method::Head {
                request.method = Method::Get;
                request.body = None;
            }
            request.url = target;
            self.redirected = Some(request.url.clone());
            if origin(&request.url) != home {
                if call.body_is_secret && request.body.is_some() {
                    let why = format!(
                        "the redirect to {} would give credentials away",
                        redacted(&request.url)
                    );
                    return Err(self.error(FetchErrorKind::Redirect(why)));
                }
                request.headers.retain(|header| !header.secret);
                request.tls = Arc::new(call.tls.anonymous());
            }
        }
        Err(self.error(FetchErrorKind::TooManyRedirects(redirects)))
    }

    fn check_url(&self, request: &Request) -> Result<(), FetchError> {
        let scheme = origin(&request.url).map(|o| o.scheme);
        match scheme.as_deref() {
            Some("http" | "https") => Ok(()),
            _ => Err(self.error(FetchErrorKind::Transport(TransportError::Url(format!(
                "only http and https URLs with a host can be fetched, not {}",
                redacted(&request.url)
            ))))),
        }
    }

    async fn exchange(&self, request: &Request) -> Result<Response, FetchError> {
        let idle = self.client.policy.idle;
        let answer = tokio::time::timeout(idle, self.client.fetch.fetch(request)).await;
        let answer = answer.unwrap_or(Err(TransportError::TimedOut("waiting for an answer", idle)));
        answer.map_err(|error| self.error(FetchErrorKind::Transport(error)))
    }
}

/// Of an answer that is no success, this much is kept.
const ERROR_BODY: u64 = 4096;

/// However much each attempt achieves, no more are made.
const MOST_ATTEMPTS: u32 = 50;

/// Where an answer sends the request, if it does and the request may go there.
fn redirect(request: &Request, response: &Response) -> Option<String> {
    let reads = matches!(request.method, Method::Get | Method::Head);
    let follows = match response.status {
        301..=303 => reads,
        307 | 308 => true,
        _ => false,
    };
    response.header("location").filter(|_| follows).map(str::to_owned)
}

/// How long the server wants to be left alone; only seconds are understood, dates count for none.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.header("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// How far a download has come.
#[derive(Default)]
struct Transfer {
    size: u64,
    /// What the server calls this version of the content.
    tag: Option<String>,
}

async fn download(tries: &mut Tries<'_>, sink: &mut dyn Sink) -> Result<(), FetchError> {
    let mut transfer = Transfer::default();
    loop {
        let mut headers = tries.call.headers.clone();
        if transfer.size > 0 {
            headers.push(Header::new("range", format!("bytes={}-", transfer.size)));
            if let Some(tag) = &transfer.tag {
                headers.push(Header::new("if-range", tag.clone()));
            }
        }
        let reply = tries.send(&headers).await?;
        let before = transfer.size;
        let failure = match receive(tries, reply, &mut transfer, sink).await? {
            None => return Ok(()),
            Some(failure) => failure,
        };
        if transfer.size > before {
            tries.in_vain = 1;
        }
        if !failure.is_passing() || tries.is_last() {
            return Err(tries.error(FetchErrorKind::Transport(failure)));
        }
        let pause = tries.own_pause();
        tries.pause(failure.to_string(), pause).await;
    }
}

/// Takes what an answer brings. What broke it off is returned where the rest may still be had.
async fn receive(
    tries: &Tries<'_>,
    reply: Reply,
    transfer: &mut Transfer,
    sink: &mut dyn Sink,
) -> Result<Option<TransportError>, FetchError> {
    let sink_error = |why| tries.error(FetchErrorKind::Sink(why));
    let goes_on = reply.response.status == 206
        && transfer.size > 0
        && first_byte(&reply.response) == Some(transfer.size);
    // A server that finds nothing behind the last byte has another content now.
    if reply.response.status == 416 && transfer.size > 0 {
        sink.restart().map_err(sink_error)?;
        *transfer = Transfer::default();
        return Ok(Some(TransportError::Other("the content has changed".to_owned())));
    }
    if !goes_on {
        if reply.response.status != 200 {
            return Err(tries.refused(reply).await);
        }
        if transfer.size > 0 {
            sink.restart().map_err(sink_error)?;
            transfer.size = 0;
        }
    }
    let limit = tries.call.limit;
    let length = reply.response.header("content-length").and_then(|text| text.parse::<u64>().ok());
    let total = length.map(|length| length.saturating_add(transfer.size));
    if total.is_some_and(|total| total > limit) {
        return Err(tries.error(FetchErrorKind::TooLarge(limit)));
    }
    let strong = |tag: &&str| !tag.starts_with("W/");
    transfer.tag = reply.response.header("etag").filter(strong).map(str::to_owned);
    let what = || tries.call.what.clone();
    tries.client.progress.event(&Event::Started { what: what(), total });
    let mut body = reply.response.body;
    loop {
        match next_piece(&mut *body, tries.client.policy.idle).await {
            Ok(Some(piece)) => {
                transfer.size += piece.len() as u64;
                if transfer.size > limit {
                    return Err(tries.error(FetchErrorKind::TooLarge(limit)));
                }
                sink.write(&piece).map_err(sink_error)?;
                let bytes = transfer.size;
                tries.client.progress.event(&Event::Moved { what: what(), bytes });
            }
            Ok(None) if total.is_some_and(|total| transfer.size < total) => {
                return Ok(Some(TransportError::Other("unexpected EOF".to_owned())));
            }
            Ok(None) => return Ok(None),
            Err(error) => return Ok(Some(error)),
        }
    }
}

/// Where the part begins that an answer brings.
fn first_byte(response: &Response) -> Option<u64> {
    let range = response.header("content-range")?.strip_prefix("bytes ")?;
    range.split('-').next()?.trim().parse().ok()
}
