//! Which addresses may be talked to.

use super::TransportError;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Which addresses may be talked to. Names are judged by what they resolve to, at the moment of
/// connecting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Addresses {
    /// All of them.
    #[default]
    Any,
    /// Those of the internet: not this machine, not private networks, not the services that clouds
    /// offer their machines on link-local addresses.
    Public,
}

impl Addresses {
    /// # Errors
    ///
    /// For an address that may not be talked to.
    pub(crate) fn check(self, ip: IpAddr) -> Result<(), TransportError> {
        if self == Addresses::Any || is_public(ip) {
            return Ok(());
        }
        Err(TransportError::Denied(ip))
    }

    /// Those of some addresses that may be talked to.
    ///
    /// # Errors
    ///
    /// Where none is left.
    pub(crate) fn filter(self, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, TransportError> {
        let first = found.first().copied();
        let kept: Vec<SocketAddr> =
            found.into_iter().filter(|address| self.check(address.ip()).is_ok()).collect();
        match first {
            Some(first) if kept.is_empty() => Err(TransportError::Denied(first.ip())),
            _ => Ok(kept),
        }
    }
}

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => {
            if let Some(ip) = ip.to_ipv4_mapped() {
                return is_public_v4(ip);
            }
            let [first, second, ..] = ip.segments();
            let unique_local = first & 0xfe00 == 0xfc00;
            let site_local = first & 0xffc0 == 0xfec0;
            let link_local = first & 0xffc0 == 0xfe80;
            // Addresses that a gateway turns into IPv4 ones.
            let translated = first == 0x64 && second == 0xff9b || first == 0x2002;
            !(ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_multicast()
                || unique_local
                || site_local
                || link_local
                || translated)
        }
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let benchmark = a == 198 && (18..20).contains(&b);
    let protocols = ip.octets().starts_with(&[192, 0, 0]);
    !(a == 0
        || a >= 240
        || ip.is_loopback()
        || ip.is_private()
        || ip.is_link_local()
        || ip.is_multicast()
        || shared
        || benchmark
        || protocols)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_told_from_public_ones() {
        for text in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
        ] {
            assert!(Addresses::Public.check(text.parse().unwrap()).is_err(), "{text}");
            assert!(Addresses::Any.check(text.parse().unwrap()).is_ok(), "{text}");
        }
        for text in ["1.1.1.1", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert!(Addresses::Public.check(text.parse().unwrap()).is_ok(), "{text}");
        }
    }
}
