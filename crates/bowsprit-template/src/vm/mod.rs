//! The machine: an operand stack, frames, and one dispatch loop.
//!
//! Template calls (`template`, `include`, `tpl`) push a frame instead of recursing. A value on the stack
//! has a static kind beside it, because Go's messages tell a nil that came out of a map from no value
//! at all, and an `interface {}` from the type inside.

mod call;
mod error;
mod field;
mod memo;
mod print;
mod range;
mod weigh;

pub(crate) use call::text;
pub(crate) use print::NO_VALUE;
pub use print::strip_no_value;

use crate::compile::image::Instrs;
use crate::compile::program::{Instr, NO_SITE, Op, Unit};
use crate::error::{Cause, ExecError};
use crate::set::{Names, Template, TemplateSet, Tpl};
use bowsprit_value::{FuncError, Host, LimitKind, Map, Meter, Str, Value, is_true};
use field::{LazyPaths, Led};
use memo::{Called, Memo};
use range::Iter;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Go's own limit on `template` calls within one execution.
const MAX_TEMPLATE_DEPTH: u32 = 100_000;

/// What entering a template costs, in steps: about as much time as that many iterations of a loop.
const CALL_STEPS: u64 = 10;

/// A position in a template's source: what an observer gets to know of an instruction.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The unit whose source this is.
    pub unit: &'a Unit,
    /// The byte range in the source.
    pub start: usize,
    /// The end of the byte range.
    pub end: usize,
}

/// Learns what a run does: which values it reads, and which output comes from where.
///
/// Offsets count bytes of the output of the current execution; captured output (`include`, `tpl`) is
/// reported like any other and then taken back by [`Observer::left`].
pub trait Observer {
    /// A key of a map was read through a field or `index`.
    fn read(&mut self, map: &Map, key: &[u8], value: Option<&Value>) {
        let _ = (map, key, value);
    }

    /// The output grew from `start` to `end`, from a piece of text or an action.
    fn wrote(&mut self, start: usize, end: usize, site: Site<'_>) {
        let _ = (start, end, site);
    }

    /// A template begins, which lies in a file.
    fn entered(&mut self, template: &Str, file: &Str) {
        let _ = (template, file);
    }

    /// The template that began last ends; its output from `start` on is `text`, and became a value if
    /// `captured`.
    fn left(&mut self, start: usize, captured: bool, text: &[u8]) {
        let _ = (start, captured, text);
    }
}

/// How a value came to be where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Static {
    /// No value at all: Go's zero `reflect.Value`.
    Invalid,
    /// Out of an `interface {}`.
    Interface,
    /// Of its own type.
    Concrete,
    /// Of its own type, and a field behind a pointer: methods of the pointer count when it is printed.
    Addressed,
}

#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) value: Value,
    pub(crate) stat: Static,
}

impl Slot {
    pub(crate) const INVALID: Slot = Slot { value: Value::Nil, stat: Static::Invalid };

    pub(crate) fn concrete(value: Value) -> Slot {
        let stat = if value.is_nil() { Static::Invalid } else { Static::Concrete };
        Slot { value, stat }
    }

    fn unwrapped(self) -> Slot {
        if self.stat == Static::Addressed { self } else { Slot::concrete(self.value) }
    }
}

/// Why a frame exists.
#[derive(Clone, Debug)]
enum Entry {
    Root,
    Template,
    Include {
        counter: Counter,
        /// Whether its result may be used again.
        kept: bool,
    },
    Tpl {
        text: Str,
    },
}

/// Where it is counted how often a name is being included.
#[derive(Clone, Debug)]
enum Counter {
    /// The number of the name in the set.
    Known(usize),
    Other(Str),
}

/// A template under way. Those of the set outlive the run and are not counted, which threads that run the
/// same ones would have to do in turn.
#[derive(Clone, Debug)]
enum Running<'r> {
    Known(&'r Template),
    /// Out of a text that `tpl` runs.
    Counted(Arc<Template>),
}

impl std::ops::Deref for Running<'_> {
    type Target = Template;

    #[inline]
    fn deref(&self) -> &Template {
        match self {
            Running::Known(template) => template,
            Running::Counted(template) => template,
        }
    }
}

