//! Reading a mapping strictly: every field is known, of the right type, and wrong ones are named with
//! their line.

use crate::error::Error;
use bowsprit_manifest::LabelSelector;
use bowsprit_yaml::{Node, NodeType};

/// The file that is read, for errors.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) name: &'a str,
}

/// A mapping of the file, with its path.
#[derive(Clone)]
pub(crate) struct Fields<'a, 'd> {
    source: Source<'a>,
    node: Node<'d>,
    pub(crate) path: String,
}

impl<'a, 'd> Fields<'a, 'd> {
    /// Takes a node for a mapping with these fields and no others.
    pub(crate) fn new(
        source: Source<'a>,
        node: Node<'d>,
        path: String,
        known: &[&str],
    ) -> Result<Fields<'a, 'd>, Error> {
        let fields = Fields { source, node, path };
        if node.node_type() != NodeType::Mapping {
            return Err(fields.wrong(node, String::new(), "a mapping"));
        }
        for (key, value) in node.entries() {
            let key = key.to_string_lossy();
            if !known.contains(&&*key) {
                let error = fields.error(value, &key, "unknown field");
                return Err(match similar(&key, known) {
                    Some(name) => error.hint(format!("did you mean {name:?}?")),
                    None => error.hint(format!("known here: {}", known.join(", "))),
                });
            }
        }
        Ok(fields)
    }

