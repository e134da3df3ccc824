//! A render that remembers: which template wrote which piece of the output, and what it read.

use crate::path::{Path, Step};
use bowsprit_template::{Observer, Site};
use bowsprit_value::{Map, Str, Value};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// What a template reads of: values, or one of the other objects it is given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Read {
    /// A value, by its path among the root chart's.
    Value(Path),
    /// A field of `.Release`, `.Chart`, `.Capabilities` and so on, as `Release.Name`.
    Object(String),
}

/// A place in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The template's file, `web/templates/a.yaml`; `gotpl` for a text that `tpl` ran.
    pub file: String,
    /// The template: the file's name again, or that of a definition.
    pub template: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in bytes.
    pub column: usize,
    /// The line's source.
    pub source: String,
    /// Whether it is plain text, which no value can change.
    pub is_text: bool,
}

/// A piece of output.
#[derive(Debug)]
struct Piece {
    start: usize,
    end: usize,
    unit: usize,
    template: Str,
    span: Range<usize>,
    /// What was read since the piece before: part of [`FileTrace::reads`].
    reads: Range<usize>,
    frame: usize,
    /// How much the frame had captured by then.
    captured: usize,
}

/// Output that became a value: of `include` and `tpl`.
#[derive(Debug)]
struct Capture {
    text: Vec<u8>,
    pieces: Vec<Piece>,
}

struct Unit {
    file: Str,
    source: Arc<[u8]>,
}

/// What is remembered of one rendered file.
#[derive(Default)]
pub(crate) struct FileTrace {
    /// The output before `<no value>` is taken out.
    text: Vec<u8>,
    pieces: Vec<Piece>,
    captures: Vec<Capture>,
    /// The captures of each execution of a template.
    frames: Vec<Vec<usize>>,
    reads: Vec<(Read, bool)>,
    units: Vec<Unit>,
}

/// More pieces and reads than this are not remembered.
const MAX_EVENTS: usize = 4 << 20;

struct Frame {
    number: usize,
    template: Str,
    file: Str,
    first_piece: usize,
}

/// Watches a render.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) files: BTreeMap<String, FileTrace>,
    current: FileTrace,
    frames: Vec<Frame>,
    units: HashMap<usize, usize>,
    /// Where reads since the last piece begin.
    unread: usize,
    known: HashMap<usize, Known>,
    /// Maps that were found on the way, kept so that their numbers stay theirs.
    kept: Vec<Map>,
    scopes: Vec<usize>,
}

/// A map whose place is known.
#[derive(Clone)]
enum Known {
    Values(Path),
    Object(String),
}

impl Recorder {
    /// A recorder of a render with these values, of the root's and so of all charts.
    pub(crate) fn new(values: &Map) -> Recorder {
        let mut recorder = Recorder::default();
        let mut pending = vec![(Path::default(), values.clone())];
        while let Some((path, map)) = pending.pop() {
            if recorder.known.contains_key(&map.id()) {
                continue;
            }
            recorder.known.insert(map.id(), Known::Values(path.clone()));
            recorder.kept.push(map.clone());
            for (key, value) in map.entries().iter() {
                below(&path.key(&key.to_string_lossy()), value, &mut pending);
            }
        }
        recorder
    }

    fn note(&mut self, read: Read) {
        // Where the next read goes on from here, this one was only on the way.
        if self.current.reads.len() < MAX_EVENTS {
            self.current.reads.push((read, true));
        }
    }

    fn on_the_way(&mut self, map: &Known) {
        if let (Some((last, end)), true) = (self.current.reads.last_mut(), true) {
            let same = match (&*last, map) {
                (Read::Value(path), Known::Values(of)) => path == of,
                (Read::Object(path), Known::Object(of)) => path == of,
                _ => false,
            };
            if same {
                *end = false;
            }
        }
    }

    fn is_scope(&self, map: &Map) -> bool {
        self.scopes.contains(&map.id())
            || match map.get(b"Values") {
                Some(Value::Map(values)) => {
                    matches!(self.known.get(&values.id()), Some(Known::Values(_)))
                        && map.contains(b"Release")
                }
                _ => false,
            }
    }
}

fn below(path: &Path, value: &Value, pending: &mut Vec<(Path, Map)>) {
    match value {
        Value::Map(map) => pending.push((path.clone(), map.clone())),
        Value::List(list) => {
            for (index, item) in list.iter().enumerate() {
                below(&path.join(Step::Index(index)), item, pending);
            }
        }
        _ => {}
    }
}

