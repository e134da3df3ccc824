//! JSON documents, of schemas and instances alike, in one flat table of nodes.
//!
//! Nothing here nests: a document of any depth is built, walked and freed without recursion. Numbers
//! keep their text, which messages show and comparisons read exactly.

use super::number::Number;
use bowsprit_value::{Entries, List, Map, Str, Value};

/// Index of a node in its document.
pub(super) type NodeId = u32;

#[derive(Debug)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    String(Str),
    /// Range of `Document::items`.
    Array(u32, u32),
    /// Range of `Document::members`, sorted by key.
    Object(u32, u32),
    /// A Go value that no JSON has, by the name of its type.
    Invalid(Box<str>),
}

/// A JSON value and all below it.
#[derive(Debug, Default)]
pub(super) struct Document {
    nodes: Vec<Node>,
    items: Vec<NodeId>,
    members: Vec<(Str, NodeId)>,
    /// For each node its parent, and where it stands among the parent's items or members.
    parents: Vec<(NodeId, u32)>,
}

/// The name or number under which a value stands in its container.
#[derive(Clone, Debug)]
pub(super) enum Token {
    Key(Str),
    Index(usize),
}

impl Document {
    pub(super) const ROOT: NodeId = 0;

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn node(&self, id: NodeId) -> &Node {
        self.nodes.get(id as usize).unwrap_or(&Node::Null)
    }

    pub(super) fn items(&self, start: u32, end: u32) -> &[NodeId] {
        self.items.get(start as usize..end as usize).unwrap_or_default()
    }

    pub(super) fn members(&self, start: u32, end: u32) -> &[(Str, NodeId)] {
        self.members.get(start as usize..end as usize).unwrap_or_default()
    }

    pub(super) fn array(&self, id: NodeId) -> Option<&[NodeId]> {
        match self.node(id) {
            Node::Array(start, end) => Some(self.items(*start, *end)),
            _ => None,
        }
    }

    pub(super) fn object(&self, id: NodeId) -> Option<&[(Str, NodeId)]> {
        match self.node(id) {
            Node::Object(start, end) => Some(self.members(*start, *end)),
            _ => None,
        }
    }

    /// The member of an object; `None` also where the node is no object.
    pub(super) fn member(&self, id: NodeId, key: &[u8]) -> Option<NodeId> {
        find(self.object(id)?, key)
    }

    pub(super) fn string(&self, id: NodeId) -> Option<&Str> {
        match self.node(id) {
            Node::String(s) => Some(s),
            _ => None,
        }
    }

    pub(super) fn string_member(&self, id: NodeId, key: &[u8]) -> Option<&Str> {
        self.string(self.member(id, key)?)
    }

    /// The container of a node.
    pub(super) fn parent(&self, id: NodeId) -> Option<NodeId> {
        (id != Document::ROOT).then(|| self.parents.get(id as usize).map(|p| p.0)).flatten()
    }

    /// The names and numbers that lead from the root to a node.
    pub(super) fn tokens(&self, id: NodeId) -> Vec<Token> {
        let mut tokens = Vec::new();
        let mut at = id;
        while let (Some(parent), Some(&(_, slot))) =
            (self.parent(at), self.parents.get(at as usize))
        {
            tokens.push(match self.node(parent) {
                Node::Object(start, end) => match self.members(*start, *end).get(slot as usize) {
                    Some((key, _)) => Token::Key(key.clone()),
                    None => Token::Index(slot as usize),
                },
                _ => Token::Index(slot as usize),
            });
            at = parent;
        }
        tokens.reverse();
        tokens
    }

    /// Copies values into a document.
    pub(super) fn of_values(values: &Map) -> Document {
        let mut document = Document { nodes: vec![Node::Null], ..Document::default() };
        document.parents.push((Document::ROOT, 0));
        let mut pending = vec![(Document::ROOT, Container::Map(values.peek()))];
        while let Some((id, container)) = pending.pop() {
            let node = match &container {
                Container::Map(entries) => {
                    let start = document.members.len() as u32;
                    for (slot, (key, value)) in entries.iter().enumerate() {
                        let member = document.below((id, slot), value, &mut pending);
                        document.members.push((key.clone(), member));
                    }
                    Node::Object(start, document.members.len() as u32)
                }
                Container::List(list) => {
                    let start = document.items.len() as u32;
                    for (slot, value) in list.iter().enumerate() {
                        let item = document.below((id, slot), value, &mut pending);
                        document.items.push(item);
                    }
                    Node::Array(start, document.items.len() as u32)
                }
            };
            if let Some(slot) = document.nodes.get_mut(id as usize) {
                *slot = node;
            }
        }
        document
    }

