//! From a rendered release to what brings it to clusters.
//!
//! `bowsprit-placement` knows objects and writes policies; here is what joins it to a [`Release`]: which
//! texts of a release become objects in a space, and the namespace that belongs to them.
//!
//! ```
//! use bowsprit::chart::{Chart, File, Limits};
//! use bowsprit::place::{Delivery, Options};
//! use bowsprit::{Engine, RenderRequest, label, pipeline, value::Hermetic};
//! use std::sync::Arc;
//!
//! let files = vec![
//!     File::new("Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n"),
//!     File::new("templates/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
//! ];
//! let chart = Arc::new(Chart::from_files(files, &Limits::default())?.output);
//! let request = RenderRequest::new("demo", "prod");
//! let mut release = Engine::new().compile(chart).render(&request, &Hermetic::default())?.output;
//! let labels = label::Options::release("demo", "web");
//! pipeline::label(&mut release, &labels)?;
//! let delivery = Delivery::of(&release, &labels, &Options::default())?;
//! let kinds: Vec<&str> = delivery.objects().map(|o| o.identity.kind.as_str()).collect();
//! assert_eq!(kinds, ["Namespace", "ConfigMap"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use bowsprit_label::{INSTANCE, MANAGED_BY, Options as LabelOptions, namespace};
use bowsprit_manifest::{HookEvent, Identity, Labels, Object, ObjectsError, objects};
use bowsprit_placement::Kinds;
use bowsprit_placement::folders::Entry;
use bowsprit_placement::kubestellar::{BindingPolicy, Workload};
use bowsprit_render::Release;
use bowsprit_value::Value;
use std::fmt;

/// What of a release is placed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Hooks of installs and upgrades; those of deletions, rollbacks and tests never are.
    pub hooks: bool,
    /// What is in `crds/`.
    pub crds: bool,
    /// The release's namespace, unless the chart has it or every cluster does.
    pub namespace: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { hooks: true, crds: true, namespace: true }
    }
}

/// A text of a release that holds no objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryError {
    /// The template.
    pub path: String,
    /// What is wrong.
    pub error: ObjectsError,
}

impl fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.error)
    }
}

impl std::error::Error for DeliveryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// A text of a release.
#[derive(Clone, Debug)]
struct Part {
    path: String,
    text: String,
    hook: bool,
}

/// What of a release lies in a space for clusters to get: texts and their objects.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    namespace: Option<Object>,
    parts: Vec<Part>,
    /// Each with whether it is a hook.
    objects: Vec<(Object, bool)>,
}

impl Delivery {
    /// Of a release that has been labelled with these labels, which the namespace gets too.
    ///
    /// # Errors
    ///
    /// Fails where a text holds no objects.
    pub fn of(
        release: &Release,
        labels: &LabelOptions,
        options: &Options,
    ) -> Result<Delivery, DeliveryError> {
        let parts = parts(release, options);
        let read = |path: &str, text: &str| {
            objects(text.as_bytes()).map_err(|error| DeliveryError { path: path.to_owned(), error })
        };
        let mut all = Vec::new();
        for part in &parts {
            let found = read(&part.path, &part.text)?;
            all.extend(found.into_iter().map(|object| (object, part.hook)));
        }
        let name = &release.options.namespace;
        let is_own =
            |object: &Object| object.identity.kind == "Namespace" && object.identity.name == *name;
        let missing = options.namespace
            && !matches!(name.as_str(), "default" | "kube-system" | "kube-public")
            && !all.iter().any(|(object, _)| is_own(object));
        let namespace = match missing {
            true => read("namespace", &namespace(name, labels))?.into_iter().next(),
            false => None,
        };
        Ok(Delivery { namespace, parts, objects: all })
    }

    /// The release's namespace, where it is not among the rendered objects.
    pub fn namespace(&self) -> Option<&Object> {
        self.namespace.as_ref()
    }

    /// All objects: the namespace, definitions, what is rendered, hooks.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.namespace.iter().chain(self.objects.iter().map(|(object, _)| object))
    }

    /// All objects, and which of them are hooks.
    pub fn workloads(&self) -> Vec<Workload<'_>> {
        let rendered = self.objects.iter().map(|(object, hook)| (object, *hook));
        let all = self.namespace.iter().map(|object| (object, false)).chain(rendered);
        all.map(|(object, hook)| Workload { object, hook }).collect()
    }

    /// The kinds that every cluster has, and those that the objects define.
    pub fn kinds(&self) -> Kinds {
        Kinds::default().with_definitions(self.objects())
    }

    /// The texts, as files of a folder.
    pub fn entries(&self) -> Vec<Entry> {
        let entry = |part: &Part| Entry { path: part.path.clone(), text: part.text.clone() };
        let namespace = self.namespace.as_ref().map(|object| Entry {
            path: "namespace.yaml".to_owned(),
            text: bowsprit_placement::to_yaml(&object.value),
        });
        namespace.into_iter().chain(self.parts.iter().map(entry)).collect()
    }
}

