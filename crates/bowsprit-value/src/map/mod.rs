//! Maps with string keys: sorted, shared, mutable by reference.
//!
//! All interior mutability of the value model is in this file. A map starts as an immutable table that
//! any number of renders can share. [`Map::fork`] gives a render its own view in constant time: nested
//! maps are forked when they are first reached, and a table is copied when it is first written.

mod table;

use crate::{Elem, NamedType, Str, Value, drop_deep};
use std::borrow::Cow;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};
use table::{Table, find, find_near, merged, position, sorted, table_of};

/// What Go calls the map's type.
#[derive(Clone, Copy, Debug)]
pub struct MapType {
    /// The element type.
    pub elem: Elem,
    /// The named type, for those few maps that have methods.
    pub named: Option<&'static NamedType>,
}

impl MapType {
    /// `map[string]interface {}`.
    pub const ANY: MapType = MapType::of(Elem::Any);
    /// `map[string]string`.
    pub const STRINGS: MapType = MapType::of(Elem::String);

    /// An unnamed map type.
    pub const fn of(elem: Elem) -> MapType {
        MapType { elem, named: None }
    }

    /// A named map type.
    pub const fn named(elem: Elem, named: &'static NamedType) -> MapType {
        MapType { elem, named: Some(named) }
    }

    /// Go's name of the type.
    pub fn name(&self) -> Cow<'static, str> {
        match (self.named, self.elem) {
            (Some(named), _) => Cow::Borrowed(named.name),
            (None, Elem::Any) => Cow::Borrowed("map[string]interface {}"),
            (None, Elem::String) => Cow::Borrowed("map[string]string"),
            (None, elem) => Cow::Owned(format!("map[string]{}", elem.name())),
        }
    }

    pub(crate) fn same(&self, other: &MapType) -> bool {
        self.elem == other.elem && self.named.map(|n| n.name) == other.named.map(|n| n.name)
    }
}

/// A table that may be made when it is first looked at.
enum Base {
    Ready(Arc<Table>),
    /// Behind a box, because there are many maps and few of this kind.
    Lazy(Box<Lazy>),
}

struct Lazy {
    made: OnceLock<Arc<Table>>,
    make: Box<dyn Fn() -> Table + Send + Sync>,
}

impl Base {
    #[inline]
    fn get(&self) -> &Arc<Table> {
        match self {
            Base::Ready(table) => table,
            Base::Lazy(lazy) => lazy.made.get_or_init(|| Arc::new((lazy.make)())),
        }
    }

    fn made(&self) -> Option<&Arc<Table>> {
        match self {
            Base::Ready(table) => Some(table),
            Base::Lazy(lazy) => lazy.made.get(),
        }
    }

    fn made_mut(&mut self) -> Option<&mut Arc<Table>> {
        match self {
            Base::Ready(table) => Some(table),
            Base::Lazy(lazy) => lazy.made.get_mut(),
        }
    }
}

impl std::fmt::Debug for Base {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.made(), f)
    }
}

/// What a fork has instead of what its base holds.
#[derive(Debug, Default)]
struct Fork {
    /// The forks of the base's containers, each at its place and made when it is first reached. None of them
    /// where all entries were wanted first.
    reached: Box<[OnceLock<Value>]>,
    /// All entries.
    own: OnceLock<Arc<Table>>,
}

#[derive(Debug)]
struct MapCell {
    ty: MapType,
    nil: bool,
    /// Containers in `base` belong to another map and are forked before anyone gets them.
    forked: bool,
    /// When it was made in a run; 0 of those that are older.
    moment: AtomicU32,
    base: Base,
    /// Made when something below a forked map is first reached.
    fork: OnceLock<Box<Fork>>,
    over: OnceLock<RwLock<Arc<Table>>>,
    /// The map that this one is only another type's view of; then the tables here are empty.
    viewed: Option<Map>,
}

impl Drop for MapCell {
    fn drop(&mut self) {
        if self.is_flat() {
            return;
        }
        let mut pending = Vec::new();
        self.drain_into(&mut pending);
        drop_deep(pending);
    }
}

