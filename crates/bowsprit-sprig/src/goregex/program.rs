//! The compiled form: instructions for a machine that tries alternatives in order.

use super::class::{Class, RuneRange, equal_fold};
use super::syntax::{Assertion, NodeId, Op, Tree};

pub(super) type Pc = u32;

#[derive(Clone, Copy, Debug)]
pub(super) enum Inst {
    Match,
    Rune {
        rune: u32,
        next: Pc,
    },
    /// The same letter, regardless of case.
    Fold {
        rune: u32,
        next: Pc,
    },
    Class {
        class: u32,
        next: Pc,
    },
    Any {
        next: Pc,
    },
    AnyNotNewline {
        next: Pc,
    },
    /// Two ways to go on; the first is preferred.
    Alt {
        first: Pc,
        second: Pc,
    },
    /// Remembers the position.
    Save {
        slot: u32,
        next: Pc,
    },
    Assert {
        assertion: Assertion,
        next: Pc,
    },
}

/// A set of code points, ready for look-up.
#[derive(Clone, Debug)]
pub(super) struct RuneSet {
    ascii: u128,
    /// Sorted and disjoint.
    ranges: Box<[RuneRange]>,
}

impl RuneSet {
    fn new(mut class: Class) -> RuneSet {
        class.clean();
        let ascii = (0..128).filter(|&rune| class.contains(rune));
        RuneSet { ascii: ascii.fold(0, |set, rune| set | 1 << rune), ranges: class.ranges.into() }
    }

    pub(super) fn contains(&self, rune: u32) -> bool {
        if rune < 128 {
            return self.ascii >> rune & 1 == 1;
        }
        let at = self.ranges.partition_point(|range| range.1 < rune);
        self.ranges.get(at).is_some_and(|range| range.0 <= rune)
    }

    fn has_non_ascii(&self) -> bool {
        self.ranges.last().is_some_and(|range| range.1 >= 128)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) insts: Vec<Inst>,
    pub(super) sets: Vec<RuneSet>,
    pub(super) start: Pc,
    /// A match can only begin at the start of the text.
    pub(super) anchored: bool,
    /// What every match begins with.
    pub(super) prefix: Box<str>,
    /// The prefix is all there is to match.
    pub(super) prefix_complete: bool,
    /// The bytes that a match can begin with, as a set; `None` if any can or if it can be empty.
    pub(super) first_bytes: Option<[u128; 2]>,
    /// The names of the groups; empty for those without.
    pub(super) groups: Vec<Box<[u8]>>,
}

impl Program {
    pub(super) fn new(mut tree: Tree) -> Program {
        let mut compiler = Compiler {
            tree: &tree,
            insts: Vec::with_capacity(16),
            tasks: Vec::with_capacity(16),
            entry: 0,
        };
        compiler.compile();
        let (insts, start) = (compiler.insts, compiler.entry);
        let classes = std::mem::take(&mut tree.classes);
        let mut program = Program {
            insts,
            sets: classes.into_iter().map(RuneSet::new).collect(),
            start,
            anchored: false,
            prefix: Box::default(),
            prefix_complete: false,
            first_bytes: None,
            groups: tree.groups,
        };
        program.anchored = program.is_anchored();
        if !program.anchored {
            program.find_prefix();
            if program.prefix.is_empty() {
                program.first_bytes = program.find_first_bytes();
            }
        }
        program
    }

    pub(super) fn inst(&self, pc: Pc) -> Inst {
        // There is no jump out of the program; Match stands for the impossible.
        let inst = self.insts.get(pc as usize).copied();
        inst.unwrap_or(Inst::Match)
    }

    pub(super) fn set_contains(&self, set: u32, rune: u32) -> bool {
        let set = self.sets.get(set as usize);
        set.is_some_and(|set| set.contains(rune))
    }

    fn is_anchored(&self) -> bool {
        let mut pc = self.start;
        loop {
            match self.inst(pc) {
                Inst::Save { next, .. } => pc = next,
                Inst::Assert { assertion, next } => {
                    if assertion == Assertion::BeginText {
                        return true;
                    }
                    pc = next;
                }
                _ => return false,
            }
        }
    }

    fn find_prefix(&mut self) {
        let mut prefix = String::new();
        let mut pc = self.start;
        loop {
            match self.inst(pc) {
                Inst::Save { next, .. } => pc = next,
                // U+FFFD also matches a stray byte, so it is no use for a search.
                Inst::Rune { rune, next } if rune != 0xfffd => {
                    let Some(c) = char::from_u32(rune) else {
                        break;
                    };
                    prefix.push(c);
                    pc = next;
                }
                Inst::Match => {
                    self.prefix_complete = !prefix.is_empty();
                    break;
                }
                _ => break,
            }
        }
        self.prefix = prefix.into();
    }

