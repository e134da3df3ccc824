//! Snapshots: what documents looked like when somebody last approved of them.

use bowsprit_sprig::goregex::GoRegex;
use bowsprit_value::{IntKind, Map, Str, Value};
use bowsprit_yaml::{AnyEntry, AnyMap, decode_any};
use std::collections::BTreeMap;
use std::convert::Infallible;

type Texts = BTreeMap<String, BTreeMap<u64, String>>;

/// The snapshots of a suite: those of its file, and those of this run.
///
/// ```
/// use bowsprit_unittest::Snapshots;
///
/// let snapshots = Snapshots::parse(Some(b"it works:\n  1: |\n    a: 1\n"), false)?;
/// // No test has asked for it, so it goes.
/// assert_eq!(snapshots.to_store().as_deref(), Some("{}\n"));
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Default)]
pub struct Snapshots {
    updating: bool,
    kept: Texts,
    current: Texts,
    changed: usize,
    created: usize,
    total: usize,
}

/// How a snapshot compared.
pub(crate) struct Compared {
    pub(crate) passed: bool,
    pub(crate) index: u64,
    pub(crate) new: String,
    pub(crate) kept: String,
    /// What a pattern says, if one was asked.
    pub(crate) message: Option<String>,
    /// A pattern can't be read.
    pub(crate) broken: bool,
}

/// The patterns of an assertion; empty for none.
#[derive(Clone, Copy, Default)]
pub(crate) struct Patterns<'p> {
    pub(crate) matches: &'p str,
    pub(crate) not_matches: &'p str,
}

/// How many snapshots there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct SnapshotCounts {
    pub total: usize,
    pub failed: usize,
    pub created: usize,
    pub vanished: usize,
}

impl Snapshots {
    /// Reads the text of a snapshot file, if there is one. Where `updating`, what is new replaces what was.
    ///
    /// # Errors
    ///
    /// For what is no such file.
    pub fn parse(text: Option<&[u8]>, updating: bool) -> Result<Snapshots, String> {
        let mut snapshots = Snapshots { updating, ..Snapshots::default() };
        let Some(text) = text else { return Ok(snapshots) };
        let value = decode_any(text).map_err(|error| error.to_string())?;
        let wrong = || "yaml: unmarshal errors:\n  not a map of snapshots".to_owned();
        for (test, texts) in entries(&value).ok_or_else(wrong)? {
            let texts = entries(&texts).ok_or_else(wrong)?;
            let read = |(index, text): (String, Value)| {
                Some((index.parse().ok()?, crate::yaml::plain(&text)))
            };
            let texts: Option<BTreeMap<u64, String>> = texts.into_iter().map(read).collect();
            snapshots.kept.insert(test, texts.ok_or_else(wrong)?);
        }
        Ok(snapshots)
    }

    pub(crate) fn compare(
        &mut self,
        test: &str,
        index: u64,
        content: &Value,
        patterns: Patterns<'_>,
    ) -> Compared {
        let new = crate::yaml::shown(content);
        let kept = self.kept.get(test).and_then(|texts| texts.get(&index));
        self.total += 1;
        self.created += usize::from(kept.is_none());
        let mut compared = Compared {
            passed: true,
            index,
            kept: kept.cloned().unwrap_or_default(),
            message: None,
            broken: false,
            new,
        };
        let (wanted, unwanted) = (patterns.matches.trim(), patterns.not_matches.trim());
        if wanted.is_empty() && unwanted.is_empty() {
            if kept.is_some_and(|kept| *kept != compared.new) {
                compared.passed = false;
                self.changed += 1;
            }
        } else {
            compared.match_patterns(wanted, unwanted);
        }
        let keep = kept.is_some() && !self.updating;
        let text = if keep { compared.kept.clone() } else { compared.new.clone() };
        self.current.entry(test.to_owned()).or_default().insert(index, text);
        compared.passed |= self.updating;
        compared
    }

    /// How many there were.
    pub fn counts(&self) -> SnapshotCounts {
        SnapshotCounts {
            total: self.total,
            failed: if self.updating { 0 } else { self.changed },
            created: self.created,
            vanished: self.vanished(),
        }
    }

