//! The explanation of a line.

use crate::changes::others;
use crate::origins::Origins;
use crate::path::{Path, Step, leaves};
use crate::target::{At, Fate, ObjectName, Target};
use crate::trace::{FileTrace, Made, Place, Read, Recorder, find};
use bowsprit_chart::Chart;
use bowsprit_render::plan::Plan;
use bowsprit_render::{CompiledChart, Engine, Error, RenderRequest, RenderedFiles};
use bowsprit_value::{Host, Map, Value};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

/// What a change of a value does to a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The line reads otherwise.
    Changes,
    /// The line is there or not.
    Decides,
}

impl Effect {
    /// `changes` or `decides`.
    pub const fn name(&self) -> &'static str {
        match self {
            Effect::Changes => "changes",
            Effect::Decides => "decides",
        }
    }
}

/// Something that a render is given and that a line depends on.
#[derive(Clone, Debug)]
pub struct Cause {
    /// What it is.
    pub read: Read,
    /// The value that it has; none where nothing is set.
    pub value: Option<Value>,
    /// The value that was tried instead.
    pub tried: Value,
    /// What the change did.
    pub effect: Effect,
    /// What stood in the line's place then.
    pub became: Option<String>,
    /// Whether it was read for this very line.
    pub near: bool,
}

impl Cause {
    /// The path of the value, or the name of the object's field.
    pub fn name(&self) -> String {
        match &self.read {
            Read::Value(path) => path.to_string(),
            Read::Object(name) => name.clone(),
        }
    }

    /// The path, for a value.
    pub fn path(&self) -> Option<&Path> {
        match &self.read {
            Read::Value(path) => Some(path),
            Read::Object(_) => None,
        }
    }
}

/// What is explained.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// The file: `web/templates/a.yaml`.
    pub file: String,
    /// The line of the file, from 1.
    pub line: usize,
    /// The line's text.
    pub text: String,
    /// The object that it belongs to.
    pub object: ObjectName,
    /// The path in the object; none for a line without a value.
    pub path: Option<Path>,
}

/// Why a line is as it is.
#[derive(Clone, Debug, Default)]
pub struct Explanation {
    /// The line.
    pub subject: Subject,
    /// The places in templates that made it, the outermost first.
    pub places: Vec<Place>,
    /// What it depends on: what was read for the line itself comes first.
    pub causes: Vec<Cause>,
    /// What was read and could not be changed without breaking the render.
    pub unclear: Vec<String>,
    /// What else was read for the line and is no value of the user's.
    pub also_read: Vec<String>,
    /// How many values were not tried, because the caller wanted an end.
    pub untried: usize,
}

/// What makes the world that a render sees: the same one each time.
pub(crate) type MakeHost<'e> = &'e dyn Fn() -> Box<dyn Host>;

/// Explains the output of one render.
pub struct Explainer<'e> {
    pub(crate) chart: &'e CompiledChart,
    pub(crate) request: RenderRequest,
    host: MakeHost<'e>,
    pub(crate) values: Map,
    pub(crate) instances: Vec<String>,
    pub(crate) files: RenderedFiles,
    traces: BTreeMap<String, FileTrace>,
    /// What files became with other values; many lines ask for the same.
    tried: RefCell<Outcomes>,
}

/// What a file became for each value that one read of it was given, by file, read and leaf.
type Outcomes = HashMap<(String, Read, usize), Rc<Vec<Outcome>>>;

/// What a file became.
#[derive(Debug)]
enum Outcome {
    Broken,
    Same,
    Gone,
    Other(Vec<u8>),
}

impl std::fmt::Debug for Explainer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Explainer").field("chart", self.chart).finish_non_exhaustive()
    }
}

/// Values that a table or list stands for are tried up to this number.
const MAX_LEAVES: usize = 400;

/// How many other values are tried in the place of one.
const MAX_OTHERS: usize = 3;

