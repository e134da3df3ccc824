//! Inflating streams that have nothing wrong, quickly.
//!
//! The output has room to spare, so matches are copied in whole blocks. Whatever is wrong is left to the
//! decoders that know Go's errors: this one just gives up.

const LITERAL_BITS: u32 = 11;
const DISTANCE_BITS: u32 = 8;
const MAX_CODE_BITS: usize = 15;
const MAX_LITERAL_CODES: usize = 286;
const MAX_DISTANCE_CODES: usize = 30;
const CODE_ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Matches are copied in blocks of so many bytes, past their end where there is room.
const BLOCK: usize = 16;
/// Most are no longer than this, and from no nearer.
const WIDE: usize = 32;

// An entry of a table: the bits of the code that are to be passed in the lowest byte, then what it
// stands for, then how many extra bits follow, then a number in the upper half.
const INVALID: u32 = 0;
const LITERAL: u32 = 1 << 8;
const MATCH: u32 = 2 << 8;
const END: u32 = 3 << 8;
/// The number is where the table of longer codes begins.
const LONGER: u32 = 4 << 8;
const MEANING: u32 = 7 << 8;

const fn entry(meaning: u32, extra: u32, number: u32) -> u32 {
    meaning | extra << 12 | number << 16
}

const fn length_entry(symbol: usize) -> u32 {
    let symbol = symbol as u32;
    match symbol {
        0..=255 => entry(LITERAL, 0, symbol),
        256 => entry(END, 0, 0),
        257..=264 => entry(MATCH, 0, symbol - 254),
        285 => entry(MATCH, 0, 258),
        265..=284 => {
            let extra = (symbol - 261) / 4;
            entry(MATCH, extra, ((4 + (symbol - 265) % 4) << extra) + 3)
        }
        _ => INVALID,
    }
}

const fn distance_entry(symbol: usize) -> u32 {
    let symbol = symbol as u32;
    match symbol {
        0..=3 => entry(MATCH, 0, symbol + 1),
        4..=29 => {
            let extra = symbol / 2 - 1;
            entry(MATCH, extra, ((2 + symbol % 2) << extra) + 1)
        }
        _ => INVALID,
    }
}

/// A table for codes, looked up by the next bits; codes longer than those go on in tables behind it.
struct Table {
    bits: u32,
    entries: Vec<u32>,
}

impl Table {
    fn new(bits: u32) -> Table {
        Table { bits, entries: Vec::new() }
    }

    /// Fills the table; `None` for lengths that make no complete code, but for a lone code of one bit
    /// or none at all.
    #[allow(clippy::needless_range_loop, reason = "two tables go along, one a place behind")]
    fn fill(&mut self, lengths: &[u8], meaning: impl Fn(usize) -> u32) -> Option<()> {
        let mut counts = [0u32; MAX_CODE_BITS + 1];
        for &length in lengths {
            *counts.get_mut(usize::from(length))? += 1;
        }
        let mut next = [0u32; MAX_CODE_BITS + 1];
        let (mut code, mut used, mut left) = (0, 0, 1u32);
        for length in 1..=MAX_CODE_BITS {
            code = (code + if length == 1 { 0 } else { counts[length - 1] }) << 1;
            next[length] = code;
            used += counts[length];
            left = (left << 1).checked_sub(counts[length])?;
        }
        if left != 0 && !(used == 0 || (used == 1 && counts[1] == 1)) {
            return None;
        }
        let primary = 1usize << self.bits;
        self.entries.clear();
        self.entries.resize(primary, INVALID);
        for (symbol, &length) in lengths.iter().enumerate().filter(|(_, length)| **length != 0) {
            let code = next[usize::from(length)];
            next[usize::from(length)] += 1;
            let length = u32::from(length);
            self.insert(code.reverse_bits() >> (32 - length), length, meaning(symbol));
        }
        Some(())
    }

    fn insert(&mut self, code: u32, length: u32, meaning: u32) {
        let primary = 1usize << self.bits;
        if length <= self.bits {
            let places = self.entries.iter_mut().take(primary).skip(code as usize);
            places.step_by(1 << length).for_each(|place| *place = meaning | length);
            return;
        }
        let more = MAX_CODE_BITS as u32 - self.bits;
        let first = code as usize & (primary - 1);
        if self.entries[first] == INVALID {
            self.entries[first] = entry(LONGER, 0, self.entries.len() as u32) | self.bits;
            self.entries.resize(self.entries.len() + (1 << more), INVALID);
        }
        let base = (self.entries[first] >> 16) as usize + (code >> self.bits) as usize;
        let end = (self.entries[first] >> 16) as usize + (1 << more);
        let rest = length - self.bits;
        let places = self.entries.iter_mut().take(end).skip(base);
        places.step_by(1 << rest).for_each(|place| *place = meaning | rest);
    }
}

