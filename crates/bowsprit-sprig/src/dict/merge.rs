//! `dario.cat/mergo`'s merge of maps, without options or with `WithOverride`.

use crate::defaults::empty;
use bowsprit_value::{
    Args, Elem, Entries, FuncError, Kind, Map, MapType, Meter, Object, Str, Value,
};
use std::collections::BTreeSet;

/// Nesting up to this depth is not searched for cycles.
const UNCHECKED_DEPTH: usize = 64;

/// Whether a source's value replaces one that is there and not empty.
pub(super) type Overwrite = bool;
pub(super) const FILL: Overwrite = false;
pub(super) const OVERWRITE: Overwrite = true;

/// How a merge can end early.
enum Stop {
    /// mergo's `ErrDifferentArgumentsTypes`, which `merge` swallows.
    DifferentTypes,
    /// What no function swallows.
    Fatal(FuncError),
}

impl From<FuncError> for Stop {
    fn from(error: FuncError) -> Stop {
        Stop::Fatal(error)
    }
}

pub(super) fn merge(args: &mut Args<'_>, overwrite: Overwrite) -> Result<Value, FuncError> {
    match merge_all(args, overwrite) {
        Err(Stop::DifferentTypes) => Ok(Value::Str(Str::default())),
        Err(Stop::Fatal(error)) => Err(error),
        Ok(merged) => Ok(merged),
    }
}

pub(super) fn must_merge(args: &mut Args<'_>, overwrite: Overwrite) -> Result<Value, FuncError> {
    merge_all(args, overwrite).map_err(|stop| match stop {
        Stop::DifferentTypes => FuncError::new("src and dst must be of same type"),
        Stop::Fatal(error) => error,
    })
}

fn merge_all(args: &mut Args<'_>, overwrite: Overwrite) -> Result<Value, Stop> {
    let mut dst = match args.take(0) {
        Value::Map(map) => map,
        _ => Map::nil(MapType::ANY),
    };
    for src in args.rest(1).iter().filter_map(Value::as_map).filter(|src| !src.is_nil()) {
        if dst.is_nil() {
            dst = Map::new();
            dst.made_at(args.meter().history().moment());
        }
        Merge { overwrite, meter: args.meter(), frames: Vec::new(), path: BTreeSet::new() }
            .run(&dst, src)?;
    }
    Ok(super::converted(Value::Map(dst)))
}

/// One source entry: its key, its value, and what stood in the destination before.
struct Entry {
    key: Str,
    src: Value,
    dst: Option<Value>,
}

/// A pair of maps that is being merged.
struct Frame {
    dst: Map,
    src: Map,
    /// The source's entries when its turn came.
    entries: Entries,
    at: usize,
    /// The source may change meanwhile, so that only the keys of `entries` hold.
    live: bool,
    /// The destination was empty, so that nothing needs to be looked up in it.
    fresh: bool,
    /// Entries that the destination lacks, put into it in one go.
    added: Vec<(Str, Value)>,
    /// The entry whose maps the frame above merges.
    waiting: Option<Entry>,
}

impl Frame {
    /// The next entry of the source with what the destination has in its place.
    fn next(&mut self) -> Option<Entry> {
        loop {
            let (key, value) = self.entries.get(self.at)?;
            self.at += 1;
            let now = if self.live { self.src.get(key.as_bytes()) } else { Some(value.clone()) };
            let Some(src) = now else { continue };
            let dst = if self.fresh { None } else { self.dst.get(key.as_bytes()) };
            return Some(Entry { key: key.clone(), src, dst });
        }
    }

    /// Needed before anything else may look at the destination.
    fn flush(&mut self, meter: &Meter) -> Result<(), FuncError> {
        if self.added.is_empty() {
            return Ok(());
        }
        meter.charge_steps(self.dst.len() as u64 / 8)?;
        if self.added.iter().any(|(_, value)| super::holds_references(value)) {
            meter.remember(&self.dst);
        }
        meter.history().wrote(&self.dst);
        self.dst.extend(std::mem::take(&mut self.added));
        Ok(())
    }
}

struct Merge<'m> {
    overwrite: Overwrite,
    meter: &'m Meter,
    frames: Vec<Frame>,
    path: BTreeSet<(usize, usize)>,
}

