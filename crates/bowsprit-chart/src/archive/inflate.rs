//! A second opinion on broken deflate streams.
//!
//! The fast decoder says only that a stream is broken. Go's says where, by the number of bytes it had
//! read, and accepts a few streams that others refuse (a block without an end code, for one). This
//! decoder reads the same bytes at the same moments as Go's `compress/flate` and is asked only after
//! the fast one gave up.

use super::ReadError;

const WINDOW: usize = 32 << 10;
const MAX_CODE_BITS: usize = 15;
const MAX_LITERAL_CODES: usize = 286;
const MAX_DISTANCE_CODES: usize = 30;
const END_OF_BLOCK: usize = 256;
const CODE_ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// A canonical Huffman code.
#[derive(Debug, Default)]
struct Code {
    min: u32,
    count: [u16; MAX_CODE_BITS + 1],
    symbols: Vec<u16>,
}

impl Code {
    /// `None` for a set of lengths that Go refuses: over-subscribed, or incomplete and not one lone bit.
    fn new(lengths: &[u8]) -> Option<Code> {
        let mut code = Code::default();
        for &len in lengths.iter().filter(|&&len| len != 0) {
            *code.count.get_mut(usize::from(len))? += 1;
        }
        let Some(max) = code.count.iter().rposition(|&n| n != 0) else {
            return Some(code);
        };
        code.min = code.count.iter().position(|&n| n != 0).unwrap_or(0) as u32;
        let total = code.count.iter().take(max + 1).fold(0u32, |sum, &n| (sum << 1) + u32::from(n));
        if total != 1 << max && !(total == 1 && max == 1) {
            return None;
        }
        for len in 1..=max {
            let of_len = lengths.iter().enumerate().filter(|&(_, &l)| usize::from(l) == len);
            code.symbols.extend(of_len.map(|(symbol, _)| symbol as u16));
        }
        Some(code)
    }

