//! `bowsprit label`.

use super::{Command, Invocation, no_args};
use crate::failure::Failure;
use crate::labels::{self, Defaults};
use crate::streams;
use bowsprit::label::{Text, inject, krm, unmatched};
use std::io::Read;

pub(super) static COMMAND: Command = Command {
    name: "label",
    usage: "label [flags]",
    about: "Put labels on every object that comes through standard input",
    examples: "\
Reads manifests from standard input and prints them with labels on every object, pod templates included;
all other bytes stay as they are. Selectors are never touched, and a label that would change what a
selector matches is left out. Without flags objects get app.kubernetes.io/managed-by=Helm; --part-of and
--instance put the labels of that name, --default-labels=false leaves all three out.

A ResourceList is taken for the call of a KRM function (kustomize, kpt), and its functionConfig for flags.
As a post-renderer of Helm 4 it needs a plugin.yaml, which docs/labels.md shows.

Examples:
  helm template demo ./chart | bowsprit label --instance demo --part-of web
  bowsprit label --label team=payments --annotation owner=ops < manifests.yaml
  bowsprit label --label tier=web --on-conflict overwrite --no-pod-templates < manifests.yaml
  bowsprit label --default-labels=false --require-selector app.kubernetes.io/instance=demo < all.yaml
  helm install demo ./chart --post-renderer bowsprit-label --post-renderer-args --instance=demo",
    flags: &[labels::FLAGS],
    children: &[],
    run: Some(run),
};

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    no_args(invocation, "bowsprit label")?;
    let options = labels::options(invocation.parsed, Defaults { on: true, ..Defaults::default() })?;
    let required = labels::required(invocation.parsed)?;
    if options.is_empty() && required.is_empty() {
        let text = "nothing to put: give --label, --annotation, --instance or --part-of";
        return Err(Failure::Error(text.to_owned()));
    }
    let text = input()?;
    let labelled = if krm::is_resource_list(&text) {
        krm::run(&text, &options).map_err(Failure::of)?
    } else {
        let labelled = inject(&[Text { path: "", text: &text }], &options).map_err(Failure::of)?;
        labels::log(invocation.settings, &labelled.report);
        labelled.texts.concat()
    };
    let check = [Text { path: "", text: &labelled }];
    labels::prove(&unmatched(&check, &required).map_err(Failure::of)?)?;
    streams::write(labelled.as_bytes())
}

fn input() -> Result<String, Failure> {
    let mut text = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut text);
    read.map_err(|error| Failure::Error(format!("read standard input: {error}")))?;
    String::from_utf8(text).map_err(|_| Failure::Error("standard input is not UTF-8".to_owned()))
}
