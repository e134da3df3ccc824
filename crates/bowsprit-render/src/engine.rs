//! The engine: functions and limits, shared by all charts that it compiles.

use crate::compat::Compat;
use crate::compiled::CompiledChart;
use crate::functions::functions;
use bowsprit_chart::Chart;
use bowsprit_template::Functions;
use bowsprit_value::Limits;
use std::sync::Arc;

/// Compiles charts. Immutable, `Send` and `Sync`; make one and keep it.
///
/// ```
/// use bowsprit_render::Engine;
///
/// let engine = Engine::builder().lint(true).build();
/// # let _ = engine;
/// ```
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) functions: Arc<Functions>,
    pub(crate) known_primes: bool,
    pub(crate) limits: Limits,
    pub(crate) compat: Compat,
}

impl Default for Engine {
    fn default() -> Engine {
        Engine::builder().build()
    }
}

impl Engine {
    /// An engine with Helm's functions and no limits.
    pub fn new() -> Engine {
        Engine::default()
    }

    /// A builder.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// The release of Helm that it is compatible with.
    pub fn compat(&self) -> Compat {
        self.compat
    }

    /// Compiles a chart. Its templates are parsed when a render first needs them, so that a template
    /// of a subchart that is switched off can't fail.
    pub fn compile(&self, chart: Arc<Chart>) -> CompiledChart {
        CompiledChart::new(self.clone(), chart)
    }
}

/// Says what an [`Engine`] can do and how much it may use.
#[derive(Clone, Debug, Default)]
pub struct EngineBuilder {
    lint: bool,
    known_primes: bool,
    limits: Limits,
    compat: Compat,
}

impl EngineBuilder {
    /// Lets `required` and `fail` give an empty string instead of an error, as `helm lint` does.
    #[must_use]
    pub fn lint(mut self, lint: bool) -> EngineBuilder {
        self.lint = lint;
        self
    }

    /// Lets `genCA` and its like make RSA keys of well-known primes, which takes a hundredth of the time: for
    /// renders of which nobody gets to see more than whether they fail. The keys are sound and no two of a
    /// render are the same, but they protect nothing.
    #[must_use]
    pub fn known_primes(mut self, known: bool) -> EngineBuilder {
        self.known_primes = known;
        self
    }

    /// Behaves as a release of Helm. The default is 4.2.
    #[must_use]
    pub fn compat(mut self, compat: Compat) -> EngineBuilder {
        self.compat = compat;
        self
    }

    /// Bounds what each render may use. The default is no limit.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> EngineBuilder {
        self.limits = limits;
        self
    }

    /// The engine.
    pub fn build(self) -> Engine {
        let functions = Arc::new(functions(self.lint, self.compat.rules()));
        Engine {
            functions,
            known_primes: self.known_primes,
            limits: self.limits,
            compat: self.compat,
        }
    }
}
