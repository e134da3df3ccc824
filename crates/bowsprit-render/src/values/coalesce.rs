//! Laying values over the charts' defaults.
//!
//! Helm calls this coalescing, and a variant that keeps nulls merging. It copies everything deeply,
//! time and again; here the copies are forks, which cost nothing until they are reached, and tables
//! that both sides have from one place are left alone.

use super::globals::coalesce_globals;
use super::known::{Fresh, Known};
use super::log::{Log, Path};
use super::{ValuesError, ValuesErrorKind};
use crate::compat::DefaultNulls;
use bowsprit_chart::LogLine;
use bowsprit_value::{Entries, Map, Meter, Str, Value, fmt};
use std::cell::OnceCell;

/// The charts that are coalesced: a tree of numbered instances.
pub(crate) trait ChartTree {
    fn name(&self, id: usize) -> &Str;
    fn defaults(&self, id: usize) -> Option<&Map>;
    fn children(&self, id: usize) -> &[usize];
    /// Whether the defaults are known to contain no null in any table.
    fn is_clean(&self, id: usize) -> bool;
    /// What becomes of nulls in the defaults.
    fn default_nulls(&self) -> DefaultNulls;
}

/// Whether nulls delete what they meet or are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nulls {
    /// Helm's `CoalesceValues`.
    Delete,
    /// Helm's `MergeValues`.
    Keep,
}

/// Shallow copies of charts share what is below them, and so can stand for more charts than there are.
const MAX_CHARTS: usize = 100_000;

/// Lays values over the defaults of a chart and all its subcharts. The given values are not changed,
/// and must not be changed any more.
pub(crate) fn coalesce(
    tree: &impl ChartTree,
    root: usize,
    values: &Map,
    nulls: Nulls,
    log: &mut Log,
) -> Result<Map, ValuesError> {
    coalesce_knowing(tree, root, values, nulls, log, &mut Known::default())
}

/// [`coalesce`], with what is known of charts that have no values of their own. As long as nothing is
/// known to change below them, all calls with one `known` want the same `nulls`.
pub(crate) fn coalesce_knowing(
    tree: &impl ChartTree,
    root: usize,
    values: &Map,
    nulls: Nulls,
    log: &mut Log,
    known: &mut Known,
) -> Result<Map, ValuesError> {
    let dest = if values.is_nil() { Map::new() } else { values.fork() };
    let mut opened = 1;
    let mut frames = vec![Frame::open(tree, root, dest.clone(), Path::EMPTY, nulls, log)];
    while let Some(frame) = frames.last_mut() {
        let Some(&child) = tree.children(frame.chart).get(frame.next) else {
            if let Some(frame) = frames.pop() {
                known.learn(frame, opened, log);
            }
            continue;
        };
        frame.next += 1;
        let name = tree.name(child);
        let fresh = known.fresh(tree, frame, name, opened, log);
        let table = fresh.as_ref().and_then(|fresh| known.recall(child, fresh));
        opened += table.map_or(1, |table| table.charts);
        if opened > MAX_CHARTS {
            let text = "limit reached: too many instances of charts";
            return Err(ValuesError::new(ValuesErrorKind::Limit, text));
        }
        if let Some(table) = table {
            frame.dest.insert(name.clone(), Value::Map(table.values.fork()));
            continue;
        }
        let below = subchart_table(&frame.dest, name)?;
        let prefix = log.path(frame.prefix, tree.name(frame.chart));
        coalesce_globals(&below, &frame.dest, prefix, log);
        let shared = known.learns() && frame.shares(tree);
        let frame = Frame::open(tree, child, below, prefix, nulls, log);
        frames.push(Frame { fresh, shared, ..frame });
    }
    log.forget_paths();
    Ok(dest)
}

/// A chart whose own defaults are laid under its values, and whose subcharts are being worked on.
pub(crate) struct Frame {
    pub(crate) chart: usize,
    pub(crate) dest: Map,
    prefix: Path,
    next: usize,
    pub(crate) fresh: Option<Fresh>,
    /// A chart above has a namesake, which writes to the same tables.
    shared: bool,
    namesakes: OnceCell<bool>,
}

