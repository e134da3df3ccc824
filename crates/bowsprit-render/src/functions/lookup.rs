//! `lookup`: objects of the cluster, through the host.

use bowsprit_value::{Args, Func, FuncError, FuncErrorKind, Host, Type, Value};

const STRINGS: &[Type] = &[Type::String, Type::String, Type::String, Type::String];

pub(crate) static FUNCS: &[Func] = &[Func::host("lookup", STRINGS, Type::MAP, lookup)];

fn lookup(args: &mut Args<'_>, host: &dyn Host) -> Result<Value, FuncError> {
    let text = |i: usize| args.str(i).to_string_lossy();
    host.lookup(&text(0), &text(1), &text(2), &text(3))
        .map_err(|error| FuncError::with_kind(FuncErrorKind::Host, error.to_string()))
}
