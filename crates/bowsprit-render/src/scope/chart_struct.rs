//! `.Chart` as Helm 3 has it: a struct around the metadata, whose unknown fields are errors.

use crate::plan::Instance;
use bowsprit_chart::{Dependency, Maintainer, Metadata};
use bowsprit_value::{Field, Kind, List, ListType, Map, MapType, Object, Str, Value};
use std::sync::Arc;

/// The object for an instance.
pub(super) fn chart(instance: &Instance) -> Value {
    let metadata = Struct {
        type_name: "chart.Metadata",
        kind: Kind::Struct,
        fields: metadata_fields(instance),
    };
    let is_root = Value::Bool(instance.parent.is_none());
    Value::object(Root { metadata: Arc::new(metadata), is_root })
}

/// A field: Go's name, the name in JSON, the value.
type Entry = (&'static str, &'static str, Value);

/// A struct of strings, lists and maps, or a pointer to one.
#[derive(Debug)]
struct Struct {
    type_name: &'static str,
    kind: Kind,
    fields: Vec<Entry>,
}

impl Struct {
    fn pointer(type_name: &'static str, fields: Vec<Entry>) -> Value {
        Value::object(Struct { type_name, kind: Kind::Ptr, fields })
    }

    fn find(&self, name: &[u8]) -> Field {
        match self.fields.iter().find(|(go, _, _)| go.as_bytes() == name) {
            Some((_, _, value)) => Field::Value(value.clone()),
            None => Field::Missing,
        }
    }

    /// All fields of these structs are left out where they are empty, but a dependency's name and
    /// repository.
    fn json(&self) -> Vec<(Str, Value)> {
        let always = |json: &str| {
            self.type_name == "*chart.Dependency" && matches!(json, "name" | "repository")
        };
        let fields = self.fields.iter();
        let kept = fields.filter(|(_, json, value)| always(json) || !is_empty(value));
        kept.map(|(_, json, value)| (Str::from_static(json), value.clone())).collect()
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Str(text) => text.is_empty(),
        Value::Bool(on) => !on,
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}

impl Object for Struct {
    fn type_name(&self) -> &'static str {
        self.type_name
    }

    fn kind(&self) -> Kind {
        self.kind
    }

    fn field(&self, name: &[u8]) -> Field {
        self.find(name)
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        self.fields.iter().map(|(go, _, value)| (*go, value.clone())).collect()
    }

    fn json_fields(&self) -> Option<Vec<(Str, Value)>> {
        Some(self.json())
    }

    fn to_json(&self) -> Option<Value> {
        Some(Value::Map(Map::from_entries(self.json())))
    }

    /// Only a dependency's fields say how they are written as YAML.
    fn to_yaml_pretty(&self) -> Option<Vec<(Str, Value)>> {
        match self.type_name {
            "*chart.Dependency" => Some(self.json()),
            _ => Some(lowered(self.fields())),
        }
    }
}

fn lowered(fields: Vec<(&'static str, Value)>) -> Vec<(Str, Value)> {
    fields.into_iter().map(|(go, value)| (Str::from(go.to_ascii_lowercase()), value)).collect()
}

/// The metadata, embedded, and whether the chart is the root.
#[derive(Debug)]
struct Root {
    metadata: Arc<Struct>,
    is_root: Value,
}

impl Object for Root {
    fn type_name(&self) -> &'static str {
        "struct { chart.Metadata; IsRoot bool }"
    }

    fn field(&self, name: &[u8]) -> Field {
        match name {
            b"IsRoot" => Field::Value(self.is_root.clone()),
            b"Metadata" => Field::Value(Value::Object(Arc::clone(&self.metadata) as _)),
            _ => self.metadata.find(name),
        }
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let metadata = Value::Object(Arc::clone(&self.metadata) as _);
        vec![("Metadata", metadata), ("IsRoot", self.is_root.clone())]
    }

    fn json_fields(&self) -> Option<Vec<(Str, Value)>> {
        let mut fields = self.metadata.json();
        fields.push((Str::from_static("IsRoot"), self.is_root.clone()));
        Some(fields)
    }

    fn to_json(&self) -> Option<Value> {
        self.json_fields().map(|fields| Value::Map(Map::from_entries(fields)))
    }

    fn to_yaml_pretty(&self) -> Option<Vec<(Str, Value)>> {
        Some(lowered(self.fields()))
    }
}

fn text(s: &str) -> Value {
    Value::from(s)
}

fn texts(list: Option<&Vec<String>>) -> Value {
    Value::List(match list {
        Some(list) => List::strings(list.iter().map(|s| Str::from(s.as_str()))),
        None => List::nil(ListType::of(bowsprit_value::Elem::String)),
    })
}

fn metadata_fields(instance: &Instance) -> Vec<Entry> {
    let m: &Metadata = instance.metadata();
    let annotations = match &m.annotations {
        Some(map) => {
            Map::typed(MapType::STRINGS, map.iter().map(|(k, v)| (Str::from(k.as_str()), text(v))))
        }
        None => Map::nil(MapType::STRINGS),
    };
    let dependencies = instance.dependencies.iter().flat_map(|list| list.iter());
    let maintainers = m.maintainers.iter().flatten().flatten();
    vec![
        ("Name", "name", Value::Str(instance.name.clone())),
        ("Home", "home", text(&m.home)),
        ("Sources", "sources", texts(m.sources.as_ref())),
        ("Version", "version", text(&m.version)),
        ("Description", "description", text(&m.description)),
        ("Keywords", "keywords", texts(m.keywords.as_ref())),
        ("Maintainers", "maintainers", Value::list(maintainers.map(maintainer).collect())),
        ("Icon", "icon", text(&m.icon)),
        ("APIVersion", "apiVersion", text(&m.api_version)),
        ("Condition", "condition", text(&m.condition)),
        ("Tags", "tags", text(&m.tags)),
        ("AppVersion", "appVersion", text(&m.app_version)),
        ("Deprecated", "deprecated", Value::Bool(m.deprecated)),
        ("Annotations", "annotations", Value::Map(annotations)),
        ("KubeVersion", "kubeVersion", text(&m.kube_version)),
        ("Dependencies", "dependencies", Value::list(dependencies.map(dependency).collect())),
        ("Type", "type", text(&m.ty)),
    ]
}

fn maintainer(m: &Maintainer) -> Value {
    let fields = vec![
        ("Name", "name", text(&m.name)),
        ("Email", "email", text(&m.email)),
        ("URL", "url", text(&m.url)),
    ];
    Struct::pointer("*chart.Maintainer", fields)
}

fn dependency(d: &Dependency) -> Value {
    let imports = d.import_values.iter().flatten().cloned().collect();
    let fields = vec![
        ("Name", "name", text(&d.name)),
        ("Version", "version", text(&d.version)),
        ("Repository", "repository", text(&d.repository)),
        ("Condition", "condition", text(&d.condition)),
        ("Tags", "tags", texts(d.tags.as_ref())),
        ("Enabled", "enabled", Value::Bool(d.enabled)),
        ("ImportValues", "import-values", Value::list(imports)),
        ("Alias", "alias", text(&d.alias)),
    ];
    Struct::pointer("*chart.Dependency", fields)
}
