//! Reports of Kyverno's own tool as findings.
//!
//! `kyverno apply --policy-report` prints objects of kind `ClusterPolicyReport` or `PolicyReport`, newer
//! versions `ClusterReport` or `Report`. Their results are taken over as they are: what a policy means is
//! Kyverno's business.

use crate::document::documents;
use bowsprit_report::{Finding, Severity};
use bowsprit_yaml::{Document, Node};

/// The kinds of reports.
const KINDS: &[&str] = &["ClusterPolicyReport", "PolicyReport", "ClusterReport", "Report"];

/// The findings in a text that Kyverno printed, which may hold other lines before the report.
///
/// ```
/// let text = b"Applying 1 policy rule\n---\nkind: ClusterPolicyReport\nresults:\n- policy: tags\n  \
///     rule: no-latest\n  result: fail\n  message: no latest\n  \
///     resources: [{kind: Pod, name: a, namespace: b}]\n";
/// let findings = bowsprit_validate::kyverno::findings(text)?;
/// assert_eq!(findings[0].rule, "kyverno/tags/no-latest");
/// assert_eq!(findings[0].object.as_deref(), Some("Pod/b/a"));
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
///
/// For text without a report.
pub fn findings(text: &[u8]) -> Result<Vec<Finding>, String> {
    let mut found = Vec::new();
    let mut reports = 0;
    for (_, document) in documents(text) {
        let Ok(document) = Document::parse(document) else { continue };
        let root = document.root();
        let items: Vec<Node<'_>> = match root.get(b"items") {
            Some(items) => items.items().collect(),
            None => vec![root],
        };
        for report in items {
            if !KINDS.contains(&text_of(report, b"kind").as_str()) {
                continue;
            }
            reports += 1;
            let results = report.get(b"results").into_iter().flat_map(|results| results.items());
            results.for_each(|result| of_result(result, &mut found));
        }
    }
    if reports == 0 {
        return Err(format!("no report of one of the kinds {}", KINDS.join(", ")));
    }
    Ok(found)
}

fn of_result(result: Node<'_>, found: &mut Vec<Finding>) {
    let severity = match text_of(result, b"result").as_str() {
        "fail" | "error" => Severity::Error,
        "warn" => Severity::Warning,
        _ => return,
    };
    let (policy, rule) = (text_of(result, b"policy"), text_of(result, b"rule"));
    let name = ["kyverno", &policy, &rule];
    let name: Vec<&str> = name.into_iter().filter(|part| !part.is_empty()).collect();
    let finding = Finding::new(name.join("/"), severity, text_of(result, b"message"));
    let resources: Vec<String> = result
        .get(b"resources")
        .or_else(|| result.get(b"subjects"))
        .into_iter()
        .flat_map(|resources| resources.items())
        .map(|resource| {
            let parts = [b"kind".as_slice(), b"namespace", b"name"].map(|k| text_of(resource, k));
            let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            parts.join("/")
        })
        .collect();
    if resources.is_empty() {
        found.push(finding);
        return;
    }
    found.extend(resources.into_iter().map(|resource| finding.clone().about(resource)));
}

fn text_of(node: Node<'_>, key: &[u8]) -> String {
    let text = node.get(key).and_then(|node| node.as_string_target());
    text.map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
}
