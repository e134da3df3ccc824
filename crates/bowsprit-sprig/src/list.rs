//! Lists, which sprig always copies; the input may be any slice, the result is a `[]interface {}`.

use crate::cast::{float_to_int, to_int64};
use crate::defaults::empty;
use crate::weight::weight;
use bowsprit_value::{
    Args, Elem, Func, FuncError, IntKind, List, ListType, Meter, Str, Type, Value, deep_equal, fmt,
};
use std::borrow::Cow;
use std::collections::BTreeSet;

const ANY: Type = Type::Any;
const LIST: Type = Type::LIST;
const LISTS: Type = Type::List(Elem::List);
const STRINGS: Type = Type::List(Elem::String);

pub(crate) static FUNCS: &[Func] = &[
    Func::variadic("list", &[ANY], LIST, list),
    Func::variadic("tuple", &[ANY], LIST, list),
    Func::pure("append", &[ANY, ANY], LIST, push),
    Func::pure("mustAppend", &[ANY, ANY], LIST, push),
    Func::pure("push", &[ANY, ANY], LIST, push),
    Func::pure("mustPush", &[ANY, ANY], LIST, push),
    Func::pure("prepend", &[ANY, ANY], LIST, prepend),
    Func::pure("mustPrepend", &[ANY, ANY], LIST, prepend),
    Func::pure("chunk", &[Type::INT, ANY], LISTS, chunk),
    Func::pure("mustChunk", &[Type::INT, ANY], LISTS, chunk),
    Func::pure("first", &[ANY], ANY, first),
    Func::pure("mustFirst", &[ANY], ANY, first),
    Func::pure("last", &[ANY], ANY, last),
    Func::pure("mustLast", &[ANY], ANY, last),
    Func::pure("rest", &[ANY], LIST, rest),
    Func::pure("mustRest", &[ANY], LIST, rest),
    Func::pure("initial", &[ANY], LIST, initial),
    Func::pure("mustInitial", &[ANY], LIST, initial),
    Func::pure("reverse", &[ANY], LIST, reverse),
    Func::pure("mustReverse", &[ANY], LIST, reverse),
    Func::pure("compact", &[ANY], LIST, compact),
    Func::pure("mustCompact", &[ANY], LIST, compact),
    Func::pure("uniq", &[ANY], LIST, uniq),
    Func::pure("mustUniq", &[ANY], LIST, uniq),
    Func::variadic("without", &[ANY, ANY], LIST, without),
    Func::variadic("mustWithout", &[ANY, ANY], LIST, without),
    Func::pure("has", &[ANY, ANY], Type::Bool, has),
    Func::pure("mustHas", &[ANY, ANY], Type::Bool, has),
    Func::variadic("slice", &[ANY, ANY], ANY, slice),
    Func::variadic("mustSlice", &[ANY, ANY], ANY, slice),
    Func::variadic("concat", &[ANY], ANY, concat),
    Func::pure("sortAlpha", &[ANY], STRINGS, sort_alpha),
    Func::pure("toStrings", &[ANY], STRINGS, to_strings),
];

/// The items of a slice; the elements of a `[]uint8` become values of their own.
pub(crate) fn items(value: &Value) -> Option<Cow<'_, [Value]>> {
    match value {
        Value::List(list) => Some(Cow::Borrowed(list.as_slice())),
        Value::Bytes(bytes) => Some(Cow::Owned(
            bytes.iter().map(|b| Value::Int(IntKind::Uint8, i64::from(*b))).collect(),
        )),
        _ => None,
    }
}

/// [`items`], charged, or sprig's complaint with the kind in the place of `{}`.
fn items_or<'v>(
    value: &'v Value,
    meter: &Meter,
    complaint: &str,
) -> Result<Cow<'v, [Value]>, FuncError> {
    let found = items(value).ok_or_else(|| wrong_kind(value, complaint))?;
    meter.charge_bytes(size_of_val(&*found))?;
    Ok(found)
}

#[cold]
fn wrong_kind(value: &Value, complaint: &str) -> FuncError {
    if value.is_nil() {
        // sprig asks the nil type for its kind.
        return FuncError::new("runtime error: invalid memory address or nil pointer dereference");
    }
    FuncError::new(complaint.replace("{}", value.kind().name()))
}

fn nil_list() -> Value {
    Value::List(List::nil(ListType::ANY))
}

fn list(args: &mut Args<'_>) -> Result<Value, FuncError> {
    args.charge(args.len() * size_of::<Value>())?;
    // Go passes no variadic argument as a nil slice only to functions called directly; reflection
    // makes an empty one.
    Ok(Value::list((0..args.len()).map(|i| args.take(i)).collect()))
}