#[derive(Debug)]
struct Frame<'r> {
    template: Running<'r>,
    entry: Entry,
    pc: usize,
    /// The site that errors are at.
    at: u32,
    /// The site of the call that is under way in this frame.
    call: u32,
    depth: u32,
    /// The name space of the innermost `tpl`; none for the set's own.
    names: Option<usize>,
    vars: usize,
    stack: usize,
    dots: usize,
    iters: usize,
    output: usize,
}

/// What `tpl` texts define, over what was defined before.
#[derive(Debug)]
struct Overlay {
    parent: Option<usize>,
    tpl: Arc<Tpl>,
    /// Those of its blank definitions that nothing else has the names of.
    blank: Names<Arc<Template>>,
}

pub(super) type Step<T> = Result<T, Cause>;

impl From<FuncError> for Cause {
    fn from(error: FuncError) -> Cause {
        Cause::Function(error)
    }
}

#[cold]
fn fault<T>(message: impl Into<String>) -> Step<T> {
    Err(Cause::Evaluator(message.into()))
}

/// Executes templates of a set.
///
/// One run serves for all templates of a render, one after the other: they share the count of nested
/// `include`s, the meter and the buffers.
pub struct Run<'r> {
    set: &'r TemplateSet,
    host: &'r dyn Host,
    meter: &'r Meter,
    observer: Option<&'r mut dyn Observer>,
    out: Vec<u8>,
    values: Vec<Value>,
    stats: Vec<Static>,
    vars: Vec<Slot>,
    dots: Vec<Slot>,
    iters: Vec<Iter>,
    frames: Vec<Frame<'r>>,
    overlays: Vec<Overlay>,
    /// How often each name of the set is being included; by none, when no frame is there.
    included: Vec<u32>,
    /// And each name that only texts of `tpl` define.
    others_included: HashMap<Str, u32>,
    memo: Option<Box<Memo<'r>>>,
    /// The function that failed, until its link is made.
    calling: Option<&'static str>,
    /// How many names of a field path were left when one of them could not be evaluated.
    unevaluated: Option<usize>,
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("frames", &self.frames.len()).finish_non_exhaustive()
    }
}

