//! `.Chart`: a chart's metadata as a map.

use bowsprit_chart::{Dependency, Maintainer, Metadata};
use bowsprit_value::{Map, MapType, Str, Value};

fn text(s: &str) -> Value {
    Value::from(s)
}

fn entry(name: &'static str, value: Value) -> (Str, Value) {
    (Str::from_static(name), value)
}

fn texts(list: Option<&Vec<String>>) -> Value {
    Value::list(list.into_iter().flatten().map(|s| text(s)).collect())
}

/// The map that Helm makes of the metadata by reflection: Go's field names, lists never nil.
///
/// `dependencies` are those left after conditions and tags; `is_root` is false for subcharts.
pub(crate) fn chart(metadata: &Metadata, dependencies: Value, is_root: bool) -> Map {
    let m = metadata;
    let annotations = match &m.annotations {
        Some(map) => {
            Map::typed(MapType::STRINGS, map.iter().map(|(k, v)| (Str::from(k.as_str()), text(v))))
        }
        None => Map::nil(MapType::STRINGS),
    };
    let maintainers = m.maintainers.iter().flatten().flatten().map(maintainer).collect();
    Map::from_entries([
        entry("APIVersion", text(&m.api_version)),
        entry("Annotations", Value::Map(annotations)),
        entry("AppVersion", text(&m.app_version)),
        entry("Condition", text(&m.condition)),
        entry("Dependencies", dependencies),
        entry("Deprecated", Value::Bool(m.deprecated)),
        entry("Description", text(&m.description)),
        entry("Home", text(&m.home)),
        entry("Icon", text(&m.icon)),
        entry("IsRoot", Value::Bool(is_root)),
        entry("Keywords", texts(m.keywords.as_ref())),
        entry("KubeVersion", text(&m.kube_version)),
        entry("Maintainers", Value::list(maintainers)),
        entry("Name", text(&m.name)),
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
pub(crate) fn dependency(dependency: &Dependency) -> Value {
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
