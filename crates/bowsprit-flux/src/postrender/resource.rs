//! Objects with identity, as kustomize tells them apart.

use super::node::{Node, TooDeep};
use crate::access::lossy;
use bowsprit_yaml::{Blank, decode_v3};
use std::fmt;

/// Kinds that have no namespace, of the groups that kustomize knows.
const CLUSTER_SCOPED: &[(&str, &[&str])] = &[
    ("", &["ComponentStatus", "Namespace", "Node", "PersistentVolume"]),
    (
        "admissionregistration.k8s.io",
        &[
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["APIService"]),
    ("authentication.k8s.io", &["TokenReview"]),
    (
        "authorization.k8s.io",
        &["SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview"],
    ),
    ("certificates.k8s.io", &["CertificateSigningRequest"]),
    ("flowcontrol.apiserver.k8s.io", &["FlowSchema", "PriorityLevelConfiguration"]),
    ("internal.apiserver.k8s.io", &["StorageVersion"]),
    ("networking.k8s.io", &["IngressClass"]),
    ("node.k8s.io", &["RuntimeClass"]),
    ("policy", &["PodSecurityPolicy"]),
    ("rbac.authorization.k8s.io", &["ClusterRole", "ClusterRoleBinding"]),
    ("scheduling.k8s.io", &["PriorityClass"]),
    ("storage.k8s.io", &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"]),
];

/// Group, version, kind, namespace and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResId {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// Whether a kind certainly has no namespace.
pub(crate) fn is_cluster_scoped(group: &str, kind: &str) -> bool {
    CLUSTER_SCOPED.iter().any(|(g, kinds)| *g == group && kinds.contains(&kind))
}

impl ResId {
    pub(crate) fn of(node: &Node) -> ResId {
        let api_version = node.text_of(&["apiVersion"]);
        let (group, version) = match api_version.split_once('/') {
            Some((group, version)) => (group.to_owned(), version.to_owned()),
            None => (String::new(), api_version),
        };
        ResId {
            group,
            version,
            kind: node.text_of(&["kind"]),
            namespace: node.text_of(&["metadata", "namespace"]),
            name: node.text_of(&["metadata", "name"]),
        }
    }

    fn is_cluster_scoped(&self) -> bool {
        is_cluster_scoped(&self.group, &self.kind)
    }

    /// The namespace that counts when identities are compared.
    pub(crate) fn effective_namespace(&self) -> &str {
        match self.namespace.as_str() {
            _ if self.is_cluster_scoped() => "_non_namespaceable_",
            "" => "default",
            namespace => namespace,
        }
    }

    pub(crate) fn same(&self, other: &ResId) -> bool {
        self.name == other.name
            && self.kind == other.kind
            && self.group == other.group
            && self.version == other.version
            && self.effective_namespace() == other.effective_namespace()
    }
}

impl fmt::Display for ResId {
    /// `Deployment.v1.apps/web.[noNs]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |text: &str, none: &'static str| {
            if text.is_empty() { none.to_owned() } else { text.to_owned() }
        };
        write!(
            f,
            "{}.{}.{}/{}.{}",
            or(&self.kind, "[noKind]"),
            or(&self.version, "[noVer]"),
            or(&self.group, "[noGrp]"),
            or(&self.name, "[noName]"),
            or(&self.namespace, "[noNs]"),
        )
    }
}

/// The documents of a text as kyaml reads it: empty ones are left out, a `List` that is alone in its
/// text stands for its items.
pub(crate) fn parse_all(text: &[u8]) -> Result<Vec<Node>, String> {
    let text = lossy(text).replace("\r\n", "\n");
    let documents = split_documents(&text)?;
    let alone = documents.len() == 1;
    let mut nodes = Vec::new();
    for document in documents {
        let value = decode_v3(document.as_bytes(), Blank::Bytes)
            .map_err(|error| malformed(&error.to_string()))?;
        let node = Node::of(&value).map_err(|TooDeep| "object is nested too deeply".to_owned())?;
        match node {
            node if node.is_null() => {}
            Node::Map(mut fields)
                if alone
                    && matches!(fields.get(&b"kind"[..]), Some(Node::Str(kind)) if *kind == "List" || *kind == "ResourceList")
                    && fields.contains_key(&b"items"[..]) =>
            {
                if let Some(Node::List(items)) = fields.remove(&b"items"[..]) {
                    nodes.extend(items);
                }
            }
            node => nodes.push(node),
        }
    }
    Ok(nodes)
}

