//! The `bowsprit` command: flags, printing and exit codes around the library.

mod advice;
mod charts;
mod commands;
mod compiled;
mod failure;
mod flags;
mod input;
mod interrupts;
mod kubeconfig;
mod labels;
mod limits;
mod memory;
mod network;
mod output;
mod placing;
mod release;
mod render;
mod report;
mod settings;
mod streams;
mod values;

use std::process::ExitCode;

fn main() -> ExitCode {
    memory::keep_freed();
    let args: Vec<String> =
        std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    match commands::run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.code())
        }
    }
}