/// Whether nothing ends with a table that could be nested: what others hold too goes on.
fn is_flat(table: &mut Arc<Table>) -> bool {
    Arc::get_mut(table).is_none_or(|table| !table.iter().any(|(_, v)| v.is_container_of_one()))
}

/// Takes what is in a table that ends.
fn drain(table: &mut Arc<Table>, pending: &mut Vec<Value>) {
    let table = Arc::get_mut(table).map(std::mem::take).unwrap_or_default();
    table.into_iter().for_each(|(_, value)| put_aside(value, pending));
}

/// Frees a value, but for one that ends with this and could be nested.
fn put_aside(mut value: Value, pending: &mut Vec<Value>) {
    let nested = match &mut value {
        Value::Map(map) => Arc::get_mut(&mut map.0).is_some_and(|cell| !cell.is_flat()),
        Value::List(list) => list.is_of_one(),
        _ => false,
    };
    if nested {
        pending.push(value);
    }
}

impl MapCell {
    /// As for a table. What two tables have in common ends with neither of them alone, so that it can't be known
    /// of most maps that were written to.
    fn is_flat(&mut self) -> bool {
        if let Some(over) = self.over.get_mut() {
            let mut before = self.base.made().into_iter().flat_map(|table| table.iter());
            return self.fork.get().is_none()
                && !before.any(|(_, value)| value.is_container())
                && is_flat(over.get_mut().unwrap_or_else(PoisonError::into_inner));
        }
        self.base.made_mut().is_none_or(is_flat)
            && self.fork.get_mut().is_none_or(|fork| {
                fork.reached.is_empty() && fork.own.get_mut().is_none_or(is_flat)
            })
            // What is viewed is no view itself.
            && self.viewed.as_mut().is_none_or(|map| {
                Arc::get_mut(&mut map.0).is_none_or(MapCell::is_flat)
            })
    }

    fn drain_into(&mut self, pending: &mut Vec<Value>) {
        if let Some(mut fork) = self.fork.take() {
            // Before the tables, which may have the same values and must be their last holders.
            let reached = std::mem::take(&mut fork.reached);
            let reached = reached.into_iter().filter_map(OnceLock::into_inner);
            reached.for_each(|value| put_aside(value, pending));
            fork.own.get_mut().into_iter().for_each(|table| drain(table, pending));
        }
        self.base.made_mut().into_iter().for_each(|table| drain(table, pending));
        if let Some(over) = self.over.get_mut() {
            drain(over.get_mut().unwrap_or_else(PoisonError::into_inner), pending);
        }
        if let Some(map) = self.viewed.take() {
            put_aside(Value::Map(map), pending);
        }
    }

    fn table(&self) -> Arc<Table> {
        match self.over.get() {
            Some(lock) => Arc::clone(&lock.read().unwrap_or_else(PoisonError::into_inner)),
            None => Arc::clone(self.readable()),
        }
    }

    /// The table in force while nothing was written, with its containers forked where they must be.
    fn readable(&self) -> &Arc<Table> {
        if !self.forked {
            return self.base.get();
        }
        let fork = self.fork.get_or_init(Box::default);
        fork.own.get_or_init(|| {
            let base = self.base.get();
            if !base.iter().any(|(_, v)| v.is_container()) {
                return Arc::clone(base);
            }
            // What was reached before stands here too.
            let own = |place: usize, value: &Value| match fork.reached.get(place) {
                Some(reached) if value.is_container() => {
                    reached.get_or_init(|| forked(value)).clone()
                }
                _ => forked(value),
            };
            let entries = base.iter().enumerate();
            Arc::new(entries.map(|(place, (k, v))| (k.clone(), own(place, v))).collect())
        })
    }

    /// A container in a fork's base as it belongs to the fork.
    fn child(&self, place: usize, value: &Value) -> &Value {
        let new = || {
            let reached = self.base.get().iter().map(|_| OnceLock::new()).collect();
            Box::new(Fork { reached, own: OnceLock::new() })
        };
        match self.fork.get_or_init(new).reached.get(place) {
            Some(reached) => reached.get_or_init(|| forked(value)),
            None => &self.readable()[place].1,
        }
    }

