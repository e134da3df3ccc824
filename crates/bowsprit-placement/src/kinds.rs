//! What the API server calls kinds, and whether they have namespaces.

use bowsprit_manifest::{Identity, Object};
use bowsprit_value::Value;
use std::collections::BTreeMap;

/// Whether objects of a kind live in namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// They do.
    Namespaced,
    /// They don't.
    Cluster,
}

/// The kinds that every cluster serves: group, kind, plural. First those in namespaces, then those without.
const NAMESPACED: &[(&str, &str, &str)] = &[
    ("", "ConfigMap", "configmaps"),
    ("", "Endpoints", "endpoints"),
    ("", "Event", "events"),
    ("", "LimitRange", "limitranges"),
    ("", "PersistentVolumeClaim", "persistentvolumeclaims"),
    ("", "Pod", "pods"),
    ("", "PodTemplate", "podtemplates"),
    ("", "ReplicationController", "replicationcontrollers"),
    ("", "ResourceQuota", "resourcequotas"),
    ("", "Secret", "secrets"),
    ("", "Service", "services"),
    ("", "ServiceAccount", "serviceaccounts"),
    ("apps", "ControllerRevision", "controllerrevisions"),
    ("apps", "DaemonSet", "daemonsets"),
    ("apps", "Deployment", "deployments"),
    ("apps", "ReplicaSet", "replicasets"),
    ("apps", "StatefulSet", "statefulsets"),
    ("autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    ("batch", "CronJob", "cronjobs"),
    ("batch", "Job", "jobs"),
    ("coordination.k8s.io", "Lease", "leases"),
    ("discovery.k8s.io", "EndpointSlice", "endpointslices"),
    ("events.k8s.io", "Event", "events"),
    ("extensions", "Ingress", "ingresses"),
    ("networking.k8s.io", "Ingress", "ingresses"),
    ("networking.k8s.io", "NetworkPolicy", "networkpolicies"),
    ("policy", "PodDisruptionBudget", "poddisruptionbudgets"),
    ("rbac.authorization.k8s.io", "Role", "roles"),
    ("rbac.authorization.k8s.io", "RoleBinding", "rolebindings"),
    ("resource.k8s.io", "ResourceClaim", "resourceclaims"),
    ("resource.k8s.io", "ResourceClaimTemplate", "resourceclaimtemplates"),
    ("storage.k8s.io", "CSIStorageCapacity", "csistoragecapacities"),
];
const CLUSTER: &[(&str, &str, &str)] = &[
    ("", "Namespace", "namespaces"),
    ("", "Node", "nodes"),
    ("", "PersistentVolume", "persistentvolumes"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy", "mutatingadmissionpolicies"),
    (
        "admissionregistration.k8s.io",
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
    ),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
    (
        "admissionregistration.k8s.io",
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
    ),
    (
        "admissionregistration.k8s.io",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
    ),
    ("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions"),
    ("apiregistration.k8s.io", "APIService", "apiservices"),
    ("certificates.k8s.io", "CertificateSigningRequest", "certificatesigningrequests"),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema", "flowschemas"),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", "prioritylevelconfigurations"),
    ("networking.k8s.io", "IngressClass", "ingressclasses"),
    ("node.k8s.io", "RuntimeClass", "runtimeclasses"),
    ("policy", "PodSecurityPolicy", "podsecuritypolicies"),
    ("rbac.authorization.k8s.io", "ClusterRole", "clusterroles"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", "clusterrolebindings"),
    ("resource.k8s.io", "DeviceClass", "deviceclasses"),
    ("scheduling.k8s.io", "PriorityClass", "priorityclasses"),
    ("storage.k8s.io", "CSIDriver", "csidrivers"),
    ("storage.k8s.io", "CSINode", "csinodes"),
    ("storage.k8s.io", "StorageClass", "storageclasses"),
    ("storage.k8s.io", "VolumeAttachment", "volumeattachments"),
];

/// What is known of kinds: those of every cluster, those that custom resource definitions define, and
/// those that discovery found.
#[derive(Clone, Debug)]
pub struct Kinds(BTreeMap<(String, String), (String, Scope)>);

impl Default for Kinds {
    fn default() -> Kinds {
        let mut kinds = Kinds(BTreeMap::new());
        for (table, scope) in [(NAMESPACED, Scope::Namespaced), (CLUSTER, Scope::Cluster)] {
            for (group, kind, plural) in table {
                kinds.add(group, kind, plural, scope);
            }
        }
        kinds
    }
}

impl Kinds {
    /// Adds a kind, as discovery gives it.
    pub fn add(&mut self, group: &str, kind: &str, plural: &str, scope: Scope) {
        self.0.insert((group.to_owned(), kind.to_owned()), (plural.to_owned(), scope));
    }

    /// Adds the kinds that custom resource definitions among the objects define.
    #[must_use]
    pub fn with_definitions<'o>(mut self, objects: impl IntoIterator<Item = &'o Object>) -> Kinds {
        for object in objects {
            if object.identity.kind != "CustomResourceDefinition" {
                continue;
            }
            let text = |path: &[&str]| match object.get(path) {
                Some(Value::Str(text)) => text.to_string(),
                _ => String::new(),
            };
            let scope = match text(&["spec", "scope"]).as_str() {
                "Cluster" => Scope::Cluster,
                _ => Scope::Namespaced,
            };
            let [group, kind, plural] =
                [&["spec", "group"][..], &["spec", "names", "kind"], &["spec", "names", "plural"]]
                    .map(text);
            self.add(&group, &kind, &plural, scope);
        }
        self
    }

    /// The lower-case plural by which the API server serves a kind, if it is known.
    pub fn plural(&self, identity: &Identity) -> Option<&str> {
        self.entry(identity).map(|(plural, _)| plural.as_str())
    }

    /// Whether a kind has namespaces, if it is known.
    pub fn scope(&self, identity: &Identity) -> Option<Scope> {
        self.entry(identity).map(|(_, scope)| *scope)
    }

    /// The namespace that an object is in: its own, or the release's; none for kinds without. A kind that
    /// is not known is taken for one with namespaces.
    pub fn namespace<'n>(&self, identity: &'n Identity, release: &'n str) -> Option<&'n str> {
        match self.scope(identity) {
            Some(Scope::Cluster) => None,
            _ => Some(identity.namespace.as_deref().unwrap_or(release)),
        }
    }

    fn entry(&self, identity: &Identity) -> Option<&(String, Scope)> {
        self.0.get(&(identity.group().to_owned(), identity.kind.clone()))
    }
}
