//! Links the released program so that it starts fast; ARCHITECTURE.md has the trades.
//!
//! A position-independent program of this size begins with some 50,000 relocations, which touch 200
//! pages before `main`, so it is linked at a fixed address. `BOWSPRIT_PIE=1` leaves it
//! position-independent, for distributions that ask for it.
//!
//! What a render calls lies side by side, as `order.ld` says, which `bowsprit-dev link-order` writes.
//! `BOWSPRIT_LINK_ORDER=0` leaves that out, for linkers that don't know such scripts; it is left out too where
//! another linker is chosen by Rust's flags.

use std::env::var;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=order.ld");
    println!("cargo::rerun-if-env-changed=BOWSPRIT_PIE");
    println!("cargo::rerun-if-env-changed=BOWSPRIT_LINK_ORDER");
    let is = |name: &str, value: &str| var(name).is_ok_and(|found| found == value);
    // Of other systems, some refuse such programs and some load them no faster.
    let linux = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if !linux || !is("PROFILE", "release") {
        return;
    }
    // Calls go straight to functions of the program, as `.cargo/config.toml` has it; what the loader fills in is
    // filled in before the start and then closed nevertheless.
    println!("cargo::rustc-link-arg-bins=-Wl,-z,now");
    if var("BOWSPRIT_PIE").map_or(true, |value| value.is_empty() || value == "0") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
    let flags = var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let usual =
        !flags.contains("linker") && !flags.contains("fuse-ld") && var("RUSTC_LINKER").is_err();
    if !usual || !is("CARGO_CFG_TARGET_ARCH", "x86_64") {
        return;
    }
    if !is("BOWSPRIT_LINK_ORDER", "0")
        && let Ok(package) = var("CARGO_MANIFEST_DIR")
    {
        let script = Path::new(&package).join("order.ld");
        println!("cargo::rustc-link-arg-bins=-Wl,--script={}", script.display());
    }
    if let Some(folder) = unwinder() {
        println!("cargo::rustc-link-search=native={folder}");
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}

/// Where the C compiler has the code that unwinds stacks, to be linked into the program: one library less to
/// be found and loaded at each start. `None` if there is no such file, or none for the target.
fn unwinder() -> Option<String> {
    if var("HOST").ok()? != var("TARGET").ok()? {
        return None;
    }
    let output = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    // Without a folder it is the name that was asked for.
    let folder = Path::new(path.trim()).parent().filter(|folder| folder.is_absolute())?;
    Some(folder.display().to_string())
}
