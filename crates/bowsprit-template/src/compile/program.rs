//! The compiled form of a template text.

use super::image::{Instrs, KeptCode, KeptRun, KeptSites};
use crate::funcs::Functions;
use bowsprit_value::{Str, Type, Value};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Marks an instruction that does not move the error position.
pub(crate) const NO_SITE: u32 = u32::MAX;

/// What a site's text is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SiteKind {
    /// An operand, command or pipeline.
    Node,
    /// `{{template "name" pipeline}}`.
    Template,
}

/// A node of the source that an error can stand at: Go's `Node.Position` and `Node.String`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site {
    pub(crate) kind: SiteKind,
    /// The byte that line and column are counted to.
    pub(crate) pos: u32,
    /// The bytes whose normalised form is the context.
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// What stands in an operand place of a method call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ArgSite {
    pub(crate) site: u32,
    /// The literal, if the argument is one: its conversion waits for the method's signature.
    pub(crate) literal: Option<u32>,
}

/// A literal of the source, which becomes a value when its parameter's type is known.
#[derive(Clone, Debug)]
pub(crate) enum Literal {
    Bool(bool),
    Nil,
    String(Str),
    /// A whole number without sign, as most are.
    Whole(i64),
    Number(Box<Number>),
}

impl Literal {
    /// The number, if it is one.
    pub(crate) fn number(&self) -> Option<Number> {
        match self {
            Literal::Whole(value) => Some(Number::whole(*value)),
            Literal::Number(number) => Some(**number),
            Literal::Bool(_) | Literal::Nil | Literal::String(_) => None,
        }
    }
}

/// A number with all the types that can represent it, as Go's ideal constants.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Number {
    pub(crate) int: Option<i64>,
    pub(crate) uint: Option<u64>,
    pub(crate) float: Option<f64>,
    pub(crate) complex: Option<(f64, f64)>,
    /// The text says that this is a float: it has one of `.eEpP` and is no hexadecimal or rune.
    pub(crate) float_text: bool,
}

/// A name of a field path: where it stands in [`Unit::run_text`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ident {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Ident {
    pub(crate) fn text(self, of: &[u8]) -> &[u8] {
        of.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// A field path: a run of names in [`Tables::idents`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    pub(crate) start: u32,
    pub(crate) len: u16,
}

/// An instruction of the machine. The operand stack holds values with their static kind; `dot` and the
/// variables belong to the frame.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    /// Writes a piece of the source.
    Text {
        start: u32,
        end: u32,
    },
    /// Writes a piece of the source that [`Unit::run_text`] has at another place too.
    KeptText {
        start: u32,
        end: u32,
        at: u32,
    },
    /// Pops and prints.
    Print,
    /// Pops.
    Pop,
    /// Pushes a constant.
    Const(u32),
    /// Pushes dot.
    Dot,
    /// Pushes a variable.
    Var(u32),
    /// Pushes a variable that is about to be set, and empties it.
    TakeVar(u32),
    /// Pushes a field path of dot.
    DotFields(Path),
    /// Pushes a field path of a variable.
    VarFields {
        slot: u32,
        path: Path,
    },
    /// Replaces the top by a field path of it.
    Fields(Path),
    /// Forgets that the top came out of an interface.
    Unwrap,
    /// Copies the top into a variable that is declared here.
    DeclareVar(u32),
    /// Copies the top into a variable.
    SetVar(u32),
    /// Calls a function with the top `argc` values; `piped` says that the last argument lies below.
    Call {
        func: u16,
        argc: u16,
        piped: bool,
        site: u32,
    },
    /// Looks up the method that [`Op::CallMethod`] is going to call on the top.
    FindMethod(u32),
    /// Calls a method on the value below its arguments.
    CallMethod(u32),
    /// Checks the top against a parameter's type.
    CheckArg(u32),
    /// Checks the piped value, `depth` below the top, against a parameter's type.
    CheckPiped {
        ty: u32,
        depth: u16,
    },
    Jump(u32),
    /// Pops; jumps if it was false.
    JumpIfFalse(u32),
    /// Pops; makes it dot if it was true, else jumps.
    With(u32),
    /// Drops the value below the top.
    DropBelow,
    /// Short-circuits `and` (`when: false`) and `or` (`when: true`): jumps if the top's truth is
    /// `when`, else pops.
    ShortCircuit {
        when: bool,
        target: u32,
    },
    /// Pops the value to iterate over; jumps if there is nothing.
    RangeStart {
        target: u32,
        number: u32,
    },
    /// Sets dot and variables to the next element; ends the loop by a jump.
    RangeNext(u32),
    /// Leaves the innermost loop.
    RangeEnd,
    /// Restores dot.
    PopDot,
    /// Checks that a template exists and the depth allows it.
    FindTemplate(u32),
    /// Runs a template on the popped value.
    Template(u32),
    /// Pushes no value at all.
    Invalid,
    /// Fails with a prepared message.
    Fail(u32),
    /// Ends the template.
    Return,
}

