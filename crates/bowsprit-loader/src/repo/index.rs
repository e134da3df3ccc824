//! `index.yaml`: which charts a repository has, and where.

use super::cut::{Cutter, Pieces, Unusual};
use crate::io::PathError;
use bowsprit_chart::{ChartVersion, Level, LogLine, Warned};
use bowsprit_semver::{Constraint, Version};
use bowsprit_value::{Meter, json, strconv};
use bowsprit_yaml::{Document, Node, NodeType};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Read;
use std::path::Path;

/// Why an index can't be used. `Display` is Helm's text, where Helm fails.
#[derive(Debug)]
#[non_exhaustive]
pub enum IndexError {
    /// Nothing is in it.
    Empty,
    /// It has no `apiVersion`.
    NoApiVersion,
    /// It is no YAML, or not of the right types.
    Invalid(String),
    /// It has more of something than is allowed.
    Limit(String),
    /// It can't be read.
    Io(PathError),
}

impl fmt::Display for IndexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("empty index.yaml file"),
            Self::NoApiVersion => f.write_str("no API version specified"),
            Self::Invalid(text) | Self::Limit(text) => f.write_str(text),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for IndexError {}

/// What an index may cost.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct IndexLimits {
    /// Its bytes.
    pub bytes: u64,
    /// The versions of all charts.
    pub versions: usize,
    /// The bytes of an index that can't be read piece by piece.
    pub unusual: u64,
}

impl Default for IndexLimits {
    fn default() -> IndexLimits {
        IndexLimits { bytes: 1 << 30, versions: 2_000_000, unusual: 16 << 20 }
    }
}

impl IndexLimits {
    /// For indexes that nobody trusts.
    pub fn strict() -> IndexLimits {
        IndexLimits { bytes: 64 << 20, versions: 200_000, unusual: 2 << 20 }
    }
}

/// Gets the charts of an index while it is read, so that it need never be in memory as a whole.
pub trait Visitor {
    /// Whether the versions of a chart are wanted. Those of others are not even parsed.
    fn wants(&mut self, chart: &str) -> bool;
    /// A valid version of a chart, in the order of the index.
    fn version(&mut self, chart: &str, version: ChartVersion);
    /// Forgets everything: the index is read anew in another way.
    fn restart(&mut self);
}

/// What stands in an index beside the charts.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct IndexHead {
    /// Always `v1`.
    pub api_version: String,
    /// When it was written.
    pub generated: String,
    /// Keys that nothing reads.
    pub public_keys: Vec<String>,
    /// Whatever else its makers wanted to say.
    pub annotations: BTreeMap<String, String>,
    /// The names of all charts.
    pub charts: BTreeSet<String>,
}

/// Reads an index in a file, in memory that does not grow with it.
///
/// # Errors
///
/// For what is no index, and for limits.
pub fn read_index_file(
    path: &Path,
    limits: &IndexLimits,
    visitor: &mut dyn Visitor,
) -> Result<Warned<IndexHead>, IndexError> {
    read_index_as(path, &path.display().to_string(), limits, visitor)
}

/// As [`read_index_file`], with another name for the index in warnings.
pub(super) fn read_index_as(
    path: &Path,
    source: &str,
    limits: &IndexLimits,
    visitor: &mut dyn Visitor,
) -> Result<Warned<IndexHead>, IndexError> {
    let failed = |error| IndexError::Io(PathError::new("open", path, error));
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let mut reader = IndexReader::new(source, limits, visitor);
    let mut chunk = vec![0; 256 << 10];
    loop {
        let count = file
            .read(&mut chunk)
            .map_err(|error| IndexError::Io(PathError::new("read", path, error)))?;
        if count == 0 {
            break;
        }
        reader.push(chunk.get(..count).unwrap_or_default())?;
    }
    reader.finish(&mut || {
        std::fs::read(path).map_err(|error| IndexError::Io(PathError::new("read", path, error)))
    })
}

/// Reads an index that comes in chunks.
pub(crate) struct IndexReader<'v> {
    cutter: Option<Cutter>,
    reading: Reading<'v>,
    size: u64,
}

