//! Function calls: arguments against their types, and the functions of the machine itself.

use super::error::called;
use super::{Run, Slot, Static, Step, fault};
use crate::builtins::{compare, escape, index, printf};
use crate::compile::program::{Literal, SiteKind, Unit};
use crate::error::Cause;
use crate::funcs::engine;
use crate::parse::literal_value;
use crate::parse::text::node_text;
use bowsprit_value::{Args, Func, FuncError, FuncImpl, List, ListType, Map, MapType, Type, Value};
use bowsprit_value::{Str, is_true};

/// Go's `validateType`: the value as a parameter of the type takes it.
pub(super) fn validate(slot: Slot, ty: Type) -> Step<Slot> {
    if matches!(ty, Type::Any | Type::Reflect) {
        return Ok(slot);
    }
    if slot.stat == Static::Invalid {
        return match ty {
            Type::List(elem) => {
                Ok(Slot { value: List::nil(ListType::of(elem)).into(), stat: Static::Concrete })
            }
            Type::Map(elem) => {
                Ok(Slot { value: Map::nil(MapType::of(elem)).into(), stat: Static::Concrete })
            }
            _ if ty.can_be_nil() => Ok(slot),
            _ => fault(format!("invalid value; expected {ty}")),
        };
    }
    if ty.accepts(&slot.value) && !slot.value.is_nil() {
        return Ok(slot);
    }
    if let Some(value) = dereferenced(&slot.value, ty) {
        return Ok(Slot { value, stat: Static::Concrete });
    }
    let found = match slot.value {
        Value::Nil => "interface {}".into(),
        ref value => value.type_name(),
    };
    fault(format!("wrong type for value; expected {ty}; got {found}"))
}

/// A pointer's target, where the parameter wants the target's type.
fn dereferenced(value: &Value, ty: Type) -> Option<Value> {
    let (Value::Object(object), Type::Named(name)) = (value, ty) else { return None };
    let pointer = object.type_name().strip_prefix('*')?;
    (pointer == name).then(|| value.clone())
}

/// A literal that is an argument of a method.
pub(super) fn convert_literal(unit: &Unit, literal: &Literal, ty: Type, site: u32) -> Step<Slot> {
    match literal_value(literal, ty) {
        Ok(Some(value)) => {
            let stat = if value.is_nil() { Static::Interface } else { Static::Concrete };
            Ok(Slot { value, stat })
        }
        Ok(None) => Ok(Slot::INVALID),
        Err(expected) => {
            let span = unit.site(site).filter(|s| s.kind == SiteKind::Node);
            let source = span.and_then(|s| unit.source.get(s.start as usize..s.end as usize));
            fault(expected.message(&node_text(source.unwrap_or_default()), ty))
        }
    }
}

