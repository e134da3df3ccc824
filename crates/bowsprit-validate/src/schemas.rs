//! The schemas of Kubernetes' own kinds.

use crate::reduce::reduce;
use bowsprit_value::json;
use bowsprit_value::{Map, Meter, Value};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Written by `bowsprit-dev schemas` from the OpenAPI documents in Kubernetes' repository, which are
/// under the Apache License 2.0.
static BUNDLED: &[u8] = include_bytes!("../schemas.zz");

/// A version of Kubernetes whose schemas are not bundled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownVersion {
    /// What was asked for.
    pub version: String,
    /// What there is.
    pub known: Vec<String>,
}

impl fmt::Display for UnknownVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no schemas of Kubernetes {} are bundled, only of {}; others can be given as OpenAPI files",
            self.version,
            self.known.join(", ")
        )
    }
}

impl std::error::Error for UnknownVersion {}

/// A text that is no OpenAPI document with schemas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSchemas(pub String);

impl fmt::Display for InvalidSchemas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidSchemas {}

/// A group, a version and a kind.
pub(crate) type Gvk = (String, String, String);

/// The schemas of a version of Kubernetes. Definitions are decoded when they are first used.
#[derive(Debug)]
pub struct Schemas {
    /// Major and minor version, if it is known.
    version: Option<(u32, u32)>,
    texts: HashMap<String, String>,
    decoded: Mutex<HashMap<String, Option<Arc<Map>>>>,
    kinds: BTreeMap<Gvk, String>,
}

impl Schemas {
    /// The bundled schemas of a version: `1.36`, `v1.36`, or with any patch level.
    ///
    /// # Errors
    ///
    /// For versions that are not bundled.
    pub fn bundled(version: &str) -> Result<Schemas, UnknownVersion> {
        let text = inflated();
        let unknown =
            || UnknownVersion { version: version.to_owned(), known: Schemas::bundled_versions() };
        let wanted = minor(version).ok_or_else(unknown)?;
        let name = format!("{}.{}", wanted.0, wanted.1);
        let (versions, definitions) = parts(text);
        let line = versions.lines().find_map(|line| line.strip_prefix(&format!("{name}\t")));
        let ranges = line.ok_or_else(unknown)?;
        let lines: Vec<&str> = definitions.lines().collect();
        let mut texts = HashMap::new();
        for range in ranges.split(',') {
            let (from, to) = range.split_once('-').unwrap_or((range, range));
            let (Ok(from), Ok(to)) = (from.parse::<usize>(), to.parse::<usize>()) else { continue };
            for line in lines.get(from..=to).unwrap_or_default() {
                if let Some((name, text)) = line.split_once('\t') {
                    texts.insert(name.to_owned(), text.to_owned());
                }
            }
        }
        Ok(Schemas::new(Some(wanted), texts))
    }

    /// The versions that are bundled, newest first.
    pub fn bundled_versions() -> Vec<String> {
        let (versions, _) = parts(inflated());
        versions.lines().filter_map(|line| Some(line.split_once('\t')?.0.to_owned())).collect()
    }

    /// The schemas of OpenAPI v3 documents, as `/openapi/v3/…` of an API server serves them, one for
    /// each group and version. `version` is that of the server, for judging API versions.
    ///
    /// # Errors
    ///
    /// For texts that are no JSON, or have no schemas.
    pub fn from_openapi<'t>(
        version: &str,
        documents: impl IntoIterator<Item = &'t [u8]>,
    ) -> Result<Schemas, InvalidSchemas> {
        let mut texts = HashMap::new();
        for document in documents {
            let document =
                json::decode(document).map_err(|error| InvalidSchemas(error.to_string()))?;
            for (name, schema) in reduce(&document) {
                texts.insert(name, encoded(&schema));
            }
        }
        if texts.is_empty() {
            return Err(InvalidSchemas("no components.schemas".to_owned()));
        }
        Ok(Schemas::new(minor(version), texts))
    }

    fn new(version: Option<(u32, u32)>, texts: HashMap<String, String>) -> Schemas {
        let mut kinds = BTreeMap::new();
        let mut names: Vec<&String> = texts.keys().collect();
        names.sort();
        for name in names {
            let Some(text) = texts.get(name) else { continue };
            // Options and the like carry the kinds of all groups.
            if !text.contains("x-kubernetes-group-version-kind") || name.ends_with("Options") {
                continue;
            }
            for gvk in group_version_kinds(text) {
                kinds.entry(gvk).or_insert_with(|| name.clone());
            }
        }
        Schemas { version, texts, decoded: Mutex::default(), kinds }
    }

    /// The version of Kubernetes, as major and minor number.
    pub fn version(&self) -> Option<(u32, u32)> {
        self.version
    }

    /// The names of all definitions.
    pub fn definitions(&self) -> impl Iterator<Item = &str> {
        let mut names: Vec<&str> = self.texts.keys().map(String::as_str).collect();
        names.sort_unstable();
        names.into_iter()
    }

    /// A definition as JSON.
    pub fn definition_text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }

    /// A definition by its name, such as `io.k8s.api.core.v1.PodSpec`.
    pub fn definition(&self, name: &str) -> Option<Arc<Map>> {
        let mut decoded = self.decoded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = decoded.get(name) {
            return found.clone();
        }
        let value = self.texts.get(name).and_then(|text| json::decode(text.as_bytes()).ok());
        let map = value.and_then(|value| value.as_map().cloned()).map(Arc::new);
        decoded.insert(name.to_owned(), map.clone());
        map
    }

    /// The name of the definition of a kind.
    pub fn kind(&self, group: &str, version: &str, kind: &str) -> Option<&str> {
        let key = (group.to_owned(), version.to_owned(), kind.to_owned());
        self.kinds.get(&key).map(String::as_str)
    }

    /// The API versions at which a kind is served in any group, and the kinds of an API version.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = &Gvk> {
        self.kinds.keys()
    }
}

