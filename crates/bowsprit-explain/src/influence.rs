//! What a value changes.

use crate::changes::others;
use crate::explainer::Explainer;
use crate::path::{Path, Step};
use crate::trace::Read;
use bowsprit_manifest::diff::{ChangeKind, ObjectSet, diff};
use bowsprit_render::RenderedFiles;
use bowsprit_value::Value;

/// An object that a change of a value changes.
#[derive(Clone, Debug)]
pub struct ChangedObject {
    /// `Deployment/web`.
    pub object: String,
    /// What becomes of it.
    pub kind: ChangeKind,
    /// The fields that change.
    pub fields: Vec<String>,
}

/// What a value changes.
#[derive(Clone, Debug)]
pub struct Influence {
    /// The value.
    pub path: Path,
    /// What it is; none where nothing is set.
    pub value: Option<Value>,
    /// What was tried instead.
    pub tried: Option<Value>,
    /// The objects that are others then.
    pub objects: Vec<ChangedObject>,
    /// Why nothing is known: the error of the last try.
    pub broken: Option<String>,
}

impl Explainer<'_> {
    /// What a value changes, seen by changing it.
    pub fn influence(&self, path: &Path) -> Influence {
        let read = Read::Value(path.clone());
        let value = self.value_of(&read);
        let mut found = Influence {
            path: path.clone(),
            value: value.clone(),
            tried: None,
            objects: Vec::new(),
            broken: None,
        };
        let before = objects(&self.files);
        for other in others(value.as_ref()) {
            match self.all_changed(&read, &other) {
                Err(error) => found.broken = found.broken.or(Some(error.to_string())),
                Ok(after) => {
                    found.broken = None;
                    found.tried = Some(other);
                    if after == self.files {
                        continue;
                    }
                    found.objects = changes(&before, &objects(&after));
                    break;
                }
            }
        }
        found
    }

    /// The paths of all values that are read by some template that was run, in order: what has an
    /// influence is among them.
    pub fn paths(&self) -> Vec<Path> {
        let mut found = Vec::new();
        crate::path::leaves(&Value::Map(self.values.clone()), &Path::default(), &mut |path, _| {
            found.push(path);
        });
        // The globals of subcharts are those of the root.
        found.retain(|path| {
            let global = Step::Key("global".to_owned());
            !path.steps().iter().skip(1).any(|step| *step == global)
        });
        found
    }
}

fn objects(files: &RenderedFiles) -> ObjectSet {
    let mut set = ObjectSet::new();
    for (name, text) in files {
        if !name.ends_with("NOTES.txt")
            && let Ok(objects) = ObjectSet::parse(text)
        {
            set.extend(objects.iter().map(|(identity, value)| (identity.clone(), value.clone())));
        }
    }
    set
}

fn changes(before: &ObjectSet, after: &ObjectSet) -> Vec<ChangedObject> {
    let difference = diff(before, after);
    let changed = difference.changes.into_iter().map(|change| ChangedObject {
        object: format!("{}/{}", change.identity.kind, change.identity.name),
        kind: change.kind,
        fields: change.fields.into_iter().map(|field| field.path).collect(),
    });
    changed.collect()
}
