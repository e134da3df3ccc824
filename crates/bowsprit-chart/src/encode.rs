//! Helm's structs back into JSON and YAML.
//!
//! JSON has the fields in the order of Go's structs, as registries and digests see them; YAML is made of
//! it by way of `sigs.k8s.io/yaml`, which sorts the keys. Both leave out what Go calls empty.

use crate::dependency::{Dependency, Lock};
use crate::metadata::{Maintainer, Metadata};
use crate::time;
use bowsprit_value::json::{self, append_string};
use bowsprit_value::{FuncError, List, ListType, Map, Meter, Str, Value};
use std::fmt;

/// Why metadata or a lock can't be written: something in `import-values` has no JSON or YAML form.
#[derive(Clone, Debug)]
pub struct EncodeError(String);

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for EncodeError {}

impl From<bowsprit_yaml::Error> for EncodeError {
    fn from(error: bowsprit_yaml::Error) -> EncodeError {
        EncodeError(error.to_string())
    }
}

impl From<json::JsonError> for EncodeError {
    fn from(error: json::JsonError) -> EncodeError {
        EncodeError(error.to_string())
    }
}

impl From<FuncError> for EncodeError {
    fn from(error: FuncError) -> EncodeError {
        EncodeError(error.to_string())
    }
}

impl Metadata {
    /// As `json.Marshal` writes it: one line, fields in Helm's order.
    ///
    /// # Errors
    /// For values that JSON lacks.
    pub fn to_json(&self) -> Result<Vec<u8>, EncodeError> {
        let mut out = Vec::new();
        metadata(self).append_json(&mut out)?;
        Ok(out)
    }

    /// The same as a value, for encoders that sort or indent.
    pub fn to_value(&self) -> Value {
        metadata(self).into_value()
    }

    /// As Helm writes a `Chart.yaml`: keys sorted, comments and unknown keys gone.
    ///
    /// ```
    /// use bowsprit_chart::Metadata;
    ///
    /// let mut metadata = Metadata::default();
    /// metadata.name = "web".into();
    /// metadata.version = "1.10".into();
    /// assert_eq!(metadata.to_yaml()?, b"name: web\nversion: \"1.10\"\n");
    /// # Ok::<(), bowsprit_chart::EncodeError>(())
    /// ```
    ///
    /// # Errors
    /// For values that YAML lacks.
    pub fn to_yaml(&self) -> Result<Vec<u8>, EncodeError> {
        yaml(&self.to_value())
    }
}

impl Lock {
    /// As Helm writes a `Chart.lock`.
    ///
    /// # Errors
    /// For values that YAML lacks.
    pub fn to_yaml(&self) -> Result<Vec<u8>, EncodeError> {
        let generated = match self.generated.as_str() {
            "" => "0001-01-01T00:00:00Z".to_owned(),
            text => time::normalized(text),
        };
        let mut fields = Fields::default();
        fields.value("generated", Value::str(generated));
        fields.value("digest", Value::str(self.digest.as_str()));
        match &self.dependencies {
            None => fields.value("dependencies", Value::Nil),
            Some(list) => fields.list("dependencies", list, dependency),
        }
        yaml(&fields.into_value())
    }
}

/// `[dependencies of the chart, those of the lock]` as compact JSON: what the digest of a lock is of.
pub(crate) fn dependency_lists_json(lists: &[&[Dependency]]) -> Result<Vec<u8>, EncodeError> {
    let mut out = vec![b'['];
    for (i, list) in lists.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        Field::List(list.iter().map(|item| Some(dependency(item))).collect())
            .append_json(&mut out)?;
    }
    out.push(b']');
    Ok(out)
}

fn yaml(value: &Value) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::new();
    bowsprit_yaml::encode(value, &mut out, &Meter::default())?;
    Ok(out)
}

