//! Searching a text. Alternatives are tried in order, by backtracking that never tries the same
//! thing twice while its memory lasts, else all at once (Pike's machine). Either way the time is
//! at most proportional to text times program.

use super::Charge;
use super::class::{decode_rune, equal_fold};
use super::program::{Inst, Pc, Program};
use super::syntax::Assertion;

/// A slot that holds no position.
pub(super) const UNSET: usize = usize::MAX;

/// How much of (position, instruction) the backtracker may remember, in bits.
const MAX_VISITED: usize = 1 << 18;

/// How many instructions are followed between two charges.
const CHARGE_EVERY: u64 = 4096;

/// Following an instruction is this much cheaper than the step in which work is charged.
const INSTS_PER_STEP: u64 = 8;

/// Counts the work of a search and charges for it.
pub(super) struct Counter<'c, E> {
    charge: &'c mut Charge<'c, E>,
    work: u64,
}

impl<'c, E> Counter<'c, E> {
    pub(super) fn new(charge: &'c mut Charge<'c, E>) -> Self {
        Counter { charge, work: 0 }
    }

    /// Counts instructions that were followed, or as much work.
    pub(super) fn count(&mut self, insts: u64) -> Result<(), E> {
        self.work = self.work.saturating_add(insts);
        if self.work < CHARGE_EVERY { Ok(()) } else { self.settle() }
    }

    /// Charges for what is not yet charged.
    pub(super) fn settle(&mut self) -> Result<(), E> {
        let work = std::mem::take(&mut self.work);
        (self.charge)(work / INSTS_PER_STEP)
    }
}

/// A text to search.
#[derive(Clone, Copy)]
pub(super) struct Text<'t> {
    pub(super) bytes: &'t [u8],
    /// The text again, if it is UTF-8.
    utf8: Option<&'t str>,
}

impl<'t> Text<'t> {
    pub(super) fn new(bytes: &'t [u8]) -> Self {
        Text { bytes, utf8: std::str::from_utf8(bytes).ok() }
    }

    /// The rune at a position and its length, which is 0 at the end.
    pub(super) fn rune(&self, at: usize) -> (u32, usize) {
        match self.bytes.get(at) {
            Some(&byte) if byte < 0x80 => (u32::from(byte), 1),
            _ => decode_rune(self.bytes.get(at..).unwrap_or_default()),
        }
    }

    fn holds(&self, assertion: Assertion, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|at| self.bytes.get(at));
        let after = self.bytes.get(at);
        let is_word = |byte: Option<&u8>| {
            byte.is_some_and(|&byte| byte == b'_' || byte.is_ascii_alphanumeric())
        };
        match assertion {
            Assertion::BeginLine => before.is_none_or(|&byte| byte == b'\n'),
            Assertion::EndLine => after.is_none_or(|&byte| byte == b'\n'),
            Assertion::BeginText => before.is_none(),
            Assertion::EndText => after.is_none(),
            Assertion::WordBoundary => is_word(before) != is_word(after),
            Assertion::NoWordBoundary => is_word(before) == is_word(after),
        }
    }
}

/// The outcome of one attempt to match at a position.
enum Attempt {
    Found,
    NotHere,
    /// The memory ran out.
    GaveUp,
}

/// A search with its working memory, which successive searches share.
pub(super) struct Searcher<'p, 't, 'c, E> {
    program: &'p Program,
    text: Text<'t>,
    /// Start and end of the match, then of each group that is asked for.
    pub(super) slots: Vec<usize>,
    jobs: Vec<Job>,
    /// One bit for each pair of position and instruction, from `base` on.
    visited: Vec<u64>,
    base: usize,
    /// Instructions followed that are not yet counted.
    visits: u64,
    pub(super) counter: Counter<'c, E>,
}

#[derive(Clone, Copy)]
enum Job {
    Try { pc: Pc, at: usize },
    Restore { slot: usize, value: usize },
}