impl<'r> Run<'r> {
    /// A run over a set, asking `host` and charging `meter`.
    pub fn new(set: &'r TemplateSet, host: &'r dyn Host, meter: &'r Meter) -> Run<'r> {
        Run {
            set,
            host,
            meter,
            observer: None,
            out: Vec::new(),
            values: Vec::new(),
            stats: Vec::new(),
            vars: Vec::new(),
            dots: Vec::new(),
            iters: Vec::new(),
            frames: Vec::new(),
            overlays: Vec::new(),
            included: vec![0; set.len()],
            others_included: HashMap::new(),
            memo: None,
            calling: None,
            unevaluated: None,
        }
    }

    /// Lets an observer watch the executions that follow.
    #[must_use]
    pub fn observe(mut self, observer: &'r mut dyn Observer) -> Run<'r> {
        self.observer = Some(observer);
        self.memo = None;
        self
    }

    /// Lets what `include` gave be used again where the same template gets the same value and nothing that it
    /// read was written since; in later executions too, unless `varies` was true when it ended. Whoever reads
    /// what is not the same in all executions sets `varies`, and the caller takes it back before the next one.
    /// The steps of what is used again are counted again. An observer sees all that is done, so with one
    /// nothing is used again.
    #[must_use]
    pub fn remember(mut self, varies: &'r AtomicBool) -> Run<'r> {
        if self.observer.is_none() {
            self.memo = Some(Box::new(Memo::new(varies)));
        }
        self
    }

    /// Executes a template on a value and returns its output.
    ///
    /// # Errors
    ///
    /// Fails with the chain of templates and the cause, in Go's words.
    pub fn execute(&mut self, name: &[u8], data: Value) -> Result<&[u8], ExecError> {
        self.reset();
        let Some(template) = self.set.get(name) else {
            return Err(ExecError::new(Vec::new(), error::no_template(name, "gotpl")));
        };
        // An observer knows units by where they lie.
        let apart = if self.observer.is_none() { template.apart() } else { None };
        let template = apart.map_or(Running::Known(template), |it| Running::Counted(Arc::new(it)));
        self.push_frame(template, Entry::Root, Slot::concrete(data), 0, None);
        match self.run() {
            Ok(()) => Ok(&self.out),
            Err(cause) => Err(self.unwind(cause)),
        }
    }

    fn reset(&mut self) {
        if let Some(memo) = &mut self.memo {
            memo.begin();
        }
        self.out.clear();
        self.values.clear();
        self.stats.clear();
        self.vars.clear();
        self.dots.clear();
        self.iters.clear();
        self.frames.clear();
        self.overlays.clear();
        self.others_included.clear();
        self.calling = None;
        self.unevaluated = None;
    }

    fn push_frame(
        &mut self,
        template: Running<'r>,
        entry: Entry,
        dot: Slot,
        depth: u32,
        names: Option<usize>,
    ) {
        if let Some(observer) = &mut self.observer {
            observer.entered(&template.name, &template.file);
        }
        let vars = self.vars.len();
        template.body.code.enter();
        let slots = template.body.slots as usize;
        self.vars.push(dot.clone());
        self.vars.resize(vars + slots.max(1), Slot::INVALID);
        self.dots.push(dot);
        self.frames.push(Frame {
            template,
            entry,
            pc: 0,
            at: NO_SITE,
            call: NO_SITE,
            depth,
            names,
            vars,
            stack: self.values.len(),
            dots: self.dots.len(),
            iters: self.iters.len(),
            output: self.out.len(),
        });
        if let Some(memo) = &mut self.memo {
            memo.entered(self.frames.len());
        }
    }

    /// Takes the innermost frame away, with everything that is its own.
    fn pop_frame(&mut self) -> Option<Frame<'r>> {
        let frame = self.frames.pop()?;
        self.vars.truncate(frame.vars);
        self.dots.truncate(frame.dots.saturating_sub(1));
        self.iters.truncate(frame.iters);
        self.values.truncate(frame.stack);
        self.stats.truncate(frame.stack);
        Some(frame)
    }

    fn run(&mut self) -> Step<()> {
        while let Some(frame) = self.frames.last() {
            let template = frame.template.clone();
            if self.run_frame(&template)? {
                self.return_from_frame()?;
            }
        }
        Ok(())
    }

    /// Runs the innermost frame until it returns (true) or another one is entered (false).
    fn run_frame(&mut self, template: &Template) -> Step<bool> {
        let Template { unit, body, hints, .. } = template;
        let frames = self.frames.len();
        let mut pc = self.frames.last().map_or(0, |f| f.pc);
        let mut source: Option<&[u8]> = None;
        let mut paths = LazyPaths::new(unit, hints);
        let mut code = body.code.fetch();
        let mut room = None;
        while let Some(Instr { op, site }) = code.get(pc, &mut room) {
            pc += 1;
            if *site != NO_SITE
                && let Some(frame) = self.frames.last_mut()
            {
                frame.at = *site;
            }
            match *op {
                Op::Text { start, end } => {
                    let source = source.get_or_insert_with(|| &unit.source);
                    self.text(unit, (source, start), (start, end))?;
                }
                Op::KeptText { start, end, at } => {
                    self.text(unit, (unit.run_text(), at), (start, end))?;
                }
                Op::Print => self.print(unit)?,
                Op::Pop => {
                    self.pop();
                }
                Op::Const(number) => {
                    let value =
                        unit.tables().consts.get(number as usize).cloned().unwrap_or_default();
                    let stat = if value.is_nil() { Static::Interface } else { Static::Concrete };
                    self.push(value, stat);
                }
                Op::Invalid => self.push(Value::Nil, Static::Invalid),
                Op::Dot => {
                    let dot = self.dot();
                    self.push(dot.value, dot.stat);
                }
                Op::Var(slot) => {
                    let slot = self.var(slot);
                    self.push(slot.value, slot.stat);
                }
                Op::TakeVar(slot) => {
                    let slot = self.take_var(slot);
                    self.push(slot.value, slot.stat);
                }
                Op::DotFields(path) => {
                    let (paths, test) = (paths.get(), code.false_jump(pc));
                    let led = self.follow(paths, self.dots.last(), path, test.is_some());
                    pc = match self.led(led, test, pc) {
                        Some(pc) => pc,
                        None => self.fields(unit, self.dot(), path).map(|()| pc)?,
                    };
                }
                Op::VarFields { slot, path } => {
                    let (paths, test) = (paths.get(), code.false_jump(pc));
                    let led = self.follow(paths, self.var_ref(slot), path, test.is_some());
                    pc = match self.led(led, test, pc) {
                        Some(pc) => pc,
                        None => self.fields(unit, self.var(slot), path).map(|()| pc)?,
                    };
                }
                Op::Fields(path) => {
                    let (paths, test, top) = (paths.get(), code.false_jump(pc), self.pop());
                    let led = self.follow(paths, Some(&top), path, test.is_some());
                    pc = match self.led(led, test, pc) {
                        Some(pc) => pc,
                        None => self.fields(unit, top, path).map(|()| pc)?,
                    };
                }
                Op::Unwrap => self.unwrap_top(),
                Op::SetVar(slot) | Op::DeclareVar(slot) => self.set_var(slot),
                Op::Call { func, argc, piped, site } => {
                    self.save(pc, site);
                    self.call(func, usize::from(argc), piped)?;
                    if self.frames.len() != frames {
                        return Ok(false);
                    }
                }
                Op::FindMethod(number) => {
                    if let Some(skip) = self.find_method(unit, number)? {
                        pc = skip;
                    }
                }
                Op::CallMethod(number) => self.call_method(unit, number)?,
                Op::CheckArg(ty) => self.check_arg(unit, ty, 0)?,
                Op::CheckPiped { ty, depth } => self.check_arg(unit, ty, usize::from(depth))?,
                Op::Jump(target) => pc = target as usize,
                Op::JumpIfFalse(target) => {
                    if !is_true(&self.pop().value) {
                        pc = target as usize;
                    }
                }
                Op::With(target) => {
                    let top = self.pop();
                    if is_true(&top.value) {
                        self.dots.push(top);
                    } else {
                        pc = target as usize;
                    }
                }
                Op::DropBelow => {
                    let top = self.pop();
                    self.pop();
                    self.push(top.value, top.stat);
                }
                Op::ShortCircuit { when, target } => {
                    if self.values.last().is_some_and(is_true) == when {
                        pc = target as usize;
                    } else {
                        self.pop();
                    }
                }
                Op::RangeStart { target, number } => {
                    if !self.range_start(unit, number)? {
                        pc = target as usize;
                    }
                }
                Op::RangeNext(number) => {
                    // What is run many times is worth being decoded.
                    if let Instrs::Kept(_) = code {
                        code = Instrs::Made(body.code.instrs());
                    }
                    self.meter.charge_steps(1)?;
                    if let Some(end) = self.range_next(unit, number)? {
                        pc = end;
                    }
                }
                Op::RangeEnd => {
                    self.iters.pop();
                    self.dots.pop();
                }
                Op::PopDot => {
                    self.dots.pop();
                }
                Op::FindTemplate(number) => self.find_template(unit, number)?,
                Op::Template(number) => {
                    self.save(pc, NO_SITE);
                    self.enter_template(unit, number)?;
                    return Ok(false);
                }
                Op::Fail(number) => {
                    return fault(
                        unit.tables().messages.get(number as usize).cloned().unwrap_or_default(),
                    );
                }
                Op::Return => return Ok(true),
            }
        }
        body.code.broken();
        Ok(true)
    }

    /// Goes on where a path of fields led. Returns the next instruction; `None` if it led nowhere yet. With a
    /// `test` the next one is a jump to there if what was led to is false.
    #[inline]
    fn led(&mut self, led: Option<Led>, test: Option<usize>, pc: usize) -> Option<usize> {
        match led? {
            Led::To(found) => {
                self.push(found.value, found.stat);
                Some(pc)
            }
            Led::Is(true) => Some(pc + 1),
            Led::Is(false) => test,
        }
    }

    fn save(&mut self, pc: usize, call: u32) {
        if let Some(frame) = self.frames.last_mut() {
            frame.pc = pc;
            frame.call = call;
        }
    }

    fn push(&mut self, value: Value, stat: Static) {
        self.values.push(value);
        self.stats.push(stat);
    }

    fn pop(&mut self) -> Slot {
        match (self.values.pop(), self.stats.pop()) {
            (Some(value), Some(stat)) => Slot { value, stat },
            _ => Slot::INVALID,
        }
    }

    fn dot(&self) -> Slot {
        self.dots.last().cloned().unwrap_or(Slot::INVALID)
    }

    fn var_ref(&self, slot: u32) -> Option<&Slot> {
        let base = self.frames.last().map_or(0, |f| f.vars);
        self.vars.get(base + slot as usize)
    }

    fn var(&self, slot: u32) -> Slot {
        self.var_ref(slot).cloned().unwrap_or(Slot::INVALID)
    }

    fn take_var(&mut self, slot: u32) -> Slot {
        let base = self.frames.last().map_or(0, |f| f.vars);
        let var = self.vars.get_mut(base + slot as usize);
        var.map_or(Slot::INVALID, |var| std::mem::replace(var, Slot::INVALID))
    }

    fn set_slot(&mut self, slot: u32, value: Slot) {
        let base = self.frames.last().map_or(0, |f| f.vars);
        if let Some(var) = self.vars.get_mut(base + slot as usize) {
            *var = value;
        }
    }

    fn set_var(&mut self, slot: u32) {
        let value = self.values.last().cloned().unwrap_or_default();
        let stat = self.stats.last().copied().unwrap_or(Static::Invalid);
        self.set_slot(slot, Slot { value, stat });
    }

    fn unwrap_top(&mut self) {
        if let (Some(stat), Some(value)) = (self.stats.last_mut(), self.values.last())
            && *stat == Static::Interface
        {
            *stat = if value.is_nil() { Static::Invalid } else { Static::Concrete };
        }
    }

    // Templates by name.

    fn lookup(&self, name: &[u8]) -> Option<Running<'r>> {
        self.lookup_overlaid(name).or_else(|| Some(Running::Known(self.set.get(name)?)))
    }

    /// A template that a text of `tpl` defines.
    fn lookup_overlaid(&self, name: &[u8]) -> Option<Running<'r>> {
        let mut overlay = self.frames.last().and_then(|f| f.names);
        while let Some(names) = overlay.and_then(|i| self.overlays.get(i)) {
            let template = names.tpl.names.get(name).or_else(|| names.blank.get(name));
            if let Some(template) = template {
                return Some(Running::Counted(Arc::clone(template)));
            }
            overlay = names.parent;
        }
        None
    }

