//! `set`: a value under a path such as `image.tag` or `list[0].name`.

use bowsprit_value::{Map, Str, Value};

#[derive(Debug)]
enum Cursor {
    Key(String),
    Index(usize),
}

/// Lists of a hostile suite must not eat the memory.
const MAX_INDEX: usize = 65_536;

/// The table that has a value at a path.
pub(crate) fn table(path: &str, value: Value) -> Result<Map, String> {
    if path.is_empty() {
        return Err("set path is empty".to_owned());
    }
    let mut built = value;
    for cursor in cursors(path)?.into_iter().rev() {
        built = match cursor {
            Cursor::Key(key) => Value::Map(Map::from_entries([(Str::from(key), built)])),
            Cursor::Index(index) => {
                let mut items = vec![Value::Nil; index];
                items.push(built);
                Value::list(items)
            }
        };
    }
    match built {
        Value::Map(map) => Ok(map),
        _ => Err("set path must begin with a key".to_owned()),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Key,
    Index,
    Between,
    Quoted,
}

fn cursors(path: &str) -> Result<Vec<Cursor>, String> {
    let mut cursors = Vec::new();
    let mut state = State::Key;
    let mut bracketed = String::new();
    let mut rest = path;
    loop {
        let Some(end) = rest.find(['.', '[', ']', ',', '{', '}', '=']) else {
            return match (state, rest.is_empty()) {
                (State::Key, false) => {
                    cursors.push(Cursor::Key(rest.to_owned()));
                    Ok(cursors)
                }
                (State::Between, true) => Ok(cursors),
                _ => Err("unexpected end of".to_owned()),
            };
        };
        let (piece, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let stop = tail.chars().next().unwrap_or_default();
        rest = tail.get(1..).unwrap_or_default();
        if matches!(stop, ',' | '{' | '}' | '=') {
            return Err(format!("invalid token found {stop}"));
        }
        state = match (state, stop) {
            (State::Key, '.') => {
                cursors.push(Cursor::Key(piece.to_owned()));
                State::Key
            }
            (State::Key, '[') if piece.is_empty() => {
                bracketed.clear();
                State::Quoted
            }
            (State::Key, '[') => {
                cursors.push(Cursor::Key(piece.to_owned()));
                State::Index
            }
            (State::Key, _) => return Err(format!("invalid key {stop}")),
            (State::Index, ']') => {
                let index = piece.parse().ok().filter(|index| *index <= MAX_INDEX);
                let Some(index) = index else {
                    let quoted = bowsprit_value::strconv::quote(piece.as_bytes());
                    let quoted = String::from_utf8_lossy(&quoted);
                    return Err(format!("strconv.Atoi: parsing {quoted}: invalid syntax"));
                };
                cursors.push(Cursor::Index(index));
                State::Between
            }
            (State::Index, _) => return Err("missing index value".to_owned()),
            (State::Between, '.') => State::Key,
            (State::Between, '[') => State::Index,
            (State::Between, _) => return Err(format!("invalid denotation token {stop}")),
            (State::Quoted, '.') => {
                bracketed.push_str(piece);
                bracketed.push('.');
                State::Quoted
            }
            (State::Quoted, ']') => {
                bracketed.push_str(piece);
                cursors.push(Cursor::Key(std::mem::take(&mut bracketed)));
                State::Between
            }
            (State::Quoted, _) => return Err(format!("invalid escaping token {stop}")),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(path: &str) -> String {
        match table(path, Value::from("x")) {
            Ok(map) => crate::yaml::encoded(&Value::Map(map)),
            Err(error) => error,
        }
    }

    #[test]
    fn paths_are_built() {
        assert_eq!(built("a.b"), "a:\n  b: x\n");
        assert_eq!(built("a[1].b"), "a:\n  - null\n  - b: x\n");
        assert_eq!(built("a.[b.c/d].e"), "a:\n  b.c/d:\n    e: x\n");
        assert_eq!(built("a.."), "unexpected end of");
        assert_eq!(built("a[x]"), "strconv.Atoi: parsing \"x\": invalid syntax");
        assert_eq!(built("a=b"), "invalid token found =");
        assert_eq!(built(""), "set path is empty");
    }
}
