//! Fields that an API server fills in by the type of an object, and that another type forbids.

use super::overriders::{Operator, Overriders, Plaintext};
use super::patch::member;
use bowsprit_manifest::Identity;
use bowsprit_value::Value;

/// Takes away what Karmada's API server has filled in for a Service that clusters are to get under
/// another type. Each is put there before it is removed, for a removal of what is missing fails.
pub(super) fn leave_type(
    identity: &Identity,
    base: &Value,
    other: &Value,
    overriders: &mut Overriders,
) {
    if (identity.group(), identity.kind.as_str()) != ("", "Service") {
        return;
    }
    let ty = |object: &Value| {
        let ty = member(object, "spec").and_then(|spec| member(&spec, "type"));
        ty.and_then(|ty| Some(ty.as_str()?.to_string_lossy().into_owned()))
            .unwrap_or_else(|| "ClusterIP".to_owned())
    };
    let (old, new) = (ty(base), ty(other));
    let external = |ty: &str| matches!(ty, "LoadBalancer" | "NodePort");
    let spec = member(other, "spec").unwrap_or_default();
    let mut drop = |path: String, value: Value| {
        let add = Plaintext { path: path.clone(), operator: Operator::Add, value: Some(value) };
        let remove = Plaintext { path, operator: Operator::Remove, value: None };
        overriders.plaintext.extend([add, remove]);
    };
    let left = old == "LoadBalancer" && new != "LoadBalancer";
    if left && member(&spec, "allocateLoadBalancerNodePorts").is_none() {
        drop("/spec/allocateLoadBalancerNodePorts".to_owned(), Value::Bool(true));
    }
    if external(&old) && !external(&new) {
        if member(&spec, "externalTrafficPolicy").is_none() {
            drop("/spec/externalTrafficPolicy".to_owned(), Value::from("Cluster"));
        }
        let ports = member(&spec, "ports");
        let ports = ports.as_ref().and_then(Value::as_list).into_iter().flatten();
        for (index, port) in ports.enumerate() {
            if member(port, "nodePort").is_none() {
                drop(format!("/spec/ports/{index}/nodePort"), Value::int64(0));
            }
        }
    }
}
