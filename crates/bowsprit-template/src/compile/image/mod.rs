//! Units as bytes, for caches.
//!
//! A unit becomes three pieces: what is needed to find its bodies by name, what is needed to run them, and
//! the sites, which only errors look at. The second is read when the first of its bodies is run; the third when an error
//! looks for a place.

mod items;
mod record;

use super::program::{Body, Code, Ident, Instr, Op, Site, SiteKind, Source, Tables, Unit};
use crate::funcs::Functions;
use bowsprit_value::codec::{Damage, Decoder, Encoder};
use bowsprit_value::{Str, Value};
use items::{
    decode_literal, decode_loop, decode_method, decode_type, encode_literal, encode_loop,
    encode_method, encode_type,
};
use record::{Record, words};
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Sites that have been left in an image.
#[derive(Clone, Debug)]
pub(crate) struct KeptSites {
    records: Source,
    count: usize,
}

impl KeptSites {
    const RECORD: usize = 12;
    /// Offsets are smaller, so that their highest bit can say something else.
    const TEMPLATE: u32 = 1 << 31;

    pub(crate) fn get(&self, number: u32) -> Option<Site> {
        let start = (number as usize).checked_mul(Self::RECORD)?;
        let record: &[u8; Self::RECORD] = self.records.get(start..)?.first_chunk()?;
        let [pos, start, end] = words(record)?;
        let kind = if end & Self::TEMPLATE == 0 { SiteKind::Node } else { SiteKind::Template };
        Some(Site { kind, pos, start, end: end & !Self::TEMPLATE })
    }

    fn write(sites: &[Site], encoder: &mut Encoder) {
        for site in sites {
            let template = if site.kind == SiteKind::Template { Self::TEMPLATE } else { 0 };
            for word in [site.pos, site.start, site.end | template] {
                encoder.raw(&word.to_le_bytes());
            }
        }
    }
}

/// What is needed to run a unit's bodies, and stays in an image until one of them is run.
#[derive(Debug)]
pub(crate) struct KeptRun {
    kept: Arc<Kept>,
    /// How many instructions each body has.
    lens: Arc<[usize]>,
    /// Whether it has been read for one execution and given back.
    was_apart: AtomicBool,
    read: OnceLock<Box<Read>>,
}

/// The piece that runs need, with what has been made of it.
#[derive(Debug, Default)]
struct Read {
    bytes: Vec<u8>,
    bodies: Vec<ReadBody>,
    tables: Tables,
}

/// A body's instructions. Those of a body that is entered for the first time are read from their records as
/// they come, for most bodies are never entered again and then have jumped over most of them.
#[derive(Debug)]
struct ReadBody {
    records: Range<usize>,
    entered: AtomicBool,
    decoded: OnceLock<Vec<Instr>>,
}

impl KeptRun {
    fn new(kept: Arc<Kept>, lens: Arc<[usize]>) -> KeptRun {
        KeptRun { kept, lens, was_apart: AtomicBool::new(false), read: OnceLock::new() }
    }

    #[inline]
    fn read(&self) -> &Read {
        self.read.get_or_init(|| {
            Box::new(self.decode().unwrap_or_else(|| {
                self.kept.damage.note();
                Read::default()
            }))
        })
    }

    #[inline]
    pub(crate) fn tables(&self) -> &Tables {
        &self.read().tables
    }

    #[inline]
    pub(crate) fn text(&self) -> &[u8] {
        &self.read().bytes
    }

    #[cold]
    fn decode(&self) -> Option<Read> {
        let bytes = (self.kept.run)();
        let mut decoder = Decoder::new(&bytes);
        let mut bodies = Vec::with_capacity(self.lens.len());
        for len in self.lens.iter() {
            let start = decoder.place();
            decoder.raw(len.checked_mul(Record::LEN)?)?;
            let (records, entered) = (start..decoder.place(), AtomicBool::new(false));
            bodies.push(ReadBody { records, entered, decoded: OnceLock::new() });
        }
        let tables = decode_tables(&mut decoder, &self.kept.functions)?;
        Some(Read { bytes, bodies, tables })
    }
}

