//! What a compiled chart keeps of its last render for the next one.
//!
//! Renders of one chart mostly have the same subcharts switched on, and often the same values. The
//! templates that go with the first are linked once, and where values come a second time, so are they laid
//! over the defaults. Nothing of it can be told from what comes out.
//!
//! Threads that render at the same time have a memory each, with values and templates of its own: cores that
//! count references to the same things take turns, and for a small chart that is a third of the time. A thread
//! comes back to what it used before if that is free. Where renders follow one another, from whichever thread,
//! there is one memory.

use crate::compat::Rules;
use crate::compiled::Job;
use crate::plan::{Instance, Plan};
use crate::request::RenderRequest;
use crate::scope::Charts;
use bowsprit_chart::{LogLine, Warned};
use bowsprit_template::{TemplateSet, TplCache};
use bowsprit_value::{Map, Value};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Values that are larger than this are not compared.
const MAX_COMPARED: usize = 1 << 16;

/// The templates of a plan, bound to their names, in Helm's order.
pub(crate) struct Code {
    pub(crate) jobs: Vec<Job>,
    pub(crate) set: TemplateSet,
}

/// A plan's templates, with what they see of its charts.
pub(crate) struct Linked {
    instances: Arc<Vec<Instance>>,
    pub(crate) code: Arc<Code>,
    pub(crate) charts: Arc<Charts>,
}

impl Linked {
    pub(crate) fn new(plan: &Plan, code: Arc<Code>, rules: &Rules) -> Linked {
        let charts = Charts::new(&plan.instances, rules.chart_object);
        Linked { instances: Arc::clone(&plan.instances), code, charts }
    }
}

/// A plan that was made once for some values.
struct Planned {
    plan: Plan,
    warnings: Vec<LogLine>,
}

/// The values that were asked for last, and what came of them if they had been asked for before.
struct Last {
    values: Map,
    skip_schema_validation: bool,
    planned: Option<Planned>,
}

/// So many renders at once remember each for itself; more of them share.
const SLOTS: usize = 16;

#[derive(Default)]
pub(crate) struct Memory {
    first: Slot,
    more: [OnceLock<Box<Slot>>; SLOTS - 1],
}

/// What renders remember that follow one another. Has cache lines for itself.
#[derive(Default)]
#[repr(align(128))]
struct Slot {
    /// How many renders are using it.
    users: AtomicUsize,
    /// The thread that had it last.
    thread: AtomicU64,
    /// Shares nothing that renders count references to.
    detached: bool,
    tpl: Arc<TplCache>,
    last: Mutex<Option<Last>>,
    linked: Mutex<Option<Arc<Linked>>>,
}

/// A slot in use.
pub(crate) struct Lease<'m> {
    slot: &'m Slot,
    /// Its number, for [`Memory::lease_again`].
    pub(crate) number: usize,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.slot.users.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What the memory has to say of a request.
pub(crate) enum Recalled {
    /// Nothing; the plan need not be kept.
    New,
    /// Its values are those of the request before, whose plan was not kept.
    Again,
    Known(Warned<Plan>),
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    fn slot(&self, number: usize) -> &Slot {
        match number.checked_sub(1).and_then(|number| self.more.get(number)) {
            None => &self.first,
            Some(slot) => slot.get_or_init(|| {
                let tpl = Arc::new(TplCache::before(Arc::clone(&self.first.tpl)));
                Box::new(Slot { detached: true, tpl, ..Slot::default() })
            }),
        }
    }

    /// The slot that this thread had before, or else the first that nobody uses. Where there is none, one of
    /// those that are used least.
    pub(crate) fn lease(&self) -> Lease<'_> {
        self.lease_for(this_thread())
    }

    fn lease_for(&self, thread: u64) -> Lease<'_> {
        let made = self.more.iter().map_while(|slot| slot.get().map(AsRef::as_ref));
        let known = [&self.first].into_iter().chain(made).enumerate();
        let mut own = known.filter(|(_, slot)| slot.thread.load(Ordering::Relaxed) == thread);
        if let Some(lease) = own.find_map(|(number, slot)| slot.free(number)) {
            return lease;
        }
        let mut least = (usize::MAX, 0);
        for number in 0..SLOTS {
            let slot = self.slot(number);
            if let Some(lease) = slot.free(number) {
                slot.thread.store(thread, Ordering::Relaxed);
                return lease;
            }
            least = least.min((slot.users.load(Ordering::Relaxed), number));
        }
        self.lease_again(least.1)
    }

    /// The templates that were run last where renders follow one another.
    pub(crate) fn last_run(&self) -> Option<Arc<Linked>> {
        lock(&self.first.linked).clone()
    }

    /// The slot of a number, whoever else uses it.
    pub(crate) fn lease_again(&self, number: usize) -> Lease<'_> {
        let slot = self.slot(number);
        slot.users.fetch_add(1, Ordering::Relaxed);
        Lease { slot, number }
    }
}

