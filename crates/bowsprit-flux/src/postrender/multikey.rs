//! Lists whose items have several keys: ports, by number and protocol.
//!
//! kyaml's way with keys that some items lack is its own: items that may be the same are told apart or
//! not depending on their order, and a patch can have no effect. Whoever relies on it gets the same here.

use super::node::{Fields, Node};
use super::schema::Shape;
use super::strategic::{Merger, is_empty, values};

/// An item of the outcome.
enum Item {
    /// One of the target's, as it is by then.
    Target(usize),
    /// One of the patch's.
    New(Node),
}

/// The keys that count and the values that an item has for them.
type Keys<'k> = [(&'k str, String)];

/// Merges two lists.
pub(super) fn merge(
    merger: &mut Merger,
    target: Vec<Node>,
    patch: Vec<Node>,
    shape: Shape,
    keys: &[&str],
) -> Result<Node, String> {
    let mut wanted: Vec<Vec<String>> = Vec::new();
    for item in patch.iter().chain(&target) {
        let values = values(item, keys);
        if !wanted.contains(&values) {
            wanted.push(values);
        }
    }
    settle(&mut wanted);
    let used =
        |at: usize| wanted.iter().any(|values| values.get(at).is_some_and(|v| !v.is_empty()));
    let mut valid: Vec<usize> = (0..keys.len()).filter(|at| used(*at)).collect();
    if valid.is_empty() {
        valid = (0..keys.len()).collect();
    }
    let mut list = List { target: target.into_iter().map(Some).collect(), items: Vec::new() };
    for values in &wanted {
        let named = |at: &usize| Some((*keys.get(*at)?, values.get(*at)?.clone()));
        let own: Vec<(&str, String)> = valid.iter().filter_map(named).collect();
        let given: Vec<(&str, String)> = (0..keys.len())
            .filter_map(|at| named(&at))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        list.take(merger, &patch, shape, &own, &given)?;
    }
    let valid: Vec<&str> = valid.iter().filter_map(|at| keys.get(*at).copied()).collect();
    Ok(Node::List(list.finish(&valid)))
}

/// Items that may be the same get the same keys, those that come later having the last word.
fn settle(wanted: &mut [Vec<String>]) {
    for i in 0..wanted.len() {
        let Some(first) = wanted.get(i).cloned() else { continue };
        for j in 0..wanted.len() {
            let Some(both) = wanted.get(j).and_then(|second| united(&first, second)) else {
                continue;
            };
            for at in [i, j] {
                if let Some(values) = wanted.get_mut(at) {
                    values.clone_from(&both);
                }
            }
        }
    }
}

/// The keys of both, where they share one and contradict each other in none.
fn united(first: &[String], second: &[String]) -> Option<Vec<String>> {
    let mut common = false;
    let mut both = Vec::new();
    for (a, b) in first.iter().zip(second) {
        if a == b {
            common = true;
        } else if !a.is_empty() && !b.is_empty() {
            return None;
        }
        both.push(if a.is_empty() { b.clone() } else { a.clone() });
    }
    common.then_some(both)
}

/// Whether an item has these values, or any value where none is asked for.
fn has(item: &Node, keys: &Keys<'_>) -> bool {
    keys.iter().all(|(key, value)| {
        let found = item.get(key).and_then(Node::text);
        found.is_some_and(|found| value.is_empty() || found == *value)
    })
}

struct List {
    /// The target's items; none where one was deleted.
    target: Vec<Option<Node>>,
    items: Vec<Item>,
}

impl List {
    fn node<'l>(&'l self, item: &'l Item) -> Option<&'l Node> {
        match item {
            Item::Target(at) => self.target.get(*at)?.as_ref(),
            Item::New(node) => Some(node),
        }
    }