/// The instructions of one of the bodies.
#[derive(Clone, Debug)]
pub(crate) struct KeptCode {
    unit: Arc<KeptRun>,
    body: usize,
}

impl KeptCode {
    pub(crate) fn instrs(&self) -> &[Instr] {
        let Some(body) = self.unit.read().bodies.get(self.body) else { return &[] };
        body.decoded.get_or_init(|| {
            let records = self.records(body);
            let mut instrs = Vec::with_capacity(records.len());
            instrs.extend(records.iter().map_while(|record| Record::from_bytes(record).instr()));
            if instrs.len() < records.len() {
                self.broken();
            }
            instrs
        })
    }

    fn records(&self, body: &ReadBody) -> &[[u8; Record::LEN]] {
        let records = self.unit.read().bytes.get(body.records.clone());
        records.unwrap_or_default().as_chunks().0
    }

    /// The body is about to be run from its first instruction on.
    pub(crate) fn enter(&self) {
        if let Some(body) = self.unit.read().bodies.get(self.body)
            && body.decoded.get().is_none()
        {
            if body.entered.load(Ordering::Relaxed) {
                self.instrs();
            }
            body.entered.store(true, Ordering::Relaxed);
        }
    }

    /// The instructions in the form that they have.
    pub(crate) fn fetch(&self) -> Instrs<'_> {
        match self.unit.read().bodies.get(self.body) {
            None => Instrs::Made(&[]),
            Some(body) => match body.decoded.get() {
                Some(instrs) => Instrs::Made(instrs),
                None => Instrs::Kept(self.records(body)),
            },
        }
    }

    /// Says that these are no instructions.
    pub(crate) fn broken(&self) {
        self.unit.kept.damage.note();
    }

    fn len(&self) -> usize {
        self.unit.lens.get(self.body).copied().unwrap_or_default()
    }
}

/// Instructions as they are, or as an image has them.
#[derive(Clone, Copy)]
pub(crate) enum Instrs<'c> {
    Made(&'c [Instr]),
    Kept(&'c [[u8; Record::LEN]]),
}

impl Instrs<'_> {
    /// The instruction at a place, for which there is `room` if it must be made. `None` behind the end, where no
    /// run comes.
    #[inline]
    pub(crate) fn get<'i>(
        &'i self,
        place: usize,
        room: &'i mut Option<Instr>,
    ) -> Option<&'i Instr> {
        match self {
            Instrs::Made(instrs) => instrs.get(place),
            Instrs::Kept(records) => {
                *room = Record::from_bytes(records.get(place)?).instr();
                room.as_ref()
            }
        }
    }

    /// Where the instruction at a place jumps to, if it is [`Op::JumpIfFalse`].
    #[inline]
    pub(crate) fn false_jump(&self, place: usize) -> Option<usize> {
        let target = match self {
            Instrs::Made(instrs) => match instrs.get(place)?.op {
                Op::JumpIfFalse(target) => target,
                _ => return None,
            },
            Instrs::Kept(records) => Record::false_jump(records.get(place)?)?,
        };
        Some(target as usize)
    }
}

/// Where the pieces of a unit are that stay in an image.
pub struct Kept {
    /// Gives the unit's text once more, to be read for itself.
    pub text: Box<dyn Fn() -> Source + Send + Sync>,
    /// Reads what runs need.
    pub run: Box<dyn Fn() -> Vec<u8> + Send + Sync>,
    /// What errors need.
    pub sites: Source,
    /// The functions that the unit was compiled against.
    pub functions: Arc<Functions>,
    /// Learns of pieces that are none.
    pub damage: Damage,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("sites", &self.sites).finish_non_exhaustive()
    }
}