    fn lookup<R>(&self, key: &[u8], hit: impl FnOnce(&Value) -> R) -> Option<R> {
        match self.over.get() {
            Some(lock) => {
                let table = lock.read().unwrap_or_else(PoisonError::into_inner);
                find(&table, key).map(|found| hit(&table[found].1))
            }
            None => {
                let (table, own) = self.unwritten();
                find(table, key).map(|found| hit(self.own(&table[found].1, own, found)))
            }
        }
    }

    /// The table that says where keys are while nothing was written, and whether its values belong to this map.
    #[inline]
    fn unwritten(&self) -> (&Table, bool) {
        if !self.forked {
            return (self.base.get(), true);
        }
        match self.fork.get().and_then(|fork| fork.own.get()) {
            Some(own) => (own, true),
            None => (self.base.get(), false),
        }
    }

    /// A value of that table as it belongs to this map.
    #[inline]
    fn own<'c>(&'c self, value: &'c Value, own: bool, place: usize) -> &'c Value {
        if own || !value.is_container() { value } else { self.child(place, value) }
    }

    /// As [`MapCell::lookup`], beginning at a place.
    fn lookup_near<R>(
        &self,
        key: &[u8],
        place: &mut usize,
        hit: impl FnOnce(&Value) -> R,
    ) -> Option<R> {
        match self.over.get() {
            Some(lock) => {
                let table = lock.read().unwrap_or_else(PoisonError::into_inner);
                find_near(&table, key, place).map(hit)
            }
            None => self.unwritten_near(key, place).map(hit),
        }
    }

    #[inline]
    fn unwritten_near(&self, key: &[u8], place: &mut usize) -> Option<&Value> {
        let (table, own) = self.unwritten();
        find_near(table, key, place).map(|value| self.own(value, own, *place))
    }

    /// The same without forking anything.
    #[inline]
    fn peek_near(&self, key: &[u8], place: &mut usize) -> Option<Peeked<'_>> {
        let (table, own) = self.unwritten();
        let value = find_near(table, key, place)?;
        if own || !value.is_container() {
            return Some(Peeked { value, is_own: true });
        }
        let reached = self.fork.get().and_then(|fork| fork.reached.get(*place)?.get());
        Some(Peeked { value: reached.unwrap_or(value), is_own: reached.is_some() })
    }

    fn write<R>(&self, change: impl FnOnce(&mut Table) -> R) -> R {
        let lock = self.over.get_or_init(|| RwLock::new(Arc::clone(self.readable())));
        let mut guard = lock.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut guard))
    }
}

pub(crate) fn forked(value: &Value) -> Value {
    match value {
        Value::Map(map) => Value::Map(map.fork()),
        Value::List(list) if list.iter().any(Value::is_container) => Value::List(list.fork()),
        other => other.clone(),
    }
}

impl crate::List {
    /// The same items, with every map below forked.
    ///
    /// Nested lists are followed without recursion only as deep as a fixed bound; deeper ones are
    /// shared, which is safe because only maps can change.
    pub(crate) fn fork(&self) -> crate::List {
        fork_list(self, 0)
    }
}

const MAX_LIST_DEPTH: usize = 64;

fn fork_list(list: &crate::List, depth: usize) -> crate::List {
    let items = list.iter().map(|v| match v {
        Value::List(inner) if depth < MAX_LIST_DEPTH => Value::List(fork_list(inner, depth + 1)),
        Value::Map(map) => Value::Map(map.fork()),
        other => other.clone(),
    });
    crate::List::typed(list.ty(), items.collect())
}

/// A Go map with string keys: a reference, so that clones see each other's changes.
///
/// ```
/// use bowsprit_value::{Map, Value};
///
/// let defaults = Map::from_entries([("a".into(), Value::int(1))]);
/// let render = defaults.fork();
/// render.insert("a".into(), Value::int(2));
/// assert!(matches!(defaults.get(b"a"), Some(Value::Int(_, 1))));
/// ```
#[derive(Clone, Debug)]
pub struct Map(Arc<MapCell>);

impl Default for Map {
    fn default() -> Map {
        Map::new()
    }
}

