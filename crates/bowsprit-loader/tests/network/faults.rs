//! What the client makes of servers that fail, lie or dawdle.

use crate::folder::{Folder, client, wait, with_fetch};
use crate::server::{Answer, Fault, Server};
use bowsprit_loader::net::{
    Addresses, Body, Call, Client, Credentials, Fetch, FetchError, FileSink, Header, Http, Pending,
    Policy, Proxies, Request, Response, Tls, TransportError,
};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn get(client: &Client, url: &str) -> Result<Vec<u8>, FetchError> {
    wait(client.bytes(&Call::get(url)))
}

fn plain(url: &str) -> Result<Vec<u8>, FetchError> {
    get(&client(Addresses::Any), url)
}

#[test]
fn refusals_are_told_in_helms_words() {
    let server = Server::start(|seen, _| match seen.path.as_str() {
        "/404" => Answer::status(404, "File not found"),
        "/401" => Answer::status(401, "Unauthorized"),
        _ => Answer::status(403, "Forbidden"),
    });
    for (path, line, hint) in [
        ("/404", "404 File not found", "hint: there is nothing at this address"),
        ("/401", "401 Unauthorized", "hint: the server wants credentials"),
        ("/403", "403 Forbidden", "hint: the server knows who asks and refuses"),
    ] {
        let url = server.url(path);
        let error = plain(&url).unwrap_err();
        assert_eq!(error.to_string(), format!("failed to fetch {url} : {line}"));
        let details = format!("{error:#}");
        assert!(details.contains(hint) && details.contains("credentials: none"), "{details}");
    }
    assert_eq!(server.seen().len(), 3, "none is asked for again");
}

#[test]
fn secrets_are_never_told() {
    let server = Server::start(|_, _| Answer::status(401, "Unauthorized"));
    let url = server.url("/x").replace("http://", "http://user:geheim@");
    let error = plain(&url).unwrap_err();
    for text in [format!("{error:#}"), format!("{error:?}")] {
        assert!(!text.contains("geheim"), "{text}");
    }
    assert!(format!("{error:#}").contains("user \"user\" from the URL"), "{error:#}");
    assert_eq!(server.seen()[0].header("authorization"), Some("Basic dXNlcjpnZWhlaW0="));
}

#[test]
fn passing_failures_are_retried() {
    let server = Server::start(|_, before| match before {
        0 => Answer::status(500, "Internal Server Error"),
        1 => Answer::status(503, "Service Unavailable"),
        _ => Answer::ok("done"),
    });
    assert_eq!(plain(&server.url("/")).unwrap(), b"done");
    assert_eq!(server.seen().len(), 3);
    let server = Server::start(|_, _| Answer::status(502, "Bad Gateway"));
    let error = plain(&server.url("/")).unwrap_err();
    assert!(format!("{error:#}").contains("tried: 4 times"), "{error:#}");
    assert_eq!(server.seen().len(), 4);
}

#[test]
fn servers_that_ask_for_patience_get_it_within_limits() {
    let server = Server::start(|_, before| match before {
        0 => Answer::status(429, "Too Many Requests").header("Retry-After", "1"),
        _ => Answer::ok("done"),
    });
    let started = Instant::now();
    assert_eq!(plain(&server.url("/")).unwrap(), b"done");
    assert!(started.elapsed() >= Duration::from_secs(1));
    let server = Server::start(|_, _| {
        Answer::status(429, "Too Many Requests").header("Retry-After", "3600")
    });
    let error = plain(&server.url("/")).unwrap_err();
    assert!(format!("{error:#}").contains("asks to come back in 3600.0 s"), "{error:#}");
    assert_eq!(server.seen().len(), 1);
}

fn content() -> Vec<u8> {
    (0..50_000_u32).flat_map(u32::to_le_bytes).collect()
}

