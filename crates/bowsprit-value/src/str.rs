//! Go's `string`: immutable bytes, cheap to clone.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

const INLINE: usize = 22;

#[derive(Clone)]
enum Repr {
    Static(&'static [u8]),
    Inline(u8, [u8; INLINE]),
    Heap(Arc<[u8]>),
    /// With room behind it, for a string that is being added to.
    Growing(Arc<Vec<u8>>),
}

/// Shorter strings are copied when something is added to them.
const GROWING: usize = 256;

/// A byte string, mostly UTF-8 but never required to be.
///
/// Up to 22 bytes live inline; longer ones are shared, so that cloning never copies.
///
/// ```
/// use bowsprit_value::Str;
///
/// let s = Str::from("naïve");
/// assert_eq!(s.len(), 6);
/// assert_eq!(s.to_str(), Some("naïve"));
/// assert_eq!(Str::from(vec![0xff]).to_str(), None);
/// ```
#[derive(Clone)]
pub struct Str(Repr);

impl Str {
    /// The bytes, if they are allocated.
    pub(crate) fn heap(&self) -> Option<&[u8]> {
        match &self.0 {
            Repr::Heap(bytes) => Some(bytes),
            Repr::Growing(bytes) => Some(bytes),
            Repr::Static(_) | Repr::Inline(..) => None,
        }
    }

    /// A string that lives as long as the program.
    pub const fn from_static(s: &'static str) -> Str {
        Str(Repr::Static(s.as_bytes()))
    }

    /// Copies bytes.
    pub fn from_bytes(bytes: &[u8]) -> Str {
        if bytes.len() <= INLINE {
            let mut buf = [0; INLINE];
            buf[..bytes.len()].copy_from_slice(bytes);
            Str(Repr::Inline(bytes.len() as u8, buf))
        } else {
            Str(Repr::Heap(Arc::from(bytes)))
        }
    }

    /// Whether [`Str::append`] adds to this string without copying it.
    pub fn can_grow(&self) -> bool {
        matches!(&self.0, Repr::Growing(shared) if Arc::strong_count(shared) == 1)
    }

    /// The string with something added. Whoever holds the only reference to a long string adds to it
    /// without copying it.
    ///
    /// ```
    /// use bowsprit_value::Str;
    ///
    /// let s = Str::from("x".repeat(300)).append(b"y");
    /// assert_eq!((s.len(), s.as_bytes().last()), (301, Some(&b'y')));
    /// ```
    #[must_use]
    pub fn append(self, tail: &[u8]) -> Str {
        let mut text = match self.0 {
            Repr::Growing(mut shared) => match Arc::get_mut(&mut shared) {
                Some(text) => {
                    text.extend_from_slice(tail);
                    return Str(Repr::Growing(shared));
                }
                None => shared.to_vec(),
            },
            _ => self.as_bytes().to_vec(),
        };
        text.extend_from_slice(tail);
        if text.len() < GROWING { Str::from(text) } else { Str(Repr::Growing(Arc::new(text))) }
    }

    /// The bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Static(s) => s,
            Repr::Inline(len, buf) => &buf[..usize::from(*len).min(INLINE)],
            Repr::Heap(s) => s,
            Repr::Growing(s) => s,
        }
    }

    /// Whether these are its bytes; fast where they are few.
    #[inline]
    pub(crate) fn is(&self, bytes: &[u8]) -> bool {
        let own = self.as_bytes();
        if own.len() != bytes.len() {
            return false;
        }
        let ends = |bytes: &[u8]| Some((*bytes.first_chunk::<8>()?, *bytes.last_chunk::<8>()?));
        match (ends(own), ends(bytes)) {
            (Some(a), Some(b)) => a == b && (own.len() <= 16 || own == bytes),
            _ => prefix(own) == prefix(bytes),
        }
    }

    /// The first bytes as a number that orders as they do, with zeros where there are none: strings whose
    /// numbers differ need no other look to be compared.
    #[inline]
    pub(crate) fn prefix(&self) -> u64 {
        match &self.0 {
            // What is behind the end is zero.
            Repr::Inline(_, buf) => prefix(buf),
            _ => prefix(self.as_bytes()),
        }
    }

    /// The text, unless the bytes are not UTF-8.
    pub fn to_str(&self) -> Option<&str> {
        std::str::from_utf8(self.as_bytes()).ok()
    }

    /// The text, with every wrong byte sequence replaced by U+FFFD.
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.as_bytes())
    }

    /// Number of bytes.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Static(s) => s.len(),
            Repr::Inline(len, _) => usize::from(*len),
            Repr::Heap(s) => s.len(),
            Repr::Growing(s) => s.len(),
        }
    }

    /// True for the empty string.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// As [`Str::prefix`].
