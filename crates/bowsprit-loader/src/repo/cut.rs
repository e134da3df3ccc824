//! Cuts an index into pieces while it streams by: the head, and each version of each chart.
//!
//! Indexes are large and regular. In YAML the lines' indentation tells where a version begins and ends,
//! in JSON the brackets do. Each piece is a small document that a real parser reads; an index in another
//! form, with anchors say or in flow style, is [`Unusual`] and has to be parsed as a whole.

/// The index can't be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unusual;

/// Where the pieces go.
pub(crate) trait Pieces {
    /// A chart begins; false to pass over its versions.
    fn chart(&mut self, key: &[u8], json: bool) -> Result<bool, Unusual>;
    /// A version of the chart.
    fn version(&mut self, text: &[u8], json: bool) -> Result<(), Unusual>;
    /// Everything outside `entries`, as one document.
    fn head(&mut self, text: &[u8], json: bool) -> Result<(), Unusual>;
}

/// No piece of a usual index is as large.
const MAX_PIECE: usize = 8 << 20;

/// Takes an index in chunks of any size.
#[derive(Debug, Default)]
pub(crate) struct Cutter {
    form: Form,
    /// A line that is not complete, or the white space before everything.
    rest: Vec<u8>,
}

#[derive(Debug, Default)]
enum Form {
    #[default]
    Unknown,
    Yaml(Yaml),
    Json(Json),
}

impl Cutter {
    /// Takes the next chunk.
    pub(crate) fn push(
        &mut self,
        mut chunk: &[u8],
        pieces: &mut dyn Pieces,
    ) -> Result<(), Unusual> {
        if let Form::Unknown = self.form {
            let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n');
            let start = chunk.iter().position(|b| !blank(b));
            let Some(start) = start else { return Ok(()) };
            self.form = match chunk.get(start) {
                Some(b'{') => Form::Json(Json::default()),
                _ => Form::Yaml(Yaml::default()),
            };
            // The blanks of the first line tell how far it is indented.
            let line = chunk.get(..start).unwrap_or_default();
            let line = line.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
            let start = if matches!(self.form, Form::Json(_)) { start } else { line };
            chunk = chunk.get(start..).unwrap_or_default();
        }
        match &mut self.form {
            Form::Unknown => Ok(()),
            Form::Json(json) => json.push(chunk, pieces),
            Form::Yaml(yaml) => push_lines(yaml, &mut self.rest, chunk, pieces),
        }
    }

    /// Everything has come.
    pub(crate) fn finish(mut self, pieces: &mut dyn Pieces) -> Result<(), Unusual> {
        match self.form {
            Form::Unknown => Err(Unusual),
            Form::Json(json) => json.finish(pieces),
            Form::Yaml(mut yaml) => {
                if !self.rest.is_empty() {
                    self.rest.push(b'\n');
                    yaml.line(&self.rest, pieces)?;
                }
                yaml.finish(pieces)
            }
        }
    }
}

fn push_lines(
    yaml: &mut Yaml,
    rest: &mut Vec<u8>,
    mut chunk: &[u8],
    pieces: &mut dyn Pieces,
) -> Result<(), Unusual> {
    while let Some(end) = memchr::memchr(b'\n', chunk) {
        let (line, after) = chunk.split_at(end + 1);
        if rest.is_empty() {
            yaml.line(line, pieces)?;
        } else {
            rest.extend_from_slice(line);
            yaml.line(rest, pieces)?;
            rest.clear();
        }
        chunk = after;
    }
    if rest.len() + chunk.len() > MAX_PIECE {
        return Err(Unusual);
    }
    rest.extend_from_slice(chunk);
    Ok(())
}

/// Where in a YAML index the lines have come to.
#[derive(Debug, Default)]
struct Yaml {
    head: Vec<u8>,
    in_entries: bool,
    seen_entries: bool,
    begun: bool,
    /// The indentation of the charts' names.
    key_indent: Option<usize>,
    /// The indentation of the dashes below the current name.
    item_indent: Option<usize>,
    /// Whether a name has been read whose versions may follow.
    in_chart: bool,
    wanted: bool,
    /// Whether lines belong to a version.
    in_piece: bool,
    piece: Vec<u8>,
}

