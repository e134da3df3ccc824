//! Which lists of Kubernetes' own kinds are merged item by item, and by which keys.
//!
//! kustomize reads this from the OpenAPI document of Kubernetes 1.21, in which a list is merged that
//! has `x-kubernetes-patch-strategy: merge`. Lists that are not here are replaced, as are all lists of
//! kinds that are not here.

use super::resource::ResId;

/// How a list is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merge {
    /// Items are the same where these fields are.
    By(&'static [&'static str]),
    /// Items are scalars; each is there once.
    Set,
}

/// What a place in an object holds, as far as it matters for merging.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Nothing that is known.
    Unknown,
    /// An object of a kind that is known, but has no lists of its own to merge.
    Object,
    Metadata,
    Pod,
    PodSpec,
    Container,
    /// `template` holds a pod.
    Workload,
    WorkloadSpec,
    CronJob,
    CronJobSpec,
    Service,
    ServiceSpec,
    ServiceAccount,
    Webhooks,
    CsiNode,
    CsiNodeSpec,
    PersistentVolumeClaim,
    Status,
    Node,
    NodeSpec,
    NodeStatus,
}

/// The kinds of a group and version.
type Kinds = (&'static str, &'static str, &'static [(&'static str, Shape)]);

/// The kinds, by group and version.
const KINDS: &[Kinds] = &[
    (
        "",
        "v1",
        &[
            ("Pod", Shape::Pod),
            ("PodTemplate", Shape::WorkloadSpec),
            ("ReplicationController", Shape::Workload),
            ("Service", Shape::Service),
            ("ServiceAccount", Shape::ServiceAccount),
            ("Node", Shape::Node),
            ("PersistentVolumeClaim", Shape::PersistentVolumeClaim),
            ("Binding", Shape::Object),
            ("ConfigMap", Shape::Object),
            ("Endpoints", Shape::Object),
            ("Event", Shape::Object),
            ("LimitRange", Shape::Object),
            ("Namespace", Shape::PersistentVolumeClaim),
            ("PersistentVolume", Shape::Object),
            ("ResourceQuota", Shape::Object),
            ("Secret", Shape::Object),
        ],
    ),
    (
        "apps",
        "v1",
        &[
            ("ControllerRevision", Shape::Object),
            ("DaemonSet", Shape::Workload),
            ("Deployment", Shape::Workload),
            ("ReplicaSet", Shape::Workload),
            ("StatefulSet", Shape::Workload),
        ],
    ),
    ("batch", "v1", &[("CronJob", Shape::CronJob), ("Job", Shape::Workload)]),
    ("batch", "v1beta1", &[("CronJob", Shape::CronJob)]),
    (
        "admissionregistration.k8s.io",
        "v1",
        &[
            ("MutatingWebhookConfiguration", Shape::Webhooks),
            ("ValidatingWebhookConfiguration", Shape::Webhooks),
        ],
    ),
    (
        "admissionregistration.k8s.io",
        "v1beta1",
        &[
            ("MutatingWebhookConfiguration", Shape::Webhooks),
            ("ValidatingWebhookConfiguration", Shape::Webhooks),
        ],
    ),
    ("apiextensions.k8s.io", "v1", &[("CustomResourceDefinition", Shape::Object)]),
    ("apiextensions.k8s.io", "v1beta1", &[("CustomResourceDefinition", Shape::Object)]),
    ("apiregistration.k8s.io", "v1", &[("APIService", Shape::PersistentVolumeClaim)]),
    ("apiregistration.k8s.io", "v1beta1", &[("APIService", Shape::PersistentVolumeClaim)]),
    ("autoscaling", "v1", &[("HorizontalPodAutoscaler", Shape::Object)]),
    ("autoscaling", "v2beta1", &[("HorizontalPodAutoscaler", Shape::Object)]),
    ("autoscaling", "v2beta2", &[("HorizontalPodAutoscaler", Shape::Object)]),
    ("certificates.k8s.io", "v1", &[("CertificateSigningRequest", Shape::Object)]),
    ("coordination.k8s.io", "v1", &[("Lease", Shape::Object)]),
    ("discovery.k8s.io", "v1", &[("EndpointSlice", Shape::Object)]),
    ("extensions", "v1beta1", &[("Ingress", Shape::Object)]),
    (
        "networking.k8s.io",
        "v1",
        &[
            ("Ingress", Shape::Object),
            ("IngressClass", Shape::Object),
            ("NetworkPolicy", Shape::Object),
        ],
    ),
    (
        "networking.k8s.io",
        "v1beta1",
        &[("Ingress", Shape::Object), ("IngressClass", Shape::Object)],
    ),
    ("node.k8s.io", "v1", &[("RuntimeClass", Shape::Object)]),
    ("policy", "v1", &[("PodDisruptionBudget", Shape::PersistentVolumeClaim)]),
    (
        "policy",
        "v1beta1",
        &[("PodDisruptionBudget", Shape::Object), ("PodSecurityPolicy", Shape::Object)],
    ),
    (
        "rbac.authorization.k8s.io",
        "v1",
        &[
            ("ClusterRole", Shape::Object),
            ("ClusterRoleBinding", Shape::Object),
            ("Role", Shape::Object),
            ("RoleBinding", Shape::Object),
        ],
    ),
    ("scheduling.k8s.io", "v1", &[("PriorityClass", Shape::Object)]),
    (
        "storage.k8s.io",
        "v1",
        &[
            ("CSIDriver", Shape::Object),
            ("CSINode", Shape::CsiNode),
            ("StorageClass", Shape::Object),
            ("VolumeAttachment", Shape::Object),
        ],
    ),
];

