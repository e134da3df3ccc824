//! What KubeStellar does to objects on the way.

use crate::document::json;
use bowsprit_manifest::{Identity, Object};
use bowsprit_value::Value;
use std::fmt;

/// The bytes that a ManifestWork may have, and so an object that KubeStellar delivers.
pub const MAX_OBJECT: usize = 500 * 1024;

/// What the reader should know of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The object.
    pub object: Identity,
    /// What happens to it.
    pub kind: WarningKind,
}

/// What KubeStellar does to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WarningKind {
    /// It is never delivered.
    NeverDelivered,
    /// It has more bytes than a ManifestWork may have, and never arrives.
    TooLarge(usize),
    /// These fields are removed on the way.
    Stripped(Vec<String>),
    /// The Job vanishes when it is done, and is created again and again.
    FinishedJob,
    /// The Job is created once; clusters that have it see no change of it.
    CreatedOnce,
    /// Changes of its `secrets` and `imagePullSecrets` are not delivered.
    Secrets,
    /// It has no name of its own, and can't be placed twice.
    GeneratedName,
    /// It is a hook of a kind whose plural is not known, so that it is updated like other objects.
    UpdatedHook,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.object)?;
        match &self.kind {
            WarningKind::NeverDelivered => f.write_str("KubeStellar never delivers this kind"),
            WarningKind::TooLarge(bytes) => write!(
                f,
                "its {bytes} bytes are more than the {MAX_OBJECT} that KubeStellar can deliver"
            ),
            WarningKind::Stripped(fields) => {
                write!(f, "KubeStellar removes {} on the way", fields.join(", "))
            }
            WarningKind::FinishedJob => f.write_str(
                "ttlSecondsAfterFinished deletes the Job in the cluster, and KubeStellar creates it again",
            ),
            WarningKind::CreatedOnce => f.write_str(
                "a Job is created once; a changed one must have a new name to reach clusters that have it",
            ),
            WarningKind::Secrets => f.write_str(
                "KubeStellar does not deliver later changes of secrets and imagePullSecrets",
            ),
            WarningKind::GeneratedName => f.write_str("has no name, only generateName"),
            WarningKind::UpdatedHook => f.write_str(
                "is a hook of a kind that is not known here, and will be updated instead of created once",
            ),
        }
    }
}

/// Whether KubeStellar delivers objects of a kind at all.
pub fn is_delivered(identity: &Identity) -> bool {
    !matches!(
        (identity.group(), identity.kind.as_str()),
        (
            "flowcontrol.apiserver.k8s.io"
                | "discovery.k8s.io"
                | "apiregistration.k8s.io"
                | "coordination.k8s.io"
                | "control.kubestellar.io",
            _
        ) | ("", "Event" | "Node" | "Endpoints")
            | ("events.k8s.io", "Event")
            | ("storage.k8s.io", "CSINode" | "CSIStorageCapacity")
    )
}

/// What is to be said of an object.
pub(super) fn of(object: &Object) -> Vec<Warning> {
    let identity = &object.identity;
    let mut kinds = Vec::new();
    if !is_delivered(identity) {
        kinds.push(WarningKind::NeverDelivered);
    }
    let bytes = json(&object.value).len();
    if bytes > MAX_OBJECT {
        kinds.push(WarningKind::TooLarge(bytes));
    }
    let stripped = stripped(object);
    if !stripped.is_empty() {
        kinds.push(WarningKind::Stripped(stripped));
    }
    match (identity.group(), identity.kind.as_str()) {
        ("batch", "Job") if has(object, &["spec", "ttlSecondsAfterFinished"]) => {
            kinds.push(WarningKind::FinishedJob);
        }
        ("batch", "Job") => kinds.push(WarningKind::CreatedOnce),
        ("", "ServiceAccount")
            if has(object, &["secrets"]) || has(object, &["imagePullSecrets"]) =>
        {
            kinds.push(WarningKind::Secrets);
        }
        _ => {}
    }
    if identity.name.is_empty() {
        kinds.push(WarningKind::GeneratedName);
    }
    kinds.into_iter().map(|kind| Warning { object: identity.clone(), kind }).collect()
}

fn has(object: &Object, path: &[&str]) -> bool {
    object.get(path).is_some_and(|value| !value.is_nil())
}

/// The fields that are removed on the way.
fn stripped(object: &Object) -> Vec<String> {
    let identity = &object.identity;
    let mut fields = vec!["metadata.finalizers", "metadata.ownerReferences"];
    match (identity.group(), identity.kind.as_str()) {
        ("", "Service") => fields.extend([
            "spec.ipFamilies",
            "spec.ipFamilyPolicy",
            "spec.externalTrafficPolicy",
            "spec.internalTrafficPolicy",
            "spec.sessionAffinity",
        ]),
        ("batch", "Job") => fields.extend(["spec.selector", "spec.suspend"]),
        _ => {}
    }
    let is_set = |field: &&str| has(object, &field.split('.').collect::<Vec<_>>());
    let mut found: Vec<String> = fields.into_iter().filter(is_set).map(str::to_owned).collect();
    if (identity.group(), identity.kind.as_str()) == ("", "Service") {
        found.extend(stripped_addresses(object));
    }
    found
}

fn stripped_addresses(object: &Object) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(Value::Str(address)) = object.get(&["spec", "clusterIP"])
        && address != "None"
        && !address.is_empty()
    {
        found.push("spec.clusterIP".to_owned());
    }
    let annotations = object.annotations();
    let preserved =
        annotations.get("control.kubestellar.io/preserve").is_some_and(|v| v == "nodeport");
    let ports = object.get(&["spec", "ports"]);
    let mut ports = ports.as_ref().and_then(Value::as_list).into_iter().flatten();
    let is_set = |port: &Value| port.as_map().and_then(|port| port.get(b"nodePort"));
    if !preserved && ports.any(|port| is_set(port).is_some_and(|value| !value.is_nil())) {
        found.push("spec.ports[].nodePort".to_owned());
    }
    found
}
