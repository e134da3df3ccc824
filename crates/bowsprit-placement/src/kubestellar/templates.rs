//! Template expansion: strings that KubeStellar fills in for each cluster.

use super::Error;
use bowsprit_manifest::Object;
use bowsprit_value::Value;

/// The annotation that asks KubeStellar to expand templates in an object's strings.
pub const EXPAND_TEMPLATES: &str = "control.kubestellar.io/expand-templates";

/// Refuses an object that asks for the expansion of templates though its data contains double braces that
/// are no reference to a property such as `{{.clusterName}}`. An object that doesn't ask is fine.
///
/// # Errors
///
/// Names the first such text.
pub fn expandable(object: &Object) -> Result<(), Error> {
    if object.annotations().get(EXPAND_TEMPLATES).is_none_or(|value| value != "true") {
        return Ok(());
    }
    match template_texts(object).into_iter().find(|(_, text)| !only_properties(text)) {
        Some((path, _)) => Err(Error::TemplateText(object.identity.clone(), path)),
        None => Ok(()),
    }
}

/// The strings of an object that contain `{{`, each with its path, its parts joined by dots.
pub fn template_texts(object: &Object) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut pending = vec![(String::new(), object.value.clone())];
    while let Some((path, value)) = pending.pop() {
        let below =
            |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match &value {
            Value::Map(map) => {
                let entries = map.peek();
                pending.extend(entries.iter().map(|(k, v)| (below(&k.to_string()), v.clone())));
            }
            Value::List(list) => {
                let items = list.iter().enumerate();
                pending.extend(items.map(|(i, v)| (below(&i.to_string()), v.clone())));
            }
            Value::Str(text) if text.to_string().contains("{{") => {
                found.push((path, text.to_string()));
            }
            _ => {}
        }
    }
    found.sort();
    found
}

/// Whether all that stands in double braces is the name of a property.
fn only_properties(text: &str) -> bool {
    text.split("{{").skip(1).all(|rest| {
        let Some((inside, _)) = rest.split_once("}}") else { return false };
        let name = inside.trim().trim_matches('-').trim();
        let Some(name) = name.strip_prefix('.') else { return false };
        let first = name.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
        first && name.chars().all(|c| c.is_alphanumeric() || c == '_')
    })
}
