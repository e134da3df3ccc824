//! One tar header block, field by field, as leniently as Go's `archive/tar` reads it.

use super::ReadError;
use super::stream::{BLOCK, Block};

/// What a header block says, before PAX records and GNU names change it.
#[derive(Clone, Debug, Default)]
pub(super) struct Header {
    pub(super) name: Vec<u8>,
    pub(super) flag: u8,
    pub(super) mode: i64,
    pub(super) size: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    V7,
    Ustar,
    Gnu,
    Star,
}

/// A field of the block; empty outside it.
pub(super) fn field(block: &[u8], at: usize, len: usize) -> &[u8] {
    block.get(at..at + len).unwrap_or_default()
}

/// The format that a block is in; `None` where its checksum is wrong.
pub(super) fn format(block: &Block) -> Option<Format> {
    let claimed = octal(field(block, 148, 8)).ok()?;
    // The checksum's own place counts as blanks.
    let own = field(block, 148, 8);
    let blanks = 8 * i64::from(b' ');
    let sum = |bytes: &[u8]| i64::from(bytes.iter().map(|b| u32::from(*b)).sum::<u32>());
    let signed = |bytes: &[u8]| i64::from(bytes.iter().map(|b| i32::from(*b as i8)).sum::<i32>());
    if claimed != sum(block) - sum(own) + blanks && claimed != signed(block) - signed(own) + blanks
    {
        return None;
    }
    Some(match (field(block, 257, 6), field(block, 263, 2)) {
        (b"ustar\0", _) if field(block, 508, 4) == b"tar\0" => Format::Star,
        (b"ustar\0", _) => Format::Ustar,
        (b"ustar ", b" \0") => Format::Gnu,
        _ => Format::V7,
    })
}

/// Reads a header block. Every number in it must be well-formed, also those nobody needs.
pub(super) fn parse(block: &Block) -> Result<Header, ReadError> {
    let format = format(block).ok_or(ReadError::TarHeader)?;
    let mut header = Header {
        name: string(field(block, 0, 100)).to_vec(),
        flag: block[156],
        mode: numeric(field(block, 100, 8))?,
        size: numeric(field(block, 124, 12))?,
    };
    for (at, len) in [(108, 8), (116, 8), (136, 12)] {
        numeric(field(block, at, len))?;
    }
    if format != Format::V7 {
        let prefix = extended_fields(block, format)?;
        if !prefix.is_empty() {
            header.name = [prefix, b"/", &header.name].concat();
        }
    }
    Ok(header)
}

/// Checks the fields that came after V7 and returns the name's prefix.
fn extended_fields(block: &Block, format: Format) -> Result<&[u8], ReadError> {
    numeric(field(block, 329, 8))?;
    numeric(field(block, 337, 8))?;
    match format {
        Format::Star => {
            numeric(field(block, 476, 12))?;
            numeric(field(block, 488, 12))?;
            Ok(string(field(block, 345, 131)))
        }
        Format::Gnu => {
            // Old Go versions wrote a prefix where the GNU format has its times.
            let times = [field(block, 345, 12), field(block, 357, 12)];
            let valid = times.iter().all(|time| time.first() == Some(&0) || numeric(time).is_ok());
            let prefix = string(field(block, 345, 155));
            let usable = !valid && prefix.iter().all(|&b| b < 0x80);
            Ok(if usable { prefix } else { b"" })
        }
        _ => Ok(string(field(block, 345, 155))),
    }
}

/// A field's text, which ends at the first NUL or with the field.
pub(super) fn string(bytes: &[u8]) -> &[u8] {
    bytes.split(|&b| b == 0).next().unwrap_or_default()
}

/// A number: octal digits, or base 256 where the first bit is set.
pub(super) fn numeric(bytes: &[u8]) -> Result<i64, ReadError> {
    let Some(&first) = bytes.first().filter(|&&b| b & 0x80 != 0) else {
        return octal(bytes);
    };
    let invert = if first & 0x40 != 0 { 0xff } else { 0 };
    let mut value = 0u64;
    for (i, &byte) in bytes.iter().enumerate() {
        let byte = byte ^ invert;
        let byte = if i == 0 { byte & 0x7f } else { byte };
        if value >> 56 > 0 {
            return Err(ReadError::TarHeader);
        }
        value = value << 8 | u64::from(byte);
    }
    let value = i64::try_from(value).map_err(|_| ReadError::TarHeader)?;
    Ok(if invert == 0 { value } else { !value })
}

fn octal(bytes: &[u8]) -> Result<i64, ReadError> {
    let padding = |b: &u8| *b == b' ' || *b == 0;
    let start = bytes.iter().position(|b| !padding(b)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|b| !padding(b)).map_or(start, |i| i + 1);
    let digits = string(bytes.get(start..end).unwrap_or_default());
    let mut value = 0u64;
    for &digit in digits {
        if !(b'0'..=b'7').contains(&digit) || value >> 61 != 0 {
            return Err(ReadError::TarHeader);
        }
        value = value << 3 | u64::from(digit - b'0');
    }
    Ok(value as i64)
}

/// True where a type of entry never has data, whatever size its header names.
pub(super) fn is_header_only(flag: u8) -> bool {
    (b'1'..=b'6').contains(&flag)
}

pub(super) fn is_zero(block: &Block) -> bool {
    block == &[0; BLOCK]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_base_256() {
        for (bytes, want) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"        ", Some(0)),
            (b"", Some(0)),
            (b"12\x0034\0", Some(0o12)),
            (b"8", None),
            (b"-1", None),
            (b"\x80\0\0\0\0\0\0\x01", Some(1)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff", Some(-1)),
            (b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"7777777777777777777777", None),
        ] {
            assert_eq!(numeric(bytes).ok(), want, "{bytes:?}");
        }
    }
}
