//! Fields: methods, struct fields and map keys.

use super::{Run, Slot, Static, Step, fault};
use crate::compile::program::{Ident, MethodCall, NO_SITE, Path, Unit};
use crate::error::Cause;
use crate::set::Hints;
use bowsprit_value::{Elem, Field, FuncErrorKind, Kind, Map, Method, Str, Type, Value};
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
    pub(super) fn of(unit: &'u Unit, hints: &'u Hints) -> Paths<'u> {
        Paths { idents: &unit.tables().idents, hints: hints.of(unit), text: unit.run_text() }
    }
}

/// Names still to be looked up.
#[derive(Clone, Copy)]
struct Walk<'u> {
    idents: &'u [Ident],
    hints: &'u [AtomicU32],
    text: &'u [u8],
    missing_is_error: bool,
}

impl Walk<'_> {
    /// What the names lead to, through maps alone and without holding on to those on the way. `None`
    /// where there is more to it.
    fn from(mut self, mut map: &Map) -> Option<Slot> {
        loop {
            let (ident, idents) = self.idents.split_first()?;
            let (hint, hints) = self.hints.split_first()?;
            let name = ident.text(self.text);
            if has_method(map, name) {
                return None;
            }
            let before = hint.load(Ordering::Relaxed) as usize;
            let mut place = before;
            let Some(found) = map.unwritten_near(name, &mut place) else {
                return self.through_written(map);
            };
            if place != before {
                hint.store(place as u32, Ordering::Relaxed);
            }
            match found {
                Some(value) if idents.is_empty() => {
                    return Some(Slot { value: value.clone(), stat: element(map) });
                }
                Some(Value::Map(inner)) => map = inner,
                Some(_) => return None,
                None => return self.missing(map),
            }
            self = Walk { idents, hints, ..self };
        }
    }

    /// The same where the first map was written to, so that it has to be locked.
    fn through_written(self, map: &Map) -> Option<Slot> {
        let (ident, idents) = self.idents.split_first()?;
        let (hint, hints) = self.hints.split_first()?;
        let before = hint.load(Ordering::Relaxed) as usize;
        let mut place = before;
        let rest = Walk { idents, hints, ..self };
        let name = ident.text(self.text);
        let found = map.get_near(name, &mut place, |value| match value {
            value if idents.is_empty() => Some(Slot { value: value.clone(), stat: element(map) }),
            Value::Map(inner) => rest.from(inner),
            _ => None,
        });
        if place != before {
            hint.store(place as u32, Ordering::Relaxed);
        }
        found.unwrap_or_else(|| self.missing(map))
    }

    /// What is there where a map has not the first name.
    fn missing(self, map: &Map) -> Option<Slot> {
        let is_last = self.idents.len() == 1;
        (is_last && !self.missing_is_error)
            .then(|| Slot { value: map.ty().elem.zero(), stat: element(map) })
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
    /// What a path of fields leads to, where it goes through maps alone.
    pub(super) fn follow(
        &self,
        Paths { idents, hints, text }: Paths<'_>,
        receiver: Option<&Slot>,
        path: Path,
    ) -> Option<Slot> {
        let Slot { value: Value::Map(map), stat } = receiver? else { return None };
        let len = usize::from(path.len);
        if *stat == Static::Invalid || len > MAX_WALK || self.observer.is_some() {
            return None;
        }
        let path = path.start as usize..path.start as usize + len;
        let (idents, hints) = (idents.get(path.clone())?, hints.get(path)?);
        let missing_is_error = self.set.missing_key_is_error();
        Walk { idents, hints, text, missing_is_error }.from(map)
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
