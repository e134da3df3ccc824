//! Writes the bundle of Kubernetes' schemas.

use crate::TaskResult;
use bowsprit::validate::bundle;
use std::fs;
use std::path::Path;

const OUT: &str = "crates/bowsprit-validate/schemas.zz";

/// Each argument is a version and the folder of its OpenAPI v3 documents: `1.36=…/api/openapi-spec/v3`.
pub(super) fn run(args: &[String]) -> TaskResult {
    let mut versions = Vec::new();
    for arg in args {
        let (version, folder) =
            arg.split_once('=').ok_or_else(|| format!("schemas: {arg}: no VERSION=FOLDER"))?;
        versions.push((version.to_owned(), documents(Path::new(folder))?));
    }
    if versions.is_empty() {
        return Err("schemas: no VERSION=FOLDER".to_owned());
    }
    let bytes = bundle(&versions).map_err(|error| error.to_string())?;
    fs::write(OUT, &bytes).map_err(|error| format!("{OUT}: {error}"))?;
    Ok(format!("{OUT}: {} versions in {} bytes", versions.len(), bytes.len()))
}

fn documents(folder: &Path) -> Result<Vec<Vec<u8>>, String> {
    let failed = |error| format!("{}: {error}", folder.display());
    let mut files: Vec<_> = fs::read_dir(folder)
        .map_err(failed)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ext| ext == "json"))
        .collect();
    files.sort();
    files.iter().map(|file| fs::read(file).map_err(failed)).collect()
}
