//! Meters that stop a hostile template.

use crate::map::WeakMap;
use crate::{FuncError, FuncErrorKind, History, Map};
use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;

/// Which limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitKind {
    /// Instructions of the engine, and work that functions charge.
    Steps,
    /// Bytes held by values.
    Bytes,
    /// Bytes of output.
    Output,
    /// Nested calls.
    Depth,
    /// The time is up, or the caller asked to stop.
    Interrupted,
}

impl LimitKind {
    const fn text(self) -> &'static str {
        match self {
            LimitKind::Steps => "limit reached: too many steps",
            LimitKind::Bytes => "limit reached: too much memory",
            LimitKind::Output => "limit reached: too much output",
            LimitKind::Depth => "limit reached: calls nested too deeply",
            LimitKind::Interrupted => "limit reached: time is up",
        }
    }
}

/// What one run may use. The default has no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Instructions, plus one for every few bytes of work that functions charge.
    pub steps: u64,
    /// Bytes that a run's values may hold. What is allocated and dropped again does not count, but for
    /// an eighth of the limit, since values are weighed only now and then.
    pub bytes: u64,
    /// Bytes of output, captured output included.
    pub output: u64,
    /// Nested template calls (`template`, `include`, `tpl`).
    pub depth: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { steps: u64::MAX, bytes: u64::MAX, output: u64::MAX, depth: u32::MAX }
    }
}

const INTERRUPT_EVERY: u64 = 4096;

/// The counters of one run.
pub struct Meter {
    limits: Limits,
    steps: Cell<u64>,
    /// Held when values were weighed last, and allocated since.
    bytes: Cell<u64>,
    weigh_above: Cell<u64>,
    interrupt: Option<Box<dyn Fn() -> bool>>,
    next_check: Cell<u64>,
    mutated: RefCell<Vec<WeakMap>>,
    history: History,
    scratch: RefCell<BTreeMap<TypeId, Box<dyn Any>>>,
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter")
            .field("limits", &self.limits)
            .field("steps", &self.steps)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl Default for Meter {
    fn default() -> Meter {
        Meter::new(Limits::default())
    }
}

impl Meter {
    /// Counters at zero.
    pub fn new(limits: Limits) -> Meter {
        Meter {
            limits,
            steps: Cell::new(0),
            bytes: Cell::new(0),
            weigh_above: Cell::new(limits.bytes),
            interrupt: None,
            next_check: Cell::new(limits.steps),
            mutated: RefCell::default(),
            history: History::default(),
            scratch: RefCell::default(),
        }
    }

    /// Asks `interrupt` every few thousand steps whether the run must stop.
    pub fn with_interrupt(mut self, interrupt: impl Fn() -> bool + 'static) -> Meter {
        self.interrupt = Some(Box::new(interrupt));
        self.next_check = Cell::new(self.limits.steps.min(INTERRUPT_EVERY));
        self
    }

    /// The limits of this run.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What happened so far. Functions that write to a map among their arguments say so here.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Steps counted so far.
    pub fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// Bytes held when values were weighed last, and those allocated since.
    pub fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// Whether so much was allocated that values should be weighed, to see what of it is held.
    #[inline]
    pub fn wants_weighing(&self) -> bool {
        self.bytes.get() > self.weigh_above.get()
    }

    /// Takes note of the bytes that all values of the run hold.
    ///
    /// # Errors
    ///
    /// Fails when these are more than the run may hold.
    pub fn weighed(&self, held: u64) -> Result<(), FuncError> {
        if held > self.limits.bytes {
            return Err(limit_error(LimitKind::Bytes));
        }
        self.bytes.set(held);
        let next = held.saturating_add(self.limits.bytes / 8);
        self.weigh_above.set(next.max(self.limits.bytes));
        Ok(())
    }

    /// Counts work.
    ///
    /// # Errors
    ///
    /// Fails when the steps are used up or the caller's interrupt says so.
    #[inline]
    pub fn charge_steps(&self, steps: u64) -> Result<(), FuncError> {
        let now = self.steps.get().saturating_add(steps);
        self.steps.set(now);
        if now > self.next_check.get() { self.check(now) } else { Ok(()) }
    }

    #[cold]
    fn check(&self, now: u64) -> Result<(), FuncError> {
        if now > self.limits.steps {
            return Err(limit_error(LimitKind::Steps));
        }
        if self.interrupt.as_ref().is_some_and(|stop| stop()) {
            return Err(limit_error(LimitKind::Interrupted));
        }
        self.next_check.set(self.limits.steps.min(now.saturating_add(INTERRUPT_EVERY)));
        Ok(())
    }

    /// Counts an allocation, and its size as work too: a step for every 64 bytes.
    ///
    /// # Errors
    ///
    /// Fails when a quarter more is allocated than the run may hold before anybody weighed what is held,
    /// and when the steps are used up.
    #[inline]
    pub fn charge_bytes(&self, bytes: usize) -> Result<(), FuncError> {
        let now = self.bytes.get().saturating_add(bytes as u64);
        self.bytes.set(now);
        if now > self.limits.bytes.saturating_add(self.limits.bytes / 4) {
            return Err(limit_error(LimitKind::Bytes));
        }
        self.charge_steps(bytes as u64 / 64)
    }

    /// Lends what functions keep from one call to the next of a run, one value of each type.
    ///
    /// It starts as the type's default. Whoever keeps something bounds its size. Inside of `work`
    /// the same type starts anew, and what is kept there is lost.
    pub fn scratch<T: Any + Default, R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        let id = TypeId::of::<T>();
        let kept = self.scratch.borrow_mut().remove(&id);
        let mut kept = kept.and_then(|kept| kept.downcast::<T>().ok()).unwrap_or_default();
        let result = work(&mut kept);
        self.scratch.borrow_mut().insert(id, kept);
        result
    }

    /// Remembers a map that was given a container, and so may have become part of a cycle.
    pub fn remember(&self, map: &Map) {
        self.mutated.borrow_mut().push(map.downgrade());
    }

    /// Empties the remembered maps; called when nobody needs the run's values any more.
    pub fn release(&self) {
        for map in self.mutated.take() {
            map.clear();
        }
    }
}

/// The error that a reached limit gives.
#[cold]
pub(crate) fn limit_error(kind: LimitKind) -> FuncError {
    FuncError::with_kind(FuncErrorKind::Limit, kind.text())
}

impl From<LimitKind> for FuncError {
    fn from(kind: LimitKind) -> FuncError {
        limit_error(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_stop_and_interrupts_are_asked() {
        let meter = Meter::new(Limits { steps: 10, ..Limits::default() });
        assert!(meter.charge_steps(10).is_ok());
        assert_eq!(meter.charge_steps(1).map_err(|e| e.kind()), Err(FuncErrorKind::Limit));

        assert_eq!(meter.scratch(|calls: &mut u32| std::mem::replace(calls, 7)), 0);
        assert_eq!(meter.scratch(|calls: &mut u32| *calls), 7);

        let meter = Meter::new(Limits { bytes: 800, ..Limits::default() });
        assert!(meter.charge_bytes(900).is_ok() && meter.wants_weighing());
        assert!(meter.weighed(100).is_ok() && !meter.wants_weighing());
        assert!(meter.charge_bytes(901).is_err());
        assert!(meter.weighed(801).is_err());

        let meter = Meter::default().with_interrupt(|| true);
        assert!(meter.charge_steps(4096).is_ok());
        assert!(meter.charge_steps(1).is_err());
    }
}
