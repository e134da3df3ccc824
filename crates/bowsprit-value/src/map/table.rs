//! A map's entries: in the order of their keys, no key twice.

use crate::str::prefix;
use crate::{Str, Value};
use std::cmp::Ordering;

pub(super) type Table = Vec<(Str, Value)>;

pub(super) fn position(table: &Table, key: &[u8]) -> Result<usize, usize> {
    let prefix = prefix(key);
    table.binary_search_by(|(k, _)| match k.prefix().cmp(&prefix) {
        Ordering::Equal => k.as_bytes().cmp(key),
        order => order,
    })
}

/// Entries sorted by key; of equal keys the last stays.
pub(super) fn table_of(entries: impl IntoIterator<Item = (Str, Value)>) -> Table {
    let table: Table = entries.into_iter().collect();
    if table.is_sorted_by(|a, b| a.0 < b.0) { table } else { sorted(table) }
}

/// So few entries are put in their places one by one.
const FEW_TO_SORT: usize = 12;

/// Sorts by key; of equal keys the last stays.
pub(super) fn sorted(mut table: Table) -> Table {
    if table.len() <= FEW_TO_SORT {
        let mut len = 0;
        for next in 0..table.len() {
            // Those before `len` are in their places, those up to `next` are left over.
            let Some((done, [entry, ..])) = table.split_at_mut_checked(next) else { break };
            let done = done.get_mut(..len).unwrap_or_default();
            let before = done.iter().rposition(|(other, _)| *other <= entry.0);
            match before.and_then(|place| done.get_mut(place)) {
                Some(same) if same.0 == entry.0 => std::mem::swap(&mut same.1, &mut entry.1),
                _ => {
                    table.swap(len, next);
                    let moved = before.map_or(0, |place| place + 1)..=len;
                    table.get_mut(moved).unwrap_or_default().rotate_right(1);
                    len += 1;
                }
            }
        }
        table.truncate(len);
        return table;
    }
    table.sort_by(|a, b| a.0.cmp(&b.0));
    table.reverse();
    table.dedup_by(|later, kept| later.0 == kept.0);
    table.reverse();
    table
}

/// Merges two sorted tables; of equal keys the newer stays.
pub(super) fn merged(old: Table, new: Table) -> Table {
    let mut table = Vec::with_capacity(old.len() + new.len());
    let mut old = old.into_iter().peekable();
    for entry in new {
        while let Some(before) = old.next_if(|o| o.0 < entry.0) {
            table.push(before);
        }
        old.next_if(|o| o.0 == entry.0);
        table.push(entry);
    }
    table.extend(old);
    table
}

/// In so few entries a key is found faster by looking at each.
const FEW: usize = 6;

fn few(table: &Table, key: &[u8]) -> Option<usize> {
    let prefix = prefix(key);
    table.iter().position(|(k, _)| k.prefix() == prefix && k.as_bytes() == key)
}

pub(super) fn find(table: &Table, key: &[u8]) -> Option<usize> {
    if table.len() <= FEW { few(table, key) } else { position(table, key).ok() }
}

/// The value of a key, with a look at the place where it was before, or belongs if it was missing. Then the
/// place says where.
#[inline]
pub(super) fn find_near<'t>(table: &'t Table, key: &[u8], place: &mut usize) -> Option<&'t Value> {
    match table.get(*place) {
        Some((k, value)) if k.is(key) => Some(value),
        _ => find_elsewhere(table, key, place).then(|| &table[*place].1),
    }
}

#[inline(never)]
fn find_elsewhere(table: &Table, key: &[u8], place: &mut usize) -> bool {
    if table.len() <= FEW {
        let found = few(table, key);
        *place = found.unwrap_or(*place);
        return found.is_some();
    }
    let belongs_here = table.get(*place).is_none_or(|(k, _)| key < k.as_bytes())
        && place
            .checked_sub(1)
            .is_none_or(|before| table.get(before).is_some_and(|(k, _)| k.as_bytes() < key));
    if belongs_here {
        return false;
    }
    let found = position(table, key);
    *place = found.unwrap_or_else(|place| place);
    found.is_ok()
}
