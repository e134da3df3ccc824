//! The bowsprit command.

use std::io::{BufRead, Write};

struct OsHost;
impl bowsprit::value::Host for OsHost {
    fn now(&self) -> bowsprit::value::Timestamp {
        let d = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        bowsprit::value::Timestamp { seconds: d.as_secs() as i64, nanos: d.subsec_nanos() }
    }
    fn fill_random(&self, buf: &mut [u8]) {
        use std::io::Read;
        let _ = std::fs::File::open("/dev/urandom").and_then(|mut f| f.read_exact(buf));
    }
}

fn main() {
    let evaluator = bowsprit::eval::Evaluator::new(OsHost, Default::default());
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().split(b'\n').map_while(Result::ok) {
        let answer = evaluator.answer(&line);
        let _ = out.write_all(&answer).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
    }
}
