//! Schema documents: loading them, finding their resources and anchors, resolving references.

use super::document::{Document, KeyFilter, Node, NodeId, Token};
use super::drafts::{Dialect, Draft, Place, metaschema, official_path};
use super::parse;
use super::url::{Part, Url, escape, unescape};
use super::{Fault, SchemaLoader};
use bowsprit_value::{Str, strconv};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Index of a document among those that were loaded.
pub(super) type RootId = usize;

/// A document, and what is known about the schemas in it.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) url: String,
    pub(super) document: Arc<Document>,
    pub(super) resources: Vec<Resource>,
    by_node: BTreeMap<NodeId, usize>,
    by_id: BTreeMap<String, usize>,
    /// Nodes that are known to be schemas.
    processed: Vec<bool>,
}

/// A schema with an identifier of its own, and all below it that has none.
#[derive(Debug)]
pub(super) struct Resource {
    pub(super) node: NodeId,
    pub(super) id: Arc<str>,
    pub(super) dialect: Dialect,
    pub(super) anchors: BTreeMap<String, NodeId>,
    pub(super) dynamic_anchors: Vec<String>,
}

/// What a reference leads to.
pub(super) enum Target {
    Node(RootId, NodeId),
    /// A pointer to nothing; an error only when the schema is compiled.
    Nowhere(Fault),
    /// A URL of another document, and a fragment.
    Elsewhere(String, String),
}

impl Root {
    /// The resource that a node belongs to.
    pub(super) fn resource_of(&self, node: NodeId) -> Option<&Resource> {
        let mut at = node;
        loop {
            if let Some(index) = self.by_node.get(&at) {
                return self.resources.get(*index);
            }
            at = self.document.parent(at)?;
        }
    }

    fn is_processed(&self, node: NodeId) -> bool {
        self.processed.get(node as usize).copied().unwrap_or(true)
    }

    fn mark_processed(&mut self, node: NodeId) {
        if let Some(slot) = self.processed.get_mut(node as usize) {
            *slot = true;
        }
    }

    /// The JSON pointer of a node.
    pub(super) fn pointer(&self, node: NodeId) -> String {
        let mut out = String::new();
        for token in self.document.tokens(node) {
            push_token(&mut out, &token);
        }
        out
    }

    /// A node's address.
    pub(super) fn location(&self, node: NodeId) -> String {
        format!("{}#{}", self.url, encode_pointer(&self.pointer(node)))
    }

    /// Follows a decoded pointer from a node.
    fn lookup(&self, from: NodeId, pointer: &str) -> Result<NodeId, Fault> {
        let fault = |text: &str| {
            let whole = format!("{}{pointer}", self.pointer(from));
            let whole = format!("{}#{}", self.url, encode_pointer(&whole));
            Fault::new(text.replace("{}", &quote(&whole)))
        };
        let mut at = from;
        for token in pointer.split('/').skip(1) {
            let Some(token) = unescape_token(token) else {
                return Err(fault("invalid json-pointer {}"));
            };
            let next = match self.document.node(at) {
                Node::Object(..) => self.document.member(at, token.as_bytes()),
                Node::Array(start, end) => strconv::atoi(token.as_bytes())
                    .ok()
                    .and_then(|i| usize::try_from(i).ok())
                    .and_then(|i| self.document.items(*start, *end).get(i).copied()),
                _ => None,
            };
            at = next.ok_or_else(|| fault("json-pointer in {} not found"))?;
        }
        Ok(at)
    }
}

pub(super) fn quote(text: &str) -> String {
    String::from_utf8_lossy(&strconv::quote(text.as_bytes())).into_owned()
}

pub(super) fn push_token(out: &mut String, token: &Token) {
    out.push('/');
    match token {
        Token::Index(i) => out.push_str(&i.to_string()),
        Token::Key(key) => out.push_str(&escape_token(&key.to_string_lossy())),
    }
}

