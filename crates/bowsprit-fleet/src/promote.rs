//! Promotion: a version goes from one ring to the next, if the gate lets it, and can go back.
//!
//! Where a release names its `rings`, a promotion to a ring that is not among them brings the release
//! itself there. Either way policies keep their names and what they select.

use crate::error::Error;
use crate::file::{FleetFile, Gate};
use crate::health::ObjectStatus;
use crate::plan::{is_served, ring_of};
use crate::render::digest;
use crate::target::Target;
use bowsprit_manifest::Identity;
use bowsprit_value::{List, Value};
use bowsprit_yaml::{Document, Edits, Step};
use cel::{Context, Program, Value as CelValue};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// A version, or a release, that is to go from a ring to another.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Promotion {
    /// The release.
    pub release: String,
    /// The ring that has the version.
    pub from: String,
    /// The ring that is to get it.
    pub to: String,
    /// The version that this ring has now; none where it has no version of its own, or not the release.
    pub before: Option<String>,
    /// The version; none where the fleet file names none.
    pub after: Option<String>,
    /// Whether the ring does not have the release yet, so that it gets more than another version.
    pub joins: bool,
}

impl Promotion {
    /// What a promotion would change.
    ///
    /// # Errors
    ///
    /// Fails where the rings or the release are unknown, the ring that is to get the version comes
    /// first, there is no version to promote, or nothing would change.
    pub fn new(file: &FleetFile, release: &str, from: &str, to: &str) -> Result<Promotion, Error> {
        let spec = file.release(release)?;
        file.ring(from)?;
        file.ring(to)?;
        let place = |name: &str| file.rings.iter().position(|ring| ring.name == name);
        if place(from) >= place(to) {
            let order: Vec<&str> = file.rings.iter().map(|ring| ring.name.as_str()).collect();
            let error = Error::new(release, format!("ring {to:?} does not come after {from:?}"));
            return Err(
                error.hint(format!("rings, in order: {}; --undo goes back", order.join(", ")))
            );
        }
        let version = |ring: &str| {
            let own = spec.versions.iter().find(|(name, _)| name == ring);
            own.map(|(_, version)| version.clone()).or_else(|| spec.version.clone())
        };
        let has_it = |ring: &str| spec.rings.is_empty() || spec.rings.iter().any(|r| r == ring);
        if !has_it(from) {
            let error = Error::new(release, format!("ring {from:?} does not have the release"));
            return Err(error.hint(format!("it is in: {}", spec.rings.join(", "))));
        }
        let (joins, after) = (!has_it(to), version(from));
        let before = version(to).filter(|_| !joins);
        match &after {
            _ if joins => {}
            Some(after) if before.as_ref() == Some(after) => {
                return Err(Error::new(
                    release,
                    format!("ring {to:?} has version {after} already"),
                ));
            }
            Some(_) => {}
            None => {
                let message = format!("ring {from:?} has no version that could be promoted");
                let error = Error::new(release, message);
                return Err(
                    error.hint("give the release `version` or `versions`, or name its `rings`")
                );
            }
        }
        let (release, from, to) = (release.to_owned(), from.to_owned(), to.to_owned());
        Ok(Promotion { release, from, to, before, after, joins })
    }

    /// What goes to the other ring, as a sentence has it.
    pub fn what(&self) -> String {
        match (&self.after, self.joins) {
            (Some(version), false) => version.clone(),
            (Some(version), true) => format!("the release, in version {version}"),
            (None, _) => "the release".to_owned(),
        }
    }

    /// The fleet file's text with the version moved, and the ring added to those that have the release;
    /// all else stays as it is, byte for byte.
    ///
    /// # Errors
    ///
    /// Fails where the text can't be edited.
    pub fn edit(&self, file: &FleetFile, text: &[u8]) -> Result<Vec<u8>, Error> {
        let spec = file.release(&self.release)?;
        let own = spec.versions.iter().find(|(ring, _)| *ring == self.to);
        let now = own.map(|(_, version)| version).or(spec.version.as_ref());
        let version = self.after.as_deref().filter(|after| now.is_none_or(|now| now != after));
        let text = self.write(file, text, version, None)?;
        if !self.joins {
            return Ok(text);
        }
        let has_it = |ring: &str| ring == self.to || spec.rings.iter().any(|known| known == ring);
        let rings = in_order(file, has_it);
        match self.with_ring(file, &text).filter(|text| self.is_in(text, &rings)) {
            Some(text) => Ok(text),
            None => self.write(file, &text, None, Some(rings)),
        }
    }

