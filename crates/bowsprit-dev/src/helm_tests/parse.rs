//! Expressions of Go, as far as tests write them down.

use super::lex::Token;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    Text(String),
    Number(String),
    Name(String),
    Select(Box<Expr>, String),
    Index(Box<Expr>, Box<Expr>),
    Call(Box<Expr>, Vec<Expr>),
    /// `Type{...}`; the type's text is empty where it was left out.
    Composite(String, Vec<(Option<Expr>, Expr)>),
    /// `[]byte(...)` and its like.
    Convert(String, Box<Expr>),
    Sum(Box<Expr>, Box<Expr>),
    Negative(Box<Expr>),
    Function,
}

pub(super) struct Parser<'t> {
    tokens: &'t [Token],
    pub(super) at: usize,
    /// A brace begins a block, as behind the condition of an `if`.
    before_block: bool,
}

impl<'t> Parser<'t> {
    pub(super) fn new(tokens: &'t [Token], at: usize) -> Parser<'t> {
        Parser { tokens, at, before_block: false }
    }

    /// For an expression that a block follows.
    pub(super) fn before_block(tokens: &'t [Token], at: usize) -> Parser<'t> {
        Parser { tokens, at, before_block: true }
    }

    fn peek(&self) -> Option<&'t Token> {
        self.tokens.get(self.at)
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.peek(), Some(Token::Sign(found)) if *found == sign)
    }

    fn word(&self) -> Option<&'t str> {
        match self.peek() {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn take(&mut self, sign: &str) -> Option<()> {
        self.is(sign).then(|| self.at += 1)
    }

    /// Steps over brackets and all that is in them.
    fn skip(&mut self, open: &str, close: &str) -> Option<()> {
        self.take(open)?;
        let mut depth = 1;
        while depth > 0 {
            if self.is(open) {
                depth += 1;
            } else if self.is(close) {
                depth -= 1;
            }
            self.peek()?;
            self.at += 1;
        }
        Some(())
    }

    pub(super) fn expression(&mut self) -> Option<Expr> {
        let mut left = self.operand()?;
        while self.is("+") {
            self.at += 1;
            left = Expr::Sum(Box::new(left), Box::new(self.operand()?));
        }
        Some(left)
    }

    fn operand(&mut self) -> Option<Expr> {
        let mut base = self.primary()?;
        loop {
            if self.is(".") {
                self.at += 1;
                if self.take("(").is_some() {
                    self.kind()?;
                    self.take(")")?;
                    continue;
                }
                let name = self.word()?.to_owned();
                self.at += 1;
                base = Expr::Select(Box::new(base), name);
            } else if self.is("(") {
                base = Expr::Call(Box::new(base), self.arguments()?);
            } else if self.is("[") {
                self.at += 1;
                let index = self.expression()?;
                self.take("]")?;
                base = Expr::Index(Box::new(base), Box::new(index));
            } else if self.is("{") && !self.before_block && self.is_literal() {
                base = Expr::Composite(named(&base)?, self.elements()?);
            } else {
                return Some(base);
            }
        }
    }

    /// Whether the brace begins a literal and not a block: a literal holds `key:`, values and commas.
    fn is_literal(&self) -> bool {
        let next = self.tokens.get(self.at + 1);
        let then = self.tokens.get(self.at + 2);
        match (next, then) {
            (Some(Token::Sign("}" | "{" | "&" | "[")), _)
            | (Some(Token::Text(_) | Token::Number(_)), _) => true,
            (Some(Token::Word(_)), Some(Token::Sign(sign))) => {
                matches!(*sign, ":" | "," | "}" | "." | "(" | "{")
            }
            _ => false,
        }
    }

    fn primary(&mut self) -> Option<Expr> {
        let token = self.peek()?;
        match token {
            Token::Text(text) => {
                self.at += 1;
                Some(Expr::Text(text.clone()))
            }
            Token::Number(number) => {
                self.at += 1;
                Some(Expr::Number(number.clone()))
            }
            Token::Sign("&" | "*") => {
                self.at += 1;
                self.primary_literal()
            }
            Token::Sign("-") => {
                self.at += 1;
                Some(Expr::Negative(Box::new(self.primary()?)))
            }
            Token::Sign("(") => {
                self.at += 1;
                let inner = self.expression()?;
                self.take(")")?;
                Some(inner)
            }
            Token::Word(word) if word == "func" => self.function(),
            Token::Word(word) if word == "map" || word == "struct" => self.primary_literal(),
            Token::Sign("[") => self.primary_literal(),
            Token::Word(word) => {
                self.at += 1;
                Some(Expr::Name(word.clone()))
            }
            Token::Sign(_) => None,
        }
    }

    /// A type with its literal or what is converted to it.
    fn primary_literal(&mut self) -> Option<Expr> {
        let kind = self.kind()?;
        if self.is("{") {
            return Some(Expr::Composite(kind, self.elements()?));
        }
        let mut arguments = self.arguments()?;
        (arguments.len() == 1).then(|| Expr::Convert(kind, Box::new(arguments.remove(0))))
    }

    fn function(&mut self) -> Option<Expr> {
        self.at += 1;
        self.skip("(", ")")?;
        while !self.is("{") {
            self.peek()?;
            self.at += 1;
        }
        self.skip("{", "}")?;
        Some(Expr::Function)
    }

    fn kind(&mut self) -> Option<String> {
        if self.take("*").is_some() {
            return Some(format!("*{}", self.kind()?));
        }
        if self.take("[").is_some() {
            while !self.is("]") {
                self.peek()?;
                self.at += 1;
            }
            self.at += 1;
            return Some(format!("[]{}", self.kind()?));
        }
        let word = self.word()?;
        self.at += 1;
        match word {
            "map" => {
                self.take("[")?;
                let key = self.kind()?;
                self.take("]")?;
                Some(format!("map[{key}]{}", self.kind()?))
            }
            "struct" | "interface" => {
                self.skip("{", "}")?;
                Some(word.to_owned())
            }
            "func" => {
                self.skip("(", ")")?;
                Some("func".to_owned())
            }
            _ => {
                let mut name = word.to_owned();
                while self.take(".").is_some() {
                    name = format!("{name}.{}", self.word()?);
                    self.at += 1;
                }
                Some(name)
            }
        }
    }

    fn arguments(&mut self) -> Option<Vec<Expr>> {
        self.take("(")?;
        let mut out = Vec::new();
        while self.take(")").is_none() {
            // `make([]string, n)` names a type where a value may stand.
            let before = self.at;
            if let Some(value) = self.expression() {
                out.push(value);
            } else {
                self.at = before;
                self.kind()?;
            }
            let _ = self.take("...");
            let _ = self.take(",");
        }
        Some(out)
    }

    fn elements(&mut self) -> Option<Vec<(Option<Expr>, Expr)>> {
        self.take("{")?;
        let mut out = Vec::new();
        while self.take("}").is_none() {
            let first = self.element()?;
            if self.take(":").is_some() {
                out.push((Some(first), self.element()?));
            } else {
                out.push((None, first));
            }
            let _ = self.take(",");
        }
        Some(out)
    }

    fn element(&mut self) -> Option<Expr> {
        if self.is("{") {
            return Some(Expr::Composite(String::new(), self.elements()?));
        }
        self.expression()
    }
}

fn named(base: &Expr) -> Option<String> {
    match base {
        Expr::Name(name) => Some(name.clone()),
        Expr::Select(package, name) => Some(format!("{}.{name}", named(package)?)),
        _ => None,
    }
}
