//! Which charts take part in a render, under which names and with which values.
//!
//! This is Helm's `ProcessDependencies`: conditions and tags switch subcharts off, aliases copy them,
//! `import-values` takes values up into the parent. Helm changes the loaded charts; here all of it
//! happens on numbered copies of what can change, and the charts stay shared. Where Helm's shallow
//! copies let two instances of a chart see each other's changes, these do too.

mod imports;

use crate::compat::{AliasSubcharts, Compat, DefaultNulls, Rules, StepErrors};
use crate::values::coalesce::{ChartTree, Nulls, coalesce, coalesce_knowing, is_clean};
use crate::values::known::Known;
use crate::values::log::Log;
use crate::values::path::path_value;
use crate::values::{ValuesError, ValuesErrorKind};
use bowsprit_chart::{Chart, Dependency, Level, LogLine, Metadata};
use bowsprit_semver::{Constraint, Version};
use bowsprit_value::{Entries, Map, Meter, Str, Value, unicode};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Helm has no such bound; aliases of charts with aliases multiply.
const MAX_INSTANCES: usize = 100_000;

/// No loader nests charts deeper.
const MAX_DEPTH: usize = 100;

/// A chart as one place of the tree sees it.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The chart's name, or the alias it goes by.
    pub name: Str,
    /// Where its templates lie: `root/charts/name/charts/...`.
    pub path: String,
    /// The chart itself.
    pub chart: Arc<Chart>,
    /// What `.Chart` says in place of the chart's own metadata, its name left out.
    pub metadata: Option<Arc<Metadata>>,
    /// `.Chart.Dependencies`: those that are enabled, under their aliases, with `import-values` as Helm
    /// rewrites them. `None` where Go has nil.
    pub dependencies: Option<Arc<Vec<Dependency>>>,
    /// The default values, with those that were imported. Must not be written; fork it.
    pub defaults: Map,
    /// The defaults are known to contain no null.
    clean: bool,
    /// Index of the parent in [`Plan::instances`].
    pub parent: Option<usize>,
    /// Indexes of the subcharts, in Helm's order.
    pub children: Vec<usize>,
}

impl Instance {
    /// What `.Chart` says.
    pub fn metadata(&self) -> &Metadata {
        self.metadata.as_deref().unwrap_or(&self.chart.metadata)
    }
}

/// The instances of a render and their values.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The root comes first, parents before their children.
    pub instances: Arc<Vec<Instance>>,
    /// The root's values. Those of a subchart are the table under its name, the same reference.
    pub values: Map,
    nulls: DefaultNulls,
    /// Laying the values over the defaults once more would change nothing and log nothing.
    settled: bool,
    /// Where the compiled chart remembers what goes with it.
    pub(crate) slot: usize,
}

impl Plan {
    /// A plan whose values can be written without a change in this one's, which must not change any more.
    pub(crate) fn fork(&self) -> Plan {
        Plan {
            instances: Arc::clone(&self.instances),
            values: self.values.fork(),
            nulls: self.nulls,
            settled: self.settled,
            slot: self.slot,
        }
    }

    /// A fork whose values share nothing with those of other plans.
    pub(crate) fn detached(&self) -> Plan {
        Plan { values: self.values.detached(), ..self.fork() }
    }

    /// Lays the values over the charts' defaults once more, as `helm lint` does: what a null of the
    /// user's had deleted comes back. What Helm logs on the way is added to `log`.
    ///
    /// # Errors
    ///
    /// As [`plan`].
    pub fn coalesce_again(&mut self, log: &mut Vec<LogLine>) -> Result<(), ValuesError> {
        if self.settled {
            return Ok(());
        }
        let mut own = Log::default();
        let values = coalesce(self, 0, &self.values, Nulls::Delete, &mut own);
        log.append(&mut own.lines);
        self.values = values?;
        Ok(())
    }

    /// The values of an instance: its table among those of the root.
    pub fn values_of(&self, index: usize) -> Option<Map> {
        let mut names = Vec::new();
        let mut at = self.instances.get(index)?;
        while let Some(parent) = at.parent {
            names.push(&at.name);
            at = self.instances.get(parent)?;
        }
        names.iter().rev().try_fold(self.values.clone(), |values, name| {
            values.get(name.as_bytes())?.as_map().cloned()
        })
    }
}

