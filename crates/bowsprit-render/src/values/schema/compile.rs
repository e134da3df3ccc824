//! Compiling schemas: each becomes its few checks that come first and a list of keywords.

use super::document::{Document, KeyFilter, Node, NodeId};
use super::drafts::{Dialect, Draft};
use super::formats::{self, Check};
use super::number::{Decimal, Number};
use super::quick;
use super::roots::{Root, RootId, Roots, Target, encode_pointer, escape_token, quote};
use super::validate::{self, Budget};
use super::{Fault, Place};
use bowsprit_sprig::goregex::GoRegex;
use bowsprit_value::Str;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Index of a compiled schema.
pub(super) type SchemaId = usize;

/// A schema that was made of the vocabularies of a dialect stands in no document.
const NO_ROOT: RootId = usize::MAX;

#[derive(Debug)]
pub(super) struct Schema {
    pub(super) root: RootId,
    pub(super) node: NodeId,
    pub(super) draft: Draft,
    pub(super) resource: SchemaId,
    pub(super) truth: Option<bool>,
    pub(super) all_props_evaluated: bool,
    pub(super) all_items_evaluated: bool,
    pub(super) items_evaluated: usize,
    pub(super) unevaluated_props: bool,
    pub(super) unevaluated_items: bool,
    pub(super) recursive_anchor: bool,
    pub(super) dynamic_anchor: String,
    pub(super) dynamic_anchors: Vec<(String, SchemaId)>,
    /// Bits of [`types`]; none where any type will do.
    pub(super) types: u8,
    pub(super) constant: Option<NodeId>,
    pub(super) values: Option<Values>,
    pub(super) format: Option<Format>,
    pub(super) keywords: Vec<Keyword>,
}

/// The values of `enum`, and the types that are among them.
#[derive(Debug)]
pub(super) struct Values {
    pub(super) nodes: Vec<NodeId>,
    pub(super) types: u8,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
    pub(super) name: &'static str,
    /// `None` for `regex`.
    pub(super) check: Option<Check>,
}

/// The types of JSON as bits, in the order in which messages name them.
pub(super) mod types {
    pub(in super::super) const NULL: u8 = 1;
    pub(in super::super) const BOOLEAN: u8 = 2;
    pub(in super::super) const NUMBER: u8 = 4;
    pub(in super::super) const INTEGER: u8 = 8;
    pub(in super::super) const STRING: u8 = 16;
    pub(in super::super) const ARRAY: u8 = 32;
    pub(in super::super) const OBJECT: u8 = 64;
    pub(in super::super) const NAMES: [(u8, &str); 7] = [
        (NULL, "null"),
        (BOOLEAN, "boolean"),
        (NUMBER, "number"),
        (INTEGER, "integer"),
        (STRING, "string"),
        (ARRAY, "array"),
        (OBJECT, "object"),
    ];
}

/// What a dependency demands.
#[derive(Debug)]
pub(super) enum Demand {
    Props(Vec<Str>),
    Schema(SchemaId),
}

/// What becomes of members that no other keyword knows.
#[derive(Debug)]
pub(super) enum Additional {
    Ignored,
    Allowed(bool),
    Schema(SchemaId),
}

/// A keyword with what it demands; in the order in which the library checks them.
#[derive(Debug)]
pub(super) enum Keyword {
    Ref(SchemaId),
    MinProperties(i64),
    MaxProperties(i64),
    Required(Vec<Str>),
    Dependencies(Vec<(Str, Demand)>),
    Properties {
        named: Vec<(Str, SchemaId)>,
        patterns: Vec<(GoRegex, SchemaId)>,
        additional: Additional,
    },
    PropertyNames(SchemaId),
    DependentSchemas(Vec<(Str, SchemaId)>),
    DependentRequired(Vec<(Str, Vec<Str>)>),
    MinItems(i64),
    MaxItems(i64),
    UniqueItems,
    /// `items`, or `prefixItems` and what follows them.
    Items {
        prefix: Vec<SchemaId>,
        rest: Additional,
    },
    Contains {
        schema: SchemaId,
        min: Option<i64>,
        max: Option<i64>,
    },
    MinLength(i64),
    MaxLength(i64),
    Pattern(GoRegex, Str),
    Minimum(Decimal),
    Maximum(Decimal),
    ExclusiveMinimum(Decimal),
    ExclusiveMaximum(Decimal),
    MultipleOf(Decimal),
    RecursiveRef(SchemaId),
    DynamicRef(SchemaId, String),
    Not(SchemaId),
    AllOf(Vec<SchemaId>),
    AnyOf(Vec<SchemaId>),
    OneOf(Vec<SchemaId>),
    If {
        test: SchemaId,
        then: Option<SchemaId>,
        otherwise: Option<SchemaId>,
    },
    UnevaluatedProperties(SchemaId),
    UnevaluatedItems(SchemaId),
}