const BY_NAME: Option<Merge> = Some(Merge::By(&["name"]));

impl Shape {
    /// What an object of a kind is.
    pub(crate) fn of(id: &ResId) -> Shape {
        let version = KINDS.iter().find(|(g, v, _)| *g == id.group && *v == id.version);
        let kind = version.and_then(|(_, _, kinds)| kinds.iter().find(|(k, _)| *k == id.kind));
        kind.map_or(Shape::Unknown, |(_, shape)| *shape)
    }

    /// What a field holds, or each of its items if it is a list, and how such a list is merged.
    pub(crate) fn field(self, name: &str) -> (Shape, Option<Merge>) {
        match (self, name) {
            (Shape::Unknown | Shape::Metadata, _) => self.deeper(name),
            (Shape::PodSpec, _) => pod_spec(name),
            (Shape::Container, _) => container(name),
            (Shape::WorkloadSpec, "template") => (Shape::Pod, None),
            (Shape::CronJobSpec, "jobTemplate") => (Shape::Workload, None),
            (Shape::ServiceSpec, "ports") => {
                (Shape::Object, Some(Merge::By(&["port", "protocol"])))
            }
            (Shape::CsiNodeSpec, "drivers") => (Shape::Object, BY_NAME),
            (Shape::NodeSpec, "podCIDRs") => (Shape::Object, Some(Merge::Set)),
            (Shape::NodeStatus, "addresses") => (Shape::Object, Some(Merge::By(&["type"]))),
            (Shape::Status | Shape::NodeStatus, "conditions") => {
                (Shape::Object, Some(Merge::By(&["type"])))
            }
            (_, "metadata") => (Shape::Metadata, None),
            (shape, name) => shape.top(name),
        }
    }

    /// Below metadata there is nothing more, and below what is unknown as little.
    fn deeper(self, name: &str) -> (Shape, Option<Merge>) {
        match (self, name) {
            (Shape::Metadata, "finalizers") => (Shape::Object, Some(Merge::Set)),
            (Shape::Metadata, "ownerReferences") => (Shape::Object, Some(Merge::By(&["uid"]))),
            (Shape::Metadata, _) => (Shape::Object, None),
            _ => (Shape::Unknown, None),
        }
    }

    /// The fields of an object right below its root.
    fn top(self, name: &str) -> (Shape, Option<Merge>) {
        let shape = match (self, name) {
            (Shape::Pod, "spec") => Shape::PodSpec,
            (Shape::Workload, "spec") => Shape::WorkloadSpec,
            (Shape::CronJob, "spec") => Shape::CronJobSpec,
            (Shape::Service, "spec") => Shape::ServiceSpec,
            (Shape::CsiNode, "spec") => Shape::CsiNodeSpec,
            (Shape::Node, "spec") => Shape::NodeSpec,
            (Shape::Node, "status") => Shape::NodeStatus,
            (
                Shape::Pod | Shape::Workload | Shape::Service | Shape::PersistentVolumeClaim,
                "status",
            ) => Shape::Status,
            (Shape::ServiceAccount, "secrets") | (Shape::Webhooks, "webhooks") => {
                return (Shape::Object, BY_NAME);
            }
            _ => Shape::Object,
        };
        (shape, None)
    }
}

fn pod_spec(name: &str) -> (Shape, Option<Merge>) {
    match name {
        "containers" | "initContainers" | "ephemeralContainers" => (Shape::Container, BY_NAME),
        "volumes" | "imagePullSecrets" => (Shape::Object, BY_NAME),
        "hostAliases" => (Shape::Object, Some(Merge::By(&["ip"]))),
        "topologySpreadConstraints" => {
            (Shape::Object, Some(Merge::By(&["topologyKey", "whenUnsatisfiable"])))
        }
        _ => (Shape::Object, None),
    }
}

fn container(name: &str) -> (Shape, Option<Merge>) {
    match name {
        "env" => (Shape::Object, BY_NAME),
        "ports" => (Shape::Object, Some(Merge::By(&["containerPort", "protocol"]))),
        "volumeMounts" => (Shape::Object, Some(Merge::By(&["mountPath"]))),
        "volumeDevices" => (Shape::Object, Some(Merge::By(&["devicePath"]))),
        _ => (Shape::Object, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(group: &str, version: &str, kind: &str, path: &[&str]) -> Option<Merge> {
        let id = ResId {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
            namespace: String::new(),
            name: String::new(),
        };
        let mut found = (Shape::of(&id), None);
        for step in path {
            found = found.0.field(step);
        }
        found.1
    }

    #[test]
    fn lists_are_found_where_kinds_have_them() {
        let env = &["spec", "template", "spec", "containers", "env"];
        assert_eq!(at("apps", "v1", "Deployment", env), BY_NAME);
        assert_eq!(at("apps", "v1beta1", "Deployment", env), None);
        let cron = &["spec", "jobTemplate", "spec", "template", "spec", "volumes"];
        assert_eq!(at("batch", "v1", "CronJob", cron), BY_NAME);
        assert_eq!(at("", "v1", "ConfigMap", &["metadata", "finalizers"]), Some(Merge::Set));
        assert_eq!(at("", "v1", "ConfigMap", &["data", "env"]), None);
        let ports = Some(Merge::By(&["port", "protocol"]));
        assert_eq!(at("", "v1", "Service", &["spec", "ports"]), ports);
        let tolerations = &["spec", "template", "spec", "tolerations"];
        assert_eq!(at("apps", "v1", "StatefulSet", tolerations), None);
    }
}
