//! An object as kustomize changes it.

use bowsprit_value::{IntKind, Map, Str, Value};
use std::collections::BTreeMap;

/// Objects nest some twenty levels deep. Those that nest deeper than this are refused, so that what
/// walks through them may call itself.
pub(crate) const MAX_DEPTH: usize = 300;

/// A value that can be changed in place. Keys have no order of their own: kustomize sorts them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// A written `null`.
    Null,
    /// A value that is not written at all. It becomes null when the object is written.
    Blank,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Str(Str),
    List(Vec<Node>),
    Map(Fields),
}

/// The fields of an object.
pub(crate) type Fields = BTreeMap<Str, Node>;

/// A value that is nested too deeply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooDeep;

impl Node {
    /// Takes a value over that [`bowsprit_yaml::decode_v3`] gave.
    pub(crate) fn of(value: &Value) -> Result<Node, TooDeep> {
        Node::at(value, 0)
    }

    fn at(value: &Value, depth: usize) -> Result<Node, TooDeep> {
        if depth > MAX_DEPTH {
            return Err(TooDeep);
        }
        Ok(match value {
            Value::Nil => Node::Null,
            Value::Bytes(_) => Node::Blank,
            Value::Bool(b) => Node::Bool(*b),
            Value::Int(kind, n) if kind.is_unsigned() => Node::Uint(n.cast_unsigned()),
            Value::Int(_, n) => Node::Int(*n),
            Value::Float(f) => Node::Float(*f),
            Value::Str(text) => Node::Str(text.clone()),
            Value::List(list) => {
                let items = list.iter().map(|item| Node::at(item, depth + 1));
                Node::List(items.collect::<Result<_, _>>()?)
            }
            Value::Map(map) => {
                let entries = map.peek();
                let fields = entries.iter().map(|(k, v)| Ok((k.clone(), Node::at(v, depth + 1)?)));
                Node::Map(fields.collect::<Result<_, _>>()?)
            }
            other => Node::Str(Str::from(other.type_name())),
        })
    }

    /// The value to write.
    pub(crate) fn to_value(&self) -> Value {
        match self {
            Node::Null | Node::Blank => Value::Nil,
            Node::Bool(b) => Value::Bool(*b),
            Node::Int(n) => Value::int64(*n),
            Node::Uint(n) => Value::Int(IntKind::Uint64, n.cast_signed()),
            Node::Float(f) => Value::Float(*f),
            Node::Str(text) => Value::Str(text.clone()),
            Node::List(items) => Value::list(items.iter().map(Node::to_value).collect()),
            Node::Map(fields) => {
                let entries = fields.iter().map(|(key, node)| (key.clone(), node.to_value()));
                Value::Map(Map::from_entries(entries))
            }
        }
    }

    /// A string.
    pub(crate) fn str(text: &str) -> Node {
        Node::Str(Str::from(text))
    }

    /// Null, written or not.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Node::Null | Node::Blank)
    }

    /// Makes nothing of the difference between a null that is written and one that is not.
    pub(crate) fn settle(&mut self) {
        match self {
            Node::Blank => *self = Node::Null,
            Node::List(items) => items.iter_mut().for_each(Node::settle),
            Node::Map(fields) => fields.values_mut().for_each(Node::settle),
            _ => {}
        }
    }

    pub(crate) fn fields(&self) -> Option<&Fields> {
        match self {
            Node::Map(fields) => Some(fields),
            _ => None,
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.fields()?.get(key.as_bytes())
    }

    /// The field at the end of a path.
    pub(crate) fn at_path(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// A scalar's text, as it would be compared with a text in YAML. None for null and containers.
    pub(crate) fn text(&self) -> Option<String> {
        Some(match self {
            Node::Bool(b) => b.to_string(),
            Node::Int(n) => n.to_string(),
            Node::Uint(n) => n.to_string(),
            Node::Float(f) => f.to_string(),
            Node::Str(text) => text.to_string(),
            Node::Null | Node::Blank | Node::List(_) | Node::Map(_) => return None,
        })
    }

    /// A field's text; empty where there is none.
    pub(crate) fn text_of(&self, path: &[&str]) -> String {
        self.at_path(path).and_then(Node::text).unwrap_or_default()
    }

    /// The map at a path, made where it is missing or null.
    pub(crate) fn map_at(&mut self, path: &[&str]) -> Option<&mut Fields> {
        let mut node = self;
        for key in path {
            let Node::Map(fields) = node else { return None };
            node = fields.entry(Str::from(*key)).or_insert(Node::Null);
            if node.is_null() {
                *node = Node::Map(Fields::new());
            }
        }
        match node {
            Node::Map(fields) => Some(fields),
            _ => None,
        }
    }

    /// kyaml's name of what the node is.
    pub(crate) fn kind_name(&self) -> &'static str {
        match self {
            Node::Map(_) => "MappingNode",
            Node::List(_) => "SequenceNode",
            _ => "ScalarNode",
        }
    }
}
