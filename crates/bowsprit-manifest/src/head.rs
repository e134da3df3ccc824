//! What Helm reads of an object.

use crate::dialect::Dialect;
use crate::skim::Skimmer;
use bowsprit_yaml::{Document, Node, NodeType};
use std::borrow::Cow;

/// The head of a document: the fields that decide where it goes.
///
/// Absent fields are empty; numbers and bools are given as text, as Helm reads them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// `apiVersion`.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.annotations`, in the order of their keys.
    pub annotations: Vec<(String, String)>,
}

impl Head {
    /// Reads the head of the text's first YAML document.
    ///
    /// # Errors
    ///
    /// Fails with Helm's text where the document is no YAML or a field is of another type.
    pub fn parse(text: &[u8]) -> Result<Head, String> {
        Head::parse_as(text, Dialect::default())
    }

    /// As [`Head::parse`], with the words of one of Helm's releases.
    ///
    /// # Errors
    ///
    /// As [`Head::parse`].
    pub fn parse_as(text: &[u8], dialect: Dialect) -> Result<Head, String> {
        Skimmer::head(text).map_or_else(|| Head::decode(text, dialect), Ok)
    }

    /// Reads all of the document.
    pub(crate) fn decode(text: &[u8], dialect: Dialect) -> Result<Head, String> {
        let document = Document::parse(text).map_err(|e| e.to_string())?;
        document.check_json().map_err(|e| e.to_string())?;
        let mut decoder = Decoder { package: dialect.package, error: None };
        let head = decoder.head(document.root());
        match decoder.error {
            Some(error) => {
                Err(format!("error unmarshaling JSON: while decoding JSON: json: {error}"))
            }
            None => Ok(head),
        }
    }

    /// The value of an annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
    }
}

const METADATA_TYPE: &str = "struct { Name string \"json:\\\"name\\\"\"; \
     Annotations map[string]string \"json:\\\"annotations\\\"\" }";

/// Go's `encoding/json` into Helm's head struct: goes on after a type error and reports the first.
struct Decoder {
    package: &'static str,
    error: Option<String>,
}

impl Decoder {
    fn head(&mut self, root: Node<'_>) -> Head {
        let mut head = Head::default();
        match root.node_type() {
            NodeType::Mapping => {}
            NodeType::Null => return head,
            other => {
                let target = format!("into Go value of type {}.SimpleHead", self.package);
                self.refuse(other, &target);
                return head;
            }
        }
        for (key, value) in root.entries() {
            let key = key.as_bytes();
            if key.eq_ignore_ascii_case(b"apiVersion") {
                self.string(&mut head.api_version, value, "SimpleHead.apiVersion");
            } else if key.eq_ignore_ascii_case(b"kind") {
                self.string(&mut head.kind, value, "SimpleHead.kind");
            } else if key.eq_ignore_ascii_case(b"metadata") {
                self.metadata(&mut head, value);
            }
        }
        head
    }

    fn metadata(&mut self, head: &mut Head, node: Node<'_>) {
        match node.node_type() {
            NodeType::Mapping => {}
            NodeType::Null => {
                head.name.clear();
                head.annotations.clear();
                return;
            }
            other => {
                let target =
                    format!("into Go struct field SimpleHead.metadata of type {METADATA_TYPE}");
                self.refuse(other, &target);
                return;
            }
        }
        for (key, value) in node.entries() {
            let key = key.as_bytes();
            if key.eq_ignore_ascii_case(b"name") {
                self.string(&mut head.name, value, ".metadata.name");
            } else if key.eq_ignore_ascii_case(b"annotations") {
                self.annotations(head, value);
            }
        }
    }

    fn annotations(&mut self, head: &mut Head, node: Node<'_>) {
        match node.node_type() {
            NodeType::Mapping => {}
            NodeType::Null => {
                head.annotations.clear();
                return;
            }
            other => {
                let target = "into Go struct field .metadata.annotations of type map[string]string";
                self.refuse(other, target);
                return;
            }
        }
        for (key, value) in node.entries() {
            let mut text = String::new();
            self.string(&mut text, value, ".metadata.annotations");
            let key = key.to_string();
            match head.annotations.iter_mut().find(|(k, _)| *k == key) {
                Some((_, old)) => *old = text,
                None => head.annotations.push((key, text)),
            }
        }
    }

    fn string(&mut self, target: &mut String, node: Node<'_>, field: &str) {
        if node.is_null() {
            return;
        }
        match node.as_string_target() {
            Some(text) => *target = lossy(text),
            None => {
                let target = format!("into Go struct field {field} of type string");
                self.refuse(node.node_type(), &target);
            }
        }
    }

    fn refuse(&mut self, found: NodeType, target: &str) {
        let found = match found {
            NodeType::Mapping => "object",
            NodeType::Sequence => "array",
            NodeType::String => "string",
            NodeType::Bool => "bool",
            _ => "number",
        };
        self.error.get_or_insert_with(|| format!("cannot unmarshal {found} {target}"));
    }
}

fn lossy(text: Cow<'_, [u8]>) -> String {
    match String::from_utf8(text.into_owned()) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}
