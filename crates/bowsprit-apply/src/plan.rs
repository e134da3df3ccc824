//! What an operation will do, found out before it does anything.

use crate::ahead::Found;
use crate::base::Base;
use crate::client::{Call, Cluster};
use crate::definitions::{Definition, DefinitionFile, Search};
use crate::discovery::Discovery;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Listener;
use crate::hooks::Hooks;
use crate::method::{ClientSide, Method};
use crate::object::{self, Key, Object};
use crate::ownership;
use crate::record::Record;
use crate::send::{Live, Sending, owned_by_client};
use crate::store::Store;
use crate::wait::Wait;
use futures_util::StreamExt as _;
use futures_util::stream;
use http::Method as Verb;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

const KEEP: &str = "helm.sh/resource-policy";

/// What kind of server an operation works on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Space {
    /// What serves KubeStellar's BindingPolicy API is a workload description space.
    #[default]
    Auto,
    /// A KubeStellar workload description space: it stores objects and runs none.
    Wds,
    /// A cluster.
    Cluster,
}

/// What becomes of the definitions in a chart's `crds/`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Crds {
    /// They are left out.
    Skip,
    /// Those that are not there are created; others stay as they are.
    Create,
    /// They are applied, as Helm 4 installs them.
    #[default]
    Update,
}

/// What an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The first revision, or the first after an uninstallation.
    Install,
    /// A revision after another one.
    Upgrade,
    /// An older revision once more.
    Rollback {
        /// Its number.
        to: i64,
    },
}

impl Action {
    /// The word in Helm's errors.
    pub(crate) const fn verb(self) -> &'static str {
        match self {
            Action::Install => "install",
            Action::Upgrade | Action::Rollback { .. } => "update",
        }
    }
}

/// How a release is brought to a server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Creates the namespace, with these labels. None leaves it alone.
    pub namespace_labels: Option<BTreeMap<String, String>>,
    /// Custom resource definitions of `crds/`.
    pub crds: Crds,
    /// Adopts objects of others.
    pub take_ownership: bool,
    /// How objects are written; none goes on as the last revision was written, and begins server-side.
    pub method: Option<Method>,
    /// Takes fields from other field managers.
    pub force_conflicts: bool,
    /// Puts whole objects in the place of those that are there, instead of changing them; needs
    /// [`Method::ClientSide`].
    pub force_replace: bool,
    /// The kind of server.
    pub space: Space,
    /// What becomes of hooks; none for what fits the space.
    pub hooks: Option<Hooks>,
    /// What is waited for.
    pub wait: Wait,
    /// How long requests are repeated, and how long each wait may take.
    pub timeout: Duration,
    /// Revisions that are kept; 0 for all.
    pub history_max: usize,
    /// Undoes what failed.
    pub rollback_on_failure: bool,
    /// Deletes what was created before a failure.
    pub cleanup_on_fail: bool,
    /// The revision's description instead of Helm's.
    pub description: Option<String>,
    /// Lets the server refuse unknown fields.
    pub strict: bool,
    /// Has the server try all objects before anything is written.
    pub rehearse: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            namespace_labels: None,
            crds: Crds::Update,
            take_ownership: false,
            method: None,
            force_conflicts: false,
            force_replace: false,
            space: Space::Auto,
            hooks: None,
            wait: Wait::HooksOnly,
            timeout: Duration::from_secs(300),
            history_max: 10,
            rollback_on_failure: false,
            cleanup_on_fail: false,
            description: None,
            strict: true,
            rehearse: true,
        }
    }
}