/// Documents and the schemas compiled from them.
pub(super) struct Store<'l> {
    pub(super) roots: Roots<'l>,
    pub(super) schemas: Vec<Schema>,
    ids: HashMap<(RootId, NodeId), SchemaId>,
    /// Schemas that can't be compiled, because they are not there.
    missing: HashMap<SchemaId, Fault>,
    /// Formats are checked in every draft; so it is while metaschemas are compiled.
    assert_format: bool,
    /// The metaschemas that documents are validated against; those themselves are not.
    meta: Option<Box<Meta>>,
}

impl std::fmt::Debug for Store<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("schemas", &self.schemas.len()).finish_non_exhaustive()
    }
}

/// Compiled metaschemas.
struct Meta {
    store: Store<'static>,
    dialects: Vec<(Dialect, SchemaId)>,
}

impl<'l> Store<'l> {
    pub(super) fn new(roots: Roots<'l>) -> Store<'l> {
        let store = Store::bare(Roots::new(None), true);
        let meta = Some(Box::new(Meta { store, dialects: Vec::new() }));
        Store { roots, meta, ..Store::bare(Roots::new(None), false) }
    }

    fn bare(roots: Roots<'l>, assert_format: bool) -> Store<'l> {
        Store {
            roots,
            schemas: Vec::new(),
            ids: HashMap::new(),
            missing: HashMap::new(),
            assert_format,
            meta: None,
        }
    }

    /// Only what validation needs.
    pub(super) fn settled(self) -> Store<'static> {
        let mut store = Store::bare(Roots::new(None), false);
        store.roots.list = self.roots.list;
        store.schemas = self.schemas;
        store
    }

    pub(super) fn schema(&self, id: SchemaId) -> Option<&Schema> {
        self.schemas.get(id)
    }

    /// A schema's address.
    pub(super) fn location(&self, id: SchemaId) -> String {
        let Some(schema) = self.schema(id) else { return String::new() };
        match self.roots.get(schema.root) {
            Some(root) => root.location(schema.node),
            None => "urn:mem:metaschema".to_owned(),
        }
    }

    /// Compiles the schema at a URL, and all that it refers to.
    pub(super) fn compile(&mut self, url: &str, budget: &Budget) -> Result<SchemaId, Fault> {
        let root = self.load(url, budget)?;
        let first = self.schemas.len();
        let id = self.enqueue(root, Document::ROOT);
        self.compile_from(first, budget)?;
        Ok(id)
    }

    fn load(&mut self, url: &str, budget: &Budget) -> Result<RootId, Fault> {
        let (root, fresh) = self.roots.or_load(url)?;
        if fresh {
            self.validate(root, Document::ROOT, budget)?;
        }
        Ok(root)
    }

    fn compile_from(&mut self, first: usize, budget: &Budget) -> Result<(), Fault> {
        let mut next = first;
        while let Some(schema) = self.schemas.get(next) {
            if let Some(fault) = self.missing.remove(&next) {
                return Err(fault);
            }
            let (root, node) = (schema.root, schema.node);
            budget.charge(8)?;
            if self.roots.ensure_subschema(root, node)? {
                self.validate(root, node, budget)?;
            }
            let compiler = Compiler::new(self, root, node)?;
            let schema = compiler.compile(budget)?;
            if let Some(slot) = self.schemas.get_mut(next) {
                *slot = schema;
            }
            next += 1;
        }
        Ok(())
    }

    /// The schema at a node, compiled or waiting to be.
    fn enqueue(&mut self, root: RootId, node: NodeId) -> SchemaId {
        let next = self.schemas.len();
        let id = *self.ids.entry((root, node)).or_insert(next);
        if id == next {
            self.schemas.push(Schema::empty(root, node, Draft::LATEST, id));
        }
        id
    }

    fn enqueue_missing(&mut self, root: RootId, fault: Fault) -> SchemaId {
        let id = self.schemas.len();
        self.schemas.push(Schema::empty(root, Document::ROOT, Draft::LATEST, id));
        self.missing.insert(id, fault);
        id
    }

    /// Checks a schema against the metaschema of its dialect.
    fn validate(&mut self, root: RootId, node: NodeId, budget: &Budget) -> Result<(), Fault> {
        let Some(mut meta) = self.meta.take() else { return Ok(()) };
        let outcome = self.validate_with(&mut meta, root, node, budget);
        self.meta = Some(meta);
        outcome
    }

    fn validate_with(
        &self,
        meta: &mut Meta,
        root: RootId,
        node: NodeId,
        budget: &Budget,
    ) -> Result<(), Fault> {
        let Some(own) = self.roots.get(root) else { return Ok(()) };
        if self.is_surely_valid(own, node, budget)? {
            return Ok(());
        }
        let mut metas = Vec::with_capacity(own.resources.len());
        for resource in &own.resources {
            let id = meta.schema_of(&resource.dialect, budget)?;
            metas.push((own.pointer(resource.node), id));
        }
        let Some(resource) = own.resource_of(node) else { return Ok(()) };
        let schema = meta.schema_of(&resource.dialect, budget)?;
        let meta_of = validate::MetaResources { root: schema, of: metas };
        match validate::run(&meta.store, schema, &own.document, node, Some(meta_of), budget)? {
            None => Ok(()),
            Some(validate::Invalid { text, leaves }) => {
                let location = quote(&own.location(node));
                let fault =
                    Fault::new(format!("{location} is not valid against metaschema: {text}"));
                let is_root = node == Document::ROOT;
                Err(if is_root { fault.at(Place::Values(leaves)) } else { fault })
            }
        }
    }
}

impl Store<'_> {
    fn is_surely_valid(&self, root: &Root, node: NodeId, budget: &Budget) -> Result<bool, Fault> {
        let Some(draft) = root.resource_of(node).map(|r| r.dialect.draft) else { return Ok(false) };
        let plain = Dialect::of(draft);
        Ok(root.resources.iter().all(|resource| resource.dialect == plain)
            && quick::surely_valid(&root.document, node, draft, budget)?)
    }
}