impl ChartTree for Plan {
    fn name(&self, id: usize) -> &Str {
        const EMPTY: &Str = &Str::from_static("");
        self.instances.get(id).map_or(EMPTY, |i| &i.name)
    }

    fn defaults(&self, id: usize) -> Option<&Map> {
        self.instances.get(id).map(|i| &i.defaults)
    }

    fn children(&self, id: usize) -> &[usize] {
        self.instances.get(id).map(|i| i.children.as_slice()).unwrap_or_default()
    }

    fn is_clean(&self, id: usize) -> bool {
        self.instances.get(id).is_some_and(|i| i.clean)
    }

    fn default_nulls(&self) -> DefaultNulls {
        self.nulls
    }
}

/// Plans a render: switches subcharts on and off and lays the user's values over the defaults.
///
/// The user's values are not changed, and must not be changed any more. What Helm logs on the way is
/// added to `log`, also where the plan fails.
///
/// # Errors
///
/// Fails where a subchart's values are no table, with Helm's text; with [`ValuesErrorKind::Limit`]
/// where aliases make far too many instances.
pub fn plan(chart: &Arc<Chart>, user: &Map, log: &mut Vec<LogLine>) -> Result<Plan, ValuesError> {
    plan_as(chart, user, Compat::default(), log)
}

/// As [`plan`], as one of Helm's releases does it.
///
/// # Errors
///
/// As [`plan`].
pub fn plan_as(
    chart: &Arc<Chart>,
    user: &Map,
    compat: Compat,
    log: &mut Vec<LogLine>,
) -> Result<Plan, ValuesError> {
    planned(chart, user, Planner::new(compat.rules()), log)
}

fn planned(
    chart: &Arc<Chart>,
    user: &Map,
    mut planner: Planner,
    log: &mut Vec<LogLine>,
) -> Result<Plan, ValuesError> {
    let rules = planner.rules;
    let outcome = planner.enable(chart, user);
    if let Ok(root) = outcome
        && let Some(plan) = planner.without_imports(root, user)
    {
        log.append(&mut planner.log.lines);
        return Ok(plan);
    }
    let outcome = outcome.and_then(|root| planner.import_all(root));
    log.append(&mut planner.log.lines);
    let mut instances = outcome.map_err(|error| {
        if rules.step_errors == StepErrors::Bare {
            return error;
        }
        log.push(LogLine {
            level: Level::Error,
            message: "chart dependencies processing failed".to_owned(),
            attrs: vec![("error", error.to_string())],
        });
        error.prefixed("chart dependencies processing failed: ")
    })?;
    let values = coalesce(&instances, 0, user, Nulls::Delete, &mut planner.log);
    log.append(&mut planner.log.lines);
    instances.values = values?;
    Ok(instances)
}

/// All instances that a chart could have, those that are switched off too, for looking at templates
/// without running them. The values are empty. None for more than could be looked at.
pub(crate) fn plan_everything(chart: &Arc<Chart>) -> Option<Plan> {
    const MAX: usize = 2_000;
    let instance = |name: &str, path: String, chart: &Arc<Chart>, parent| Instance {
        name: name.into(),
        path,
        chart: Arc::clone(chart),
        metadata: None,
        dependencies: None,
        defaults: chart.values.clone(),
        clean: false,
        parent,
        children: Vec::new(),
    };
    let name = chart.metadata.name.as_str();
    let mut instances = vec![instance(name, name.to_owned(), chart, None)];
    let mut at = 0;
    while let Some(Instance { chart, path, .. }) = instances.get(at).cloned() {
        for sub in &chart.dependencies {
            let asked = chart.metadata.dependencies().filter(|d| d.name == sub.metadata.name);
            let mut names: Vec<String> = asked.map(|d| d.key().to_owned()).collect();
            if names.is_empty() {
                names.push(sub.metadata.name.clone());
            }
            for name in names {
                let path = format!("{path}/charts/{name}");
                instances.push(instance(&name, path, sub, Some(at)));
            }
        }
        if instances.len() > MAX {
            return None;
        }
        at += 1;
    }
    let nulls = Compat::default().rules().default_nulls;
    Some(Plan {
        instances: Arc::new(instances),
        values: Map::new(),
        nulls,
        settled: false,
        slot: 0,
    })
}

