//! The codes of what is found.

use bowsprit_report::{Rule, Severity};

const fn rule(
    code: &'static str,
    name: &'static str,
    severity: Severity,
    summary: &'static str,
) -> Rule {
    Rule { code, name, summary, severity }
}

/// What objects are checked for.
pub static RULES: &[Rule] = &[
    rule("K8S001", "known-kind", Severity::Error, "the kind is served at the API version"),
    rule("K8S002", "known-field", Severity::Error, "every field is known"),
    rule("K8S003", "type", Severity::Error, "every value is of its field's type"),
    rule("K8S004", "required-field", Severity::Error, "every required field is there"),
    rule("K8S005", "value", Severity::Error, "every value is one that its field can have"),
    rule(
        "K8S006",
        "object",
        Severity::Error,
        "every document is an object: YAML, apiVersion, kind",
    ),
    rule("K8S007", "metadata", Severity::Error, "names, labels and annotations are well formed"),
    rule("K8S008", "removed-api", Severity::Error, "the API version is still served"),
    rule("K8S009", "deprecated-api", Severity::Warning, "the API version is not deprecated"),
    rule("K8S010", "unique-key", Severity::Error, "no key occurs twice in a table"),
    rule("K8S011", "unique-object", Severity::Error, "no object occurs twice"),
    rule("K8S012", "policy", Severity::Error, "no admission policy denies the object"),
    rule("K8S013", "policy-unclear", Severity::Warning, "every admission policy can be evaluated"),
];
