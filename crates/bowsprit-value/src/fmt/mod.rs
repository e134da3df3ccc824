//! Go's `fmt` on values: the `Print` and `Printf` families.
//!
//! Containers are walked with an explicit stack, so that no nesting is too deep for the native one. A
//! map that contains itself, on which Go would die, gives an error. Everything written is charged to
//! the run's meter.
//!
//! ```
//! use bowsprit_value::{Map, Meter, Value, fmt};
//!
//! let map = Map::from_entries([("a".into(), Value::int(1))]);
//! let mut out = Vec::new();
//! fmt::sprintf(b"%v %+.1f %d", &[map.into(), Value::Float(2.25), "x".into()], &mut out, &Meter::default())?;
//! assert_eq!(out, b"map[a:1] +2.2 %!d(string=x)");
//! # Ok::<(), bowsprit_value::FuncError>(())
//! ```

mod flags;
mod float;
mod format;
mod printer;
mod verbs;
mod walk;

pub use float::append_float;

use crate::{Elem, FuncError, Kind, Meter, Str, Value};
use printer::Printer;

/// Go's `fmt.Sprintf`.
///
/// # Errors
///
/// A reached limit of the meter, or a value that contains itself; whatever Go complains about in the
/// text (`%!d(string=x)`) is no error.
pub fn sprintf(
    format: &[u8],
    args: &[Value],
    out: &mut Vec<u8>,
    meter: &Meter,
) -> Result<(), FuncError> {
    let mut printer = Printer::new(out, meter);
    format::do_printf(&mut printer, format, args)?;
    printer.finish()
}

/// Go's `fmt.Sprint`: a blank between two operands of which neither is a string.
///
/// # Errors
///
/// As [`sprintf`].
pub fn sprint(args: &[Value], out: &mut Vec<u8>, meter: &Meter) -> Result<(), FuncError> {
    let mut printer = Printer::new(out, meter);
    let mut after_string = true;
    for arg in args {
        let is_string = arg.kind() == Kind::String;
        if !is_string && !after_string {
            printer.out.push(b' ');
        }
        printer.print_arg(arg, 'v')?;
        after_string = is_string;
    }
    printer.finish()
}

/// Go's `fmt.Sprintln`: a blank between all operands, and a newline.
///
/// # Errors
///
/// As [`sprintf`].
pub fn sprintln(args: &[Value], out: &mut Vec<u8>, meter: &Meter) -> Result<(), FuncError> {
    let mut printer = Printer::new(out, meter);
    for (i, arg) in args.iter().enumerate() {
        if i > 0 {
            printer.out.push(b' ');
        }
        printer.print_arg(arg, 'v')?;
    }
    printer.out.push(b'\n');
    printer.finish()
}

/// `%v` of one value.
///
/// # Errors
///
/// As [`sprintf`].
#[inline]
pub fn print_value(value: &Value, out: &mut Vec<u8>, meter: &Meter) -> Result<(), FuncError> {
    print_one(value, out, meter, Pointers::Marked)
}

/// What an action such as `{{ .x }}` prints: `%v`, but of what a pointer points to.
///
/// Nil is `<nil>` here too; the engine has another text for it.
///
/// # Errors
///
/// As [`sprintf`].
#[inline]
pub fn print_action(value: &Value, out: &mut Vec<u8>, meter: &Meter) -> Result<(), FuncError> {
    print_one(value, out, meter, Pointers::Followed)
}

/// How a pointer to a struct prints at the top.
#[derive(Clone, Copy, PartialEq)]
enum Pointers {
    /// As `&{…}`.
    Marked,
    /// As the struct.
    Followed,
}

fn print_one(
    value: &Value,
    out: &mut Vec<u8>,
    meter: &Meter,
    pointers: Pointers,
) -> Result<(), FuncError> {
    let start = out.len();
    match value {
        Value::Str(s) => out.extend_from_slice(s.as_bytes()),
        Value::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Value::Int(kind, n) if !kind.is_unsigned() => append_int(out, *n < 0, n.unsigned_abs()),
        value => {
            let mut printer = Printer::new(out, meter);
            printer.pointers = pointers;
            printer.print_arg(value, 'v')?;
            return printer.finish();
        }
    }
    meter.charge_bytes(out.len() - start)
}

/// Appends an integer in decimal.
pub fn append_int(out: &mut Vec<u8>, negative: bool, magnitude: u64) {
    let mut scratch = [0; 20];
    let mut at = scratch.len();
    let mut n = magnitude;
    while at > 0 {
        at -= 1;
        scratch[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    if negative {
        out.push(b'-');
    }
    out.extend_from_slice(&scratch[at..]);
}

/// What sprig makes a string of: the text of strings, bytes, errors and `String` methods, `%v` of
/// everything else.
///
/// # Errors
///
/// As [`sprintf`].
pub fn strval(value: &Value, meter: &Meter) -> Result<Str, FuncError> {
    match value {
        Value::Str(s) => Ok(s.clone()),
        Value::Bytes(b) => {
            meter.charge_bytes(b.len())?;
            Ok(Str::from(b.clone()))
        }
        Value::List(list) if list.ty().elem == Elem::Uint8 => Ok(Str::default()),
        other => {
            let mut out = Vec::new();
            print_value(other, &mut out, meter)?;
            Ok(out.into())
        }
    }
}
