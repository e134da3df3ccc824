//! What an operation tells while it runs.

use std::fmt;
use std::sync::Arc;

/// Something that happened on the way.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'e> {
    /// Something that the user should know but that is no error.
    Warning(&'e str),
    /// What is going to happen or has happened: a line for people.
    Note(&'e str),
    /// A step that has ended, for those who look for what takes time.
    Step(&'e str),
    /// Objects that are written, of how many.
    Progress {
        /// Those that are done.
        done: usize,
        /// All of them.
        total: usize,
    },
    /// What a hook's pods wrote.
    HookLog(&'e [u8]),
}

/// Takes what operations tell. Cloning is cheap.
#[derive(Clone)]
pub struct Listener(Arc<dyn Fn(Event<'_>) + Send + Sync>);

impl Listener {
    /// Calls a function for every event.
    pub fn new(listen: impl Fn(Event<'_>) + Send + Sync + 'static) -> Listener {
        Listener(Arc::new(listen))
    }

    pub(crate) fn tell(&self, event: Event<'_>) {
        (self.0)(event);
    }

    pub(crate) fn warn(&self, text: impl AsRef<str>) {
        self.tell(Event::Warning(text.as_ref()));
    }

    pub(crate) fn step(&self, text: &str) {
        self.tell(Event::Step(text));
    }

    pub(crate) fn note(&self, text: impl AsRef<str>) {
        self.tell(Event::Note(text.as_ref()));
    }
}

impl Default for Listener {
    fn default() -> Listener {
        Listener::new(|_| {})
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}