impl<'p, 't, 'c, E> Searcher<'p, 't, 'c, E> {
    /// Prepares a search that finds the bounds of the match and of the first `groups` groups.
    pub(super) fn new(
        program: &'p Program,
        text: Text<'t>,
        groups: usize,
        counter: Counter<'c, E>,
    ) -> Self {
        Searcher {
            program,
            text,
            slots: vec![UNSET; 2 * (groups + 1)],
            jobs: Vec::new(),
            visited: Vec::new(),
            base: 0,
            visits: 0,
            counter,
        }
    }

    /// Finds the first match at or after `from` and fills the slots.
    pub(super) fn find(&mut self, from: usize) -> Result<Option<(usize, usize)>, E> {
        if self.program.prefix_complete && self.slots.len() == 2 && self.text.utf8.is_some() {
            let len = self.program.prefix.len();
            return Ok(self.next_candidate(from).map(|start| (start, start + len)));
        }
        self.visited.clear();
        self.base = from;
        let mut at = from;
        loop {
            let Some(candidate) = self.next_candidate(at) else {
                return Ok(None);
            };
            at = candidate;
            if (at - self.base).saturating_mul(self.program.insts.len()) > MAX_VISITED / 2 {
                self.visited.clear();
                self.base = at;
            }
            self.slots.fill(UNSET);
            match self.backtrack(at)? {
                Attempt::Found => break,
                Attempt::NotHere => {}
                Attempt::GaveUp => {
                    let slots = self.slots.len();
                    let pike = Pike::new(self.program, self.text, slots, &mut self.counter);
                    let Some(slots) = pike.find(at)? else {
                        return Ok(None);
                    };
                    self.slots = slots;
                    break;
                }
            }
            let (_, len) = self.text.rune(at);
            if len == 0 || self.program.anchored {
                return Ok(None);
            }
            at += len;
        }
        self.counter.count(std::mem::take(&mut self.visits))?;
        Ok(match *self.slots.as_slice() {
            [start, end, ..] => Some((start, end)),
            _ => None,
        })
    }

    /// Fills in the bounds of the match, which the search for a plain text leaves out.
    pub(super) fn set_bounds(&mut self, start: usize, end: usize) {
        for (slot, value) in self.slots.iter_mut().zip([start, end]) {
            *slot = value;
        }
    }

    /// The first position at or after `from` where a match may begin.
    fn next_candidate(&self, from: usize) -> Option<usize> {
        next_candidate(self.program, self.text, from)
    }

    fn backtrack(&mut self, start: usize) -> Result<Attempt, E> {
        self.jobs.clear();
        self.jobs.push(Job::Try { pc: self.program.start, at: start });
        while let Some(job) = self.jobs.pop() {
            match job {
                Job::Restore { slot, value } => {
                    if let Some(place) = self.slots.get_mut(slot) {
                        *place = value;
                    }
                }
                Job::Try { pc, at } => match self.follow(pc, at) {
                    Attempt::Found => {
                        if let Some(place) = self.slots.first_mut() {
                            *place = start;
                        }
                        return Ok(Attempt::Found);
                    }
                    Attempt::NotHere => self.counter.count(std::mem::take(&mut self.visits))?,
                    Attempt::GaveUp => return Ok(Attempt::GaveUp),
                },
            }
        }
        Ok(Attempt::NotHere)
    }

    /// Follows the preferred path from an instruction until it matches or fails.
    fn follow(&mut self, mut pc: Pc, mut at: usize) -> Attempt {
        let program = self.program;
        loop {
            self.visits += 1;
            match self.visit(pc, at) {
                Some(true) => {}
                Some(false) => return Attempt::NotHere,
                None => return Attempt::GaveUp,
            }
            let inst = program.inst(pc);
            match inst {
                Inst::Match => {
                    if let Some(place) = self.slots.get_mut(1) {
                        *place = at;
                    }
                    return Attempt::Found;
                }
                Inst::Alt { first, second } => {
                    self.jobs.push(Job::Try { pc: second, at });
                    pc = first;
                }
                Inst::Save { slot, next } => {
                    self.save(slot as usize, at);
                    pc = next;
                }
                Inst::Assert { assertion, next } => {
                    if !self.text.holds(assertion, at) {
                        return Attempt::NotHere;
                    }
                    pc = next;
                }
                _ => {
                    let (rune, len) = self.text.rune(at);
                    let Some(next) = consume(program, inst, rune).filter(|_| len > 0) else {
                        return Attempt::NotHere;
                    };
                    at += len;
                    pc = next;
                }
            }
        }
    }