impl Frame {
    fn open(
        tree: &impl ChartTree,
        chart: usize,
        dest: Map,
        prefix: Path,
        nulls: Nulls,
        log: &mut Log,
    ) -> Frame {
        let prefix_of_values = log.path(prefix, tree.name(chart));
        coalesce_values(tree, chart, &dest, prefix_of_values, nulls, log);
        Frame {
            chart,
            dest,
            prefix,
            next: 0,
            fresh: None,
            shared: false,
            namesakes: OnceCell::new(),
        }
    }

    /// Whether the tables of subcharts may be written again when they are done.
    pub(crate) fn shares(&self, tree: &impl ChartTree) -> bool {
        self.shared
            || *self.namesakes.get_or_init(|| {
                let children = tree.children(self.chart).iter();
                let mut names: Vec<&Str> = children.map(|&child| tree.name(child)).collect();
                names.sort_unstable();
                !names.is_sorted_by(|a, b| a < b)
            })
    }
}

fn subchart_table(dest: &Map, name: &Str) -> Result<Map, ValuesError> {
    match dest.get(name.as_bytes()) {
        Some(Value::Map(map)) => Ok(map),
        Some(other) => {
            let text = format!("type mismatch on {name}: {}", formatted(b"%t", other));
            Err(ValuesError::new(ValuesErrorKind::TypeMismatch, text))
        }
        None => {
            let map = Map::new();
            dest.insert(name.clone(), Value::Map(map.clone()));
            Ok(map)
        }
    }
}

/// Helm's `coalesceValues`: one chart's defaults under its values.
fn coalesce_values(
    tree: &impl ChartTree,
    chart: usize,
    dest: &Map,
    prefix: Path,
    nulls: Nulls,
    log: &mut Log,
) {
    let Some(defaults) = tree.defaults(chart).map(Map::fork) else { return };
    let kept = tree.default_nulls() == DefaultNulls::Kept;
    let clean = kept || tree.is_clean(chart);
    let (theirs, ours) = (defaults.peek(), dest.peek());
    let mut ours = Cursor::new(&ours);
    let (mut added, mut removed, mut both) = (Vec::new(), Vec::new(), Vec::new());
    for (place, (key, default)) in theirs.iter().enumerate() {
        match (ours.seek(key), default) {
            (None, Value::Nil) if nulls == Nulls::Delete && !kept => {}
            (None, _) => added.push((key, place)),
            (Some(Value::Nil), _) if nulls == Nulls::Delete => removed.push(key),
            (Some(Value::Map(_)), Value::Map(_)) => both.push(key),
            (Some(Value::Map(_)), Value::Nil) => {}
            (Some(Value::Map(_)), _) => {
                let path = log.text(prefix, key);
                log.info(format!("warning: skipped value for {path}: Not a table."));
            }
            _ => {}
        }
    }
    for key in removed {
        dest.remove(key.as_bytes());
    }
    for key in both {
        let (Some(Value::Map(table)), Some(Value::Map(default))) =
            (dest.get(key.as_bytes()), defaults.get(key.as_bytes()))
        else {
            continue;
        };
        let is_child = tree.children(chart).iter().any(|&child| tree.name(child) == key);
        let nulls = if is_child { Nulls::Keep } else { nulls };
        if nulls == Nulls::Delete && !clean {
            clean_nulls(&default);
        }
        let path = log.path(prefix, key);
        coalesce_tables(&table, &default, path, nulls, log);
    }
    dest.extend(added.into_iter().filter_map(|(key, mut place)| {
        let value = defaults.get_near(key.as_bytes(), &mut place, Value::clone)?;
        if let (Value::Map(map), Nulls::Delete, false) = (&value, nulls, clean) {
            clean_nulls(map);
        }
        Some((key.clone(), value))
    }));
}

/// Helm's `MergeTables`: what `dst` lacks comes from `src`, nulls are kept.
pub(crate) fn merge_tables(dst: &Map, src: &Map, log: &mut Log) {
    coalesce_tables(dst, src, Path::EMPTY, Nulls::Keep, log);
    log.forget_paths();
}

/// Helm's `MergeTables`: what `dst` lacks comes from `src`, nulls are kept. Writes to `dst` and the tables
/// below it, and to `src` too where `dst` has a null. What Helm logs is added to `log`.
pub fn merge_values_tables(dst: &Map, src: &Map, log: &mut Vec<LogLine>) {
    let mut own = Log::default();
    merge_tables(dst, src, &mut own);
    log.append(&mut own.lines);
}