pub(super) fn escape_token(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

fn unescape_token(token: &str) -> Option<String> {
    let mut parts = token.split('~');
    let mut out = parts.next()?.to_owned();
    for part in parts {
        let (c, rest) = match part.split_at_checked(1)? {
            ("0", rest) => ('~', rest),
            ("1", rest) => ('/', rest),
            _ => return None,
        };
        out.push(c);
        out.push_str(rest);
    }
    Some(out)
}

/// Escapes the tokens of a pointer for a URL, not the slashes between them.
pub(super) fn encode_pointer(pointer: &str) -> String {
    let tokens: Vec<_> =
        pointer.split('/').map(|token| escape(token.as_bytes(), Part::PathSegment)).collect();
    tokens.join("/")
}

/// Splits off a fragment and decodes it.
fn split_fragment(text: &str) -> Result<(&str, String), Fault> {
    let (url, fragment) = text.split_once('#').unwrap_or((text, ""));
    let fragment = unescape(fragment, Part::PathSegment).map_err(|e| parse_url_fault(text, &e))?;
    Ok((url, String::from_utf8_lossy(&fragment).into_owned()))
}

fn parse_url_fault(url: &str, error: &str) -> Fault {
    Fault::new(format!("error in parsing {}: {error}", quote(url)))
}

/// Go's `url.join` of the library: resolves a reference; gives the URL and the fragment.
fn join(base: &str, reference: &str) -> Result<(String, String), Fault> {
    let (reference, fragment) = split_fragment(reference)?;
    if reference.is_empty() {
        return Ok((base.to_owned(), fragment));
    }
    let base_url = Url::parse(base).map_err(|e| parse_url_fault(base, &e))?;
    let target = Url::parse(reference).map_err(|e| parse_url_fault(reference, &e))?;
    let mut resolved = base_url.resolve(&target);
    if !target.is_absolute() && !base_url.opaque.is_empty() {
        resolved.opaque = base_url.opaque;
    }
    Ok((resolved.to_string(), fragment))
}

/// All documents that one compilation has to do with.
pub(super) struct Roots<'l> {
    pub(super) list: Vec<Root>,
    by_url: BTreeMap<String, RootId>,
    documents: BTreeMap<String, Arc<Document>>,
    loader: Option<&'l dyn SchemaLoader>,
    /// URNs that nobody resolves.
    pub(super) unresolved_urns: Vec<String>,
}

/// A node that is to be looked at, and what it inherits.
struct Visit {
    node: NodeId,
    base: Arc<str>,
    dialect: Dialect,
}