impl<'v> IndexReader<'v> {
    pub(crate) fn new(
        source: &str,
        limits: &IndexLimits,
        visitor: &'v mut dyn Visitor,
    ) -> IndexReader<'v> {
        let reading = Reading {
            visitor,
            source: source.to_owned(),
            limits: *limits,
            chart: String::new(),
            versions: 0,
            head: IndexHead::default(),
            warnings: Vec::new(),
            failure: None,
        };
        IndexReader { cutter: Some(Cutter::default()), reading, size: 0 }
    }

    pub(crate) fn push(&mut self, chunk: &[u8]) -> Result<(), IndexError> {
        self.size += chunk.len() as u64;
        if self.size > self.reading.limits.bytes {
            let limit = self.reading.limits.bytes;
            return Err(IndexError::Limit(format!("the index has more than {limit} bytes")));
        }
        let Some(cutter) = &mut self.cutter else { return Ok(()) };
        if cutter.push(chunk, &mut self.reading).is_err() {
            // The rest is not looked at before all of it is there.
            self.cutter = None;
        }
        self.reading.failure.take().map_or(Ok(()), Err)
    }

    /// `whole` gives the text again, should it be needed at once.
    pub(crate) fn finish(
        mut self,
        whole: &mut dyn FnMut() -> Result<Vec<u8>, IndexError>,
    ) -> Result<Warned<IndexHead>, IndexError> {
        if self.size == 0 {
            return Err(IndexError::Empty);
        }
        let cut = self.cutter.take().is_some_and(|c| c.finish(&mut self.reading).is_ok());
        if let Some(failure) = self.reading.failure.take() {
            return Err(failure);
        }
        if !cut {
            let limit = self.reading.limits.unusual;
            if self.size > limit {
                return Err(IndexError::Limit(format!(
                    "the index has an unusual form, which can be read up to {limit} bytes only"
                )));
            }
            self.reading.restart();
            self.reading.whole(&whole()?)?;
        }
        if self.reading.head.api_version.is_empty() {
            return Err(IndexError::NoApiVersion);
        }
        Ok(Warned { output: self.reading.head, warnings: self.reading.warnings })
    }
}

/// Makes versions of pieces.
struct Reading<'v> {
    visitor: &'v mut dyn Visitor,
    source: String,
    limits: IndexLimits,
    chart: String,
    versions: usize,
    head: IndexHead,
    warnings: Vec<LogLine>,
    /// What is wrong with the index itself, not with the way it is read.
    failure: Option<IndexError>,
}

impl Reading<'_> {
    fn restart(&mut self) {
        self.visitor.restart();
        self.versions = 0;
        self.head = IndexHead::default();
        self.warnings.clear();
    }

    fn count(&mut self) -> Result<(), IndexError> {
        self.versions += 1;
        let limit = self.limits.versions;
        if self.versions <= limit {
            return Ok(());
        }
        Err(IndexError::Limit(format!("the index has more than {limit} versions")))
    }

    /// Hands on a version, if it is valid.
    fn take(&mut self, node: Node<'_>, strict: bool) -> Result<(), String> {
        if node.is_null() {
            let chart = quote(&self.chart);
            self.warn(format!(
                "skipping loading invalid entry for chart {chart} from {}: empty entry",
                self.source
            ));
            return Ok(());
        }
        let mut version = ChartVersion::decode(node, strict).map_err(|e| e.to_string())?;
        match version.validate() {
            Ok(()) => self.visitor.version(&self.chart, version),
            Err(error) => {
                let (chart, number) = (quote(&self.chart), quote(&version.metadata.version));
                self.warn(format!(
                    "skipping loading invalid entry for chart {chart} {number} from {}: {error}",
                    self.source
                ));
            }
        }
        Ok(())
    }

    fn warn(&mut self, message: String) {
        // An index of nothing but rubbish shall not fill the memory with complaints.
        if self.warnings.len() < 1000 {
            self.warnings.push(LogLine { level: Level::Warn, message, attrs: Vec::new() });
        }
    }

    /// The index as one document, as Helm reads it.
    fn whole(&mut self, text: &[u8]) -> Result<(), IndexError> {
        let from_json = as_yaml(text);
        let strict = from_json.is_none();
        let text = from_json.as_deref().unwrap_or(text);
        let invalid = |error: &dyn fmt::Display| IndexError::Invalid(error.to_string());
        let document = if strict { Document::parse_strict(text) } else { Document::parse(text) };
        let document = document.map_err(|e| invalid(&e))?;
        let root = document.root();
        if !matches!(root.node_type(), NodeType::Mapping | NodeType::Null) {
            let kind = json_kind(root);
            return Err(from_json_error(&format!(
                "json: cannot unmarshal {kind} into Go value of type repo.IndexFile"
            )));
        }
        let entries = read_head(root, strict, &mut self.head).map_err(|e| from_json_error(&e))?;
        let Some(entries) = entries.filter(|node| !node.is_null()) else { return Ok(()) };
        for (key, versions) in entries.entries() {
            self.chart = key.to_string_lossy().into_owned();
            self.head.charts.insert(self.chart.clone());
            let wanted = self.visitor.wants(&self.chart);
            for version in versions.items().filter(|_| wanted) {
                self.count()?;
                self.take(version, strict).map_err(IndexError::Invalid)?;
            }
        }
        Ok(())
    }
}

