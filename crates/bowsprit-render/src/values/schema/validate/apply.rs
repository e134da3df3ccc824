//! Keywords that apply other schemas, to the same value or to what is in it.

use super::super::compile::{Additional, Demand, Keyword, SchemaId};
use super::super::document::{Token, find};
use super::super::number::localized_int;
use super::{
    Engine, Fault, Frame, Instance, Next, Purpose, Step, is_any, join_quoted, mark_evaluated,
    size_text,
};
use bowsprit_value::Str;
use std::mem;

impl<'s> Engine<'s, '_> {
    pub(super) fn reference(
        &mut self,
        keyword: &'static str,
        target: SchemaId,
        last: bool,
    ) -> Next {
        if self.next_cursor() > 0 {
            return if last { Next::Return } else { Next::Done };
        }
        let value = self.value().clone();
        Next::Call(target, value, Step::Same, Purpose::Reference, Some(keyword), false)
    }

    /// The frames of this validation, outermost last.
    pub(super) fn scopes(&self) -> impl Iterator<Item = &Frame> {
        let mut over = false;
        self.frames.iter().rev().take_while(move |frame| {
            let within = !over;
            over = over || matches!(frame.step, Step::Root);
            within
        })
    }

    pub(super) fn resolve_recursive(&self, target: SchemaId) -> Result<SchemaId, Fault> {
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

    pub(super) fn resolve_dynamic(
        &self,
        target: SchemaId,
        anchor: &str,
    ) -> Result<SchemaId, Fault> {
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

    pub(super) fn dependencies(&mut self, list: &[(Str, Demand)]) -> Next {
        while let Some((name, demand)) = list.get(self.next_cursor()) {
            match demand {
                Demand::Props(wanted) => self.check_dependency(name, wanted),
                Demand::Schema(id) => {
                    if find(self.members(), name.as_bytes()).is_some() {
                        return self.call(*id, Purpose::Failure);
                    }
                }
            }
        }
        Next::Done
    }

    pub(super) fn dependent_schemas(&mut self, list: &[(Str, SchemaId)]) -> Next {
        while let Some((name, id)) = list.get(self.next_cursor()) {
            if find(self.members(), name.as_bytes()).is_some() {
                return self.call(*id, Purpose::Failure);
            }
        }
        Next::Done
    }

    /// Member by member: `properties`, then each of `patternProperties`, then what is left over. `sub`
    /// is 0 before the first of them, and one more than the pattern to try next after it.
    pub(super) fn properties(&mut self, keyword: &'s Keyword) -> Result<Next, Fault> {
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

    pub(super) fn property_names(&mut self, id: SchemaId) -> Next {
        let at = self.next_cursor();
        match self.members().get(at) {
            None => Next::Done,
            Some((name, _)) => {
                let purpose = Purpose::PropertyName(name.clone());
                Next::Call(id, Instance::Name(name.clone()), Step::Root, purpose, None, false)
            }
        }
    }

    pub(super) fn each_item(&mut self, prefix: &[SchemaId], rest: &Additional) -> Next {
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

    pub(super) fn contains(&mut self, id: SchemaId, min: Option<i64>, max: Option<i64>) -> Next {
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

    pub(super) fn all_of(&mut self, list: &[SchemaId]) -> Next {
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

    pub(super) fn any_of(&mut self, list: &[SchemaId]) -> Next {
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

    pub(super) fn one_of(&mut self, list: &[SchemaId]) -> Next {
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

    pub(super) fn condition(
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

    pub(super) fn unevaluated_properties(&mut self, id: SchemaId) -> Next {
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

    pub(super) fn unevaluated_items(&mut self, id: SchemaId) -> Next {
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

    pub(super) fn is_left(&self, at: usize) -> bool {
        let left = self.frames.last().and_then(|f| f.left.as_ref());
        left.and_then(|left| left.get(at)).copied().unwrap_or(false)
    }

    pub(super) fn forget_left(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.left = None;
        }
    }
}

fn find_schema(list: &[(Str, SchemaId)], name: &Str) -> Option<SchemaId> {
    let at = list.binary_search_by(|(key, _)| key.cmp(name)).ok()?;
    list.get(at).map(|(_, id)| *id)
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