impl Yaml {
    fn line(&mut self, line: &[u8], pieces: &mut dyn Pieces) -> Result<(), Unusual> {
        let indent = line.iter().position(|b| *b != b' ').unwrap_or(line.len());
        let content = line.get(indent..).unwrap_or_default();
        match content.first() {
            None | Some(b'\n' | b'\r' | b'#') => return self.filler(line),
            Some(b'\t') if !self.in_piece => return Err(Unusual),
            _ => {}
        }
        if indent == 0 && !is_item(content) {
            return self.top(line, content, pieces);
        }
        if !self.in_entries {
            return append(&mut self.head, line);
        }
        self.inside(line, indent, content, pieces)
    }

    /// A blank line or a comment: part of what it stands in, as it may be the content of a text.
    fn filler(&mut self, line: &[u8]) -> Result<(), Unusual> {
        match (self.in_entries, self.in_piece && self.wanted) {
            (true, true) => append(&mut self.piece, line),
            (true, false) => Ok(()),
            (false, _) => append(&mut self.head, line),
        }
    }

    /// A line at the left edge.
    fn top(&mut self, line: &[u8], content: &[u8], pieces: &mut dyn Pieces) -> Result<(), Unusual> {
        if content.starts_with(b"---") && !self.begun && content.trim_ascii_end() == b"---" {
            return Ok(());
        }
        let plain = content.first().is_some_and(|b| b.is_ascii_alphabetic());
        if !plain || content.starts_with(b"---") {
            return Err(Unusual);
        }
        self.begun = true;
        self.end_piece(pieces)?;
        self.in_chart = false;
        let Some(rest) = content.strip_prefix(b"entries:") else {
            self.in_entries = false;
            return append(&mut self.head, line);
        };
        let rest = rest.trim_ascii();
        self.in_entries = rest.is_empty() || rest.starts_with(b"#");
        if self.seen_entries || !(self.in_entries || rest == b"{}" || rest == b"null") {
            return Err(Unusual);
        }
        self.seen_entries = true;
        Ok(())
    }

    /// A line below `entries`.
    fn inside(
        &mut self,
        line: &[u8],
        indent: usize,
        content: &[u8],
        pieces: &mut dyn Pieces,
    ) -> Result<(), Unusual> {
        let key_indent = *self.key_indent.get_or_insert(indent);
        if is_item(content) && self.in_chart && indent >= key_indent {
            let item_indent = *self.item_indent.get_or_insert(indent);
            if indent == item_indent {
                self.end_piece(pieces)?;
                self.in_piece = true;
                return self.append_item(line, indent);
            }
        }
        if self.in_piece && self.item_indent.is_some_and(|item| indent > item) {
            return if self.wanted { append(&mut self.piece, line) } else { Ok(()) };
        }
        if indent != key_indent || is_item(content) {
            return Err(Unusual);
        }
        self.end_piece(pieces)?;
        self.item_indent = None;
        let (key, has_versions) = key(content)?;
        self.wanted = pieces.chart(key, false)? && has_versions;
        self.in_chart = has_versions;
        Ok(())
    }

    /// The dash is taken away, so that what remains is a mapping.
    fn append_item(&mut self, line: &[u8], indent: usize) -> Result<(), Unusual> {
        if !self.wanted {
            return Ok(());
        }
        append(&mut self.piece, line)?;
        if let Some(dash) = self.piece.get_mut(indent) {
            *dash = b' ';
        }
        Ok(())
    }

    fn end_piece(&mut self, pieces: &mut dyn Pieces) -> Result<(), Unusual> {
        if self.in_piece && self.wanted {
            pieces.version(&self.piece, false)?;
        }
        self.in_piece = false;
        self.piece.clear();
        Ok(())
    }

    fn finish(mut self, pieces: &mut dyn Pieces) -> Result<(), Unusual> {
        self.end_piece(pieces)?;
        pieces.head(&self.head, false)
    }
}

fn append(piece: &mut Vec<u8>, line: &[u8]) -> Result<(), Unusual> {
    if piece.len() + line.len() > MAX_PIECE {
        return Err(Unusual);
    }
    piece.extend_from_slice(line);
    Ok(())
}

fn is_item(content: &[u8]) -> bool {
    matches!(content, [b'-', b' ' | b'\n' | b'\r' | b'\t', ..] | [b'-'])
}

