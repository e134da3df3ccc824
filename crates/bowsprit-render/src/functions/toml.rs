//! TOML in templates.

use bowsprit_value::Func;

pub(crate) static FUNCS: &[Func] = &[];