/// All that an operation will do. Nothing has been written when it is made.
pub struct Plan {
    pub(crate) cluster: Cluster,
    pub(crate) listener: Listener,
    pub(crate) options: Options,
    pub(crate) action: Action,
    pub(crate) base: Base,
    pub(crate) record: Record,
    pub(crate) method: Method,
    pub(crate) client_side: Option<ClientSide>,
    pub(crate) discovery: Arc<Discovery>,
    pub(crate) hooks: Hooks,
    wds: bool,
    files: Vec<DefinitionFile>,
    /// Of `crds/`: those that are to be written.
    pub(crate) definitions: Vec<Definition>,
    /// Definitions that were applied and may not be served yet.
    pub(crate) unserved: Vec<Object>,
    pub(crate) objects: Vec<Object>,
    /// What the last revision said of its objects, where the server has been told all of it.
    pub(crate) last: BTreeMap<Key, Json>,
    /// What the server holds of the objects, before.
    pub(crate) live: BTreeMap<Key, Json>,
    /// What the server would hold afterwards, where it could be asked.
    pub(crate) expected: BTreeMap<Key, Json>,
    pub(crate) prune: Vec<(Object, Json)>,
    pub(crate) namespace_exists: bool,
    pub(crate) namespace_live: Option<Json>,
    pub(crate) warnings: Vec<String>,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan").field("release", &self.record.name).finish_non_exhaustive()
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// What is done.
    pub action: Action,
    /// The revision that shall be: chart, values, manifest, hooks, notes and labels.
    pub record: Record,
    /// The definitions below `crds/`: names and texts.
    pub crds: Vec<(String, String)>,
}

impl Request {
    /// A request without definitions.
    pub fn new(action: Action, record: Record) -> Request {
        Request { action, record, crds: Vec::new() }
    }
}

/// An object as the server has it, or that it has none.
type Answer = Result<Option<Json>>;

/// Something that is in the way.
struct Finding {
    kind: ErrorKind,
    text: String,
}

impl Plan {
    /// Finds out what there is to do, and everything that is in the way of it.
    ///
    /// # Errors
    ///
    /// Fails with all that is in the way, in one error.
    pub async fn make(
        cluster: &Cluster,
        base: Base,
        request: Request,
        options: Options,
        listener: &Listener,
    ) -> Result<Plan> {
        let cluster = cluster.patient(options.timeout);
        let served = cluster.discovery().await?;
        let Request { action, record, crds } = request;
        let files = match options.crds {
            Crds::Skip => Vec::new(),
            _ => DefinitionFile::read(crds)?,
        };
        let mut discovery = (*served).clone();
        let outlines = files.iter().flat_map(|(_, outlines)| outlines);
        outlines.for_each(|json| discovery.add_definition(json));
        let documents = object::parse(&record.manifest)
            .map_err(|e| e.context("unable to build kubernetes objects from release manifest"))?;
        let own = |json: &&Json| json["kind"] == "CustomResourceDefinition";
        documents.iter().filter(own).for_each(|json| discovery.add_definition(json));
        let wds = match options.space {
            Space::Auto => served.is_wds(),
            Space::Wds => true,
            Space::Cluster => false,
        };
        let method = Method::choose(&options, action, &base, &record)?;
        let client_side = (method == Method::ClientSide)
            .then(|| ClientSide::new(base.current(), &discovery, options.force_replace));
        let hooks = options.hooks.unwrap_or(if wds { Hooks::Deliver } else { Hooks::Run });
        let mut record = record;
        record.apply_method = method.word().to_owned();
        let mut plan = Plan {
            cluster,
            listener: listener.clone(),
            action,
            method,
            client_side,
            base,
            hooks,
            wds,
            files: Vec::new(),
            definitions: Vec::new(),
            unserved: Vec::new(),
            objects: Vec::new(),
            last: BTreeMap::new(),
            live: BTreeMap::new(),
            expected: BTreeMap::new(),
            prune: Vec::new(),
            namespace_exists: true,
            namespace_live: None,
            warnings: Vec::new(),
            discovery: Arc::new(discovery),
            record,
            options,
        };
        plan.check_wait()?;
        plan.build(documents, files)?;
        plan.look(&served).await?;
        Ok(plan)
    }

    /// Nothing gets ready where nothing runs.
    fn check_wait(&self) -> Result<()> {
        let waits = self.options.wait != Wait::HooksOnly || self.options.rollback_on_failure;
        if !self.wds {
            return Ok(());
        }
        if waits {
            return Err(Error::new(
                ErrorKind::Usage,
                "this is a workload description space, in which no pod runs: objects in it never become \
                 ready, so there is nothing to wait for (--wait, --rollback-on-failure). Readiness shows \
                 in the clusters that the objects are delivered to. If this is a cluster after all, say \
                 --space cluster",
            ));
        }
        Ok(())
    }

