//! Equality of JSON values: numbers by their value, objects without regard to order.

use super::Fault;
use super::document::{Document, Node, NodeId};
use super::number::Number;
use super::validate::Budget;
use std::collections::HashMap;

/// Whether two values are equal.
pub(super) fn equal(
    (one, first): (&Document, NodeId),
    (two, second): (&Document, NodeId),
    budget: &Budget,
) -> Result<bool, Fault> {
    let mut pending = vec![(first, second)];
    while let Some((a, b)) = pending.pop() {
        budget.charge(1)?;
        let same = match (one.node(a), two.node(b)) {
            (Node::Null, Node::Null) => true,
            (Node::Bool(x), Node::Bool(y)) => x == y,
            (Node::String(x), Node::String(y)) => x == y,
            (Node::Number(x), Node::Number(y)) => equal_numbers(x, y),
            (Node::Array(s1, e1), Node::Array(s2, e2)) => {
                let (x, y) = (one.items(*s1, *e1), two.items(*s2, *e2));
                pending.extend(x.iter().copied().zip(y.iter().copied()));
                x.len() == y.len()
            }
            (Node::Object(s1, e1), Node::Object(s2, e2)) => {
                let (x, y) = (one.members(*s1, *e1), two.members(*s2, *e2));
                pending.extend(x.iter().zip(y).map(|((_, a), (_, b))| (*a, *b)));
                x.len() == y.len() && x.iter().zip(y).all(|((k, _), (l, _))| k == l)
            }
            _ => false,
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

fn equal_numbers(x: &Number, y: &Number) -> bool {
    match (x, y) {
        (Number::Int(x), Number::Int(y)) => x == y,
        _ => x.decimal().is_some_and(|x| y.decimal() == Some(x)),
    }
}

/// Finds items that are equal to earlier ones.
#[derive(Default)]
pub(super) struct Unique {
    seen: HashMap<Vec<u8>, usize>,
}

impl Unique {
    /// Adds an item; gives the index of an equal one that was added before.
    pub(super) fn add(
        &mut self,
        document: &Document,
        node: NodeId,
        index: usize,
        budget: &Budget,
    ) -> Result<Option<usize>, Fault> {
        let Some(form) = canonical(document, node, budget)? else { return Ok(None) };
        let first = *self.seen.entry(form).or_insert(index);
        Ok((first != index).then_some(first))
    }
}

/// Bytes that are the same for equal values only; `None` for what equals nothing, not even itself.
fn canonical(document: &Document, node: NodeId, budget: &Budget) -> Result<Option<Vec<u8>>, Fault> {
    let mut out = Vec::new();
    let mut pending = vec![node];
    while let Some(node) = pending.pop() {
        budget.charge(1)?;
        match document.node(node) {
            Node::Null => out.push(b'n'),
            Node::Bool(b) => out.push(if *b { b't' } else { b'f' }),
            Node::String(s) => push_bytes(&mut out, b's', s.as_bytes()),
            Node::Number(number) => match number.decimal() {
                Some(decimal) => push_bytes(&mut out, b'd', format!("{decimal:?}").as_bytes()),
                None => return Ok(None),
            },
            Node::Array(start, end) => {
                let items = document.items(*start, *end);
                push_bytes(&mut out, b'a', &items.len().to_le_bytes());
                pending.extend(items.iter().rev());
            }
            Node::Object(start, end) => {
                let members = document.members(*start, *end);
                push_bytes(&mut out, b'o', &members.len().to_le_bytes());
                for (key, _) in members {
                    push_bytes(&mut out, b'k', key.as_bytes());
                }
                pending.extend(members.iter().rev().map(|(_, id)| *id));
            }
            Node::Invalid(_) => return Ok(None),
        }
    }
    Ok(Some(out))
}

fn push_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    out.extend_from_slice(&bytes.len().to_le_bytes());
    out.extend_from_slice(bytes);
}
