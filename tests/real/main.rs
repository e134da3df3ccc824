//! Tests against real components: Helm, a kube-apiserver, registries.
//!
//! They need the programs that `.ci/tools.sh` builds, in the folder that BOWSPRIT_TOOLS names. Without
//! that variable each test says that it was skipped; with it, a missing program is a failure. CI sets it.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

#[path = "../program.rs"]
mod program;

mod apply;
mod dependencies;
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
mod provenance;
mod services;
mod sources;
mod tools;
mod walkthroughs;
