//! Which charts have been seen once.
//!
//! A table of fixed size: each key has one place, where the last one that was seen there stands. Two charts
//! in one place make each other be forgotten, which costs a render's time and no more.

use super::Key;
use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

const PLACES: u64 = 8192;
const MARK: usize = 8;

/// Whether a key has been seen before; it has from now on.
pub(super) fn note(dir: &Path, key: &Key) -> io::Result<bool> {
    let (mark, rest) = key.split_first_chunk::<MARK>().unwrap_or((&[0; MARK], &[]));
    let number = rest.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let place = number % PLACES * MARK as u64;
    let path = dir.join("seen");
    let mut table =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    table.seek(SeekFrom::Start(place))?;
    let mut last = Vec::with_capacity(MARK);
    (&table).take(MARK as u64).read_to_end(&mut last)?;
    if last == mark {
        return Ok(true);
    }
    table.seek(SeekFrom::Start(place))?;
    table.write_all(mark)?;
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_time_is_known() {
        let dir = std::env::temp_dir().join(format!("bowsprit-seen-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let (one, other) = ([7; 32], [9; 32]);
        assert!(!note(&dir, &one).unwrap());
        assert!(!note(&dir, &other).unwrap());
        assert!(note(&dir, &one).unwrap());
        assert!(note(&dir, &other).unwrap());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
