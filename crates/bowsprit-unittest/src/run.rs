//! Running suites.

use crate::assert::{Context, Verdict};
use crate::document::Document;
use crate::render::{Documents, Files, Rendered, Selection, parse, render, template_path};
use crate::result::{AssertResult, SuiteResult, TestResult};
use crate::snapshot::Snapshots;
use crate::suite::{Assertion, Selector, Suite, Test};
use bowsprit_render::CompiledChart;
use bowsprit_template::Observer;
use bowsprit_value::{Host, Value, deep_equal};
use std::collections::BTreeMap;

/// What suites need of the world beside the chart.
pub trait World: Sync {
    /// The bytes of a values file.
    ///
    /// # Errors
    ///
    /// With the system's words.
    fn read(&self, file: &str) -> Result<Vec<u8>, String>;

    /// What a program makes of rendered manifests.
    ///
    /// # Errors
    ///
    /// Where it can't be run, or fails.
    fn post_render(&self, command: &str, args: &[String], input: &[u8]) -> Result<Vec<u8>, String>;

    /// Keeps what a template printed, for somebody to look at.
    ///
    /// # Errors
    ///
    /// Where that can't be written.
    fn keep_rendered(&self, file: &str, text: &[u8]) -> Result<(), String> {
        let _ = (file, text);
        Ok(())
    }
}

/// How suites are run.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RunOptions {
    /// Ends a test and its suite with the first failure.
    pub fail_fast: bool,
    /// Leaves `values.schema.json` unread.
    pub skip_schema_validation: bool,
}

/// The version of Kubernetes that a test sees which says nothing, nor one before it.
const FIRST_VERSION: (&str, &str) = ("1", "20");

/// The version of Kubernetes that tests see: a test that names none has that of the one before it.
///
/// helm-unittest keeps it from one test to the next, across suites and charts.
#[derive(Clone, Debug)]
pub struct ClusterVersion {
    major: String,
    minor: String,
}

impl Default for ClusterVersion {
    fn default() -> ClusterVersion {
        let (major, minor) = FIRST_VERSION;
        ClusterVersion { major: major.to_owned(), minor: minor.to_owned() }
    }
}

impl ClusterVersion {
    /// Tells all tests of a suite which version they see. Suites must be given in their order.
    pub fn settle(&mut self, suite: &mut Suite) {
        for test in suite.tests.iter_mut().filter(|test| test.skip_reason.is_empty()) {
            for (own, last) in [
                (&mut test.capabilities.major, &mut self.major),
                (&mut test.capabilities.minor, &mut self.minor),
            ] {
                if own.is_empty() {
                    own.clone_from(last);
                } else {
                    last.clone_from(own);
                }
            }
        }
    }
}

pub(crate) struct Subject<'s> {
    pub(crate) chart: &'s CompiledChart,
    pub(crate) host: &'s dyn Host,
    pub(crate) options: &'s RunOptions,
    pub(crate) selection: &'s Selection,
}

/// Runs a suite. The observer, if there is one, learns which templates are executed.
pub fn run(
    chart: &CompiledChart,
    suite: &Suite,
    snapshots: &mut Snapshots,
    options: &RunOptions,
    (host, world): (&dyn Host, &dyn World),
    mut observer: Option<&mut dyn Observer>,
) -> SuiteResult {
    let selection = Selection::of(suite);
    let subject = Subject { chart, host, options, selection: &selection };
    let mut result = SuiteResult {
        name: suite.name.clone(),
        file: suite.file.clone(),
        ..SuiteResult::default()
    };
    for (number, test) in suite.tests.iter().enumerate() {
        let outcome = if test.skip_reason.is_empty() {
            let observer = observer.as_mut().map(|observer| &mut **observer as &mut dyn Observer);
            let outcome = run_test(&subject, suite, test, snapshots, world, observer);
            result.passed = outcome.passed && (number == 0 || result.passed);
            outcome
        } else {
            result.passed |= number == 0;
            let (name, line) = (test.name.clone(), test.line);
            TestResult { name, line, skipped: true, ..TestResult::default() }
        };
        result.tests.push(outcome);
        if !result.passed && options.fail_fast {
            result.failed_fast = true;
            break;
        }
    }
    let skipped = suite.tests.iter().filter(|test| !test.skip_reason.is_empty()).count();
    result.skipped = skipped == suite.tests.len();
    result.snapshots = snapshots.counts();
    result
}

