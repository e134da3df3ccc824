//! `.Values`, and the root object: maps with the methods of Helm's type `Values`.

use crate::compat::Package;
use crate::functions::encode::encode_yaml;
use bowsprit_value::{Args, Elem, FuncError, Map, MapType, Method, NamedType, Str, Type, Value};

static COMMON: NamedType = NamedType { name: "common.Values", methods: METHODS };
static CHARTUTIL: NamedType = NamedType { name: "chartutil.Values", methods: METHODS };

static METHODS: &[Method] = &[
    Method {
        name: "AsMap",
        params: &[],
        variadic: false,
        result: Type::MAP,
        call: |receiver, _| {
            let map = map(receiver)?;
            Ok(Value::Map(if map.is_empty() { Map::new() } else { map.view(MapType::ANY) }))
        },
    },
    Method {
        name: "YAML",
        params: &[],
        variadic: false,
        result: Type::String,
        call: |receiver, args| encode_yaml(receiver, args.meter()).map(Value::Str),
    },
    Method {
        name: "Table",
        params: &[Type::String],
        variadic: false,
        result: Type::Named("common.Values"),
        call: |receiver, args| {
            let values = map(receiver)?;
            let found = table(values, args.str(0).as_bytes()).map_err(no_table)?;
            Ok(Value::Map(found.view(values.ty())))
        },
    },
    Method {
        name: "PathValue",
        params: &[Type::String],
        variadic: false,
        result: Type::Any,
        call: path_value,
    },
    Method {
        name: "Encode",
        params: &[Type::Named("io.Writer")],
        variadic: false,
        result: Type::Any,
        call: |_, _| Err(FuncError::new("no value that a template can reach is an io.Writer")),
    },
];

/// The map as Helm's named type: the same reference under another type.
pub(crate) fn as_values(map: &Map, package: Package) -> Map {
    map.view(map_type(package))
}

/// Helm's named type.
pub(super) const fn map_type(package: Package) -> MapType {
    match package {
        Package::Common => MapType::named(Elem::Any, &COMMON),
        Package::Chartutil => MapType::named(Elem::Any, &CHARTUTIL),
    }
}

fn map(receiver: &Value) -> Result<&Map, FuncError> {
    receiver.as_map().ok_or_else(|| FuncError::new("method called on a value of another type"))
}

fn no_table(name: Str) -> FuncError {
    let quoted = bowsprit_value::strconv::quote(name.as_bytes());
    FuncError::new(format!("{} is not a table", String::from_utf8_lossy(&quoted)))
}

fn no_value(name: &[u8]) -> FuncError {
    let quoted = bowsprit_value::strconv::quote(name);
    FuncError::new(format!("{} is not a value", String::from_utf8_lossy(&quoted)))
}

/// The table at a dotted path; on failure the part of the path that is none.
pub(crate) fn table(values: &Map, path: &[u8]) -> Result<Map, Str> {
    let mut table = values.clone();
    for name in path.split(|b| *b == b'.') {
        table = match table.get(name) {
            Some(Value::Map(next)) if next.ty().elem == Elem::Any => next,
            _ => return Err(Str::from(name)),
        };
    }
    Ok(table)
}

fn path_value(receiver: &Value, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let values = map(receiver)?;
    let path = args.str(0).as_bytes();
    if path.is_empty() {
        return Err(FuncError::new("YAML path cannot be empty"));
    }
    let (parent, key) = match path.iter().rposition(|b| *b == b'.') {
        Some(dot) => (path.get(..dot), path.get(dot + 1..).unwrap_or_default()),
        None => (None, path),
    };
    let table = match parent {
        Some(parent) => table(values, parent).map_err(|_| no_value(key))?,
        None => values.clone(),
    };
    match table.get(key) {
        Some(Value::Map(m)) if m.ty().named.is_none() && m.ty().elem == Elem::Any => {
            Err(no_value(key))
        }
        Some(value) => Ok(value),
        None => Err(no_value(key)),
    }
}