    /// The symbol that the low bits spell and its length; a length of 0 where they spell none.
    fn look_up(&self, bits: u32) -> (usize, u32) {
        let (mut code, mut first, mut index) = (0u32, 0u32, 0u32);
        for len in 1..=MAX_CODE_BITS {
            code |= bits >> (len - 1) & 1;
            let count = u32::from(self.count.get(len).copied().unwrap_or(0));
            if code < first + count {
                let at = (index + code - first) as usize;
                return (self.symbols.get(at).copied().map_or(0, usize::from), len as u32);
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        (0, 0)
    }
}

#[derive(Clone, Copy, Debug)]
enum State {
    BlockHead,
    Stored(usize),
    Compressed,
    Done,
}

/// Decodes one deflate stream in steps.
#[derive(Debug)]
pub(super) struct Inflate<'a> {
    input: &'a [u8],
    /// Bytes read so far: the offset that Go's errors name.
    read: usize,
    bits: u32,
    bit_count: u32,
    last: bool,
    state: State,
    literals: Code,
    /// `None` in blocks with the fixed code.
    distances: Option<Code>,
    window: Vec<u8>,
    written: usize,
}

impl<'a> Inflate<'a> {
    pub(super) fn new(input: &'a [u8]) -> Inflate<'a> {
        Inflate {
            input,
            read: 0,
            bits: 0,
            bit_count: 0,
            last: false,
            state: State::BlockHead,
            literals: Code::default(),
            distances: None,
            window: vec![0; WINDOW],
            written: 0,
        }
    }

    /// Bytes of the input that the stream took.
    pub(super) fn read(&self) -> usize {
        self.read
    }

    /// Appends about `want` bytes to `out`. True when the stream has ended.
    pub(super) fn step(&mut self, out: &mut Vec<u8>, want: usize) -> Result<bool, ReadError> {
        let enough = out.len().saturating_add(want);
        while out.len() < enough {
            match self.state {
                State::BlockHead => self.block_head()?,
                State::Stored(left) => self.stored(left, out)?,
                State::Compressed => self.compressed(out)?,
                State::Done => return Ok(true),
            }
        }
        Ok(false)
    }

    /// Decodes until at least `target` bytes are out, and leaves in `out` only what lies beyond them.
    pub(super) fn catch_up(&mut self, out: &mut Vec<u8>, target: usize) -> Result<(), ReadError> {
        self.step(out, target)?;
        out.drain(..target.min(out.len()));
        Ok(())
    }

    #[cold]
    fn corrupt(&self) -> ReadError {
        ReadError::Flate(self.read as u64)
    }

    fn more_bits(&mut self) -> Result<(), ReadError> {
        let byte = *self.input.get(self.read).ok_or(ReadError::UnexpectedEof)?;
        self.read += 1;
        self.bits |= u32::from(byte) << (self.bit_count & 31);
        self.bit_count += 8;
        Ok(())
    }

    fn take(&mut self, count: u32) -> Result<usize, ReadError> {
        while self.bit_count < count {
            self.more_bits()?;
        }
        let value = self.bits & ((1 << count) - 1);
        self.drop_bits(count);
        Ok(value as usize)
    }

    fn drop_bits(&mut self, count: u32) {
        self.bits >>= count;
        self.bit_count -= count;
    }

    fn block_head(&mut self) -> Result<(), ReadError> {
        if self.last {
            self.state = State::Done;
            return Ok(());
        }
        let head = self.take(3)?;
        self.last = head & 1 == 1;
        match head >> 1 {
            0 => self.stored_head(),
            1 => self.fixed_codes(),
            2 => self.dynamic_codes(),
            _ => Err(self.corrupt()),
        }
    }

    fn stored_head(&mut self) -> Result<(), ReadError> {
        (self.bits, self.bit_count) = (0, 0);
        let left = self.input.get(self.read..).unwrap_or_default();
        let Some(&[a, b, c, d]) = left.first_chunk::<4>() else {
            self.read += left.len();
            return Err(ReadError::UnexpectedEof);
        };
        self.read += 4;
        let len = u16::from_le_bytes([a, b]);
        if u16::from_le_bytes([c, d]) != !len {
            return Err(self.corrupt());
        }
        self.state = if len == 0 { State::BlockHead } else { State::Stored(usize::from(len)) };
        Ok(())
    }

    fn stored(&mut self, left: usize, out: &mut Vec<u8>) -> Result<(), ReadError> {
        let input = self.input.get(self.read..).unwrap_or_default();
        let take = left.min(input.len());
        self.read += take;
        for &byte in input.iter().take(take) {
            self.emit(byte, out);
        }
        if take < left {
            self.state = State::Stored(left - take);
            return Err(ReadError::UnexpectedEof);
        }
        self.state = State::BlockHead;
        Ok(())
    }

    fn fixed_codes(&mut self) -> Result<(), ReadError> {
        let mut lengths = [8u8; 288];
        lengths.iter_mut().take(256).skip(144).for_each(|len| *len = 9);
        lengths.iter_mut().take(280).skip(256).for_each(|len| *len = 7);
        self.literals = Code::new(&lengths).ok_or_else(|| self.corrupt())?;
        self.distances = None;
        self.state = State::Compressed;
        Ok(())
    }

    fn dynamic_codes(&mut self) -> Result<(), ReadError> {
        while self.bit_count < 14 {
            self.more_bits()?;
        }
        let literals = (self.bits & 31) as usize + 257;
        let distances = (self.bits >> 5 & 31) as usize + 1;
        if literals > MAX_LITERAL_CODES || distances > MAX_DISTANCE_CODES {
            return Err(self.corrupt());
        }
        let lengths = (self.bits >> 10 & 15) as usize + 4;
        self.drop_bits(14);
        let lengths = self.code_lengths(lengths, literals + distances)?;
        let (of_literals, of_distances) =
            lengths.split_at_checked(literals).unwrap_or((&lengths, &[]));
        let mut code = Code::new(of_literals).ok_or_else(|| self.corrupt())?;
        self.distances = Some(Code::new(of_distances).ok_or_else(|| self.corrupt())?);
        // Every block ends in this code, so Go waits for at least its bits.
        let end = of_literals.get(END_OF_BLOCK).copied().unwrap_or(0);
        code.min = code.min.max(u32::from(end));
        self.literals = code;
        self.state = State::Compressed;
        Ok(())
    }

    fn code_lengths(&mut self, of_code: usize, total: usize) -> Result<Vec<u8>, ReadError> {
        let mut code_bits = [0u8; 19];
        for &place in CODE_ORDER.iter().take(of_code) {
            let bits = self.take(3)? as u8;
            if let Some(slot) = code_bits.get_mut(place) {
                *slot = bits;
            }
        }
        let code = Code::new(&code_bits).ok_or_else(|| self.corrupt())?;
        let mut lengths: Vec<u8> = Vec::with_capacity(total);
        while lengths.len() < total {
            let (value, least, extra) = match self.symbol(&code)? {
                16 => (*lengths.last().ok_or_else(|| self.corrupt())?, 3, 2),
                17 => (0, 3, 3),
                18 => (0, 11, 7),
                literal => {
                    lengths.push(literal as u8);
                    continue;
                }
            };
            let repeat = least + self.take(extra)?;
            if lengths.len() + repeat > total {
                return Err(self.corrupt());
            }
            lengths.extend(std::iter::repeat_n(value, repeat));
        }
        Ok(lengths)
    }

    fn symbol(&mut self, code: &Code) -> Result<usize, ReadError> {
        let mut need = code.min;
        loop {
            while self.bit_count < need {
                self.more_bits()?;
            }
            let (symbol, len) = code.look_up(self.bits);
            if len == 0 {
                return Err(self.corrupt());
            }
            if len <= self.bit_count {
                self.drop_bits(len);
                return Ok(symbol);
            }
            need = len;
        }
    }

    fn compressed(&mut self, out: &mut Vec<u8>) -> Result<(), ReadError> {
        let code = std::mem::take(&mut self.literals);
        let symbol = self.symbol(&code);
        self.literals = code;
        let (base, extra) = match symbol? {
            literal @ 0..256 => {
                self.emit(literal as u8, out);
                return Ok(());
            }
            END_OF_BLOCK => {
                self.state = State::BlockHead;
                return Ok(());
            }
            v @ 257..265 => (v - 254, 0),
            v @ 265..269 => (v * 2 - 519, 1),
            v @ 269..273 => (v * 4 - 1057, 2),
            v @ 273..277 => (v * 8 - 2149, 3),
            v @ 277..281 => (v * 16 - 4365, 4),
            v @ 281..285 => (v * 32 - 8861, 5),
            285 => (258, 0),
            _ => return Err(self.corrupt()),
        };
        let length = base + self.take(extra)?;
        let distance = self.distance()?;
        if distance > self.written.min(WINDOW) {
            return Err(self.corrupt());
        }
        for _ in 0..length {
            let from = (self.written - distance) % WINDOW;
            let byte = self.window.get(from).copied().unwrap_or(0);
            self.emit(byte, out);
        }
        Ok(())
    }

    fn distance(&mut self) -> Result<usize, ReadError> {
        let symbol = match self.distances.take() {
            Some(code) => {
                let symbol = self.symbol(&code);
                self.distances = Some(code);
                symbol?
            }
            None => (self.take(5)? as u32).reverse_bits() as usize >> 27,
        };
        match symbol {
            0..4 => Ok(symbol + 1),
            4..MAX_DISTANCE_CODES => {
                let extra = (symbol as u32 - 2) >> 1;
                let low = self.take(extra)?;
                Ok((1 << (extra + 1)) + 1 + ((symbol & 1) << extra) + low)
            }
            _ => Err(self.corrupt()),
        }
    }

    fn emit(&mut self, byte: u8, out: &mut Vec<u8>) {
        if let Some(slot) = self.window.get_mut(self.written % WINDOW) {
            *slot = byte;
        }
        self.written += 1;
        out.push(byte);
    }
}