impl Unit {
    /// Writes the unit. It can be read by [`Unit::decode`] with the text and the functions that it was
    /// compiled with, by the same build of this crate.
    ///
    /// `places` are where the names of field paths were found last, as [`TemplateSet::places`] has them; runs
    /// look there first.
    ///
    /// The outcome is what runs need, and what errors need; the rest goes to `head`.
    ///
    /// [`TemplateSet::places`]: crate::TemplateSet::places
    pub fn encode(&self, head: &mut Encoder, places: &[u32]) -> (Encoder, Encoder) {
        let (mut run, mut sites) = (Encoder::default(), Encoder::default());
        if self.source.len() >= KeptSites::TEMPLATE as usize {
            head.refuse();
        }
        head.size(self.bodies.len());
        let consts = Consts::of(&self.tables().consts);
        let instrs = self.bodies.iter().map(|body| body.code.instrs().len()).sum::<usize>();
        let mut copied = Copied::behind(instrs * Record::LEN);
        for body in &self.bodies {
            encode_body(body, head);
            for instr in body.code.instrs() {
                let op = match instr.op {
                    Op::Const(number) => Op::Const(consts.number(number)),
                    Op::Text { start, end } => {
                        let at = copied.place(Ident { start, end }.text(&self.source));
                        Op::KeptText { start, end, at }
                    }
                    Op::KeptText { start, end, at } => {
                        let piece = Ident { start: at, end: at + (end - start) };
                        let at = copied.place(piece.text(self.run_text()));
                        Op::KeptText { start, end, at }
                    }
                    op => op,
                };
                run.raw(&Record::of(Instr { op, ..*instr }).to_bytes());
            }
        }
        let mut tables = Encoder::default();
        consts.encode(&mut tables);
        encode_idents(self, &mut copied, places, &mut tables);
        encode_tables(self.tables(), &mut tables);
        copied.encode(&mut run);
        match tables.finish() {
            Some(tables) => run.raw(&tables),
            None => run.refuse(),
        }
        match &self.kept_sites {
            None => {
                head.size(self.sites.len());
                KeptSites::write(&self.sites, &mut sites);
            }
            Some(kept) => {
                head.size(kept.count);
                sites.raw(&kept.records);
            }
        }
        (run, sites)
    }

    /// Reads a unit whose other pieces stay where they are. `None` where there is none.
    pub fn decode(head: &mut Decoder<'_>, kept: Kept, source: Source) -> Option<Unit> {
        let (heads, lens): (Vec<_>, Vec<usize>) = several(head, decode_body)?.into_iter().unzip();
        let kept_sites = KeptSites { records: kept.sites.clone(), count: head.size()? };
        let (kept, lens) = (Arc::new(kept), lens.into());
        let unit = Arc::new(KeptRun::new(kept, lens));
        let bodies = heads.into_iter().enumerate().map(|(body, head): (usize, BodyHead)| {
            let BodyHead { name, root, slots, empty } = head;
            let code = Code::Kept(KeptCode { unit: Arc::clone(&unit), body });
            Arc::new(Body { name, root, code, slots, empty })
        });
        Some(Unit {
            source,
            bodies: bodies.collect(),
            tables: Tables::default(),
            kept_run: Some(unit),
            sites: Vec::new(),
            kept_sites: Some(kept_sites),
        })
    }

    /// The same unit, which reads its pieces for itself and frees them when it is dropped: most charts are
    /// rendered once, and then need not hold all of their templates.
    ///
    /// `None` if nothing of it stays in an image, if its pieces have been read, apart or not, and if it has
    /// templates for others to call.
    pub(crate) fn apart(&self) -> Option<Unit> {
        let shared = self.kept_run.as_ref().filter(|run| run.read.get().is_none())?;
        let [body] = self.bodies.as_slice() else { return None };
        if shared.was_apart.swap(true, Ordering::Relaxed) {
            return None;
        }
        let Body { name, root, slots, empty, .. } = &**body;
        let (kept, lens) = (Arc::clone(&shared.kept), Arc::clone(&shared.lens));
        let source = (kept.text)();
        let run = Arc::new(KeptRun::new(kept, lens));
        let code = Code::Kept(KeptCode { unit: Arc::clone(&run), body: 0 });
        let body = Body { name: name.clone(), root: *root, code, slots: *slots, empty: *empty };
        Some(Unit {
            source,
            bodies: vec![Arc::new(body)],
            tables: Tables::default(),
            kept_run: Some(run),
            sites: Vec::new(),
            kept_sites: self.kept_sites.clone(),
        })
    }
}

/// The constants of a unit, each once.
struct Consts {
    /// The number of each by that of the table.
    numbers: Vec<u32>,
    count: usize,
    encoder: Encoder,
}

