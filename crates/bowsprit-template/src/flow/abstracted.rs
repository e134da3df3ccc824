//! Values as the analysis sees them, and the places that they may come from.

use super::{Flow, Origin};
use crate::compile::program::Unit;
use bowsprit_value::Str;
use std::collections::BTreeMap;

/// A place of which is noted what is read, or a map that templates make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(u32);

impl Place {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeKind {
    /// Fields come into being when they are read.
    Tracked,
    /// Has the fields that it was given.
    Made,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) read: bool,
    pub(super) whole: bool,
    /// What a key leads to; several places where templates set it.
    pub(super) children: BTreeMap<Str, Vec<Place>>,
    /// What all keys lead to: elements of loops, and keys that are computed.
    pub(super) any: Option<Place>,
    /// Places whose keys this one has taken up: what was merged into it.
    pub(super) also: Vec<Place>,
    pub(super) origin: Option<Origin>,
}

/// The instruction that reads.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) file: &'a Str,
    pub(super) unit: &'a Unit,
    pub(super) site: u32,
}

impl Reader<'_> {
    fn origin(&self) -> Option<Origin> {
        let site = self.unit.site(self.site)?;
        let (line, column) = self.unit.line_column(site.start as usize);
        Some(Origin { file: self.file.clone(), line, column: column + 1 })
    }
}

/// What a value may be: any of some places. Constant texts are kept beside, and what is known of a
/// name that is put together.
#[derive(Clone, Debug, Default)]
pub(super) struct Abstract {
    places: Vec<Place>,
    texts: Vec<Str>,
    pub(super) name: Option<Name>,
}

/// What is known of a computed name of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Name {
    /// It begins with the path of the chart's templates, so it is that of a file.
    pub(super) is_file: bool,
    pub(super) prefix: Str,
    pub(super) suffix: Str,
}

/// More texts than this are not told apart.
const MAX_TEXTS: usize = 32;

impl Abstract {
    pub(super) fn of(place: Place) -> Abstract {
        Abstract { places: vec![place], ..Abstract::default() }
    }

    pub(super) fn text(text: Str) -> Abstract {
        Abstract { texts: vec![text], ..Abstract::default() }
    }

    pub(super) fn named(name: Name) -> Abstract {
        Abstract { name: Some(name), ..Abstract::default() }
    }

    /// The texts that it may be; none where they are not known.
    pub(super) fn texts(&self) -> &[Str] {
        if self.texts.len() > MAX_TEXTS { &[] } else { &self.texts }
    }

    /// The text that it is, if there is one.
    pub(super) fn only_text(&self) -> Option<&Str> {
        self.texts.first().filter(|_| self.texts.len() == 1)
    }

    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }

    pub(super) fn join(&mut self, other: &Abstract) {
        for place in &other.places {
            self.add(*place);
        }
        for text in &other.texts {
            if self.texts.len() <= MAX_TEXTS && !self.texts.contains(text) {
                self.texts.push(text.clone());
            }
        }
        if self.name.is_none() {
            self.name.clone_from(&other.name);
        }
    }

    pub(super) fn add(&mut self, place: Place) {
        if let Err(at) = self.places.binary_search(&place) {
            self.places.insert(at, place);
        }
    }
}