/// [`merge_tables`] below a path.
pub(crate) fn merge_tables_at(dst: &Map, src: &Map, path: Path, log: &mut Log) {
    coalesce_tables(dst, src, path, Nulls::Keep, log);
}

/// Helm's `CoalesceTables`: what `dst` lacks comes from `src`; what is null in `dst` is removed from
/// it. Writes to `dst` and the tables below it, and to `src` too where `dst` has a null. What Helm logs
/// is added to `log`.
pub fn coalesce_values_tables(dst: &Map, src: &Map, log: &mut Vec<LogLine>) {
    let mut own = Log::default();
    coalesce_tables(dst, src, Path::EMPTY, Nulls::Delete, &mut own);
    log.append(&mut own.lines);
}

/// Helm's `coalesceTablesFullKey`. Writes to `src` too, as Helm does: a null of `dst` shows in it.
fn coalesce_tables(dst: &Map, src: &Map, path: Path, nulls: Nulls, log: &mut Log) {
    let mut pending = vec![(dst.clone(), src.clone(), path)];
    while let Some((dst, src, path)) = pending.pop() {
        let level = Level::compare(&dst, &src, path, nulls, log);
        level.write(&dst, &src);
        for key in level.both.iter().rev() {
            if let (Some(Value::Map(d)), Some(Value::Map(s))) =
                (dst.get(key.as_bytes()), src.get(key.as_bytes()))
            {
                pending.push((d, s, log.path(path, key)));
            }
        }
    }
}

/// What has to be done with one pair of tables.
#[derive(Default)]
struct Level {
    /// Keys that only `src` has, and where.
    added: Vec<(Str, usize)>,
    /// Keys whose null in `dst` deletes them.
    removed: Vec<Str>,
    /// Keys that are null in `dst` and so become null in `src`.
    nulled: Vec<Str>,
    /// Keys that are tables on both sides, and not one table.
    both: Vec<Str>,
}

impl Level {
    fn compare(dst: &Map, src: &Map, path: Path, nulls: Nulls, log: &mut Log) -> Level {
        let mut level = Level::default();
        let (ours, theirs) = (dst.peek(), src.peek());
        let mut ours = Cursor::new(&ours);
        for (place, (key, value)) in theirs.iter().enumerate() {
            ours.skip_to(key, &mut level.nulled);
            match (ours.seek(key), value) {
                (None, _) => level.added.push((key.clone(), place)),
                (Some(Value::Nil), Value::Nil) => {}
                (Some(Value::Nil), _) => {
                    level.nulled.push(key.clone());
                    if nulls == Nulls::Delete {
                        level.removed.push(key.clone());
                    }
                }
                (Some(Value::Map(d)), Value::Map(s)) if d.same_origin(s) => {}
                (Some(Value::Map(_)), Value::Map(_)) => level.both.push(key.clone()),
                (Some(_), Value::Map(_)) => log.overwrite(path, key, value),
                (Some(Value::Map(_)), Value::Nil) => {}
                (Some(Value::Map(_)), _) => log.ignored(path, key, value),
                _ => {}
            }
        }
        ours.rest(&mut level.nulled);
        level
    }

    fn write(&self, dst: &Map, src: &Map) {
        if !self.added.is_empty() {
            dst.extend(self.added.iter().filter_map(|(key, place)| {
                let value = src.get_near(key.as_bytes(), &mut place.clone(), Value::clone)?;
                Some((key.clone(), value))
            }));
        }
        for key in &self.removed {
            dst.remove(key.as_bytes());
        }
        if !self.nulled.is_empty() {
            src.extend(self.nulled.iter().map(|key| (key.clone(), Value::Nil)));
        }
    }
}

impl Log {
    fn overwrite(&mut self, path: Path, key: &Str, value: &Value) {
        let (path, shown) = (self.text(path, key), formatted(b"%v", value.clone()));
        self.info(format!("warning: cannot overwrite table with non table for {path} ({shown})"));
    }

    fn ignored(&mut self, path: Path, key: &Str, value: &Value) {
        let (path, shown) = (self.text(path, key), formatted(b"%v", value.clone()));
        self.info(format!(
            "warning: destination for {path} is a table. Ignoring non-table value ({shown})"
        ));
    }
}

