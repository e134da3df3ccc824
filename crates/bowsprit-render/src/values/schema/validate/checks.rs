//! Keywords that need no other schema.

use super::super::compile::Keyword;
use super::super::document::find;
use super::super::equal::duplicates;
use super::super::failure::quote;
use super::super::number::{Decimal, Number, localized_float, localized_int};
use super::{Engine, Fault, join_quoted, size_text};
use bowsprit_sprig::goregex::GoRegex;
use bowsprit_value::{Str, unicode};

impl Engine<'_, '_> {
    pub(super) fn check_size(&mut self, keyword: &Keyword) {
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

    pub(super) fn missing(&self, names: &[Str]) -> Vec<Str> {
        let members = self.members();
        let is_there = |name: &Str| find(members, name.as_bytes()).is_some();
        names.iter().filter(|name| !is_there(name)).cloned().collect()
    }

    pub(super) fn check_required(&mut self, names: &[Str]) {
        let missing = self.missing(names);
        match missing.as_slice() {
            [] => {}
            [one] => self.note(|| format!("missing property {}", quote(one.as_bytes()))),
            many => self.note(|| format!("missing properties {}", join_quoted(many))),
        }
    }

    pub(super) fn check_dependent(&mut self, list: &[(Str, Vec<Str>)]) {
        for (name, wanted) in list {
            self.check_dependency(name, wanted);
        }
    }

    pub(super) fn check_dependency(&mut self, name: &Str, wanted: &[Str]) {
        if find(self.members(), name.as_bytes()).is_none() {
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

    pub(super) fn check_unique(&mut self) -> Result<(), Fault> {
        if let Some((first, second)) = duplicates(self.document, self.items(), self.budget)? {
            let (first, second) = (size_text(first), size_text(second));
            self.note(|| format!("items at {first} and {second} are equal"));
        }
        Ok(())
    }

    pub(super) fn check_pattern(&mut self, regex: &GoRegex, source: &Str) -> Result<(), Fault> {
        let Some(text) = self.string() else { return Ok(()) };
        if !regex.is_match(text.as_bytes(), &mut |steps| self.budget.charge(steps / 2))? {
            self.note(|| {
                let (text, source) = (quote(text.as_bytes()), quote(source.as_bytes()));
                format!("{text} does not match pattern {source}")
            });
        }
        Ok(())
    }

    pub(super) fn check_number(&mut self, keyword: &Keyword) -> Result<(), Fault> {
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
}
