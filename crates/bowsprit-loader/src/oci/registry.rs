//! The distribution protocol: a handful of requests, with the identification that they need.

use super::challenge::Challenge;
use super::credentials::{CredentialStore, Found};
use super::reference::host;
use super::{OciError, OciReference};
use crate::net::client::{Call, Reply};
use crate::net::{
    Client, Credentials, FetchError, FetchErrorKind, Header, Method, Sink, Tls, origin, redacted,
    resolve,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How registries are reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistryOptions {
    /// Speaks HTTP without TLS.
    pub plain_http: bool,
    /// Whom to trust and how to identify.
    pub tls: Tls,
    /// Identifies with these instead of what is stored.
    pub credentials: Option<Credentials>,
    /// Hosts that have the same content as others and are asked before them: host and mirror, which may
    /// have a path.
    pub mirrors: Vec<(String, String)>,
}

/// A client for registries.
#[derive(Clone, Debug)]
pub struct Registry {
    client: Client,
    store: CredentialStore,
    pub(super) options: RegistryOptions,
    tls: Arc<Tls>,
    session: Arc<Session>,
}

/// A header that identifies.
#[derive(Clone)]
struct Token {
    /// The value of `Authorization`.
    value: String,
    /// What errors say of the credentials that it was got with.
    credentials: Option<String>,
}

/// What has been learnt while talking.
#[derive(Default)]
struct Session {
    /// By host and scope.
    tokens: Mutex<HashMap<(String, String), Token>>,
    found: Mutex<HashMap<String, Found>>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// What a repository is asked to allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Pull,
    Push,
}

/// A token and the like is small.
const SMALL: u64 = 1 << 20;

impl Registry {
    /// A client that identifies with what a store knows.
    pub fn new(client: Client, store: CredentialStore, options: RegistryOptions) -> Registry {
        let tls = Arc::new(options.tls.clone());
        Registry { client, store, options, tls, session: Arc::default() }
    }

    /// The store with the credentials.
    pub fn store(&self) -> &CredentialStore {
        &self.store
    }

    /// The same client with what another one has learnt, if that asks in the same way and with the same
    /// credentials.
    pub(super) fn knowing(mut self, other: &Registry) -> Registry {
        if self.options == other.options && self.store == other.store {
            self.session = Arc::clone(&other.session);
        }
        self
    }

    /// A client for the place where a chart is. A mirror is another host: the credentials and the
    /// certificate that were given for the registry are not for it, but the store may have its own.
    pub(super) fn for_place(&self, reference: &OciReference, place: &OciReference) -> Registry {
        let mut client = self.clone();
        if place.registry != reference.registry {
            client.options.credentials = None;
            client.options.tls = self.options.tls.anonymous();
            client.tls = Arc::new(client.options.tls.clone());
            client.session = Arc::default();
        }
        client
    }

    /// A request to a host.
    pub(super) fn call(&self, method: Method, registry: &str, path: &str) -> Call {
        let scheme = if self.options.plain_http { "http" } else { "https" };
        self.call_url(method, &format!("{scheme}://{}{path}", host(registry)))
    }

    pub(super) fn call_url(&self, method: Method, url: &str) -> Call {
        let mut call = Call::get(url);
        call.method = method;
        call.tls = Arc::clone(&self.tls);
        call.limit = SMALL;
        call.total = Some(std::time::Duration::from_secs(1800));
        call
    }

    /// Sends a request to a repository, identifying as far as it is asked to.
    pub(super) async fn send(
        &self,
        mut call: Call,
        reference: &OciReference,
        access: Access,
    ) -> Result<(Call, Reply), OciError> {
        let scope = scope(reference, access);
        let same_host = self.is_home(&call.url, &reference.registry);
        if same_host {
            self.authorize(&mut call, &reference.registry, &scope);
        }
        let reply = self.client.send(&call).await.map_err(|e| self.failed(e, reference))?;
        // A challenge of another host is not for us to answer.
        if reply.response.status != 401
            || !same_host
            || !self.is_home(&reply.url, &reference.registry)
        {
            return Ok((call, reply));
        }
        let Some(challenge) = reply.response.header("www-authenticate").and_then(Challenge::parse)
        else {
            return Ok((call, reply));
        };
        if !self.identify(&call, &reference.registry, &scope, challenge).await? {
            return Err(self.no_credentials(&call, reply, reference).await);
        }
        self.authorize(&mut call, &reference.registry, &scope);
        let reply = self.client.send(&call).await.map_err(|e| self.failed(e, reference))?;
        Ok((call, reply))
    }

    /// Sends a request that must succeed, and reads the answer.
    pub(super) async fn ask(
        &self,
        call: Call,
        reference: &OciReference,
        access: Access,
    ) -> Result<(Vec<u8>, Head), OciError> {
        let (call, reply) = self.send(call, reference, access).await?;
        if !(200..300).contains(&reply.response.status) {
            return Err(self.refused(&call, reply, reference).await);
        }
        let head = Head { headers: reply.response.headers.clone(), url: reply.url.clone() };
        let body = self.client.rest(&call, reply).await;
        Ok((body.map_err(|e| self.failed(e, reference))?, head))
    }

    /// Brings a blob. The request for the manifest has brought the token already.
    pub(super) async fn download(
        &self,
        mut call: Call,
        reference: &OciReference,
        sink: &mut dyn Sink,
    ) -> Result<(), OciError> {
        let scope = scope(reference, Access::Pull);
        self.authorize(&mut call, &reference.registry, &scope);
        let outcome = self.client.download(&call, sink).await;
        match outcome {
            Ok(()) => Ok(()),
            Err(error) if error.status() == Some(401) => {
                // The token is too old by now, or the blob wants one that the manifest did not.
                let probe = self.call_url(Method::Head, &call.url);
                let (probe, reply) = self.send(probe, reference, Access::Pull).await?;
                // Whatever else is wrong, the download tells: storage elsewhere may refuse to be asked
                // for the headers alone.
                if reply.response.status == 401 {
                    return Err(self.refused(&probe, reply, reference).await);
                }
                self.authorize(&mut call, &reference.registry, &scope);
                self.client.download(&call, sink).await.map_err(|e| self.failed(e, reference))
            }
            Err(error) => Err(self.failed(error, reference)),
        }
    }

    /// Whether a URL belongs to the registry itself.
    fn is_home(&self, url: &str, registry: &str) -> bool {
        let scheme = if self.options.plain_http { "http" } else { "https" };
        let home = format!("{scheme}://{}/", host(registry));
        origin(url).is_some_and(|o| Some(o) == origin(&home))
    }

    fn authorize(&self, call: &mut Call, registry: &str, scope: &str) {
        let tokens = self.session.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let known = [scope, ""]
            .into_iter()
            .find_map(|scope| tokens.get(&(registry.to_owned(), scope.to_owned())));
        if let Some(Token { value, credentials }) = known {
            call.headers.retain(|header| header.name != "authorization");
            call.headers.push(Header::secret("authorization", value.clone()));
            call.credentials.clone_from(credentials);
        }
    }

    fn remember(&self, registry: &str, scope: &str, value: String, credentials: Option<String>) {
        let mut tokens = self.session.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.insert((registry.to_owned(), scope.to_owned()), Token { value, credentials });
    }

    /// Answers a challenge; false where it can't be met for want of credentials.
    async fn identify(
        &self,
        call: &Call,
        registry: &str,
        scope: &str,
        challenge: Challenge,
    ) -> Result<bool, OciError> {
        let credentials = self.credentials(registry).await;
        match challenge {
            Challenge::Basic => {
                let Some(credentials) = credentials.filter(|c| !c.username.is_empty()) else {
                    return Ok(false);
                };
                let basic = Call::get(&call.url).basic(&credentials);
                let value = basic.headers.into_iter().find(|header| header.name == "authorization");
                let value = value.map(|header| header.value).unwrap_or_default();
                self.remember(registry, "", value, Some(credentials.to_string()));
                Ok(true)
            }
            Challenge::Bearer { realm, service, scope: asked } => {
                check_realm(&realm, &call.url)?;
                let scope_text = if scope.is_empty() { asked } else { scope.to_owned() };
                let token = self
                    .token(&realm, &service, &scope_text, credentials.as_ref(), registry)
                    .await?;
                let credentials = credentials.map(|credentials| credentials.to_string());
                self.remember(registry, scope, format!("Bearer {token}"), credentials);
                Ok(true)
            }
        }
    }

    async fn token(
        &self,
        realm: &str,
        service: &str,
        scope: &str,
        credentials: Option<&Credentials>,
        registry: &str,
    ) -> Result<String, OciError> {
        let invalid = |text: String| OciError::Invalid(text);
        let mut url = ::url::Url::parse(realm)
            .map_err(|e| invalid(format!("failed to parse bearer realm {realm:?}: {e}")))?;
        let refresh = credentials.filter(|credentials| credentials.username.is_empty());
        let call = match refresh {
            Some(refresh) => {
                let mut call = self.call_url(Method::Post, url.as_str());
                let mut form = ::url::form_urlencoded::Serializer::new(String::new());
                form.append_pair("grant_type", "refresh_token")
                    .append_pair("service", service)
                    .append_pair("client_id", "bowsprit")
                    .append_pair("refresh_token", &refresh.password);
                if !scope.is_empty() {
                    form.append_pair("scope", scope);
                }
                call.headers.push(Header::new("content-type", "application/x-www-form-urlencoded"));
                call.body = Some(form.finish().into_bytes().into());
                call.body_is_secret = true;
                call.credentials = Some(refresh.to_string());
                call
            }
            None => {
                if !service.is_empty() {
                    url.query_pairs_mut().append_pair("service", service);
                }
                if !scope.is_empty() {
                    url.query_pairs_mut().append_pair("scope", scope);
                }
                let call = self.call_url(Method::Get, url.as_str());
                match credentials {
                    Some(credentials) => call.basic(credentials),
                    None => call,
                }
            }
        };
        let reply = self.client.send(&call).await.map_err(|e| self.fetch_error(e, registry))?;
        if reply.response.status != 200 {
            let error = self.client.refused(&call, reply).await;
            return Err(self.fetch_error(error, registry));
        }
        let body =
            self.client.rest(&call, reply).await.map_err(|e| self.fetch_error(e, registry))?;
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(|v| v.as_str()).filter(|t| !t.is_empty());
        let token = text("token").or_else(|| text("access_token"));
        let token = token.filter(|token| token.bytes().all(|b| b.is_ascii_graphic()));
        token.map(str::to_owned).ok_or_else(|| {
            let url = redacted(url.as_str());
            invalid(format!("Get \"{url}\": empty token returned"))
        })
    }

    /// The credentials of a host; they are looked for once.
    async fn credentials(&self, registry: &str) -> Option<Credentials> {
        if let Some(given) = &self.options.credentials {
            return Some(given.clone());
        }
        let known = |session: &Session| {
            let found = session.found.lock().unwrap_or_else(PoisonError::into_inner);
            found.get(registry).map(|found| found.credentials.clone())
        };
        if let Some(known) = known(&self.session) {
            return known;
        }
        let found = self.store.find(registry).await;
        let credentials = found.credentials.clone();
        let mut all = self.session.found.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(registry.to_owned(), found);
        credentials
    }

    async fn no_credentials(
        &self,
        call: &Call,
        reply: Reply,
        reference: &OciReference,
    ) -> OciError {
        let (method, url) = (call.method.name(), redacted(&call.url));
        let source = self.client.refused(call, reply).await;
        let mut error = self.failed(source, reference);
        if let OciError::Fetch { instead, .. } = &mut error {
            *instead = Some(format!("{method} \"{url}\": basic credential not found"));
        }
        error
    }

    pub(super) async fn refused(
        &self,
        call: &Call,
        reply: Reply,
        reference: &OciReference,
    ) -> OciError {
        let source = self.client.refused(call, reply).await;
        self.failed(source, reference)
    }

    fn failed(&self, source: FetchError, reference: &OciReference) -> OciError {
        let mut error = self.fetch_error(source, &reference.registry);
        if let OciError::Fetch { instead, source, .. } = &mut error
            && source.status() == Some(404)
            && source.url().contains("/manifests/")
        {
            *instead = Some(format!("{reference}: not found"));
        }
        error
    }

    fn fetch_error(&self, source: FetchError, registry: &str) -> OciError {
        let found = self.session.found.lock().unwrap_or_else(PoisonError::into_inner);
        let troubles = found.get(registry).map(|found| found.troubles.clone()).unwrap_or_default();
        OciError::Fetch { doing: String::new(), instead: None, source, troubles }
    }

    /// The tags of a repository, all pages of them.
    ///
    /// # Errors
    ///
    /// Where the registry can't be asked or does not know the repository.
    pub async fn tags(&self, reference: &OciReference) -> Result<Vec<String>, OciError> {
        let path = format!("/v2/{}/tags/list", reference.repository);
        let mut call = self.call(Method::Get, &reference.registry, &path);
        let mut tags = Vec::new();
        // A registry that always names one more page shall not keep us for ever.
        for _ in 0..1000 {
            call.limit = 16 << 20;
            let (body, reply) = self.ask(call, reference, Access::Pull).await?;
            let body: serde_json::Value = serde_json::from_slice(&body)
                .map_err(|e| OciError::Invalid(format!("{}: {e}", redacted(&reply.url))))?;
            let page = body.get("tags").and_then(|tags| tags.as_array());
            let texts = page.into_iter().flatten().filter_map(|tag| tag.as_str());
            tags.extend(texts.map(str::to_owned));
            let next = reply.header("link").and_then(next_page);
            let Some(next) = next.and_then(|next| resolve(&reply.url, next)) else {
                return Ok(tags);
            };
            if !self.is_home(&next, &reference.registry) {
                let next = redacted(&next);
                return Err(OciError::Invalid(format!(
                    "the next page of tags is elsewhere: {next}"
                )));
            }
            call = self.call_url(Method::Get, &next);
        }
        Err(OciError::Invalid(format!("{reference}: the list of tags has no end")))
    }

    /// Checks credentials and keeps them.
    ///
    /// # Errors
    ///
    /// Where the registry refuses them, or the store.
    pub async fn login(&self, registry: &str, credentials: &Credentials) -> Result<(), OciError> {
        let host = registry.split('/').next().unwrap_or_default();
        let mut tried = self.clone();
        tried.session = Arc::default();
        tried.options.credentials = Some(credentials.clone());
        let call = tried.call(Method::Get, host, "/v2/");
        let whole = OciReference {
            registry: host.to_owned(),
            repository: String::new(),
            tag: None,
            digest: None,
        };
        let doing = format!("authenticating to {registry:?}: ");
        let answer = tried.ask(call, &whole, Access::Pull).await;
        answer.map_err(|error| error.doing(doing))?;
        self.store.keep(host, credentials).await.map_err(OciError::Invalid)
    }

    /// Forgets the credentials of a registry.
    ///
    /// # Errors
    ///
    /// Where the store refuses.
    pub async fn logout(&self, registry: &str) -> Result<(), OciError> {
        self.store.forget(registry).await.map_err(OciError::Invalid)
    }
}

/// What is left of an answer whose body has been read.
pub(super) struct Head {
    headers: Vec<(String, String)>,
    pub(super) url: String,
}

impl Head {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

fn scope(reference: &OciReference, access: Access) -> String {
    if reference.repository.is_empty() {
        return String::new();
    }
    let actions = match access {
        Access::Pull => "pull",
        Access::Push => "pull,push",
    };
    format!("repository:{}:{actions}", reference.repository)
}

/// Refuses to ask for a token where that would give credentials to the wrong one.
fn check_realm(realm: &str, registry: &str) -> Result<(), OciError> {
    let refuse =
        |why: &str| Err(OciError::Invalid(format!("bearer realm {:?} {why}", redacted(realm))));
    let (Some(realm_at), Some(registry_at)) = (origin(realm), origin(registry)) else {
        return refuse("is no URL with a host");
    };
    match realm_at.scheme.as_str() {
        "https" => {}
        "http" if registry_at.scheme == "https" => {
            return refuse("uses http but registry was contacted over https");
        }
        "http" => {}
        _ => return refuse("uses an unsupported scheme"),
    }
    let ip = realm_at.host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    let private = ip.is_ok_and(|ip| crate::net::Addresses::Public.check(ip).is_err());
    if private && realm_at.host != registry_at.host {
        return refuse("is a loopback, link-local, private, or unspecified address");
    }
    Ok(())
}

/// `</v2/…?n=…&last=…>; rel="next"`.
fn next_page(link: &str) -> Option<&str> {
    let (url, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    rest.contains("next").then_some(url)
}

impl FetchErrorKind {
    /// Whether another place may have what this one has not.
    pub(super) fn suggests_elsewhere(&self) -> bool {
        match self {
            FetchErrorKind::Status { status, .. } => *status == 404 || *status >= 429,
            FetchErrorKind::Transport(_) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_asked_for_at_safe_places_only() {
        let registry = "https://r.example/v2/";
        assert!(check_realm("https://auth.example/token", registry).is_ok());
        for realm in [
            "http://auth.example/token",
            "https://169.254.169.254/",
            "https://[::1]/",
            "ftp://r.example/",
            "/token",
        ] {
            assert!(check_realm(realm, registry).is_err(), "{realm}");
        }
        assert!(check_realm("http://127.0.0.1:5001/t", "http://127.0.0.1:5000/v2/").is_ok());
        assert!(check_realm("http://127.0.0.1:5001/t", "http://r.example/v2/").is_err());
    }

    #[test]
    fn pages_follow_each_other() {
        assert_eq!(next_page("</v2/a?last=x>; rel=\"next\""), Some("/v2/a?last=x"));
        assert_eq!(next_page("</v2/a>; rel=\"prev\""), None);
    }
}
