//! YAML into Helm's structs, by way of JSON as `sigs.k8s.io/yaml` does it.
//!
//! Keys match without regard to case, scalars become text where a string is wanted, and decoding adds
//! to what is there: an element of a list that exists already keeps the fields that the new text does
//! not name.

use crate::dependency::{Dependency, Lock};
use crate::index::ChartVersion;
use crate::metadata::{Maintainer, Metadata};
use crate::quote::quote;
use crate::time;
use bowsprit_value::Str;
use bowsprit_yaml::{Document, Node, NodeType};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// Containers that Go's JSON decoder lets be nested.
const MAX_DEPTH: usize = 10_000;

/// Why a file of the chart could not be decoded; `Display` is Helm's text after the file's name.
#[derive(Clone, Debug)]
pub struct DecodeError(Box<Problem>);

#[derive(Clone, Debug)]
enum Problem {
    Yaml(bowsprit_yaml::Error),
    /// A number that JSON lacks.
    Unsupported(&'static str),
    TooDeep,
    Type {
        found: &'static str,
        field: Option<String>,
        wanted: Cow<'static, str>,
        line: usize,
    },
    Time(time::ParseError),
    /// A key that Helm's struct has no field for; only strict decoding minds.
    Unknown(String),
}

impl DecodeError {
    /// The line that it is about, from 1, where that is known.
    pub fn line(&self) -> Option<usize> {
        match &*self.0 {
            Problem::Yaml(error) => error.line().map(|line| line as usize),
            Problem::Type { line, .. } => Some(*line),
            _ => None,
        }
    }

    /// What is wrong, in few words.
    pub fn problem(&self) -> String {
        match &*self.0 {
            Problem::Yaml(error) => error.message().to_owned(),
            Problem::Type { found, wanted, .. } => format!("{found} where {wanted} is wanted"),
            _ => self.to_string(),
        }
    }

