//! Numbers that are random to look at and the same in every run.

/// SplitMix64.
pub(super) struct Rng(u64);

impl Rng {
    /// The numbers of one case: its area, its place there, and the seed of the run.
    pub(super) fn of(seed: u64, area: &str, index: u64) -> Rng {
        let mut state = seed;
        for byte in area.bytes() {
            state = state.wrapping_mul(31).wrapping_add(u64::from(byte));
        }
        let mut rng = Rng(state ^ index.wrapping_mul(0xd134_2543_de82_ef95));
        rng.next();
        rng
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`; 0 where `n` is 0.
    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.next() % (n.max(1) as u64)) as usize
    }

    /// True in so many of a hundred calls.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of several.
    pub(super) fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }

    /// Several texts in a row: at least `least` of them, at most `most`.
    pub(super) fn several(
        &mut self,
        least: usize,
        most: usize,
        mut one: impl FnMut(&mut Rng) -> String,
    ) -> Vec<String> {
        let count = least + self.below(most - least + 1);
        (0..count).map(|_| one(self)).collect()
    }

    /// A text of pieces.
    pub(super) fn text(&mut self, least: usize, most: usize, pieces: &[&str]) -> String {
        self.several(least, most, |r| r.pick(pieces).to_owned()).concat()
    }
}
