//! Writing text and values to the output.

use super::{Run, Site, Static, Step};
use crate::compile::program::Unit;
use bowsprit_value::{FuncError, LimitKind, Str, Value, fmt};

pub(crate) const NO_VALUE: &[u8] = b"<no value>";

impl Run<'_> {
    /// Writes a piece of the unit's source, found at a place of a text that has it.
    pub(super) fn text(
        &mut self,
        unit: &Unit,
        (text, at): (&[u8], u32),
        (start, end): (u32, u32),
    ) -> Step<()> {
        let from = self.out.len();
        let (at, len) = (at as usize, end.saturating_sub(start) as usize);
        self.out.extend_from_slice(text.get(at..at + len).unwrap_or_default());
        self.wrote(unit, from, Some((start as usize, end as usize)))
    }

    /// Pops and prints.
    pub(super) fn print(&mut self, unit: &Unit) -> Step<()> {
        let from = self.out.len();
        let slot = self.pop();
        match (&slot.value, slot.stat) {
            (_, Static::Invalid) => self.out.extend_from_slice(NO_VALUE),
            (Value::Str(s), _) => self.out.extend_from_slice(s.as_bytes()),
            (Value::Object(object), Static::Addressed) => match object.addressed_text() {
                Some(text) => self.out.extend_from_slice(text.as_bytes()),
                None => fmt::print_action(&slot.value, &mut self.out, self.meter)?,
            },
            (value, _) => fmt::print_action(value, &mut self.out, self.meter)?,
        }
        self.wrote(unit, from, None)
    }

    fn wrote(&mut self, unit: &Unit, from: usize, span: Option<(usize, usize)>) -> Step<()> {
        if self.out.len() as u64 > self.meter.limits().output {
            return Err(FuncError::from(LimitKind::Output).into());
        }
        if let Some(observer) = &mut self.observer {
            let at = self.frames.last().map_or(0, |f| f.at);
            let (start, end) = span.unwrap_or_else(|| {
                let site = unit.site(at);
                site.map(|s| (s.start as usize, s.end as usize)).unwrap_or_default()
            });
            observer.wrote(from, self.out.len(), Site { unit, start, end });
        }
        Ok(())
    }
}

/// Deletes every `<no value>`, as Helm does with a finished text.
pub(crate) fn without_no_value(text: Str) -> Str {
    match strip_no_value(text.as_bytes()) {
        Some(stripped) => Str::from(stripped),
        None => text,
    }
}

/// The text without any `<no value>`, as Helm makes it of a finished file; `None` where there is none.
///
/// ```
/// assert_eq!(bowsprit_template::strip_no_value(b"a<no value>b").unwrap(), b"ab");
/// assert_eq!(bowsprit_template::strip_no_value(b"a < b"), None);
/// ```
pub fn strip_no_value(text: &[u8]) -> Option<Vec<u8>> {
    let mut next = find(text, 0)?;
    let mut out = Vec::with_capacity(text.len());
    let mut from = 0;
    loop {
        out.extend_from_slice(text.get(from..next).unwrap_or_default());
        from = next + NO_VALUE.len();
        match find(text, from) {
            Some(at) => next = at,
            None => break,
        }
    }
    out.extend_from_slice(text.get(from..).unwrap_or_default());
    Some(out)
}

fn find(text: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let rest = text.get(from..)?;
        let at = from + memchr::memchr(b'<', rest)?;
        if text.get(at..)?.starts_with(NO_VALUE) {
            return Some(at);
        }
        from = at + 1;
    }
}
