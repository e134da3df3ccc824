//! Deep copies as mitchellh/copystructure makes them.

use bowsprit_value::{Args, Entries, FuncError, List, ListType, Map, MapType, Meter, Str, Value};
use std::collections::BTreeSet;

/// Nesting up to this depth is not searched for cycles.
const UNCHECKED_DEPTH: usize = 64;

pub(super) fn deep_copy(args: &mut Args<'_>) -> Result<Value, FuncError> {
    if args.get(0).is_nil() {
        return Err(FuncError::new("reflect: call of reflect.Value.Type on zero Value"));
    }
    copied(args.take(0), args.meter())
}

/// A container that is being copied: the original, how far it is done, and the copy of that part.
enum Frame {
    Map { id: usize, ty: MapType, entries: Entries, done: Vec<(Str, Value)> },
    List { ty: ListType, items: List, done: Vec<Value> },
}

impl Frame {
    /// The next value to copy.
    fn next(&self) -> Option<Value> {
        match self {
            Frame::Map { entries, done, .. } => entries.get(done.len()).map(|(_, v)| v.clone()),
            Frame::List { items, done, .. } => items.get(done.len()).cloned(),
        }
    }

    fn push(&mut self, copy: Value) {
        match self {
            Frame::Map { entries, done, .. } => {
                if let Some((key, _)) = entries.get(done.len()) {
                    done.push((key.clone(), copy));
                }
            }
            Frame::List { done, .. } => done.push(copy),
        }
    }

    fn finish(self) -> Value {
        match self {
            Frame::Map { ty, done, .. } => Value::Map(Map::typed(ty, done)),
            Frame::List { ty, done, .. } => Value::List(List::typed(ty, done)),
        }
    }
}

fn copied(value: Value, meter: &Meter) -> Result<Value, FuncError> {
    let mut frames: Vec<Frame> = Vec::new();
    let mut path = BTreeSet::new();
    let mut current = value;
    loop {
        let mut copy = match open(&current, meter)? {
            Some(frame) => {
                enter(&frame, frames.len(), &mut path)?;
                frames.push(frame);
                None
            }
            None => Some(leaf(current)),
        };
        loop {
            let Some(top) = frames.last_mut() else { return Ok(copy.unwrap_or_default()) };
            if let Some(copy) = copy.take() {
                top.push(copy);
            }
            if let Some(next) = top.next() {
                current = next;
                break;
            }
            if let Some(Frame::Map { id, .. }) = frames.last() {
                path.remove(id);
            }
            copy = frames.pop().map(Frame::finish);
        }
    }
}

/// A frame for a container; nil ones are copied as they are.
fn open(value: &Value, meter: &Meter) -> Result<Option<Frame>, FuncError> {
    match value {
        Value::Map(map) if !map.is_nil() => {
            let entries = map.entries();
            meter.charge_bytes(64 + entries.len() * super::ENTRY)?;
            let done = Vec::with_capacity(entries.len());
            Ok(Some(Frame::Map { id: map.id(), ty: map.ty(), entries, done }))
        }
        Value::List(list) if !list.is_nil() => {
            meter.charge_bytes(64 + list.len() * size_of::<Value>())?;
            let done = Vec::with_capacity(list.len());
            Ok(Some(Frame::List { ty: list.ty(), items: list.clone(), done }))
        }
        _ => Ok(None),
    }
}

// Go would not come back from a map that contains itself.
fn enter(frame: &Frame, depth: usize, path: &mut BTreeSet<usize>) -> Result<(), FuncError> {
    match frame {
        Frame::Map { id, .. } if depth >= UNCHECKED_DEPTH && !path.insert(*id) => {
            Err(super::cyclic())
        }
        _ => Ok(()),
    }
}

fn leaf(value: Value) -> Value {
    match &value {
        Value::Object(object) => object.exported_copy().unwrap_or(value),
        _ => value,
    }
}
