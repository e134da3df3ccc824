//! The functions of Helm's templates: Go's, sprig's, and Helm's own over both.

pub(crate) mod encode;
mod lookup;
mod required;

pub(crate) use required::LintLog;
mod toml;

use crate::compat::Rules;
use bowsprit_template::{Functions, INCLUDE, TPL};

/// Everything that a template of Helm can call.
///
/// In lint mode `required` and `fail` give an empty string instead of an error.
pub(crate) fn functions(lint: bool, rules: &Rules) -> Functions {
    let mut functions = Functions::builtins();
    functions.extend(bowsprit_sprig::functions());
    functions.extend(encode::JSON_FUNCS);
    let missing = |name: &str| match name {
        "mustToYaml" => !rules.must_to_yaml,
        "mustToToml" => !rules.must_to_toml,
        _ => false,
    };
    functions.extend(encode::FUNCS.iter().filter(|func| !missing(func.name)));
    functions.extend(toml::FUNCS.iter().filter(|func| !missing(func.name)));
    functions.extend(if lint { required::LINT_FUNCS } else { required::FUNCS });
    functions.extend(lookup::FUNCS);
    functions.add(&INCLUDE);
    functions.add(&TPL);
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