    /// The text with the ring behind those that have the release, in the style of the list.
    fn with_ring(&self, file: &FleetFile, text: &[u8]) -> Option<Vec<u8>> {
        let place = file.releases.iter().position(|release| release.name == self.release)?;
        let document = Document::parse(text).ok()?;
        let list = document.root().get(b"releases")?.items().nth(place)?.get(b"rings")?;
        let last = list.items().next_back()?.span();
        let mut written = String::from_utf8(text.to_vec()).ok()?;
        let name = bowsprit_placement::to_yaml(&Value::from(self.to.as_str()));
        let name = name.trim_end();
        if text.get(list.span().start) == Some(&b'[') {
            written.insert_str(last.end, &format!(", {name}"));
            return Some(written.into_bytes());
        }
        let (before, behind) = (written.get(..last.start)?, written.get(last.end..)?);
        let dash = before.rsplit('\n').next()?.to_owned();
        let line_ends = last.end + behind.find('\n').unwrap_or(behind.len());
        written.insert_str(line_ends, &format!("\n{dash}{name}"));
        Some(written.into_bytes())
    }

    /// Whether a text's release is in these rings.
    fn is_in(&self, text: &[u8], rings: &[&str]) -> bool {
        let file = FleetFile::parse("", text).ok();
        let release = file.as_ref().and_then(|file| file.release(&self.release).ok());
        release.is_some_and(|release| {
            let found = &release.rings;
            found.len() == rings.len() && rings.iter().all(|ring| found.iter().any(|r| r == ring))
        })
    }

    /// The fleet file's text with this promotion taken back, whatever else was changed since.
    ///
    /// # Errors
    ///
    /// Fails where the text can't be edited, or the ring had no version that it could get back.
    pub fn edit_back(&self, file: &FleetFile, text: &[u8]) -> Result<Vec<u8>, Error> {
        if !self.joins {
            let Some(before) = self.before.as_deref() else {
                let what = format!("take versions.{} out by hand", self.to);
                return Err(Error::new(
                    &self.release,
                    format!("the fleet file was changed since; {what}"),
                ));
            };
            return self.write(file, text, Some(before), None);
        }
        let spec = file.release(&self.release)?;
        let stays = |ring: &str| ring != self.to && spec.rings.iter().any(|known| known == ring);
        let rings = in_order(file, stays);
        if rings.is_empty() {
            let message = format!("without ring {} no ring would have the release", self.to);
            return Err(Error::new(&self.release, message));
        }
        self.write(file, text, None, Some(rings))
    }

    fn write(
        &self,
        file: &FleetFile,
        text: &[u8],
        version: Option<&str>,
        rings: Option<Vec<&str>>,
    ) -> Result<Vec<u8>, Error> {
        let failed = |message: String| Error::new(&self.release, message);
        let place = file.releases.iter().position(|release| release.name == self.release);
        let place = place.ok_or_else(|| failed("the release is gone".to_owned()))?;
        let release: [Step; 2] = ["releases".into(), place.into()];
        let mut edits = Edits::new();
        if let Some(version) = version {
            let below: [Step; 2] = ["versions".into(), self.to.as_str().into()];
            edits.set(release.iter().cloned().chain(below), version);
        }
        if let Some(rings) = rings {
            let rings = List::new(rings.into_iter().map(Value::from).collect());
            edits.set(release.into_iter().chain(["rings".into()]), rings);
        }
        edits.apply(text).map_err(|e| failed(e.to_string()))
    }
}

/// The names of some rings, in the fleet's order.
fn in_order(file: &FleetFile, wanted: impl Fn(&str) -> bool) -> Vec<&str> {
    file.rings.iter().map(|ring| ring.name.as_str()).filter(|ring| wanted(ring)).collect()
}

