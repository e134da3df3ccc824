//! One value under one verb, containers aside.

use super::Pointers;
use super::flags::Flags;
use super::verbs::{
    Integer, fmt_0x64, fmt_bool, fmt_complex, fmt_float, fmt_integer, fmt_s, fmt_string,
};
use crate::unicode::push_rune;
use crate::{Elem, FuncError, Kind, Meter, Object, Value};

/// Where Go prints an address, which no two runs share, this one stands.
const ADDRESS: u64 = 0xc0_0000_0000;

/// How much may be written before the meter is told.
const CHARGE_EVERY: usize = 4096;

pub(super) struct Printer<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) flags: Flags,
    pub(super) pointers: Pointers,
    /// Inside of a complaint, where methods are not called.
    erroring: bool,
    meter: &'a Meter,
    charged: usize,
}

impl<'a> Printer<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>, meter: &'a Meter) -> Printer<'a> {
        let charged = out.len();
        Printer {
            out,
            flags: Flags::default(),
            pointers: Pointers::Marked,
            erroring: false,
            meter,
            charged,
        }
    }

    /// Charges what was written, once it is much.
    #[inline]
    pub(super) fn charge(&mut self) -> Result<(), FuncError> {
        if self.out.len() - self.charged < CHARGE_EVERY { Ok(()) } else { self.settle() }
    }

    fn settle(&mut self) -> Result<(), FuncError> {
        let written = self.out.len() - self.charged;
        self.charged = self.out.len();
        self.meter.charge_bytes(written)
    }

    pub(super) fn finish(mut self) -> Result<(), FuncError> {
        self.settle()
    }

    pub(super) fn print_arg(&mut self, arg: &Value, verb: char) -> Result<(), FuncError> {
        match (verb, arg) {
            ('T' | 'v', Value::Nil) => self.flags.pad(self.out, b"<nil>"),
            (_, Value::Nil) => self.complain_of_nil(verb),
            ('T', _) => fmt_s(self.out, self.flags, arg.type_name().as_bytes()),
            ('p', _) => return self.print_pointer(arg, verb),
            ('w', v) if !matches!(v, Value::Bytes(_)) => return self.bad_verb(arg, verb),
            _ => return self.print_value(arg, verb, true),
        }
        Ok(())
    }

    fn complain_of_nil(&mut self, verb: char) {
        self.out.extend_from_slice(b"%!");
        push_rune(self.out, verb);
        self.out.extend_from_slice(b"(<nil>)");
    }

    /// Prints a basic value or an object with text; `false` for what has parts.
    pub(super) fn print_basic(
        &mut self,
        v: &Value,
        verb: char,
        top: bool,
    ) -> Result<bool, FuncError> {
        let (flags, out) = (self.flags, &mut *self.out);
        let fits = match v {
            Value::Nil => {
                let text: &[u8] = if flags.sharp_v { b"interface {}(nil)" } else { b"<nil>" };
                out.extend_from_slice(text);
                true
            }
            Value::Bool(b) => fmt_bool(out, flags, *b, verb),
            Value::Int(kind, n) => {
                let signed = !kind.is_unsigned();
                fmt_integer(out, flags, Integer { bits: n.cast_unsigned(), signed }, verb)
            }
            Value::Float(f) => fmt_float(out, flags, *f, verb),
            Value::Complex(c) => fmt_complex(out, flags, **c, verb),
            Value::Str(s) => fmt_string(out, flags, s.as_bytes(), verb),
            Value::Bytes(b) => return self.print_bytes(b, verb, top).map(|()| true),
            Value::List(list) if list.ty().elem == Elem::Uint8 => {
                if self.flags.sharp_v {
                    let name: &[u8] = if top { b"[]byte" } else { b"[]uint8" };
                    self.out.extend_from_slice(name);
                    self.out.extend_from_slice(b"(nil)");
                    return Ok(true);
                }
                return self.print_bytes(&[], verb, top).map(|()| true);
            }
            Value::List(_) | Value::Map(_) => return Ok(false),
            Value::Object(o) => return self.print_object(v, o.as_ref(), verb, top),
        };
        if !fits {
            self.bad_verb(v, verb)?;
        }
        Ok(true)
    }

    /// A key of a map, or any other plain string.
    pub(super) fn print_string(&mut self, s: &[u8], verb: char) {
        if !fmt_string(self.out, self.flags, s, verb) {
            self.out.extend_from_slice(b"%!");
            push_rune(self.out, verb);
            self.out.extend_from_slice(b"(string=");
            fmt_string(self.out, self.flags, s, 'v');
            self.out.push(b')');
        }
    }

    fn print_bytes(&mut self, bytes: &[u8], verb: char, top: bool) -> Result<(), FuncError> {
        if matches!(verb, 's' | 'x' | 'X' | 'q') {
            fmt_string(self.out, self.flags, bytes, verb);
            return Ok(());
        }
        let (open, separator, close): (&[u8], &[u8], u8) =
            match (self.flags.sharp_v, top && verb == 'v') {
                (true, true) => (b"[]byte{", b", ", b'}'),
                (true, false) => (b"[]uint8{", b", ", b'}'),
                _ => (b"[", b" ", b']'),
            };
        self.out.extend_from_slice(open);
        for (i, b) in bytes.iter().enumerate() {
            if i > 0 {
                self.out.extend_from_slice(separator);
            }
            let byte = Integer { bits: u64::from(*b), signed: false };
            if !fmt_integer(self.out, self.flags, byte, verb) {
                let byte = Value::Int(crate::IntKind::Uint8, i64::from(*b));
                self.bad_verb(&byte, verb)?;
            }
            self.charge()?;
        }
        self.out.push(close);
        Ok(())
    }

    /// `%!verb(type=value)`.
    pub(super) fn bad_verb(&mut self, v: &Value, verb: char) -> Result<(), FuncError> {
        self.out.extend_from_slice(b"%!");
        push_rune(self.out, verb);
        self.out.push(b'(');
        self.out.extend_from_slice(v.type_name().as_bytes());
        self.out.push(b'=');
        let outer = std::mem::replace(&mut self.erroring, true);
        self.print_value(v, 'v', true)?;
        self.erroring = outer;
        self.out.push(b')');
        Ok(())
    }

    fn print_object(
        &mut self,
        v: &Value,
        o: &dyn Object,
        verb: char,
        top: bool,
    ) -> Result<bool, FuncError> {
        if !self.erroring && self.print_text(o, verb) {
            return Ok(true);
        }
        match o.kind() {
            Kind::Struct => Ok(false),
            Kind::Ptr if top && !o.is_nil() => Ok(false),
            Kind::Ptr | Kind::Func => self.print_pointer(v, verb).map(|()| true),
            _ => match o.to_json() {
                Some(Value::Object(_)) | None => {
                    self.out.push(b'?');
                    self.out.extend_from_slice(o.type_name().as_bytes());
                    self.out.push(b'?');
                    Ok(true)
                }
                Some(plain) => self.print_underlying(v, &plain, verb),
            },
        }
    }

    /// A named type without text prints like the type under it.
    fn print_underlying(
        &mut self,
        v: &Value,
        plain: &Value,
        verb: char,
    ) -> Result<bool, FuncError> {
        let (flags, out) = (self.flags, &mut *self.out);
        let fits = match plain {
            Value::Bool(b) => fmt_bool(out, flags, *b, verb),
            Value::Int(kind, n) => {
                let signed = !kind.is_unsigned();
                fmt_integer(out, flags, Integer { bits: n.cast_unsigned(), signed }, verb)
            }
            Value::Float(f) => fmt_float(out, flags, *f, verb),
            Value::Str(s) => fmt_string(out, flags, s.as_bytes(), verb),
            _ => return Ok(false),
        };
        if !fits {
            self.bad_verb(v, verb)?;
        }
        Ok(true)
    }

    fn print_text(&mut self, o: &dyn Object, verb: char) -> bool {
        if self.flags.sharp_v {
            let Some(text) = o.to_go_text() else { return false };
            fmt_s(self.out, self.flags, text.as_bytes());
            return true;
        }
        let stringable = matches!(verb, 'v' | 's' | 'x' | 'X' | 'q');
        let Some(text) = stringable.then(|| o.to_text()).flatten() else { return false };
        fmt_string(self.out, self.flags, text.as_bytes(), verb)
    }

    fn print_pointer(&mut self, v: &Value, verb: char) -> Result<(), FuncError> {
        let address = match v {
            Value::List(list) if list.is_nil() => 0,
            Value::Map(map) if map.is_nil() => 0,
            Value::List(_) | Value::Map(_) | Value::Bytes(_) => ADDRESS,
            Value::Object(o) if o.is_nil() => 0,
            Value::Object(o) => match Object::kind(o.as_ref()) {
                Kind::Ptr | Kind::Func | Kind::Map | Kind::Slice => ADDRESS,
                _ => return self.bad_verb(v, verb),
            },
            _ => return self.bad_verb(v, verb),
        };
        let (flags, out) = (self.flags, &mut *self.out);
        match verb {
            'v' if flags.sharp_v => {
                out.push(b'(');
                out.extend_from_slice(v.type_name().as_bytes());
                out.extend_from_slice(b")(");
                match address {
                    0 => out.extend_from_slice(b"nil"),
                    _ => fmt_0x64(out, flags, address, true),
                }
                out.push(b')');
            }
            'v' if address == 0 => flags.pad(out, b"<nil>"),
            'v' | 'p' => fmt_0x64(out, flags, address, !flags.sharp),
            'b' | 'o' | 'd' | 'x' | 'X' => {
                fmt_integer(out, flags, Integer { bits: address, signed: false }, verb);
            }
            _ => return self.bad_verb(v, verb),
        }
        Ok(())
    }
}
