//! What an API server serves.

use crate::client::{Call, Cluster, push_encoded};
use crate::error::{Error, ErrorKind, Result};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Both kinds of answers, the newer one in one piece.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
     application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// A kind and the place where its objects lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    /// Empty for the core group.
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) plural: String,
    pub(crate) namespaced: bool,
    pub(crate) listable: bool,
}

impl Resource {
    pub(crate) fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// The path of an object, or of all of them where the name is empty.
    pub(crate) fn path(&self, namespace: &str, name: &str) -> String {
        let mut path = match self.group.as_str() {
            "" => format!("/api/{}", self.version),
            group => format!("/apis/{group}/{}", self.version),
        };
        if self.namespaced && !namespace.is_empty() {
            path.push_str("/namespaces/");
            push_encoded(&mut path, namespace);
        }
        path.push('/');
        path.push_str(&self.plural);
        if !name.is_empty() {
            path.push('/');
            push_encoded(&mut path, name);
        }
        path
    }

    /// `deployments.apps`, as messages about rights name it.
    pub(crate) fn qualified(&self) -> String {
        match self.group.as_str() {
            "" => self.plural.clone(),
            group => format!("{}.{group}", self.plural),
        }
    }
}

/// The kinds that a server serves, and its version.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    resources: BTreeMap<(String, String), Resource>,
    /// All versions of all groups.
    versions: Vec<String>,
    /// Kinds, those of subresources too, as charts ask for them.
    kinds: BTreeSet<String>,
    /// `gitVersion`, `major` and `minor`.
    kube: (String, String, String),
}

/// Where KubeStellar's controllers find what to deliver.
const BINDING_POLICY: (&str, &str) = ("control.kubestellar.io", "BindingPolicy");

impl Discovery {
    /// The server's version as it says it: `v1.36.3`.
    pub fn version(&self) -> &str {
        &self.kube.0
    }

    /// The parts of the version: `1` and `36`.
    pub fn major_minor(&self) -> (&str, &str) {
        (&self.kube.1, &self.kube.2)
    }

    /// What charts see as `.Capabilities.APIVersions`: versions of groups, and kinds in these.
    pub fn api_versions(&self) -> Vec<String> {
        self.versions.iter().chain(&self.kinds).cloned().collect()
    }

    /// Whether this is a KubeStellar workload description space: it serves the BindingPolicy API.
    pub fn is_wds(&self) -> bool {
        let (group, kind) = BINDING_POLICY;
        self.resources.values().any(|r| r.group == group && r.kind == kind)
    }

    /// What is served: group, kind, plural, and whether objects of the kind have namespaces.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, &str, &str, bool)> {
        self.resources.values().map(|r| (&*r.group, &*r.kind, &*r.plural, r.namespaced))
    }

    pub(crate) fn listable(&self) -> impl Iterator<Item = &Resource> {
        self.resources.values().filter(|resource| resource.listable)
    }

    pub(crate) fn find(&self, api_version: &str, kind: &str) -> Option<&Resource> {
        self.resources.get(&(api_version.to_owned(), kind.to_owned()))
    }

    pub(crate) fn serves(&self, api_version: &str) -> bool {
        self.versions.iter().any(|version| version == api_version)
    }

    /// The resource of a name such as `secrets` or `deployments.apps`, of the first version that has it.
    pub(crate) fn by_name(&self, name: &str) -> Option<&Resource> {
        self.resources.values().find(|r| r.listable && (r.plural == name || r.qualified() == name))
    }

    /// The same with what the definitions in some files will serve; names and texts. What can't be read
    /// is left for the plan to complain about.
    #[must_use]
    pub fn with_definitions(&self, files: &[(String, String)]) -> Discovery {
        let mut extended = self.clone();
        if let Ok(definitions) = crate::definitions::outlines(files) {
            definitions.iter().for_each(|definition| extended.add_definition(definition));
        }
        extended
    }

    /// Adds what custom resource definitions will serve once they are there.
    pub(crate) fn add_definition(&mut self, definition: &Json) {
        let spec = &definition["spec"];
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        for version in spec["versions"].as_array().into_iter().flatten() {
            if version["served"] != Json::Bool(true) {
                continue;
            }
            self.add(Resource {
                group: text(&spec["group"]),
                version: text(&version["name"]),
                kind: text(&spec["names"]["kind"]),
                plural: text(&spec["names"]["plural"]),
                namespaced: spec["scope"] == "Namespaced",
                listable: true,
            });
        }
    }

    fn add(&mut self, resource: Resource) {
        let api_version = resource.api_version();
        if !self.serves(&api_version) {
            self.versions.push(api_version.clone());
        }
        self.kinds.insert(format!("{api_version}/{}", resource.kind));
        self.resources.entry((api_version, resource.kind.clone())).or_insert(resource);
    }

    fn add_aggregated(&mut self, list: &Json) {
        for group in list["items"].as_array().into_iter().flatten() {
            let name = group["metadata"]["name"].as_str().unwrap_or_default();
            for version in group["versions"].as_array().into_iter().flatten() {
                let at = version["version"].as_str().unwrap_or_default();
                let api_version =
                    if name.is_empty() { at.to_owned() } else { format!("{name}/{at}") };
                if !self.serves(&api_version) {
                    self.versions.push(api_version.clone());
                }
                for resource in version["resources"].as_array().into_iter().flatten() {
                    self.add_resource(name, at, &api_version, resource);
                }
            }
        }
    }

    fn add_resource(&mut self, group: &str, version: &str, api_version: &str, resource: &Json) {
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let kind = text(&resource["responseKind"]["kind"]);
        for subresource in resource["subresources"].as_array().into_iter().flatten() {
            let kind = text(&subresource["responseKind"]["kind"]);
            self.kinds.insert(format!("{api_version}/{kind}"));
        }
        let has =
            |verb: &str| resource["verbs"].as_array().is_some_and(|v| v.contains(&verb.into()));
        self.add(Resource {
            group: group.to_owned(),
            version: version.to_owned(),
            kind,
            plural: text(&resource["resource"]),
            namespaced: resource["scope"] == "Namespaced",
            listable: has("list"),
        });
    }

    /// Adds the older form: the resources of one version of one group.
    fn add_legacy(&mut self, api_version: &str, list: &Json) {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        if !self.serves(api_version) {
            self.versions.push(api_version.to_owned());
        }
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        for resource in list["resources"].as_array().into_iter().flatten() {
            let (kind, plural) = (text(&resource["kind"]), text(&resource["name"]));
            if plural.contains('/') {
                self.kinds.insert(format!("{api_version}/{kind}"));
                continue;
            }
            let verbs = resource["verbs"].as_array();
            self.add(Resource {
                group: group.to_owned(),
                version: version.to_owned(),
                kind,
                plural,
                namespaced: resource["namespaced"] == Json::Bool(true),
                listable: verbs.is_some_and(|verbs| verbs.contains(&"list".into())),
            });
        }
    }
}