impl Meta {
    /// The compiled metaschema of a dialect.
    fn schema_of(&mut self, dialect: &Dialect, budget: &Budget) -> Result<SchemaId, Fault> {
        if let Some((_, id)) = self.dialects.iter().find(|(known, _)| known == dialect) {
            return Ok(*id);
        }
        let id = match &dialect.vocabularies {
            None => self.store.compile(dialect.draft.url(), budget)?,
            Some(vocabularies) => self.combine(dialect.draft, vocabularies, budget)?,
        };
        self.dialects.push((dialect.clone(), id));
        Ok(id)
    }

    fn combine(
        &mut self,
        draft: Draft,
        vocabularies: &[&'static str],
        budget: &Budget,
    ) -> Result<SchemaId, Fault> {
        let mut parts = Vec::with_capacity(vocabularies.len());
        for name in vocabularies {
            parts.push(self.store.compile(&draft.vocabulary_url(name), budget)?);
        }
        let id = self.store.schemas.len();
        let mut schema = Schema::empty(NO_ROOT, Document::ROOT, draft, id);
        schema.keywords.push(Keyword::AllOf(parts));
        if draft >= Draft::D2020 {
            schema.dynamic_anchor = "meta".to_owned();
            schema.dynamic_anchors.push(("meta".to_owned(), id));
        }
        self.store.schemas.push(schema);
        Ok(id)
    }
}

impl Schema {
    fn empty(root: RootId, node: NodeId, draft: Draft, resource: SchemaId) -> Schema {
        Schema {
            root,
            node,
            draft,
            resource,
            truth: None,
            all_props_evaluated: false,
            all_items_evaluated: false,
            items_evaluated: 0,
            unevaluated_props: false,
            unevaluated_items: false,
            recursive_anchor: false,
            dynamic_anchor: String::new(),
            dynamic_anchors: Vec::new(),
            types: 0,
            constant: None,
            values: None,
            format: None,
            keywords: Vec::new(),
        }
    }
}

/// Compiles one schema.
pub(super) struct Compiler<'s, 'l> {
    store: &'s mut Store<'l>,
    document: Arc<Document>,
    root: RootId,
    node: NodeId,
    pub(super) dialect: Dialect,
    resource: NodeId,
    keys: KeyFilter,
}

impl<'s, 'l> Compiler<'s, 'l> {
    fn new(store: &'s mut Store<'l>, root: RootId, node: NodeId) -> Result<Self, Fault> {
        let own = store.roots.get(root).ok_or_else(|| Fault::new("no such document"))?;
        let resource = own.resource_of(node).ok_or_else(|| Fault::new("no such resource"))?;
        let (dialect, resource) = (resource.dialect.clone(), resource.node);
        let document = Arc::clone(&own.document);
        let keys = KeyFilter::of(document.object(node).unwrap_or_default());
        Ok(Compiler { store, document, root, node, dialect, resource, keys })
    }

