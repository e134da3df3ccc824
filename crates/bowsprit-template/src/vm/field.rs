//! Fields: methods, struct fields and map keys.

use super::{Run, Slot, Static, Step, fault};
use crate::compile::program::{Ident, MethodCall, NO_SITE, Path, Unit};
use crate::error::Cause;
use crate::set::Hints;
use bowsprit_value::{
    Elem, Field, FuncErrorKind, Kind, Map, Method, Peeked, Str, Type, Value, is_true,
};
use std::sync::atomic::{AtomicU32, Ordering};

/// Longer paths are taken name by name.
const MAX_WALK: usize = 8;

/// The names in a unit's paths, with the places where they were found before.
#[derive(Clone, Copy)]
pub(super) struct Paths<'u> {
    idents: &'u [Ident],
    hints: &'u [AtomicU32],
    text: &'u [u8],
}

impl<'u> Paths<'u> {
    fn of(unit: &'u Unit, hints: &'u Hints) -> Paths<'u> {
        Paths { idents: &unit.tables().idents, hints: hints.of(unit), text: unit.run_text() }
    }
}

/// The paths of a unit, which are fetched when the first is followed.
pub(super) struct LazyPaths<'u> {
    unit: &'u Unit,
    hints: &'u Hints,
    paths: Option<Paths<'u>>,
}

impl<'u> LazyPaths<'u> {
    pub(super) fn new(unit: &'u Unit, hints: &'u Hints) -> LazyPaths<'u> {
        LazyPaths { unit, hints, paths: None }
    }

    #[inline]
    pub(super) fn get(&mut self) -> Paths<'u> {
        *self.paths.get_or_insert_with(|| Paths::of(self.unit, self.hints))
    }
}

/// Where a path of fields led.
pub(super) enum Led {
    To(Slot),
    /// It was only asked whether what is there is true.
    Is(bool),
}

/// A path to be followed.
struct Walk<'u> {
    names: &'u [Ident],
    /// As many as there are names.
    hints: &'u [AtomicU32],
    text: &'u [u8],
    missing_is_error: bool,
    is_asked: bool,
    /// Containers that do not belong to the run yet are forked, those that are only passed through too.
    forks: bool,
}

/// How a walk ended.
enum End {
    Led(Led),
    /// At a container that does not belong to the run.
    Foreign,
    /// There is more to it.
    Other,
}

impl Walk<'_> {
    /// What the names from `at` on lead to, through maps alone and without holding on to those on the way. The
    /// map is `foreign` if it does not belong to the run.
    fn from(&self, mut map: &Map, mut at: usize, mut foreign: bool) -> End {
        while let (Some(ident), Some(hint)) = (self.names.get(at), self.hints.get(at)) {
            let name = ident.text(self.text);
            if has_method(map, name) {
                return End::Other;
            }
            let before = hint.load(Ordering::Relaxed);
            let mut place = before as usize;
            let found = if self.forks {
                map.unwritten_near(name, &mut place)
            } else {
                let peeked = map.peek_near(name, &mut place);
                foreign |= matches!(peeked, Some(Some(Peeked { is_own: false, .. })));
                peeked.map(|found| found.map(|peeked| peeked.value))
            };
            let Some(found) = found else { return self.through_written(map, at, foreign) };
            if place != before as usize {
                hint.store(place as u32, Ordering::Relaxed);
            }
            let Some(value) = found else { return self.missing(map, at) };
            at += 1;
            if at == self.names.len() {
                return self.end(value, map, foreign);
            }
            let Value::Map(inner) = value else { break };
            map = inner;
        }
        End::Other
    }

    /// The same where the first map was written to, so that it has to be locked.
    fn through_written(&self, map: &Map, at: usize, foreign: bool) -> End {
        let (Some(ident), Some(hint)) = (self.names.get(at), self.hints.get(at)) else {
            return End::Other;
        };
        let before = hint.load(Ordering::Relaxed);
        let mut place = before as usize;
        let name = ident.text(self.text);
        let found = map.get_near(name, &mut place, |value| match value {
            value if at + 1 == self.names.len() => self.end(value, map, foreign),
            Value::Map(inner) => self.from(inner, at + 1, foreign),
            _ => End::Other,
        });
        if place != before as usize {
            hint.store(place as u32, Ordering::Relaxed);
        }
        found.unwrap_or_else(|| self.missing(map, at))
    }

    #[inline]
    fn end(&self, value: &Value, map: &Map, foreign: bool) -> End {
        if self.is_asked {
            End::Led(Led::Is(is_true(value)))
        } else if foreign && value.is_container() {
            End::Foreign
        } else {
            End::Led(Led::To(Slot { value: value.clone(), stat: element(map) }))
        }
    }

    /// What is there where a map has not the name at a place.
    fn missing(&self, map: &Map, at: usize) -> End {
        if self.missing_is_error || at + 1 < self.names.len() {
            return End::Other;
        }
        self.end(&map.ty().elem.zero(), map, false)
    }
}

