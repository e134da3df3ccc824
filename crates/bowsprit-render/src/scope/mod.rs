//! The objects that templates see: `.Values`, `.Release`, `.Chart`, `.Capabilities`, `.Files`,
//! `.Subcharts` and `.Template`.

mod api_versions;
mod capabilities;
mod chart;
mod chart_struct;
mod files;
mod release;
mod values;

pub(crate) use api_versions::{API_VERSIONS_1_35, API_VERSIONS_1_36, API_VERSIONS_1_37};
pub use capabilities::{
    Capabilities, DEFAULT_API_VERSIONS, DEFAULT_KUBE_VERSION, HelmVersion, KubeVersion,
    KubeVersionError,
};
pub(crate) use files::files;
pub use release::ReleaseOptions;

use crate::compat::{ChartObject, Package, Rules};
use crate::plan::{Instance, Plan};
use bowsprit_value::{Map, Str, Value};

/// The root object of each chart instance, by the instance's number: as a map, and as templates see it.
pub(crate) struct Scopes(Vec<(Map, Value)>, Package);

impl Scopes {
    /// Builds the root objects of all instances of a plan. `charts` has their `.Chart`, `files` gives the
    /// `.Files` of an instance.
    pub(crate) fn new(
        (plan, charts): (&Plan, &[Value]),
        release: &ReleaseOptions,
        capabilities: &Capabilities,
        rules: &Rules,
        files: impl Fn(&Instance) -> Map,
    ) -> Scopes {
        let release = Value::Map(release.to_map());
        let capabilities = capabilities.to_value();
        let package = rules.package;
        let count = plan.instances.len();
        let mut scopes = Vec::with_capacity(count);
        let mut values = vec![Map::new(); count];
        // Parents come before their children, so that a child finds its parent's values.
        for (number, instance) in plan.instances.iter().enumerate() {
            let own = match instance.parent {
                None => values::as_values(&plan.values, package),
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
            scopes.push((scope, seen));
        }
        link_subcharts(plan, &scopes);
        Scopes(scopes, package)
    }

    /// The root object for one template of an instance. The object is shared by all templates of the
    /// instance, as in Helm: each sees what the ones before it have set.
    pub(crate) fn for_template(&self, instance: usize, name: &Str, base_path: &Str) -> Value {
        let Some((scope, seen)) = self.0.get(instance) else { return Value::Nil };
        let template = Map::from_entries([
            (Str::from_static("BasePath"), Value::Str(base_path.clone())),
            (Str::from_static("Name"), Value::Str(name.clone())),
        ]);
        scope
            .insert(Str::from_static("Template"), Value::Map(values::as_values(&template, self.1)));
        seen.clone()
    }

    /// Empties the root objects, which refer to each other, so that their memory is freed.
    pub(crate) fn dissolve(&self) {
        for (scope, _) in &self.0 {
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

fn link_subcharts(plan: &Plan, scopes: &[(Map, Value)]) {
    let scope = |number: usize| scopes.get(number).map(|(scope, _)| scope);
    for (number, instance) in plan.instances.iter().enumerate() {
        let (Some(parent), Some(own)) = (instance.parent, scope(number)) else { continue };
        let Some(Value::Map(subcharts)) = scope(parent).and_then(|s| s.get(b"Subcharts")) else {
            continue;
        };
        subcharts.insert(instance.name.clone(), Value::Map(own.clone()));
    }
}
