//! Overriders applied as Karmada applies them (its package `overridemanager`, release 1.19).

use super::image::Image;
use super::overriders::{
    ArgsOverrider, Component, FieldOverrider, ImageOverrider, LabelsOverrider, Operator,
    Overriders, Plaintext,
};
use super::patch::{Change, PatchError, escape, member, patched};
use crate::document::json;
use bowsprit_manifest::Identity;
use bowsprit_value::{Map, Value};
use std::fmt;

/// An overrider that can't be applied to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApplyError {
    /// A patch does not fit the object.
    Patch(PatchError),
    /// There is no image at a path, or it is none. Holds the path.
    Image(String),
    /// There is no text at a path, or it is no JSON or YAML. Holds the path.
    Field(String),
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ApplyError::Patch(error) => error.fmt(f),
            ApplyError::Image(path) => write!(f, "{path}: there is no image that can be read"),
            ApplyError::Field(path) => write!(f, "{path}: there is no text that can be patched"),
        }
    }
}

impl std::error::Error for ApplyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ApplyError::Patch(error) => Some(error),
            _ => None,
        }
    }
}

impl From<PatchError> for ApplyError {
    fn from(error: PatchError) -> ApplyError {
        ApplyError::Patch(error)
    }
}

impl Overriders {
    /// An object after the overriders, in Karmada's order. The object itself stays as it is.
    ///
    /// ```
    /// use bowsprit_placement::karmada::{Operator, Overriders, Plaintext};
    /// use bowsprit_value::Value;
    ///
    /// let object = bowsprit_yaml::decode(b"spec: {replicas: 1}")?;
    /// let plaintext = vec![Plaintext {
    ///     path: "/spec/replicas".to_owned(),
    ///     operator: Operator::Replace,
    ///     value: Some(Value::int(3)),
    /// }];
    /// let overriders = Overriders { plaintext, ..Overriders::default() };
    /// assert_eq!(bowsprit_placement::to_yaml(&overriders.apply(&object)?), "spec:\n  replicas: 3\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails where Karmada does.
    pub fn apply(&self, object: &Value) -> Result<Value, ApplyError> {
        let mut object = object.clone();
        for overrider in &self.image {
            object = with_image(&object, overrider)?;
        }
        for overrider in &self.command {
            object = with_args(&object, overrider, "command")?;
        }
        for overrider in &self.args {
            object = with_args(&object, overrider, "args")?;
        }
        for overrider in &self.labels {
            object = with_labels(&object, overrider, "labels")?;
        }
        for overrider in &self.annotations {
            object = with_labels(&object, overrider, "annotations")?;
        }
        for overrider in &self.field {
            object = with_field(&object, overrider)?;
        }
        Ok(with_plaintext(&object, &self.plaintext)?)
    }
}

fn with_plaintext(object: &Value, steps: &[Plaintext]) -> Result<Value, PatchError> {
    let mut object = object.clone();
    for step in steps {
        let value = step.value.as_ref().unwrap_or(&Value::Nil);
        let change = match step.operator {
            Operator::Add => Change::Add(value),
            Operator::Remove => Change::Remove,
            Operator::Replace => Change::Replace(value),
        };
        object = patched(&object, &step.path, change)?;
    }
    Ok(object)
}

/// Where Karmada looks for the containers of a workload; it asks for the kind alone.
fn containers(object: &Value) -> Option<&'static str> {
    match Identity::of(object).kind.as_str() {
        "Pod" => Some("/spec/containers"),
        "ReplicaSet" | "Deployment" | "DaemonSet" | "StatefulSet" | "Job" => {
            Some("/spec/template/spec/containers")
        }
        _ => None,
    }
}

/// The value at a JSON pointer.
fn at(object: &Value, path: &str) -> Option<Value> {
    let tokens = path.trim_matches('/').split('/').filter(|token| !token.is_empty());
    tokens.into_iter().try_fold(object.clone(), |value, token| member(&value, token))
}

/// Karmada takes pointers to images apart without decoding them, and puts the image back with a patch.
fn with_image(object: &Value, overrider: &ImageOverrider) -> Result<Value, ApplyError> {
    let paths = match (&overrider.path, containers(object)) {
        (Some(path), _) => vec![path.clone()],
        (None, Some(containers)) => {
            let count = at(object, containers);
            let count = count.as_ref().and_then(Value::as_list).map_or(0, |list| list.len());
            (0..count).map(|index| format!("{containers}/{index}/image")).collect()
        }
        (None, None) => Vec::new(),
    };
    let mut object = object.clone();
    for path in paths {
        let image = at(&object, &path);
        let image = image.as_ref().and_then(Value::as_str).and_then(|text| text.to_str());
        let image = image.and_then(Image::parse);
        let mut image = image.ok_or_else(|| ApplyError::Image(path.clone()))?;
        change_image(&mut image, overrider);
        let image = Value::from(image.to_string());
        object = patched(&object, &path, Change::Replace(&image))?;
    }
    Ok(object)
}

