//! Requests to an API server, and what happens when they fail.
//!
//! Every request goes through [`Cluster::call`], which repeats what can be repeated until the deadline:
//! throttled requests (as long as the server says), failures of the server, connections that break. An
//! expired token is read anew once.

use crate::discovery::Discovery;
use crate::error::{Error, ErrorKind, Result};
use crate::kubeconfig;
use http::{Method, Request, StatusCode, header};
use kube::client::Body;
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use serde_json::Value as Json;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How to reach a cluster. Empty fields leave the kubeconfig's word.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// The kubeconfig file; else `KUBECONFIG`, else `~/.kube/config`, else the pod that this runs in.
    pub kubeconfig: Option<PathBuf>,
    /// The context in it.
    pub context: Option<String>,
    /// Another address.
    pub server: Option<String>,
    /// A bearer token instead of the context's user.
    pub token: Option<String>,
    /// A user to act as.
    pub as_user: Option<String>,
    /// Groups to act with.
    pub as_groups: Vec<String>,
    /// A file with the authorities that the server's certificate may be signed by.
    pub ca_file: Option<PathBuf>,
    /// The name in the server's certificate.
    pub tls_server_name: Option<String>,
    /// Takes any certificate.
    pub insecure: bool,
}

/// An API server. Cloning is cheap.
#[derive(Clone)]
pub struct Cluster {
    shared: Arc<Shared>,
    deadline: Instant,
}

struct Shared {
    client: RwLock<Client>,
    options: Option<ConnectOptions>,
    address: String,
    default_namespace: String,
    answered: AtomicBool,
    cancelled: tokio::sync::watch::Sender<bool>,
    discovery: Mutex<Option<Arc<Discovery>>>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("address", &self.shared.address).finish_non_exhaustive()
    }
}

/// How long requests are repeated when nothing else is said.
const DEFAULT_PATIENCE: Duration = Duration::from_secs(300);

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) content_type: &'static str,
    pub(crate) accept: &'static str,
    pub(crate) body: Vec<u8>,
}

impl Call {
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Call {
        Call {
            method,
            path: path.into(),
            query: Vec::new(),
            content_type: "application/json",
            accept: "application/json",
            body: Vec::new(),
        }
    }

    pub(crate) fn get(path: impl Into<String>) -> Call {
        Call::new(Method::GET, path)
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl Into<String>) -> Call {
        self.query.push((name, value.into()));
        self
    }

    pub(crate) fn json(mut self, body: &Json) -> Call {
        self.body = body.to_string().into_bytes();
        self
    }

    pub(crate) fn content(mut self, content_type: &'static str) -> Call {
        self.content_type = content_type;
        self
    }

    pub(crate) fn accept(mut self, accept: &'static str) -> Call {
        self.accept = accept;
        self
    }

    fn uri(&self) -> String {
        let mut uri = self.path.clone();
        for (i, (name, value)) in self.query.iter().enumerate() {
            uri.push(if i == 0 { '?' } else { '&' });
            uri.push_str(name);
            uri.push('=');
            push_encoded(&mut uri, value);
        }
        uri
    }

    fn request(&self) -> Result<Request<Body>> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(self.uri())
            .header(header::ACCEPT, self.accept)
            .header(header::USER_AGENT, concat!("bowsprit/", env!("CARGO_PKG_VERSION")));
        if !self.body.is_empty() {
            request = request.header(header::CONTENT_TYPE, self.content_type);
        }
        request
            .body(Body::from(self.body.clone()))
            .map_err(|e| Error::caused(ErrorKind::Usage, format!("bad request: {e}"), e))
    }
}

/// Appends a text as part of a path or a query.
pub(crate) fn push_encoded(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b':' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
}

/// What a try gave.
enum Outcome {
    Done(Vec<u8>),
    Failed(Error),
    /// To be tried again, after a while if the server says how long.
    Again {
        error: Error,
        after: Option<Duration>,
        tries: u32,
    },
    /// The server does not know the caller any more.
    Unknown(Error),
}

/// Tries of requests that fail in ways that seldom pass.
const FEW: u32 = 3;
const SOME: u32 = 7;
const MANY: u32 = u32::MAX;

impl Cluster {
    /// Reads the kubeconfig and prepares connections; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// Fails where the kubeconfig does not say how to reach a server.
    pub async fn connect(options: &ConnectOptions) -> Result<Cluster> {
        let config = config(options).await?;
        let address = config.cluster_url.to_string();
        let default_namespace = config.default_namespace.clone();
        let client = client(config)?;
        Ok(Cluster::new(client, Some(options.clone()), address, default_namespace))
    }

