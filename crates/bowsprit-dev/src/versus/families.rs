//! Families of synthetic charts that grow, and what they cost at each size.

use std::path::{Path, PathBuf};

use super::process::Runner;
use super::stats::{exponent, least};
use super::{Programs, progress};

/// A kind of `gen_charts.py`, which of its two sizes grows, and from what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family {
    pub(super) kind: &'static str,
    /// What there is more of from size to size.
    pub(super) unit: &'static str,
    n: u32,
    m: u32,
    grows: Grows,
    steps: u32,
}

#[derive(Debug, Clone, Copy)]
enum Grows {
    /// N doubles.
    N,
    /// M doubles.
    M,
    /// N counts the levels of a tree in which every chart has M children.
    Levels,
}

const fn doubling(kind: &'static str, unit: &'static str, n: u32, m: u32, steps: u32) -> Family {
    Family { kind, unit, n, m, grows: Grows::N, steps }
}

const FAMILIES: &[Family] = &[
    doubling("aliases", "aliases", 40, 1, 5),
    doubling("append_loop", "calls", 2000, 1, 5),
    doubling("big_values", "subcharts", 20, 1000, 5),
    doubling("concat_loop", "calls", 2000, 1, 5),
    doubling("deep_values", "levels", 10, 1000, 4),
    doubling("files_get", "files", 400, 1, 5),
    doubling("files_glob", "files", 100, 20, 5),
    doubling("from_yaml", LINES, 1000, 10, 5),
    doubling("globals", "subcharts", 20, 1000, 5),
    doubling("import_values", "subcharts", 20, 50, 5),
    doubling("include_count", "calls", 4000, 1, 5),
    doubling("include_depth", "levels", 50, 20, 4),
    doubling("many_docs", "documents", 1000, 1, 5),
    doubling("many_templates", "templates", 500, 1, 5),
    doubling("merge_loop", LINES, 1000, 10, 5),
    doubling("nested", "levels", 20, 1, 4),
    doubling("range_list", "items", 2000, 1, 5),
    doubling("regex_loop", "calls", 4000, 1, 5),
    doubling("schema", "subcharts", 20, 100, 5),
    doubling("to_yaml", LINES, 1000, 10, 5),
    doubling("tpl_defines", "calls", 500, 500, 5),
    doubling("tpl_grid", "templates", 50, 10, 5),
    Family { kind: "tpl_nested", unit: "calls", n: 8, m: 50, grows: Grows::M, steps: 5 },
    doubling("tpl_plain", "templates", 50, 10, 5),
    doubling("tpl_umbrella", "subcharts", 25, 10, 5),
    Family { kind: "tree", unit: "charts", n: 3, m: 3, grows: Grows::Levels, steps: 4 },
    doubling("umbrella", "subcharts", 25, 1, 5),
];

/// The umbrella of a real chart.
const UMBRELLA_OF: Family = doubling("umbrella", "subcharts", 25, 1, 4);

/// What values grow by: `gen_charts.py` nests them deeper as their leaves get more, so that leaves don't
/// tell how much there is.
const LINES: &str = "lines of values";

/// Lines of a chart's `values.yaml`.
fn values_lines(chart: &Path) -> f64 {
    let text = std::fs::read_to_string(chart.join("values.yaml")).unwrap_or_default();
    text.lines().count() as f64
}

impl Family {
    /// N, M and the amount of work at a step.
    fn size(&self, step: u32) -> (u32, u32, f64) {
        match self.grows {
            Grows::N => (self.n << step, self.m, f64::from(self.n << step)),
            Grows::M => (self.n, self.m << step, f64::from(self.m << step)),
            Grows::Levels => {
                let levels = self.n + step;
                let charts = (self.m.pow(levels) - 1) / (self.m - 1);
                (levels, self.m, f64::from(charts))
            }
        }
    }
}

/// The least CPU time in milliseconds at one size. Helm's is missing where it took too long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub(super) size: f64,
    pub(super) helm: Option<f64>,
    pub(super) ours: f64,
    /// Millions of instructions, where they are counted.
    instructions: Option<f64>,
}

#[derive(Debug)]
pub(super) struct Growth {
    pub(super) name: String,
    pub(super) unit: &'static str,
    pub(super) points: Vec<Point>,
    pub(super) helm_exponent: Option<f64>,
    pub(super) our_exponent: Option<f64>,
    /// That of instructions.
    pub(super) counted_exponent: Option<f64>,
    /// A size at which a side gave up, and what it said.
    pub(super) refused: Option<(f64, String)>,
}

