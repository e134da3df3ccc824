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
