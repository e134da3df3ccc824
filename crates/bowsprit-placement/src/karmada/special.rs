//! Fields that an API server fills in by what stands in others.
//!
//! Karmada applies overriders to the object as its API server keeps it. Where an override changes the field
//! that a default was made from, the default must go, so that the member cluster makes its own.

use super::overriders::{Operator, Overriders, Plaintext};
use super::patch::member;
use bowsprit_manifest::Identity;
use bowsprit_value::{Value, deep_equal};

/// Takes away what Karmada's API server has filled in and what does not fit `other`. Each is put there before
/// it is removed, for a removal of what is missing fails; all of this comes after the other overriders.
pub(super) fn leave_defaults(base: &Value, other: &Value, overriders: &mut Overriders) {
    if overriders.is_empty() {
        return;
    }
    let identity = Identity::of(other);
    let mut stale = Vec::new();
    match (identity.group(), identity.kind.as_str()) {
        ("", "Service") => service(base, other, &mut stale),
        ("networking.k8s.io", "NetworkPolicy") => network_policy(base, other, &mut stale),
        ("", "Pod") => pod(base, other, &["spec"], &mut stale),
        ("batch", "CronJob") => {
            pod(base, other, &["spec", "jobTemplate", "spec", "template", "spec"], &mut stale);
        }
        ("apps" | "batch", _) => pod(base, other, &["spec", "template", "spec"], &mut stale),
        _ => {}
    }
    for (path, value) in stale {
        let add = Plaintext { path: path.clone(), operator: Operator::Add, value: Some(value) };
        let remove = Plaintext { path, operator: Operator::Remove, value: None };
        overriders.plaintext.extend([add, remove]);
    }
}

/// A field with a value that is put there before it is removed.
type Stale = (String, Value);

fn at(object: &Value, path: &[&str]) -> Option<Value> {
    path.iter().try_fold(object.clone(), |value, key| member(&value, key))
}

fn text(value: Option<Value>) -> Option<String> {
    value.and_then(|value| Some(value.as_str()?.to_string_lossy().into_owned()))
}

fn items(value: Option<Value>) -> Vec<Value> {
    value.as_ref().and_then(Value::as_list).map(|list| list.as_slice().to_vec()).unwrap_or_default()
}

fn service(base: &Value, other: &Value, stale: &mut Vec<Stale>) {
    let Some(spec) = at(other, &["spec"]).filter(|spec| spec.as_map().is_some()) else { return };
    let ty = |object| text(at(object, &["spec", "type"])).unwrap_or_else(|| "ClusterIP".to_owned());
    let (old, new) = (ty(base), ty(other));
    let external = |ty: &str| matches!(ty, "LoadBalancer" | "NodePort");
    let mut drop = |field: &str, value: Value| {
        if member(&spec, field).is_none() {
            stale.push((format!("/spec/{field}"), value));
        }
    };
    if old == "LoadBalancer" && new != "LoadBalancer" {
        drop("allocateLoadBalancerNodePorts", Value::Bool(true));
    }
    let leaves = external(&old) && !external(&new);
    if leaves {
        drop("externalTrafficPolicy", Value::from("Cluster"));
    }
    let (old, new) = (at(base, &["spec", "ports"]), member(&spec, "ports"));
    let same = matches!((&old, &new), (Some(old), Some(new)) if deep_equal(old, new));
    // A port without `targetPort` has its own number there.
    let derived = items(old).iter().any(|port| member(port, "targetPort").is_none());
    for (index, port) in items(new).iter().enumerate() {
        if leaves && member(port, "nodePort").is_none() {
            stale.push((format!("/spec/ports/{index}/nodePort"), Value::int64(0)));
        }
        if derived && !same && member(port, "targetPort").is_none() {
            stale.push((format!("/spec/ports/{index}/targetPort"), Value::int64(0)));
        }
    }
}

fn network_policy(base: &Value, other: &Value, stale: &mut Vec<Stale>) {
    let has = |object: &Value, field| at(object, &["spec", field]).is_some();
    let spec = at(other, &["spec"]).is_some_and(|spec| spec.as_map().is_some());
    let derived = !has(base, "policyTypes") && !has(other, "policyTypes");
    if spec && derived && has(base, "egress") != has(other, "egress") {
        stale.push(("/spec/policyTypes".to_owned(), Value::list(Vec::new())));
    }
}

fn pod(base: &Value, other: &Value, path: &[&str], stale: &mut Vec<Stale>) {
    let (Some(old), Some(new)) = (at(base, path), at(other, path)) else { return };
    let root = format!("/{}", path.join("/"));
    let named = |spec: &Value| text(member(spec, "serviceAccountName")).is_some();
    if named(&old) && !named(&new) && member(&new, "serviceAccount").is_none() {
        stale.push((format!("{root}/serviceAccount"), Value::from("")));
    }
    let on_host = |spec: &Value| matches!(member(spec, "hostNetwork"), Some(Value::Bool(true)));
    let leaves_host = on_host(&old) && !on_host(&new);
    for list in ["containers", "initContainers"] {
        let before = items(member(&old, list));
        for (index, container) in items(member(&new, list)).iter().enumerate() {
            let at = format!("{root}/{list}/{index}");
            let name = text(member(container, "name"));
            let same = before.iter().find(|other| text(member(other, "name")) == name);
            if same.is_some_and(|same| is_pulled_otherwise(same, container)) {
                stale.push((format!("{at}/imagePullPolicy"), Value::from("Always")));
            }
            for (number, port) in items(member(container, "ports")).iter().enumerate() {
                if leaves_host && member(port, "hostPort").is_none() {
                    stale.push((format!("{at}/ports/{number}/hostPort"), Value::int64(0)));
                }
            }
        }
    }
}

/// Whether the default of `imagePullPolicy`, which goes by the tag, is another one.
fn is_pulled_otherwise(old: &Value, new: &Value) -> bool {
    let derived = |container: &Value| member(container, "imagePullPolicy").is_none();
    let is_latest = |container: &Value| {
        let image = text(member(container, "image")).unwrap_or_default();
        let last = image.rsplit('/').next().unwrap_or_default();
        !image.contains('@') && (!last.contains(':') || last.ends_with(":latest"))
    };
    derived(old) && derived(new) && is_latest(old) != is_latest(new)
}