/// Whether a version satisfies a constraint; false also where either can't be read.
pub fn is_compatible_range(constraint: &str, version: &str) -> bool {
    let Ok(version) = Version::parse(version) else { return false };
    Constraint::parse(constraint).is_ok_and(|constraint| constraint.check(&version))
}

/// Checks a chart's `kubeVersion` against the cluster's version: `normalized` is compared, `shown` is
/// what the error says.
///
/// # Errors
///
/// Fails with Helm's text where the chart does not want this cluster.
pub fn check_kube_version(chart: &Chart, normalized: &str, shown: &str) -> Result<(), ValuesError> {
    let wanted = &chart.metadata.kube_version;
    if wanted.is_empty() || is_compatible_range(wanted, normalized) {
        return Ok(());
    }
    let text = format!(
        "chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {shown}"
    );
    Err(ValuesError::new(ValuesErrorKind::KubeVersion, text))
}

/// Helm's `Metadata`, as far as it changes. Shallow copies of a chart share it.
#[derive(Clone, Debug)]
struct Meta {
    name: Str,
    dependencies: Option<Vec<Dependency>>,
}

/// Helm's `Chart`, as far as it changes.
#[derive(Clone, Debug)]
struct Node {
    chart: Arc<Chart>,
    meta: usize,
    values: Map,
    clean: bool,
    children: Vec<usize>,
    parent: Option<usize>,
}

/// Where in the tree subcharts are switched on and off.
#[derive(Clone, Copy, Debug, Default)]
struct Place<'p> {
    /// The names of the charts from below the root on, with a dot behind each.
    path: &'p str,
    depth: usize,
    /// With how many entries it pays again to look for those that matter.
    entries: usize,
}

/// Charts under way from loaded to planned.
#[derive(Debug)]
struct Planner {
    nodes: Vec<Node>,
    metas: Vec<Meta>,
    log: Log,
    meter: Meter,
    rules: &'static Rules,
    /// While subcharts are switched on and off, the charts below are coalesced once for each chart above.
    known: Known,
    /// Whether to leave out what comes to the same.
    hurries: bool,
    /// The values of the root chart with all of its subcharts, where there was nothing to complain of.
    coalesced: Option<Map>,
    /// Whether that is out of date, since below other charts are there, or in another order.
    changed: bool,
}

impl ChartTree for Planner {
    fn name(&self, id: usize) -> &Str {
        const EMPTY: &Str = &Str::from_static("");
        let meta = self.nodes.get(id).and_then(|node| self.metas.get(node.meta));
        meta.map_or(EMPTY, |meta| &meta.name)
    }

    fn defaults(&self, id: usize) -> Option<&Map> {
        self.nodes.get(id).map(|node| &node.values)
    }

    fn children(&self, id: usize) -> &[usize] {
        self.nodes.get(id).map(|node| node.children.as_slice()).unwrap_or_default()
    }

    fn is_clean(&self, id: usize) -> bool {
        self.nodes.get(id).is_some_and(|node| node.clean)
    }

    fn default_nulls(&self) -> DefaultNulls {
        self.rules.default_nulls
    }
}

fn too_many() -> ValuesError {
    let text = "limit reached: too many instances of charts";
    ValuesError::new(ValuesErrorKind::Limit, text)
}

fn too_deep() -> ValuesError {
    ValuesError::new(ValuesErrorKind::Limit, "limit reached: charts are nested too deeply")
}

impl Planner {
    fn new(rules: &'static Rules) -> Planner {
        Planner {
            nodes: Vec::new(),
            metas: Vec::new(),
            log: Log::default(),
            meter: Meter::default(),
            rules,
            known: Known::learning(),
            hurries: true,
            coalesced: None,
            changed: false,
        }
    }

    fn enable(&mut self, chart: &Arc<Chart>, user: &Map) -> Result<usize, ValuesError> {
        let root = self.load(chart, None, 0)?;
        self.process_enabled(root, user, Place::default())?;
        Ok(root)
    }

    fn import_all(&mut self, root: usize) -> Result<Plan, ValuesError> {
        self.process_imports(root, 0)?;
        self.settle(root)
    }

