//! Versions that were not raised since a git reference.

use crate::helm::Linter;
use bowsprit_chart::{Chart, Metadata};
use bowsprit_semver::Version;
use std::sync::Arc;

/// What a chart was at a git reference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Since {
    /// The reference, as the user writes it.
    pub reference: String,
    /// Its `Chart.yaml` then; none for a chart that was not there.
    pub chart_yaml: Option<Vec<u8>>,
    /// The files of the chart that have changed, from the chart's root.
    pub changed: Vec<String>,
}

pub(super) fn check(linter: &mut Linter<'_>, chart: &Arc<Chart>) {
    let Some(since) = linter.source.since.as_ref() else { return };
    let Some(then) = &since.chart_yaml else { return };
    let Some(example) = since.changed.first() else { return };
    let Ok(then) = Metadata::parse(then) else { return };
    // A chart of another name is another chart.
    if then.name != chart.metadata.name {
        return;
    }
    let (old, new) = (then.version.as_str(), chart.metadata.version.as_str());
    let raised = match (Version::parse(old), Version::parse(new)) {
        (Ok(old), Ok(new)) => new.greater_than(&old),
        _ => old != new,
    };
    if raised {
        return;
    }
    let count = since.changed.len();
    let files = match count {
        1 => example.clone(),
        _ => format!("{example} and {} more", count - 1),
    };
    let reference = &since.reference;
    let text = match old == new {
        true => format!("{files} changed since {reference}, but the version is still {new}"),
        false => format!("the version went down from {old} at {reference} to {new}"),
    };
    let line = linter.source.chart_yaml.bytes().and_then(version_line);
    let message = linter.own("BS008", "Chart.yaml", text);
    message.line = line;
    message.help = Some(format!("raise it above {old}"));
}

fn version_line(text: &[u8]) -> Option<u32> {
    let lines = text.split(|b| *b == b'\n');
    let at = lines.into_iter().position(|line| line.starts_with(b"version:"))?;
    u32::try_from(at + 1).ok()
}
