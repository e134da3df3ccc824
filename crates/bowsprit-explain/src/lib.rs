//! Why a line of a rendered chart is as it is.
//!
//! [`Explainer`] renders a chart and remembers which template wrote which piece of the output and which
//! values were read for it. What a value does to a line is not concluded from that: the value is
//! changed, the file rendered once more, and the line looked at. So an answer says what would happen,
//! not what looks as if it could. [`Origins`] says where the values come from: file and line, a flag, a
//! subchart's defaults. [`schema`] and [`docs`] describe the values of a chart.
//!
//! The crate does no I/O. Renders that nobody explains pay nothing.
//!
//! ```
//! use bowsprit_chart::{Chart, File, Limits};
//! use bowsprit_explain::{At, Explainer};
//! use bowsprit_render::{Engine, RenderRequest};
//! use bowsprit_value::{Hermetic, Host};
//! use std::sync::Arc;
//!
//! let files = vec![
//!     File::new("Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n"),
//!     File::new("values.yaml", "port: 80\n"),
//!     File::new("templates/a.yaml", "kind: A\nmetadata: {name: a}\nport: {{ .Values.port }}\n"),
//! ];
//! let chart = Engine::new().compile(Arc::new(Chart::from_files(files, &Limits::default())?.output));
//! let host = || Box::new(Hermetic::default()) as Box<dyn Host>;
//! let explainer = Explainer::new(&chart, RenderRequest::new("demo", "default"), &host)?;
//! let explanation = explainer.explain(&At::parse("A/a:port")?, "", &mut || true)?;
//! assert_eq!(explanation.places[0].line, 3);
//! assert_eq!(explanation.causes[0].name(), "port");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod align;
mod changes;
pub mod docs;
mod explainer;
mod influence;
mod keys;
mod origins;
mod path;
mod print;
pub mod schema;
mod target;
mod trace;

pub use explainer::{Cause, Effect, Explainer, Explanation, Subject};
pub use influence::{ChangedObject, Influence};
pub use origins::{Origin, Origins, SourceKind};
pub use path::{Path, Step};
pub use print::{
    Json, OriginOf, document, explanation_json, explanation_text, influence_json, influence_text,
    report, value_origin_json, value_text, values_report,
};
pub use target::{At, ObjectName};
pub use trace::{Place, Read};
