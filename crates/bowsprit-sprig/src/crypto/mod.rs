//! Hashes, passwords, ciphers, keys and certificates: sprig's `crypto.go`.

mod aes;
mod asn1;
mod cert;
mod der;
mod dsa;
mod ec;
mod key;
mod known;
mod password;
mod pem;
mod prime;
mod random;
mod rsa;

pub use known::use_known_primes;

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

/// Charges for going through the first argument.
fn charge_reading(args: &Args<'_>) -> std::result::Result<(), FuncError> {
    args.meter().charge_steps(args.str(0).len() as u64 / 256)
}

fn hex_digest<D: Digest>(args: &mut Args<'_>) -> Result {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    charge_reading(args)?;
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
    charge_reading(args)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use bowsprit_value::{Field, FuncErrorKind, FuncImpl, Hermetic, Limits, Meter, Timestamp};

    fn call(name: &str, args: &[Value], seed: u64, meter: &Meter) -> Result {
        let func = FUNCS.iter().find(|f| f.name == name).unwrap();
        let mut args = args.to_vec();
        let mut args = Args::new(&mut args, meter);
        match func.body {
            FuncImpl::Pure(body) => body(&mut args),
            FuncImpl::Host(body) => body(
                &mut args,
                &Hermetic::new(seed, Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            ),
            FuncImpl::Engine(_) => panic!("{name} belongs to the engine"),
        }
    }

    fn text(name: &str, args: &[Value], seed: u64) -> String {
        call(name, args, seed, &Meter::default()).unwrap().as_str().unwrap().to_string()
    }

    fn part(certificate: &Value, name: &str) -> String {
        let Value::Object(object) = certificate else { panic!("no certificate") };
        match object.field(name.as_bytes()) {
            Field::Value(value) => value.as_str().unwrap().to_string(),
            _ => panic!("no {name}"),
        }
    }

    #[test]
    fn sums_are_those_of_go() {
        for (name, want) in [
            ("sha1sum", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("sha256sum", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            ("adler32sum", "38600999"),
        ] {
            assert_eq!(text(name, &["abc".into()], 0), want);
        }
        let long = "\u{fd}".repeat(10_000);
        assert_eq!(text("adler32sum", &[long.as_str().into()], 0), "3039533927");
    }

    #[test]
    fn passwords_are_derived_as_by_sprig() {
        for (kind, want) in [
            ("long", "ZedaFaxcZaso9*"),
            ("maximum", "pf4zS1LjCg&LjhsZ7T2~"),
            ("pin", "6685"),
            ("nope", "cannot find password template nope"),
        ] {
            let args = [
                Value::Int(IntKind::Uint32, 1),
                kind.into(),
                "password".into(),
                "user".into(),
                "example.com".into(),
            ];
            assert_eq!(text("derivePassword", &args, 0), want);
        }
    }

    #[test]
    fn what_is_encrypted_can_be_decrypted() {
        for plain in ["a", "sixteen bytes ok", "three\nlines\n\u{e9}"] {
            let secret = text("encryptAES", &["key".into(), plain.into()], 7);
            assert_eq!(text("decryptAES", &["key".into(), secret.into()], 0), plain);
        }
    }

    #[test]
    fn a_seed_gives_the_same_keys_again() {
        for kind in ["ecdsa", "ed25519"] {
            let key = |seed| text("genPrivateKey", &[kind.into()], seed);
            assert_eq!(key(1), key(1));
            assert_ne!(key(1), key(2));
        }
        let hash = text("htpasswd", &["u".into(), "p".into()], 1);
        assert!(hash.starts_with("u:$2a$10$") && hash.len() == 62);
        assert_eq!(hash, text("htpasswd", &["u".into(), "p".into()], 1));
        assert_eq!(text("genPrivateKey", &["x".into()], 1), "Unknown type x");
    }

    #[test]
    fn certificates_are_signed_and_can_be_read_again() {
        let meter = Meter::default();
        let make = |name: &str, args: &[Value]| call(name, args, 3, &meter);
        let key = Value::from(text("genPrivateKey", &["ecdsa".into()], 9));
        let ca = make("genCAWithKey", &["ca".into(), Value::int(365), key.clone()]).unwrap();
        assert_eq!(part(&ca, "Key"), key.as_str().unwrap().to_string());
        let names = Value::list(vec!["a.b".into(), "*.b".into()]);
        let addresses = Value::list(vec!["::1".into()]);
        let signed = |cn: &str, ca: &Value| {
            let args = [
                cn.into(),
                addresses.clone(),
                names.clone(),
                Value::int(1),
                ca.clone(),
                key.clone(),
            ];
            make("genSignedCertWithKey", &args)
        };
        let leaf = signed("leaf", &ca).unwrap();
        // Read by the parser that a signing certificate goes through.
        assert!(signed("below", &leaf).is_ok());
        assert_ne!(part(&leaf, "Cert"), part(&ca, "Cert"));
    }

    #[test]
    fn keys_of_known_primes_are_sound_and_differ() {
        let meter = Meter::default();
        crate::use_known_primes(&meter);
        let make = |name: &str, args: &[Value]| call(name, args, 3, &meter).unwrap();
        let authority = make("genCA", &["ca".into(), Value::int(1)]);
        let other = make("genCA", &["ca".into(), Value::int(1)]);
        assert_ne!(part(&authority, "Key"), part(&other, "Key"));
        // The authority's key and certificate are read again and checked.
        let args = ["leaf".into(), Value::Nil, Value::Nil, Value::int(1), authority];
        let leaf = make("genSignedCert", &args);
        assert_ne!(part(&leaf, "Key"), part(&other, "Key"));
        let large = make("genPrivateKey", &["rsa".into()]);
        let args = ["ca".into(), Value::int(1), large];
        assert_eq!(
            part(&make("genCAWithKey", &args), "Key"),
            args[2].as_str().unwrap().to_string()
        );
    }

    #[test]
    fn huge_keys_are_charged() {
        let limits = Limits { steps: 10_000_000, ..Limits::default() };
        let key = pem::encode("RSA PRIVATE KEY", &[0x30; 1 << 20]);
        let args = ["ca".into(), Value::int(1), Value::str(key)];
        let error = call("genCAWithKey", &args, 1, &Meter::new(limits)).unwrap_err();
        assert_eq!(error.kind(), FuncErrorKind::Limit);
    }

    #[test]
    fn expensive_work_is_charged_before_it_is_done() {
        let limits = Limits { steps: 500, ..Limits::default() };
        let cases: [(&str, &[Value]); 4] = [
            ("genPrivateKey", &["rsa".into()]),
            ("genCA", &["ca".into(), Value::int(1)]),
            ("bcrypt", &["p".into()]),
            ("derivePassword", &[Value::Nil, "pin".into()]),
        ];
        for (name, args) in cases {
            let error = call(name, args, 1, &Meter::new(limits)).unwrap_err();
            assert_eq!(error.kind(), FuncErrorKind::Limit, "{name}");
        }
    }
}
