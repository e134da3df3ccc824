//! What compilers do not check.

mod arrows;
mod files;
mod functions;
mod licences;
mod metadata;
mod source;

use bowsprit_testkit::repository;

use crate::TaskResult;

/// The crates below the core line.
pub(crate) fn core() -> Vec<&'static str> {
    arrows::CORE.iter().map(|(name, _)| *name).collect()
}

pub(crate) fn run() -> TaskResult {
    let root = repository();
    let files = files::walk(&root)?;
    let sources = source::read(&root, &files)?;
    let mut complaints = arrows::check(&root)?;
    complaints.extend(licences::check(&root)?);
    complaints.extend(files::check(&root, &files)?);
    complaints.extend(source::check(&sources));
    complaints.extend(functions::check(&sources));
    if complaints.is_empty() {
        return Ok(format!("tidy: {} files, nothing to complain about", files.len()));
    }
    complaints.sort();
    Err(format!("{}\ntidy: {} complaints", complaints.join("\n"), complaints.len()))
}
