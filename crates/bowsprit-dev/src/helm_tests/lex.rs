//! Go source as tokens; comments and line ends are dropped.

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Word(String),
    Number(String),
    Text(String),
    Sign(&'static str),
}

const SIGNS: &[&str] = &[
    "...", ":=", "!=", "==", "&&", "||", "<=", ">=", "{", "}", "(", ")", "[", "]", ",", ".", ":",
    ";", "=", "&", "*", "+", "-", "!", "<", ">", "/", "%", "|", "^",
];

/// The tokens of a file; bytes that mean nothing here are skipped.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        if let Some(comment) = rest.strip_prefix("//") {
            rest = comment.split_once('\n').map_or("", |(_, after)| after);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, after)| after);
        } else if let Some(raw) = rest.strip_prefix('`') {
            let (text, after) = raw.split_once('`').unwrap_or((raw, ""));
            out.push(Token::Text(text.replace('\r', "")));
            rest = after;
        } else if c == '"' || c == '\'' {
            let (text, after) = quoted(&rest[1..], c);
            out.push(if c == '"' { Token::Text(text) } else { Token::Number(text) });
            rest = after;
        } else if c.is_alphabetic() || c == '_' || c.is_ascii_digit() {
            let dot = c.is_ascii_digit();
            let part = |c: char| c.is_alphanumeric() || c == '_' || (dot && c == '.');
            let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
            let word = rest[..end].to_owned();
            out.push(if dot { Token::Number(word) } else { Token::Word(word) });
            rest = &rest[end..];
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            out.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// A literal's text and what follows its closing quote.
fn quoted(source: &str, quote: char) -> (String, &str) {
    let mut bytes = Vec::new();
    let mut chars = source.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return (String::from_utf8_lossy(&bytes).into_owned(), &source[at + c.len_utf8()..]);
        }
        if c != '\\' {
            bytes.extend_from_slice(c.to_string().as_bytes());
            continue;
        }
        let Some((_, escape)) = chars.next() else { break };
        let mut code = |length: usize| {
            let digits: String = chars.by_ref().take(length).map(|(_, c)| c).collect();
            u32::from_str_radix(&digits, 16).unwrap_or(0)
        };
        match escape {
            'n' => bytes.push(b'\n'),
            't' => bytes.push(b'\t'),
            'r' => bytes.push(b'\r'),
            'a' => bytes.push(7),
            'b' => bytes.push(8),
            'f' => bytes.push(12),
            'v' => bytes.push(11),
            'x' => bytes.push(code(2) as u8),
            'u' | 'U' => {
                let c = char::from_u32(code(if escape == 'u' { 4 } else { 8 }));
                bytes.extend_from_slice(c.unwrap_or('\u{fffd}').to_string().as_bytes());
            }
            other => bytes.extend_from_slice(other.to_string().as_bytes()),
        }
    }
    (String::from_utf8_lossy(&bytes).into_owned(), "")
}