fn formatted(verb: &[u8], value: Value) -> String {
    let mut out = Vec::new();
    // The meter has no limit, and values that were read contain no cycle.
    let _ = fmt::sprintf(verb, &[value], &mut out, &Meter::default());
    String::from_utf8_lossy(&out).into_owned()
}

/// Walks a table's entries beside another table in the same order.
struct Cursor<'e> {
    entries: &'e Entries,
    at: usize,
}

impl<'e> Cursor<'e> {
    fn new(entries: &'e Entries) -> Cursor<'e> {
        Cursor { entries, at: 0 }
    }

    /// The value of a key that is not before the last one asked for.
    fn seek(&mut self, key: &Str) -> Option<&'e Value> {
        while let Some((found, value)) = self.entries.get(self.at) {
            match found.cmp(key) {
                std::cmp::Ordering::Less => self.at += 1,
                std::cmp::Ordering::Equal => {
                    self.at += 1;
                    return Some(value);
                }
                std::cmp::Ordering::Greater => return None,
            }
        }
        None
    }

    /// Notes the keys before one that are null.
    fn skip_to(&mut self, key: &Str, nulls: &mut Vec<Str>) {
        while let Some((found, value)) = self.entries.get(self.at) {
            if found >= key {
                return;
            }
            if value.is_nil() {
                nulls.push(found.clone());
            }
            self.at += 1;
        }
    }

    /// Notes the remaining keys that are null.
    fn rest(&mut self, nulls: &mut Vec<Str>) {
        while let Some((found, value)) = self.entries.get(self.at) {
            if value.is_nil() {
                nulls.push(found.clone());
            }
            self.at += 1;
        }
    }
}

/// Helm's `cleanNilValues`: removes nulls from tables, not from lists, at any depth.
///
/// Tables without nulls are not touched, so that they stay forks of what they were forked from.
fn clean_nulls(root: &Map) {
    let survey = Survey::of(root);
    if survey.tables.first().is_none_or(|t| !t.dirty) {
        return;
    }
    let mut pending = vec![(root.clone(), 0usize)];
    while let Some((map, index)) = pending.pop() {
        let mut child = index + 1;
        for (key, value) in map.entries().iter() {
            match value {
                Value::Nil => {
                    map.remove(key.as_bytes());
                }
                Value::Map(inner) => {
                    let Some(table) = survey.tables.get(child) else { continue };
                    if table.dirty {
                        pending.push((inner.clone(), child));
                    }
                    child += table.size;
                }
                _ => {}
            }
        }
    }
}

/// Whether there is no null in a table or the tables below it.
pub(crate) fn is_clean(root: &Map) -> bool {
    let mut pending = vec![root.peek()];
    while let Some(entries) = pending.pop() {
        for (_, value) in entries.iter() {
            match value {
                Value::Nil => return false,
                Value::Map(map) => pending.push(map.peek()),
                _ => {}
            }
        }
    }
    true
}

/// Which tables below a root hold nulls, in preorder.
struct Survey {
    tables: Vec<Surveyed>,
}

struct Surveyed {
    /// There is a null in this table or below it.
    dirty: bool,
    /// Number of tables from here down, this one included.
    size: usize,
}

impl Survey {
    fn of(root: &Map) -> Survey {
        let mut tables = vec![Surveyed { dirty: false, size: 1 }];
        let mut open = vec![(root.peek(), 0usize, 0usize)];
        while let Some((entries, next, index)) = open.last_mut() {
            let index = *index;
            match entries.get(*next).map(|(_, value)| value.clone()) {
                Some(value) => {
                    *next += 1;
                    match value {
                        Value::Nil => mark(&mut tables, index),
                        Value::Map(inner) => {
                            open.push((inner.peek(), 0, tables.len()));
                            tables.push(Surveyed { dirty: false, size: 1 });
                        }
                        _ => {}
                    }
                }
                None => {
                    open.pop();
                    let Some((_, _, parent)) = open.last() else { break };
                    close(&mut tables, index, *parent);
                }
            }
        }
        Survey { tables }
    }
}

fn mark(tables: &mut [Surveyed], index: usize) {
    if let Some(table) = tables.get_mut(index) {
        table.dirty = true;
    }
}

fn close(tables: &mut [Surveyed], index: usize, parent: usize) {
    let Some(&Surveyed { dirty, size }) = tables.get(index) else { return };
    if let Some(parent) = tables.get_mut(parent) {
        parent.dirty |= dirty;
        parent.size += size;
    }
}