/// The key of a line that has nothing else but `[]` or a comment, and whether versions may follow.
fn key(content: &[u8]) -> Result<(&[u8], bool), Unusual> {
    let line = content.trim_ascii_end();
    let colon = match line.first() {
        Some(quote @ (b'"' | b'\'')) => {
            let close = line.iter().skip(1).position(|b| b == quote).ok_or(Unusual)? + 1;
            close + 1
        }
        Some(b'?' | b'&' | b'*' | b'!' | b'|' | b'>' | b'@' | b'`' | b'%' | b'{' | b'[') => {
            return Err(Unusual);
        }
        _ => line
            .iter()
            .enumerate()
            .position(|(at, b)| *b == b':' && line.get(at + 1).is_none_or(u8::is_ascii_whitespace))
            .ok_or(Unusual)?,
    };
    let (key, rest) = line.split_at_checked(colon).ok_or(Unusual)?;
    let rest = rest.strip_prefix(b":").ok_or(Unusual)?.trim_ascii();
    match rest {
        [] | [b'#', ..] => Ok((key, true)),
        b"[]" | b"null" | b"~" => Ok((key, false)),
        _ => Err(Unusual),
    }
}

/// Where in a JSON index the brackets have come to.
#[derive(Debug, Default)]
struct Json {
    head: Vec<u8>,
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// The string that was read last at a place where keys stand.
    key: Vec<u8>,
    reading_key: bool,
    expects_key: bool,
    in_entries: bool,
    seen_entries: bool,
    wanted: bool,
    piece: Vec<u8>,
    ended: bool,
}

/// `{"entries":{"name":[{` is four deep.
const VERSION_DEPTH: usize = 4;

impl Json {
    fn push(&mut self, chunk: &[u8], pieces: &mut dyn Pieces) -> Result<(), Unusual> {
        chunk.iter().try_for_each(|byte| self.byte(*byte, pieces))
    }

    fn byte(&mut self, byte: u8, pieces: &mut dyn Pieces) -> Result<(), Unusual> {
        if self.in_string {
            return self.string_byte(byte);
        }
        if byte.is_ascii_whitespace() {
            let between = self.in_entries && self.depth < VERSION_DEPTH;
            return if between { Ok(()) } else { self.keep(byte) };
        }
        if self.ended {
            return Err(Unusual);
        }
        match byte {
            b'"' => {
                self.in_string = true;
                self.reading_key = self.expects_key;
                if self.reading_key {
                    self.key.clear();
                }
                self.keep(byte)?;
            }
            b'{' | b'[' => self.open(byte, pieces)?,
            b'}' | b']' => self.close(byte, pieces)?,
            b',' => {
                self.expects_key = self.has_keys();
                self.keep(byte)?;
            }
            b':' => {
                self.expects_key = false;
                self.keep(byte)?;
            }
            _ => self.keep(byte)?,
        }
        Ok(())
    }

    fn string_byte(&mut self, byte: u8) -> Result<(), Unusual> {
        if self.escaped {
            self.escaped = false;
        } else if byte == b'\\' {
            self.escaped = true;
        } else if byte == b'"' {
            self.in_string = false;
            self.keep(byte)?;
            return Ok(());
        }
        if self.reading_key {
            append(&mut self.key, &[byte])?;
        }
        self.keep(byte)
    }

    /// Objects whose keys matter: the root and `entries`.
    fn has_keys(&self) -> bool {
        self.depth == 1 || self.in_entries && self.depth == 2
    }

    /// What is kept goes to the version or to the head; brackets around versions go nowhere.
    fn keep(&mut self, byte: u8) -> Result<(), Unusual> {
        if !self.in_entries {
            return append(&mut self.head, &[byte]);
        }
        if self.depth < VERSION_DEPTH {
            // Between versions only keys, colons and commas stand.
            let fits = self.in_string || matches!(byte, b'"' | b',' | b':');
            return if fits { Ok(()) } else { Err(Unusual) };
        }
        if self.wanted { append(&mut self.piece, &[byte]) } else { Ok(()) }
    }

    fn open(&mut self, byte: u8, pieces: &mut dyn Pieces) -> Result<(), Unusual> {
        if !self.in_entries && self.depth == 1 && self.key == b"entries" {
            if byte != b'{' || self.seen_entries {
                return Err(Unusual);
            }
            self.in_entries = true;
            self.seen_entries = true;
            // The head gets an empty object instead.
            append(&mut self.head, b"{}")?;
            self.depth = 2;
            self.expects_key = true;
            return Ok(());
        }
        self.depth += 1;
        if !self.in_entries {
            self.expects_key = self.has_keys();
            return append(&mut self.head, &[byte]);
        }
        match (self.depth, byte) {
            (3, b'[') => {
                let key = [b"\"", self.key.as_slice(), b"\""].concat();
                self.wanted = pieces.chart(&key, true)?;
            }
            (VERSION_DEPTH, b'{') => self.piece.clear(),
            (deeper, _) if deeper > VERSION_DEPTH => {}
            _ => return Err(Unusual),
        }
        self.expects_key = false;
        if self.depth >= VERSION_DEPTH { self.keep(byte) } else { Ok(()) }
    }

