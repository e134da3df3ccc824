//! A quick look that spares most schemas the metaschema.
//!
//! Where it says yes, the metaschema would find nothing to complain about. Where it says no, that is not
//! known: it asks for what all drafts accept, or the one at hand surely does, and leaves all else, and
//! all messages, to the metaschema.

use super::Fault;
use super::document::{Document, Node, NodeId};
use super::drafts::Draft;
use super::equal::duplicates;
use super::formats;
use super::validate::Budget;
use bowsprit_sprig::goregex::GoRegex;
use bowsprit_value::Str;

/// What the value of a keyword has to look like.
#[derive(Clone, Copy)]
enum Form {
    Anything,
    Text,
    Flag,
    Number,
    /// A number above zero.
    Divisor,
    /// A whole number of zero or more.
    Count,
    /// A limit that is a number, or in draft 4 a flag beside a number.
    Limit(&'static [u8]),
    Reference,
    Identifier,
    Address,
    Anchor,
    Regex,
    Types,
    Names,
    Values,
    List,
    Schema,
    /// As `Schema`, and a boolean in draft 4.
    Additional,
    Schemas,
    Items,
    Members,
    Patterns,
    Dependencies,
    DependentNames,
    /// Rare, and not the same in all drafts.
    Unsure,
}

const FORMS: &[(&str, Form)] = &[
    ("$anchor", Form::Anchor),
    ("$comment", Form::Text),
    ("$defs", Form::Members),
    ("$dynamicAnchor", Form::Anchor),
    ("$dynamicRef", Form::Reference),
    ("$id", Form::Identifier),
    ("$recursiveAnchor", Form::Unsure),
    ("$recursiveRef", Form::Unsure),
    ("$ref", Form::Reference),
    ("$schema", Form::Address),
    ("$vocabulary", Form::Unsure),
    ("additionalItems", Form::Additional),
    ("additionalProperties", Form::Additional),
    ("allOf", Form::Schemas),
    ("anyOf", Form::Schemas),
    ("const", Form::Anything),
    ("contains", Form::Schema),
    ("contentEncoding", Form::Text),
    ("contentMediaType", Form::Text),
    ("contentSchema", Form::Schema),
    ("default", Form::Anything),
    ("definitions", Form::Members),
    ("dependencies", Form::Dependencies),
    ("dependentRequired", Form::DependentNames),
    ("dependentSchemas", Form::Members),
    ("deprecated", Form::Flag),
    ("description", Form::Text),
    ("else", Form::Schema),
    ("enum", Form::Values),
    ("examples", Form::List),
    ("exclusiveMaximum", Form::Limit(b"maximum")),
    ("exclusiveMinimum", Form::Limit(b"minimum")),
    ("format", Form::Text),
    ("id", Form::Text),
    ("if", Form::Schema),
    ("items", Form::Items),
    ("maxContains", Form::Count),
    ("maxItems", Form::Count),
    ("maxLength", Form::Count),
    ("maxProperties", Form::Count),
    ("maximum", Form::Number),
    ("minContains", Form::Count),
    ("minItems", Form::Count),
    ("minLength", Form::Count),
    ("minProperties", Form::Count),
    ("minimum", Form::Number),
    ("multipleOf", Form::Divisor),
    ("not", Form::Schema),
    ("oneOf", Form::Schemas),
    ("pattern", Form::Regex),
    ("patternProperties", Form::Patterns),
    ("prefixItems", Form::Schemas),
    ("properties", Form::Members),
    ("propertyNames", Form::Schema),
    ("readOnly", Form::Flag),
    ("required", Form::Names),
    ("then", Form::Schema),
    ("title", Form::Text),
    ("type", Form::Types),
    ("unevaluatedItems", Form::Schema),
    ("unevaluatedProperties", Form::Schema),
    ("uniqueItems", Form::Flag),
    ("writeOnly", Form::Flag),
];

const SIMPLE_TYPES: [&[u8]; 7] =
    [b"array", b"boolean", b"integer", b"null", b"number", b"object", b"string"];

/// Whether a schema, and all schemas below it, surely are valid in a draft.
pub(super) fn surely_valid(
    document: &Document,
    node: NodeId,
    draft: Draft,
    budget: &Budget,
) -> Result<bool, Fault> {
    let mut look = Look { document, draft, budget, pending: vec![node] };
    while let Some(node) = look.pending.pop() {
        match document.node(node) {
            Node::Bool(_) if draft > Draft::D4 => {}
            Node::Object(start, end) => {
                for (key, value) in document.members(*start, *end) {
                    if !look.keyword(node, key, *value)? {
                        return Ok(false);
                    }
                }
            }
            _ => return Ok(false),
        }
    }
    Ok(true)
}

struct Look<'d> {
    document: &'d Document,
    draft: Draft,
    budget: &'d Budget,
    pending: Vec<NodeId>,
}

