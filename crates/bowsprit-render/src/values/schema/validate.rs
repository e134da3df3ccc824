//! Checking an instance against compiled schemas, without recursion.
//!
//! Every schema that is applied to a value is a frame on a stack of our own. A frame works through its
//! keywords; where one needs another schema, that becomes the next frame, and its outcome comes back
//! through [`Engine::deliver`].

use super::Fault;
use super::compile::{Additional, Demand, Keyword, Schema, SchemaId, Store, types};
use super::document::{Document, Node, NodeId, Token};
use super::drafts::Draft;
use super::equal::{duplicates, equal};
use super::failure::{FailId, Failures, Kind, quote};
use super::number::{Decimal, Number, localized_float, localized_int};
use super::roots::{escape_token, push_token};
use bowsprit_sprig::goregex::GoRegex;
use bowsprit_value::{Str, unicode};
use std::cell::Cell;
use std::mem;

const MAX_DEPTH: usize = 10_000;

/// What is left of the work that one schema may cause.
#[derive(Debug)]
pub(super) struct Budget(Cell<u64>);

impl Budget {
    pub(super) const fn new(steps: u64) -> Budget {
        Budget(Cell::new(steps))
    }

    pub(super) fn charge(&self, steps: u64) -> Result<(), Fault> {
        self.spend(steps);
        if self.0.get() == 0 {
            return Err(Fault::limit("limit reached: schema takes too many steps"));
        }
        Ok(())
    }

    /// Charges work where an error can't be told; the next charge tells it.
    fn spend(&self, steps: u64) {
        self.0.set(self.0.get().saturating_sub(steps));
    }
}

/// The metaschemas of a schema document's resources, while it is the instance.
#[derive(Debug)]
pub(super) struct MetaResources {
    pub(super) root: SchemaId,
    /// By JSON pointer.
    pub(super) of: Vec<(String, SchemaId)>,
}

/// The type of a value as a bit of [`types`]; 0 where no JSON has it.
pub(super) fn type_of(document: &Document, node: NodeId) -> u8 {
    match document.node(node) {
        Node::Null => types::NULL,
        Node::Bool(_) => types::BOOLEAN,
        Node::Number(_) => types::NUMBER,
        Node::String(_) => types::STRING,
        Node::Array(..) => types::ARRAY,
        Node::Object(..) => types::OBJECT,
        Node::Invalid(_) => 0,
    }
}

/// Validates a node; gives the failures as text where there are any.
pub(super) fn run(
    store: &Store<'_>,
    schema: SchemaId,
    document: &Document,
    node: NodeId,
    meta: Option<MetaResources>,
    budget: &Budget,
) -> Result<Option<String>, Fault> {
    let mut engine = Engine {
        store,
        document,
        meta: meta.as_ref().map(|m| m.of.as_slice()).unwrap_or_default(),
        budget,
        failures: Failures::default(),
        frames: Vec::new(),
    };
    let first = Call {
        schema,
        value: Instance::Node(node),
        step: Step::Root,
        reference: None,
        quiet: false,
        tracked: false,
        meta: meta.as_ref().map(|m| m.root),
        purpose: Purpose::Failure,
    };
    match engine.run(first)? {
        Outcome::Valid(_) => Ok(None),
        Outcome::Failed(id) => {
            let header = format!(
                "jsonschema validation failed with {}",
                quote(store.location(schema).as_bytes())
            );
            Ok(Some(engine.failures.render(store, header, id)))
        }
    }
}

/// The value that a frame is about.
#[derive(Clone, Debug)]
enum Instance {
    Node(NodeId),
    /// The name of a member, for `propertyNames`.
    Name(Str),
}

/// How a frame's value lies to that of the frame below.
#[derive(Clone, Debug)]
enum Step {
    /// A validation of its own.
    Root,
    /// The same value.
    Same,
    /// An item or member of it.
    Into(Token),
}

/// What an outcome is for.
#[derive(Clone, Debug)]
enum Purpose {
    /// A failure of the schema.
    Failure,
    /// The target of a reference keyword.
    Reference,
    PropertyName(Str),
    Contains(usize),
    Not,
    /// A branch of `allOf`, `anyOf` or `oneOf`.
    Branch(usize),
    Test,
}

struct Call {
    schema: SchemaId,
    value: Instance,
    step: Step,
    reference: Option<&'static str>,
    /// Only whether it fails counts, not why.
    quiet: bool,
    /// The caller wants to know what is evaluated.
    tracked: bool,
    meta: Option<SchemaId>,
    purpose: Purpose,
}

enum Outcome {
    Valid(Unevaluated),
    Failed(FailId),
}

/// Which members or items no keyword has looked at yet; `None` where nobody asks.
type Unevaluated = Option<Vec<bool>>;

fn is_any(left: &Unevaluated) -> bool {
    left.as_ref().is_some_and(|left| left.contains(&true))
}

struct Frame {
    schema: SchemaId,
    /// The schema that was called for; in a metaschema another may have taken its place.
    called: SchemaId,
    value: Instance,
    step: Step,
    /// Counts up with every step to another value, so that equal numbers in a row mean the same value.
    level: u32,
    reference: Option<&'static str>,
    quiet: bool,
    meta: Option<SchemaId>,
    left: Unevaluated,
    purpose: Purpose,
    failures: Vec<FailId>,
    /// The keyword that is worked on, and how far it is done.
    keyword: usize,
    cursor: usize,
    sub: usize,
    causes: Vec<FailId>,
    matched: Vec<usize>,
    names: Vec<Str>,
}

