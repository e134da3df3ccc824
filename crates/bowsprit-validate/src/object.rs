//! Objects: what they are, and all that is checked of them.

use crate::crds::Crds;
use crate::document::{Input, documents};
use crate::lifecycle;
use crate::names;
use crate::schemas::Schemas;
use crate::walk::{Violation, Walk};
use bowsprit_report::{Check, Finding, Location, Outcome, Severity, Subject};
use bowsprit_yaml::{Document, Node, NodeType};
use std::collections::BTreeMap;

/// The definition of every object's metadata.
const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// Kinds that make pods of a template.
const WORKLOADS: &[&str] = &["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"];

/// Checks objects.
#[derive(Debug)]
#[non_exhaustive]
pub struct Validator {
    /// The schemas of Kubernetes' own kinds.
    pub schemas: Schemas,
    /// The definitions of custom resources.
    pub crds: Crds,
    /// Whether fields that no schema knows are wrong. The API server refuses them when it is asked to
    /// be strict, as Helm 4 does.
    pub strict: bool,
    /// Whether kinds that neither the schemas nor the definitions know are passed over.
    pub ignore_missing_schemas: bool,
    /// The version of Kubernetes that API versions are judged by; that of the schemas by default.
    pub kube_version: Option<(u32, u32)>,
}

/// What an object is, and where.
struct Head {
    api_version: String,
    group: String,
    version: String,
    kind: String,
    namespace: String,
    name: String,
}

impl Head {
    fn of(node: Node<'_>) -> Head {
        let metadata = node.get(b"metadata");
        let api_version = text_of(Some(node), b"apiVersion");
        let (group, version) = match api_version.split_once('/') {
            Some((group, version)) => (group.to_owned(), version.to_owned()),
            None => (String::new(), api_version.clone()),
        };
        let mut name = text_of(metadata, b"name");
        if name.is_empty() {
            name = text_of(metadata, b"generateName");
        }
        let kind = text_of(Some(node), b"kind");
        Head { group, version, kind, namespace: text_of(metadata, b"namespace"), name, api_version }
    }

    /// `Deployment/web`, with a namespace `Deployment/prod/web`.
    fn id(&self) -> String {
        let parts = [&self.kind, &self.namespace, &self.name];
        let parts: Vec<&str> =
            parts.into_iter().map(String::as_str).filter(|p| !p.is_empty()).collect();
        parts.join("/")
    }
}

/// Where findings of one document go.
struct Place<'i> {
    input: &'i Input<'i>,
    /// Lines of the file before the document.
    line: usize,
    text: &'i [u8],
}

impl Place<'_> {
    fn location(&self, offset: usize) -> Location {
        if !self.input.has_lines {
            return Location::file(self.input.file);
        }
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = self.line + 1 + before.iter().filter(|b| **b == b'\n').count();
        let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let column =
            String::from_utf8_lossy(before.get(start..).unwrap_or_default()).chars().count();
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Location::line(self.input.file, number(line)).column(number(column + 1))
    }
}

impl Validator {
    /// A strict validator without custom resource definitions.
    pub fn new(schemas: Schemas) -> Validator {
        Validator {
            schemas,
            crds: Crds::new(),
            strict: true,
            ignore_missing_schemas: false,
            kube_version: None,
        }
    }

