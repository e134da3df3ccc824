//! Faults of the way to the API server: a proxy that throttles, fails, forgets and hangs up.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::crash::Random;
use super::server::{Server, chart, servers};

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    Throttled,
    Failed,
    Unavailable,
    /// The connection breaks before the server learns of the request.
    BrokenBefore,
    /// It breaks before the answer arrives.
    BrokenAfter,
    Unknown,
    Slow,
}

/// An HTTP proxy before an API server. It ends with the process.
pub(super) struct Proxy {
    pub(super) address: String,
    requests: Arc<AtomicU32>,
    faults: Arc<AtomicU32>,
    open: Arc<AtomicU32>,
}

impl Proxy {
    pub(super) fn start(
        server: &Server,
        choose: impl Fn(u64, &str) -> Fault + Send + Sync + 'static,
    ) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let [requests, faults, open] = [(); 3].map(|()| Arc::new(AtomicU32::new(0)));
        let (counted, faulted) = (Arc::clone(&requests), Arc::clone(&faults));
        let under_way = Arc::clone(&open);
        let (choose, server) = (Arc::new(choose), server.clone());
        let random = Arc::new(Mutex::new(Random::new(11)));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (choose, server, random) =
                    (Arc::clone(&choose), server.clone(), Arc::clone(&random));
                let (counted, faulted) = (Arc::clone(&counted), Arc::clone(&faulted));
                let under_way = Arc::clone(&under_way);
                std::thread::spawn(move || {
                    let Some(request) = Request::read(&stream) else { return };
                    under_way.fetch_add(1, Ordering::SeqCst);
                    counted.fetch_add(1, Ordering::Relaxed);
                    let chance = random.lock().unwrap().below(100);
                    let fault = choose(chance, &request.line);
                    if fault != Fault::None {
                        faulted.fetch_add(1, Ordering::Relaxed);
                    }
                    answer(&stream, &request, &server, fault);
                    under_way.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Proxy { address, requests, faults, open }
    }

    /// Waits until the server has answered everything that has reached this proxy.
    pub(super) fn drain(&self) {
        while self.open.load(Ordering::SeqCst) > 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

struct Request {
    line: String,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &TcpStream) -> Option<Request> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
        let (mut headers, mut length) = (Vec::new(), 0);
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            let header = header.trim_end().to_owned();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            headers.push(header);
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        Some(Request { line: line.trim_end().to_owned(), headers, body })
    }

    /// Asks the server, in the way of a program that knows TLS.
    fn forward(&self, server: &Server) -> Vec<u8> {
        let mut words = self.line.split(' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let mut command = Command::new("curl");
        command.args(["-sk", "--noproxy", "*", "--http1.1", "-i", "-X", method, "-H", "Expect:"]);
        for header in &self.headers {
            let name = header.split(':').next().unwrap().to_lowercase();
            if !matches!(
                name.as_str(),
                "host" | "content-length" | "accept-encoding" | "connection"
            ) {
                command.args(["-H", header]);
            }
        }
        if !self.body.is_empty() {
            command.args(["--data-binary", "@-"]);
        }
        command
            .arg(format!("{}{path}", server.address))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&self.body).unwrap();
        drop(stdin);
        child.wait_with_output().unwrap().stdout
    }
}

fn answer(mut stream: &TcpStream, request: &Request, server: &Server, fault: Fault) {
    let refuse = |mut stream: &TcpStream, status: &str, more: &str| {
        let body = r#"{"kind":"Status","status":"Failure","message":"the proxy made this up"}"#;
        let _ = write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{more}Connection: \
             close\r\n\r\n{body}",
            body.len()
        );
    };
    match fault {
        Fault::Throttled => return refuse(stream, "429 Too Many Requests", "Retry-After: 1\r\n"),
        Fault::Failed => return refuse(stream, "500 Internal Server Error", ""),
        Fault::Unavailable => return refuse(stream, "503 Service Unavailable", ""),
        Fault::Unknown => return refuse(stream, "401 Unauthorized", ""),
        Fault::BrokenBefore => return,
        Fault::Slow => std::thread::sleep(Duration::from_millis(700)),
        Fault::None | Fault::BrokenAfter => {}
    }
    let answer = request.forward(server);
    if fault == Fault::BrokenAfter {
        return;
    }
    let split = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(answer.len());
    let (head, body) = answer.split_at(split);
    let body = body.get(4..).unwrap_or_default();
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let mut out = format!("{}\r\n", lines.next().unwrap_or_default());
    for line in lines {
        let name = line.split(':').next().unwrap_or_default().to_lowercase();
        if !matches!(name.as_str(), "transfer-encoding" | "content-length" | "connection") {
            out.push_str(&format!("{line}\r\n"));
        }
    }
    out.push_str(&format!("Content-Length: {}\r\nConnection: close\r\n\r\n", body.len()));
    let _ = stream.write_all(out.as_bytes()).and_then(|()| stream.write_all(body));
}