    fn save(&mut self, slot: usize, at: usize) {
        if let Some(place) = self.slots.get_mut(slot) {
            let value = std::mem::replace(place, at);
            self.jobs.push(Job::Restore { slot, value });
        }
    }

    /// Marks a pair of instruction and position; false if it was marked before, `None` if there is
    /// no memory for it.
    fn visit(&mut self, pc: Pc, at: usize) -> Option<bool> {
        let insts = self.program.insts.len();
        let bit = (at - self.base).checked_mul(insts)? + pc as usize;
        if bit > MAX_VISITED {
            return None;
        }
        let word = bit / 64;
        if word >= self.visited.len() {
            self.visited.resize(word + 1, 0);
        }
        let word = self.visited.get_mut(word)?;
        let mask = 1 << (bit % 64);
        let new = *word & mask == 0;
        *word |= mask;
        Some(new)
    }
}

fn next_candidate(program: &Program, text: Text<'_>, from: usize) -> Option<usize> {
    if program.anchored {
        return (from == 0).then_some(0);
    }
    let rest = text.bytes.get(from..)?;
    let skipped = match (program.prefix.as_bytes(), program.first_bytes) {
        ([], None) => 0,
        ([], Some(set)) => rest.iter().position(|&byte| {
            let [low, high] = set;
            let half = if byte < 128 { low } else { high };
            half >> (byte & 127) & 1 == 1
        })?,
        (&[byte], _) => rest.iter().position(|&b| b == byte)?,
        ([byte, ..], _) => match text.utf8.and_then(|text| text.get(from..)) {
            Some(rest) => rest.find(&*program.prefix)?,
            None => rest.iter().position(|b| b == byte)?,
        },
    };
    Some(from + skipped)
}

/// Where a consuming instruction leads, if it accepts the rune.
fn consume(program: &Program, inst: Inst, rune: u32) -> Option<Pc> {
    let (accepted, next) = match inst {
        Inst::Rune { rune: wanted, next } => (wanted == rune, next),
        Inst::Fold { rune: wanted, next } => (equal_fold(wanted, rune), next),
        Inst::Class { class, next } => (program.set_contains(class, rune), next),
        Inst::Any { next } => (true, next),
        Inst::AnyNotNewline { next } => (rune != 0xa, next),
        Inst::Match | Inst::Alt { .. } | Inst::Save { .. } | Inst::Assert { .. } => return None,
    };
    accepted.then_some(next)
}

/// Runs all alternatives side by side, in the order of their priority.
struct Pike<'p, 't, 'n, 'c, E> {
    program: &'p Program,
    text: Text<'t>,
    counter: &'n mut Counter<'c, E>,
    slot_count: usize,
    stack: Vec<Step>,
    /// The slots of the thread that is being added.
    slots: Vec<usize>,
}

/// The threads at one position, by priority.
struct Threads {
    /// For each instruction, its place in `dense` if that names it.
    sparse: Vec<u32>,
    dense: Vec<Pc>,
    /// The instructions that consume or match, each with its slots.
    ready: Vec<Pc>,
    slots: Vec<usize>,
}

#[derive(Clone, Copy)]
enum Step {
    Go(Pc),
    Restore { slot: usize, value: usize },
}

impl Threads {
    fn new(insts: usize) -> Threads {
        Threads { sparse: vec![0; insts], dense: Vec::new(), ready: Vec::new(), slots: Vec::new() }
    }

    fn clear(&mut self) {
        self.dense.clear();
        self.ready.clear();
        self.slots.clear();
    }

