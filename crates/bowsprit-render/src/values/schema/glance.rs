//! A glance at values that spares most of them the validation.
//!
//! Where it says yes, a validation finds nothing wrong. Where it says no, that is not known: it goes only by
//! keywords that schemas of values are mostly made of, and leaves all else, and all messages, to the
//! validation. It looks at values as they lie there, and at no more of them than the schema names.

use super::compile::{Additional, Keyword, Schema, SchemaId, Store, types};
use super::document::{Document, Node, NodeId};
use bowsprit_value::{Entries, Map, Str, Value};

/// What takes more is for the validation, which minds how deeply schemas are nested.
const MAX_STEPS: usize = 9_000;

/// Whether values surely are valid.
pub(super) fn surely_valid(store: &Store<'_>, root: SchemaId, values: &Map) -> bool {
    let mut glance = Glance { store, pending: vec![(root, Value::Map(values.clone()))], steps: 0 };
    while let Some((id, value)) = glance.pending.pop() {
        if !store.schema(id).is_some_and(|schema| glance.accepts(schema, &value)) {
            return false;
        }
    }
    true
}

struct Glance<'s> {
    store: &'s Store<'s>,
    /// Schemas with the values that they are yet to accept.
    pending: Vec<(SchemaId, Value)>,
    steps: usize,
}

impl Glance<'_> {
    /// Looks at all of a value but what is inside it.
    fn accepts(&mut self, schema: &Schema, value: &Value) -> bool {
        self.steps += 1;
        if let Some(truth) = schema.truth {
            return truth;
        }
        let Some(ty) = type_of(value) else { return false };
        self.steps <= MAX_STEPS
            && (schema.types == 0 || schema.types & ty != 0)
            && schema.constant.is_none_or(|node| self.is_one_of(schema, &[node], value))
            && schema.values.as_ref().is_none_or(|all| self.is_one_of(schema, &all.nodes, value))
            && has_format(schema, value)
            && schema.keywords.iter().all(|keyword| self.keyword(keyword, ty, value))
    }

    fn is_one_of(&self, schema: &Schema, nodes: &[NodeId], value: &Value) -> bool {
        let root = self.store.roots.get(schema.root);
        root.is_some_and(|root| nodes.iter().any(|node| is_same(&root.document, *node, value)))
    }

    fn keyword(&mut self, keyword: &Keyword, ty: u8, value: &Value) -> bool {
        use Keyword as K;
        match (keyword, value) {
            (K::Ref(id), _) => {
                self.pending.push((*id, value.clone()));
                true
            }
            (K::AllOf(ids), _) => {
                self.pending.extend(ids.iter().map(|id| (*id, value.clone())));
                true
            }
            (K::Required(names), Value::Map(map)) => {
                let entries = map.peek();
                names.iter().all(|name| entry(&entries, name).is_some())
            }
            (K::Properties { named, patterns, additional }, Value::Map(map)) => {
                patterns.is_empty() && self.properties(named, additional, &map.peek())
            }
            (K::Items { prefix, rest: Additional::Schema(id) }, Value::List(list)) => {
                self.pending.extend(list.iter().map(|item| (*id, item.clone())));
                prefix.is_empty()
            }
            (K::MinItems(least), Value::List(list)) => list.len() as i64 >= *least,
            (K::MaxItems(most), Value::List(list)) => list.len() as i64 <= *most,
            (K::MinProperties(least), Value::Map(map)) => map.len() as i64 >= *least,
            (K::MaxProperties(most), Value::Map(map)) => map.len() as i64 <= *most,
            _ => keyword.concerns() & ty == 0,
        }
    }

    fn properties(
        &mut self,
        named: &[(Str, SchemaId)],
        additional: &Additional,
        entries: &Entries,
    ) -> bool {
        let mut known = 0;
        for (name, id) in named {
            if let Some(value) = entry(entries, name) {
                known += 1;
                self.pending.push((*id, value.clone()));
            }
        }
        match additional {
            Additional::Ignored | Additional::Allowed(true) => true,
            Additional::Allowed(false) | Additional::Schema(_) => known == entries.len(),
        }
    }
}

