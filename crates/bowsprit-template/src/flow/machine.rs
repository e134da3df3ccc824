//! The machine that follows code instead of running it.
//!
//! Code is followed in the order in which it was written, both branches of everything, and each loop's
//! body twice, so that what one round sets the next one reads. Variables keep all that they were ever
//! set to since they were declared.

use super::abstracted::{Abstract, Name, NodeKind, Place, Reader};
use super::{Effect, Flow, MAX_WORK};
use crate::compile::program::{Instr, NO_SITE, Op, Path, Unit};
use crate::funcs::engine;
use crate::set::{Hints, Template};
use bowsprit_value::{FuncImpl, Str, Value};
use std::sync::Arc;

/// How deeply calls are followed.
const MAX_DEPTH: u32 = 200;

/// One template that is being followed.
struct Frame<'t> {
    template: &'t Template,
    unit: &'t Unit,
    vars: Vec<Abstract>,
    stack: Vec<Abstract>,
    /// Dots with the instruction before which each ends.
    dots: Vec<(Abstract, usize)>,
    dot: Abstract,
    /// What `and` and `or` may give without their last argument, by the instruction where it counts.
    pending: Vec<(usize, Abstract)>,
    /// Where the error position is.
    site: u32,
    /// Ends of loops with the instruction after their start and whether they were followed twice.
    loops: Vec<(usize, usize, bool)>,
}

impl<'t> Frame<'t> {
    fn pop(&mut self) -> Abstract {
        self.stack.pop().unwrap_or_default()
    }

    fn dot(&self) -> Abstract {
        self.dots.last().map_or_else(|| self.dot.clone(), |(dot, _)| dot.clone())
    }

    fn var(&self, slot: u32) -> Abstract {
        self.vars.get(slot as usize).cloned().unwrap_or_default()
    }

    fn set(&mut self, slot: u32, value: &Abstract) {
        if let Some(var) = self.vars.get_mut(slot as usize) {
            var.join(value);
        }
    }

    fn declare(&mut self, slot: u32, value: Abstract) {
        if let Some(var) = self.vars.get_mut(slot as usize) {
            *var = value;
        }
    }

    fn reader(&self) -> Reader<'t> {
        Reader { file: &self.template.file, unit: self.unit, site: self.site }
    }

    fn name(&self, number: u32) -> Str {
        self.unit.tables().names.get(number as usize).cloned().unwrap_or_default()
    }
}

