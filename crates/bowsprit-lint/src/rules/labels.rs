//! Labels by which placement finds objects.

use crate::helm::Linter;
use bowsprit_chart::Chart;
use bowsprit_render::RenderedFiles;
use bowsprit_yaml::{Document, Node};

/// What of a rendered object the rules look at.
pub(super) struct Object {
    /// The template, without the chart's name.
    pub(super) label: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) labels: Vec<String>,
    pub(super) annotations: Vec<(String, String)>,
}

impl Object {
    pub(super) fn id(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }

    pub(super) fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

pub(super) fn check(linter: &mut Linter<'_>, chart: &Chart, files: &RenderedFiles) {
    let wanted = &linter.options.required_labels;
    for object in objects(chart, files) {
        // Hooks are applied and deleted by whoever installs, not placed.
        if object.annotation("helm.sh/hook").is_some() {
            continue;
        }
        let missing: Vec<&str> = wanted
            .iter()
            .map(String::as_str)
            .filter(|key| !object.labels.iter().any(|label| label == key))
            .collect();
        if missing.is_empty() {
            continue;
        }
        let text = format!("{} lacks the labels {}", object.id(), missing.join(", "));
        let message = linter.own("BS006", &object.label, text);
        message.object = Some(object.id());
        message.help =
            Some("set them in the template, or inject them with bowsprit label".to_owned());
    }
}

/// All objects of a render, those inside of lists too. What is no YAML is passed over.
pub(super) fn objects(chart: &Chart, files: &RenderedFiles) -> Vec<Object> {
    let prefix = format!("{}/", chart.metadata.name);
    let mut found = Vec::new();
    for (file, text) in files {
        if file.ends_with("NOTES.txt") {
            continue;
        }
        let label = file.strip_prefix(&prefix).unwrap_or(file);
        for document in bowsprit_yaml::documents(text).filter_map(Result::ok) {
            let Ok(document) = Document::parse(&document) else { continue };
            let root = document.root();
            let items: Vec<Node<'_>> = match root.get(b"items") {
                Some(items) if text_of(root.get(b"kind")).ends_with("List") => {
                    items.items().collect()
                }
                _ => vec![root],
            };
            found.extend(items.into_iter().filter_map(|node| object(node, label)));
        }
    }
    found
}

fn object(node: Node<'_>, label: &str) -> Option<Object> {
    let kind = text_of(node.get(b"kind"));
    let metadata = node.get(b"metadata");
    let entries = |name: &[u8]| {
        let map = metadata.and_then(|metadata| metadata.get(name));
        let entries = map.into_iter().flat_map(|map| map.entries());
        entries.map(|(key, value)| (key.to_string_lossy().into_owned(), text_of(Some(value))))
    };
    (!kind.is_empty()).then(|| Object {
        label: label.to_owned(),
        kind,
        name: text_of(metadata.and_then(|metadata| metadata.get(b"name"))),
        labels: entries(b"labels").map(|(key, _)| key).collect(),
        annotations: entries(b"annotations").collect(),
    })
}

fn text_of(node: Option<Node<'_>>) -> String {
    let text = node.and_then(|node| node.as_string_target());
    text.map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
}
