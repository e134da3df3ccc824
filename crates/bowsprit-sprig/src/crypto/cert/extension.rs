//! The extensions of a certificate, checked as far as Go looks into them.

use super::super::der::{self, Reader};
use super::parse::{Otherwise, Result, fail};
use std::net::IpAddr;

/// An extension as it stands in a certificate.
pub(super) struct Extension<'a> {
    pub(super) oid: &'a [u8],
    critical: bool,
    value: Reader<'a>,
}

const AUTHORITY_INFO: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x01\x01";

impl<'a> Extension<'a> {
    pub(super) fn read(mut field: Reader<'a>) -> Result<Extension<'a>> {
        let oid = field.oid().otherwise("malformed extension OID field")?;
        let critical = field.peek(der::BOOLEAN)
            && field.boolean().otherwise("malformed extension critical field")?;
        let value = field.take(der::OCTET_STRING).otherwise("malformed extension value field")?;
        Ok(Extension { oid, critical, value })
    }

    /// Checks the value; gives it where it is the subject's key identifier.
    pub(super) fn check(&self) -> Result<Option<&'a [u8]>> {
        let value = self.value;
        match self.oid {
            AUTHORITY_INFO => self.authority_info()?,
            [0x55, 0x1d, 14] => return self.subject_key_id().map(Some),
            [0x55, 0x1d, 15] => {
                { value }.bits().otherwise("invalid key usage")?;
            }
            [0x55, 0x1d, 17] => alternative_names(value)?,
            [0x55, 0x1d, 19] => basic_constraints(value).otherwise("invalid basic constraints")?,
            [0x55, 0x1d, 30] => name_constraints(value)?,
            [0x55, 0x1d, 31] => revocation_points(value)?,
            [0x55, 0x1d, 32] => policies(value).otherwise("invalid certificate policies")?,
            [0x55, 0x1d, 33] => {
                policy_mappings(value).otherwise("invalid policy mappings extension")?;
            }
            [0x55, 0x1d, 35] => self.authority_key_id()?,
            [0x55, 0x1d, 36] => {
                policy_constraints(value).otherwise("invalid policy constraints extension")?;
            }
            [0x55, 0x1d, 37] => purposes(value).otherwise("invalid extended key usages")?,
            [0x55, 0x1d, 54] => {
                let mut value = value;
                let fits = value.integer().filter(|bytes| bytes.len() <= 8);
                fits.otherwise("invalid inhibit any policy extension")?;
            }
            _ => {}
        }
        Ok(None)
    }

    fn subject_key_id(&self) -> Result<&'a [u8]> {
        if self.critical {
            return fail("subject key identifier incorrectly marked critical");
        }
        let mut value = self.value;
        Ok(value.take(der::OCTET_STRING).otherwise("invalid subject key identifier")?.0)
    }

    fn authority_key_id(&self) -> Result<()> {
        if self.critical {
            return fail("authority key identifier incorrectly marked critical");
        }
        let mut value = self.value;
        let mut fields = value.take(der::SEQUENCE).otherwise("invalid authority key identifier")?;
        fields.optional(der::context(0)).otherwise("invalid authority key identifier")?;
        Ok(())
    }

    fn authority_info(&self) -> Result<()> {
        const WRONG: &str = "invalid authority info access";
        if self.critical {
            return fail("authority info access incorrectly marked critical");
        }
        let mut value = self.value;
        let mut list = value.take(der::SEQUENCE).otherwise(WRONG)?;
        while !list.is_empty() {
            let mut access = list.take(der::SEQUENCE).otherwise(WRONG)?;
            access.oid().otherwise(WRONG)?;
            access.optional(der::context(6)).otherwise(WRONG)?;
        }
        Ok(())
    }
}

fn basic_constraints(mut value: Reader<'_>) -> Option<()> {
    let mut fields = value.take(der::SEQUENCE)?;
    if fields.peek(der::BOOLEAN) {
        fields.boolean()?;
    }
    if fields.peek(der::INTEGER) {
        let bytes = fields.integer()?;
        if bytes.len() > 8 || bytes.first().is_some_and(|b| b & 0x80 != 0) {
            return None;
        }
    }
    Some(())
}

fn purposes(mut value: Reader<'_>) -> Option<()> {
    let mut list = value.take(der::SEQUENCE)?;
    while !list.is_empty() {
        list.oid()?;
    }
    Some(())
}

fn policies(mut value: Reader<'_>) -> Option<()> {
    let mut list = value.take(der::SEQUENCE)?;
    let mut seen = std::collections::BTreeSet::new();
    while !list.is_empty() {
        let oid = list.take(der::SEQUENCE)?.take(der::OID)?.0;
        // Components may have any length here, but no leading zeros and an end.
        let starts = std::iter::once(&0).chain(oid).zip(oid);
        let padded = starts.into_iter().any(|(before, b)| before & 0x80 == 0 && *b == 0x80);
        let ended = oid.last().is_some_and(|b| b & 0x80 == 0);
        if padded || !ended || !seen.insert(oid) {
            return None;
        }
    }
    Some(())
}

fn policy_mappings(mut value: Reader<'_>) -> Option<()> {
    let mut list = value.take(der::SEQUENCE)?;
    while !list.is_empty() {
        let mut pair = list.take(der::SEQUENCE)?;
        pair.take(der::OID)?;
        pair.take(der::OID)?;
    }
    Some(())
}

