//! Ending when the program is asked to, also while it computes; what waits for signals by itself holds this
//! back.

use bowsprit::loader::{Hold, Interrupted, Watch};
use std::sync::{LazyLock, Mutex, PoisonError};

static WATCH: LazyLock<Watch> = LazyLock::new(|| Watch::new(end));

/// What is done before the program ends. The numbers tell them apart.
static CHORES: Mutex<Vec<(u64, Chore)>> = Mutex::new(Vec::new());

type Chore = Box<dyn FnOnce() + Send>;

/// The watch over signals, which network clients hold while they wait.
pub(crate) fn watch() -> &'static Watch {
    &WATCH
}

/// Lets an operation look after signals until this is dropped.
pub(crate) fn hold() -> Hold {
    WATCH.hold()
}

/// Does something, such as removing a temporary folder, if the program is asked to end before this is dropped.
pub(crate) fn if_ended(chore: impl FnOnce() + Send + 'static) -> Pending {
    WATCH.start();
    let mut chores = CHORES.lock().unwrap_or_else(PoisonError::into_inner);
    let number = chores.last().map_or(0, |(number, _)| number + 1);
    chores.push((number, Box::new(chore)));
    Pending(number)
}

/// What remains to be done; see [`if_ended`].
#[derive(Debug)]
#[must_use = "nothing is done once this is dropped"]
pub(crate) struct Pending(u64);

impl Drop for Pending {
    fn drop(&mut self) {
        CHORES
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|(number, _)| *number != self.0);
    }
}

/// The exit code of a program that was asked to end.
pub(crate) fn code(signal: Interrupted) -> u8 {
    match signal {
        Interrupted::Int => 130,
        Interrupted::Term => 143,
    }
}

#[expect(clippy::exit, reason = "the thread that computes knows of no signal")]
fn end(signal: Interrupted) {
    let chores = std::mem::take(&mut *CHORES.lock().unwrap_or_else(PoisonError::into_inner));
    chores.into_iter().for_each(|(_, chore)| chore());
    std::process::exit(i32::from(code(signal)));
}
