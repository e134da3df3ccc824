//! What Go expressions in tests come to.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value, json};

use super::lex::Token;
use super::parse::{Expr, Parser};

/// The variables of a function, or of a file.
pub(super) type Names = BTreeMap<String, Expr>;

/// A function of a file.
pub(super) struct Function<'t> {
    pub(super) name: &'t str,
    pub(super) body: &'t [Token],
}

/// The functions of a file, and its tokens outside of them.
pub(super) fn functions(tokens: &[Token]) -> (Vec<Function<'_>>, Vec<Token>) {
    let (mut functions, mut outside) = (Vec::new(), Vec::new());
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(token) = tokens.get(at) {
        let word = matches!(token, Token::Word(word) if word == "func");
        if let (true, 0, Some(Token::Word(name))) = (word, depth, tokens.get(at + 1)) {
            let start = at + body(&tokens[at..]);
            let end = start + length(&tokens[start..]);
            functions.push(Function { name, body: &tokens[start..end] });
            at = end;
            continue;
        }
        match token {
            Token::Sign("{" | "(") => depth += 1,
            Token::Sign("}" | ")") => depth = depth.saturating_sub(1),
            _ => {}
        }
        outside.push(token.clone());
        at += 1;
    }
    (functions, outside)
}

/// Where a function's body begins: at the first brace outside of parentheses.
fn body(tokens: &[Token]) -> usize {
    let mut depth = 0_i32;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign("(") => depth += 1,
            Token::Sign(")") => depth -= 1,
            Token::Sign("{") if depth == 0 => return at,
            _ => {}
        }
    }
    tokens.len()
}

/// The tokens of a block, braces included.
fn length(tokens: &[Token]) -> usize {
    let mut depth = 0_i32;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign("{") => depth += 1,
            Token::Sign("}") => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// The name and the value that an assignment at this token gives, and where its value ends.
///
/// Of several names the first one counts; a field's name holds its base: `e.Strict`.
pub(super) fn assignment(tokens: &[Token], at: usize) -> Option<(String, Expr, usize)> {
    let Token::Sign(":=" | "=") = tokens.get(at)? else { return None };
    let word = |at: usize| match tokens.get(at) {
        Some(Token::Word(word)) => Some(word.clone()),
        _ => None,
    };
    let sign = |at: Option<usize>| match tokens.get(at?) {
        Some(Token::Sign(sign)) => Some(*sign),
        _ => None,
    };
    let mut name = word(at.checked_sub(1)?)?;
    match sign(at.checked_sub(2)) {
        Some(",") => name = word(at.checked_sub(3)?)?,
        Some(".") => name = format!("{}.{name}", word(at.checked_sub(3)?)?),
        _ => {}
    }
    let mut parser = Parser::new(tokens, at + 1);
    let value = parser.expression()?;
    Some((name, value, parser.at))
}

/// The variable whose element an assignment at this token changes: what it holds is no longer known.
pub(super) fn changed(tokens: &[Token], at: usize) -> Option<&str> {
    let (Token::Sign("]"), Token::Sign("=")) = (tokens.get(at.checked_sub(1)?)?, tokens.get(at)?)
    else {
        return None;
    };
    let open = tokens[..at].iter().rposition(|token| *token == Token::Sign("["))?;
    match tokens.get(open.checked_sub(1)?)? {
        Token::Word(name) => Some(name),
        _ => None,
    }
}

/// The variables that tokens assign, the last value of each.
pub(super) fn names(tokens: &[Token], outer: &Names) -> Names {
    let mut found = outer.clone();
    for at in 0..tokens.len() {
        if let Some((name, value, _)) = assignment(tokens, at) {
            found.insert(name, value);
        } else if let Some(name) = changed(tokens, at) {
            found.remove(name);
        }
    }
    found
}

/// A value without its Go type; numbers as they are written.
pub(super) fn value(expr: &Expr, names: &Names) -> Option<Value> {
    match expr {
        Expr::Text(text) => Some(json!(text)),
        Expr::Number(number) => number.parse::<Number>().ok().map(Value::Number),
        Expr::Negative(inner) => {
            let number = value(inner, names)?;
            format!("-{number}").parse::<Number>().ok().map(Value::Number)
        }
        Expr::Name(name) => match name.as_str() {
            "true" => Some(json!(true)),
            "false" => Some(json!(false)),
            "nil" => Some(Value::Null),
            name => value(names.get(name).filter(|inner| *inner != expr)?, names),
        },
        Expr::Sum(a, b) => {
            let text = |expr| value(expr, names)?.as_str().map(str::to_owned);
            Some(json!(text(a)? + &text(b)?))
        }
        Expr::Convert(_, inner) => value(inner, names),
        Expr::Composite(kind, elements) => composite(kind, elements, names),
        Expr::Call(function, arguments) => call(function, arguments, names),
        Expr::Select(base, field) => {
            let base = value(base, names)?;
            base.get(field).cloned()
        }
        Expr::Index(..) | Expr::Function => None,
    }
}

fn composite(kind: &str, elements: &[(Option<Expr>, Expr)], names: &Names) -> Option<Value> {
    let is_map = kind.starts_with("map[") || kind.ends_with(".Values");
    if elements.iter().any(|(key, _)| key.is_none()) || kind.starts_with("[]") {
        let items = elements.iter().map(|(_, element)| value(element, names));
        return items.collect::<Option<_>>().map(Value::Array);
    }
    let mut map = Map::new();
    for (key, element) in elements {
        let key = match key {
            Some(Expr::Name(field)) if !is_map => field.clone(),
            Some(key) => value(key, names)?.as_str()?.to_owned(),
            None => return None,
        };
        match value(element, names) {
            Some(value) => map.insert(key, value),
            // Times of files and the like are looked at by nobody.
            None if !is_map && !matches!(element, Expr::Composite(..)) => None,
            None => return None,
        };
    }
    Some(Value::Object(map))
}

fn call(function: &Expr, arguments: &[Expr], names: &Names) -> Option<Value> {
    let name = match function {
        Expr::Select(base, name) if name == "AsMap" => return value(base, names),
        Expr::Select(package, name) => match package.as_ref() {
            Expr::Name(package) => format!("{package}.{name}"),
            _ => return None,
        },
        Expr::Name(name) => name.clone(),
        _ => return None,
    };
    let texts = || -> Option<Vec<String>> {
        arguments.iter().map(|argument| value(argument, names).map(plain)).collect()
    };
    match name.as_str() {
        "fmt.Sprintf" => {
            let texts = texts()?;
            let (format, rest) = texts.split_first()?;
            sprintf(format, rest).map(Value::String)
        }
        "filepath.Join" | "path.Join" => Some(json!(texts()?.join("/").replace("//", "/"))),
        "util.CoalesceValues" => value(arguments.get(1)?, names),
        "string" | "common.Values" => value(arguments.first()?, names),
        _ => None,
    }
}

fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn sprintf(format: &str, arguments: &[String]) -> Option<String> {
    let mut arguments = arguments.iter();
    let mut out = String::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let mut chars = after.chars();
        match chars.next()? {
            's' | 'd' | 'v' => out.push_str(arguments.next()?),
            'q' => out.push_str(&json!(arguments.next()?).to_string()),
            '%' => out.push('%'),
            _ => return None,
        }
        rest = chars.as_str();
    }
    Some(out + rest)
}