impl Flow<'_> {
    /// Follows a template, unless it was followed with the same dot already.
    pub(super) fn call(&mut self, template: &Template, dot: Abstract) {
        let key = (Arc::as_ptr(&template.body).addr(), dot.places().to_vec());
        if self.gave_up || self.depth >= MAX_DEPTH || !self.done.insert(key) {
            return;
        }
        self.depth += 1;
        self.follow(template, &dot);
        self.depth -= 1;
    }

    /// Follows a text that is known, with its own definitions passed over.
    pub(super) fn call_text(&mut self, text: &Str, dot: Abstract) {
        if !text.as_bytes().windows(2).any(|w| w == b"{{") {
            return;
        }
        let Ok(tpl) = self.set.tpl(text) else { return };
        let (unit, hints) = (&tpl.unit, Hints::default());
        for body in &unit.bodies {
            let template = Template::new((unit, &hints), body, &Str::from_static("tpl"));
            self.call(&template, dot.clone());
        }
    }

    fn follow(&mut self, template: &Template, dot: &Abstract) {
        let (unit, body) = (Arc::clone(&template.unit), Arc::clone(&template.body));
        let mut frame = Frame {
            template,
            unit: &unit,
            vars: vec![Abstract::default(); body.slots.max(1) as usize],
            stack: Vec::new(),
            dots: Vec::new(),
            dot: dot.clone(),
            pending: Vec::new(),
            site: NO_SITE,
            loops: Vec::new(),
        };
        frame.set(0, dot);
        let mut pc = 0;
        let code = body.code.instrs();
        while let Some(instr) = code.get(pc) {
            self.work += 1;
            if self.work > MAX_WORK {
                self.gave_up = true;
                return;
            }
            if let Some(again) = arrive(&mut frame, pc) {
                pc = again;
                continue;
            }
            if instr.site != NO_SITE {
                frame.site = instr.site;
            }
            let skipped = merge_pending(&mut frame, pc, instr);
            if !skipped {
                self.step(&mut frame, *instr, pc);
            }
            pc += 1;
        }
    }

    fn step(&mut self, frame: &mut Frame<'_>, instr: Instr, pc: usize) {
        match instr.op {
            Op::Print => {
                let value = frame.pop();
                self.consume(&value);
            }
            Op::Pop | Op::JumpIfFalse(_) => drop(frame.pop()),
            Op::Const(number) => {
                let value = constant(frame.unit.tables().consts.get(number as usize));
                frame.stack.push(value);
            }
            Op::Invalid => frame.stack.push(Abstract::default()),
            Op::Dot => frame.stack.push(frame.dot()),
            Op::Var(slot) | Op::TakeVar(slot) => frame.stack.push(frame.var(slot)),
            Op::DotFields(path) => self.fields(frame, frame.dot(), path),
            Op::VarFields { slot, path } => self.fields(frame, frame.var(slot), path),
            Op::Fields(path) => {
                let top = frame.pop();
                self.fields(frame, top, path);
            }
            // Slots are used again for other variables, whose values are not this one's.
            Op::DeclareVar(slot) => {
                let value = frame.stack.last().cloned().unwrap_or_default();
                frame.declare(slot, value);
            }
            Op::SetVar(slot) => {
                let value = frame.stack.last().cloned().unwrap_or_default();
                frame.set(slot, &value);
            }
            Op::Call { func, argc, piped, .. } => {
                self.function(frame, func, usize::from(argc), piped, pc);
            }
            Op::CallMethod(number) => self.method(frame, number),
            Op::With(target) => {
                let top = frame.pop();
                frame.dots.push((top, target as usize));
            }
            Op::DropBelow => {
                let top = frame.pop();
                frame.pop();
                frame.stack.push(top);
            }
            Op::ShortCircuit { target, .. } => {
                let value = frame.pop();
                frame.pending.push((target as usize, value));
            }
            Op::RangeStart { target, number } => self.range(frame, target, number, pc),
            Op::Template(number) => {
                let dot = frame.pop();
                let name = frame.name(number);
                self.call_named(name.as_bytes(), dot);
            }
            Op::Text { .. }
            | Op::KeptText { .. }
            | Op::Unwrap
            | Op::FindMethod(_)
            | Op::CheckArg(_)
            | Op::CheckPiped { .. }
            | Op::Jump(_)
            | Op::RangeNext(_)
            | Op::RangeEnd
            | Op::PopDot
            | Op::FindTemplate(_)
            | Op::Fail(_)
            | Op::Return => {}
        }
    }

    fn fields(&mut self, frame: &mut Frame<'_>, receiver: Abstract, path: Path) {
        let start = path.start as usize;
        let names = frame.unit.tables().idents.get(start..start + usize::from(path.len));
        let reader = frame.reader();
        let mut value = receiver;
        let text = frame.unit.run_text();
        for name in names.unwrap_or_default() {
            let name = name.text(text);
            if !self.views.iter().any(|view| view.as_bytes() == name) {
                value = self.field(&value, name, Some(reader));
            }
        }
        let last = names.and_then(|names| names.last()).map(|name| name.text(text));
        if last == Some(b"BasePath") {
            value.name = Some(Name { is_file: true, ..Name::default() });
        }
        frame.stack.push(value);
    }

    fn method(&mut self, frame: &mut Frame<'_>, number: u32) {
        let Some(call) = frame.unit.tables().methods.get(number as usize) else { return };
        for _ in 0..call.args.len() + 1 + usize::from(call.piped) {
            let value = frame.pop();
            self.consume(&value);
        }
        frame.stack.push(Abstract::default());
    }

    fn range(&mut self, frame: &mut Frame<'_>, target: u32, number: u32, pc: usize) {
        let value = frame.pop();
        let reader = frame.reader();
        let element = self.elements(&value, Some(reader));
        if let Some(loop_vars) = frame.unit.tables().loops.get(number as usize) {
            // The pipeline has set them to what is gone through.
            for slot in [loop_vars.index, loop_vars.element].into_iter().flatten() {
                if let Some(var) = frame.vars.get_mut(slot as usize) {
                    *var = Abstract::default();
                }
            }
            if let Some(slot) = loop_vars.element {
                frame.set(slot, &element);
            }
        }
        frame.dots.push((element, target as usize));
        frame.loops.push((target as usize, pc + 1, false));
    }

    fn call_named(&mut self, name: &[u8], dot: Abstract) {
        match self.set.get(name).cloned() {
            Some(template) => self.call(&template, dot),
            None if self.incomplete => self.consume(&dot),
            // To call it is an error.
            None => {}
        }
    }

    fn include(&mut self, name: &Abstract, dot: Abstract) {
        if !name.texts().is_empty() {
            for name in name.texts() {
                self.call_named(name.as_bytes(), dot.clone());
            }
            return;
        }
        let Some(known) = &name.name else { return self.call_any(dot) };
        let fits = |template: &&Template| {
            let text = template.name.as_bytes();
            text.len() >= known.prefix.len() + known.suffix.len()
                && text.starts_with(known.prefix.as_bytes())
                && text.ends_with(known.suffix.as_bytes())
                && (!known.is_file || template.name == template.file)
        };
        let mut some: Vec<Template> = self.set.templates().filter(fits).cloned().collect();
        some.sort_by(|a, b| a.name.cmp(&b.name));
        for template in &some {
            self.call(template, dot.clone());
        }
    }

    /// A template whose name is computed: it may be any.
    fn call_any(&mut self, dot: Abstract) {
        if !self.done.insert((0, dot.places().to_vec())) {
            return;
        }
        let mut all: Vec<Template> = self.set.templates().cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        for template in &all {
            self.call(template, dot.clone());
        }
    }

    fn function(&mut self, frame: &mut Frame<'_>, func: u16, argc: usize, piped: bool, pc: usize) {
        let mut args: Vec<Abstract> = (0..argc).map(|_| frame.pop()).collect();
        args.reverse();
        if piped {
            args.push(frame.pop());
        }
        let Some(func) = self.set.functions().get(func) else { return };
        let reader = frame.reader();
        let result = match func.body {
            FuncImpl::Engine(number) => self.engine(number, &args, reader),
            _ => {
                let effect = (self.effects)(func.name);
                self.effect(effect, &args, frame.template, pc, reader)
            }
        };
        frame.stack.push(result);
    }

    fn engine(&mut self, number: u16, args: &[Abstract], reader: Reader<'_>) -> Abstract {
        match number {
            engine::INDEX => {
                let Some((first, keys)) = args.split_first() else { return Abstract::default() };
                keys.iter().fold(first.clone(), |value, key| self.keyed(&value, key, reader))
            }
            engine::SLICE => args.first().cloned().unwrap_or_default(),
            engine::INCLUDE => {
                let dot = args.get(1).cloned().unwrap_or_default();
                if let Some(name) = args.first() {
                    self.include(name, dot);
                }
                Abstract::default()
            }
            engine::TPL => {
                if let Some(text) = args.first() {
                    self.consume(&text.clone());
                    for text in text.texts() {
                        self.call_text(text, args.get(1).cloned().unwrap_or_default());
                    }
                }
                Abstract::default()
            }
            engine::PRINT | engine::PRINTF => {
                args.iter().for_each(|arg| self.consume(arg));
                put_together(number == engine::PRINTF, args)
            }
            engine::NOT | engine::LEN => Abstract::default(),
            engine::AND | engine::OR => {
                let mut all = Abstract::default();
                args.iter().for_each(|arg| all.join(arg));
                all
            }
            _ => {
                args.iter().for_each(|arg| self.consume(arg));
                Abstract::default()
            }
        }
    }

    /// A key that is a constant, or any.
    fn keyed(&mut self, value: &Abstract, key: &Abstract, reader: Reader<'_>) -> Abstract {
        self.consume(key);
        if key.texts().is_empty() {
            return self.elements(value, Some(reader));
        }
        let mut found = Abstract::default();
        for name in key.texts() {
            found.join(&self.field(value, name.as_bytes(), Some(reader)));
        }
        found
    }

    fn effect(
        &mut self,
        effect: Effect,
        args: &[Abstract],
        template: &Template,
        pc: usize,
        reader: Reader<'_>,
    ) -> Abstract {
        let mut all = Abstract::default();
        match effect {
            Effect::Consume => args.iter().for_each(|arg| self.consume(arg)),
            Effect::Inspect => {}
            Effect::Pass => args.iter().for_each(|arg| all.join(arg)),
            Effect::Merge => {
                args.iter().for_each(|arg| all.join(arg));
                if let Some((first, others)) = args.split_first() {
                    self.merge_into(first, others);
                }
            }
            Effect::Part => {
                args.iter().for_each(|arg| all.join(arg));
                return self.elements(&all, Some(reader));
            }
            Effect::Dict => return self.dict(args, template, pc),
            Effect::List => return self.list(args, template, pc),
            Effect::Key => {
                if let [value, key, ..] = args {
                    return self.keyed(value, key, reader);
                }
            }
            Effect::Set => {
                if let [map, key, value] = args {
                    self.consume(key);
                    self.set_field(map, key.only_text(), value);
                    return map.clone();
                }
            }
            Effect::Dig => {
                if let [keys @ .., default, map] = args {
                    all =
                        keys.iter().fold(map.clone(), |value, key| self.keyed(&value, key, reader));
                    all.join(default);
                }
            }
            Effect::Pluck => {
                if let Some((key, maps)) = args.split_first() {
                    for map in maps {
                        let found = self.keyed(map, key, reader);
                        all.join(&found);
                    }
                }
            }
            Effect::Elements => {
                args.iter().for_each(|arg| all.join(arg));
                return self.elements(&all, Some(reader));
            }
        }
        all
    }

    fn dict(&mut self, args: &[Abstract], template: &Template, pc: usize) -> Abstract {
        let made = Abstract::of(self.made(template, pc));
        for pair in args.chunks(2) {
            if let [key, value] = pair {
                self.consume(key);
                self.set_field(&made, key.only_text(), value);
            }
        }
        made
    }

    fn list(&mut self, args: &[Abstract], template: &Template, pc: usize) -> Abstract {
        let made = Abstract::of(self.made(template, pc));
        for (number, value) in args.iter().enumerate() {
            let key = Str::from(number.to_string());
            self.set_field(&made, Some(&key), value);
        }
        made
    }

    /// The map or list that an instruction makes, whoever calls.
    fn made(&mut self, template: &Template, pc: usize) -> Place {
        let key = (Arc::as_ptr(&template.body).addr(), pc);
        match self.makers.get(&key) {
            Some(place) => *place,
            None => {
                let place = self.place(NodeKind::Made);
                self.makers.insert(key, place);
                place
            }
        }
    }
}

