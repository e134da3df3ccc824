//! Labels on everything that a release consists of.
//!
//! [`inject()`] takes rendered texts and puts labels and annotations on `metadata` of every object: of
//! namespaced and cluster-scoped ones, custom resource definitions, hooks, tests and items of lists;
//! labels also on pod templates, unless that is turned off, and on request on volume claim templates.
//! [`plan()`] decides, object by object, and is where no chart gets broken:
//!
//! * selectors are never touched;
//! * a value that is there already stays, unless [`OnConflict`] says otherwise;
//! * a label is left out where it would change what a selector of the release matches.
//!
//! All bytes but those of the labels stay as they are, and labelling twice is labelling once. What the
//! pass left as it was is in the [`Report`]. It does no I/O, and knows nothing of charts: `krm` makes a
//! function of it for kustomize and kpt.
//!
//! ```
//! use bowsprit_label::{Options, Text, inject};
//!
//! let options = Options::release("demo", "web");
//! let text = "kind: ConfigMap\nmetadata:\n  name: a # the name\n";
//! let labelled = inject(&[Text { path: "a.yaml", text }], &options)?;
//! assert_eq!(
//!     labelled.texts[0],
//!     "kind: ConfigMap\nmetadata:\n  labels:\n    app.kubernetes.io/instance: demo\n    \
//!      app.kubernetes.io/managed-by: Helm\n    app.kubernetes.io/part-of: web\n  name: a # the name\n"
//! );
//! # Ok::<(), bowsprit_label::Error>(())
//! ```

mod check;
mod error;
mod inject;
pub mod krm;
mod names;
mod namespace;
mod options;
mod plan;
mod report;
mod selectors;
mod skim;
mod targets;

pub use check::{Unmatched, unmatched};
pub use error::Error;
pub use inject::{Labelled, Text, inject};
pub use names::{InvalidName, Part, check_annotation, check_label};
pub use namespace::namespace;
pub use options::{INSTANCE, MANAGED_BY, OnConflict, Options, PART_OF};
pub use plan::{Addition, Field, Plan, plan};
pub use report::{Conflict, Place, Reason, Report};

#[cfg(test)]
mod tests;
