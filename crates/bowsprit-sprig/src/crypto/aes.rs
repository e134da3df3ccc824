//! `encryptAES` and `decryptAES`: AES-256 in CBC mode, the random start in front, all in base64.

use super::{Result, random};
use crate::encoding::{base64_decode, base64_encode};
use ::aes::Aes256;
use bowsprit_value::{Args, FuncError, Host, Str, Value};
use cbc::cipher::block_padding::{NoPadding, Pkcs7};
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};

const BLOCK: usize = 16;

/// The password's bytes, cut or filled with zeros.
fn key(password: &Str) -> [u8; 32] {
    let mut key = [0; 32];
    for (slot, byte) in key.iter_mut().zip(password.as_bytes()) {
        *slot = *byte;
    }
    key
}

pub(super) fn encrypt(args: &mut Args<'_>, host: &dyn Host) -> Result {
    let text = args.str(1).as_bytes();
    if text.is_empty() {
        return Ok(Value::str(""));
    }
    args.charge(text.len().saturating_mul(3))?;
    let start = random::bytes::<BLOCK>(host);
    let cipher = cbc::Encryptor::<Aes256>::new(&key(args.str(0)).into(), &start.into());
    let mut out = start.to_vec();
    out.extend(cipher.encrypt_padded_vec::<Pkcs7>(text));
    let mut encoded = Vec::with_capacity(out.len().div_ceil(3) * 4);
    base64_encode(&out, &mut encoded);
    Ok(Value::str(encoded))
}

pub(super) fn decrypt(args: &mut Args<'_>) -> Result {
    let text = args.str(1).as_bytes();
    if text.is_empty() {
        return Ok(Value::str(""));
    }
    args.charge(text.len().saturating_mul(2))?;
    // Go sizes its buffer by the length of the text, before it drops newlines and padding.
    let capacity = decoded_capacity(text.len());
    let data = base64_decode(text).map_err(FuncError::new)?;
    let Some((start, data)) = data.split_first_chunk::<BLOCK>() else {
        return Err(short(&data, capacity));
    };
    let cipher = cbc::Decryptor::<Aes256>::new(&key(args.str(0)).into(), start.into());
    let Ok(mut out) = cipher.decrypt_padded_vec::<NoPadding>(data) else {
        return Err(FuncError::new("crypto/cipher: input not full blocks"));
    };
    let Some(&padding) = out.last() else {
        return Err(FuncError::new("runtime error: index out of range [-1]"));
    };
    // sprig trusts the last byte.
    match out.len().checked_sub(usize::from(padding)) {
        Some(len) => out.truncate(len),
        None => {
            let end = out.len() as i64 - i64::from(padding);
            return Err(FuncError::new(format!(
                "runtime error: slice bounds out of range [:{end}]"
            )));
        }
    }
    Ok(Value::str(out))
}

/// What `base64.DecodedLen` gives for a padded encoding.
const fn decoded_capacity(len: usize) -> usize {
    len / 4 * 3
}

#[cold]
fn short(data: &[u8], capacity: usize) -> FuncError {
    if capacity < BLOCK {
        return FuncError::new(format!(
            "runtime error: slice bounds out of range [:16] with capacity {capacity}"
        ));
    }
    FuncError::new(format!("runtime error: slice bounds out of range [16:{}]", data.len()))
}
