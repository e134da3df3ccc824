//! Running operations from code that is not asynchronous.

use crate::client::Cluster;
use crate::error::{Error, ErrorKind, Result};
use std::future::Future;

/// Runs operations to their end.
#[derive(Debug)]
pub struct Runtime(tokio::runtime::Runtime);

impl Runtime {
    /// A runtime of its own.
    ///
    /// # Errors
    ///
    /// Fails where the system gives no threads.
    pub fn new() -> Result<Runtime> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|e| Error::caused(ErrorKind::Config, format!("no runtime: {e}"), e))?;
        Ok(Runtime(runtime))
    }

    /// Runs one operation.
    pub fn run<F: Future>(&self, operation: F) -> F::Output {
        self.0.block_on(operation)
    }

    /// Runs an operation on a cluster; an interrupt or a request to terminate makes it stop at the next
    /// safe place, after its record says so.
    pub fn run_interruptibly<F: Future>(&self, cluster: &Cluster, operation: F) -> F::Output {
        self.0.block_on(async {
            let cluster = cluster.clone();
            let watch = tokio::spawn(async move {
                interrupted().await;
                cluster.cancel();
            });
            let outcome = operation.await;
            watch.abort();
            outcome
        })
    }

    /// Calls a function when the program is interrupted or asked to end, once.
    pub fn on_interrupt(&self, react: impl FnOnce() + Send + 'static) {
        self.0.spawn(async move {
            interrupted().await;
            react();
        });
    }

    pub(crate) fn handle(&self) -> tokio::runtime::Handle {
        self.0.handle().clone()
    }
}

#[cfg(unix)]
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
