//! What `include` gave, kept for when the same is asked again.
//!
//! Helpers are called again and again with the same value: each label and each name of a chart's objects is
//! such a call. A result is used again where running the template anew could only give the same: the value
//! is alike ([`alike`]), and the meter's [`History`](bowsprit_value::History) says that the first run asked
//! nothing of the outside and that nothing it could have read was written since.

use super::{Run, Step};
use crate::set::Folded;
use bowsprit_value::{Meter, Str, Value, alike, mark};
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many are kept; with more, it begins anew. Enough for the charts that are rendered next to each other, and as
/// many as a table of 1024 places takes.
const MOST: usize = 896;

/// Longer texts are not kept.
const MAX_TEXT: usize = 64 * 1024;

/// Where calls would be nested more deeply than this, all is run: it may reach a limit, and where it does
/// is to be seen. So it is with other limits.
const MAX_DEPTH: usize = 500;

pub(super) struct Memo<'r> {
    varies: &'r AtomicBool,
    /// Which execution this is, counted from 1.
    execution: u64,
    /// By a template's number and the mark of its value. Of those that have both alike the last is here.
    results: HashMap<(usize, u64), Kept, BuildHasherDefault<Folded>>,
    open: Vec<Open>,
    /// The most frames that there were since the innermost open call began.
    deepest: usize,
}

/// A call under way.
struct Open {
    key: (usize, u64),
    value: Value,
    moment: u32,
    steps: u64,
    /// The frames that were there before it.
    frames: usize,
    /// What `deepest` was.
    deepest: usize,
}

struct Kept {
    value: Value,
    text: Str,
    /// When its run began.
    moment: u32,
    /// The execution that it belongs to; 0 if to all.
    execution: u64,
    steps: u64,
    depth: usize,
}

/// What is known of a call.
pub(super) enum Called {
    /// What it gives.
    Before(Str),
    /// It may be used again.
    Noted,
    /// Nothing is kept.
    Unnoted,
}

impl Kept {
    fn is_alike(&self, value: &Value, execution: u64, frames: usize, meter: &Meter) -> bool {
        let limits = meter.limits();
        (self.execution == 0 || self.execution == execution)
            && alike(&self.value, value)
            && meter.history().is_unchanged_since(self.moment)
            && frames + self.depth < MAX_DEPTH.min(limits.depth as usize)
            && self.steps <= limits.steps.saturating_sub(meter.steps())
    }
}

impl<'r> Memo<'r> {
    pub(super) fn new(varies: &'r AtomicBool) -> Memo<'r> {
        Memo { varies, execution: 0, results: HashMap::default(), open: Vec::new(), deepest: 0 }
    }

    /// Another execution begins.
    pub(super) fn begin(&mut self) {
        self.execution += 1;
        self.open.clear();
    }

    /// Forgets all results.
    pub(super) fn clear(&mut self) {
        self.results.clear();
    }

    pub(super) fn entered(&mut self, frames: usize) {
        self.deepest = self.deepest.max(frames);
    }
}

impl Run<'_> {
    /// What a template gave before for such a value, if it would give that again; else takes note of the call,
    /// whose frame comes next.
    pub(super) fn recall(&mut self, template: usize, value: &Value) -> Step<Called> {
        let (frames, meter) = (self.frames.len(), self.meter);
        let Some(memo) = &mut self.memo else { return Ok(Called::Unnoted) };
        let key = (template, mark(value));
        if let Some(kept) = memo.results.get(&key)
            && kept.is_alike(value, memo.execution, frames, meter)
        {
            let (text, steps, depth) = (kept.text.clone(), kept.steps, kept.depth);
            memo.entered(frames + depth);
            meter.charge_steps(steps)?;
            return Ok(Called::Before(text));
        }
        let (moment, steps) = (meter.history().moment(), meter.steps());
        let (value, deepest) = (value.clone(), memo.deepest);
        memo.open.push(Open { key, value, moment, steps, frames, deepest });
        memo.deepest = frames;
        Ok(Called::Noted)
    }

    /// Keeps what the innermost noted call gave, if it can be used again.
    pub(super) fn close(&mut self, text: &Str) {
        let meter = self.meter;
        let Some(memo) = &mut self.memo else { return };
        let Some(open) = memo.open.pop() else { return };
        let depth = memo.deepest.saturating_sub(open.frames);
        memo.deepest = memo.deepest.max(open.deepest);
        if text.len() > MAX_TEXT || !meter.history().is_repeatable_since(open.moment) {
            return;
        }
        let varies = memo.varies.load(Ordering::Relaxed);
        let execution = if varies { memo.execution } else { 0 };
        let steps = meter.steps().saturating_sub(open.steps);
        if memo.results.len() >= MOST {
            memo.clear();
        }
        let Open { key, value, moment, .. } = open;
        let kept = Kept { value, text: text.clone(), moment, execution, steps, depth };
        memo.results.insert(key, kept);
    }
}