#[inline]
pub(crate) fn prefix(bytes: &[u8]) -> u64 {
    if let Some(first) = bytes.first_chunk::<8>() {
        return u64::from_be_bytes(*first);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let [first, last] = [first, last].map(|four| u64::from(u32::from_be_bytes(*four)));
        // They overlap.
        return first << 32 | last << (8 * (8 - bytes.len())) & 0xffff_ffff;
    }
    let known = bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    known.checked_shl(64 - 8 * bytes.len() as u32).unwrap_or_default()
}

impl Default for Str {
    fn default() -> Str {
        Str::from_static("")
    }
}

impl From<&str> for Str {
    fn from(s: &str) -> Str {
        Str::from_bytes(s.as_bytes())
    }
}

impl From<String> for Str {
    fn from(s: String) -> Str {
        Str::from(s.into_bytes())
    }
}

impl From<Vec<u8>> for Str {
    fn from(v: Vec<u8>) -> Str {
        if v.len() <= INLINE { Str::from_bytes(&v) } else { Str(Repr::Heap(Arc::from(v))) }
    }
}

impl From<&[u8]> for Str {
    fn from(v: &[u8]) -> Str {
        Str::from_bytes(v)
    }
}

impl From<Arc<[u8]>> for Str {
    fn from(v: Arc<[u8]>) -> Str {
        Str(Repr::Heap(v))
    }
}

impl From<Cow<'_, str>> for Str {
    fn from(s: Cow<'_, str>) -> Str {
        match s {
            Cow::Borrowed(s) => s.into(),
            Cow::Owned(s) => s.into(),
        }
    }
}

impl AsRef<[u8]> for Str {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Borrow<[u8]> for Str {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq for Str {
    #[inline]
    fn eq(&self, other: &Str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Str {}

impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialOrd for Str {
    fn partial_cmp(&self, other: &Str) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Str {
    #[inline]
    fn cmp(&self, other: &Str) -> Ordering {
        match self.prefix().cmp(&other.prefix()) {
            Ordering::Equal => self.as_bytes().cmp(other.as_bytes()),
            order => order,
        }
    }
}

impl Hash for Str {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string_lossy(), f)
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_string_lossy())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_order_as_their_bytes() {
        let mut texts = vec![String::new()];
        for len in [1, 2, 3, 4, 5, 6, 7, 8, 9, 21, 22, 23, 300] {
            texts.extend(["\0", "a", "\u{7f}", "é"].map(|text| text.repeat(len)));
            texts.extend(["\0", "b"].map(|end| format!("{}{end}", "a".repeat(len))));
        }
        for (a, b) in texts.iter().flat_map(|a| texts.iter().map(move |b| (a, b))) {
            let order = a.as_bytes().cmp(b.as_bytes());
            assert_eq!(Str::from(a.as_str()).cmp(&Str::from(b.as_str())), order, "{a:?} {b:?}");
            let grown = Str::from(a.as_str()).append(b"");
            assert_eq!(grown.is(b.as_bytes()), a == b);
            assert_eq!(grown.cmp(&Str(Repr::Static(b"aaaaaaaab"))), a.as_bytes().cmp(b"aaaaaaaab"));
        }
    }

    #[test]
    fn short_and_long_strings_compare_by_bytes() {
        let long = "x".repeat(40);
        assert_eq!(Str::from(long.as_str()), Str::from(long.clone().into_bytes()));
        assert_eq!(Str::from("abc"), Str::from_static("abc"));
        assert!(Str::from("a").cmp(&"b".into()).is_lt());
        assert_eq!(size_of::<Str>(), 24);
    }

    #[test]
    fn adding_to_a_string_leaves_its_clones_alone() {
        let mut text = Str::default();
        let mut clones = Vec::new();
        for i in 0..500_usize {
            if i % 100 == 0 {
                clones.push((i, text.clone()));
            }
            text = text.append(b"ab");
        }
        assert_eq!(text.len(), 1000);
        for (i, clone) in clones {
            assert_eq!(clone, Str::from("ab".repeat(i)));
        }
    }
}
