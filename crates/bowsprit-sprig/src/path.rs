//! Go's `path`, and `path/filepath` as it is on Unix.

use bowsprit_value::{Args, Func, FuncError, Str, Type, Value};

pub(crate) static FUNCS: &[Func] = &[
    Func::pure("base", &[Type::String], Type::String, base),
    Func::pure("dir", &[Type::String], Type::String, dir),
    Func::pure("clean", &[Type::String], Type::String, clean),
    Func::pure("ext", &[Type::String], Type::String, ext),
    Func::pure("isAbs", &[Type::String], Type::Bool, is_abs),
    Func::pure("osBase", &[Type::String], Type::String, base),
    Func::pure("osDir", &[Type::String], Type::String, dir),
    Func::pure("osClean", &[Type::String], Type::String, clean),
    Func::pure("osExt", &[Type::String], Type::String, ext),
    Func::pure("osIsAbs", &[Type::String], Type::Bool, is_abs),
];

fn base(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let path = args.str(0).as_bytes();
    if path.is_empty() {
        return Ok(Value::Str(Str::from_static(".")));
    }
    let end = path.iter().rposition(|b| *b != b'/').map_or(0, |i| i + 1);
    let name = path.get(..end).unwrap_or_default();
    let start = name.iter().rposition(|b| *b == b'/').map_or(0, |i| i + 1);
    match name.get(start..) {
        Some(name) if !name.is_empty() => Ok(Value::str(name)),
        _ => Ok(Value::Str(Str::from_static("/"))),
    }
}

fn dir(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let path = args.str(0).as_bytes();
    let end = path.iter().rposition(|b| *b == b'/').map_or(0, |i| i + 1);
    Ok(Value::str(cleaned(path.get(..end).unwrap_or_default())))
}

fn clean(args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::str(cleaned(args.str(0).as_bytes())))
}

fn ext(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let path = args.str(0).as_bytes();
    match path.iter().rposition(|b| matches!(b, b'.' | b'/')) {
        Some(at) if path.get(at) == Some(&b'.') => {
            Ok(Value::str(path.get(at..).unwrap_or_default()))
        }
        _ => Ok(Value::Str(Str::default())),
    }
}

fn is_abs(args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::Bool(args.str(0).as_bytes().starts_with(b"/")))
}

/// Go's `path.Clean`: no empty, `.` or inner `..` elements, no trailing slash.
fn cleaned(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut out = Vec::with_capacity(path.len() + 1);
    if rooted {
        out.push(b'/');
    }
    // What stands before this can't be taken back by a `..`.
    let mut fixed = out.len();
    for element in path.split(|b| *b == b'/') {
        match element {
            b"" | b"." => {}
            b".." if out.len() > fixed => {
                let cut = out.iter().rposition(|b| *b == b'/').unwrap_or(0);
                out.truncate(cut.max(fixed));
            }
            b".." if rooted => {}
            _ => {
                if out.len() > usize::from(rooted) {
                    out.push(b'/');
                }
                out.extend_from_slice(element);
                if element == b".." {
                    fixed = out.len();
                }
            }
        }
    }
    if out.is_empty() {
        out.push(b'.');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_as_go_does() {
        for (path, want) in [
            ("", "."),
            ("/", "/"),
            ("abc", "abc"),
            ("abc/def/..", "abc"),
            ("abc/..", "."),
            ("abc/../..", ".."),
            ("../../abc/../x", "../../x"),
            ("/../abc", "/abc"),
            ("a//b/./c/", "a/b/c"),
            ("/abc/../..//", "/"),
            ("..", ".."),
            ("../a/../..", "../.."),
            ("a/...", "a/..."),
        ] {
            assert_eq!(cleaned(path.as_bytes()), want.as_bytes(), "{path}");
        }
    }
}