fn push(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let item = args.take(1);
    match args.take(0) {
        Value::List(mut list) => {
            let copied = if list.is_unique() { 0 } else { list.len() };
            args.charge((copied + 1) * size_of::<Value>())?;
            Ok(Value::List(list.pushed(item)))
        }
        other => {
            let mut items = items_or(&other, args.meter(), "Cannot push on type {}")?.into_owned();
            items.push(item);
            Ok(Value::list(items))
        }
    }
}

fn prepend(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let found = items_or(args.get(0), args.meter(), "Cannot prepend on type {}")?;
    let mut all = Vec::with_capacity(found.len() + 1);
    all.push(args.get(1).clone());
    all.extend_from_slice(&found);
    Ok(Value::list(all))
}

fn chunk(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let size = args.int(0);
    let found = items_or(args.get(1), args.meter(), "Cannot chunk type {}")?;
    let out_of_range = || FuncError::new("runtime error: makeslice: len out of range");
    // sprig computes in floats, which decides what sizes of 0 and less do.
    let length = found.len() as f64;
    let count = float_to_int(((length - 1.0) / size as f64).floor() + 1.0);
    let count = usize::try_from(count).map_err(|_| out_of_range())?;
    let mut chunks = Vec::with_capacity(count.min(found.len() + 1));
    for i in 0..count {
        let mut wanted = size;
        if i + 1 == count {
            let odd = float_to_int((length % size as f64).floor());
            wanted = if odd == 0 { size } else { odd };
        }
        let wanted = usize::try_from(wanted).map_err(|_| out_of_range())?;
        let start = i.saturating_mul(usize::try_from(size).unwrap_or(0));
        let part = found.get(start..start.saturating_add(wanted));
        let part = part.ok_or_else(|| FuncError::new("reflect: slice index out of range"))?;
        args.charge(64)?;
        chunks.push(Value::list(part.to_vec()));
    }
    Ok(Value::List(List::typed(ListType::LISTS, chunks)))
}

fn first(args: &mut Args<'_>) -> Result<Value, FuncError> {
    end(args.get(0), "Cannot find first on type {}", |items| items.first())
}

fn last(args: &mut Args<'_>) -> Result<Value, FuncError> {
    end(args.get(0), "Cannot find last on type {}", |items| items.last())
}

fn end(
    value: &Value,
    complaint: &str,
    pick: fn(&[Value]) -> Option<&Value>,
) -> Result<Value, FuncError> {
    let found = items(value).ok_or_else(|| wrong_kind(value, complaint))?;
    Ok(pick(&found).cloned().unwrap_or_default())
}

fn rest(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let found = items_or(args.get(0), args.meter(), "Cannot find rest on type {}")?;
    Ok(found.split_first().map_or_else(nil_list, |(_, tail)| Value::list(tail.to_vec())))
}

fn initial(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let found = items_or(args.get(0), args.meter(), "Cannot find initial on type {}")?;
    Ok(found.split_last().map_or_else(nil_list, |(_, head)| Value::list(head.to_vec())))
}

fn reverse(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let found = items_or(args.get(0), args.meter(), "Cannot find reverse on type {}")?;
    Ok(Value::list(found.iter().rev().cloned().collect()))
}

fn compact(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let found = items_or(args.get(0), args.meter(), "Cannot compact on type {}")?;
    Ok(Value::list(found.iter().filter(|v| !empty(v)).cloned().collect()))
}

/// Values that deep equality compares in one step, by what decides it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Scalar<'v> {
    Nil,
    Bool(bool),
    Int(u8, i64),
    Str(&'v Str),
}

fn scalar(value: &Value) -> Option<Scalar<'_>> {
    match value {
        Value::Nil => Some(Scalar::Nil),
        Value::Bool(b) => Some(Scalar::Bool(*b)),
        Value::Int(kind, n) => Some(Scalar::Int(*kind as u8, *n)),
        Value::Str(s) => Some(Scalar::Str(s)),
        _ => None,
    }
}

/// A set by deep equality. A few values are compared one by one; of many, the scalars are looked up.
#[derive(Default)]
struct Set<'v> {
    scalars: BTreeSet<Scalar<'v>>,
    others: Vec<&'v Value>,
}

impl<'v> Set<'v> {
    const FEW: usize = 16;

    fn contains(&self, value: &Value, meter: &Meter) -> Result<bool, FuncError> {
        if !self.scalars.is_empty()
            && let Some(scalar) = scalar(value)
            && self.scalars.contains(&scalar)
        {
            return Ok(true);
        }
        meter.charge_steps(self.others.len() as u64 / 4 + comparisons(value, self.others.len()))?;
        Ok(self.others.iter().any(|other| deep_equal(value, other)))
    }

