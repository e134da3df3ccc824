//! One record of comma-separated values, as Go's `encoding/csv` reads it.

/// Splits a text at its commas; fields may be quoted. Lines after the first record are ignored, as
/// pflag ignores them.
///
/// # Errors
///
/// Fails where quotes are out of place, with Go's text.
pub(super) fn read_record(text: &str) -> Result<Vec<String>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    // Go reads CRLF as LF, and skips empty lines before the record.
    let text = text.replace("\r\n", "\n");
    let start = text.len() - text.trim_start_matches('\n').len();
    let record = text.get(start..).unwrap_or_default();
    if record.is_empty() {
        return Err("EOF".to_owned());
    }
    Reader { rest: record, first: start + 1, line: start + 1, column: 1, fields: Vec::new() }
        .record()
}

struct Reader<'t> {
    rest: &'t str,
    first: usize,
    line: usize,
    column: usize,
    fields: Vec<String>,
}

impl Reader<'_> {
    fn record(mut self) -> Result<Vec<String>, String> {
        loop {
            let more = match self.rest.strip_prefix('"') {
                Some(rest) => {
                    self.rest = rest;
                    self.column += 1;
                    self.quoted()?
                }
                None => self.plain()?,
            };
            if !more {
                return Ok(self.fields);
            }
        }
    }

    /// Whether another field follows.
    fn plain(&mut self) -> Result<bool, String> {
        let line = self.rest.find('\n').unwrap_or(self.rest.len());
        let comma = self.rest.find(',').filter(|comma| *comma < line);
        let (field, rest) = self.rest.split_at_checked(comma.unwrap_or(line)).unwrap_or_default();
        if let Some(at) = field.find('"') {
            return Err(self.error(self.column + at, "bare \" in non-quoted-field"));
        }
        self.fields.push(field.to_owned());
        self.rest = rest.get(1..).unwrap_or_default();
        self.column += field.len() + 1;
        Ok(comma.is_some())
    }

    fn quoted(&mut self) -> Result<bool, String> {
        const MISPLACED: &str = "extraneous or missing \" in quoted-field";
        let mut field = String::new();
        loop {
            let Some((before, after)) = self.rest.split_once('"') else {
                let (line, column) = end(self.rest, self.line, self.column);
                self.line = line;
                return Err(self.error(column, MISPLACED));
            };
            (self.line, self.column) = end(before, self.line, self.column);
            self.column += 1;
            field.push_str(before);
            self.rest = after;
            match after.chars().next() {
                Some('"') => {
                    field.push('"');
                    self.rest = after.get(1..).unwrap_or_default();
                    self.column += 1;
                }
                Some(',') => {
                    self.fields.push(field);
                    self.rest = after.get(1..).unwrap_or_default();
                    self.column += 1;
                    return Ok(true);
                }
                None | Some('\n') => {
                    self.fields.push(field);
                    return Ok(false);
                }
                Some(_) => return Err(self.error(self.column - 1, MISPLACED)),
            }
        }
    }

    fn error(&self, column: usize, message: &str) -> String {
        let at = format!("parse error on line {}, column {column}: {message}", self.line);
        if self.line == self.first { at } else { format!("record on line {}; {at}", self.first) }
    }
}

/// The place behind a text that begins at a place; columns count bytes.
fn end(text: &str, line: usize, column: usize) -> (usize, usize) {
    match text.rfind('\n') {
        Some(at) => (line + text.matches('\n').count(), text.len() - at),
        None => (line, column + text.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::read_record;

    #[test]
    fn records_are_read_as_go_reads_them() {
        for (text, want) in [
            ("", Ok(vec![])),
            ("a", Ok(vec!["a"])),
            ("a,b", Ok(vec!["a", "b"])),
            ("a,", Ok(vec!["a", ""])),
            (" a, b", Ok(vec![" a", " b"])),
            ("\"a,b\",c", Ok(vec!["a,b", "c"])),
            ("\"a\"\"b\"", Ok(vec!["a\"b"])),
            ("a\nb", Ok(vec!["a"])),
            ("\n\na,b", Ok(vec!["a", "b"])),
            ("\"a\nb\"", Ok(vec!["a\nb"])),
            ("\"\"", Ok(vec![""])),
            ("\n", Err("EOF")),
            ("a\"b", Err("parse error on line 1, column 2: bare \" in non-quoted-field")),
            (
                "\"a",
                Err("parse error on line 1, column 3: extraneous or missing \" in quoted-field"),
            ),
            (
                "\"a\"b",
                Err("parse error on line 1, column 3: extraneous or missing \" in quoted-field"),
            ),
            (
                "x,\"a\"b",
                Err("parse error on line 1, column 5: extraneous or missing \" in quoted-field"),
            ),
        ] {
            let got = read_record(text);
            let want =
                want.map(|fields: Vec<&str>| fields.iter().map(ToString::to_string).collect());
            assert_eq!(got, want.map_err(str::to_owned), "{text:?}");
        }
    }
}
