//! Rendered objects against what Kubernetes accepts, without a cluster.
//!
//! [`Validator`] checks objects against the OpenAPI schemas of a version of Kubernetes ([`Schemas`]) and
//! against custom resource definitions ([`Crds`]): unknown and missing fields, wrong types and values,
//! names and labels, API versions that are deprecated or gone ([`lifecycle`]). [`kyverno`] reads the
//! reports of Kyverno's own tool.
//!
//! The crate does no I/O: texts come in, findings go out.
//!
//! ```
//! use bowsprit_validate::{Input, Schemas, Validator};
//!
//! let validator = Validator::new(Schemas::bundled("1.36")?);
//! let text = b"apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {prots: []}\n";
//! let subject = validator.validate("web", &[Input::file("service.yaml", text)]);
//! assert_eq!(
//!     subject.findings[0].message,
//!     "spec.prots: unknown field",
//! );
//! assert_eq!(subject.findings[0].help.as_deref(), Some("did you mean ports?"));
//! # Ok::<(), bowsprit_validate::UnknownVersion>(())
//! ```

mod crds;
mod document;
mod enums;
pub mod kyverno;
pub mod lifecycle;
pub mod names;
mod object;
mod reduce;
mod rules;
mod schemas;
mod walk;

pub use crds::{Crds, NotACrd};
pub use document::Input;
pub use object::Validator;
pub use reduce::reduce;
pub use rules::RULES;
pub use schemas::{InvalidSchemas, Schemas, UnknownVersion, bundle};