    fn build(
        &mut self,
        documents: Vec<Json>,
        files: Vec<(DefinitionFile, Vec<Json>)>,
    ) -> Result<()> {
        let namespace = self.record.namespace.clone();
        let mut errors = Vec::new();
        for (mut file, outlines) in files {
            errors.extend(file.build(outlines, &self.discovery, &namespace));
            self.files.push(file);
        }
        let built = object::build(documents, &self.discovery, &namespace);
        errors.extend(built.errors);
        let mut seen = BTreeMap::new();
        for mut object in built.objects {
            let metadata = &object.json["metadata"];
            if !object.name().is_empty() && !metadata["generateName"].is_null() {
                errors
                    .push("metadata.name and metadata.generateName cannot both be set".to_owned());
            }
            ownership::claim(&mut object, &self.record.name, &namespace);
            if object.is_generated() {
                self.objects.push(object);
                continue;
            }
            // Applied one after the other, the last would win too.
            match seen.get(&object.key()) {
                Some(at) => {
                    self.warnings.push(format!(
                        "{} is in the release twice; the last one counts",
                        object.key()
                    ));
                    if let Some(slot) = self.objects.get_mut(*at) {
                        *slot = object;
                    }
                }
                None => {
                    seen.insert(object.key(), self.objects.len());
                    self.objects.push(object);
                }
            }
        }
        match errors.as_slice() {
            [] => Ok(()),
            [one] => Err(build_error(one)),
            many => Err(build_error(&format!("[{}]", many.join(", ")))),
        }
    }

    /// Asks the server what is there and what it would say.
    async fn look(&mut self, served: &Discovery) -> Result<()> {
        let packed = self.base.store.is_some().then(|| {
            let mut record = self.record.clone();
            tokio::task::spawn_blocking(move || record.pack().map(|()| record))
        });
        let ahead = match &self.base.ahead {
            Some(ahead) => ahead.take().await.unwrap_or_default(),
            None => Found::default(),
        };
        let earlier = self.earlier_objects(ahead.documents);
        let targets: BTreeSet<Key> = self.objects.iter().map(Object::key).collect();
        let known: BTreeSet<Key> = earlier.iter().map(Object::key).collect();
        let gone: Vec<Object> =
            earlier.into_iter().filter(|object| !targets.contains(&object.key())).collect();
        let files = std::mem::take(&mut self.files);
        self.remember(&files);
        // Definitions are large, so the server is asked for them while it answers the rest.
        let search = self.search();
        let ((namespace, live, gone_live), missing) =
            futures_util::join!(self.live(served, ahead.live, &gone), search.missing(files));
        let missing = missing?;
        self.definitions = missing.definitions;
        self.record.seen.extend(missing.seen);
        self.listener.step("looked at what is there");
        self.note_namespace(namespace)?;
        let mut findings = self.check_live(live, &known);
        self.choose_prunes(gone, gone_live, &mut findings);
        self.expected = self.settled();
        if findings.is_empty() && self.options.rehearse {
            findings.extend(self.rehearse(served).await?);
            self.listener.step("tried all objects");
        }
        if let Some(packed) = packed {
            let died = |_| Error::new(ErrorKind::Record, "encoding the record failed");
            self.record.pack_as(&packed.await.map_err(died)??);
            Store::check_size(&self.record)?;
        }
        self.report(findings)
    }

