//! Host names.

use bowsprit_value::{Args, Func, FuncError, Host, Type, Value};

pub(crate) static FUNCS: &[Func] =
    &[Func::host("getHostByName", &[Type::String], Type::String, get_host_by_name)];

// The host answers with nothing unless the caller enabled DNS, as Helm does.
fn get_host_by_name(args: &mut Args<'_>, host: &dyn Host) -> Result<Value, FuncError> {
    Ok(Value::from(host.resolve_dns(&args.str(0).to_string_lossy())))
}
