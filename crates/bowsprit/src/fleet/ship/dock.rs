//! Shipments wait here for a free hand; only as many as hands are ready at a time.

use super::cargo::Shipment;
use super::one::arrive;
use super::{Arrival, ShipOptions};
use crate::fleet::Contexts;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

/// How many shipments became what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Those that were loaded.
    pub loaded: usize,
    /// Those that have ended, well or not.
    pub done: usize,
    /// Those that failed.
    pub failed: usize,
}

struct Shared {
    tally: Mutex<Tally>,
    changed: Condvar,
    stopped: Arc<AtomicBool>,
}

impl Shared {
    fn change(&self, change: impl FnOnce(&mut Tally)) {
        change(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }
}

/// Takes shipments. [`ship`] hands it to its caller.
pub struct Dock<'d> {
    sender: SyncSender<Shipment>,
    shared: &'d Shared,
}

impl std::fmt::Debug for Dock<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dock")
    }
}

impl Dock<'_> {
    /// Loads a shipment, as soon as there is room. False where no more are taken, because the program was
    /// interrupted.
    pub fn load(&self, shipment: Shipment) -> bool {
        if self.is_stopped() {
            return false;
        }
        self.shared.change(|tally| tally.loaded += 1);
        let sent = self.sender.send(shipment).is_ok();
        if !sent {
            self.shared.change(|tally| tally.loaded -= 1);
        }
        sent
    }

    /// Waits until all that was loaded has arrived or failed.
    pub fn wait(&self) -> Tally {
        let mut tally = self.shared.tally.lock().unwrap_or_else(PoisonError::into_inner);
        while tally.done < tally.loaded {
            tally = self.shared.changed.wait(tally).unwrap_or_else(PoisonError::into_inner);
        }
        *tally
    }

    /// Whether the program was interrupted.
    pub fn is_stopped(&self) -> bool {
        self.shared.stopped.load(Ordering::Relaxed)
    }
}

/// Sends what `feed` loads. `report` hears of each shipment when it has ended, from any thread.
///
/// An interrupt lets what is under way stop at its next safe place, and what is not yet under way stay;
/// the next run goes on from there.
///
/// # Errors
///
/// Fails with the error of `feed`. Shipments that fail are told to `report` and counted.
pub fn ship<E>(
    contexts: &Contexts,
    options: &ShipOptions,
    report: &(dyn Fn(&Shipment, &Result<Arrival, String>) + Sync),
    feed: impl FnOnce(&Dock<'_>) -> Result<(), E>,
) -> Result<Tally, E> {
    let stopped = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stopped);
    contexts.runtime().on_interrupt(move || told.store(true, Ordering::Relaxed));
    let shared = Shared { tally: Mutex::default(), changed: Condvar::new(), stopped };
    let (sender, receiver) = sync_channel(1);
    let receiver = Mutex::new(receiver);
    let fed = thread::scope(|scope| {
        for _ in 0..options.parallel.max(1) {
            scope.spawn(|| work(contexts, options, report, &shared, &receiver));
        }
        let dock = Dock { sender, shared: &shared };
        let fed = feed(&dock);
        if fed.is_err() {
            shared.stopped.store(true, Ordering::Relaxed);
        }
        fed
    });
    let tally = *shared.tally.lock().unwrap_or_else(PoisonError::into_inner);
    fed.map(|()| tally)
}

fn work(
    contexts: &Contexts,
    options: &ShipOptions,
    report: &(dyn Fn(&Shipment, &Result<Arrival, String>) + Sync),
    shared: &Shared,
    receiver: &Mutex<Receiver<Shipment>>,
) {
    loop {
        let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(shipment) = next else { break };
        let outcome = match shared.stopped.load(Ordering::Relaxed) {
            true => Err("interrupted before it was begun".to_owned()),
            false => arrive(contexts, options, &shipment),
        };
        report(&shipment, &outcome);
        shared.change(|tally| {
            tally.done += 1;
            tally.failed += usize::from(outcome.is_err());
        });
    }
}