    fn compile(mut self, budget: &Budget) -> Result<Schema, Fault> {
        let draft = self.dialect.draft;
        let resource = self.store.enqueue(self.root, self.resource);
        let mut schema = Schema::empty(self.root, self.node, draft, resource);
        if draft >= Draft::D2020 && self.node == self.resource {
            schema.dynamic_anchors = self.dynamic_anchors();
        }
        match self.document.node(self.node) {
            Node::Bool(b) => schema.truth = Some(*b),
            Node::Object(start, end) if start == end => schema.truth = Some(true),
            Node::Object(..) => self.object(&mut schema, budget)?,
            _ => {}
        }
        Ok(schema)
    }

    fn dynamic_anchors(&mut self) -> Vec<(String, SchemaId)> {
        let anchors: Vec<(String, NodeId)> = self
            .store
            .roots
            .get(self.root)
            .and_then(|root| root.resource_of(self.node))
            .map(|resource| {
                let dynamic: HashSet<&String> = resource.dynamic_anchors.iter().collect();
                let anchors = resource.anchors.iter().filter(|(name, _)| dynamic.contains(name));
                anchors.map(|(name, node)| (name.clone(), *node)).collect()
            })
            .unwrap_or_default();
        anchors
            .into_iter()
            .map(|(name, node)| (name, self.store.enqueue(self.root, node)))
            .collect()
    }

    fn object(&mut self, schema: &mut Schema, budget: &Budget) -> Result<(), Fault> {
        let draft = schema.draft;
        if let Some(id) = self.reference("$ref", budget)? {
            schema.keywords.push(Keyword::Ref(id));
            if draft < Draft::D2019 {
                self.beside_reference(schema);
                return Ok(());
            }
        }
        if draft >= Draft::D2019 {
            schema.recursive_anchor = self.flag("$recursiveAnchor");
        }
        if draft >= Draft::D2020 {
            schema.dynamic_anchor = self.text("$dynamicAnchor").unwrap_or_default();
        }
        let references = self.queue_children(draft, budget)?;
        self.values(schema);
        self.format(schema);
        self.object_keywords(schema)?;
        self.array_keywords(schema);
        self.scalar_keywords(schema)?;
        schema.keywords.extend(references);
        self.condition_keywords(schema);
        self.unevaluated_keywords(schema);
        Ok(())
    }

    /// What the library still looks at beside a reference in drafts that ignore all else: it checks
    /// `const`, and it compiles what later drafts brought, though it never comes to apply it.
    fn beside_reference(&mut self, schema: &mut Schema) {
        if schema.draft >= Draft::D6 {
            schema.constant = self.get("const");
            self.property("contains");
            self.property("propertyNames");
        }
        if schema.draft >= Draft::D7 && self.property("if").is_some() {
            self.property("then");
            self.property("else");
        }
    }

    fn values(&mut self, schema: &mut Schema) {
        if !self.dialect.has("validation") {
            return;
        }
        schema.types = self.types();
        if schema.draft >= Draft::D6 {
            schema.constant = self.get("const");
        }
        if let Some(nodes) = self.array("enum") {
            let kinds = nodes.iter().map(|id| validate::type_of(&self.document, *id));
            let types = kinds.fold(0, |all, bit| all | bit);
            schema.values = Some(Values { types, nodes });
        }
    }

