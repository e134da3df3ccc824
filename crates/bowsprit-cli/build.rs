//! Links the released program at a fixed address.
//!
//! A position-independent program of this size begins with some 50,000 relocations, which touch 200
//! pages before `main`. `BOWSPRIT_PIE=1` leaves it
//! position-independent, for distributions that ask for it; ARCHITECTURE.md has the trade.

use std::env::var;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=BOWSPRIT_PIE");
    let is = |name: &str, value: &str| var(name).is_ok_and(|found| found == value);
    let wanted = var("BOWSPRIT_PIE").is_ok_and(|value| !value.is_empty() && value != "0");
    // Of other systems, some refuse such programs and some load them no faster.
    let fixed = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if fixed && is("PROFILE", "release") && !wanted {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