    fn find_template(&mut self, unit: &Unit, number: u32) -> Step<()> {
        let name = unit.tables().names.get(number as usize).map(Str::as_bytes).unwrap_or_default();
        if self.lookup(name).is_none() {
            let quoted = bowsprit_value::strconv::quote(name);
            return fault(format!("template {} not defined", String::from_utf8_lossy(&quoted)));
        }
        let depth = self.frames.last().map_or(0, |f| f.depth);
        if depth >= MAX_TEMPLATE_DEPTH {
            return fault(format!("exceeded maximum template depth ({MAX_TEMPLATE_DEPTH})"));
        }
        Ok(())
    }

    fn enter_template(&mut self, unit: &Unit, number: u32) -> Step<()> {
        self.charge_call()?;
        let dot = self.pop().unwrapped();
        let name = unit.tables().names.get(number as usize).map(Str::as_bytes).unwrap_or_default();
        let Some(template) = self.lookup(name) else { return Ok(()) };
        let (depth, names) = self.frames.last().map_or((0, None), |f| (f.depth, f.names));
        self.push_frame(template, Entry::Template, dot, depth + 1, names);
        Ok(())
    }

    fn charge_call(&self) -> Step<()> {
        self.meter.charge_steps(CALL_STEPS)?;
        if self.frames.len() as u64 >= u64::from(self.meter.limits().depth) {
            return Err(FuncError::from(LimitKind::Depth).into());
        }
        Ok(())
    }

