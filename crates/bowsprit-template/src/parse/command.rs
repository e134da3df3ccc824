//! Pipelines and commands while they are being read.

use super::token::TokenKind;
use crate::compile::program::{ArgSite, Literal, NO_SITE, Path};

/// A pipeline that is being read.
pub(super) struct Pipe<'c> {
    pub(super) context: &'c str,
    pub(super) end: TokenKind,
    pub(super) site: u32,
    /// Where its code begins.
    pub(super) code: usize,
    pub(super) decls: Vec<usize>,
    pub(super) assigns: bool,
    pub(super) commands: usize,
    pub(super) bad_stage: Option<usize>,
    pub(super) command: Command,
    /// The term that has been read last, while its fields are being looked for.
    pub(super) operand: Operand,
    /// Where the parenthesis opened; the context of a chain on this pipeline starts there.
    pub(super) paren: u32,
}

/// A command that is being read.
pub(super) struct Command {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) code: usize,
    pub(super) piped: bool,
    pub(super) first: First,
    pub(super) argc: u16,
    /// The arguments' sites, for a method call.
    pub(super) args: Vec<ArgSite>,
    /// The first operand's bytes.
    pub(super) first_span: (u32, u32),
    /// Why the command can't have arguments, if it has some.
    pub(super) refused: Option<Box<(String, u32)>>,
    /// The last short-circuit jumps of `and` and `or`.
    pub(super) jumps: Vec<usize>,
    pub(super) method: Option<u32>,
}

/// The first word of a command, as far as it decides how the command runs.
pub(super) enum First {
    None,
    Func {
        number: u16,
        site: u32,
    },
    Fields {
        base: Base,
        path: Path,
        site: u32,
    },
    /// Already emitted or a constant; takes no arguments. The site is where refusing them stands.
    Value {
        site: u32,
    },
    Constant {
        operand: Operand,
    },
}

#[derive(Clone, Copy)]
pub(super) enum Base {
    Dot,
    Var(Option<u32>),
    /// The receiver has been emitted.
    Stack,
}

/// An operand: a term, and the fields that follow it.
pub(super) enum Operand {
    Dot {
        site: u32,
    },
    Literal {
        literal: Literal,
        site: u32,
        span: (u32, u32),
    },
    Fields {
        base: Base,
        path: Path,
        site: u32,
        span: (u32, u32),
    },
    /// The name is what `span` covers.
    Var {
        site: u32,
        span: (u32, u32),
    },
    Func {
        number: u16,
        site: u32,
        span: (u32, u32),
    },
    Pipe {
        span: (u32, u32),
    },
}

/// What comes next. The term that `Fields` is about lies in the pipeline.
#[derive(Clone, Copy)]
pub(super) enum State {
    Declarations,
    Commands,
    Operand,
    Fields,
    AfterOperand,
}

pub(super) enum Step {
    Go(State),
    Open { at: u32 },
    Close,
}

impl Command {
    pub(super) fn new(start: u32, code: usize, piped: bool) -> Command {
        Command {
            start,
            end: start,
            code,
            piped,
            first: First::None,
            argc: 0,
            args: Vec::new(),
            first_span: (start, start),
            refused: None,
            jumps: Vec::new(),
            method: None,
        }
    }

    /// Begins the next command in place of one that is finished.
    pub(super) fn begin(&mut self, start: u32, code: usize, piped: bool) {
        (self.start, self.end, self.code, self.piped) = (start, start, code, piped);
        self.first = First::None;
        self.argc = 0;
        self.args.clear();
        self.first_span = (start, start);
        self.refused = None;
        self.jumps.clear();
        self.method = None;
    }
}

impl Operand {
    pub(super) fn site(&self) -> u32 {
        match self {
            Operand::Dot { site }
            | Operand::Literal { site, .. }
            | Operand::Fields { site, .. }
            | Operand::Var { site, .. }
            | Operand::Func { site, .. } => *site,
            Operand::Pipe { .. } => NO_SITE,
        }
    }

    pub(super) fn span(&self, sites: &[crate::compile::program::Site]) -> (u32, u32) {
        match self {
            Operand::Dot { site } => {
                sites.get(*site as usize).map(|s| (s.start, s.end)).unwrap_or_default()
            }
            Operand::Literal { span, .. }
            | Operand::Fields { span, .. }
            | Operand::Var { span, .. }
            | Operand::Func { span, .. }
            | Operand::Pipe { span } => *span,
        }
    }
}