impl Pieces for Reading<'_> {
    fn chart(&mut self, key: &[u8], json: bool) -> Result<bool, Unusual> {
        let name = if json { json_text(key) } else { yaml_key(key) };
        self.chart = name.ok_or(Unusual)?;
        if !self.head.charts.insert(self.chart.clone()) {
            // The parser of the whole says how Helm complains about a key that is there twice.
            return Err(Unusual);
        }
        Ok(self.visitor.wants(&self.chart))
    }

    fn version(&mut self, text: &[u8], json: bool) -> Result<(), Unusual> {
        if let Err(limit) = self.count() {
            self.failure = Some(limit);
            return Err(Unusual);
        }
        let again = if json { Some(as_yaml(text).ok_or(Unusual)?) } else { None };
        let text = again.as_deref().unwrap_or(text);
        let document = if json { Document::parse(text) } else { Document::parse_strict(text) };
        let document = document.map_err(|_| Unusual)?;
        self.take(document.root(), !json).map_err(|_| Unusual)
    }

    fn head(&mut self, text: &[u8], json: bool) -> Result<(), Unusual> {
        let again = if json { Some(as_yaml(text).ok_or(Unusual)?) } else { None };
        let text = again.as_deref().unwrap_or(text);
        let document = Document::parse_strict(text).map_err(|_| Unusual)?;
        let charts = std::mem::take(&mut self.head.charts);
        let entries = read_head(document.root(), !json, &mut self.head).map_err(|_| Unusual)?;
        self.head.charts = charts;
        // Entries under a name that differs in case have not been seen.
        let unseen = entries.is_some_and(|node| node.entries().next().is_some());
        if unseen { Err(Unusual) } else { Ok(()) }
    }
}

/// JSON in a form that the YAML parser reads alike; none for what is no JSON.
fn as_yaml(text: &[u8]) -> Option<Vec<u8>> {
    let first = text.iter().find(|b| !b.is_ascii_whitespace());
    if first != Some(&b'{') {
        return None;
    }
    let value = json::decode(text).ok()?;
    let mut out = Vec::with_capacity(text.len());
    json::encode(&value, &json::Options::default(), &mut out, &Meter::default()).ok()?;
    Some(out)
}

fn json_text(text: &[u8]) -> Option<String> {
    let value = json::decode(text).ok()?;
    Some(value.as_str()?.to_string_lossy().into_owned())
}

/// A key as JSON has it: `1` and `yes` are texts there too.
fn yaml_key(text: &[u8]) -> Option<String> {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let wordy = text.first().is_some_and(u8::is_ascii_alphabetic) && text.len() > 5;
    if wordy && text.iter().all(plain) {
        return Some(String::from_utf8_lossy(text).into_owned());
    }
    let line = [text, b": 1\n"].concat();
    let document = Document::parse(&line).ok()?;
    let mut entries = document.root().entries();
    let (key, _) = entries.next()?;
    Some(key.to_string_lossy().into_owned())
}

fn from_json_error(text: &str) -> IndexError {
    IndexError::Invalid(format!("error unmarshaling JSON: while decoding JSON: {text}"))
}