#[derive(Debug)]
pub(super) struct Families<'a> {
    pub(super) runner: &'a Runner,
    pub(super) programs: &'a Programs,
    /// The folder with `gen_charts.py`.
    pub(super) bench: &'a Path,
    pub(super) rounds: usize,
    /// Whether instructions are counted, too.
    pub(super) counted: bool,
    /// Which families; none stands for all.
    pub(super) only: &'a [String],
}

/// A size at which Helm used more milliseconds than this is its last.
const ENOUGH: f64 = 1000.0;
const ENOUGH_UMBRELLA: f64 = 12_000.0;
/// Above this, one run says enough.
const LONG: f64 = 1500.0;

impl Families<'_> {
    /// Measures all families, then umbrellas of `base` if there is one.
    pub(super) fn run(&self, base: Option<&Path>) -> Result<Vec<Growth>, String> {
        let floor = self.floor()?;
        let wanted = |name: &str| self.only.is_empty() || self.only.iter().any(|o| o == name);
        let mut growths = Vec::new();
        for family in FAMILIES.iter().filter(|family| wanted(family.kind)) {
            progress(family.kind);
            growths.push(self.growth(family, None, floor, ENOUGH)?);
        }
        if let Some(base) = base.filter(|_| wanted("umbrella-of")) {
            progress("umbrella of a real chart");
            growths.push(self.growth(&UMBRELLA_OF, Some(base), floor, ENOUGH_UMBRELLA)?);
        }
        Ok(growths)
    }

    /// What the chart `trivial` costs each side: the cost of a process.
    fn floor(&self) -> Result<Point, String> {
        let chart = self.generate("trivial", 1, 1, None)?;
        self.point(&chart, 0.0, true, self.rounds.max(5))
    }

    fn growth(
        &self,
        family: &Family,
        base: Option<&Path>,
        floor: Point,
        enough: f64,
    ) -> Result<Growth, String> {
        let mut points: Vec<Point> = Vec::new();
        let mut refused = None;
        for step in 0..family.steps {
            let (n, m, size) = family.size(step);
            let last = points.last().map_or(Some(0.0), |point| point.helm);
            let with_helm = last.is_some_and(|cost| cost < enough);
            let rounds = if last.is_some_and(|cost| cost > LONG) { 1 } else { self.rounds };
            let chart = self.generate(family.kind, n, m, base)?;
            let size = if family.unit == LINES { values_lines(&chart) } else { size };
            match self.point(&chart, size, with_helm, rounds) {
                Ok(point) => points.push(point),
                Err(why) => {
                    refused = Some((size, why));
                    break;
                }
            }
        }
        let slope = |of: fn(&Point) -> Option<f64>| {
            let above = |p: &Point| Some((p.size, of(p)? - of(&floor)?));
            exponent(&points.iter().filter_map(above).collect::<Vec<_>>())
        };
        let name = base.and_then(Path::file_name).map_or_else(
            || family.kind.to_string(),
            |base| format!("{} of {}", family.kind, base.to_string_lossy()),
        );
        Ok(Growth {
            name,
            unit: family.unit,
            helm_exponent: slope(|point| point.helm),
            our_exponent: slope(|point| Some(point.ours)),
            counted_exponent: slope(|point| point.instructions),
            points,
            refused,
        })
    }

    fn point(&self, chart: &Path, size: f64, helm: bool, rounds: usize) -> Result<Point, String> {
        let chart = chart.to_string_lossy();
        let args = ["template", "r", &*chart];
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            if helm {
                theirs.push(self.runner.cost(&self.programs.helm, &args)?.cpu);
            }
            // The cheap side twice: noise only adds, and the least run counts.
            ours.push(self.runner.cost(&self.programs.bowsprit, &args)?.cpu);
            ours.push(self.runner.cost(&self.programs.bowsprit, &args)?.cpu);
        }
        let instructions = match self.counted {
            true => Some(self.runner.instructions(&self.programs.bowsprit, &args)?),
            false => None,
        };
        Ok(Point { size, helm: helm.then(|| least(theirs)), ours: least(ours), instructions })
    }

    fn generate(&self, kind: &str, n: u32, m: u32, base: Option<&Path>) -> Result<PathBuf, String> {
        let chart = self.runner.home.join("family");
        let (n, m) = (n.to_string(), m.to_string());
        let program = self.bench.join("gen_charts.py").to_string_lossy().into_owned();
        let folder = chart.to_string_lossy().into_owned();
        let base = base.map(|base| base.to_string_lossy().into_owned());
        let mut args = vec![program.as_str(), kind, folder.as_str(), "-n", &n, "-m", &m];
        if let Some(base) = &base {
            args.extend(["--base", base]);
        }
        super::tool("python3", &args, None)?;
        Ok(chart)
    }
}
