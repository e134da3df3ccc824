//! Every rule is described.

use bowsprit_lint::{HELM_RULES, RULES};
use std::collections::BTreeSet;

const DOCS: &str = include_str!("../../../docs/lint-rules.md");

#[test]
fn every_rule_has_its_section() {
    for rule in RULES {
        let severity = match rule.severity.name() {
            "info" => "note",
            other => other,
        };
        let head =
            format!("## {}\n\n**{}** ({severity}): {}.\n", rule.code, rule.name, rule.summary);
        assert!(DOCS.contains(&head), "docs/lint-rules.md lacks:\n{head}");
    }
    assert_eq!(DOCS.matches("\n## BS").count(), RULES.len());
}

#[test]
fn codes_and_names_are_unique() {
    let all = || RULES.iter().chain(HELM_RULES);
    assert_eq!(all().map(|r| r.code).collect::<BTreeSet<_>>().len(), all().count());
    assert_eq!(all().map(|r| r.name).collect::<BTreeSet<_>>().len(), all().count());
}
