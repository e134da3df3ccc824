//! A rendered document, as assertions look at it.

use crate::path::Path;
use bowsprit_value::{Map, Meter, Value};
use bowsprit_yaml::{decode_any, encode_pretty};
use std::sync::OnceLock;

/// The key under which texts that are no YAML, and errors, are documents.
pub(crate) const RAW: &[u8] = b"raw";

/// A document. Paths are looked up in what comes of writing and reading it once more, where a whole
/// number that was a float is none any more.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) content: Map,
    reread: OnceLock<Result<Value, String>>,
}

impl Document {
    pub(crate) fn new(content: Map) -> Document {
        Document { content, reread: OnceLock::new() }
    }

    pub(crate) fn raw(text: impl Into<bowsprit_value::Str>) -> Document {
        Document::new(Map::from_entries([("raw".into(), Value::str(text))]))
    }

    /// The text of what is no YAML, as `%v` has it.
    pub(crate) fn text(&self) -> Vec<u8> {
        match self.content.get(RAW) {
            Some(Value::Str(text)) => text.as_bytes().to_vec(),
            Some(other) => crate::yaml::printed(&other).into_bytes(),
            None => b"<nil>".to_vec(),
        }
    }

    /// What a path leads to; the whole document for the empty one.
    pub(crate) fn find(&self, path: &str) -> Result<Vec<Value>, String> {
        if path.is_empty() {
            return Ok(vec![Value::Map(self.content.clone())]);
        }
        let reread = self.reread.get_or_init(|| {
            let mut text = Vec::new();
            let value = Value::Map(self.content.clone());
            encode_pretty(&value, &mut text, &Meter::default()).map_err(|e| e.to_string())?;
            decode_any(&text).map_err(|error| error.to_string())
        });
        let root = reread.as_ref().map_err(Clone::clone)?;
        let path = Path::parse(path).map_err(|error| error.to_string())?;
        path.find(root).map_err(|error| error.to_string())
    }
}
