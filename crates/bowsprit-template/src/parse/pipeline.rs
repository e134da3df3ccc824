//! Pipelines, commands and operands.

use super::command::{Base, Command, First, Operand, Pipe, State, Step};
use super::literal::literal_value;
use super::parser::{Parsed, Parser};
use super::text::node_text;
use super::token::{Token, TokenKind};
use super::tree::Var;
use crate::compile::program::{ArgSite, Literal, MethodCall, NO_SITE, Number, Op, Path};
use bowsprit_value::{Func, Str, Type};

const MAX_PARENS: u32 = 10_000;

impl Parser<'_> {
    /// Reads a pipeline up to its end token and emits it. Returns whether it declares variables.
    pub(super) fn pipeline(&mut self, context: &str, end: TokenKind) -> Parsed<bool> {
        let (decls, _) = self.run_pipeline(context, end)?;
        Ok(!decls.is_empty())
    }

    /// Reads the pipeline of a `range` and notes which variables its loop sets.
    pub(super) fn range_pipeline(&mut self, number: u32) -> Parsed<()> {
        let (decls, assigns) = self.run_pipeline("range", TokenKind::RightDelim)?;
        let slots: Vec<Option<u32>> = decls.iter().map(|i| self.decl_slot(*i, assigns)).collect();
        if let Some(vars) = self.unit.tables.loops.get_mut(number as usize) {
            vars.count = slots.len() as u8;
            match slots.as_slice() {
                [element] => vars.element = *element,
                [index, element] => (vars.index, vars.element) = (*index, *element),
                _ => {}
            }
        }
        Ok(())
    }

    fn decl_slot(&self, var: usize, assigns: bool) -> Option<u32> {
        let var = self.tree.vars.get(var)?;
        if assigns { self.tree.slot(var.name.as_bytes()) } else { var.slot }
    }

    /// Returns the variables that the pipeline declares, and whether it assigns to them instead.
    fn run_pipeline(&mut self, context: &str, end: TokenKind) -> Parsed<(Vec<usize>, bool)> {
        if let Some(found) = self.quick_pipeline(context) {
            return Ok(found);
        }
        let mut stack = Vec::new();
        let mut pipe = self.open_pipe(context, end, 0);
        let mut state = State::Declarations;
        loop {
            let step = match state {
                State::Declarations => self.declarations(&mut pipe)?,
                State::Commands => self.next_command(&mut pipe)?,
                State::Operand => self.term(&mut pipe)?,
                State::Fields => self.fields(&mut pipe)?,
                State::AfterOperand => self.after_operand(&mut pipe)?,
            };
            state = match step {
                Step::Go(state) => state,
                Step::Open { at } => {
                    if self.tree.parens >= MAX_PARENS {
                        return Err(self.error("max expression depth exceeded"));
                    }
                    self.tree.parens += 1;
                    let inner = self.open_pipe("parenthesized pipeline", TokenKind::RightParen, at);
                    stack.push(std::mem::replace(&mut pipe, inner));
                    State::Declarations
                }
                Step::Close => {
                    let Some(outer) = stack.pop() else { return Ok((pipe.decls, pipe.assigns)) };
                    self.tree.parens -= 1;
                    let close = self.tree.tokens[self.tree.peeked];
                    let span = (pipe.paren, close.end);
                    pipe = outer;
                    pipe.operand = Operand::Pipe { span };
                    State::Fields
                }
            };
        }
    }

    fn open_pipe<'c>(&mut self, context: &'c str, end: TokenKind, paren: u32) -> Pipe<'c> {
        let token = self.peek_non_space();
        let site = self.site(token.start, token.start, token.end);
        Pipe {
            context,
            end,
            site,
            code: self.tree.code.len(),
            decls: Vec::new(),
            assigns: false,
            commands: 0,
            bad_stage: None,
            command: Command::new(token.start, self.tree.code.len(), false),
            operand: Operand::Dot { site: NO_SITE },
            paren,
        }
    }

    fn declarations(&mut self, pipe: &mut Pipe<'_>) -> Parsed<Step> {
        let variable = self.peek_non_space();
        if variable.kind != TokenKind::Variable {
            return Ok(Step::Go(State::Commands));
        }
        self.next();
        let after = self.peek();
        let next = self.peek_non_space();
        let comma = next.kind == TokenKind::Char && self.text(next) == b",";
        if matches!(next.kind, TokenKind::Assign | TokenKind::Declare) {
            pipe.assigns = next.kind == TokenKind::Assign;
            self.next_non_space();
            self.push_decl(pipe, variable);
        } else if comma {
            self.next_non_space();
            self.push_decl(pipe, variable);
            if pipe.context == "range" && pipe.decls.len() < 2 {
                return match self.peek_non_space().kind {
                    TokenKind::Variable | TokenKind::RightDelim | TokenKind::RightParen => {
                        Ok(Step::Go(State::Declarations))
                    }
                    _ => Err(self.error("range can only initialize variables")),
                };
            }
            return Err(self.error(format!("too many declarations in {}", pipe.context)));
        } else if after.kind == TokenKind::Space {
            self.backup3(variable, after);
        } else {
            self.backup2(variable);
        }
        Ok(Step::Go(State::Commands))
    }

    fn push_decl(&mut self, pipe: &mut Pipe<'_>, token: Token) {
        pipe.decls.push(self.tree.vars.len());
        let name = Str::from(self.text(token));
        self.tree.vars.push(Var { name, slot: None });
    }

    fn next_command(&mut self, pipe: &mut Pipe<'_>) -> Parsed<Step> {
        let token = self.next_non_space();
        if token.kind == pipe.end {
            self.finish_pipe(pipe)?;
            return Ok(Step::Close);
        }
        match token.kind {
            TokenKind::Bool
            | TokenKind::CharConstant
            | TokenKind::Complex
            | TokenKind::Dot
            | TokenKind::Field
            | TokenKind::Identifier
            | TokenKind::Number
            | TokenKind::Nil
            | TokenKind::RawString
            | TokenKind::String
            | TokenKind::Variable
            | TokenKind::LeftParen => {
                self.backup();
                let piped = pipe.commands > 0;
                pipe.command.begin(token.start, self.tree.code.len(), piped);
                Ok(Step::Go(State::Operand))
            }
            _ => Err(self.unexpected(token, pipe.context)),
        }
    }

    pub(super) fn finish_pipe(&mut self, pipe: &mut Pipe<'_>) -> Parsed<()> {
        if pipe.commands == 0 {
            return Err(self.error(format!("missing value for {}", pipe.context)));
        }
        if let Some(stage) = pipe.bad_stage {
            return Err(self.error(format!("non executable command in pipeline stage {stage}")));
        }
        for &var in &pipe.decls {
            if !pipe.assigns {
                let slot = self.tree.new_slot();
                if let Some(var) = self.tree.vars.get_mut(var) {
                    var.slot = Some(slot);
                }
                self.tree.emit_plain(Op::DeclareVar(slot));
                continue;
            }
            match self.decl_slot(var, true) {
                Some(slot) => {
                    self.tree.take_only_use(pipe.code, slot);
                    self.tree.emit_plain(Op::SetVar(slot));
                }
                None => {
                    let name = self.tree.vars.get(var).map(|v| v.name.clone()).unwrap_or_default();
                    self.fail(format!("undefined variable: {name}"), NO_SITE);
                }
            }
        }
        Ok(())
    }

    fn term(&mut self, pipe: &mut Pipe<'_>) -> Parsed<Step> {
        let token = self.next_non_space();
        let span = (token.start, token.end);
        pipe.operand = match token.kind {
            TokenKind::Identifier => {
                let name = self.text(token);
                let Some(number) = self.functions.number(name) else {
                    let quoted = bowsprit_value::strconv::quote(name);
                    let quoted = String::from_utf8_lossy(&quoted);
                    return Err(self.error(format!("function {quoted} not defined")));
                };
                let site = self.site(token.start, token.start, token.end);
                Operand::Func { number, site, span }
            }
            TokenKind::Dot => Operand::Dot { site: self.site(token.start, span.0, span.1) },
            TokenKind::Nil => self.literal_operand(Literal::Nil, token),
            TokenKind::Variable => {
                let name = self.text(token);
                if !self.tree.vars.iter().any(|v| v.name.as_bytes() == name) {
                    let quoted = bowsprit_value::strconv::quote(name);
                    let quoted = String::from_utf8_lossy(&quoted);
                    return Err(self.error(format!("undefined variable {quoted}")));
                }
                let site = self.site(token.start, span.0, span.1);
                Operand::Var { site, span }
            }
            TokenKind::Field => {
                let mut path = self.open_path();
                self.push_name(&mut path, (token.start, token.end))?;
                let site = self.site(token.start, span.0, span.1);
                Operand::Fields { base: Base::Dot, path, site, span }
            }
            TokenKind::Bool => {
                let value = self.text(token) == b"true";
                self.literal_operand(Literal::Bool(value), token)
            }
            TokenKind::CharConstant | TokenKind::Complex | TokenKind::Number => {
                let text = self.text(token);
                let number = match token.kind {
                    TokenKind::CharConstant => Number::character(text),
                    TokenKind::Complex => Number::complex(text),
                    _ => Number::parse(text),
                };
                let number = number.map_err(|m| self.error(m))?;
                self.literal_operand(number.into(), token)
            }
            TokenKind::LeftParen => {
                if !matches!(pipe.command.first, First::None) {
                    self.begin_argument(&mut pipe.command)?;
                }
                return Ok(Step::Open { at: token.start });
            }
            TokenKind::String | TokenKind::RawString => {
                let text = self.unquoted(token)?;
                self.literal_operand(Literal::String(text), token)
            }
            _ => {
                self.backup();
                return Ok(Step::Go(State::AfterOperand));
            }
        };
        Ok(Step::Go(State::Fields))
    }

    fn literal_operand(&mut self, literal: Literal, token: Token) -> Operand {
        let site = self.site(token.start, token.start, token.end);
        Operand::Literal { literal, site, span: (token.start, token.end) }
    }

    /// Reads the fields behind a term and adds the operand to the command.
    fn fields(&mut self, pipe: &mut Pipe<'_>) -> Parsed<Step> {
        let chain = self.peek();
        let mut operand = std::mem::replace(&mut pipe.operand, Operand::Dot { site: NO_SITE });
        if chain.kind == TokenKind::Field {
            let mut path = match &operand {
                Operand::Fields { path, .. } => *path,
                _ => self.open_path(),
            };
            let mut end = chain.end;
            while self.peek().kind == TokenKind::Field {
                let token = self.next();
                end = token.end;
                self.push_name(&mut path, (token.start, token.end))?;
            }
            operand = self.chain(&mut pipe.command, operand, path, chain.start, end)?;
        }
        self.append(&mut pipe.command, operand)?;
        Ok(Step::Go(State::AfterOperand))
    }

    pub(super) fn chain(
        &mut self,
        command: &mut Command,
        operand: Operand,
        path: Path,
        pos: u32,
        end: u32,
    ) -> Parsed<Operand> {
        Ok(match operand {
            Operand::Fields { base, span, .. } => {
                let site = self.site(pos, span.0, end);
                Operand::Fields { base, path, site, span: (span.0, end) }
            }
            Operand::Var { span, .. } => {
                let site = self.site(pos, span.0, end);
                let base = Base::Var(self.tree.slot(self.source_at(span)));
                Operand::Fields { base, path, site, span: (span.0, end) }
            }
            Operand::Func { number, site, span } => {
                if !matches!(command.first, First::None) {
                    self.begin_argument(command)?;
                }
                self.emit_bare_call(number, site);
                let site = self.site(pos, span.0, end);
                Operand::Fields { base: Base::Stack, path, site, span: (span.0, end) }
            }
            Operand::Pipe { span } => {
                let site = self.site(pos, span.0, end);
                Operand::Fields { base: Base::Stack, path, site, span: (span.0, end) }
            }
            Operand::Dot { site } | Operand::Literal { site, .. } => {
                let text = self.site_text(site);
                let quoted = bowsprit_value::strconv::quote(text.as_bytes());
                let quoted = String::from_utf8_lossy(&quoted);
                return Err(self.error(format!("unexpected . after term {quoted}")));
            }
        })
    }

    fn source_at(&self, span: (u32, u32)) -> &[u8] {
        self.source.get(span.0 as usize..span.1 as usize).unwrap_or_default()
    }

    fn site_text(&self, site: u32) -> String {
        let Some(site) = self.unit.sites.get(site as usize) else { return String::new() };
        node_text(self.source.get(site.start as usize..site.end as usize).unwrap_or_default())
    }

    pub(super) fn append(&mut self, command: &mut Command, operand: Operand) -> Parsed<()> {
        command.end = operand.span(&self.unit.sites).1;
        if matches!(command.first, First::None) {
            command.first_span = operand.span(&self.unit.sites);
            command.first = self.first(operand);
            return Ok(());
        }
        let emitted =
            matches!(operand, Operand::Pipe { .. } | Operand::Fields { base: Base::Stack, .. });
        if !emitted {
            self.begin_argument(command)?;
        }
        self.argument(command, operand);
        Ok(())
    }

    fn first(&mut self, operand: Operand) -> First {
        match operand {
            Operand::Func { number, site, .. } => First::Func { number, site },
            Operand::Fields { base, path, site, .. } => First::Fields { base, path, site },
            Operand::Pipe { .. } => First::Value { site: NO_SITE },
            operand => First::Constant { operand },
        }
    }

    /// What must be emitted before an argument's own code.
    pub(super) fn begin_argument(&mut self, command: &mut Command) -> Parsed<()> {
        if command.argc == u16::MAX {
            return Err(self.error("too many arguments"));
        }
        if command.argc > 0 {
            self.short_circuit(command);
        }
        if command.argc == 0 {
            self.settle_first(command);
        }
        Ok(())
    }

    fn short_circuit(&mut self, command: &mut Command) {
        let First::Func { number, .. } = command.first else { return };
        let Some(func) = self.functions.get(number) else { return };
        if let Some(when) = crate::funcs::short_circuits(func) {
            let jump = self.tree.emit_plain(Op::ShortCircuit { when, target: 0 });
            command.jumps.push(jump);
        }
    }

    /// The first argument has come: fields turn into a method call, values refuse it.
    fn settle_first(&mut self, command: &mut Command) {
        match &command.first {
            First::Fields { .. } if command.method.is_none() => self.find_method(command),
            First::Value { site } => self.refuse(command, *site),
            First::Constant { operand } => {
                let site = operand.site();
                self.refuse(command, site);
            }
            _ => {}
        }
    }

    fn refuse(&mut self, command: &mut Command, site: u32) {
        let (mut start, mut end) = command.first_span;
        // A parenthesised pipeline prints without its parentheses.
        if site == NO_SITE {
            (start, end) = (start + 1, end.saturating_sub(1).max(start + 1));
        }
        let text = node_text(self.source.get(start as usize..end as usize).unwrap_or_default());
        let message = format!("can't give argument to non-function {text}");
        command.refused = Some(Box::new((message, site)));
    }

    fn find_method(&mut self, command: &mut Command) {
        let First::Fields { base, path, site } = &command.first else { return };
        let (base, mut path, site) = (*base, *path, *site);
        let Some(len) = path.len.checked_sub(1) else { return };
        path.len = len;
        let last = path.start as usize + usize::from(len);
        let name =
            self.unit.tables.idents.get(last).map_or(&b""[..], |ident| ident.text(self.source));
        let name = Str::from(name);
        self.receiver(base, path, site);
        let call = MethodCall { name, args: Vec::new(), piped: command.piped, site, skip: 0 };
        let number = self.method(call);
        self.tree.emit_plain(Op::FindMethod(number));
        command.method = Some(number);
    }

    /// Emits the value that a method is called on.
    fn receiver(&mut self, base: Base, path: Path, site: u32) {
        if path.len > 0 {
            self.emit_fields(base, path, site);
            return;
        }
        match base {
            Base::Dot => {
                self.tree.emit(Op::Dot, site);
            }
            Base::Var(Some(slot)) => {
                self.tree.emit(Op::Var(slot), site);
            }
            Base::Var(None) => self.undefined(site),
            Base::Stack => {}
        }
    }

    fn undefined(&mut self, site: u32) {
        let text = self.site_text(site);
        let name = text.split('.').next().unwrap_or_default();
        self.fail(format!("undefined variable: {name}"), site);
    }

    fn emit_fields(&mut self, base: Base, path: Path, site: u32) {
        match base {
            Base::Dot => {
                self.tree.emit(Op::DotFields(path), site);
            }
            Base::Var(Some(slot)) => {
                self.tree.emit(Op::VarFields { slot, path }, site);
            }
            Base::Var(None) => self.undefined(site),
            Base::Stack => {
                self.tree.emit_plain(Op::Fields(path));
            }
        }
    }

    fn emit_bare_call(&mut self, number: u16, site: u32) {
        let Some(func) = self.functions.get(number) else { return };
        let want = func.params.len() - usize::from(func.variadic && !func.params.is_empty());
        if want > 0 {
            let at_least = if func.variadic { "at least " } else { "" };
            let message =
                format!("wrong number of args for {}: want {at_least}{want} got 0", func.name);
            self.fail(message, site);
            return;
        }
        self.tree.emit(Op::Call { func: number, argc: 0, piped: false, site }, site);
    }

    fn argument(&mut self, command: &mut Command, operand: Operand) {
        let ty = match &command.first {
            First::Func { number, .. } => self
                .functions
                .get(*number)
                .map(|f| crate::funcs::param(f, usize::from(command.argc))),
            _ => None,
        };
        let literal = match &operand {
            Operand::Literal { literal, .. } if command.method.is_some() => Some(literal.clone()),
            _ => None,
        };
        let site = operand.site();
        let literal = literal.map(|l| self.literal(l));
        if command.method.is_some() {
            command.args.push(ArgSite { site, literal });
        }
        command.argc = command.argc.saturating_add(1);
        if literal.is_some() {
            self.tree.emit(Op::Invalid, site);
        } else {
            self.emit_argument(operand, ty);
        }
    }

    fn emit_argument(&mut self, operand: Operand, ty: Option<Type>) {
        let ty = ty.unwrap_or(Type::Any);
        match operand {
            Operand::Literal { literal, site, .. } => {
                self.emit_literal(&literal, ty, site);
                return;
            }
            Operand::Dot { site } => {
                self.tree.emit(Op::Dot, site);
            }
            Operand::Var { site, span } => match self.tree.slot(self.source_at(span)) {
                Some(slot) => {
                    self.tree.emit(Op::Var(slot), site);
                }
                None => self.undefined(site),
            },
            Operand::Fields { base, path, site, .. } => self.emit_fields(base, path, site),
            Operand::Func { number, site, .. } => self.emit_bare_call(number, site),
            Operand::Pipe { .. } => {}
        }
        if !matches!(ty, Type::Any | Type::Reflect) {
            let ty = self.ty(ty);
            self.tree.emit_plain(Op::CheckArg(ty));
        }
    }

    /// A literal in a place of known type.
    fn emit_literal(&mut self, literal: &Literal, ty: Type, site: u32) {
        match literal_value(literal, ty) {
            Ok(Some(value)) => {
                let number = self.constant(value);
                self.tree.emit(Op::Const(number), site);
            }
            Ok(None) => {
                self.tree.emit(Op::Invalid, site);
            }
            Err(expected) => {
                let message = expected.message(&self.site_text(site), ty);
                self.fail(message, site);
            }
        }
    }

    fn after_operand(&mut self, pipe: &mut Pipe<'_>) -> Parsed<Step> {
        let token = self.next();
        match token.kind {
            TokenKind::Space => return Ok(Step::Go(State::Operand)),
            TokenKind::RightDelim | TokenKind::RightParen => self.backup(),
            TokenKind::Pipe => {}
            _ => return Err(self.unexpected(token, "operand")),
        }
        if matches!(pipe.command.first, First::None) {
            return Err(self.error("empty command"));
        }
        self.finish_command(pipe);
        Ok(Step::Go(State::Commands))
    }

    pub(super) fn finish_command(&mut self, pipe: &mut Pipe<'_>) {
        pipe.commands += 1;
        let command = &mut pipe.command;
        if let Some(site) = self.unit.sites.get_mut(pipe.site as usize) {
            site.end = command.end;
        }
        if command.piped && command.argc == 0 {
            self.settle_first(command);
        }
        if let First::Constant { operand } = &command.first {
            let data = !matches!(operand, Operand::Var { .. });
            if data && pipe.commands > 1 && pipe.bad_stage.is_none() {
                pipe.bad_stage = Some(pipe.commands);
            }
        }
        if let Some(refused) = command.refused.take() {
            let (message, site) = *refused;
            self.tree.code.truncate(command.code);
            let site = if site == NO_SITE && pipe.commands == 1 { pipe.site } else { site };
            self.fail(message, site);
            return;
        }
        self.emit_command(command);
    }

    fn emit_command(&mut self, command: &mut Command) {
        let first = std::mem::replace(&mut command.first, First::None);
        match first {
            First::None | First::Value { .. } => {}
            First::Constant { operand } => self.emit_constant(operand),
            First::Fields { base, path, site } => match command.method {
                Some(number) => self.call_method(command, number),
                None => {
                    self.emit_fields(base, path, site);
                    self.tree.emit_plain(Op::Unwrap);
                }
            },
            First::Func { number, site } => {
                if let Some(func) = self.functions.get(number) {
                    self.emit_call(command, number, func, site);
                }
            }
        }
    }

    fn emit_constant(&mut self, operand: Operand) {
        if let Operand::Literal { literal: Literal::Nil, site, .. } = operand {
            self.fail("nil is not a command".into(), site);
            return;
        }
        let interface = matches!(operand, Operand::Dot { .. } | Operand::Var { .. });
        self.emit_argument(operand, Some(Type::Any));
        if interface {
            self.tree.emit_plain(Op::Unwrap);
        }
    }

    fn call_method(&mut self, command: &Command, number: u32) {
        self.tree.emit_plain(Op::CallMethod(number));
        let skip = self.tree.here();
        if let Some(method) = self.unit.tables.methods.get_mut(number as usize) {
            method.args.clone_from(&command.args);
            method.skip = skip;
        }
        self.tree.emit_plain(Op::Unwrap);
    }

    fn emit_call(&mut self, command: &mut Command, number: u16, func: &Func, ident: u32) {
        let argc = usize::from(command.argc);
        let given = argc + usize::from(command.piped);
        let fixed = func.params.len() - usize::from(func.variadic && !func.params.is_empty());
        let wrong = if func.variadic { given < fixed } else { given != func.params.len() };
        if wrong {
            self.tree.code.truncate(command.code);
            let message = if func.variadic {
                format!("wrong number of args for {}: want at least {fixed} got {argc}", func.name)
            } else {
                let want = func.params.len();
                format!("wrong number of args for {}: want {want} got {given}", func.name)
            };
            self.fail(message, ident);
            return;
        }
        if crate::funcs::short_circuits(func).is_some() {
            self.end_short_circuit(command, func, ident);
            return;
        }
        if command.piped {
            let ty = crate::funcs::param(func, given - 1);
            let ty = self.ty(ty);
            let site = if argc == 0 { ident } else { NO_SITE };
            self.tree.emit(Op::CheckPiped { ty, depth: argc as u16 }, site);
        }
        let site = self.site(command.start, command.start, command.end);
        let at = if given == 0 { ident } else { NO_SITE };
        let call = Op::Call { func: number, argc: argc as u16, piped: command.piped, site };
        self.tree.emit(call, at);
        if matches!(func.result, Type::Any | Type::Reflect) {
            self.tree.emit_plain(Op::Unwrap);
        }
    }

    fn end_short_circuit(&mut self, command: &mut Command, func: &Func, ident: u32) {
        let mut jumps = std::mem::take(&mut command.jumps);
        if !command.piped {
            for jump in jumps {
                self.tree.patch(jump, &mut self.unit.tables.loops);
            }
            self.tree.emit_plain(Op::Unwrap);
            return;
        }
        if let Some(when) = crate::funcs::short_circuits(func)
            && command.argc > 0
        {
            jumps.push(self.tree.emit_plain(Op::ShortCircuit { when, target: 0 }));
        }
        // Without arguments of its own the call is where errors stand that come after it.
        let site = if command.argc == 0 { ident } else { NO_SITE };
        let end = self.tree.emit(Op::Jump(0), site);
        for jump in jumps {
            self.tree.patch(jump, &mut self.unit.tables.loops);
        }
        self.tree.emit_plain(Op::DropBelow);
        self.tree.patch(end, &mut self.unit.tables.loops);
        self.tree.emit_plain(Op::Unwrap);
    }
}
