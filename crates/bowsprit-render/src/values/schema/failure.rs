//! What is wrong with an instance: a tree of failures, and its text.

use super::compile::{SchemaId, Store};
use super::document::{Document, Node, NodeId};
use bowsprit_value::strconv;

/// Index of a failure.
pub(super) type FailId = u32;

#[derive(Debug)]
pub(super) enum Kind {
    /// Several failures at one place.
    Group,
    /// The target of a reference failed.
    Reference,
    /// The `const` of a schema.
    Constant(SchemaId),
    /// The `enum` of a schema.
    Enumeration(SchemaId),
    /// Anything else, in words.
    Text(String),
}

#[derive(Debug)]
struct Failure {
    /// JSON pointer of the value.
    at: String,
    kind: Kind,
    causes: Vec<FailId>,
}

/// All failures of one validation, also of branches that do not count in the end.
#[derive(Debug, Default)]
pub(super) struct Failures(Vec<Failure>);

impl Failures {
    /// Stands for any failure where nobody asks for the reason.
    pub(super) const QUIET: FailId = FailId::MAX;

    pub(super) fn add(&mut self, at: String, kind: Kind, causes: Vec<FailId>) -> FailId {
        let id = u32::try_from(self.0.len()).unwrap_or(Failures::QUIET);
        self.0.push(Failure { at, kind, causes });
        id
    }

    pub(super) fn set_causes(&mut self, id: FailId, causes: Vec<FailId>) {
        if let Some(failure) = self.0.get_mut(id as usize) {
            failure.causes = causes;
        }
    }

    /// Makes a failure, or all that it is a group of, the cause of another.
    pub(super) fn adopt(&mut self, id: FailId, cause: FailId) {
        let causes = self.flattened(cause);
        self.set_causes(id, causes);
    }

    fn flattened(&self, id: FailId) -> Vec<FailId> {
        match self.0.get(id as usize) {
            Some(Failure { kind: Kind::Group, causes, .. }) => causes.clone(),
            _ => vec![id],
        }
    }

    /// The failures that have no cause: pointers to values, and what is wrong with them.
    pub(super) fn leaves(&self, store: &Store<'_>, id: FailId) -> Vec<(String, String)> {
        let mut out = Vec::new();
        let mut pending = vec![id];
        while let Some(failure) = pending.pop().and_then(|id| self.0.get(id as usize)) {
            if failure.causes.is_empty() {
                out.push((failure.at.clone(), describe(store, &failure.kind)));
            }
            pending.extend(failure.causes.iter().rev());
        }
        out
    }

    /// The text of a failed validation: a header, and a line for each failure below it.
    pub(super) fn render(&self, store: &Store<'_>, header: String, id: FailId) -> String {
        let mut out = header;
        let mut pending: Vec<(FailId, usize)> =
            self.flattened(id).into_iter().rev().map(|id| (id, 1)).collect();
        while let Some((id, indent)) = pending.pop() {
            let Some(failure) = self.0.get(id as usize) else { continue };
            // A reference with one cause says nothing that the cause does not say.
            let skipped = matches!(failure.kind, Kind::Reference) && failure.causes.len() == 1;
            let below = if skipped { indent } else { indent + 1 };
            if !skipped {
                out.push('\n');
                out.extend(std::iter::repeat_n("  ", indent - 1));
                out.push_str("- at ");
                out.push_str(&quote(failure.at.as_bytes()));
                out.push_str(": ");
                out.push_str(&describe(store, &failure.kind));
            }
            pending.extend(failure.causes.iter().rev().map(|cause| (*cause, below)));
        }
        out
    }
}

fn describe(store: &Store<'_>, kind: &Kind) -> String {
    match kind {
        Kind::Group | Kind::Reference => "validation failed".to_owned(),
        Kind::Text(text) => text.clone(),
        Kind::Constant(id) => {
            let shown = with_document(store, *id, |document, schema| {
                schema.and_then(|s| s.constant).and_then(|node| display(document, node))
            });
            shown.map_or_else(|| "'const' failed".to_owned(), |v| format!("value must be {v}"))
        }
        Kind::Enumeration(id) => {
            let shown: Option<Vec<String>> = with_document(store, *id, |document, schema| {
                let nodes = &schema?.values.as_ref()?.nodes;
                nodes.iter().map(|node| display(document, *node)).collect()
            });
            match shown.as_deref() {
                None => "'enum' failed".to_owned(),
                Some([one]) => format!("value must be {one}"),
                Some(many) => format!("value must be one of {}", many.join(", ")),
            }
        }
    }
}

fn with_document<T>(
    store: &Store<'_>,
    id: SchemaId,
    show: impl FnOnce(&Document, Option<&super::compile::Schema>) -> Option<T>,
) -> Option<T> {
    let schema = store.schema(id)?;
    let root = store.roots.get(schema.root)?;
    show(&root.document, Some(schema))
}

/// A scalar as messages show it; `None` for arrays and objects.
fn display(document: &Document, node: NodeId) -> Option<String> {
    Some(match document.node(node) {
        Node::Null => "<nil>".to_owned(),
        Node::Bool(b) => b.to_string(),
        Node::Number(number) => number.text(),
        Node::String(s) => quote(s.as_bytes()),
        Node::Array(..) | Node::Object(..) | Node::Invalid(_) => return None,
    })
}

/// Single quotes around a string that is escaped as Go does, but for the quotes.
pub(super) fn quote(text: &[u8]) -> String {
    let quoted = strconv::quote(text);
    // The closing quote is among those that lose a backslash before them.
    let quoted = String::from_utf8_lossy(&quoted).replace("\\\"", "\"").replace('\'', "\\'");
    let inner = quoted.strip_prefix('"').and_then(|q| q.strip_suffix('"')).unwrap_or(&quoted);
    format!("'{inner}'")
}