impl Observer for Recorder {
    fn read(&mut self, map: &Map, key: &[u8], value: Option<&Value>) {
        let name = String::from_utf8_lossy(key);
        let Some(known) = self.known.get(&map.id()).cloned() else {
            if key == b"Values" || !self.is_scope(map) {
                return;
            }
            let path = name.into_owned();
            if let Some(Value::Map(map)) = value {
                self.known.insert(map.id(), Known::Object(path.clone()));
                self.kept.push(map.clone());
            }
            return self.note(Read::Object(path));
        };
        self.on_the_way(&known);
        let (below, read) = match known {
            Known::Values(path) => {
                let path = path.key(&name);
                (Known::Values(path.clone()), Read::Value(path))
            }
            Known::Object(path) => {
                let path = format!("{path}.{name}");
                (Known::Object(path.clone()), Read::Object(path))
            }
        };
        if let Some(Value::Map(map)) = value
            && !self.known.contains_key(&map.id())
        {
            self.known.insert(map.id(), below);
            self.kept.push(map.clone());
        }
        self.note(read);
    }

    fn wrote(&mut self, start: usize, end: usize, site: Site<'_>) {
        let reads = self.unread..self.current.reads.len();
        self.unread = reads.end;
        if start == end || self.current.pieces.len() >= MAX_EVENTS {
            return;
        }
        let Some(frame) = self.frames.last() else { return };
        let address = site.unit.source().as_ptr().addr();
        let units = &mut self.current.units;
        let unit = *self.units.entry(address).or_insert_with(|| {
            units.push(Unit { file: frame.file.clone(), source: site.unit.shared_source() });
            units.len() - 1
        });
        let captured = self.current.frames.get(frame.number).map_or(0, Vec::len);
        self.current.pieces.push(Piece {
            start,
            end,
            unit,
            template: frame.template.clone(),
            span: site.start..site.end,
            reads,
            frame: frame.number,
            captured,
        });
    }

    fn entered(&mut self, template: &Str, file: &Str) {
        if self.frames.is_empty() {
            self.current = FileTrace::default();
            self.units.clear();
            self.unread = 0;
        }
        self.current.frames.push(Vec::new());
        self.frames.push(Frame {
            number: self.current.frames.len() - 1,
            template: template.clone(),
            file: file.clone(),
            first_piece: self.current.pieces.len(),
        });
    }

    fn left(&mut self, start: usize, captured: bool, text: &[u8]) {
        let Some(frame) = self.frames.pop() else { return };
        if captured {
            let mut pieces = self.current.pieces.split_off(frame.first_piece);
            for piece in &mut pieces {
                piece.start -= start.min(piece.start);
                piece.end -= start.min(piece.end);
            }
            self.current.captures.push(Capture { text: text.to_vec(), pieces });
            let number = self.current.captures.len() - 1;
            let outer = self.frames.last().map(|frame| frame.number);
            if let Some(list) = outer.and_then(|outer| self.current.frames.get_mut(outer)) {
                list.push(number);
            }
        }
        if self.frames.is_empty() {
            self.current.text = text.to_vec();
            let name = frame.file.to_string_lossy().into_owned();
            self.files.insert(name, std::mem::take(&mut self.current));
        }
    }
}

/// Where a line of output was made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Made {
    /// From the file that is rendered to the template that is included deepest.
    pub(crate) places: Vec<Place>,
    /// What was read for it, the nearest first.
    pub(crate) reads: Vec<Read>,
}

impl FileTrace {
    /// The text before `<no value>` was taken out.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Everything that was read, in the order of the reads, each once; and whether it was ever used
    /// as a whole.
    pub(crate) fn all_reads(&self) -> Vec<(Read, bool)> {
        let mut order: Vec<(Read, bool)> = Vec::new();
        let mut seen: HashMap<&Read, usize> = HashMap::new();
        for (read, end) in &self.reads {
            match seen.get(read) {
                Some(at) => {
                    if let Some((_, whole)) = order.get_mut(*at) {
                        *whole |= end;
                    }
                }
                None => {
                    seen.insert(read, order.len());
                    order.push((read.clone(), *end));
                }
            }
        }
        order
    }

    /// Where the line with a byte of the text was made.
    pub(crate) fn made(&self, at: usize) -> Made {
        let mut made = Made::default();
        self.follow(&self.text, &self.pieces, line_of(&self.text, at), &mut made, 0);
        let mut seen = std::collections::HashSet::new();
        made.reads.retain(|read| seen.insert(read.clone()));
        made
    }

