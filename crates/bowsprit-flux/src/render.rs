//! A HelmRelease into what helm-controller installs for it.

use crate::error::{Failure, Reason};
use crate::inventory::{Inventory, ObjectRef};
use crate::postrender::{PostRenderer, origin_labels};
use crate::readiness::{self, Readiness};
use crate::release::{Action, CrdsPolicy, HelmRelease};
use crate::sources::{self, Charts};
use crate::values;
use bowsprit_chart::{Chart, LogLine, is_crd_file};
use bowsprit_manifest::diff::ObjectSet;
use bowsprit_manifest::{
    Hook, Identity, Manifest, ObjectsError, Order, Sorted, sort_manifests, split,
};
use bowsprit_render::plan::Plan;
use bowsprit_render::{Capabilities, Engine, RenderRequest, push_document};
use bowsprit_value::{Host, Map, Meter, Value};
use std::sync::Arc;

/// What a HelmRelease is rendered with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// What `.Capabilities` says.
    pub capabilities: Capabilities,
    /// The release's revision; from the second on it is an upgrade.
    pub revision: i64,
    /// The values of the revision before, for `upgrade.preserveValues`.
    pub previous_values: Option<Map>,
    /// What evaluates `readyExpr` of `dependsOn`; without it there is a warning.
    pub readiness: Option<Arc<dyn Readiness>>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            capabilities: crate::capabilities::capabilities(),
            revision: 1,
            previous_values: None,
            readiness: None,
        }
    }
}

/// What helm-controller installs for a HelmRelease.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rendered {
    /// The HelmRelease.
    pub helm_release: ObjectRef,
    /// The chart's name.
    pub chart: String,
    /// The chart's version as Helm sees it.
    pub version: String,
    /// The release's name.
    pub release: String,
    /// The release's namespace.
    pub namespace: String,
    /// The namespace in which Helm keeps its record of the release.
    pub storage_namespace: String,
    /// The release's revision.
    pub revision: i64,
    /// What Flux hands to Helm: the values without the chart's defaults.
    pub values: Map,
    /// The values with the chart's defaults.
    pub all_values: Map,
    /// The objects, in the order in which they are installed.
    pub manifests: Vec<Manifest>,
    /// The hooks, by kind.
    pub hooks: Vec<Hook>,
    /// Whether the hooks don't run.
    pub hooks_disabled: bool,
    /// What happens to custom resource definitions.
    pub crds_policy: CrdsPolicy,
    /// The custom resource definitions that are applied before all else, labelled.
    pub crds: Vec<Map>,
    /// The namespace that is created for the release.
    pub created_namespace: Option<Map>,
    /// What there is to say beside.
    pub warnings: Vec<String>,
    /// What Helm logs.
    pub log: Vec<LogLine>,
}

impl Rendered {
    /// The release's manifest, as `helm get manifest` prints it but for the last line break.
    pub fn manifest(&self) -> String {
        let mut out = String::new();
        for manifest in &self.manifests {
            push_document(&mut out, &manifest.path, &manifest.content);
        }
        out
    }

    /// The hooks, as `helm get hooks` prints them.
    pub fn hooks_text(&self) -> String {
        let mut out = String::new();
        for hook in &self.hooks {
            push_document(&mut out, &hook.path, &hook.manifest);
        }
        out
    }

    /// The values, as `helm get values -o yaml` prints them.
    pub fn values_text(&self) -> String {
        if self.values.is_empty() { "null\n".to_owned() } else { to_yaml(&self.values) }
    }

    /// All values, as `helm get values --all -o yaml` prints them.
    pub fn all_values_text(&self) -> String {
        to_yaml(&self.all_values)
    }

    /// The custom resource definitions and the namespace that are applied before the release, as YAML.
    pub fn before_text(&self) -> String {
        let mut out = String::new();
        for object in self.crds.iter().chain(&self.created_namespace) {
            out.push_str("---\n");
            out.push_str(&to_yaml(object));
        }
        out
    }
}

