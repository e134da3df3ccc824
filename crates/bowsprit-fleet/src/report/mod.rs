//! One page that shows a fleet: clusters by releases, with versions, rings, drift, and what tells groups
//! apart.
//!
//! The page is a single file and needs no network: styles, script and data are in it.

use crate::target::Target;
use serde_json::{Value as Json, json};

const PAGE: &str = include_str!("page.html");

/// What stands in the page for its data.
const DATA: &str = "\"@DATA@\"";

/// What a page shows.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The fleet's name.
    pub name: String,
    /// When it was made, as a text.
    pub generated: String,
    /// The clusters, each with its ring.
    pub clusters: Vec<(Target, Option<String>)>,
    /// The releases.
    pub releases: Vec<ReportRelease>,
    /// Whether the live side was looked at.
    pub looked: bool,
}

/// A release on the page.
#[derive(Clone, Debug, Default)]
pub struct ReportRelease {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The chart's reference.
    pub chart: String,
    /// Clusters with the same objects.
    pub groups: Vec<ReportGroup>,
}

/// Clusters with the same objects.
#[derive(Clone, Debug, Default)]
pub struct ReportGroup {
    /// The chart's version.
    pub version: String,
    /// The version of the application.
    pub app_version: String,
    /// The layers of values, lowest first.
    pub layers: Vec<String>,
    /// The digest of the objects.
    pub digest: String,
    /// How many objects there are.
    pub objects: usize,
    /// The clusters: places in [`Report::clusters`].
    pub clusters: Vec<usize>,
    /// What tells it from the largest group, as text; empty for that group.
    pub difference: String,
    /// Why it could not be rendered.
    pub error: Option<String>,
    /// What differs on the live side, by cluster; absent clusters were not looked at.
    pub drift: Vec<(usize, String)>,
}

impl Report {
    /// The page.
    pub fn html(&self) -> String {
        // A `<` could end the script that holds the data.
        let data = self.data().to_string().replace('<', "\\u003c");
        let title = escape(&self.name);
        PAGE.replacen("@TITLE@", &title, 2).replacen(DATA, &data, 1)
    }

    fn data(&self) -> Json {
        let clusters: Vec<Json> = self
            .clusters
            .iter()
            .map(|(target, ring)| json!({"name": target.name, "labels": target.labels, "ring": ring}))
            .collect();
        let releases: Vec<Json> = self.releases.iter().map(ReportRelease::data).collect();
        json!({
            "name": self.name, "generated": self.generated, "clusters": clusters, "releases": releases,
            "looked": self.looked,
        })
    }
}

impl ReportRelease {
    fn data(&self) -> Json {
        let groups: Vec<Json> = self
            .groups
            .iter()
            .map(|group| {
                let drift: Vec<Json> =
                    group.drift.iter().map(|(at, text)| json!([at, text])).collect();
                json!({
                    "version": group.version, "appVersion": group.app_version, "layers": group.layers,
                    "digest": group.digest, "objects": group.objects, "clusters": group.clusters,
                    "difference": group.difference, "error": group.error, "drift": drift,
                })
            })
            .collect();
        json!({
            "name": self.name, "namespace": self.namespace, "chart": self.chart, "groups": groups,
        })
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_data_ends_the_script() {
        let report = Report {
            name: "</script><b>".to_owned(),
            clusters: vec![(Target::new("</script>", Default::default()), None)],
            ..Report::default()
        };
        let html = report.html();
        assert!(html.contains("<title>&lt;/script&gt;&lt;b&gt;"), "{html}");
        assert_eq!(html.matches("</script>").count(), 1);
        assert!(html.contains(r#""name":"\u003c/script>""#));
        assert!(!html.contains("@DATA@") && !html.contains("@TITLE@"));
        for outside in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!html.contains(outside), "{outside}");
        }
    }
}
