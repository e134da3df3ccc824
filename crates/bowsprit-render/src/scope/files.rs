//! `.Files`: the files of a chart that are no templates.

use crate::compat::Rules;
use crate::functions::encode::yaml_or_empty;
use bowsprit_chart::{Chart, File, Glob};
use bowsprit_value::{
    Args, Elem, FuncError, List, Map, MapType, Method, NamedType, Str, Type, Value,
};
use std::sync::Arc;

const STRING: &[Type] = &[Type::String];

const fn method(
    name: &'static str,
    params: &'static [Type],
    result: Type,
    call: bowsprit_value::MethodFn,
) -> Method {
    Method { name, params, variadic: false, result, call }
}

/// The methods, given that of `Lines`, which differs.
const fn methods(lines: bowsprit_value::MethodFn) -> [Method; 6] {
    [
        method("Get", STRING, Type::String, get),
        method("GetBytes", STRING, Type::Bytes, |receiver, args| {
            let bytes = content(receiver, args.str(0))?;
            Ok(Value::Bytes(bytes.unwrap_or_else(|| Arc::from([]))))
        }),
        method("Glob", STRING, Type::Named("engine.files"), glob),
        method("Lines", STRING, Type::List(Elem::String), lines),
        method("AsConfig", &[], Type::String, |receiver, args| {
            by_base_name(receiver, args, |bytes| Str::from(bytes))
        }),
        method("AsSecrets", &[], Type::String, |receiver, args| {
            by_base_name(receiver, args, |bytes| Str::from(base64(bytes)))
        }),
    ]
}

static STRICT_METHODS: [Method; 6] = methods(lines);
static LENIENT_METHODS: [Method; 6] = methods(lenient_lines);

static STRICT: NamedType = NamedType { name: "engine.files", methods: &STRICT_METHODS };
static LENIENT: NamedType = NamedType { name: "engine.files", methods: &LENIENT_METHODS };

/// The map that templates see as `.Files`, made when one looks at it; of equal names the last one
/// counts.
pub(crate) fn files(chart: &Arc<Chart>, rules: &Rules) -> Map {
    let chart = Arc::clone(chart);
    let named = if rules.empty_lines_fail { &STRICT } else { &LENIENT };
    Map::lazy(MapType::named(Elem::Bytes, named), move || {
        let entry = |f: &File| (f.name.clone(), Value::Bytes(Arc::from(f.data.as_bytes())));
        chart.files.iter().map(entry).collect::<Vec<_>>()
    })
}

fn map(receiver: &Value) -> Result<&Map, FuncError> {
    receiver.as_map().ok_or_else(|| FuncError::new("method called on a value of another type"))
}

fn content(receiver: &Value, name: &Str) -> Result<Option<Arc<[u8]>>, FuncError> {
    Ok(match map(receiver)?.get(name.as_bytes()) {
        Some(Value::Bytes(bytes)) => Some(bytes),
        _ => None,
    })
}

fn get(receiver: &Value, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let bytes = content(receiver, args.str(0))?;
    Ok(Value::Str(bytes.map(Str::from).unwrap_or_default()))
}

fn glob(receiver: &Value, args: &mut Args<'_>) -> Result<Value, FuncError> {
    // A pattern that can't be read matches everything, as in Helm.
    let glob = Glob::compile(args.str(0)).ok();
    let files = map(receiver)?;
    let entries = files.entries();
    args.meter().charge_steps(entries.len() as u64)?;
    let matching = entries.iter().filter(|(name, _)| match &glob {
        Some(glob) => glob.matches(name),
        None => true,
    });
    Ok(Value::Map(Map::typed(files.ty(), matching.map(|(k, v)| (k.clone(), v.clone())))))
}

/// An empty file has no lines.
fn lenient_lines(receiver: &Value, args: &mut Args<'_>) -> Result<Value, FuncError> {
    match content(receiver, args.str(0))? {
        Some(bytes) if !bytes.is_empty() => lines(receiver, args),
        _ => Ok(Value::List(List::strings([]))),
    }
}

fn lines(receiver: &Value, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let Some(bytes) = content(receiver, args.str(0))? else {
        return Ok(Value::List(List::strings([])));
    };
    let Some((last, rest)) = bytes.split_last() else {
        return Err(FuncError::new("runtime error: index out of range [-1]"));
    };
    args.charge(bytes.len())?;
    let text: &[u8] = if *last == b'\n' { rest } else { &bytes };
    Ok(Value::List(List::strings(text.split(|b| *b == b'\n').map(Str::from))))
}

fn by_base_name(
    receiver: &Value,
    args: &mut Args<'_>,
    convert: impl Fn(&[u8]) -> Str,
) -> Result<Value, FuncError> {
    let entries = map(receiver)?.entries();
    let flat = entries.iter().filter_map(|(name, value)| match value {
        Value::Bytes(bytes) => Some((base(name), Value::Str(convert(bytes)))),
        _ => None,
    });
    let flat = Map::typed(MapType::STRINGS, flat);
    Ok(Value::Str(yaml_or_empty(&Value::Map(flat), args.meter())?))
}

/// Go's `path.Base`.
fn base(name: &Str) -> Str {
    let bytes = name.as_bytes();
    let end = bytes.iter().rposition(|b| *b != b'/').map_or(0, |i| i + 1);
    let trimmed = bytes.get(..end).unwrap_or_default();
    match (trimmed.is_empty(), bytes.is_empty()) {
        (true, true) => Str::from_static("."),
        (true, false) => Str::from_static("/"),
        _ => Str::from(trimmed.rsplit(|b| *b == b'/').next().unwrap_or_default()),
    }
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, b| bits << 8 | u32::from(*b));
        let bits = bits << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= chunk.len() { digit } else { b'=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_the_standard_one() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v")] {
            assert_eq!(base64(plain.as_bytes()), coded.as_bytes());
        }
    }

    #[test]
    fn base_names_are_those_of_go() {
        for (path, want) in [("", "."), ("/", "/"), ("a/b", "b"), ("a/b/", "b"), ("a", "a")] {
            assert_eq!(base(&Str::from(path)), want);
        }
    }
}