/// What a keyword wants next.
enum Next {
    Call(SchemaId, Instance, Step, Purpose, Option<&'static str>, bool),
    Done,
    /// Nothing more of this schema counts.
    Return,
}

struct Engine<'s, 'l> {
    store: &'s Store<'l>,
    document: &'s Document,
    meta: &'s [(String, SchemaId)],
    budget: &'s Budget,
    failures: Failures,
    frames: Vec<Frame>,
}

impl<'s> Engine<'s, '_> {
    fn run(&mut self, first: Call) -> Result<Outcome, Fault> {
        let mut arrived = self.enter(first)?;
        loop {
            let outcome = match arrived.take() {
                Some(outcome) => outcome,
                None => match self.advance()? {
                    Some(call) => {
                        arrived = self.enter(call)?;
                        continue;
                    }
                    None => self.finish(),
                },
            };
            let Some(frame) = self.frames.pop() else {
                return Ok(outcome);
            };
            if self.frames.is_empty() {
                return Ok(outcome);
            }
            self.deliver(frame, outcome);
        }
    }

    fn schema(&self, id: SchemaId) -> Result<&'s Schema, Fault> {
        self.store.schema(id).ok_or_else(|| Fault::new("no such schema"))
    }

    /// Puts a frame on the stack; gives the outcome at once where the first checks decide.
    fn enter(&mut self, call: Call) -> Result<Option<Outcome>, Fault> {
        self.budget.charge(4)?;
        if self.frames.len() >= MAX_DEPTH {
            return Err(Fault::limit("limit reached: schema is nested too deeply"));
        }
        let level = match (self.frames.last(), &call.step) {
            (None, _) => 0,
            (Some(below), Step::Same) => below.level,
            (Some(below), _) => below.level.wrapping_add(1),
        };
        let left = self.unevaluated(&call)?;
        self.frames.push(Frame {
            schema: call.schema,
            called: call.schema,
            value: call.value,
            step: call.step,
            level,
            reference: call.reference,
            quiet: call.quiet,
            meta: call.meta,
            left,
            purpose: call.purpose,
            failures: Vec::new(),
            keyword: 0,
            cursor: 0,
            sub: 0,
            causes: Vec::new(),
            matched: Vec::new(),
            names: Vec::new(),
        });
        self.switch_metaschema();
        self.begin()
    }

    fn unevaluated(&self, call: &Call) -> Result<Unevaluated, Fault> {
        let schema = self.schema(call.schema)?;
        let Instance::Node(node) = call.value else { return Ok(None) };
        let wanted = match self.document.node(node) {
            Node::Object(start, end) => {
                let asked = call.tracked || schema.unevaluated_props;
                let len = (end - start) as usize;
                (asked && !schema.all_props_evaluated).then(|| vec![true; len])
            }
            Node::Array(start, end) => {
                let asked = call.tracked || schema.unevaluated_items;
                let len = (end - start) as usize;
                let asked = asked && !schema.all_items_evaluated && schema.items_evaluated < len;
                asked.then(|| (0..len).map(|i| i >= schema.items_evaluated).collect())
            }
            _ => None,
        };
        if let Some(wanted) = &wanted {
            self.budget.charge(wanted.len() as u64 / 8)?;
        }
        Ok(wanted)
    }

    /// In a schema document, a resource of another dialect has its own metaschema.
    fn switch_metaschema(&mut self) {
        let Some(frame) = self.frames.last() else { return };
        if self.frames.len() == 1 || frame.meta != Some(frame.schema) {
            return;
        }
        let location = self.location();
        if let Some((_, schema)) = self.meta.iter().find(|(pointer, _)| *pointer == location)
            && let Some(frame) = self.frames.last_mut()
        {
            frame.schema = *schema;
            frame.meta = Some(*schema);
        }
    }

    /// The JSON pointer of the current value.
    fn location(&self) -> String {
        let mut from = self.frames.len();
        let mut tokens = Vec::new();
        while let Some(frame) = from.checked_sub(1).and_then(|i| self.frames.get(i)) {
            match &frame.step {
                Step::Root => break,
                Step::Same => {}
                Step::Into(token) => tokens.push(token),
            }
            from -= 1;
        }
        let mut out = String::new();
        for token in tokens.into_iter().rev() {
            push_token(&mut out, token);
        }
        out
    }

    fn fail(&mut self, kind: impl FnOnce() -> Kind) -> FailId {
        if self.frames.last().is_some_and(|frame| frame.quiet) {
            return Failures::QUIET;
        }
        let at = self.location();
        self.budget.spend(32 + at.len() as u64 / 8);
        self.failures.add(at, kind(), Vec::new())
    }

    fn failed(&mut self, kind: impl FnOnce() -> Kind) -> Option<Outcome> {
        Some(Outcome::Failed(self.fail(kind)))
    }

    /// Adds a failure of the current frame.
    fn note(&mut self, text: impl FnOnce() -> String) {
        let id = self.fail(|| Kind::Text(text()));
        if let Some(frame) = self.frames.last_mut() {
            frame.failures.push(id);
        }
    }

    fn note_causes(&mut self, text: impl FnOnce() -> String, causes: Vec<FailId>) {
        let id = self.fail(|| Kind::Text(text()));
        self.failures.set_causes(id, causes);
        if let Some(frame) = self.frames.last_mut() {
            frame.failures.push(id);
        }
    }

    /// The checks that decide alone: nothing else is looked at where one of them fails.
    fn begin(&mut self) -> Result<Option<Outcome>, Fault> {
        let Some(frame) = self.frames.last_mut() else { return Ok(None) };
        let id = frame.schema;
        let schema = self.schema(id)?;
        match schema.truth {
            Some(true) => {
                let left = self.frames.last_mut().and_then(|frame| frame.left.take());
                return Ok(Some(Outcome::Valid(left)));
            }
            Some(false) => return Ok(self.failed(|| Kind::Text("false schema".into()))),
            None => {}
        }
        if let Some(text) = self.reference_cycle()? {
            return Ok(self.failed(|| Kind::Text(text)));
        }
        if let Some(name) = self.invalid_type() {
            return Ok(self.failed(|| Kind::Text(format!("invalid jsonType {name}"))));
        }
        if schema.types != 0 && !self.type_matches(schema.types) {
            let got = self.type_name();
            return Ok(self.failed(|| Kind::Text(wrong_type(got, schema.types))));
        }
        if let Some(constant) = schema.constant
            && !self.equals(schema, constant)?
        {
            return Ok(self.failed(|| Kind::Constant(id)));
        }
        if let Some(values) = &schema.values {
            let mut matched = false;
            if values.types & self.type_bit() != 0 {
                for node in &values.nodes {
                    self.budget.charge(1)?;
                    if self.equals(schema, *node)? {
                        matched = true;
                        break;
                    }
                }
            }
            if !matched {
                return Ok(self.failed(|| Kind::Enumeration(id)));
            }
        }
        Ok(self.format_failure(schema))
    }

    fn value(&self) -> &Instance {
        const NONE: &Instance = &Instance::Node(Document::ROOT);
        self.frames.last().map_or(NONE, |frame| &frame.value)
    }

    fn type_bit(&self) -> u8 {
        match self.value() {
            Instance::Node(node) => type_of(self.document, *node),
            Instance::Name(_) => types::STRING,
        }
    }

    fn type_name(&self) -> &'static str {
        let bit = self.type_bit();
        types::NAMES.iter().find(|(known, _)| *known == bit).map_or("", |(_, name)| name)
    }

    fn invalid_type(&self) -> Option<String> {
        match self.value() {
            Instance::Node(node) => match self.document.node(*node) {
                Node::Invalid(name) => Some(name.to_string()),
                _ => None,
            },
            Instance::Name(_) => None,
        }
    }

    fn type_matches(&self, wanted: u8) -> bool {
        let bit = self.type_bit();
        wanted & bit != 0
            || (wanted & types::INTEGER != 0
                && bit == types::NUMBER
                && self.number().is_some_and(|n| match n {
                    Number::Int(_) => true,
                    other => other.decimal().is_some_and(|d| d.is_integer()),
                }))
    }

    fn number(&self) -> Option<&'s Number> {
        match self.value() {
            Instance::Node(node) => match self.document.node(*node) {
                Node::Number(number) => Some(number),
                _ => None,
            },
            Instance::Name(_) => None,
        }
    }

    fn string(&self) -> Option<Str> {
        match self.value() {
            Instance::Node(node) => self.document.string(*node).cloned(),
            Instance::Name(name) => Some(name.clone()),
        }
    }

    fn members(&self) -> &'s [(Str, NodeId)] {
        match self.value() {
            Instance::Node(node) => self.document.object(*node).unwrap_or_default(),
            Instance::Name(_) => &[],
        }
    }

    fn items(&self) -> &'s [NodeId] {
        match self.value() {
            Instance::Node(node) => self.document.array(*node).unwrap_or_default(),
            Instance::Name(_) => &[],
        }
    }

    fn equals(&self, schema: &Schema, wanted: NodeId) -> Result<bool, Fault> {
        let Some(root) = self.store.roots.get(schema.root) else { return Ok(false) };
        match self.value() {
            Instance::Node(node) => {
                equal((self.document, *node), (&root.document, wanted), self.budget)
            }
            Instance::Name(name) => Ok(root.document.string(wanted) == Some(name)),
        }
    }

    fn format_failure(&mut self, schema: &Schema) -> Option<Outcome> {
        let format = schema.format?;
        let text = self.string()?;
        let error = match format.check {
            Some(check) => check(text.as_bytes()).err(),
            None => GoRegex::compile(&text)
                .err()
                .map(|e| String::from_utf8_lossy(&e.to_bytes()).into_owned()),
        }?;
        self.failed(|| {
            let shown = quote(text.as_bytes());
            Kind::Text(format!("{shown} is not valid {}: {error}", format.name))
        })
    }

    /// A schema that is applied to a value while it already is being applied to it.
    fn reference_cycle(&self) -> Result<Option<String>, Fault> {
        let Some((frame, below)) = self.frames.split_last() else { return Ok(None) };
        let same = below.iter().rev().take_while(|f| f.level == frame.level);
        let mut steps = 0;
        let mut found = None;
        for (i, other) in same.enumerate() {
            steps += 1;
            if other.called == frame.called {
                found = Some(below.len() - 1 - i);
                break;
            }
        }
        self.budget.charge(steps / 4)?;
        let Some(found) = found else { return Ok(None) };
        let (here, there) =
            (self.keyword_location(self.frames.len() - 1), self.keyword_location(found));
        let url = self.store.location(frame.called);
        Ok(Some(format!(
            "both {here} and {there} resolve to {} causing reference cycle",
            super::roots::quote(&url)
        )))
    }

    /// The keywords that lead from the first schema of a validation to a frame.
    fn keyword_location(&self, index: usize) -> String {
        let mut parts = Vec::new();
        let mut at = index;
        while let Some(frame) = self.frames.get(at) {
            if matches!(frame.step, Step::Root) {
                break;
            }
            let Some(below) = at.checked_sub(1).and_then(|i| self.frames.get(i)) else { break };
            parts.push(match frame.reference {
                Some(keyword) => format!("/{}", escape_token(keyword)),
                None => {
                    let (here, below) =
                        (self.store.location(frame.called), self.store.location(below.called));
                    here.get(below.len()..).unwrap_or_default().to_owned()
                }
            });
            at -= 1;
        }
        parts.reverse();
        parts.concat()
    }

    /// Works on the current frame until it needs another schema; `None` where it is done.
    fn advance(&mut self) -> Result<Option<Call>, Fault> {
        loop {
            let Some(frame) = self.frames.last() else { return Ok(None) };
            let schema = self.schema(frame.schema)?;
            if frame.quiet && !frame.failures.is_empty() {
                return Ok(None);
            }
            let Some(keyword) = schema.keywords.get(frame.keyword) else { return Ok(None) };
            let next =
                if self.concerns(keyword) { self.apply(schema, keyword)? } else { Next::Done };
            match next {
                Next::Return => return Ok(None),
                Next::Call(schema, value, step, purpose, reference, quiet) => {
                    let Some(frame) = self.frames.last() else { return Ok(None) };
                    let same = matches!(step, Step::Same);
                    return Ok(Some(Call {
                        schema,
                        value,
                        reference,
                        quiet: match step {
                            Step::Root => false,
                            _ => frame.quiet || quiet,
                        },
                        tracked: same && is_any(&frame.left),
                        meta: frame.meta,
                        step,
                        purpose,
                    }));
                }
                Next::Done => {
                    if let Some(frame) = self.frames.last_mut() {
                        frame.keyword += 1;
                        frame.cursor = 0;
                        frame.sub = 0;
                        frame.causes.clear();
                        frame.matched.clear();
                    }
                }
            }
        }
    }

    /// Whether a keyword says anything about values of this type.
    fn concerns(&self, keyword: &Keyword) -> bool {
        use Keyword as K;
        let wanted = match keyword {
            K::MinProperties(_)
            | K::MaxProperties(_)
            | K::Required(_)
            | K::Dependencies(_)
            | K::Properties { .. }
            | K::PropertyNames(_)
            | K::DependentSchemas(_)
            | K::DependentRequired(_)
            | K::UnevaluatedProperties(_) => types::OBJECT,
            K::MinItems(_)
            | K::MaxItems(_)
            | K::UniqueItems
            | K::Items { .. }
            | K::Contains { .. }
            | K::UnevaluatedItems(_) => types::ARRAY,
            K::MinLength(_) | K::MaxLength(_) | K::Pattern(..) => types::STRING,
            K::Minimum(_)
            | K::Maximum(_)
            | K::ExclusiveMinimum(_)
            | K::ExclusiveMaximum(_)
            | K::MultipleOf(_) => types::NUMBER,
            _ => return true,
        };
        wanted & self.type_bit() != 0
    }

    fn finish(&mut self) -> Outcome {
        let Some(frame) = self.frames.last_mut() else { return Outcome::Valid(None) };
        let failures = mem::take(&mut frame.failures);
        match failures.as_slice() {
            [] => Outcome::Valid(frame.left.take()),
            [one] => Outcome::Failed(*one),
            _ => {
                let group = self.fail(|| Kind::Group);
                self.failures.set_causes(group, failures);
                Outcome::Failed(group)
            }
        }
    }

    fn cursor(&self) -> usize {
        self.frames.last().map_or(0, |frame| frame.cursor)
    }

    fn next_cursor(&mut self) -> usize {
        let Some(frame) = self.frames.last_mut() else { return 0 };
        frame.cursor += 1;
        frame.cursor - 1
    }

    fn call(&self, schema: SchemaId, purpose: Purpose) -> Next {
        Next::Call(schema, self.value().clone(), Step::Same, purpose, None, false)
    }

    fn apply(&mut self, schema: &'s Schema, keyword: &'s Keyword) -> Result<Next, Fault> {
        use Keyword as K;
        match keyword {
            K::Ref(id) => return Ok(self.reference("$ref", *id, schema.draft < Draft::D2019)),
            K::RecursiveRef(id) => {
                let target = self.resolve_recursive(*id)?;
                return Ok(self.reference("$recursiveRef", target, false));
            }
            K::DynamicRef(id, anchor) => {
                let target = self.resolve_dynamic(*id, anchor)?;
                return Ok(self.reference("$dynamicRef", target, false));
            }
            K::MinProperties(_)
            | K::MaxProperties(_)
            | K::MinItems(_)
            | K::MaxItems(_)
            | K::MinLength(_)
            | K::MaxLength(_) => self.check_size(keyword),
            K::Required(names) => self.check_required(names),
            K::DependentRequired(list) => self.check_dependent(list),
            K::UniqueItems => self.check_unique()?,
            K::Pattern(regex, source) => self.check_pattern(regex, source)?,
            K::Minimum(_)
            | K::Maximum(_)
            | K::ExclusiveMinimum(_)
            | K::ExclusiveMaximum(_)
            | K::MultipleOf(_) => self.check_number(keyword)?,
            K::Dependencies(list) => return Ok(self.dependencies(list)),
            K::Properties { .. } => return self.properties(keyword),
            K::PropertyNames(id) => return Ok(self.property_names(*id)),
            K::DependentSchemas(list) => return Ok(self.dependent_schemas(list)),
            K::Items { prefix, rest } => return Ok(self.each_item(prefix, rest)),
            K::Contains { schema, min, max } => return Ok(self.contains(*schema, *min, *max)),
            K::Not(id) => {
                if self.next_cursor() == 0 {
                    let value = self.value().clone();
                    return Ok(Next::Call(*id, value, Step::Same, Purpose::Not, None, true));
                }
            }
            K::AllOf(list) => return Ok(self.all_of(list)),
            K::AnyOf(list) => return Ok(self.any_of(list)),
            K::OneOf(list) => return Ok(self.one_of(list)),
            K::If { test, then, otherwise } => return Ok(self.condition(*test, *then, *otherwise)),
            K::UnevaluatedProperties(id) => return Ok(self.unevaluated_properties(*id)),
            K::UnevaluatedItems(id) => return Ok(self.unevaluated_items(*id)),
        }
        Ok(Next::Done)
    }

    fn reference(&mut self, keyword: &'static str, target: SchemaId, last: bool) -> Next {
        if self.next_cursor() > 0 {
            return if last { Next::Return } else { Next::Done };
        }
        let value = self.value().clone();
        Next::Call(target, value, Step::Same, Purpose::Reference, Some(keyword), false)
    }

    /// The frames of this validation, outermost last.
    fn scopes(&self) -> impl Iterator<Item = &Frame> {
        let mut over = false;
        self.frames.iter().rev().take_while(move |frame| {
            let within = !over;
            over = over || matches!(frame.step, Step::Root);
            within
        })
    }

    fn resolve_recursive(&self, target: SchemaId) -> Result<SchemaId, Fault> {
        if !self.schema(target)?.recursive_anchor {
            return Ok(target);
        }
        self.budget.charge(self.frames.len() as u64 / 4)?;
        let anchored = self.scopes().filter(|frame| {
            let resource = self.store.schema(frame.called).map(|s| s.resource);
            resource.and_then(|id| self.store.schema(id)).is_some_and(|r| r.recursive_anchor)
        });
        Ok(anchored.last().map_or(target, |frame| frame.called))
    }

    fn resolve_dynamic(&self, target: SchemaId, anchor: &str) -> Result<SchemaId, Fault> {
        if anchor.is_empty() || self.schema(target)?.dynamic_anchor != anchor {
            return Ok(target);
        }
        self.budget.charge(self.frames.len() as u64 / 4)?;
        let found = self.scopes().filter_map(|frame| {
            let resource = self.store.schema(frame.called)?.resource;
            let anchors = &self.store.schema(resource)?.dynamic_anchors;
            anchors.iter().find(|(name, _)| name == anchor).map(|(_, id)| *id)
        });
        Ok(found.last().unwrap_or(target))
    }

    fn check_size(&mut self, keyword: &Keyword) {
        use Keyword as K;
        let size = |len: usize| i64::try_from(len).unwrap_or(i64::MAX);
        let members = size(self.members().len());
        let items = size(self.items().len());
        let runes = || size(self.string().map_or(0, |s| unicode::rune_count(s.as_bytes())));
        let (name, got, want, holds) = match *keyword {
            K::MinProperties(want) => ("minProperties", members, want, members >= want),
            K::MaxProperties(want) => ("maxProperties", members, want, members <= want),
            K::MinItems(want) => ("minItems", items, want, items >= want),
            K::MaxItems(want) => ("maxItems", items, want, items <= want),
            K::MinLength(want) => ("minLength", runes(), want, runes() >= want),
            K::MaxLength(want) => ("maxLength", runes(), want, runes() <= want),
            _ => return,
        };
        if !holds {
            self.note(|| {
                format!("{name}: got {}, want {}", localized_int(got), localized_int(want))
            });
        }
    }

    fn missing(&self, names: &[Str]) -> Vec<Str> {
        let members = self.members();
        let is_there = |name: &Str| super::document::find(members, name.as_bytes()).is_some();
        names.iter().filter(|name| !is_there(name)).cloned().collect()
    }

    fn check_required(&mut self, names: &[Str]) {
        let missing = self.missing(names);
        match missing.as_slice() {
            [] => {}
            [one] => self.note(|| format!("missing property {}", quote(one.as_bytes()))),
            many => self.note(|| format!("missing properties {}", join_quoted(many))),
        }
    }

    fn check_dependent(&mut self, list: &[(Str, Vec<Str>)]) {
        for (name, wanted) in list {
            self.check_dependency(name, wanted);
        }
    }

    fn check_dependency(&mut self, name: &Str, wanted: &[Str]) {
        if super::document::find(self.members(), name.as_bytes()).is_none() {
            return;
        }
        let missing = self.missing(wanted);
        if !missing.is_empty() {
            self.note(|| {
                let name = quote(name.as_bytes());
                format!("properties {} required, if {name} exists", join_quoted(&missing))
            });
        }
    }

    fn check_unique(&mut self) -> Result<(), Fault> {
        if let Some((first, second)) = duplicates(self.document, self.items(), self.budget)? {
            let (first, second) = (size_text(first), size_text(second));
            self.note(|| format!("items at {first} and {second} are equal"));
        }
        Ok(())
    }

    fn check_pattern(&mut self, regex: &GoRegex, source: &Str) -> Result<(), Fault> {
        let Some(text) = self.string() else { return Ok(()) };
        if !regex.is_match(text.as_bytes(), &mut |steps| self.budget.charge(steps / 2))? {
            self.note(|| {
                let (text, source) = (quote(text.as_bytes()), quote(source.as_bytes()));
                format!("{text} does not match pattern {source}")
            });
        }
        Ok(())
    }

    fn check_number(&mut self, keyword: &Keyword) -> Result<(), Fault> {
        use Keyword as K;
        let Some(got) = self.number().and_then(Number::decimal) else { return Ok(()) };
        let (name, want, holds) = match keyword {
            K::Minimum(want) => ("minimum", want, got >= *want),
            K::Maximum(want) => ("maximum", want, got <= *want),
            K::ExclusiveMinimum(want) => ("exclusiveMinimum", want, got > *want),
            K::ExclusiveMaximum(want) => ("exclusiveMaximum", want, got < *want),
            K::MultipleOf(want) => {
                let multiple = got.is_multiple_of(want);
                let multiple = multiple
                    .ok_or_else(|| Fault::limit("limit reached: numbers have too many digits"))?;
                ("multipleOf", want, multiple)
            }
            _ => return Ok(()),
        };
        if !holds {
            self.note(|| {
                let shown = |d: &Decimal| localized_float(d.to_f64());
                format!("{name}: got {}, want {}", shown(&got), shown(want))
            });
        }
        Ok(())
    }

    fn dependencies(&mut self, list: &[(Str, Demand)]) -> Next {
        while let Some((name, demand)) = list.get(self.next_cursor()) {
            match demand {
                Demand::Props(wanted) => self.check_dependency(name, wanted),
                Demand::Schema(id) => {
                    if super::document::find(self.members(), name.as_bytes()).is_some() {
                        return self.call(*id, Purpose::Failure);
                    }
                }
            }
        }
        Next::Done
    }

    fn dependent_schemas(&mut self, list: &[(Str, SchemaId)]) -> Next {
        while let Some((name, id)) = list.get(self.next_cursor()) {
            if super::document::find(self.members(), name.as_bytes()).is_some() {
                return self.call(*id, Purpose::Failure);
            }
        }
        Next::Done
    }

    /// Member by member: `properties`, then each of `patternProperties`, then what is left over. `sub`
    /// is 0 before the first of them, and one more than the pattern to try next after it.
    fn properties(&mut self, keyword: &'s Keyword) -> Result<Next, Fault> {
        let Keyword::Properties { named, patterns, additional } = keyword else {
            return Ok(Next::Done);
        };
        let budget = self.budget;
        while let Some((name, value)) = self.members().get(self.cursor()) {
            budget.charge(1)?;
            let into = || Step::Into(Token::Key(name.clone()));
            let call =
                |id| Next::Call(id, Instance::Node(*value), into(), Purpose::Failure, None, false);
            let Some(frame) = self.frames.last_mut() else { return Ok(Next::Done) };
            if frame.sub == 0 {
                frame.sub = 1;
                frame.matched.clear();
                if let Some(id) = find_schema(named, name) {
                    frame.matched.push(0);
                    return Ok(call(id));
                }
            }
            while let Some((regex, id)) = patterns.get(frame.sub - 1) {
                frame.sub += 1;
                if regex.is_match(name.as_bytes(), &mut |steps| budget.charge(1 + steps / 2))? {
                    frame.matched.push(0);
                    return Ok(call(*id));
                }
            }
            let mut next = None;
            if frame.matched.is_empty() {
                match additional {
                    Additional::Ignored => {}
                    Additional::Allowed(true) => frame.matched.push(0),
                    Additional::Allowed(false) => {
                        frame.matched.push(0);
                        frame.names.push(name.clone());
                    }
                    Additional::Schema(id) => {
                        frame.matched.push(0);
                        next = Some(call(*id));
                    }
                }
            }
            if !frame.matched.is_empty() {
                mark_evaluated(&mut frame.left, frame.cursor);
            }
            frame.cursor += 1;
            frame.sub = 0;
            if let Some(next) = next {
                return Ok(next);
            }
        }
        let names = self.frames.last_mut().map(|frame| mem::take(&mut frame.names));
        if let Some(names) = names.filter(|names| !names.is_empty()) {
            self.note(|| format!("additional properties {} not allowed", join_quoted(&names)));
        }
        Ok(Next::Done)
    }

    fn property_names(&mut self, id: SchemaId) -> Next {
        let at = self.next_cursor();
        match self.members().get(at) {
            None => Next::Done,
            Some((name, _)) => {
                let purpose = Purpose::PropertyName(name.clone());
                Next::Call(id, Instance::Name(name.clone()), Step::Root, purpose, None, false)
            }
        }
    }

    fn each_item(&mut self, prefix: &[SchemaId], rest: &Additional) -> Next {
        let items = self.items();
        let at = self.next_cursor();
        let Some(item) = items.get(at) else { return Next::Done };
        // The library counts the items behind the prefix from zero again.
        let (id, index) = match prefix.get(at) {
            Some(id) => (*id, at),
            None => match rest {
                Additional::Schema(id) => (*id, at - prefix.len()),
                Additional::Allowed(false) => {
                    let count = size_text(items.len() - at);
                    self.note(|| format!("last {count} additionalItem(s) not allowed"));
                    return Next::Done;
                }
                _ => return Next::Done,
            },
        };
        let step = Step::Into(Token::Index(index));
        Next::Call(id, Instance::Node(*item), step, Purpose::Failure, None, false)
    }

    fn contains(&mut self, id: SchemaId, min: Option<i64>, max: Option<i64>) -> Next {
        let at = self.next_cursor();
        if let Some(item) = self.items().get(at) {
            let step = Step::Into(Token::Index(at));
            return Next::Call(id, Instance::Node(*item), step, Purpose::Contains(at), None, false);
        }
        let Some(frame) = self.frames.last_mut() else { return Next::Done };
        let (causes, matched) = (mem::take(&mut frame.causes), mem::take(&mut frame.matched));
        let count = i64::try_from(matched.len()).unwrap_or(i64::MAX);
        match min {
            Some(min) if count < min => {
                self.note_causes(|| contained("min", min, "items required to", &matched), causes);
            }
            None if matched.is_empty() => {
                self.note_causes(|| "no items match contains schema".into(), causes);
            }
            _ => {}
        }
        if let Some(max) = max.filter(|max| count > *max) {
            self.note(|| contained("max", max, "items required to", &matched));
        }
        Next::Done
    }

    fn all_of(&mut self, list: &[SchemaId]) -> Next {
        let at = self.next_cursor();
        let stop = self.frames.last().is_some_and(|f| f.quiet && !f.causes.is_empty());
        if let Some(id) = list.get(at).filter(|_| !stop) {
            return self.call(*id, Purpose::Branch(at));
        }
        let causes = self.frames.last_mut().map(|f| mem::take(&mut f.causes)).unwrap_or_default();
        if !causes.is_empty() {
            self.note_causes(|| "'allOf' failed".into(), causes);
        }
        Next::Done
    }

    fn any_of(&mut self, list: &[SchemaId]) -> Next {
        let at = self.next_cursor();
        // Where somebody asks what was evaluated, every branch has to be tried.
        let stop = self.frames.last().is_some_and(|f| !f.matched.is_empty() && !is_any(&f.left));
        if let Some(id) = list.get(at).filter(|_| !stop) {
            return self.call(*id, Purpose::Branch(at));
        }
        let Some(frame) = self.frames.last_mut() else { return Next::Done };
        let causes = mem::take(&mut frame.causes);
        if frame.matched.is_empty() {
            self.note_causes(|| "'anyOf' failed".into(), causes);
        }
        Next::Done
    }

    fn one_of(&mut self, list: &[SchemaId]) -> Next {
        let at = self.next_cursor();
        let matched = self.frames.last().map(|f| f.matched.clone()).unwrap_or_default();
        if let [first, second, ..] = matched.as_slice() {
            let (first, second) = (size_text(*first), size_text(*second));
            self.note(|| format!("'oneOf' failed, subschemas {first}, {second} matched"));
            return Next::Done;
        }
        if let Some(id) = list.get(at) {
            let (value, quiet) = (self.value().clone(), !matched.is_empty());
            return Next::Call(*id, value, Step::Same, Purpose::Branch(at), None, quiet);
        }
        if matched.is_empty() {
            let causes = self.frames.last_mut().map(|f| mem::take(&mut f.causes));
            self.note_causes(|| "'oneOf' failed, none matched".into(), causes.unwrap_or_default());
        }
        Next::Done
    }

    fn condition(
        &mut self,
        test: SchemaId,
        then: Option<SchemaId>,
        otherwise: Option<SchemaId>,
    ) -> Next {
        match self.next_cursor() {
            0 => {
                let value = self.value().clone();
                Next::Call(test, value, Step::Same, Purpose::Test, None, true)
            }
            1 => {
                let holds = self.frames.last().is_some_and(|f| !f.matched.is_empty());
                match if holds { then } else { otherwise } {
                    Some(id) => self.call(id, Purpose::Failure),
                    None => Next::Done,
                }
            }
            _ => Next::Done,
        }
    }

    fn unevaluated_properties(&mut self, id: SchemaId) -> Next {
        while let Some((name, value)) = self.members().get(self.cursor()) {
            let at = self.next_cursor();
            if self.is_left(at) {
                let step = Step::Into(Token::Key(name.clone()));
                let value = Instance::Node(*value);
                return Next::Call(id, value, step, Purpose::Failure, None, false);
            }
        }
        self.forget_left();
        Next::Done
    }

    fn unevaluated_items(&mut self, id: SchemaId) -> Next {
        while let Some(item) = self.items().get(self.cursor()) {
            let at = self.next_cursor();
            if self.is_left(at) {
                let step = Step::Into(Token::Index(at));
                let value = Instance::Node(*item);
                return Next::Call(id, value, step, Purpose::Failure, None, false);
            }
        }
        self.forget_left();
        Next::Done
    }

    fn is_left(&self, at: usize) -> bool {
        let left = self.frames.last().and_then(|f| f.left.as_ref());
        left.and_then(|left| left.get(at)).copied().unwrap_or(false)
    }

    fn forget_left(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.left = None;
        }
    }

    /// Takes an outcome to the frame that asked for it.
    fn deliver(&mut self, done: Frame, outcome: Outcome) {
        let failure = match outcome {
            Outcome::Failed(id) => Some(id),
            Outcome::Valid(left) => {
                if matches!(done.step, Step::Same) {
                    self.merge_left(&left);
                }
                None
            }
        };
        match done.purpose {
            Purpose::Failure => self.add(failure),
            Purpose::Reference => {
                let wrapped = failure.map(|cause| {
                    let id = self.fail(|| Kind::Reference);
                    self.failures.adopt(id, cause);
                    id
                });
                self.add(wrapped);
            }
            Purpose::PropertyName(name) => {
                if let Some(cause) = failure {
                    let text = format!("invalid propertyName {}", quote(name.as_bytes()));
                    let id = self.failures.add(String::new(), Kind::Text(text), Vec::new());
                    self.failures.adopt(id, cause);
                    self.add(Some(id));
                }
            }
            Purpose::Contains(index) => self.contained_outcome(failure, index),
            Purpose::Not => {
                if failure.is_none() {
                    self.note(|| "'not' failed".into());
                }
            }
            Purpose::Branch(index) => self.branch(failure, index),
            Purpose::Test => {
                if failure.is_none() {
                    self.matched(0);
                }
            }
        }
    }

    fn add(&mut self, failure: Option<FailId>) {
        if let (Some(id), Some(frame)) = (failure, self.frames.last_mut()) {
            frame.failures.push(id);
        }
    }

    fn matched(&mut self, index: usize) {
        if let Some(frame) = self.frames.last_mut() {
            frame.matched.push(index);
        }
    }

    fn branch(&mut self, failure: Option<FailId>, index: usize) {
        let Some(frame) = self.frames.last_mut() else { return };
        match failure {
            None => frame.matched.push(index),
            Some(id) => frame.causes.push(id),
        }
    }

    fn contained_outcome(&mut self, failure: Option<FailId>, index: usize) {
        let draft = self.frames.last().and_then(|f| self.store.schema(f.schema)).map(|s| s.draft);
        if failure.is_none()
            && draft >= Some(Draft::D2020)
            && let Some(frame) = self.frames.last_mut()
        {
            mark_evaluated(&mut frame.left, index);
        }
        self.branch(failure, index);
    }

    fn merge_left(&mut self, other: &Unevaluated) {
        let Some(frame) = self.frames.last_mut() else { return };
        let Some(left) = &mut frame.left else { return };
        for (i, slot) in left.iter_mut().enumerate() {
            *slot &= other.as_ref().and_then(|o| o.get(i)).copied().unwrap_or(false);
        }
    }
}