impl<'l> Roots<'l> {
    pub(super) fn new(loader: Option<&'l dyn SchemaLoader>) -> Roots<'l> {
        Roots {
            list: Vec::new(),
            by_url: BTreeMap::new(),
            documents: BTreeMap::new(),
            loader,
            unresolved_urns: Vec::new(),
        }
    }

    pub(super) fn add_document(&mut self, url: &str, document: Document) {
        self.documents.insert(url.to_owned(), Arc::new(document));
    }

    pub(super) fn get(&self, root: RootId) -> Option<&Root> {
        self.list.get(root)
    }

    /// The root of a URL, and whether it was loaded just now, so that it has to be validated.
    pub(super) fn or_load(&mut self, url: &str) -> Result<(RootId, bool), Fault> {
        if let Some(root) = self.by_url.get(url) {
            return Ok((*root, false));
        }
        let document = self.load(url)?;
        let id = self.list.len();
        let processed = vec![false; document.len()];
        self.list.push(Root {
            url: url.to_owned(),
            document,
            resources: Vec::new(),
            by_node: BTreeMap::new(),
            by_id: BTreeMap::new(),
            processed,
        });
        self.collect(id, Document::ROOT, url.into(), Dialect::of(Draft::LATEST))?;
        self.by_url.insert(url.to_owned(), id);
        Ok((id, official_path(url).is_none()))
    }

    fn load(&mut self, url: &str) -> Result<Arc<Document>, Fault> {
        if let Some(document) = self.documents.get(url) {
            return Ok(Arc::clone(document));
        }
        let document = match metaschema(url) {
            Some(text) => parse::parse(text.as_bytes()).map_err(|(e, _)| Fault::new(e))?,
            None => self.load_foreign(url)?,
        };
        let document = Arc::new(document);
        self.documents.insert(url.to_owned(), Arc::clone(&document));
        Ok(document)
    }

    fn load_foreign(&mut self, url: &str) -> Result<Document, Fault> {
        let failing = |fault: Fault| fault.prefixed(&format!("failing loading {}: ", quote(url)));
        let parsed = Url::parse(url).map_err(|e| failing(Fault::new(e)))?;
        let text = match parsed.scheme.as_str() {
            "urn" => {
                self.unresolved_urns.push(url.to_owned());
                b"true".to_vec()
            }
            "file" | "http" | "https" => match self.loader {
                Some(loader) => loader.load(url).map_err(|e| failing(e.into()))?,
                None => return Err(failing(Fault::denied())),
            },
            _ => {
                let shown = quote(&parsed.to_string());
                return Err(failing(Fault::new(format!("no URLLoader registered for {shown}"))));
            }
        };
        parse::parse(&text).map_err(|(e, _)| failing(Fault::new(e)))
    }

    /// The draft that a schema's `$schema` leads to.
    fn draft_of(&mut self, root: RootId, node: NodeId, fallback: Draft) -> Result<Draft, Fault> {
        let Some(own) = self.get(root) else { return Ok(fallback) };
        let own_url = own.url.clone();
        let mut document = Arc::clone(&own.document);
        let (mut at, mut url) = (node, own_url);
        let mut seen: Vec<String> = Vec::new();
        loop {
            let Some(schema) = document.string_member(at, b"$schema") else { return Ok(fallback) };
            let schema = schema.to_string_lossy().into_owned();
            if let Some(draft) = Draft::from_url(&schema) {
                return Ok(draft);
            }
            let next = schema.split('#').next().unwrap_or_default().to_owned();
            if let Err(e) = Url::parse(&next) {
                let place = match seen.last() {
                    Some(url) => format!("{url}#"),
                    None => self.get(root).map(|r| r.location(node)).unwrap_or_default(),
                };
                return Err(Fault::new(format!("invalid $schema in {}: {e}", quote(&place))));
            }
            if at == Document::ROOT && next == url {
                return Err(Fault::new(format!("draft {} is not supported", quote(&next))));
            }
            if seen.contains(&next) {
                let text = format!("cycle in resolving $schema in {}", quote(&next));
                return Err(Fault::new(text));
            }
            seen.push(next.clone());
            document = self.load(&next)?;
            (at, url) = (Document::ROOT, next);
        }
    }

    /// The vocabularies that a schema's metaschema demands.
    fn meta_vocabularies(
        &mut self,
        root: RootId,
        node: NodeId,
        draft: Draft,
    ) -> Result<Option<Arc<[&'static str]>>, Fault> {
        let schema =
            self.get(root).and_then(|r| r.document.string_member(node, b"$schema").cloned());
        let Some(schema) = schema else { return Ok(None) };
        let schema = schema.to_string_lossy();
        if Draft::from_url(&schema).is_some() {
            return Ok(None);
        }
        let url = schema.split('#').next().unwrap_or_default();
        let document = self.load(url)?;
        vocabularies(&document, url, draft)
    }

    /// Finds the resources and anchors of a schema and of all schemas below it.
    fn collect(
        &mut self,
        root: RootId,
        node: NodeId,
        base: Arc<str>,
        dialect: Dialect,
    ) -> Result<(), Fault> {
        let mut pending = vec![Visit { node, base, dialect }];
        while let Some(visit) = pending.pop() {
            if self.get(root).is_none_or(|r| r.is_processed(visit.node)) {
                continue;
            }
            let first = pending.len();
            self.visit(root, visit, &mut pending)?;
            if let Some(added) = pending.get_mut(first..) {
                added.reverse();
            }
        }
        Ok(())
    }

    fn visit(&mut self, root: RootId, visit: Visit, pending: &mut Vec<Visit>) -> Result<(), Fault> {
        let node = visit.node;
        let Some(own) = self.list.get_mut(root) else { return Ok(()) };
        own.mark_processed(node);
        let document = Arc::clone(&own.document);
        let is_root = node == Document::ROOT;
        if document.object(node).is_none() {
            if is_root {
                own.add_resource(node, visit.base, visit.dialect);
            }
            return Ok(());
        }
        let mut has_schema = document.string_member(node, b"$schema").is_some();
        let mut draft = self.draft_of(root, node, visit.dialect.draft)?;
        let mut id = id_of(&document, node, draft);
        if id.is_none() && !is_root {
            draft = visit.dialect.draft;
            has_schema = false;
            id = id_of(&document, node, draft);
        }
        let mut base = visit.base;
        if let Some(id) = &id {
            let (joined, _) = join(&base, id).map_err(|_| {
                let place = self.get(root).map(|r| r.location(node)).unwrap_or_default();
                Fault::new(format!("error in parsing id at {}", quote(&place)))
            })?;
            base = joined.into();
        }
        if id.is_some() || is_root {
            let dialect = if has_schema {
                let vocabularies = self.meta_vocabularies(root, node, draft)?;
                Dialect { draft, vocabularies }
            } else {
                visit.dialect
            };
            self.add_resource(root, node, &base, dialect)?;
        }
        let Some(own) = self.list.get_mut(root) else { return Ok(()) };
        let Some(&index) = own.by_id.get(&*base) else { return Ok(()) };
        own.collect_anchors(node, index)?;
        let Some(dialect) = own.resources.get(index).map(|r| r.dialect.clone()) else {
            return Ok(());
        };
        for child in subschemas(&document, node, draft) {
            pending.push(Visit { node: child, base: Arc::clone(&base), dialect: dialect.clone() });
        }
        Ok(())
    }

    fn add_resource(
        &mut self,
        root: RootId,
        node: NodeId,
        base: &Arc<str>,
        dialect: Dialect,
    ) -> Result<(), Fault> {
        let Some(own) = self.list.get_mut(root) else { return Ok(()) };
        let found = own.by_id.get(&**base).and_then(|i| own.resources.get(*i));
        match found.map(|r| r.node) {
            None => own.add_resource(node, Arc::clone(base), dialect),
            Some(other) if other == node => {}
            Some(other) => {
                let (here, there) = (own.pointer(node), own.pointer(other));
                return Err(Fault::new(format!(
                    "duplicate id {} in {} at {} and {}",
                    quote(base),
                    quote(&own.url),
                    quote(&here),
                    quote(&there)
                )));
            }
        }
        Ok(())
    }

    /// Makes sure that a node is known as a schema. True where it was not and has to be validated.
    pub(super) fn ensure_subschema(&mut self, root: RootId, node: NodeId) -> Result<bool, Fault> {
        let Some(own) = self.get(root) else { return Ok(false) };
        if own.is_processed(node) {
            return Ok(false);
        }
        let Some(resource) = own.resource_of(node) else { return Ok(false) };
        let (base, dialect) = (Arc::clone(&resource.id), resource.dialect.clone());
        self.collect(root, node, base, dialect)?;
        Ok(true)
    }

    /// Resolves a reference that stands in a resource, if it leads to the same document.
    pub(super) fn resolve(
        &self,
        root: RootId,
        resource: NodeId,
        reference: &str,
    ) -> Result<Target, Fault> {
        let Some(own) = self.get(root) else { return Err(Fault::new("no such document")) };
        let Some(resource) = own.resource_of(resource) else {
            return Err(Fault::new("no such resource"));
        };
        let (url, fragment) = join(&resource.id, reference)?;
        if url == own.url {
            return self.resolve_in(root, Document::ROOT, &fragment);
        }
        if let Some(found) = own.by_id.get(&url).and_then(|i| own.resources.get(*i)) {
            return self.resolve_in(root, found.node, &fragment);
        }
        Ok(Target::Elsewhere(url, fragment))
    }

    /// Follows a fragment from the root of a resource.
    pub(super) fn resolve_in(
        &self,
        root: RootId,
        resource: NodeId,
        fragment: &str,
    ) -> Result<Target, Fault> {
        let Some(own) = self.get(root) else { return Err(Fault::new("no such document")) };
        if fragment.is_empty() || fragment.starts_with('/') {
            return Ok(match own.lookup(resource, fragment) {
                Ok(node) => Target::Node(root, node),
                Err(fault) => Target::Nowhere(fault),
            });
        }
        let Some(resource) = own.resource_of(resource) else {
            return Err(Fault::new("no such resource"));
        };
        match resource.anchors.get(fragment) {
            Some(node) => Ok(Target::Node(root, *node)),
            None => {
                let reference = format!("{}#{}", resource.id, encode_pointer(fragment));
                Err(Fault::new(format!(
                    "anchor in {} not found in schema {}",
                    quote(&reference),
                    quote(&own.url)
                )))
            }
        }
    }
}

impl Root {
    fn add_resource(&mut self, node: NodeId, id: Arc<str>, dialect: Dialect) {
        let index = self.resources.len();
        self.by_node.insert(node, index);
        self.by_id.entry(id.to_string()).or_insert(index);
        self.resources.push(Resource {
            node,
            id,
            dialect,
            anchors: BTreeMap::new(),
            dynamic_anchors: Vec::new(),
        });
    }

