//! Reading a suite's file.

use super::node::{Node, Wrong};
use super::{
    CapabilitySettings, ChartSettings, HELM_UNITTEST_VERSION, PostRenderer, Provider,
    ReleaseSettings, Resource, Selector, Suite, SuiteError, Test, assertion,
};
use crate::yaml::split_documents;
use bowsprit_semver::Version;
use bowsprit_value::Value;
use bowsprit_yaml::{Syntax, decode_any};

/// What a suite's file is read with.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The file, as the user would name it.
    pub file: String,
    /// The chart it is about: the root's name, or `root/charts/sub`.
    pub route: String,
    /// Refuses keys that mean nothing.
    pub strict: bool,
    /// Values files of the command line, absolute.
    pub values: Vec<String>,
    /// The text was rendered from a template of suites.
    pub rendered: bool,
}

/// The suites of a file.
pub type Suites = Vec<Suite>;

/// Reads all suites of a file, which are separated as documents are.
///
/// ```
/// use bowsprit_unittest::{ReadOptions, read};
///
/// let text = "suite: web\ntests:\n- it: is a Deployment\n  asserts:\n  - isKind: {of: Deployment}\n";
/// let suites = read(text.as_bytes(), &ReadOptions::default())?;
/// assert_eq!(suites[0].tests[0].name, "is a Deployment");
/// # Ok::<(), bowsprit_unittest::SuiteError>(())
/// ```
///
/// # Errors
///
/// For what is no suite, with helm-unittest's words.
pub fn read(text: &[u8], options: &ReadOptions) -> Result<Suites, SuiteError> {
    let mut suites = Vec::new();
    for (offset, part) in split_documents(text) {
        if part.trim_ascii().is_empty() {
            continue;
        }
        let lines = lines_before(text, offset);
        if let Some(mut suite) = read_one(part, lines, options).map_err(SuiteError)? {
            if options.rendered && suite.snapshot_id.is_empty() {
                suite.snapshot_id = suites.len().to_string();
            }
            suites.push(suite);
        }
    }
    Ok(suites)
}

/// How many lines end before an offset.
fn lines_before(text: &[u8], offset: usize) -> u32 {
    let before = text.get(..offset).unwrap_or_default();
    u32::try_from(before.iter().filter(|b| **b == b'\n').count()).unwrap_or(u32::MAX)
}

fn read_one(part: &[u8], lines: u32, options: &ReadOptions) -> Result<Option<Suite>, String> {
    match decode(part, options.strict, lines) {
        Ok(None) => Ok(None),
        Ok(Some(mut suite)) => {
            identify(&mut suite, options);
            validate(&mut suite, options)?;
            suite.values.extend(options.values.iter().cloned());
            suite.settle();
            Ok(Some(suite))
        }
        // Texts with `\d` and the like in double quotes are read as if the backslashes were doubled.
        Err(error) if error.contains("unknown escape character") => {
            let Some(mut suite) = decode(&doubled_backslashes(part), false, lines)? else {
                return Ok(None);
            };
            identify(&mut suite, options);
            suite.settle();
            Ok(Some(suite))
        }
        Err(error) => Err(error),
    }
}

fn identify(suite: &mut Suite, options: &ReadOptions) {
    suite.file.clone_from(&options.file);
    suite.route.clone_from(&options.route);
}

fn doubled_backslashes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        out.push(*first);
        rest = after;
        if *first != b'\\' {
            continue;
        }
        let run = after.iter().take_while(|b| **b == b'\\').count();
        out.resize(out.len() + run, b'\\');
        rest = after.get(run..).unwrap_or_default();
        if run % 2 == 0 {
            out.push(b'\\');
        }
    }
    out
}

fn validate(suite: &mut Suite, options: &ReadOptions) -> Result<(), String> {
    if suite.tests.is_empty() {
        return Err("no tests found".to_owned());
    }
    if options.rendered && suite.name.is_empty() {
        return Err("helm chart based test suites must include `suite` field".to_owned());
    }
    match suite.tests.iter().all(|test| !test.asserts.is_empty()) {
        true => Ok(()),
        false => Err("no asserts found".to_owned()),
    }
}