impl Rendered {
    /// All objects that are applied, hooks included, each in the namespace that it goes into.
    ///
    /// # Errors
    ///
    /// Where a document holds no objects; Helm does not apply such a release.
    pub fn objects(&self) -> Result<ObjectSet, ObjectsError> {
        let mut set = ObjectSet::parse(self.manifest().as_bytes())?;
        let hooks = ObjectSet::parse(self.hooks_text().as_bytes())?;
        set.extend(hooks.iter().map(|(identity, value)| (identity.clone(), value.clone())));
        set.set_namespace(&self.namespace, crate::postrender::is_namespaced);
        let before = self.crds.iter().chain(&self.created_namespace);
        set.extend(before.map(|object| {
            let value = Value::Map(object.clone());
            (Identity::of(&value), value)
        }));
        Ok(set)
    }
}

/// What was decoded from YAML can be encoded.
fn to_yaml(map: &Map) -> String {
    let mut out = Vec::new();
    match bowsprit_yaml::encode(&map.clone().into(), &mut out, &Meter::default()) {
        Ok(()) => crate::access::lossy(&out).into_owned(),
        Err(error) => format!("# {error}\n"),
    }
}

/// Renders a HelmRelease.
///
/// # Errors
///
/// Fails as the HelmRelease would, with the reason and the message of its condition.
pub fn render(
    release: &HelmRelease,
    inventory: &Inventory,
    charts: &dyn Charts,
    engine: &Engine,
    host: &dyn Host,
    options: &Options,
) -> Result<Rendered, Failure> {
    let mut warnings = readiness::check(release, inventory, options.readiness.as_deref())?;
    let built = sources::chart(release, inventory, charts)?;
    let mut values = values::values(release, inventory, &mut warnings)?;
    warnings.extend(built.warnings);
    let action = action(release, options);
    match &options.previous_values {
        Some(previous) if action.preserve_values => values = values::merged(previous, &values),
        None if action.preserve_values => warnings.push(
            "upgrade.preserveValues: the values of the revision before are not known".to_owned(),
        ),
        _ => {}
    }
    let (name, version) = (built.chart.metadata.name.clone(), built.chart.metadata.version.clone());
    let run = Run { release, action, options, values: &values };
    let helm =
        run.helm(built.chart, engine, host).map_err(|error| run.fail(&name, &version, &error))?;
    warnings.extend(helm.warnings);
    if release.suspend {
        warnings.push("the HelmRelease is suspended: Flux does not install it".to_owned());
    }
    Ok(Rendered {
        helm_release: ObjectRef::new("HelmRelease", &*release.namespace, &*release.name),
        chart: name,
        version,
        release: release.helm_release_name(),
        namespace: release.release_namespace().to_owned(),
        storage_namespace: release.helm_storage_namespace().to_owned(),
        revision: options.revision,
        all_values: helm.all_values,
        manifests: helm.sorted.manifests,
        hooks: helm.sorted.hooks,
        hooks_disabled: action.disable_hooks,
        crds_policy: helm.crds_policy,
        crds: helm.crds,
        created_namespace: run.namespace(),
        log: helm.log,
        values,
        warnings,
    })
}

fn action<'r>(release: &'r HelmRelease, options: &Options) -> &'r Action {
    if options.revision > 1 { &release.upgrade } else { &release.install }
}

struct Run<'r> {
    release: &'r HelmRelease,
    action: &'r Action,
    options: &'r Options,
    values: &'r Map,
}

/// What Helm does with a chart and values.
struct Helm {
    sorted: Sorted,
    all_values: Map,
    crds_policy: CrdsPolicy,
    crds: Vec<Map>,
    warnings: Vec<String>,
    log: Vec<LogLine>,
}