    /// Collects the bytes that the first consuming instructions accept.
    fn find_first_bytes(&self) -> Option<[u128; 2]> {
        // Beyond this the search itself is cheaper.
        const MAX_VISITS: usize = 64;
        let mut bytes = [0; 2];
        let mut seen: Vec<Pc> = Vec::with_capacity(16);
        seen.push(self.start);
        let mut at = 0;
        while let Some(&pc) = seen.get(at) {
            at += 1;
            if at > MAX_VISITS {
                return None;
            }
            let mut go = |next: Pc| {
                if !seen.contains(&next) {
                    seen.push(next);
                }
            };
            match self.inst(pc) {
                Inst::Match | Inst::Any { .. } | Inst::AnyNotNewline { .. } => return None,
                Inst::Save { next, .. } | Inst::Assert { next, .. } => go(next),
                Inst::Alt { first, second } => {
                    go(first);
                    go(second);
                }
                Inst::Rune { rune, .. } => add_first_byte(&mut bytes, rune),
                Inst::Fold { rune, .. } => {
                    let same = |&ascii: &u32| equal_fold(ascii, rune);
                    (0..128).filter(same).for_each(|ascii| add_first_byte(&mut bytes, ascii));
                    bytes[1] = u128::MAX;
                }
                Inst::Class { class, .. } => {
                    if let Some(set) = self.sets.get(class as usize) {
                        bytes[0] |= set.ascii;
                        if set.has_non_ascii() {
                            bytes[1] = u128::MAX;
                        }
                    }
                }
            }
        }
        Some(bytes)
    }
}

fn add_first_byte(bytes: &mut [u128; 2], rune: u32) {
    if rune < 128 {
        bytes[0] |= 1 << rune;
    } else {
        bytes[1] = u128::MAX;
    }
}

/// Emits instructions from the end of the pattern to its start, so that each knows what follows.
struct Compiler<'a> {
    tree: &'a Tree,
    insts: Vec<Inst>,
    tasks: Vec<Task>,
    /// Where the part emitted last begins.
    entry: Pc,
}

#[derive(Clone, Copy)]
enum Task {
    Node(NodeId),
    Save(usize),
    /// The branches of an alternation: those before `left` are to come, `rest` begins those done.
    Branches {
        start: usize,
        left: usize,
        end: Pc,
        rest: Option<Pc>,
    },
    /// Closes a loop whose decision is at `decision`.
    CloseLoop {
        decision: Pc,
        end: Pc,
        lazy: bool,
        kind: Loop,
    },
    /// After one optional copy of `sub`: lets it be skipped, and goes on with `left` more.
    Optional {
        sub: NodeId,
        left: u32,
        end: Pc,
        lazy: bool,
    },
    /// Emits copies of `sub`.
    Copies {
        sub: NodeId,
        left: u32,
    },
}

#[derive(Clone, Copy)]
enum Loop {
    /// `x*` with an `x` that is never empty.
    Star,
    /// `x*` written as `(?:x+)?`, which gives an empty `x` the right priority.
    NullableStar,
    Plus,
}

