//! A chart as release records hold it, under the names of Helm's fields.

use bowsprit_chart::{Chart, Dependency, File, Maintainer, Metadata};
use bowsprit_render::plan::Plan;
use bowsprit_value::{Map, Str, Value};
use std::sync::Arc;

fn table(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    Value::Map(Map::from_entries(fields.into_iter().map(|(k, v)| (Str::from_static(k), v))))
}

fn bytes(data: &[u8]) -> Value {
    Value::Bytes(Arc::from(data))
}

/// The fields that are not empty, as Go's `omitempty` leaves them.
fn present(fields: Vec<(&'static str, Value)>) -> Value {
    table(fields.into_iter().filter(|(_, value)| match value {
        Value::Nil => false,
        Value::Bool(truth) => *truth,
        Value::Str(text) => !text.is_empty(),
        Value::List(list) => !list.is_empty(),
        Value::Map(map) => !map.is_empty(),
        _ => true,
    }))
}

fn texts(list: Option<&Vec<String>>) -> Value {
    let items = list.into_iter().flatten();
    Value::list(items.map(|text| Value::from(text.as_str())).collect())
}

/// A chart as Helm stores it: the root's own files, its default values with those that it imports.
/// Subcharts are not part of it.
pub fn chart_value(chart: &Chart, plan: &Plan) -> Value {
    let root = plan.instances.first();
    let dependencies = root.and_then(|root| root.dependencies.as_deref());
    let values = root.map_or_else(|| chart.values.fork(), |root| root.defaults.fork());
    let schema = match &chart.schema {
        Some(schema) => bytes(schema.as_bytes()),
        None => Value::Nil,
    };
    table([
        ("metadata", metadata(&chart.metadata, dependencies)),
        ("lock", chart.lock.as_ref().map_or(Value::Nil, lock)),
        ("templates", files(&chart.templates)),
        ("values", Value::Map(values)),
        ("schema", schema),
        ("files", files(&chart.files)),
    ])
}

/// As [`chart_value`], without templates and files.
pub fn slim_chart_value(chart: &Chart, plan: &Plan) -> Value {
    let full = chart_value(chart, plan);
    if let Some(map) = full.as_map() {
        map.insert(Str::from_static("templates"), Value::Nil);
        map.insert(Str::from_static("files"), Value::Nil);
    }
    full
}

fn files(files: &[File]) -> Value {
    if files.is_empty() {
        return Value::Nil;
    }
    let file = |file: &File| {
        table([("name", Value::Str(file.name.clone())), ("data", bytes(file.data.as_bytes()))])
    };
    Value::list(files.iter().map(file).collect())
}

fn metadata(metadata: &Metadata, dependencies: Option<&Vec<Dependency>>) -> Value {
    let text = |text: &String| Value::from(text.as_str());
    let maintainers = metadata.maintainers.iter().flatten().flatten().map(maintainer).collect();
    let annotations = metadata.annotations.iter().flatten();
    let annotations = annotations.map(|(k, v)| (Str::from(k.as_str()), Value::from(v.as_str())));
    let dependencies = dependencies.into_iter().flatten().map(dependency).collect();
    present(vec![
        ("name", text(&metadata.name)),
        ("home", text(&metadata.home)),
        ("sources", texts(metadata.sources.as_ref())),
        ("version", text(&metadata.version)),
        ("description", text(&metadata.description)),
        ("keywords", texts(metadata.keywords.as_ref())),
        ("maintainers", Value::list(maintainers)),
        ("icon", text(&metadata.icon)),
        ("apiVersion", text(&metadata.api_version)),
        ("condition", text(&metadata.condition)),
        ("tags", text(&metadata.tags)),
        ("appVersion", text(&metadata.app_version)),
        ("deprecated", Value::Bool(metadata.deprecated)),
        ("annotations", Value::Map(Map::from_entries(annotations))),
        ("kubeVersion", text(&metadata.kube_version)),
        ("dependencies", Value::list(dependencies)),
        ("type", text(&metadata.ty)),
    ])
}

fn maintainer(maintainer: &Maintainer) -> Value {
    present(vec![
        ("name", Value::from(maintainer.name.as_str())),
        ("email", Value::from(maintainer.email.as_str())),
        ("url", Value::from(maintainer.url.as_str())),
    ])
}

fn dependency(dependency: &Dependency) -> Value {
    let text = |text: &String| Value::from(text.as_str());
    let imports = dependency.import_values.iter().flatten().cloned().collect();
    let fields = present(vec![
        ("version", text(&dependency.version)),
        ("condition", text(&dependency.condition)),
        ("tags", texts(dependency.tags.as_ref())),
        ("enabled", Value::Bool(dependency.enabled)),
        ("import-values", Value::list(imports)),
        ("alias", text(&dependency.alias)),
    ]);
    if let Some(map) = fields.as_map() {
        map.insert(Str::from_static("name"), text(&dependency.name));
        map.insert(Str::from_static("repository"), text(&dependency.repository));
    }
    fields
}

fn lock(lock: &bowsprit_chart::Lock) -> Value {
    const NEVER: &str = "0001-01-01T00:00:00Z";
    let generated = if lock.generated.is_empty() { NEVER } else { &lock.generated };
    table([
        ("generated", Value::from(generated)),
        ("digest", Value::from(lock.digest.as_str())),
        ("dependencies", lock_dependencies(lock)),
    ])
}

fn lock_dependencies(lock: &bowsprit_chart::Lock) -> Value {
    Value::list(lock.dependencies.iter().flatten().flatten().map(dependency).collect())
}
