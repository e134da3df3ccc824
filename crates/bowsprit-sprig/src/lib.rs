//! The sprig template function library, as Helm's templates see it.
//!
//! [`functions`] is the whole table: name, Go signature and body of every function of sprig that Helm
//! offers, one module per file of sprig. The crate knows no template engine; whoever calls a function
//! checks the arguments against the signature first. What Helm itself adds (`include`, `tpl`, `toYaml`,
//! `required`, ...) is not here, nor are the builtins of `text/template`.
//!
//! Functions are pure, except for those that ask the [`Host`](bowsprit_value::Host) for the time or
//! for randomness. Big results are charged to the run's [`Meter`](bowsprit_value::Meter).
//!
//! ```
//! use bowsprit_value::{Args, FuncImpl, Meter, Value};
//!
//! let upper = bowsprit_sprig::functions().find(|f| f.name == "upper").unwrap();
//! let FuncImpl::Pure(body) = upper.body else { unreachable!() };
//! let result = body(&mut Args::new(&mut ["helm".into()], &Meter::default()))?;
//! assert_eq!(result.as_str().unwrap(), &"HELM");
//! # Ok::<(), bowsprit_value::FuncError>(())
//! ```

mod cast;
mod crypto;
mod date;
mod defaults;
mod dict;
mod encoding;
pub mod goregex;
mod list;
mod network;
mod numeric;
mod object;
mod path;
mod reflect;
mod regex;
mod semver;
mod strings;
mod url;
mod weight;

pub use crypto::use_known_primes;
pub use date::{Duration, Month, Time, Weekday, Zone};

use bowsprit_value::Func;
use object::methods;

/// Every function, in no particular order; names are unique.
pub fn functions() -> impl Iterator<Item = &'static Func> {
    [
        crypto::FUNCS,
        date::FUNCS,
        defaults::FUNCS,
        dict::FUNCS,
        encoding::FUNCS,
        list::FUNCS,
        network::FUNCS,
        numeric::FUNCS,
        path::FUNCS,
        reflect::FUNCS,
        regex::FUNCS,
        semver::FUNCS,
        strings::FUNCS,
        url::FUNCS,
    ]
    .into_iter()
    .flatten()
}
