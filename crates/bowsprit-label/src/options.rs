//! What is put on objects.

use crate::names::{InvalidName, check_annotation, check_label};
use bowsprit_manifest::Labels;

/// The label that names the application which an object is a part of.
pub const PART_OF: &str = "app.kubernetes.io/part-of";
/// The label that names the release.
pub const INSTANCE: &str = "app.kubernetes.io/instance";
/// The label that names the tool; Helm's spelling is `Helm`.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// What happens where a label or an annotation is there with another value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is overwritten, unless that would change what a selector of the release matches.
    Overwrite,
    /// Nothing is labelled at all.
    Fail,
}

impl std::str::FromStr for OnConflict {
    type Err = String;

    fn from_str(text: &str) -> Result<OnConflict, String> {
        match text {
            "keep" => Ok(OnConflict::Keep),
            "overwrite" => Ok(OnConflict::Overwrite),
            "fail" => Ok(OnConflict::Fail),
            _ => Err(format!("{text:?}: must be keep, overwrite or fail")),
        }
    }
}

/// What is put on the objects of a release, and where.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Labels of objects, pod templates and volume claim templates.
    pub labels: Labels,
    /// Annotations of objects.
    pub annotations: Labels,
    /// What happens to other values of the same names.
    pub on_conflict: OnConflict,
    /// Whether pod templates get the labels too; they do by default.
    pub pod_templates: bool,
    /// Whether volume claim templates of StatefulSets get the labels too; not by default, because
    /// Kubernetes lets nobody change them afterwards.
    pub volume_claim_templates: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            labels: Labels::new(),
            annotations: Labels::new(),
            on_conflict: OnConflict::default(),
            pod_templates: true,
            volume_claim_templates: false,
        }
    }
}

impl Options {
    /// The labels that tell a release apart: the application, the release, and that Helm manages it.
    /// Names that are no values of labels are left out.
    pub fn release(instance: &str, part_of: &str) -> Options {
        let mut options = Options::default();
        for (key, value) in [(INSTANCE, instance), (MANAGED_BY, "Helm"), (PART_OF, part_of)] {
            let _ = options.set_label(key, value);
        }
        options
    }

    /// Adds a label, or replaces it.
    ///
    /// # Errors
    ///
    /// Fails where Kubernetes does not take the name or the value.
    pub fn set_label(&mut self, key: &str, value: &str) -> Result<(), InvalidName> {
        check_label(key, value)?;
        self.labels.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    /// Adds an annotation, or replaces it.
    ///
    /// # Errors
    ///
    /// Fails where Kubernetes does not take the name.
    pub fn set_annotation(&mut self, key: &str, value: &str) -> Result<(), InvalidName> {
        check_annotation(key)?;
        self.annotations.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    /// True where there is nothing to put on anything.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.annotations.is_empty()
    }
}