    /// The namespace, the release's objects and those that left it, as the server has them.
    async fn live(
        &self,
        served: &Discovery,
        mut known: Live,
        gone: &[Object],
    ) -> (Answer, Vec<Answer>, Vec<Answer>) {
        let cluster = &self.cluster;
        let own = self.record.namespace.as_str();
        let namespace = cluster.get_path(format!("/api/v1/namespaces/{own}")).await;
        let is_new = matches!(namespace, Ok(None));
        // Nothing is in a namespace that is not there, and nothing of a kind that is not served.
        let can_be = |object: &Object| {
            let is_served = served.find(&object.resource.api_version(), object.kind()).is_some();
            is_served && !object.is_generated() && !(is_new && object.namespace == own)
        };
        let mut left: Live = gone.iter().filter_map(|o| known.remove_entry(&o.path())).collect();
        let (live, gone_live) = futures_util::join!(
            cluster.get_those(&self.objects, &mut known, can_be),
            cluster.get_those(gone, &mut left, |object| !object.is_generated())
        );
        (namespace, live, gone_live)
    }

    /// How definitions are looked for.
    fn search(&self) -> Search {
        Search {
            cluster: self.cluster.clone(),
            discovery: Arc::clone(&self.discovery),
            namespace: self.record.namespace.clone(),
            keep: self.options.crds == Crds::Create || self.client_side.is_some(),
            seen: Arc::new(
                self.base.newest().map(|newest| newest.seen.clone()).unwrap_or_default(),
            ),
        }
    }

    /// Who may not look at the namespace works in one that is there.
    fn note_namespace(&mut self, namespace: Result<Option<Json>>) -> Result<()> {
        match namespace {
            Ok(live) => {
                self.namespace_exists = live.is_some();
                self.namespace_live = live;
            }
            Err(error) if error.kind() == ErrorKind::Forbidden => {}
            Err(error) => return Err(error),
        }
        let name = &self.record.namespace;
        let phase = self.namespace_live.as_ref().map(|live| &live["status"]["phase"]);
        if phase.is_some_and(|phase| phase == "Terminating") {
            let text =
                format!("namespace {name} is being deleted: wait until it is gone, then try again");
            return Err(Error::new(ErrorKind::Plan, text));
        }
        if !self.namespace_exists && self.options.namespace_labels.is_none() {
            let text = format!("create: failed to create: namespaces {name:?} not found");
            return Err(Error::new(ErrorKind::NotFound, text));
        }
        Ok(())
    }

    /// Keeps what is there, and finds what belongs to others.
    fn check_live(&mut self, live: Vec<Answer>, known: &BTreeSet<Key>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let (name, namespace) = (&self.record.name, &self.record.namespace);
        for (object, live) in self.objects.iter().zip(live) {
            let live = match live {
                Ok(Some(live)) => live,
                Ok(None) => continue,
                // The kind comes with this release.
                Err(error) => {
                    let text = format!(
                        "could not get information about the resource {}: {error}",
                        object.helm_string()
                    );
                    findings.push(Finding { kind: error.kind(), text });
                    continue;
                }
            };
            let foreign = match self.options.take_ownership || known.contains(&object.key()) {
                true => None,
                false => ownership::foreign(&live, name, namespace),
            };
            if let Some(why) = foreign {
                let text = format!(
                    "{} exists and cannot be imported into the current release: {why}",
                    object.helm_string()
                );
                findings.push(Finding { kind: ErrorKind::AlreadyExists, text });
            }
            self.live.insert(object.key(), live);
        }
        findings
    }

    /// What left the release goes, unless it is to be kept or belongs to somebody else by now.
    fn choose_prunes(&mut self, gone: Vec<Object>, live: Vec<Answer>, findings: &mut Vec<Finding>) {
        for (object, live) in gone.into_iter().zip(live) {
            match live {
                Ok(Some(live)) => {
                    if live["metadata"]["annotations"][KEEP] == "keep" {
                        self.warnings
                            .push(format!("{} left the release but is kept", object.key()));
                        continue;
                    }
                    let owner = ownership::owner(&live);
                    let ours = (self.record.name.clone(), self.record.namespace.clone());
                    if owner.is_none_or(|owner| owner == ours) {
                        self.prune.push((object, live));
                    }
                }
                Ok(None) => {}
                Err(error) => findings.push(Finding {
                    kind: error.kind(),
                    text: format!("could not get information about {}: {error}", object.key()),
                }),
            }
        }
    }