impl Slot {
    /// The slot, if nobody uses it.
    fn free(&self, number: usize) -> Option<Lease<'_>> {
        let (users, order) = (&self.users, Ordering::Relaxed);
        let free = users.load(order) == 0 && users.compare_exchange(0, 1, order, order).is_ok();
        free.then(|| Lease { slot: self, number })
    }
}

/// A number that hardly any other thread has.
fn this_thread() -> u64 {
    let mut hasher = DefaultHasher::new();
    std::thread::current().id().hash(&mut hasher);
    hasher.finish()
}

impl Lease<'_> {
    /// The texts that `tpl` has compiled.
    pub(crate) fn tpl(&self) -> Arc<TplCache> {
        Arc::clone(&self.slot.tpl)
    }

    /// Looks for the plan of a request, and takes note of its values.
    pub(crate) fn recall(&self, request: &RenderRequest) -> Recalled {
        let mut last = lock(&self.slot.last);
        if let Some(last) = last.as_ref()
            && last.skip_schema_validation == request.skip_schema_validation
            && same_values(&last.values, &request.values)
        {
            let Some(planned) = &last.planned else { return Recalled::Again };
            let warnings = planned.warnings.clone();
            return Recalled::Known(Warned { output: planned.plan.fork(), warnings });
        }
        let values = &request.values;
        let values = if self.slot.detached { values.detached() } else { values.fork() };
        let skip_schema_validation = request.skip_schema_validation;
        *last = Some(Last { values, skip_schema_validation, planned: None });
        Recalled::New
    }

    /// Keeps a plan, if nobody has asked for another one meanwhile; gives one that may be written.
    pub(crate) fn keep(&self, request: &RenderRequest, planned: Warned<Plan>) -> Warned<Plan> {
        let Warned { output: plan, warnings } = planned;
        let plan = if self.slot.detached { plan.detached() } else { plan };
        let fork = plan.fork();
        let mut last = lock(&self.slot.last);
        if let Some(last) = last.as_mut()
            && last.skip_schema_validation == request.skip_schema_validation
            && same_values(&last.values, &request.values)
        {
            last.planned = Some(Planned { plan, warnings: warnings.clone() });
        }
        Warned { output: fork, warnings }
    }

    /// The templates of a plan, if those of the render before were the same.
    pub(crate) fn linked(&self, plan: &Plan, rules: &Rules) -> Option<Arc<Linked>> {
        let kept = lock(&self.slot.linked).clone()?;
        if Arc::ptr_eq(&kept.instances, &plan.instances) {
            return Some(kept);
        }
        let same = |a: &Instance, b: &Instance| Arc::ptr_eq(&a.chart, &b.chart) && a.path == b.path;
        let mut pairs = kept.instances.iter().zip(plan.instances.iter());
        let alike = kept.instances.len() == plan.instances.len() && pairs.all(|(a, b)| same(a, b));
        alike.then(|| self.link(Linked::new(plan, Arc::clone(&kept.code), rules)))
    }

    /// Keeps the templates of a plan.
    pub(crate) fn link(&self, linked: Linked) -> Arc<Linked> {
        let linked = Arc::new(linked);
        *lock(&self.slot.linked) = Some(Arc::clone(&linked));
        linked
    }
}

