//! Clusters and their labels.

use crate::error::Error;
use crate::file::{Fields, Source};
use bowsprit_manifest::{Labels, Object, objects};
use bowsprit_yaml::{Document, Node, NodeType};
use std::collections::BTreeMap;

pub(crate) const TARGET: &[&str] = &["name", "labels", "kubeVersion"];

/// A cluster that releases are for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Target {
    /// Its name, by which KubeStellar's inventory or Karmada knows it.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// The version of Kubernetes, where the inventory says it.
    pub kube_version: Option<String>,
}

impl Target {
    /// A cluster.
    pub fn new(name: impl Into<String>, labels: Labels) -> Target {
        Target { name: name.into(), labels, kube_version: None }
    }

    /// What a placeholder stands for: `name`, or the key of a label.
    pub fn property(&self, key: &str) -> Option<&str> {
        match key {
            "name" => Some(&self.name),
            _ => self.labels.get(key).map(String::as_str),
        }
    }

    /// Fills in the placeholders of a text: `${name}`, `${KEY}` for a label; `$${` is a plain `${`.
    ///
    /// # Errors
    ///
    /// Gives the key that the cluster has no label for, or the text from the placeholder that is not
    /// closed.
    pub fn expand(&self, text: &str) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, after) = (&rest[..at], &rest[at + 2..]);
            if let Some(plain) = before.strip_suffix('$') {
                out.push_str(plain);
                out.push_str("${");
                rest = after;
                continue;
            }
            out.push_str(before);
            let Some((key, behind)) = after.split_once('}') else {
                return Err(rest[at..].to_owned());
            };
            out.push_str(self.property(key).ok_or_else(|| key.to_owned())?);
            rest = behind;
        }
        out.push_str(rest);
        Ok(out)
    }
}

pub(crate) fn read(source: Source<'_>, node: Node<'_>, path: String) -> Result<Target, Error> {
    let fields = Fields::new(source, node, path, TARGET)?;
    Ok(Target {
        name: fields.required("name")?,
        labels: fields.pairs("labels")?.into_iter().collect(),
        kube_version: fields.text("kubeVersion")?,
    })
}

/// Reads a file of clusters: a list of names and labels, or objects of the kinds ManagedCluster (Open
/// Cluster Management, KubeStellar's inventory) and Cluster (Karmada), alone, as documents or in a List.
///
/// # Errors
///
/// Fails where the file is no YAML or holds something else.
pub fn parse_targets(name: &str, text: &[u8]) -> Result<Vec<Target>, Error> {
    let document = Document::parse(text).map_err(|e| Error::new(name, e.to_string()))?;
    let root = document.root();
    if root.node_type() == NodeType::Sequence {
        let items = root.items().enumerate();
        return items.map(|(i, node)| read(Source { name }, node, format!("[{i}]"))).collect();
    }
    let objects = objects(text).map_err(|e| Error::new(name, e.to_string()))?;
    objects.iter().map(|object| of_object(name, object)).collect()
}

/// The cluster that an object of an inventory describes.
///
/// # Errors
///
/// Fails for objects of other kinds.
pub fn of_object(file: &str, object: &Object) -> Result<Target, Error> {
    let identity = &object.identity;
    let path: &[&str] = match (identity.group(), identity.kind.as_str()) {
        ("cluster.open-cluster-management.io", "ManagedCluster") => {
            &["status", "version", "kubernetes"]
        }
        ("cluster.karmada.io", "Cluster") => &["status", "kubernetesVersion"],
        _ => {
            let error = Error::new(file, format!("{identity} is no cluster"));
            return Err(error.hint("expected a list of {name, labels}, or objects of kind ManagedCluster (cluster.open-cluster-management.io) or Cluster (cluster.karmada.io)"));
        }
    };
    if identity.name.is_empty() {
        return Err(Error::new(file, format!("{identity} has no name")));
    }
    let version = object.get(path);
    let version = version.as_ref().and_then(|v| v.as_str()).map(|v| v.to_string());
    let kube_version = version.filter(|version| !version.is_empty());
    Ok(Target { name: identity.name.clone(), labels: object.labels(), kube_version })
}

/// Joins lists of clusters; a cluster that is listed twice must be the same in both.
///
/// # Errors
///
/// Fails where two clusters of one name have different labels.
pub fn join(lists: impl IntoIterator<Item = Vec<Target>>) -> Result<Vec<Target>, Error> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut all: Vec<Target> = Vec::new();
    for target in lists.into_iter().flatten() {
        match seen.get(&target.name).and_then(|at| all.get(*at)) {
            None => {
                seen.insert(target.name.clone(), all.len());
                all.push(target);
            }
            Some(known) if *known == target => {}
            Some(_) => {
                let message = "the cluster is listed twice, with different labels";
                return Err(Error::new(&target.name, message));
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inventories_of_all_kinds_are_read() {
        let list = parse_targets("t", b"- {name: a, labels: {r: eu}}\n- {name: b}\n").unwrap();
        assert_eq!((list.len(), list[0].labels["r"].as_str()), (2, "eu"));
        let text = b"apiVersion: v1\nkind: List\nitems:\n- apiVersion: cluster.open-cluster-management.io/v1\n  kind: ManagedCluster\n  metadata: {name: c, labels: {x: y}}\n  status: {version: {kubernetes: v1.33.1}}\n";
        let list = parse_targets("t", text).unwrap();
        assert_eq!(list[0].kube_version.as_deref(), Some("v1.33.1"));
        let text =
            b"apiVersion: cluster.karmada.io/v1alpha1\nkind: Cluster\nmetadata: {name: member1}\n";
        assert_eq!(parse_targets("t", text).unwrap()[0].name, "member1");
        let error = parse_targets("t", b"kind: Pod\nmetadata: {name: p}\n").unwrap_err();
        assert_eq!(error.to_string(), "t: Pod p is no cluster");
    }

    #[test]
    fn placeholders_are_filled_in() {
        let labels = [("region".to_owned(), "eu".to_owned())].into();
        let target = Target::new("edge-1", labels);
        assert_eq!(target.expand("v/${region}/${name}.yaml").unwrap(), "v/eu/edge-1.yaml");
        assert_eq!(target.expand("a$${b}$").unwrap(), "a${b}$");
        assert_eq!(target.expand("${zone}").unwrap_err(), "zone");
        assert_eq!(target.expand("x${zone").unwrap_err(), "${zone");
    }

    #[test]
    fn a_cluster_has_one_set_of_labels() {
        let a = Target::new("a", Labels::new());
        assert_eq!(join([vec![a.clone()], vec![a.clone()]]).unwrap().len(), 1);
        let other = Target::new("a", [("x".to_owned(), "y".to_owned())].into());
        assert!(join([vec![a], vec![other]]).is_err());
    }
}