    /// Checks all objects of some texts. Each object becomes a check of the subject.
    pub fn validate(&self, name: &str, inputs: &[Input<'_>]) -> Subject {
        let mut subject = Subject::new(name);
        let mut seen: BTreeMap<(String, String), String> = BTreeMap::new();
        for input in inputs {
            for (line, text) in documents(input.text) {
                let place = Place { input, line, text };
                self.document(&place, &mut subject, &mut seen);
            }
        }
        subject.failed = subject.findings.iter().any(|f| f.severity == Severity::Error);
        subject
    }

    fn document(
        &self,
        place: &Place<'_>,
        subject: &mut Subject,
        seen: &mut BTreeMap<(String, String), String>,
    ) {
        let finding = |code: &str, message: String, line: Option<u32>| {
            let mut location = place.location(0);
            if let (Some(line), true) = (line, place.input.has_lines) {
                location = Location::line(place.input.file, line);
            }
            Finding::new(code, Severity::Error, message).at(location)
        };
        let strict = Document::parse_strict(place.text);
        let mut twice = Vec::new();
        let document = match (strict, Document::parse(place.text)) {
            (Ok(document), _) => document,
            (Err(error), Ok(document)) => {
                duplicates(&error.to_string(), place.line, &mut |message, line| {
                    twice.push(finding("K8S010", message, line));
                });
                document
            }
            (_, Err(error)) => {
                let line =
                    error.line().and_then(|l| u32::try_from(place.line).ok()?.checked_add(l));
                subject.findings.push(finding("K8S006", error.to_string(), line));
                return;
            }
        };
        let root = document.root();
        match root.node_type() {
            NodeType::Null => return subject.findings.extend(twice),
            NodeType::Mapping => {}
            _ => {
                subject.findings.extend(twice);
                let message = "a document must be an object with apiVersion and kind".to_owned();
                return subject.findings.push(finding("K8S006", message, None));
            }
        }
        let kind = text_of(Some(root), b"kind");
        match root.get(b"items") {
            Some(items) if kind == "List" => {
                subject.findings.extend(twice);
                items
                    .items()
                    .for_each(|item| self.object((place, item), Vec::new(), subject, seen));
            }
            _ => self.object((place, root), twice, subject, seen),
        }
    }

    /// `found` is what is known to be wrong with its text.
    fn object(
        &self,
        (place, node): (&Place<'_>, Node<'_>),
        found: Vec<Finding>,
        subject: &mut Subject,
        seen: &mut BTreeMap<(String, String), String>,
    ) {
        let head = Head::of(node);
        let id = head.id();
        let start = subject.findings.len();
        let about = |finding: Finding| {
            if id.is_empty() { finding } else { finding.about(id.as_str()) }
        };
        subject.findings.extend(found.into_iter().map(about));
        let mut walk = Walk::new(&self.schemas, self.strict);
        let mut add = |code: &'static str, severity, message: String, help, offset| {
            let finding = Finding::new(code, severity, message).at(place.location(offset));
            let mut finding = about(finding);
            finding.help = help;
            subject.findings.push(finding);
        };
        let at = node.span().start;
        let missing = [(&head.api_version, "apiVersion"), (&head.kind, "kind")];
        for (value, field) in missing {
            if value.is_empty() {
                let message = format!("{field}: required, but missing");
                add("K8S006", Severity::Error, message, None, at);
            }
        }
        let mut known = Known::Missing;
        if !head.api_version.is_empty() && !head.kind.is_empty() {
            known = self.kind(node, &head, &mut walk);
            if let Some((code, severity, message, help)) = self.lifecycle(&head, &known) {
                add(code, severity, message, help, at);
            }
            metadata(node, &head, &mut walk);
            selectors(node, &head, &mut walk);
        }
        for violation in walk.found {
            let Violation { code, path, message, help, offset } = violation;
            let text = if path.is_empty() { message } else { format!("{path}: {message}") };
            add(code, Severity::Error, text, help, offset);
        }
        if !head.name.is_empty() {
            let key = (head.group.clone(), id.clone());
            let file = place.input.file.to_owned();
            if let Some(before) = seen.insert(key, file) {
                let message = format!("the object is there twice, the first time in {before}");
                add("K8S011", Severity::Error, message, None, at);
            }
        }
        finish(subject, start, &id, matches!(known, Known::Ignored));
    }

    /// Checks the object against what is known of its kind.
    fn kind(&self, node: Node<'_>, head: &Head, walk: &mut Walk<'_>) -> Known {
        let (group, version, kind) =
            (head.group.as_str(), head.version.as_str(), head.kind.as_str());
        if let Some(custom) = self.crds.get(group, version, kind) {
            if let Some(schema) = &custom.schema {
                walk.custom(node, schema);
            }
            walk.metadata(node, OBJECT_META);
            return match (&custom.served, &custom.deprecated) {
                (false, _) => Known::NotServed,
                (true, Some(warning)) => Known::Deprecated(warning.clone()),
                (true, None) => Known::Yes,
            };
        }
        if let Some(definition) = self.schemas.kind(group, version, kind) {
            walk.definition(node, definition);
            return Known::Yes;
        }
        walk.metadata(node, OBJECT_META);
        if self.ignore_missing_schemas { Known::Ignored } else { Known::Missing }
    }

