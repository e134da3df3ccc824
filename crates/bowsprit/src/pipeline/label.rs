//! Labels on a release.

use bowsprit_chart::{Crd, File};
use bowsprit_label::{Error, Options, Report, Text, Unmatched, inject, unmatched};
use bowsprit_manifest::{Head, LabelSelector};
use bowsprit_render::Release;

/// Puts labels and annotations on all objects of a release: manifests, hooks and custom resource
/// definitions.
///
/// # Errors
///
/// Fails where a text holds no objects, and at conflicts if these are to be errors. The release is as it
/// was then.
pub fn label(release: &mut Release, options: &Options) -> Result<Report, Error> {
    if options.is_empty() {
        return Ok(Report::default());
    }
    let crds = release.crds();
    let sources = Sources::of(release, &crds);
    let labelled = inject(&sources.texts(), options)?;
    let mut texts = labelled.texts.into_iter();
    for manifest in &mut release.manifests {
        let Some(text) = texts.next() else { break };
        manifest.content = text;
        if !options.annotations.is_empty()
            && let Ok(head) = Head::parse(manifest.content.as_bytes())
        {
            manifest.head = head;
        }
    }
    for (hook, text) in release.hooks.iter_mut().zip(texts.by_ref()) {
        hook.manifest = text;
    }
    let crd = |(old, text): (Crd, String)| Crd {
        file: File::new(old.file.name.clone(), text.into_bytes()),
        filename: old.filename,
    };
    release.set_crds(crds.into_iter().zip(texts).map(crd).collect());
    Ok(labelled.report)
}

/// The objects of a release that one of the selectors does not match; custom resource definitions are
/// looked at only if they are wanted.
///
/// # Errors
///
/// Fails where a text holds no objects.
pub fn unlabelled(
    release: &Release,
    selectors: &[LabelSelector],
    include_crds: bool,
) -> Result<Vec<Unmatched>, Error> {
    if selectors.is_empty() {
        return Ok(Vec::new());
    }
    let crds = if include_crds { release.crds() } else { Vec::new() };
    unmatched(&Sources::of(release, &crds).texts(), selectors)
}

/// The texts of a release with the names of their templates.
struct Sources(Vec<(String, String)>);

impl Sources {
    fn of(release: &Release, crds: &[Crd]) -> Sources {
        let manifests = release.manifests.iter().map(|m| (m.path.to_string(), m.content.clone()));
        let hooks = release.hooks.iter().map(|h| (h.path.to_string(), h.manifest.clone()));
        let crds = crds.iter().map(|crd| {
            let text = String::from_utf8_lossy(crd.file.data.as_bytes()).into_owned();
            (crd.filename.to_string_lossy().into_owned(), text)
        });
        Sources(manifests.chain(hooks).chain(crds).collect())
    }

    fn texts(&self) -> Vec<Text<'_>> {
        self.0.iter().map(|(path, text)| Text { path, text }).collect()
    }
}