    /// The plan where nothing is imported. Helm lays the defaults of every chart under those of its
    /// parent before it comes to the user's values, which makes the work grow with the cube of the depth.
    /// Where there is no null to delete anything, nothing to complain of, and no two subcharts of one name
    /// whose globals meet, the same values come out without that; `None` elsewhere.
    fn without_imports(&mut self, root: usize, user: &Map) -> Option<Plan> {
        let subtree = self.subtree(root);
        let imports = |id: &usize| {
            let meta = self.nodes.get(*id).and_then(|node| self.metas.get(node.meta));
            let list = meta.iter().flat_map(|meta| meta.dependencies.iter().flatten());
            list.into_iter().any(|dependency| dependency.import_values.is_some())
        };
        let namesakes = |id: &usize| {
            let mut names: Vec<&Str> = self.children(*id).iter().map(|&id| self.name(id)).collect();
            names.sort_unstable();
            !names.is_sorted_by(|a, b| a < b)
        };
        let plain = |id: &usize| self.is_clean(*id) && !imports(id) && !namesakes(id);
        if !subtree.iter().all(plain) || !is_clean(user) {
            return None;
        }
        let known = self.coalesced.take().filter(|_| self.hurries && !self.changed);
        let values = match known {
            Some(values) => values,
            None => {
                let mut log = Log::default();
                let values = coalesce(self, root, user, Nulls::Delete, &mut log).ok()?;
                if !log.lines.is_empty() {
                    return None;
                }
                values
            }
        };
        let plan = self.settle(root).ok()?;
        Some(Plan { values, settled: true, ..plan })
    }

    fn load(
        &mut self,
        chart: &Arc<Chart>,
        parent: Option<usize>,
        depth: usize,
    ) -> Result<usize, ValuesError> {
        if depth > MAX_DEPTH {
            return Err(too_deep());
        }
        let dependencies = chart.metadata.dependencies.as_ref();
        self.metas.push(Meta {
            name: chart.metadata.name.as_str().into(),
            dependencies: dependencies.map(|list| list.iter().flatten().cloned().collect()),
        });
        let id = self.add(Node {
            chart: Arc::clone(chart),
            meta: self.metas.len() - 1,
            values: chart.values.clone(),
            clean: is_clean(&chart.values),
            children: Vec::new(),
            parent,
        })?;
        for child in &chart.dependencies {
            let child = self.load(child, Some(id), depth + 1)?;
            if let Some(node) = self.nodes.get_mut(id) {
                node.children.push(child);
            }
        }
        Ok(id)
    }

    fn add(&mut self, node: Node) -> Result<usize, ValuesError> {
        if self.nodes.len() >= MAX_INSTANCES {
            return Err(too_many());
        }
        self.nodes.push(node);
        Ok(self.nodes.len() - 1)
    }

    fn dependencies(&mut self, id: usize) -> Option<&mut Vec<Dependency>> {
        let meta = self.nodes.get(id)?.meta;
        self.metas.get_mut(meta)?.dependencies.as_mut()
    }

    fn set_children(&mut self, id: usize, children: Vec<usize>) {
        for child in &children {
            if let Some(node) = self.nodes.get_mut(*child) {
                node.parent = Some(id);
            }
        }
        if let Some(node) = self.nodes.get_mut(id) {
            node.children = children;
        }
    }