/// The types of a value as bits: a whole number is an integer too.
fn type_of(value: &Value) -> Option<u8> {
    Some(match value {
        Value::Nil => types::NULL,
        Value::Bool(_) => types::BOOLEAN,
        Value::Int(..) => types::NUMBER | types::INTEGER,
        Value::Float(v) if v.is_finite() && v.fract() == 0.0 => types::NUMBER | types::INTEGER,
        Value::Float(v) if v.is_finite() => types::NUMBER,
        Value::Str(_) => types::STRING,
        Value::List(_) => types::ARRAY,
        Value::Map(_) => types::OBJECT,
        _ => return None,
    })
}

fn has_format(schema: &Schema, value: &Value) -> bool {
    match (schema.format, value) {
        (Some(format), Value::Str(text)) => {
            format.check.is_some_and(|check| check(text.as_bytes()).is_ok())
        }
        _ => true,
    }
}

fn is_same(document: &Document, node: NodeId, value: &Value) -> bool {
    match (document.node(node), value) {
        (Node::Null, Value::Nil) => true,
        (Node::Bool(a), Value::Bool(b)) => a == b,
        (Node::String(a), Value::Str(b)) => a == b,
        _ => false,
    }
}

fn entry<'e>(entries: &'e Entries, name: &Str) -> Option<&'e Value> {
    let (mut low, mut high) = (0, entries.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        let (key, value) = entries.get(middle)?;
        match key.cmp(name) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Equal => return Some(value),
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::CompiledSchema;
    use super::surely_valid;
    use bowsprit_value::Value;

    const SCHEMAS: &[&str] = &[
        r##"true"##,
        r##"{"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}"##,
        r##"{"properties": {"a": {"type": ["integer", "null"]}, "b": {"enum": ["x", true, null, 1]}}}"##,
        r##"{"properties": {"a": {"const": "x"}, "b": {"type": "number"}}, "additionalProperties": false}"##,
        r##"{"additionalProperties": {"type": "string"}}"##,
        r##"{"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"type": "array", "items":
            {"type": "string", "format": "ipv4"}, "minItems": 1, "maxItems": 2}}}"##,
        r##"{"properties": {"a": {"properties": {"a": {"$ref": "#"}}}}, "minProperties": 1}"##,
        r##"{"$ref": "#"}"##,
        r##"{"allOf": [{"properties": {"a": false}}, {"maxProperties": 1}]}"##,
        r##"{"properties": {"a": {"minLength": 2, "minimum": 2, "maximum": 5}}}"##,
        r##"{"properties": {"b": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}"##,
        r##"{"patternProperties": {"^a": {"type": "boolean"}}}"##,
        r##"{"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"a": {"$ref":
            "#/definitions/a", "type": "string"}}, "definitions": {"a": {"type": "boolean"}}}"##,
        r##"{"$schema": "http://json-schema.org/draft-04/schema#", "properties": {"a": {"type":
            "integer"}}, "dependencies": {"b": ["a"]}}"##,
        r##"{"unevaluatedProperties": false, "properties": {"a": {}}}"##,
        r##"{"not": {"required": ["a"]}}"##,
    ];

    const VALUES: &[&str] = &[
        "{}",
        "a: x",
        "a: 1",
        "a: 1.5",
        "a: 3e300",
        "a: null",
        "a: true",
        "a: []",
        "a: [127.0.0.1]",
        "a: [127.0.0.1, x]",
        "a: [127.0.0.1, 127.0.0.1, 127.0.0.1]",
        "a: {}",
        "a: {a: {a: {}}}",
        "b: x",
        "b: 1",
        "b: null",
        "{a: x, b: true}",
        "{a: 2, b: 2}",
        "c: x",
        "{ab: true}",
    ];

    #[test]
    fn what_is_surely_valid_is_valid() {
        let (mut sure, mut valid) = (0, 0);
        for text in SCHEMAS {
            let schema = CompiledSchema::compile(text.as_bytes(), None).unwrap();
            for yaml in VALUES {
                let Value::Map(values) = bowsprit_yaml::decode(yaml.as_bytes()).unwrap() else {
                    panic!("{yaml}")
                };
                let outcome = schema.validated(&values);
                valid += usize::from(outcome.is_ok());
                if surely_valid(&schema.store, schema.root, &values) {
                    assert!(outcome.is_ok(), "{text} {yaml}");
                    sure += 1;
                }
            }
        }
        assert!(sure > 100 && sure < valid, "{sure} of {valid}");
    }
}
