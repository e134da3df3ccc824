//! Which objects of a rendered release go to which clusters.
//!
//! * [`kubestellar::binding_policy`]: a BindingPolicy whose selectors provably match every object of a
//!   release, with warnings for what KubeStellar never delivers or changes on the way;
//! * [`karmada::policies`]: PropagationPolicies with exactly what is rendered, and OverridePolicies that
//!   [`karmada::difference`] computes from two renders; [`karmada::delivered`] applies such policies as
//!   Karmada does, which is how they are proven;
//! * [`folders::layout`]: plain files, a folder for each cluster, with an index.
//!
//! Nothing here renders, reads files or talks to clusters: objects come in, documents go out.
//!
//! ```
//! use bowsprit_manifest::objects;
//! use bowsprit_placement::karmada::difference;
//!
//! let base = objects(b"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 1}\n")?;
//! let other = objects(b"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2}\n")?;
//! let overriders = difference(&base[0].value, &other[0].value);
//! assert_eq!(overriders.plaintext[0].path, "/spec/replicas");
//! # Ok::<(), bowsprit_manifest::ObjectsError>(())
//! ```

mod document;
pub mod folders;
pub mod karmada;
mod kinds;
pub mod kubestellar;

pub use document::to_yaml;
pub use kinds::{Kinds, Scope};