fn has_method(map: &Map, name: &[u8]) -> bool {
    map.ty().named.is_some_and(|named| named.method(name).is_some())
}

/// The static kind of what a map holds.
fn element(map: &Map) -> Static {
    if map.ty().elem == Elem::Any { Static::Interface } else { Static::Concrete }
}

impl Run<'_> {
    /// Where a path of fields leads, where it goes through maps alone.
    pub(super) fn follow(
        &self,
        Paths { idents, hints, text }: Paths<'_>,
        receiver: Option<&Slot>,
        path: Path,
        is_asked: bool,
    ) -> Option<Led> {
        let Slot { value: Value::Map(map), stat } = receiver? else { return None };
        let len = usize::from(path.len);
        if *stat == Static::Invalid || len > MAX_WALK || self.observer.is_some() {
            return None;
        }
        let path = path.start as usize..path.start as usize + len;
        let mut walk = Walk {
            names: idents.get(path.clone())?,
            hints: hints.get(path)?,
            text,
            missing_is_error: self.set.missing_key_is_error(),
            is_asked,
            forks: false,
        };
        let mut end = walk.from(map, 0, false);
        if matches!(end, End::Foreign) {
            walk.forks = true;
            end = walk.from(map, 0, false);
        }
        match end {
            End::Led(led) => Some(led),
            End::Foreign | End::Other => None,
        }
    }

    /// Pushes what a path of fields leads to.
    pub(super) fn fields(&mut self, unit: &Unit, receiver: Slot, path: Path) -> Step<()> {
        let start = path.start as usize;
        let idents =
            unit.tables().idents.get(start..start + usize::from(path.len)).unwrap_or_default();
        let mut slot = receiver;
        let text = unit.run_text();
        for (done, ident) in idents.iter().enumerate() {
            slot = match self.field(slot, ident.text(text)) {
                Ok(slot) => slot,
                Err(cause) => {
                    self.unevaluated = Some(idents.len() - done);
                    return Err(cause);
                }
            };
        }
        self.push(slot.value, slot.stat);
        Ok(())
    }

    fn field(&mut self, receiver: Slot, name: &[u8]) -> Step<Slot> {
        if receiver.stat == Static::Invalid {
            if self.set.missing_key_is_error() {
                let quoted = bowsprit_value::strconv::quote(name);
                let quoted = String::from_utf8_lossy(&quoted);
                return fault(format!("nil data; no entry for key {quoted}"));
            }
            return Ok(Slot::INVALID);
        }
        if let Value::Map(map) = &receiver.value
            && !has_method(map, name)
        {
            return self.map_key(map, name);
        }
        self.other_field(&receiver, &Str::from(name))
    }

    /// A field of what is no map.
    fn other_field(&mut self, receiver: &Slot, name: &Str) -> Step<Slot> {
        if let Some(method) = find(&receiver.value, name) {
            return self.bare_method(&receiver.value, method);
        }
        match &receiver.value {
            Value::Nil => fault(format!("nil pointer evaluating interface {{}}.{name}")),
            Value::Object(object) => match object.field(name.as_bytes()) {
                Field::Value(value) => {
                    let behind_pointer =
                        object.kind() == Kind::Ptr || receiver.stat == Static::Addressed;
                    let stat = if behind_pointer { Static::Addressed } else { Static::Concrete };
                    Ok(Slot { value, stat })
                }
                Field::Unexported => fault(unexported(receiver, name)),
                Field::Missing => fault(no_field(receiver, name)),
            },
            _ => fault(no_field(receiver, name)),
        }
    }

    fn map_key(&mut self, map: &Map, name: &[u8]) -> Step<Slot> {
        let found = map.get(name);
        if let Some(observer) = &mut self.observer {
            observer.read(map, name, found.as_ref());
        }
        let stat = element(map);
        match found {
            Some(value) => Ok(Slot { value, stat }),
            None if self.set.missing_key_is_error() => {
                let quoted = bowsprit_value::strconv::quote(name);
                fault(format!("map has no entry for key {}", String::from_utf8_lossy(&quoted)))
            }
            None => Ok(Slot { value: map.ty().elem.zero(), stat }),
        }
    }

    fn bare_method(&mut self, receiver: &Value, method: &'static Method) -> Step<Slot> {
        check_count(method, 0)?;
        let site = self.frames.last().map_or(0, |f| f.at);
        if let Some(frame) = self.frames.last_mut() {
            frame.call = site;
        }
        self.invoke_method(receiver, method, &mut [])
    }

    /// Finds the method that is going to be called on the top. Returns where to go on instead when
    /// there is no receiver.
    pub(super) fn find_method(&mut self, unit: &Unit, number: u32) -> Step<Option<usize>> {
        let Some(call) = unit.tables().methods.get(number as usize) else { return Ok(None) };
        let receiver = Slot {
            value: self.values.last().cloned().unwrap_or_default(),
            stat: self.stats.last().copied().unwrap_or(Static::Invalid),
        };
        if receiver.stat == Static::Invalid {
            self.pop();
            if call.piped {
                self.pop();
            }
            self.push(Value::Nil, Static::Invalid);
            return Ok(Some(call.skip as usize));
        }
        match find(&receiver.value, &call.name) {
            Some(method) => {
                check_count(method, call.args.len() + usize::from(call.piped))?;
                Ok(None)
            }
            None => fault(not_callable(&receiver, call)),
        }
    }

    pub(super) fn call_method(&mut self, unit: &Unit, number: u32) -> Step<()> {
        let Some(call) = unit.tables().methods.get(number as usize) else { return Ok(()) };
        let mut args: Vec<Slot> = (0..call.args.len()).map(|_| self.pop()).collect();
        args.reverse();
        let receiver = self.pop();
        let Some(method) = find(&receiver.value, &call.name) else { return Ok(()) };
        let mut values = Vec::with_capacity(args.len() + 1);
        for (i, (slot, arg)) in args.into_iter().zip(&call.args).enumerate() {
            if let (Some(frame), true) = (self.frames.last_mut(), arg.site != NO_SITE) {
                frame.at = arg.site;
            }
            let ty = param(method, i);
            let slot = match arg.literal.and_then(|l| unit.tables().literals.get(l as usize)) {
                Some(literal) => super::call::convert_literal(unit, literal, ty, arg.site)?,
                None => super::call::validate(slot, ty)?,
            };
            values.push(slot.value);
        }
        if call.piped {
            let piped = self.pop();
            values.push(super::call::validate(piped, param(method, values.len()))?.value);
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.call = call.site;
        }
        let result = self.invoke_method(&receiver.value, method, &mut values)?;
        self.push(result.value, result.stat);
        Ok(())
    }

    fn invoke_method(
        &mut self,
        receiver: &Value,
        method: &'static Method,
        values: &mut [Value],
    ) -> Step<Slot> {
        self.meter.charge_steps(1)?;
        let mut args = bowsprit_value::Args::new(values, self.meter);
        let value = (method.call)(receiver, &mut args).map_err(|error| match error.kind() {
            FuncErrorKind::Signature => Cause::Evaluator(error.text().to_string()),
            _ => super::error::called(self, method.name, error),
        })?;
        let stat = if method.result == Type::Any { Static::Interface } else { Static::Concrete };
        Ok(Slot { value, stat })
    }
}