fn decode(text: &[u8], strict: bool, lines: u32) -> Result<Option<Suite>, String> {
    let value = decode_any(text).map_err(|error| error.to_string())?;
    let syntax = Syntax::parse(text).map_err(|error| error.to_string())?;
    let Some(syntax) = syntax else { return Ok(None) };
    let mut reader = Reader { strict, wrong: Wrong::default(), lines };
    let suite = reader.suite(&Node::new(value, syntax.root()))?;
    match reader.wrong.lines.is_empty() {
        true => Ok(Some(suite)),
        false => {
            let lines = reader.wrong.lines.join("\n  ");
            Err(format!("yaml: unmarshal errors:\n  {lines}"))
        }
    }
}

struct Reader {
    strict: bool,
    wrong: Wrong,
    /// Lines of the file before this document.
    lines: u32,
}

impl Reader {
    fn unknown(&mut self, key: &str, node: &Node<'_>, within: &str) {
        if self.strict {
            let line = node.key.map_or(0, |key| key.line());
            let text = format!("line {line}: field {key} not found in type {within}");
            self.wrong.lines.push(text);
        }
    }

    fn line(&self, node: &Node<'_>) -> Option<u32> {
        node.line().map(|line| line.saturating_add(self.lines))
    }

    fn suite(&mut self, node: &Node<'_>) -> Result<Suite, String> {
        const TYPE: &str = "unittest.TestSuite";
        let mut suite = Suite::default();
        let mut minimum = String::new();
        for (key, node) in node.entries(TYPE, &mut self.wrong) {
            let wrong = &mut self.wrong;
            match key.as_str() {
                "suite" => suite.name = node.string(wrong),
                "values" => suite.values = node.strings(wrong),
                "set" => suite.set = node.map(wrong),
                "templates" => suite.templates = node.strings(wrong),
                "excludeTemplates" => suite.exclude_templates = node.strings(wrong),
                "includeCrds" => suite.include_crds = node.bool(wrong),
                "release" => suite.release = self.release(&node),
                "chart" => suite.chart = self.chart(&node),
                "capabilities" => suite.capabilities = self.suite_capabilities(&node),
                "kubernetesProvider" => suite.provider = self.provider(&node),
                "postRenderer" => suite.post_renderer = self.post_renderer(&node),
                "tests" => suite.tests = self.tests(&node)?,
                "snapshotId" => suite.snapshot_id = node.string(wrong),
                "skip" => (suite.skip_reason, minimum) = self.skip(&node),
                _ => self.unknown(&key, &node, TYPE),
            }
        }
        if !minimum.is_empty() && !is_recent_enough(&minimum) {
            suite.skip_reason = format!(
                "Test suite requires minimum unittest plugin version {minimum}, but current version \
                 is {HELM_UNITTEST_VERSION}"
            );
        }
        Ok(suite)
    }

    fn tests(&mut self, node: &Node<'_>) -> Result<Vec<Test>, String> {
        let items = node.items("[]*unittest.TestJob", &mut self.wrong);
        let mut tests = Vec::with_capacity(items.len());
        for (number, item) in items.iter().enumerate() {
            if item.is_null() {
                return Err(format!("tests[{number}] is empty"));
            }
            tests.push(self.test(item)?);
        }
        Ok(tests)
    }

    fn test(&mut self, node: &Node<'_>) -> Result<Test, String> {
        const TYPE: &str = "unittest.TestJob";
        let mut test = Test { line: self.line(node), ..Test::default() };
        test.capabilities.api_versions = Some(Vec::new());
        for (key, node) in node.entries(TYPE, &mut self.wrong) {
            let wrong = &mut self.wrong;
            match key.as_str() {
                "it" => test.name = node.string(wrong),
                "values" => test.values = node.strings(wrong),
                "set" => test.set = node.map(wrong),
                "template" => test.template = node.string(wrong),
                "templates" => test.templates = node.strings(wrong),
                "documentIndex" if node.is_null() => {}
                "documentIndex" => test.document_index = Some(node.int(wrong)),
                "documentindices" => drop(node.map(wrong)),
                "documentSelector" if node.is_null() => {}
                "documentSelector" => test.selector = Some(self.selector(&node)),
                "release" => test.release = self.release(&node),
                "chart" => test.chart = self.chart(&node),
                "capabilities" => test.capabilities = self.test_capabilities(&node),
                "asserts" => test.asserts = self.asserts(&node)?,
                "skip" => test.skip_reason = self.skip(&node).0,
                "kubernetesProvider" => test.provider = self.provider(&node),
                "postRenderer" => test.post_renderer = self.post_renderer(&node),
                _ => self.unknown(&key, &node, TYPE),
            }
        }
        Ok(test)
    }

