//! Which lines of templates tests made print.

use bowsprit_render::CompiledChart;
use bowsprit_template::{Observer, Site, Unit};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Counts how often each line of a template printed something.
///
/// Lines of control structures alone, such as `{{- if .Values.on }}`, print nothing and are not counted; what
/// they guard is.
#[derive(Debug, Default)]
pub struct Coverage {
    units: BTreeMap<usize, Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    /// Where lines begin.
    starts: Vec<usize>,
    hits: BTreeMap<u32, u64>,
}

/// What share of the lines was covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Covered {
    pub lines: usize,
    pub hit: usize,
}

/// Units are told apart by where they lie; those of a compiled chart stay there.
fn address(unit: &Unit) -> usize {
    std::ptr::from_ref(unit).addr()
}

impl Lines {
    fn of(unit: &Unit) -> Lines {
        let breaks = unit.source().iter().enumerate().filter(|(_, b)| **b == b'\n');
        let starts = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        Lines { starts, hits: BTreeMap::new() }
    }

    fn line(&self, offset: usize) -> u32 {
        let line = self.starts.partition_point(|start| *start <= offset);
        u32::try_from(line).unwrap_or(u32::MAX)
    }
}

impl Observer for Coverage {
    fn wrote(&mut self, _: usize, _: usize, site: Site<'_>) {
        let lines = self.units.entry(address(site.unit)).or_insert_with(|| Lines::of(site.unit));
        let first = lines.line(site.start);
        // An action counts where it begins, a text on each of its lines.
        let text = site.unit.source().get(site.start..site.end).unwrap_or_default();
        let last = match lines.line(site.end.saturating_sub(1)) {
            last if text.is_empty() => last.min(first),
            last => last,
        };
        for line in first..=last.max(first) {
            *lines.hits.entry(line).or_insert(0) += 1;
        }
    }
}

impl Coverage {
    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: Coverage) {
        for (unit, lines) in other.units {
            match self.units.get_mut(&unit) {
                None => {
                    self.units.insert(unit, lines);
                }
                Some(own) => {
                    for (line, hits) in lines.hits {
                        *own.hits.entry(line).or_insert(0) += hits;
                    }
                }
            }
        }
    }

    /// Appends the coverage of a chart in LCOV's format, all its templates with lines that can print anything;
    /// `file` says where a template lies, and leaves out those that it gives nothing for.
    pub fn lcov(
        &self,
        chart: &CompiledChart,
        file: impl Fn(&str) -> Option<String>,
        out: &mut String,
    ) -> Covered {
        let mut covered = Covered::default();
        let mut units = chart.units();
        units.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (name, unit) in units {
            let printing = unit.printing_lines();
            let Some(file) = file(&name).filter(|_| !printing.is_empty()) else { continue };
            let hits = self.units.get(&address(&unit)).map(|lines| &lines.hits);
            let count = |line: &u32| hits.and_then(|hits| hits.get(line)).copied().unwrap_or(0);
            let _ = writeln!(out, "TN:\nSF:{file}");
            for line in &printing {
                let _ = writeln!(out, "DA:{line},{}", count(line));
            }
            let hit = printing.iter().filter(|line| count(line) > 0).count();
            let _ = writeln!(out, "LF:{}\nLH:{hit}\nend_of_record", printing.len());
            covered.lines += printing.len();
            covered.hit += hit;
        }
        covered
    }
}