impl Consts {
    fn of(consts: &[Value]) -> Consts {
        let mut all = Consts { numbers: Vec::new(), count: 0, encoder: Encoder::default() };
        let mut known = HashMap::new();
        for value in consts {
            let mut encoder = Encoder::default();
            encoder.value(value);
            let Some(bytes) = encoder.finish() else {
                all.encoder.refuse();
                break;
            };
            let number = *known.entry(bytes).or_insert_with_key(|bytes| {
                all.encoder.raw(bytes);
                all.count += 1;
                all.count as u32 - 1
            });
            all.numbers.push(number);
        }
        all
    }

    fn number(&self, number: u32) -> u32 {
        self.numbers.get(number as usize).copied().unwrap_or_default()
    }

    fn encode(self, encoder: &mut Encoder) {
        encoder.size(self.count);
        match self.encoder.finish() {
            Some(consts) => encoder.raw(&consts),
            None => encoder.refuse(),
        }
    }
}

/// What runs need of a unit's text, each piece once, behind the instructions.
struct Copied<'u> {
    all: Vec<u8>,
    places: HashMap<&'u [u8], usize>,
    begin: usize,
}

impl<'u> Copied<'u> {
    /// The length stands before the text.
    const HEAD: usize = 4;

    fn behind(code: usize) -> Copied<'u> {
        Copied { all: Vec::new(), places: HashMap::new(), begin: code + Self::HEAD }
    }

    /// Where a piece is. What is too far away makes the whole too large to be written.
    fn place(&mut self, piece: &'u [u8]) -> u32 {
        let all = &mut self.all;
        let place = *self.places.entry(piece).or_insert_with(|| {
            all.extend_from_slice(piece);
            all.len() - piece.len()
        });
        u32::try_from(self.begin + place).unwrap_or_default()
    }

    fn encode(self, encoder: &mut Encoder) {
        match u32::try_from(self.begin + self.all.len()) {
            Ok(_) => encoder.raw(&(self.all.len() as u32).to_le_bytes()),
            Err(_) => encoder.refuse(),
        }
        encoder.raw(&self.all);
    }
}

/// Writes where the names of field paths are, and where each was found last.
fn encode_idents<'u>(
    unit: &'u Unit,
    copied: &mut Copied<'u>,
    places: &[u32],
    encoder: &mut Encoder,
) {
    let idents = &unit.tables().idents;
    encoder.size(idents.len());
    for ident in idents {
        let name = ident.text(unit.run_text());
        let start = copied.place(name);
        encoder.raw(&start.to_le_bytes());
        encoder.raw(&start.saturating_add(name.len() as u32).to_le_bytes());
    }
    for number in 0..idents.len() {
        // A unit that was read apart has left no other places than those that it came with.
        let before = || unit.tables().places.get(number).copied();
        let place = places.get(number).map(|place| u8::try_from(*place).unwrap_or_default());
        encoder.byte(place.or_else(before).unwrap_or_default());
    }
}

fn encode_tables(tables: &Tables, encoder: &mut Encoder) {
    let Tables { names, types, messages, literals, methods, loops, .. } = tables;
    encoder.size(names.len());
    names.iter().for_each(|name| encoder.bytes(name.as_bytes()));
    encoder.size(types.len());
    types.iter().for_each(|ty| encode_type(*ty, encoder));
    encoder.size(messages.len());
    messages.iter().for_each(|message| encoder.bytes(message.as_bytes()));
    encoder.size(literals.len());
    literals.iter().for_each(|literal| encode_literal(literal, encoder));
    encoder.size(methods.len());
    methods.iter().for_each(|method| encode_method(method, encoder));
    encoder.size(loops.len());
    loops.iter().for_each(|vars| encode_loop(vars, encoder));
}