fn parts(release: &Release, options: &Options) -> Vec<Part> {
    let mut parts = Vec::new();
    if options.crds {
        parts.extend(release.crds().into_iter().map(|crd| Part {
            path: crd.filename.to_string_lossy().into_owned(),
            text: String::from_utf8_lossy(crd.file.data.as_bytes()).into_owned(),
            hook: false,
        }));
    }
    parts.extend(release.manifests.iter().map(|manifest| Part {
        path: manifest.path.to_string(),
        text: manifest.content.clone(),
        hook: false,
    }));
    let hooks = release.hooks.iter().filter(|_| options.hooks);
    let brought = hooks.filter(|hook| hook.events.iter().any(is_delivered));
    parts.extend(brought.map(|hook| Part {
        path: hook.path.to_string(),
        text: hook.manifest.clone(),
        hook: true,
    }));
    parts
}

/// Hooks of deletions, rollbacks and tests run nowhere by being there.
fn is_delivered(event: &HookEvent) -> bool {
    matches!(
        event,
        HookEvent::PreInstall
            | HookEvent::PostInstall
            | HookEvent::PreUpgrade
            | HookEvent::PostUpgrade
    )
}

/// What tells a release apart, of all labels that are put on its objects: its name, and its manager where no
/// chart has put another one on an object; all labels where the release has no name.
pub fn release_labels(labels: &Labels, delivery: &Delivery) -> Labels {
    let is_everywhere = |key: &str, value: &str| {
        let mut objects = delivery.objects();
        objects.all(|object| object.labels().get(key).is_some_and(|found| found == value))
    };
    let own = labels.iter().filter(|(key, value)| match key.as_str() {
        INSTANCE => true,
        MANAGED_BY => is_everywhere(key, value),
        _ => false,
    });
    let own: Labels = own.map(|(k, v)| (k.clone(), v.clone())).collect();
    if own.contains_key(INSTANCE) { own } else { labels.clone() }
}

/// The objects among those of a space that a BindingPolicy would bring to clusters though they are not of
/// the release. What an earlier revision of it left behind is, as kept objects and hooks are. The release's
/// record is there only if its user wants it delivered.
pub fn unexpected(
    policy: &BindingPolicy,
    delivery: &Delivery,
    release: &str,
    namespace: &str,
    space: &[Value],
    kinds: &Kinds,
) -> Vec<Identity> {
    let is = |entries: &Labels, key: &str, value: &str| {
        entries.get(key).is_some_and(|found| found == value)
    };
    let is_own = |object: &Object| {
        let (labels, annotations) = (object.labels(), object.annotations());
        let is_record = is(&labels, "owner", "helm") && is(&labels, "name", release);
        let is_owned = is(&annotations, "meta.helm.sh/release-name", release)
            && is(&annotations, "meta.helm.sh/release-namespace", namespace);
        let is_near = object.identity.namespace.as_deref().is_none_or(|other| other == namespace);
        is_record || is_owned || is_near && annotations.contains_key("helm.sh/hook")
    };
    let live: Vec<Object> = space.iter().map(live).filter(|o| !is_own(o)).collect();
    let found = policy.unexpected(&delivery.workloads(), &live, namespace, kinds);
    found.into_iter().cloned().collect()
}

/// An object that no text stands for.
fn live(value: &Value) -> Object {
    Object {
        identity: Identity::of(value),
        value: value.clone(),
        document: 0..0,
        span: 0..0,
        steps: Vec::new(),
    }
}

/// The kinds of a space.
#[cfg(feature = "apply")]
pub fn kinds(discovery: &bowsprit_apply::Discovery) -> Kinds {
    use bowsprit_placement::Scope;
    let mut kinds = Kinds::default();
    for (group, kind, plural, namespaced) in discovery.kinds() {
        let scope = if namespaced { Scope::Namespaced } else { Scope::Cluster };
        kinds.add(group, kind, plural, scope);
    }
    kinds
}