    fn follow(
        &self,
        text: &[u8],
        pieces: &[Piece],
        line: Range<usize>,
        made: &mut Made,
        depth: usize,
    ) {
        const MAX_DEPTH: usize = 50;
        let line = trimmed(text, line);
        let on_line: Vec<&Piece> =
            pieces.iter().filter(|p| p.start < line.end && line.start < p.end).collect();
        // An action says more than the text around it; the last one made the value, usually.
        let action = on_line.iter().rev().find(|p| !self.is_text(text, p)).copied();
        let Some(piece) = action.or(on_line.first().copied()) else { return };
        let place = self.place(text, piece, line.start);
        let may_hold = ["include", "tpl", "$", "indent"].iter().any(|w| place.source.contains(w));
        made.places.push(place);
        let inner = line.start.max(piece.start)..line.end.min(piece.end);
        if depth < MAX_DEPTH
            && may_hold
            && !self.is_text(text, piece)
            && let Some((capture, at)) = self.captured(text, piece, &inner)
        {
            let within = line_of(&capture.text, at);
            self.follow(&capture.text, &capture.pieces, within, made, depth + 1);
        }
        for piece in on_line.iter().rev() {
            let reads = self.reads.get(piece.reads.clone()).unwrap_or_default();
            made.reads.extend(reads.iter().rev().map(|(read, _)| read.clone()));
        }
    }

    /// The line of the template that an action is on.
    fn source_line(&self, piece: &Piece) -> String {
        let Some(unit) = self.units.get(piece.unit) else { return String::new() };
        let line = line_of(&unit.source, piece.span.start);
        String::from_utf8_lossy(unit.source.get(line).unwrap_or_default()).into_owned()
    }

    fn is_text(&self, text: &[u8], piece: &Piece) -> bool {
        let source = self.units.get(piece.unit).map(|unit| &*unit.source);
        let source = source.and_then(|source| source.get(piece.span.clone()));
        source.is_some() && source == text.get(piece.start..piece.end)
    }

    fn place(&self, text: &[u8], piece: &Piece, at: usize) -> Place {
        let Some(unit) = self.units.get(piece.unit) else {
            return Place {
                file: String::new(),
                template: String::new(),
                line: 0,
                column: 0,
                source: String::new(),
                is_text: true,
            };
        };
        let is_text = self.is_text(text, piece);
        let start = if is_text {
            piece.span.start + at.saturating_sub(piece.start)
        } else {
            piece.span.start
        };
        let before = unit.source.get(..start).unwrap_or(&unit.source);
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let rest = unit.source.get(line_start..).unwrap_or_default();
        let source = rest.split(|b| *b == b'\n').next().unwrap_or_default();
        Place {
            file: unit.file.to_string_lossy().into_owned(),
            template: piece.template.to_string_lossy().into_owned(),
            line,
            column: start - line_start + 1,
            source: String::from_utf8_lossy(source).trim_end().to_owned(),
            is_text,
        }
    }

    /// The captured output that an action printed, and the offset in it of what stands in the part of
    /// a line. What functions such as `indent` did to lines is looked through.
    fn captured(
        &self,
        text: &[u8],
        piece: &Piece,
        part: &Range<usize>,
    ) -> Option<(&Capture, usize)> {
        let wanted = text.get(part.clone())?.trim_ascii();
        if wanted.is_empty() {
            return None;
        }
        // The how manieth of equal lines of the piece.
        let before = text.get(piece.start..part.start).unwrap_or_default();
        let same = before.split(|b| *b == b'\n').filter(|line| line.trim_ascii() == wanted).count();
        let list = self.frames.get(piece.frame)?.get(..piece.captured)?;
        list.iter().rev().take(64).find_map(|number| {
            let capture = self.captures.get(*number)?;
            let mut at = 0;
            let mut found = Vec::new();
            for line in capture.text.split(|b| *b == b'\n') {
                let trimmed = line.trim_ascii();
                if trimmed == wanted {
                    let blanks = line.iter().take_while(|b| b.is_ascii_whitespace()).count();
                    found.push(at + blanks);
                }
                at += line.len() + 1;
            }
            let offset = found.get(same).or(found.last()).copied().or_else(|| {
                // A line that was changed or is part of one, as by quote.
                let bare = wanted.strip_prefix(b"\"").unwrap_or(wanted);
                let bare = bare.strip_suffix(b"\"").unwrap_or(bare);
                let called = self.source_line(piece).contains("include");
                (called && bare.len() > 2).then(|| find(&capture.text, bare)).flatten()
            })?;
            Some((capture, offset))
        })
    }
}

/// The line around an offset, without its break.
pub(crate) fn line_of(text: &[u8], at: usize) -> Range<usize> {
    let at = at.min(text.len());
    let start = text.get(..at).and_then(|before| before.iter().rposition(|b| *b == b'\n'));
    let end = text.get(at..).and_then(|after| after.iter().position(|b| *b == b'\n'));
    start.map_or(0, |start| start + 1)..end.map_or(text.len(), |end| at + end)
}

fn trimmed(text: &[u8], range: Range<usize>) -> Range<usize> {
    let line = text.get(range.clone()).unwrap_or_default();
    let start = line.len() - line.trim_ascii_start().len();
    let end = line.trim_ascii_end().len().max(start);
    range.start + start..range.start + end
}

pub(crate) fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len().max(1)).position(|window| window == part)
}
