//! One shipment.

use super::cargo::{Shipment, Way};
use super::{Arrival, Errand, ShipOptions, Standing};
use crate::fleet::Contexts;
use bowsprit_apply::{
    Action, Base, Change, Cluster, Driver, Error, Hooks, Listener, Options, Plan, Record, Request,
    Space, Status, Store, Wait, apply_objects, drift, live_objects,
};
use bowsprit_fleet::{PROPERTY_NAMESPACE, STATUS_COLLECTOR};
use bowsprit_manifest::diff::{Difference, ObjectSet, TextOptions, diff};
use bowsprit_manifest::objects;
use bowsprit_value::{Map, Str, Value, deep_equal};
use std::collections::BTreeMap;

/// Sends a shipment, or looks where it stands.
pub(super) fn arrive(
    contexts: &Contexts,
    options: &ShipOptions,
    shipment: &Shipment,
) -> Result<Arrival, String> {
    let cluster = contexts.cluster(&shipment.context)?;
    let cluster = cluster.patient(options.timeout);
    let runtime = contexts.runtime();
    let looked = match options.errand {
        Errand::Look | Errand::LookClosely => {
            let closely = options.errand == Errand::LookClosely;
            runtime.run(look(&cluster, shipment, closely)).map(Arrival::Standing)
        }
        Errand::Apply | Errand::DryRun | Errand::Compare => {
            if options.errand == Errand::Apply {
                prepare(contexts, shipment)?;
            }
            runtime.run_interruptibly(&cluster, bring(&cluster, shipment, options))
        }
    };
    match looked.map_err(|e| e.to_string())? {
        Arrival::Compared(mut difference) => {
            let more = properties(contexts, shipment)?;
            difference.changes.extend(more.changes);
            difference.unchanged += more.unchanged;
            Ok(Arrival::Compared(difference))
        }
        other => Ok(other),
    }
}

/// What would change of the properties that clusters fill in. Other releases have theirs in the same ConfigMaps.
fn properties(contexts: &Contexts, shipment: &Shipment) -> Result<Difference, String> {
    let Way::Space { inventory: Some(inventory), properties } = &shipment.way else {
        return Ok(Difference::default());
    };
    if properties.is_empty() {
        return Ok(Difference::default());
    }
    let cluster = contexts.cluster(inventory)?;
    let found = contexts.runtime().run(live_objects(&cluster, properties, PROPERTY_NAMESPACE));
    let found = found.map_err(|e| format!("context {inventory}: {e}"))?;
    let wanted = objects(properties.as_bytes()).map_err(|e| e.to_string())?;
    let (mut before, mut after) = (ObjectSet::new(), ObjectSet::new());
    for (object, live) in wanted.into_iter().zip(found) {
        let data = |value: &Value| value.as_map()?.get(b"data")?.as_map().cloned();
        let ours = data(&object.value).unwrap_or_default();
        if let (Some(live), Some(map)) = (live, object.value.as_map()) {
            let has = data(&live).unwrap_or_default();
            let same = ours.peek();
            let same =
                same.iter().filter_map(|(key, _)| Some((key.clone(), has.get(key.as_bytes())?)));
            let then = map.fork();
            then.insert(Str::from_static("data"), Value::Map(Map::from_entries(same)));
            before.push(object.identity.clone(), Value::Map(then));
        }
        after.push(object.identity, object.value);
    }
    Ok(diff(&before, &after))
}

/// Writes what must be there before the objects are: properties, and who reports their health.
fn prepare(contexts: &Contexts, shipment: &Shipment) -> Result<(), String> {
    let Way::Space { inventory, properties } = &shipment.way else { return Ok(()) };
    contexts.once(&format!("collector {}", shipment.context), || {
        let cluster = contexts.cluster(&shipment.context)?;
        let applied = apply_objects(&cluster, STATUS_COLLECTOR, "", "bowsprit-fleet");
        contexts.runtime().run(applied).map_err(|e| format!("StatusCollector: {e}"))?;
        Ok(())
    })?;
    let Some(inventory) = inventory.as_deref().filter(|_| !properties.is_empty()) else {
        return Ok(());
    };
    let cluster = contexts.cluster(inventory)?;
    let namespace =
        format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {PROPERTY_NAMESPACE}}}\n");
    contexts.once(&format!("properties {inventory}"), || {
        let applied = apply_objects(&cluster, &namespace, "", "bowsprit-fleet");
        contexts.runtime().run(applied).map_err(|e| format!("context {inventory}: {e}"))?;
        Ok(())
    })?;
    // A cluster's ConfigMap is shared by all releases, each of which owns its own properties in it.
    let manager = format!("bowsprit-fleet-{}-{}", shipment.namespace, shipment.name);
    let manager = manager.get(..128).unwrap_or(&manager);
    let applied = apply_objects(&cluster, properties, PROPERTY_NAMESPACE, manager);
    contexts.runtime().run(applied).map_err(|e| format!("context {inventory}: {e}"))?;
    Ok(())
}

