//! Shared slices of one buffer.

use crate::archive::inflate;
use crate::image::Rest;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::{Arc, OnceLock};

/// A file's content: a slice of a buffer that it shares with other files.
///
/// Cloning copies nothing. All files of one archive share the buffer it was inflated into, which
/// therefore lives as long as any of them. Some stay in the archive until somebody looks at them.
///
/// ```
/// use bowsprit_chart::Bytes;
///
/// let bytes = Bytes::from(b"apiVersion: v2".to_vec());
/// assert_eq!(&bytes.slice(12..14)[..], b"v2");
/// ```
#[derive(Clone, Default)]
pub struct Bytes {
    buffer: Buffer,
    start: usize,
    end: usize,
}

#[derive(Clone)]
enum Buffer {
    Plain(Arc<Vec<u8>>),
    Packed(Arc<Packed>),
    Later(Arc<Rest>, usize),
    Part(Arc<Part>),
    Unread(Arc<Unread>),
}

impl Buffer {
    /// The bytes, from where they are.
    #[inline(never)]
    fn fetched(&self) -> &[u8] {
        match self {
            Buffer::Plain(buffer) => buffer,
            Buffer::Packed(packed) => packed.get(),
            Buffer::Later(rest, number) => rest.get(*number),
            Buffer::Part(part) => part.get(),
            Buffer::Unread(unread) => unread.get(),
        }
    }
}

impl Default for Buffer {
    fn default() -> Buffer {
        Buffer::Plain(Arc::default())
    }
}

/// The inflated beginning of a deflate stream, made when it is first looked at.
#[derive(Default)]
pub(crate) struct Packed {
    deflated: Bytes,
    len: usize,
    inflated: OnceLock<Vec<u8>>,
}

impl Packed {
    /// The first `len` bytes of a stream that is known to have them.
    pub(crate) fn new(deflated: Bytes, len: usize) -> Packed {
        Packed { deflated, len, inflated: OnceLock::new() }
    }

    fn get(&self) -> &[u8] {
        self.inflated.get_or_init(|| inflate(&self.deflated, self.len))
    }
}

/// A part of an image.
pub(crate) struct Part {
    rest: Arc<Rest>,
    number: usize,
    len: usize,
    read: OnceLock<Vec<u8>>,
}

impl Part {
    fn get(&self) -> &[u8] {
        self.read.get_or_init(|| self.rest.part(self.number, self.len))
    }
}

/// What went wrong with contents that were left unread; the first of it.
#[derive(Clone, Debug, Default)]
pub struct ReadFailure(Arc<OnceLock<String>>);

impl ReadFailure {
    /// Says what went wrong, if nothing is known yet.
    pub fn note(&self, text: String) {
        let _ = self.0.set(text);
    }

    /// What went wrong.
    pub fn text(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}

type Fetch = Box<dyn Fn() -> Result<Vec<u8>, String> + Send + Sync>;

/// A content that nobody has looked at yet.
struct Unread {
    fetch: Fetch,
    failure: ReadFailure,
    read: OnceLock<Vec<u8>>,
}

impl Unread {
    fn get(&self) -> &[u8] {
        self.read.get_or_init(|| {
            (self.fetch)().unwrap_or_else(|text| {
                self.failure.note(text);
                Vec::new()
            })
        })
    }
}

impl Bytes {
    /// A content of a known length without a byte order mark, fetched when somebody first looks at it. If that
    /// fails, it is empty and `failure` says so: who uses what was made of it must ask there.
    pub fn unread(
        len: usize,
        fetch: impl Fn() -> Result<Vec<u8>, String> + Send + Sync + 'static,
        failure: &ReadFailure,
    ) -> Bytes {
        let (fetch, failure) = (Box::new(fetch), failure.clone());
        let unread = Unread { fetch, failure, read: OnceLock::new() };
        Bytes { buffer: Buffer::Unread(Arc::new(unread)), start: 0, end: len }
    }

    /// Whether a chart from a cache would be loaded again for somebody to look at it.
    pub fn is_left_out(&self) -> bool {
        matches!(&self.buffer, Buffer::Later(rest, _) if !rest.is_loaded())
    }

