//! Applies releases to a cluster or to a KubeStellar workload description space.
//!
//! A release made here and one made by Helm are the same thing: the record is Helm's, in Helm's place;
//! objects are applied server-side under Helm's field manager and carry Helm's marks. Either tool can go
//! on where the other stopped.
//!
//! [`Base::read`] says where a release stands, [`Plan::make`] finds out what there is to do and all that
//! is in its way, before anything is written, and [`Plan::execute`] does it. [`uninstall()`],
//! [`rollback`], [`run_tests`] and [`drift`] are the other verbs. A process may die at any moment: the
//! revision it worked on carries its mark, and the next operation goes on from there.
//!
//! This is the only crate that knows kube-rs. It renders nothing: manifests come as text, charts as data.
//!
//! ```no_run
//! use bowsprit_apply::{Action, Base, Cluster, ConnectOptions, Driver, Listener, Options, Plan};
//! use bowsprit_apply::{Record, Request, Store};
//!
//! # async fn example() -> bowsprit_apply::Result<()> {
//! let cluster = Cluster::connect(&ConnectOptions::default()).await?;
//! let store = Store::new(&cluster, "prod", Driver::Secret);
//! let base = Base::read(&cluster, &store, "web", false).await?;
//! let mut record = Record::new("web", "prod", base.next_revision());
//! record.manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n".to_owned();
//! let action = if base.current().is_some() { Action::Upgrade } else { Action::Install };
//! let request = Request::new(action, record);
//! let listener = Listener::default();
//! let plan = Plan::make(&cluster, base, request, Options::default(), &listener).await?;
//! let record = plan.execute().await?;
//! println!("revision {}", record.revision);
//! # Ok(())
//! # }
//! ```

mod ahead;
mod base;
mod client;
mod compare;
mod definitions;
mod discovery;
mod documents;
mod earlier;
mod error;
mod event;
mod execute;
mod hooks;
mod kubeconfig;
mod lock;
mod lookup;
mod method;
mod object;
mod ownership;
mod plain;
mod plan;
mod record;
mod runtime;
mod send;
mod snapshot;
mod status;
mod store;
mod table;
mod testing;
mod threeway;
mod time;
mod uninstall;
mod wait;

pub use base::{Base, no_deployed_releases};
pub use client::{Cluster, ConnectOptions};
pub use compare::{Comparison, Pair, drift};
pub use discovery::Discovery;
pub use documents::{DocumentOptions, apply_documents, labelled};
pub use error::{Error, ErrorKind, Result};
pub use event::{Event, Listener};
pub use execute::{plan_rollback, rollback};
pub use hooks::Hooks;
pub use lookup::ClusterHost;
pub use method::Method;
pub use plain::{apply_objects, live_objects};
pub use plan::{Action, Change, Crds, Options, Plan, Planned, Request, Space};
pub use record::{Info, LastRun, Record, RecordHook, Status};
pub use runtime::Runtime;
pub use send::Cascade;
pub use snapshot::{SnapshotOptions, snapshot};
pub use store::{Driver, Store, Stored};
pub use table::{Listing, ResourceTable, resources};
pub use testing::{TestOptions, run_tests};
pub use time::Time;
pub use uninstall::{UninstallOptions, Uninstalled, find, uninstall};
pub use wait::Wait;
