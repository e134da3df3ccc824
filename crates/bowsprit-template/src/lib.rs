//! Go's `text/template`, compiled.
//!
//! A text is scanned, parsed and compiled in one pass into a [`Unit`], an immutable program that any
//! number of runs share. A [`TemplateSet`] binds the templates of many units to names; a [`Run`]
//! executes one of them on a value and collects the output.
//!
//! The language, what values print as, and the error texts are Go's. The crate knows no charts, no YAML
//! and no function beyond Go's own; callers add theirs to a [`Functions`] table. Nothing an input says
//! can exhaust the native stack: nesting lives on the heap, in the parser and in the machine, and
//! [`bowsprit_value::Meter`] bounds the rest.
//!
//! ```
//! use bowsprit_template::{Functions, Run, TemplateSet};
//! use bowsprit_value::{Hermetic, Map, Meter, Value};
//! use std::sync::Arc;
//!
//! let mut set = TemplateSet::new(Arc::new(Functions::builtins()));
//! set.parse("greet", b"Hello, {{ .name }}!")?;
//! let data = Map::from_entries([("name".into(), Value::from("world"))]);
//! let (host, meter) = (Hermetic::default(), Meter::default());
//! let mut run = Run::new(&set, &host, &meter);
//! assert_eq!(run.execute(b"greet", Value::Map(data)).unwrap(), b"Hello, world!");
//! # Ok::<(), bowsprit_template::ParseError>(())
//! ```

mod builtins;
mod compile;
mod error;
pub mod flow;
mod funcs;
mod parse;
mod set;
mod vm;

pub use compile::image::Kept;
pub use compile::program::{ParseError, Source, Unit};
pub use error::{Cause, ExecError, Link, Place, Trace};
pub use funcs::{Functions, INCLUDE, TPL};
pub use parse::{compile, compile_source};
pub use set::{MissingKey, TemplateSet, TplCache};
pub use vm::{Observer, Run, Site, strip_no_value};