    /// Adds an instruction to the set; false if it is there already.
    fn insert(&mut self, pc: Pc) -> bool {
        let Some(place) = self.sparse.get_mut(pc as usize) else {
            return false;
        };
        if self.dense.get(*place as usize) == Some(&pc) {
            return false;
        }
        *place = self.dense.len() as u32;
        self.dense.push(pc);
        true
    }
}

impl<'p, 't, 'n, 'c, E> Pike<'p, 't, 'n, 'c, E> {
    fn new(
        program: &'p Program,
        text: Text<'t>,
        slot_count: usize,
        counter: &'n mut Counter<'c, E>,
    ) -> Self {
        Pike {
            program,
            text,
            counter,
            slot_count,
            stack: Vec::new(),
            slots: vec![UNSET; slot_count],
        }
    }

    fn find(mut self, from: usize) -> Result<Option<Vec<usize>>, E> {
        let insts = self.program.insts.len();
        let (mut now, mut next) = (Threads::new(insts), Threads::new(insts));
        let mut found = None;
        let mut at = from;
        loop {
            if found.is_none() && (at == 0 || !self.program.anchored) {
                if now.ready.is_empty() {
                    now.clear();
                    match next_candidate(self.program, self.text, at) {
                        Some(candidate) => at = candidate,
                        None => break,
                    }
                }
                self.slots.fill(UNSET);
                if let Some(start) = self.slots.first_mut() {
                    *start = at;
                }
                self.add(&mut now, self.program.start, at);
            }
            if now.ready.is_empty() && (found.is_some() || self.program.anchored) {
                break;
            }
            let (rune, len) = self.text.rune(at);
            next.clear();
            self.step(&now, &mut next, (rune, len, at), &mut found)?;
            std::mem::swap(&mut now, &mut next);
            if len == 0 {
                break;
            }
            at += len;
        }
        Ok(found)
    }

    /// Lets every thread consume the rune; a match ends those of lower priority.
    fn step(
        &mut self,
        now: &Threads,
        next: &mut Threads,
        (rune, len, at): (u32, usize, usize),
        found: &mut Option<Vec<usize>>,
    ) -> Result<(), E> {
        self.counter.count(now.dense.len() as u64)?;
        for (&pc, slots) in now.ready.iter().zip(now.slots.chunks(self.slot_count)) {
            let inst = self.program.inst(pc);
            if matches!(inst, Inst::Match) {
                let found = found.get_or_insert_default();
                found.clear();
                found.extend_from_slice(slots);
                if let Some(end) = found.get_mut(1) {
                    *end = at;
                }
                return Ok(());
            }
            if let Some(pc) = consume(self.program, inst, rune).filter(|_| len > 0) {
                self.slots.copy_from_slice(slots);
                self.add(next, pc, at + len);
            }
        }
        Ok(())
    }

    /// Adds a thread together with all that it leads to without consuming.
    fn add(&mut self, threads: &mut Threads, pc: Pc, at: usize) {
        self.stack.push(Step::Go(pc));
        while let Some(step) = self.stack.pop() {
            match step {
                Step::Go(pc) => self.follow(threads, pc, at),
                Step::Restore { slot, value } => {
                    if let Some(place) = self.slots.get_mut(slot) {
                        *place = value;
                    }
                }
            }
        }
    }

    fn follow(&mut self, threads: &mut Threads, mut pc: Pc, at: usize) {
        while threads.insert(pc) {
            pc = match self.program.inst(pc) {
                Inst::Alt { first, second } => {
                    self.stack.push(Step::Go(second));
                    first
                }
                Inst::Save { slot, next } => {
                    let slot = slot as usize;
                    if let Some(place) = self.slots.get_mut(slot) {
                        let value = std::mem::replace(place, at);
                        self.stack.push(Step::Restore { slot, value });
                    }
                    next
                }
                Inst::Assert { assertion, next } => {
                    if !self.text.holds(assertion, at) {
                        return;
                    }
                    next
                }
                _ => {
                    threads.ready.push(pc);
                    threads.slots.extend_from_slice(&self.slots);
                    return;
                }
            };
        }
    }
}