impl Compiler<'_> {
    fn compile(&mut self) {
        self.emit(Inst::Match);
        self.tasks.push(Task::Node(self.tree.root));
        while let Some(task) = self.tasks.pop() {
            match task {
                Task::Node(id) => self.node(id),
                Task::Save(slot) => self.save(slot),
                Task::Branches { start, left, end, rest } => self.branches(start, left, end, rest),
                Task::CloseLoop { decision, end, lazy, kind } => {
                    self.close_loop(decision, end, lazy, kind)
                }
                Task::Optional { sub, left, end, lazy } => {
                    self.choose(self.entry, end, lazy);
                    self.optional(sub, left, end, lazy);
                }
                Task::Copies { sub, left } => self.copies(sub, left),
            }
        }
    }

    fn emit(&mut self, inst: Inst) {
        // The parser limits the size of a pattern far below 2^32 instructions.
        self.entry = self.insts.len() as Pc;
        self.insts.push(inst);
    }

    fn save(&mut self, slot: usize) {
        self.emit(Inst::Save { slot: slot as u32, next: self.entry });
    }

    fn choose(&mut self, sub: Pc, end: Pc, lazy: bool) {
        self.emit(choice(sub, end, lazy));
    }

    fn node(&mut self, id: NodeId) {
        match self.tree.node(id).op {
            Op::Empty => {}
            Op::Literal { start, len, fold } => self.literal(start, len, fold),
            Op::Class(class) => self.class(class),
            Op::Assert(assertion) => self.emit(Inst::Assert { assertion, next: self.entry }),
            Op::Capture { group, sub } => {
                self.save(2 * group + 1);
                self.tasks.push(Task::Save(2 * group));
                self.tasks.push(Task::Node(sub));
            }
            Op::Repeat { sub, min, max, lazy } => self.repeat(sub, min, max, lazy),
            Op::Concat { start, len } => {
                let children = self.tree.children(start, len).iter();
                self.tasks.extend(children.map(|&id| Task::Node(id)));
            }
            Op::Alternate { start, len } => {
                let end = self.entry;
                if let Some(&last) = self.tree.children(start, len).last() {
                    self.tasks.push(Task::Branches { start, left: len - 1, end, rest: None });
                    self.tasks.push(Task::Node(last));
                }
            }
        }
    }

    fn literal(&mut self, start: usize, len: usize, fold: bool) {
        let tree = self.tree;
        let runes = tree.runes.get(start..start + len).unwrap_or_default();
        for &rune in runes.iter().rev() {
            let next = self.entry;
            self.emit(match fold && super::class::simple_fold(rune) != rune {
                true => Inst::Fold { rune, next },
                false => Inst::Rune { rune, next },
            });
        }
    }

    fn class(&mut self, class: usize) {
        let next = self.entry;
        let ranges = self.tree.classes.get(class).map(|class| class.ranges.as_slice());
        self.emit(match ranges {
            Some([(0, super::class::MAX_RUNE)]) => Inst::Any { next },
            Some([(0, 0x9), (0xb, super::class::MAX_RUNE)]) => Inst::AnyNotNewline { next },
            _ => Inst::Class { class: class as u32, next },
        });
    }

    fn branches(&mut self, start: usize, left: usize, end: Pc, rest: Option<Pc>) {
        if let Some(second) = rest {
            self.emit(Inst::Alt { first: self.entry, second });
        }
        let Some(left) = left.checked_sub(1) else {
            return;
        };
        let Some(&id) = self.tree.children(start, left + 1).last() else {
            return;
        };
        self.tasks.push(Task::Branches { start, left, end, rest: Some(self.entry) });
        self.tasks.push(Task::Node(id));
        self.entry = end;
    }

    fn repeat(&mut self, sub: NodeId, min: u32, max: Option<u32>, lazy: bool) {
        let node = self.tree.node(sub);
        if matches!(node.op, Op::Empty) {
            return;
        }
        let Some(max) = max else {
            self.tasks.push(Task::Copies { sub, left: min.saturating_sub(1) });
            let kind = match min {
                0 if node.nullable => Loop::NullableStar,
                0 => Loop::Star,
                _ => Loop::Plus,
            };
            return self.open_loop(sub, lazy, kind);
        };
        self.tasks.push(Task::Copies { sub, left: min });
        self.optional(sub, max.saturating_sub(min), self.entry, lazy);
    }

    fn open_loop(&mut self, sub: NodeId, lazy: bool, kind: Loop) {
        let end = self.entry;
        // The decision's targets are known when the loop closes.
        self.emit(Inst::Match);
        self.tasks.push(Task::CloseLoop { decision: self.entry, end, lazy, kind });
        self.tasks.push(Task::Node(sub));
    }

    fn close_loop(&mut self, decision: Pc, end: Pc, lazy: bool, kind: Loop) {
        if let Some(inst) = self.insts.get_mut(decision as usize) {
            *inst = choice(self.entry, end, lazy);
        }
        match kind {
            Loop::Star => self.entry = decision,
            Loop::NullableStar => self.choose(self.entry, end, lazy),
            Loop::Plus => {}
        }
    }

    fn optional(&mut self, sub: NodeId, copies: u32, end: Pc, lazy: bool) {
        if let Some(left) = copies.checked_sub(1) {
            self.tasks.push(Task::Optional { sub, left, end, lazy });
            self.tasks.push(Task::Node(sub));
        }
    }

    fn copies(&mut self, sub: NodeId, left: u32) {
        if let Some(left) = left.checked_sub(1) {
            self.tasks.push(Task::Copies { sub, left });
            self.tasks.push(Task::Node(sub));
        }
    }
}

fn choice(sub: Pc, end: Pc, lazy: bool) -> Inst {
    let (first, second) = if lazy { (end, sub) } else { (sub, end) };
    Inst::Alt { first, second }
}