/// What a gate looks at.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Evidence {
    /// What clusters reported.
    pub statuses: Vec<ObjectStatus>,
    /// The objects that the release has, which must all be reported by every cluster.
    pub objects: Vec<Identity>,
    /// The clusters of the ring that have the release.
    pub clusters: Vec<String>,
    /// How long the version has been in the ring, in seconds, where that is known.
    pub age_seconds: Option<u64>,
}

impl Evidence {
    /// What the ring's clusters say of the release's objects. Servers tell of other releases and rings, too.
    fn ours(&self) -> impl Iterator<Item = &ObjectStatus> {
        self.statuses.iter().filter(|status| {
            self.clusters.contains(&status.cluster)
                && self.objects.iter().any(|object| is_same(object, &status.identity))
        })
    }
}

/// Why a gate holds a promotion back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The reasons, each a sentence.
    pub reasons: Vec<String>,
}

/// Clusters of a ring that have a release in its ring's version.
pub fn clusters_of<'t>(
    file: &FleetFile,
    release: &str,
    ring: &str,
    targets: &'t [Target],
) -> Result<Vec<&'t Target>, Error> {
    let spec = file.release(release)?;
    let in_ring =
        |target: &&Target| ring_of(file, target) == Some(ring) && is_served(file, spec, target);
    Ok(targets.iter().filter(in_ring).collect())
}

/// Whether a gate lets a release through: every object is reported healthy by every cluster of the ring,
/// the version is old enough, and the expression is true.
///
/// # Errors
///
/// Fails where the expression is no CEL, or gives something else than true or false.
pub fn check_gate(
    gate: &Gate,
    promotion: &Promotion,
    evidence: &Evidence,
) -> Result<Result<(), Held>, Error> {
    let mut reasons = health_reasons(evidence);
    if gate.soak_seconds > 0 {
        match evidence.age_seconds {
            Some(age) if age >= gate.soak_seconds => {}
            Some(age) => reasons.push(format!(
                "{} has been in ring {} for {age} s of {} s",
                version_or_release(promotion),
                promotion.from,
                gate.soak_seconds
            )),
            None => reasons.push(format!(
                "it is not recorded since when ring {} has {}",
                promotion.from,
                version_or_release(promotion)
            )),
        }
    }
    if let Some(expression) = &gate.expression
        && !evaluate(expression, promotion, evidence)?
    {
        reasons.push(format!("the expression is false: {expression}"));
    }
    Ok(if reasons.is_empty() { Ok(()) } else { Err(Held { reasons }) })
}

fn version_or_release(promotion: &Promotion) -> String {
    let version = promotion.after.as_ref().map(|version| format!("version {version}"));
    version.unwrap_or_else(|| "the release".to_owned())
}

fn health_reasons(evidence: &Evidence) -> Vec<String> {
    let mut reasons = Vec::new();
    if evidence.clusters.is_empty() {
        reasons.push("no cluster of the ring has the release".to_owned());
    }
    let told = Told::of(&evidence.statuses);
    for cluster in &evidence.clusters {
        let silent: Vec<String> = evidence
            .objects
            .iter()
            .filter(|object| !told.knows(cluster, object))
            .map(ToString::to_string)
            .collect();
        match silent.as_slice() {
            [] => {}
            [one] => reasons.push(format!("cluster {cluster} has not reported {one}")),
            [one, ..] => reasons.push(format!(
                "cluster {cluster} has not reported {} objects, {one} among them",
                silent.len()
            )),
        }
    }
    for status in evidence.ours() {
        use crate::health::Health;
        match &status.health {
            Health::Healthy => {}
            Health::Unhealthy(why) => {
                reasons.push(format!("{} on {}: {why}", status.identity, status.cluster));
            }
            Health::Unknown => {
                reasons.push(format!("{} on {}: no status yet", status.identity, status.cluster));
            }
        }
    }
    reasons
}