    /// Helm's `processDependencyEnabled`. A chart without a list keeps its subcharts as they are, and
    /// so do these.
    fn process_enabled(
        &mut self,
        id: usize,
        values: &Map,
        place: Place<'_>,
    ) -> Result<(), ValuesError> {
        if place.depth > MAX_DEPTH {
            return Err(too_deep());
        }
        let Some(wanted) = self.dependencies(id).map(|list| list.clone()) else { return Ok(()) };
        let children = self.instantiate(id, &wanted)?;
        if place.depth > 0 {
            let before = self.children(id).iter().map(|&child| self.name(child));
            self.changed |= !before.eq(children.iter().map(|&child| self.name(child)));
        }
        self.set_children(id, children);
        for dependency in self.dependencies(id).into_iter().flatten() {
            if !dependency.alias.is_empty() {
                dependency.name.clone_from(&dependency.alias);
            }
            dependency.enabled = true;
        }
        if place.depth > 0 && self.hurries && self.all_stay(id, values) {
            if let Some(meta) = self.nodes.get(id).and_then(|node| self.metas.get_mut(node.meta)) {
                meta.dependencies = meta.dependencies.take().filter(|list| !list.is_empty());
            }
            return Ok(());
        }
        let coalesced = self.coalesce_below(id, values, place.depth == 0)?;
        let mut wanted = self.dependencies(id).map(std::mem::take).unwrap_or_default();
        for dependency in &mut wanted {
            self.apply_tags(dependency, &coalesced);
        }
        for dependency in &mut wanted {
            self.apply_condition(dependency, &coalesced, place.path);
        }
        let enabled = self.without_disabled(id, &wanted);
        self.changed |= enabled.len() != self.children(id).len();
        if let Some(list) = self.dependencies(id) {
            list.clone_from(&wanted);
        }
        for &child in &enabled {
            if self.dependencies(child).is_none() {
                continue;
            }
            let path = format!("{}{}.", place.path, self.name(child));
            let below = Place { path: &path, depth: place.depth + 1, entries: place.entries };
            if coalesced.len() <= place.entries || self.hurries && self.all_stay(child, &coalesced)
            {
                self.process_enabled(child, &coalesced, below)?;
                continue;
            }
            let concerning = self.what_concerns(child, &coalesced, place.path);
            let entries = (2 * concerning.len()).max(64);
            self.process_enabled(child, &concerning, Place { entries, ..below })?;
        }
        let off: Vec<String> =
            wanted.iter().filter(|d| !d.enabled).map(|d| d.name.clone()).collect();
        wanted.retain(|d| !off.contains(&d.name));
        let meta = self.nodes.get(id).map_or(usize::MAX, |node| node.meta);
        if let Some(meta) = self.metas.get_mut(meta) {
            meta.dependencies = (!wanted.is_empty()).then_some(wanted);
        }
        self.set_children(id, enabled);
        Ok(())
    }

    /// The values of a chart and those below it. Those of the root are remembered, if that was quiet.
    fn coalesce_below(
        &mut self,
        id: usize,
        values: &Map,
        is_root: bool,
    ) -> Result<Map, ValuesError> {
        let (mut log, mut known) = (std::mem::take(&mut self.log), std::mem::take(&mut self.known));
        let said = log.lines.len();
        let coalesced = coalesce_knowing(self, id, values, Nulls::Delete, &mut log, &mut known);
        let quiet = log.lines.len() == said;
        (self.log, self.known) = (log, known);
        let coalesced = coalesced?;
        if is_root && quiet {
            self.coalesced = Some(coalesced.clone());
        }
        Ok(coalesced)
    }

    /// Whether nothing can switch off a subchart of a chart, none of them has a list itself, and laying the
    /// values over the defaults of all of them would go without a word. Then that need not be done.
    fn all_stay(&self, id: usize, values: &Map) -> bool {
        let Some(defaults) = self.defaults(id) else { return false };
        let list = |id: usize| {
            let meta = self.nodes.get(id).and_then(|node| self.metas.get(node.meta));
            meta.and_then(|meta| meta.dependencies.as_deref())
        };
        let tagged = values.contains(b"tags") || defaults.contains(b"tags");
        let is_asked = |dependency: &Dependency| {
            let tags = dependency.tags.iter().flatten().next();
            !dependency.condition.is_empty() || tagged && tags.is_some()
        };
        if list(id).unwrap_or_default().iter().any(is_asked) {
            return false;
        }
        let mut names: Vec<&Str> =
            self.children(id).iter().map(|&child| self.name(child)).collect();
        names.sort_unstable();
        let is_alone = |child: &usize| {
            let name = self.name(*child).as_bytes();
            let gives_globals = self.defaults(*child).is_some_and(|map| map.contains(b"global"));
            let is_new = !values.contains(name) && !defaults.contains(name);
            is_new && !gives_globals && self.children(*child).is_empty() && list(*child).is_none()
        };
        // What is below a table of the values may not fit what the defaults have there.
        let meets_nothing = |(key, default): (&Str, &Value)| {
            values.get(key.as_bytes()).is_none_or(|value| {
                matches!((value, default), (Value::Map(table), Value::Map(_)) if table.is_empty())
            })
        };
        let is_table = |map: &Map| map.get(b"global").is_none_or(|value| value.as_map().is_some());
        names.is_sorted_by(|a, b| a < b)
            && self.children(id).iter().all(is_alone)
            && is_table(values)
            && is_table(defaults)
            && defaults.peek().iter().all(meets_nothing)
    }

