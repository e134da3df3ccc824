//! What happened in a run that a result may depend on.

use crate::Map;
use std::cell::{Cell, RefCell};

/// More are not told apart.
const MOST_WRITES: usize = 1024;

/// Says of a piece of work whether doing it again would give the same: whether it asked the outside or left
/// a trace there, and whether a map was written since that it may have read.
///
/// Moments are numbers that grow. A map that was made in the run knows its moment ([`Map::made_at`]); what is
/// older than the run has moment 0. A write to a map matters only to work that began after the map was made:
/// earlier work can't have reached it, but through an older map that was written then, or made it itself.
#[derive(Debug, Default)]
pub struct History {
    now: Cell<u32>,
    acted: Cell<u32>,
    /// Moments of writes, each with that of the map that was written. Both grow: an earlier write says
    /// nothing more when an older map is written.
    writes: RefCell<Vec<(u32, u32)>>,
}

impl History {
    /// The next moment. They end with [`u32::MAX`], from when on nothing is known to be as it was.
    #[inline]
    pub fn moment(&self) -> u32 {
        let now = self.now.get().saturating_add(1);
        self.now.set(now);
        now
    }

    /// A function asked the host, or did something that is not in its result.
    #[inline]
    pub fn acted(&self) {
        self.acted.set(self.moment());
    }

    /// A map was written, or is about to be.
    pub fn wrote(&self, map: &Map) {
        let (now, made) = (self.moment(), map.moment());
        let mut writes = self.writes.borrow_mut();
        while writes.pop_if(|(_, older)| *older >= made).is_some() {}
        writes.push((now, made));
        if writes.len() >= MOST_WRITES {
            // As if the oldest map of the first half had been written when the last one of it was.
            let half = MOST_WRITES / 2;
            if let (Some((when, _)), Some(first)) = (writes.get(half).copied(), writes.first_mut())
            {
                first.0 = when;
                writes.drain(1..=half);
            }
        }
    }

    /// Whether all work since a moment can be left out another time: it neither asked nor did anything, and
    /// wrote only to what it had made.
    pub fn is_repeatable_since(&self, moment: u32) -> bool {
        self.acted.get() <= moment && self.is_unchanged_since(moment)
    }

    /// Whether all that was there at a moment is as it was then.
    pub fn is_unchanged_since(&self, moment: u32) -> bool {
        if self.now.get() == u32::MAX {
            return false;
        }
        let writes = self.writes.borrow();
        let later = writes.partition_point(|(when, _)| *when <= moment);
        writes.get(later).is_none_or(|(_, made)| *made >= moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Str;

    fn made(history: &History) -> Map {
        let map = Map::new();
        map.made_at(history.moment());
        map
    }

    #[test]
    fn writes_matter_to_work_that_began_after_the_map_was_made() {
        let history = History::default();
        let old = Map::new();
        let before = history.moment();
        let own = made(&history);
        let after = history.moment();
        assert!(history.is_repeatable_since(before) && history.is_repeatable_since(after));
        history.wrote(&own);
        assert!(history.is_repeatable_since(before) && !history.is_repeatable_since(after));
        let later = history.moment();
        assert!(history.is_repeatable_since(later));
        history.wrote(&made(&history));
        assert!(history.is_unchanged_since(later) && !history.is_unchanged_since(after));
        history.wrote(&old);
        assert!(!history.is_unchanged_since(before) && !history.is_unchanged_since(later));
        assert!(history.is_unchanged_since(history.moment()));
    }

    #[test]
    fn a_later_write_hides_no_earlier_one() {
        let history = History::default();
        let maps: Vec<(Map, u32)> = (0..40).map(|_| (made(&history), history.moment())).collect();
        let mut written = Vec::new();
        for step in 0..200 {
            let (map, _) = &maps[step * 17 % 40];
            history.wrote(map);
            written.push((history.now.get(), map.moment()));
            for start in (1..history.moment()).step_by(7) {
                let changed = written.iter().any(|(when, made)| *when > start && *made < start);
                assert_eq!(history.is_unchanged_since(start), !changed, "{step} {start}");
            }
        }
    }

    #[test]
    fn of_many_writes_the_first_are_taken_as_one() {
        let history = History::default();
        let (before, mut starts) = (history.moment(), Vec::new());
        for _ in 0..5000 {
            let map = made(&history);
            starts.push(history.moment());
            history.wrote(&map);
        }
        assert!(history.writes.borrow().len() < MOST_WRITES && history.is_unchanged_since(before));
        assert!(starts.iter().all(|start| !history.is_unchanged_since(*start)));
        assert!(history.is_unchanged_since(history.moment()));
    }

    #[test]
    fn what_was_asked_is_asked_again() {
        let history = History::default();
        let before = history.moment();
        history.acted();
        assert!(!history.is_repeatable_since(before) && history.is_unchanged_since(before));
        assert!(history.is_repeatable_since(history.moment()));
    }

    #[test]
    fn the_first_moment_stays() {
        let history = History::default();
        let map = Map::from_entries([(Str::from("a"), crate::Value::Map(made(&history)))]);
        let (first, alias) = (history.moment(), map.clone());
        alias.made_at(first);
        assert_eq!(map.moment(), 0, "somebody else has it");
        drop(alias);
        map.made_at(first);
        map.made_at(history.moment());
        assert_eq!(map.moment(), first);
        assert_eq!(map.view(crate::MapType::STRINGS).moment(), first);
    }
}