    fn lifecycle(
        &self,
        head: &Head,
        known: &Known,
    ) -> Option<(&'static str, Severity, String, Option<String>)> {
        let what = format!("{} {}", head.api_version, head.kind);
        let version = self.kube_version.or(self.schemas.version());
        if let (Some(life), Some(version)) = (lifecycle::of(&head.api_version, &head.kind), version)
        {
            let instead = life.replacement.map(|(v, kind)| format!("use {v} {kind}"));
            if let Some((major, minor)) = life.removed.filter(|removed| *removed <= version) {
                let message =
                    format!("{what} is not served any more since Kubernetes {major}.{minor}");
                return Some(("K8S008", Severity::Error, message, instead));
            }
            if life.deprecated <= version {
                let (major, minor) = life.deprecated;
                let until = life.removed.map(|(a, b)| format!(", and gone in {a}.{b}"));
                let until = until.unwrap_or_default();
                let message =
                    format!("{what} is deprecated since Kubernetes {major}.{minor}{until}");
                return Some(("K8S009", Severity::Warning, message, instead));
            }
        }
        match known {
            Known::Yes | Known::Ignored => None,
            Known::Deprecated(warning) => {
                let text = if warning.is_empty() { "its definition says so" } else { warning };
                let message = format!("{what} is deprecated: {text}");
                Some(("K8S009", Severity::Warning, message, None))
            }
            Known::NotServed => {
                let message = format!("{what} is not served, says its definition");
                Some(("K8S008", Severity::Error, message, None))
            }
            Known::Missing => {
                let message = format!("nothing is known of {what}");
                Some(("K8S001", Severity::Error, message, self.elsewhere(head)))
            }
        }
    }

    /// What is known of the kind at other versions, or of nearly the same name.
    fn elsewhere(&self, head: &Head) -> Option<String> {
        if let Some(versions) = self.crds.versions(&head.group, &head.kind) {
            let versions: Vec<String> =
                versions.keys().map(|version| format!("{}/{version}", head.group)).collect();
            return Some(format!("its definition has {}", versions.join(", ")));
        }
        let kinds = self.schemas.kinds();
        let others: Vec<String> = kinds
            .filter(|(_, _, kind)| *kind == head.kind)
            .map(|(group, version, _)| match group.as_str() {
                "" => version.clone(),
                group => format!("{group}/{version}"),
            })
            .collect();
        if !others.is_empty() {
            return Some(format!("{} is served as {}", head.kind, others.join(", ")));
        }
        let same = self.schemas.kinds().filter(|(g, v, _)| *g == head.group && *v == head.version);
        let names: Vec<String> = same.map(|(_, _, kind)| kind.clone()).collect();
        match crate::walk::nearest(&head.kind, &names) {
            Some(near) => Some(format!("did you mean {near}?")),
            None => Some("give its custom resource definition with --crds".to_owned()),
        }
    }
}

/// What is known of an object's kind.
enum Known {
    Yes,
    /// With the author's words.
    Deprecated(String),
    NotServed,
    Missing,
    Ignored,
}

/// Lists the object among the subject's checks and marks its findings as its own.
fn finish(subject: &mut Subject, start: usize, id: &str, skipped: bool) {
    let count =
        subject.checks.iter().filter(|c| c.name == id || c.name.starts_with(&format!("{id} #")));
    let name = match count.count() {
        0 if id.is_empty() => format!("object {}", subject.checks.len() + 1),
        0 => id.to_owned(),
        n => format!("{id} #{}", n + 1),
    };
    let own = subject.findings.get_mut(start..).unwrap_or_default();
    let failed = own.iter().any(|finding| finding.severity > Severity::Info);
    own.iter_mut().for_each(|finding| finding.check = Some(name.clone()));
    let outcome = match (failed, skipped) {
        (true, _) => Outcome::Failed,
        (false, true) => Outcome::Skipped,
        (false, false) => Outcome::Passed,
    };
    subject.checks.push(Check { name, outcome, millis: None });
}