fn json_kind(node: Node<'_>) -> &'static str {
    match node.node_type() {
        NodeType::Null => "null",
        NodeType::Bool => "bool",
        NodeType::Number => "number",
        NodeType::String => "string",
        NodeType::Sequence => "array",
        NodeType::Mapping => "object",
    }
}

/// Reads what stands beside the charts and returns the charts.
fn read_head<'d>(
    root: Node<'d>,
    strict: bool,
    head: &mut IndexHead,
) -> Result<Option<Node<'d>>, String> {
    let mut found = None;
    for (key, node) in root.entries() {
        let key = key.to_string_lossy();
        let mismatch = |field: &str, wanted: &str| {
            let kind = json_kind(node);
            format!(
                "json: cannot unmarshal {kind} into Go struct field IndexFile.{field} of type {wanted}"
            )
        };
        let text = |field: &str| match node.as_string_target() {
            Some(text) => Ok(String::from_utf8_lossy(&text).into_owned()),
            None if node.is_null() => Ok(String::new()),
            None => Err(mismatch(field, "string")),
        };
        match key.to_ascii_lowercase().as_str() {
            "apiversion" => head.api_version = text("apiVersion")?,
            "generated" => head.generated = text("generated")?,
            "publickeys" => {
                let texts = node.items().filter_map(|item| item.as_string_target());
                head.public_keys =
                    texts.map(|text| String::from_utf8_lossy(&text).into_owned()).collect();
            }
            "annotations" => {
                for (key, value) in node.entries() {
                    let value = value.as_string_target().unwrap_or_default();
                    let value = String::from_utf8_lossy(&value).into_owned();
                    head.annotations.insert(key.to_string_lossy().into_owned(), value);
                }
            }
            "serverinfo" => {}
            "entries" => match node.node_type() {
                NodeType::Mapping | NodeType::Null => found = Some(node),
                _ => return Err(mismatch("entries", "map[string]repo.ChartVersions")),
            },
            _ if strict => return Err(format!("json: unknown field {}", quote(&key))),
            _ => {}
        }
    }
    Ok(found)
}

fn quote(text: &str) -> String {
    String::from_utf8_lossy(&strconv::quote(text.as_bytes())).into_owned()
}

/// Why an index has no fitting version. `Display` is Helm's text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoVersion {
    /// There is no chart of that name.
    Name,
    /// The chart has no versions at all.
    Empty,
    /// No version is the one that is wanted.
    Version(String, String),
    /// What is wanted is neither a version nor a range.
    Constraint(String),
}

impl fmt::Display for NoVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("no chart name found"),
            Self::Empty => f.write_str("no chart version found"),
            Self::Version(name, version) => {
                write!(f, "no chart version found for {name}-{version}")
            }
            Self::Constraint(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for NoVersion {}

/// Sorts versions, the newest first.
pub fn sort_versions(versions: &mut [ChartVersion]) {
    versions.sort_by_cached_key(|version| {
        std::cmp::Reverse(Version::parse(&version.metadata.version).ok().map(Ordered))
    });
}

pub(super) struct Ordered(pub(super) Version);

impl Ord for Ordered {
    fn cmp(&self, other: &Ordered) -> std::cmp::Ordering {
        self.0.compare(&other.0)
    }
}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Ordered) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ordered {
    fn eq(&self, other: &Ordered) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ordered {}

/// Chooses among the sorted versions of a chart: the one whose text is `wanted`, else the newest in the
/// range that it is. Nothing wanted means the newest that is released.
///
/// # Errors
///
/// Where there is no such version.
pub fn choose<'v>(
    versions: &'v [ChartVersion],
    name: &str,
    wanted: &str,
) -> Result<Warned<&'v ChartVersion>, NoVersion> {
    if versions.is_empty() {
        return Err(NoVersion::Empty);
    }
    let range = if wanted.is_empty() { "*" } else { wanted };
    let range = Constraint::parse(range).map_err(|e| NoVersion::Constraint(e.to_string()))?;
    let exact = versions.iter().find(|v| !wanted.is_empty() && v.metadata.version == wanted);
    if let Some(exact) = exact {
        return Ok(Warned { output: exact, warnings: Vec::new() });
    }
    let fits = |version: &&ChartVersion| {
        Version::parse(&version.metadata.version).is_ok_and(|version| range.check(&version))
    };
    let Some(found) = versions.iter().find(fits) else {
        return Err(NoVersion::Version(name.to_owned(), wanted.to_owned()));
    };
    let mut warnings = Vec::new();
    if !wanted.is_empty() && !is_range(wanted) {
        warnings.push(LogLine {
            level: Level::Warn,
            message: "unable to find exact version requested; falling back to closest available \
                      version"
                .to_owned(),
            attrs: vec![
                ("chart", name.to_owned()),
                ("requested", wanted.to_owned()),
                ("selected", found.metadata.version.clone()),
            ],
        });
    }
    Ok(Warned { output: found, warnings })
}

