//! Waiting for futures where there is no runtime.

use crate::watch::Watch;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A runtime for programs that have none: it runs on the calling thread, and only while that waits.
///
/// ```no_run
/// use bowsprit_loader::net::{Client, Http};
/// use bowsprit_loader::{Blocking, ChartQuery, HelmPaths, Sources};
/// use std::sync::Arc;
///
/// let paths = HelmPaths::from_env(|name| std::env::var(name).ok());
/// let sources = Sources::new(paths, Client::new(Arc::new(Http::new("example/1.0"))));
/// let runtime = Blocking::new()?;
/// let located = runtime.wait(sources.locate("oci://localhost:5000/web", &ChartQuery::default()))?;
/// println!("{}", located.path.display());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Blocking {
    runtime: tokio::runtime::Runtime,
    /// Kept from one wait to the next, so that none is missed in between.
    signals: Mutex<Option<Signals>>,
    watch: Option<Watch>,
}

/// A signal came that asks the program to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupted {
    /// `SIGINT`, from the keyboard.
    Int,
    /// `SIGTERM`, from another process.
    Term,
}

impl Blocking {
    /// A new runtime.
    ///
    /// # Errors
    ///
    /// Where the system refuses what it needs.
    pub fn new() -> std::io::Result<Blocking> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Blocking { runtime, signals: Mutex::default(), watch: None })
    }

    /// The same, with a watch that looks after signals while nothing is waited for.
    #[must_use]
    pub fn watched(mut self, watch: &Watch) -> Blocking {
        self.watch = Some(watch.clone());
        self
    }

    /// Waits for a future.
    pub fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Waits for a future, unless the program is asked to end: then the future is dropped, so that it
    /// can tidy up, and the signal returned. From the first call on, signals that come between two calls
    /// are returned by the next one. After the last one nobody hears them, unless there is a
    /// [watch](Blocking::watched).
    ///
    /// # Errors
    ///
    /// The signal that came.
    pub fn wait_for_signals<F: Future>(&self, future: F) -> Result<F::Output, Interrupted> {
        let _hold = self.watch.as_ref().map(Watch::hold);
        let slot = || self.signals.lock().unwrap_or_else(PoisonError::into_inner);
        let known = slot().take();
        self.runtime.block_on(async {
            let mut signals = known.unwrap_or_else(Signals::new);
            let outcome = tokio::select! {
                biased;
                signal = signals.next() => Err(signal),
                output = future => Ok(output),
            };
            *slot() = Some(signals);
            outcome
        })
    }

    /// Ends without waiting for lookups of names that are still under way.
    pub fn end(self) {
        self.runtime.shutdown_timeout(Duration::ZERO);
    }
}

/// The signals that ask a program to end; none where the system has no such thing.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Signals {
    int: Option<tokio::signal::unix::Signal>,
    term: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    pub(crate) fn new() -> Signals {
        use tokio::signal::unix::{SignalKind, signal};
        Signals {
            int: signal(SignalKind::interrupt()).ok(),
            term: signal(SignalKind::terminate()).ok(),
        }
    }

    pub(crate) async fn next(&mut self) -> Interrupted {
        let (Some(int), Some(term)) = (&mut self.int, &mut self.term) else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = int.recv() => Interrupted::Int,
            _ = term.recv() => Interrupted::Term,
        }
    }
}

#[cfg(not(unix))]
#[derive(Debug)]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn new() -> Signals {
        Signals
    }

    pub(crate) async fn next(&mut self) -> Interrupted {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Interrupted::Int,
            Err(_) => std::future::pending().await,
        }
    }
}