impl Map {
    /// An empty `map[string]interface {}`.
    pub fn new() -> Map {
        Map::build(MapType::ANY, false, Vec::new())
    }

    /// The nil map of a type.
    pub fn nil(ty: MapType) -> Map {
        Map::build(ty, true, Vec::new())
    }

    /// A `map[string]interface {}`; a later entry replaces an earlier one of the same key.
    pub fn from_entries(entries: impl IntoIterator<Item = (Str, Value)>) -> Map {
        Map::typed(MapType::ANY, entries)
    }

    /// A `map[string]interface {}` of entries that are in order, no key twice. If they are not, some are not found.
    pub(crate) fn from_sorted(entries: Vec<(Str, Value)>) -> Map {
        Map::build(MapType::ANY, false, entries)
    }

    /// A map of a given type; the values must be of its element type.
    pub fn typed(ty: MapType, entries: impl IntoIterator<Item = (Str, Value)>) -> Map {
        Map::build(ty, false, table_of(entries))
    }

    /// A map whose entries are made when somebody first looks at them. `make` must give the same
    /// entries whenever it is called.
    pub fn lazy<I>(ty: MapType, make: impl Fn() -> I + Send + Sync + 'static) -> Map
    where
        I: IntoIterator<Item = (Str, Value)>,
    {
        let make = move || table_of(make());
        let lazy = Lazy { made: OnceLock::new(), make: Box::new(make) };
        Map::with_base(ty, false, Base::Lazy(Box::new(lazy)))
    }

    fn build(ty: MapType, nil: bool, table: Table) -> Map {
        Map::with_base(ty, nil, Base::Ready(Arc::new(table)))
    }

    fn with_base(ty: MapType, nil: bool, base: Base) -> Map {
        Map(Arc::new(MapCell {
            ty,
            nil,
            forked: false,
            moment: AtomicU32::new(0),
            base,
            fork: OnceLock::new(),
            over: OnceLock::new(),
            viewed: None,
        }))
    }

    /// The map's type.
    pub fn ty(&self) -> MapType {
        self.0.ty
    }

    /// True for a nil map, which is empty and can't be written.
    pub fn is_nil(&self) -> bool {
        self.0.nil
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        match self.cell().over.get() {
            Some(lock) => lock.read().unwrap_or_else(PoisonError::into_inner).len(),
            None => self.cell().base.get().len(),
        }
    }

    /// True without entries; nil or not.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a key; `None` where the key is missing.
    pub fn get(&self, key: &[u8]) -> Option<Value> {
        self.cell().lookup(key, Value::clone)
    }

    /// Looks at the value of a key without taking it, first at a `place` where it may be. Then `place` is
    /// where it was found, or where it would be; it matters to nothing but speed.
    ///
    /// ```
    /// use bowsprit_value::{Map, Value};
    ///
    /// let map = Map::from_entries([("a".into(), Value::int(1)), ("b".into(), Value::Nil)]);
    /// let mut place = 0;
    /// assert_eq!(map.get_near(b"b", &mut place, Value::is_nil), Some(true));
    /// assert_eq!(place, 1);
    /// ```
    pub fn get_near<R>(
        &self,
        key: &[u8],
        place: &mut usize,
        hit: impl FnOnce(&Value) -> R,
    ) -> Option<R> {
        self.cell().lookup_near(key, place, hit)
    }

    /// Whether the key is there, nil or not.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.cell().lookup(key, |_| ()).is_some()
    }

    /// Sets a key, for every holder of this map. Returns what stood there.
    ///
    /// A nil map takes the entry too; callers that must fail as Go does ask [`Map::is_nil`] first.
    pub fn insert(&self, key: Str, value: Value) -> Option<Value> {
        self.cell().write(|table| match position(table, key.as_bytes()) {
            Ok(i) => Some(std::mem::replace(&mut table[i].1, value)),
            Err(i) => {
                table.insert(i, (key, value));
                None
            }
        })
    }

    /// Removes a key, for every holder of this map. Returns what stood there.
    pub fn remove(&self, key: &[u8]) -> Option<Value> {
        if !self.contains(key) {
            return None;
        }
        self.cell().write(|table| position(table, key).ok().map(|i| table.remove(i).1))
    }

