//! Loops.

use super::{Run, Slot, Static, Step, fault};
use crate::compile::program::Unit;
use bowsprit_value::{Elem, Entries, IntKind, Kind, List, Value, fmt};
use std::sync::Arc;

/// What a loop has still to go through.
#[derive(Debug)]
pub(super) enum Iter {
    List { list: List, next: usize },
    Bytes { bytes: Arc<[u8]>, next: usize },
    Map { entries: Entries, next: usize, stat: Static },
    Int { kind: IntKind, next: u64, end: u64 },
}

impl Run<'_> {
    /// Pops the value to iterate over. False where there is nothing to do.
    pub(super) fn range_start(&mut self, unit: &Unit, number: u32) -> Step<bool> {
        let slot = plain_int(self.pop());
        let iter = match &slot.value {
            Value::Nil => return Ok(false),
            Value::List(list) => Iter::List { list: list.clone(), next: 0 },
            Value::Bytes(bytes) => Iter::Bytes { bytes: Arc::clone(bytes), next: 0 },
            Value::Map(map) => {
                let any = map.ty().elem == Elem::Any;
                let stat = if any { Static::Interface } else { Static::Concrete };
                Iter::Map { entries: map.entries(), next: 0, stat }
            }
            Value::Int(kind, n) => {
                if unit.tables().loops.get(number as usize).is_some_and(|l| l.count > 1) {
                    return fault(format!("can't use {n} to iterate over more than one variable"));
                }
                let end =
                    if kind.is_unsigned() { *n as u64 } else { u64::try_from(*n).unwrap_or(0) };
                Iter::Int { kind: *kind, next: 0, end }
            }
            other => {
                let mut text = Vec::new();
                fmt::print_value(other, &mut text, self.meter)?;
                return fault(format!(
                    "range can't iterate over {}",
                    String::from_utf8_lossy(&text)
                ));
            }
        };
        if iter.is_empty() {
            return Ok(false);
        }
        self.iters.push(iter);
        self.dots.push(Slot::INVALID);
        Ok(true)
    }

    /// Sets dot and the loop's variables to the next element, or leaves the loop.
    pub(super) fn range_next(&mut self, unit: &Unit, number: u32) -> Step<Option<usize>> {
        let Some(vars) = unit.tables().loops.get(number as usize) else { return Ok(None) };
        let Some((index, element)) = self.iters.last_mut().and_then(Iter::next) else {
            self.iters.pop();
            self.dots.pop();
            return Ok(Some(vars.end as usize));
        };
        if let Some(slot) = vars.index {
            self.set_slot(slot, index);
        }
        if let Some(slot) = vars.element {
            self.set_slot(slot, element.clone());
        }
        if let Some(dot) = self.dots.last_mut() {
            *dot = element;
        }
        Ok(None)
    }
}

/// The integer of a named integer type such as `time.Month`.
fn plain_int(slot: Slot) -> Slot {
    match &slot.value {
        Value::Object(object) if matches!(object.kind(), Kind::Int(_)) => {
            Slot::concrete(object.to_json().unwrap_or_default())
        }
        _ => slot,
    }
}

impl Iter {
    fn is_empty(&self) -> bool {
        match self {
            Iter::List { list, .. } => list.is_empty(),
            Iter::Bytes { bytes, .. } => bytes.is_empty(),
            Iter::Map { entries, .. } => entries.is_empty(),
            Iter::Int { end, .. } => *end == 0,
        }
    }

    fn next(&mut self) -> Option<(Slot, Slot)> {
        match self {
            Iter::List { list, next } => {
                let value = list.get(*next)?.clone();
                let index = Slot::concrete(Value::int(*next as i64));
                *next += 1;
                let any = list.ty().elem == Elem::Any;
                let stat = if any { Static::Interface } else { Static::Concrete };
                Some((index, Slot { value, stat }))
            }
            Iter::Bytes { bytes, next } => {
                let byte = *bytes.get(*next)?;
                let index = Slot::concrete(Value::int(*next as i64));
                *next += 1;
                let value = Value::Int(IntKind::Uint8, i64::from(byte));
                Some((index, Slot::concrete(value)))
            }
            Iter::Map { entries, next, stat } => {
                let (key, value) = entries.get(*next)?;
                *next += 1;
                let key = Slot::concrete(Value::Str(key.clone()));
                Some((key, Slot { value: value.clone(), stat: *stat }))
            }
            Iter::Int { kind, next, end } => {
                if *next >= *end {
                    return None;
                }
                let value = Value::Int(*kind, *next as i64);
                *next += 1;
                Some((Slot::INVALID, Slot::concrete(value)))
            }
        }
    }
}