impl Cluster {
    /// What the server serves; asked once and kept.
    ///
    /// # Errors
    ///
    /// Fails where the server can't be reached or refuses to tell.
    pub async fn discovery(&self) -> Result<Arc<Discovery>> {
        if let Some(known) = self.cached_discovery() {
            return Ok(known);
        }
        self.rediscover().await
    }

    /// As [`Cluster::discovery`], after something was added to the server.
    ///
    /// # Errors
    ///
    /// As [`Cluster::discovery`].
    pub async fn rediscover(&self) -> Result<Arc<Discovery>> {
        let unreachable = |error: Error| match error.kind() {
            ErrorKind::Unreachable => error.unreachable(),
            _ => error,
        };
        let (version, core, groups) = (
            Call::get("/version"),
            Call::get("/api").accept(AGGREGATED),
            Call::get("/apis").accept(AGGREGATED),
        );
        let (version, core, groups) = futures_util::try_join!(
            self.call_json(&version),
            self.call_json(&core),
            self.call_json(&groups)
        )
        .map_err(unreachable)?;
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let mut discovery = Discovery {
            kube: (text(&version["gitVersion"]), text(&version["major"]), text(&version["minor"])),
            ..Discovery::default()
        };
        for (list, root) in [(&core, "/api"), (&groups, "/apis")] {
            if list["kind"] == "APIGroupDiscoveryList" {
                discovery.add_aggregated(list);
            } else {
                self.discover_legacy(&mut discovery, list, root).await?;
            }
        }
        let discovery = Arc::new(discovery);
        self.cache_discovery(Some(Arc::clone(&discovery)));
        Ok(discovery)
    }

    /// Asks version by version, as older servers want.
    async fn discover_legacy(
        &self,
        discovery: &mut Discovery,
        list: &Json,
        root: &str,
    ) -> Result<()> {
        let groups = list["groups"].as_array().into_iter().flatten();
        let in_groups = groups.flat_map(|group| group["versions"].as_array().into_iter().flatten());
        let versions: Vec<String> = list["versions"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .chain(in_groups.filter_map(|version| version["groupVersion"].as_str()))
            .map(str::to_owned)
            .collect();
        for version in versions {
            // A group whose server is down hides no other.
            match self.call_json(&Call::get(format!("{root}/{version}"))).await {
                Ok(list) => discovery.add_legacy(&version, &list),
                Err(error) if error.kind() == ErrorKind::Server => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn kinds_are_found_by_version_and_by_name() {
        let mut discovery = Discovery::default();
        discovery.add_aggregated(&json!({"items": [{
            "metadata": {"name": "apps"},
            "versions": [{"version": "v1", "resources": [{
                "resource": "deployments", "scope": "Namespaced", "verbs": ["list"],
                "responseKind": {"kind": "Deployment"},
                "subresources": [{"responseKind": {"kind": "Scale"}}],
            }]}],
        }]}));
        let found = discovery.find("apps/v1", "Deployment").unwrap();
        assert_eq!(found.path("ns", "a:b"), "/apis/apps/v1/namespaces/ns/deployments/a:b");
        assert_eq!(discovery.by_name("deployments.apps").unwrap().kind, "Deployment");
        assert_eq!(
            discovery.api_versions(),
            ["apps/v1", "apps/v1/Deployment", "apps/v1/Scale"].map(str::to_owned)
        );
        assert!(!discovery.is_wds());
    }

    #[test]
    fn definitions_serve_what_they_say() {
        let mut discovery = Discovery::default();
        discovery.add_definition(&json!({"spec": {
            "group": "control.kubestellar.io", "scope": "Cluster",
            "names": {"kind": "BindingPolicy", "plural": "bindingpolicies"},
            "versions": [{"name": "v1alpha1", "served": true}, {"name": "v0", "served": false}],
        }}));
        assert!(discovery.is_wds() && !discovery.serves("control.kubestellar.io/v0"));
    }

    #[test]
    fn the_older_form_is_read_too() {
        let mut discovery = Discovery::default();
        discovery.add_legacy("v1", &json!({"resources": [
            {"name": "pods", "kind": "Pod", "namespaced": true, "verbs": ["list"]},
            {"name": "pods/eviction", "kind": "Eviction", "namespaced": true, "verbs": ["create"]},
        ]}));
        assert_eq!(discovery.find("v1", "Pod").unwrap().path("", ""), "/api/v1/pods");
        assert!(discovery.find("v1", "Eviction").is_none());
        assert!(discovery.api_versions().contains(&"v1/Eviction".to_owned()));
    }
}
