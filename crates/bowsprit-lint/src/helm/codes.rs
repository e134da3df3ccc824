//! Codes for Helm's rules, which have none of their own.

use bowsprit_report::{Rule, Severity};

const fn rule(
    code: &'static str,
    name: &'static str,
    severity: Severity,
    summary: &'static str,
) -> Rule {
    Rule { code, name, summary, severity }
}

/// Helm's rules, by the codes that reports give them.
pub static HELM_RULES: &[Rule] = &[
    rule("HL001", "chart-yaml-file", Severity::Error, "Chart.yaml is there and is a file"),
    rule("HL002", "chart-yaml", Severity::Error, "Chart.yaml can be read"),
    rule(
        "HL003",
        "chart-yaml-strict",
        Severity::Warning,
        "Chart.yaml has no unknown keys and none twice",
    ),
    rule("HL004", "chart-name", Severity::Error, "the chart has a name that is no path"),
    rule("HL005", "chart-api-version", Severity::Error, "apiVersion is v1 or v2"),
    rule("HL006", "version-type", Severity::Error, "version is a string"),
    rule("HL007", "version", Severity::Error, "version is a version above 0.0.0-0"),
    rule("HL008", "app-version-type", Severity::Error, "appVersion is a string"),
    rule(
        "HL009",
        "maintainers",
        Severity::Error,
        "maintainers have names, and their addresses and URLs are some",
    ),
    rule("HL010", "sources", Severity::Error, "sources are URLs"),
    rule("HL011", "icon", Severity::Info, "the chart has an icon"),
    rule("HL012", "icon-url", Severity::Error, "the icon is a URL"),
    rule("HL013", "chart-type", Severity::Error, "only v2 charts have a type"),
    rule(
        "HL014",
        "v1-dependencies",
        Severity::Error,
        "only v2 charts have dependencies in Chart.yaml",
    ),
    rule("HL015", "version-strict", Severity::Warning, "version is a strict semantic version"),
    rule("HL020", "values-file", Severity::Info, "there is a values.yaml"),
    rule("HL021", "values", Severity::Error, "values.yaml can be read"),
    rule("HL022", "values-schema", Severity::Error, "the values fit values.schema.json"),
    rule("HL030", "templates", Severity::Warning, "there is a folder templates"),
    rule("HL031", "templates-folder", Severity::Error, "templates is a folder"),
    rule("HL032", "load", Severity::Error, "the chart loads"),
    rule(
        "HL033",
        "schemas",
        Severity::Error,
        "the values fit the schemas of the chart and its subcharts",
    ),
    rule("HL034", "render", Severity::Error, "the templates render"),
    rule("HL035", "extension", Severity::Error, "templates end in .yaml, .yml, .tpl or .txt"),
    rule("HL036", "indent", Severity::Warning, "rendered text does not start indented"),
    rule("HL037", "yaml", Severity::Error, "rendered text is YAML"),
    rule("HL038", "object-name", Severity::Warning, "objects have names that Kubernetes takes"),
    rule("HL039", "deprecated-api", Severity::Warning, "no object is of a deprecated API version"),
    rule("HL040", "selector", Severity::Error, "workloads have a selector"),
    rule("HL041", "list-policy", Severity::Error, "no item of a List has a resource policy"),
    rule("HL050", "dependencies-load", Severity::Error, "the chart loads"),
    rule(
        "HL051",
        "dependency-listed",
        Severity::Error,
        "charts in charts/ are listed as dependencies",
    ),
    rule("HL052", "dependency-unique", Severity::Error, "dependencies have different names"),
    rule("HL053", "dependency-there", Severity::Warning, "the listed dependencies are in charts/"),
    rule("HL060", "crds-folder", Severity::Error, "crds is a folder"),
    rule("HL061", "crd-yaml", Severity::Error, "the files in crds/ are YAML"),
    rule(
        "HL062",
        "crd-api-version",
        Severity::Error,
        "objects in crds/ are of apiextensions.k8s.io",
    ),
    rule("HL063", "crd-kind", Severity::Error, "objects in crds/ are custom resource definitions"),
];
