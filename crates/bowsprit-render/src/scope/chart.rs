//! `.Chart`: a chart's metadata as a map.

use super::chart_struct;
use crate::compat::ChartObject;
use crate::plan::Instance;
use bowsprit_chart::{Dependency, Maintainer};
use bowsprit_value::{Map, MapType, Str, Value};
use std::sync::{Arc, OnceLock};

/// The `.Chart` of all instances of a plan, each made when a template first looks at it: few do so in most
/// subcharts, and in libraries none.
pub(crate) struct Charts {
    instances: Arc<Vec<Instance>>,
    kind: ChartObject,
    /// Must not be written; renders have forks of them.
    made: Vec<OnceLock<Value>>,
}

impl Charts {
    pub(crate) fn new(instances: &Arc<Vec<Instance>>, kind: ChartObject) -> Arc<Charts> {
        let made = instances.iter().map(|_| OnceLock::new()).collect();
        Arc::new(Charts { instances: Arc::clone(instances), kind, made })
    }

    fn get(&self, number: usize) -> Option<&Value> {
        let (instance, made) = (self.instances.get(number)?, self.made.get(number)?);
        Some(made.get_or_init(|| object(instance, self.kind)))
    }

    /// The `.Chart` of an instance for one render.
    pub(crate) fn own(self: &Arc<Charts>, number: usize) -> Value {
        if self.kind == ChartObject::Struct {
            return self.get(number).cloned().unwrap_or_default();
        }
        // Earlier renders looked at it, so this one will.
        if let Some(Value::Map(made)) = self.made.get(number).and_then(OnceLock::get) {
            return Value::Map(made.fork());
        }
        let charts = Arc::clone(self);
        Value::Map(Map::lazy(MapType::ANY, move || {
            let own = charts.get(number).and_then(Value::as_map).map(Map::fork);
            let entries = own.unwrap_or_default().entries();
            entries.iter().map(|(key, value)| (key.clone(), value.clone())).collect::<Vec<_>>()
        }))
    }
}

fn object(instance: &Instance, kind: ChartObject) -> Value {
    if kind == ChartObject::Struct {
        return chart_struct::chart(instance);
    }
    Value::Map(chart(instance))
}

fn text(s: &str) -> Value {
    Value::from(s)
}

fn entry(name: &'static str, value: Value) -> (Str, Value) {
    (Str::from_static(name), value)
}

fn texts(list: Option<&Vec<String>>) -> Value {
    Value::list(list.into_iter().flatten().map(|s| text(s)).collect())
}

/// The map that Helm makes of the metadata by reflection: Go's field names, lists never nil. Its dependencies are
/// those left after conditions and tags.
fn chart(instance: &Instance) -> Map {
    let m = instance.metadata();
    let annotations = match &m.annotations {
        Some(map) => {
            Map::typed(MapType::STRINGS, map.iter().map(|(k, v)| (Str::from(k.as_str()), text(v))))
        }
        None => Map::nil(MapType::STRINGS),
    };
    let dependencies = instance.dependencies.iter().flat_map(|d| d.iter()).map(dependency);
    let maintainers = m.maintainers.iter().flatten().flatten().map(maintainer).collect();
    Map::from_entries([
        entry("APIVersion", text(&m.api_version)),
        entry("Annotations", Value::Map(annotations)),
        entry("AppVersion", text(&m.app_version)),
        entry("Condition", text(&m.condition)),
        entry("Dependencies", Value::list(dependencies.collect())),
        entry("Deprecated", Value::Bool(m.deprecated)),
        entry("Description", text(&m.description)),
        entry("Home", text(&m.home)),
        entry("Icon", text(&m.icon)),
        entry("IsRoot", Value::Bool(instance.parent.is_none())),
        entry("Keywords", texts(m.keywords.as_ref())),
        entry("KubeVersion", text(&m.kube_version)),
        entry("Maintainers", Value::list(maintainers)),
        entry("Name", Value::Str(instance.name.clone())),
        entry("Sources", texts(m.sources.as_ref())),
        entry("Tags", text(&m.tags)),
        entry("Type", text(&m.ty)),
        entry("Version", text(&m.version)),
    ])
}

fn maintainer(maintainer: &Maintainer) -> Value {
    Value::Map(Map::from_entries([
        entry("Email", text(&maintainer.email)),
        entry("Name", text(&maintainer.name)),
        entry("URL", text(&maintainer.url)),
    ]))
}

/// One entry of `.Chart.Dependencies`.
fn dependency(dependency: &Dependency) -> Value {
    let d = dependency;
    let imports = d.import_values.iter().flatten().cloned().collect();
    Value::Map(Map::from_entries([
        entry("Alias", text(&d.alias)),
        entry("Condition", text(&d.condition)),
        entry("Enabled", Value::Bool(d.enabled)),
        entry("ImportValues", Value::list(imports)),
        entry("Name", text(&d.name)),
        entry("Repository", text(&d.repository)),
        entry("Tags", texts(d.tags.as_ref())),
        entry("Version", text(&d.version)),
    ]))
}