/// A struct: its fields in Go's order, without those that are empty.
#[derive(Default)]
struct Fields(Vec<(&'static str, Field)>);

enum Field {
    Value(Value),
    /// Pointers to structs; `None` is nil.
    List(Vec<Option<Fields>>),
}

impl Fields {
    fn value(&mut self, name: &'static str, value: Value) {
        self.0.push((name, Field::Value(value)));
    }

    fn text(&mut self, name: &'static str, text: &str) {
        if !text.is_empty() {
            self.value(name, Value::str(text));
        }
    }

    fn texts(&mut self, name: &'static str, list: Option<&Vec<String>>) {
        if let Some(list) = list.filter(|list| !list.is_empty()) {
            self.value(name, Value::strings(list.iter().map(|text| Str::from(text.as_str()))));
        }
    }

    fn switch(&mut self, name: &'static str, on: bool) {
        if on {
            self.value(name, Value::Bool(true));
        }
    }

    fn list<T>(&mut self, name: &'static str, list: &[Option<T>], fields: fn(&T) -> Fields) {
        let list = list.iter().map(|item| item.as_ref().map(fields)).collect();
        self.0.push((name, Field::List(list)));
    }

    fn into_value(self) -> Value {
        let entries = self.0.into_iter().map(|(name, field)| (Str::from(name), field.into_value()));
        Map::from_entries(entries).into()
    }

    fn append_json(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.push(b'{');
        for (i, (name, field)) in self.0.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            append_string(out, name.as_bytes(), true);
            out.push(b':');
            field.append_json(out)?;
        }
        out.push(b'}');
        Ok(())
    }
}

impl Field {
    fn into_value(self) -> Value {
        match self {
            Field::Value(value) => value,
            Field::List(list) => Value::list(
                list.into_iter().map(|item| item.map_or(Value::Nil, Fields::into_value)).collect(),
            ),
        }
    }

    fn append_json(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Field::Value(value) => {
                Ok(json::encode(value, &json::Options::default(), out, &Meter::default())?)
            }
            Field::List(list) => {
                out.push(b'[');
                for (i, item) in list.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    match item {
                        Some(fields) => fields.append_json(out)?,
                        None => out.extend_from_slice(b"null"),
                    }
                }
                out.push(b']');
                Ok(())
            }
        }
    }
}

fn metadata(metadata: &Metadata) -> Fields {
    let mut fields = Fields::default();
    fields.text("name", &metadata.name);
    fields.text("home", &metadata.home);
    fields.texts("sources", metadata.sources.as_ref());
    fields.text("version", &metadata.version);
    fields.text("description", &metadata.description);
    fields.texts("keywords", metadata.keywords.as_ref());
    if let Some(list) = metadata.maintainers.as_ref().filter(|list| !list.is_empty()) {
        fields.list("maintainers", list, maintainer);
    }
    fields.text("icon", &metadata.icon);
    fields.text("apiVersion", &metadata.api_version);
    fields.text("condition", &metadata.condition);
    fields.text("tags", &metadata.tags);
    fields.text("appVersion", &metadata.app_version);
    fields.switch("deprecated", metadata.deprecated);
    if let Some(map) = metadata.annotations.as_ref().filter(|map| !map.is_empty()) {
        let entries =
            map.iter().map(|(key, value)| (Str::from(key.as_str()), Value::str(value.as_str())));
        fields.value("annotations", Map::from_entries(entries).into());
    }
    fields.text("kubeVersion", &metadata.kube_version);
    if let Some(list) = metadata.dependencies.as_ref().filter(|list| !list.is_empty()) {
        fields.list("dependencies", list, dependency);
    }
    fields.text("type", &metadata.ty);
    fields
}

fn maintainer(maintainer: &Maintainer) -> Fields {
    let mut fields = Fields::default();
    fields.text("name", &maintainer.name);
    fields.text("email", &maintainer.email);
    fields.text("url", &maintainer.url);
    fields
}

fn dependency(dependency: &Dependency) -> Fields {
    let mut fields = Fields::default();
    fields.value("name", Value::str(dependency.name.as_str()));
    fields.text("version", &dependency.version);
    fields.value("repository", Value::str(dependency.repository.as_str()));
    fields.text("condition", &dependency.condition);
    fields.texts("tags", dependency.tags.as_ref());
    fields.switch("enabled", dependency.enabled);
    if let Some(list) = dependency.import_values.as_ref().filter(|list| !list.is_empty()) {
        fields.value("import-values", Value::List(List::typed(ListType::ANY, list.clone())));
    }
    fields.text("alias", &dependency.alias);
    fields
}