    fn enter_include(&mut self, name: Str, data: Slot) -> Step<()> {
        const MAX_NESTED: u32 = 1000;
        self.charge_call()?;
        let number = self.set.number(name.as_bytes());
        let counter = number.map_or_else(|| Counter::Other(name.clone()), Counter::Known);
        let count = self.count(&counter);
        if *count > MAX_NESTED {
            return Err(FuncError::new(format!(
                "rendering template has a nested reference name: {name}: unable to execute template"
            ))
            .into());
        }
        let names = self.frames.last().and_then(|f| f.names);
        // What a text of `tpl` defines may be another template of that name.
        let called = match (number, names) {
            (Some(number), None) => self.recall(number, &data.value)?,
            _ => Called::Unnoted,
        };
        let kept = match called {
            Called::Before(text) => {
                self.push(Value::Str(text), Static::Concrete);
                return Ok(());
            }
            called => matches!(called, Called::Noted),
        };
        *self.count(&counter) += 1;
        let set = self.set;
        let own = || Some(Running::Known(set.template(number?)?));
        let Some(template) = self.lookup_overlaid(name.as_bytes()).or_else(own) else {
            return Err(error::no_template(name.as_bytes(), "gotpl"));
        };
        self.push_frame(template, Entry::Include { counter, kept }, data, 0, names);
        Ok(())
    }

