//! Helm-compatible chart rendering as a library.
//!
//! Load a chart, compile it once, render it as often as you like, from any thread. The bytes and the
//! error texts are those of Helm 4.2.4.
//!
//! This crate only re-exports the family's members, so that one dependency is enough, and joins them
//! where a task needs several: [`pipeline`] prints a release as `helm template` does, [`eval`] answers
//! questions as JSON.

pub mod compiled_cache;
#[cfg(feature = "apply")]
pub mod deploy;
pub mod eval;
#[cfg(feature = "fleet")]
pub mod fleet;
pub mod flux;
pub mod host;
pub mod jsonpath;
pub mod lint;
pub mod pipeline;
pub mod place;
pub mod plugin;
pub mod show;
pub mod unittest;
pub mod validate;

/// Applying releases to clusters.
#[cfg(feature = "apply")]
pub use bowsprit_apply as apply;
/// The chart model.
pub use bowsprit_chart as chart;
/// Diagnostics: sources, spans, messages, and how they print.
pub use bowsprit_diag as diag;
/// Which template line and which values made a line of output.
pub use bowsprit_explain as explain;
/// Labels on every object.
pub use bowsprit_label as label;
/// Where charts come from.
pub use bowsprit_loader as loader;
/// Documents, hooks and their order.
pub use bowsprit_manifest as manifest;
/// Which objects go to which clusters.
pub use bowsprit_placement as placement;
/// Values, plans and renders.
pub use bowsprit_render as render;
/// What checks find, and how it is printed.
pub use bowsprit_report as report;
/// Versions and constraints.
pub use bowsprit_semver as semver;
/// The functions of sprig, and Go's regular expressions.
pub use bowsprit_sprig as sprig;
/// The template language.
pub use bowsprit_template as template;
/// The value model.
pub use bowsprit_value as value;
/// YAML.
pub use bowsprit_yaml as yaml;

pub use bowsprit_render::{
    Capabilities, Compat, CompiledChart, Engine, EngineBuilder, KubeVersion, Release,
    ReleaseOptions, RenderRequest,
};

// The guide's code runs with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/library.md")]
struct Guide;
