//! Instructions as bytes.

use crate::compile::program::{Instr, NO_SITE, Op, Path};

#[inline]
pub(super) fn words<const N: usize>(bytes: &[u8]) -> Option<[u32; N]> {
    let mut words = [0; N];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = u32::from_le_bytes(*bytes.first_chunk()?);
    }
    Some(words)
}

/// The number of [`Op::JumpIfFalse`].
const JUMP_IF_FALSE: u8 = 19;

/// An instruction in fields that all instructions have.
#[derive(Clone, Copy, Default)]
pub(super) struct Record {
    op: u8,
    flag: bool,
    short: u16,
    one: u32,
    other: u32,
    site: u32,
}

impl Record {
    pub(super) const LEN: usize = 16;

    pub(super) fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        let fields = [
            u32::from(self.op) | u32::from(self.flag) << 8 | u32::from(self.short) << 16,
            self.one,
            self.other,
            self.site,
        ];
        for (bytes, field) in bytes.chunks_exact_mut(4).zip(fields) {
            bytes.copy_from_slice(&field.to_le_bytes());
        }
        bytes
    }

    #[inline]
    pub(super) fn from_bytes(bytes: &[u8; Self::LEN]) -> Record {
        let bits = u128::from_le_bytes(*bytes);
        let [first, one, other, site] = [0, 32, 64, 96].map(|shift| (bits >> shift) as u32);
        let (op, flag) = (first as u8, first >> 8 & 1 == 1);
        Record { op, flag, short: (first >> 16) as u16, one, other, site }
    }

    /// Where [`Op::JumpIfFalse`] jumps to.
    #[inline]
    pub(super) fn false_jump(bytes: &[u8; Self::LEN]) -> Option<u32> {
        let record = Record::from_bytes(bytes);
        (record.op == JUMP_IF_FALSE).then_some(record.one)
    }

    #[rustfmt::skip]
    pub(super) fn of(instr: Instr) -> Record {
        let site = instr.site;
        let op = |op| Record { op, site, ..Record::default() };
        let with = |op, one| Record { op, one, site, ..Record::default() };
        match instr.op {
            // No error is at a piece of text.
            Op::Text { start, end } => Record { other: end, ..with(0, start) },
            Op::KeptText { start, end, at } => Record { other: end, site: at, ..with(32, start) },
            Op::Print => op(1),
            Op::Pop => op(2),
            Op::Const(number) => with(3, number),
            Op::Dot => op(4),
            Op::Var(slot) => with(5, slot),
            Op::TakeVar(slot) => with(6, slot),
            Op::DotFields(path) => Record { short: path.len, ..with(7, path.start) },
            Op::VarFields { slot, path } => Record { short: path.len, other: slot, ..with(8, path.start) },
            Op::Fields(path) => Record { short: path.len, ..with(9, path.start) },
            Op::Unwrap => op(10),
            Op::DeclareVar(slot) => with(11, slot),
            Op::SetVar(slot) => with(12, slot),
            Op::Call { func, argc, piped, site } => Record { short: func, flag: piped, other: site, ..with(13, argc.into()) },
            Op::FindMethod(number) => with(14, number),
            Op::CallMethod(number) => with(15, number),
            Op::CheckArg(ty) => with(16, ty),
            Op::CheckPiped { ty, depth } => Record { short: depth, ..with(17, ty) },
            Op::Jump(target) => with(18, target),
            Op::JumpIfFalse(target) => with(JUMP_IF_FALSE, target),
            Op::With(target) => with(20, target),
            Op::DropBelow => op(21),
            Op::ShortCircuit { when, target } => Record { flag: when, ..with(22, target) },
            Op::RangeStart { target, number } => Record { other: number, ..with(23, target) },
            Op::RangeNext(target) => with(24, target),
            Op::RangeEnd => op(25),
            Op::PopDot => op(26),
            Op::FindTemplate(name) => with(27, name),
            Op::Template(name) => with(28, name),
            Op::Invalid => op(29),
            Op::Fail(message) => with(30, message),
            Op::Return => op(31),
        }
    }

    #[inline]
    pub(super) fn instr(self) -> Option<Instr> {
        let one = self.one;
        let path = Path { start: one, len: self.short };
        let op = match self.op {
            0 => Op::Text { start: one, end: self.other },
            1 => Op::Print,
            2 => Op::Pop,
            3 => Op::Const(one),
            4 => Op::Dot,
            5 => Op::Var(one),
            6 => Op::TakeVar(one),
            7 => Op::DotFields(path),
            8 => Op::VarFields { slot: self.other, path },
            9 => Op::Fields(path),
            10 => Op::Unwrap,
            11 => Op::DeclareVar(one),
            12 => Op::SetVar(one),
            13 => Op::Call {
                func: self.short,
                argc: u16::try_from(one).ok()?,
                piped: self.flag,
                site: self.other,
            },
            14 => Op::FindMethod(one),
            15 => Op::CallMethod(one),
            16 => Op::CheckArg(one),
            17 => Op::CheckPiped { ty: one, depth: self.short },
            18 => Op::Jump(one),
            JUMP_IF_FALSE => Op::JumpIfFalse(one),
            20 => Op::With(one),
            21 => Op::DropBelow,
            22 => Op::ShortCircuit { when: self.flag, target: one },
            23 => Op::RangeStart { target: one, number: self.other },
            24 => Op::RangeNext(one),
            25 => Op::RangeEnd,
            26 => Op::PopDot,
            27 => Op::FindTemplate(one),
            28 => Op::Template(one),
            29 => Op::Invalid,
            30 => Op::Fail(one),
            31 => Op::Return,
            32 => {
                let op = Op::KeptText { start: one, end: self.other, at: self.site };
                return Some(Instr { op, site: NO_SITE });
            }
            _ => return None,
        };
        Some(Instr { op, site: self.site })
    }
}
