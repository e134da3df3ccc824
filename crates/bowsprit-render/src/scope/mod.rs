//! The objects that templates see: `.Values`, `.Release`, `.Chart`, `.Capabilities`, `.Files`,
//! `.Subcharts` and `.Template`.

mod api_versions;
mod capabilities;
mod chart;
mod chart_struct;
mod files;
mod release;
mod template;
mod values;

pub(crate) use api_versions::{API_VERSIONS_1_35, API_VERSIONS_1_36, API_VERSIONS_1_37};
pub use capabilities::{
    Capabilities, DEFAULT_API_VERSIONS, DEFAULT_KUBE_VERSION, HelmVersion, KubeVersion,
    KubeVersionError,
};
pub(crate) use chart::Charts;
pub(crate) use files::files;
pub use release::ReleaseOptions;

use crate::compat::{Package, Rules};
use crate::plan::Instance;
use bowsprit_value::{History, Map, Str, Value};
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use template::{Looks, Template};

pub(crate) struct Scopes {
    /// By the numbers of the chart instances.
    roots: Vec<Root>,
    package: Package,
    looks: Looks,
    /// The `.Template` of each instance.
    templates: RefCell<Vec<Option<Template>>>,
}

/// The root object of a chart instance.
struct Root {
    scope: Map,
    /// As templates see it.
    seen: Value,
    /// `.Template.BasePath`.
    base_path: Str,
}

impl Scopes {
    /// Builds the root objects of all instances of a plan, with its values. `charts` has their `.Chart`, `files`
    /// gives the `.Files` of an instance.
    pub(crate) fn new(
        (instances, plan_values, charts): (&[Instance], Map, &Arc<Charts>),
        release: &ReleaseOptions,
        capabilities: &Capabilities,
        rules: &Rules,
        files: impl Fn(&Instance) -> Map,
    ) -> Scopes {
        let release = Value::Map(release.to_map());
        let capabilities = capabilities.to_value();
        let package = rules.package;
        let count = instances.len();
        let mut roots = Vec::with_capacity(count);
        let mut values = vec![Map::new(); count];
        // Parents come before their children, so that a child finds its parent's values.
        for (number, instance) in instances.iter().enumerate() {
            let own = match instance.parent {
                None => values::as_values(&plan_values, package),
                Some(parent) => {
                    let parent = values.get(parent).cloned().unwrap_or_default();
                    let own = values::table(&parent, instance.name.as_bytes());
                    values::as_values(&own.unwrap_or_default(), package)
                }
            };
            if let Some(slot) = values.get_mut(number) {
                *slot = own.clone();
            }
            let scope = Map::from_entries(
                [
                    ("Capabilities", capabilities.clone()),
                    ("Chart", charts.own(number)),
                    ("Files", Value::Map(files(instance))),
                    ("Release", release.clone()),
                    ("Subcharts", Value::Map(Map::new())),
                    ("Values", Value::Map(own)),
                ]
                .map(|(k, v)| (Str::from_static(k), v)),
            );
            let seen = Value::Map(values::as_values(&scope, package));
            let base_path = Str::from([instance.path.as_bytes(), b"/templates"].concat());
            roots.push(Root { scope, seen, base_path });
        }
        link_subcharts(instances, &roots);
        let templates = RefCell::new((0..count).map(|_| None).collect());
        Scopes { roots, package, looks: Looks::default(), templates }
    }

    /// Whether anybody has looked at a `.Template` since the last call of [`Scopes::for_template`]: the one
    /// thing that is another for each template.
    pub(crate) fn varies(&self) -> &AtomicBool {
        self.looks.any()
    }

    /// The root object for one template of an instance. The object is shared by all templates of the
    /// instance, as in Helm: each sees what the ones before it have set.
    pub(crate) fn for_template(&self, (instance, name): (usize, &Str), history: &History) -> Value {
        let Some(root) = self.roots.get(instance) else { return Value::Nil };
        let mut templates = self.templates.borrow_mut();
        for looked_at in self.looks.take() {
            let template = templates.get_mut(looked_at).and_then(Option::as_mut);
            // Those of other instances stay, but as if nobody had looked.
            if let Some(template) = template.filter(|_| looked_at != instance) {
                self.show(looked_at, template.again(&self.looks));
            }
        }
        let names = (name.clone(), root.base_path.clone());
        let (template, map) = Template::new(instance, names, self.package, &self.looks);
        if let Some(slot) = templates.get_mut(instance)
            && slot.replace(template).is_none()
        {
            // Until now it had none at all, which can be seen without looking at it.
            history.wrote(&root.scope);
        }
        self.show(instance, map);
        root.seen.clone()
    }

    fn show(&self, instance: usize, template: Map) {
        if let Some(Root { scope, .. }) = self.roots.get(instance) {
            scope.insert(Str::from_static("Template"), Value::Map(template));
        }
    }
}

impl Drop for Scopes {
    /// Empties the root objects, which refer to each other, so that their memory is freed.
    fn drop(&mut self) {
        for Root { scope, .. } in &self.roots {
            scope.downgrade().clear();
        }
    }
}

fn link_subcharts(instances: &[Instance], roots: &[Root]) {
    let scope = |number: usize| roots.get(number).map(|root| &root.scope);
    for (number, instance) in instances.iter().enumerate() {
        let (Some(parent), Some(own)) = (instance.parent, scope(number)) else { continue };
        let Some(Value::Map(subcharts)) = scope(parent).and_then(|s| s.get(b"Subcharts")) else {
            continue;
        };
        subcharts.insert(instance.name.clone(), Value::Map(own.clone()));
    }
}