/// `isVersionRange`.
fn is_range(version: &str) -> bool {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    version.contains(['^', '~', '<', '>', '=', '!', '*'])
        || version.contains("||")
        || version.contains(" - ")
        || core.contains(['x', 'X'])
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::Index;
    use super::*;

    pub(in super::super) fn read(text: &str) -> Result<(Index, Vec<String>), String> {
        let mut index = Index::default();
        let mut reader = IndexReader::new("x", &IndexLimits::default(), &mut index);
        reader.push(text.as_bytes()).map_err(|e| e.to_string())?;
        let read = reader.finish(&mut || Ok(text.as_bytes().to_vec()));
        let read = read.map_err(|e| e.to_string())?;
        index.head = read.output;
        index.sort();
        Ok((index, read.warnings.iter().map(|line| line.message.clone()).collect()))
    }

    pub(in super::super) const YAML: &str = "apiVersion: v1\nentries:\n  web:\n  - name: web\n    version: 1.0.0\n    urls: \
                        [a.tgz]\n  - name: web\n    version: 1.10.0\n  - name: web\n    version: \
                        2.0.0-rc.1\n  - name: web\n    version: x\n  -\ngenerated: \"2020-01-02T03:04:05Z\"\n";

    #[test]
    fn indexes_are_read_in_pieces_and_as_a_whole() {
        let flow = "{apiVersion: v1, entries: {web: [{name: web, version: 1.0.0, urls: [a.tgz]}, {name: web, \
                    version: 1.10.0}, {name: web, version: 2.0.0-rc.1}, {name: web, version: x}, null]}, \
                    generated: \"2020-01-02T03:04:05Z\"}";
        let json = "{\"apiVersion\":\"v1\",\"entries\":{\"web\":[{\"name\":\"web\",\"version\":\"1.0.0\",\
                    \"urls\":[\"a.tgz\"]},{\"name\":\"web\",\"version\":\"1.10.0\"},{\"name\":\"web\",\
                    \"version\":\"2.0.0-rc.1\"}]},\"generated\":\"2020-01-02T03:04:05Z\"}";
        for text in [YAML, flow, json] {
            let (index, warnings) = read(text).unwrap();
            assert_eq!(warnings.len(), if text == json { 0 } else { 2 }, "{text}: {warnings:?}");
            assert_eq!(index.get("web", "").unwrap().output.metadata.version, "1.10.0");
            assert_eq!(index.get("web", ">0.0.0-0").unwrap().output.metadata.version, "2.0.0-rc.1");
            assert_eq!(index.get("web", "1.0").unwrap().warnings.len(), 1);
            assert_eq!(
                index.get("web", "9").unwrap_err().to_string(),
                "no chart version found for web-9"
            );
            assert_eq!(index.get("x", "").unwrap_err().to_string(), "no chart name found");
            assert_eq!(index.head.generated, "2020-01-02T03:04:05Z");
        }
    }

    #[test]
    fn what_is_no_index_is_refused_in_helms_words() {
        for (text, want) in [
            ("", "empty index.yaml file"),
            ("\n", "no API version specified"),
            ("entries: {}\n", "no API version specified"),
            (
                "apiVersion: v1\nnope: 1\n",
                "error unmarshaling JSON: while decoding JSON: json: unknown field \"nope\"",
            ),
            (
                "apiVersion: v1\nentries:\n  aaaaaa:\n  aaaaaa:\n",
                "error converting YAML to JSON: yaml: unmarshal errors:\n  line 4: key \"aaaaaa\" already set in map",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), want, "{text}");
        }
    }

    #[test]
    fn many_versions_are_too_many() {
        let mut index = Index::default();
        let limits = IndexLimits { versions: 1, ..IndexLimits::default() };
        let mut reader = IndexReader::new("x", &limits, &mut index);
        assert!(matches!(reader.push(YAML.as_bytes()), Err(IndexError::Limit(_))));
    }
}