    fn insert(&mut self, value: &'v Value) {
        match scalar(value) {
            Some(scalar) if self.others.len() >= Set::FEW => {
                self.scalars.insert(scalar);
            }
            _ => self.others.push(value),
        }
    }
}

/// Steps for comparing a value so many times.
fn comparisons(value: &Value, times: usize) -> u64 {
    match value {
        Value::List(_) | Value::Map(_) => (weight(value) / 16).saturating_mul(times as u64),
        _ => 0,
    }
}

fn uniq(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let found = items_or(args.get(0), args.meter(), "Cannot find uniq on type {}")?;
    let mut seen = Set::default();
    let mut kept = Vec::new();
    for item in found.iter() {
        if !seen.contains(item, args.meter())? {
            seen.insert(item);
            kept.push(item.clone());
        }
    }
    Ok(Value::list(kept))
}

fn without(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let found = items_or(args.get(0), args.meter(), "Cannot find without on type {}")?;
    let mut omit = Set::default();
    args.rest(1).iter().for_each(|v| omit.insert(v));
    let mut kept = Vec::new();
    for item in found.iter() {
        if !omit.contains(item, args.meter())? {
            kept.push(item.clone());
        }
    }
    Ok(Value::list(kept))
}

fn has(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let (needle, haystack) = (args.get(0), args.get(1));
    if haystack.is_nil() {
        return Ok(Value::Bool(false));
    }
    let found =
        items(haystack).ok_or_else(|| wrong_kind(haystack, "Cannot find has on type {}"))?;
    args.meter().charge_steps(found.len() as u64 / 8 + comparisons(needle, found.len()))?;
    for item in found.iter() {
        if deep_equal(needle, item) {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn slice(args: &mut Args<'_>) -> Result<Value, FuncError> {
    const COMPLAINT: &str = "list should be type of slice or array but {}";
    let value = args.get(0);
    let length = match value {
        Value::List(list) => list.len(),
        Value::Bytes(bytes) => bytes.len(),
        other => return Err(wrong_kind(other, COMPLAINT)),
    };
    if length == 0 {
        return Ok(Value::Nil);
    }
    let bound = |i: usize, default: usize| match args.rest(1).get(i) {
        Some(index) => usize::try_from(to_int64(index)).ok(),
        None => Some(default),
    };
    let range = bound(0, 0).zip(bound(1, length)).map(|(from, to)| from..to);
    args.charge(length * size_of::<Value>())?;
    let part = range.and_then(|range| match value {
        Value::List(list) => {
            let part = list.as_slice().get(range)?;
            Some(Value::List(List::typed(list.ty(), part.to_vec())))
        }
        Value::Bytes(bytes) => Some(Value::Bytes(bytes.get(range)?.into())),
        _ => None,
    });
    part.ok_or_else(|| FuncError::new("reflect.Value.Slice: slice index out of bounds"))
}

fn concat(args: &mut Args<'_>) -> Result<Value, FuncError> {
    const COMPLAINT: &str = "Cannot concat type {} as list";
    let mut all = match args.take(0) {
        _ if args.is_empty() => Vec::new(),
        Value::List(mut list) if list.ty().elem == Elem::Any => {
            let copied = if list.is_unique() { 0 } else { list.len() };
            args.charge(copied * size_of::<Value>())?;
            list.into_items()
        }
        other => items_or(&other, args.meter(), COMPLAINT)?.into_owned(),
    };
    for value in args.rest(1) {
        all.extend_from_slice(&items_or(value, args.meter(), COMPLAINT)?);
    }
    Ok(if all.is_empty() { nil_list() } else { Value::list(all) })
}

fn sort_alpha(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let value = args.get(0);
    let mut strings = if items(value).is_some() {
        strings(value, args.meter())?
    } else {
        vec![fmt::strval(value, args.meter())?]
    };
    strings.sort_unstable();
    Ok(Value::strings(strings))
}

fn to_strings(args: &mut Args<'_>) -> Result<Value, FuncError> {
    match args.get(0) {
        Value::List(list) if list.ty().elem == Elem::String && list.ty().named.is_none() => {
            Ok(args.take(0))
        }
        value => Ok(Value::strings(strings(value, args.meter())?)),
    }
}

/// sprig's `strslice`: the texts of a list's items that are not nil, or of the one value.
pub(crate) fn strings(value: &Value, meter: &Meter) -> Result<Vec<Str>, FuncError> {
    let found = match items(value) {
        Some(found) => found,
        None if value.is_nil() => return Ok(Vec::new()),
        None => return Ok(vec![fmt::strval(value, meter)?]),
    };
    meter.charge_bytes(found.len() * size_of::<Str>())?;
    found.iter().filter(|v| !v.is_nil()).map(|v| fmt::strval(v, meter)).collect()
}