    /// The entries as they are now, in key order; later changes don't show in it. Costs nothing.
    pub fn entries(&self) -> Entries {
        Entries(self.cell().table())
    }

    /// The entries as they are now, for reading only. Costs nothing, not even below a fork that nothing was
    /// reached through.
    ///
    /// Containers that are reached this way may belong to the map that this one was forked from: they
    /// must not be written, kept or handed to a template. [`Map::get`] and [`Map::entries`] give those
    /// that belong here.
    pub fn peek(&self) -> Entries {
        Entries(match self.cell().over.get() {
            Some(lock) => Arc::clone(&lock.read().unwrap_or_else(PoisonError::into_inner)),
            // What was reached may have been written to.
            None if self.cell().fork.get().is_some() => Arc::clone(self.cell().readable()),
            None => Arc::clone(self.cell().base.get()),
        })
    }

    /// Looks at the value of a key as [`Map::get_near`] does, where nothing was written to the map; `None`
    /// where something was.
    #[inline]
    pub fn unwritten_near(&self, key: &[u8], place: &mut usize) -> Option<Option<&Value>> {
        let cell = self.cell();
        cell.over.get().is_none().then(|| cell.unwritten_near(key, place))
    }

    /// Looks at the value of a key as [`Map::unwritten_near`] does, and forks nothing on the way.
    #[inline]
    pub fn peek_near(&self, key: &[u8], place: &mut usize) -> Option<Option<Peeked<'_>>> {
        let cell = self.cell();
        cell.over.get().is_none().then(|| cell.peek_near(key, place))
    }

    /// True where both were forked from one map, or one from the other, and nothing was written to or
    /// reached below either of them since. They are equal then; where it is false they still may be.
    pub fn same_origin(&self, other: &Map) -> bool {
        fn as_it_was(cell: &MapCell) -> Option<&Arc<Table>> {
            let fork = cell.fork.get();
            let is = cell.over.get().is_none() && fork.is_none_or(|fork| fork.reached.is_empty());
            let own = fork.and_then(|fork| fork.own.get());
            is.then(|| own.unwrap_or_else(|| cell.base.get()))
        }
        let tables = (as_it_was(self.cell()), as_it_was(other.cell()));
        matches!(tables, (Some(a), Some(b)) if Arc::ptr_eq(a, b))
    }

    /// Sets many keys, for every holder of this map, in one pass over its entries.
    pub fn extend(&self, entries: impl IntoIterator<Item = (Str, Value)>) {
        let mut new: Table = entries.into_iter().collect();
        if new.is_empty() {
            return;
        }
        if !new.is_sorted_by(|a, b| a.0 < b.0) {
            new = sorted(new);
        }
        self.cell().write(|table| {
            if table.last().is_none_or(|(last, _)| new.first().is_some_and(|(k, _)| last < k)) {
                table.append(&mut new);
            } else {
                let old = std::mem::take(table);
                *table = merged(old, new);
            }
        });
    }

    /// A map with the same entries that shares nothing mutable with this one, at any depth.
    ///
    /// Takes constant time: what is below is forked when it is reached. This map and all below it
    /// must not be written any more.
    pub fn fork(&self) -> Map {
        Map(Arc::new(MapCell {
            ty: self.0.ty,
            nil: self.0.nil,
            forked: true,
            moment: AtomicU32::new(0),
            // What lies below is not reached for: a fork of a fork forks the same tables.
            base: Base::Ready(self.peek().0),
            fork: OnceLock::new(),
            over: OnceLock::new(),
            viewed: None,
        }))
    }

    /// The same map seen as another type: changes through one show in the other, as after a
    /// conversion in Go.
    pub fn view(&self, ty: MapType) -> Map {
        let viewed = self.0.viewed.as_ref().unwrap_or(self);
        Map(Arc::new(MapCell {
            ty,
            nil: self.0.nil,
            forked: false,
            moment: AtomicU32::new(0),
            base: Base::Ready(Arc::default()),
            fork: OnceLock::new(),
            over: OnceLock::new(),
            viewed: Some(viewed.clone()),
        }))
    }

    /// The tables that are there, whether they are in force or kept for others.
    pub(crate) fn tables(&self, mut each: impl FnMut(Entries)) {
        let cell = self.cell();
        let over = cell
            .over
            .get()
            .map(|lock| Arc::clone(&lock.read().unwrap_or_else(PoisonError::into_inner)));
        let own = cell.fork.get().and_then(|fork| fork.own.get());
        let kept = [cell.base.made().cloned(), own.cloned(), over];
        kept.into_iter().flatten().for_each(|table| each(Entries(table)));
    }

    /// The containers below a fork that were reached, where they may not stand in a table.
    pub(crate) fn reached(&self) -> impl Iterator<Item = &Value> {
        let fork = self.cell().fork.get();
        fork.into_iter().flat_map(|fork| fork.reached.iter()).filter_map(OnceLock::get)
    }

    /// The address of what this is a reference to.
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(self.cell()).addr()
    }

    /// The cell that holds the entries.
    #[inline]
    fn cell(&self) -> &Arc<MapCell> {
        match &self.0.viewed {
            Some(map) => &map.0,
            None => &self.0,
        }
    }

    /// True where both are the same reference.
    pub fn ptr_eq(&self, other: &Map) -> bool {
        Arc::ptr_eq(self.cell(), other.cell())
    }

    /// A number that tells references apart while they live.
    pub fn id(&self) -> usize {
        Arc::as_ptr(self.cell()).addr()
    }

    /// When it was made in the run that has it; 0 for a map that may be older than the run.
    #[inline]
    pub fn moment(&self) -> u32 {
        self.cell().moment.load(Relaxed)
    }

    /// Says that it was just made, at a moment of a [`History`](crate::History). Nothing happens where
    /// somebody else has it too, or where it was said before.
    #[inline]
    pub fn made_at(&self, moment: u32) {
        if self.0.viewed.is_none() && self.is_of_one() && self.moment() == 0 {
            self.0.moment.store(moment, Relaxed);
        }
    }

    /// Whether its entries were changed since it was made.
    pub fn is_written(&self) -> bool {
        self.cell().over.get().is_some()
    }

    /// A reference that does not keep the map alive.
    pub fn downgrade(&self) -> WeakMap {
        WeakMap(Arc::downgrade(self.cell()))
    }

    /// Whether this is the only reference.
    pub(crate) fn is_of_one(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    pub(crate) fn dismantle(mut self, pending: &mut Vec<Value>) {
        if let Some(cell) = Arc::get_mut(&mut self.0) {
            cell.drain_into(pending);
        }
    }
}

