//! Hosts that reach outside: the system's clock, randomness, time zone and name service.

use bowsprit_value::{Hermetic, Host, Timestamp};
use std::net::ToSocketAddrs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The world as Helm's templates see it on a command line: true time, true randomness, the local time
/// zone, no cluster.
#[derive(Clone, Debug, Default)]
pub struct OsHost {
    dns: bool,
}

impl OsHost {
    /// A host that resolves no names, as Helm without `--enable-dns`.
    pub fn new() -> OsHost {
        OsHost::default()
    }

    /// Lets `getHostByName` ask the name service.
    #[must_use]
    pub fn dns(mut self, dns: bool) -> OsHost {
        self.dns = dns;
        self
    }
}

impl Host for OsHost {
    fn now(&self) -> Timestamp {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => Timestamp {
                seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
                nanos: since.subsec_nanos(),
            },
            Err(before) => before_epoch(before.duration()),
        }
    }

    /// # Panics
    ///
    /// Where the system has no randomness to give: a key made of anything else would be no secret.
    fn fill_random(&self, buf: &mut [u8]) {
        getrandom::fill(buf).expect("the system has a source of randomness");
    }

    fn time_zone(&self) -> String {
        time_zone(std::env::var("TZ").ok().as_deref())
    }

    fn resolve_dns(&self, name: &str) -> String {
        if self.dns { first_address(name) } else { String::new() }
    }
}

fn before_epoch(before: std::time::Duration) -> Timestamp {
    let seconds = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
    match before.subsec_nanos() {
        0 => Timestamp { seconds: -seconds, nanos: 0 },
        nanos => Timestamp { seconds: -seconds - 1, nanos: 1_000_000_000 - nanos },
    }
}

/// Helm takes any of the addresses; the first one is as good and does not change from call to call.
fn first_address(name: &str) -> String {
    let mut addresses = (name, 0).to_socket_addrs().into_iter().flatten();
    addresses.next().map_or(String::new(), |address| address.ip().to_string())
}

/// A host whose renders can be repeated: randomness comes from a seed, and the clock stands still.
///
/// The clock has to: certificates, `now` and generated names depend on it as much as on randomness.
/// Keys made with a seed are known to whoever knows the seed; this is for tests and comparisons.
///
/// ```
/// use bowsprit::host::SeededHost;
/// use bowsprit::value::{Host, Timestamp};
///
/// let (one, other) = (SeededHost::new(7), SeededHost::new(7));
/// let (mut a, mut b) = ([0; 9], [0; 9]);
/// one.fill_random(&mut a);
/// other.fill_random(&mut b);
/// assert_eq!((a, one.now()), (b, Timestamp::default()));
/// ```
#[derive(Debug)]
pub struct SeededHost {
    hermetic: Hermetic,
    dns: bool,
}

impl SeededHost {
    /// Randomness of a seed, at 1970-01-01 00:00:00 UTC, without name service.
    pub fn new(seed: u64) -> SeededHost {
        SeededHost::at(seed, Timestamp::default())
    }

    /// Randomness of a seed at some other moment.
    pub fn at(seed: u64, now: Timestamp) -> SeededHost {
        SeededHost { hermetic: Hermetic::new(seed, now), dns: false }
    }

    /// Lets `getHostByName` ask the name service, whose answers no seed can fix.
    #[must_use]
    pub fn dns(mut self, dns: bool) -> SeededHost {
        self.dns = dns;
        self
    }
}

impl Host for SeededHost {
    fn now(&self) -> Timestamp {
        self.hermetic.now()
    }

    fn fill_random(&self, buf: &mut [u8]) {
        self.hermetic.fill_random(buf);
    }

    fn resolve_dns(&self, name: &str) -> String {
        if self.dns { first_address(name) } else { String::new() }
    }
}

/// The local zone's name as Go finds it: from `TZ`, which may be a path, else from `/etc/localtime`.
fn time_zone(tz: Option<&str>) -> String {
    const UTC: &str = "UTC";
    let zone = match tz {
        None => zone_of_path(Path::new("/etc/localtime")).or_else(zone_of_system),
        Some(tz) => match tz.strip_prefix(':').unwrap_or(tz) {
            "" => None,
            path if path.starts_with('/') => zone_of_path(Path::new(path)),
            name => Some(name.to_owned()),
        },
    };
    zone.unwrap_or_else(|| UTC.to_owned())
}

/// Where `/etc/localtime` is a copy and no link, its name may be written down beside it.
fn zone_of_system() -> Option<String> {
    let text = std::fs::read_to_string("/etc/timezone").ok()?;
    text.lines().next().map(|name| name.trim().to_owned())
}

/// The name that a file of the zone database, or a link to one, stands for.
fn zone_of_path(path: &Path) -> Option<String> {
    let name = |path: &Path| {
        let (_, name) = path.to_str()?.split_once("/zoneinfo/")?;
        let name = name.strip_prefix("posix/").unwrap_or(name);
        Some(name.to_owned())
    };
    name(path)
        .or_else(|| name(&path.read_link().ok()?))
        .or_else(|| name(&path.canonicalize().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_read_as_go_reads_them() {
        for (tz, want) in [
            ("", "UTC"),
            (":", "UTC"),
            ("Europe/Paris", "Europe/Paris"),
            (":Asia/Tokyo", "Asia/Tokyo"),
            ("/usr/share/zoneinfo/America/New_York", "America/New_York"),
            ("/no/such/file", "UTC"),
        ] {
            assert_eq!(time_zone(Some(tz)), want, "{tz}");
        }
    }

    #[test]
    fn hosts_resolve_only_when_asked() {
        assert_eq!(OsHost::new().resolve_dns("localhost"), "");
        assert_eq!(SeededHost::new(1).resolve_dns("localhost"), "");
        assert!(OsHost::new().dns(true).resolve_dns("127.0.0.1") == "127.0.0.1");
    }

    #[test]
    fn time_before_the_epoch_counts_back() {
        let before = before_epoch(std::time::Duration::new(1, 1));
        assert_eq!(before, Timestamp { seconds: -2, nanos: 999_999_999 });
    }
}