impl<'e> Explainer<'e> {
    /// Renders a chart with an eye on what happens. `host` makes the world that each render sees, and
    /// must make the same one each time.
    ///
    /// # Errors
    ///
    /// Fails where the chart can't be rendered.
    pub fn new(
        chart: &'e CompiledChart,
        mut request: RenderRequest,
        host: MakeHost<'e>,
    ) -> Result<Explainer<'e>, Error> {
        let plan = chart.plan(&request)?.output;
        // What is tried need not be what a schema allows.
        request.skip_schema_validation = true;
        let mut recorder = Recorder::new(&plan.values);
        let rendered = chart.render_plan(&plan, &request, &*host(), Some(&mut recorder))?;
        // Templates may have changed the values of that plan.
        let plan = chart.plan(&request)?.output;
        Ok(Explainer {
            chart,
            host,
            values: plan.values.clone(),
            instances: plan.instances.iter().map(|instance| instance.path.clone()).collect(),
            files: rendered.output,
            traces: recorder.files,
            tried: RefCell::default(),
            request,
        })
    }

    /// The rendered files.
    pub fn files(&self) -> &RenderedFiles {
        &self.files
    }

    /// The values that the templates saw, of the root chart and so of all.
    pub fn values(&self) -> &Map {
        &self.values
    }

    /// Explains a line. `printed` is what was printed of the release, where the line is named by its
    /// number. Values are tried until `go_on` says no.
    ///
    /// # Errors
    ///
    /// Where there is no such line, with what there is instead.
    pub fn explain(
        &self,
        at: &At,
        printed: &str,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Explanation, String> {
        let target = self.target(at, printed)?;
        let mut explanation = Explanation { subject: self.subject(&target), ..Default::default() };
        let Some(trace) = self.traces.get(&target.file) else {
            return Err(format!("{}: no template wrote it", target.file));
        };
        let made = trace.made(self.traced_offset(trace, &target));
        explanation.also_read = objects_read(&made);
        let text = self.files.get(&target.file).cloned().unwrap_or_default();
        let alone =
            self.file(&target.file, &self.request).ok().flatten().as_deref() == Some(&*text);
        for (candidate, near) in self.candidates(trace, &made, &target.file) {
            if !go_on() {
                explanation.untried += 1;
                continue;
            }
            match self.try_out(&candidate, &target, &text, alone) {
                Tried::Nothing => {}
                Tried::Broken => explanation.unclear.push(name_of(&candidate)),
                Tried::Done(tried, fate) => {
                    let (effect, became) = match fate {
                        Fate::Changed(text) => (Effect::Changes, Some(text)),
                        _ => (Effect::Decides, None),
                    };
                    let value = self.value_of(&candidate);
                    let read = candidate;
                    explanation.causes.push(Cause { read, value, tried, effect, became, near });
                }
            }
        }
        // What changes the text of the line is more to the point than what lets it be there.
        explanation.causes.sort_by_key(|cause| (cause.effect == Effect::Decides, !cause.near));
        explanation.places = made.places;
        Ok(explanation)
    }

    fn subject(&self, target: &Target) -> Subject {
        let text = self.files.get(&target.file).map(Vec::as_slice).unwrap_or_default();
        let before = text.get(..target.offset).unwrap_or_default();
        Subject {
            file: target.file.clone(),
            line: before.iter().filter(|b| **b == b'\n').count() + 1,
            text: target.line.clone(),
            object: target.object.clone(),
            path: target.path.clone(),
        }
    }

    pub(crate) fn value_of(&self, read: &Read) -> Option<Value> {
        match read {
            Read::Value(path) => path.value_in(&self.values),
            Read::Object(name) => {
                let release = &self.request.release;
                let metadata = &self.chart.chart().metadata;
                let text = match name.as_str() {
                    "Release.Name" => &release.name,
                    "Release.Namespace" => &release.namespace,
                    "Chart.Version" => &metadata.version,
                    "Chart.AppVersion" => &metadata.app_version,
                    _ => return None,
                };
                Some(Value::from(text.as_str()))
            }
        }
    }

    /// Where the target's line is in the text as the templates wrote it.
    fn traced_offset(&self, trace: &FileTrace, target: &Target) -> usize {
        let finished = self.files.get(&target.file).map(Vec::as_slice).unwrap_or_default();
        if finished.len() == trace.text().len() {
            return target.offset;
        }
        // `<no value>` was taken out; it holds no line break.
        let before = finished.get(..target.offset).unwrap_or_default();
        let line = before.iter().filter(|b| **b == b'\n').count();
        let mut breaks = trace.text().iter().enumerate().filter(|(_, b)| **b == b'\n');
        match line.checked_sub(1) {
            Some(before) => breaks.nth(before).map_or(0, |(at, _)| at + 1),
            None => 0,
        }
    }

    /// The target that is meant.
    fn target(&self, at: &At, printed: &str) -> Result<Target, String> {
        match at {
            At::Object(object, path) => {
                let files = self.files.iter().filter(|(name, _)| !name.ends_with("NOTES.txt"));
                let mut found =
                    files.filter_map(|(file, text)| Target::named(file, text, object, path));
                match found.next() {
                    Some(found) => found,
                    None => {
                        Err(format!("{object} is not among the objects{}", self.similar(object)))
                    }
                }
            }
            At::Line(line) => self.printed_line(printed, *line),
        }
    }

    fn similar(&self, object: &ObjectName) -> String {
        let mut names: Vec<String> = Vec::new();
        for (file, text) in &self.files {
            if file.ends_with("NOTES.txt") {
                continue;
            }
            for found in bowsprit_manifest::objects(text).unwrap_or_default() {
                let identity = found.identity;
                if identity.kind.eq_ignore_ascii_case(&object.kind) || identity.name == object.name
                {
                    names.push(format!("{}/{}", identity.kind, identity.name));
                }
            }
        }
        names.truncate(10);
        if names.is_empty() { String::new() } else { format!("; there is {}", names.join(", ")) }
    }

    /// The line of a file that a line of what was printed comes from.
    fn printed_line(&self, printed: &str, number: usize) -> Result<Target, String> {
        let lines: Vec<&str> = printed.lines().collect();
        let Some(line) = lines.get(number - 1) else {
            return Err(format!("there are only {} lines", lines.len()));
        };
        let head = (0..number).rev().find(|at| is_head(&lines, *at));
        let Some(head) = head.filter(|head| number - 1 > head + 1) else {
            return Err(format!("line {number}, {line:?}, stands between the objects"));
        };
        let file = lines.get(head + 1).and_then(|line| line.strip_prefix("# Source: "));
        let file = file.unwrap_or_default();
        let Some(text) = self.files.get(file) else {
            return Err(format!("line {number} comes from {file}, which is no template"));
        };
        let end = (head + 1..lines.len()).find(|at| is_head(&lines, *at)).unwrap_or(lines.len());
        let document = lines.get(head + 2..end).unwrap_or_default().join("\n");
        let start = find(text, document.trim_end().as_bytes()).ok_or_else(|| {
            format!("line {number}: the object is not found in what {file} renders to")
        })?;
        let before = lines.get(head + 2..number - 1).unwrap_or_default();
        let offset: usize = before.iter().map(|line| line.len() + 1).sum();
        Ok(Target::at_offset(file, text, start + offset))
    }

    /// What may be behind a line, the nearest first, and whether it was read for it.
    fn candidates(&self, trace: &FileTrace, made: &Made, file: &str) -> Vec<(Read, bool)> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let all = trace.all_reads();
        let whole: HashSet<&Read> = all.iter().filter(|(_, end)| *end).map(|(r, _)| r).collect();
        let near = made.reads.iter().map(|read| (read.clone(), true));
        let far = all.iter().map(|(read, _)| (read.clone(), false));
        for (read, near) in near.chain(far) {
            match &read {
                Read::Object(name) if !TRIED_OBJECTS.contains(&name.as_str()) => {}
                Read::Object(_) => {
                    if seen.insert(read.clone()) {
                        found.push((read, near));
                    }
                }
                Read::Value(path) => {
                    let is_whole = whole.contains(&read);
                    for path in self.below(path, is_whole) {
                        let read = Read::Value(path);
                        if seen.insert(read.clone()) {
                            found.push((read, near));
                        }
                    }
                }
            }
        }
        for path in self.switches(file) {
            if seen.insert(Read::Value(path.clone())) {
                found.push((Read::Value(path), false));
            }
        }
        found.sort_by_key(|(_, near)| !near);
        found
    }

    /// The values that a read can stand for: itself, or what is in a table or list that was used as a
    /// whole.
    fn below(&self, path: &Path, whole: bool) -> Vec<Path> {
        let Some(value) = path.value_in(&self.values) else { return vec![path.clone()] };
        let mut found = Vec::new();
        match &value {
            Value::Map(map) if !map.is_empty() => {
                if whole {
                    leaves(&value, path, &mut |path, _| found.push(path));
                    found.truncate(MAX_LEAVES);
                }
            }
            Value::List(list) if !list.is_empty() => {
                leaves(&value, path, &mut |path, _| found.push(path));
                found.truncate(MAX_LEAVES);
                found.push(path.clone());
            }
            _ => found.push(path.clone()),
        }
        found
    }

    /// Conditions and tags that switch the chart on that a file belongs to, and those above it.
    fn switches(&self, file: &str) -> Vec<Path> {
        let mut found = Vec::new();
        let mut chart = Some(Arc::clone(self.chart.chart()));
        let mut prefix = Path::default();
        let folder = file.split("/templates/").next().unwrap_or_default();
        for name in folder.split("/charts/").skip(1) {
            let Some(above) = chart.take() else { break };
            for dependency in above.metadata.dependencies().filter(|d| d.key() == name) {
                let conditions = dependency.condition.split(',').map(str::trim);
                for condition in conditions.filter(|condition| !condition.is_empty()) {
                    let steps = condition.split('.').map(|key| Step::Key(key.to_owned()));
                    found.push(prefix.steps().iter().cloned().chain(steps).collect());
                }
                for tag in dependency.tags.iter().flatten() {
                    found.push(Path::default().key("tags").key(tag));
                }
                let is_it = |sub: &&Arc<Chart>| sub.metadata.name == dependency.name;
                chart = above.dependencies.iter().find(is_it).cloned();
            }
            prefix = prefix.key(name);
        }
        found
    }

    fn try_out(&self, read: &Read, target: &Target, text: &[u8], alone: bool) -> Tried {
        let value = self.value_of(read);
        let (mut broken, mut rendered) = (false, false);
        for (number, other) in others(value.as_ref()).into_iter().take(MAX_OTHERS).enumerate() {
            for outcome in self.outcomes(read, number, &other, target, (text, alone)).iter() {
                let fate = match outcome {
                    Outcome::Broken => {
                        broken = true;
                        continue;
                    }
                    Outcome::Same => Fate::Same,
                    Outcome::Gone => Fate::Gone,
                    Outcome::Other(after) => target.fate(text, after),
                };
                if fate != Fate::Same {
                    return Tried::Done(other, fate);
                }
                rendered = true;
            }
        }
        if broken && !rendered { Tried::Broken } else { Tried::Nothing }
    }

    /// What a file becomes with something changed, in each way in which that can be done.
    fn outcomes(
        &self,
        read: &Read,
        number: usize,
        other: &Value,
        target: &Target,
        (text, alone): (&[u8], bool),
    ) -> Rc<Vec<Outcome>> {
        let key = (target.file.clone(), read.clone(), number);
        if let Some(known) = self.tried.borrow().get(&key) {
            return Rc::clone(known);
        }
        let outcome = |after: Result<Option<Vec<u8>>, Error>| match after {
            Err(_) => Outcome::Broken,
            Ok(None) => Outcome::Gone,
            Ok(Some(after)) if after == text => Outcome::Same,
            Ok(Some(after)) => Outcome::Other(after),
        };
        let found = self.changed_file(read, other, &target.file, alone);
        let found: Rc<Vec<Outcome>> = Rc::new(found.into_iter().map(outcome).collect());
        self.tried.borrow_mut().insert(key, Rc::clone(&found));
        found
    }

    /// A file with something changed, in each way in which that can be done.
    fn changed_file(
        &self,
        read: &Read,
        other: &Value,
        file: &str,
        alone: bool,
    ) -> Vec<Result<Option<Vec<u8>>, Error>> {
        let mut found = Vec::new();
        for (chart, request) in self.changed(read, other) {
            let chart = chart.as_ref().unwrap_or(self.chart);
            found.push(if alone {
                self.file_of(chart, file, &request)
            } else {
                let host = (self.host)();
                let rendered = chart.render_files(&request, &*host);
                rendered.map(|mut rendered| rendered.output.remove(file))
            });
        }
        found
    }

    fn file(&self, file: &str, request: &RenderRequest) -> Result<Option<Vec<u8>>, Error> {
        self.file_of(self.chart, file, request)
    }

    fn file_of(
        &self,
        chart: &CompiledChart,
        file: &str,
        request: &RenderRequest,
    ) -> Result<Option<Vec<u8>>, Error> {
        let plan: Plan = chart.plan(request)?.output;
        chart.render_plan_file(&plan, file, request, &*(self.host)())
    }

    /// All files with something changed, in the first way in which it can be done that changes any.
    pub(crate) fn all_changed(&self, read: &Read, other: &Value) -> Result<RenderedFiles, Error> {
        let mut outcome = Ok(self.files.clone());
        for (chart, request) in self.changed(read, other) {
            let chart = chart.as_ref().unwrap_or(self.chart);
            let rendered = chart.render_files(&request, &*(self.host)());
            outcome = rendered.map(|rendered| rendered.output);
            if outcome.as_ref().is_ok_and(|files| *files != self.files) {
                break;
            }
        }
        outcome
    }

    /// The requests in which something is another; and the chart, where it changes.
    fn changed(&self, read: &Read, other: &Value) -> Vec<(Option<CompiledChart>, RenderRequest)> {
        let text = || other.as_str().map(|text| text.to_string_lossy().into_owned());
        let mut request = self.request.clone();
        match read {
            Read::Value(path) => {
                let ways = self.ways(path);
                let set =
                    |path: Path| path.set_in(&self.request.values, &self.values, other.clone());
                let values = ways.into_iter().filter_map(set);
                values.map(|values| (None, self.request.clone().values(values))).collect()
            }
            Read::Object(name) => {
                let Some(text) = text().filter(|text| !text.is_empty()) else { return Vec::new() };
                match name.as_str() {
                    "Release.Name" => request.release.name = text,
                    "Release.Namespace" => request.release.namespace = text,
                    field => {
                        let mut chart = Chart::clone(self.chart.chart());
                        match field {
                            "Chart.Version" => chart.metadata.version = text,
                            _ => chart.metadata.app_version = text,
                        }
                        let engine = Engine::builder().compat(self.chart.compat()).build();
                        return vec![(Some(engine.compile(Arc::new(chart))), request)];
                    }
                }
                vec![(None, request)]
            }
        }
    }

    /// Where a user would set a value: a subchart's globals are those of the root first.
    pub fn ways(&self, path: &Path) -> Vec<Path> {
        let mut ways = Vec::new();
        let steps = path.steps();
        let mut instance = self.instances.first().cloned().unwrap_or_default();
        for (number, step) in steps.iter().enumerate() {
            let Step::Key(key) = step else { break };
            if number > 0 && key == "global" {
                ways.push(steps.get(number..).unwrap_or_default().iter().cloned().collect());
                break;
            }
            instance = format!("{instance}/charts/{key}");
            if !self.instances.contains(&instance) {
                break;
            }
        }
        ways.push(path.clone());
        ways
    }

    /// Where the value of a cause comes from.
    pub fn origin_of(&self, cause: &Cause, origins: &Origins) -> Option<crate::Origin> {
        let path = cause.path()?;
        origins
            .of_value(path)
            .or_else(|| self.ways(path).into_iter().find_map(|path| origins.of_value(&path)))
    }
}

/// Fields of other objects than the values that can be changed.
const TRIED_OBJECTS: &[&str] =
    &["Release.Name", "Release.Namespace", "Chart.Version", "Chart.AppVersion"];

enum Tried {
    Nothing,
    Broken,
    Done(Value, Fate),
}

fn name_of(read: &Read) -> String {
    match read {
        Read::Value(path) => path.to_string(),
        Read::Object(name) => name.clone(),
    }
}

fn objects_read(made: &Made) -> Vec<String> {
    let names = made.reads.iter().filter_map(|read| match read {
        Read::Object(name) if name.contains('.') && !TRIED_OBJECTS.contains(&name.as_str()) => {
            Some(name.clone())
        }
        _ => None,
    });
    names.collect()
}

fn is_head(lines: &[&str], at: usize) -> bool {
    lines.get(at) == Some(&"---")
        && lines.get(at + 1).is_some_and(|line| line.starts_with("# Source: "))
}