    /// A cluster behind a client that is there already. Switch off the client's own retries
    /// (`Config::default_retry`), or requests are repeated twice over.
    pub fn from_client(client: Client) -> Cluster {
        let namespace = client.default_namespace().to_owned();
        Cluster::new(client, None, String::new(), namespace)
    }

    fn new(
        client: Client,
        options: Option<ConnectOptions>,
        address: String,
        default_namespace: String,
    ) -> Cluster {
        let shared = Shared {
            client: RwLock::new(client),
            options,
            address,
            default_namespace,
            answered: AtomicBool::new(false),
            cancelled: tokio::sync::watch::Sender::new(false),
            discovery: Mutex::new(None),
        };
        Cluster { shared: Arc::new(shared), deadline: Instant::now() + DEFAULT_PATIENCE }
    }

    /// The same cluster, whose requests are repeated for at most so long from now.
    #[must_use]
    pub fn patient(&self, patience: Duration) -> Cluster {
        let now = Instant::now();
        let deadline = now.checked_add(patience).unwrap_or(now + Duration::from_secs(86_400));
        Cluster { shared: Arc::clone(&self.shared), deadline }
    }

    /// The namespace of the kubeconfig's context.
    pub fn default_namespace(&self) -> &str {
        &self.shared.default_namespace
    }

    /// Asks all operations on this cluster, by whatever clone, to stop at the next safe place. They end
    /// with [`ErrorKind::Cancelled`], after the release's record says so.
    pub fn cancel(&self) {
        self.shared.cancelled.send_replace(true);
    }

    /// Whether [`Cluster::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        *self.shared.cancelled.borrow()
    }

    /// Fails where the operation shall stop.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            return Err(Error::new(ErrorKind::Cancelled, "interrupted"));
        }
        Ok(())
    }

    /// Waits, unless the operation is cancelled meanwhile.
    pub(crate) async fn pause(&self, time: Duration) -> Result<()> {
        let mut cancelled = self.shared.cancelled.subscribe();
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            _ = cancelled.wait_for(|cancelled| *cancelled) => {}
        }
        self.check()
    }

    pub(crate) fn cached_discovery(&self) -> Option<Arc<Discovery>> {
        self.shared.discovery.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn cache_discovery(&self, discovery: Option<Arc<Discovery>>) {
        *self.shared.discovery.lock().unwrap_or_else(PoisonError::into_inner) = discovery;
    }

    /// Sends a request and gives the body of the answer.
    pub(crate) async fn call(&self, call: &Call) -> Result<Vec<u8>> {
        let mut attempt = 0;
        let mut renewed = false;
        // What is sent after an interrupt is the last word, which is worth some patience.
        let interrupted = self.is_cancelled();
        loop {
            let (error, after, tries) = match self.attempt(call).await {
                Outcome::Done(body) => {
                    self.shared.answered.store(true, Ordering::Relaxed);
                    return Ok(body);
                }
                Outcome::Failed(error) => return Err(error),
                Outcome::Unknown(error) if renewed => return Err(error),
                Outcome::Unknown(error) => {
                    renewed = true;
                    if !self.renew().await? {
                        return Err(error);
                    }
                    continue;
                }
                Outcome::Again { error, after, tries } => (error, after, tries),
            };
            attempt += 1;
            let pause = after.unwrap_or_else(|| backoff(attempt));
            if attempt >= tries || Instant::now() + pause >= self.deadline {
                return Err(error);
            }
            match interrupted {
                true => tokio::time::sleep(pause).await,
                false => self.pause(pause).await?,
            }
        }
    }

    /// As [`Cluster::call`], for answers that are JSON.
    pub(crate) async fn call_json(&self, call: &Call) -> Result<Json> {
        let body = self.call(call).await?;
        serde_json::from_slice(&body).map_err(|e| {
            let text = format!("{}: the answer is no JSON: {e}", call.path);
            Error::caused(ErrorKind::Server, text, e)
        })
    }

    async fn attempt(&self, call: &Call) -> Outcome {
        let request = match call.request() {
            Ok(request) => request,
            Err(error) => return Outcome::Failed(error),
        };
        let client = self.shared.client.read().unwrap_or_else(PoisonError::into_inner).clone();
        let left = self.deadline.saturating_duration_since(Instant::now());
        let patience = left.clamp(Duration::from_secs(5), Duration::from_secs(65));
        let answer = tokio::time::timeout(patience, async {
            let response = client.send(request).await?;
            let (parts, body) = response.into_parts();
            Ok::<_, kube::Error>((parts, body.collect_bytes().await?))
        });
        let (parts, body) = match answer.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return self.broken(call, &error),
            Err(_) => {
                let text = format!("{} {}: no answer within {patience:?}", call.method, call.path);
                let error = Error::new(ErrorKind::Unreachable, text);
                return Outcome::Again { error, after: None, tries: MANY };
            }
        };
        if parts.status.is_success() {
            return Outcome::Done(body.to_vec());
        }
        let after = parts
            .headers
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(|seconds: u64| Duration::from_secs(seconds.min(120)));
        refused(parts.status, after, &body, call)
    }

    /// A request that got no answer.
    fn broken(&self, call: &Call, error: &kube::Error) -> Outcome {
        let causes = causes(error);
        let never = !self.shared.answered.load(Ordering::Relaxed);
        let address = self.shared.address.trim_end_matches('/');
        let text = format!("{} {address}{}: {causes}", call.method, call.path);
        let config = matches!(error, kube::Error::Auth(_) | kube::Error::HttpError(_));
        let error = Error::new(ErrorKind::Unreachable, text);
        let error = if never { error.unreachable() } else { error };
        // Who has never answered is not there; who has, may come back.
        if config || (never && !causes.contains("reset") && !causes.contains("closed")) {
            return Outcome::Failed(error);
        }
        Outcome::Again { error, after: None, tries: MANY }
    }

    /// Reads the credentials anew; false where there is nothing to read them from.
    async fn renew(&self) -> Result<bool> {
        let Some(options) = &self.shared.options else { return Ok(false) };
        let renewed = client(config(options).await?)?;
        *self.shared.client.write().unwrap_or_else(PoisonError::into_inner) = renewed;
        Ok(true)
    }
}