    fn collect_anchors(&mut self, node: NodeId, index: usize) -> Result<(), Fault> {
        let document = Arc::clone(&self.document);
        let Some(draft) = self.resources.get(index).map(|r| r.dialect.draft) else { return Ok(()) };
        let text = |key: &str| {
            let text = document.string_member(node, key.as_bytes());
            text.map(|s| s.to_string_lossy().into_owned())
        };
        if draft < Draft::D2019 {
            if document.member(node, b"$ref").is_some() {
                return Ok(());
            }
            if let Some(id) = text(draft.id_keyword()) {
                let (_, fragment) = split_fragment(&id).map_err(|_| {
                    let place = self.location(node);
                    Fault::new(format!("error in parsing anchor at {}", quote(&place)))
                })?;
                if !fragment.is_empty() && !fragment.starts_with('/') {
                    self.add_anchor(node, index, fragment)?;
                }
            }
            return Ok(());
        }
        if let Some(anchor) = text("$anchor") {
            self.add_anchor(node, index, anchor)?;
        }
        if draft >= Draft::D2020
            && let Some(anchor) = text("$dynamicAnchor")
        {
            self.add_anchor(node, index, anchor.clone())?;
            if let Some(resource) = self.resources.get_mut(index) {
                resource.dynamic_anchors.push(anchor);
            }
        }
        Ok(())
    }

