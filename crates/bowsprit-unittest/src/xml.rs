//! Results for machines: the formats of helm-unittest's `--output-type`.

use crate::result::{SuiteResult, TestResult};
use std::fmt::Write;

/// A format of results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputType {
    /// JUnit.
    JUnit,
    /// NUnit 2.5.
    NUnit,
    /// xUnit.net 2.
    #[default]
    XUnit,
    /// SonarQube's generic test data.
    Sonar,
}

/// What reports say of where they were made.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Scene {
    /// The date, as `2006-01-02`.
    pub date: String,
    /// The time, as `15:04:05`.
    pub time: String,
    /// The name of the machine.
    pub host: String,
    /// The user's name.
    pub user: String,
    /// The working directory.
    pub cwd: String,
}

impl OutputType {
    /// The names by which users choose; upper and lower case are the same.
    pub const NAMES: [&'static str; 4] = ["JUnit", "NUnit", "XUnit", "Sonar"];

    /// The format of a name.
    ///
    /// ```
    /// use bowsprit_unittest::OutputType;
    ///
    /// assert_eq!(OutputType::from_name("junit"), Some(OutputType::JUnit));
    /// assert_eq!(OutputType::from_name("tap"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<OutputType> {
        Some(match name.to_ascii_lowercase().as_str() {
            "junit" => OutputType::JUnit,
            "nunit" => OutputType::NUnit,
            "xunit" => OutputType::XUnit,
            "sonar" => OutputType::Sonar,
            _ => return None,
        })
    }

    /// The results in this format.
    pub fn print(self, suites: &[&SuiteResult], scene: &Scene) -> String {
        let mut xml = Xml::default();
        match self {
            OutputType::JUnit => junit(&mut xml, suites, scene),
            OutputType::NUnit => nunit(&mut xml, suites, scene),
            OutputType::XUnit => xunit(&mut xml, suites, scene),
            OutputType::Sonar => sonar(&mut xml, suites),
        }
        xml.text.push('\n');
        xml.text
    }
}

/// Elements one to a line, indented with tabs, as Go's `encoding/xml` writes them.
#[derive(Default)]
struct Xml {
    text: String,
    open: Vec<(&'static str, bool)>,
}

impl Xml {
    fn start(&mut self, name: &'static str, attributes: &[(&str, &str)]) {
        if let Some((_, filled)) = self.open.last_mut() {
            *filled = true;
        }
        self.line();
        let _ = write!(self.text, "<{name}");
        for (key, value) in attributes {
            let _ = write!(self.text, " {key}=\"{}\"", escaped(value));
        }
        self.text.push('>');
        self.open.push((name, false));
    }

    fn line(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.extend(std::iter::repeat_n('\t', self.open.len()));
    }

    fn end(&mut self) {
        let Some((name, filled)) = self.open.pop() else { return };
        if filled {
            self.line();
        }
        let _ = write!(self.text, "</{name}>");
    }

    fn empty(&mut self, name: &'static str, attributes: &[(&str, &str)]) {
        self.start(name, attributes);
        self.end();
    }

    fn with_text(&mut self, name: &'static str, attributes: &[(&str, &str)], text: &str) {
        self.start(name, attributes);
        self.text.push_str(&escaped(text));
        self.end();
    }