/// The next bits of the input; zeros follow its end.
#[derive(Clone, Copy)]
struct Bits<'a> {
    input: &'a [u8],
    /// Bytes that have been taken into `bits`, and those that were missing.
    taken: usize,
    bits: u64,
    count: u32,
}

impl Bits<'_> {
    /// Makes sure that there are at least 56 bits.
    #[inline(always)]
    fn refill(&mut self) {
        if let Some(word) = self.input.get(self.taken..).and_then(<[u8]>::first_chunk) {
            self.bits |= u64::from_le_bytes(*word) << self.count;
            self.taken += ((63 - self.count) >> 3) as usize;
            self.count |= 56;
        } else {
            // By value, so that these stay in registers otherwise.
            *self = refilled_slowly(Bits { ..*self });
        }
    }

    #[inline(always)]
    fn pass(&mut self, count: u32) {
        self.bits >>= count;
        self.count -= count;
    }

    #[inline(always)]
    fn take(&mut self, count: u32) -> u32 {
        let value = self.bits as u32 & ((1 << count) - 1);
        self.pass(count);
        value
    }

    /// The meaning of the next code.
    #[inline(always)]
    fn symbol<const BITS: u32>(&mut self, table: &[u32]) -> u32 {
        let mut found = table[self.bits as usize & ((1 << BITS) - 1)];
        if found & MEANING == LONGER {
            self.pass(BITS);
            let more = MAX_CODE_BITS as u32 - BITS;
            found = table[(found >> 16) as usize + (self.bits as usize & ((1 << more) - 1))];
        }
        self.pass(found & 15);
        found
    }

    /// The number of a code with its extra bits.
    #[inline(always)]
    fn number(&mut self, found: u32) -> usize {
        ((found >> 16) + self.take(found >> 12 & 15)) as usize
    }

    /// Bytes of the input that are used up, the one that is begun included; `None` beyond the end.
    fn used(&self) -> Option<usize> {
        let used = self.taken - (self.count / 8) as usize;
        (used <= self.input.len()).then_some(used)
    }
}

#[cold]
fn refilled_slowly(mut bits: Bits<'_>) -> Bits<'_> {
    while bits.count < 56 {
        let byte = bits.input.get(bits.taken).copied().unwrap_or(0);
        bits.bits |= u64::from(byte) << bits.count;
        bits.taken += 1;
        bits.count += 8;
    }
    bits
}

/// What comes next in the stream.
#[derive(Clone, Copy, Debug)]
enum State {
    Head,
    /// Bytes of a stored block that are still to be copied.
    Stored(usize),
    Codes,
    End,
}

/// How far [`Inflater::run`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// There may be no room for what comes next.
    Full,
    /// The stream has ended.
    Done,
}

/// Decodes one deflate stream into a buffer that its caller may empty from the front.
pub(super) struct Inflater<'a> {
    input: Bits<'a>,
    literals: Table,
    distances: Table,
    state: State,
    last: bool,
    /// Where in the buffer the next byte goes.
    pub(super) at: usize,
}

impl<'a> Inflater<'a> {
    /// How far back a match can reach: so much of what was written must stay in the buffer.
    pub(super) const HISTORY: usize = 32 << 10;
    /// Room at the end of the buffer that is not used: for the longest match, the literals before it and
    /// the block that may be copied past it.
    pub(super) const SPARE: usize = 258 + 3 + WIDE;

