//! Templates by name, and the texts that `tpl` has compiled.

use crate::compile::program::{Body, ParseError, Source, Tables, Unit};
use crate::funcs::Functions;
use crate::parse;
use bowsprit_value::{Str, strconv};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Where in its map each name of a unit's field paths was found last. Says only where to look first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hints(Arc<OnceLock<Box<[AtomicU32]>>>);

impl Hints {
    /// One for each name in the unit's table.
    #[inline]
    pub(crate) fn of(&self, unit: &Unit) -> &[AtomicU32] {
        self.0.get_or_init(|| {
            let Tables { idents, places, .. } = unit.tables();
            let known = places.iter().copied().chain(std::iter::repeat(0));
            idents.iter().zip(known).map(|(_, place)| AtomicU32::new(place.into())).collect()
        })
    }
}

/// A template: one body of a unit.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// Those of the unit, shared by all of its bodies.
    pub(crate) hints: Hints,
    pub(crate) unit: Arc<Unit>,
    pub(crate) body: Arc<Body>,
    /// The name of the template.
    pub(crate) name: Str,
    /// The name that positions begin with.
    pub(crate) file: Str,
}

/// Takes eight bytes at a time, because lookups of short names are frequent. A chart can choose names
/// that collide; then its own lookups are slow.
#[derive(Default)]
pub(crate) struct Folded(u64);

impl Folded {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for Folded {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.add(u64::from_le_bytes(*word)));
        if !rest.is_empty() {
            self.add(rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        }
    }

    fn write_usize(&mut self, n: usize) {
        self.add(n as u64);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

pub(crate) type Names<T> = HashMap<Str, T, BuildHasherDefault<Folded>>;

/// A text that `tpl` has compiled.
#[derive(Debug)]
pub(crate) struct Tpl {
    pub(crate) unit: Arc<Unit>,
    /// The text outside of all definitions.
    pub(crate) own: Option<Arc<Template>>,
    /// Whatever it defines: of each name the last that is not blank.
    pub(crate) names: Names<Arc<Template>>,
    /// Names that have only blank definitions, which do not replace others.
    pub(crate) blank: Names<Arc<Template>>,
}

/// What a text that `tpl` runs is called.
pub(crate) const TPL: &str = "gotpl";

impl Tpl {
    fn new(unit: Unit) -> Result<Tpl, ParseError> {
        let file = Str::from_static(TPL);
        defined_twice(&file, &unit)?;
        let (unit, hints) = (Arc::new(unit), Hints::default());
        let (mut own, mut names, mut blank) = (None, Names::default(), Names::default());
        for body in &unit.bodies {
            let template = Arc::new(Template::new((&unit, &hints), body, &file));
            if body.root {
                own.get_or_insert_with(|| Arc::clone(&template));
            }
            // Nothing outside of the text has its own name.
            if body.empty && template.name != TPL {
                blank.entry(template.name.clone()).or_insert(template);
            } else if !body.empty || !names.contains_key(TPL.as_bytes()) {
                names.insert(template.name.clone(), template);
            }
        }
        blank.retain(|name, _| !names.contains_key(name));
        Ok(Tpl { unit, own, names, blank })
    }
}

/// The text outside of all definitions is a template too, and there can be one of a name.
pub(crate) fn defined_twice(file: &Str, unit: &Unit) -> Result<(), ParseError> {
    let filled =
        |root| unit.bodies.iter().any(|b| b.root == root && !b.empty && (root || b.name == *file));
    if !(filled(true) && filled(false)) {
        return Ok(());
    }
    let quoted = strconv::quote(file.as_bytes());
    let quoted = String::from_utf8_lossy(&quoted);
    Err(ParseError {
        name: file.to_string(),
        line: unit.line_column(unit.source.len()).0 as u32,
        message: format!("template: multiple definition of template {quoted}"),
        started: None,
    })
}

impl Template {
    pub(crate) fn new(
        (unit, hints): (&Arc<Unit>, &Hints),
        body: &Arc<Body>,
        file: &Str,
    ) -> Template {
        let name = if body.root { file.clone() } else { body.name.clone() };
        let (unit, body, file) = (Arc::clone(unit), Arc::clone(body), file.clone());
        Template { hints: hints.clone(), unit, body, name, file }
    }

    fn is_of(&self, unit: &Arc<Unit>, body: &Arc<Body>) -> bool {
        Arc::ptr_eq(&self.unit, unit) && Arc::ptr_eq(&self.body, body)
    }

    /// Makes it the same template of another file.
    fn become_of(&mut self, file: &Str) {
        if self.body.root {
            self.name = file.clone();
        }
        self.file = file.clone();
    }

    /// The same template of a unit by itself; see [`Unit::apart`].
    pub(crate) fn apart(&self) -> Option<Template> {
        let unit = Arc::new(self.unit.apart()?);
        let body = unit.bodies.first().cloned()?;
        let (hints, name, file) = (Hints::default(), self.name.clone(), self.file.clone());
        Some(Template { hints, unit, body, name, file })
    }
}

/// What a missing map key gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// The element type's zero value (`missingkey=zero`, Helm's setting).
    #[default]
    Zero,
    /// An error (`missingkey=error`).
    Error,
}

const CACHED_TEXTS: usize = 4096;
const CACHED_BYTES: usize = 16 << 20;

/// The texts that `tpl` has compiled, so that each is compiled once however often it is run.
///
/// Bounded: what no longer fits is compiled at every call.
#[derive(Debug, Default)]
pub struct TplCache {
    cached: Mutex<Cached>,
    /// What has the texts that don't fit here; with one there is less room.
    behind: Option<Arc<TplCache>>,
}

#[derive(Debug, Default)]
struct Cached {
    units: HashMap<Str, Arc<Tpl>>,
    bytes: usize,
}

impl TplCache {
    /// A small cache for runs that take turns, before a large one that others use at the same time. Texts
    /// that are in both are compiled twice.
    #[must_use]
    pub fn before(large: Arc<TplCache>) -> TplCache {
        TplCache { cached: Mutex::default(), behind: Some(large) }
    }

