//! The API servers of a fleet: inventories, spaces and clusters, each by its kubeconfig context.

use super::disk::Once;
use super::ship::{FLEET_LABEL, ShipOptions};
use bowsprit_apply::{
    Cluster, ConnectOptions, Driver, Listener, Runtime, SnapshotOptions, Status, Store,
    UninstallOptions, live_objects, snapshot, uninstall,
};
use bowsprit_fleet::{
    Delivery, ObjectStatus, Target, TargetSource, health, parse_targets, read_statuses,
};
use bowsprit_manifest::Identity;
use bowsprit_value::{Map, Meter, Str, Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// KubeStellar's inventory.
const MANAGED_CLUSTERS: &str = "managedclusters.cluster.open-cluster-management.io";

/// Karmada's inventory.
const KARMADA_CLUSTERS: &str = "clusters.cluster.karmada.io";

/// What KubeStellar's clusters report.
const COMBINED_STATUSES: &[&str] = &["combinedstatuses.control.kubestellar.io"];

/// What Karmada's clusters report.
const BINDINGS: &[&str] =
    &["resourcebindings.work.karmada.io", "clusterresourcebindings.work.karmada.io"];

/// Connections to the API servers of a fleet, made when they are needed and kept.
pub struct Contexts {
    runtime: Runtime,
    options: ConnectOptions,
    known: Mutex<HashMap<String, Cluster>>,
    done: Once<String, ()>,
}

impl fmt::Debug for Contexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contexts").field("known", &self.known).finish_non_exhaustive()
    }
}

/// A release on a server that the fleet does not ask for any more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leftover {
    /// The kubeconfig's context.
    pub context: String,
    /// The release's namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} in {}", self.namespace, self.name, self.context)
    }
}

impl Contexts {
    /// The contexts of the kubeconfig that the options name.
    ///
    /// # Errors
    ///
    /// Fails where the system gives no threads.
    pub fn new(options: ConnectOptions) -> Result<Contexts, String> {
        let runtime = Runtime::new().map_err(|e| e.to_string())?;
        Ok(Contexts { runtime, options, known: Mutex::new(HashMap::new()), done: Once::new() })
    }

    /// Runs operations.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// The API server of a context; nothing is sent yet. An empty name is the current context.
    ///
    /// # Errors
    ///
    /// Fails where the kubeconfig does not say how to reach it.
    pub fn cluster(&self, context: &str) -> Result<Cluster, String> {
        if let Some(cluster) =
            self.known.lock().unwrap_or_else(PoisonError::into_inner).get(context)
        {
            return Ok(cluster.clone());
        }
        let mut options = self.options.clone();
        if !context.is_empty() {
            options.context = Some(context.to_owned());
        }
        let cluster = self.runtime.run(Cluster::connect(&options));
        let cluster = cluster.map_err(|e| format!("context {context}: {e}"))?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(known.entry(context.to_owned()).or_insert(cluster).clone())
    }

    /// Does something once for each key, however many ask for it; others wait, and get the same answer.
    pub(super) fn once(
        &self,
        key: &str,
        act: impl FnOnce() -> Result<(), String>,
    ) -> Result<(), String> {
        self.done.get(key.to_owned(), act)
    }

    /// The releases of a fleet that a server knows, whatever their state.
    ///
    /// # Errors
    ///
    /// Fails where the server can't be asked.
    pub fn releases(&self, context: &str, fleet: &str) -> Result<Vec<Leftover>, String> {
        let cluster = self.cluster(context)?;
        let store = Store::new(&cluster, "", Driver::Secret);
        let found = self.runtime.run(store.all(&format!("owner=helm,{FLEET_LABEL}={fleet}")));
        let found = found.map_err(|e| format!("context {context}: {e}"))?;
        let mut newest: BTreeMap<(String, String), (i64, Status)> = BTreeMap::new();
        for stored in found {
            let entry = newest.entry((stored.namespace, stored.name));
            let entry = entry.or_insert((stored.revision, stored.status));
            if stored.revision > entry.0 {
                *entry = (stored.revision, stored.status);
            }
        }
        let there = newest.into_iter().filter(|(_, (_, status))| *status != Status::Uninstalled);
        let context = context.to_owned();
        Ok(there
            .map(|((namespace, name), _)| Leftover { context: context.clone(), namespace, name })
            .collect())
    }