/// A value that is looked at where it is. See [`Map::peek_near`].
#[derive(Clone, Copy, Debug)]
pub struct Peeked<'m> {
    /// The value.
    pub value: &'m Value,
    /// Whether it belongs to the map. If it does not, it is a container of the map that this one was forked from,
    /// and must not be written, kept or handed to a template; nor must containers below it.
    pub is_own: bool,
}

/// A map's entries at one moment, in key order. See [`Map::entries`].
#[derive(Clone, Debug)]
pub struct Entries(Arc<Table>);

impl Entries {
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True without entries.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entry at an index of the key order.
    pub fn get(&self, index: usize) -> Option<(&Str, &Value)> {
        self.0.get(index).map(|(k, v)| (k, v))
    }

    /// Iterates in key order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Str, &Value)> + DoubleEndedIterator {
        self.0.iter().map(|(k, v)| (k, v))
    }
}

/// A reference to a [`Map`] that does not keep it alive.
#[derive(Clone, Debug)]
pub struct WeakMap(Weak<MapCell>);

impl WeakMap {
    /// Empties the map if it still lives, which breaks any cycle through it.
    pub fn clear(&self) {
        let Some(cell) = self.0.upgrade() else { return };
        let Some(lock) = cell.over.get() else { return };
        let table = std::mem::take(&mut *lock.write().unwrap_or_else(PoisonError::into_inner));
        if let Some(table) = Arc::into_inner(table) {
            drop_deep(table.into_iter().map(|(_, v)| v).collect());
        }
    }
}

#[cfg(test)]
mod tests;