    /// The same for types of the same names in another Go package.
    pub(crate) fn in_package(mut self, package: &str) -> DecodeError {
        if let Problem::Type { wanted, .. } = &mut *self.0 {
            *wanted = wanted.replace("v2.", &format!("{package}.")).into();
        }
        self
    }
}

impl From<bowsprit_yaml::Error> for DecodeError {
    fn from(error: bowsprit_yaml::Error) -> DecodeError {
        DecodeError(Box::new(Problem::Yaml(error)))
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const FROM_JSON: &str = "error unmarshaling JSON: while decoding JSON: ";
        match &*self.0 {
            Problem::Yaml(error) => error.fmt(f),
            Problem::Unsupported(number) => {
                write!(f, "error converting YAML to JSON: json: unsupported value: {number}")
            }
            Problem::TooDeep => write!(f, "{FROM_JSON}exceeded max depth"),
            Problem::Type { found, field: None, wanted, .. } => {
                write!(
                    f,
                    "{FROM_JSON}json: cannot unmarshal {found} into Go value of type {wanted}"
                )
            }
            Problem::Type { found, field: Some(field), wanted, .. } => write!(
                f,
                "{FROM_JSON}json: cannot unmarshal {found} into Go struct field {field} of type {wanted}"
            ),
            Problem::Time(error) => write!(f, "{FROM_JSON}{error}"),
            Problem::Unknown(key) => {
                write!(f, "{FROM_JSON}json: unknown field {}", quote(key.as_bytes()))
            }
        }
    }
}

impl std::error::Error for DecodeError {}

/// Decodes onto metadata, which may hold what earlier files said.
pub(crate) fn metadata(text: &[u8], into: &mut Metadata) -> Result<(), DecodeError> {
    decode(text, "v2.Metadata", |decoder, root| decoder.metadata(root, into))
}

/// As [`metadata`], but keys that mean nothing and keys that occur twice are errors.
pub(crate) fn metadata_strict(text: &[u8]) -> Result<Metadata, DecodeError> {
    let mut into = Metadata::default();
    let document = Document::parse_strict(text)?;
    let decoder = Decoder { strict: true, ..Decoder::default() };
    decode_document(&document, decoder, "v2.Metadata", |decoder, root| {
        decoder.metadata(root, &mut into);
    })?;
    Ok(into)
}

/// Only `apiVersion`, which decides how the rest is read. A wrong type elsewhere does not matter yet.
pub(crate) fn api_version(text: &[u8]) -> Result<String, DecodeError> {
    let mut version = String::new();
    decode(text, "loader.chartBase", |decoder, root| {
        decoder.object(
            root,
            Place::root("chartBase"),
            |decoder, place, node| {
                match place.name {
                    "apiVersion" => decoder.string(place, node, &mut version),
                    _ => return false,
                }
                true
            },
            &["apiVersion"],
        );
    })?;
    Ok(version)
}

/// `None` for an empty file.
pub(crate) fn lock(text: &[u8]) -> Result<Option<Lock>, DecodeError> {
    let mut lock = None;
    decode(text, "v2.Lock", |decoder, root| {
        decoder.lock(root, lock.insert(Lock::default()));
    })?;
    Ok(lock)
}

/// An entry of a repository's index.
pub(crate) fn chart_version(node: Node<'_>, strict: bool) -> Result<ChartVersion, DecodeError> {
    let mut version = ChartVersion::default();
    let mut decoder = Decoder { strict, ..Decoder::default() };
    match node.node_type() {
        NodeType::Null => {}
        NodeType::Mapping => decoder.chart_version(node, &mut version),
        _ => decoder.mismatch(None, node, "repo.ChartVersion"),
    }
    decoder.finish()?;
    Ok(version)
}

fn decode(
    text: &[u8],
    wanted: &'static str,
    read: impl FnOnce(&mut Decoder, Node<'_>),
) -> Result<(), DecodeError> {
    let document = Document::parse(text)?;
    decode_document(&document, Decoder::default(), wanted, read)
}

fn decode_document(
    document: &Document<'_>,
    mut decoder: Decoder,
    wanted: &'static str,
    read: impl FnOnce(&mut Decoder, Node<'_>),
) -> Result<(), DecodeError> {
    document.check_floats()?;
    let root = document.root();
    match root.node_type() {
        NodeType::Null => {}
        NodeType::Mapping => read(&mut decoder, root),
        _ => decoder.mismatch(None, root, wanted),
    }
    decoder.check_depth(root);
    decoder.finish()
}

/// Where in Helm's structs a value goes.
#[derive(Clone, Copy)]
struct Place {
    /// The struct that has the field.
    owner: &'static str,
    /// The field of the outer struct that leads here; empty in the root.
    parent: &'static str,
    name: &'static str,
}

impl Place {
    const fn root(owner: &'static str) -> Place {
        Place { owner, parent: "", name: "" }
    }

    fn inside(self, owner: &'static str) -> Place {
        Place { owner, parent: self.name, name: "" }
    }

    fn text(self) -> String {
        let dot = if self.parent.is_empty() { "" } else { "." };
        format!("{}.{}{dot}{}", self.owner, self.parent, self.name)
    }
}

const METADATA: &[&str] = &[
    "name",
    "home",
    "sources",
    "version",
    "description",
    "keywords",
    "maintainers",
    "icon",
    "apiVersion",
    "condition",
    "tags",
    "appVersion",
    "deprecated",
    "annotations",
    "kubeVersion",
    "dependencies",
    "type",
];
const CHART_VERSION: &[&str] =
    &["urls", "created", "removed", "digest", "checksum", "engine", "tillerVersion", "url"];
const MAINTAINER: &[&str] = &["name", "email", "url"];
const DEPENDENCY: &[&str] =
    &["name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias"];
const LOCK: &[&str] = &["generated", "digest", "dependencies"];

/// Finds the field of a key: exactly, else by Go's case folding.
fn find(fields: &[&'static str], key: &Str) -> Option<&'static str> {
    let exact = fields.iter().find(|field| field.as_bytes() == key.as_bytes());
    exact.copied().or_else(|| {
        let key = key.to_str()?;
        fields.iter().copied().find(|field| fold(field).eq(fold(key)))
    })
}

/// Two letters beyond ASCII fold into it: the long s and the Kelvin sign.
fn fold(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|c| match c {
        '\u{17f}' => 'S',
        '\u{212a}' => 'K',
        c => c.to_ascii_uppercase(),
    })
}

/// Remembers the first complaint of each kind, those that Go meets earlier or stops at first.
#[derive(Default)]
struct Decoder {
    /// Fields that are not known are errors.
    strict: bool,
    unsupported: Option<&'static str>,
    too_deep: bool,
    fatal: Option<Problem>,
    /// Go decodes on after these.
    error: Option<Problem>,
}

impl Decoder {
    fn finish(self) -> Result<(), DecodeError> {
        let too_deep = self.too_deep.then_some(Problem::TooDeep);
        let unsupported = self.unsupported.map(Problem::Unsupported);
        let problem = unsupported.or(too_deep).or(self.fatal).or(self.error);
        problem.map_or(Ok(()), |problem| Err(DecodeError(Box::new(problem))))
    }

    #[cold]
    fn mismatch(&mut self, place: Option<Place>, node: Node<'_>, wanted: &'static str) {
        self.skip(node);
        let found = match node.node_type() {
            NodeType::Null => return,
            NodeType::Bool => "bool",
            NodeType::Number => "number",
            NodeType::String => "string",
            NodeType::Sequence => "array",
            NodeType::Mapping => "object",
        };
        let field = place.map(Place::text);
        let wanted = Cow::Borrowed(wanted);
        let line = node.line();
        self.error.get_or_insert(Problem::Type { found, field, wanted, line });
    }

    /// Looks for numbers that JSON lacks in what is not decoded into strings.
    fn skip(&mut self, node: Node<'_>) {
        let mut pending = vec![node];
        while let Some(node) = pending.pop() {
            if let Some(number) = node.as_f64().filter(|number| !number.is_finite()) {
                self.unsupported.get_or_insert(match number {
                    f64::INFINITY => "+Inf",
                    f64::NEG_INFINITY => "-Inf",
                    _ => "NaN",
                });
            }
            pending.extend(children(node).rev());
        }
    }

    fn check_depth(&mut self, root: Node<'_>) {
        let mut pending = vec![(root, 1)];
        while let Some((node, depth)) = pending.pop() {
            if matches!(node.node_type(), NodeType::Sequence | NodeType::Mapping) {
                self.too_deep |= depth > MAX_DEPTH;
                pending.extend(children(node).map(|child| (child, depth + 1)));
            }
        }
    }

    /// Hands each entry to the field it belongs to; `read` is false for what it does not know.
    fn object(
        &mut self,
        node: Node<'_>,
        place: Place,
        mut read: impl FnMut(&mut Decoder, Place, Node<'_>) -> bool,
        fields: &[&'static str],
    ) {
        for (key, value) in node.entries() {
            let known =
                find(fields, key).is_some_and(|name| read(self, Place { name, ..place }, value));
            if !known {
                self.skip(value);
                if self.strict {
                    let key = key.to_string_lossy().into_owned();
                    self.error.get_or_insert(Problem::Unknown(key));
                }
            }
        }
    }

    fn metadata(&mut self, node: Node<'_>, into: &mut Metadata) {
        let read = |d: &mut Decoder, place: Place, node: Node<'_>| d.field(place, node, into);
        self.object(node, Place::root("Metadata"), read, METADATA);
    }

    fn chart_version(&mut self, node: Node<'_>, into: &mut ChartVersion) {
        let fields = [METADATA, CHART_VERSION].concat();
        self.object(
            node,
            Place::root("ChartVersion"),
            |d, place, node| {
                match place.name {
                    "urls" => d.strings(place, node, &mut into.urls),
                    "created" => d.time(node, &mut into.created),
                    "removed" => d.bool(place, node, &mut into.removed),
                    "digest" => d.string(place, node, &mut into.digest),
                    "checksum" => d.string(place, node, &mut into.checksum),
                    "engine" => d.string(place, node, &mut into.engine),
                    "tillerVersion" => d.string(place, node, &mut into.tiller_version),
                    "url" => d.string(place, node, &mut into.url),
                    _ => return d.field(place, node, &mut into.metadata),
                }
                true
            },
            &fields,
        );
    }

    /// A field of metadata; false for one that is none.
    fn field(&mut self, place: Place, node: Node<'_>, into: &mut Metadata) -> bool {
        let d = self;
        match place.name {
            "name" => d.string(place, node, &mut into.name),
            "home" => d.string(place, node, &mut into.home),
            "version" => d.string(place, node, &mut into.version),
            "description" => d.string(place, node, &mut into.description),
            "icon" => d.string(place, node, &mut into.icon),
            "apiVersion" => d.string(place, node, &mut into.api_version),
            "condition" => d.string(place, node, &mut into.condition),
            "tags" => d.string(place, node, &mut into.tags),
            "appVersion" => d.string(place, node, &mut into.app_version),
            "kubeVersion" => d.string(place, node, &mut into.kube_version),
            "type" => d.string(place, node, &mut into.ty),
            "deprecated" => d.bool(place, node, &mut into.deprecated),
            "sources" => d.strings(place, node, &mut into.sources),
            "keywords" => d.strings(place, node, &mut into.keywords),
            "annotations" => d.string_map(place, node, &mut into.annotations),
            "maintainers" => d.maintainers(place, node, &mut into.maintainers),
            "dependencies" => d.dependencies(place, node, &mut into.dependencies),
            _ => return false,
        }
        true
    }

    fn maintainers(
        &mut self,
        place: Place,
        node: Node<'_>,
        into: &mut Option<Vec<Option<Maintainer>>>,
    ) {
        self.list(place, node, "[]*v2.Maintainer", into, |d, node, slot| {
            d.pointer(place, node, "v2.Maintainer", slot, |d, node, into: &mut Maintainer| {
                d.object(
                    node,
                    place.inside("Maintainer"),
                    |d, place, node| {
                        match place.name {
                            "name" => d.string(place, node, &mut into.name),
                            "email" => d.string(place, node, &mut into.email),
                            "url" => d.string(place, node, &mut into.url),
                            _ => return false,
                        }
                        true
                    },
                    MAINTAINER,
                );
            });
        });
    }

    fn dependencies(
        &mut self,
        place: Place,
        node: Node<'_>,
        into: &mut Option<Vec<Option<Dependency>>>,
    ) {
        self.list(place, node, "[]*v2.Dependency", into, |d, node, slot| {
            d.pointer(place, node, "v2.Dependency", slot, |d, node, into| {
                d.dependency(place.inside("Dependency"), node, into);
            });
        });
    }

    fn dependency(&mut self, place: Place, node: Node<'_>, into: &mut Dependency) {
        self.object(
            node,
            place,
            |d, place, node| {
                match place.name {
                    "name" => d.string(place, node, &mut into.name),
                    "version" => d.string(place, node, &mut into.version),
                    "repository" => d.string(place, node, &mut into.repository),
                    "condition" => d.string(place, node, &mut into.condition),
                    "alias" => d.string(place, node, &mut into.alias),
                    "tags" => d.strings(place, node, &mut into.tags),
                    "enabled" => d.bool(place, node, &mut into.enabled),
                    "import-values" => {
                        d.list(
                            place,
                            node,
                            "[]interface {}",
                            &mut into.import_values,
                            |d, node, slot| {
                                d.skip(node);
                                *slot = node.to_value();
                            },
                        );
                    }
                    _ => return false,
                }
                true
            },
            DEPENDENCY,
        );
    }

    fn lock(&mut self, node: Node<'_>, into: &mut Lock) {
        self.object(
            node,
            Place::root("Lock"),
            |d, place, node| {
                match place.name {
                    "generated" => d.time(node, &mut into.generated),
                    "digest" => d.string(place, node, &mut into.digest),
                    "dependencies" => d.dependencies(place, node, &mut into.dependencies),
                    _ => return false,
                }
                true
            },
            LOCK,
        );
    }

    fn string(&mut self, place: Place, node: Node<'_>, into: &mut String) {
        match node.as_string_target() {
            Some(text) => *into = String::from_utf8_lossy(&text).into_owned(),
            None => self.mismatch(Some(place), node, "string"),
        }
    }

    fn bool(&mut self, place: Place, node: Node<'_>, into: &mut bool) {
        match node.as_bool() {
            Some(value) => *into = value,
            None => self.mismatch(Some(place), node, "bool"),
        }
    }

    fn time(&mut self, node: Node<'_>, into: &mut String) {
        if node.is_null() {
            return;
        }
        self.skip(node);
        let text = node.as_str();
        match time::check_json_time(text.as_deref()) {
            Ok(text) => *into = text,
            Err(error) => {
                self.fatal.get_or_insert(Problem::Time(error));
            }
        }
    }

    fn strings(&mut self, place: Place, node: Node<'_>, into: &mut Option<Vec<String>>) {
        self.list(place, node, "[]string", into, |d, node, slot| d.string(place, node, slot));
    }

    fn string_map(
        &mut self,
        place: Place,
        node: Node<'_>,
        into: &mut Option<BTreeMap<String, String>>,
    ) {
        match node.node_type() {
            NodeType::Null => *into = None,
            NodeType::Mapping => {
                let map = into.get_or_insert_default();
                for (key, value) in node.entries() {
                    let mut text = String::new();
                    self.string(place, value, &mut text);
                    map.insert(key.to_string_lossy().into_owned(), text);
                }
            }
            _ => self.mismatch(Some(place), node, "map[string]string"),
        }
    }

    fn list<T: Default>(
        &mut self,
        place: Place,
        node: Node<'_>,
        wanted: &'static str,
        into: &mut Option<Vec<T>>,
        mut read: impl FnMut(&mut Decoder, Node<'_>, &mut T),
    ) {
        match node.node_type() {
            NodeType::Null => *into = None,
            NodeType::Sequence => {
                let list = into.get_or_insert_default();
                let mut count = 0;
                for item in node.items() {
                    if list.len() == count {
                        list.push(T::default());
                    }
                    if let Some(slot) = list.get_mut(count) {
                        read(self, item, slot);
                    }
                    count += 1;
                }
                list.truncate(count);
            }
            _ => self.mismatch(Some(place), node, wanted),
        }
    }

    fn pointer<T: Default>(
        &mut self,
        place: Place,
        node: Node<'_>,
        wanted: &'static str,
        into: &mut Option<T>,
        read: impl FnOnce(&mut Decoder, Node<'_>, &mut T),
    ) {
        match node.node_type() {
            NodeType::Null => *into = None,
            NodeType::Mapping => read(self, node, into.get_or_insert_default()),
            _ => self.mismatch(Some(place), node, wanted),
        }
    }
}

fn children(node: Node<'_>) -> impl DoubleEndedIterator<Item = Node<'_>> {
    node.items().chain(node.entries().map(|(_, value)| value))
}
