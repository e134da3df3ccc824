//! Custom resource definitions below `crds/`.

use super::Linter;
use super::decode::documents;
use crate::source::Entry;

const DIR: &str = "crds/";

impl Linter<'_> {
    pub(super) fn crds(&mut self) {
        match &self.source.crds {
            Entry::Missing => return,
            Entry::Directory => {}
            _ => return self.error("HL060", DIR, "not a directory"),
        }
        let chart = match self.load() {
            Ok(chart) => chart,
            Err(error) => return self.error("HL032", DIR, error),
        };
        for crd in chart.crd_objects() {
            let label = crd.file.name.to_string_lossy().into_owned();
            for document in documents(crd.file.data.as_bytes()) {
                let head = match document {
                    Ok(Some(head)) => head,
                    Ok(None) => continue,
                    Err(error) => {
                        let text = format!("unable to parse YAML: {error}");
                        return self.error("HL061", &label, text);
                    }
                };
                if !head.api_version.starts_with("apiextensions.k8s.io") {
                    let text = "apiVersion is not in 'apiextensions.k8s.io'";
                    self.error("HL062", &label, text);
                }
                if head.kind != "CustomResourceDefinition" {
                    let text = "object kind is not 'CustomResourceDefinition'";
                    self.error("HL063", &label, text);
                }
            }
        }
    }
}
