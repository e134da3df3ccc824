//! Dictionaries: `map[string]interface {}`, changed in place by `set`, `unset` and the merges.

mod copy;
mod merge;

use bowsprit_value::{
    Args, Elem, Func, FuncError, FuncErrorKind, List, ListType, Map, MapType, Str, Type, Value, fmt,
};

const ANY: Type = Type::Any;
const MAP: Type = Type::MAP;
const STR: Type = Type::String;

pub(crate) static FUNCS: &[Func] = &[
    Func::variadic("dict", &[ANY], MAP, dict),
    Func::pure("get", &[MAP, STR], ANY, get),
    Func::pure("set", &[MAP, STR, ANY], MAP, set),
    Func::pure("unset", &[MAP, STR], MAP, unset),
    Func::pure("hasKey", &[MAP, STR], Type::Bool, has_key),
    Func::variadic("pluck", &[STR, MAP], Type::LIST, pluck),
    Func::variadic("pick", &[MAP, STR], MAP, pick),
    Func::variadic("omit", &[MAP, STR], MAP, omit),
    Func::variadic("keys", &[MAP], Type::List(Elem::String), keys),
    Func::pure("values", &[MAP], Type::LIST, values),
    Func::variadic("dig", &[ANY], ANY, dig),
    Func::variadic("merge", &[MAP, MAP], ANY, |args| merge::merge(args, merge::FILL)),
    Func::variadic("mustMerge", &[MAP, MAP], ANY, |args| merge::must_merge(args, merge::FILL)),
    Func::variadic("mergeOverwrite", &[MAP, MAP], ANY, |args| merge::merge(args, merge::OVERWRITE)),
    Func::variadic("mustMergeOverwrite", &[MAP, MAP], ANY, |args| {
        merge::must_merge(args, merge::OVERWRITE)
    }),
    Func::pure("deepCopy", &[ANY], ANY, copy::deep_copy),
    Func::pure("mustDeepCopy", &[ANY], ANY, copy::deep_copy),
];

/// What a map costs beside its values.
const ENTRY: usize = size_of::<(Str, Value)>();

/// A map as the unnamed type that Go converts it to when a function declares it.
fn converted(value: Value) -> Value {
    match value {
        Value::Map(map) if map.ty().named.is_some() => Value::Map(map.view(MapType::ANY)),
        other => other,
    }
}

/// True where a value can lead back to the map that it is put into.
fn holds_references(value: &Value) -> bool {
    matches!(value, Value::Map(_) | Value::List(_))
}

fn dict(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let count = args.len().div_ceil(2);
    args.charge(count * ENTRY)?;
    let mut entries = Vec::with_capacity(count);
    for i in 0..count {
        let key = fmt::strval(args.get(2 * i), args.meter())?;
        let odd = 2 * i + 1 == args.len();
        entries.push((key, if odd { Value::Str(Str::default()) } else { args.take(2 * i + 1) }));
    }
    Ok(Value::Map(Map::from_entries(entries)))
}

fn get(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let found = args.map(0).and_then(|map| map.get(args.str(1).as_bytes()));
    Ok(found.unwrap_or(Value::Str(Str::default())))
}

fn set(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let value = args.take(2);
    match args.map(0) {
        Some(map) if !map.is_nil() => {
            args.charge(ENTRY)?;
            if holds_references(&value) {
                args.meter().remember(map);
            }
            args.meter().history().wrote(map);
            map.insert(args.str(1).clone(), value);
        }
        _ => return Err(FuncError::new("assignment to entry in nil map")),
    }
    Ok(converted(args.take(0)))
}

fn unset(args: &mut Args<'_>) -> Result<Value, FuncError> {
    match args.map(0) {
        Some(map) => {
            args.meter().history().wrote(map);
            map.remove(args.str(1).as_bytes())
        }
        None => return Ok(Value::Map(Map::nil(MapType::ANY))),
    };
    Ok(converted(args.take(0)))
}

fn has_key(args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::Bool(args.map(0).is_some_and(|map| map.contains(args.str(1).as_bytes()))))
}

fn pluck(args: &mut Args<'_>) -> Result<Value, FuncError> {
    args.charge(args.len() * size_of::<Value>())?;
    let key = args.str(0).as_bytes();
    let found = args.rest(1).iter().filter_map(|dict| dict.as_map()?.get(key));
    Ok(Value::list(found.collect()))
}

fn pick(args: &mut Args<'_>) -> Result<Value, FuncError> {
    args.charge(args.len() * ENTRY)?;
    let Some(map) = args.map(0) else { return Ok(Value::Map(Map::new())) };
    let keys = args.rest(1).iter().filter_map(Value::as_str);
    let found = keys.filter_map(|key| Some((key.clone(), map.get(key.as_bytes())?)));
    Ok(Value::Map(Map::from_entries(found)))
}

fn omit(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let Some(map) = args.map(0) else { return Ok(Value::Map(Map::new())) };
    let mut dropped: Vec<&Str> = args.rest(1).iter().filter_map(Value::as_str).collect();
    dropped.sort_unstable();
    let entries = map.entries();
    args.charge(entries.len() * ENTRY)?;
    let kept = entries.iter().filter(|(key, _)| dropped.binary_search(key).is_err());
    Ok(Value::Map(Map::from_entries(kept.map(|(k, v)| (k.clone(), v.clone())))))
}

// Go gives the keys of each map in random order; sorted is one of them.
fn keys(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let mut all = Vec::new();
    for map in args.rest(0).iter().filter_map(Value::as_map) {
        let entries = map.entries();
        args.charge(entries.len() * size_of::<Value>())?;
        all.extend(entries.iter().map(|(key, _)| Value::Str(key.clone())));
    }
    Ok(Value::List(List::typed(ListType::STRINGS, all)))
}

fn values(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let Some(map) = args.map(0) else { return Ok(Value::list(Vec::new())) };
    let entries = map.entries();
    args.charge(entries.len() * size_of::<Value>())?;
    Ok(Value::list(entries.iter().map(|(_, value)| value.clone()).collect()))
}

fn dig(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let Some(keys) = args.len().checked_sub(2).filter(|n| *n > 0) else {
        return Err(FuncError::new("dig needs at least three arguments"));
    };
    let mut at = args.get(keys + 1).clone();
    plain_map(&at)?;
    // Go converts all keys before it looks at the first.
    if let Some(wrong) = args.rest(0).iter().take(keys).find(|key| key.as_str().is_none()) {
        return Err(wrong_type(wrong, "string"));
    }
    for i in 0..keys {
        match plain_map(&at)?.get(args.str(i).as_bytes()) {
            Some(step) => at = step,
            None => return Ok(args.take(keys)),
        }
    }
    Ok(at)
}

/// The assertion `value.(map[string]interface {})`, which no other map type passes.
fn plain_map(value: &Value) -> Result<&Map, FuncError> {
    match value {
        Value::Map(map) if map.ty().elem == Elem::Any && map.ty().named.is_none() => Ok(map),
        other => Err(wrong_type(other, "map[string]interface {}")),
    }
}

#[cold]
fn wrong_type(value: &Value, wanted: &str) -> FuncError {
    let found = if value.is_nil() { "nil".into() } else { value.type_name() };
    FuncError::new(format!("interface conversion: interface {{}} is {found}, not {wanted}"))
}

/// The error in place of Go's endless recursion.
#[cold]
fn cyclic() -> FuncError {
    FuncError::with_kind(FuncErrorKind::Limit, "cyclic value")
}
