//! The pass as a KRM function, as kustomize and kpt call it: a ResourceList in, a ResourceList out.
//!
//! What to put comes from the list's `functionConfig`: a `ConfigMap` whose `data` are texts, or any object
//! whose `spec` has the same fields:
//!
//! ```yaml
//! apiVersion: bowsprit.io/v1alpha1
//! kind: LabelRelease
//! metadata:
//!   name: labels
//! spec:
//!   instance: demo           # app.kubernetes.io/instance
//!   partOf: web              # app.kubernetes.io/part-of
//!   managedBy: Helm          # app.kubernetes.io/managed-by, Helm if left out
//!   labels: {team: payments} # further labels
//!   annotations: {owner: x}  # annotations
//!   onConflict: keep         # or overwrite, or fail
//!   podTemplates: true
//!   volumeClaimTemplates: false
//!   requireSelector: app.kubernetes.io/instance=demo
//! ```
//!
//! In a `ConfigMap` `labels` and `annotations` are texts of the form `a=b,c=d`. What the pass left as it
//! was comes back in the list's `results`.

use crate::check::{Unmatched, unmatched};
use crate::error::Error;
use crate::inject::{Text, inject};
use crate::names::InvalidName;
use crate::options::{INSTANCE, MANAGED_BY, OnConflict, Options, PART_OF};
use crate::report::Conflict;
use bowsprit_manifest::{Identity, LabelSelector, SelectorError};
use bowsprit_value::{Map, Str, Value};
use bowsprit_yaml::Edits;
use std::fmt;

/// Why the function can't do its work.
#[derive(Debug)]
#[non_exhaustive]
pub enum KrmError {
    /// The `functionConfig` has a field that does not exist or is of a wrong type. Holds what is wrong.
    Config(String),
    /// A label or an annotation is none.
    Name(InvalidName),
    /// A selector is none.
    Selector(SelectorError),
    /// Objects could not be labelled.
    Label(Error),
    /// Objects are not matched by the selector that is required.
    Unmatched(Vec<Unmatched>),
}

impl fmt::Display for KrmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KrmError::Config(text) => write!(f, "functionConfig: {text}"),
            KrmError::Name(error) => write!(f, "functionConfig: {error}"),
            KrmError::Selector(error) => write!(f, "functionConfig: requireSelector: {error}"),
            KrmError::Label(error) => error.fmt(f),
            KrmError::Unmatched(missing) => {
                f.write_str("objects lack labels:")?;
                missing.iter().try_for_each(|object| write!(f, "\n  {object}"))
            }
        }
    }
}

impl std::error::Error for KrmError {}

impl From<InvalidName> for KrmError {
    fn from(error: InvalidName) -> KrmError {
        KrmError::Name(error)
    }
}

impl From<Error> for KrmError {
    fn from(error: Error) -> KrmError {
        KrmError::Label(error)
    }
}

/// Whether a text is a ResourceList, so that [`run`] is meant.
pub fn is_resource_list(text: &str) -> bool {
    // The word stands in the head of every such list, and decoding is dear.
    text.contains("ResourceList")
        && bowsprit_yaml::decode(text.as_bytes()).is_ok_and(|value| {
            let identity = Identity::of(&value);
            identity.kind == "ResourceList" && identity.group() == "config.kubernetes.io"
        })
}

/// Labels the items of a ResourceList as its `functionConfig` says, on top of `options`.
///
/// ```
/// use bowsprit_label::{Options, krm};
///
/// let list = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- kind: A\n  metadata:\n    \
///             name: x\nfunctionConfig:\n  spec: {labels: {team: t}, managedBy: ''}\n";
/// let out = krm::run(list, &Options::default())?;
/// assert!(out.contains("  metadata:\n    labels:\n      team: t\n    name: x\n"));
/// # Ok::<(), krm::KrmError>(())
/// ```
///
/// # Errors
///
/// Fails where the configuration is wrong, where objects can't be labelled, and where some are not
/// matched by `requireSelector`.
pub fn run(text: &str, options: &Options) -> Result<String, KrmError> {
    let list = bowsprit_yaml::decode(text.as_bytes());
    let list = list.map_err(|error| KrmError::Config(error.to_string()))?;
    let config = Config::read(&list, options)?;
    let labelled = inject(&[Text { path: "", text }], &config.options)?;
    let mut out = labelled.texts.into_iter().next().unwrap_or_default();
    let missing = unmatched(&[Text { path: "", text: &out }], &config.required)?;
    if !missing.is_empty() {
        return Err(KrmError::Unmatched(missing));
    }
    if !labelled.report.conflicts.is_empty() {
        let results = results(&list, &labelled.report.conflicts);
        let mut edits = Edits::new();
        edits.set(["results"], Value::list(results));
        if let Ok(edited) = edits.apply(out.as_bytes()) {
            out = String::from_utf8_lossy(&edited).into_owned();
        }
    }
    Ok(out)
}

struct Config {
    options: Options,
    required: Vec<LabelSelector>,
}