    /// Adds what stands at a place of a container; what is in it comes later.
    fn below(
        &mut self,
        (parent, slot): (NodeId, usize),
        value: &Value,
        pending: &mut Vec<(NodeId, Container)>,
    ) -> NodeId {
        let id = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.parents.push((parent, slot as u32));
        self.nodes.push(match value {
            Value::Bool(b) => Node::Bool(*b),
            Value::Int(_, v) => Node::Number(Number::Int(*v)),
            Value::Float(v) => Node::Number(Number::Float(*v)),
            Value::Str(s) => Node::String(s.clone()),
            Value::Nil => Node::Null,
            Value::Map(map) => {
                pending.push((id, Container::Map(map.peek())));
                Node::Null
            }
            Value::List(list) => {
                pending.push((id, Container::List(list.clone())));
                Node::Null
            }
            other => Node::Invalid(other.type_name().into()),
        });
        id
    }
}

/// A Go container whose entries are to be copied.
enum Container {
    Map(Entries),
    List(List),
}

/// Tells at once of most keys that an object does not have them.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyFilter(u64);

impl KeyFilter {
    pub(super) fn of(members: &[(Str, NodeId)]) -> KeyFilter {
        KeyFilter(members.iter().fold(0, |bits, (key, _)| bits | KeyFilter::bit(key.as_bytes())))
    }

    fn bit(key: &[u8]) -> u64 {
        let first = u64::from(key.first().copied().unwrap_or(0));
        let last = u64::from(key.last().copied().unwrap_or(0));
        1 << ((first.wrapping_mul(7) ^ last.wrapping_mul(3) ^ key.len() as u64) % 64)
    }

    /// False where the object surely lacks the key.
    pub(super) fn may_have(self, key: &[u8]) -> bool {
        self.0 & KeyFilter::bit(key) != 0
    }
}

pub(super) fn find(members: &[(Str, NodeId)], key: &[u8]) -> Option<NodeId> {
    let at = members.binary_search_by(|(k, _)| k.as_bytes().cmp(key)).ok()?;
    members.get(at).map(|(_, id)| *id)
}

/// Builds a document; containers are opened, filled and closed.
#[derive(Debug, Default)]
pub(super) struct Builder {
    document: Document,
}

impl Builder {
    pub(super) fn node(&mut self, node: Node) -> NodeId {
        let id = u32::try_from(self.document.nodes.len()).unwrap_or(u32::MAX);
        self.document.nodes.push(node);
        id
    }

    /// Makes a node the array of these items.
    pub(super) fn close_array(&mut self, id: NodeId, items: Vec<NodeId>) {
        let start = self.document.items.len() as u32;
        self.document.items.extend(items);
        let end = self.document.items.len() as u32;
        self.set(id, Node::Array(start, end));
    }

    /// Makes a node the object of these members; of equal keys the last counts.
    pub(super) fn close_object(&mut self, id: NodeId, mut members: Vec<(Str, NodeId)>) {
        if !members.is_sorted_by(|a, b| a.0 < b.0) {
            members.sort_by(|a, b| a.0.cmp(&b.0));
            members.reverse();
            members.dedup_by(|earlier, kept| earlier.0 == kept.0);
            members.reverse();
        }
        let start = self.document.members.len() as u32;
        self.document.members.extend(members);
        let end = self.document.members.len() as u32;
        self.set(id, Node::Object(start, end));
    }

    fn set(&mut self, id: NodeId, node: Node) {
        if let Some(slot) = self.document.nodes.get_mut(id as usize) {
            *slot = node;
        }
    }

    pub(super) fn finish(self) -> Document {
        let mut document = self.document;
        document.parents = vec![(0, 0); document.nodes.len()];
        for (id, node) in document.nodes.iter().enumerate() {
            match node {
                Node::Array(start, end) => {
                    let items = document.items.get(*start as usize..*end as usize);
                    for (slot, item) in items.unwrap_or_default().iter().enumerate() {
                        if let Some(parent) = document.parents.get_mut(*item as usize) {
                            *parent = (id as u32, slot as u32);
                        }
                    }
                }
                Node::Object(start, end) => {
                    let members = document.members.get(*start as usize..*end as usize);
                    for (slot, (_, member)) in members.unwrap_or_default().iter().enumerate() {
                        if let Some(parent) = document.parents.get_mut(*member as usize) {
                            *parent = (id as u32, slot as u32);
                        }
                    }
                }
                _ => {}
            }
        }
        document
    }
}