/// An instruction with the site that errors are at from here on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instr {
    pub(crate) op: Op,
    pub(crate) site: u32,
}

/// A method call of the source.
#[derive(Clone, Debug)]
pub(crate) struct MethodCall {
    pub(crate) name: Str,
    pub(crate) args: Vec<ArgSite>,
    pub(crate) piped: bool,
    /// Where "error calling" stands.
    pub(crate) site: u32,
    /// Where to go on when the receiver is no value at all.
    pub(crate) skip: u32,
}

/// How a loop hands over its elements: slots of the index and the element.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LoopVars {
    pub(crate) index: Option<u32>,
    pub(crate) element: Option<u32>,
    pub(crate) count: u8,
    pub(crate) end: u32,
}

/// The instructions of a body: as the compiler made them, or where an image has them.
#[derive(Clone, Debug)]
pub(crate) enum Code {
    Made(Vec<Instr>),
    Kept(KeptCode),
}

impl Code {
    pub(crate) fn instrs(&self) -> &[Instr] {
        match self {
            Code::Made(code) => code,
            Code::Kept(code) => code.instrs(),
        }
    }

    /// The code is about to be run from its first instruction on.
    #[inline]
    pub(crate) fn enter(&self) {
        if let Code::Kept(code) = self {
            code.enter();
        }
    }

    /// The instructions in the form that they have.
    #[inline]
    pub(crate) fn fetch(&self) -> Instrs<'_> {
        match self {
            Code::Made(code) => Instrs::Made(code),
            Code::Kept(code) => code.fetch(),
        }
    }

    /// A run came to an end that code does not have.
    #[cold]
    pub(crate) fn broken(&self) {
        if let Code::Kept(code) = self {
            code.broken();
        }
    }
}

/// One `define`, or the text outside of all of them.
#[derive(Debug)]
pub(crate) struct Body {
    /// The name of the definition; empty for the text outside of all of them, which is named by
    /// whoever binds the unit.
    pub(crate) name: Str,
    pub(crate) root: bool,
    pub(crate) code: Code,
    pub(crate) slots: u32,
    /// Nothing but white space and comments: never replaces a body.
    pub(crate) empty: bool,
}

/// A template's text, shared with whoever loaded it.
///
/// ```
/// use bowsprit_template::Source;
///
/// let source = Source::new("a {{ .b }}");
/// assert_eq!(source.len(), 10);
/// ```
#[derive(Clone)]
pub struct Source(Arc<dyn AsRef<[u8]> + Send + Sync>);

impl Source {
    /// A text in any form that can be looked at as bytes; always the same ones.
    pub fn new(text: impl AsRef<[u8]> + Send + Sync + 'static) -> Source {
        Source(Arc::new(text))
    }
}

impl Deref for Source {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

/// A compiled text: the bodies it defines and the tables that their code refers to.
///
/// Immutable and free of any path: one unit can serve under several names.
#[derive(Debug)]
pub struct Unit {
    pub(crate) source: Source,
    pub(crate) bodies: Vec<Arc<Body>>,
    /// Empty where they have been left in an image, as the sites.
    pub(crate) tables: Tables,
    pub(crate) kept_run: Option<Arc<KeptRun>>,
    pub(crate) sites: Vec<Site>,
    pub(crate) kept_sites: Option<KeptSites>,
}

/// What the code of a unit refers to by number.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) consts: Vec<Value>,
    /// The names of all field paths, one behind the other.
    pub(crate) idents: Vec<Ident>,
    /// Where each was found in a run before, if that is known.
    pub(crate) places: Vec<u8>,
    pub(crate) names: Vec<Str>,
    pub(crate) types: Vec<Type>,
    pub(crate) messages: Vec<String>,
    pub(crate) literals: Vec<Literal>,
    pub(crate) methods: Vec<MethodCall>,
    pub(crate) loops: Vec<LoopVars>,
}