fn run_test(
    subject: &Subject<'_>,
    suite: &Suite,
    test: &Test,
    snapshots: &mut Snapshots,
    world: &dyn World,
    observer: Option<&mut dyn Observer>,
) -> TestResult {
    let start = subject.host.now();
    let (name, line) = (test.name.clone(), test.line);
    let mut result = TestResult { name, line, ..TestResult::default() };
    let wants_success = test.asserts.iter().flatten().all(|assertion| assertion.wants_success);
    let failed = |mut result: TestResult, error: String| {
        result.error = Some(error);
        result
    };
    let rendered = match render(subject, suite, test, wants_success, world, observer) {
        Ok(rendered) => rendered,
        Err(error) => return failed(result, error),
    };
    for (file, text) in &rendered.files {
        if let Err(error) = world.keep_rendered(file, text) {
            return failed(result, error);
        }
    }
    result.error.clone_from(&rendered.error);
    let (files, post_rendered) = match post_render(test, &rendered.files, world) {
        Ok(outcome) => outcome,
        Err(error) => return failed(result, error),
    };
    let documents = match parse(subject, suite, &files, rendered.succeeded) {
        Ok(documents) => documents,
        Err(error) => return failed(result, error),
    };
    let job =
        Job { subject, suite, test, rendered: &rendered, documents: &documents, post_rendered };
    job.run(&mut result, snapshots);
    let end = subject.host.now();
    let nanos =
        |t: bowsprit_value::Timestamp| i128::from(t.seconds) * 1_000_000_000 + i128::from(t.nanos);
    result.nanos = u64::try_from(nanos(end) - nanos(start)).unwrap_or(0);
    result
}

const FILE_MARK: &str = "---\n#### file:";

/// All files in one text through the program, and apart again by the comments that name them.
fn post_render(test: &Test, files: &Files, world: &dyn World) -> Result<(Files, bool), String> {
    let program = &test.post_renderer;
    if program.command.is_empty() {
        return Ok((files.clone(), false));
    }
    let mut input = Vec::new();
    for (file, text) in files {
        input.extend_from_slice(format!("{FILE_MARK} {file}\n").as_bytes());
        input.extend_from_slice(text.trim_ascii());
        input.push(b'\n');
    }
    let output = world.post_render(&program.command, &program.args, &input)?;
    let text = String::from_utf8_lossy(&output);
    let mut split = Files::new();
    let mut begin = 0;
    while begin < text.len() {
        let rest = text.get(begin..).unwrap_or_default();
        let skip = rest.chars().next().map_or(1, char::len_utf8);
        let next = rest.get(skip..).and_then(|tail| tail.find(FILE_MARK)).map(|at| at + skip);
        let block = rest.get(..next.unwrap_or(rest.len())).unwrap_or_default();
        begin += block.len();
        let Some(mark) = block.find("#### file: ") else { continue };
        let named = block.get(mark..).unwrap_or_default();
        let line = named.split('\n').next().unwrap_or_default();
        let file = line.strip_prefix("#### file: ").unwrap_or_default();
        let text = block.strip_prefix(&format!("---\n{line}\n")).unwrap_or(block);
        split.insert(file.to_owned(), text.as_bytes().to_vec());
    }
    if split.is_empty() {
        split.insert("manifest.yaml".to_owned(), output);
    }
    Ok((split, true))
}

struct Job<'j> {
    subject: &'j Subject<'j>,
    suite: &'j Suite,
    test: &'j Test,
    rendered: &'j Rendered,
    documents: &'j Documents,
    post_rendered: bool,
}

type Chosen<'j> = BTreeMap<String, Vec<&'j Document>>;