    /// Merges what both lists have of one item. `own` are the keys that the item goes by in the outcome,
    /// `given` those of them that it is looked for with.
    fn take(
        &mut self,
        merger: &mut Merger,
        patch: &[Node],
        shape: Shape,
        own: &Keys<'_>,
        given: &Keys<'_>,
    ) -> Result<(), String> {
        let old = self.target.iter().position(|n| n.as_ref().is_some_and(|n| has(n, given)));
        let new = patch.iter().find(|item| has(item, given)).cloned();
        let before = old.and_then(|at| self.target.get(at).cloned()).flatten();
        let merged = merger.node(before, new, shape, None)?.filter(|node| !is_empty(node));
        let Some(mut merged) = merged else {
            for slot in &mut self.target {
                slot.take_if(|item| has(item, own));
            }
            return Ok(());
        };
        if let Node::Map(fields) = &mut merged {
            complete(fields, own);
        }
        let item = match old {
            Some(at) => {
                if let Some(slot) = self.target.get_mut(at) {
                    *slot = Some(merged);
                }
                Item::Target(at)
            }
            None => Item::New(merged),
        };
        let there = self.items.iter().position(|i| self.node(i).is_some_and(|n| has(n, own)));
        match there.and_then(|at| self.items.get_mut(at)) {
            Some(slot) => *slot = item,
            None => self.items.push(item),
        }
        Ok(())
    }

    /// The outcome: the target's items go to the end, in their order, and push out those that are the
    /// same by the keys that they have.
    fn finish(mut self, valid: &[&str]) -> Vec<Node> {
        for at in 0..self.target.len() {
            let Some(Some(node)) = self.target.get(at) else { continue };
            let texts: Vec<Option<String>> =
                valid.iter().map(|key| node.get(key).and_then(Node::text)).collect();
            let complete = texts.iter().all(Option::is_some);
            let present: Vec<String> = texts.into_iter().flatten().collect();
            let keys: Vec<(&str, String)> = valid.iter().copied().zip(present).collect();
            if !complete || valid.len() > 1 {
                let items = std::mem::take(&mut self.items);
                let kept = items.into_iter().filter(|item| match self.node(item) {
                    Some(node) => keys.is_empty() || !has(node, &keys),
                    None => false,
                });
                self.items = kept.collect();
                self.items.push(Item::Target(at));
                continue;
            }
            let there = self.items.iter().position(|i| self.node(i).is_some_and(|n| has(n, &keys)));
            match there.and_then(|at| self.items.get_mut(at)) {
                Some(slot) => *slot = Item::Target(at),
                None => self.items.push(Item::Target(at)),
            }
        }
        let items = std::mem::take(&mut self.items);
        items.iter().filter_map(|item| self.node(item).cloned()).collect()
    }
}

/// Adds the keys that an item goes by and does not have.
fn complete(fields: &mut Fields, own: &Keys<'_>) {
    for (key, value) in own {
        if !value.is_empty() && !fields.contains_key(key.as_bytes()) {
            fields.insert((*key).into(), Node::str(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::postrender::node::Node;
    use crate::postrender::schema::Shape;
    use crate::postrender::strategic::merge;
    use bowsprit_yaml::{Blank, decode_v3};

    fn node(text: &str) -> Node {
        Node::of(&decode_v3(text.as_bytes(), Blank::Bytes).unwrap()).unwrap()
    }

    /// What kustomize 5.8.1 makes of these ports.
    fn check(patch: &str, want: &str) {
        const PORTS: &str = "[{containerPort: 80, name: http, protocol: TCP}, \
             {containerPort: 80, name: udp, protocol: UDP}, {containerPort: 443}]";
        let container = |ports: &str| node(&format!("{{ports: {ports}}}"));
        let merged = merge(container(PORTS), container(patch), Shape::Container).unwrap();
        assert_eq!(merged, Some(container(want)), "{patch}");
    }

    #[test]
    fn ports_are_merged_as_kustomize_does() {
        check(
            "[{containerPort: 80, protocol: UDP, hostPort: 1}, {containerPort: 443, name: https}, {containerPort: 8080}]",
            "[{containerPort: 8080}, {containerPort: 80, name: http, protocol: TCP}, \
             {containerPort: 80, hostPort: 1, name: udp, protocol: UDP}, {containerPort: 443, name: https}]",
        );
        let same = "[{containerPort: 80, name: http, protocol: TCP}, \
             {containerPort: 80, name: udp, protocol: UDP}, {containerPort: 443}]";
        check("[{containerPort: 80, hostPort: 9}]", same);
        check("[{containerPort: 443, protocol: TCP, name: s}]", same);
    }
}
