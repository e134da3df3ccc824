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
pub(crate) use files::files;
pub use release::ReleaseOptions;

use crate::compat::{ChartObject, Package, Rules};
use crate::plan::Instance;
use bowsprit_value::{History, Map, Str, Value};
use std::cell::RefCell;
use std::sync::atomic::AtomicBool;
use template::{Looks, Template};

pub(crate) struct Scopes {
    /// The root object of each chart instance, by the instance's number: as a map, and as templates see it.
    roots: Vec<(Map, Value)>,
    package: Package,
    looks: Looks,
    /// The `.Template` of each instance.
    templates: RefCell<Vec<Option<Template>>>,
}

impl Scopes {
    /// Builds the root objects of all instances of a plan, with its values. `charts` has their `.Chart`, `files`
    /// gives the `.Files` of an instance.
    pub(crate) fn new(
        (instances, plan_values, charts): (&[Instance], Map, &[Value]),
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
                    ("Chart", own_chart(charts.get(number))),
                    ("Files", Value::Map(files(instance))),
                    ("Release", release.clone()),
                    ("Subcharts", Value::Map(Map::new())),
                    ("Values", Value::Map(own)),
                ]
                .map(|(k, v)| (Str::from_static(k), v)),
            );
            let seen = Value::Map(values::as_values(&scope, package));
            roots.push((scope, seen));
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
    pub(crate) fn for_template(
        &self,
        (instance, name, base_path): (usize, &Str, &Str),
        history: &History,
    ) -> Value {
        let Some((scope, seen)) = self.roots.get(instance) else { return Value::Nil };
        let mut templates = self.templates.borrow_mut();
        for looked_at in self.looks.take() {
            let template = templates.get_mut(looked_at).and_then(Option::as_mut);
            // Those of other instances stay, but as if nobody had looked.
            if let Some(template) = template.filter(|_| looked_at != instance) {
                self.show(looked_at, template.again(&self.looks));
            }
        }
        let names = (name.clone(), base_path.clone());
        let (template, map) = Template::new(instance, names, self.package, &self.looks);
        if let Some(slot) = templates.get_mut(instance)
            && slot.replace(template).is_none()
        {
            // Until now it had none at all, which can be seen without looking at it.
            history.wrote(scope);
        }
        self.show(instance, map);
        seen.clone()
    }

    fn show(&self, instance: usize, template: Map) {
        if let Some((scope, _)) = self.roots.get(instance) {
            scope.insert(Str::from_static("Template"), Value::Map(template));
        }
    }

    /// Empties the root objects, which refer to each other, so that their memory is freed.
    pub(crate) fn dissolve(&self) {
        for (scope, _) in &self.roots {
            scope.downgrade().clear();
        }
    }
}

/// The `.Chart` of all instances. Must not be written; renders have forks of them.
pub(crate) fn chart_objects(instances: &[Instance], rules: &Rules) -> Vec<Value> {
    instances.iter().map(|instance| chart_object(instance, rules.chart_object)).collect()
}

fn own_chart(chart: Option<&Value>) -> Value {
    match chart {
        Some(Value::Map(map)) => Value::Map(map.fork()),
        other => other.cloned().unwrap_or_default(),
    }
}

fn chart_object(instance: &Instance, kind: ChartObject) -> Value {
    if kind == ChartObject::Struct {
        return chart_struct::chart(instance);
    }
    let dependencies =
        instance.dependencies.iter().flat_map(|d| d.iter()).map(chart::dependency).collect();
    let map =
        chart::chart(instance.metadata(), Value::list(dependencies), instance.parent.is_none());
    map.insert(Str::from_static("Name"), Value::Str(instance.name.clone()));
    Value::Map(map)
}

fn link_subcharts(instances: &[Instance], scopes: &[(Map, Value)]) {
    let scope = |number: usize| scopes.get(number).map(|(scope, _)| scope);
    for (number, instance) in instances.iter().enumerate() {
        let (Some(parent), Some(own)) = (instance.parent, scope(number)) else { continue };
        let Some(Value::Map(subcharts)) = scope(parent).and_then(|s| s.get(b"Subcharts")) else {
            continue;
        };
        subcharts.insert(instance.name.clone(), Value::Map(own.clone()));
    }
}
