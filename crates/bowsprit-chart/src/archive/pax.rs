//! PAX records: `LENGTH KEY=VALUE\n`, which change what the next header says.

use super::ReadError;
use super::tar::Entry;
use std::collections::BTreeMap;

const SPARSE_OFFSET: &[u8] = b"GNU.sparse.offset";
const SPARSE_LENGTH: &[u8] = b"GNU.sparse.numbytes";
pub(super) const SPARSE_MAP: &[u8] = b"GNU.sparse.map";

/// The records before an entry; of equal keys the last.
#[derive(Debug, Default)]
pub(super) struct Records(BTreeMap<Vec<u8>, Vec<u8>>);

impl Records {
    /// A record's value; empty where there is none.
    pub(super) fn get(&self, key: &[u8]) -> &[u8] {
        self.0.get(key).map_or(b"", Vec::as_slice)
    }

    /// `mergePAX`: every record that Go knows must be well-formed.
    pub(super) fn apply(&self, entry: &mut Entry) -> Result<(), ReadError> {
        for (key, value) in self.0.iter().filter(|(_, value)| !value.is_empty()) {
            match key.as_slice() {
                b"path" => entry.name.clone_from(value),
                b"size" => entry.size = decimal(value).ok_or(ReadError::TarHeader)?,
                b"uid" | b"gid" => drop(decimal(value).ok_or(ReadError::TarHeader)?),
                b"atime" | b"mtime" | b"ctime" => check_time(value)?,
                _ => {}
            }
        }
        Ok(())
    }
}

pub(super) fn parse(mut bytes: &[u8]) -> Result<Records, ReadError> {
    let mut records = BTreeMap::new();
    let mut sparse: Vec<&[u8]> = Vec::new();
    while !bytes.is_empty() {
        let (key, value, rest) = record(bytes).ok_or(ReadError::TarHeader)?;
        bytes = rest;
        if key != SPARSE_OFFSET && key != SPARSE_LENGTH {
            records.insert(key.to_vec(), value.to_vec());
            continue;
        }
        // Version 0.0 of the sparse format repeats keys; Go turns it into 0.1's list.
        let want = if sparse.len().is_multiple_of(2) { SPARSE_OFFSET } else { SPARSE_LENGTH };
        if key != want || value.contains(&b',') {
            return Err(ReadError::TarHeader);
        }
        sparse.push(value);
    }
    if !sparse.is_empty() {
        records.insert(SPARSE_MAP.to_vec(), sparse.join(&b','));
    }
    Ok(Records(records))
}

type Record<'a> = (&'a [u8], &'a [u8], &'a [u8]);

/// Key, value, and what follows the record.
fn record(bytes: &[u8]) -> Option<Record<'_>> {
    let blank = bytes.iter().position(|&b| b == b' ')?;
    let len = usize::try_from(decimal(bytes.get(..blank)?)?).ok()?;
    if len < 5 || len > bytes.len() {
        return None;
    }
    let text = bytes.get(blank + 1..len)?.strip_suffix(b"\n")?;
    let equals = text.iter().position(|&b| b == b'=')?;
    let (key, value) = (text.get(..equals)?, text.get(equals + 1..)?);
    let checked = match key {
        b"path" | b"linkpath" | b"uname" | b"gname" => value,
        _ => key,
    };
    let valid = !key.is_empty() && !checked.contains(&0);
    valid.then_some((key, value, bytes.get(len..)?))
}

/// `strconv.ParseInt(s, 10, 64)`.
pub(super) fn decimal(bytes: &[u8]) -> Option<i64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

fn check_time(value: &[u8]) -> Result<(), ReadError> {
    let (seconds, fraction) = match value.iter().position(|&b| b == b'.') {
        Some(dot) => value.split_at_checked(dot).unwrap_or((value, b"")),
        None => (value, &b""[..]),
    };
    let digits = fraction.iter().skip(1).all(u8::is_ascii_digit);
    if digits && decimal(seconds).is_some() { Ok(()) } else { Err(ReadError::TarHeader) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_checked() {
        for (text, want) in [
            (&b"9 path=x\n"[..], Some(&b"x"[..])),
            (b"12 path=a=b\n", Some(b"a=b")),
            (b"8 path=x\n", None),
            (b"11 path=x\n", None),
            (b"path=x\n", None),
            (b"5 =x\n", None),
            (b"9 path=\0\n", None),
            (b"12 comment=\0\n", None),
            (b"13 comment=\0\n", Some(b"")),
        ] {
            let got = parse(text).ok().map(|records| records.get(b"path").to_vec());
            assert_eq!(got.as_deref(), want, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn sparse_records_become_a_list() {
        let text = b"23 GNU.sparse.offset=1\n25 GNU.sparse.numbytes=2\n";
        let records = parse(text).unwrap();
        assert_eq!(records.get(SPARSE_MAP), b"1,2");
        assert_eq!(parse(b"25 GNU.sparse.numbytes=2\n").err(), Some(ReadError::TarHeader));
    }
}
