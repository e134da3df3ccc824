//! `urlParse` and `urlJoin` over Go's `net/url`.

mod address;
mod escape;
mod parse;
mod print;

use bowsprit_value::{Args, Func, FuncError, Kind, Map, Str, Type, Value};
use parse::parse;

pub(crate) static FUNCS: &[Func] = &[
    Func::pure("urlParse", &[Type::String], Type::MAP, url_parse),
    Func::pure("urlJoin", &[Type::MAP], Type::String, url_join),
];

/// The parts of a URL, unescaped except for the query, as Go keeps them.
#[derive(Debug, Default)]
struct Url {
    scheme: Vec<u8>,
    opaque: Vec<u8>,
    user: Option<User>,
    host: Vec<u8>,
    path: Vec<u8>,
    fragment: Vec<u8>,
    query: Vec<u8>,
}

#[derive(Debug)]
struct User {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

fn url_parse(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let text = args.str(0).as_bytes();
    args.charge(text.len())?;
    let url = parse(text).map_err(|error| failed("unable to parse url: ", error))?;
    let host_name = parse::host_name(&url.host).to_vec();
    let user = url.user.as_ref().map(print::user).unwrap_or_default();
    let entries = [
        ("fragment", url.fragment),
        ("host", url.host),
        ("hostname", host_name),
        ("opaque", url.opaque),
        ("path", url.path),
        ("query", url.query),
        ("scheme", url.scheme),
        ("userinfo", user),
    ];
    let entries = entries.map(|(key, value)| (Str::from_static(key), Value::str(value)));
    Ok(Value::Map(Map::from_entries(entries)))
}

#[cold]
fn failed(prefix: &str, mut error: Vec<u8>) -> FuncError {
    error.splice(..0, prefix.bytes());
    FuncError::new(error)
}

fn url_join(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let part = |key| text_of(args.map(0), key);
    let mut url = Url {
        scheme: part("scheme")?,
        host: part("host")?,
        path: part("path")?,
        query: part("query")?,
        opaque: part("opaque")?,
        fragment: part("fragment")?,
        user: None,
    };
    let user = part("userinfo")?;
    if !user.is_empty() {
        let text = [b"proto://", user.as_slice(), b"@host"].concat();
        let parsed = parse(&text).map_err(|e| failed("unable to parse userinfo in dict: ", e))?;
        url.user = parsed.user;
    }
    let text = print::url(&url);
    args.charge(text.len())?;
    Ok(Value::str(text))
}

fn text_of(map: Option<&Map>, key: &str) -> Result<Vec<u8>, FuncError> {
    match map.and_then(|map| map.get(key.as_bytes())) {
        None => Ok(Vec::new()),
        Some(Value::Str(s)) => Ok(s.as_bytes().to_vec()),
        // sprig asks nil for its type.
        Some(Value::Nil) => {
            Err(FuncError::new("runtime error: invalid memory address or nil pointer dereference"))
        }
        Some(Value::Object(o)) if o.kind() == Kind::String => {
            Ok(o.to_text().unwrap_or_default().as_bytes().to_vec())
        }
        Some(other) => Err(FuncError::new(format!(
            "unable to parse {key} key, must be of type string, but {} found",
            other.kind()
        ))),
    }
}
