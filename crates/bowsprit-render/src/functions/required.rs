//! `required` and `fail`.

use bowsprit_chart::{Level, LogLine};
use bowsprit_value::{Args, Func, FuncError, FuncErrorKind, Meter, Type, Value};

pub(crate) static FUNCS: &[Func] = &[
    Func::pure("required", &[Type::String, Type::Any], Type::Any, required),
    Func::pure("fail", &[Type::String], Type::String, fail),
];

/// What sprig has.
pub(crate) static SPRIG_FUNCS: &[Func] = &[Func::pure("fail", &[Type::String], Type::String, fail)];

/// The same while linting: nothing fails, the message gives way to an empty string.
pub(crate) static LINT_FUNCS: &[Func] = &[
    Func::pure("required", &[Type::String, Type::Any], Type::Any, |args| {
        if !is_missing(args.get(1)) {
            return Ok(args.take(1));
        }
        let text = match args.get(1) {
            Value::Nil => "missing required value",
            _ => "missing required values",
        };
        log(args, Level::Warn, text)
    }),
    Func::pure("fail", &[Type::String], Type::String, |args| {
        log(args, Level::Info, "funcMap fail")
    }),
];

/// What a run has logged.
#[derive(Default)]
struct Log(Vec<LogLine>);

fn log(args: &mut Args<'_>, level: Level, text: &str) -> Result<Value, FuncError> {
    let message = args.str(0).to_string_lossy().into_owned();
    args.charge(message.len() + text.len())?;
    let line = LogLine { level, message: text.to_owned(), attrs: vec![("message", message)] };
    args.meter().scratch(|log: &mut Log| log.0.push(line));
    Ok(Value::from(""))
}

/// Takes what `required` and `fail` would have failed with in a run that only lints.
pub(crate) fn take_log(meter: &Meter) -> Vec<LogLine> {
    meter.scratch(|log: &mut Log| std::mem::take(&mut log.0))
}

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
