//! `eq`, `ne`, `lt`, `le`, `gt`, `ge`.

use crate::funcs::engine;
use bowsprit_value::{FuncError, Meter, Value, eq, ge, gt, le, lt};

pub(crate) fn call(number: u16, args: &[Value], meter: &Meter) -> Result<bool, FuncError> {
    let [first, rest @ ..] = args else { return Ok(false) };
    if number == engine::EQ {
        return any_eq(first, rest, meter);
    }
    let Some(second) = rest.first() else { return Ok(false) };
    match number {
        engine::NE => eq(first, second, meter).map(|equal| !equal),
        engine::LT => lt(first, second),
        engine::LE => le(first, second),
        engine::GT => gt(first, second),
        _ => ge(first, second),
    }
}

fn any_eq(first: &Value, rest: &[Value], meter: &Meter) -> Result<bool, FuncError> {
    if rest.is_empty() {
        return Err(FuncError::new("missing argument for comparison"));
    }
    for other in rest {
        if eq(first, other, meter)? {
            return Ok(true);
        }
    }
    Ok(false)
}