    fn add_anchor(&mut self, node: NodeId, index: usize, anchor: String) -> Result<(), Fault> {
        let Some(resource) = self.resources.get_mut(index) else { return Ok(()) };
        let first = *resource.anchors.entry(anchor.clone()).or_insert(node);
        if first == node {
            return Ok(());
        }
        Err(Fault::new(format!(
            "duplicate anchor {} in {} at {} and {}",
            quote(&anchor),
            quote(&self.url),
            quote(&self.pointer(first)),
            quote(&self.pointer(node))
        )))
    }
}

fn id_of(document: &Document, node: NodeId, draft: Draft) -> Option<String> {
    if draft < Draft::D2019 && document.member(node, b"$ref").is_some() {
        return None;
    }
    let id: &Str = document.string_member(node, draft.id_keyword().as_bytes())?;
    let id = id.to_string_lossy();
    let id = id.split('#').next().unwrap_or_default();
    (!id.is_empty()).then(|| id.to_owned())
}

fn subschemas(document: &Document, node: NodeId, draft: Draft) -> Vec<NodeId> {
    let mut found = Vec::new();
    let keys = KeyFilter::of(document.object(node).unwrap_or_default());
    for (keyword, place) in draft.places().filter(|(key, _)| keys.may_have(key.as_bytes())) {
        let Some(value) = document.member(node, keyword.as_bytes()) else { continue };
        match place {
            Place::Value => found.push(value),
            Place::Members => {
                found.extend(document.object(value).unwrap_or_default().iter().map(|(_, id)| *id));
            }
            Place::Items => found.extend(document.array(value).unwrap_or_default()),
        }
    }
    found
}

fn vocabularies(
    document: &Document,
    url: &str,
    draft: Draft,
) -> Result<Option<Arc<[&'static str]>>, Fault> {
    if draft < Draft::D2019 {
        return Ok(None);
    }
    let wanted = document.member(Document::ROOT, b"$vocabulary").and_then(|v| document.object(v));
    let Some(wanted) = wanted else { return Ok(None) };
    let mut names: Vec<&'static str> = Vec::new();
    for (vocabulary, required) in wanted {
        if !matches!(document.node(*required), Node::Bool(true)) {
            continue;
        }
        let vocabulary = vocabulary.to_string_lossy();
        let name = vocabulary.strip_prefix(draft.vocabulary_prefix());
        let known = draft.vocabularies().iter().find(|known| Some(**known) == name);
        let Some(known) = known else {
            return Err(Fault::new(format!(
                "unsupported vocabulary {} in {}",
                quote(&vocabulary),
                quote(url)
            )));
        };
        names.push(known);
    }
    if !names.contains(&"core") {
        names.push("core");
    }
    Ok(Some(names.into()))
}