impl Look<'_> {
    fn keyword(&mut self, schema: NodeId, key: &Str, value: NodeId) -> Result<bool, Fault> {
        self.budget.charge(1)?;
        let Ok(at) = FORMS.binary_search_by(|(known, _)| known.as_bytes().cmp(key.as_bytes()))
        else {
            return Ok(true);
        };
        let form = FORMS.get(at).map_or(Form::Unsure, |(_, form)| *form);
        let node = self.document.node(value);
        Ok(match form {
            Form::Anything => true,
            Form::Text => matches!(node, Node::String(_)),
            Form::Flag => matches!(node, Node::Bool(_)),
            Form::Number => matches!(node, Node::Number(_)),
            Form::Divisor => self.divides(node),
            Form::Count => counts(node),
            Form::Limit(beside) => self.limit(schema, node, beside),
            Form::Reference => self.has_format(value, b"uri-reference"),
            Form::Address => self.has_format(value, b"uri"),
            Form::Identifier => {
                let text = self.document.string(value).map(Str::as_bytes).unwrap_or_default();
                !text.contains(&b'#') && self.has_format(value, b"uri-reference")
            }
            Form::Anchor => self.document.string(value).is_some_and(is_anchor),
            Form::Regex => self.document.string(value).is_some_and(is_regex),
            Form::Types => self.types(value)?,
            Form::Names => self.names(value)?,
            Form::Values => self.values(value)?,
            Form::List => self.document.array(value).is_some(),
            Form::Unsure => false,
            Form::Schema | Form::Additional => self.schema(node, value, form),
            Form::Schemas => self.schemas(value),
            Form::Items => match node {
                Node::Array(..) => self.draft < Draft::D2020 && self.schemas(value),
                _ => self.schema(node, value, Form::Schema),
            },
            Form::Members => self.members(value, |_| true),
            Form::Patterns => self.members(value, is_regex),
            Form::Dependencies => self.dependencies(value)?,
            Form::DependentNames => self.dependent_names(value)?,
        })
    }

    fn divides(&self, node: &Node) -> bool {
        match node {
            Node::Number(number) => number.nearest() > 0.0 && number.decimal().is_some(),
            _ => false,
        }
    }

    fn limit(&self, schema: NodeId, node: &Node, beside: &[u8]) -> bool {
        match node {
            Node::Bool(_) => {
                self.draft == Draft::D4 && self.document.member(schema, beside).is_some()
            }
            Node::Number(_) => self.draft > Draft::D4,
            _ => false,
        }
    }

    fn has_format(&self, value: NodeId, format: &[u8]) -> bool {
        let Some((_, check)) = formats::find(format) else { return false };
        self.document.string(value).is_some_and(|text| check(text.as_bytes()).is_ok())
    }

    fn types(&self, value: NodeId) -> Result<bool, Fault> {
        let simple = |id: NodeId| {
            self.document.string(id).is_some_and(|s| SIMPLE_TYPES.contains(&s.as_bytes()))
        };
        let Some(list) = self.document.array(value) else { return Ok(simple(value)) };
        let fine = !list.is_empty() && list.iter().all(|id| simple(*id));
        Ok(fine && duplicates(self.document, list, self.budget)?.is_none())
    }

    fn names(&self, value: NodeId) -> Result<bool, Fault> {
        let Some(list) = self.document.array(value) else { return Ok(false) };
        let fine = (!list.is_empty() || self.draft > Draft::D4)
            && list.iter().all(|id| self.document.string(*id).is_some());
        Ok(fine && duplicates(self.document, list, self.budget)?.is_none())
    }

    fn values(&self, value: NodeId) -> Result<bool, Fault> {
        let Some(list) = self.document.array(value) else { return Ok(false) };
        Ok(!list.is_empty() && duplicates(self.document, list, self.budget)?.is_none())
    }

    fn schema(&mut self, node: &Node, value: NodeId, form: Form) -> bool {
        match node {
            Node::Bool(_) => self.draft > Draft::D4 || matches!(form, Form::Additional),
            Node::Object(..) => {
                self.pending.push(value);
                true
            }
            _ => false,
        }
    }

    fn schemas(&mut self, value: NodeId) -> bool {
        let Some(list) = self.document.array(value) else { return false };
        self.pending.extend(list);
        !list.is_empty()
    }

    fn members(&mut self, value: NodeId, name: impl Fn(&Str) -> bool) -> bool {
        let Some(members) = self.document.object(value) else { return false };
        self.pending.extend(members.iter().map(|(_, id)| *id));
        members.iter().all(|(key, _)| name(key))
    }

    fn dependencies(&mut self, value: NodeId) -> Result<bool, Fault> {
        let Some(members) = self.document.object(value) else { return Ok(false) };
        for (_, id) in members {
            if self.document.array(*id).is_none() {
                self.pending.push(*id);
            } else if !self.names(*id)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn dependent_names(&mut self, value: NodeId) -> Result<bool, Fault> {
        let Some(members) = self.document.object(value) else { return Ok(false) };
        for (_, id) in members {
            if !self.names(*id)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn counts(node: &Node) -> bool {
    match node {
        Node::Number(number) => {
            number.nearest() >= 0.0 && number.decimal().is_some_and(|d| d.is_integer())
        }
        _ => false,
    }
}

fn is_anchor(text: &Str) -> bool {
    match text.as_bytes().split_first() {
        Some((first, rest)) => {
            first.is_ascii_alphabetic()
                && rest.iter().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(b))
        }
        None => false,
    }
}

fn is_regex(text: &Str) -> bool {
    GoRegex::compile(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_sorted() {
        assert!(FORMS.is_sorted_by(|a, b| a.0.as_bytes() < b.0.as_bytes()));
    }
}
