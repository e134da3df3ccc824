//! Templates by name, and the texts that `tpl` has compiled.

use crate::compile::program::{Body, ParseError, Source, Unit};
use crate::funcs::Functions;
use crate::parse;
use bowsprit_value::{Str, strconv};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

/// A template: one body of a unit.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) unit: Arc<Unit>,
    pub(crate) body: Arc<Body>,
    /// The name of the template.
    pub(crate) name: Str,
    /// The name that positions begin with.
    pub(crate) file: Str,
}

/// FNV-1a, because lookups of short names are frequent. A chart can choose names that collide; then
/// its own lookups are slow.
#[derive(Default)]
pub(crate) struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

pub(crate) type Names<T> = HashMap<Str, T, BuildHasherDefault<Fnv>>;

/// Adds a unit's templates to a name space: the last one wins, unless it is blank.
pub(crate) fn associate(
    names: &mut Names<Template>,
    unit: &Arc<Unit>,
    file: &Str,
    shadowed: impl Fn(&Str) -> bool,
) {
    for body in &unit.bodies {
        let name = if body.root { file } else { &body.name };
        if body.empty && (names.contains_key(name) || shadowed(name)) {
            continue;
        }
        names.insert(name.clone(), Template::new(unit, body, file));
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
    pub(crate) fn new(unit: &Arc<Unit>, body: &Arc<Body>, file: &Str) -> Template {
        let name = if body.root { file.clone() } else { body.name.clone() };
        Template { unit: Arc::clone(unit), body: Arc::clone(body), name, file: file.clone() }
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
pub struct TplCache(Mutex<Cached>);

#[derive(Debug, Default)]
struct Cached {
    units: HashMap<Str, Arc<Unit>>,
    bytes: usize,
}

/// Templates that can call each other by name: Go's associated templates.
///
/// Immutable once it is filled, and then shared by any number of runs on any thread.
#[derive(Debug)]
pub struct TemplateSet {
    functions: Arc<Functions>,
    names: Names<Template>,
    missing_key: MissingKey,
    cache: Arc<TplCache>,
}

impl TemplateSet {
    /// An empty set whose texts can call the given functions.
    pub fn new(functions: Arc<Functions>) -> TemplateSet {
        TemplateSet {
            functions,
            names: Names::default(),
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
        associate(&mut self.names, unit, file, |_| false);
        Ok(())
    }

    /// Whether a template of this name is defined.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.names.contains_key(name)
    }

    pub(crate) fn templates(&self) -> impl Iterator<Item = &Template> {
        self.names.values()
    }

    pub(crate) fn get(&self, name: &[u8]) -> Option<&Template> {
        self.names.get(name)
    }

    /// The compiled form of a text that `tpl` runs, compiled at the first call.
    pub(crate) fn tpl(&self, text: &Str) -> Result<Arc<Unit>, ParseError> {
        let lock = || self.cache.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hit = lock().units.get(text).cloned();
        if let Some(unit) = hit {
            return Ok(unit);
        }
        let unit =
            Arc::new(parse::compile_source("gotpl", &Source::new(text.clone()), &self.functions)?);
        let mut cached = lock();
        if cached.units.len() < CACHED_TEXTS && cached.bytes + text.len() < CACHED_BYTES {
            cached.bytes += text.len();
            cached.units.insert(text.clone(), Arc::clone(&unit));
        }
        Ok(unit)
    }
}
