//! `required` and `fail`.

use bowsprit_value::{Args, Func, FuncError, FuncErrorKind, Type, Value};

pub(crate) static FUNCS: &[Func] = &[
    Func::pure("required", &[Type::String, Type::Any], Type::Any, required),
    Func::pure("fail", &[Type::String], Type::String, fail),
];

/// What sprig has.
pub(crate) static SPRIG_FUNCS: &[Func] = &[Func::pure("fail", &[Type::String], Type::String, fail)];

/// The same while linting: nothing fails, the message gives way to an empty string.
pub(crate) static LINT_FUNCS: &[Func] = &[
    Func::pure("required", &[Type::String, Type::Any], Type::Any, |args| {
        Ok(if is_missing(args.get(1)) { Value::from("") } else { args.take(1) })
    }),
    Func::pure("fail", &[Type::String], Type::String, |_| Ok(Value::from(""))),
];

fn is_missing(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::Str(s) => s.is_empty(),
        _ => false,
    }
}

fn required(args: &mut Args<'_>) -> Result<Value, FuncError> {
    if is_missing(args.get(1)) {
        return Err(FuncError::with_kind(FuncErrorKind::Fail, args.str(0).clone()));
    }
    Ok(args.take(1))
}

fn fail(args: &mut Args<'_>) -> Result<Value, FuncError> {
    Err(FuncError::with_kind(FuncErrorKind::Fail, args.str(0).clone()))
}
