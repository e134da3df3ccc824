//! Hooks that can't work in a WDS, which stores objects and runs nothing.

use super::labels::objects;
use crate::helm::Linter;
use bowsprit_chart::Chart;
use bowsprit_render::RenderedFiles;

/// Kinds whose hooks Helm waits for until they have run.
const RUNNING: &[&str] = &["Job", "Pod"];

pub(super) fn check(linter: &mut Linter<'_>, chart: &Chart, files: &RenderedFiles) {
    for object in objects(chart, files) {
        let Some(events) = object.annotation("helm.sh/hook") else { continue };
        // Tests run only when somebody asks for them.
        let events: Vec<&str> =
            events.split(',').map(str::trim).filter(|e| !e.starts_with("test")).collect();
        if events.is_empty() || !RUNNING.contains(&object.kind.as_str()) {
            continue;
        }
        let text = format!(
            "the hook {} waits for a {} to end, and a WDS runs none: {} would never end",
            object.id(),
            object.kind,
            events.join(", ")
        );
        let message = linter.own("BS007", &object.label, text);
        message.object = Some(object.id());
        message.help = Some(
            "make it a plain object that runs where it is placed, or use --no-hooks".to_owned(),
        );
    }
}
