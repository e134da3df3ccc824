//! Programs that are asked to end while they compute.

use crate::blocking::{Interrupted, Signals};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};

/// Ends a program that is asked to end while nothing waits for signals.
///
/// Whoever waits for signals once, by [`Blocking::wait_for_signals`](crate::Blocking::wait_for_signals) or
/// otherwise, takes from the system what it does with them by itself: ending the program. So a program that
/// has fetched a chart would render it to its end, whatever is pressed. A watch gives that back. A
/// [`Blocking`](crate::Blocking) that [knows of it](crate::Blocking::watched) holds it while it waits;
/// others that look after signals by themselves take a [`hold`](Watch::hold) for that time.
///
/// ```
/// use bowsprit_loader::{Blocking, Watch};
///
/// let watch = Watch::new(|_signal| { /* tidy up, and end the program */ });
/// let runtime = Blocking::new()?.watched(&watch);
/// runtime.wait_for_signals(async { /* fetch something */ }).ok();
/// // From here on the function above is called for a signal.
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Watch(Arc<Shared>);

struct Shared {
    holds: AtomicUsize,
    started: Once,
    react: Box<dyn Fn(Interrupted) + Send + Sync>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("holds", &self.holds).finish_non_exhaustive()
    }
}

/// As long as it lives somebody else looks after signals; see [`Watch::hold`].
#[derive(Debug)]
#[must_use = "the hold ends where this is dropped"]
pub struct Hold(Watch);

impl Watch {
    /// A watch that calls this function, on a thread of its own, for each signal that nobody else looks
    /// after. Nothing is set up before the first hold ends.
    pub fn new(react: impl Fn(Interrupted) + Send + Sync + 'static) -> Watch {
        let shared =
            Shared { holds: AtomicUsize::new(0), started: Once::new(), react: Box::new(react) };
        Watch(Arc::new(shared))
    }

    /// Lets somebody else look after signals until the hold is dropped.
    pub fn hold(&self) -> Hold {
        self.0.holds.fetch_add(1, Ordering::SeqCst);
        Hold(self.clone())
    }

    /// Looks after signals from now on, which the end of a hold does too.
    pub fn start(&self) {
        self.0.started.call_once(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
            let Ok(runtime) = runtime else { return };
            // Here and not on the thread, so that none is missed before that runs.
            let mut signals = runtime.block_on(async { Signals::new() });
            let watch = self.clone();
            let look = move || {
                runtime.block_on(async {
                    loop {
                        let signal = signals.next().await;
                        if watch.0.holds.load(Ordering::SeqCst) == 0 {
                            (watch.0.react)(signal);
                        }
                    }
                });
            };
            // Without a thread the program can still be killed.
            drop(std::thread::Builder::new().name("signals".to_owned()).spawn(look));
        });
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Before the count, for a signal must find somebody.
        self.0.start();
        self.0.0.holds.fetch_sub(1, Ordering::SeqCst);
    }
}
