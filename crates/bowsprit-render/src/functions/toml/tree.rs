//! A document while it is read: tables that are filled from many places, and what is known of keys.

use bowsprit_value::{Elem, List, ListType, Map, Str, Value};
use std::collections::BTreeMap;

pub(super) type NodeId = usize;

/// Anything that stands in a table or an array.
#[derive(Debug)]
enum Node {
    Table,
    /// `[[…]]`, with at least one table.
    Tables(Vec<NodeId>),
    Array(Vec<NodeId>),
    Value(Value),
}

/// The tables and values of a document. Nodes are references, as maps are in Go: one that stands in
/// two places is filled in both.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// The entries of all tables.
    entries: BTreeMap<(NodeId, Str), NodeId>,
}

impl Tree {
    /// The table of the whole document.
    pub(super) const ROOT: NodeId = 0;

    pub(super) fn new() -> Tree {
        Tree { nodes: vec![Node::Table], entries: BTreeMap::new() }
    }

    fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    pub(super) fn table(&mut self) -> NodeId {
        self.add(Node::Table)
    }

    pub(super) fn array(&mut self, items: Vec<NodeId>) -> NodeId {
        self.add(Node::Array(items))
    }

    pub(super) fn value(&mut self, value: Value) -> NodeId {
        self.add(Node::Value(value))
    }

    pub(super) fn get(&self, table: NodeId, key: &Str) -> Option<NodeId> {
        self.entries.get(&(table, key.clone())).copied()
    }

    pub(super) fn set(&mut self, table: NodeId, key: &Str, node: NodeId) {
        self.entries.insert((table, key.clone()), node);
    }

    /// The table that keys below a node go into: the last one of an array of tables.
    pub(super) fn open(&self, node: NodeId) -> Option<NodeId> {
        match self.nodes.get(node)? {
            Node::Table => Some(node),
            Node::Tables(tables) => tables.last().copied(),
            Node::Array(_) | Node::Value(_) => None,
        }
    }

    pub(super) fn is_table(&self, node: NodeId) -> bool {
        matches!(self.nodes.get(node), Some(Node::Table))
    }

    /// Adds a table to the array of tables of a key; false where the key is something else.
    pub(super) fn append_table(&mut self, table: NodeId, key: &Str) -> bool {
        let new = self.table();
        match self.get(table, key) {
            None => {
                let tables = self.add(Node::Tables(vec![new]));
                self.set(table, key, tables);
                true
            }
            Some(node) => match self.nodes.get_mut(node) {
                Some(Node::Tables(tables)) => {
                    tables.push(new);
                    true
                }
                _ => false,
            },
        }
    }

    /// The document as templates see it.
    pub(super) fn into_value(mut self) -> Value {
        let mut pending = vec![(Tree::ROOT, false)];
        while let Some((node, visited)) = pending.pop() {
            if visited {
                let value = self.build(node);
                if let Some(node) = self.nodes.get_mut(node) {
                    *node = Node::Value(value);
                }
                continue;
            }
            let parts = self.parts(node);
            pending.push((node, true));
            pending.extend(parts.into_iter().map(|part| (part, false)));
        }
        self.built(Tree::ROOT)
    }

    fn table_entries(&self, table: NodeId) -> impl Iterator<Item = (&Str, NodeId)> {
        let from = (table, Str::default());
        self.entries.range(from..).take_while(move |e| e.0.0 == table).map(|((_, k), v)| (k, *v))
    }

    /// The parts of a node that are not built yet.
    fn parts(&self, node: NodeId) -> Vec<NodeId> {
        let open = |node: &NodeId| !matches!(self.nodes.get(*node), None | Some(Node::Value(_)));
        match self.nodes.get(node) {
            Some(Node::Table) => {
                self.table_entries(node).map(|(_, node)| node).filter(open).collect()
            }
            Some(Node::Tables(items) | Node::Array(items)) => {
                items.iter().copied().filter(open).collect()
            }
            Some(Node::Value(_)) | None => Vec::new(),
        }
    }

    fn build(&self, node: NodeId) -> Value {
        let items = |items: &[NodeId]| items.iter().map(|node| self.built(*node)).collect();
        match self.nodes.get(node) {
            Some(Node::Table) => {
                let entries = self.table_entries(node);
                Value::Map(Map::from_entries(entries.map(|(k, v)| (k.clone(), self.built(v)))))
            }
            Some(Node::Tables(tables)) => {
                Value::List(List::typed(ListType::of(Elem::Map), items(tables)))
            }
            Some(Node::Array(list)) => Value::list(items(list)),
            Some(Node::Value(value)) => value.clone(),
            None => Value::Nil,
        }
    }

    fn built(&self, node: NodeId) -> Value {
        match self.nodes.get(node) {
            Some(Node::Value(value)) => value.clone(),
            _ => Value::Nil,
        }
    }
}

/// What is known of a key, by its full path. The paths do not tell the tables of an array apart.
#[derive(Debug, Default)]
pub(super) struct Marks {
    children: BTreeMap<(MarkId, Str), MarkId>,
    marks: Vec<Mark>,
}

pub(super) type MarkId = usize;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    /// The table is only implied by longer keys, so it may still be defined.
    pub(super) implicit: bool,
    /// The value is a plain array.
    pub(super) array: bool,
}

impl Marks {
    /// The empty path.
    pub(super) const ROOT: MarkId = 0;

    pub(super) fn new() -> Marks {
        Marks { children: BTreeMap::new(), marks: vec![Mark::default()] }
    }

    pub(super) fn find(&self, parent: MarkId, key: &Str) -> Option<MarkId> {
        self.children.get(&(parent, key.clone())).copied()
    }

    pub(super) fn child(&mut self, parent: MarkId, key: &Str) -> MarkId {
        let next = self.marks.len();
        let id = *self.children.entry((parent, key.clone())).or_insert(next);
        if id == next {
            self.marks.push(Mark::default());
        }
        id
    }

    pub(super) fn get(&self, id: MarkId) -> Mark {
        self.marks.get(id).copied().unwrap_or_default()
    }

    pub(super) fn change(&mut self, id: MarkId, change: impl FnOnce(&mut Mark)) {
        if let Some(mark) = self.marks.get_mut(id) {
            change(mark);
        }
    }
}