impl Job<'_> {
    fn run(&self, result: &mut TestResult, snapshots: &mut Snapshots) {
        let mut counter = 0;
        for (index, assertion) in self.test.asserts.iter().enumerate() {
            let Some(assertion) = assertion else { continue };
            let mut outcome = AssertResult {
                index,
                line: assertion.line,
                name: assertion.name,
                not: assertion.not,
                ..AssertResult::default()
            };
            self.assert(assertion, &mut outcome, &mut counter, snapshots);
            if outcome.skip_reason.is_some() {
                result.passed = true;
            }
            result.passed = outcome.passed && (index == 0 || result.passed);
            result.asserts.push(outcome);
            if !result.passed && self.subject.options.fail_fast {
                break;
            }
        }
        let asserts = &result.asserts;
        result.skipped =
            !asserts.is_empty() && asserts.iter().all(|assert| assert.skip_reason.is_some());
    }

    /// The templates that an assertion is about, by their full names.
    fn templates(&self, assertion: &Assertion) -> Vec<String> {
        let full = |name: &String| template_path(&self.suite.route, name);
        if self.post_rendered
            && let Some(only) = self.documents.keys().next().filter(|_| self.documents.len() == 1)
            && only.ends_with("manifest.yaml")
        {
            return vec![only.clone()];
        }
        if !assertion.template.is_empty() {
            return vec![full(&assertion.template)];
        }
        if !self.test.templates.is_empty() {
            return self.test.templates.iter().map(full).collect();
        }
        if !self.test.template.is_empty() {
            return vec![full(&self.test.template)];
        }
        let suite = &self.suite.templates;
        if !suite.is_empty() && suite.iter().all(|name| !name.contains('*')) {
            return suite.iter().map(full).collect();
        }
        let mut all: Vec<String> = self.rendered.files.keys().cloned().collect();
        if self.suite.include_crds {
            let crds = self.subject.chart.chart().crd_objects();
            all.extend(crds.iter().map(|crd| crd.filename.to_string_lossy().into_owned()));
        }
        all
    }

    fn assert(
        &self,
        assertion: &Assertion,
        outcome: &mut AssertResult,
        counter: &mut u64,
        snapshots: &mut Snapshots,
    ) {
        let names = self.templates(assertion);
        let all = names.into_iter().map(|name| {
            let docs: Vec<&Document> = self.documents.get(&name).into_iter().flatten().collect();
            (name, docs)
        });
        let selector = assertion.selector.as_ref().or(self.test.selector.as_ref());
        let index = self.test.document_index.or(assertion.document_index);
        let chosen = match choose(all.collect(), selector, index) {
            Ok(chosen) => chosen,
            Err(error) => {
                outcome.lines = vec!["Error:".to_owned(), error];
                return;
            }
        };
        let may_skip = self.test.selector.as_ref().is_some_and(|s| s.skip_empty_templates);
        if may_skip && chosen.is_empty() {
            outcome.passed = true;
            outcome.skip_reason = Some(
                "skipped as 'documentSelector.skipEmptyTemplates: true' and 'selectedTemplates: \
                 empty'",
            );
            return;
        }
        if chosen.is_empty() {
            let verdict = if assertion.wants_success == self.rendered.succeeded {
                self.ask(assertion, 0, Vec::new(), counter, snapshots)
            } else {
                let text = "Error: rendered manifest is empty".to_owned();
                Verdict { passed: false, lines: vec![text] }
            };
            (outcome.passed, outcome.lines) = (verdict.passed, verdict.lines);
            return;
        }
        outcome.passed = true;
        for (name, docs) in chosen {
            let (named, verdict) = self.template(assertion, &name, docs, counter, snapshots);
            if !verdict.passed {
                outcome.passed = false;
                if named {
                    outcome.lines.push(format!("Template:\t{name}"));
                }
                outcome.lines.extend(verdict.lines);
            }
        }
    }

    /// The verdict on one template, and whether a failure names it.
    fn template(
        &self,
        assertion: &Assertion,
        name: &str,
        docs: Vec<&Document>,
        counter: &mut u64,
        snapshots: &mut Snapshots,
    ) -> (bool, Verdict) {
        let failed = |lines| Verdict { passed: false, lines };
        let rendered = self.documents.get(name);
        if rendered.is_none() && assertion.wants_success {
            let text = format!("\ttemplate \"{name}\" not exists or not selected in test suite");
            return (false, failed(vec!["Error:".to_owned(), text]));
        }
        let rendered = rendered.map(Vec::as_slice).unwrap_or_default();
        if assertion.wants_success != self.rendered.succeeded {
            let text = match rendered.first() {
                Some(first) => {
                    let raw = String::from_utf8_lossy(&first.text()).into_owned();
                    let raw = if raw == "<nil>" { "%!s(<nil>)".to_owned() } else { raw };
                    format!("Error: Invalid rendering: {raw}")
                }
                None => "Error: rendered manifest is empty".to_owned(),
            };
            return (true, failed(vec![text]));
        }
        (true, self.ask(assertion, rendered.len(), docs, counter, snapshots))
    }

    fn ask(
        &self,
        assertion: &Assertion,
        all: usize,
        docs: Vec<&Document>,
        counter: &mut u64,
        snapshots: &mut Snapshots,
    ) -> Verdict {
        let mut context = Context {
            all,
            docs,
            negative: assertion.not != assertion.antonym,
            fail_fast: self.subject.options.fail_fast,
            render_error: self.rendered.error.as_deref(),
            test: &self.test.name,
            counter,
            snapshots,
        };
        assertion.check.run(&mut context)
    }
}

fn choose<'j>(
    all: Chosen<'j>,
    selector: Option<&Selector>,
    index: Option<i64>,
) -> Result<Chosen<'j>, String> {
    if let Some(selector) = selector.filter(|selector| !selector.path.is_empty()) {
        return selector.choose(all);
    }
    let Some(index) = index.filter(|index| *index != -1) else { return Ok(all) };
    let mut chosen = Chosen::new();
    for (name, docs) in all {
        let doc = usize::try_from(index).ok().and_then(|at| docs.get(at).copied());
        let Some(doc) = doc else {
            return Err(format!("document index {index} is out of range"));
        };
        chosen.insert(name, vec![doc]);
    }
    Ok(chosen)
}

impl Selector {
    fn choose<'j>(&self, all: Chosen<'j>) -> Result<Chosen<'j>, String> {
        let mut chosen = Chosen::new();
        let mut count = 0;
        for (name, docs) in all {
            let mut fitting = Vec::new();
            for doc in docs {
                if self.fits(doc)? {
                    fitting.push(doc);
                }
            }
            count += fitting.len();
            if !self.match_many && count > 1 {
                return Err("multiple indexes found".to_owned());
            }
            if !fitting.is_empty() {
                chosen.insert(name, fitting);
            }
        }
        if count == 0 && !self.skip_empty_templates {
            return Err("document not found".to_owned());
        }
        Ok(chosen)
    }

    fn fits(&self, doc: &Document) -> Result<bool, String> {
        let found: Vec<Value> = doc.find(&self.path)?;
        Ok(found.iter().any(|value| self.value.is_nil() || deep_equal(&self.value, value)))
    }
}