impl Merge<'_> {
    fn run(mut self, dst: &Map, src: &Map) -> Result<(), Stop> {
        self.enter(dst.clone(), src.clone())?;
        while let Some(frame) = self.frames.last_mut() {
            if let Some(entry) = frame.waiting.take() {
                finish(frame, entry, self.overwrite, self.meter)?;
                continue;
            }
            let Some(entry) = frame.next() else {
                frame.flush(self.meter)?;
                self.leave();
                continue;
            };
            let below = step(frame, entry, self.overwrite, self.meter)?;
            if let Some((dst, src)) = below {
                frame.flush(self.meter)?;
                self.enter(dst, src)?;
            }
        }
        Ok(())
    }

    // Go follows a cycle that both sides share until its stack is full.
    fn enter(&mut self, dst: Map, src: Map) -> Result<(), Stop> {
        if self.frames.len() >= UNCHECKED_DEPTH && !self.path.insert((dst.id(), src.id())) {
            return Err(super::cyclic().into());
        }
        let deep = self.frames.len() >= UNCHECKED_DEPTH;
        if self.frames.len() == UNCHECKED_DEPTH
            || !deep && self.frames.iter().any(|frame| frame.src.ptr_eq(&dst))
        {
            self.frames.iter_mut().for_each(|frame| frame.live = true);
        }
        let entries = src.entries();
        self.meter.charge_bytes(entries.len() * super::ENTRY)?;
        let fresh = dst.is_empty();
        let added = Vec::with_capacity(if fresh { entries.len() } else { 0 });
        self.frames.push(Frame {
            dst,
            src,
            entries,
            at: 0,
            live: deep,
            fresh,
            added,
            waiting: None,
        });
        Ok(())
    }

    fn leave(&mut self) {
        if let Some(frame) = self.frames.pop() {
            self.path.remove(&(frame.dst.id(), frame.src.id()));
        }
    }
}

/// Merges one entry. Returns the maps to merge before it can be finished.
fn step(
    frame: &mut Frame,
    entry: Entry,
    overwrite: Overwrite,
    meter: &Meter,
) -> Result<Option<(Map, Map)>, Stop> {
    if entry.src.is_nil() {
        if overwrite {
            put(frame, entry, meter)?;
        }
        return Ok(None);
    }
    match (&entry.src, &entry.dst) {
        (Value::Map(below), Some(Value::Map(into))) if !into.is_nil() => {
            let pair = (into.clone(), below.clone());
            frame.waiting = Some(entry);
            return Ok(Some(pair));
        }
        (Value::Object(object), Some(Value::Object(into))) => {
            merge_objects(into.as_ref(), Object::kind(object.as_ref()), overwrite)?;
        }
        (Value::Map(below), Some(Value::Object(into))) if !below.is_nil() => {
            merge_objects(into.as_ref(), Kind::Map, overwrite)?;
        }
        (Value::List(_) | Value::Bytes(_), Some(_)) if frame.dst.ty().elem == Elem::String => {
            return Err(
                FuncError::new("reflect: call of reflect.Value.IsNil on string Value").into()
            );
        }
        _ => {}
    }
    finish(frame, entry, overwrite, meter)?;
    Ok(None)
}

/// Nothing in a struct or behind a pointer can be set through a map; only mergo's complaints show.
fn merge_objects(into: &dyn Object, src: Kind, overwrite: Overwrite) -> Result<(), Stop> {
    match Object::kind(into) {
        Kind::Ptr if src != Kind::Ptr && !overwrite => Err(Stop::DifferentTypes),
        Kind::Struct if src != Kind::Struct && has_exported_fields(into) => {
            let text = format!("reflect: call of reflect.Value.Field on {src} Value");
            Err(FuncError::new(text).into())
        }
        _ => Ok(()),
    }
}

/// mergo's `hasMergeableFields`: it leaves structs alone that show nothing.
fn has_exported_fields(object: &dyn Object) -> bool {
    object.fields().iter().any(|(name, _)| name.starts_with(|c: char| c.is_ascii_uppercase()))
}

/// Decides whether the destination takes the source's value.
fn finish(
    frame: &mut Frame,
    entry: Entry,
    overwrite: Overwrite,
    meter: &Meter,
) -> Result<(), Stop> {
    let there = entry.dst.as_ref().filter(|dst| !empty_value(dst));
    if let Some(dst) = there {
        let both_maps = entry.src.kind() == Kind::Map && dst.kind() == Kind::Map;
        if both_maps || !overwrite {
            return Ok(());
        }
    }
    put(frame, entry, meter)
}

/// mergo's idea of empty: sprig's, except that complex numbers never are.
fn empty_value(value: &Value) -> bool {
    !matches!(value, Value::Complex(_)) && empty(value)
}

fn put(frame: &mut Frame, entry: Entry, meter: &Meter) -> Result<(), Stop> {
    let (dst, src) = (frame.dst.ty().elem, frame.src.ty().elem);
    if dst != Elem::Any && dst != src {
        // A list is set by its own type, everything else by that of the source's elements.
        let ty = match entry.src.kind() {
            Kind::Slice => entry.src.type_name(),
            _ => src.name().into(),
        };
        return Err(FuncError::new(format!(
            "reflect.Value.SetMapIndex: value of type {ty} is not assignable to type {}",
            dst.name()
        ))
        .into());
    }
    if entry.dst.is_none() {
        frame.added.push((entry.key, entry.src));
        return Ok(());
    }
    if super::holds_references(&entry.src) {
        meter.remember(&frame.dst);
    }
    meter.history().wrote(&frame.dst);
    frame.dst.insert(entry.key, entry.src);
    Ok(())
}
