//! Rendered objects: how Helm splits a rendered text into documents, what it reads of each one's head,
//! which are hooks, and in which order they are printed, applied and deleted.
//!
//! The documents' text is never changed; sorting parses no more than the head needs, except that a
//! document that is no YAML is an error, as it is for Helm. [`objects()`] decodes what others work on:
//! every object with its [`Identity`], items of lists included. What objects mean to Kubernetes, and
//! talking to one, is not this crate's business.
//!
//! ```
//! use bowsprit_manifest::{Order, sort_manifests};
//!
//! let files = [("c/templates/a.yaml", &b"kind: Service\n---\nkind: Namespace\n"[..])];
//! let sorted = sort_manifests(files, Order::Install)?.sorted;
//! let kinds: Vec<_> = sorted.manifests.iter().map(|m| m.head.kind.as_str()).collect();
//! assert_eq!(kinds, ["Namespace", "Service"]);
//! # Ok::<(), bowsprit_manifest::Error>(())
//! ```

mod dialect;
pub mod diff;
mod head;
mod hook;
mod identity;
mod objects;
mod order;
mod selector;
mod skim;
mod sort;
mod split;

pub use dialect::{Dialect, Documents, Webhooks};
pub use head::Head;
pub use hook::{Hook, HookEvent};
pub use identity::Identity;
pub use objects::{Object, ObjectsError, ObjectsErrorReason, documents, objects, string_map};
pub use order::Order;
pub use selector::{LabelSelector, Labels, Operator, Requirement, SelectorError};
pub use sort::{
    Error, Manifest, Outcome, Sorted, Unsorted, sort_files, sort_manifests, sort_manifests_as,
};
pub use split::{split, split_as};