#[test]
fn interrupted_downloads_go_on_where_they_stopped() {
    let server = Server::start(|seen, before| {
        let all = content();
        let start = seen.header("range").map(|range| {
            range.trim_start_matches("bytes=").trim_end_matches('-').parse::<usize>().unwrap()
        });
        let answer = match start {
            None => Answer::ok(all),
            Some(start) => {
                assert_eq!(seen.header("if-range"), Some("\"v1\""));
                let range = format!("bytes {start}-{}/{}", all.len() - 1, all.len());
                Answer::partial(&all[start..]).header("Content-Range", range)
            }
        };
        let answer = answer.header("ETag", "\"v1\"");
        if before < 2 { answer.fault(Fault::Truncate(60_000)) } else { answer }
    });
    let folder = Folder::new();
    let mut sink = FileSink::create_in(&folder.path("x")).unwrap();
    let call = Call::get(&server.url("/big"));
    wait(client(Addresses::Any).download(&call, &mut sink)).unwrap();
    assert_eq!(sink.size(), 200_000);
    assert_eq!(sink.digest(), crate::folder::sha256(&content()));
    assert_eq!(server.seen().len(), 3);
    drop(sink);
    assert_eq!(std::fs::read_dir(folder.path("x")).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn servers_without_ranges_are_asked_from_the_beginning() {
    let server = Server::start(|_, before| {
        let answer = Answer::ok(content());
        if before < 2 { answer.fault(Fault::Truncate(60_000)) } else { answer }
    });
    assert_eq!(plain(&server.url("/big")).unwrap(), content());
    let server = Server::start(|_, _| Answer::ok(content()).fault(Fault::Truncate(10)));
    let error = plain(&server.url("/big")).unwrap_err();
    assert!(error.to_string().ends_with(": unexpected EOF"), "{error}");
}

#[test]
fn credentials_do_not_follow_redirects_to_others() {
    let other = Server::start(|_, _| Answer::ok("secret place"));
    let target = other.url("/b");
    let server = Server::start(move |seen, _| match seen.path.as_str() {
        "/here" => Answer::redirect("/there"),
        "/there" => Answer::ok("same host"),
        _ => Answer::redirect(&*target),
    });
    let ask = |path: &str| {
        let credentials =
            Credentials { username: "u".into(), password: "p".into(), source: "here".into() };
        let call = Call::get(&server.url(path)).basic(&credentials);
        wait(client(Addresses::Any).bytes(&call)).unwrap()
    };
    assert_eq!(ask("/away"), b"secret place");
    assert_eq!(other.seen()[0].header("authorization"), None);
    assert_eq!(ask("/here"), b"same host");
    assert!(server.seen().last().unwrap().header("authorization").is_some());
}

#[test]
fn redirects_end() {
    let server = Server::start(|_, _| Answer::redirect("/again"));
    let error = plain(&server.url("/")).unwrap_err();
    assert!(error.to_string().ends_with("stopped after 5 redirects"), "{error}");
    assert!(error.is_limit());
    assert_eq!(server.seen().len(), 6);
    let server = Server::start(|_, _| Answer::redirect("file:///etc/passwd"));
    assert!(plain(&server.url("/")).is_err());
}

/// Answers every request with a redirect.
#[derive(Debug)]
struct Redirecting {
    to: &'static str,
    asked: Mutex<Vec<Request>>,
}

struct Nothing;

impl Body for Nothing {
    fn chunk(&mut self) -> Pending<'_, Result<Option<Vec<u8>>, TransportError>> {
        Box::pin(async { Ok(None) })
    }
}

impl Fetch for Redirecting {
    fn fetch<'a>(&'a self, request: &'a Request) -> Pending<'a, Result<Response, TransportError>> {
        self.asked.lock().unwrap().push(request.clone());
        let answer = Response {
            status: if request.url == self.to { 200 } else { 307 },
            reason: String::new(),
            headers: vec![("location".to_owned(), self.to.to_owned())],
            body: Box::new(Nothing),
        };
        Box::pin(async { Ok(answer) })
    }
}

/// Fetchers can be exchanged, and the policy holds for all of them.
#[test]
fn redirects_do_not_give_up_tls() {
    let fetch = Arc::new(Redirecting { to: "http://a.example/x", asked: Mutex::default() });
    let error = get(&with_fetch(fetch.clone()), "https://a.example/x").unwrap_err();
    assert!(error.to_string().contains("gives up TLS"), "{error}");
    assert!(error.is_denied());
    assert_eq!(fetch.asked.lock().unwrap().len(), 1);
    let fetch = Arc::new(Redirecting { to: "https://b.example/x", asked: Mutex::default() });
    let mut call = Call::get("https://a.example/x");
    call.headers.push(Header::secret("authorization", "Bearer x"));
    call.tls = Arc::new(Tls { cert_file: "me.pem".to_owned(), ..Tls::default() });
    wait(with_fetch(fetch.clone()).bytes(&call)).unwrap();
    let asked = fetch.asked.lock().unwrap();
    assert_eq!(asked[0].headers.len(), 1);
    assert!(asked[1].headers.is_empty() && asked[1].tls.cert_file.is_empty());
}

#[test]
fn slow_servers_are_left() {
    let drip =
        |_: &_, _| Answer::ok(vec![b'x'; 10_000]).fault(Fault::Drip(Duration::from_millis(20)));
    let server = Server::start(drip);
    let mut policy = Policy::strict();
    policy.total = Duration::from_millis(600);
    let started = Instant::now();
    let error = get(&client(Addresses::Any).policy(policy.clone()), &server.url("/")).unwrap_err();
    assert!(error.is_limit() && started.elapsed() < Duration::from_secs(5), "{error}");
    policy.total = Duration::from_secs(60);
    policy.idle = Duration::from_millis(200);
    policy.attempts = 1;
    let server = Server::start(|_, _| Answer::ok("").fault(Fault::Hang(Duration::from_secs(9))));
    let error = get(&client(Addresses::Any).policy(policy), &server.url("/")).unwrap_err();
    assert!(error.to_string().contains("waiting for an answer"), "{error}");
}

#[test]
fn more_than_is_allowed_is_not_taken() {
    let server = Server::start(|_, _| Answer::ok(vec![0; 1000]));
    let mut call = Call::get(&server.url("/"));
    call.limit = 999;
    let error = wait(client(Addresses::Any).bytes(&call)).unwrap_err();
    assert!(error.to_string().ends_with(" : more than 999 bytes") && error.is_limit(), "{error}");
}

#[test]
fn private_addresses_can_be_refused() {
    let server = Server::start(|_, _| Answer::ok("inside"));
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
        let url = format!("http://{host}:{}/", server.port);
        let error = get(&client(Addresses::Public), &url).unwrap_err();
        assert!(error.is_denied() && error.to_string().contains("is not allowed"), "{error}");
    }
    assert!(server.seen().is_empty());
}

