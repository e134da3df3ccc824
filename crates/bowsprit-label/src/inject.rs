//! From a plan to texts.

use crate::error::Error;
use crate::options::{OnConflict, Options};
use crate::plan::{Addition, plan};
use crate::report::{Conflict, Report};
use crate::skim::Skimmed;
use bowsprit_manifest::{Object, objects};
use bowsprit_yaml::Edits;
use std::collections::BTreeSet;
use std::ops::Range;

/// A rendered text of one or more documents.
#[derive(Clone, Copy, Debug)]
pub struct Text<'t> {
    /// Where it comes from, for reports; may be empty.
    pub path: &'t str,
    /// The text.
    pub text: &'t str,
}

/// What [`inject`] gives.
#[derive(Clone, Debug, Default)]
pub struct Labelled {
    /// The texts, in the order in which they were given.
    pub texts: Vec<String>,
    /// What was done.
    pub report: Report,
}

/// Puts labels and annotations on all objects of a release.
///
/// All texts must be given at once, so that all selectors of the release are known.
///
/// # Errors
///
/// Fails where a text holds no objects, and with [`OnConflict::Fail`] at conflicts.
pub fn inject(texts: &[Text<'_>], options: &Options) -> Result<Labelled, Error> {
    match inject_skimmed(texts, options) {
        Some(labelled) => labelled,
        None => inject_whole(texts, options),
    }
}

/// Labels definitions without reading their schemas. None where there are no such texts, or some are not
/// what they look like.
fn inject_skimmed(texts: &[Text<'_>], options: &Options) -> Option<Result<Labelled, Error>> {
    let skimmed: Vec<Option<Skimmed>> = texts.iter().map(|text| Skimmed::of(text.text)).collect();
    if skimmed.iter().all(Option::is_none) {
        return None;
    }
    let short = texts.iter().zip(&skimmed).map(|(text, skimmed)| match skimmed {
        Some(skimmed) => Text { path: text.path, text: &skimmed.text },
        None => *text,
    });
    let short: Vec<Text<'_>> = short.collect();
    let found = decode(&short).ok()?;
    let is_read = |(source, object): &(usize, Object)| {
        let is_whole = skimmed.get(*source).is_some_and(Option::is_none);
        is_whole || object.identity.kind == "CustomResourceDefinition"
    };
    if !found.iter().all(is_read) {
        return None;
    }
    let mut labelled = match inject_into(&short, found, options) {
        Ok(labelled) => labelled,
        Err(Error::Edit { .. }) => return None,
        Err(error) => return Some(Err(error)),
    };
    for (text, skimmed) in labelled.texts.iter_mut().zip(&skimmed) {
        if let Some(skimmed) = skimmed {
            *text = skimmed.restore(text)?;
        }
    }
    Some(Ok(labelled))
}

pub(crate) fn inject_whole(texts: &[Text<'_>], options: &Options) -> Result<Labelled, Error> {
    inject_into(texts, decode(texts)?, options)
}

fn inject_into(
    texts: &[Text<'_>],
    found: Vec<(usize, Object)>,
    options: &Options,
) -> Result<Labelled, Error> {
    let objects: Vec<&Object> = found.iter().map(|(_, object)| object).collect();
    let plan = plan(&objects, options);
    let path = |object: usize| {
        let source = found.get(object).map_or(0, |(source, _)| *source);
        texts.get(source).map_or(String::new(), |text| text.path.to_owned())
    };
    let conflicts: Vec<Conflict> = plan
        .conflicts
        .into_iter()
        .map(|(object, c)| Conflict { path: path(object), ..c })
        .collect();
    if options.on_conflict == OnConflict::Fail && !conflicts.is_empty() {
        return Err(Error::Conflicts(conflicts));
    }
    let changed: BTreeSet<usize> = plan.additions.iter().map(|a| a.object).collect();
    let report = Report { objects: found.len(), changed: changed.len(), conflicts };
    let texts = edit(texts, &found, &plan.additions)?;
    Ok(Labelled { texts, report })
}

/// The objects of all texts, each with the index of its text.
pub(crate) fn decode(texts: &[Text<'_>]) -> Result<Vec<(usize, Object)>, Error> {
    let mut found = Vec::new();
    for (source, text) in texts.iter().enumerate() {
        let objects = objects(text.text.as_bytes())
            .map_err(|error| Error::Objects { path: text.path.to_owned(), error })?;
        found.extend(objects.into_iter().map(|object| (source, object)));
    }
    Ok(found)
}

/// The changes of one document.
struct Batch<'f> {
    source: usize,
    object: &'f Object,
    edits: Edits,
}

fn edit(
    texts: &[Text<'_>],
    found: &[(usize, Object)],
    additions: &[Addition],
) -> Result<Vec<String>, Error> {
    let mut batches: Vec<Batch<'_>> = Vec::new();
    for addition in additions {
        let Some((source, object)) = found.get(addition.object) else { continue };
        let same = |b: &Batch<'_>| b.source == *source && b.object.document == object.document;
        if !batches.last().is_some_and(same) {
            batches.push(Batch { source: *source, object, edits: Edits::new() });
        }
        if let Some(batch) = batches.last_mut() {
            let steps = object.steps.iter().chain(&addition.steps).cloned();
            batch.edits.set(steps, addition.value.as_str());
        }
    }
    let mut out: Vec<String> = Vec::with_capacity(texts.len());
    let mut batches = batches.into_iter().peekable();
    for (source, text) in texts.iter().enumerate() {
        let mut edited = String::with_capacity(text.text.len() + 256);
        let mut at = 0;
        while let Some(batch) = batches.next_if(|batch| batch.source == source) {
            let Range { start, end } = batch.object.document;
            edited.push_str(text.text.get(at..start).unwrap_or_default());
            edited.push_str(&apply(text.text.get(start..end).unwrap_or_default(), &batch)?);
            at = end;
        }
        edited.push_str(text.text.get(at..).unwrap_or_default());
        out.push(edited);
    }
    Ok(out)
}

fn apply(document: &str, batch: &Batch<'_>) -> Result<String, Error> {
    let edited = batch.edits.apply(document.as_bytes());
    let edited =
        edited.map_err(|error| Error::Edit { object: batch.object.identity.clone(), error })?;
    let mut edited = String::from_utf8_lossy(&edited).into_owned();
    // Written anew, a document may have lost the line break before the next separator, or got one.
    if document.ends_with('\n') && !edited.ends_with('\n') {
        edited.push('\n');
    }
    Ok(edited)
}