/// What a refusal means and whether to try again.
fn refused(status: StatusCode, after: Option<Duration>, body: &[u8], call: &Call) -> Outcome {
    let answer: Json = serde_json::from_slice(body).unwrap_or_default();
    let text = match answer["message"].as_str().filter(|text| !text.is_empty()) {
        Some(text) => text.to_owned(),
        None => {
            let body = String::from_utf8_lossy(body);
            format!("{} {}: {status}: {}", call.method, call.path, body.trim())
        }
    };
    let reason = answer["reason"].as_str().unwrap_or_default();
    let again =
        |kind, tries| Outcome::Again { error: Error::new(kind, text.as_str()), after, tries };
    let failed = |kind| Outcome::Failed(Error::new(kind, text.as_str()));
    match status.as_u16() {
        401 => Outcome::Unknown(Error::new(
            ErrorKind::Unauthorized,
            format!("the API server does not know who asks (token expired?): {text}"),
        )),
        403 if text.contains("because it is being terminated") => failed(ErrorKind::Conflict),
        403 => failed(ErrorKind::Forbidden),
        404 => failed(ErrorKind::NotFound),
        409 if reason == "AlreadyExists" => failed(ErrorKind::AlreadyExists),
        409 => failed(ErrorKind::Conflict),
        400 | 413 | 415 | 422 => failed(ErrorKind::Invalid),
        429 => again(ErrorKind::Server, MANY),
        // A webhook that can't be called will hardly come up in the meantime.
        500 if text.contains("failed calling webhook") => again(ErrorKind::Server, FEW),
        // Fields that the kind does not have; some servers take that for a failure of their own.
        500 if text.starts_with("failed to create typed patch object") => {
            failed(ErrorKind::Invalid)
        }
        500 => again(ErrorKind::Server, SOME),
        502..=504 => again(ErrorKind::Server, MANY),
        _ => failed(ErrorKind::Server),
    }
}

/// 0.1 s, doubled each time up to 5 s, a third of it by chance.
fn backoff(attempt: u32) -> Duration {
    let millis = 100u64.saturating_mul(1 << attempt.saturating_sub(1).min(6)).min(5000);
    let mut chance = [0; 2];
    let _ = getrandom::fill(&mut chance);
    let spread = millis / 3;
    Duration::from_millis(millis - spread + spread * u64::from(u16::from_le_bytes(chance)) / 65_535)
}

/// An error with all that caused it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = String::new();
    let mut at = error.source();
    while let Some(error) = at {
        let cause = error.to_string();
        if !text.contains(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
        at = error.source();
    }
    if text.is_empty() { error.to_string() } else { text }
}

fn client(config: Config) -> Result<Client> {
    Client::try_from(config).map_err(|e| {
        Error::caused(ErrorKind::Config, format!("kubernetes cluster unreachable: {e}"), e)
    })
}

