//! Arithmetic on integers, and on floats by way of decimal fractions.

mod decimal;
mod float;
mod range;

use crate::cast::{to_float64, to_int64};
use bowsprit_value::{Args, Elem, Func, FuncError, Type, Value, fmt, strconv};
use decimal::Decimal;

const ANY: Type = Type::Any;
const FLOAT: Type = Type::Float64;

pub(crate) static FUNCS: &[Func] = &[
    Func::pure("atoi", &[Type::String], Type::INT, atoi),
    Func::pure("int64", &[ANY], Type::INT64, |args| Ok(Value::int64(to_int64(args.get(0))))),
    Func::pure("int", &[ANY], Type::INT, |args| Ok(Value::int(to_int64(args.get(0))))),
    Func::pure("float64", &[ANY], FLOAT, |args| Ok(Value::Float(to_float64(args.get(0))))),
    Func::pure("toDecimal", &[ANY], Type::INT64, to_decimal),
    Func::variadic("seq", &[Type::INT], Type::String, range::seq),
    Func::pure("until", &[Type::INT], Type::List(Elem::Int), range::until),
    Func::pure("untilStep", &[Type::INT; 3], Type::List(Elem::Int), range::until_step),
    Func::pure("add1", &[ANY], Type::INT64, add1),
    Func::variadic("add", &[ANY], Type::INT64, add),
    Func::pure("sub", &[ANY, ANY], Type::INT64, sub),
    Func::pure("div", &[ANY, ANY], Type::INT64, |args| divide(args, i64::wrapping_div)),
    Func::pure("mod", &[ANY, ANY], Type::INT64, |args| divide(args, i64::wrapping_rem)),
    Func::variadic("mul", &[ANY, ANY], Type::INT64, mul),
    Func::variadic("max", &[ANY, ANY], Type::INT64, max),
    Func::variadic("biggest", &[ANY, ANY], Type::INT64, max),
    Func::variadic("min", &[ANY, ANY], Type::INT64, min),
    Func::pure("add1f", &[ANY], FLOAT, add1f),
    Func::variadic("addf", &[ANY], FLOAT, addf),
    Func::variadic("subf", &[ANY, ANY], FLOAT, |args| decimals(args, Decimal::sub)),
    Func::variadic("divf", &[ANY, ANY], FLOAT, |args| decimals(args, Decimal::div)),
    Func::variadic("mulf", &[ANY, ANY], FLOAT, |args| decimals(args, Decimal::mul)),
    Func::variadic("maxf", &[ANY, ANY], FLOAT, |args| extreme(args, float::max)),
    Func::variadic("minf", &[ANY, ANY], FLOAT, |args| extreme(args, float::min)),
    Func::pure("ceil", &[ANY], FLOAT, |args| Ok(Value::Float(to_float64(args.get(0)).ceil()))),
    Func::pure("floor", &[ANY], FLOAT, |args| Ok(Value::Float(to_float64(args.get(0)).floor()))),
    Func::variadic("round", &[ANY, Type::INT, FLOAT], FLOAT, round),
];

// sprig drops the error, but a number out of range still gives the nearest one.
fn atoi(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let number = strconv::atoi(args.str(0).as_bytes());
    Ok(Value::int(number.unwrap_or_else(|error| error.nearest_int())))
}

fn to_decimal(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let mut printed = Vec::new();
    fmt::print_value(args.get(0), &mut printed, args.meter())?;
    Ok(Value::int64(strconv::parse_int(&printed, 8, 64).unwrap_or(0)))
}

fn add1(args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::int64(to_int64(args.get(0)).wrapping_add(1)))
}

fn add(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let sum = args.rest(0).iter().fold(0i64, |sum, v| sum.wrapping_add(to_int64(v)));
    Ok(Value::int64(sum))
}

fn sub(args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::int64(to_int64(args.get(0)).wrapping_sub(to_int64(args.get(1)))))
}

fn divide(args: &mut Args<'_>, op: fn(i64, i64) -> i64) -> Result<Value, FuncError> {
    match to_int64(args.get(1)) {
        0 => Err(FuncError::new("runtime error: integer divide by zero")),
        divisor => Ok(Value::int64(op(to_int64(args.get(0)), divisor))),
    }
}

fn mul(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let product = args.rest(0).iter().fold(1i64, |product, v| product.wrapping_mul(to_int64(v)));
    Ok(Value::int64(product))
}

fn max(args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::int64(args.rest(0).iter().map(to_int64).max().unwrap_or(0)))
}

fn min(args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::int64(args.rest(0).iter().map(to_int64).min().unwrap_or(0)))
}

fn extreme(args: &mut Args<'_>, op: fn(f64, f64) -> f64) -> Result<Value, FuncError> {
    let first = to_float64(args.get(0));
    Ok(Value::Float(args.rest(1).iter().map(to_float64).fold(first, op)))
}

type DecimalOp = fn(Decimal, Decimal) -> Result<Decimal, FuncError>;

fn decimals(args: &mut Args<'_>, op: DecimalOp) -> Result<Value, FuncError> {
    let first = Decimal::from_float(to_float64(args.get(0)))?;
    fold(args, first, 1, op)
}

fn addf(args: &mut Args<'_>) -> Result<Value, FuncError> {
    fold(args, Decimal::ZERO, 0, Decimal::add)
}

fn add1f(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let number = Decimal::from_float(to_float64(args.get(0)))?;
    Ok(Value::Float(number.add(Decimal::ONE)?.to_float()))
}

fn fold(args: &Args<'_>, first: Decimal, from: usize, op: DecimalOp) -> Result<Value, FuncError> {
    let mut result = first;
    for value in args.rest(from) {
        args.charge(result.size())?;
        result = op(result, Decimal::from_float(to_float64(value))?)?;
    }
    Ok(Value::Float(result.to_float()))
}

fn round(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let round_on = if args.len() > 2 { args.float(2) } else { 0.5 };
    let power = float::power_of_ten(args.int(1));
    let digit = power * to_float64(args.get(0));
    let fraction = (digit - digit.trunc()).copysign(digit);
    let rounded = if fraction >= round_on { digit.ceil() } else { digit.floor() };
    Ok(Value::Float(rounded / power))
}
