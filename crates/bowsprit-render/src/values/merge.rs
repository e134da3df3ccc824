//! The user's values: files and `--set` arguments made into one table.

use super::set::{self, Mode, ReadFile};
use super::{ValuesError, ValuesErrorKind};
use crate::compat::{Compat, Rules};
use bowsprit_diag::{Label, Source, Span};
use bowsprit_value::{Map, Value, json, unicode};

/// One source of values that is no `--set` argument.
#[derive(Clone, Debug)]
pub enum ValuesFile {
    /// YAML as `-f` reads it; several documents are merged.
    Yaml {
        /// The name that errors show.
        name: String,
        /// The bytes.
        text: Vec<u8>,
    },
    /// A table that was read before. It must not be written any more.
    Parsed(Map),
}

/// What the user gives: the groups apply in the order of the fields, each from left to right.
#[derive(Clone, Debug, Default)]
pub struct ValuesOptions {
    /// `-f`, `--values`.
    pub files: Vec<ValuesFile>,
    /// `--set-json`.
    pub set_json: Vec<String>,
    /// `--set`.
    pub set: Vec<String>,
    /// `--set-string`.
    pub set_string: Vec<String>,
    /// `--set-file`.
    pub set_file: Vec<String>,
    /// `--set-literal`.
    pub set_literal: Vec<String>,
    /// The release of Helm whose reading of these is wanted.
    pub compat: Compat,
}

/// Merges all sources; later ones win, tables are merged deeply, nulls are kept.
///
/// `read_file` reads what `--set-file` names.
///
/// # Errors
///
/// Fails at the first source that can't be read, with Helm's text.
///
/// ```
/// use bowsprit_render::values::{merge, ValuesFile, ValuesOptions};
///
/// let options = ValuesOptions {
///     files: vec![ValuesFile::Yaml { name: "a.yaml".into(), text: b"a: {b: 1}".to_vec() }],
///     set: vec!["a.c=2".into()],
///     ..ValuesOptions::default()
/// };
/// let values = merge(&options, &mut |path| Err(format!("open {path}: denied"))).unwrap();
/// assert_eq!(values.get(b"a").unwrap().as_map().unwrap().len(), 2);
/// ```
pub fn merge(options: &ValuesOptions, read_file: ReadFile<'_>) -> Result<Map, ValuesError> {
    let base = Map::new();
    let rules = options.compat.rules();
    for file in &options.files {
        match file {
            ValuesFile::Yaml { name, text } => merge_maps(&base, &read_yaml(name, text, rules)?),
            ValuesFile::Parsed(map) => merge_maps(&base, &map.fork()),
        }
    }
    for arg in &options.set_json {
        apply_json(arg, &base, rules)?;
    }
    let open = rules.open_index_fails;
    for arg in &options.set {
        let set = set::parse_as(arg.as_bytes(), Mode::Typed, &base, open);
        set.map_err(|e| failed("--set", e))?;
    }
    for arg in &options.set_string {
        let set = set::parse_as(arg.as_bytes(), Mode::Strings, &base, open);
        set.map_err(|e| failed("--set-string", e))?;
    }
    for arg in &options.set_file {
        let set = set::parse_as(arg.as_bytes(), Mode::File(&mut *read_file), &base, open);
        set.map_err(|e| failed("--set-file", e))?;
    }
    for arg in &options.set_literal {
        let set = set::parse_as(arg.as_bytes(), Mode::Literal, &base, open);
        set.map_err(|e| failed("--set-literal", e))?;
    }
    Ok(base)
}

fn failed(flag: &str, error: ValuesError) -> ValuesError {
    error.prefixed(&format!("failed parsing {flag} data: ")).in_source(flag)
}

fn read_yaml(name: &str, text: &[u8], rules: &Rules) -> Result<Map, ValuesError> {
    let error = match rules.reading.values_documents.read(text) {
        Ok(values) => return Ok(values.fork()),
        Err(error) => error,
    };
    let failed =
        ValuesError::new(ValuesErrorKind::File, format!("failed to parse {name}: {error}"));
    // Lines count from the document's beginning, and which one it is the error does not say.
    let several = text.windows(4).any(|part| part == b"\n---");
    let Some(line) = error.line().filter(|_| !several) else { return Err(failed) };
    let source = Source::new(name, text);
    let span = source.trimmed_line(line as usize);
    let label = Label::primary(&source, span, error.message());
    Err(failed.at(label.with_context(1)))
}

fn apply_json(arg: &str, base: &Map, rules: &Rules) -> Result<(), ValuesError> {
    let trimmed = arg.trim_matches(unicode::is_space);
    if !trimmed.starts_with('{') || !rules.set_json_object {
        return set::parse_as(arg.as_bytes(), Mode::Json, base, rules.open_index_fails).map_err(
            |e| e.worded(format!("failed parsing --set-json data {arg}")).in_source("--set-json"),
        );
    }
    match json::decode(trimmed.as_bytes()) {
        Ok(Value::Map(map)) => {
            merge_maps(base, &map);
            Ok(())
        }
        _ => {
            let source = Source::new("--set-json", arg);
            let label = Label::primary(&source, Span::new(0, arg.len()), "");
            Err(ValuesError::set(format!("failed parsing --set-json data JSON: {arg}")).at(label))
        }
    }
}

/// Helm's `MergeMaps`: lays `over` on `base`, which is changed. Tables are merged, all else is replaced.
///
/// Containers of `over` become part of `base`.
pub fn merge_maps(base: &Map, over: &Map) {
    let mut pending = vec![(base.clone(), over.clone())];
    while let Some((base, over)) = pending.pop() {
        let mut added = Vec::new();
        for (key, value) in over.entries().iter() {
            match (value, base.get(key.as_bytes())) {
                (Value::Map(inner), Some(Value::Map(below))) => {
                    pending.push((below, inner.clone()))
                }
                _ => added.push((key.clone(), value.clone())),
            }
        }
        base.extend(added);
    }
}