/// Turns options into what kube-rs wants.
async fn config(options: &ConnectOptions) -> Result<Config> {
    let wrong = |e: &dyn std::fmt::Display| {
        Error::new(ErrorKind::Config, format!("kubernetes cluster unreachable: {e}"))
    };
    let explained = |e: KubeconfigError| wrong(&kubeconfig::explain(&e));
    let selection = KubeConfigOptions { context: options.context.clone(), ..Default::default() };
    let read = match (&options.kubeconfig, &options.context) {
        (Some(file), _) => Some(Kubeconfig::read_from(file).map_err(explained)?),
        (None, Some(_)) => Some(Kubeconfig::read().map_err(explained)?),
        (None, None) => Kubeconfig::from_env().map_err(explained)?,
    };
    if let (Some(read), Some(wanted)) = (&read, &options.context)
        && let Some(missing) = kubeconfig::without_context(read, wanted)
    {
        return Err(wrong(&missing));
    }
    let mut config = match read {
        Some(read) => Config::from_custom_kubeconfig(read, &selection).await.map_err(explained)?,
        None => match (Config::infer().await, &options.server) {
            (Ok(config), _) => config,
            (Err(_), Some(server)) => Config::new(server.parse().map_err(|e| wrong(&e))?),
            (Err(e), None) => return Err(wrong(&kubeconfig::explain_none(&e))),
        },
    };
    apply_options(&mut config, options).map_err(|e| wrong(&e))?;
    config.default_retry = false;
    // As Go does, never through a proxy to this very machine.
    if matches!(config.cluster_url.host(), Some("localhost" | "127.0.0.1" | "[::1]")) {
        config.proxy_url = None;
    }
    Ok(config)
}

fn apply_options(config: &mut Config, options: &ConnectOptions) -> std::result::Result<(), String> {
    if let Some(server) = &options.server {
        config.cluster_url = server.parse().map_err(|e| format!("{server}: {e}"))?;
    }
    if let Some(token) = &options.token {
        let AuthInfo { impersonate, impersonate_groups, .. } =
            std::mem::take(&mut config.auth_info);
        config.auth_info = AuthInfo { impersonate, impersonate_groups, ..AuthInfo::default() };
        let mut value = http::HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| "the token has characters that no token has".to_owned())?;
        value.set_sensitive(true);
        config.headers.push((header::AUTHORIZATION, value));
    }
    if options.as_user.is_some() {
        config.auth_info.impersonate.clone_from(&options.as_user);
    }
    if !options.as_groups.is_empty() {
        config.auth_info.impersonate_groups = Some(options.as_groups.clone());
    }
    if let Some(file) = &options.ca_file {
        std::fs::metadata(file).map_err(|e| format!("{}: {e}", file.display()))?;
        config.root_cert_file = Some(file.clone());
    }
    if options.tls_server_name.is_some() {
        config.tls_server_name.clone_from(&options.tls_server_name);
    }
    config.accept_invalid_certs |= options.insecure;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound() {
        for (attempt, most) in [(1, 100), (2, 200), (4, 800), (30, 5000)] {
            let pause = backoff(attempt).as_millis();
            assert!(pause <= most && pause >= most / 2, "{attempt}: {pause}");
        }
    }

    #[test]
    fn queries_are_encoded() {
        let call = Call::get("/api").query("labelSelector", "owner=helm,name=a b");
        assert_eq!(call.uri(), "/api?labelSelector=owner%3Dhelm%2Cname%3Da%20b");
    }

    #[test]
    fn refusals_are_told_apart() {
        let kind = |status: u16, body: &str| {
            let status = StatusCode::from_u16(status).unwrap();
            match refused(status, None, body.as_bytes(), &Call::get("/x")) {
                Outcome::Failed(e) => (e.kind(), 1),
                Outcome::Again { error, tries, .. } => (error.kind(), tries),
                Outcome::Unknown(e) => (e.kind(), 2),
                Outcome::Done(_) => unreachable!(),
            }
        };
        assert_eq!(kind(409, r#"{"reason":"AlreadyExists"}"#), (ErrorKind::AlreadyExists, 1));
        assert_eq!(kind(409, r#"{"reason":"Conflict"}"#), (ErrorKind::Conflict, 1));
        assert_eq!(kind(429, ""), (ErrorKind::Server, MANY));
        assert_eq!(kind(500, r#"{"message":"failed calling webhook \"x\""}"#).1, FEW);
        let typed = r#"{"message":"failed to create typed patch object (a/b; v1, Kind=C): .spec.x: field"}"#;
        assert_eq!(kind(500, typed), (ErrorKind::Invalid, 1));
        assert_eq!(kind(401, ""), (ErrorKind::Unauthorized, 2));
    }
}
