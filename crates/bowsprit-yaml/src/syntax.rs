//! What stands where in a document, as written: the ground for edits that keep all other bytes.

use crate::error::{Error, Stage};
use crate::tree::{Node, NodeKind, Style, Tree};
use std::ops::Range;

/// The syntax of the first document of a stream.
///
/// Nothing is resolved: aliases are aliases, a key that occurs twice is there twice, and every node
/// knows its place. Offsets count bytes of the source, or of its UTF-8 form if it came in UTF-16.
///
/// ```
/// use bowsprit_yaml::Syntax;
///
/// let text = b"metadata:\n  name: demo # the name\n";
/// let syntax = Syntax::parse(text)?.unwrap();
/// let metadata = syntax.root().unwrap().get(b"metadata").unwrap();
/// let (key, value) = metadata.entries().next().unwrap();
/// assert_eq!((key.column(), value.span()), (2, 18..22));
/// # Ok::<(), bowsprit_yaml::Error>(())
/// ```
#[derive(Debug)]
pub struct Syntax<'b>(Tree<'b>);

impl<'b> Syntax<'b> {
    /// Parses the first document; `None` where there is none.
    ///
    /// # Errors
    ///
    /// What goyaml says of text that is no YAML.
    pub fn parse(bytes: &'b [u8]) -> Result<Option<Syntax<'b>>, Error> {
        let tree = Tree::parse(bytes).map_err(|e| e.at_stage(Stage::ToJson))?;
        Ok(tree.map(Syntax))
    }

    /// The text that the offsets count in.
    pub fn source(&self) -> &[u8] {
        &self.0.source
    }

    /// The document's node.
    pub fn root(&self) -> Option<SyntaxNode<'_>> {
        SyntaxNode::at(&self.0, 0)
    }
}

/// What a [`SyntaxNode`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum SyntaxKind {
    Scalar,
    Sequence,
    Mapping,
    Alias,
}

/// How a [`SyntaxNode`] is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyntaxStyle {
    /// A scalar without quotes, possibly an empty one.
    Plain,
    /// A scalar in `'`.
    SingleQuoted,
    /// A scalar in `"`.
    DoubleQuoted,
    /// A scalar after `|`.
    Literal,
    /// A scalar after `>`.
    Folded,
    /// A collection in brackets.
    Flow,
    /// A collection by indentation.
    Block,
}

/// A node of the [`Syntax`].
#[derive(Clone, Copy, Debug)]
pub struct SyntaxNode<'t> {
    pub(crate) tree: &'t Tree<'t>,
    node: &'t Node,
    pub(crate) index: usize,
}