#[test]
fn connections_that_fail_are_explained() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/index.yaml");
    let want = format!("Get \"{url}\": dial tcp 127.0.0.1:{port}: connect: connection refused");
    assert_eq!(plain(&url).unwrap_err().to_string(), want);
    let server = Server::start(|_, _| Answer::ok(""));
    let url = server.url("/").replace("http:", "https:");
    let error = plain(&url).unwrap_err();
    let want = format!("Get \"{url}\": http: server gave HTTP response to HTTPS client");
    assert_eq!(error.to_string(), want);
    assert!(format!("{error:#}").contains("--plain-http"), "{error:#}");
    let error = plain("http://nosuch.invalid/").unwrap_err();
    let want = "Get \"http://nosuch.invalid/\": dial tcp: lookup nosuch.invalid: no such host";
    assert_eq!(error.to_string(), want);
    assert!(plain("file:///etc/passwd").unwrap_err().to_string().contains("only http and https"));
}

#[test]
fn proxies_are_asked_but_for_this_machine() {
    let proxy = Server::start(|seen, _| match seen.method.as_str() {
        "CONNECT" => Answer::status(403, "Forbidden"),
        _ => Answer::ok("by the proxy"),
    });
    let direct = Server::start(|_, _| Answer::ok("by itself"));
    let proxies = Proxies {
        http: Some(proxy.host()),
        https: Some(proxy.url("")),
        except: "near.invalid".to_owned(),
    };
    let client = with_fetch(Arc::new(Http::new("test/1").proxies(proxies)));
    let far = "http://charts.invalid/index.yaml";
    assert_eq!(get(&client, far).unwrap(), b"by the proxy");
    assert_eq!(proxy.seen()[0].path, far);
    assert_eq!(get(&client, &direct.url("/x")).unwrap(), b"by itself");
    let error = get(&client, "http://near.invalid/").unwrap_err().to_string();
    assert!(error.contains("no such host"), "{error}");
    assert_eq!(proxy.seen().len(), 1);
    get(&client, "https://charts.invalid/").unwrap_err();
    let seen = proxy.seen();
    assert!(seen[1..].iter().all(|s| (&*s.method, &*s.path) == ("CONNECT", "charts.invalid:443")));
    assert!(seen.len() > 1);
}

#[test]
fn files_at_urls_are_read_whole() {
    let folder = Folder::new();
    let server = Server::start(|seen, _| match seen.path.as_str() {
        "/values.yaml" => Answer::ok("a: 1\n"),
        "/short.yaml" => Answer::ok("a: 1\n".repeat(9)).fault(Fault::Truncate(7)),
        _ => Answer::status(404, "Not Found"),
    });
    let read = |path: &str| wait(folder.sources().read_url(&server.url(path)));
    assert_eq!(read("/values.yaml").unwrap(), b"a: 1\n");
    let error = read("/nope.yaml").unwrap_err().to_string();
    assert_eq!(error, format!("failed to fetch {} : 404 Not Found", server.url("/nope.yaml")));
    read("/short.yaml").unwrap_err();
    assert!(folder.cached().is_empty());
}
