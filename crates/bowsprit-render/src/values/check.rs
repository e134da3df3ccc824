//! Checking a plan's values against the schemas of its charts.

use super::schema::CompiledSchema;
use super::{ValuesError, ValuesErrorKind};
use crate::plan::Plan;
use bowsprit_chart::{Chart, Level, LogLine};
use bowsprit_value::Value;
use std::fmt::Write;
use std::sync::Arc;

/// Compiles the schema of a chart, or brings what was compiled before.
pub type CompileSchema<'a> =
    &'a mut dyn FnMut(&Arc<Chart>, &[u8]) -> Result<Arc<CompiledSchema>, ValuesError>;

/// Validates the values of all instances that have a schema: Helm's `ValidateAgainstSchema`.
///
/// Subcharts are judged by their table among the values of the root; those without one are skipped.
/// What Helm logs is added to `log`.
///
/// # Errors
///
/// Names each chart whose values are wrong, and what is wrong with them, with Helm's text.
pub fn validate_plan(
    plan: &Plan,
    compile: CompileSchema<'_>,
    log: &mut Vec<LogLine>,
) -> Result<(), ValuesError> {
    let mut text = String::new();
    let mut kind = ValuesErrorKind::Schema;
    let mut pending = vec![(0, plan.values.clone(), Vec::new())];
    let (mut warned, mut findings, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    while let Some((index, values, path)) = pending.pop() {
        let Some(instance) = plan.instances.get(index) else { continue };
        if let Some(schema) = &instance.chart.schema {
            let outcome = compile(&instance.chart, schema.as_bytes()).and_then(|schema| {
                warn_of_urns(schema.unresolved_urns(), &mut warned, log);
                schema.validate(&values)
            });
            if let Err(error) = outcome {
                let _ = write!(text, "{}:\n{error}", instance.name);
                let name = format!("{}/values.schema.json", instance.name);
                labels.extend(error.clone().in_source(&name).diagnostic().labels);
                for finding in error.findings() {
                    let mut finding = finding.clone();
                    finding.path.splice(0..0, path.iter().cloned());
                    findings.push(finding);
                }
                if error.kind() != ValuesErrorKind::Schema {
                    kind = error.kind();
                }
            }
        }
        for &child in instance.children.iter().rev() {
            let name = plan.instances.get(child).map(|child| &child.name);
            let Some(name) = name else { continue };
            if let Some(Value::Map(below)) = values.get(name.as_bytes()) {
                let mut path = path.clone();
                path.push(name.to_string());
                pending.push((child, below, path));
            }
        }
    }
    if text.is_empty() {
        return Ok(());
    }
    text.insert_str(
        0,
        "values don't meet the specifications of the schema(s) in the following chart(s):\n",
    );
    let error = ValuesError::new(kind, text).with_findings(findings);
    Err(labels.into_iter().fold(error, ValuesError::at))
}

fn warn_of_urns(urns: &[String], warned: &mut Vec<String>, log: &mut Vec<LogLine>) {
    for urn in urns {
        if warned.contains(urn) {
            continue;
        }
        warned.push(urn.clone());
        log.push(LogLine {
            level: Level::Warn,
            message: "unresolved URN reference ignored; using permissive schema".to_owned(),
            attrs: vec![("urn", urn.clone())],
        });
    }
}
