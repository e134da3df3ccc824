//! A server that answers as a test wants, for better or worse.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// What an answer does instead of being sent as it should be.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Fault {
    #[default]
    None,
    /// Ends after so many bytes of the body.
    Truncate(usize),
    /// Sends a byte at a time, with pauses.
    Drip(Duration),
    /// Says nothing for so long.
    Hang(Duration),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    status: u16,
    reason: &'static str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    fault: Fault,
}

impl Answer {
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Answer {
        Answer { status: 200, reason: "OK", body: body.into(), ..Answer::default() }
    }

    pub(crate) fn partial(body: impl Into<Vec<u8>>) -> Answer {
        Answer { status: 206, reason: "Partial Content", ..Answer::ok(body) }
    }

    pub(crate) fn status(status: u16, reason: &'static str) -> Answer {
        Answer { status, reason, ..Answer::default() }
    }

    pub(crate) fn redirect(to: impl Into<String>) -> Answer {
        Answer::status(302, "Found").header("Location", to)
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Answer {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn fault(mut self, fault: Fault) -> Answer {
        self.fault = fault;
        self
    }
}

type Handler = dyn Fn(&Seen, usize) -> Answer + Send + Sync;

/// Runs until the test's process ends.
pub(crate) struct Server {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// An assertion of the handler's did not hold. The client may have tried again since.
    failed: Arc<AtomicBool>,
}

impl Server {
    /// A server that asks a function for its answers; it gets the request and how many came before it.
    pub(crate) fn start(
        handler: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static,
    ) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let failed: Arc<AtomicBool> = Arc::default();
        let outcome = Arc::clone(&failed);
        let handler = move |seen: &Seen, before: usize| {
            let answer = catch_unwind(AssertUnwindSafe(|| handler(seen, before)));
            answer.unwrap_or_else(|panic| {
                outcome.store(true, Ordering::SeqCst);
                resume_unwind(panic)
            })
        };
        let handler: Arc<Handler> = Arc::new(handler);
        let log = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (handler, log) = (Arc::clone(&handler), Arc::clone(&log));
                std::thread::spawn(move || {
                    // A client that has had enough is no error.
                    let _ = serve(stream, &*handler, &log);
                });
            }
        });
        Server { port, seen, failed }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let failed = self.failed.load(Ordering::SeqCst);
        assert!(std::thread::panicking() || !failed, "the server was asked in a wrong way");
    }
}

/// How long a client may be silent, or not take what it is sent.
const PATIENCE: Duration = Duration::from_secs(30);

fn serve(stream: TcpStream, handler: &Handler, log: &Mutex<Vec<Seen>>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    if reader.fill_buf()?.first() == Some(&TLS_HANDSHAKE) {
        return refuse_tls(&mut stream, &mut reader);
    }
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split_whitespace().map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        let mut seen = Seen { method, path, headers, body: Vec::new() };
        let length = seen.header("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
        seen.body.resize(length, 0);
        reader.read_exact(&mut seen.body)?;
        let before = {
            let mut log = log.lock().unwrap();
            log.push(seen.clone());
            log.len() - 1
        };
        let answer = handler(&seen, before);
        if !send(&mut stream, &seen, &answer)? {
            return Ok(());
        }
    }
}

/// How a client begins that speaks TLS.
const TLS_HANDSHAKE: u8 = 0x16;

/// Answers in plain HTTP, as servers do that do not know TLS.
fn refuse_tls(stream: &mut TcpStream, reader: &mut impl Read) -> std::io::Result<()> {
    stream
        .write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")?;
    stream.shutdown(Shutdown::Write)?;
    // A connection that is closed with something unread is reset, and the answer may be lost.
    std::io::copy(reader, &mut std::io::sink()).map(drop)
}

/// False where the connection is to be closed.
fn send(stream: &mut TcpStream, seen: &Seen, answer: &Answer) -> std::io::Result<bool> {
    if let Fault::Hang(time) = answer.fault {
        std::thread::sleep(time);
    }
    let mut head = format!("HTTP/1.1 {} {}\r\n", answer.status, answer.reason);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", answer.body.len()));
    stream.write_all(head.as_bytes())?;
    if seen.method == "HEAD" {
        return Ok(true);
    }
    match answer.fault {
        Fault::Truncate(count) => {
            stream.write_all(&answer.body[..count])?;
            return Ok(false);
        }
        Fault::Drip(pause) => {
            for byte in &answer.body {
                stream.write_all(&[*byte])?;
                std::thread::sleep(pause);
            }
        }
        _ => stream.write_all(&answer.body)?,
    }
    Ok(true)
}