/// Duplicate keys show later in kustomize, without this prefix.
fn malformed(error: &str) -> String {
    if error.starts_with("yaml: unmarshal errors") {
        return error.to_owned();
    }
    format!("MalformedYAMLError: {error}")
}

/// kyaml's split: at lines that begin with `---`, on which nothing else may stand but a comment.
fn split_documents(text: &str) -> Result<Vec<String>, String> {
    let mut documents = Vec::new();
    let mut current = String::new();
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if number > 0 && line.starts_with("---") && line.ends_with('\n') {
            let after = line.get(3..).unwrap_or_default().trim();
            if !after.is_empty() && !after.starts_with('#') {
                return Err(format!("invalid document separator: {}", line.trim()));
            }
            documents.push(std::mem::take(&mut current));
        } else {
            current.push_str(line);
        }
    }
    documents.push(current);
    Ok(documents)
}

/// Checks what kustomize demands of every object, and takes lists of objects apart. Their items come
/// last.
pub(crate) fn to_resources(nodes: Vec<Node>) -> Result<Vec<Node>, String> {
    let mut queue = std::collections::VecDeque::from(nodes);
    let mut resources = Vec::new();
    while let Some(node) = queue.pop_front() {
        validate(&node)?;
        let is_list = node.text_of(&["kind"]).ends_with("List");
        match (is_list, node.get("items")) {
            (true, Some(Node::List(items))) => queue.extend(items.iter().cloned()),
            (true, Some(items)) if items.is_null() => {}
            _ => resources.push(node),
        }
    }
    Ok(resources)
}

fn validate(node: &Node) -> Result<(), String> {
    let id = ResId::of(node);
    let shown = || {
        let api_version = node.text_of(&["apiVersion"]);
        let strings = |path: &[&str]| {
            let fields = node.at_path(path).and_then(Node::fields);
            let entries = fields.into_iter().flatten();
            let entries: Vec<String> = entries
                .map(|(key, value)| format!("{key}:{}", value.text().unwrap_or_default()))
                .collect();
            format!("map[{}]", entries.join(" "))
        };
        format!(
            "{{{{{api_version} {}}} {{{{{} {}}} {} {}}}}}",
            id.kind,
            id.name,
            id.namespace,
            strings(&["metadata", "labels"]),
            strings(&["metadata", "annotations"])
        )
    };
    if !matches!(node, Node::Map(_)) {
        return Err(format!("expected an object, found a {}", node.kind_name()));
    }
    if id.kind.is_empty() {
        return Err(format!("missing kind in object {}", shown()));
    }
    if id.name.is_empty() && !id.kind.ends_with("List") {
        return Err(format!("missing metadata.name in object {}", shown()));
    }
    Ok(())
}

/// Fails where two objects have the same identity.
pub(crate) fn check_ids(resources: &[Node]) -> Result<(), String> {
    let mut seen = std::collections::BTreeSet::new();
    for resource in resources {
        let id = ResId::of(resource);
        let namespace = id.effective_namespace().to_owned();
        let key =
            (id.group.clone(), id.version.clone(), id.kind.clone(), namespace, id.name.clone());
        if !seen.insert(key) {
            return Err(format!("may not add resource with an already registered id: {id}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_split_as_kyaml_does() {
        let split = |text: &str| split_documents(text).map(|docs| docs.len());
        assert_eq!(split("a: 1\n---\nb: 2\n"), Ok(2));
        assert_eq!(split("---\na: 1\n--- # two\nb: 2\n"), Ok(2));
        assert_eq!(split("a: 1\n---"), Ok(1));
        assert_eq!(split("a: 1\n--- b\nc"), Err("invalid document separator: --- b".to_owned()));
    }

    #[test]
    fn lists_are_taken_apart_and_twins_found() {
        let text = "kind: ConfigMapList\napiVersion: v1\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n\
                    ---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\n";
        let resources = to_resources(parse_all(text.as_bytes()).unwrap()).unwrap();
        assert_eq!(ResId::of(&resources[0]).namespace, "default");
        let want =
            "may not add resource with an already registered id: ConfigMap.v1.[noGrp]/a.[noNs]";
        assert_eq!(check_ids(&resources), Err(want.to_owned()));
        let nameless = parse_all(b"apiVersion: v1\nkind: ConfigMap\n").unwrap();
        assert!(to_resources(nameless).unwrap_err().starts_with("missing metadata.name in object"));
    }
}