    fn types(&self) -> u8 {
        let bit = |id: NodeId| {
            let name = self.document.string(id).map(|s| s.to_string_lossy());
            let known = types::NAMES.iter().find(|(_, known)| Some(*known) == name.as_deref());
            known.map_or(0, |(bit, _)| *bit)
        };
        let Some(value) = self.get("type") else { return 0 };
        match self.document.array(value) {
            Some(list) => list.iter().fold(0, |all, id| all | bit(*id)),
            None => bit(value),
        }
    }

    fn format(&mut self, schema: &mut Schema) {
        let asserted = self.store.assert_format
            || match schema.draft {
                Draft::D2020 => self.dialect.has("format-assertion"),
                Draft::D2019 => self.dialect.has("format"),
                _ => true,
            };
        let Some(name) = self.text("format").filter(|_| asserted) else { return };
        schema.format = if name == "regex" {
            Some(Format { name: "regex", check: None })
        } else {
            formats::find(name.as_bytes()).map(|(name, check)| Format { name, check: Some(check) })
        };
    }

    fn object_keywords(&mut self, schema: &mut Schema) -> Result<(), Fault> {
        let draft = schema.draft;
        let applies = self.dialect.has("applicator");
        let out = &mut schema.keywords;
        if self.dialect.has("validation") {
            out.extend(self.integer("minProperties").map(Keyword::MinProperties));
            out.extend(self.integer("maxProperties").map(Keyword::MaxProperties));
            let required = self.array("required").map(|list| self.strings(&list));
            out.extend(required.filter(|r| !r.is_empty()).map(Keyword::Required));
        }
        if applies {
            let dependencies = self.dependencies();
            out.extend((!dependencies.is_empty()).then_some(Keyword::Dependencies(dependencies)));
            let named = self.members("properties");
            let patterns = self.patterns()?;
            let additional = self.additional("additionalProperties");
            schema.all_props_evaluated = !matches!(additional, Additional::Ignored);
            if !named.is_empty() || !patterns.is_empty() || schema.all_props_evaluated {
                out.push(Keyword::Properties { named, patterns, additional });
            }
            if draft >= Draft::D6 {
                out.extend(self.property("propertyNames").map(Keyword::PropertyNames));
            }
        }
        if draft >= Draft::D2019 && applies {
            let schemas = self.members("dependentSchemas");
            out.extend((!schemas.is_empty()).then_some(Keyword::DependentSchemas(schemas)));
        }
        if draft >= Draft::D2019 && self.dialect.has("validation") {
            let required = self.dependent_required();
            out.extend((!required.is_empty()).then_some(Keyword::DependentRequired(required)));
        }
        Ok(())
    }

    pub(super) fn dependencies(&mut self) -> Vec<(Str, Demand)> {
        let members = self.object_of("dependencies");
        let mut out = Vec::with_capacity(members.len());
        for (name, id) in members {
            let demand = match self.document.array(id) {
                Some(list) => Demand::Props(self.strings(list)),
                None => Demand::Schema(self.store.enqueue(self.root, id)),
            };
            out.push((name, demand));
        }
        out
    }

    fn dependent_required(&self) -> Vec<(Str, Vec<Str>)> {
        let members = self.object_of("dependentRequired").into_iter();
        members
            .filter_map(|(name, id)| Some((name, self.strings(self.document.array(id)?))))
            .collect()
    }

    fn patterns(&mut self) -> Result<Vec<(GoRegex, SchemaId)>, Fault> {
        let members = self.object_of("patternProperties");
        let mut out = Vec::with_capacity(members.len());
        for (pattern, id) in members {
            let regex = self.regex(&pattern, "patternProperties")?;
            out.push((regex, self.store.enqueue(self.root, id)));
        }
        Ok(out)
    }

    fn regex(&self, pattern: &Str, keyword: &str) -> Result<GoRegex, Fault> {
        GoRegex::compile(pattern).map_err(|e| {
            let location = self.store.roots.get(self.root).map(|root| root.location(self.node));
            let keyword = encode_pointer(&escape_token(keyword));
            let at = format!("{}/{keyword}", location.unwrap_or_default());
            let error = String::from_utf8_lossy(&e.to_bytes()).into_owned();
            let pattern = pattern.to_string_lossy();
            Fault::new(format!("invalid regex {} at {}: {error}", quote(&pattern), quote(&at)))
        })
    }

