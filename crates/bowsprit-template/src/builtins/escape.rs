//! `html`, `js`, `urlquery`.

use crate::funcs::engine;
use crate::vm::{NO_VALUE, text};
use bowsprit_value::{FuncError, Meter, Value, fmt, unicode};

pub(crate) fn call(number: u16, args: &[Value], meter: &Meter) -> Result<Value, FuncError> {
    let mut plain = Vec::new();
    if args.iter().any(Value::is_nil) {
        // These three print nil as an action does, not as `print` does.
        let shown: Vec<Value> = args.iter().map(shown).collect();
        fmt::sprint(&shown, &mut plain, meter)?;
    } else {
        fmt::sprint(args, &mut plain, meter)?;
    }
    let mut out = Vec::with_capacity(plain.len());
    match number {
        engine::HTML => html(&plain, &mut out),
        engine::JS => js(&plain, &mut out),
        _ => query(&plain, &mut out),
    }
    meter.charge_bytes(out.len())?;
    Ok(text(out))
}

fn shown(arg: &Value) -> Value {
    if arg.is_nil() { text(NO_VALUE.to_vec()) } else { arg.clone() }
}

fn html(plain: &[u8], out: &mut Vec<u8>) {
    for byte in plain {
        match byte {
            0 => out.extend_from_slice("\u{fffd}".as_bytes()),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            _ => out.push(*byte),
        }
    }
}

fn js(plain: &[u8], out: &mut Vec<u8>) {
    let mut rest = plain;
    while let Some(byte) = rest.first() {
        let (rune, width) =
            if byte.is_ascii() { (char::from(*byte), 1) } else { unicode::decode_rune(rest) };
        let (bytes, tail) = rest.split_at(width.clamp(1, rest.len()));
        match rune {
            '\\' => out.extend_from_slice(b"\\\\"),
            '\'' => out.extend_from_slice(b"\\'"),
            '"' => out.extend_from_slice(b"\\\""),
            '<' | '>' | '&' | '=' | '\0'..='\x1f' => {
                out.extend_from_slice(format!("\\u{:04X}", rune as u32).as_bytes());
            }
            _ if rune.is_ascii() || unicode::is_print(rune) => out.extend_from_slice(bytes),
            _ => out.extend_from_slice(format!("\\u{:04X}", rune as u32).as_bytes()),
        }
        rest = tail;
    }
}

fn query(plain: &[u8], out: &mut Vec<u8>) {
    for byte in plain {
        match byte {
            b' ' => out.push(b'+'),
            b'-' | b'_' | b'.' | b'~' => out.push(*byte),
            b if b.is_ascii_alphanumeric() => out.push(*byte),
            _ => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
}