/// Whether a report is about an object of the release. Where the chart leaves the namespace out, the report
/// may name it or not, as the kind has one or not.
fn is_same(object: &Identity, reported: &Identity) -> bool {
    object.kind == reported.kind
        && object.name == reported.name
        && object.group() == reported.group()
        && (object.namespace.is_none() || object.namespace == reported.namespace)
}

type Key<'s> = (&'s str, &'s str, &'s str, &'s str);

/// Which objects clusters have told of.
struct Told<'s> {
    exactly: BTreeSet<(Key<'s>, Option<&'s str>)>,
    somewhere: BTreeSet<Key<'s>>,
}

impl<'s> Told<'s> {
    fn key(cluster: &'s str, identity: &'s Identity) -> Key<'s> {
        (cluster, identity.group(), &identity.kind, &identity.name)
    }

    fn of(statuses: &'s [ObjectStatus]) -> Told<'s> {
        let mut told = Told { exactly: BTreeSet::new(), somewhere: BTreeSet::new() };
        for status in statuses {
            let key = Told::key(&status.cluster, &status.identity);
            told.exactly.insert((key, status.identity.namespace.as_deref()));
            told.somewhere.insert(key);
        }
        told
    }

    fn knows(&self, cluster: &str, object: &Identity) -> bool {
        let key = (cluster, object.group(), object.kind.as_str(), object.name.as_str());
        match object.namespace.as_deref() {
            None => self.somewhere.contains(&key),
            namespace => self.exactly.contains(&(key, namespace)),
        }
    }
}

