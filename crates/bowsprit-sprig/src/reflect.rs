//! Types and kinds by Go's names, and deep equality.

use crate::weight::weight;
use bowsprit_value::{Args, Func, FuncError, Str, Type, Value};

pub(crate) static FUNCS: &[Func] = &[
    Func::pure("typeOf", &[Type::Any], Type::String, type_of),
    Func::pure("typeIs", &[Type::String, Type::Any], Type::Bool, type_is),
    Func::pure("typeIsLike", &[Type::String, Type::Any], Type::Bool, type_is_like),
    Func::pure("kindOf", &[Type::Any], Type::String, kind_of),
    Func::pure("kindIs", &[Type::String, Type::Any], Type::Bool, kind_is),
    Func::pure("deepEqual", &[Type::Any, Type::Any], Type::Bool, deep_equal),
];

fn type_of(args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::Str(args.get(0).type_name().into()))
}

fn type_is(args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::Bool(args.str(0).as_bytes() == args.get(1).type_name().as_bytes()))
}

fn type_is_like(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let (target, name) = (args.str(0).as_bytes(), args.get(1).type_name());
    let pointee = name.strip_prefix('*').map(str::as_bytes);
    Ok(Value::Bool(target == name.as_bytes() || Some(target) == pointee))
}

fn kind_of(args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::Str(Str::from_static(args.get(0).kind().name())))
}

fn kind_is(args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::Bool(args.str(0).as_bytes() == args.get(1).kind().name().as_bytes()))
}

fn deep_equal(args: &mut Args<'_>) -> Result<Value, FuncError> {
    args.meter().charge_steps(weight(args.get(0)) / 16)?;
    Ok(Value::Bool(bowsprit_value::deep_equal(args.get(0), args.get(1))))
}
