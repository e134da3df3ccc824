//! Answers YAML requests, one JSON object per line, in the format of the vectors.

#[path = "../tests/vectors/answer.rs"]
mod answer;

use serde_json::{Value as Json, json};
use std::io::{self, BufRead, Write};

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let request: Json = serde_json::from_str(&line?)?;
        let id = &request["id"];
        let reply = match answer::answer(&request) {
            Some(Ok(text)) => json!({ "id": id, "out": text }),
            Some(Err(error)) => json!({ "id": id, "error": error }),
            None => json!({ "id": id, "error": "unknown kind" }),
        };
        writeln!(out, "{reply}")?;
        out.flush()?;
    }
    Ok(())
}
