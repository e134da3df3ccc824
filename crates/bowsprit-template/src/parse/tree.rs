//! The state of one template while it is parsed: Go's `parse.Tree`.

use super::token::Token;
use crate::compile::program::{Instr, LoopVars, NO_SITE, Op};
use bowsprit_value::Str;

/// A variable in scope. `slot` is missing while its own pipeline is being read, and for names that were
/// only assigned to.
#[derive(Clone, Debug)]
pub(super) struct Var {
    pub(super) name: Str,
    pub(super) slot: Option<u32>,
}

/// An open control structure.
#[derive(Clone, Debug)]
pub(super) struct Control {
    pub(super) kind: ControlKind,
    pub(super) vars: usize,
    /// How many variables there are when its head was read: the others are those of its first branch.
    pub(super) head_vars: usize,
    pub(super) in_else: bool,
    /// The jump to the else branch.
    pub(super) to_else: usize,
    /// The jumps to the end.
    pub(super) to_end: Vec<usize>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum ControlKind {
    If,
    With,
    /// The index of its `RangeNext`, and the `with` depth around it.
    Range {
        next: usize,
        with_depth: u32,
    },
}

/// What a tree is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TreeKind {
    Root,
    Define,
    Block,
}

#[derive(Debug)]
pub(super) struct Tree {
    pub(super) kind: TreeKind,
    pub(super) name: Str,
    pub(super) tokens: [Token; 3],
    pub(super) peeked: usize,
    pub(super) vars: Vec<Var>,
    pub(super) next_slot: u32,
    pub(super) slots: u32,
    /// Where the action that is being read began.
    pub(super) action: Option<u32>,
    pub(super) parens: u32,
    pub(super) with_depth: u32,
    pub(super) controls: Vec<Control>,
    pub(super) code: Vec<Instr>,
    pub(super) blank: bool,
}

impl Tree {
    pub(super) fn new(kind: TreeKind, name: Str) -> Tree {
        Tree {
            kind,
            name,
            tokens: [Token::NONE; 3],
            peeked: 0,
            vars: vec![Var { name: Str::from_static("$"), slot: Some(0) }],
            next_slot: 1,
            slots: 1,
            action: None,
            parens: 0,
            with_depth: 0,
            controls: Vec::new(),
            code: Vec::with_capacity(32),
            blank: true,
        }
    }

    pub(super) fn emit(&mut self, op: Op, site: u32) -> usize {
        self.code.push(Instr { op, site });
        self.code.len() - 1
    }

    pub(super) fn emit_plain(&mut self, op: Op) -> usize {
        self.emit(op, NO_SITE)
    }

    /// Emits the test of an `if`, to which it is all the same whether a value came out of an interface.
    pub(super) fn emit_test(&mut self) -> usize {
        // What jumps to the instruction that goes, jumps to the test then.
        self.code.pop_if(|last| matches!(last, Instr { op: Op::Unwrap, site: NO_SITE }));
        self.emit_plain(Op::JumpIfFalse(0))
    }

    /// In `$x = append $x 1` nobody sees the old value again, so the call may have it to itself and need
    /// not copy it. Holds for a variable that the code from `from` on reads once.
    pub(super) fn take_only_use(&mut self, from: usize, slot: u32) {
        let code = self.code.get_mut(from..).unwrap_or_default();
        let mut uses = code.iter_mut().filter(|instr| match instr.op {
            Op::Var(used) | Op::VarFields { slot: used, .. } => used == slot,
            _ => false,
        });
        if let (Some(only), None) = (uses.next(), uses.next())
            && matches!(only.op, Op::Var(_))
        {
            only.op = Op::TakeVar(slot);
        }
    }

    pub(super) fn here(&self) -> u32 {
        self.code.len() as u32
    }

    /// Lets a jump that was emitted before end up here.
    pub(super) fn patch(&mut self, at: usize, loops: &mut [LoopVars]) {
        let here = self.here();
        let Some(instr) = self.code.get_mut(at) else { return };
        match &mut instr.op {
            Op::Jump(t)
            | Op::JumpIfFalse(t)
            | Op::With(t)
            | Op::RangeStart { target: t, .. }
            | Op::ShortCircuit { target: t, .. } => *t = here,
            Op::RangeNext(number) => {
                if let Some(vars) = loops.get_mut(*number as usize) {
                    vars.end = here;
                }
            }
            _ => {}
        }
    }

    pub(super) fn new_slot(&mut self) -> u32 {
        let slot = self.next_slot;
        self.next_slot += 1;
        self.slots = self.slots.max(self.next_slot);
        slot
    }

    /// The slot of the innermost declaration of a name.
    pub(super) fn slot(&self, name: &[u8]) -> Option<u32> {
        self.vars.iter().rev().find(|v| v.slot.is_some() && v.name.as_bytes() == name)?.slot
    }

    pub(super) fn pop_vars(&mut self, len: usize) {
        self.vars.truncate(len);
        let declared = self.vars.iter().filter_map(|v| v.slot).max().unwrap_or(0);
        self.next_slot = declared + 1;
    }

    /// Ends a branch that another one follows. What it declared stays known to the parser, as in Go, but the
    /// other branch never runs after it: there a name means what it means outside.
    pub(super) fn hide_vars(&mut self, from: usize) {
        self.vars.iter_mut().skip(from).for_each(|var| var.slot = None);
    }

    pub(super) fn in_range(&self) -> bool {
        self.controls.iter().any(|c| matches!(c.kind, ControlKind::Range { .. }) && !c.in_else)
    }
}