fn decode_tables(decoder: &mut Decoder<'_>, functions: &Functions) -> Option<Tables> {
    let len = u32::from_le_bytes(*decoder.raw(Copied::HEAD)?.first_chunk()?);
    decoder.raw(len as usize)?;
    let consts = several(decoder, |d| d.value())?;
    let count = decoder.count()?;
    let (records, _) = decoder.raw(count.checked_mul(8)?)?.as_chunks::<8>();
    let mut idents = Vec::with_capacity(count);
    idents.extend(records.iter().map(|record| {
        let bits = u64::from_le_bytes(*record);
        Ident { start: bits as u32, end: (bits >> 32) as u32 }
    }));
    let places = decoder.raw(count)?.to_vec();
    Some(Tables {
        consts,
        idents,
        places,
        names: several(decoder, |d| d.bytes().map(Str::from))?,
        types: several(decoder, |d| decode_type(d, functions))?,
        messages: several(decoder, |d| d.text().map(str::to_owned))?,
        literals: several(decoder, decode_literal)?,
        methods: several(decoder, decode_method)?,
        loops: several(decoder, decode_loop)?,
    })
}

fn several<T>(
    decoder: &mut Decoder<'_>,
    mut one: impl FnMut(&mut Decoder<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let count = decoder.count()?;
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        all.push(one(decoder)?);
    }
    Some(all)
}

fn encode_body(body: &Body, encoder: &mut Encoder) {
    encoder.bytes(body.name.as_bytes());
    encoder.flag(body.root);
    encoder.flag(body.empty);
    encoder.number(body.slots.into());
    encoder.size(match &body.code {
        Code::Made(instrs) => instrs.len(),
        Code::Kept(kept) => kept.len(),
    });
}

/// What is known of a body without its code.
struct BodyHead {
    name: Str,
    root: bool,
    slots: u32,
    empty: bool,
}

