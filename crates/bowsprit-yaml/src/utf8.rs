//! Wrong UTF-8, as Go's JSON mends it.

use bowsprit_value::unicode::decode_rune;
use std::borrow::Cow;

/// The text with every byte that belongs to no character replaced by U+FFFD.
#[inline]
pub(crate) fn valid_utf8(text: &[u8]) -> Cow<'_, [u8]> {
    if text.is_ascii() || std::str::from_utf8(text).is_ok() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(mend(text))
}

#[cold]
fn mend(mut text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() * 2);
    while !text.is_empty() {
        let (c, width) = decode_rune(text);
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        text = text.get(width.max(1)..).unwrap_or_default();
    }
    out
}
