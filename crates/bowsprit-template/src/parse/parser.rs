//! Templates, definitions and control structures.

use super::lexer::Lexer;
use super::token::{Token, TokenKind};
use super::tree::{Control, ControlKind, Tree, TreeKind};
use crate::compile::program::{
    Body, Code, Ident, Literal, LoopVars, MethodCall, NO_SITE, Op, ParseError, Path, Site,
    SiteKind, Source, Unit,
};
use crate::funcs::Functions;
use bowsprit_value::{Str, Type, Value, strconv, unicode};
use std::collections::HashMap;
use std::sync::Arc;

/// Errors are boxed, so that what goes right is handed over in registers.
pub(super) type Parsed<T> = Result<T, Box<ParseError>>;

/// Compiles a template text.
///
/// `name` is what a parse error's position begins with; the unit itself knows no name.
///
/// # Errors
///
/// Fails with Go's words where the text can't be parsed or calls an unknown function.
///
/// ```
/// use bowsprit_template::{Functions, compile};
///
/// let functions = Functions::builtins();
/// let unit = compile("greet", b"{{ define \"x\" }}x{{ end }}hello", &functions)?;
/// assert_eq!(unit.defines().count(), 1);
/// let error = compile("greet", b"{{ if }}", &functions).unwrap_err();
/// assert_eq!(error.to_string(), "template: greet:1: missing value for if");
/// # Ok::<(), bowsprit_template::ParseError>(())
/// ```
pub fn compile(name: &str, text: &[u8], functions: &Functions) -> Result<Unit, ParseError> {
    compile_source(name, &Source::new(text.to_vec()), functions)
}

/// As [`compile()`], without a copy of the text.
///
/// # Errors
///
/// As [`compile()`].
pub fn compile_source(
    name: &str,
    source: &Source,
    functions: &Functions,
) -> Result<Unit, ParseError> {
    compile_with(name, source, functions, true)
}

pub(super) fn compile_with(
    name: &str,
    source: &Source,
    functions: &Functions,
    quick: bool,
) -> Result<Unit, ParseError> {
    let text: &[u8] = source;
    let mut parser = Parser {
        source: text,
        lexer: Lexer::new(text),
        functions,
        unit: Unit::new(source.clone()),
        name,
        by_name: HashMap::new(),
        tree: Tree::new(TreeKind::Root, Str::default()),
        outer: Vec::new(),
        quick,
    };
    if u32::try_from(text.len()).is_err() {
        return Err(*parser.error("template text is too large"));
    }
    // What charts' templates have on average, so that tables rarely move.
    let expected = text.len().min(1 << 18);
    parser.unit.sites.reserve(expected / 32);
    parser.unit.tables.idents.reserve(expected / 64);
    parser.unit.tables.consts.reserve(expected / 128);
    match parser.parse() {
        Ok(()) => {
            let mut unit = parser.unit;
            unit.sites.shrink_to_fit();
            unit.tables.idents.shrink_to_fit();
            unit.tables.consts.shrink_to_fit();
            Ok(unit)
        }
        Err(error) => Err(*error),
    }
}

pub(super) struct Parser<'s> {
    pub(super) source: &'s [u8],
    pub(super) lexer: Lexer<'s>,
    pub(super) functions: &'s Functions,
    pub(super) unit: Unit,
    name: &'s str,
    by_name: HashMap<Str, usize>,
    pub(super) tree: Tree,
    outer: Vec<Tree>,
    /// Whether `quick` may read what it can.
    pub(super) quick: bool,
}

impl<'s> Parser<'s> {
    // Tokens, with Go's look-ahead of three.

    pub(super) fn next(&mut self) -> Token {
        let tree = &mut self.tree;
        if tree.peeked > 0 {
            tree.peeked -= 1;
        } else {
            tree.tokens[0] = self.lexer.next_token();
        }
        tree.tokens[tree.peeked]
    }

    pub(super) fn backup(&mut self) {
        self.tree.peeked = (self.tree.peeked + 1).min(3);
    }

    pub(super) fn backup2(&mut self, first: Token) {
        self.tree.tokens[1] = first;
        self.tree.peeked = 2;
    }

    pub(super) fn backup3(&mut self, first: Token, second: Token) {
        self.tree.tokens[1] = second;
        self.tree.tokens[2] = first;
        self.tree.peeked = 3;
    }

    pub(super) fn peek(&mut self) -> Token {
        if self.tree.peeked > 0 {
            return self.tree.tokens[self.tree.peeked - 1];
        }
        self.tree.peeked = 1;
        self.tree.tokens[0] = self.lexer.next_token();
        self.tree.tokens[0]
    }