    /// Has the server try all objects without keeping them.
    async fn rehearse(&mut self, served: &Discovery) -> Result<Vec<Finding>> {
        let sending = Sending {
            force: self.options.force_conflicts,
            dry_run: true,
            strict: self.options.strict,
            ..Sending::default()
        };
        let new_namespace = (!self.namespace_exists).then_some(self.record.namespace.as_str());
        let can_try = |object: &&Object| {
            let api_version = object.resource.api_version();
            let is_served = served.find(&api_version, object.kind()).is_some();
            is_served && !object.is_generated() && !self.expected.contains_key(&object.key())
        };
        let (cluster, live, all) = (&self.cluster, &self.live, &self.objects);
        let client_side = self.client_side.as_ref();
        let tries = all.iter().filter(can_try).map(|object| {
            let comes = arrivals_contain(all, &object.namespace)
                && !live.contains_key(&namespace_key(&object.namespace));
            let homeless = comes || new_namespace == Some(object.namespace.as_str());
            // Fields that a client-side Helm owns will have moved by then.
            let moves = live.get(&object.key()).is_some_and(owned_by_client);
            let sending = Sending { force: sending.force || moves, ..sending };
            async move {
                let outcome = match (homeless, client_side) {
                    (true, _) => cluster.try_elsewhere(object, &sending).await.map(|()| None),
                    (false, None) => cluster.apply(object, &sending).await.map(Some),
                    (false, Some(side)) => side.write(cluster, object, &sending).await.map(Some),
                };
                (object, outcome)
            }
        });
        let outcomes: Vec<_> = stream::iter(tries).buffer_unordered(12).collect().await;
        let mut findings = Vec::new();
        let mut expected = BTreeMap::new();
        for (object, outcome) in outcomes {
            match outcome {
                Ok(Some(json)) => {
                    expected.insert(object.key(), json);
                }
                Ok(None) => {}
                Err(error) => {
                    // Some webhooks can't be asked without consequences.
                    if error.to_string().contains("does not support dry run") {
                        continue;
                    }
                    let text = format!("{}: {error}", object.helm_string());
                    findings.push(Finding { kind: error.kind(), text });
                }
            }
        }
        self.expected.extend(expected);
        findings.sort_by(|a, b| a.text.cmp(&b.text));
        Ok(findings)
    }

    fn report(&self, findings: Vec<Finding>) -> Result<()> {
        let Some(first) = findings.first() else { return Ok(()) };
        let kind = match first.kind {
            kind @ (ErrorKind::Forbidden | ErrorKind::Cancelled | ErrorKind::Unreachable) => kind,
            _ => ErrorKind::Plan,
        };
        let mut text = format!("unable to continue with {}: ", self.action.verb());
        let texts: Vec<&str> = findings.iter().map(|finding| finding.text.as_str()).collect();
        match texts.as_slice() {
            [one] => text.push_str(one),
            many => {
                text.push_str(&format!(
                    "{} objects are in the way, and nothing was written:",
                    many.len()
                ));
                many.iter().for_each(|line| text.push_str(&format!("\n  - {line}")));
            }
        }
        let advice = |kind: ErrorKind, words: &str| match findings.iter().any(|f| f.kind == kind) {
            true => format!("\n\n{words}"),
            false => String::new(),
        };
        text.push_str(&advice(
            ErrorKind::AlreadyExists,
            "Give each release a namespace of its own, or adopt these objects with --take-ownership.",
        ));
        text.push_str(&advice(
            ErrorKind::Conflict,
            "Other tools own these fields; --force-conflicts takes them.",
        ));
        text.push_str(&advice(
            ErrorKind::Forbidden,
            "The rights named above are missing; a Role or ClusterRole has to grant them.",
        ));
        Err(Error::new(kind, text))
    }

    /// Whether nothing would change on the server, apart from the record and what hooks do.
    pub fn is_empty(&self) -> bool {
        self.changes().iter().all(|change| change.change == Change::Unchanged)
    }

