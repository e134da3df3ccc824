//! `values.schema.json`: checking values against a chart's JSON schema.
//!
//! Drafts 4, 6, 7, 2019-09 and 2020-12, with the verdicts and words of the library that Helm uses. Where
//! that library goes through Go's maps in random order, keys come sorted here. Nothing is loaded from
//! files or the network unless the caller brings a [`SchemaLoader`]; the work that a schema may cause
//! is bounded, and nothing recurses on the native stack.

mod address;
mod compile;
mod document;
mod drafts;
mod equal;
mod failure;
mod formats;
mod glance;
mod keyword;
mod number;
mod parse;
mod queue;
mod quick;
mod roots;
mod url;
mod validate;

use super::{Finding, ValuesError, ValuesErrorKind, locate};
use bowsprit_diag::{Label, Source, Span};
use bowsprit_value::Map;
use compile::{SchemaId, Store};
use document::Document;
use roots::Roots;
use validate::{Budget, Invalid};

/// Where a chart's schema pretends to lie; relative references start from here.
const URL: &str = "file:///values.schema.json";

/// What Helm takes off the front of the library's error.
const HEADER: &str = "jsonschema validation failed with 'file:///values.schema.json#'\n";

/// The work that one compilation or validation may take. A large chart takes some ten thousand steps.
const MAX_STEPS: u64 = 16_000_000;

/// Brings documents that a schema refers to: by the schemes `file`, `http` and `https`.
pub trait SchemaLoader: Send + Sync {
    /// The bytes at an absolute URL.
    ///
    /// # Errors
    ///
    /// Says why there are none; the text is what Helm would print.
    fn load(&self, url: &str) -> Result<Vec<u8>, LoadError>;
}

/// Why a document can't be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// It may not be read.
    Denied(String),
    /// It can't be read.
    Failed(String),
}

/// Something wrong with a schema itself.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    text: String,
    kind: ValuesErrorKind,
    place: Option<Place>,
}

/// Where in its text a schema is wrong.
#[derive(Clone, Debug)]
enum Place {
    /// Before this byte.
    Before(usize),
    /// At these JSON pointers, and what is wrong there.
    Values(Vec<(String, String)>),
}

impl Fault {
    fn new(text: impl Into<String>) -> Fault {
        Fault::of(text.into(), ValuesErrorKind::Schema)
    }

    fn of(text: String, kind: ValuesErrorKind) -> Fault {
        Fault { text, kind, place: None }
    }

    fn limit(text: &str) -> Fault {
        Fault::of(text.to_owned(), ValuesErrorKind::Limit)
    }

    fn denied() -> Fault {
        Fault::of("schemas may not load other documents".to_owned(), ValuesErrorKind::Denied)
    }

    fn at(mut self, place: Place) -> Fault {
        self.place = Some(place);
        self
    }

    /// The error, with the places in the schema's text.
    fn in_text(self, text: &[u8]) -> ValuesError {
        let source = || Source::new("values.schema.json", text);
        let place = self.place.clone();
        let error = ValuesError::from(self);
        match place {
            None => error,
            Some(Place::Before(at)) => {
                let span = Span::new(at.saturating_sub(1), at);
                error.at(Label::primary(&source(), span, ""))
            }
            Some(Place::Values(leaves)) => {
                let source = source();
                let leaves = leaves.iter().take(locate::MOST);
                let labels = leaves.filter_map(|(at, message)| {
                    locate::in_yaml(&source, &locate::pointer(at), message)
                });
                labels.fold(error, ValuesError::at)
            }
        }
    }

    fn prefixed(mut self, prefix: &str) -> Fault {
        self.text.insert_str(0, prefix);
        self
    }
}

impl From<LoadError> for Fault {
    fn from(error: LoadError) -> Fault {
        match error {
            LoadError::Denied(text) => Fault::of(text, ValuesErrorKind::Denied),
            LoadError::Failed(text) => Fault::new(text),
        }
    }
}

impl From<Fault> for ValuesError {
    fn from(fault: Fault) -> ValuesError {
        ValuesError::new(fault.kind, fault.text)
    }
}

/// A schema that was read, checked and compiled, ready to validate any number of values.
///
/// ```
/// use bowsprit_render::values::schema::CompiledSchema;
/// use bowsprit_value::{Map, Value};
///
/// let schema = CompiledSchema::compile(br#"{"required": ["name"]}"#, None).unwrap();
/// let values = Map::new();
/// let error = schema.validate(&values).unwrap_err();
/// assert_eq!(error.to_string(), "- at '': missing property 'name'\n");
/// ```
#[derive(Debug)]
pub struct CompiledSchema {
    store: Store<'static>,
    root: SchemaId,
    unresolved_urns: Vec<String>,
}

impl CompiledSchema {
    /// Reads a schema and checks it against its metaschema.
    ///
    /// # Errors
    ///
    /// Fails where it is no JSON or no schema, or refers to what is not there, with Helm's text; with
    /// [`ValuesErrorKind::Denied`] where it refers to documents that it may not have, and with
    /// [`ValuesErrorKind::Limit`] where it takes too much work.
    pub fn compile(
        text: &[u8],
        loader: Option<&dyn SchemaLoader>,
    ) -> Result<CompiledSchema, ValuesError> {
        let document = parse::parse(text)
            .map_err(|(error, at)| Fault::new(error).at(Place::Before(at)).in_text(text))?;
        let mut roots = Roots::new(loader);
        roots.add_document(URL, document);
        let mut store = Store::new(roots);
        let root = store.compile(URL, &Budget::new(MAX_STEPS)).map_err(|e| e.in_text(text))?;
        let unresolved_urns = std::mem::take(&mut store.roots.unresolved_urns);
        Ok(CompiledSchema { store: store.settled(), root, unresolved_urns })
    }

    /// URNs that the schema refers to. Helm warns of them and takes anything to be valid there.
    pub fn unresolved_urns(&self) -> &[String] {
        &self.unresolved_urns
    }

    /// Validates values.
    ///
    /// # Errors
    ///
    /// Lists what is wrong, one line each, with Helm's text.
    pub fn validate(&self, values: &Map) -> Result<(), ValuesError> {
        if glance::surely_valid(&self.store, self.root, values) {
            return Ok(());
        }
        self.validated(values)
    }

    fn validated(&self, values: &Map) -> Result<(), ValuesError> {
        let document = Document::of_values(values);
        let budget = Budget::new(MAX_STEPS);
        match validate::run(&self.store, self.root, &document, Document::ROOT, None, &budget)? {
            None => Ok(()),
            Some(Invalid { text, leaves }) => {
                let text = text.strip_prefix(HEADER).unwrap_or(&text);
                let error = ValuesError::new(ValuesErrorKind::Schema, format!("{text}\n"));
                let findings = leaves.into_iter();
                let findings =
                    findings.map(|(at, message)| Finding { path: locate::pointer(&at), message });
                Err(error.with_findings(findings.collect()))
            }
        }
    }
}