    fn close(&mut self, byte: u8, pieces: &mut dyn Pieces) -> Result<(), Unusual> {
        if self.depth >= VERSION_DEPTH || !self.in_entries {
            self.keep(byte)?;
        }
        if self.in_entries && self.depth == VERSION_DEPTH {
            if self.wanted {
                pieces.version(&self.piece, true)?;
            }
            self.piece.clear();
        }
        self.depth = self.depth.checked_sub(1).ok_or(Unusual)?;
        if self.in_entries && self.depth == 1 {
            self.in_entries = false;
        }
        self.ended = self.depth == 0;
        self.expects_key = false;
        Ok(())
    }

    fn finish(self, pieces: &mut dyn Pieces) -> Result<(), Unusual> {
        if !self.ended {
            return Err(Unusual);
        }
        pieces.head(&self.head, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Log(Vec<String>);

    impl Pieces for Log {
        fn chart(&mut self, key: &[u8], _: bool) -> Result<bool, Unusual> {
            self.0.push(format!("chart {}", String::from_utf8_lossy(key)));
            Ok(key != b"skipped" && key != b"\"skipped\"")
        }

        fn version(&mut self, text: &[u8], _: bool) -> Result<(), Unusual> {
            self.0.push(String::from_utf8_lossy(text).into_owned());
            Ok(())
        }

        fn head(&mut self, text: &[u8], _: bool) -> Result<(), Unusual> {
            self.0.push(format!("head {}", String::from_utf8_lossy(text)));
            Ok(())
        }
    }

    fn cut(text: &str) -> Result<Vec<String>, Unusual> {
        let mut outcomes = [1, 7, text.len().max(1)].map(|size| {
            let mut log = Log::default();
            let mut cutter = Cutter::default();
            for chunk in text.as_bytes().chunks(size) {
                cutter.push(chunk, &mut log)?;
            }
            cutter.finish(&mut log)?;
            Ok(log.0)
        });
        let [first, others @ ..] = &mut outcomes;
        others.iter().for_each(|other| assert_eq!(first, other));
        std::mem::replace(first, Err(Unusual))
    }

    #[test]
    fn yaml_is_cut_at_dashes() {
        let text = "---\napiVersion: v1\nentries:\n  a:\n  - name: a\n    description: |\n      x\n\n      - y\n  \
                    - name: b\n  skipped:\n  - name: c\n  \"q\": []\n  d:\n    - - e\ngenerated: now\npublicKeys:\n- k";
        let want = [
            "chart a",
            "    name: a\n    description: |\n      x\n\n      - y\n",
            "    name: b\n",
            "chart skipped",
            "chart \"q\"",
            "chart d",
            "      - e\n",
            "head apiVersion: v1\ngenerated: now\npublicKeys:\n- k\n",
        ];
        assert_eq!(cut(text).unwrap(), want);
    }

    #[test]
    fn json_is_cut_at_brackets() {
        let text = r#" {"apiVersion": "v1", "entries": {"a": [{"n": "}\"", "u": [1, {}]}, {}],
            "skipped": [{"x": 1}], "b": []}, "generated": {"entries": 1}}"#;
        let want = [
            "chart \"a\"",
            r#"{"n": "}\"", "u": [1, {}]}"#,
            "{}",
            "chart \"skipped\"",
            "chart \"b\"",
            r#"head {"apiVersion": "v1", "entries": {}, "generated": {"entries": 1}}"#,
        ];
        assert_eq!(cut(text).unwrap(), want);
    }

    #[test]
    fn other_forms_are_unusual() {
        for text in [
            "",
            "entries: {a: []}\n",
            "entries:\n  a: &x\n",
            "entries:\n  a:\n   - b\n  - c\n",
            "entries:\n  a:\n  - b\nentries:\n",
            "? a\n",
            "a: 1\n---\nb: 2\n",
            "{\"entries\": [1]}",
            "{\"entries\": {\"a\": {}}}",
            "{\"entries\": {}",
            "{} {}",
        ] {
            assert_eq!(cut(text), Err(Unusual), "{text}");
        }
    }
}
