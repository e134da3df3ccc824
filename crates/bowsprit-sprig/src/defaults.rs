//! Which values count as empty, and what stands in for them.

use bowsprit_value::{Args, Func, FuncError, Type, Value, is_true};

pub(crate) static FUNCS: &[Func] = &[
    Func::variadic("default", &[Type::Any, Type::Any], Type::Any, default),
    Func::pure("empty", &[Type::Any], Type::Bool, |args| Ok(Value::Bool(empty(args.get(0))))),
    Func::variadic("coalesce", &[Type::Any], Type::Any, coalesce),
    Func::variadic("all", &[Type::Any], Type::Bool, all),
    Func::variadic("any", &[Type::Any], Type::Bool, any),
    Func::pure("ternary", &[Type::Any, Type::Any, Type::Bool], Type::Any, ternary),
];

/// sprig's emptiness is the engine's falsehood.
pub(crate) fn empty(value: &Value) -> bool {
    !is_true(value)
}

fn default(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let given = !empty(args.get(1));
    Ok(args.take(usize::from(given)))
}

fn coalesce(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let found = args.rest(0).iter().position(is_true);
    Ok(found.map(|i| args.take(i)).unwrap_or_default())
}

fn all(args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::Bool(args.rest(0).iter().all(is_true)))
}

fn any(args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::Bool(args.rest(0).iter().any(is_true)))
}

fn ternary(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let first = args.bool(2);
    Ok(args.take(usize::from(!first)))
}
