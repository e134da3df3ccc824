//! Runs every stage of every chart that is named once, for `bowsprit-dev counts` to count what it takes.
//!
//! ```text
//! valgrind --tool=callgrind --zero-before=counts::counted_stage --dump-after=counts::counted_stage counts CHART...
//! ```
//!
//! Says which stages were run, one a line, in the order of callgrind's dumps.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[path = "work.rs"]
mod work;

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    for chart in std::env::args().skip(1).filter(|arg| !arg.starts_with('-')) {
        let path = Path::new(&chart);
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        for (stage, mut run) in work::stages(path).map_err(|error| format!("{chart}: {error}"))? {
            run();
            tidy_heap();
            counted_stage(&mut run);
            println!("{name} {stage}");
        }
    }
    Ok(())
}

/// Freeing a large block makes glibc join the small ones that have been freed before. Otherwise it does so in
/// the first stage that frees one, which is another one each time.
fn tidy_heap() {
    const LARGE: usize = 100_000;
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGE)));
}

/// The only frame that is counted.
#[inline(never)]
fn counted_stage(run: &mut Box<dyn FnMut()>) {
    run();
}