    pub(super) fn new(input: &'a [u8]) -> Inflater<'a> {
        Inflater {
            input: Bits { input, taken: 0, bits: 0, count: 0 },
            literals: Table::new(LITERAL_BITS),
            distances: Table::new(DISTANCE_BITS),
            state: State::Head,
            last: false,
            at: 0,
        }
    }

    /// Bytes of the input that have been used; `None` if it ended too early.
    #[cfg(test)]
    fn used(&self) -> Option<usize> {
        self.input.used()
    }

    /// Goes on until the buffer is full but for [`Inflater::SPARE`] bytes, or the stream ends. `None`
    /// where anything is wrong.
    pub(super) fn run(&mut self, out: &mut [u8]) -> Option<Progress> {
        let room = out.len().checked_sub(Self::SPARE)?;
        loop {
            match self.state {
                State::End => return Some(Progress::Done),
                _ if self.at >= room => {
                    // The zeros behind the end of the input would go on for ever.
                    self.input.used()?;
                    return Some(Progress::Full);
                }
                State::Head => self.head()?,
                State::Stored(left) => self.stored(left, out.get_mut(..room)?)?,
                State::Codes => {
                    if self.codes(out, room)? {
                        self.end_block()?;
                    }
                }
            }
        }
    }

    fn end_block(&mut self) -> Option<()> {
        self.input.used()?;
        self.state = if self.last { State::End } else { State::Head };
        Some(())
    }

    fn head(&mut self) -> Option<()> {
        self.input.refill();
        self.input.used()?;
        self.last = self.input.take(1) == 1;
        match self.input.take(2) {
            0 => self.stored_head(),
            1 => self.fixed(),
            2 => self.dynamic(),
            _ => None,
        }
    }

    fn stored_head(&mut self) -> Option<()> {
        let start = self.input.used()?;
        let [a, b, c, d] = *self.input.input.get(start..)?.first_chunk()?;
        let length = u16::from_le_bytes([a, b]);
        if length != !u16::from_le_bytes([c, d]) {
            return None;
        }
        self.input = Bits { taken: start + 4, bits: 0, count: 0, ..self.input };
        self.state = State::Stored(usize::from(length));
        Some(())
    }

    fn stored(&mut self, left: usize, out: &mut [u8]) -> Option<()> {
        let take = left.min(out.len() - self.at);
        let end = self.input.taken + take;
        let stored = self.input.input.get(self.input.taken..end)?;
        out.get_mut(self.at..self.at + take)?.copy_from_slice(stored);
        self.at += take;
        self.input.taken = end;
        self.state = State::Stored(left - take);
        if take == left { self.end_block() } else { Some(()) }
    }

    fn fixed(&mut self) -> Option<()> {
        let mut lengths = [8u8; 288];
        lengths[144..256].fill(9);
        lengths[256..280].fill(7);
        self.literals.fill(&lengths, length_entry)?;
        self.distances.fill(&[5; 32], distance_entry)?;
        self.state = State::Codes;
        Some(())
    }

    fn dynamic(&mut self) -> Option<()> {
        let literals = self.input.take(5) as usize + 257;
        let distances = self.input.take(5) as usize + 1;
        let codes = self.input.take(4) as usize + 4;
        if literals > MAX_LITERAL_CODES || distances > MAX_DISTANCE_CODES {
            return None;
        }
        let mut lengths = [0u8; MAX_LITERAL_CODES + MAX_DISTANCE_CODES];
        let lengths = &mut lengths[..literals + distances];
        self.lengths(codes, lengths)?;
        self.literals.fill(&lengths[..literals], length_entry)?;
        self.distances.fill(&lengths[literals..], distance_entry)?;
        self.state = State::Codes;
        Some(())
    }

    fn lengths(&mut self, codes: usize, lengths: &mut [u8]) -> Option<()> {
        const BITS: u32 = 7;
        let mut of_code = [0u8; 19];
        for &place in &CODE_ORDER[..codes] {
            self.input.refill();
            of_code[place] = self.input.take(3) as u8;
        }
        let mut table = Table::new(BITS);
        table.fill(&of_code, |symbol| entry(LITERAL, 0, symbol as u32))?;
        let mut at = 0;
        while at < lengths.len() {
            self.input.refill();
            let found = self.input.symbol::<BITS>(&table.entries);
            if found & MEANING != LITERAL {
                return None;
            }
            let (value, repeat) = match found >> 16 {
                16 => (*lengths.get(at.checked_sub(1)?)?, 3 + self.input.take(2)),
                17 => (0, 3 + self.input.take(3)),
                18 => (0, 11 + self.input.take(7)),
                length => (length as u8, 1),
            };
            lengths.get_mut(at..at + repeat as usize)?.fill(value);
            at += repeat as usize;
        }
        Some(())
    }

    /// Decodes to the end of the block (true) or until the buffer is full (false).
    fn codes(&mut self, out: &mut [u8], room: usize) -> Option<bool> {
        let (literals, distances) = (&*self.literals.entries, &*self.distances.entries);
        // Copies, which the compiler keeps in registers.
        let (mut input, mut at) = (self.input, self.at);
        let ended = loop {
            if at >= room {
                break false;
            }
            input.refill();
            let mut found = input.symbol::<LITERAL_BITS>(literals);
            // A match with its distance fits what is there, and so do two literals and the code of one.
            if found & MEANING == LITERAL {
                out[at] = (found >> 16) as u8;
                at += 1;
                found = input.symbol::<LITERAL_BITS>(literals);
                if found & MEANING == LITERAL {
                    out[at] = (found >> 16) as u8;
                    at += 1;
                    found = input.symbol::<LITERAL_BITS>(literals);
                    if found & MEANING == LITERAL {
                        out[at] = (found >> 16) as u8;
                        at += 1;
                        continue;
                    }
                }
                // No bits of the code that was found are needed any more.
                input.refill();
            }
            if found & MEANING != MATCH {
                if found & MEANING == END {
                    break true;
                }
                return None;
            }
            let length = input.number(found);
            let found = input.symbol::<DISTANCE_BITS>(distances);
            if found & MEANING != MATCH {
                return None;
            }
            let distance = input.number(found);
            copy_match(out, at, distance, length)?;
            at += length;
        };
        (self.input, self.at) = (input, at);
        Some(ended)
    }
}

/// Repeats what was written a distance before; there is room for a block more.
#[inline(always)]
fn copy_match(out: &mut [u8], at: usize, distance: usize, length: usize) -> Option<()> {
    let from = at.checked_sub(distance)?;
    if distance >= WIDE && length <= WIDE {
        let (written, free) = out.split_at_mut_checked(at)?;
        let block: [u8; WIDE] = *written.get(from..)?.first_chunk()?;
        *free.first_chunk_mut()? = block;
        return Some(());
    }
    if distance >= BLOCK {
        let mut done = 0;
        loop {
            let block: [u8; BLOCK] = *out.get(from + done..)?.first_chunk()?;
            *out.get_mut(at + done..)?.first_chunk_mut()? = block;
            done += BLOCK;
            if done >= length {
                return Some(());
            }
        }
    }
    copy_near(out.get_mut(from..at + length)?, distance)
}

/// Fills a buffer by repeating its first bytes.
fn copy_near(out: &mut [u8], distance: usize) -> Option<()> {
    if distance == 1 {
        let byte = *out.first()?;
        out.fill(byte);
        return Some(());
    }
    for place in distance..out.len() {
        out[place] = out[place - distance];
    }
    Some(())
}

/// Inflates a stream of which the beginning is wanted, up to `len` bytes; fewer where it is broken.
pub(crate) fn inflate(input: &[u8], len: usize) -> Vec<u8> {
    let mut out = vec![0; len + Inflater::SPARE];
    let mut inflater = Inflater::new(input);
    let end = inflater.run(&mut out).map_or(0, |_| inflater.at.min(len));
    out.truncate(end);
    out
}

#[cfg(test)]
mod tests {
    use super::{Inflater, Progress, inflate};
    use flate2::{Compress, Compression, FlushCompress};

