//! Certificates: `genCA`, `genSelfSignedCert`, `genSignedCert`, their variants with a given key, and
//! `buildCustomCert`.

mod build;
mod extension;
mod parse;

use super::key::PrivateKey;
use super::{Result, pem};
use crate::encoding::base64_decode;
use bowsprit_value::{Args, Field, Func, FuncError, Host, Object, Str, Type, Value};
use build::{Issuer, Subject};
use std::any::Any;
use std::net::IpAddr;

const S: Type = Type::String;
const INT: Type = Type::INT;
const LIST: Type = Type::LIST;
const CERT: Type = Type::Named("sprig.certificate");

pub(super) const BUILD_CUSTOM_CERT: Func =
    Func::pure("buildCustomCert", &[S, S], CERT, build_custom_cert);
pub(super) const GEN_CA: Func = Func::host("genCA", &[S, INT], CERT, |args, host| {
    let key = PrivateKey::for_certificate(args, host)?;
    self_signed(args, Subject::authority(args.str(0), args.int(1)), &key, host)
});
pub(super) const GEN_CA_WITH_KEY: Func =
    Func::host("genCAWithKey", &[S, INT, S], CERT, |args, host| {
        let key = given_key(args, 2)?;
        self_signed(args, Subject::authority(args.str(0), args.int(1)), &key, host)
    });
pub(super) const GEN_SELF_SIGNED_CERT: Func =
    Func::host("genSelfSignedCert", &[S, LIST, LIST, INT], CERT, |args, host| {
        let subject = subject(args)?;
        self_signed(args, subject, &PrivateKey::for_certificate(args, host)?, host)
    });
pub(super) const GEN_SELF_SIGNED_CERT_WITH_KEY: Func =
    Func::host("genSelfSignedCertWithKey", &[S, LIST, LIST, INT, S], CERT, |args, host| {
        let key = given_key(args, 4)?;
        self_signed(args, subject(args)?, &key, host)
    });
pub(super) const GEN_SIGNED_CERT: Func =
    Func::host("genSignedCert", &[S, LIST, LIST, INT, CERT], CERT, |args, host| {
        let authority = Authority::from_args(args)?;
        let subject = subject(args)?;
        authority.sign(args, subject, &PrivateKey::for_certificate(args, host)?, host)
    });
pub(super) const GEN_SIGNED_CERT_WITH_KEY: Func =
    Func::host("genSignedCertWithKey", &[S, LIST, LIST, INT, CERT, S], CERT, |args, host| {
        let key = given_key(args, 5)?;
        let authority = Authority::from_args(args)?;
        authority.sign(args, subject(args)?, &key, host)
    });

/// sprig's `certificate`: both parts in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Certificate {
    cert: Str,
    key: Str,
}

impl Object for Certificate {
    fn type_name(&self) -> &'static str {
        "sprig.certificate"
    }

    fn field(&self, name: &[u8]) -> Field {
        match name {
            b"Cert" => Field::Value(Value::Str(self.cert.clone())),
            b"Key" => Field::Value(Value::Str(self.key.clone())),
            _ => Field::Missing,
        }
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![("Cert", Value::Str(self.cert.clone())), ("Key", Value::Str(self.key.clone()))]
    }

    fn to_yaml_pretty(&self) -> Option<Vec<(Str, Value)>> {
        Some(vec![
            (Str::from_static("cert"), Value::Str(self.cert.clone())),
            (Str::from_static("key"), Value::Str(self.key.clone())),
        ])
    }

    fn equals(&self, other: &dyn Object) -> bool {
        (other as &dyn Any).downcast_ref() == Some(self)
    }
}

#[cold]
fn error(what: &str, text: &[u8]) -> FuncError {
    FuncError::new([what.as_bytes(), b": ", text].concat())
}

fn given_key(args: &Args<'_>, index: usize) -> std::result::Result<PrivateKey, FuncError> {
    read_key(args, args.str(index).as_bytes(), "parsing private key")
}

