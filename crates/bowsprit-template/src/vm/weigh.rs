//! What a run holds.

use super::range::Iter;
use super::{Entry, Run, Step};
use bowsprit_value::{Scale, Value};

impl Run<'_> {
    /// Tells the meter how many bytes the values hold that the run can still reach.
    #[cold]
    pub(super) fn weigh(&mut self) -> Step<()> {
        // Room for what is needed.
        if let Some(memo) = &mut self.memo {
            memo.clear();
        }
        let mut scale = Scale::new();
        self.values.iter().for_each(|value| scale.add(value));
        self.vars.iter().chain(&self.dots).for_each(|slot| scale.add(&slot.value));
        for iter in &self.iters {
            match iter {
                Iter::List { list, .. } => scale.add_list(list),
                Iter::Map { entries, .. } => scale.add_entries(entries),
                Iter::Bytes { bytes, .. } => scale.add_bytes(bytes.len()),
                Iter::Int { .. } => {}
            }
        }
        for frame in &self.frames {
            if let Entry::Tpl { text } = &frame.entry {
                scale.add(&Value::Str(text.clone()));
            }
        }
        scale.add_bytes(self.out.len());
        Ok(self.meter.weighed(scale.bytes())?)
    }
}