    /// Whether nobody has looked at it yet.
    pub(crate) fn is_unread(&self) -> bool {
        matches!(&self.buffer, Buffer::Unread(unread) if unread.read.get().is_none())
    }

    /// A part of a shared buffer; a range that does not lie within it is cut to what does.
    pub fn shared(buffer: &Arc<Vec<u8>>, range: Range<usize>) -> Bytes {
        let end = range.end.min(buffer.len());
        let buffer = Buffer::Plain(Arc::clone(buffer));
        Bytes { buffer, start: range.start.min(end), end }
    }

    /// A part of what a stream will be inflated to.
    pub(crate) fn packed(packed: &Arc<Packed>, range: Range<usize>) -> Bytes {
        let end = range.end.min(packed.len);
        let buffer = Buffer::Packed(Arc::clone(packed));
        Bytes { buffer, start: range.start.min(end), end }
    }

    /// One of the contents that a chart will be loaded for.
    pub(crate) fn later(rest: &Arc<Rest>, number: usize, len: usize) -> Bytes {
        Bytes { buffer: Buffer::Later(Arc::clone(rest), number), start: 0, end: len }
    }

    /// A part of an image, which is read when it is first looked at.
    pub(crate) fn part(rest: &Arc<Rest>, number: usize, len: usize) -> Bytes {
        let part = Part { rest: Arc::clone(rest), number, len, read: OnceLock::new() };
        Bytes { buffer: Buffer::Part(Arc::new(part)), start: 0, end: len }
    }

    /// A part of these bytes, sharing their buffer; cut to what exists.
    pub fn slice(&self, range: Range<usize>) -> Bytes {
        let end = self.start.saturating_add(range.end).min(self.end);
        let start = self.start.saturating_add(range.start).min(end);
        Bytes { buffer: self.buffer.clone(), start, end }
    }

    /// Number of bytes.
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// True without bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        let buffer = match &self.buffer {
            Buffer::Plain(buffer) => buffer.as_slice(),
            other => other.fetched(),
        };
        buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Where the bytes lie and how many they are: equal for slices of one place, while they live.
    pub fn id(&self) -> (usize, usize) {
        let place = match &self.buffer {
            // To say which one it is it need not be read.
            Buffer::Part(part) => Arc::as_ptr(part).addr() + self.start,
            Buffer::Unread(unread) => Arc::as_ptr(unread).addr() + self.start,
            _ => self.as_bytes().as_ptr().addr(),
        };
        (place, self.len())
    }

    /// The bytes without a leading UTF-8 byte order mark.
    pub(crate) fn without_bom(self) -> Bytes {
        let is_unread = matches!(self.buffer, Buffer::Unread(_));
        if !is_unread && self.starts_with(b"\xef\xbb\xbf") {
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
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Bytes {
        let end = bytes.len();
        Bytes { buffer: Buffer::Plain(Arc::new(bytes)), start: 0, end }
    }
}

impl From<&Vec<u8>> for Bytes {
    fn from(bytes: &Vec<u8>) -> Bytes {
        Bytes::from(bytes.as_slice())
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
    use std::sync::atomic::{AtomicUsize, Ordering};

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
    fn what_is_unread_is_read_once_and_says_if_it_can_not_be() {
        let (failure, reads) = (ReadFailure::default(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&reads);
        let fetch = move || {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(b"abc".to_vec())
        };
        let bytes = Bytes::unread(3, fetch, &failure).without_bom();
        assert_eq!((bytes.len(), bytes.clone().id()), (3, bytes.id()));
        assert_eq!(reads.load(Ordering::Relaxed), 0);
        assert_eq!((&bytes[..], &bytes.slice(1..2)[..]), (&b"abc"[..], &b"b"[..]));
        assert_eq!((reads.load(Ordering::Relaxed), failure.text()), (1, None));
        let gone = Bytes::unread(3, || Err("gone".into()), &failure);
        assert_eq!((&gone[..], failure.text()), (&b""[..], Some("gone")));
    }

    #[test]
    fn one_byte_order_mark_is_dropped() {
        assert_eq!(&Bytes::from("\u{feff}\u{feff}a").without_bom()[..], "\u{feff}a".as_bytes());
        assert_eq!(&Bytes::from("a").without_bom()[..], b"a");
    }
}
