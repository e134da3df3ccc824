//! Everyday text and actions, read straight from the bytes.
//!
//! What is accepted here compiles to what the scanner and the state machine of `pipeline.rs` make of it,
//! to the last table entry: the two share what emits code, and differ in how they read. Whatever is
//! unusual or wrong is left to those, from the start of the action or pipeline, with no trace.

use super::command::{Base, Command, First, Operand, Pipe};
use super::lexer::{has_left_trim_marker, has_right_trim_marker, is_space, skip_space, skip_word};
use super::parser::{Parsed, Parser};
use super::token::{Token, TokenKind};
use super::tree::{TreeKind, Var};
use crate::compile::program::{Literal, NO_SITE, Op, Site, SiteKind};
use bowsprit_value::{Str, strconv};

/// How deep parentheses nest before the machine takes over, which needs no stack.
const DEPTH: usize = 16;

/// How long the tables were before a pipeline.
struct Mark {
    sites: usize,
    idents: usize,
    consts: usize,
    names: usize,
    types: usize,
    messages: usize,
    literals: usize,
    methods: usize,
    code: usize,
    vars: usize,
    next_slot: u32,
    slots: u32,
}

/// What ends a pipeline.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Paren,
    Delim,
}

impl Parser<'_> {
    /// Reads the text or the action that comes next, if it is of the everyday kind.
    pub(super) fn quick_step(&mut self) -> Parsed<bool> {
        if !self.quick || self.tree.peeked > 0 || !self.lexer.in_text() {
            return Ok(false);
        }
        let Some(offset) = self.lexer.find_left_delim() else { return Ok(false) };
        let from = self.lexer.position();
        let delim = from + offset;
        let trims = has_left_trim_marker(self.source.get(delim + 2..).unwrap_or_default());
        if offset > 0 {
            self.quick_text(from, delim, trims);
            self.lexer.go_to(delim, false);
        }
        let inside = delim + if trims { 4 } else { 2 };
        if self.source.get(inside..).is_some_and(|rest| rest.starts_with(b"/*")) {
            return Ok(self.quick_comment(inside));
        }
        self.quick_action(delim, inside)
    }

    fn quick_text(&mut self, from: usize, delim: usize, trims: bool) {
        let mut text = self.source.get(from..delim).unwrap_or_default();
        if trims {
            while let Some((last, rest)) = text.split_last()
                && is_space(*last)
            {
                text = rest;
            }
        }
        if !text.is_empty() {
            self.emit_text(from as u32, (from + text.len()) as u32);
        }
    }

    fn quick_comment(&mut self, inside: usize) -> bool {
        let body = self.source.get(inside + 2..).unwrap_or_default();
        let Some(offset) = memchr::memmem::find(body, b"*/") else { return false };
        match self.right_delim(inside + 2 + offset + 2) {
            Some((_, end)) => {
                self.lexer.go_to(end, false);
                true
            }
            None => false,
        }
    }

    /// Where the right delimiter starts and what follows it begins, if there is one at `at`.
    fn right_delim(&self, at: usize) -> Option<(usize, usize)> {
        let rest = self.source.get(at..)?;
        if rest.starts_with(b"}}") {
            return Some((at, at + 2));
        }
        if has_right_trim_marker(rest) && rest.get(2..)?.starts_with(b"}}") {
            return Some((at + 2, skip_space(self.source, at + 4)));
        }
        None
    }

    /// As [`Parser::right_delim`], with any white space before it.
    fn spaced_right_delim(&self, at: usize) -> Option<(usize, usize)> {
        let end = skip_space(self.source, at);
        match self.source.get(end)? {
            b'}' => self.right_delim(end),
            b'-' if end > at => self.right_delim(end - 1),
            _ => None,
        }
    }

    /// Ends an action as the scanner does when it has read the right delimiter.
    fn end_action(&mut self, (start, next): (usize, usize)) {
        let (start, end) = (start as u32, start as u32 + 2);
        self.tree.tokens[0] = Token { kind: TokenKind::RightDelim, start, end };
        self.lexer.go_to(next, false);
    }

    fn quick_action(&mut self, delim: usize, inside: usize) -> Parsed<bool> {
        let at = skip_space(self.source, inside);
        let after = skip_word(self.source, at);
        let word = self.source.get(at..after).unwrap_or_default();
        match word {
            b"end" => {
                let Some(end) = self.spaced_right_delim(after) else { return Ok(false) };
                if self.tree.controls.is_empty() && self.tree.kind == TreeKind::Root {
                    return Ok(false);
                }
                self.end_action(end);
                self.close_control()?;
            }
            b"else" => {
                let Some(end) = self.spaced_right_delim(after) else { return Ok(false) };
                if self.tree.controls.last().is_none_or(|control| control.in_else) {
                    return Ok(false);
                }
                self.end_action(end);
                self.else_branch(TokenKind::RightDelim)?;
                self.tree.action = None;
            }
            b"if" | b"with" | b"range" | b"define" | b"template"
                if self.source.get(after).is_none_or(|b| !is_space(*b)) =>
            {
                return Ok(false);
            }
            b"if" | b"with" | b"range" => {
                self.begin_action(delim, after);
                self.tree.blank = false;
                self.control(match word {
                    b"if" => TokenKind::If,
                    b"with" => TokenKind::With,
                    _ => TokenKind::Range,
                })?;
            }
            b"define" => return Ok(self.quick_define(after)),
            b"template" => return self.quick_template(delim, after),
            b"block" | b"break" | b"continue" => return Ok(false),
            _ => {
                self.begin_action(delim, inside);
                self.tree.blank = false;
                let declares = self.pipeline("command", TokenKind::RightDelim)?;
                self.tree.emit_plain(if declares { Op::Pop } else { Op::Print });
                self.tree.action = None;
            }
        }
        Ok(true)
    }

    fn begin_action(&mut self, delim: usize, at: usize) {
        self.tree.action = Some(delim as u32);
        self.lexer.go_to(at, true);
    }

    /// A literal in double quotes that stands for its own bytes: the place behind it, and the bytes.
    fn plain_string(&self, at: usize) -> Option<(usize, &[u8])> {
        if self.source.get(at) != Some(&b'"') {
            return None;
        }
        let inner = self.source.get(at + 1..)?;
        let len =
            inner.iter().position(|b| matches!(b, b'"' | b'\\') || !(b' '..=b'~').contains(b))?;
        (inner.get(len) == Some(&b'"'))
            .then(|| (at + len + 2, inner.get(..len).unwrap_or_default()))
    }

    fn quick_define(&mut self, after: usize) -> bool {
        if self.tree.kind != TreeKind::Root || !self.tree.controls.is_empty() {
            return false;
        }
        let at = skip_space(self.source, after);
        let Some((after, name)) = self.plain_string(at) else { return false };
        let Some(end) = self.spaced_right_delim(after) else { return false };
        let name = Str::from(name);
        self.push_tree(TreeKind::Define, name);
        self.end_action(end);
        true
    }

    fn quick_template(&mut self, delim: usize, after: usize) -> Parsed<bool> {
        let at = skip_space(self.source, after);
        let Some((after, name)) = self.plain_string(at) else { return Ok(false) };
        let (start, end) = (at as u32, after as u32);
        if self.source.get(after).is_none_or(|b| !is_space(*b) && *b != b'}') {
            return Ok(false);
        }
        let name = Str::from(name);
        let delim_end = self.spaced_right_delim(after);
        self.tree.blank = false;
        let site = self.unit.sites.len() as u32;
        self.unit.sites.push(Site { kind: SiteKind::Template, pos: start, start, end });
        let number = self.name(name);
        self.tree.emit(Op::FindTemplate(number), site);
        if let Some(end) = delim_end {
            self.end_action(end);
            self.tree.emit_plain(Op::Invalid);
        } else {
            self.begin_action(delim, after);
            self.template_argument("template clause", site)?;
        }
        self.tree.emit(Op::Template(number), NO_SITE);
        self.tree.action = None;
        Ok(true)
    }

    fn mark(&self) -> Mark {
        let unit = &self.unit;
        Mark {
            sites: unit.sites.len(),
            idents: unit.tables.idents.len(),
            consts: unit.tables.consts.len(),
            names: unit.tables.names.len(),
            types: unit.tables.types.len(),
            messages: unit.tables.messages.len(),
            literals: unit.tables.literals.len(),
            methods: unit.tables.methods.len(),
            code: self.tree.code.len(),
            vars: self.tree.vars.len(),
            next_slot: self.tree.next_slot,
            slots: self.tree.slots,
        }
    }

    #[cold]
    fn reset(&mut self, mark: &Mark) {
        let unit = &mut self.unit;
        unit.sites.truncate(mark.sites);
        unit.tables.idents.truncate(mark.idents);
        unit.tables.consts.truncate(mark.consts);
        unit.tables.names.truncate(mark.names);
        unit.tables.types.truncate(mark.types);
        unit.tables.messages.truncate(mark.messages);
        unit.tables.literals.truncate(mark.literals);
        unit.tables.methods.truncate(mark.methods);
        self.tree.code.truncate(mark.code);
        self.tree.vars.truncate(mark.vars);
        (self.tree.next_slot, self.tree.slots) = (mark.next_slot, mark.slots);
    }

    /// Reads a pipeline up to the right delimiter, if it is of the everyday kind: what it declares, and
    /// whether it assigns instead.
    pub(super) fn quick_pipeline(&mut self, context: &str) -> Option<(Vec<usize>, bool)> {
        if !self.quick || self.tree.peeked > 0 {
            return None;
        }
        let mark = self.mark();
        let mut at = skip_space(self.source, self.lexer.position());
        let found = self.quick_outer(&mut at, context);
        if found.is_none() {
            self.reset(&mark);
        }
        found
    }

    fn quick_outer(&mut self, at: &mut usize, context: &str) -> Option<(Vec<usize>, bool)> {
        let mut pipe = self.quick_pipe(*at, context);
        self.quick_declarations(at, &mut pipe)?;
        let end = self.quick_commands(at, &mut pipe, End::Delim, DEPTH)?;
        self.end_action(end);
        Some((pipe.decls, pipe.assigns))
    }

    fn quick_pipe<'c>(&mut self, start: usize, context: &'c str) -> Pipe<'c> {
        let start = start as u32;
        let site = self.site(start, start, start);
        let code = self.tree.code.len();
        Pipe {
            context,
            end: TokenKind::RightDelim,
            site,
            code,
            decls: Vec::new(),
            assigns: false,
            commands: 0,
            bad_stage: None,
            command: Command::new(start, code, false),
            operand: Operand::Dot { site: NO_SITE },
            paren: start,
        }
    }

    /// Reads `$x :=`, `$x =` and, for loops, `$i, $x :=`.
    fn quick_declarations(&mut self, at: &mut usize, pipe: &mut Pipe<'_>) -> Option<()> {
        loop {
            if self.source.get(*at) != Some(&b'$') {
                return pipe.decls.is_empty().then_some(());
            }
            let end = skip_word(self.source, *at + 1);
            let next = skip_space(self.source, end);
            match self.source.get(next)? {
                b':' if self.source.get(next + 1) == Some(&b'=') => {}
                // Such a variable runs into the sign, which the scanner refuses.
                b'=' if next > end => pipe.assigns = true,
                b',' if pipe.context == "range" && pipe.decls.is_empty() => {}
                _ => return pipe.decls.is_empty().then_some(()),
            }
            pipe.decls.push(self.tree.vars.len());
            let name = Str::from(self.source.get(*at..end)?);
            self.tree.vars.push(Var { name, slot: None });
            let sign = self.source.get(next)?;
            *at = skip_space(self.source, next + if *sign == b':' { 2 } else { 1 });
            if *sign != b',' {
                return Some(());
            }
        }
    }

    /// Reads commands up to the end; gives where it starts and what follows it begins.
    fn quick_commands(
        &mut self,
        at: &mut usize,
        pipe: &mut Pipe<'_>,
        end: End,
        depth: usize,
    ) -> Option<(usize, usize)> {
        loop {
            let piped = pipe.commands > 0;
            pipe.command.begin(*at as u32, self.tree.code.len(), piped);
            loop {
                self.quick_operand(at, &mut pipe.command, depth)?;
                let next = skip_space(self.source, *at);
                let close = match self.source.get(next)? {
                    b'|' => {
                        self.finish_command(pipe);
                        *at = skip_space(self.source, next + 1);
                        break;
                    }
                    b')' if end == End::Paren => Some((next, next + 1)),
                    b'}' if end == End::Delim => Some(self.right_delim(next)?),
                    b'-' if end == End::Delim && next > *at => self.right_delim(next - 1),
                    _ if next > *at => None,
                    _ => return None,
                };
                *at = next;
                if close.is_some() {
                    self.finish_command(pipe);
                    self.finish_pipe(pipe).ok()?;
                    return close;
                }
            }
        }
    }

    fn quick_operand(&mut self, at: &mut usize, command: &mut Command, depth: usize) -> Option<()> {
        let start = *at;
        let span = |end: usize| (start as u32, end as u32);
        let mut operand = match *self.source.get(start)? {
            b'.' => {
                let end = skip_word(self.source, start + 1);
                if end == start + 1 {
                    Operand::Dot { site: self.site(start as u32, start as u32, end as u32) }
                } else if self.source.get(start + 1).is_some_and(u8::is_ascii_digit) {
                    return None;
                } else {
                    let mut path = self.open_path();
                    let span = span(end);
                    self.push_name(&mut path, span).ok()?;
                    let site = self.site(span.0, span.0, span.1);
                    Operand::Fields { base: Base::Dot, path, site, span }
                }
            }
            b'$' => {
                let end = skip_word(self.source, start + 1);
                let name = self.source.get(start..end)?;
                if !self.tree.vars.iter().any(|v| v.name.as_bytes() == name) {
                    return None;
                }
                Operand::Var {
                    site: self.site(start as u32, start as u32, end as u32),
                    span: span(end),
                }
            }
            b'(' => {
                let depth = depth.checked_sub(1)?;
                if !matches!(command.first, First::None) {
                    self.begin_argument(command).ok()?;
                }
                *at = skip_space(self.source, start + 1);
                let mut pipe = self.quick_pipe(*at, "parenthesized pipeline");
                let (_, end) = self.quick_commands(at, &mut pipe, End::Paren, depth)?;
                Operand::Pipe { span: span(end) }
            }
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => self.quick_word(start)?,
            b'"' | b'`' => self.quick_string(start)?,
            b'0'..=b'9' => self.quick_number(start)?,
            _ => return None,
        };
        let end = match operand {
            Operand::Dot { .. } => start as u32 + 1,
            _ => operand.span(&self.unit.sites).1,
        };
        *at = end as usize;
        if self.source.get(*at) == Some(&b'.') {
            operand = self.quick_fields(at, command, operand)?;
        }
        self.append(command, operand).ok()
    }

    /// Reads the fields behind a term.
    fn quick_fields(
        &mut self,
        at: &mut usize,
        command: &mut Command,
        operand: Operand,
    ) -> Option<Operand> {
        let pos = *at as u32;
        let mut path = match &operand {
            Operand::Fields { path, .. } => *path,
            Operand::Var { .. } | Operand::Pipe { .. } => self.open_path(),
            _ => return None,
        };
        while self.source.get(*at) == Some(&b'.') {
            let end = skip_word(self.source, *at + 1);
            if end == *at + 1 || self.source.get(*at + 1).is_some_and(u8::is_ascii_digit) {
                return None;
            }
            self.push_name(&mut path, (*at as u32, end as u32)).ok()?;
            *at = end;
        }
        self.chain(command, operand, path, pos, *at as u32).ok()
    }

    fn quick_word(&mut self, start: usize) -> Option<Operand> {
        let end = skip_word(self.source, start);
        let word = self.source.get(start..end)?;
        let span = (start as u32, end as u32);
        let literal = match word {
            b"true" => Literal::Bool(true),
            b"false" => Literal::Bool(false),
            b"nil" => Literal::Nil,
            _ => {
                // No function has the name of a keyword.
                let number = self.functions.number(word)?;
                if super::token::keyword(word).is_some() {
                    return None;
                }
                let site = self.site(span.0, span.0, span.1);
                return Some(Operand::Func { number, site, span });
            }
        };
        let site = self.site(span.0, span.0, span.1);
        Some(Operand::Literal { literal, site, span })
    }

    fn quick_string(&mut self, start: usize) -> Option<Operand> {
        let (end, text) = if let Some((end, plain)) = self.plain_string(start) {
            (end, Str::from(plain))
        } else {
            let end = self.quoted_end(start)?;
            let literal = self.source.get(start..end)?;
            match strconv::unquote_plain(literal) {
                Some(plain) => (end, Str::from(plain)),
                None => (end, Str::from(strconv::unquote(literal)?)),
            }
        };
        let span = (start as u32, end as u32);
        let site = self.site(span.0, span.0, span.1);
        Some(Operand::Literal { literal: Literal::String(text), site, span })
    }

    /// The place behind a quoted literal.
    fn quoted_end(&self, start: usize) -> Option<usize> {
        let mut at = start + 1;
        if self.source.get(start) == Some(&b'`') {
            return Some(at + memchr::memchr(b'`', self.source.get(at..)?)? + 1);
        }
        loop {
            match self.source.get(at)? {
                b'"' => return Some(at + 1),
                b'\n' => return None,
                b'\\' => match self.source.get(at + 1)? {
                    b'\n' => return None,
                    _ => at += 2,
                },
                _ => at += 1,
            }
        }
    }

    /// Reads a decimal whole number without sign.
    fn quick_number(&mut self, start: usize) -> Option<Operand> {
        let end = skip_word(self.source, start);
        let digits = self.source.get(start..end)?;
        if digits.len() > 15 || (digits.len() > 1 && digits.first() == Some(&b'0')) {
            return None;
        }
        let mut value = 0_i64;
        for digit in digits {
            if !digit.is_ascii_digit() {
                return None;
            }
            value = value * 10 + i64::from(digit - b'0');
        }
        let span = (start as u32, end as u32);
        let site = self.site(span.0, span.0, span.1);
        let literal = Literal::Whole(value);
        Some(Operand::Literal { literal, site, span })
    }
}

