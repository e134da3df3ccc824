//! Whether objects do what they should, by the statuses that clusters report.

use crate::error::Error;
use bowsprit_manifest::{Identity, Object};
use bowsprit_value::Value;
use std::fmt;

/// The name of the StatusCollector that [`read_statuses`] understands, [`STATUS_COLLECTOR`].
pub const COLLECTOR: &str = "bowsprit-health";

/// The StatusCollector for KubeStellar that reports each object's status with cluster and identity.
pub const STATUS_COLLECTOR: &str = "\
apiVersion: control.kubestellar.io/v1alpha1
kind: StatusCollector
metadata:
  name: bowsprit-health
spec:
  limit: 10000
  select:
  - {name: cluster, def: inventory.name}
  - {name: apiVersion, def: obj.apiVersion}
  - {name: kind, def: obj.kind}
  - {name: namespace, def: \"has(obj.metadata.namespace) ? obj.metadata.namespace : ''\"}
  - {name: name, def: obj.metadata.name}
  - {name: status, def: returned.status}
";

/// An object on a cluster, and how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectStatus {
    /// The cluster.
    pub cluster: String,
    /// The object.
    pub identity: Identity,
    /// How it is.
    pub health: Health,
}

impl ObjectStatus {
    /// An object on a cluster.
    pub fn new(cluster: impl Into<String>, identity: Identity, health: Health) -> ObjectStatus {
        ObjectStatus { cluster: cluster.into(), identity, health }
    }
}

/// How an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It does what it should.
    Healthy,
    /// It does not, or not yet, and why.
    Unhealthy(String),
    /// Nothing has been reported of it.
    Unknown,
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Health::Healthy => f.write_str("healthy"),
            Health::Unhealthy(why) => f.write_str(why),
            Health::Unknown => f.write_str("no status yet"),
        }
    }
}

impl Health {
    /// True where it does what it should.
    pub fn is_healthy(&self) -> bool {
        matches!(self, Health::Healthy)
    }
}

/// Reads what clusters reported: KubeStellar's CombinedStatus objects with the rows of
/// [`STATUS_COLLECTOR`], and Karmada's ResourceBinding and ClusterResourceBinding objects. Other objects
/// are left out.
///
/// # Errors
///
/// Fails for a CombinedStatus that lacks the collector's columns.
pub fn read_statuses(objects: &[Object]) -> Result<Vec<ObjectStatus>, Error> {
    let mut all = Vec::new();
    for object in objects {
        match object.identity.kind.as_str() {
            "CombinedStatus" => combined(object, &mut all)?,
            "ResourceBinding" | "ClusterResourceBinding" => bound(object, &mut all),
            _ => {}
        }
    }
    Ok(all)
}

fn list(value: Option<Value>) -> Vec<Value> {
    value.and_then(|value| value.as_list().map(|list| list.as_slice().to_vec())).unwrap_or_default()
}

fn field(value: &Value, key: &str) -> Option<Value> {
    value.as_map()?.get(key.as_bytes()).filter(|value| !value.is_nil())
}

fn text(value: &Value, key: &str) -> String {
    let found = field(value, key);
    found.and_then(|v| v.as_str().map(|s| s.to_string())).unwrap_or_default()
}

fn number(value: &Value, key: &str) -> Option<f64> {
    match field(value, key)? {
        Value::Int(_, n) => Some(n as f64),
        Value::Float(f) => Some(f),
        _ => None,
    }
}

fn combined(object: &Object, all: &mut Vec<ObjectStatus>) -> Result<(), Error> {
    for result in list(object.get(&["results"])) {
        if text(&result, "name") != COLLECTOR {
            continue;
        }
        let names = list(field(&result, "columnNames"));
        let names: Vec<String> =
            names.iter().filter_map(|n| n.as_str().map(|s| s.to_string())).collect();
        let column = |row: &[Value], name: &str| -> Result<Option<Value>, Error> {
            let at = names.iter().position(|n| n == name).ok_or_else(|| {
                let who = object.identity.to_string();
                Error::new(&who, format!("the rows of {COLLECTOR} have no column {name:?}"))
                    .hint("the StatusCollector is older; apply the fleet again")
            })?;
            Ok(row.get(at).and_then(union))
        };
        for row in list(field(&result, "rows")) {
            let row = list(field(&row, "columns"));
            let get = |name: &str| -> Result<String, Error> {
                let value = column(&row, name)?;
                Ok(value.and_then(|v| v.as_str().map(|s| s.to_string())).unwrap_or_default())
            };
            let namespace = get("namespace")?;
            let (api_version, kind, name) = (get("apiVersion")?, get("kind")?, get("name")?);
            let identity = Identity::new(&api_version, &kind, Some(&namespace), &name);
            let health = health(&identity, column(&row, "status")?.as_ref());
            all.push(ObjectStatus { cluster: get("cluster")?, identity, health });
        }
    }
    Ok(())
}

