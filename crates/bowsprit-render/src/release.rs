//! What a render gives: manifests, hooks and notes.

use crate::compiled::RenderedFiles;
use crate::request::RenderRequest;
use crate::scope::ReleaseOptions;
use bowsprit_chart::{Chart, Crd};
use bowsprit_manifest::{Hook, Manifest, Sorted};
use std::sync::Arc;

/// A rendered release.
#[derive(Clone, Debug)]
pub struct Release {
    /// What the render was told of the release.
    pub options: ReleaseOptions,
    /// The chart.
    pub chart: Arc<Chart>,
    /// The objects, in the order in which they are installed.
    pub manifests: Vec<Manifest>,
    /// The hooks, sorted by kind.
    pub hooks: Vec<Hook>,
    /// The text of `NOTES.txt`; empty without one.
    pub notes: String,
    /// The notes of all charts of the tree, the root's own included, by template name.
    pub all_notes: Vec<(String, String)>,
    /// What stands for the chart's own custom resource definitions.
    replaced_crds: Option<Vec<Crd>>,
}

impl Release {
    pub(crate) fn new(
        request: &RenderRequest,
        chart: &Arc<Chart>,
        notes: Notes,
        sorted: Sorted,
    ) -> Release {
        Release {
            options: request.release.clone(),
            chart: Arc::clone(chart),
            manifests: sorted.manifests,
            hooks: sorted.hooks,
            notes: notes.own,
            all_notes: notes.all,
            replaced_crds: None,
        }
    }

    /// The custom resource definitions below `crds/`, the chart's own and its subcharts'.
    pub fn crds(&self) -> Vec<Crd> {
        match &self.replaced_crds {
            Some(crds) => crds.clone(),
            None => self.chart.crd_objects(),
        }
    }

    /// Replaces the custom resource definitions, for passes that change what a release consists of.
    pub fn set_crds(&mut self, crds: Vec<Crd>) {
        self.replaced_crds = Some(crds);
    }

    /// The text that Helm stores as the release's manifest: every object behind a line that names its
    /// template, custom resource definitions first if they are wanted.
    pub fn manifest(&self, include_crds: bool) -> String {
        let len = |manifest: &Manifest| manifest.path.len() + manifest.content.len() + 20;
        let mut out = String::with_capacity(self.manifests.iter().map(len).sum());
        if include_crds {
            for crd in self.crds() {
                let text = String::from_utf8_lossy(crd.file.data.as_bytes()).into_owned();
                push_document(&mut out, &crd.filename.to_string_lossy(), &text);
            }
        }
        for manifest in &self.manifests {
            push_document(&mut out, &manifest.path, &manifest.content);
        }
        out
    }
}

/// Appends a document as Helm prints it.
pub fn push_document(out: &mut String, path: &str, content: &str) {
    out.reserve(path.len() + content.len() + 20);
    out.push_str("---\n# Source: ");
    out.push_str(path);
    out.push('\n');
    out.push_str(content);
    out.push('\n');
}

#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) own: String,
    pub(crate) all: Vec<(String, String)>,
}

pub(crate) struct Rendered {
    pub(crate) files: RenderedFiles,
    pub(crate) notes: Notes,
}

/// Takes the notes out: every file whose name ends with `NOTES.txt`, of whichever chart.
pub(crate) fn without_notes(mut files: RenderedFiles, chart: &str) -> Rendered {
    let own = format!("{chart}/templates/NOTES.txt");
    let mut notes = Notes::default();
    files.retain(|name, text| {
        if !name.ends_with("NOTES.txt") {
            return true;
        }
        let text = String::from_utf8_lossy(text).into_owned();
        if *name == own {
            notes.own.clone_from(&text);
        }
        notes.all.push((name.clone(), text));
        false
    });
    Rendered { files, notes }
}
