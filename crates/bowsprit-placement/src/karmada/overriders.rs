//! Karmada's overriders.

use crate::document::{json, labels, map, strings};
use bowsprit_manifest::Labels;
use bowsprit_value::Value;

/// What an overrider does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Puts something there; what a member or label had before is lost.
    Add,
    /// Takes something away.
    Remove,
    /// Puts something else there.
    Replace,
}

impl Operator {
    /// Karmada's name of the operator.
    pub const fn name(self) -> &'static str {
        match self {
            Operator::Add => "add",
            Operator::Remove => "remove",
            Operator::Replace => "replace",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Operator> {
        [Operator::Add, Operator::Remove, Operator::Replace].into_iter().find(|o| o.name() == name)
    }
}

/// A step of a JSON patch.
#[derive(Clone, Debug)]
pub struct Plaintext {
    /// A JSON pointer (RFC 6901).
    pub path: String,
    /// What is done there (RFC 6902).
    pub operator: Operator,
    /// The value; none for removals.
    pub value: Option<Value>,
}

/// A part of an image's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    /// The host.
    Registry,
    /// The path on the host.
    Repository,
    /// The tag or digest.
    Tag,
}

impl Component {
    /// Karmada's name of the part.
    pub const fn name(self) -> &'static str {
        match self {
            Component::Registry => "Registry",
            Component::Repository => "Repository",
            Component::Tag => "Tag",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Component> {
        const ALL: [Component; 3] = [Component::Registry, Component::Repository, Component::Tag];
        ALL.into_iter().find(|component| component.name() == name)
    }
}

/// Changes a part of images' names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageOverrider {
    /// The part.
    pub component: Component,
    /// What is done with it.
    pub operator: Operator,
    /// The new part; empty for removals.
    pub value: String,
    /// A JSON pointer to one image; none means those of all containers.
    pub path: Option<String>,
}

/// Appends arguments to a container's, or removes some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgsOverrider {
    /// The container.
    pub container: String,
    /// `add` or `remove`.
    pub operator: Operator,
    /// The arguments.
    pub value: Vec<String>,
}

/// Sets labels or annotations, or removes some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelsOverrider {
    /// What is done.
    pub operator: Operator,
    /// The labels; for removals their values mean nothing.
    pub value: Labels,
}

/// Changes JSON or YAML inside a string.
#[derive(Clone, Debug)]
pub struct FieldOverrider {
    /// A JSON pointer to the string.
    pub path: String,
    /// Steps on the string read as JSON.
    pub json: Vec<Plaintext>,
    /// Steps on the string read as YAML.
    pub yaml: Vec<Plaintext>,
}

/// What turns one object into another, in the order in which Karmada applies it: images, commands,
/// arguments, labels, annotations, fields, and plain patches at the end.
#[derive(Clone, Debug, Default)]
pub struct Overriders {
    /// Images.
    pub image: Vec<ImageOverrider>,
    /// Commands of containers.
    pub command: Vec<ArgsOverrider>,
    /// Arguments of containers.
    pub args: Vec<ArgsOverrider>,
    /// Labels of the object.
    pub labels: Vec<LabelsOverrider>,
    /// Annotations of the object.
    pub annotations: Vec<LabelsOverrider>,
    /// Texts in strings; [`difference`](super::difference()) writes none.
    pub field: Vec<FieldOverrider>,
    /// Everything else.
    pub plaintext: Vec<Plaintext>,
}

impl Overriders {
    /// True where nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many overriders there are.
    pub fn len(&self) -> usize {
        let lists =
            [self.command.len(), self.args.len(), self.labels.len(), self.annotations.len()];
        self.image.len() + self.field.len() + self.plaintext.len() + lists.iter().sum::<usize>()
    }

    /// The field `overriders` of a policy.
    pub fn to_value(&self) -> Value {
        let mut fields = Vec::new();
        let mut add = |name, items: Vec<Value>| {
            if !items.is_empty() {
                fields.push((name, Value::list(items)));
            }
        };
        add("imageOverrider", self.image.iter().map(image).collect());
        add("commandOverrider", self.command.iter().map(args).collect());
        add("argsOverrider", self.args.iter().map(args).collect());
        add("labelsOverrider", self.labels.iter().map(label).collect());
        add("annotationsOverrider", self.annotations.iter().map(label).collect());
        add("fieldOverrider", self.field.iter().map(field).collect());
        add("plaintext", self.plaintext.iter().map(|o| plaintext(o, "path")).collect());
        map(fields)
    }

    /// A text that is the same for the same overriders.
    pub(super) fn key(&self) -> String {
        json(&self.to_value())
    }

    pub(super) fn append(&mut self, mut more: Overriders) {
        self.image.append(&mut more.image);
        self.command.append(&mut more.command);
        self.args.append(&mut more.args);
        self.labels.append(&mut more.labels);
        self.annotations.append(&mut more.annotations);
        self.field.append(&mut more.field);
        self.plaintext.append(&mut more.plaintext);
    }
}

fn operator(operator: Operator) -> (&'static str, Value) {
    ("operator", Value::from(operator.name()))
}

fn image(overrider: &ImageOverrider) -> Value {
    let mut fields =
        vec![("component", Value::from(overrider.component.name())), operator(overrider.operator)];
    if let Some(path) = &overrider.path {
        fields.push(("predicate", map([("path", Value::from(path.as_str()))])));
    }
    if overrider.operator != Operator::Remove {
        fields.push(("value", Value::from(overrider.value.as_str())));
    }
    map(fields)
}

fn args(overrider: &ArgsOverrider) -> Value {
    map([
        ("containerName", Value::from(overrider.container.as_str())),
        operator(overrider.operator),
        ("value", strings(&overrider.value)),
    ])
}

fn label(overrider: &LabelsOverrider) -> Value {
    map([operator(overrider.operator), ("value", labels(&overrider.value))])
}

fn field(overrider: &FieldOverrider) -> Value {
    let steps = |steps: &[Plaintext]| {
        Value::list(steps.iter().map(|step| plaintext(step, "subPath")).collect())
    };
    let mut fields = vec![("fieldPath", Value::from(overrider.path.as_str()))];
    if !overrider.json.is_empty() {
        fields.push(("json", steps(&overrider.json)));
    }
    if !overrider.yaml.is_empty() {
        fields.push(("yaml", steps(&overrider.yaml)));
    }
    map(fields)
}

fn plaintext(overrider: &Plaintext, path: &'static str) -> Value {
    let mut fields =
        vec![operator(overrider.operator), (path, Value::from(overrider.path.as_str()))];
    fields.extend(overrider.value.as_ref().map(|value| ("value", value.clone())));
    map(fields)
}
