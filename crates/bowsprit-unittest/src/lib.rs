//! Unit tests of charts, in the suites of helm-unittest.
//!
//! [`read`] takes a suite's file apart, [`run()`] renders a compiled chart for each of its tests and asks what
//! the test asserts. Suites, verdicts, the texts of failures and snapshot files are those of helm-unittest
//! 1.1.2, which renders as Helm 3.21 does; the chart is compiled once for all of them.
//!
//! The crate does no I/O and starts no thread: values files and post-renderers are reached through
//! [`World`], snapshots come and go as texts, and several suites can be run at once from any threads.
//!
//! ```
//! use bowsprit_chart::{Chart, File, Limits};
//! use bowsprit_render::{Compat, Engine};
//! use bowsprit_unittest::{ClusterVersion, ReadOptions, RunOptions, Snapshots, World, read, run};
//! use bowsprit_value::Hermetic;
//! use std::sync::Arc;
//!
//! struct Nothing;
//! impl World for Nothing {
//!     fn read(&self, file: &str) -> Result<Vec<u8>, String> {
//!         Err(format!("open {file}: no such file or directory"))
//!     }
//!     fn post_render(&self, _: &str, _: &[String], _: &[u8]) -> Result<Vec<u8>, String> {
//!         Err("no programs here".to_owned())
//!     }
//! }
//!
//! let files = vec![
//!     File::new("Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n"),
//!     File::new("templates/a.yaml", "kind: ConfigMap\nsize: {{ .Values.size }}\n"),
//! ];
//! let chart = Chart::from_files(files, &Limits::default())?.output;
//! let chart = Engine::builder().compat(Compat::V3_22).build().compile(Arc::new(chart));
//!
//! let text = b"tests: [{it: is sized, set: {size: 3}, asserts: [{equal: {path: size, value: 3}}]}]";
//! let mut options = ReadOptions::default();
//! options.route = "web".to_owned();
//! let mut suite = read(text, &options)?.remove(0);
//! ClusterVersion::default().settle(&mut suite);
//! let mut snapshots = Snapshots::default();
//! let host = Hermetic::default();
//! let result =
//!     run(&chart, &suite, &mut snapshots, &RunOptions::default(), (&host, &Nothing), None);
//! assert!(result.passed);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod assert;
mod base64;
mod coverage;
mod diff;
mod document;
mod lookup;
mod path;
mod print;
mod render;
mod report;
mod result;
mod run;
mod set;
mod snapshot;
mod suite;
mod values;
mod xml;
mod yaml;

pub use coverage::{Coverage, Covered};
pub use path::{Path, PathError};
pub use print::{Printer, Summary};
pub use report::report;
pub use result::{AssertResult, SuiteResult, TestResult};
pub use run::{ClusterVersion, RunOptions, World, run};
pub use snapshot::{SnapshotCounts, Snapshots};
pub use suite::{
    Assertion, CapabilitySettings, ChartSettings, HELM_UNITTEST_VERSION, PostRenderer, Provider,
    ReadOptions, ReleaseSettings, Resource, Selector, Suite, SuiteError, Suites, Test, read,
};
pub use xml::{OutputType, Scene};
