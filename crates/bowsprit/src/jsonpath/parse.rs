//! Templates into nodes.

use super::{JsonPathError, Node, Param};
use bowsprit_value::strconv;

type Step<T> = Result<T, JsonPathError>;

pub(super) fn parse(text: &str) -> Step<Vec<Node>> {
    let mut nodes = Vec::new();
    let mut rest = text;
    loop {
        let brace = rest.find('{').unwrap_or(rest.len());
        let (before, action) = rest.split_at_checked(brace).unwrap_or_default();
        if !before.is_empty() {
            nodes.push(Node::Text(before.to_owned()));
        }
        let Some(inside) = action.strip_prefix('{') else { return Ok(nodes) };
        let mut parser = Parser { rest: inside, nodes: Vec::new() };
        parser.action()?;
        rest = parser.rest;
        nodes.push(Node::List(parser.nodes));
    }
}

/// An expression that stands in an action of its own.
fn parse_inside(text: &str) -> Step<Vec<Node>> {
    match parse(&format!("{{{text}}}"))?.into_iter().next() {
        Some(Node::List(nodes)) => Ok(nodes),
        _ => Ok(Vec::new()),
    }
}

struct Parser<'t> {
    rest: &'t str,
    nodes: Vec<Node>,
}

impl<'t> Parser<'t> {
    /// Everything up to the closing brace.
    fn action(&mut self) -> Step<()> {
        loop {
            if self.skip("}") {
                return Ok(());
            }
            if self.skip("[?(") {
                self.filter()?;
            } else if self.skip("..") {
                self.recursive()?;
            } else {
                let Some(next) = self.rest.chars().next() else {
                    return Err(JsonPathError::new("unclosed action"));
                };
                match next {
                    '\r' | '\n' => return Err(JsonPathError::new("unclosed action")),
                    ' ' | '@' | '$' => self.advance(1),
                    '[' => self.array()?,
                    '"' | '\'' => self.quoted(next)?,
                    '.' => {
                        self.advance(1);
                        self.field();
                    }
                    '+' | '-' => self.number()?,
                    c if c.is_numeric() => self.number()?,
                    c if c == '_' || c.is_alphabetic() => self.identifier(),
                    c => return Err(unrecognized(c)),
                }
            }
        }
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn skip(&mut self, prefix: &str) -> bool {
        let after = self.rest.strip_prefix(prefix);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    /// Takes so many bytes.
    fn take(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn identifier(&mut self) {
        let end = self.rest.find(is_terminator).unwrap_or(self.rest.len());
        let name = self.take(end);
        self.nodes.push(match name {
            "true" => Node::Bool(true),
            "false" => Node::Bool(false),
            name => Node::Identifier(name.to_owned()),
        });
    }

    fn recursive(&mut self) -> Step<()> {
        if self.nodes.last() == Some(&Node::Recursive) {
            return Err(JsonPathError::new("invalid multiple recursive descent"));
        }
        self.nodes.push(Node::Recursive);
        if self.rest.starts_with(|c: char| c == '_' || c.is_alphanumeric()) {
            self.field();
        }
        Ok(())
    }

    fn field(&mut self) {
        let mut name = String::new();
        let mut chars = self.rest.char_indices();
        let mut end = self.rest.len();
        while let Some((at, c)) = chars.next() {
            if c == '\\' {
                name.extend(chars.next().map(|(_, escaped)| escaped).filter(|c| *c != '\\'));
            } else if is_terminator(c) {
                end = at;
                break;
            } else {
                name.push(c);
            }
        }
        self.advance(end);
        self.nodes.push(if name == "*" { Node::Wildcard } else { Node::Field(name) });
    }

    fn number(&mut self) -> Step<()> {
        let sign = usize::from(self.rest.starts_with(['+', '-']));
        let digits = self.rest.get(sign..).unwrap_or_default();
        let len = digits.find(|c: char| c != '.' && !c.is_numeric()).unwrap_or(digits.len());
        let text = self.take(sign + len);
        let unsigned = text.strip_prefix('+').unwrap_or(text);
        self.nodes.push(if let Ok(int) = unsigned.parse() {
            Node::Int(int)
        } else if let Ok(float) = unsigned.parse() {
            Node::Float(float)
        } else {
            return Err(JsonPathError::new(format!("cannot parse number {text}")));
        });
        Ok(())
    }

    fn quoted(&mut self, quote: char) -> Step<()> {
        let mut before = quote;
        let mut end = None;
        for (at, c) in self.rest.char_indices().skip(1) {
            if c == '\n' {
                break;
            }
            if c == quote && before != '\\' {
                end = Some(at + 1);
                break;
            }
            before = c;
        }
        let end = end.ok_or_else(|| JsonPathError::new("unterminated quoted string"))?;
        let text = self.take(end);
        let unquoted = unquote(text).ok_or_else(|| {
            JsonPathError::new(format!("unquote string {text} error invalid syntax"))
        })?;
        self.nodes.push(Node::Text(unquoted));
        Ok(())
    }

    fn array(&mut self) -> Step<()> {
        let end = self.rest.find([']', '\n']);
        let end = end.filter(|&at| self.rest.get(at..).is_some_and(|rest| rest.starts_with(']')));
        let end = end.ok_or_else(|| JsonPathError::new("unterminated array"))?;
        let text = self.take(end + 1);
        let inside = text.get(1..end).unwrap_or_default();
        let inside = if inside == "*" { ":" } else { inside };
        if inside.contains(',') {
            let parts = inside
                .split(',')
                .map(|part| parse_inside(&format!("[{}]", part.trim_matches(' '))));
            self.nodes.push(Node::Union(parts.collect::<Step<_>>()?));
            return Ok(());
        }
        let key = inside.strip_prefix('\'').and_then(|key| key.strip_suffix('\''));
        if let Some(key) = key.filter(|key| !key.contains('\'')) {
            self.nodes.extend(parse_inside(&format!(".{key}"))?);
            return Ok(());
        }
        self.nodes.push(Node::Array(slice(inside)?));
        Ok(())
    }

    fn filter(&mut self) -> Step<()> {
        let unterminated = || JsonPathError::new("unterminated filter");
        let mut quote = None;
        let mut before = '(';
        let mut end = None;
        let mut closed = false;
        for (at, c) in self.rest.char_indices() {
            match c {
                '\n' => break,
                '"' | '\'' if quote.is_none() => quote = Some(c),
                '"' | '\'' if before != '\\' && quote == Some(c) => closed = true,
                ')' if quote.is_some() == closed => {
                    end = Some(at);
                    break;
                }
                _ => {}
            }
            before = c;
        }
        let end = end.ok_or_else(unterminated)?;
        let text = self.take(end);
        self.advance(1);
        if !self.skip("]") {
            return Err(JsonPathError::new("unclosed array expect ]"));
        }
        let is_operator = |c: char| matches!(c, '!' | '<' | '>' | '=');
        let left_end = text.find(is_operator).filter(|at| *at > 0).unwrap_or(text.len());
        let (left, rest) = text.split_at_checked(left_end).unwrap_or_default();
        let right_start = rest.find(|c| !is_operator(c)).unwrap_or(0);
        let (operator, right) = rest.split_at_checked(right_start).unwrap_or_default();
        self.nodes.push(if operator.is_empty() {
            let operator = "exists".to_owned();
            Node::Filter { left: parse_inside(text)?, operator, right: Vec::new() }
        } else {
            let (left, right) = (parse_inside(left)?, parse_inside(right)?);
            Node::Filter { left, operator: operator.to_owned(), right }
        });
        Ok(())
    }
}

fn is_terminator(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}')
}

#[cold]
fn unrecognized(c: char) -> JsonPathError {
    let code = u32::from(c);
    JsonPathError::new(format!("unrecognized character in action: U+{code:04X} '{c}'"))
}

/// `START:END:STEP`, all of which may be missing.
fn slice(text: &str) -> Step<[Param; 3]> {
    let invalid = || JsonPathError::new(format!("invalid array index {text}"));
    let parts: Vec<&str> = text.split(':').collect();
    let legal = |part: &&str| {
        let digits = part.strip_prefix('-').unwrap_or(part);
        digits.bytes().all(|b| b.is_ascii_digit())
    };
    if parts.len() > 3 || !parts.iter().all(legal) {
        return Err(invalid());
    }
    let mut params = [Param::default(); 3];
    for (param, part) in params.iter_mut().zip(&parts).filter(|(_, part)| !part.is_empty()) {
        param.known = true;
        param.value = part
            .parse()
            .map_err(|_| JsonPathError::new(format!("array index {part} is not a number")))?;
    }
    if parts.len() == 1 {
        let value = params[0].value.saturating_add(1);
        params[1] = Param { value, known: true, derived: true };
    }
    Ok(params)
}

/// `UnquoteExtend`: Go's escapes, between quotes of either kind.
fn unquote(text: &str) -> Option<String> {
    let quote = text.chars().next()?;
    let inside = text.get(1..text.len().checked_sub(1)?)?;
    if !inside.contains('\\') {
        return Some(inside.to_owned());
    }
    let mut out = Vec::new();
    let mut rest = inside.as_bytes();
    while !rest.is_empty() {
        let read = strconv::unquote_char(rest, quote as u8)?;
        read.push_to(&mut out);
        rest = read.tail;
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}
