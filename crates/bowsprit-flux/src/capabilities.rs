//! The cluster that a HelmRelease is rendered for.

use bowsprit_render::{Capabilities, HelmVersion, KubeVersion};
use bowsprit_value::Str;

/// The version of Kubernetes.
const KUBE_VERSION: &str = "v1.36.3";

/// What `.Capabilities` says on a cluster of Kubernetes 1.36 that has nothing but Flux: the versions
/// that are served by default, not all that Helm's library knows.
pub fn capabilities() -> Capabilities {
    let versions = API_VERSIONS.iter().flat_map(|(version, kinds)| {
        let kinds = kinds.iter().map(move |kind| Str::from(format!("{version}/{kind}")));
        std::iter::once(Str::from_static(version)).chain(kinds)
    });
    let capabilities = match KubeVersion::parse(KUBE_VERSION) {
        Ok(version) => Capabilities::new(version, versions),
        Err(_) => Capabilities::default().with_api_versions(versions),
    };
    // Helm as a library does not know its last number.
    let helm = HelmVersion { version: "v4.2".to_owned(), ..HelmVersion::default() };
    capabilities.with_helm_version(helm)
}

/// What a kube-apiserver 1.36.3 lists, and Flux's own, each with its kinds.
const API_VERSIONS: &[(&str, &[&str])] = &[
    (
        "v1",
        &[
            "Binding",
            "ComponentStatus",
            "ConfigMap",
            "Endpoints",
            "Event",
            "Eviction",
            "LimitRange",
            "Namespace",
            "Node",
            "NodeProxyOptions",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "Pod",
            "PodAttachOptions",
            "PodExecOptions",
            "PodPortForwardOptions",
            "PodProxyOptions",
            "PodTemplate",
            "ReplicationController",
            "ResourceQuota",
            "Scale",
            "Secret",
            "Service",
            "ServiceAccount",
            "ServiceProxyOptions",
            "TokenRequest",
        ],
    ),
    ("apiregistration.k8s.io/v1", &["APIService"]),
    (
        "apps/v1",
        &["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "Scale", "StatefulSet"],
    ),
    ("events.k8s.io/v1", &["Event"]),
    ("authentication.k8s.io/v1", &["SelfSubjectReview", "TokenReview"]),
    (
        "authorization.k8s.io/v1",
        &[
            "LocalSubjectAccessReview",
            "SelfSubjectAccessReview",
            "SelfSubjectRulesReview",
            "SubjectAccessReview",
        ],
    ),
    ("autoscaling/v2", &["HorizontalPodAutoscaler"]),
    ("autoscaling/v1", &["HorizontalPodAutoscaler"]),
    ("batch/v1", &["CronJob", "Job"]),
    ("certificates.k8s.io/v1", &["CertificateSigningRequest"]),
    (
        "networking.k8s.io/v1",
        &["IPAddress", "Ingress", "IngressClass", "NetworkPolicy", "ServiceCIDR"],
    ),
    ("policy/v1", &["PodDisruptionBudget"]),
    ("rbac.authorization.k8s.io/v1", &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]),
    (
        "storage.k8s.io/v1",
        &[
            "CSIDriver",
            "CSINode",
            "CSIStorageCapacity",
            "StorageClass",
            "VolumeAttachment",
            "VolumeAttributesClass",
        ],
    ),
    (
        "admissionregistration.k8s.io/v1",
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("apiextensions.k8s.io/v1", &["CustomResourceDefinition"]),
    ("scheduling.k8s.io/v1", &["PriorityClass"]),
    ("coordination.k8s.io/v1", &["Lease"]),
    ("node.k8s.io/v1", &["RuntimeClass"]),
    ("discovery.k8s.io/v1", &["EndpointSlice"]),
    (
        "resource.k8s.io/v1",
        &["DeviceClass", "ResourceClaim", "ResourceClaimTemplate", "ResourceSlice"],
    ),
    ("flowcontrol.apiserver.k8s.io/v1", &["FlowSchema", "PriorityLevelConfiguration"]),
    ("helm.toolkit.fluxcd.io/v2", &["HelmRelease"]),
    (
        "source.toolkit.fluxcd.io/v1",
        &[
            "Bucket",
            "ExternalArtifact",
            "GitRepository",
            "HelmChart",
            "HelmRepository",
            "OCIRepository",
        ],
    ),
];
