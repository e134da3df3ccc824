//! What charts take over from the values of their subcharts.

use super::{MAX_DEPTH, Planner, too_deep};
use crate::values::ValuesError;
use crate::values::coalesce::{ChartTree, Nulls, coalesce, merge_tables};
use crate::values::path::{path_to_map, table};
use bowsprit_chart::Dependency;
use bowsprit_value::{Map, MapType, Str, Value, fmt, strconv};

impl Planner {
    /// Helm's `processDependencyImportValues`: children first.
    pub(super) fn process_imports(&mut self, id: usize, depth: usize) -> Result<(), ValuesError> {
        if depth > MAX_DEPTH {
            return Err(too_deep());
        }
        for child in self.children(id).to_vec() {
            self.process_imports(child, depth + 1)?;
        }
        let Some(mut wanted) = self.dependencies(id).map(std::mem::take) else { return Ok(()) };
        let mut log = std::mem::take(&mut self.log);
        let merged = coalesce(self, id, &Map::new(), Nulls::Keep, &mut log);
        self.log = log;
        let merged = merged?;
        let imported = Map::new();
        for dependency in &mut wanted {
            self.import(dependency, &merged, &imported);
        }
        if let Some(list) = self.dependencies(id) {
            *list = wanted;
        }
        let values = merged.fork();
        if !imported.is_empty() {
            reach_all(&values);
            merge_tables(&values, &imported, &mut self.log);
        }
        let clean = self.subtree(id).into_iter().all(|below| self.is_clean(below));
        if let Some(node) = self.nodes.get_mut(id) {
            node.values = values;
            node.clean = clean;
        }
        Ok(())
    }

    /// Takes over what one dependency exports, and rewrites its list as Helm does.
    fn import(&mut self, dependency: &mut Dependency, from: &Map, into: &Map) {
        let mut rewritten = Vec::new();
        for entry in dependency.import_values.take().into_iter().flatten() {
            let (child, parent) = match &entry {
                Value::Map(map) if map.ty().name() == MapType::ANY.name() => {
                    (self.text_of(map, b"child"), self.text_of(map, b"parent"))
                }
                Value::Str(name) => (format!("exports.{}", name.to_string_lossy()), ".".to_owned()),
                _ => continue,
            };
            rewritten.push(Value::Map(Map::typed(
                MapType::STRINGS,
                [
                    (Str::from_static("child"), Value::from(child.as_str())),
                    (Str::from_static("parent"), Value::from(parent.as_str())),
                ],
            )));
            match table(from, &format!("{}.{child}", dependency.name)) {
                Ok(found) => {
                    merge_tables(into, &path_to_map(&parent, found), &mut self.log);
                }
                Err(missing) => self.missing_table(&missing, &entry, dependency),
            }
        }
        dependency.import_values = (!rewritten.is_empty()).then_some(rewritten);
    }

    fn missing_table(&mut self, key: &str, entry: &Value, dependency: &Dependency) {
        let error = ("error", format!("{} is not a table", quote(key)));
        if matches!(entry, Value::Map(_)) {
            let chart = ("chart", dependency.name.clone());
            self.warn("ImportValues missing table from chart", vec![chart, error]);
        } else {
            self.warn("ImportValues missing table", vec![error]);
        }
    }

    /// `%v` of an entry.
    fn text_of(&self, map: &Map, key: &[u8]) -> String {
        let mut out = Vec::new();
        // The meter has no limit, and values that were read contain no cycle.
        let value = map.get(key).unwrap_or_default();
        let _ = fmt::sprintf(b"%v", &[value], &mut out, &self.meter);
        String::from_utf8_lossy(&out).into_owned()
    }
}

/// Completes a fork, so that its source can be written again: what is imported stays part of the merged
/// values, and merging it into a copy of them writes to both.
fn reach_all(fork: &Map) {
    let mut pending = vec![fork.clone()];
    while let Some(map) = pending.pop() {
        let entries = map.entries();
        pending.extend(entries.iter().filter_map(|(_, value)| value.as_map().cloned()));
    }
}

fn quote(text: &str) -> String {
    String::from_utf8_lossy(&strconv::quote(text.as_bytes())).into_owned()
}
