//! The functions of Helm's templates: Go's, sprig's, and Helm's own over both.

pub(crate) mod encode;
mod lookup;
pub(crate) mod required;
mod toml;

use bowsprit_template::{Functions, INCLUDE, TPL};

/// Everything that a template of Helm 4.2.4 can call.
///
/// In lint mode `required` and `fail` give an empty string instead of an error.
pub(crate) fn functions(lint: bool) -> Functions {
    let mut functions = Functions::builtins();
    functions.extend(bowsprit_sprig::functions());
    functions.extend(encode::JSON_FUNCS);
    functions.extend(encode::FUNCS);
    functions.extend(toml::FUNCS);
    functions.extend(if lint { required::LINT_FUNCS } else { required::FUNCS });
    functions.extend(lookup::FUNCS);
    functions.add(INCLUDE);
    functions.add(TPL);
    functions
}

/// Go's and sprig's functions without Helm's own, as for `--name-template`. Those that read the
/// environment, `env` and `expandenv`, are left to the caller.
pub fn sprig_functions() -> Functions {
    let mut functions = Functions::builtins();
    functions.extend(bowsprit_sprig::functions());
    functions.extend(encode::JSON_FUNCS);
    functions.extend(encode::SPRIG_FUNCS);
    functions.extend(required::SPRIG_FUNCS);
    functions
}