impl Config {
    fn read(list: &Value, base: &Options) -> Result<Config, KrmError> {
        let mut config = Config { options: base.clone(), required: Vec::new() };
        let object = list.as_map().and_then(|list| list.get(b"functionConfig"));
        let spec = object.as_ref().and_then(Value::as_map);
        const OWN: [&str; 6] = ["apiVersion", "kind", "metadata", "spec", "data", "immutable"];
        let fields = spec.as_ref().map(|object| object.entries());
        let mut fields = fields.iter().flat_map(|fields| fields.iter());
        if let Some((other, _)) = fields.find(|(key, _)| !OWN.iter().any(|own| *key == *own)) {
            let other = other.to_string_lossy();
            return Err(KrmError::Config(format!("{other:?} has to stand below spec")));
        }
        let spec = spec.and_then(|object| object.get(b"spec").or_else(|| object.get(b"data")));
        if !base.labels.contains_key(MANAGED_BY) {
            config.options.set_label(MANAGED_BY, "Helm")?;
        }
        match spec {
            None | Some(Value::Nil) => {}
            Some(Value::Map(spec)) => {
                for (key, value) in spec.peek().iter() {
                    config.field(&key.to_string_lossy(), value)?;
                }
            }
            Some(_) => return Err(KrmError::Config("spec or data must be a mapping".to_owned())),
        }
        if config.options.is_empty() && config.required.is_empty() {
            return Err(KrmError::Config("says nothing of labels".to_owned()));
        }
        Ok(config)
    }

    fn field(&mut self, key: &str, value: &Value) -> Result<(), KrmError> {
        let wrong = |what: &str| KrmError::Config(format!("{key} must be {what}"));
        match key {
            "instance" => self.label(INSTANCE, value).ok_or_else(|| wrong("a text"))?,
            "partOf" => self.label(PART_OF, value).ok_or_else(|| wrong("a text"))?,
            "managedBy" => self.label(MANAGED_BY, value).ok_or_else(|| wrong("a text"))?,
            "labels" => {
                for (key, value) in pairs(value).ok_or_else(|| wrong("a mapping of texts"))? {
                    self.options.set_label(&key, &value)?;
                }
                Ok(())
            }
            "annotations" => {
                for (key, value) in pairs(value).ok_or_else(|| wrong("a mapping of texts"))? {
                    self.options.set_annotation(&key, &value)?;
                }
                Ok(())
            }
            "onConflict" => {
                let text = value.as_str().map(Str::to_string).unwrap_or_default();
                let parsed: Result<OnConflict, String> = text.parse();
                self.options.on_conflict =
                    parsed.map_err(|e| KrmError::Config(format!("{key}: {e}")))?;
                Ok(())
            }
            "podTemplates" => {
                self.options.pod_templates = truth(value).ok_or_else(|| wrong("true or false"))?;
                Ok(())
            }
            "volumeClaimTemplates" => {
                self.options.volume_claim_templates =
                    truth(value).ok_or_else(|| wrong("true or false"))?;
                Ok(())
            }
            "requireSelector" => {
                let text = value.as_str().ok_or_else(|| wrong("a text"))?;
                self.required.push(text.to_string().parse().map_err(KrmError::Selector)?);
                Ok(())
            }
            _ => return Err(KrmError::Config(format!("unknown field {key:?}"))),
        }
        .map_err(KrmError::Name)
    }

    /// Sets a label; an empty value takes it away.
    fn label(&mut self, key: &str, value: &Value) -> Option<Result<(), InvalidName>> {
        let value = value.as_str()?.to_string();
        if value.is_empty() {
            self.options.labels.remove(key);
            return Some(Ok(()));
        }
        Some(self.options.set_label(key, &value))
    }
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Str(text) if text == "true" => Some(true),
        Value::Str(text) if text == "false" => Some(false),
        _ => None,
    }
}

/// A mapping of texts, or `a=b,c=d`.
fn pairs(value: &Value) -> Option<Vec<(String, String)>> {
    match value {
        Value::Map(map) => {
            let entries = map.peek();
            let pair = |(k, v): (&Str, &Value)| Some((k.to_string(), v.as_str()?.to_string()));
            entries.iter().map(pair).collect()
        }
        Value::Str(text) => {
            let text = text.to_string();
            let pair = |pair: &str| {
                let (key, value) = pair.split_once('=')?;
                Some((key.trim().to_owned(), value.trim().to_owned()))
            };
            text.split(',').filter(|pair| !pair.trim().is_empty()).map(pair).collect()
        }
        _ => None,
    }
}

/// The list's results with a warning for each conflict.
fn results(list: &Value, conflicts: &[Conflict]) -> Vec<Value> {
    let old = list.as_map().and_then(|list| list.get(b"results"));
    let old = old.as_ref().and_then(Value::as_list).into_iter().flatten().cloned();
    old.chain(conflicts.iter().map(result)).collect()
}

fn result(conflict: &Conflict) -> Value {
    let text = |text: &str| Value::from(text);
    let object = &conflict.object;
    let mut resource = vec![
        (Str::from("apiVersion"), text(&object.api_version)),
        ("kind".into(), text(&object.kind)),
        ("name".into(), text(&object.name)),
    ];
    resource.extend(object.namespace.as_ref().map(|ns| (Str::from("namespace"), text(ns))));
    Value::Map(Map::from_entries([
        ("message".into(), Value::from(conflict.to_string())),
        ("severity".into(), text("warning")),
        ("resourceRef".into(), Value::Map(Map::from_entries(resource))),
    ]))
}