fn store(cluster: &Cluster, shipment: &Shipment) -> Store {
    Store::new(cluster, shipment.namespace.as_str(), Driver::Secret)
}

async fn bring(
    cluster: &Cluster,
    shipment: &Shipment,
    options: &ShipOptions,
) -> Result<Arrival, Error> {
    let store = store(cluster, shipment);
    let base = Base::read(cluster, &store, &shipment.name, options.take_over).await?;
    let record = shipment.record(&base);
    let same = base.newest().is_some_and(|newest| is_same(newest, &record));
    let compare = options.errand == Errand::Compare;
    if same && !options.repair && !compare {
        return Ok(Arrival::Unchanged { revision: record.revision - 1 });
    }
    let action = if base.current().is_some() { Action::Upgrade } else { Action::Install };
    let revision = record.revision;
    let mut request = Request::new(action, record);
    request.crds.clone_from(&shipment.cargo.crds);
    let listener = Listener::default();
    let plan = Plan::make(cluster, base, request, apply_options(shipment, options), &listener);
    let plan = plan.await?;
    if compare {
        let (before, after) = crate::deploy::object_sets(&plan.comparison());
        return Ok(Arrival::Compared(diff(&before, &after)));
    }
    if same && plan.is_empty() {
        return Ok(Arrival::Unchanged { revision: revision - 1 });
    }
    let changes = plan.changes();
    let count = |change| changes.iter().filter(|planned| planned.change == change).count();
    let arrival = Arrival::Applied {
        revision,
        created: count(Change::Create),
        changed: count(Change::Update),
        deleted: count(Change::Delete),
    };
    if options.errand == Errand::Apply {
        plan.execute().await?;
    }
    Ok(arrival)
}

fn apply_options(shipment: &Shipment, options: &ShipOptions) -> Options {
    let mut apply = Options::default();
    if shipment.namespace != "default" {
        apply.namespace_labels = Some(BTreeMap::new());
    }
    apply.take_ownership = options.take_ownership;
    apply.force_conflicts = options.force_conflicts;
    apply.timeout = options.timeout;
    if options.wait {
        apply.wait = Wait::Ready;
    }
    match &shipment.way {
        Way::Cluster => {}
        // Its control plane runs nothing, but shows how what it delivered is.
        Way::Karmada => {
            apply.hooks = Some(Hooks::Deliver);
            apply.space = Space::Cluster;
        }
        Way::Space { .. } => {
            apply.hooks = Some(Hooks::Deliver);
            apply.space = Space::Wds;
        }
    }
    apply
}

/// Whether a revision is deployed and has the same objects and values.
fn is_same(newest: &Record, wanted: &Record) -> bool {
    let hooks = |record: &Record| -> Vec<(String, String)> {
        record.hooks.iter().map(|hook| (hook.path.clone(), hook.manifest.clone())).collect()
    };
    newest.info.status == Status::Deployed
        && newest.manifest == wanted.manifest
        && newest.chart_label() == wanted.chart_label()
        && hooks(newest) == hooks(wanted)
        && deep_equal(&newest.config, &wanted.config)
}

async fn look(cluster: &Cluster, shipment: &Shipment, closely: bool) -> Result<Standing, Error> {
    let store = store(cluster, shipment);
    let history = store.history(&shipment.name).await?;
    let Some(last) = history.last() else {
        return Ok(Standing { status: "missing".to_owned(), ..Standing::default() });
    };
    let record = last.record()?;
    let wanted = shipment.record(&Base::unrecorded(shipment.name.as_str()));
    let mut standing = Standing {
        revision: record.revision,
        status: record.info.status.name().to_owned(),
        chart: record.chart_label(),
        updated: record.info.last_deployed.map_or_else(String::new, |time| time.go_string()),
        current: is_same(&record, &wanted),
        drift: None,
    };
    if closely && record.info.status == Status::Deployed {
        let hooks = if shipment.way == Way::Cluster { Hooks::Run } else { Hooks::Deliver };
        let found = drift(cluster, &record, hooks).await?;
        standing.drift = Some(difference(&found));
    }
    Ok(standing)
}

/// What has changed on the server, as text.
fn difference(found: &bowsprit_apply::Comparison) -> String {
    let (before, after) = crate::deploy::object_sets(found);
    let difference = diff(&before, &after);
    if difference.is_empty() {
        return String::new();
    }
    difference.to_text(&TextOptions::default().context(2))
}