/// The value of a column, which names its type beside it.
fn union(value: &Value) -> Option<Value> {
    match text(value, "type").to_lowercase().as_str() {
        "string" => field(value, "string").or_else(|| Some(Value::from(""))),
        "object" => field(value, "object"),
        _ => None,
    }
}

fn bound(object: &Object, all: &mut Vec<ObjectStatus>) {
    let Some(resource) = object.get(&["spec", "resource"]) else { return };
    let namespace = text(&resource, "namespace");
    let identity = Identity::new(
        &text(&resource, "apiVersion"),
        &text(&resource, "kind"),
        Some(&namespace),
        &text(&resource, "name"),
    );
    for item in list(object.get(&["status", "aggregatedStatus"])) {
        let applied = !matches!(field(&item, "applied"), Some(Value::Bool(false)) | None);
        let health = match text(&item, "health").as_str() {
            _ if !applied => {
                let why = text(&item, "appliedMessage");
                Health::Unhealthy(if why.is_empty() { "not applied".to_owned() } else { why })
            }
            "Healthy" => Health::Healthy,
            "Unhealthy" => Health::Unhealthy("reported as unhealthy".to_owned()),
            // Karmada knows no health of kinds that it has no rules for.
            _ => health(&identity, field(&item, "status").as_ref()),
        };
        all.push(ObjectStatus {
            cluster: text(&item, "clusterName"),
            identity: identity.clone(),
            health,
        });
    }
}

/// How an object of a kind is, by its status: the rules of Kubernetes' own workloads, and the condition
/// `Ready` for all others.
pub fn health(identity: &Identity, status: Option<&Value>) -> Health {
    let workload = matches!(
        (identity.group(), identity.kind.as_str()),
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
            | ("batch", "Job")
            | ("", "Pod" | "PersistentVolumeClaim")
    );
    let Some(status) = status.filter(|status| !status.is_nil()) else {
        return if workload { Health::Unknown } else { Health::Healthy };
    };
    if status.as_map().is_some_and(bowsprit_value::Map::is_empty) && workload {
        return Health::Unknown;
    }
    if identity.group() == "apps" && !is_observed(status) {
        return Health::Unhealthy("its controller has not looked at it yet".to_owned());
    }
    match (identity.group(), identity.kind.as_str()) {
        ("apps", "DaemonSet") => {
            counts(status, "desiredNumberScheduled", &["updatedNumberScheduled", "numberReady"])
        }
        ("apps", "Deployment") => {
            counts(status, "replicas", &["updatedReplicas", "readyReplicas", "availableReplicas"])
        }
        ("apps", "StatefulSet") => {
            counts(status, "replicas", &["updatedReplicas", "readyReplicas"])
        }
        ("apps", "ReplicaSet") => counts(status, "replicas", &["readyReplicas"]),
        ("batch", "Job") => match (condition(status, "Failed"), condition(status, "Complete")) {
            (Some((true, why)), _) => Health::Unhealthy(format!("failed: {why}")),
            (_, Some((true, _))) => Health::Healthy,
            _ => Health::Unhealthy("still running".to_owned()),
        },
        ("", "Pod") => match text(status, "phase").as_str() {
            "Succeeded" => Health::Healthy,
            "Running" => ready(status),
            phase => Health::Unhealthy(format!("phase {phase}")),
        },
        ("", "PersistentVolumeClaim") => match text(status, "phase").as_str() {
            "Bound" => Health::Healthy,
            phase => Health::Unhealthy(format!("phase {phase}")),
        },
        _ => ready(status),
    }
}

/// Whether a controller has written the status of a workload. Karmada reports its own `generation` beside what
/// members say, also where these have said nothing.
fn is_observed(status: &Value) -> bool {
    let observed = number(status, "observedGeneration");
    match number(status, "generation") {
        Some(generation) => observed.unwrap_or(0.0) >= generation,
        None => {
            observed.is_some()
                || ["replicas", "desiredNumberScheduled"]
                    .iter()
                    .any(|n| number(status, n).is_some())
        }
    }
}

