//! Values, chart and engine in; a release out.
//!
//! The functions of this crate stand in the order of a render: [`values::merge()`] makes one table of
//! what the user gives, [`Engine::compile`] takes a chart, [`CompiledChart::plan`] lays the values over
//! the chart's defaults and switches subcharts on and off, [`CompiledChart::render`] runs the templates
//! and sorts what they print into a [`Release`]. A chart is compiled once and rendered any number of
//! times, from any thread, and no render leaves a trace.
//!
//! Where charts come from, and what becomes of a release, is not this crate's business. It does no I/O:
//! clock, randomness and cluster come through [`bowsprit_value::Host`].
//!
//! ```
//! use bowsprit_chart::{Chart, File, Limits};
//! use bowsprit_render::{Engine, RenderRequest};
//! use bowsprit_value::Hermetic;
//! use std::sync::Arc;
//!
//! let files = vec![
//!     File::new("Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n"),
//!     File::new("templates/a.yaml", "kind: ConfigMap\nname: {{ .Release.Name }}\n"),
//! ];
//! let chart = Chart::from_files(files, &Limits::default()).unwrap().output;
//! let web = Engine::new().compile(Arc::new(chart));
//! let request = RenderRequest::new("demo", "default");
//! let release = web.render(&request, &Hermetic::default()).unwrap().output;
//! assert_eq!(release.manifests[0].content, "kind: ConfigMap\nname: demo\n");
//! ```

mod calls;
pub mod compat;
mod compiled;
mod diagnose;
mod engine;
mod error;
mod functions;
mod image;
mod memory;
pub mod plan;
pub mod reads;
mod release;
mod request;
mod scope;
pub mod target;
pub mod values;

pub use calls::{FunctionCall, calls};
pub use compat::{Compat, CompatError};
pub use compiled::{CompiledChart, Keep, RenderedFiles, Seen};
pub use engine::{Engine, EngineBuilder};
pub use error::{Error, ErrorKind};
pub use functions::sprig_functions;
pub use image::Image;
pub use release::{Release, push_document};
pub use request::RenderRequest;
pub use scope::{
    Capabilities, DEFAULT_API_VERSIONS, DEFAULT_KUBE_VERSION, HelmVersion, KubeVersion,
    KubeVersionError, ReleaseOptions,
};
pub use target::{Target, TargetError, TargetHost};
