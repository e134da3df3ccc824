//! What the templates render to.

use super::decode::{Head, documents};
use super::{Linter, quote};
use crate::source::Entry;
use bowsprit_chart::{Chart, Level, LogLine, path};
use bowsprit_render::plan::{Plan, plan};
use bowsprit_render::values::ValuesErrorKind;
use bowsprit_render::{Capabilities, CompiledChart, Keep, RenderRequest, RenderedFiles};
use bowsprit_validate::{lifecycle, names::wrong_name};
use bowsprit_value::{Host, unicode};
use bowsprit_yaml::{Document, NodeType};
use std::sync::Arc;

const DIR: &str = "templates/";

/// Go's scanner of lines gives up at longer ones.
const MAX_LINE: usize = 64 * 1024;

impl Linter<'_> {
    /// Gives the rendered files, if there are any.
    pub(super) fn templates(&mut self, host: &dyn Host) -> Option<RenderedFiles> {
        match &self.source.templates {
            Entry::Directory => {}
            Entry::Missing => {
                self.warn("HL030", DIR, "directory does not exist");
                return None;
            }
            _ => {
                self.error("HL031", DIR, "not a directory");
                return None;
            }
        }
        let chart = match self.load() {
            Ok(chart) => chart,
            Err(error) => {
                self.error("HL032", DIR, error);
                return None;
            }
        };
        let files = self.render(host)?;
        self.rendered(&chart, &files);
        Some(files)
    }

    /// Renders as Helm's linter does, or says why not; some failures it passes over.
    fn render(&mut self, host: &dyn Host) -> Option<RenderedFiles> {
        let (chart, compiled) = self.compiled_chart()?;
        let compiled = compiled.clone();
        let mut log = Vec::new();
        let planned = self.plan(chart, &compiled, &mut log);
        self.log.append(&mut log);
        let plan = match planned {
            Ok(plan) => plan?,
            Err(text) => {
                self.error("HL033", DIR, text);
                return None;
            }
        };
        // Helm looks at what comes of the chart's own templates.
        let keep = if self.options.rules.is_empty() { Keep::Root } else { Keep::All };
        let request = self.request();
        let outcome = compiled.render_plan_keeping(&plan, &request, host, None, keep);
        self.planned = Some(plan);
        match outcome {
            Ok(rendered) => {
                self.log.extend(rendered.warnings);
                let (files, seen) = rendered.output;
                self.seen = Some(seen);
                Some(files)
            }
            Err(error) => {
                self.log.extend(error.log().iter().cloned());
                self.error("HL034", DIR, error.to_string());
                None
            }
        }
    }

    fn plan(
        &self,
        chart: &Arc<Chart>,
        compiled: &CompiledChart,
        log: &mut Vec<LogLine>,
    ) -> Result<Option<Plan>, String> {
        let planned = plan(chart, &self.options.values, log).and_then(|mut plan| {
            plan.coalesce_again(log)?;
            Ok(plan)
        });
        let plan = match planned {
            Ok(plan) => plan,
            Err(error) if error.kind() == ValuesErrorKind::Limit => return Err(error.to_string()),
            Err(_) => {
                log.retain(|line| line.level != Level::Error);
                return Ok(None);
            }
        };
        if !self.options.skip_schema_validation {
            compiled.check_schemas(&plan, log).map_err(|error| error.to_string())?;
        }
        Ok(Some(plan))
    }

    fn request(&self) -> RenderRequest {
        let mut request = RenderRequest::new("test-release", self.options.namespace.as_str());
        request.release.is_install = false;
        request.release.revision = 0;
        if let Some(version) = &self.options.kube_version {
            request.capabilities = Capabilities::default().with_kube_version(version.clone());
        }
        request
    }

    fn rendered(&mut self, chart: &Chart, files: &RenderedFiles) {
        for template in &chart.templates {
            let name = template.name.to_string_lossy().into_owned();
            let ext = String::from_utf8_lossy(path::ext(name.as_bytes())).into_owned();
            if !matches!(ext.as_str(), ".yaml" | ".yml" | ".tpl" | ".txt") {
                let text = format!(
                    "file extension '{ext}' not valid. Valid extensions are .yaml, .yml, .tpl, or \
                     .txt"
                );
                self.error("HL035", &name, text);
            }
            if !matches!(ext.to_lowercase().as_str(), ".yaml" | ".yml") {
                continue;
            }
            let joined = format!("{}/{name}", chart.metadata.name);
            let joined = path::clean(joined.as_bytes());
            let Some(text) = files.get(&*String::from_utf8_lossy(&joined)) else { continue };
            if is_blank(text) {
                continue;
            }
            if let Some(complaint) = illegal_indent(text) {
                self.warn("HL036", &name, complaint);
            }
            if !self.objects(&name, text) {
                return;
            }
        }
    }

    /// Checks the objects of one file; false where its text is no YAML, which ends the group.
    fn objects(&mut self, name: &str, text: &[u8]) -> bool {
        for document in documents(text) {
            let head = match document {
                Ok(Some(head)) => head,
                Ok(None) => continue,
                Err(error) => {
                    self.error("HL037", name, format!("unable to parse YAML: {error}"));
                    return false;
                }
            };
            if let Some(complaint) = wrong_name(&head.kind, &head.name) {
                self.warn("HL038", name, complaint);
            }
            if let Some(complaint) = self.deprecation(&head) {
                self.warn("HL039", name, complaint);
            }
            let selects = || contains(text, b"matchLabels") || contains(text, b"matchExpressions");
            let kind = head.kind.as_str();
            if matches!(kind, "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet")
                && !selects()
            {
                let complaint = format!(
                    "a {kind} must contain matchLabels or matchExpressions, and {} does not",
                    quote(&head.name)
                );
                self.error("HL040", name, complaint);
            }
            if kind == "List" && has_kept_item(text) {
                let complaint =
                    "annotation 'helm.sh/resource-policy' within List objects are ignored";
                self.error("HL041", name, complaint);
            }
        }
        true
    }

    fn deprecation(&self, head: &Head) -> Option<String> {
        let life = lifecycle::of_scheme(&head.api_version, &head.kind)?;
        let version = match &self.options.kube_version {
            Some(version) => version.clone(),
            None => Capabilities::default().kube_version().clone(),
        };
        let number = |text: &str| text.parse::<u32>().ok();
        let current = (number(version.major())?, number(version.minor())?);
        (life.deprecated <= current || current == (0, 0)).then(|| life.warning())
    }
}