fn sample(name: &str) -> String {
    let maps: String = (0..8)
        .map(|i| {
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m{i}}}\ndata: {{a: '{{{{ .Values.a }}}}'}}\n---\n")
        })
        .collect();
    chart(name, &[("values.yaml", "a: x\n"), ("templates/all.yaml", &maps)])
}

/// Every third request meets a fault, and all ends well within the timeout.
#[test]
fn faults_are_outlasted() {
    let Some([server, _]) = servers() else { return };
    let (ns, chart) = ("faulty", sample("faulty"));
    let proxy = Proxy::start(server, |chance, _| match chance {
        0..6 => Fault::Throttled,
        6..11 => Fault::Failed,
        11..15 => Fault::Unavailable,
        15..20 => Fault::BrokenBefore,
        20..26 => Fault::BrokenAfter,
        26..30 => Fault::Slow,
        _ => Fault::None,
    });
    let faulty = server.through(&proxy.address, &server.token, "faulty");
    let mut refused = 0;
    for round in 0..4 {
        let set = format!("a=v{round}");
        let args = ["apply", "web", &chart, "-n", ns, "--timeout", "2m", "--set", &set];
        // A connection that breaks before the server has ever answered is one that can't be made.
        while !faulty.bowsprit(&args).status.success() {
            refused += 1;
            assert!(refused < 3, "{}", faulty.bowsprit_fails(&args));
        }
        let map = server.get(&format!("/api/v1/namespaces/{ns}/configmaps/m7"));
        assert_eq!(map["data"]["a"], format!("v{round}"));
    }
    let history = server.helm_ok(&["history", "web", "-n", ns]);
    assert!(!history.contains("failed") && !history.contains("pending"), "{history}");
    faulty.bowsprit_ok(&["rollback", "web", "-n", ns]);
    faulty.bowsprit_ok(&["uninstall", "web", "-n", ns, "--wait"]);
    assert!(server.objects_in(ns).is_empty());
    #[allow(clippy::print_stdout)]
    {
        println!(
            "{} requests, {} of them with faults",
            proxy.requests.load(Ordering::Relaxed),
            proxy.faults.load(Ordering::Relaxed)
        );
    }
    server.delete_namespace(ns);
}

/// A token that expires on the way is read anew.
#[test]
fn expired_tokens_are_read_again() {
    let Some([server, _]) = servers() else { return };
    let (ns, chart) = ("expired", sample("expired"));
    let seen = AtomicU32::new(0);
    let proxy = Proxy::start(server, move |_, line| {
        let patch = line.starts_with("PATCH") && line.contains("/configmaps/m3");
        let first = patch && !line.contains("dryRun") && seen.fetch_add(1, Ordering::Relaxed) == 0;
        if first { Fault::Unknown } else { Fault::None }
    });
    let expired = server.through(&proxy.address, &server.token, "expired");
    expired.bowsprit_ok(&["apply", "web", &chart, "-n", ns]);
    assert_eq!(proxy.faults.load(Ordering::Relaxed), 1);
    expired.bowsprit_ok(&["uninstall", "web", "-n", ns]);
    server.delete_namespace(ns);
}

/// What never ends ends with the timeout, and the record says that it failed.
#[test]
fn patience_has_an_end() {
    let Some([server, _]) = servers() else { return };
    let (ns, chart) = ("patience", sample("patience"));
    let proxy = Proxy::start(server, |_, line| {
        let stuck = line.starts_with("PATCH") && line.contains("/configmaps/m3");
        if stuck && !line.contains("dryRun") { Fault::Unavailable } else { Fault::None }
    });
    let stuck = server.through(&proxy.address, &server.token, "patience");
    let error = stuck.bowsprit_fails(&["apply", "web", &chart, "-n", ns, "--timeout", "3s"]);
    assert!(
        error.contains("INSTALLATION FAILED") && error.contains("the proxy made this up"),
        "{error}"
    );
    let history = server.helm_ok(&["history", "web", "-n", ns]);
    assert!(history.contains("failed"), "{history}");
    server.bowsprit_ok(&["apply", "web", &chart, "-n", ns]);
    server.bowsprit_ok(&["uninstall", "web", "-n", ns]);
    server.delete_namespace(ns);
}
