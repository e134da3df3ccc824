//! Hashes, passwords, ciphers, keys and certificates: sprig's `crypto.go`.

mod aes;
mod asn1;
mod cert;
mod der;
mod dsa;
mod ec;
mod key;
mod password;
mod pem;
mod prime;
mod random;
mod rsa;

use bowsprit_value::{Args, Func, FuncError, IntKind, Type, Value};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

const S: Type = Type::String;

pub(crate) static FUNCS: &[Func] = &[
    Func::pure("adler32sum", &[S], S, adler32sum),
    Func::host("bcrypt", &[S], S, password::bcrypt),
    cert::BUILD_CUSTOM_CERT,
    Func::pure("decryptAES", &[S, S], S, aes::decrypt),
    Func::pure(
        "derivePassword",
        &[Type::Int(IntKind::Uint32), S, S, S, S],
        S,
        password::derive_password,
    ),
    Func::host("encryptAES", &[S, S], S, aes::encrypt),
    cert::GEN_CA,
    cert::GEN_CA_WITH_KEY,
    cert::GEN_SELF_SIGNED_CERT,
    cert::GEN_SELF_SIGNED_CERT_WITH_KEY,
    cert::GEN_SIGNED_CERT,
    cert::GEN_SIGNED_CERT_WITH_KEY,
    Func::host("genPrivateKey", &[S], S, key::gen_private_key),
    Func::host("htpasswd", &[S, S], S, password::htpasswd),
    Func::pure("sha1sum", &[S], S, hex_digest::<Sha1>),
    Func::pure("sha256sum", &[S], S, hex_digest::<Sha256>),
    Func::pure("sha512sum", &[S], S, hex_digest::<Sha512>),
];

type Result = std::result::Result<Value, FuncError>;

fn hex_digest<D: Digest>(args: &mut Args<'_>) -> Result {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    args.charge(args.str(0).len())?;
    let digest = D::digest(args.str(0).as_bytes());
    let mut out = Vec::with_capacity(2 * digest.len());
    for b in &digest {
        out.extend([HEX[usize::from(b >> 4)], HEX[usize::from(b & 15)]]);
    }
    Ok(Value::str(out))
}

fn adler32sum(args: &mut Args<'_>) -> Result {
    const MODULUS: u32 = 65_521;
    // As many bytes as fit before the second sum can overflow.
    const CHUNK: usize = 5552;
    args.charge(args.str(0).len())?;
    let (mut a, mut b) = (1, 0);
    for chunk in args.str(0).as_bytes().chunks(CHUNK) {
        for byte in chunk {
            a += u32::from(*byte);
            b += a;
        }
        a %= MODULUS;
        b %= MODULUS;
    }
    Ok(Value::str((b << 16 | a).to_string()))
}