#[cfg(test)]
mod tests {
    use super::super::parser::compile_with;
    use crate::compile::program::Source;
    use crate::funcs::{Functions, INCLUDE, TPL};
    use bowsprit_value::{Func, FuncImpl, Type};

    const fn takes_all(name: &'static str) -> Func {
        let (params, body) = (&[Type::Any], FuncImpl::Engine(0));
        Func { name, params, variadic: true, result: Type::Any, body }
    }

    static OTHERS: &[Func] = &[
        takes_all("default"),
        takes_all("toYaml"),
        takes_all("nindent"),
        takes_all("quote"),
        takes_all("dict"),
        takes_all("list"),
        takes_all("trunc"),
    ];

    fn functions() -> Functions {
        let mut functions = Functions::builtins();
        functions.extend([&INCLUDE, &TPL]);
        functions.extend(OTHERS);
        functions
    }

    /// What both ways of reading make of a text: the tables and code, or the error.
    fn both(text: &[u8]) -> [String; 2] {
        let (functions, source) = (functions(), Source::new(text.to_vec()));
        [true, false].map(|quick| format!("{:?}", compile_with("t", &source, &functions, quick)))
    }

    /// Pieces of templates that are put together in every way that comes up.
    const PIECES: &[&str] = &[
        "{{",
        "{{- ",
        "{{-",
        "}}",
        " -}}",
        "-}}",
        " ",
        "\n",
        "\t ",
        "-",
        "if",
        "else",
        "else if",
        "end",
        "with",
        "range",
        "define",
        "template",
        "block",
        "break",
        "continue",
        "true",
        "nil",
        "$",
        "$x",
        "$x := ",
        "$x = ",
        "$x:=",
        "$x=",
        "$i, $x := ",
        ", ",
        ".",
        ".a",
        ".a.b",
        ".Values.x-y",
        "..",
        ".1",
        "(",
        ")",
        "|",
        " | ",
        "\"d\"",
        "\"a\\n\"",
        "\"\\q\"",
        "\"é\"",
        "\"",
        "`r`",
        "`r\n`",
        "`",
        "0",
        "1",
        "007",
        "1.5",
        "1e3",
        "-1",
        "'c'",
        "include",
        "printf \"%s\"",
        "default",
        "and",
        "or",
        "index",
        "nosuch",
        "not",
        "x",
        "text",
        "é",
        "/*c*/",
        "{{/* c */}}",
        "{{- /* c */ -}}",
        "=",
        ":=",
        "{",
        "}",
        "{{ end }}",
        "{{ . }}",
        "{{ if .a }}",
        "{{ $x := 1 }}",
        "{{ else }}",
        "{{ range $x := .l }}",
        "{{ define \"d\" }}",
        "{{ template \"d\" . }}",
        "{{ (index .a 1).b | quote }}",
    ];

    #[test]
    fn both_ways_compile_alike() {
        let mut seed = 7_u64;
        let mut random = |below: usize| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        let mut good = 0;
        for _ in 0..30_000 {
            let mut text = String::new();
            if random(2) == 0 {
                for _ in 0..random(12) {
                    text += PIECES[random(PIECES.len())];
                }
            } else {
                // Words between delimiters are right more often.
                for _ in 0..=random(4) {
                    text += ["{{ ", "{{- ", "a {{"][random(3)];
                    for _ in 0..random(6) {
                        text += PIECES[9 + random(PIECES.len() - 9)];
                        text += [" ", ""][random(2)];
                    }
                    text += ["}}", " }}", " -}} b"][random(3)];
                }
            }
            let [quick, plain] = both(text.as_bytes());
            assert_eq!(quick, plain, "{text:?}");
            good += usize::from(quick.starts_with("Ok"));
        }
        assert!(good > 1_000, "{good}");
    }
}