fn constant(value: Option<&Value>) -> Abstract {
    match value {
        Some(Value::Str(text)) => Abstract::text(text.clone()),
        // The key of an item of a list.
        Some(Value::Int(_, number)) => Abstract::text(Str::from(number.to_string())),
        _ => Abstract::default(),
    }
}

/// What is known of what `print` or `printf` give.
fn put_together(by_format: bool, args: &[Abstract]) -> Abstract {
    let mut name = Name::default();
    let mut parts = args;
    if by_format {
        let Some((format, rest)) = args.split_first() else { return Abstract::default() };
        let Some(format) = format.only_text().map(|text| text.as_bytes()) else {
            return Abstract::default();
        };
        let (Some(first), Some(last)) =
            (format.iter().position(|b| *b == b'%'), format.iter().rposition(|b| *b == b'%'))
        else {
            return Abstract::text(Str::from(format));
        };
        name.prefix = Str::from(format.get(..first).unwrap_or_default());
        // Only the plainest verb ends where one would think.
        let plain = matches!(format.get(last + 1), Some(b's' | b'v' | b'd'));
        name.suffix = Str::from(format.get(last + 2..).filter(|_| plain).unwrap_or_default());
        parts = if first == 0 { rest } else { &[] };
    } else {
        let text = |arg: Option<&Abstract>| arg.and_then(|a| a.only_text()).cloned();
        name.prefix = text(args.first()).unwrap_or_default();
        name.suffix = text(args.get(1..).and_then(<[_]>::last)).unwrap_or_default();
    }
    let first = parts.first().and_then(|part| part.name.as_ref());
    name.is_file = first.is_some_and(|first| first.is_file);
    if name == Name::default() { Abstract::default() } else { Abstract::named(name) }
}

/// Ends dots and loops that end here. A loop that was followed once is followed again from the
/// instruction returned.
fn arrive(frame: &mut Frame<'_>, pc: usize) -> Option<usize> {
    while let Some((end, start, twice)) = frame.loops.last_mut()
        && *end == pc
    {
        if !*twice {
            *twice = true;
            return Some(*start);
        }
        frame.loops.pop();
    }
    while frame.dots.last().is_some_and(|(_, end)| *end == pc) {
        frame.dots.pop();
    }
    None
}

/// Adds what `and` and `or` may have given. True where that takes the instruction's place.
fn merge_pending(frame: &mut Frame<'_>, pc: usize, instr: &Instr) -> bool {
    let mut skipped = false;
    while let Some(at) = frame.pending.iter().position(|(target, _)| *target == pc) {
        let (_, value) = frame.pending.swap_remove(at);
        match frame.stack.last_mut() {
            Some(top) => top.join(&value),
            None => frame.stack.push(value),
        }
        // The value was popped, so there is nothing below it to be dropped.
        skipped |= matches!(instr.op, Op::DropBelow);
    }
    skipped
}