impl Unit {
    /// A unit without code.
    pub(crate) fn new(source: Source) -> Unit {
        Unit {
            source,
            bodies: Vec::new(),
            tables: Tables::default(),
            kept_run: None,
            sites: Vec::new(),
            kept_sites: None,
        }
    }

    #[inline]
    pub(crate) fn tables(&self) -> &Tables {
        match &self.kept_run {
            None => &self.tables,
            Some(kept) => kept.tables(),
        }
    }

    /// What runs look into: the source, or of an image's unit a copy of what they need of it, so that the source
    /// need not be read.
    #[inline]
    pub(crate) fn run_text(&self) -> &[u8] {
        match &self.kept_run {
            None => &self.source,
            Some(kept) => kept.text(),
        }
    }

    /// A site by its number.
    pub(crate) fn site(&self, number: u32) -> Option<Site> {
        match &self.kept_sites {
            None => self.sites.get(number as usize).copied(),
            Some(kept) => kept.get(number),
        }
    }

    /// The text that was compiled.
    pub fn source(&self) -> &[u8] {
        &self.source
    }

    /// A copy of it that can be shared, for what is told of errors.
    pub fn shared_source(&self) -> Arc<[u8]> {
        Arc::from(self.source())
    }

    /// The names of the templates that the text defines.
    pub fn defines(&self) -> impl Iterator<Item = &Str> {
        self.bodies.iter().filter(|b| !b.root).map(|b| &b.name)
    }

    /// The functions that the text calls, `and` and `or` left out, with the offset of each call.
    pub fn calls<'u>(
        &'u self,
        functions: &'u Functions,
    ) -> impl Iterator<Item = (&'static str, usize)> + 'u {
        let code = self.bodies.iter().flat_map(|body| body.code.instrs());
        code.filter_map(|instr| {
            let Op::Call { func, site, .. } = instr.op else { return None };
            let start = self.site(site)?.start;
            Some((functions.get(func)?.name, start as usize))
        })
    }

    /// The lines, from 1, that print something when they are run: text that is not blank, or a value. Each
    /// once, in order.
    pub fn printing_lines(&self) -> Vec<u32> {
        let mut starts = vec![0];
        starts.extend(
            self.source.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i + 1),
        );
        let line = |offset: usize| starts.partition_point(|start| *start <= offset) as u32;
        let mut lines = std::collections::BTreeSet::new();
        for body in &self.bodies {
            let mut site = NO_SITE;
            for instr in body.code.instrs() {
                site = if instr.site == NO_SITE { site } else { instr.site };
                match instr.op {
                    Op::Text { start, end } | Op::KeptText { start, end, .. } => {
                        let text = self.source.get(start as usize..end as usize);
                        let bytes = text.unwrap_or_default().iter().enumerate();
                        let shown = bytes.filter(|(_, b)| !b.is_ascii_whitespace());
                        lines.extend(shown.map(|(at, _)| line(start as usize + at)));
                    }
                    Op::Print => {
                        let site = self.site(site);
                        lines.extend(site.map(|site| line(site.start as usize)));
                    }
                    _ => {}
                }
            }
        }
        lines.into_iter().collect()
    }

    /// Line (from 1) and column (bytes, from 0) of a byte offset.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let before = self.source.get(..offset).unwrap_or(&self.source);
        let line = 1 + before.iter().filter(|b| **b == b'\n').count();
        let column = match before.iter().rposition(|b| *b == b'\n') {
            Some(newline) => before.len() - newline - 1,
            None => before.len(),
        };
        (line, column)
    }
}

/// A text that can't be parsed: where, and Go's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The name under which the text was parsed.
    pub name: String,
    /// The line, from 1.
    pub line: u32,
    /// Go's words, without position.
    pub message: String,
    /// The line on which the action began that the error is in, where Go says so.
    pub started: Option<u32>,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template: {}:{}: {}", self.name, self.line, self.message)?;
        match self.started {
            Some(line) if self.message.ends_with(" action") => {
                write!(f, " started at {}:{line}", self.name)
            }
            Some(line) => write!(f, " in action started at {}:{line}", self.name),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ParseError {}