    fn asserts(&mut self, node: &Node<'_>) -> Result<Vec<Option<super::Assertion>>, String> {
        let items = node.items("[]*unittest.Assertion", &mut self.wrong);
        let mut asserts = Vec::with_capacity(items.len());
        for item in &items {
            let mut assertion = assertion::read(item, &mut self.wrong)?;
            if let Some(assertion) = &mut assertion {
                assertion.line = self.line(item);
            }
            asserts.push(assertion);
        }
        Ok(asserts)
    }

    fn selector(&mut self, node: &Node<'_>) -> Selector {
        const TYPE: &str = "valueutils.DocumentSelector";
        let mut selector = Selector::default();
        for (key, node) in node.entries(TYPE, &mut self.wrong) {
            let wrong = &mut self.wrong;
            match key.as_str() {
                "path" => selector.path = node.string(wrong),
                "value" => selector.value = node.value,
                "matchMany" => selector.match_many = node.bool(wrong),
                "skipEmptyTemplates" => selector.skip_empty_templates = node.bool(wrong),
                _ => self.unknown(&key, &node, TYPE),
            }
        }
        selector
    }

    fn release(&mut self, node: &Node<'_>) -> ReleaseSettings {
        const TYPE: &str = "struct { Name string; Namespace string; Revision int; IsUpgrade bool \
                            \"yaml:\\\"upgrade\\\"\" }";
        let mut release = ReleaseSettings::default();
        for (key, node) in node.entries(TYPE, &mut self.wrong) {
            let wrong = &mut self.wrong;
            match key.as_str() {
                "name" => release.name = node.string(wrong),
                "namespace" => release.namespace = node.string(wrong),
                "revision" => release.revision = node.int(wrong),
                "upgrade" => release.upgrade = node.bool(wrong),
                _ => self.unknown(&key, &node, TYPE),
            }
        }
        release
    }

    fn chart(&mut self, node: &Node<'_>) -> ChartSettings {
        const TYPE: &str =
            "struct { Version string; AppVersion string \"yaml:\\\"appVersion\\\"\" }";
        let mut chart = ChartSettings::default();
        for (key, node) in node.entries(TYPE, &mut self.wrong) {
            match key.as_str() {
                "version" => chart.version = node.string(&mut self.wrong),
                "appVersion" => chart.app_version = node.string(&mut self.wrong),
                _ => self.unknown(&key, &node, TYPE),
            }
        }
        chart
    }

    fn suite_capabilities(&mut self, node: &Node<'_>) -> CapabilitySettings {
        const TYPE: &str = "struct { MajorVersion string \"yaml:\\\"majorVersion\\\"\"; \
                            MinorVersion string \"yaml:\\\"minorVersion\\\"\"; APIVersions \
                            []string \"yaml:\\\"apiVersions\\\"\" }";
        let mut capabilities = CapabilitySettings::default();
        for (key, node) in node.entries(TYPE, &mut self.wrong) {
            let wrong = &mut self.wrong;
            match key.as_str() {
                "majorVersion" => capabilities.major = node.string(wrong),
                "minorVersion" => capabilities.minor = node.string(wrong),
                "apiVersions" => capabilities.api_versions = Some(node.strings(wrong)),
                _ => self.unknown(&key, &node, TYPE),
            }
        }
        capabilities
    }