fn evaluate(expression: &str, promotion: &Promotion, evidence: &Evidence) -> Result<bool, Error> {
    let failed = |message: String| Error::new("gate", format!("{expression}: {message}"));
    let program = Program::compile(expression).map_err(|e| failed(e.to_string()))?;
    let objects: Vec<Json> = evidence
        .ours()
        .map(|s| {
            json!({
                "cluster": s.cluster, "apiVersion": s.identity.api_version, "kind": s.identity.kind,
                "namespace": s.identity.namespace, "name": s.identity.name,
                "healthy": s.health.is_healthy(),
            })
        })
        .collect();
    let mut context = Context::default();
    let variables = [
        ("objects", json!(objects)),
        ("clusters", json!(evidence.clusters)),
        (
            "age",
            json!(evidence.age_seconds.map_or(-1, |age| i64::try_from(age).unwrap_or(i64::MAX))),
        ),
        ("release", json!(promotion.release)),
        ("version", json!(promotion.after)),
        ("previous", json!(promotion.before)),
    ];
    for (name, value) in variables {
        context.add_variable(name, value).map_err(|e| failed(e.to_string()))?;
    }
    match program.execute(&context) {
        Ok(CelValue::Bool(verdict)) => Ok(verdict),
        Ok(_) => Err(failed("gives neither true nor false".to_owned())),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// A promotion that was made, as a line of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// When, in seconds since 1970.
    pub time: i64,
    /// Who.
    pub user: String,
    /// What.
    pub promotion: Promotion,
    /// Whether this takes an earlier promotion back.
    pub undo: bool,
    /// Why the gate was overridden, if it was.
    pub forced: Vec<String>,
    /// The SHA-256 of the fleet file before.
    pub file_before: String,
    /// The SHA-256 of the fleet file after.
    pub file_after: String,
}

impl Record {
    /// A record of a change from one text of the fleet file to another.
    pub fn new(time: i64, user: &str, promotion: Promotion, before: &[u8], after: &[u8]) -> Record {
        Record {
            time,
            user: user.to_owned(),
            promotion,
            undo: false,
            forced: Vec::new(),
            file_before: digest(before),
            file_after: digest(after),
        }
    }

    /// One line of JSON, without its end.
    pub fn to_line(&self) -> String {
        json!({
            "time": timestamp(self.time), "user": self.user, "release": self.promotion.release,
            "from": self.promotion.from, "to": self.promotion.to, "before": self.promotion.before,
            "after": self.promotion.after, "joins": self.promotion.joins, "undo": self.undo,
            "forced": self.forced,
            "fileBefore": self.file_before, "fileAfter": self.file_after,
        })
        .to_string()
    }

    fn parse(line: &str) -> Option<Record> {
        let json: Json = serde_json::from_str(line).ok()?;
        let text = |key: &str| Some(json.get(key)?.as_str()?.to_owned());
        let time: jiff::Timestamp = text("time")?.parse().ok()?;
        let forced = json.get("forced").and_then(Json::as_array);
        Some(Record {
            time: time.as_second(),
            user: text("user")?,
            promotion: Promotion {
                release: text("release")?,
                from: text("from")?,
                to: text("to")?,
                before: text("before"),
                after: text("after"),
                joins: json.get("joins").and_then(Json::as_bool).unwrap_or_default(),
            },
            undo: json.get("undo").and_then(Json::as_bool).unwrap_or_default(),
            forced: forced
                .into_iter()
                .flatten()
                .filter_map(|f| Some(f.as_str()?.to_owned()))
                .collect(),
            file_before: text("fileBefore")?,
            file_after: text("fileAfter")?,
        })
    }
}

/// A time in seconds since 1970 as RFC 3339 writes it, in UTC.
pub fn timestamp(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

/// The promotions that were made, oldest first.
#[derive(Clone, Debug, Default)]
pub struct History {
    records: Vec<Record>,
}

impl History {
    /// Reads a history, a JSON object a line.
    ///
    /// # Errors
    ///
    /// Fails at a line that is no record.
    pub fn parse(name: &str, text: &str) -> Result<History, Error> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let read = |(at, line): (usize, &str)| {
            Record::parse(line)
                .ok_or_else(|| Error::new(name, "no record of a promotion").at(at + 1, ""))
        };
        Ok(History { records: lines.map(read).collect::<Result<_, _>>()? })
    }

    /// All records, oldest first.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// For how long, in seconds, a ring has had a version; none where that is not recorded.
    pub fn age(&self, release: &str, ring: &str, version: Option<&str>, now: i64) -> Option<u64> {
        let last =
            self.records.iter().rev().find(|record| {
                record.promotion.release == release && record.promotion.to == ring
            })?;
        (last.promotion.after.as_deref() == version && !last.undo)
            .then(|| u64::try_from(now - last.time).unwrap_or(0))
    }

    /// The newest promotion of a release that was not taken back.
    pub fn last(&self, release: &str) -> Option<&Record> {
        let mut undone = 0;
        for record in self.records.iter().rev().filter(|r| r.promotion.release == release) {
            match record.undo {
                true => undone += 1,
                false if undone > 0 => undone -= 1,
                false => return Some(record),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Health;

    const FILE: &str = "\
apiVersion: bowsprit.dev/v1alpha1
kind: Fleet
name: shop # ours
rings:
- name: canary
  selector: ring=canary
- name: stable
releases:
- name: web
  chart: ./web
  version: 1.2.0   # everywhere
  versions:
    canary: 1.3.0
";

    fn file() -> FleetFile {
        FleetFile::parse("bowsprit.yaml", FILE.as_bytes()).unwrap()
    }

    #[test]
    fn a_version_moves_to_the_next_ring_and_nothing_else() {
        let promotion = Promotion::new(&file(), "web", "canary", "stable").unwrap();
        assert_eq!(
            (promotion.before.as_deref(), promotion.after.as_deref()),
            (Some("1.2.0"), Some("1.3.0"))
        );
        let text = promotion.edit(&file(), FILE.as_bytes()).unwrap();
        let edited = FleetFile::parse("bowsprit.yaml", &text).unwrap();
        assert_eq!(edited.releases[0].versions.len(), 2);
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.contains("name: shop # ours\n") && text.contains("1.2.0   # everywhere"),
            "{text}"
        );
        let back = Promotion::new(&file(), "web", "stable", "canary").unwrap_err();
        assert_eq!(back.to_string(), "web: ring \"canary\" does not come after \"stable\"");
    }

    #[test]
    fn a_release_moves_to_the_next_ring() {
        for (rings, others, want) in [
            ("  rings: [canary] # for now\n", "", "  rings: [canary, stable] # for now\n"),
            ("  rings:\n  - canary # now\n", "", "  rings:\n  - canary # now\n  - stable\n"),
            ("  rings: [canary]\n", "    stable: 1.3.0\n", "  rings: [canary, stable]\n"),
        ] {
            let before = format!("{FILE}{others}{rings}");
            let file = FleetFile::parse("f", before.as_bytes()).unwrap();
            let promotion = Promotion::new(&file, "web", "canary", "stable").unwrap();
            assert!(promotion.joins && promotion.before.is_none(), "{promotion:?}");
            assert_eq!(promotion.what(), "the release, in version 1.3.0");
            let edited = promotion.edit(&file, before.as_bytes()).unwrap();
            let after = FleetFile::parse("f", &edited).unwrap();
            assert_eq!(after.releases[0].versions[1], ("stable".to_owned(), "1.3.0".to_owned()));
            let text = String::from_utf8(edited.clone()).unwrap();
            assert!(text.ends_with(want), "{text}");
            assert!(Promotion::new(&after, "web", "canary", "stable").is_err());
            let back = promotion.edit_back(&after, &edited).unwrap();
            assert_eq!(FleetFile::parse("f", &back).unwrap().releases[0].rings, ["canary"]);
        }
        let text = format!("{FILE}  rings: [stable]\n");
        let file = FleetFile::parse("f", text.as_bytes()).unwrap();
        let error = Promotion::new(&file, "web", "canary", "stable").unwrap_err();
        assert_eq!(error.to_string(), "web: ring \"canary\" does not have the release");
    }

    #[test]
    fn a_gate_holds_until_all_is_well() {
        let promotion = Promotion::new(&file(), "web", "canary", "stable").unwrap();
        let web = Identity::new("apps/v1", "Deployment", Some("web"), "web");
        let status =
            |health| ObjectStatus { cluster: "a".to_owned(), identity: web.clone(), health };
        let mut evidence = Evidence {
            objects: vec![web.clone()],
            clusters: vec!["a".to_owned()],
            age_seconds: Some(30),
            ..Evidence::default()
        };
        let gate = Gate {
            soak_seconds: 60,
            expression: Some("objects.all(o, o.healthy) && version != previous".to_owned()),
        };
        let held = check_gate(&gate, &promotion, &evidence).unwrap().unwrap_err();
        assert_eq!(held.reasons.len(), 2, "{held:?}");
        evidence.statuses = vec![status(Health::Unhealthy("no".to_owned()))];
        let held = check_gate(&gate, &promotion, &evidence).unwrap().unwrap_err();
        assert_eq!(held.reasons[0], "Deployment web/web on a: no");
        evidence.statuses = vec![status(Health::Healthy)];
        evidence.age_seconds = Some(60);
        assert_eq!(check_gate(&gate, &promotion, &evidence).unwrap(), Ok(()));
        let wrong = Gate { expression: Some("objects".to_owned()), ..Gate::default() };
        assert!(check_gate(&wrong, &promotion, &evidence).is_err());
    }

    #[test]
    fn the_history_knows_ages_and_what_can_be_undone() {
        let promotion = Promotion::new(&file(), "web", "canary", "stable").unwrap();
        let record = Record::new(1_700_000_000, "ann", promotion.clone(), b"a", b"b");
        let mut undo = Record::new(1_700_000_100, "ann", promotion, b"b", b"a");
        undo.undo = true;
        let line = record.to_line();
        let history = History::parse("h", &line).unwrap();
        assert_eq!(history.records(), std::slice::from_ref(&record));
        assert_eq!(history.age("web", "stable", Some("1.3.0"), 1_700_000_060), Some(60));
        assert_eq!(history.age("web", "stable", Some("1.2.0"), 1_700_000_060), None);
        assert_eq!(history.last("web"), Some(&record));
        let history = History::parse("h", &format!("{line}\n{}\n", undo.to_line())).unwrap();
        assert_eq!(history.last("web"), None);
        assert_eq!(
            History::parse("h", "x").unwrap_err().to_string(),
            "h:1: no record of a promotion"
        );
    }
}
