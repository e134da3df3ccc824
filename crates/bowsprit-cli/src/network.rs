//! Whom charts are asked of, and how that is shown. Nothing is set up before it is needed.

use crate::commands::Invocation;
use crate::failure::Failure;
use crate::interrupts;
use crate::settings::Settings;
use bowsprit::loader::net::{Client, Event, Http, Progress, Proxies};
use bowsprit::loader::{Blocking, Interrupted, Sources};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Repositories ask who they are talked to by; some know only Helm.
const USER_AGENT: &str = concat!("bowsprit/", env!("CARGO_PKG_VERSION"), " (Helm/4.2.4)");

/// Helm's files, and a client that shows what it does.
pub(crate) fn sources(invocation: &Invocation<'_>) -> Sources {
    let var = |name: &str| std::env::var(name).ok();
    let fetch = Http::new(USER_AGENT).proxies(Proxies::from_env(var));
    let client = Client::new(Arc::new(fetch)).progress(Arc::new(Bars::new(invocation.settings)));
    Sources::new(invocation.settings.helm_paths(), client).helpers(std::env::var_os("PATH"))
}

/// Waits for something from the network.
///
/// # Errors
///
/// Fails where there can be no runtime, and when the program is asked to end.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = Blocking::new().map_err(Failure::of)?.watched(interrupts::watch());
    let outcome = runtime.wait_for_signals(future);
    runtime.end();
    outcome.map_err(interrupted)
}

/// How a program ends that was asked to.
pub(crate) fn interrupted(signal: Interrupted) -> Failure {
    Failure::Code(interrupts::code(signal))
}

/// The failure with everything that is known about it.
pub(crate) fn detailed(error: impl std::fmt::Display) -> Failure {
    Failure::Error(format!("{error:#}"))
}

/// Bars on a terminal; with `--debug` a line for each attempt.
struct Bars {
    shown: Option<MultiProgress>,
    bars: Mutex<HashMap<String, ProgressBar>>,
    debug: bool,
}

impl Bars {
    fn new(settings: &Settings) -> Bars {
        let shown = std::io::stderr().is_terminal().then(MultiProgress::new);
        Bars { shown, bars: Mutex::default(), debug: settings.debug }
    }

    fn start(&self, what: &str, total: Option<u64>) {
        let Some(shown) = &self.shown else { return };
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bars.entry(what.to_owned()).or_insert_with(|| {
            let bar = shown.add(ProgressBar::no_length());
            let template = "{msg:30!} {bytes:>10}/{total_bytes:10} {bytes_per_sec:>12} {wide_bar}";
            bar.set_style(
                ProgressStyle::with_template(template)
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.set_message(what.to_owned());
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        if let Some(total) = total {
            bar.set_length(total);
        }
    }

    fn with(&self, what: &str, change: impl FnOnce(&ProgressBar)) {
        let bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = bars.get(what) {
            change(bar);
        }
    }
}

impl Progress for Bars {
    fn event(&self, event: &Event) {
        match event {
            Event::Started { what, total } => self.start(what, *total),
            Event::Moved { what, bytes } => self.with(what, |bar| bar.set_position(*bytes)),
            Event::Ended { what } => {
                let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(bar) = bars.remove(what) {
                    bar.finish_and_clear();
                }
            }
            Event::Retrying { url, reason, milliseconds } => {
                let line = format!("{url}: {reason}; again in {milliseconds} ms");
                match &self.shown {
                    // Where the terminal can't be written to, nobody reads.
                    Some(shown) => drop(shown.println(line)),
                    None if self.debug => crate::streams::say(&line),
                    None => {}
                }
            }
            _ => {}
        }
    }
}
