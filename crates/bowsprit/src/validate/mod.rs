//! Rendered objects against what Kubernetes accepts: [`bowsprit_validate`], for releases and files.
//!
//! ```no_run
//! use bowsprit::validate::{Schemas, Validator, add_crds, validate_release};
//!
//! # fn release() -> bowsprit::Release { loop {} }
//! let mut validator = Validator::new(Schemas::bundled("1.34")?);
//! add_crds(&mut validator.crds, "crds".as_ref())?;
//! let subject = validate_release(&mut validator, "charts/web", &release());
//! assert!(!subject.failed);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "policies")]
pub mod policy;

pub use bowsprit_validate::*;

use bowsprit_loader::PathError;
use bowsprit_render::Release;
use bowsprit_report::Subject;
use std::path::{Path, PathBuf};

/// The texts of a release: definitions of custom resources, manifests, hooks. Each with the file that
/// findings name, below the `path` where the chart lies, and whether lines of the text are lines of it.
pub fn release_texts(path: &str, release: &Release) -> Vec<(String, Vec<u8>, bool)> {
    let chart = release.chart.metadata.name.as_str();
    let path = path.trim_end_matches('/');
    // Templates are named from the chart's name on; people look for them where the chart is.
    let place = |template: &str| match template.strip_prefix(chart) {
        Some(rest) if rest.starts_with('/') => format!("{path}{rest}"),
        _ => template.to_owned(),
    };
    let mut texts: Vec<(String, Vec<u8>, bool)> = Vec::new();
    for crd in release.crds() {
        let file = place(&crd.filename.to_string_lossy());
        texts.push((file, crd.file.data.as_bytes().to_vec(), true));
    }
    let manifests = release.manifests.iter().map(|m| (&*m.path, m.content.as_str()));
    let hooks = release.hooks.iter().map(|h| (&*h.path, h.manifest.as_str()));
    texts.extend(
        manifests.chain(hooks).map(|(path, text)| (place(path), text.as_bytes().to_vec(), false)),
    );
    texts
}

/// Checks all objects of a release, hooks and definitions of custom resources too. The latter are added
/// to the validator first. `path` is where the chart lies, for the findings.
pub fn validate_release(validator: &mut Validator, path: &str, release: &Release) -> Subject {
    let texts = release_texts(path, release);
    for (_, text, _) in &texts {
        // What is no YAML is found below.
        let _ = validator.crds.add(text);
    }
    let inputs: Vec<Input<'_>> = texts
        .iter()
        .map(|(file, text, has_lines)| Input { file, text, has_lines: *has_lines })
        .collect();
    validator.validate(path.trim_end_matches('/'), &inputs)
}

/// The YAML and JSON files at a path: itself, or all below it.
///
/// # Errors
///
/// For what can't be read.
pub fn files(path: &Path) -> Result<Vec<(String, Vec<u8>)>, PathError> {
    let mut found = Vec::new();
    let mut pending = vec![path.to_owned()];
    while let Some(path) = pending.pop() {
        let metadata = path.metadata().map_err(|e| PathError::new("stat", &path, e))?;
        if metadata.is_dir() {
            let entries = path.read_dir().map_err(|e| PathError::new("open", &path, e))?;
            let mut names: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            names.retain(|name| name.is_dir() || is_manifest(name));
            names.sort();
            pending.extend(names.into_iter().rev());
            continue;
        }
        let text = std::fs::read(&path).map_err(|e| PathError::new("open", &path, e))?;
        found.push((path.display().to_string(), text));
    }
    Ok(found)
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|ext| ext == "yaml" || ext == "yml" || ext == "json")
}

/// Adds the custom resource definitions of a file, or of all files below a folder. Gives their number.
///
/// # Errors
///
/// For what can't be read or is no YAML.
pub fn add_crds(crds: &mut Crds, path: &Path) -> Result<usize, String> {
    let mut count = 0;
    for (file, text) in files(path).map_err(|error| error.to_string())? {
        count += crds.add(&text).map_err(|error| format!("{file}: {error}"))?;
    }
    Ok(count)
}

/// The schemas in OpenAPI v3 documents of a file or folder, as `kubectl get --raw /openapi/v3/apis/…`
/// prints them.
///
/// # Errors
///
/// For what can't be read or has no schemas.
pub fn schemas_from(path: &Path, version: &str) -> Result<Schemas, String> {
    let files = files(path).map_err(|error| error.to_string())?;
    let texts = files.iter().map(|(_, text)| text.as_slice());
    Schemas::from_openapi(version, texts).map_err(|error| format!("{}: {error}", path.display()))
}