    fn lock(&self) -> MutexGuard<'_, Cached> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The share of the bounds that is this one's.
    fn share(&self) -> usize {
        if self.behind.is_some() { 8 } else { 1 }
    }

    fn get(&self, text: &Str, compile: impl Fn() -> Result<Tpl, ParseError>) -> TplResult {
        let has_room = {
            let cached = self.lock();
            if let Some(tpl) = cached.units.get(text) {
                return Ok(Arc::clone(tpl));
            }
            cached.units.len() < CACHED_TEXTS / self.share()
                && cached.bytes + text.len() < CACHED_BYTES / self.share()
        };
        if let Some(behind) = self.behind.as_ref().filter(|_| !has_room) {
            return behind.get(text, compile);
        }
        let tpl = Arc::new(compile()?);
        if has_room {
            let mut cached = self.lock();
            cached.bytes += text.len();
            cached.units.insert(text.clone(), Arc::clone(&tpl));
        }
        Ok(tpl)
    }
}

type TplResult = Result<Arc<Tpl>, ParseError>;

/// A unit whose templates were added, perhaps for several copies of a chart.
#[derive(Debug)]
struct Added {
    /// Kept, so that no other can come to lie at its place.
    #[expect(dead_code, reason = "kept alive")]
    unit: Arc<Unit>,
    /// So that what one copy learns serves all others.
    hints: Hints,
    /// For each body the place of its name in the list of templates, where that is the same for all copies.
    places: Box<[Option<usize>]>,
}

/// Templates that can call each other by name: Go's associated templates.
///
/// Immutable once it is filled, and then shared by any number of runs on any thread.
#[derive(Debug)]
pub struct TemplateSet {
    functions: Arc<Functions>,
    /// The place of each name's template in the list.
    names: Names<usize>,
    templates: Vec<Template>,
    /// One for each unit, by its address.
    added: HashMap<usize, Added, BuildHasherDefault<Folded>>,
    missing_key: MissingKey,
    cache: Arc<TplCache>,
}

impl TemplateSet {
    /// An empty set whose texts can call the given functions.
    pub fn new(functions: Arc<Functions>) -> TemplateSet {
        TemplateSet {
            functions,
            names: Names::default(),
            templates: Vec::new(),
            added: HashMap::default(),
            missing_key: MissingKey::default(),
            cache: Arc::default(),
        }
    }