fn policy_constraints(mut value: Reader<'_>) -> Option<()> {
    let mut fields = value.take(der::SEQUENCE)?;
    for tag in 0..2 {
        if let Some(number) = fields.optional(der::context(tag))? {
            match number.0 {
                [] | [0, 0..0x80, ..] | [0xff, 0x80..=0xff, ..] => return None,
                bytes if bytes.len() > 8 => return None,
                _ => {}
            }
        }
    }
    Some(())
}

fn revocation_points(mut value: Reader<'_>) -> Result<()> {
    const WRONG: &str = "invalid CRL distribution point";
    let mut list = value.take(der::SEQUENCE).otherwise("invalid CRL distribution points")?;
    while !list.is_empty() {
        let mut point = list.take(der::SEQUENCE).otherwise(WRONG)?;
        let Some(mut name) = point.optional(der::explicit(0)).otherwise(WRONG)? else { continue };
        let mut names = name.take(der::explicit(0)).otherwise(WRONG)?;
        while names.peek(der::context(6)) {
            names.take(der::context(6)).otherwise(WRONG)?;
        }
    }
    Ok(())
}

fn alternative_names(mut value: Reader<'_>) -> Result<()> {
    let mut list = value.take(der::SEQUENCE).otherwise("invalid subject alternative names")?;
    while !list.is_empty() {
        let (tag, name, _) = list.any().otherwise("invalid subject alternative name")?;
        match tag ^ 0x80 {
            1 if !name.0.is_ascii() => return fail("SAN rfc822Name is malformed"),
            2 if !name.0.is_ascii() => return fail("SAN dNSName is malformed"),
            6 if !name.0.is_ascii() => return fail("SAN uniformResourceIdentifier is malformed"),
            7 if !matches!(name.0.len(), 4 | 16) => {
                return fail(&format!("cannot parse IP address of length {}", name.0.len()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn name_constraints(mut value: Reader<'_>) -> Result<()> {
    const WRONG: &str = "invalid NameConstraints extension";
    let mut fields = value.take(der::SEQUENCE).filter(|_| value.is_empty()).otherwise(WRONG)?;
    let permitted = fields.optional(der::explicit(0)).otherwise(WRONG)?.unwrap_or_default();
    let excluded = fields.optional(der::explicit(1)).otherwise(WRONG)?.unwrap_or_default();
    if !fields.is_empty() {
        return fail(WRONG);
    }
    if permitted.is_empty() && excluded.is_empty() {
        return fail("empty name constraints extension");
    }
    for mut list in [permitted, excluded] {
        while !list.is_empty() {
            let mut subtree = list.take(der::SEQUENCE).otherwise(WRONG)?;
            let (tag, name, _) = subtree.any().otherwise(WRONG)?;
            name_constraint(tag, name.0)?;
        }
    }
    Ok(())
}

fn name_constraint(tag: u8, value: &[u8]) -> Result<()> {
    let text = || {
        let quoted = String::from_utf8_lossy(&bowsprit_value::strconv::quote(value)).into_owned();
        match std::str::from_utf8(value) {
            Ok(text) if text.is_ascii() => Ok((text, quoted)),
            _ => fail(&format!(
                "invalid constraint value: x509: {quoted} cannot be encoded as an IA5String"
            )),
        }
    };
    match tag ^ 0x80 {
        1 => {
            let (name, quoted) = text()?;
            let host = name.rsplit_once('@').map_or(name, |(_, host)| host);
            if !domain_name_valid(host) {
                return fail(&format!("failed to parse rfc822Name constraint {quoted}"));
            }
        }
        2 => {
            let (name, quoted) = text()?;
            if !domain_name_valid(name) {
                return fail(&format!("failed to parse dnsName constraint {quoted}"));
            }
        }
        6 => {
            let (name, quoted) = text()?;
            if name.parse::<IpAddr>().is_ok() {
                let text = format!("failed to parse URI constraint {quoted}: cannot be IP address");
                return fail(&text);
            }
            if !domain_name_valid(name) {
                return fail(&format!("failed to parse URI constraint {quoted}"));
            }
        }
        7 => address_constraint(value)?,
        _ => {}
    }
    Ok(())
}

fn address_constraint(value: &[u8]) -> Result<()> {
    if !matches!(value.len(), 8 | 32) {
        return fail(&format!("IP constraint contained value of length {}", value.len()));
    }
    let mask = value.get(value.len() / 2..).unwrap_or_default();
    let ones = mask.iter().take_while(|b| **b == 0xff).count();
    let rest = mask.get(ones..).unwrap_or_default();
    let (edge, zeros) = rest.split_first().unwrap_or((&0, &[]));
    if edge.leading_ones() + edge.trailing_zeros().min(8) != 8 || zeros.iter().any(|b| *b != 0) {
        let hex: String = mask.iter().map(|b| format!("{b:02x}")).collect();
        return fail(&format!("IP constraint contained invalid mask {hex}"));
    }
    Ok(())
}

/// Whether each label is right, where the first may be empty: a constraint can start with a dot.
fn domain_name_valid(name: &str) -> bool {
    let name = name.strip_prefix('.').unwrap_or(name);
    if name.is_empty() {
        return true;
    }
    name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'*'))
        })
}
