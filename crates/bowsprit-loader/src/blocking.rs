//! Waiting for futures where there is no runtime.

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
pub struct Blocking(tokio::runtime::Runtime);

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
        tokio::runtime::Builder::new_current_thread().enable_all().build().map(Blocking)
    }

    /// Waits for a future.
    pub fn wait<F: Future>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }

    /// Waits for a future, unless the program is asked to end: then the future is dropped, so that it
    /// can tidy up, and the signal returned.
    ///
    /// # Errors
    ///
    /// The signal that came.
    pub fn wait_for_signals<F: Future>(&self, future: F) -> Result<F::Output, Interrupted> {
        self.0.block_on(async {
            tokio::select! {
                output = future => Ok(output),
                signal = signal() => Err(signal),
            }
        })
    }

    /// Ends without waiting for lookups of names that are still under way.
    pub fn end(self) {
        self.0.shutdown_timeout(Duration::ZERO);
    }
}

#[cfg(unix)]
async fn signal() -> Interrupted {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut term) => tokio::select! {
            _ = tokio::signal::ctrl_c() => Interrupted::Int,
            _ = term.recv() => Interrupted::Term,
        },
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn signal() -> Interrupted {
    match tokio::signal::ctrl_c().await {
        Ok(()) => Interrupted::Int,
        Err(_) => std::future::pending().await,
    }
}