fn change_image(image: &mut Image, overrider: &ImageOverrider) {
    let old = match overrider.component {
        Component::Registry => &image.registry,
        Component::Repository => &image.repository,
        Component::Tag => &image.tag,
    };
    let new = match overrider.operator {
        Operator::Add => format!("{old}{}", overrider.value),
        Operator::Remove => String::new(),
        Operator::Replace => overrider.value.clone(),
    };
    match overrider.component {
        Component::Registry => image.registry = new,
        Component::Repository => image.repository = new,
        Component::Tag => image.set_tag(new),
    }
}

fn with_args(object: &Value, overrider: &ArgsOverrider, field: &str) -> Result<Value, ApplyError> {
    let Some(path) = containers(object) else { return Ok(object.clone()) };
    let list = at(object, path);
    let mut object = object.clone();
    let items = list.as_ref().and_then(Value::as_list).into_iter().flatten();
    for (index, container) in items.enumerate() {
        let name = member(container, "name");
        if name.as_ref().and_then(Value::as_str).is_none_or(|name| *name != *overrider.container) {
            continue;
        }
        let path = format!("{path}/{index}/{field}");
        let old = member(container, field).filter(|old| !old.is_nil());
        let items = old.as_ref().and_then(Value::as_list).into_iter().flatten();
        let given = |item: &Value| {
            item.as_str().is_some_and(|item| overrider.value.iter().any(|v| *item == **v))
        };
        let mut new: Vec<Value> = items.cloned().collect();
        match overrider.operator {
            Operator::Add => new.extend(overrider.value.iter().map(|v| Value::from(v.as_str()))),
            Operator::Remove => new.retain(|item| !given(item)),
            Operator::Replace => {}
        }
        let new = Value::list(new);
        let change = if old.is_some() { Change::Replace(&new) } else { Change::Add(&new) };
        object = patched(&object, &path, change)?;
    }
    Ok(object)
}

fn with_labels(
    object: &Value,
    overrider: &LabelsOverrider,
    field: &str,
) -> Result<Value, ApplyError> {
    let old = at(object, &format!("/metadata/{field}"));
    let is_text = |map: &Map| map.peek().iter().all(|(_, value)| value.as_str().is_some());
    // What Go can't read as a map of strings counts for missing, and is lost when labels are added.
    let old = old.as_ref().and_then(Value::as_map).filter(|map| is_text(map));
    let mut object = object.clone();
    if overrider.operator == Operator::Add && old.is_none() && !overrider.value.is_empty() {
        let empty = Value::Map(Map::new());
        object = patched(&object, &format!("/metadata/{field}"), Change::Add(&empty))?;
    }
    for (key, value) in &overrider.value {
        let value = Value::from(value.as_str());
        let change = match overrider.operator {
            Operator::Add => Change::Add(&value),
            _ if old.is_none_or(|old| !old.contains(key.as_bytes())) => continue,
            Operator::Remove => Change::Remove,
            Operator::Replace => Change::Replace(&value),
        };
        object = patched(&object, &format!("/metadata/{field}/{}", escape(key)), change)?;
    }
    Ok(object)
}

fn with_field(object: &Value, overrider: &FieldOverrider) -> Result<Value, ApplyError> {
    let wrong = || ApplyError::Field(overrider.path.clone());
    let text = at_pointer(object, &overrider.path).ok_or_else(wrong)?;
    let mut text = text.as_str().ok_or_else(wrong)?.clone();
    if !overrider.json.is_empty() {
        let value = bowsprit_value::json::decode(text.as_bytes()).map_err(|_| wrong())?;
        text = json(&with_plaintext(&value, &overrider.json)?).into();
    }
    if !overrider.yaml.is_empty() {
        let value = bowsprit_yaml::decode(text.as_bytes()).map_err(|_| wrong())?;
        text = crate::to_yaml(&with_plaintext(&value, &overrider.yaml)?).into();
    }
    Ok(patched(object, &overrider.path, Change::Replace(&Value::Str(text)))?)
}

/// The value at a JSON pointer with escapes.
fn at_pointer(object: &Value, path: &str) -> Option<Value> {
    let tokens = path.strip_prefix('/')?.split('/');
    let decoded = tokens.map(|token| token.replace("~1", "/").replace("~0", "~"));
    decoded.into_iter().try_fold(object.clone(), |value, token| member(&value, &token))
}
