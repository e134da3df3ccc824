//! What is sent.

use crate::deploy;
use bowsprit_apply::{Base, Record, RecordHook};
use bowsprit_fleet::{Consignment, Delivery, FleetFile, Plan, merge_layers};
use bowsprit_manifest::{Identity, objects};
use bowsprit_render::Release;
use bowsprit_render::plan::plan as plan_values;
use bowsprit_value::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A release as records hold it: made once, sent to many places.
#[derive(Clone, Debug)]
pub struct Cargo {
    name: String,
    namespace: String,
    chart: Value,
    config: Value,
    hooks: Vec<RecordHook>,
    notes: String,
    pub(super) crds: Vec<(String, String)>,
}

impl Cargo {
    /// The release and the values of a consignment.
    ///
    /// # Errors
    ///
    /// Fails where the values can't be merged.
    pub fn of(consignment: &Consignment<'_>) -> Result<Cargo, String> {
        let release = &consignment.rendered.release;
        let values = merge_layers(&consignment.group.layers).map_err(|e| e.to_string())?;
        let planned = plan_values(&release.chart, &values, &mut Vec::new());
        let planned = planned.map_err(|e| e.to_string())?;
        Ok(Cargo {
            name: consignment.name().to_owned(),
            namespace: consignment.namespace().to_owned(),
            // Where the templates come from is what the fleet file says.
            chart: deploy::slim_chart_value(&release.chart, &planned),
            config: config(values),
            hooks: release.hooks.iter().map(RecordHook::from).collect(),
            notes: release.notes.clone(),
            crds: definitions(release),
        })
    }
}

fn config(values: Map) -> Value {
    if values.is_empty() { Value::Nil } else { Value::Map(values) }
}

fn definitions(release: &Release) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let crds = release.crds().into_iter();
    crds.map(|crd| (text(crd.filename.as_bytes()), text(crd.file.data.as_bytes()))).collect()
}

/// A release on its way to one API server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Shipment {
    /// The kubeconfig's context.
    pub context: String,
    /// The release's name in the fleet file.
    pub release: String,
    /// Its name on the server.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The ring that it serves first.
    pub ring: Option<String>,
    /// The clusters that it serves.
    pub clusters: Vec<String>,
    /// The placement objects, as `KIND NAME`.
    pub policies: Vec<String>,
    /// Name and version of the chart.
    pub chart: String,
    pub(super) fleet: String,
    pub(super) cargo: Arc<Cargo>,
    pub(super) manifest: Arc<str>,
    pub(super) way: Way,
}

/// What kind of server a release goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A cluster, in which its objects run.
    Cluster,
    /// Karmada's control plane.
    Karmada,
    /// A KubeStellar space; with the ConfigMaps of properties, and the context of the inventory that they
    /// go to.
    Space { inventory: Option<String>, properties: String },
}

impl Shipment {
    /// What a consignment sends. Consignments of one render may share their cargo.
    ///
    /// # Errors
    ///
    /// Fails where clusters need properties and the fleet file names no inventory to put them in.
    pub fn new(
        file: &FleetFile,
        plan: &Plan,
        consignment: &Consignment<'_>,
        cargo: Arc<Cargo>,
    ) -> Result<Shipment, String> {
        let metadata = &consignment.rendered.release.chart.metadata;
        Ok(Shipment {
            context: consignment.context.clone(),
            release: consignment.release.clone(),
            name: consignment.name().to_owned(),
            namespace: consignment.namespace().to_owned(),
            ring: file.rings.get(consignment.ring).map(|ring| ring.name.clone()),
            clusters: consignment.clusters(plan),
            policies: consignment.policies.clone(),
            chart: format!("{}-{}", metadata.name, metadata.version),
            fleet: file.name.clone(),
            cargo,
            manifest: Arc::clone(&consignment.manifest),
            way: way(file, consignment)?,
        })
    }

    /// The objects of the release; those of the placement are left out.
    ///
    /// # Errors
    ///
    /// Fails where the manifest holds no objects.
    pub fn objects(&self) -> Result<Vec<Identity>, String> {
        const PLACEMENT: [&str; 2] = ["control.kubestellar.io", "policy.karmada.io"];
        let found = objects(self.manifest.as_bytes()).map_err(|e| e.to_string())?;
        let all = found.into_iter().map(|object| object.identity);
        Ok(all.filter(|identity| !PLACEMENT.contains(&identity.group())).collect())
    }

    /// The record of this release on top of what is there.
    pub(super) fn record(&self, base: &Base) -> Record {
        let cargo = &self.cargo;
        let mut record =
            Record::new(cargo.name.as_str(), cargo.namespace.as_str(), base.next_revision());
        record.chart = cargo.chart.clone();
        record.config = cargo.config.clone();
        record.manifest = self.manifest.to_string();
        record.hooks.clone_from(&cargo.hooks);
        record.info.notes.clone_from(&cargo.notes);
        let mut labels = BTreeMap::new();
        if let Some(newest) = base.newest() {
            labels.clone_from(&newest.labels);
        }
        labels.insert(super::FLEET_LABEL.to_owned(), self.fleet.clone());
        record.labels = labels;
        record
    }
}

fn way(file: &FleetFile, consignment: &Consignment<'_>) -> Result<Way, String> {
    match &file.delivery {
        Delivery::KubeStellar { inventory, .. } => {
            if !consignment.properties.is_empty() && inventory.is_none() {
                return Err(format!(
                    "release {}: clusters fill in templates from ConfigMaps in the inventory space, and \
                     delivery.kubestellar.inventory does not name its context",
                    consignment.name()
                ));
            }
            let properties = match consignment.properties.is_empty() {
                true => String::new(),
                false => bowsprit_fleet::property_maps(&consignment.properties),
            };
            Ok(Way::Space { inventory: inventory.clone(), properties })
        }
        Delivery::Karmada { .. } => Ok(Way::Karmada),
        _ => Ok(Way::Cluster),
    }
}
