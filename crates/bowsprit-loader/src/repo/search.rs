//! `search repo`: charts of the repositories that have been added.

use super::index::{IndexError, IndexLimits, Ordered, Visitor, read_index_file};
use bowsprit_chart::{ChartVersion, LogLine};
use bowsprit_semver::{Constraint, Version};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// Of a match in a chart's line, the part decides in which it is; later parts than this do not count.
const WORST_SCORE: usize = 25;

/// Separates name, path, description and keywords in the line that is searched.
const SEPARATOR: char = '\u{b}';

/// Finds in the line of a chart where what is searched for begins.
pub type Matcher<'q> = Box<dyn Fn(&str) -> Option<usize> + 'q>;

/// A chart that was found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Found {
    /// `repository/chart`.
    pub name: String,
    /// The chart's version.
    pub version: String,
    /// The version of what the chart installs.
    pub app_version: String,
    /// One sentence.
    pub description: String,
    score: usize,
}

/// A search through indexes, which are read once and never kept as a whole.
pub struct Search<'q> {
    matcher: Option<Matcher<'q>>,
    range: Constraint,
    all_versions: bool,
    repository: String,
    /// What was found in the current repository.
    current: Vec<Found>,
    found: Vec<Found>,
}

impl fmt::Debug for Search<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Search { range, found, .. } = self;
        f.debug_struct("Search")
            .field("range", range)
            .field("found", &found.len())
            .finish_non_exhaustive()
    }
}

impl<'q> Search<'q> {
    /// A search for charts that match, in a range of versions. Without a matcher all charts do. Of each
    /// chart the best version is found, or all.
    ///
    /// # Errors
    ///
    /// For a range that is none, with Helm's words.
    pub fn new(
        matcher: Option<Matcher<'q>>,
        range: &str,
        all_versions: bool,
    ) -> Result<Search<'q>, String> {
        let range = Constraint::parse(range);
        let range = range.map_err(|e| format!("an invalid version/constraint format: {e}"))?;
        Ok(Search {
            matcher,
            range,
            all_versions,
            repository: String::new(),
            current: Vec::new(),
            found: Vec::new(),
        })
    }

    /// Searches the index of a repository.
    ///
    /// # Errors
    ///
    /// Where the index can't be read.
    pub fn add(
        &mut self,
        repository: &str,
        index: &Path,
        limits: &IndexLimits,
    ) -> Result<Vec<LogLine>, IndexError> {
        self.repository = repository.to_owned();
        self.current.clear();
        let read = read_index_file(index, limits, self)?;
        self.found.append(&mut self.current);
        Ok(read.warnings)
    }

    /// What was found: the best matches first, then by name, then the newest first.
    pub fn results(mut self) -> Vec<Found> {
        self.found.sort_by_cached_key(|found| {
            let version = Version::parse(&found.version).ok().map(Ordered);
            (found.score, found.name.clone(), std::cmp::Reverse(version))
        });
        if !self.all_versions {
            let mut best = BTreeMap::new();
            for (at, found) in self.found.iter().enumerate() {
                best.entry(found.name.clone()).or_insert(at);
            }
            let mut at = 0;
            self.found.retain(|found| {
                at += 1;
                best.get(&found.name) == Some(&(at - 1))
            });
        }
        self.found
    }
}

impl Visitor for Search<'_> {
    fn wants(&mut self, _: &str) -> bool {
        true
    }

    fn version(&mut self, chart: &str, version: ChartVersion) {
        let metadata = version.metadata;
        let fits = Version::parse(&metadata.version).is_ok_and(|v| self.range.check(&v));
        if !fits {
            return;
        }
        let score = match &self.matcher {
            None => 0,
            Some(matcher) => {
                let (name, repository) = (&metadata.name, &self.repository);
                let keywords = metadata.keywords.unwrap_or_default().join(" ");
                let line = format!(
                    "{name}{SEPARATOR}{repository}/{name}{SEPARATOR}{}{SEPARATOR}{keywords}",
                    metadata.description
                );
                let Some(at) = matcher(&line) else { return };
                score(at, &line)
            }
        };
        if score >= WORST_SCORE {
            return;
        }
        let found = Found {
            name: format!("{}/{chart}", self.repository),
            version: metadata.version,
            app_version: metadata.app_version,
            description: metadata.description,
            score,
        };
        // Of the versions of a chart, which come one after another, only the best so far is kept.
        let before = self.current.last_mut().filter(|last| last.name == found.name);
        match before.filter(|_| !self.all_versions) {
            Some(best) if is_better(&found, best) => *best = found,
            Some(_) => {}
            None => self.current.push(found),
        }
    }

    fn restart(&mut self) {
        self.current.clear();
    }
}

fn is_better(new: &Found, old: &Found) -> bool {
    let newer = || match (Version::parse(&new.version), Version::parse(&old.version)) {
        (Ok(new), Ok(old)) => new.greater_than(&old),
        _ => false,
    };
    new.score < old.score || new.score == old.score && newer()
}

/// The number of the part in which the match begins. Where lower case changed the length of the line,
/// the position may be past its end.
fn score(at: usize, line: &str) -> usize {
    let before = line.as_bytes().get(..at).unwrap_or(line.as_bytes());
    before.iter().filter(|byte| char::from(**byte) == SEPARATOR).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowsprit_chart::Metadata;

    fn add(search: &mut Search<'_>, chart: &str, version: &str, description: &str) {
        let metadata = Metadata {
            name: chart.into(),
            version: version.into(),
            description: description.into(),
            ..Metadata::default()
        };
        search.repository = "r".into();
        search.version(chart, ChartVersion { metadata, ..ChartVersion::default() });
    }

    fn names(mut search: Search<'_>) -> Vec<String> {
        search.found = std::mem::take(&mut search.current);
        search.results().iter().map(|found| format!("{} {}", found.name, found.version)).collect()
    }

    #[test]
    fn the_best_match_comes_first() {
        let word = |line: &str| line.find("web");
        for all in [false, true] {
            let mut search = Search::new(Some(Box::new(word)), ">0.0.0", all).unwrap();
            add(&mut search, "b", "1.0.0", "for the web");
            add(&mut search, "b", "2.0.0", "for nothing");
            add(&mut search, "web", "1.0.0", "");
            add(&mut search, "web", "3.0.0-rc", "");
            add(&mut search, "web", "2.0.0", "");
            let want: &[_] = match all {
                false => &["r/web 2.0.0", "r/b 1.0.0"],
                true => &["r/web 2.0.0", "r/web 1.0.0", "r/b 1.0.0"],
            };
            assert_eq!(names(search), want);
        }
        let error = Search::new(None, "bad", false).unwrap_err();
        assert_eq!(error, "an invalid version/constraint format: improper constraint: \"bad\"");
    }
}
