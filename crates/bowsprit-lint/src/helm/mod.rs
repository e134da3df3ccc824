//! Helm's rules, in its order.

mod address;
mod chartfile;
mod codes;
mod crds;
mod decode;
mod dependencies;
mod templates;
mod values;

pub use address::is_request_url;
pub use codes::HELM_RULES;

use crate::message::Message;
use crate::source::Source;
use crate::{Options, Remains, engine};
use bowsprit_chart::{Chart, LogLine};
use bowsprit_render::plan::Plan;
use bowsprit_render::{CompiledChart, Seen};
use bowsprit_report::Severity;
use bowsprit_value::Host;
use std::cell::OnceCell;
use std::sync::Arc;

pub(crate) struct Linter<'a> {
    pub(crate) source: &'a Source,
    pub(crate) options: &'a Options,
    pub(crate) messages: Vec<Message>,
    pub(crate) log: Vec<LogLine>,
    compiled: OnceCell<CompiledChart>,
    /// The plan by which templates were rendered.
    planned: Option<Plan>,
    /// What they saw.
    seen: Option<Seen>,
}

impl<'a> Linter<'a> {
    pub(crate) fn new(source: &'a Source, options: &'a Options) -> Linter<'a> {
        let compiled = source.compiled.clone().map(OnceCell::from).unwrap_or_default();
        let (messages, log) = (Vec::new(), Vec::new());
        Linter { source, options, messages, log, compiled, planned: None, seen: None }
    }

    /// Runs the rules; gives what is left of the work.
    pub(crate) fn run(&mut self, host: &dyn Host) -> Remains {
        self.chartfile();
        self.values();
        let files = self.templates(host);
        self.dependencies();
        self.crds();
        self.own_rules(files.as_ref());
        let (compiled, plan) = (self.compiled.take(), self.planned.take());
        Remains { compiled, plan, files, seen: self.seen.take() }
    }

    fn error(&mut self, code: &'static str, label: &str, text: impl Into<String>) {
        self.messages.push(Message::new(code, Severity::Error, label, text));
    }

    fn warn(&mut self, code: &'static str, label: &str, text: impl Into<String>) {
        self.messages.push(Message::new(code, Severity::Warning, label, text));
    }

    fn info(&mut self, code: &'static str, label: &str, text: impl Into<String>) {
        self.messages.push(Message::new(code, Severity::Info, label, text));
    }

    /// The chart where it loads, compiled once for all groups of rules.
    fn compiled_chart(&self) -> Option<(&'a Arc<Chart>, &CompiledChart)> {
        let chart = &self.source.chart.as_ref().ok()?.output;
        let compile = || engine(self.options).compile(Arc::clone(chart));
        Some((chart, self.compiled.get_or_init(compile)))
    }

    /// The chart, or Helm's text. Helm loads it for each group of rules, and logs each time.
    fn load(&mut self) -> Result<Arc<Chart>, String> {
        match &self.source.chart {
            Ok(loaded) => {
                self.log.extend(loaded.warnings.iter().cloned());
                Ok(Arc::clone(&loaded.output))
            }
            Err(failure) => {
                self.log.extend(failure.log.iter().cloned());
                Err(failure.text.clone())
            }
        }
    }
}

/// Go's `%q`.
fn quote(text: &str) -> String {
    String::from_utf8_lossy(&bowsprit_value::strconv::quote(text.as_bytes())).into_owned()
}
