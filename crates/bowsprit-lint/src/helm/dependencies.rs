//! Subcharts that are there, and those that are asked for.

use super::Linter;
use bowsprit_chart::Chart;

impl Linter<'_> {
    pub(super) fn dependencies(&mut self) {
        let chart = match self.load() {
            Ok(chart) => chart,
            Err(error) => {
                return self.error("HL050", "", format!("unable to load chart\n\t{error}"));
            }
        };
        let dir = self.source.dir.clone();
        if let Some(text) = not_in_metadata(&chart) {
            self.error("HL051", &dir, text);
        }
        if let Some(text) = not_unique(&chart) {
            self.error("HL052", &dir, text);
        }
        if let Some(text) = not_there(&chart) {
            self.warn("HL053", &dir, text);
        }
    }
}

fn listed(before: &str, names: &[&str]) -> Option<String> {
    (!names.is_empty()).then(|| format!("{before}: {}", names.join(",")))
}

fn not_in_metadata(chart: &Chart) -> Option<String> {
    let asked = |name: &str| chart.metadata.dependencies().any(|d| d.name == name);
    let there = chart.dependencies.iter().map(|sub| sub.metadata.name.as_str());
    let missing: Vec<&str> = there.filter(|name| !asked(name)).collect();
    listed("chart metadata is missing these dependencies", &missing)
}

fn not_unique(chart: &Chart) -> Option<String> {
    let keys: Vec<&str> = chart.metadata.dependencies().map(|d| d.key()).collect();
    let again = keys.iter().enumerate();
    let again = again.filter(|(i, key)| keys.iter().take(*i).any(|before| before == *key));
    let again: Vec<&str> = again.map(|(_, key)| *key).collect();
    listed("multiple dependencies with name or alias", &again)
}

fn not_there(chart: &Chart) -> Option<String> {
    let there = |name: &str| chart.dependencies.iter().any(|sub| sub.metadata.name == name);
    let asked = chart.metadata.dependencies().map(|d| d.name.as_str());
    let missing: Vec<&str> = asked.filter(|name| !there(name)).collect();
    listed("chart directory is missing these dependencies", &missing)
}