fn mark_evaluated(left: &mut Unevaluated, index: usize) {
    if let Some(slot) = left.as_mut().and_then(|left| left.get_mut(index)) {
        *slot = false;
    }
}

fn find_schema(list: &[(Str, SchemaId)], name: &Str) -> Option<SchemaId> {
    let at = list.binary_search_by(|(key, _)| key.cmp(name)).ok()?;
    list.get(at).map(|(_, id)| *id)
}

fn wrong_type(got: &str, wanted: u8) -> String {
    let names = types::NAMES.iter().filter(|(bit, _)| wanted & bit != 0).map(|(_, name)| *name);
    format!("got {got}, want {}", names.collect::<Vec<_>>().join(" or "))
}

fn join_quoted(names: &[Str]) -> String {
    let names: Vec<_> = names.iter().map(|name| quote(name.as_bytes())).collect();
    names.join(", ")
}

fn size_text(size: usize) -> String {
    localized_int(i64::try_from(size).unwrap_or(i64::MAX))
}

fn contained(bound: &str, want: i64, words: &str, matched: &[usize]) -> String {
    let want = localized_int(want);
    if matched.is_empty() {
        return format!("{bound} {want} {words} match contains schema, but none matched");
    }
    let at: Vec<_> = matched.iter().map(usize::to_string).collect();
    let count = size_text(matched.len());
    format!(
        "{bound} {want} {words} match contains schema, but matched {count} items at {}",
        at.join(" ")
    )
}