fn is_blank(text: &[u8]) -> bool {
    unicode::runes(text).all(|(rune, _)| unicode::is_space(rune))
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find(text, word).is_some()
}

/// The first line that is not blank must not be indented.
fn illegal_indent(text: &[u8]) -> Option<String> {
    for line in text.split(|b| *b == b'\n') {
        if line.len() >= MAX_LINE {
            return Some("bufio.Scanner: token too long".to_owned());
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if is_blank(line) {
            continue;
        }
        let indented = matches!(line.first(), Some(b' ' | b'\t'));
        return indented.then(|| {
            let line = quote(&String::from_utf8_lossy(line));
            format!(
                "document starts with an illegal indent: {line}, which may cause parsing problems"
            )
        });
    }
    None
}

/// Whether an item of a list, the file's first document, carries a policy that Helm would not see.
fn has_kept_item(text: &[u8]) -> bool {
    let Ok(document) = Document::parse(text) else { return false };
    let Some(items) = document.root().get(b"items") else { return false };
    items.items().any(|item| {
        let annotations = item.get(b"metadata").and_then(|m| m.get(b"annotations"));
        annotations.is_some_and(|annotations| {
            annotations.node_type() == NodeType::Mapping
                && annotations.get(b"helm.sh/resource-policy").is_some()
        })
    })
}
