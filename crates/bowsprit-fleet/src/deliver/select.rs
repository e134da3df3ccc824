//! Label selectors for a set of clusters.

use crate::target::Target;
use bowsprit_manifest::{LabelSelector, Operator, Requirement};
use std::collections::{BTreeMap, BTreeSet};

/// How many labels a selector may look at.
const MOST: usize = 3;

/// Labels that are tried together with others.
const CANDIDATES: usize = 12;

/// The values of some labels; none for one that is missing.
type Values<'t> = Vec<Option<&'t str>>;

/// Selectors of which at least one matches each of the wanted clusters, and none any other one.
///
/// Labels of `preferred` are taken if they are enough, and as few as possible, so that the selectors stay the same
/// when clusters come and go. None where labels don't tell these clusters from the others.
///
/// ```
/// use bowsprit_fleet::{Target, cover};
///
/// let cluster = |name: &str, ring: &str| Target::new(name, [("ring".into(), ring.into())].into());
/// let all = [cluster("a", "canary"), cluster("b", "stable"), cluster("c", "stable")];
/// let selectors = cover(&all, &[1, 2].into(), &[]).unwrap();
/// assert_eq!(selectors[0].to_string(), "ring=stable");
/// assert!(cover(&all, &[1].into(), &[]).is_none());
/// ```
pub fn cover(
    targets: &[Target],
    wanted: &BTreeSet<usize>,
    preferred: &[String],
) -> Option<Vec<LabelSelector>> {
    let all = candidates(targets, wanted, preferred);
    let ours: Vec<String> = all.iter().filter(|key| preferred.contains(key)).cloned().collect();
    [ours, all].iter().find_map(|keys| among(targets, wanted, keys))
}

/// Selectors that look at some of these labels.
fn among(
    targets: &[Target],
    wanted: &BTreeSet<usize>,
    keys: &[String],
) -> Option<Vec<LabelSelector>> {
    let mut chosen: Vec<usize> = Vec::new();
    for count in 1..=MOST.min(keys.len()) {
        chosen.clear();
        chosen.extend(0..count);
        loop {
            let picked: Vec<&str> =
                chosen.iter().filter_map(|at| keys.get(*at).map(String::as_str)).collect();
            if let Some(values) = tells_apart(targets, wanted, &picked) {
                return Some(selectors(&picked, &values));
            }
            if !next(&mut chosen, keys.len()) {
                break;
            }
        }
    }
    let picked: Vec<&str> = keys.iter().map(String::as_str).collect();
    let values = tells_apart(targets, wanted, &picked).filter(|_| !picked.is_empty())?;
    Some(selectors(&picked, &values))
}

/// The preferred labels, and then others, those with the fewest values first.
fn candidates(targets: &[Target], wanted: &BTreeSet<usize>, preferred: &[String]) -> Vec<String> {
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for at in wanted {
        for (key, value) in targets.get(*at).iter().flat_map(|target| &target.labels) {
            values.entry(key).or_default().insert(value);
        }
    }
    let mut others: Vec<(usize, &str)> =
        values.iter().map(|(key, values)| (values.len(), *key)).collect();
    others.sort_unstable();
    let mut keys: Vec<String> = Vec::new();
    let preferred = preferred.iter().map(String::as_str).filter(|key| values.contains_key(key));
    for key in preferred.chain(others.into_iter().map(|(_, key)| key)) {
        if keys.len() < CANDIDATES && !keys.iter().any(|known| known == key) {
            keys.push(key.to_owned());
        }
    }
    keys
}

/// The next choice of as many places, in lexicographic order.
fn next(chosen: &mut [usize], len: usize) -> bool {
    let count = chosen.len();
    for at in (0..count).rev() {
        let most = len - count + at;
        let Some(place) = chosen.get_mut(at) else { return false };
        if *place < most {
            *place += 1;
            let mut value = *place;
            for later in chosen.iter_mut().skip(at + 1) {
                value += 1;
                *later = value;
            }
            return true;
        }
    }
    false
}

fn values<'t>(target: &'t Target, keys: &[&str]) -> Values<'t> {
    keys.iter().map(|key| target.labels.get(*key).map(String::as_str)).collect()
}