    fn with_cdata(&mut self, name: &'static str, attributes: &[(&str, &str)], text: &str) {
        self.start(name, attributes);
        if !text.is_empty() {
            let text = text.replace("]]>", "]]]]><![CDATA[>");
            let _ = write!(self.text, "<![CDATA[{text}]]>");
        }
        self.end();
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' => out.push_str("&#x9;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn seconds(nanos: u64) -> String {
    format!("{:.3}", nanos as f64 / 1e9)
}

/// A suite's name without what stands before its last slash.
fn class(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// All that is to be said, in one line.
fn in_one_line(test: &TestResult) -> String {
    test.text().replace('\n', ",").replace('\t', "")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Passed,
    Skipped,
    Failed,
    Errored,
}

fn ending(test: &TestResult) -> Ending {
    match (test.skipped, test.passed, &test.error) {
        (true, ..) => Ending::Skipped,
        (_, true, _) => Ending::Passed,
        (_, _, Some(_)) => Ending::Errored,
        _ => Ending::Failed,
    }
}

fn count(suite: &SuiteResult, wanted: Ending) -> String {
    suite.tests.iter().filter(|test| ending(test) == wanted).count().to_string()
}

fn junit(xml: &mut Xml, suites: &[&SuiteResult], scene: &Scene) {
    xml.start("testsuites", &[]);
    let timestamp = format!("{}T{}", scene.date, scene.time);
    for (number, suite) in suites.iter().enumerate() {
        xml.start(
            "testsuite",
            &[
                ("id", &number.to_string()),
                ("tests", &suite.tests.len().to_string()),
                ("failures", &count(suite, Ending::Failed)),
                ("errors", &count(suite, Ending::Errored)),
                ("package", ""),
                ("time", &seconds(suite.nanos())),
                ("name", &suite.name),
                ("timestamp", &timestamp),
                ("hostname", &scene.host),
            ],
        );
        xml.start("properties", &[]);
        xml.empty("property", &[("name", "helm-unittest.version"), ("value", "1.6")]);
        xml.end();
        for test in &suite.tests {
            let time = seconds(test.nanos);
            let attributes =
                [("classname", class(&suite.name)), ("name", &test.name), ("time", &time)];
            xml.start("testcase", &attributes);
            match ending(test) {
                Ending::Passed => {}
                Ending::Skipped => xml.empty("skipped", &[("message", &in_one_line(test))]),
                Ending::Failed => {
                    let attributes = [("message", "Failed"), ("type", "")];
                    xml.with_text("failure", &attributes, &in_one_line(test));
                }
                Ending::Errored => {
                    let text = test.error.as_deref().unwrap_or_default();
                    xml.with_text("error", &[("message", "Error"), ("type", "")], text);
                }
            }
            xml.end();
        }
        xml.end();
    }
    xml.end();
}

fn truth(holds: bool) -> &'static str {
    if holds { "true" } else { "false" }
}

fn nunit_failure(xml: &mut Xml, message: &str, trace: &str) {
    xml.start("failure", &[]);
    xml.with_text("message", &[], message);
    xml.with_text("stack-trace", &[], trace);
    xml.end();
}

fn nunit(xml: &mut Xml, suites: &[&SuiteResult], scene: &Scene) {
    let sum = |wanted: Ending| {
        let tests = suites.iter().flat_map(|suite| &suite.tests);
        tests.filter(|test| ending(test) == wanted).count()
    };
    let broken = suites.iter().filter(|suite| suite.error.is_some()).count();
    let total = broken + suites.iter().map(|suite| suite.tests.len()).sum::<usize>();
    xml.start(
        "test-results",
        &[
            ("name", "helm-unittest"),
            ("total", &total.to_string()),
            ("errors", &(broken + sum(Ending::Errored)).to_string()),
            ("failures", &sum(Ending::Failed).to_string()),
            ("inconclusive", "0"),
            ("not-run", "0"),
            ("ignored", "0"),
            ("skipped", &sum(Ending::Skipped).to_string()),
            ("invalid", "0"),
            ("date", &scene.date),
            ("time", &scene.time),
        ],
    );
    xml.empty(
        "environment",
        &[
            ("nunit-version", "2.5.8.0"),
            ("clr-version", "unknown"),
            ("os-version", "unknown"),
            ("platform", &platform()),
            ("cwd", &scene.cwd),
            ("machine-name", &scene.host),
            ("user", &scene.user),
            ("user-domain", ""),
        ],
    );
    xml.empty("culture-info", &[("current-culture", ""), ("current-uiculture", "")]);
    suites.iter().for_each(|suite| nunit_suite(xml, suite));
    xml.end();
}

fn nunit_result(passed: bool, skipped: bool) -> &'static str {
    match (skipped, passed) {
        (true, _) => "Skipped",
        (_, true) => "Success",
        _ => "Failed",
    }
}

fn nunit_suite(xml: &mut Xml, suite: &SuiteResult) {
    xml.start(
        "test-suite",
        &[
            ("type", "TestFixture"),
            ("name", &suite.name),
            ("description", &suite.file),
            ("success", truth(suite.passed)),
            ("time", &seconds(suite.nanos())),
            ("executed", truth(suite.error.is_none() && !suite.skipped)),
            ("asserts", ""),
            ("result", nunit_result(suite.passed, suite.skipped)),
        ],
    );
    if let Some(error) = &suite.error {
        nunit_failure(xml, "Error", error);
    }
    if !suite.tests.is_empty() && suite.error.is_none() {
        xml.start("results", &[]);
        for test in &suite.tests {
            let description = format!("{}.{}", class(&suite.name), test.name);
            let executed = test.error.is_none() && !test.skipped;
            xml.start(
                "test-case",
                &[
                    ("name", &test.name),
                    ("description", &description),
                    ("success", truth(test.passed)),
                    ("time", &seconds(test.nanos)),
                    ("executed", truth(executed)),
                    ("asserts", "0"),
                    ("result", nunit_result(test.passed, test.skipped)),
                ],
            );
            match ending(test) {
                Ending::Passed => {}
                Ending::Skipped => {
                    xml.start("reason", &[]);
                    xml.with_text("message", &[], &test.text());
                    xml.end();
                }
                Ending::Failed | Ending::Errored => nunit_failure(xml, "Failed", &test.text()),
            }
            xml.end();
        }
        xml.end();
    }
    xml.end();
}

/// helm-unittest names the Go that it was built with; this is no Go program.
fn platform() -> String {
    format!("bowsprit.{}-{}", std::env::consts::OS, std::env::consts::ARCH)
}

const VALIDATION: &str = "Helm-Validation";

fn xunit_failure(xml: &mut Xml, exception: &str, message: &str, trace: &str) {
    xml.start("failure", &[("exception-type", exception)]);
    xml.with_cdata("message", &[], message);
    xml.with_cdata("stack-trace", &[], trace);
    xml.end();
}

fn xunit(xml: &mut Xml, suites: &[&SuiteResult], scene: &Scene) {
    xml.start("assemblies", &[]);
    for suite in suites {
        let time = seconds(suite.nanos());
        let broken = suite.error.is_some();
        let number = |wanted: Ending| if broken { "0".to_owned() } else { count(suite, wanted) };
        let total = if broken { 1 } else { suite.tests.len() };
        let errors = if broken { "1".to_owned() } else { count(suite, Ending::Errored) };
        xml.start(
            "assembly",
            &[
                ("name", &suite.file),
                ("config-file", &suite.file),
                ("test-framework", "helm-unittest"),
                ("run-date", &scene.date),
                ("run-time", &scene.time),
                ("time", &time),
                ("total", &total.to_string()),
                ("passed", &number(Ending::Passed)),
                ("failed", &number(Ending::Failed)),
                ("skipped", &number(Ending::Skipped)),
                ("errors", &errors),
            ],
        );
        xml.with_text("environment", &[], &platform());
        xml.start("errors", &[]);
        if let Some(error) = &suite.error {
            xml.start("error", &[("type", "Error"), ("name", "Error")]);
            xunit_failure(xml, "Helm-Validation-Error", "Error", error);
            xml.end();
        }
        xml.end();
        if !broken {
            xunit_collection(xml, suite, &time);
        }
        xml.end();
    }
    xml.end();
}

fn xunit_collection(xml: &mut Xml, suite: &SuiteResult, time: &str) {
    xml.start(
        "collection",
        &[
            ("name", &suite.name),
            ("time", time),
            ("total", &suite.tests.len().to_string()),
            ("passed", &count(suite, Ending::Passed)),
            ("failed", &count(suite, Ending::Failed)),
            ("skipped", &count(suite, Ending::Skipped)),
        ],
    );
    for test in &suite.tests {
        let ending = ending(test);
        let result = match ending {
            Ending::Passed => "Pass",
            Ending::Skipped => "Skip",
            Ending::Failed | Ending::Errored => "Fail",
        };
        xml.start(
            "test",
            &[
                ("name", &test.name),
                ("type", class(&suite.name)),
                ("method", VALIDATION),
                ("time", &seconds(test.nanos)),
                ("result", result),
            ],
        );
        xml.empty("traits", &[]);
        match ending {
            Ending::Passed => {}
            Ending::Skipped => xml.with_cdata("reason", &[], &test.text()),
            Ending::Failed => xunit_failure(xml, VALIDATION, "Failed", &test.text()),
            Ending::Errored => {
                xunit_failure(xml, "Helm-Validation-Error", "Failed", &test.text());
            }
        }
        xml.end();
    }
    xml.end();
}

fn sonar(xml: &mut Xml, suites: &[&SuiteResult]) {
    xml.start("testExecutions", &[("version", "1")]);
    for suite in suites {
        xml.start("file", &[("path", &suite.file)]);
        for test in &suite.tests {
            let millis = (test.nanos / 1_000_000).to_string();
            xml.start("testCase", &[("name", &test.name), ("duration", &millis)]);
            match ending(test) {
                Ending::Passed => {}
                Ending::Skipped => {
                    xml.with_cdata("skipped", &[("message", "Skipped")], &test.text());
                }
                Ending::Failed => {
                    xml.with_cdata("failure", &[("message", "Failed")], &test.text());
                }
                Ending::Errored => {
                    let text = test.error.as_deref().unwrap_or_default();
                    xml.with_cdata("error", &[("message", "Error")], text);
                }
            }
            xml.end();
        }
        xml.end();
    }
    xml.end();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite() -> SuiteResult {
        let failed = TestResult {
            name: "a < b".to_owned(),
            error: Some("no \"b\"".to_owned()),
            ..TestResult::default()
        };
        SuiteResult {
            name: "charts/web".to_owned(),
            file: "tests/web_test.yaml".to_owned(),
            tests: vec![failed],
            ..SuiteResult::default()
        }
    }

    #[test]
    fn markup_is_escaped() {
        let text = OutputType::JUnit.print(&[&suite()], &Scene::default());
        assert!(text.contains("classname=\"web\" name=\"a &lt; b\""), "{text}");
        assert!(text.contains("type=\"\">no &#34;b&#34;</error>"), "{text}");
        let text = OutputType::Sonar.print(&[&suite()], &Scene::default());
        assert!(text.contains("<error message=\"Error\"><![CDATA[no \"b\"]]></error>"), "{text}");
    }

    #[test]
    fn all_formats_count() {
        for format in [OutputType::NUnit, OutputType::XUnit] {
            let text = format.print(&[&suite()], &Scene::default());
            assert!(text.contains("errors=\"1\""), "{text}");
        }
    }
}
