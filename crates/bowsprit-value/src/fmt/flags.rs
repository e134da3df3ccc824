//! Flags of a directive, and padding.

use crate::unicode::rune_count;

/// What stands between `%` and the verb.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%+v`, which is no `+` for what is inside.
    pub(super) plus_v: bool,
    /// `%#v`, which is no `#` for what is inside.
    pub(super) sharp_v: bool,
}

impl Flags {
    /// True where nothing changes how a decimal integer looks.
    pub(super) fn is_plain(&self) -> bool {
        self.width.is_none() && self.precision.is_none() && !self.plus && !self.space
    }

    /// Turns `+` and `#` into the forms that `%v` has of its own.
    pub(super) fn for_v(&mut self) {
        self.sharp_v = std::mem::take(&mut self.sharp);
        self.plus_v = std::mem::take(&mut self.plus);
    }

    pub(super) fn without_zero(self) -> Flags {
        Flags { zero: false, ..self }
    }

    /// Appends padding; zeros only to the left.
    pub(super) fn push_padding(self, out: &mut Vec<u8>, count: usize) {
        let fill = if self.zero && !self.minus { b'0' } else { b' ' };
        out.resize(out.len() + count, fill);
    }

    /// Appends text in a field of the given width, which counts runes.
    pub(super) fn pad(self, out: &mut Vec<u8>, text: &[u8]) {
        let Some(width @ 1..) = self.width else { return out.extend_from_slice(text) };
        let padding = width.saturating_sub(rune_count(text));
        if self.minus {
            out.extend_from_slice(text);
            self.push_padding(out, padding);
        } else {
            self.push_padding(out, padding);
            out.extend_from_slice(text);
        }
    }

    /// Pads what was appended from `start` on.
    pub(super) fn pad_from(self, out: &mut Vec<u8>, start: usize) {
        let Some(width @ 1..) = self.width else { return };
        let Some(text) = out.get(start..) else { return };
        let padding = width.saturating_sub(rune_count(text));
        self.push_padding(out, padding);
        if !self.minus
            && let Some(field) = out.get_mut(start..)
        {
            field.rotate_right(padding);
        }
    }
}