    fn array_keywords(&mut self, schema: &mut Schema) {
        let applies = self.dialect.has("applicator");
        if self.dialect.has("validation") {
            schema.keywords.extend(self.integer("minItems").map(Keyword::MinItems));
            schema.keywords.extend(self.integer("maxItems").map(Keyword::MaxItems));
            schema.keywords.extend(self.flag("uniqueItems").then_some(Keyword::UniqueItems));
        }
        if !applies {
            return;
        }
        let (prefix, rest) = if schema.draft < Draft::D2020 {
            match self.array("items") {
                Some(_) => (self.items("items"), self.additional("additionalItems")),
                None => (
                    Vec::new(),
                    self.property("items").map_or(Additional::Ignored, Additional::Schema),
                ),
            }
        } else {
            let rest = self.property("items").map_or(Additional::Ignored, Additional::Schema);
            (self.items("prefixItems"), rest)
        };
        schema.items_evaluated = prefix.len();
        schema.all_items_evaluated = !matches!(rest, Additional::Ignored);
        if !prefix.is_empty() || schema.all_items_evaluated {
            schema.keywords.push(Keyword::Items { prefix, rest });
        }
        if schema.draft >= Draft::D6
            && let Some(contained) = self.property("contains")
        {
            let counts = schema.draft >= Draft::D2019 && self.dialect.has("validation");
            let min = self.integer("minContains").filter(|_| counts);
            let max = self.integer("maxContains").filter(|_| counts);
            schema.keywords.push(Keyword::Contains { schema: contained, min, max });
        }
    }

    fn scalar_keywords(&mut self, schema: &mut Schema) -> Result<(), Fault> {
        if !self.dialect.has("validation") {
            return Ok(());
        }
        let out = &mut schema.keywords;
        out.extend(self.integer("minLength").map(Keyword::MinLength));
        out.extend(self.integer("maxLength").map(Keyword::MaxLength));
        if let Some(pattern) = self.get("pattern").and_then(|id| self.document.string(id).cloned())
        {
            out.push(Keyword::Pattern(self.regex(&pattern, "pattern")?, pattern));
        }
        let (mut minimum, mut maximum) = (self.number("minimum"), self.number("maximum"));
        // Draft 4 has booleans here, which make the limits exclusive.
        let exclusive_minimum = match self.flag("exclusiveMinimum") {
            true => minimum.take(),
            false => self.number("exclusiveMinimum"),
        };
        let exclusive_maximum = match self.flag("exclusiveMaximum") {
            true => maximum.take(),
            false => self.number("exclusiveMaximum"),
        };
        out.extend(minimum.map(Keyword::Minimum));
        out.extend(maximum.map(Keyword::Maximum));
        out.extend(exclusive_minimum.map(Keyword::ExclusiveMinimum));
        out.extend(exclusive_maximum.map(Keyword::ExclusiveMaximum));
        out.extend(self.number("multipleOf").map(Keyword::MultipleOf));
        Ok(())
    }

    pub(super) fn dynamic_reference(&mut self, budget: &Budget) -> Result<Option<Keyword>, Fault> {
        let Some(id) = self.reference("$dynamicRef", budget)? else { return Ok(None) };
        let reference = self.text("$dynamicRef").unwrap_or_default();
        let fragment = reference.split_once('#').map_or("", |(_, fragment)| fragment);
        let anchor = if fragment.starts_with('/') { "" } else { fragment };
        Ok(Some(Keyword::DynamicRef(id, anchor.to_owned())))
    }

    /// `if`, with those of its branches that can come to apply.
    pub(super) fn condition(&mut self) -> Option<Keyword> {
        let test = self.property("if")?;
        let fixed = self.get("if").and_then(|id| match self.document.node(id) {
            Node::Bool(b) => Some(*b),
            _ => None,
        });
        let then = if fixed == Some(false) { None } else { self.property("then") };
        let otherwise = if fixed == Some(true) { None } else { self.property("else") };
        Some(Keyword::If { test, then, otherwise })
    }

