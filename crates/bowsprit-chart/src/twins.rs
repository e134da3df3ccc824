//! Files that several charts of a tree have in common.
//!
//! Charts of one publisher come with the same library chart, and umbrellas with one chart several
//! times. Equal files are kept once, so that what is made of them can be made once too.

use crate::Bytes;
use bowsprit_value::Map;
use std::collections::BTreeMap;

/// Contents that have been seen, by a sample of them.
///
/// ```
/// use bowsprit_chart::Twins;
///
/// let mut twins = Twins::default();
/// let first = twins.take(b"a: 1");
/// assert_eq!(twins.take(b"a: 1").id(), first.id());
/// ```
#[derive(Debug, Default)]
pub struct Twins {
    seen: BTreeMap<(usize, u64), Vec<Bytes>>,
    /// The content is kept, so that no other can come to lie at its place.
    values: BTreeMap<(usize, usize), (Bytes, Map)>,
}

impl Twins {
    /// Of so many contents with the same sample each is compared with a new one.
    const ALIKE: usize = 8;

    /// The content, copied only if no equal one was taken before.
    pub fn take(&mut self, data: &[u8]) -> Bytes {
        self.of(data, || Bytes::from(data.to_vec()))
    }

    /// The first content that is equal to this one, which may be this one.
    pub(crate) fn first(&mut self, data: &Bytes) -> Bytes {
        self.of(data, || data.clone())
    }

    fn of(&mut self, data: &[u8], own: impl FnOnce() -> Bytes) -> Bytes {
        let alike = self.seen.entry((data.len(), sample(data))).or_default();
        // A content that is known by its place need not be compared.
        let is_it = |twin: &&Bytes| std::ptr::eq(twin.as_bytes(), data) || twin.as_bytes() == data;
        if let Some(twin) = alike.iter().find(is_it) {
            return twin.clone();
        }
        let own = own();
        if alike.len() < Self::ALIKE {
            alike.push(own.clone());
        }
        own
    }

    /// The values that a content which came from [`Twins::first`] was decoded to.
    pub(crate) fn values(&self, data: &Bytes) -> Option<Map> {
        self.values.get(&data.id()).map(|(_, values)| values.clone())
    }

    /// Remembers what values a content stands for.
    pub(crate) fn keep_values(&mut self, data: &Bytes, values: &Map) {
        self.values.insert(data.id(), (data.clone(), values.clone()));
    }
}

/// A few words of a text, spread over it.
fn sample(text: &[u8]) -> u64 {
    const WORDS: usize = 8;
    let step = (text.len() / WORDS).max(8);
    text.chunks(step).take(WORDS + 1).fold(0, |sample: u64, part| {
        let word = part.first_chunk::<8>().map_or(0, |word| u64::from_le_bytes(*word));
        (sample.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    })
}

#[cfg(test)]
mod tests {
    use super::Twins;
    use crate::Bytes;

    #[test]
    fn equal_contents_are_one_and_others_are_not() {
        let mut twins = Twins::default();
        let texts: Vec<String> =
            (0..40).map(|i| format!("{}{i:04}{}", "x".repeat(50), "y".repeat(50))).collect();
        let ids: Vec<_> =
            texts.iter().map(|t| twins.first(&Bytes::from(t.as_str())).id()).collect();
        for (i, text) in texts.iter().enumerate() {
            let first = twins.first(&Bytes::from(text.as_str()));
            assert_eq!(first.as_bytes(), text.as_bytes());
            assert!(i >= Twins::ALIKE || first.id() == ids[i]);
        }
        assert_eq!(&twins.first(&Bytes::default())[..], b"");
    }
}