    /// Those entries of the coalesced values that can matter while a chart and those below it are
    /// processed. The others would only be carried along: in Helm they are, which is what makes it slow.
    fn what_concerns(&self, id: usize, values: &Map, path: &str) -> Map {
        let mut names: Vec<&[u8]> = vec![b"tags", b"global"];
        // Conditions are looked up below the first chart of the path.
        let first = path.split('.').next().filter(|name| !name.is_empty());
        names.push(first.map_or(self.name(id).as_bytes(), str::as_bytes));
        let subtree = self.subtree(id);
        let defaults: Vec<Entries> =
            subtree.iter().filter_map(|&below| self.defaults(below)).map(Map::peek).collect();
        for entries in &defaults {
            names.extend(entries.iter().map(|(key, _)| key.as_bytes()));
        }
        for below in subtree {
            names.push(self.name(below).as_bytes());
            let meta = self.nodes.get(below).and_then(|node| self.metas.get(node.meta));
            for dependency in meta.iter().flat_map(|meta| meta.dependencies.iter().flatten()) {
                names.push(dependency.name.as_bytes());
                names.push(dependency.alias.as_bytes());
            }
        }
        names.sort_unstable();
        names.dedup();
        Map::from_entries(
            names.into_iter().filter_map(|name| Some((Str::from(name), values.get(name)?))),
        )
    }

    /// A chart and all those below it.
    fn subtree(&self, id: usize) -> Vec<usize> {
        let mut found = vec![id];
        let mut next = 0;
        while let Some(&id) = found.get(next).filter(|_| next < MAX_INSTANCES) {
            found.extend(self.children(id));
            next += 1;
        }
        found
    }

    /// The subcharts that no entry asks for, then a copy for each entry whose chart is there.
    fn instantiate(&mut self, id: usize, wanted: &[Dependency]) -> Result<Vec<usize>, ValuesError> {
        let loaded = self.children(id).to_vec();
        let mut by_name: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for dependency in wanted {
            by_name.entry(dependency.name.clone().into_bytes()).or_default();
        }
        let mut instances = Vec::with_capacity(loaded.len());
        for child in loaded {
            let name = self.name(child).clone();
            let asked_for = by_name.contains_key(name.as_bytes()) && {
                let named = wanted.iter().filter(|d| d.name.as_bytes() == name.as_bytes());
                let mut named = named;
                named.any(|d| self.is_wanted(child, d))
            };
            if !asked_for {
                instances.push(child);
            }
            if let Some(same) = by_name.get_mut(name.as_bytes()) {
                same.push(child);
            }
        }
        let mut copied = HashSet::new();
        for dependency in wanted {
            let named = by_name.get(dependency.name.as_bytes()).map(Vec::as_slice);
            let mut named = named.unwrap_or_default().iter().copied();
            if let Some(found) = named.find(|&child| self.is_wanted(child, dependency)) {
                if !copied.insert(found) {
                    // What is below is shared, and changes for one copy after the other.
                    self.known.give_up();
                }
                instances.push(self.copy(found, &dependency.alias)?);
            }
        }
        Ok(instances)
    }

    fn is_wanted(&self, child: usize, dependency: &Dependency) -> bool {
        self.nodes.get(child).is_some_and(|node| {
            is_compatible_range(&dependency.version, &node.chart.metadata.version)
        })
    }