impl<'t> SyntaxNode<'t> {
    pub(crate) fn at(tree: &'t Tree<'t>, index: usize) -> Option<SyntaxNode<'t>> {
        tree.node(index).map(|node| SyntaxNode { tree, node, index })
    }

    /// What the node is.
    pub fn kind(&self) -> SyntaxKind {
        match self.node.kind {
            NodeKind::Scalar => SyntaxKind::Scalar,
            NodeKind::Sequence => SyntaxKind::Sequence,
            NodeKind::Mapping => SyntaxKind::Mapping,
            NodeKind::Alias => SyntaxKind::Alias,
        }
    }

    /// How the node is written; an alias counts as plain.
    pub fn style(&self) -> SyntaxStyle {
        match self.node.kind {
            NodeKind::Sequence | NodeKind::Mapping if self.node.flow => SyntaxStyle::Flow,
            NodeKind::Sequence | NodeKind::Mapping => SyntaxStyle::Block,
            NodeKind::Scalar | NodeKind::Alias => match self.node.style {
                Style::Plain => SyntaxStyle::Plain,
                Style::SingleQuoted => SyntaxStyle::SingleQuoted,
                Style::DoubleQuoted => SyntaxStyle::DoubleQuoted,
                Style::Literal => SyntaxStyle::Literal,
                Style::Folded => SyntaxStyle::Folded,
            },
        }
    }

    /// Where the node stands, its anchor and tag included.
    ///
    /// A block collection ends with its last item; an empty value is an empty range. A block scalar
    /// ends after its last line break.
    pub fn span(&self) -> Range<usize> {
        self.node.start as usize..self.node.end as usize
    }

    /// The 1-based line on which the node begins.
    pub fn line(&self) -> usize {
        self.node.line as usize + 1
    }

    /// Bytes before the node on its line.
    pub fn column(&self) -> usize {
        let before = self.tree.source.get(..self.node.start as usize).unwrap_or_default();
        before.iter().rev().take_while(|b| !matches!(b, b'\n' | b'\r')).count()
    }

    /// A scalar's text, unescaped and unfolded; the name of an alias; empty for collections.
    pub fn text(&self) -> &'t [u8] {
        self.tree.text(self.node.value)
    }

    /// What an alias stands for; the node itself otherwise.
    pub fn target(&self) -> SyntaxNode<'t> {
        match self.node.kind {
            NodeKind::Alias => SyntaxNode::at(self.tree, self.node.next as usize).unwrap_or(*self),
            _ => *self,
        }
    }

    /// The nodes right inside this one: items, or keys and values in turn.
    fn children(&self) -> impl Iterator<Item = SyntaxNode<'t>> + use<'t> {
        let tree = self.tree;
        let end = tree.after(self.index);
        let first = Some(self.index + 1).filter(|&first| first < end);
        let next = move |&at: &usize| Some(tree.after(at)).filter(|&next| next < end);
        std::iter::successors(first, next).filter_map(move |at| SyntaxNode::at(tree, at))
    }

    /// The items of a sequence, in source order; none for anything else.
    pub fn items(&self) -> impl Iterator<Item = SyntaxNode<'t>> + use<'t> {
        let sequence = self.node.kind == NodeKind::Sequence;
        self.children().take_while(move |_| sequence)
    }

    /// The keys and values of a mapping, in source order; none for anything else.
    pub fn entries(&self) -> impl Iterator<Item = (SyntaxNode<'t>, SyntaxNode<'t>)> + use<'t> {
        let mapping = self.node.kind == NodeKind::Mapping;
        let mut children = self.children().take_while(move |_| mapping);
        std::iter::from_fn(move || Some((children.next()?, children.next()?)))
    }

    /// The value of the last key that is a scalar with this text.
    pub fn get(&self, key: &[u8]) -> Option<SyntaxNode<'t>> {
        let matches =
            |node: &SyntaxNode<'_>| node.kind() == SyntaxKind::Scalar && node.text() == key;
        self.entries().filter(|(k, _)| matches(k)).last().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(text: &str) -> Vec<String> {
        let syntax = Syntax::parse(text.as_bytes()).unwrap().unwrap();
        let mut pending: Vec<SyntaxNode<'_>> = syntax.root().into_iter().collect();
        let mut out = Vec::new();
        while let Some(node) = pending.pop() {
            out.push(text[node.span()].to_string());
            let mut children: Vec<_> = node.children().collect();
            children.reverse();
            pending.extend(children);
        }
        out
    }

    #[test]
    fn every_node_knows_its_place() {
        assert_eq!(
            spans("a: &x b # c\nd:\n- e\n- {f: 'g'}\n"),
            [
                "a: &x b # c\nd:\n- e\n- {f: 'g'}",
                "a",
                "&x b",
                "d",
                "- e\n- {f: 'g'}",
                "e",
                "{f: 'g'}",
                "f",
                "'g'"
            ]
        );
        assert_eq!(
            spans("a:\nb: |\n  x\n\nc: [ ]\n")[1..],
            ["a", "", "b", "|\n  x\n\n", "c", "[ ]"]
        );
        assert_eq!(spans("- a\n  b\n-\n"), ["- a\n  b\n-", "a\n  b", ""]);
    }

    #[test]
    fn aliases_and_duplicates_stay() {
        let syntax = Syntax::parse(b"a: &x [1]\na: *x\n").unwrap().unwrap();
        let root = syntax.root().unwrap();
        assert_eq!(root.entries().count(), 2);
        let alias = root.get(b"a").unwrap();
        assert_eq!((alias.kind(), alias.text()), (SyntaxKind::Alias, &b"x"[..]));
        assert_eq!(alias.target().items().count(), 1);
        assert_eq!(alias.target().style(), SyntaxStyle::Flow);
    }
}
