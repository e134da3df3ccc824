//! The syntax tree: nodes in one vector, children before parents.

use super::class::Class;

pub(super) type NodeId = u32;

#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    Empty,
    /// `len` runes at `start` of the tree's runes, regardless of case if `fold`.
    Literal {
        start: usize,
        len: usize,
        fold: bool,
    },
    Class(usize),
    Assert(Assertion),
    Capture {
        group: usize,
        sub: NodeId,
    },
    /// Without `max`, as often as possible.
    Repeat {
        sub: NodeId,
        min: u32,
        max: Option<u32>,
        lazy: bool,
    },
    /// `len` children at `start` of the tree's children.
    Concat {
        start: usize,
        len: usize,
    },
    Alternate {
        start: usize,
        len: usize,
    },
}

/// A condition on the place between two runes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assertion {
    BeginLine,
    EndLine,
    BeginText,
    EndText,
    WordBoundary,
    NoWordBoundary,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) op: Op,
    /// Levels of the tree from here down, as Go counts them.
    pub(super) height: u32,
    /// Instructions that this takes, as Go estimates them.
    pub(super) size: u64,
    /// How often repetitions multiply the innermost thing.
    pub(super) copies: u32,
    pub(super) nullable: bool,
}

#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) children: Vec<NodeId>,
    pub(super) runes: Vec<u32>,
    pub(super) classes: Vec<Class>,
    /// The names of the groups; empty for those without.
    pub(super) groups: Vec<Box<[u8]>>,
    pub(super) root: NodeId,
}

const NOTHING: Node = Node { op: Op::Empty, height: 1, size: 1, copies: 1, nullable: true };

impl Tree {
    pub(super) fn node(&self, id: NodeId) -> Node {
        self.nodes.get(id as usize).copied().unwrap_or(NOTHING)
    }

    pub(super) fn children(&self, start: usize, len: usize) -> &[NodeId] {
        self.children.get(start..start + len).unwrap_or_default()
    }

    /// Makes a node, computing its measures from those of its children.
    pub(super) fn measure(&self, op: Op) -> Node {
        let plain = Node { op, ..NOTHING };
        match op {
            Op::Empty | Op::Assert(_) => plain,
            Op::Class(_) => Node { nullable: false, ..plain },
            Op::Literal { len, .. } => Node { size: len as u64, nullable: false, ..plain },
            Op::Capture { sub, .. } => {
                let sub = self.node(sub);
                Node { op, height: sub.height + 1, size: sub.size + 2, ..sub }
            }
            Op::Repeat { sub, min, max, .. } => measure_repeat(op, self.node(sub), min, max),
            Op::Concat { start, len } => {
                let plain = self.measure_children(plain, start, len);
                let children = self.children(start, len);
                let nullable = children.iter().all(|&id| self.node(id).nullable);
                Node { nullable, ..plain }
            }
            Op::Alternate { start, len } => {
                let plain = self.measure_children(plain, start, len);
                let children = self.children(start, len);
                Node {
                    size: plain.size + len as u64 - 1,
                    nullable: children.iter().any(|&id| self.node(id).nullable),
                    ..plain
                }
            }
        }
    }

    fn measure_children(&self, mut parent: Node, start: usize, len: usize) -> Node {
        parent.size = 0;
        for &id in self.children(start, len) {
            let child = self.node(id);
            // Go lifts the children of a nested concatenation or alternation.
            let same = matches!(
                (parent.op, child.op),
                (Op::Concat { .. }, Op::Concat { .. })
                    | (Op::Alternate { .. }, Op::Alternate { .. })
            );
            parent.height = parent.height.max(child.height + u32::from(!same));
            parent.size += child.size;
            parent.copies = parent.copies.max(child.copies);
        }
        parent.size = parent.size.max(1);
        parent
    }
}

fn measure_repeat(op: Op, sub: Node, min: u32, max: Option<u32>) -> Node {
    let size = match max {
        None if min == 0 => 2 + sub.size,
        None => 1 + u64::from(min).saturating_mul(sub.size),
        Some(max) => u64::from(max).saturating_mul(sub.size) + u64::from(max.saturating_sub(min)),
    };
    Node {
        op,
        height: sub.height + 1,
        size: size.max(1),
        copies: match max {
            Some(0) => 1,
            _ => max.unwrap_or(min).max(1).saturating_mul(sub.copies),
        },
        nullable: min == 0 || sub.nullable,
    }
}