/// Reads a key, whose check takes time that grows with the square of its size.
fn read_key(
    args: &Args<'_>,
    text: &[u8],
    what: &str,
) -> std::result::Result<PrivateKey, FuncError> {
    let size = text.len() as u64;
    args.meter().charge_steps(size.saturating_mul(size) / 4096)?;
    PrivateKey::from_pem(text).map_err(|e| error(what, &e))
}

fn build_custom_cert(args: &mut Args<'_>) -> Result {
    let decode = |index: usize, what: &'static str| {
        base64_decode(args.str(index).as_bytes()).map_err(|_| FuncError::new(what))
    };
    let cert = decode(0, "unable to decode base64 certificate")?;
    let key = decode(1, "unable to decode base64 private key")?;
    args.charge(cert.len() + key.len())?;
    let block = pem::decode(&cert).ok_or_else(|| FuncError::new("unable to decode certificate"))?;
    parse::certificate(&block.bytes)
        .map_err(|e| error("error parsing certificate: decodedCert.Bytes", &e))?;
    read_key(args, &key, "error parsing private key")?;
    Ok(Value::object(Certificate { cert: Str::from(cert), key: Str::from(key) }))
}

/// A certificate of the subject's own key.
fn self_signed(args: &Args<'_>, subject: Subject, key: &PrivateKey, host: &dyn Host) -> Result {
    args.meter().charge_steps(key.signing_cost())?;
    finish(build::certificate(&subject, key, &Issuer::Itself, key, host), key)
}

fn finish(der: std::result::Result<Vec<u8>, String>, key: &PrivateKey) -> Result {
    let der = der.map_err(|e| error("error creating certificate", e.as_bytes()))?;
    let cert = Str::from(pem::encode("CERTIFICATE", &der));
    Ok(Value::object(Certificate { cert, key: key.to_pem() }))
}

/// A certificate authority that signs for others.
struct Authority {
    certificate: Vec<u8>,
    key: PrivateKey,
}

impl Authority {
    fn from_args(args: &Args<'_>) -> std::result::Result<Authority, FuncError> {
        let undecodable = || FuncError::new("unable to decode certificate");
        let ca = args.get(4).downcast::<Certificate>().ok_or_else(undecodable)?;
        let block = pem::decode(ca.cert.as_bytes()).ok_or_else(undecodable)?;
        parse::certificate(&block.bytes)
            .map_err(|e| error("error parsing certificate: decodedSignerCert.Bytes", &e))?;
        let key = read_key(args, ca.key.as_bytes(), "error parsing private key")?;
        Ok(Authority { certificate: block.bytes, key })
    }

    fn sign(&self, args: &Args<'_>, subject: Subject, key: &PrivateKey, host: &dyn Host) -> Result {
        args.meter().charge_steps(self.key.signing_cost())?;
        let parsed = parse::certificate(&self.certificate)
            .map_err(|e| error("error parsing certificate: decodedSignerCert.Bytes", &e))?;
        finish(build::certificate(&subject, key, &Issuer::Other(parsed), &self.key, host), key)
    }
}

/// Name, addresses, DNS names and days, the first arguments of most functions.
fn subject(args: &Args<'_>) -> std::result::Result<Subject, FuncError> {
    let text = |value: &Value| value.as_str().cloned();
    let not_a_string = |what: &str, value: &Value| {
        let mut out = format!("{what}: ").into_bytes();
        bowsprit_value::fmt::print_value(value, &mut out, args.meter())?;
        out.extend_from_slice(b" is not a string");
        Err(FuncError::new(out))
    };
    let mut addresses = Vec::new();
    for value in args.list(1).into_iter().flatten() {
        let Some(ip) = text(value) else { return not_a_string("error parsing ip", value) };
        let parsed = ip.to_str().and_then(|ip| ip.parse::<IpAddr>().ok());
        addresses.push(parsed.ok_or_else(|| error("error parsing ip", ip.as_bytes()))?);
    }
    let mut names = Vec::new();
    for value in args.list(2).into_iter().flatten() {
        match text(value) {
            Some(name) => names.push(name),
            None => return not_a_string("error processing alternate dns name", value),
        }
    }
    Ok(Subject { name: args.str(0).clone(), addresses, names, days: args.int(3), authority: false })
}
