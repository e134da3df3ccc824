//! What decides before any other keyword: booleans, cycles, types, `const`, `enum` and `format`.

use super::super::compile::{Schema, types};
use super::super::document::{Document, Node, NodeId};
use super::super::equal::equal;
use super::super::failure::{Kind, quote};
use super::super::number::Number;
use super::super::roots::escape_token;
use super::{Engine, Fault, Instance, Outcome, Step, type_of, wrong_type};
use bowsprit_sprig::goregex::GoRegex;
use bowsprit_value::Str;

impl<'s> Engine<'s, '_> {
    /// The checks that decide alone: nothing else is looked at where one of them fails.
    pub(super) fn begin(&mut self) -> Result<Option<Outcome>, Fault> {
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

    pub(super) fn value(&self) -> &Instance {
        const NONE: &Instance = &Instance::Node(Document::ROOT);
        self.frames.last().map_or(NONE, |frame| &frame.value)
    }

    pub(super) fn type_bit(&self) -> u8 {
        match self.value() {
            Instance::Node(node) => type_of(self.document, *node),
            Instance::Name(_) => types::STRING,
        }
    }

    pub(super) fn type_name(&self) -> &'static str {
        let bit = self.type_bit();
        types::NAMES.iter().find(|(known, _)| *known == bit).map_or("", |(_, name)| name)
    }

    pub(super) fn invalid_type(&self) -> Option<String> {
        match self.value() {
            Instance::Node(node) => match self.document.node(*node) {
                Node::Invalid(name) => Some(name.to_string()),
                _ => None,
            },
            Instance::Name(_) => None,
        }
    }

    pub(super) fn type_matches(&self, wanted: u8) -> bool {
        let bit = self.type_bit();
        wanted & bit != 0
            || (wanted & types::INTEGER != 0
                && bit == types::NUMBER
                && self.number().is_some_and(|n| match n {
                    Number::Int(_) => true,
                    other => other.decimal().is_some_and(|d| d.is_integer()),
                }))
    }

    pub(super) fn number(&self) -> Option<&'s Number> {
        match self.value() {
            Instance::Node(node) => match self.document.node(*node) {
                Node::Number(number) => Some(number),
                _ => None,
            },
            Instance::Name(_) => None,
        }
    }

    pub(super) fn string(&self) -> Option<Str> {
        match self.value() {
            Instance::Node(node) => self.document.string(*node).cloned(),
            Instance::Name(name) => Some(name.clone()),
        }
    }

    pub(super) fn members(&self) -> &'s [(Str, NodeId)] {
        match self.value() {
            Instance::Node(node) => self.document.object(*node).unwrap_or_default(),
            Instance::Name(_) => &[],
        }
    }

    pub(super) fn items(&self) -> &'s [NodeId] {
        match self.value() {
            Instance::Node(node) => self.document.array(*node).unwrap_or_default(),
            Instance::Name(_) => &[],
        }
    }

    pub(super) fn equals(&self, schema: &Schema, wanted: NodeId) -> Result<bool, Fault> {
        let Some(root) = self.store.roots.get(schema.root) else { return Ok(false) };
        match self.value() {
            Instance::Node(node) => {
                equal((self.document, *node), (&root.document, wanted), self.budget)
            }
            Instance::Name(name) => Ok(root.document.string(wanted) == Some(name)),
        }
    }

    pub(super) fn format_failure(&mut self, schema: &Schema) -> Option<Outcome> {
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
    pub(super) fn reference_cycle(&self) -> Result<Option<String>, Fault> {
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
            super::super::roots::quote(&url)
        )))
    }

    /// The keywords that lead from the first schema of a validation to a frame.
    pub(super) fn keyword_location(&self, index: usize) -> String {
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
}
