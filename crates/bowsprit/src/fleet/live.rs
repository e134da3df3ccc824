//! The API servers of a fleet: inventories, spaces and clusters, each by its kubeconfig context.

use bowsprit_apply::{Cluster, ConnectOptions, Runtime, SnapshotOptions, snapshot};
use bowsprit_fleet::{Target, TargetSource, parse_targets};
use bowsprit_value::{Map, Meter, Str, Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// KubeStellar's inventory.
const MANAGED_CLUSTERS: &str = "managedclusters.cluster.open-cluster-management.io";

/// Karmada's inventory.
const KARMADA_CLUSTERS: &str = "clusters.cluster.karmada.io";

/// Connections to the API servers of a fleet, made when they are needed and kept.
#[derive(Debug)]
pub struct Contexts {
    runtime: Runtime,
    options: ConnectOptions,
    known: Mutex<HashMap<String, Cluster>>,
}

impl Contexts {
    /// The contexts of the kubeconfig that the options name.
    ///
    /// # Errors
    ///
    /// Fails where the system gives no threads.
    pub fn new(options: ConnectOptions) -> Result<Contexts, String> {
        let runtime = Runtime::new().map_err(|e| e.to_string())?;
        Ok(Contexts { runtime, options, known: Mutex::new(HashMap::new()) })
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