    fn deflate(text: &[u8], level: u32) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() + 1024);
        Compress::new(Compression::new(level), false)
            .compress_vec(text, &mut out, FlushCompress::Finish)
            .unwrap();
        out
    }

    /// Text with repeats near and far, and noise.
    fn text(len: usize) -> Vec<u8> {
        let mut state = 7u32;
        let mut out: Vec<u8> = Vec::new();
        while out.len() < len {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (kind, size) = (state >> 30, (state >> 8) as usize % 300 + 1);
            match kind {
                0 => out.extend((0..size).map(|i| (state >> (i % 24)) as u8 ^ i as u8)),
                1 => out.resize(out.len() + size, (state >> 16) as u8),
                _ => {
                    let back = (state >> 4) as usize % out.len().clamp(1, 30_000) + 1;
                    let from = out.len().saturating_sub(back);
                    for i in 0..size {
                        out.push(out.get(from + i).copied().unwrap_or(b' '));
                    }
                }
            }
        }
        out.truncate(len);
        out
    }

    /// Inflates through a buffer of a given size; what was read of the input, and the output.
    fn through(packed: &[u8], size: usize) -> Option<(usize, Vec<u8>)> {
        let mut inflater = Inflater::new(packed);
        let mut window = vec![0; size];
        let (mut out, mut taken) = (Vec::new(), 0);
        loop {
            let progress = inflater.run(&mut window)?;
            out.extend_from_slice(&window[taken..inflater.at]);
            if progress == Progress::Done {
                return Some((inflater.used()?, out));
            }
            let from = inflater.at.saturating_sub(Inflater::HISTORY);
            window.copy_within(from..inflater.at, 0);
            inflater.at -= from;
            taken = inflater.at;
        }
    }

    #[test]
    fn what_was_deflated_comes_back() {
        for len in [0, 1, 2, 100, 20_000, 120_000] {
            for level in [0, 1, 6, 9] {
                let text = text(len);
                let mut packed = deflate(&text, level);
                let end = packed.len();
                packed.extend_from_slice(b"trailer");
                for size in [40_000, 100_000] {
                    assert_eq!(through(&packed, size), Some((end, text.clone())), "{len} {level}");
                }
                assert_eq!(inflate(&packed, len), text);
                assert_eq!(inflate(&packed, len / 2), text[..len / 2]);
            }
        }
    }

    #[test]
    fn what_is_wrong_ends_in_nothing_or_in_other_bytes() {
        let packed = deflate(&text(20_000), 6);
        for cut in 0..packed.len().min(120) {
            assert_eq!(through(&packed[..cut], 40_000), None);
        }
        for at in 0..packed.len().min(120) {
            for bit in 0..8 {
                let mut broken = packed.clone();
                broken[at] ^= 1 << bit;
                if let Some((used, _)) = through(&broken, 40_000) {
                    assert!(used <= broken.len());
                }
            }
        }
        assert!(inflate(&packed[..50], 20_000).len() < 20_000);
    }
}