    fn count(&mut self, counter: &Counter) -> &mut u32 {
        let other = match counter {
            Counter::Known(number) => match self.included.get_mut(*number) {
                Some(count) => return count,
                None => Str::default(),
            },
            Counter::Other(name) => name.clone(),
        };
        self.others_included.entry(other).or_default()
    }

    /// Enters a text. Returns its output at once where it is plain text.
    fn enter_tpl(&mut self, text: Str, data: Slot) -> Step<Option<Str>> {
        self.charge_call()?;
        self.meter.charge_bytes(text.len())?;
        if !text.as_bytes().windows(2).any(|w| w == b"{{") {
            return Ok(Some(print::without_no_value(text)));
        }
        let tpl = match self.set.tpl(&text) {
            Ok(tpl) => tpl,
            Err(error) => return Err(error::tpl_parse(&text, &error)),
        };
        let Some(template) = tpl.own.clone().map(Running::Counted) else {
            return Ok(Some(Str::default()));
        };
        let parent = self.frames.last().and_then(|f| f.names);
        let shown = |(name, _): &(&Str, _)| self.lookup(name.as_bytes()).is_none();
        let blank = tpl.blank.iter().filter(shown);
        let blank = blank.map(|(name, template)| (name.clone(), Arc::clone(template))).collect();
        let overlay = Overlay { parent, tpl, blank };
        self.overlays.push(overlay);
        let names = Some(self.overlays.len() - 1);
        self.push_frame(template, Entry::Tpl { text }, data, 0, names);
        Ok(None)
    }

    fn return_from_frame(&mut self) -> Step<()> {
        let Some(frame) = self.pop_frame() else { return Ok(()) };
        let captured = matches!(frame.entry, Entry::Include { .. } | Entry::Tpl { .. });
        if let Some(observer) = &mut self.observer {
            observer.left(frame.output, captured, self.out.get(frame.output..).unwrap_or_default());
        }
        match frame.entry {
            Entry::Root | Entry::Template => {}
            Entry::Include { counter, kept } => {
                let count = self.count(&counter);
                *count = count.saturating_sub(1);
                let text = self.capture(frame.output)?;
                if kept {
                    self.close(&text);
                }
                self.push(Value::Str(text), Static::Concrete);
            }
            Entry::Tpl { .. } => {
                self.overlays.pop();
                let text = print::without_no_value(self.capture(frame.output)?);
                self.push(Value::Str(text), Static::Concrete);
            }
        }
        Ok(())
    }

    fn capture(&mut self, from: usize) -> Step<Str> {
        let text = Str::from(self.out.get(from..).unwrap_or_default());
        self.out.truncate(from);
        self.meter.charge_bytes(text.len())?;
        Ok(text)
    }
}
