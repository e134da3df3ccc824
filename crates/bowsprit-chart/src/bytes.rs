//! Shared slices of one buffer.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// A file's content: a slice of a buffer that it shares with other files.
///
/// Cloning copies nothing. All files of one archive share the buffer it was inflated into, which
/// therefore lives as long as any of them.
///
/// ```
/// use bowsprit_chart::Bytes;
///
/// let bytes = Bytes::from(b"apiVersion: v2".to_vec());
/// assert_eq!(&bytes.slice(12..14)[..], b"v2");
/// ```
#[derive(Clone, Default)]
pub struct Bytes {
    buffer: Arc<Vec<u8>>,
    start: usize,
    end: usize,
}

impl Bytes {
    /// A part of a shared buffer; a range that does not lie within it is cut to what does.
    pub fn shared(buffer: &Arc<Vec<u8>>, range: Range<usize>) -> Bytes {
        let end = range.end.min(buffer.len());
        Bytes { buffer: Arc::clone(buffer), start: range.start.min(end), end }
    }

    /// A part of these bytes, sharing their buffer; cut to what exists.
    pub fn slice(&self, range: Range<usize>) -> Bytes {
        let end = self.start.saturating_add(range.end).min(self.end);
        let start = self.start.saturating_add(range.start).min(end);
        Bytes { buffer: Arc::clone(&self.buffer), start, end }
    }

    /// The bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// The bytes without a leading UTF-8 byte order mark.
    pub(crate) fn without_bom(self) -> Bytes {
        if self.starts_with(b"\xef\xbb\xbf") {
            let len = self.len();
            return self.slice(3..len);
        }
        self
    }
}

impl Deref for Bytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Bytes {
        let end = bytes.len();
        Bytes { buffer: Arc::new(bytes), start: 0, end }
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Bytes {
        Bytes::from(bytes.to_vec())
    }
}

impl From<&str> for Bytes {
    fn from(text: &str) -> Bytes {
        Bytes::from(text.as_bytes().to_vec())
    }
}

impl From<String> for Bytes {
    fn from(text: String) -> Bytes {
        Bytes::from(text.into_bytes())
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Bytes) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Bytes {}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.as_bytes().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_stay_within_their_bytes() {
        let bytes = Bytes::from("0123456789").slice(2..8);
        assert_eq!(&bytes[..], b"234567");
        assert_eq!(&bytes.slice(4..99)[..], b"67");
        assert_eq!(&bytes.slice(9..usize::MAX)[..], b"");
        let buffer = Arc::new(b"ab".to_vec());
        assert_eq!(&Bytes::shared(&buffer, 1..9)[..], b"b");
    }

    #[test]
    fn one_byte_order_mark_is_dropped() {
        assert_eq!(&Bytes::from("\u{feff}\u{feff}a").without_bom()[..], "\u{feff}a".as_bytes());
        assert_eq!(&Bytes::from("a").without_bom()[..], b"a");
    }
}
