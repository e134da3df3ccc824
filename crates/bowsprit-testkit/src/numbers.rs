//! Numbers for generated texts.

/// Numbers that look random and are the same in every run of a test.
///
/// ```
/// use bowsprit_testkit::Numbers;
///
/// let mut numbers = Numbers::new(7);
/// assert!(numbers.below(3) < 3);
/// assert_eq!(Numbers::new(7).below(100), Numbers::new(7).below(100));
/// ```
#[derive(Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// The numbers of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Numbers {
        Numbers(seed)
    }

    /// A number below a bound, which must not be 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    /// Takes a byte out of a text, puts one of some into it, or cuts it.
    pub fn damage(&mut self, text: &mut Vec<u8>, bytes: &[u8]) {
        if text.is_empty() {
            return;
        }
        let at = self.below(text.len());
        match self.below(3) {
            0 => drop(text.remove(at)),
            1 => text.insert(at, bytes[self.below(bytes.len())]),
            _ => text.truncate(at),
        }
    }
}