    pub(super) fn next_non_space(&mut self) -> Token {
        loop {
            let token = self.next();
            if token.kind != TokenKind::Space {
                return token;
            }
        }
    }

    pub(super) fn peek_non_space(&mut self) -> Token {
        let token = self.next_non_space();
        self.backup();
        token
    }

    pub(super) fn text(&self, token: Token) -> &'s [u8] {
        self.source.get(token.start as usize..token.end as usize).unwrap_or_default()
    }

    // Errors.

    #[cold]
    pub(super) fn error(&self, message: impl Into<String>) -> Box<ParseError> {
        Box::new(ParseError {
            name: self.name.to_owned(),
            line: self.line(self.tree.tokens[0].start),
            message: message.into(),
            started: None,
        })
    }

    /// The line of a byte, from 1. Only errors ask for lines, so none are counted before.
    fn line(&self, offset: u32) -> u32 {
        let before = self.source.get(..offset as usize).unwrap_or_default();
        1 + memchr::memchr_iter(b'\n', before).count() as u32
    }

    #[cold]
    pub(super) fn unexpected(&self, token: Token, context: &str) -> Box<ParseError> {
        if token.kind != TokenKind::Error {
            return self.error(format!("unexpected {} in {context}", self.describe(token)));
        }
        let message = self.lexer.error();
        let mut error = self.error(message);
        let began = self.tree.action.map(|start| self.line(start));
        error.started = began.filter(|line| *line != self.line(token.start));
        error
    }

    fn describe(&self, token: Token) -> String {
        let text = self.text(token);
        match token.kind {
            TokenKind::Eof => "EOF".into(),
            TokenKind::Error => self.lexer.error().into(),
            kind if kind > TokenKind::Keyword => format!("<{}>", String::from_utf8_lossy(text)),
            _ if text.len() > 10 => {
                let short = first_runes(text, 10);
                format!("{}...", String::from_utf8_lossy(&strconv::quote(short)))
            }
            _ => String::from_utf8_lossy(&strconv::quote(text)).into_owned(),
        }
    }

    pub(super) fn expect(&mut self, kind: TokenKind, context: &str) -> Parsed<Token> {
        let token = self.next_non_space();
        if token.kind == kind { Ok(token) } else { Err(self.unexpected(token, context)) }
    }

    // Tables of the unit.

    pub(super) fn site(&mut self, pos: u32, start: u32, end: u32) -> u32 {
        self.unit.sites.push(Site { kind: SiteKind::Node, pos, start, end });
        self.unit.sites.len() as u32 - 1
    }

    pub(super) fn constant(&mut self, value: Value) -> u32 {
        self.unit.tables.consts.push(value);
        self.unit.tables.consts.len() as u32 - 1
    }

    /// Begins a path at the names that are going to be pushed.
    pub(super) fn open_path(&self) -> Path {
        Path { start: self.unit.tables.idents.len() as u32, len: 0 }
    }

    /// Adds the name of a field, whose span begins with its dot, to a path, which must be the last one
    /// begun.
    pub(super) fn push_name(&mut self, path: &mut Path, (start, end): (u32, u32)) -> Parsed<()> {
        self.unit.tables.idents.push(Ident { start: start + 1, end });
        path.len = path.len.checked_add(1).ok_or_else(|| self.error("too many fields"))?;
        Ok(())
    }

    pub(super) fn name(&mut self, name: Str) -> u32 {
        self.unit.tables.names.push(name);
        self.unit.tables.names.len() as u32 - 1
    }

    pub(super) fn ty(&mut self, ty: Type) -> u32 {
        match self.unit.tables.types.iter().position(|t| *t == ty) {
            Some(i) => i as u32,
            None => {
                self.unit.tables.types.push(ty);
                self.unit.tables.types.len() as u32 - 1
            }
        }
    }

    pub(super) fn literal(&mut self, literal: Literal) -> u32 {
        self.unit.tables.literals.push(literal);
        self.unit.tables.literals.len() as u32 - 1
    }

    pub(super) fn method(&mut self, method: MethodCall) -> u32 {
        self.unit.tables.methods.push(method);
        self.unit.tables.methods.len() as u32 - 1
    }

    pub(super) fn fail(&mut self, message: String, site: u32) {
        self.unit.tables.messages.push(message);
        let number = self.unit.tables.messages.len() as u32 - 1;
        self.tree.emit(Op::Fail(number), site);
    }

    fn patch(&mut self, at: usize) {
        self.tree.patch(at, &mut self.unit.tables.loops);
    }

    // Grammar.

    fn parse(&mut self) -> Parsed<()> {
        loop {
            if self.quick_step()? {
                continue;
            }
            if self.tree.kind == TreeKind::Root && self.tree.controls.is_empty() {
                let token = self.peek();
                if token.kind == TokenKind::Eof {
                    break;
                }
                if token.kind == TokenKind::LeftDelim && self.starts_definition()? {
                    continue;
                }
            } else if self.peek_non_space().kind == TokenKind::Eof {
                return Err(self.error("unexpected EOF"));
            }
            self.text_or_action()?;
        }
        let tree = std::mem::replace(&mut self.tree, Tree::new(TreeKind::Root, Str::default()));
        self.add(tree)
    }

    fn starts_definition(&mut self) -> Parsed<bool> {
        const CONTEXT: &str = "define clause";
        let delim = self.next();
        if self.next_non_space().kind != TokenKind::Define {
            self.backup2(delim);
            return Ok(false);
        }
        self.push_tree(TreeKind::Define, Str::from_static("definition"));
        let token = self.next_non_space();
        if !matches!(token.kind, TokenKind::String | TokenKind::RawString) {
            return Err(self.unexpected(token, CONTEXT));
        }
        self.tree.name = self.unquoted(token)?;
        self.expect(TokenKind::RightDelim, CONTEXT)?;
        Ok(true)
    }

    pub(super) fn push_tree(&mut self, kind: TreeKind, name: Str) {
        let outer = std::mem::replace(&mut self.tree, Tree::new(kind, name));
        self.outer.push(outer);
    }

    fn pop_tree(&mut self) -> Parsed<()> {
        if let Some(outer) = self.outer.pop() {
            let tree = std::mem::replace(&mut self.tree, outer);
            let outer_tokens = std::mem::replace(&mut self.tree.tokens, tree.tokens);
            self.add(tree)?;
            self.tree.tokens = outer_tokens;
            self.tree.action = None;
        }
        Ok(())
    }

    /// Adds a finished template; a blank one never replaces another.
    fn add(&mut self, mut tree: Tree) -> Parsed<()> {
        tree.emit_plain(Op::Return);
        tree.code.shrink_to_fit();
        let body = Arc::new(Body {
            name: tree.name.clone(),
            root: tree.kind == TreeKind::Root,
            code: Code::Made(tree.code),
            slots: tree.slots,
            empty: tree.blank,
        });
        let known = if body.root { None } else { self.by_name.get(&tree.name).copied() };
        match known {
            Some(i) if self.unit.bodies.get(i).is_some_and(|b| !b.empty) => {
                if !body.empty {
                    let quoted = strconv::quote(tree.name.as_bytes());
                    let quoted = String::from_utf8_lossy(&quoted);
                    return Err(
                        self.error(format!("template: multiple definition of template {quoted}"))
                    );
                }
            }
            Some(i) => {
                if let Some(slot) = self.unit.bodies.get_mut(i) {
                    *slot = body;
                }
            }
            None => {
                self.by_name.insert(tree.name, self.unit.bodies.len());
                self.unit.bodies.push(body);
            }
        }
        Ok(())
    }

    fn text_or_action(&mut self) -> Parsed<()> {
        let token = self.next_non_space();
        match token.kind {
            TokenKind::Text => {
                self.emit_text(token.start, token.end);
                Ok(())
            }
            TokenKind::LeftDelim => {
                self.tree.action = Some(token.start);
                self.action()
            }
            _ => Err(self.unexpected(token, "input")),
        }
    }

    pub(super) fn emit_text(&mut self, start: u32, end: u32) {
        if self.tree.blank {
            let text = self.source.get(start as usize..end as usize).unwrap_or_default();
            self.tree.blank = is_blank(text) && self.tree.controls.is_empty();
        }
        self.tree.emit_plain(Op::Text { start, end });
    }

    fn action(&mut self) -> Parsed<()> {
        let token = self.next_non_space();
        match token.kind {
            TokenKind::Block => return self.block_control(),
            TokenKind::Break | TokenKind::Continue => self.break_control(token.kind)?,
            TokenKind::Else => self.else_control()?,
            TokenKind::End => return self.end_control(),
            TokenKind::If | TokenKind::Range | TokenKind::With => {
                self.tree.blank = false;
                return self.control(token.kind);
            }
            TokenKind::Template => self.template_control()?,
            _ => {
                self.backup();
                self.peek();
                self.tree.blank = false;
                let declares = self.pipeline("command", TokenKind::RightDelim)?;
                self.tree.emit_plain(if declares { Op::Pop } else { Op::Print });
            }
        }
        self.tree.action = None;
        Ok(())
    }

    fn break_control(&mut self, kind: TokenKind) -> Parsed<()> {
        let word = if kind == TokenKind::Break { "break" } else { "continue" };
        let token = self.next_non_space();
        if token.kind != TokenKind::RightDelim {
            return Err(self.unexpected(token, &format!("{{{{{word}}}}}")));
        }
        if !self.tree.in_range() {
            return Err(self.error(format!("{{{{{word}}}}} outside {{{{range}}}}")));
        }
        let innermost = self
            .tree
            .controls
            .iter()
            .rposition(|c| matches!(c.kind, ControlKind::Range { .. }) && !c.in_else);
        let Some(at) = innermost else { return Ok(()) };
        let ControlKind::Range { next, with_depth, .. } = self.tree.controls[at].kind else {
            return Ok(());
        };
        for _ in with_depth..self.tree.with_depth {
            self.tree.emit_plain(Op::PopDot);
        }
        if kind == TokenKind::Continue {
            self.tree.emit_plain(Op::Jump(next as u32));
        } else {
            self.tree.emit_plain(Op::RangeEnd);
            let jump = self.tree.emit_plain(Op::Jump(0));
            self.tree.controls[at].to_end.push(jump);
        }
        Ok(())
    }

    pub(super) fn control(&mut self, keyword: TokenKind) -> Parsed<()> {
        let vars = self.tree.vars.len();
        let (kind, to_else) = self.control_head(keyword)?;
        self.tree.controls.push(Control {
            kind,
            vars,
            head_vars: self.tree.vars.len(),
            in_else: false,
            to_else,
            to_end: Vec::new(),
        });
        Ok(())
    }

    /// Reads the pipeline and emits the test. Returns the jump to the else branch.
    fn control_head(&mut self, keyword: TokenKind) -> Parsed<(ControlKind, usize)> {
        match keyword {
            TokenKind::If => {
                self.pipeline("if", TokenKind::RightDelim)?;
                Ok((ControlKind::If, self.tree.emit_test()))
            }
            TokenKind::With => {
                self.pipeline("with", TokenKind::RightDelim)?;
                let jump = self.tree.emit_plain(Op::With(0));
                self.tree.with_depth += 1;
                Ok((ControlKind::With, jump))
            }
            _ => self.range_head(),
        }
    }

    fn range_head(&mut self) -> Parsed<(ControlKind, usize)> {
        let number = self.unit.tables.loops.len() as u32;
        self.unit.tables.loops.push(LoopVars::default());
        self.range_pipeline(number)?;
        let start = self.tree.emit_plain(Op::RangeStart { target: 0, number });
        let next = self.tree.emit_plain(Op::RangeNext(number));
        let with_depth = self.tree.with_depth;
        Ok((ControlKind::Range { next, with_depth }, start))
    }

    /// Emits what ends the true branch: dot goes back, loops go on.
    fn close_branch(&mut self, kind: ControlKind) {
        match kind {
            ControlKind::If => {}
            ControlKind::With => {
                self.tree.with_depth -= 1;
                self.tree.emit_plain(Op::PopDot);
            }
            ControlKind::Range { next, .. } => {
                self.tree.emit_plain(Op::Jump(next as u32));
            }
        }
    }

    fn else_control(&mut self) -> Parsed<()> {
        let peek = self.peek_non_space();
        let chained = matches!(peek.kind, TokenKind::If | TokenKind::With);
        if !chained {
            self.expect(TokenKind::RightDelim, "else")?;
        }
        self.else_branch(peek.kind)
    }

    /// Begins the branch behind `else`; `next` is what follows the word: `if`, `with` or the delimiter.
    pub(super) fn else_branch(&mut self, next: TokenKind) -> Parsed<()> {
        let chained = next != TokenKind::RightDelim;
        let Some(mut control) = self.tree.controls.pop() else {
            return Err(self.else_outside());
        };
        if control.in_else {
            return Err(self.error("expected end; found {{else}}"));
        }
        self.close_branch(control.kind);
        let after = match control.kind {
            ControlKind::Range { next, .. } => {
                // A loop that ran falls out behind the else branch.
                control.to_end.push(next);
                None
            }
            _ => Some(self.tree.emit_plain(Op::Jump(0))),
        };
        control.to_end.extend(after);
        self.patch(control.to_else);
        self.tree.hide_vars(control.head_vars);
        let same = matches!(
            (control.kind, next),
            (ControlKind::If, TokenKind::If) | (ControlKind::With, TokenKind::With)
        );
        if chained && same {
            self.tree.action = None;
            self.next_non_space();
            let (kind, to_else) = self.control_head(next)?;
            control.kind = kind;
            control.head_vars = self.tree.vars.len();
            control.to_else = to_else;
        } else {
            control.in_else = true;
        }
        self.tree.controls.push(control);
        Ok(())
    }

    fn else_outside(&self) -> Box<ParseError> {
        match self.tree.kind {
            TreeKind::Root => self.error("unexpected {{else}}"),
            TreeKind::Define => self.error("unexpected {{else}} in define clause"),
            TreeKind::Block => {
                let mut error = self.error("unexpected {{else}} in block clause");
                // The template that the block stands in complains; it has read no further than the head.
                if let Some(outer) = self.outer.last() {
                    error.line = self.line(outer.tokens[0].start);
                }
                error
            }
        }
    }

    fn end_control(&mut self) -> Parsed<()> {
        self.expect(TokenKind::RightDelim, "end")?;
        self.close_control()
    }

    /// Ends the innermost control structure or definition.
    pub(super) fn close_control(&mut self) -> Parsed<()> {
        self.tree.action = None;
        let Some(control) = self.tree.controls.pop() else {
            if self.tree.kind == TreeKind::Root {
                return Err(self.error("unexpected {{end}}"));
            }
            return self.pop_tree();
        };
        if !control.in_else {
            self.close_branch(control.kind);
            self.patch(control.to_else);
            if let ControlKind::Range { next, .. } = control.kind {
                self.patch(next);
            }
        }
        for jump in control.to_end {
            self.patch(jump);
        }
        self.tree.pop_vars(control.vars);
        Ok(())
    }

    fn block_control(&mut self) -> Parsed<()> {
        let name = self.template_call("block clause", true)?;
        self.push_tree(TreeKind::Block, name);
        Ok(())
    }

    fn template_control(&mut self) -> Parsed<()> {
        self.template_call("template clause", false).map(|_| ())
    }

    /// Reads the name and the pipeline of a `template` or `block`, and emits the call.
    fn template_call(&mut self, context: &str, needs_pipeline: bool) -> Parsed<Str> {
        let token = self.next_non_space();
        if !matches!(token.kind, TokenKind::String | TokenKind::RawString) {
            return Err(self.unexpected(token, context));
        }
        self.tree.blank = false;
        let name = self.unquoted(token)?;
        let site = self.unit.sites.len() as u32;
        self.unit.sites.push(Site {
            kind: SiteKind::Template,
            pos: token.start,
            start: token.start,
            end: token.end,
        });
        let number = self.name(name.clone());
        self.tree.emit(Op::FindTemplate(number), site);
        if needs_pipeline || self.peek_non_space().kind != TokenKind::RightDelim {
            self.template_argument(context, site)?;
        } else {
            self.next_non_space();
            self.tree.emit_plain(Op::Invalid);
        }
        self.tree.emit(Op::Template(number), NO_SITE);
        Ok(name)
    }

    /// Reads the pipeline of a `template` or `block` up to the end of the action.
    pub(super) fn template_argument(&mut self, context: &str, site: u32) -> Parsed<()> {
        self.pipeline(context, TokenKind::RightDelim)?;
        let end = self.before_trim_marker(self.tree.tokens[0].start);
        if let Some(site) = self.unit.sites.get_mut(site as usize) {
            site.end = end.max(site.end);
        }
        Ok(())
    }

    /// Where an action ends whose right delimiter starts here: a trim marker is no part of it.
    fn before_trim_marker(&self, delimiter: u32) -> u32 {
        match self.source.get(..delimiter as usize) {
            Some([.., b' ' | b'\t' | b'\r' | b'\n', b'-']) => delimiter.saturating_sub(1),
            _ => delimiter,
        }
    }

    pub(super) fn unquoted(&self, token: Token) -> Parsed<Str> {
        let text = self.text(token);
        if let Some(plain) = strconv::unquote_plain(text) {
            return Ok(Str::from(plain));
        }
        strconv::unquote(text).map(Str::from).ok_or_else(|| self.error("invalid syntax"))
    }
}

fn first_runes(text: &[u8], count: usize) -> &[u8] {
    let width: usize =
        (0..count).fold(0, |at, _| at + unicode::decode_rune(text.get(at..).unwrap_or_default()).1);
    text.get(..width).unwrap_or(text)
}

/// Whether a text is white space in Go's `bytes.TrimSpace`.
fn is_blank(text: &[u8]) -> bool {
    unicode::runes(text).all(|(rune, _)| unicode::is_space(rune))
}