/// Reads a body but for its code, and how many instructions that has.
fn decode_body(decoder: &mut Decoder<'_>) -> Option<(BodyHead, usize)> {
    let name = Str::from(decoder.bytes()?);
    let (root, empty) = (decoder.flag()?, decoder.flag()?);
    let slots = u32::try_from(decoder.number()?).ok()?;
    Some((BodyHead { name, root, slots, empty }, decoder.size()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{INCLUDE, TPL, compile};
    use bowsprit_value::{Elem, IntKind, Type};

    const TEXTS: &[&str] = &[
        "",
        "plain",
        "{{ .a.b }}{{ $x := .c }}{{ $x.d }}{{ $x = 1 }}{{ $x }}",
        "{{- range $i, $e := .list }}{{ $i }}{{ break }}{{ else }}none{{ end -}}",
        "{{ with .a }}{{ . }}{{ else with .b }}x{{ else }}y{{ end }}",
        "{{ define \"t\" }}{{ template \"t\" . }}{{ end }}{{ block \"b\" 1 }}{{ end }}",
        "{{ if and .a (or .b (not .c)) }}{{ printf \"%d %s\" 0x1F \"é\" | print 1.5 1i 'x' nil }}{{ end }}",
        "{{ .Method 1 \"a\" true nil | .x.Other }}{{ (index .a 18446744073709551615).b }}",
        "{{ include \"t\" . | tpl \"x\" }}{{ 1 | .Files.Get }}",
    ];

    fn functions() -> Functions {
        let mut functions = Functions::builtins();
        functions.extend([&INCLUDE, &TPL]);
        functions
    }

    fn decoded(head: &[u8], run: Vec<u8>, sites: Vec<u8>, text: &[u8]) -> (Option<Unit>, Damage) {
        let damage = Damage::default();
        let source = Source::new(text.to_vec());
        let kept = Kept {
            text: Box::new({
                let source = source.clone();
                move || source.clone()
            }),
            run: Box::new(move || run.clone()),
            sites: Source::new(sites),
            functions: Arc::new(functions()),
            damage: damage.clone(),
        };
        (Unit::decode(&mut Decoder::new(head), kept, source), damage)
    }

    fn round(unit: &Unit) -> Option<Unit> {
        let mut head = Encoder::default();
        let (run, sites) = unit.encode(&mut head, &[3, 1]);
        let (unit, damage) =
            decoded(&head.finish()?, run.finish()?, sites.finish()?, unit.source());
        assert!(!damage.is_noted());
        unit
    }

    /// All that a unit is, with its sites in whichever form.
    fn shown(unit: &Unit) -> String {
        let bodies: Vec<_> = unit
            .bodies
            .iter()
            .map(|body| {
                // The same constants may have other numbers.
                let code: Vec<_> = (body.code.instrs().iter())
                    .map(|instr| match instr.op {
                        Op::Const(number) => format!("{:?}", unit.tables().consts[number as usize]),
                        Op::Text { start, end } => {
                            let piece = Ident { start, end }.text(unit.source());
                            format!("text {start} {end} {:?}", Str::from(piece))
                        }
                        Op::KeptText { start, end, at } => {
                            let piece = Ident { start: at, end: at + (end - start) };
                            let piece = Str::from(piece.text(unit.run_text()));
                            format!("text {start} {end} {piece:?}")
                        }
                        _ => format!("{instr:?}"),
                    })
                    .collect();
                format!("{} {} {} {} {code:?}", body.name, body.root, body.slots, body.empty)
            })
            .collect();
        let sites: Vec<_> = (0..).map_while(|number| unit.site(number)).collect();
        let Tables { idents, names, types, messages, literals, methods, loops, .. } = unit.tables();
        let idents: Vec<_> =
            idents.iter().map(|ident| Str::from(ident.text(unit.run_text()))).collect();
        let tables = (idents, names, types, messages, literals, methods, loops);
        format!("{bodies:?} {tables:?} {sites:?}")
    }

    #[test]
    fn units_come_back_as_they_were() {
        let functions = functions();
        for text in TEXTS {
            let unit = compile("t", text.as_bytes(), &functions).unwrap();
            let once = round(&unit).unwrap();
            assert_eq!(shown(&once), shown(&unit), "{text}");
            let places = once.tables().places.clone();
            assert_eq!(places.len(), unit.tables().idents.len());
            assert!(places.iter().zip([3, 1, 0]).all(|(place, given)| *place == given));
            // What was read can be written again.
            assert_eq!(shown(&round(&once).unwrap()), shown(&unit), "{text}");
        }
    }

    #[test]
    fn a_unit_without_definitions_can_be_read_apart() {
        let functions = functions();
        for text in TEXTS {
            let unit = compile("t", text.as_bytes(), &functions).unwrap();
            assert!(unit.apart().is_none());
            let kept = round(&unit).unwrap();
            let apart = kept.apart();
            assert_eq!(apart.is_some(), unit.bodies.len() == 1, "{text}");
            if let Some(apart) = apart {
                assert_eq!(shown(&apart), shown(&unit), "{text}");
                assert_eq!(apart.source(), unit.source());
                assert!(kept.kept_run.as_ref().is_some_and(|run| run.read.get().is_none()));
            }
            assert!(kept.apart().is_none());
        }
    }

    #[test]
    fn what_was_cut_is_no_unit() {
        let functions = functions();
        for text in TEXTS {
            let text = text.as_bytes();
            let unit = compile("t", text, &functions).unwrap();
            let mut head = Encoder::default();
            let (run, sites) = unit.encode(&mut head, &[]);
            let (head, run) = (head.finish().unwrap(), run.finish().unwrap());
            let sites = sites.finish().unwrap();
            let is_whole = |head: &[u8], run: &[u8]| {
                let (unit, damage) = decoded(head, run.to_vec(), sites.clone(), text);
                unit.is_some_and(|unit| unit.tables().loops.len() < 99) && !damage.is_noted()
            };
            assert!(is_whole(&head, &run));
            assert!((0..head.len()).all(|end| !is_whole(&head[..end], &run)));
            assert!((0..run.len()).all(|end| !is_whole(&head, &run[..end])));
        }
    }

    #[test]
    fn types_of_parameters_are_known_by_their_names() {
        let functions = functions();
        for ty in [
            Type::Any,
            Type::INT,
            Type::Int(IntKind::Uint64),
            Type::List(Elem::Map),
            Type::Map(Elem::String),
            Type::Reflect,
        ] {
            let mut encoder = Encoder::default();
            encode_type(ty, &mut encoder);
            let bytes = encoder.finish().unwrap();
            assert_eq!(decode_type(&mut Decoder::new(&bytes), &functions), Some(ty));
        }
        let mut encoder = Encoder::default();
        encode_type(Type::Named("time.Time"), &mut encoder);
        let bytes = encoder.finish().unwrap();
        assert_eq!(decode_type(&mut Decoder::new(&bytes), &functions), None);
    }
}