    fn vanished(&self) -> usize {
        let all = self.kept.iter().flat_map(|(test, texts)| texts.keys().map(move |i| (test, i)));
        let lives = |(test, index): &(&String, &u64)| {
            self.current.get(*test).is_some_and(|texts| texts.contains_key(index))
        };
        all.filter(|snapshot| !lives(snapshot)).count()
    }

    /// The text that the file has to have from now on, if that changes.
    pub fn to_store(&self) -> Option<String> {
        let gone = self.kept.keys().any(|test| !self.current.contains_key(test));
        let vanished = self.vanished() > 0;
        if self.changed == 0 && self.created == 0 && !gone && !vanished {
            return None;
        }
        if !self.updating && self.created == 0 && !vanished {
            return None;
        }
        let texts = |texts: &BTreeMap<u64, String>| {
            let entries = texts.iter().map(|(index, text)| AnyEntry {
                name: Str::from(index.to_string()),
                key: Value::Int(IntKind::Uint, index.cast_signed()),
                value: Value::from(text.as_str()),
            });
            Value::object(AnyMap::new(entries.collect()))
        };
        let all = self.current.iter().map(|(test, t)| (Str::from(test.as_str()), texts(t)));
        Some(crate::yaml::encoded(&Value::Map(Map::from_entries(all))))
    }
}

impl Compared {
    fn match_patterns(&mut self, wanted: &str, unwanted: &str) {
        if !wanted.is_empty() {
            let found = self.finds(wanted);
            self.passed = found == Some(true);
            self.broken = found.is_none();
            if !self.passed {
                self.message = Some(format!(" pattern '{wanted}' not found in snapshot"));
            }
        }
        if !unwanted.is_empty() && self.passed {
            let found = self.finds(unwanted);
            self.broken = found.is_none();
            if found == Some(true) {
                self.passed = false;
                self.message = Some(format!(" pattern '{unwanted}' should not be in snapshot"));
            }
        }
    }

    fn finds(&self, pattern: &str) -> Option<bool> {
        let regex = GoRegex::compile(pattern).ok()?;
        let Ok(found) = regex.is_match::<Infallible>(self.new.as_bytes(), &mut |_| Ok(()));
        Some(found)
    }
}

fn entries(value: &Value) -> Option<Vec<(String, Value)>> {
    let map = match value {
        Value::Nil => return Some(Vec::new()),
        Value::Map(map) => map.clone(),
        other => other.downcast::<AnyMap>()?.to_map(),
    };
    let entries = map.entries();
    Some(entries.iter().map(|(key, value)| (key.to_string(), value.clone())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "it works:\n  1: |\n    a: 1\n  2: |\n    b\n";

    fn compare(snapshots: &mut Snapshots, index: u64, text: &str) -> bool {
        let value = decode_any(text.as_bytes()).unwrap();
        snapshots.compare("it works", index, &value, Patterns::default()).passed
    }

    #[test]
    fn what_changes_fails_and_what_is_new_is_kept() {
        let mut snapshots = Snapshots::parse(Some(FILE.as_bytes()), false).unwrap();
        assert!(compare(&mut snapshots, 1, "a: 1"));
        assert!(!compare(&mut snapshots, 2, "c"));
        assert!(compare(&mut snapshots, 3, "{d: [1]}"));
        let counts = SnapshotCounts { total: 3, failed: 1, created: 1, vanished: 0 };
        assert_eq!(snapshots.counts(), counts);
        let want = format!("{FILE}  3: |\n    d:\n      - 1\n");
        assert_eq!(snapshots.to_store().unwrap(), want);
    }

    #[test]
    fn an_update_replaces_and_drops() {
        let mut snapshots = Snapshots::parse(Some(FILE.as_bytes()), true).unwrap();
        assert!(compare(&mut snapshots, 1, "a: 2"));
        assert_eq!(snapshots.to_store().unwrap(), "it works:\n  1: |\n    a: 2\n");
        assert_eq!(snapshots.counts().vanished, 1);
    }
}
