//! Checking an instance against compiled schemas, without recursion.
//!
//! Every schema that is applied to a value is a frame on a stack of our own. A frame works through its
//! keywords; where one needs another schema, that becomes the next frame, and its outcome comes back
//! through [`Engine::deliver`].

mod apply;
mod begin;
mod checks;

use super::Fault;
use super::compile::{Keyword, Schema, SchemaId, Store, types};
use super::document::{Document, Node, NodeId, Token};
use super::drafts::Draft;
use super::failure::{FailId, Failures, Kind, quote};
use super::number::localized_int;
use super::roots::push_token;
use bowsprit_value::Str;
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

/// What is wrong with a value.
pub(super) struct Invalid {
    /// All of it, as the library prints it.
    pub(super) text: String,
    /// JSON pointers, and what is wrong there.
    pub(super) leaves: Vec<(String, String)>,
}

/// Validates a node; tells what is wrong with it.
pub(super) fn run(
    store: &Store<'_>,
    schema: SchemaId,
    document: &Document,
    node: NodeId,
    meta: Option<MetaResources>,
    budget: &Budget,
) -> Result<Option<Invalid>, Fault> {
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
            let leaves = engine.failures.leaves(store, id);
            Ok(Some(Invalid { text: engine.failures.render(store, header, id), leaves }))
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

    /// Works on the current frame until it needs another schema; `None` where it is done.
    fn advance(&mut self) -> Result<Option<Call>, Fault> {
        loop {
            let Some(frame) = self.frames.last() else { return Ok(None) };
            let schema = self.schema(frame.schema)?;
            if frame.quiet && !frame.failures.is_empty() {
                return Ok(None);
            }
            let Some(keyword) = schema.keywords.get(frame.keyword) else { return Ok(None) };
            let next = if keyword.concerns() & self.type_bit() != 0 {
                self.apply(schema, keyword)?
            } else {
                Next::Done
            };
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