    /// A test's may be null, to take away what the suite says; any other type means nothing.
    fn test_capabilities(&mut self, node: &Node<'_>) -> CapabilitySettings {
        let mut capabilities =
            CapabilitySettings { api_versions: Some(Vec::new()), ..CapabilitySettings::default() };
        let version = |value: &Value| match value {
            Value::Str(text) => text.to_string(),
            Value::Int(_, n) => n.to_string(),
            _ => String::new(),
        };
        for (key, node) in node.entries("unittest.CapabilitiesFields", &mut self.wrong) {
            match key.as_str() {
                "majorVersion" => capabilities.major = version(&node.value),
                "minorVersion" => capabilities.minor = version(&node.value),
                "apiVersions" => {
                    let strings = |list: &bowsprit_value::List| {
                        let texts = list.iter().filter_map(|item| item.as_str());
                        texts.map(|text| text.to_string()).collect()
                    };
                    capabilities.api_versions = node.value.as_list().map(strings);
                }
                _ => {}
            }
        }
        capabilities
    }

    fn provider(&mut self, node: &Node<'_>) -> Provider {
        const TYPE: &str = "unittest.KubernetesFakeClientProvider";
        let mut provider = Provider::default();
        for (key, node) in node.entries(TYPE, &mut self.wrong) {
            match key.as_str() {
                "scheme" => {
                    let wanted = "map[string]unittest.KubernetesFakeKindProps";
                    for (kind, node) in node.entries(wanted, &mut self.wrong) {
                        let resource = self.resource(&node);
                        provider.scheme.push((kind, resource));
                    }
                }
                "objects" => {
                    for item in node.items("[]map[string]interface {}", &mut self.wrong) {
                        provider.objects.push(item.map(&mut self.wrong));
                    }
                }
                _ => self.unknown(&key, &node, TYPE),
            }
        }
        provider
    }

    fn resource(&mut self, node: &Node<'_>) -> Resource {
        const TYPE: &str = "unittest.KubernetesFakeKindProps";
        let mut resource = Resource::default();
        for (key, node) in node.entries(TYPE, &mut self.wrong) {
            match key.as_str() {
                "gvr" => {
                    const GVR: &str = "schema.GroupVersionResource";
                    for (key, node) in node.entries(GVR, &mut self.wrong) {
                        match key.as_str() {
                            "group" => resource.group = node.string(&mut self.wrong),
                            "version" => resource.version = node.string(&mut self.wrong),
                            "resource" => resource.resource = node.string(&mut self.wrong),
                            _ => self.unknown(&key, &node, GVR),
                        }
                    }
                }
                "namespaced" => resource.namespaced = node.bool(&mut self.wrong),
                "should_err" if node.is_null() => {}
                "should_err" => self.wrong.push(&node, "error"),
                _ => self.unknown(&key, &node, TYPE),
            }
        }
        resource
    }

    fn post_renderer(&mut self, node: &Node<'_>) -> PostRenderer {
        const TYPE: &str = "unittest.PostRendererConfig";
        let mut renderer = PostRenderer::default();
        for (key, node) in node.entries(TYPE, &mut self.wrong) {
            match key.as_str() {
                "cmd" => renderer.command = node.string(&mut self.wrong),
                "args" => renderer.args = node.strings(&mut self.wrong),
                _ => self.unknown(&key, &node, TYPE),
            }
        }
        renderer
    }

    /// The reason, and the version that a suite wants.
    fn skip(&mut self, node: &Node<'_>) -> (String, String) {
        const TYPE: &str = "struct { Reason string \"yaml:\\\"reason\\\"\" }";
        let (mut reason, mut minimum) = (String::new(), String::new());
        for (key, node) in node.entries(TYPE, &mut self.wrong) {
            match key.as_str() {
                "reason" => reason = node.string(&mut self.wrong),
                "minimumVersion" => minimum = node.string(&mut self.wrong),
                _ => self.unknown(&key, &node, TYPE),
            }
        }
        (reason, minimum)
    }
}

fn is_recent_enough(minimum: &str) -> bool {
    match (Version::parse(HELM_UNITTEST_VERSION), Version::parse(minimum)) {
        (Ok(current), Ok(minimum)) => current.compare(&minimum).is_ge(),
        _ => false,
    }
}