    fn condition_keywords(&mut self, schema: &mut Schema) {
        if !self.dialect.has("applicator") {
            return;
        }
        let out = &mut schema.keywords;
        out.extend(self.property("not").map(Keyword::Not));
        let [all, any, one] = ["allOf", "anyOf", "oneOf"].map(|name| self.items(name));
        out.extend((!all.is_empty()).then_some(Keyword::AllOf(all)));
        out.extend((!any.is_empty()).then_some(Keyword::AnyOf(any)));
        out.extend((!one.is_empty()).then_some(Keyword::OneOf(one)));
        if schema.draft < Draft::D7 {
            return;
        }
        schema.keywords.extend(self.condition());
    }

    fn unevaluated_keywords(&mut self, schema: &mut Schema) {
        let vocabulary = match schema.draft {
            Draft::D2020 => "unevaluated",
            Draft::D2019 => "applicator",
            _ => return,
        };
        if !self.dialect.has(vocabulary) {
            return;
        }
        let items = self.property("unevaluatedItems");
        let props = self.property("unevaluatedProperties");
        schema.unevaluated_items = items.is_some();
        schema.unevaluated_props = props.is_some();
        schema.keywords.extend(props.map(Keyword::UnevaluatedProperties));
        schema.keywords.extend(items.map(Keyword::UnevaluatedItems));
    }

    pub(super) fn reference(
        &mut self,
        keyword: &str,
        budget: &Budget,
    ) -> Result<Option<SchemaId>, Fault> {
        let Some(reference) = self.text(keyword) else { return Ok(None) };
        let mut target = self.store.roots.resolve(self.root, self.resource, &reference)?;
        if let Target::Elsewhere(url, fragment) = &target {
            let other = self.store.load(url, budget)?;
            target = self.store.roots.resolve_in(other, Document::ROOT, fragment)?;
        }
        Ok(Some(match target {
            Target::Node(root, node) => self.store.enqueue(root, node),
            Target::Nowhere(fault) => self.store.enqueue_missing(self.root, fault),
            Target::Elsewhere(..) => return Ok(None),
        }))
    }

    fn get(&self, keyword: &str) -> Option<NodeId> {
        let keyword = keyword.as_bytes();
        if self.keys.may_have(keyword) { self.document.member(self.node, keyword) } else { None }
    }

    fn text(&self, keyword: &str) -> Option<String> {
        self.document.string(self.get(keyword)?).map(|s| s.to_string_lossy().into_owned())
    }

    fn flag(&self, keyword: &str) -> bool {
        self.get(keyword).is_some_and(|id| matches!(self.document.node(id), Node::Bool(true)))
    }

    fn number(&self, keyword: &str) -> Option<Decimal> {
        match self.document.node(self.get(keyword)?) {
            Node::Number(number) => Number::decimal(number),
            _ => None,
        }
    }

    fn integer(&self, keyword: &str) -> Option<i64> {
        self.number(keyword)?.to_i64()
    }

    pub(super) fn array(&self, keyword: &str) -> Option<Vec<NodeId>> {
        self.document.array(self.get(keyword)?).map(<[NodeId]>::to_vec)
    }

    fn strings(&self, list: &[NodeId]) -> Vec<Str> {
        list.iter().filter_map(|id| self.document.string(*id).cloned()).collect()
    }

    fn object_of(&self, keyword: &str) -> Vec<(Str, NodeId)> {
        let members = self.get(keyword).and_then(|id| self.document.object(id));
        members.unwrap_or_default().to_vec()
    }

    pub(super) fn property(&mut self, keyword: &str) -> Option<SchemaId> {
        let node = self.get(keyword)?;
        Some(self.store.enqueue(self.root, node))
    }

    pub(super) fn items(&mut self, keyword: &str) -> Vec<SchemaId> {
        let nodes = self.array(keyword).unwrap_or_default();
        nodes.into_iter().map(|node| self.store.enqueue(self.root, node)).collect()
    }

    pub(super) fn members(&mut self, keyword: &str) -> Vec<(Str, SchemaId)> {
        let members = self.object_of(keyword).into_iter();
        members.map(|(name, node)| (name, self.store.enqueue(self.root, node))).collect()
    }

    pub(super) fn additional(&mut self, keyword: &str) -> Additional {
        match self.get(keyword).map(|id| self.document.node(id)) {
            None => Additional::Ignored,
            Some(Node::Bool(b)) => Additional::Allowed(*b),
            Some(_) => self.property(keyword).map_or(Additional::Ignored, Additional::Schema),
        }
    }
}