/// The complaints of a strict reading, one for each key: `line 4: key "a" already set in map`.
fn duplicates(error: &str, before: usize, found: &mut dyn FnMut(String, Option<u32>)) {
    for text in error.lines().map(str::trim) {
        let Some((line, rest)) = text.strip_prefix("line ").and_then(|t| t.split_once(": ")) else {
            continue;
        };
        let line = line.parse::<usize>().ok().and_then(|l| u32::try_from(l + before).ok());
        if let Some(key) = rest.strip_suffix(" already set in map") {
            found(format!("the {key} is there twice"), line);
        }
    }
}

/// Names, labels and annotations.
fn metadata(node: Node<'_>, head: &Head, walk: &mut Walk<'_>) {
    let Some(metadata) = node.get(b"metadata").filter(|m| m.node_type() == NodeType::Mapping)
    else {
        walk.complain("K8S007", node, ".metadata.name", "required, but missing".to_owned());
        return;
    };
    let name = metadata.get(b"name").filter(|name| !name.is_null());
    let generated = metadata.get(b"generateName").is_some_and(|name| !name.is_null());
    match name {
        Some(name) => {
            if let Some(text) = name.as_str() {
                let text = String::from_utf8_lossy(&text).into_owned();
                for complaint in names::complaints(&head.kind, &text) {
                    walk.complain(
                        "K8S007",
                        name,
                        ".metadata.name",
                        format!("{text:?}: {complaint}"),
                    );
                }
                if text.is_empty() && !generated {
                    walk.complain("K8S007", name, ".metadata.name", "is empty".to_owned());
                }
            }
        }
        None if !generated => {
            walk.complain("K8S007", metadata, ".metadata.name", "required, but missing".to_owned());
        }
        None => {}
    }
    labels(metadata, ".metadata", walk);
    let template = node.get(b"spec").and_then(|spec| spec.get(b"template")?.get(b"metadata"));
    if let (Some(template), true) = (template, WORKLOADS.contains(&head.kind.as_str())) {
        labels(template, ".spec.template.metadata", walk);
    }
}

fn labels(metadata: Node<'_>, path: &str, walk: &mut Walk<'_>) {
    for (holder, is_label) in [(&b"labels"[..], true), (b"annotations", false)] {
        let entries = metadata.get(holder).into_iter().flat_map(|map| map.entries());
        for (key, value) in entries {
            let key = key.to_string_lossy().into_owned();
            let at = format!("{path}.{}", String::from_utf8_lossy(holder));
            if let Some(complaint) = names::wrong_label_key(&key) {
                walk.complain("K8S007", value, &at, complaint);
            }
            let Some(text) = value.as_str().filter(|_| is_label) else { continue };
            if let Some(complaint) = names::wrong_label_value(&String::from_utf8_lossy(&text)) {
                walk.complain("K8S007", value, &format!("{at}[{key:?}]"), complaint);
            }
        }
    }
}

/// A workload must select the pods that it makes.
fn selectors(node: Node<'_>, head: &Head, walk: &mut Walk<'_>) {
    if head.group != "apps" || !WORKLOADS.contains(&head.kind.as_str()) {
        return;
    }
    let Some(spec) = node.get(b"spec") else { return };
    let wanted = spec.get(b"selector").and_then(|s| s.get(b"matchLabels"));
    let template = spec.get(b"template").and_then(|t| t.get(b"metadata")?.get(b"labels"));
    for (key, value) in wanted.into_iter().flat_map(|wanted| wanted.entries()) {
        let there = template.and_then(|labels| labels.get(key.as_bytes()));
        if there.and_then(|there| there.as_str()) != value.as_str() {
            let key = key.to_string_lossy().into_owned();
            let message = format!("the template's labels lack {key} with this value");
            walk.complain("K8S005", value, ".spec.selector.matchLabels", message);
        }
    }
}

fn text_of(node: Option<Node<'_>>, key: &[u8]) -> String {
    let text = node.and_then(|node| node.get(key)?.as_string_target());
    text.map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
}
