//! Renders of a plan: in parallel, in order, and never more in memory than a few per thread.

use crate::error::Error;
use crate::layers::merge_layers;
use crate::plan::{Group, Plan, ReleasePlan};
use crate::world::{Rendered, World};
use bowsprit_render::{CompiledChart, RenderRequest};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

/// How far renders may run ahead of what has been handed over, for each thread.
const AHEAD: usize = 4;

/// A group, rendered.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome<'p> {
    /// The release.
    pub release: &'p ReleasePlan,
    /// The group.
    pub group: &'p Group,
    /// The objects, or why there are none.
    pub result: Result<Output, Error>,
}

/// What a render gave.
#[derive(Debug)]
#[non_exhaustive]
pub struct Output {
    /// The release and its text.
    pub rendered: Rendered,
    /// The SHA-256 of the text, in hexadecimal.
    pub digest: String,
    /// The number of an earlier group of the same release with the same text.
    pub same_as: Option<usize>,
}

/// Repository, reference and version of a chart.
type ChartKey<'p> = (Option<&'p str>, &'p str, Option<&'p str>);

type Charts<'p> = HashMap<ChartKey<'p>, Result<CompiledChart, String>>;

fn chart_key<'p>(release: &'p ReleasePlan, group: &'p Group) -> ChartKey<'p> {
    let spec = &release.spec;
    (spec.repository.as_deref(), &spec.chart, group.version.as_deref())
}

/// Renders all groups of a plan and hands them over in the plan's order, failed ones too.
///
/// At most a few renders per thread are in memory at a time, however many groups there are.
///
/// # Errors
///
/// Fails with the first error of `take`; renders that fail are handed to it.
pub fn render<'p, E>(
    plan: &'p Plan,
    world: &dyn World,
    threads: usize,
    mut take: impl FnMut(Outcome<'p>) -> Result<(), E>,
) -> Result<(), E> {
    let jobs: Vec<(&ReleasePlan, &Group)> =
        plan.releases.iter().flat_map(|r| r.groups.iter().map(move |g| (r, g))).collect();
    let charts = charts(&jobs, world, threads);
    let queue = Queue::new(jobs.len(), threads.max(1) * AHEAD);
    let mut seen = Seen::default();
    thread::scope(|scope| {
        for _ in 0..threads.max(1).min(jobs.len()) {
            scope.spawn(|| {
                while let Some(at) = queue.next() {
                    let Some((release, group)) = jobs.get(at) else { break };
                    // The taker waits for every number, so a bug must not leave it waiting.
                    let work = || render_group(plan, release, group, &charts, world);
                    let result = catch_unwind(AssertUnwindSafe(work));
                    queue.put(at, result.unwrap_or_else(|_| Err(panicked(release))));
                }
            });
        }
        for (at, (release, group)) in jobs.iter().enumerate() {
            let mut result = queue.take(at);
            if let Ok(output) = &mut result {
                let id = format!("{}/{}", release.spec.namespace, release.spec.name);
                output.same_as = seen.note(id, &output.digest, group.number);
            }
            if let Err(error) = take(Outcome { release, group, result }) {
                queue.stop();
                return Err(error);
            }
        }
        Ok(())
    })
}

fn panicked(release: &ReleasePlan) -> Error {
    let error = Error::new(&format!("release {}", release.spec.name), "the render panicked");
    error.hint("this is a bug in bowsprit; please report it with the chart")
}

/// The first group of each text.
#[derive(Default)]
struct Seen(BTreeMap<(String, String), usize>);

impl Seen {
    fn note(&mut self, release: String, digest: &str, number: usize) -> Option<usize> {
        let first = *self.0.entry((release, digest.to_owned())).or_insert(number);
        (first != number).then_some(first)
    }
}

/// Each chart once.
fn charts<'p>(
    jobs: &[(&'p ReleasePlan, &'p Group)],
    world: &dyn World,
    threads: usize,
) -> Charts<'p> {
    let mut wanted: Vec<(ChartKey<'p>, &ReleasePlan)> =
        jobs.iter().map(|&(r, g)| (chart_key(r, g), r)).collect();
    wanted.sort_unstable_by_key(|(key, _)| *key);
    wanted.dedup_by_key(|(key, _)| *key);
    let next = Mutex::new(wanted.into_iter());
    let charts = Mutex::new(Charts::new());
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let wanted = next.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((key, release)) = wanted else { break };
                    let compiled = world.chart(&release.spec, key.2);
                    let mut charts = charts.lock().unwrap_or_else(PoisonError::into_inner);
                    charts.insert(key, compiled);
                }
            });
        }
    });
    charts.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn render_group(
    plan: &Plan,
    release: &ReleasePlan,
    group: &Group,
    charts: &Charts<'_>,
    world: &dyn World,
) -> Result<Output, Error> {
    let spec = &release.spec;
    let failed = |message: String| {
        let error = Error::new(&format!("release {}", spec.name), message);
        error.hint(format!("for {}", describe(plan, group)))
    };
    let chart = match charts.get(&chart_key(release, group)) {
        Some(Ok(chart)) => chart,
        Some(Err(message)) => return Err(failed(message.clone())),
        None => return Err(failed("the chart was not loaded".to_owned())),
    };
    let values = merge_layers(&group.layers)?;
    let capabilities = group.offer.capabilities(world).map_err(failed)?;
    let request = RenderRequest::new(group.name.as_str(), spec.namespace.as_str())
        .values(values)
        .capabilities(capabilities);
    let snapshot = group.offer.snapshot.as_deref();
    let rendered = world.render(spec, chart, &request, snapshot).map_err(failed)?;
    Ok(Output { digest: digest(&rendered.text), rendered, same_as: None })
}

/// The SHA-256 of a text, in hexadecimal.
pub fn digest(text: &[u8]) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The names of a group's clusters, the first few of many.
pub fn describe(plan: &Plan, group: &Group) -> String {
    const SHOWN: usize = 3;
    let names = group.targets.iter().filter_map(|at| plan.targets.get(*at));
    let names: Vec<&str> = names.take(SHOWN).map(|target| target.name.as_str()).collect();
    match group.targets.len() {
        1 => format!("cluster {}", names.join(", ")),
        n if n <= SHOWN => format!("clusters {}", names.join(", ")),
        n => format!("{n} clusters ({}, …)", names.join(", ")),
    }
}

/// Numbers are given out in order, results taken in order, and no worker runs far ahead.
struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    len: usize,
    window: usize,
}

struct State<T> {
    next: usize,
    taken: usize,
    done: HashMap<usize, T>,
    stopped: bool,
}

impl<T> Queue<T> {
    fn new(len: usize, window: usize) -> Queue<T> {
        let state = State { next: 0, taken: 0, done: HashMap::new(), stopped: false };
        Queue { state: Mutex::new(state), changed: Condvar::new(), len, window }
    }

    fn next(&self) -> Option<usize> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.stopped || state.next >= self.len {
                return None;
            }
            if state.next < state.taken + self.window {
                state.next += 1;
                return Some(state.next - 1);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn put(&self, at: usize, result: T) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.done.insert(at, result);
        self.changed.notify_all();
    }

    fn take(&self, at: usize) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(result) = state.done.remove(&at) {
                state.taken = at + 1;
                self.changed.notify_all();
                return result;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn stop(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.stopped = true;
        self.changed.notify_all();
    }
}