    /// Removes a release from its server.
    ///
    /// # Errors
    ///
    /// Fails where the server refuses.
    pub fn uninstall(&self, left: &Leftover, options: &ShipOptions) -> Result<(), String> {
        let cluster = self.cluster(&left.context)?;
        let store = Store::new(&cluster, left.namespace.as_str(), Driver::Secret);
        let mut uninstalling = UninstallOptions::default();
        uninstalling.timeout = options.timeout;
        // What another release has adopted is that one's.
        uninstalling.only_owned = true;
        uninstalling.take_over = options.take_over;
        let listener = Listener::default();
        let removed = uninstall(&cluster, &store, &left.name, &uninstalling, &listener);
        let removed = self.runtime.run_interruptibly(&cluster, removed);
        removed.map(drop).map_err(|e| format!("{left}: {e}"))
    }

    /// What clusters report of the objects that they got through KubeStellar or Karmada; none where
    /// objects are delivered otherwise.
    ///
    /// # Errors
    ///
    /// Fails where a server can't be asked, or reports what nobody understands.
    pub fn statuses(&self, delivery: &Delivery) -> Result<Option<Vec<ObjectStatus>>, String> {
        let (contexts, resources): (Vec<&String>, &[&str]) = match delivery {
            Delivery::KubeStellar { spaces, .. } => (spaces.iter().collect(), COMBINED_STATUSES),
            Delivery::Karmada { context } => (vec![context], BINDINGS),
            _ => return Ok(None),
        };
        let mut all = Vec::new();
        for context in contexts {
            let text = self.list(context, resources)?;
            let found = bowsprit_manifest::objects(&text).map_err(|e| e.to_string())?;
            all.extend(read_statuses(&found).map_err(|e| format!("{e:#}"))?);
        }
        Ok(Some(all))
    }

    /// How the objects of a text are on a cluster that is served by itself; those that are not there are
    /// left out. Placeholders in the context's name are filled in.
    ///
    /// # Errors
    ///
    /// Fails where the cluster can't be asked.
    pub fn live(
        &self,
        context: &str,
        target: &Target,
        namespace: &str,
        text: &str,
    ) -> Result<Vec<ObjectStatus>, String> {
        let unknown = |key| format!("cluster {:?} has no label {key:?}", target.name);
        let context = target.expand(context).map_err(unknown)?;
        let cluster = self.cluster(&context)?;
        let found = self.runtime.run(live_objects(&cluster, text, namespace));
        let found = found.map_err(|e| format!("context {context}: {e}"))?;
        let status = |object: Value| {
            let identity = Identity::of(&object);
            let status = object.as_map().and_then(|map| map.get(b"status"));
            let health = health(&identity, status.as_ref());
            ObjectStatus::new(target.name.as_str(), identity, health)
        };
        Ok(found.into_iter().flatten().map(status).collect())
    }

    /// The clusters of an inventory.
    ///
    /// # Errors
    ///
    /// Fails where the inventory can't be read, or the source is none.
    pub fn targets(&self, source: &TargetSource) -> Result<Vec<Target>, String> {
        let (context, resource) = match source {
            TargetSource::KubeStellar(context) => (context, MANAGED_CLUSTERS),
            TargetSource::Karmada(context) => (context, KARMADA_CLUSTERS),
            _ => return Err("the clusters are not in an inventory".to_owned()),
        };
        let text = self.list(context, &[resource])?;
        let place = if context.is_empty() { "the current context" } else { context };
        parse_targets(place, &text).map_err(|e| format!("{e:#}"))
    }

    /// All objects of some resources in all namespaces of a context, as a List in JSON.
    ///
    /// # Errors
    ///
    /// Fails where the API server does not know a resource, or refuses.
    pub fn list(&self, context: &str, resources: &[&str]) -> Result<Vec<u8>, String> {
        let cluster = self.cluster(context)?;
        let mut options = SnapshotOptions::default();
        options.resources = resources.iter().map(|resource| (*resource).to_owned()).collect();
        let found = self.runtime.run(snapshot(&cluster, &options));
        let found = found.map_err(|e| format!("context {context}: {e}"))?;
        let items = found.as_map().and_then(|map| map.get(b"objects")).unwrap_or_default();
        let fields = [("kind", Value::from("List")), ("items", items)];
        let list = Map::from_entries(fields.map(|(k, v)| (Str::from_static(k), v)));
        let mut text = Vec::new();
        let meter = Meter::default();
        json::encode(&Value::Map(list), &json::Options::default(), &mut text, &meter)
            .map_err(|e| e.to_string())?;
        Ok(text)
    }
}
