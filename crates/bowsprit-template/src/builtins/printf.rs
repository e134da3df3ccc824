//! `print`, `printf`, `println`.

use crate::funcs::engine;
use crate::vm::text;
use bowsprit_value::{FuncError, Meter, Value, fmt};

pub(crate) fn call(number: u16, args: &[Value], meter: &Meter) -> Result<Value, FuncError> {
    let mut out = Vec::new();
    match (number, args) {
        (engine::PRINT, _) => fmt::sprint(args, &mut out, meter)?,
        (engine::PRINTLN, _) => fmt::sprintln(args, &mut out, meter)?,
        (_, [Value::Str(format), rest @ ..]) => {
            fmt::sprintf(format.as_bytes(), rest, &mut out, meter)?;
        }
        _ => {}
    }
    Ok(text(out))
}

/// `printf "%s..." TEXT ...` on a long text: adds to it, without a copy where nobody else holds it, so
/// that a text that a loop builds up costs what is added. `None` for all other calls.
pub(crate) fn append(args: &mut [Value], meter: &Meter) -> Option<Result<Value, FuncError>> {
    const LONG: usize = 256;
    let [Value::Str(format), Value::Str(text), rest @ ..] = args else { return None };
    let format = format.as_bytes().strip_prefix(b"%s")?;
    if text.len() < LONG || format.contains(&b'[') {
        return None;
    }
    let mut tail = Vec::new();
    if let Err(error) = fmt::sprintf(format, rest, &mut tail, meter) {
        return Some(Err(error));
    }
    // What was printed is charged; so is the text, where it must be copied.
    if !text.can_grow()
        && let Err(error) = meter.charge_bytes(text.len())
    {
        return Some(Err(error));
    }
    Some(Ok(Value::Str(std::mem::take(text).append(&tail))))
}
