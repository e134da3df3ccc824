//! The one door to the outside world.

use crate::Value;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// A moment: seconds and nanoseconds since 1970-01-01 00:00:00 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    /// Whole seconds, negative before 1970.
    pub seconds: i64,
    /// Nanoseconds within the second, 0 to 999,999,999.
    pub nanos: u32,
}

/// Why the host could not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostError(pub String);

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for HostError {}

/// What templates may ask of the outside: clock, randomness, time zone, DNS and the cluster.
///
/// The caller passes one in; nothing else in the core reaches outside.
pub trait Host: Send + Sync {
    /// The current time.
    fn now(&self) -> Timestamp;

    /// Fills a buffer with random bytes.
    fn fill_random(&self, buf: &mut [u8]);

    /// The local time zone's name in the IANA database; `UTC` by default.
    fn time_zone(&self) -> String {
        "UTC".to_owned()
    }

    /// The first address of a host name, or an empty string; empty unless the caller enabled DNS.
    fn resolve_dns(&self, name: &str) -> String {
        let _ = name;
        String::new()
    }

    /// The object, or the list where `name` is empty; an empty map without a cluster.
    ///
    /// # Errors
    ///
    /// Fails where a cluster is there but refuses.
    fn lookup(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Value, HostError> {
        let _ = (api_version, kind, namespace, name);
        Ok(Value::Map(crate::Map::new()))
    }
}

/// A host that gives the same answers in every run: a fixed clock, seeded randomness, no cluster.
#[derive(Debug)]
pub struct Hermetic {
    now: Timestamp,
    state: AtomicU64,
}

impl Hermetic {
    /// A host with a clock that stands still and randomness made from a seed.
    pub fn new(seed: u64, now: Timestamp) -> Hermetic {
        Hermetic { now, state: AtomicU64::new(seed) }
    }

    fn next(&self) -> u64 {
        // SplitMix64: the increment is its odd constant, the rest its finaliser.
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Default for Hermetic {
    fn default() -> Hermetic {
        Hermetic::new(0, Timestamp::default())
    }
}

impl Host for Hermetic {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn fill_random(&self, buf: &mut [u8]) {
        for chunk in buf.chunks_mut(8) {
            let bytes = self.next().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}
