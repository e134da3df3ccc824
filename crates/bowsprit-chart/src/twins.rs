//! Files that several charts of a tree have in common.
//!
//! Charts of one publisher come with the same library chart, and umbrellas with one chart several
//! times. Equal files are kept once, so that what is made of them can be made once too.

use crate::Bytes;
use bowsprit_value::Map;
use std::collections::HashMap;

/// Contents that have been seen, by a sample of them.
#[derive(Debug, Default)]
pub(crate) struct Twins {
    seen: HashMap<(usize, u64), Vec<Bytes>>,
    /// The content is kept, so that no other can come to lie at its place.
    values: HashMap<(usize, usize), (Bytes, Map)>,
}

impl Twins {
    /// Of so many contents with the same sample each is compared with a new one.
    const ALIKE: usize = 8;

    /// The first content that is equal to this one, which may be this one.
    pub(crate) fn first(&mut self, data: &Bytes) -> Bytes {
        let alike = self.seen.entry((data.len(), sample(data))).or_default();
        if let Some(twin) = alike.iter().find(|twin| twin.as_bytes() == data.as_bytes()) {
            return twin.clone();
        }
        if alike.len() < Self::ALIKE {
            alike.push(data.clone());
        }
        data.clone()
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