    /// The file that is read.
    pub(crate) fn source(&self) -> Source<'a> {
        self.source
    }

    /// The mapping's node.
    pub(crate) fn node(&self) -> Node<'d> {
        self.node
    }

    fn join(&self, field: &str) -> String {
        match (self.path.is_empty(), field.is_empty()) {
            (true, _) => field.to_owned(),
            (_, true) => self.path.clone(),
            _ => format!("{}.{field}", self.path),
        }
    }

    /// An error about the node of a field.
    pub(crate) fn error(&self, node: Node<'_>, field: &str, message: impl Into<String>) -> Error {
        Error::new(self.source.name, message).at(node.line(), self.join(field))
    }

    /// An error about the mapping itself.
    pub(crate) fn refuse(&self, message: impl Into<String>) -> Error {
        self.error(self.node, "", message)
    }

    fn wrong(&self, node: Node<'_>, field: String, expected: &str) -> Error {
        let found = match node.node_type() {
            NodeType::Null => "nothing",
            NodeType::Bool => "a boolean",
            NodeType::Number => "a number",
            NodeType::String => "a string",
            NodeType::Sequence => "a list",
            NodeType::Mapping => "a mapping",
        };
        self.error(node, &field, format!("expected {expected}, found {found}"))
    }

    /// The value of a field that is there and not null.
    pub(crate) fn get(&self, field: &str) -> Option<Node<'d>> {
        self.node.get(field.as_bytes()).filter(|node| !node.is_null())
    }

    /// A text; numbers and booleans are refused, because `1.10` would become `1.1`.
    pub(crate) fn text(&self, field: &str) -> Result<Option<String>, Error> {
        let Some(node) = self.get(field) else { return Ok(None) };
        self.as_text(node, field).map(Some)
    }

    fn as_text(&self, node: Node<'d>, field: &str) -> Result<String, Error> {
        match node.as_str() {
            Some(text) => Ok(String::from_utf8_lossy(&text).into_owned()),
            None => {
                let error = self.wrong(node, field.to_owned(), "a string");
                Err(match node.node_type() {
                    NodeType::Number | NodeType::Bool => error.hint("write it in quotes"),
                    _ => error,
                })
            }
        }
    }

    /// A text that must be there and not empty.
    pub(crate) fn required(&self, field: &str) -> Result<String, Error> {
        match self.text(field)? {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(self.refuse(format!("{field} is missing"))),
        }
    }

    pub(crate) fn switch(&self, field: &str) -> Result<bool, Error> {
        let Some(node) = self.get(field) else { return Ok(false) };
        node.as_bool().ok_or_else(|| self.wrong(node, field.to_owned(), "true or false"))
    }

    /// The items of a list, each with its path.
    pub(crate) fn items(&self, field: &str) -> Result<Vec<(Node<'d>, String)>, Error> {
        let Some(node) = self.get(field) else { return Ok(Vec::new()) };
        if node.node_type() != NodeType::Sequence {
            return Err(self.wrong(node, field.to_owned(), "a list"));
        }
        let path = self.join(field);
        Ok(node.items().enumerate().map(|(i, item)| (item, format!("{path}[{i}]"))).collect())
    }

    /// Texts in a list.
    pub(crate) fn texts(&self, field: &str) -> Result<Vec<String>, Error> {
        let items = self.items(field)?.into_iter().enumerate();
        items.map(|(i, (node, _))| self.as_text(node, &format!("{field}[{i}]"))).collect()
    }

    /// A mapping of texts, in the order of its keys.
    pub(crate) fn pairs(&self, field: &str) -> Result<Vec<(String, String)>, Error> {
        let Some(node) = self.get(field) else { return Ok(Vec::new()) };
        if node.node_type() != NodeType::Mapping {
            return Err(self.wrong(node, field.to_owned(), "a mapping"));
        }
        let pair = |(key, value): (&bowsprit_value::Str, Node<'d>)| {
            let key = key.to_string_lossy().into_owned();
            let value = self.as_text(value, &format!("{field}.{key}"))?;
            Ok((key, value))
        };
        node.entries().map(pair).collect()
    }

    /// A label selector: a text as kubectl's `-l` takes it, a mapping of labels and values, or the object
    /// with `matchLabels` and `matchExpressions`. Everything matches where it is left out.
    pub(crate) fn selector(&self, field: &str) -> Result<LabelSelector, Error> {
        let Some(node) = self.get(field) else { return Ok(LabelSelector::default()) };
        if let Some(text) = node.as_str() {
            let text = String::from_utf8_lossy(&text);
            return text.parse().map_err(|e| self.error(node, field, format!("{e}")));
        }
        let value = node.to_value();
        let object = ["matchLabels", "matchExpressions"]
            .iter()
            .any(|key| node.get(key.as_bytes()).is_some());
        let selector =
            if object { LabelSelector::of_object(&value) } else { LabelSelector::of_map(&value) };
        selector.ok_or_else(|| {
            let error = self.error(node, field, "no label selector");
            error.hint("write a text as `ring=canary,region in (eu,us)`, labels as `{ring: canary}`, or an object with matchLabels and matchExpressions; values are strings")
        })
    }

    /// A mapping below a field.
    pub(crate) fn below(
        &self,
        field: &str,
        known: &[&str],
    ) -> Result<Option<Fields<'a, 'd>>, Error> {
        let Some(node) = self.get(field) else { return Ok(None) };
        Fields::new(self.source, node, self.join(field), known).map(Some)
    }
}

/// The name that was probably meant.
pub(crate) fn similar<'k>(typed: &str, known: &[&'k str]) -> Option<&'k str> {
    let typed = typed.to_lowercase();
    let distance = |name: &str| distance(&typed, &name.to_lowercase());
    let nearest = known.iter().copied().min_by_key(|name| distance(name))?;
    (distance(nearest) <= 2.max(typed.len() / 3)).then_some(nearest)
}

/// The Damerau-Levenshtein distance of neighbours, in bytes.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for (i, x) in a.iter().enumerate() {
        let above = &rows[i];
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let changed = above[j] + usize::from(x != y);
            let mut cost = changed.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *y && *x == b[j - 1] {
                cost = cost.min(rows[i - 1][j - 1] + 1);
            }
            row.push(cost);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_names_are_found() {
        let known = ["values", "version", "versions", "chart"];
        for (typed, want) in [
            ("vlaues", Some("values")),
            ("verion", Some("version")),
            ("Chart", Some("chart")),
            ("namespaces", None),
        ] {
            assert_eq!(similar(typed, &known), want, "{typed}");
        }
        assert_eq!(
            (distance("", "abc"), distance("abc", "acb"), distance("kitten", "sitting")),
            (3, 1, 3)
        );
    }
}
