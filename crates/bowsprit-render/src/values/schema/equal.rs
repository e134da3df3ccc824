//! Equality of JSON values: numbers by their value, objects without regard to order.
//!
//! It is the library's, and not symmetric: a number equals a string that reads as that number, but not
//! the other way round. So `const: "5"` accepts 5.

use super::Fault;
use super::document::{Document, Node, NodeId};
use super::number::{Decimal, Number};
use super::validate::Budget;
use std::collections::HashMap;

/// Whether the first of two values equals the second.
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
            (Node::Number(x), Node::String(y)) => {
                let y = y.to_str().and_then(Decimal::parse_any);
                y.is_some() && x.decimal() == y
            }
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
        // Equal numbers have one nearest float, and floats are compared in no time.
        _ if x.nearest() != y.nearest() => false,
        _ => x.decimal().is_some_and(|x| y.decimal() == Some(x)),
    }
}

/// More items than this the library compares by hashes, in which numbers and strings differ.
const MAX_PAIRED: usize = 20;

/// The first item that equals an earlier one: the indexes of both.
pub(super) fn duplicates(
    document: &Document,
    items: &[NodeId],
    budget: &Budget,
) -> Result<Option<(usize, usize)>, Fault> {
    if items.len() > MAX_PAIRED {
        return duplicates_among_many(document, items, budget);
    }
    for (i, item) in items.iter().enumerate() {
        for (j, before) in items.iter().enumerate().take(i) {
            if equal((document, *item), (document, *before), budget)? {
                return Ok(Some((j, i)));
            }
        }
    }
    Ok(None)
}

fn duplicates_among_many(
    document: &Document,
    items: &[NodeId],
    budget: &Budget,
) -> Result<Option<(usize, usize)>, Fault> {
    let mut seen = HashMap::new();
    for (i, item) in items.iter().enumerate() {
        let Some(form) = canonical(document, *item, budget)? else { continue };
        let first = *seen.entry(form).or_insert(i);
        if first != i {
            return Ok(Some((first, i)));
        }
    }
    Ok(None)
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