fn group_version_kinds(text: &str) -> Vec<Gvk> {
    let decoded = json::decode(text.as_bytes()).ok();
    let list = decoded.and_then(|v| v.as_map()?.get(b"x-kubernetes-group-version-kind"));
    let Some(Value::List(list)) = list else { return Vec::new() };
    let text = |map: &Map, key: &[u8]| match map.get(key) {
        Some(Value::Str(text)) => text.to_string_lossy().into_owned(),
        _ => String::new(),
    };
    let maps = list.iter().filter_map(Value::as_map);
    maps.map(|map| (text(map, b"group"), text(map, b"version"), text(map, b"kind"))).collect()
}

/// `1.36` of `v1.36.3-gke.1`.
pub(crate) fn minor(version: &str) -> Option<(u32, u32)> {
    let version = version.strip_prefix('v').unwrap_or(version);
    let mut parts = version.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn encoded(schema: &Map) -> String {
    let mut out = Vec::new();
    let options = json::Options::default();
    // The meter has no limit, and schemas contain no cycle.
    let _ = json::encode(&Value::Map(schema.clone()), &options, &mut out, &Meter::default());
    String::from_utf8_lossy(&out).into_owned()
}

fn inflated() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let mut text = String::new();
        // What is bundled is what was tested: it inflates.
        let _ = flate2::read::ZlibDecoder::new(BUNDLED).read_to_string(&mut text);
        text
    })
}

fn parts(text: &str) -> (&str, &str) {
    text.split_once("\n\n").unwrap_or_default()
}

/// The bundle of several versions of Kubernetes, each given by its number and its OpenAPI documents:
/// lines of versions with the numbers of their definitions, and lines of definitions, deflated.
///
/// # Errors
///
/// As [`Schemas::from_openapi`].
pub fn bundle(versions: &[(String, Vec<Vec<u8>>)]) -> Result<Vec<u8>, InvalidSchemas> {
    let mut all: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for (number, (version, documents)) in versions.iter().enumerate() {
        let documents = documents.iter().map(Vec::as_slice);
        let schemas = Schemas::from_openapi(version, documents)?;
        let texts: BTreeMap<String, String> = schemas.texts.into_iter().collect();
        for (name, text) in texts {
            // Every group states the kinds of all in these.
            if !name.ends_with("meta.v1.DeleteOptions") && !name.ends_with("meta.v1.WatchEvent") {
                all.entry((name, text)).or_default().push(number);
            }
        }
    }
    let mut text = String::new();
    for (number, (version, _)) in versions.iter().enumerate() {
        let members: Vec<usize> = all
            .values()
            .enumerate()
            .filter(|(_, of)| of.contains(&number))
            .map(|(line, _)| line)
            .collect();
        let (major, minor) = minor(version).unwrap_or_default();
        text.push_str(&format!("{major}.{minor}\t{}\n", ranges(&members)));
    }
    text.push('\n');
    for (name, schema) in all.keys() {
        text.push_str(&format!("{name}\t{schema}\n"));
    }
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    let written = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    written.map_err(|error| InvalidSchemas(error.to_string()))
}

/// `0-3,5` of 0, 1, 2, 3 and 5.
fn ranges(numbers: &[usize]) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for &number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let texts = ranges
        .iter()
        .map(|(from, to)| if from == to { from.to_string() } else { format!("{from}-{to}") });
    texts.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundled_version_has_its_kinds() {
        let versions = Schemas::bundled_versions();
        assert!(versions.len() >= 5, "{versions:?}");
        for version in versions {
            let schemas = Schemas::bundled(&version).unwrap();
            assert!(schemas.kind("apps", "v1", "Deployment").is_some(), "{version}");
            let name = schemas.kind("", "v1", "Service").unwrap();
            assert!(schemas.definition(name).is_some());
            assert!(schemas.kind("extensions", "v1beta1", "Deployment").is_none());
        }
        let error = Schemas::bundled("1.2").unwrap_err().to_string();
        assert!(
            error.starts_with("no schemas of Kubernetes 1.2 are bundled, only of 1.3"),
            "{error}"
        );
    }

    #[test]
    fn numbers_become_ranges() {
        assert_eq!(ranges(&[0, 1, 2, 5, 7, 8]), "0-2,5,7-8");
        assert_eq!(minor("v1.36.3-gke.1"), Some((1, 36)));
    }
}
