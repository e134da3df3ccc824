//! What a HelmRelease waits for.

use crate::access::map_at;
use crate::error::{Failure, Reason};
use crate::inventory::Inventory;
use crate::release::HelmRelease;
use bowsprit_value::{Map, Value};
use std::fmt;

/// Evaluates the expressions in CEL by which a HelmRelease decides whether what it depends on is ready:
/// `spec.dependsOn[].readyExpr`. This crate brings no CEL along; the facade's feature `policies` does.
pub trait Readiness: fmt::Debug + Send + Sync {
    /// Evaluates an expression.
    fn judge(&self, question: &Question<'_>) -> Verdict;
}

/// Whether a dependency is ready.
#[derive(Debug)]
pub struct Question<'q> {
    /// The expression.
    pub expression: &'q str,
    /// The HelmRelease, which is called `self`.
    pub this: &'q Map,
    /// What it depends on, which is called `dep`.
    pub dependency: &'q Map,
    /// Whether the dependency's status was not read but is what any release has that was installed: the
    /// conditions and the generation that was observed. Nothing else of it is known then.
    pub assumed: bool,
}

/// What an expression says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The dependency is ready.
    Ready,
    /// It is not, and will not be before the objects change.
    NotReady,
    /// The expression fails on these objects, as it would on a cluster.
    Failed(String),
    /// It is no expression, or not one whose value is true or false; Flux gives up.
    Invalid(String),
    /// It can't be told without a cluster, and why.
    Unknown(String),
}

/// Checks what a HelmRelease depends on; gives warnings for what is not known.
pub(crate) fn check(
    release: &HelmRelease,
    inventory: &Inventory,
    readiness: Option<&dyn Readiness>,
) -> Result<Vec<String>, Failure> {
    let mut warnings = Vec::new();
    for key in &release.depends_on {
        if inventory.get(key).is_none() {
            warnings.push(format!("depends on {key}, which is not among the objects read"));
        }
    }
    for (key, expression) in &release.ready_expressions {
        let Some(dependency) = inventory.get(key) else { continue };
        let verdict = match readiness {
            Some(readiness) => {
                let assumed = !dependency.contains(b"status");
                let dependency = if assumed { installed(dependency) } else { begun(dependency) };
                let this = begun(&release.object);
                readiness.judge(&Question {
                    expression,
                    this: &this,
                    dependency: &dependency,
                    assumed,
                })
            }
            None => Verdict::Unknown("expressions are not evaluated".to_owned()),
        };
        let name = format!("{}/{}", key.namespace, key.name);
        let not_ready = |message| Err(Failure::new(Reason::DependencyNotReady, message));
        match verdict {
            Verdict::Ready => {}
            Verdict::NotReady => {
                return not_ready(format!(
                    "dependency '{name}' is not ready according to readyExpr eval"
                ));
            }
            Verdict::Failed(why) => {
                return not_ready(format!(
                    "failed to evaluate the CEL expression '{expression}': {why}"
                ));
            }
            Verdict::Invalid(why) => {
                let message = format!(
                    "Reconciliation failed terminally due to configuration error: terminal error: failed to \
                     evaluate dependency {}: {why}",
                    key.name
                );
                return Err(Failure::new(Reason::InvalidCelExpression, message));
            }
            Verdict::Unknown(why) => warnings.push(format!(
                "whether {key} is ready can't be told here ({why}); Flux waits for `{}`",
                expression.trim()
            )),
        }
    }
    Ok(warnings)
}

/// An object as a server has it that has just taken it up.
fn begun(object: &Map) -> Map {
    let object = object.fork();
    let metadata = map_at(&object, &["metadata"]);
    if !metadata.contains(b"generation") {
        metadata.insert("generation".into(), Value::Float(1.0));
        object.insert("metadata".into(), metadata.into());
    }
    object
}

/// What helm-controller writes down of a release that it has installed, as far as that is always the same.
const INSTALLED: &str = "\
conditions:
- {type: Ready, status: 'True', reason: InstallSucceeded}
- {type: Released, status: 'True', reason: InstallSucceeded}
";

/// A HelmRelease once Flux has installed it.
fn installed(object: &Map) -> Map {
    let object = begun(object);
    let status = bowsprit_yaml::decode(INSTALLED.as_bytes()).unwrap_or_default();
    if let Value::Map(status) = status {
        let generation = map_at(&object, &["metadata"]).get(b"generation").unwrap_or_default();
        status.insert("observedGeneration".into(), generation);
        object.insert("status".into(), status.into());
    }
    object
}