    /// The objects that are touched, in Helm's order; what goes comes last.
    pub fn changes(&self) -> Vec<Planned> {
        let mut planned: Vec<Planned> = self
            .objects
            .iter()
            .map(|object| {
                let key = object.key();
                let change = match (self.live.get(&key), self.expected.get(&key)) {
                    (None, _) => Change::Create,
                    (Some(live), Some(expected)) if same(live, expected) => Change::Unchanged,
                    _ => Change::Update,
                };
                Planned { key: key.to_string(), change }
            })
            .collect();
        let prunes = self.prune.iter();
        planned.extend(
            prunes.map(|(o, _)| Planned { key: o.key().to_string(), change: Change::Delete }),
        );
        planned
    }

    /// The plan in a few lines for people.
    pub fn summary(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let changes = self.changes();
        let count = |change| changes.iter().filter(|planned| planned.change == change).count();
        let space = match (self.options.space, self.wds) {
            (Space::Auto, true) => "a workload description space (it serves BindingPolicy)",
            (_, true) => "a workload description space",
            (_, false) => "a cluster",
        };
        let events: Vec<&str> =
            self.record.hooks.iter().flat_map(|h| h.events.iter().map(String::as_str)).collect();
        let hooks = match (self.hooks, events.is_empty()) {
            (_, true) => String::new(),
            (Hooks::Deliver, false) => {
                "; hooks of installs and upgrades are delivered as ordinary objects, others left out \
                 (--hooks run|skip for another way)"
                    .to_owned()
            }
            (mode, false) => format!("; hooks: {}", mode.name()),
        };
        lines.push(format!(
            "release {} in namespace {}, revision {}, on {space}{hooks}",
            self.record.name, self.record.namespace, self.record.revision
        ));
        lines.push(format!(
            "{} to create, {} to change, {} unchanged, {} to delete, {} definitions to write",
            count(Change::Create),
            count(Change::Update),
            count(Change::Unchanged),
            count(Change::Delete),
            self.definitions.len(),
        ));
        lines
    }

    /// What the user should know before it happens.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The revision that will be.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// What is done.
    pub fn action(&self) -> Action {
        self.action
    }
}

fn arrivals_contain(objects: &[Object], namespace: &str) -> bool {
    objects.iter().any(|object| object.kind() == "Namespace" && object.name() == namespace)
}

fn namespace_key(name: &str) -> Key {
    Key {
        group: String::new(),
        kind: "Namespace".to_owned(),
        namespace: String::new(),
        name: name.to_owned(),
    }
}

fn build_error(text: &str) -> Error {
    let text = format!("unable to build kubernetes objects from release manifest: {text}");
    Error::new(ErrorKind::Build, text)
}

/// What happens to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Change {
    Create,
    Update,
    Unchanged,
    Delete,
}

/// An object of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Kind, name and namespace for people.
    pub key: String,
    /// What happens to it.
    pub change: Change,
}

/// Whether two states of an object differ in nothing but who wrote them when.
pub(crate) fn same(a: &Json, b: &Json) -> bool {
    fn strip(json: &Json) -> Json {
        let mut json = json.clone();
        if let Some(metadata) = json["metadata"].as_object_mut() {
            for field in
                ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"]
            {
                metadata.remove(field);
            }
        }
        if let Some(root) = json.as_object_mut() {
            root.remove("status");
        }
        json
    }
    strip(a) == strip(b)
}

impl Cluster {
    /// Has the server look at an object whose namespace is not there yet, in one that is. Only what is
    /// wrong with the object itself counts.
    async fn try_elsewhere(&self, object: &Object, how: &Sending) -> Result<()> {
        const ELSEWHERE: &str = "default";
        let mut json = object.json.clone();
        json["metadata"]["namespace"] = ELSEWHERE.into();
        let validation = if how.strict { "Strict" } else { "Ignore" };
        let call = Call::new(Verb::POST, object.resource.path(ELSEWHERE, ""))
            .query("fieldManager", how.manager)
            .query("fieldValidation", validation)
            .query("dryRun", "All")
            .json(&json);
        match self.call(&call).await {
            Err(error) if matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Cancelled) => {
                Err(error)
            }
            _ => Ok(()),
        }
    }
}
