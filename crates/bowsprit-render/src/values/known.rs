//! What charts come to that nobody gives values: it is the same each time.

use super::coalesce::{ChartTree, Frame};
use super::log::Log;
use bowsprit_value::{Entries, Map, Str, Value};
use std::collections::HashMap;

/// What coalescing made of charts without values before. The default learns nothing.
#[derive(Debug, Default)]
pub(crate) struct Known {
    learns: bool,
    tables: HashMap<usize, Table>,
}

/// A chart's values, with those of its subcharts.
#[derive(Debug)]
pub(crate) struct Table {
    /// Must not be written; fork it.
    pub(crate) values: Map,
    /// How many charts it stands for.
    pub(crate) charts: usize,
    globals: Entries,
}

/// The state before a chart that has no values of its own.
pub(crate) struct Fresh {
    globals: Entries,
    opened: usize,
    lines: usize,
}

impl Known {
    /// One that learns.
    pub(crate) fn learning() -> Known {
        Known { learns: true, tables: HashMap::new() }
    }

    pub(crate) fn learns(&self) -> bool {
        self.learns
    }

    /// Forgets all and learns no more, since charts change in more places than one.
    pub(crate) fn give_up(&mut self) {
        *self = Known::default();
    }

    /// Whether a chart below a frame has no values but what its defaults and the globals give.
    pub(crate) fn fresh(
        &self,
        tree: &impl ChartTree,
        frame: &Frame,
        name: &Str,
        opened: usize,
        log: &Log,
    ) -> Option<Fresh> {
        if !self.learns || frame.dest.contains(name.as_bytes()) {
            return None;
        }
        let globals = match frame.dest.get(b"global") {
            None => Map::new().entries(),
            Some(Value::Map(globals)) => globals.peek(),
            Some(_) => return None,
        };
        // Tables below a table among the globals are shared by parent and subchart.
        let flat = |value: &Value| match value {
            Value::Map(table) => table.peek().iter().all(|(_, value)| is_scalar(value)),
            value => is_scalar(value),
        };
        let fresh = globals.iter().all(|(_, value)| flat(value)) && !frame.shares(tree);
        fresh.then(|| Fresh { globals, opened, lines: log.lines.len() })
    }

    /// What is known of a chart.
    pub(crate) fn recall(&self, chart: usize, fresh: &Fresh) -> Option<&Table> {
        self.tables.get(&chart).filter(|known| are_equal(&known.globals, &fresh.globals))
    }

    /// Learns from a chart and its subcharts being done, if that was quiet.
    pub(crate) fn learn(&mut self, frame: Frame, opened: usize, log: &Log) {
        let Some(fresh) = frame.fresh.filter(|fresh| fresh.lines == log.lines.len()) else {
            return;
        };
        let charts = (opened + 1).saturating_sub(fresh.opened);
        let table = Table { values: frame.dest, charts, globals: fresh.globals };
        self.tables.insert(frame.chart, table);
    }
}

fn is_scalar(value: &Value) -> bool {
    match value {
        Value::Nil | Value::Bool(_) | Value::Int(..) | Value::Float(_) | Value::Str(_) => true,
        Value::List(list) => list.is_empty(),
        _ => false,
    }
}

