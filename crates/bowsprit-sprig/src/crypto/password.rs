//! Passwords: bcrypt hashes and the ones that are derived from a master password.

use super::{Result, random};
use crate::encoding::base64_encode;
use bowsprit_value::{Args, FuncError, Host, Str, Value};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

// Microseconds that one call takes.
const BCRYPT_COST: u64 = 60_000;
const SCRYPT_COST: u64 = 150_000;
const SCRYPT_MEMORY: usize = 32 << 20;

pub(super) fn bcrypt(args: &mut Args<'_>, host: &dyn Host) -> Result {
    Ok(Value::str(hash(args, 0, host)?))
}

pub(super) fn htpasswd(args: &mut Args<'_>, host: &dyn Host) -> Result {
    let user = args.str(0).clone();
    if user.as_bytes().contains(&b':') {
        return Ok(Value::str([b"invalid username: ", user.as_bytes()].concat()));
    }
    let hash = hash(args, 1, host)?;
    Ok(Value::str([user.as_bytes(), b":", &hash].concat()))
}

fn hash(args: &Args<'_>, index: usize, host: &dyn Host) -> std::result::Result<Vec<u8>, FuncError> {
    let password = args.str(index).as_bytes();
    if password.len() > 72 {
        let text = "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes";
        return Ok(text.into());
    }
    args.meter().charge_steps(BCRYPT_COST)?;
    let mut key = password.to_vec();
    key.push(0);
    key.truncate(72);
    let salt = random::bytes::<16>(host);
    let digest = bcrypt::bcrypt(10, salt, &key);
    let mut out = b"$2a$10$".to_vec();
    push_base64(&salt, &mut out);
    push_base64(digest.get(..23).unwrap_or_default(), &mut out);
    Ok(out)
}

/// Base64 in bcrypt's own alphabet, without padding.
fn push_base64(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    base64_encode(bytes, out);
    while out.last() == Some(&b'=') {
        out.pop();
    }
    for b in out.iter_mut().skip(start) {
        // Both alphabets have the letters and digits in one order; theirs starts two signs earlier.
        *b = match *b {
            b'A' => b'.',
            b'B' => b'/',
            b'a' => b'Y',
            b'b' => b'Z',
            b'0' => b'y',
            b'1' => b'z',
            b'+' => b'8',
            b'/' => b'9',
            other => other - 2,
        };
    }
}

const SCOPE: &[u8] = b"com.lyndir.masterpassword";

/// The shapes that a type of password can take; each letter stands for a class of characters.
fn templates(kind: &[u8]) -> Option<&'static [&'static str]> {
    Some(match kind {
        b"maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        b"long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        b"medium" => &["CvcnoCvc", "CvcCvcno"],
        b"short" => &["Cvcn"],
        b"basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        b"pin" => &["nnnn"],
        _ => return None,
    })
}

fn class(letter: u8) -> &'static [u8] {
    match letter {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

/// The Master Password algorithm: a key from the master password and the user, a seed from the key and
/// the site, and a password of the asked shape from the seed.
pub(super) fn derive_password(args: &mut Args<'_>) -> Result {
    let kind = args.str(1).as_bytes();
    let Some(templates) = templates(kind) else {
        return Ok(Value::str([b"cannot find password template ", kind].concat()));
    };
    args.charge(SCRYPT_MEMORY)?;
    args.meter().charge_steps(SCRYPT_COST)?;
    let Some(seed) = seed(args) else {
        return Ok(Value::str(Str::from_static("failed to derive password")));
    };
    let (first, rest) = seed.split_first().unwrap_or((&0, &[]));
    let template = templates.get(usize::from(*first) % templates.len()).unwrap_or(&"");
    let password = template.bytes().zip(rest).filter_map(|(letter, pick)| {
        let class = class(letter);
        class.get(usize::from(*pick) % class.len()).copied()
    });
    Ok(Value::str(password.collect::<Vec<u8>>()))
}

fn seed(args: &Args<'_>) -> Option<[u8; 32]> {
    let (password, user, site) = (args.str(2), args.str(3), args.str(4));
    let length = |text: &Str| (text.len() as u32).to_be_bytes();
    let salt = [SCOPE, &length(user), user.as_bytes()].concat();
    let params = scrypt::Params::new(15, 8, 2).ok()?;
    let mut key = [0; 64];
    scrypt::scrypt(password.as_bytes(), &salt, &params, &mut key).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(SCOPE);
    mac.update(&length(site));
    mac.update(site.as_bytes());
    mac.update(&(args.int(0) as u32).to_be_bytes());
    Some(mac.finalize().into_bytes().into())
}
