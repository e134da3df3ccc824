//! Tokens of the template language.

/// What a token is. The order matters: keywords stand after `Keyword`, as in Go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TokenKind {
    Error,
    Bool,
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    Field,
    Identifier,
    LeftDelim,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelim,
    RightParen,
    Space,
    String,
    Text,
    Variable,
    Keyword,
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

/// A token: its kind, and its bytes in the source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Token {
    pub(crate) const NONE: Token = Token { kind: TokenKind::Eof, start: 0, end: 0 };
}

/// The keyword of a word, if it is one.
pub(crate) fn keyword(word: &[u8]) -> Option<TokenKind> {
    Some(match word {
        b"block" => TokenKind::Block,
        b"break" => TokenKind::Break,
        b"continue" => TokenKind::Continue,
        b"define" => TokenKind::Define,
        b"else" => TokenKind::Else,
        b"end" => TokenKind::End,
        b"if" => TokenKind::If,
        b"nil" => TokenKind::Nil,
        b"range" => TokenKind::Range,
        b"template" => TokenKind::Template,
        b"with" => TokenKind::With,
        _ => return None,
    })
}
