//! Hooks: objects that run at a moment of the release instead of belonging to it.

use crate::head::Head;
use std::sync::Arc;

const HOOK: &str = "helm.sh/hook";
const WEIGHT: &str = "helm.sh/hook-weight";
const DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
const LOG_POLICY: &str = "helm.sh/hook-output-log-policy";

/// When a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum HookEvent {
    PreInstall,
    PostInstall,
    PreDelete,
    PostDelete,
    PreUpgrade,
    PostUpgrade,
    PreRollback,
    PostRollback,
    Test,
}

impl HookEvent {
    /// Helm's name of the event.
    pub const fn name(self) -> &'static str {
        match self {
            HookEvent::PreInstall => "pre-install",
            HookEvent::PostInstall => "post-install",
            HookEvent::PreDelete => "pre-delete",
            HookEvent::PostDelete => "post-delete",
            HookEvent::PreUpgrade => "pre-upgrade",
            HookEvent::PostUpgrade => "post-upgrade",
            HookEvent::PreRollback => "pre-rollback",
            HookEvent::PostRollback => "post-rollback",
            HookEvent::Test => "test",
        }
    }

    fn parse(name: &str) -> Option<HookEvent> {
        const ALL: [HookEvent; 9] = [
            HookEvent::PreInstall,
            HookEvent::PostInstall,
            HookEvent::PreDelete,
            HookEvent::PostDelete,
            HookEvent::PreUpgrade,
            HookEvent::PostUpgrade,
            HookEvent::PreRollback,
            HookEvent::PostRollback,
            HookEvent::Test,
        ];
        let name = name.trim().to_lowercase();
        // Helm 2's name of the event.
        let name = if name == "test-success" { "test" } else { name.as_str() };
        ALL.into_iter().find(|event| event.name() == name)
    }
}

/// An object with a `helm.sh/hook` annotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// `metadata.name`.
    pub name: String,
    /// `kind`.
    pub kind: String,
    /// The template that it comes from, as in `# Source:`.
    pub path: Arc<str>,
    /// The document's text.
    pub manifest: String,
    /// When it runs.
    pub events: Vec<HookEvent>,
    /// `helm.sh/hook-weight`; 0 where absent or no number.
    pub weight: i64,
    /// `helm.sh/hook-delete-policy`, lower-cased.
    pub delete_policies: Vec<String>,
    /// `helm.sh/hook-output-log-policy`, lower-cased.
    pub output_log_policies: Vec<String>,
    /// `apiVersion`.
    pub api_version: String,
}

/// What an object's annotations make of it.
pub(crate) enum Role {
    Plain,
    Hook(Box<Hook>),
    /// An event that Helm doesn't know: the object vanishes. Holds the annotation's text.
    Unknown(String),
}

/// Decides whether an object is a hook.
pub(crate) fn role(head: &Head, path: &Arc<str>, manifest: &str) -> Role {
    let Some(events) = head.annotation(HOOK) else { return Role::Plain };
    let Some(parsed) = events.split(',').map(HookEvent::parse).collect() else {
        return Role::Unknown(events.to_owned());
    };
    Role::Hook(Box::new(Hook {
        name: head.name.clone(),
        kind: head.kind.clone(),
        api_version: head.api_version.clone(),
        path: Arc::clone(path),
        manifest: manifest.to_owned(),
        events: parsed,
        weight: head.annotation(WEIGHT).and_then(atoi).unwrap_or(0),
        delete_policies: policies(head, DELETE_POLICY),
        output_log_policies: policies(head, LOG_POLICY),
    }))
}

fn policies(head: &Head, annotation: &str) -> Vec<String> {
    let Some(list) = head.annotation(annotation) else { return Vec::new() };
    list.split(',').map(|policy| policy.trim().to_lowercase()).collect()
}

/// Go's `strconv.Atoi`: an optional sign and decimal digits, nothing else.
fn atoi(text: &str) -> Option<i64> {
    text.parse().ok()
}