/// The values of the wanted clusters, unless another cluster has the same.
fn tells_apart<'t>(
    targets: &'t [Target],
    wanted: &BTreeSet<usize>,
    keys: &[&str],
) -> Option<BTreeSet<Values<'t>>> {
    let of = |at: &usize| targets.get(*at).map(|target| values(target, keys));
    let found: BTreeSet<Values<'t>> = wanted.iter().filter_map(of).collect();
    // A selector that says what is missing, and nothing else, would match what nobody thought of.
    if found.iter().any(|values| values.iter().all(Option::is_none)) {
        return None;
    }
    let others = targets.iter().enumerate().filter(|(at, _)| !wanted.contains(at));
    let clash = others.into_iter().any(|(_, target)| found.contains(&values(target, keys)));
    (!clash && !found.is_empty()).then_some(found)
}

fn selectors(keys: &[&str], found: &BTreeSet<Values<'_>>) -> Vec<LabelSelector> {
    let Some((last, before)) = keys.split_last() else { return Vec::new() };
    // Clusters that differ in the last label alone share a selector.
    let mut by_rest: BTreeMap<(&[Option<&str>], bool), Vec<String>> = BTreeMap::new();
    for values in found {
        let Some((value, rest)) = values.split_last() else { continue };
        let entry = by_rest.entry((rest, value.is_some())).or_default();
        entry.extend(value.map(str::to_owned));
    }
    let requirement = |key: &str, values: Vec<String>| Requirement {
        key: key.to_owned(),
        operator: if values.is_empty() { Operator::DoesNotExist } else { Operator::In },
        values,
    };
    let selector = |((rest, _), values): ((&[Option<&str>], bool), Vec<String>)| {
        let pairs = before.iter().zip(rest);
        let mut requirements: Vec<Requirement> = pairs
            .map(|(key, value)| requirement(key, value.iter().map(|v| (*v).to_owned()).collect()))
            .collect();
        requirements.push(requirement(last, values));
        LabelSelector { requirements }
    };
    by_rest.into_iter().map(selector).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fleet() -> Vec<Target> {
        let mut all = Vec::new();
        for (ring, count) in [("canary", 2), ("early", 3), ("stable", 5)] {
            for region in ["eu", "us"] {
                for n in 0..count {
                    let name = format!("{ring}-{region}-{n}");
                    let labels = [("ring", ring), ("region", region), ("name", &name)];
                    let labels = labels.map(|(k, v)| (k.to_owned(), v.to_owned()));
                    all.push(Target::new(name.clone(), labels.into()));
                }
            }
        }
        all
    }

    #[test]
    fn selectors_match_exactly_what_is_wanted() {
        let all = fleet();
        let conditions: [(&str, &str); 6] = [
            ("ring=canary", "ring=canary"),
            ("ring in (canary,early)", "ring in (canary,early)"),
            ("region=eu", "region=eu"),
            ("ring=early,region=us", "ring=early,region=us"),
            ("name in (canary-eu-0,stable-us-3)", "name in (canary-eu-0,stable-us-3)"),
            ("ring", "ring in (canary,early,stable)"),
        ];
        for (condition, want) in conditions {
            let condition: LabelSelector = condition.parse().unwrap();
            let matches = |selector: &LabelSelector| -> BTreeSet<usize> {
                let all = all.iter().enumerate();
                all.filter(|(_, t)| selector.matches(&t.labels)).map(|(at, _)| at).collect()
            };
            let wanted = matches(&condition);
            let preferred = ["ring".to_owned(), "region".to_owned()];
            let found = cover(&all, &wanted, &preferred).unwrap();
            let got: BTreeSet<usize> = found.iter().flat_map(&matches).collect();
            assert_eq!(got, wanted, "{condition}");
            let text: Vec<String> = found.iter().map(ToString::to_string).collect();
            assert_eq!(text.join("; "), want, "{condition}");
        }
    }

    #[test]
    fn what_labels_do_not_tell_is_said() {
        let bare = [Target::new("a", Default::default()), Target::new("b", Default::default())];
        assert_eq!(cover(&bare, &[0].into(), &[]), None);
        assert_eq!(cover(&bare, &[0, 1].into(), &[]), None);
    }
}