/// Whether nothing can tell two tables of values apart. May be false where they are too large to say, or
/// hold what values hardly ever hold.
fn same_values(a: &Map, b: &Map) -> bool {
    let mut pending = vec![(Value::Map(a.clone()), Value::Map(b.clone()))];
    let mut left = MAX_COMPARED;
    while let Some(pair) = pending.pop() {
        match pair {
            (Value::Map(a), Value::Map(b)) => {
                if a.is_nil() != b.is_nil() || a.ty().name() != b.ty().name() {
                    return false;
                }
                if a.same_origin(&b) {
                    continue;
                }
                let (a, b) = (a.peek(), b.peek());
                let keys = a.iter().map(|(key, _)| key);
                if a.len() != b.len() || a.len() > left || !keys.eq(b.iter().map(|(key, _)| key)) {
                    return false;
                }
                left -= a.len();
                let values = a.iter().zip(b.iter());
                for ((_, a), (_, b)) in values {
                    if !same_scalars(a, b, &mut pending) {
                        return false;
                    }
                }
            }
            (Value::List(a), Value::List(b)) => {
                let alike = a.len() == b.len() && a.is_nil() == b.is_nil();
                if !alike || a.len() > left || a.ty().name() != b.ty().name() {
                    return false;
                }
                left -= a.len();
                if !a.iter().zip(b.iter()).all(|(a, b)| same_scalars(a, b, &mut pending)) {
                    return false;
                }
            }
            _ => return false,
        }
    }
    true
}

/// Compares all but what is inside of containers, which is left for later.
fn same_scalars(a: &Value, b: &Value, pending: &mut Vec<(Value, Value)>) -> bool {
    match (a, b) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(kind, a), Value::Int(other, b)) => kind == other && a == b,
        // Zero has a sign.
        (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
        (Value::Str(a), Value::Str(b)) => a == b,
        (Value::Map(_), Value::Map(_)) | (Value::List(_), Value::List(_)) => {
            pending.push((a.clone(), b.clone()));
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowsprit_value::Str;

    fn request(replicas: i64) -> RenderRequest {
        let values = Map::from_entries([(Str::from("replicas"), Value::int(replicas))]);
        RenderRequest::new("r", "default").values(values)
    }

    fn is_new(lease: &Lease<'_>, request: &RenderRequest) -> bool {
        matches!(lease.recall(request), Recalled::New)
    }

    #[test]
    fn renders_one_after_another_share_a_memory() {
        let memory = Memory::default();
        let seen = |thread, replicas| {
            let lease = memory.lease_for(thread);
            (lease.number, is_new(&lease, &request(replicas)))
        };
        assert_eq!([seen(1, 1), seen(2, 1)], [(0, true), (0, false)]);
        assert_eq!([seen(3, 2), seen(1, 2)], [(0, true), (0, false)]);
        assert!(memory.more.iter().all(|slot| slot.get().is_none()));
    }

    #[test]
    fn renders_at_once_have_a_memory_each() {
        let memory = Memory::default();
        let mut leases: Vec<_> = (0..SLOTS).map(|_| memory.lease()).collect();
        for (number, lease) in leases.iter().enumerate() {
            assert_eq!(lease.number, number);
            assert!(is_new(lease, &request(1)) && !is_new(lease, &request(1)));
        }
        let shared = memory.lease();
        assert!(shared.number < SLOTS && !is_new(&shared, &request(1)));
        drop((leases.remove(5), shared));
        assert_eq!(memory.lease().number, 5);
    }

    #[test]
    fn threads_come_back_to_their_memory() {
        let memory = Memory::default();
        let first = memory.lease_for(1);
        assert_eq!(memory.lease_for(2).number, 1);
        drop(first);
        assert_eq!([1, 2, 3, 2].map(|thread| memory.lease_for(thread).number), [0, 1, 0, 1]);
    }

    fn values(inner: Value) -> Map {
        let list = Value::list(vec![Value::Map(Map::from_entries([(Str::from("b"), inner)]))]);
        Map::from_entries([(Str::from("a"), list), (Str::from("c"), Value::Nil)])
    }

    #[test]
    fn values_are_the_same_if_nothing_tells_them_apart() {
        assert!(same_values(&values("x".into()), &values("x".into())));
        assert!(same_values(&values(Value::Float(0.0)), &values(Value::Float(0.0)).fork()));
        let others = [
            Value::Float(-0.0),
            Value::int(0),
            Value::int64(0),
            Value::Nil,
            Value::Map(Map::new()),
        ];
        for other in others {
            assert!(!same_values(&values(Value::Float(0.0)), &values(other.clone())), "{other:?}");
        }
        assert!(!same_values(&values(Value::Nil), &Map::new()));
    }
}
