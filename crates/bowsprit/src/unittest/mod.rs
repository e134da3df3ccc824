//! Unit tests of charts on disk: [`bowsprit_unittest`], with the files that it asks for.
//!
//! ```no_run
//! use bowsprit::host::OsHost;
//! use bowsprit::unittest::{Options, Printer, test};
//!
//! let mut print = |text: &str| print!("{text}");
//! let charts = ["charts/web".to_owned()];
//! let outcome = test(&charts, &Options::default(), &OsHost::new(), Printer::default(), &mut print);
//! assert!(outcome.passed);
//! ```

mod disk;
mod files;
mod glob;
mod pool;
mod suites;

pub use disk::scene;

pub use bowsprit_unittest::{
    AssertResult, ClusterVersion, Coverage, Covered, HELM_UNITTEST_VERSION, OutputType,
    Path as JsonPath, Printer, ReadOptions, RunOptions, Scene, SnapshotCounts, Snapshots, Suite,
    SuiteError, SuiteResult, Summary, TestResult, World, read, report, run,
};

use bowsprit_chart::Warned;
use bowsprit_loader::ApiVersions;
use bowsprit_render::{Compat, CompiledChart, Engine};
use bowsprit_value::{Host, Limits};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Where the suites of a chart are, unless somebody says otherwise.
pub const DEFAULT_FILES: &str = "tests/*_test.yaml";

/// How charts are tested. The default is what helm-unittest does without flags.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Patterns of suite files, below each chart's folder.
    pub files: Vec<String>,
    /// Patterns of values files.
    pub values: Vec<String>,
    /// Refuses keys of suites that mean nothing.
    pub strict: bool,
    /// Lets new snapshots take the place of old ones.
    pub update_snapshots: bool,
    /// Runs the suites of subcharts that are folders too.
    pub with_subcharts: bool,
    /// A folder of each chart that is a chart itself, whose templates are suites.
    pub chart_tests: String,
    /// Keeps what templates print below this folder.
    pub keep_rendered: Option<PathBuf>,
    /// Counts which lines of templates print something.
    pub coverage: bool,
    /// How many suites run at once; 0 for as many as there are processors.
    pub threads: usize,
    /// The release of Helm that renders.
    pub compat: Compat,
    /// Bounds what each render may use.
    pub limits: Limits,
    /// How suites are run.
    pub run: RunOptions,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            files: vec![DEFAULT_FILES.to_owned()],
            values: Vec::new(),
            strict: false,
            update_snapshots: false,
            with_subcharts: true,
            chart_tests: String::new(),
            keep_rendered: None,
            coverage: false,
            threads: 0,
            compat: Compat::V3_22,
            limits: Limits::default(),
            run: RunOptions::default(),
        }
    }
}

/// What came of testing charts.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Outcome {
    /// Whether all charts passed.
    pub passed: bool,
    /// The charts, in the order in which they were named.
    pub charts: Vec<ChartOutcome>,
    /// Which lines of templates printed something, as LCOV has it; empty unless that was asked.
    pub lcov: String,
    /// How many lines that were.
    pub covered: Covered,
}

/// What came of testing a chart.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ChartOutcome {
    /// What the user calls it.
    pub path: String,
    /// Why it or its suites can't be read.
    pub error: Option<String>,
    /// Its suites.
    pub suites: Vec<SuiteResult>,
}

impl Outcome {
    /// The suites of all charts.
    pub fn suites(&self) -> impl Iterator<Item = &SuiteResult> {
        self.charts.iter().flat_map(|chart| &chart.suites)
    }
}

/// Tests charts: folders or archives. Results are printed as soon as those before them are there.
pub fn test(
    charts: &[String],
    options: &Options,
    host: &dyn Host,
    printer: Printer,
    print: &mut dyn FnMut(&str),
) -> Outcome {
    let start = Instant::now();
    let mut outcome = Outcome { passed: true, ..Outcome::default() };
    let mut summary = Summary::default();
    let mut cluster = ClusterVersion::default();
    for path in charts {
        let mut chart = ChartOutcome { path: path.clone(), ..ChartOutcome::default() };
        let read = open(path, options).and_then(|compiled| {
            let suites = suites::find(path, &compiled, options).map_err(|failed| {
                chart.suites.extend(failed.suite.map(|suite| *suite));
                failed.error
            })?;
            Ok((compiled, suites))
        });
        let passed = match read {
            Ok((compiled, mut suites)) => {
                suites.iter_mut().for_each(|suite| cluster.settle(suite));
                print(&printer.chart(&compiled.chart().metadata.name, path));
                let mut done = |result: &SuiteResult| {
                    print(&printer.suite(result));
                    summary.suite(result);
                };
                let world = disk::Disk::new(options.keep_rendered.clone());
                let mut coverage = options.coverage.then(Coverage::default);
                let observer = coverage.as_mut();
                chart.suites =
                    pool::run(&compiled, &suites, options, (host, &world), observer, &mut done);
                if let Some(coverage) = coverage {
                    let file = |name: &str| {
                        let file = files::join(&[path, name]);
                        Path::new(&file).is_file().then_some(file)
                    };
                    let covered = coverage.lcov(&compiled, file, &mut outcome.lcov);
                    outcome.covered.lines += covered.lines;
                    outcome.covered.hit += covered.hit;
                }
                chart.suites.iter().all(|suite| suite.passed)
            }
            Err(error) => {
                for suite in &chart.suites {
                    print(&printer.suite(suite));
                    summary.suite(suite);
                }
                print(&printer.chart_error(&error));
                chart.error = Some(error);
                false
            }
        };
        summary.chart(passed, chart.error.is_some());
        outcome.passed &= passed;
        let stop = options.run.fail_fast && chart.error.is_some();
        outcome.charts.push(chart);
        if stop {
            break;
        }
    }
    print(&printer.summary(&summary, start.elapsed()));
    outcome
}

fn open(path: &str, options: &Options) -> Result<CompiledChart, String> {
    let rules = options.compat.rules();
    let mut loading = bowsprit_loader::Options::default();
    loading.limits.reading = rules.reading;
    loading.api_versions = ApiVersions::Any;
    let loaded = bowsprit_loader::load_path(Path::new(path), &loading);
    let Warned { output: chart, .. } = loaded.map_err(|error| error.to_string())?;
    let engine = Engine::builder().compat(options.compat).limits(options.limits).build();
    Ok(engine.compile(Arc::new(chart)))
}