/// Compares globals that are flat.
fn are_equal(a: &Entries, b: &Entries) -> bool {
    a.len() == b.len()
        && a.iter().zip(b.iter()).all(|((key, a), (other, b))| {
            key == other
                && match (a, b) {
                    (Value::Map(a), Value::Map(b)) => {
                        a.same_origin(b) || are_equal(&a.peek(), &b.peek())
                    }
                    (Value::Nil, Value::Nil) => true,
                    (Value::Bool(a), Value::Bool(b)) => a == b,
                    (Value::Int(_, a), Value::Int(_, b)) => a == b,
                    (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
                    (Value::Str(a), Value::Str(b)) => a == b,
                    (Value::List(a), Value::List(b)) => a.is_empty() && b.is_empty(),
                    _ => false,
                }
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compat::DefaultNulls;
    use crate::values::coalesce::{Nulls, coalesce, coalesce_knowing};
    use bowsprit_value::{Meter, fmt};

    struct Tree {
        names: Vec<Str>,
        defaults: Vec<Map>,
        children: Vec<Vec<usize>>,
    }

    impl ChartTree for Tree {
        fn name(&self, id: usize) -> &Str {
            &self.names[id]
        }
        fn defaults(&self, id: usize) -> Option<&Map> {
            self.defaults.get(id)
        }
        fn children(&self, id: usize) -> &[usize] {
            &self.children[id]
        }
        fn is_clean(&self, _: usize) -> bool {
            false
        }
        fn default_nulls(&self) -> DefaultNulls {
            DefaultNulls::Removed
        }
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, n: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 16) % n
        }

        /// Few names, so that they meet.
        fn map(&mut self, depth: usize) -> Map {
            const KEYS: [&str; 7] = ["global", "c1", "c2", "c3", "tags", "x", "y"];
            let map = Map::new();
            for _ in 0..self.below(4) {
                let key = KEYS[self.below(7) as usize];
                let value = match self.below(6) {
                    0 => Value::Nil,
                    1 => Value::Bool(true),
                    2 if depth > 0 || self.below(4) > 0 => Value::int(self.below(3) as i64),
                    _ if depth < 3 => Value::Map(self.map(depth + 1)),
                    _ => Value::from("s"),
                };
                map.insert(key.into(), value);
            }
            map
        }

        fn tree(&mut self) -> Tree {
            let mut tree = Tree { names: Vec::new(), defaults: Vec::new(), children: Vec::new() };
            for id in 0..2 + self.below(7) as usize {
                tree.names.push(format!("c{}", self.below(9)).into());
                let defaults = if self.below(3) == 0 { Map::new() } else { self.map(0) };
                tree.defaults.push(defaults);
                tree.children.push(Vec::new());
                if id > 0 {
                    let parent =
                        if self.below(2) == 0 { id - 1 } else { self.below(id as u64) as usize };
                    tree.children[parent].push(id);
                }
            }
            tree
        }
    }

    fn shown(values: &Map) -> String {
        let mut out = Vec::new();
        fmt::sprintf(b"%v", &[Value::Map(values.clone())], &mut out, &Meter::default()).unwrap();
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn what_is_known_changes_nothing() {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let (mut recalled, mut lines) = (0, 0);
        for _ in 0..1000 {
            let tree = random.tree();
            let user = if random.below(2) == 0 { Map::new() } else { random.map(0) };
            let mut known = Known::learning();
            // As switching subcharts on and off does: each chart with the values of the one above.
            let mut pending = vec![(0, user.clone(), user)];
            while let Some((id, values, slow_values)) = pending.pop() {
                let (mut log, mut slow_log) = (Log::default(), Log::default());
                recalled += known.tables.len();
                let fast =
                    coalesce_knowing(&tree, id, &values, Nulls::Delete, &mut log, &mut known);
                let slow = coalesce(&tree, id, &slow_values, Nulls::Delete, &mut slow_log);
                assert_eq!(log.lines, slow_log.lines);
                lines += log.lines.len();
                match (fast, slow) {
                    (Ok(fast), Ok(slow)) => {
                        assert_eq!(shown(&fast), shown(&slow));
                        let below = tree.children(id).iter().rev();
                        pending.extend(below.map(|&child| (child, fast.clone(), slow.clone())));
                    }
                    (fast, slow) => {
                        assert_eq!(fast.unwrap_err().to_string(), slow.unwrap_err().to_string());
                        break;
                    }
                }
            }
        }
        assert!(recalled > 1000 && lines > 1000, "{recalled} {lines}");
    }
}
