//! `required` and `fail`.

use bowsprit_chart::{Level, LogLine};
use bowsprit_value::{Args, Func, FuncError, FuncErrorKind, Type, Value};

pub(crate) static FUNCS: &[Func] = &[
    Func::pure("required", &[Type::String, Type::Any], Type::Any, required),
    Func::pure("fail", &[Type::String], Type::String, fail),
];

/// What sprig has.
pub(crate) static SPRIG_FUNCS: &[Func] = &[Func::pure("fail", &[Type::String], Type::String, fail)];

/// The same while linting: nothing fails, the message goes to the log and gives way to an empty string.
pub(crate) static LINT_FUNCS: &[Func] = &[
    Func::pure("required", &[Type::String, Type::Any], Type::Any, |args| {
        let message = match args.get(1) {
            Value::Nil => "missing required value",
            Value::Str(s) if s.is_empty() => "missing required values",
            _ => return Ok(args.take(1)),
        };
        note(args, Level::Warn, message);
        Ok(Value::from(""))
    }),
    Func::pure("fail", &[Type::String], Type::String, |args| {
        note(args, Level::Info, "funcMap fail");
        Ok(Value::from(""))
    }),
];

/// What functions log while a run is linted; the run's meter keeps it.
#[derive(Debug, Default)]
pub(crate) struct LintLog(pub(crate) Vec<LogLine>);

/// A chart can call these without end; nobody reads more.
const MAX_LINES: usize = 10_000;

fn note(args: &Args<'_>, level: Level, message: &str) {
    let attrs = vec![("message", args.str(0).to_string_lossy().into_owned())];
    args.meter().history().acted();
    let line = LogLine { level, message: message.to_owned(), attrs };
    args.meter().scratch(|log: &mut LintLog| {
        if log.0.len() < MAX_LINES {
            log.0.push(line);
        }
    });
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