impl Run<'_> {
    /// Checks a value on the stack, `depth` below the top, against a parameter's type.
    pub(super) fn check_arg(&mut self, unit: &Unit, ty: u32, depth: usize) -> Step<()> {
        let ty = unit.tables().types.get(ty as usize).copied().unwrap_or(Type::Any);
        let Some(at) = self.values.len().checked_sub(depth + 1) else { return Ok(()) };
        let (Some(value), Some(stat)) = (self.values.get_mut(at), self.stats.get_mut(at)) else {
            return Ok(());
        };
        if *stat != Static::Invalid && !value.is_nil() && ty.accepts(value) {
            return Ok(());
        }
        let checked = validate(Slot { value: std::mem::take(value), stat: *stat }, ty)?;
        (*value, *stat) = (checked.value, checked.stat);
        Ok(())
    }

    /// Calls a function with the values on the stack and pushes its result, or enters a frame.
    pub(super) fn call(&mut self, number: u16, argc: usize, piped: bool) -> Step<()> {
        self.meter.charge_steps(1)?;
        if self.meter.wants_weighing() {
            self.weigh()?;
        }
        let set = self.set;
        let Some(func) = set.functions().get(number) else { return Ok(()) };
        let total = argc + usize::from(piped);
        let base = self.values.len().saturating_sub(total);
        if piped {
            // The piped value lies below the other arguments but is the last one.
            first_to_end(self.values.get_mut(base..).unwrap_or_default());
            first_to_end(self.stats.get_mut(base..).unwrap_or_default());
        }
        let result = match func.body {
            FuncImpl::Engine(number) => return self.call_engine(func, number, base, argc),
            FuncImpl::Pure(body) => {
                let values = self.values.get_mut(base..).unwrap_or_default();
                body(&mut Args::new(values, self.meter))
            }
            FuncImpl::Host(body) => {
                self.meter.history().acted();
                let values = self.values.get_mut(base..).unwrap_or_default();
                body(&mut Args::new(values, self.meter), self.host)
            }
        };
        let value = result.map_err(|error| called(self, func.name, error))?;
        if let Value::Map(map) = &value {
            map.made_at(self.meter.history().moment());
        }
        self.returned(base, value, func.result);
        Ok(())
    }

    /// Replaces the arguments by the result.
    fn returned(&mut self, base: usize, value: Value, ty: Type) {
        let stat = if ty == Type::Any { Static::Interface } else { Static::Concrete };
        self.values.truncate(base);
        self.stats.truncate(base);
        self.push(value, stat);
    }

    fn call_engine(&mut self, func: &Func, number: u16, base: usize, argc: usize) -> Step<()> {
        match number {
            engine::INCLUDE | engine::TPL => return self.enter(func, number, base),
            engine::PRINTF => {
                let values = self.values.get_mut(base..).unwrap_or_default();
                if let Some(result) = printf::append(values, self.meter) {
                    let value = result.map_err(|error| called(self, func.name, error))?;
                    self.returned(base, value, func.result);
                    return Ok(());
                }
            }
            engine::INDEX => {
                let result = self.index(base);
                let slot = result.map_err(|error| called(self, func.name, error))?;
                self.values.truncate(base);
                self.stats.truncate(base);
                self.push(slot.value, slot.stat);
                return Ok(());
            }
            _ => {}
        }
        let args = self.values.get(base..).unwrap_or_default();
        let stats = self.stats.get(base..).unwrap_or_default();
        let result = match number {
            engine::NOT => Ok(Value::Bool(!args.first().is_some_and(is_true))),
            engine::EQ | engine::NE | engine::LT | engine::LE | engine::GT | engine::GE => {
                compare::call(number, args, self.meter).map(Value::Bool)
            }
            engine::SLICE => index::slice(args),
            engine::LEN => index::length(args, stats),
            engine::PRINT | engine::PRINTLN | engine::PRINTF => {
                printf::call(number, args, self.meter)
            }
            engine::HTML | engine::JS | engine::URLQUERY => escape::call(number, args, self.meter),
            engine::CALL => self.call_value(base, argc),
            _ => Ok(Value::Nil),
        };
        let value = result.map_err(|error| called(self, func.name, error))?;
        self.returned(base, value, func.result);
        Ok(())
    }

    fn index(&mut self, base: usize) -> Result<Slot, FuncError> {
        let args = self.values.get(base..).unwrap_or_default();
        let Some(first) = args.first() else { return Ok(Slot::INVALID) };
        let mut slot = Slot::concrete(first.clone());
        if slot.stat == Static::Invalid {
            return Err(FuncError::new("index of untyped nil"));
        }
        for key in args.get(1..).unwrap_or_default() {
            if let (Value::Map(map), Value::Str(name), Some(observer)) =
                (&slot.value, key, &mut self.observer)
            {
                observer.read(map, name.as_bytes(), map.get(name.as_bytes()).as_ref());
            }
            slot = index::step(&slot, key)?;
        }
        Ok(slot)
    }

    /// `call`: no value that a template can reach is a function.
    fn call_value(&self, base: usize, argc: usize) -> Result<Value, FuncError> {
        match self.values.get(base) {
            None | Some(Value::Nil) => Err(FuncError::new("call of nil")),
            Some(value) => {
                let ty = value.type_name();
                // Go names a piped value by its `reflect.Value.String`.
                let name = match value {
                    _ if argc > 0 => self.callee(),
                    Value::Str(s) => s.to_string(),
                    _ => format!("<{ty} Value>"),
                };
                Err(FuncError::new(format!("non-function {name} of type {ty}")))
            }
        }
    }

    /// The text of the first argument of the call that is under way.
    fn callee(&self) -> String {
        let Some(frame) = self.frames.last() else { return String::new() };
        let unit = &frame.template.unit;
        let Some(site) = unit.site(frame.call) else { return String::new() };
        let source = unit.source.get(site.start as usize..site.end as usize).unwrap_or_default();
        first_argument(&node_text(source))
    }

    fn enter(&mut self, func: &Func, number: u16, base: usize) -> Step<()> {
        let data = Slot::concrete(self.values.get(base + 1).cloned().unwrap_or_default());
        let text = self.values.get(base).and_then(Value::as_str).cloned().unwrap_or_default();
        self.values.truncate(base);
        self.stats.truncate(base);
        if number == engine::INCLUDE {
            return self.enter_include(text, data).map_err(|cause| self.failed(func, cause));
        }
        match self.enter_tpl(text, data) {
            Ok(None) => Ok(()),
            Ok(Some(output)) => {
                self.push(Value::Str(output), Static::Concrete);
                Ok(())
            }
            Err(cause) => Err(self.failed(func, cause)),
        }
    }

    #[cold]
    fn failed(&mut self, func: &Func, cause: Cause) -> Cause {
        if let Cause::Function(_) = cause {
            self.calling = Some(func.name);
        }
        cause
    }
}

/// Moves the first item behind the others, which are few.
fn first_to_end<T>(items: &mut [T]) {
    for at in 1..items.len() {
        items.swap(at - 1, at);
    }
}

/// The second word of a command's text: the operand behind the function's name.
fn first_argument(text: &str) -> String {
    let rest = text.split_once(' ').map_or("", |(_, rest)| rest);
    let mut depth = 0_u32;
    let mut quote = None;
    let mut chars = rest.char_indices();
    while let Some((i, c)) = chars.next() {
        match (quote, c) {
            (Some('"' | '\''), '\\') => drop(chars.next()),
            (Some(q), _) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '`' | '\'') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, ' ') if depth == 0 => return unwrapped(&rest[..i]),
            _ => {}
        }
    }
    unwrapped(rest)
}

fn unwrapped(operand: &str) -> String {
    let inner = operand.strip_prefix('(').and_then(|s| s.strip_suffix(')'));
    inner.unwrap_or(operand).to_owned()
}

/// A string result.
pub(crate) fn text(out: Vec<u8>) -> Value {
    Value::Str(Str::from(out))
}