/// A Go value as an expression of a template, so that integers stay integers.
pub(super) fn template(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => "nil".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(template).collect::<Option<_>>()?;
            format!("(list {})", items.join(" "))
        }
        Value::Object(map) => {
            let mut out = "(dict".to_owned();
            for (key, value) in map {
                out.push_str(&format!(" {} {}", json!(key), template(value)?));
            }
            out + ")"
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::lex::tokens;
    use super::*;

    fn evaluated(source: &str) -> Option<Value> {
        let tokens = tokens(source);
        let names = names(&tokens, &Names::new());
        value(names.get("want")?, &names)
    }

    #[test]
    fn literals_have_values() {
        let source = r#"
            dir := "a/b" // a folder
            want := []struct{ name string }{
                {name: "x" + `y"z`, n: -3, when: time.Now()},
                {name: fmt.Sprintf("%s-%d%%", filepath.Join(dir, "c"), 4)},
            }
        "#;
        assert_eq!(
            evaluated(source),
            Some(json!([{"name": "xy\"z", "n": -3}, {"name": "a/b/c-4%"}]))
        );
        let source = r#"want := map[string]any{"a": []int{1, 2}, "b": map[string]any{"c": nil}}"#;
        assert_eq!(evaluated(source), Some(json!({"a": [1, 2], "b": {"c": null}})));
        assert_eq!(evaluated("want := unknown(1)"), None);
    }

    #[test]
    fn functions_are_found() {
        let tokens =
            tokens("var a = 1\nfunc (f F) M() {}\nfunc T(t *T) { if x { y() } }\nvar b = 2");
        let (functions, _) = functions(&tokens);
        let names: Vec<&str> = functions.iter().map(|f| f.name).collect();
        assert_eq!(names, ["T"]);
    }
}
