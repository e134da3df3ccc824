//! The syntax tree of one document: what stands where, before tags, aliases and merges are resolved.

use std::borrow::Cow;

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Without quotes.
    Plain,
    /// In `'`.
    SingleQuoted,
    /// In `"`.
    DoubleQuoted,
    /// After `|`.
    Literal,
    /// After `>`.
    Folded,
}

/// A piece of the source or, where the text differs from the source, of the tree's own storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    start: u32,
    len: u32,
}

/// Set in `Text::start` for the tree's storage; sources are shorter than this.
const ARENA: u32 = 1 << 31;

/// Longest text that is read; a quarter of what the offsets could hold, so that nothing overflows.
pub(crate) const MAX_SOURCE: usize = 1 << 29;

impl Text {
    pub(crate) const EMPTY: Text = Text { start: 0, len: 0 };

    pub(crate) fn source(start: usize, end: usize) -> Text {
        Text { start: start as u32, len: end.saturating_sub(start) as u32 }
    }

    pub(crate) fn arena(start: usize, end: usize) -> Text {
        Text { start: start as u32 | ARENA, len: end.saturating_sub(start) as u32 }
    }

    pub(crate) const fn len(self) -> usize {
        self.len as usize
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The first `len` bytes.
    pub(crate) fn prefix(self, len: u32) -> Text {
        Text { len: self.len.min(len), ..self }
    }

    #[inline]
    pub(crate) fn resolve<'t>(self, source: &'t [u8], arena: &'t [u8]) -> &'t [u8] {
        let from = if self.start & ARENA == 0 { source } else { arena };
        let start = (self.start & !ARENA) as usize;
        from.get(start..start + self.len as usize).unwrap_or_default()
    }
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeKind {
    /// A scalar of any style.
    Scalar,
    /// A sequence.
    Sequence,
    /// A mapping; its children are keys and values in turn.
    Mapping,
    /// `*name`.
    Alias,
}

/// A node of the [`Tree`].
///
/// Nodes stand in the order of the source; a container is followed by all that is inside it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) style: Style,
    /// Plain without a tag, or with the tag `!`: goyaml's `implicit`.
    pub(crate) implicit: bool,
    /// Written with brackets.
    pub(crate) flow: bool,
    /// 0-based line of the node's start.
    pub(crate) line: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// A scalar's value or an alias's name.
    pub(crate) value: Text,
    /// A scalar's tag, without shorthands.
    pub(crate) tag: Text,
    /// Index after the last node inside this one; for an alias, the node it stands for.
    pub(crate) next: u32,
}

/// The syntax of one document, with its source.
#[derive(Debug)]
pub(crate) struct Tree<'b> {
    /// The text in UTF-8, with its byte order mark.
    pub(crate) source: Cow<'b, [u8]>,
    pub(crate) arena: Vec<u8>,
    pub(crate) nodes: Vec<Node>,
}

impl Tree<'_> {
    #[inline]
    pub(crate) fn text(&self, text: Text) -> &[u8] {
        text.resolve(&self.source, &self.arena)
    }

    #[inline]
    pub(crate) fn node(&self, index: usize) -> Option<&Node> {
        self.nodes.get(index)
    }

    /// Index of the node after this one and all inside it.
    #[inline]
    pub(crate) fn after(&self, index: usize) -> usize {
        match self.nodes.get(index) {
            Some(node) if matches!(node.kind, NodeKind::Sequence | NodeKind::Mapping) => {
                node.next as usize
            }
            _ => index + 1,
        }
    }
}
