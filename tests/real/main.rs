//! Tests against real components: Helm, a kube-apiserver, registries.
//!
//! They need the programs that `.ci/tools.sh` builds, in the folder that BOWSPRIT_TOOLS names. Without
//! that variable each test says that it was skipped; with it, a missing program is a failure. CI sets it.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]
#![allow(clippy::print_stdout, reason = "tests say how much they looked at")]

#[path = "../program.rs"]
mod program;
#[path = "../shared.rs"]
mod shared;
#[path = "../variations.rs"]
mod variations;

mod apply;
mod charts;
mod completion;
mod dependencies;
mod explain;
mod fleet;
mod flux;
mod flux_sources;
mod index;
mod interpreter;
mod kustomize;
mod label;
mod lint;
mod packages;
mod pipelines;
mod placement;
mod provenance;
mod services;
mod sources;
mod tools;
mod unittest;
mod unused;
mod walkthroughs;