    /// Helm's `getAliasDependency`: metadata of its own, but subcharts that share theirs.
    fn copy(&mut self, id: usize, alias: &str) -> Result<usize, ValuesError> {
        let Some(mut node) = self.nodes.get(id).cloned() else { return Ok(id) };
        if let Some(mut meta) = self.metas.get(node.meta).cloned() {
            if !alias.is_empty() {
                meta.name = alias.into();
            }
            node.meta = self.metas.len();
            self.metas.push(meta);
        }
        if self.rules.alias_subcharts == AliasSubcharts::Shared {
            return self.add(node);
        }
        let children = std::mem::take(&mut node.children);
        let copy = self.add(node)?;
        let mut copies = Vec::with_capacity(children.len());
        for child in children {
            if let Some(node) = self.nodes.get(child).cloned() {
                copies.push(self.add(node)?);
            }
        }
        self.set_children(copy, copies);
        Ok(copy)
    }

    fn without_disabled(&self, id: usize, wanted: &[Dependency]) -> Vec<usize> {
        let off: Vec<&[u8]> =
            wanted.iter().filter(|d| !d.enabled).map(|d| d.name.as_bytes()).collect();
        let children = self.children(id).iter().copied();
        children.filter(|&child| !off.contains(&self.name(child).as_bytes())).collect()
    }

    fn apply_tags(&mut self, dependency: &mut Dependency, values: &Map) {
        let Some(Value::Map(tags)) = values.get(b"tags") else { return };
        let (mut on, mut off) = (false, false);
        for tag in dependency.tags.iter().flatten() {
            match tags.get(tag.as_bytes()) {
                None => {}
                Some(Value::Bool(true)) => on = true,
                Some(Value::Bool(false)) => off = true,
                Some(_) => self.warn(
                    "returned non-bool value",
                    vec![("tag", tag.clone()), ("chart", dependency.name.clone())],
                ),
            }
        }
        dependency.enabled = on || !off;
    }

    fn apply_condition(&mut self, dependency: &mut Dependency, values: &Map, path: &str) {
        let condition = dependency.condition.trim_matches(unicode::is_space);
        for condition in condition.split(',').filter(|c| !c.is_empty()) {
            match path_value(values, &format!("{path}{condition}")) {
                None => {}
                Some(Value::Bool(on)) => {
                    dependency.enabled = on;
                    return;
                }
                Some(_) => self.warn(
                    "returned non-bool value",
                    vec![("path", condition.to_owned()), ("chart", dependency.name.clone())],
                ),
            }
        }
    }

    fn warn(&mut self, message: &str, attrs: Vec<(&'static str, String)>) {
        let message = message.to_owned();
        self.log.lines.push(LogLine { level: Level::Warn, message, attrs });
    }

    /// Lists the instances, parents first.
    fn settle(&mut self, root: usize) -> Result<Plan, ValuesError> {
        let lists: Vec<_> =
            self.metas.iter_mut().map(|meta| meta.dependencies.take().map(Arc::new)).collect();
        let mut instances: Vec<Instance> = Vec::with_capacity(self.nodes.len());
        let mut pending = vec![(root, None)];
        while let Some((id, parent)) = pending.pop() {
            let Some(node) = self.nodes.get(id) else { continue };
            let index = instances.len();
            if index >= MAX_INSTANCES {
                return Err(too_many());
            }
            if let Some(above) = parent.and_then(|parent: usize| instances.get_mut(parent)) {
                above.children.push(index);
            }
            instances.push(Instance {
                name: self.name(id).clone(),
                path: self.full_path(id),
                chart: Arc::clone(&node.chart),
                metadata: None,
                dependencies: lists.get(node.meta).cloned().flatten(),
                defaults: node.values.clone(),
                clean: node.clean,
                parent,
                children: Vec::with_capacity(node.children.len()),
            });
            pending.extend(node.children.iter().rev().map(|child| (*child, Some(index))));
        }
        let instances = Arc::new(instances);
        let nulls = self.rules.default_nulls;
        Ok(Plan { instances, values: Map::new(), nulls, settled: false, slot: 0 })
    }

    /// Helm's `ChartFullPath`. It goes by the parent that a chart was last given to.
    fn full_path(&self, id: usize) -> String {
        let mut names = Vec::new();
        let mut at = Some(id);
        while let Some(id) = at.filter(|_| names.len() <= MAX_DEPTH) {
            names.push(self.name(id).to_string_lossy());
            at = self.nodes.get(id).and_then(|node| node.parent);
        }
        names.reverse();
        names.join("/charts/")
    }
}

#[cfg(test)]
mod tests;