impl Flow<'_> {
    pub(super) fn place(&mut self, kind: NodeKind) -> Place {
        self.nodes.push(Node {
            kind,
            read: false,
            whole: false,
            children: BTreeMap::new(),
            any: None,
            also: Vec::new(),
            origin: None,
        });
        Place(u32::try_from(self.nodes.len() - 1).unwrap_or(u32::MAX))
    }

    /// What a key of a value may be; notes that it is read.
    pub(super) fn field(
        &mut self,
        value: &Abstract,
        key: &[u8],
        reader: Option<Reader<'_>>,
    ) -> Abstract {
        let mut found = Abstract::default();
        for place in self.with_merged(value) {
            found.join(&self.field_of(place, key, reader));
        }
        found
    }

    pub(super) fn field_of(
        &mut self,
        place: Place,
        key: &[u8],
        reader: Option<Reader<'_>>,
    ) -> Abstract {
        let mut found = Abstract::default();
        let Some(node) = self.nodes.get(place.index()) else { return found };
        let known = node.children.get(key).cloned();
        let (kind, any) = (node.kind, node.any);
        match known {
            Some(children) => children.iter().for_each(|child| found.add(*child)),
            None if kind == NodeKind::Tracked => {
                let child = self.place(NodeKind::Tracked);
                self.changed = true;
                self.link(place, key, child);
                found.add(child);
            }
            None => {}
        }
        any.into_iter().for_each(|any| found.add(any));
        for child in found.places() {
            self.note_read(*child, reader);
        }
        found
    }

    fn note_read(&mut self, place: Place, reader: Option<Reader<'_>>) {
        let Some(node) = self.nodes.get_mut(place.index()) else { return };
        self.changed |= !node.read;
        node.read = true;
        if node.origin.is_none() {
            node.origin = reader.and_then(|reader| reader.origin());
        }
    }

    /// What the elements of a value may be; notes that all are read.
    pub(super) fn elements(&mut self, value: &Abstract, reader: Option<Reader<'_>>) -> Abstract {
        let mut found = Abstract::default();
        for place in self.with_merged(value) {
            let Some(node) = self.nodes.get(place.index()) else { continue };
            let children: Vec<Place> = node.children.values().flatten().copied().collect();
            let (kind, any) = (node.kind, node.any);
            let any = match any {
                None if kind == NodeKind::Tracked => Some(self.any_of(place)),
                any => any,
            };
            if kind == NodeKind::Made {
                children.iter().for_each(|child| found.add(*child));
            }
            any.into_iter().for_each(|any| found.add(any));
        }
        for child in found.places() {
            self.note_read(*child, reader);
        }
        found
    }

    /// The value's places, and those that were merged into them.
    fn with_merged(&self, value: &Abstract) -> Vec<Place> {
        let mut places = value.places().to_vec();
        let mut at = 0;
        while let Some(place) = places.get(at).copied() {
            for also in self.nodes.get(place.index()).iter().flat_map(|node| &node.also) {
                if !places.contains(also) {
                    places.push(*also);
                }
            }
            at += 1;
        }
        places
    }

    /// Notes that a value takes up the keys of others.
    pub(super) fn merge_into(&mut self, value: &Abstract, others: &[Abstract]) {
        for place in value.places() {
            for other in others.iter().flat_map(Abstract::places) {
                let Some(node) = self.nodes.get_mut(place.index()) else { continue };
                if other == place || node.also.contains(other) {
                    continue;
                }
                node.also.push(*other);
                self.changed = true;
                if node.whole {
                    self.consume(&Abstract::of(*other));
                }
            }
        }
    }

    fn any_of(&mut self, place: Place) -> Place {
        let any = self.place(NodeKind::Tracked);
        self.changed = true;
        if let Some(node) = self.nodes.get_mut(place.index()) {
            node.any = Some(any);
        }
        any
    }

    /// Sets a key of a value, beside what it is already; without a key, any of them.
    pub(super) fn set_field(&mut self, value: &Abstract, key: Option<&Str>, to: &Abstract) {
        for place in value.places() {
            for target in to.places() {
                self.set_one(*place, key, *target);
            }
            // A key that is set to something untracked is not read from the values.
            let Some(node) = self.nodes.get_mut(place.index()) else { continue };
            if let (Some(key), NodeKind::Made) = (key, node.kind) {
                node.children.entry(key.clone()).or_default();
            }
        }
    }

    fn set_one(&mut self, place: Place, key: Option<&Str>, target: Place) {
        // The place that a key of tracked values has by itself stays its first.
        let Some(key) = key else {
            let any = self.nodes.get(place.index()).and_then(|node| node.any);
            let any = any.unwrap_or_else(|| self.any_of(place));
            if let Some(node) = self.nodes.get_mut(any.index()) {
                // What is set under an unknown key may be reached under any: count it as used.
                node.read = true;
            }
            self.consume(&Abstract::of(target));
            return;
        };
        let tracked = self.nodes.get(place.index()).is_some_and(|n| n.kind == NodeKind::Tracked);
        let known = self.nodes.get(place.index()).is_some_and(|n| n.children.contains_key(key));
        let own = (tracked && !known).then(|| self.place(NodeKind::Tracked));
        let Some(node) = self.nodes.get_mut(place.index()) else { return };
        let whole = node.whole;
        let children = node.children.entry(key.clone()).or_default();
        children.extend(own);
        if !children.contains(&target) {
            children.push(target);
            self.changed = true;
        }
        if whole {
            self.consume(&Abstract::of(target));
        }
    }

    /// Notes that a value is used with all that is inside it.
    pub(super) fn consume(&mut self, value: &Abstract) {
        let mut pending = value.places().to_vec();
        while let Some(place) = pending.pop() {
            let Some(node) = self.nodes.get_mut(place.index()) else { continue };
            if node.whole {
                continue;
            }
            node.whole = true;
            node.read = true;
            self.changed = true;
            pending.extend(node.children.values().flatten().copied());
            pending.extend(node.any);
            pending.extend(&node.also);
        }
    }
}