/// The method of a name, if the value's type has one.
fn find(value: &Value, name: &Str) -> Option<&'static Method> {
    match value {
        Value::Map(map) => map.ty().named?.method(name.as_bytes()),
        Value::List(list) => list.ty().named?.method(name.as_bytes()),
        Value::Object(object) => {
            object.methods().iter().find(|m| m.name.as_bytes() == name.as_bytes())
        }
        _ => None,
    }
}

fn param(method: &Method, index: usize) -> Type {
    let last = method.params.len().saturating_sub(1);
    method.params.get(index.min(last)).copied().unwrap_or(Type::Any)
}

fn check_count(method: &Method, given: usize) -> Step<()> {
    let want = method.params.len();
    if method.variadic {
        if given + 1 < want {
            let name = method.name;
            let fixed = want - 1;
            return fault(format!(
                "wrong number of args for {name}: want at least {fixed} got {given}"
            ));
        }
    } else if given != want {
        let name = method.name;
        return fault(format!("wrong number of args for {name}: want {want} got {given}"));
    }
    Ok(())
}

fn static_type(slot: &Slot) -> String {
    match slot.stat {
        Static::Concrete | Static::Addressed => slot.value.type_name().into_owned(),
        _ => "interface {}".to_owned(),
    }
}

fn unexported(receiver: &Slot, name: &Str) -> String {
    let ty = static_type(receiver);
    format!("{name} is an unexported field of struct type {ty}")
}

fn no_field(receiver: &Slot, name: &Str) -> String {
    format!("can't evaluate field {name} in type {}", static_type(receiver))
}

fn not_callable(receiver: &Slot, call: &MethodCall) -> String {
    let name = &call.name;
    match &receiver.value {
        Value::Nil => format!("nil pointer evaluating interface {{}}.{name}"),
        Value::Map(_) => format!("{name} is not a method but has arguments"),
        Value::Object(object) => match object.field(name.as_bytes()) {
            Field::Value(_) => format!("{name} has arguments but cannot be invoked as function"),
            Field::Unexported => unexported(receiver, name),
            Field::Missing => no_field(receiver, name),
        },
        _ => no_field(receiver, name),
    }
}