/// Enough are there. Kubernetes leaves out fields that are zero.
fn counts(status: &Value, wanted: &str, found: &[&str]) -> Health {
    let want = number(status, wanted).unwrap_or(0.0);
    for name in found {
        let have = number(status, name).unwrap_or(0.0);
        if have < want {
            return Health::Unhealthy(format!("{name} is {have} of {want}"));
        }
    }
    match condition(status, "Progressing") {
        Some((false, why)) => Health::Unhealthy(why),
        _ => Health::Healthy,
    }
}

fn ready(status: &Value) -> Health {
    match condition(status, "Ready") {
        Some((false, why)) => Health::Unhealthy(why),
        _ => Health::Healthy,
    }
}

/// A condition's state, and its reason and message.
fn condition(status: &Value, name: &str) -> Option<(bool, String)> {
    let conditions = list(field(status, "conditions"));
    let condition = conditions.iter().find(|condition| text(condition, "type") == name)?;
    let words = [text(condition, "reason"), text(condition, "message")];
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|w| !w.is_empty()).collect();
    Some((text(condition, "status") == "True", words.join(": ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowsprit_manifest::objects;

    fn of(api: &str, kind: &str, status: &str) -> Health {
        let status = bowsprit_yaml::decode(status.as_bytes()).unwrap();
        health(&Identity::new(api, kind, None, "x"), Some(&status))
    }

    #[test]
    fn workloads_are_judged_by_their_counts() {
        let good = "{replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2}";
        assert_eq!(of("apps/v1", "Deployment", good), Health::Healthy);
        assert_eq!(
            of("apps/v1", "Deployment", "{replicas: 2, updatedReplicas: 2, readyReplicas: 1}"),
            Health::Unhealthy("readyReplicas is 1 of 2".to_owned())
        );
        assert_eq!(of("apps/v1", "Deployment", "{}"), Health::Unknown);
        // What Karmada says of a member where nothing runs Deployments, or not this one yet.
        for unseen in [
            "{generation: 1, resourceTemplateGeneration: 1}",
            "{conditions: []}",
            "{generation: 2, observedGeneration: 1, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1}",
        ] {
            let why = "its controller has not looked at it yet".to_owned();
            assert_eq!(of("apps/v1", "Deployment", unseen), Health::Unhealthy(why), "{unseen}");
        }
        assert_eq!(of("apps/v1", "Deployment", "{observedGeneration: 1}"), Health::Healthy);
        assert_eq!(of("v1", "ConfigMap", "{}"), Health::Healthy);
        let failed = "{conditions: [{type: Failed, status: 'True', reason: BackoffLimitExceeded}]}";
        assert_eq!(
            of("batch/v1", "Job", failed),
            Health::Unhealthy("failed: BackoffLimitExceeded".to_owned())
        );
        let not_ready = "{conditions: [{type: Ready, status: 'False', message: no route}]}";
        assert_eq!(of("x.io/v1", "Thing", not_ready), Health::Unhealthy("no route".to_owned()));
    }

    #[test]
    fn both_systems_reports_are_read() {
        let text = b"\
kind: CombinedStatus
metadata: {name: u.p}
results:
- name: bowsprit-health
  columnNames: [cluster, apiVersion, kind, namespace, name, status]
  rows:
  - columns:
    - {type: String, string: edge-1}
    - {type: String, string: apps/v1}
    - {type: String, string: DaemonSet}
    - {type: String, string: web}
    - {type: String, string: agent}
    - {type: Object, object: {desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberReady: 3}}
---
kind: ResourceBinding
spec: {resource: {apiVersion: apps/v1, kind: Deployment, namespace: web, name: web}}
status:
  aggregatedStatus:
  - {clusterName: member1, applied: true, health: Healthy}
  - {clusterName: member2, applied: false, appliedMessage: no such kind}
";
        let all = read_statuses(&objects(text).unwrap()).unwrap();
        let told: Vec<String> =
            all.iter().map(|s| format!("{} {} {:?}", s.cluster, s.identity, s.health)).collect();
        assert_eq!(
            told,
            [
                "edge-1 DaemonSet web/agent Healthy",
                "member1 Deployment web/web Healthy",
                "member2 Deployment web/web Unhealthy(\"no such kind\")",
            ]
        );
    }
}