    /// Says what a missing map key gives.
    #[must_use]
    pub fn missing_key(mut self, missing_key: MissingKey) -> TemplateSet {
        self.missing_key = missing_key;
        self
    }

    /// Shares the texts that `tpl` has compiled with other sets over the same functions.
    #[must_use]
    pub fn cache(mut self, cache: Arc<TplCache>) -> TemplateSet {
        self.cache = cache;
        self
    }

    pub(crate) fn missing_key_is_error(&self) -> bool {
        self.missing_key == MissingKey::Error
    }

    /// The functions that texts can call.
    pub fn functions(&self) -> &Arc<Functions> {
        &self.functions
    }

    /// Compiles a text and adds its templates.
    ///
    /// # Errors
    ///
    /// Fails where the text can't be parsed.
    pub fn parse(&mut self, name: &str, text: &[u8]) -> Result<(), ParseError> {
        let unit = parse::compile(name, text, &self.functions)?;
        self.add(&Str::from(name), &Arc::new(unit))
    }

    /// Where the names of a unit's field paths were found when its templates were run last, for
    /// [`Unit::encode`]; empty where they were not run.
    pub fn places(&self, unit: &Arc<Unit>) -> Vec<u32> {
        let mut hints = self.templates.iter().filter(|template| Arc::ptr_eq(&template.unit, unit));
        let places = hints.find_map(|template| template.hints.0.get());
        let places = places.into_iter().flat_map(|places| places.iter());
        places.map(|place| place.load(Ordering::Relaxed)).collect()
    }

    /// Makes room for more templates.
    pub fn reserve(&mut self, more: usize) {
        self.names.reserve(more);
        self.templates.reserve(more);
    }

    /// Adds the templates of a compiled text. A later definition replaces an earlier one of the same
    /// name, unless it is blank.
    ///
    /// `file` names the template outside of all definitions, and begins the positions in error texts.
    ///
    /// # Errors
    ///
    /// Fails where the text defines a template of the file's own name beside its own text.
    pub fn add(&mut self, file: &Str, unit: &Arc<Unit>) -> Result<(), ParseError> {
        defined_twice(file, unit)?;
        let added = self.added.entry(Arc::as_ptr(unit).addr()).or_insert_with(|| Added {
            unit: Arc::clone(unit),
            hints: Hints::default(),
            places: vec![None; unit.bodies.len()].into(),
        });
        let hints = &added.hints;
        for (body, known) in unit.bodies.iter().zip(&mut added.places) {
            let template = || Template::new((unit, hints), body, file);
            let place = match known {
                Some(place) => *place,
                None => {
                    let name = if body.root { file } else { &body.name };
                    let (place, is_new) = match self.names.entry(name.clone()) {
                        Entry::Vacant(free) => (*free.insert(self.templates.len()), true),
                        Entry::Occupied(taken) => (*taken.get(), false),
                    };
                    if !body.root {
                        *known = Some(place);
                    }
                    if is_new {
                        self.templates.push(template());
                        continue;
                    }
                    place
                }
            };
            if body.empty {
                continue;
            }
            let Some(before) = self.templates.get_mut(place) else { continue };
            // Another copy of the chart has it too.
            if before.is_of(unit, body) { before.become_of(file) } else { *before = template() }
        }
        Ok(())
    }

    /// Whether a template of this name is defined.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.names.contains_key(name)
    }

    pub(crate) fn templates(&self) -> impl Iterator<Item = &Template> {
        self.templates.iter()
    }

    pub(crate) fn get(&self, name: &[u8]) -> Option<&Template> {
        self.template(self.number(name)?)
    }

    /// A number for each name that has a template.
    pub(crate) fn number(&self, name: &[u8]) -> Option<usize> {
        self.names.get(name).copied()
    }

    pub(crate) fn template(&self, number: usize) -> Option<&Template> {
        self.templates.get(number)
    }

    /// How many names have templates.
    pub(crate) fn len(&self) -> usize {
        self.templates.len()
    }

    /// The compiled form of a text that `tpl` runs, compiled at the first call.
    pub(crate) fn tpl(&self, text: &Str) -> TplResult {
        self.cache.get(text, || {
            let unit = parse::compile_source(TPL, &Source::new(text.clone()), &self.functions)?;
            Tpl::new(unit)
        })
    }
}
