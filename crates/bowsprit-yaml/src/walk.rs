//! goyaml's decoder: tags, merge keys and aliases resolved, in the order and with the checks of Go.
//!
//! What comes of the scalars, lists and maps is the business of a [`Build`].

use crate::error::Error;
use crate::resolve::{self, Resolved};
use crate::tree::{Node, NodeKind, Tree};
use std::vec::Drain;

/// Why a walk ended early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// goyaml fails here.
    Error(Error),
    /// The builder leaves this document to another one.
    Unfit,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Error(error)
    }
}

/// A scalar's meaning with its text, which `!!binary` has decoded already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scalar<'t> {
    pub(crate) resolved: Resolved,
    pub(crate) text: &'t [u8],
    /// The text is not the node's own.
    pub(crate) decoded: bool,
}

/// Makes values of what the walk finds.
pub(crate) trait Build {
    type Key;
    type Value;
    /// Containers may be handed over as keys, only to name them in the error.
    const EXACT: bool;

    fn key(&mut self, tree: &Tree<'_>, scalar: Scalar<'_>, value: usize)
    -> Result<Self::Key, Stop>;
    fn scalar(
        &mut self,
        tree: &Tree<'_>,
        scalar: Scalar<'_>,
        node: usize,
    ) -> Result<Self::Value, Stop>;
    fn list(&mut self, items: Drain<'_, Self::Value>, node: usize) -> Self::Value;
    fn map(&mut self, entries: Drain<'_, (Self::Key, Self::Value)>, node: usize) -> Self::Value;
    /// Called when an entry's value is complete.
    fn entry_set(&mut self, key: &mut Self::Key);
    /// The error for a container as key.
    fn container_key(&self, tree: &Tree<'_>, value: Self::Value) -> Error;
}

#[derive(Debug)]
enum Frame<K> {
    Sequence {
        next: usize,
        end: usize,
        base: usize,
        node: usize,
    },
    Mapping {
        next: usize,
        end: usize,
        base: usize,
        node: usize,
        key: Option<K>,
        merged: bool,
    },
    /// The target of an alias is being decoded.
    Alias {
        node: usize,
    },
    /// Mappings still to be merged, the next one last.
    Merge {
        mappings: Vec<usize>,
    },
    ContainerKey,
}

pub(crate) struct Walk<'t, 'b, B: Build> {
    tree: &'t Tree<'b>,
    pub(crate) build: B,
    frames: Vec<Frame<B::Key>>,
    values: Vec<B::Value>,
    entries: Vec<(B::Key, B::Value)>,
    /// Aliases whose targets are being decoded.
    active: Vec<bool>,
    alias_depth: usize,
    alias_count: usize,
    decode_count: usize,
    depth: usize,
    /// Containers that were open at once; those that are merged into another don't count.
    pub(crate) max_depth: usize,
    /// The bytes of the last `!!binary` scalar.
    binary: Vec<u8>,
}

fn allowed_alias_ratio(decode_count: usize) -> f64 {
    const LOW: f64 = 400_000.0;
    const HIGH: f64 = 4_000_000.0;
    let count = decode_count as f64;
    if count <= LOW {
        0.99
    } else if count >= HIGH {
        0.10
    } else {
        0.99 - 0.89 * ((count - LOW) / (HIGH - LOW))
    }
}

fn want_map() -> Stop {
    Stop::Error(Error::content("map merge requires map or sequence of maps as the value"))
}

impl<'t, 'b, B: Build> Walk<'t, 'b, B> {
    pub(crate) fn new(tree: &'t Tree<'b>, build: B) -> Walk<'t, 'b, B> {
        Walk {
            tree,
            build,
            frames: Vec::new(),
            values: Vec::new(),
            entries: Vec::new(),
            active: Vec::new(),
            alias_depth: 0,
            alias_count: 0,
            decode_count: 1,
            depth: 0,
            max_depth: 0,
            binary: Vec::new(),
        }
    }

    /// Decodes the whole document; `None` for a tree without nodes.
    pub(crate) fn run(&mut self) -> Result<Option<B::Value>, Stop> {
        self.unmarshal(0)?;
        while let Some(frame) = self.frames.pop() {
            match frame {
                Frame::Sequence { next, end, base, node } => {
                    self.sequence(next, end, base, node)?
                }
                Frame::Mapping { next, end, base, node, key, merged } => {
                    if let Some(mut key) = key
                        && let Some(value) = self.values.pop()
                    {
                        self.build.entry_set(&mut key);
                        self.entries.push((key, value));
                    }
                    self.mapping(next, end, base, node, merged)?;
                }
                Frame::Alias { node } => {
                    self.alias_depth -= 1;
                    if let Some(active) = self.active.get_mut(node) {
                        *active = false;
                    }
                }
                Frame::Merge { mappings } => self.merge_next(mappings)?,
                Frame::ContainerKey => {
                    if let Some(value) = self.values.pop() {
                        return Err(self.build.container_key(self.tree, value).into());
                    }
                }
            }
        }
        Ok(self.values.pop())
    }

    fn count(&mut self) -> Result<(), Stop> {
        self.decode_count += 1;
        if self.alias_depth > 0 {
            self.alias_count += 1;
        }
        if self.alias_count > 100
            && self.decode_count > 1000
            && self.alias_count as f64 / self.decode_count as f64
                > allowed_alias_ratio(self.decode_count)
        {
            return Err(Error::content("document contains excessive aliasing").into());
        }
        Ok(())
    }

    fn node(&self, index: usize) -> Option<&'t Node> {
        self.tree.node(index)
    }

    /// Starts on a node; its value is on the stack once the frames pushed here are done.
    fn unmarshal(&mut self, index: usize) -> Result<(), Stop> {
        let Some((index, node)) = self.enter(index)? else { return Ok(()) };
        self.open(index, node, None)
    }

    /// Counts a node and follows it, if it is an alias.
    fn enter(&mut self, mut index: usize) -> Result<Option<(usize, &'t Node)>, Stop> {
        loop {
            let Some(node) = self.node(index) else { return Ok(None) };
            self.count()?;
            if node.kind != NodeKind::Alias {
                return Ok(Some((index, node)));
            }
            self.enter_alias(index, node)?;
            index = node.next as usize;
        }
    }

    fn enter_alias(&mut self, index: usize, node: &Node) -> Result<(), Stop> {
        if self.active.is_empty() {
            self.active = vec![false; self.tree.nodes.len()];
        }
        let Some(active) = self.active.get_mut(index) else { return Ok(()) };
        if *active {
            let name = String::from_utf8_lossy(self.tree.text(node.value));
            return Err(Error::content(format!("anchor '{name}' value contains itself")).into());
        }
        *active = true;
        self.alias_depth += 1;
        self.frames.push(Frame::Alias { node: index });
        Ok(())
    }

    /// Takes up a node that is no alias; a mapping may add to the entries of the one it is merged into.
    fn open(&mut self, index: usize, node: &Node, into: Option<usize>) -> Result<(), Stop> {
        let (next, end) = (index + 1, node.next as usize);
        if node.kind != NodeKind::Scalar && into.is_none() {
            self.depth += 1;
            self.max_depth = self.max_depth.max(self.depth);
        }
        match node.kind {
            NodeKind::Sequence => {
                let base = self.values.len();
                self.frames.push(Frame::Sequence { next, end, base, node: index });
            }
            NodeKind::Mapping => {
                let base = into.unwrap_or(self.entries.len());
                let merged = into.is_some();
                self.frames.push(Frame::Mapping {
                    next,
                    end,
                    base,
                    node: index,
                    key: None,
                    merged,
                });
            }
            NodeKind::Scalar | NodeKind::Alias => {
                let value = self.scalar(index, node)?;
                self.values.push(value);
            }
        }
        Ok(())
    }

    fn sequence(
        &mut self,
        mut next: usize,
        end: usize,
        base: usize,
        node: usize,
    ) -> Result<(), Stop> {
        while next < end {
            let index = next;
            next = self.tree.after(index);
            match self.node(index) {
                Some(item) if item.kind == NodeKind::Scalar => {
                    self.count()?;
                    let value = self.scalar(index, item)?;
                    self.values.push(value);
                }
                _ => {
                    self.frames.push(Frame::Sequence { next, end, base, node });
                    return self.unmarshal(index);
                }
            }
        }
        self.depth -= 1;
        let list = self.build.list(self.values.drain(base..), node);
        self.values.push(list);
        Ok(())
    }

    fn mapping(
        &mut self,
        mut next: usize,
        end: usize,
        base: usize,
        node: usize,
        merged: bool,
    ) -> Result<(), Stop> {
        while next < end {
            let key_index = next;
            let value_index = self.tree.after(key_index);
            next = self.tree.after(value_index);
            let frame = |key| Frame::Mapping { next, end, base, node, key, merged };
            if self.is_merge(key_index) {
                self.frames.push(frame(None));
                return self.merge(value_index);
            }
            let depth = self.frames.len();
            let Some((index, key_node)) = self.enter(key_index)? else { continue };
            if key_node.kind != NodeKind::Scalar {
                return self.container_key(index, key_node);
            }
            let mut key = self.key(key_node, value_index)?;
            self.leave_aliases(depth);
            match self.node(value_index) {
                Some(value) if value.kind == NodeKind::Scalar => {
                    self.count()?;
                    let value = self.scalar(value_index, value)?;
                    self.build.entry_set(&mut key);
                    self.entries.push((key, value));
                }
                _ => {
                    self.frames.push(frame(Some(key)));
                    return self.unmarshal(value_index);
                }
            }
        }
        if !merged {
            self.depth -= 1;
            let map = self.build.map(self.entries.drain(base..), node);
            self.values.push(map);
        }
        Ok(())
    }

    /// Ends the aliases that led to a key.
    fn leave_aliases(&mut self, depth: usize) {
        while self.frames.len() > depth {
            if let Some(Frame::Alias { node }) = self.frames.pop() {
                self.alias_depth -= 1;
                if let Some(active) = self.active.get_mut(node) {
                    *active = false;
                }
            }
        }
    }

    fn container_key(&mut self, index: usize, node: &Node) -> Result<(), Stop> {
        if !B::EXACT {
            return Err(Stop::Unfit);
        }
        self.frames.push(Frame::ContainerKey);
        self.open(index, node, None)
    }

    fn is_merge(&self, index: usize) -> bool {
        self.node(index).is_some_and(|node| {
            node.kind == NodeKind::Scalar
                && node.value.len() == 2
                && self.tree.text(node.value) == b"<<"
                && (node.implicit || self.tree.text(node.tag) == resolve::MERGE)
        })
    }

    /// The entries of the mapping whose frame is on top are added to by what `index` holds.
    fn merge(&mut self, index: usize) -> Result<(), Stop> {
        let Some(node) = self.node(index) else { return Ok(()) };
        match node.kind {
            NodeKind::Mapping | NodeKind::Alias => self.merge_next(vec![index]),
            NodeKind::Sequence => {
                let mut mappings = Vec::new();
                let mut item = index + 1;
                while item < node.next as usize {
                    mappings.push(item);
                    item = self.tree.after(item);
                }
                // goyaml goes backwards, so that earlier mappings overwrite later ones.
                self.merge_next(mappings)
            }
            NodeKind::Scalar => Err(want_map()),
        }
    }

    fn merge_next(&mut self, mut mappings: Vec<usize>) -> Result<(), Stop> {
        let Some(index) = mappings.pop() else { return Ok(()) };
        let target = |node: &'t Node| match node.kind {
            NodeKind::Alias => self.node(node.next as usize),
            _ => Some(node),
        };
        let Some(node) = self.node(index) else { return Ok(()) };
        if target(node).is_none_or(|t| t.kind != NodeKind::Mapping) {
            return Err(want_map());
        }
        let base = self.merge_base();
        self.frames.push(Frame::Merge { mappings });
        let Some((index, node)) = self.enter(index)? else { return Ok(()) };
        self.open(index, node, Some(base))
    }

    /// Where the entries of the innermost open mapping begin.
    fn merge_base(&self) -> usize {
        match self.frames.last() {
            Some(Frame::Mapping { base, .. }) => *base,
            _ => self.entries.len(),
        }
    }

    fn key(&mut self, node: &Node, value: usize) -> Result<B::Key, Stop> {
        let (resolved, decoded) = self.resolve(node)?;
        let text = if decoded { self.binary.as_slice() } else { self.tree.text(node.value) };
        self.build.key(self.tree, Scalar { resolved, text, decoded }, value)
    }

    fn scalar(&mut self, index: usize, node: &Node) -> Result<B::Value, Stop> {
        let (resolved, decoded) = self.resolve(node)?;
        let text = if decoded { self.binary.as_slice() } else { self.tree.text(node.value) };
        self.build.scalar(self.tree, Scalar { resolved, text, decoded }, index)
    }

    /// A scalar's meaning; true where its text was decoded into `binary`.
    fn resolve(&mut self, node: &Node) -> Result<(Resolved, bool), Stop> {
        if node.tag.is_empty() {
            let text = self.tree.text(node.value);
            let resolved = if node.implicit { resolve::resolve_plain(text) } else { Resolved::Str };
            return Ok((resolved, false));
        }
        let tag = self.tree.text(node.tag);
        let text = self.tree.text(node.value);
        if tag == resolve::BINARY {
            self.binary.clear();
            if !crate::base64::decode(text, &mut self.binary) {
                return Err(Error::content("!!binary value contains invalid base64 data").into());
            }
            return Ok((Resolved::Str, true));
        }
        Ok((resolve::resolve_tagged(tag, text)?, false))
    }
}