impl Run<'_> {
    fn is_upgrade(&self) -> bool {
        self.options.revision > 1
    }

    fn fail(&self, chart: &str, version: &str, error: &str) -> Failure {
        let (reason, verb) = match self.is_upgrade() {
            true => (Reason::UpgradeFailed, "upgrade"),
            false => (Reason::InstallFailed, "install"),
        };
        let message = format!(
            "Helm {verb} failed for release {}/{} with chart {chart}@{version}: {}",
            self.release.release_namespace(),
            self.release.full_release_name(),
            error.trim()
        );
        Failure::new(reason, message)
    }

    fn request(&self) -> RenderRequest {
        let name = self.release.helm_release_name();
        let mut request = RenderRequest::new(name, self.release.release_namespace())
            .values(self.values.clone())
            .capabilities(self.options.capabilities.clone())
            .skip_schema_validation(self.action.disable_schema_validation);
        request.release.revision = self.options.revision;
        request.release.is_upgrade = self.is_upgrade();
        request.release.is_install = !self.is_upgrade();
        request
    }

    fn helm(&self, chart: Chart, engine: &Engine, host: &dyn Host) -> Result<Helm, String> {
        let crds_policy = self.action.crds.clone().map_err(|policy| {
            format!(
                "invalid CRD upgrade policy '{policy}', valid values are 'Skip', 'Create' or \
                 'CreateReplace'"
            )
        })?;
        let compiled = engine.compile(Arc::new(chart));
        let request = self.request();
        let planned = compiled.plan(&request).map_err(|error| error.to_string())?;
        let (crds, warnings) = match crds_policy {
            CrdsPolicy::Skip => (Vec::new(), Vec::new()),
            _ => self
                .crds(&planned.output)
                .map_err(|error| format!("failed to apply CustomResourceDefinitions: {error}"))?,
        };
        let rendered = compiled.render_files(&request, host).map_err(|error| error.to_string())?;
        let mut files = rendered.output;
        files.retain(|name, _| !name.ends_with("NOTES.txt"));
        let files = PostRenderer::of(self.release).run(files)?;
        let sources = files.iter().map(|(name, text)| (name.as_str(), text.as_slice()));
        let sorted = sort_manifests(sources, Order::Install).map_err(|error| error.to_string())?;
        let log = rendered.warnings;
        let all_values = planned.output.values;
        Ok(Helm { sorted: sorted.sorted, all_values, crds_policy, crds, warnings, log })
    }

    /// The custom resource definitions of all charts that take part, with the labels that Flux puts on
    /// them; and what is to be said of other objects beside them.
    fn crds(&self, plan: &Plan) -> Result<(Vec<Map>, Vec<String>), String> {
        let (mut crds, mut warnings) = (Vec::new(), Vec::new());
        for instance in plan.instances.iter() {
            for file in &instance.chart.files {
                if !is_crd_file(file.name.as_bytes()) {
                    continue;
                }
                for document in split(file.data.as_bytes()) {
                    let value = bowsprit_yaml::decode(document).map_err(|error| {
                        let name = crate::access::lossy(file.name.as_bytes()).into_owned();
                        format!("failed to parse CustomResourceDefinitions from {name}: {error}")
                    })?;
                    let Value::Map(object) = value else { continue };
                    self.add_crd(object, &mut crds, &mut warnings);
                }
            }
        }
        Ok((crds, warnings))
    }

    fn add_crd(&self, object: Map, crds: &mut Vec<Map>, warnings: &mut Vec<String>) {
        let kind = crate::access::text(&object, "kind");
        let group = crate::access::text(&object, "apiVersion");
        let metadata = crate::access::map_at(&object, &["metadata"]);
        if kind != "CustomResourceDefinition" || !group.starts_with("apiextensions.k8s.io/") {
            let name = crate::access::text(&metadata, "name");
            warnings.push(format!("{kind} {name} in crds/ is ignored: only CustomResourceDefinitions are applied from there"));
            return;
        }
        let labels = crate::access::map_at(&metadata, &["labels"]);
        for (label, value) in origin_labels(self.release) {
            labels.insert(label.into(), value.into());
        }
        metadata.insert("labels".into(), labels.into());
        object.insert("metadata".into(), metadata.into());
        crds.push(object);
    }

    /// The namespace that Helm makes for a new release.
    fn namespace(&self) -> Option<Map> {
        let wanted = !self.is_upgrade() && self.action.create_namespace;
        let name = self.release.target_namespace.as_deref().filter(|_| wanted)?;
        let text = |text: &str| Value::from(text);
        let labels = Map::from_entries([("name".into(), text(name))]);
        let metadata =
            Map::from_entries([("name".into(), text(name)), ("labels".into(), labels.into())]);
        Some(Map::from_entries([
            ("apiVersion".into(), text("v1")),
            ("kind".into(), text("Namespace")),
            ("metadata".into(), metadata.into()),
        ]))
    }
}
