//! From syntax to matcher, with the transformations of gobwas/glob. They have to be followed one by
//! one, because they decide which matches the library misses.

use std::sync::Arc;

use super::GlobError;
use super::matcher::{BTree, Matcher};
use super::parse::Node;

/// How many pieces a pattern or alternative may have; combining them takes cubic time.
const MAX_PIECES: usize = 48;
/// How deep the matchers may nest.
const MAX_HEIGHT: usize = 96;

/// Compiles a syntax tree.
pub(super) fn compile(tree: Node) -> Result<Matcher, GlobError> {
    let matcher = compile_node(&tree)?;
    if matcher.height() > MAX_HEIGHT { Err(GlobError::TooComplex) } else { Ok(matcher) }
}

/// The parser bounds the depth of the tree, and with it this recursion.
fn compile_node(node: &Node) -> Result<Matcher, GlobError> {
    let matcher = match node {
        Node::AnyOf(terms) => {
            return match factor(terms) {
                Some(node) => compile_node(&node),
                None => compile_children(terms).map(Matcher::AnyOf),
            };
        }
        Node::Pattern(children) if children.is_empty() => return Ok(Matcher::Nothing),
        Node::Pattern(children) if children.len() > MAX_PIECES => {
            return Err(GlobError::TooComplex);
        }
        Node::Pattern(children) => combine(&minimize(compile_children(children)?)),
        Node::Any => Matcher::Any,
        Node::Super => Matcher::Super,
        Node::Single => Matcher::Single,
        Node::Nothing => Matcher::Nothing,
        Node::List { chars, not } => Matcher::List { chars: chars.clone(), not: *not },
        Node::Range { lo, hi, not } => Matcher::Range { lo: *lo, hi: *hi, not: *not },
        Node::Text(text) => Matcher::text(text.clone()),
    };
    Ok(optimize(matcher))
}

fn compile_children(children: &[Node]) -> Result<Vec<Matcher>, GlobError> {
    children.iter().map(|child| compile_node(child).map(optimize)).collect()
}

/// Takes what all alternatives begin and end with out of them: `{ab,ac}` becomes `a{b,c}`.
fn factor(terms: &[Node]) -> Option<Node> {
    let terms: Vec<&[Node]> = terms
        .iter()
        .map(|term| match term {
            Node::Pattern(children) => children.as_slice(),
            _ => &[],
        })
        .collect();
    let (left, right) = common_children(&terms);
    if left == 0 && right == 0 {
        return None;
    }
    let first = terms.first()?;
    let mut result = Vec::new();
    if left > 0 {
        result.push(Node::Pattern(first.get(..left)?.to_vec()));
    }
    let mut rests: Vec<Node> = Vec::new();
    for term in &terms {
        let rest = match term.get(left..term.len() - right)? {
            [] => Node::Nothing,
            rest => Node::Pattern(rest.to_vec()),
        };
        if !rests.contains(&rest) {
            rests.push(rest);
        }
    }
    match (rests.len(), rests.pop()?) {
        (1, Node::Nothing) => {}
        (1, only) => result.push(only),
        (_, last) => {
            rests.push(last);
            result.push(Node::AnyOf(rests));
        }
    }
    if right > 0 {
        result.push(Node::Pattern(first.get(first.len() - right..)?.to_vec()));
    }
    Some(Node::Pattern(result))
}

/// How many children all the terms have in common, on the left and on the right.
fn common_children(terms: &[&[Node]]) -> (usize, usize) {
    let mut shortest = 0;
    for (index, term) in terms.iter().enumerate() {
        if term.len() < terms.get(shortest).map_or(0, |term| term.len()) {
            shortest = index;
        }
    }
    let Some(least) = terms.get(shortest).filter(|_| terms.len() > 1) else {
        return (0, 0);
    };
    let (mut left, mut right) = (0, 0);
    let (mut left_open, mut right_open) = (true, true);
    for i in 0..least.len() {
        if left + right >= least.len() || !(left_open || right_open) {
            break;
        }
        let j = least.len() - 1 - i;
        for (index, term) in terms.iter().enumerate() {
            if index == shortest {
                continue;
            }
            if !(left_open || right_open) {
                break;
            }
            left_open = left_open && least.get(i) == term.get(i);
            // Once the left part reaches the middle, there is nothing left for the right one.
            right_open = right_open && (!left_open || j > i);
            right_open = right_open && least.get(j) == term.get(j + term.len() - least.len());
        }
        left += usize::from(left_open);
        right += usize::from(right_open);
    }
    (left, right)
}

/// What a run of matchers can be glued to.
enum Glue {
    Super,
    Any,
    Min(usize),
    Every { min: usize, max: Option<usize>, except: Vec<char> },
    Row(usize),
}

impl Glue {
    fn len(&self) -> Option<usize> {
        match self {
            Glue::Row(len) => Some(*len),
            _ => None,
        }
    }

    fn build(self, matchers: &[Matcher]) -> Matcher {
        match self {
            Glue::Super => Matcher::Super,
            Glue::Any => Matcher::Any,
            Glue::Min(min) => Matcher::Min(min),
            Glue::Row(len) => Matcher::Row { matchers: matchers.to_vec(), len },
            Glue::Every { min, max, except } => {
                let mut every = Vec::with_capacity(3);
                if min > 0 {
                    every.push(Matcher::Min(min));
                    every.extend(max.map(Matcher::Max));
                }
                if !except.is_empty() {
                    let needle = except.iter().collect::<String>().into_bytes();
                    every.push(Matcher::Contains { needle, not: true });
                }
                Matcher::EveryOf(every)
            }
        }
    }
}

fn glue(matchers: &[Matcher]) -> Option<Glue> {
    if matchers.len() <= 1 {
        return None;
    }
    glue_every(matchers).or_else(|| glue_row(matchers))
}

fn glue_row(matchers: &[Matcher]) -> Option<Glue> {
    let lens = matchers.iter().map(Matcher::len);
    lens.sum::<Option<usize>>().map(Glue::Row)
}

fn glue_every(matchers: &[Matcher]) -> Option<Glue> {
    let (mut any, mut super_, mut min) = (false, false, 0);
    let mut separators: Option<&[char]> = None;
    for matcher in matchers {
        let excepted: &[char] = match matcher {
            Matcher::Super => {
                super_ = true;
                &[]
            }
            Matcher::Any => {
                any = true;
                &['/']
            }
            Matcher::Single => {
                min += 1;
                &['/']
            }
            Matcher::List { chars, not: true } => {
                min += 1;
                chars
            }
            _ => return None,
        };
        if *separators.get_or_insert(excepted) != excepted {
            return None;
        }
    }
    let separators = separators.unwrap_or_default();
    Some(match (any, super_, min) {
        (false, true, 0) => Glue::Super,
        (true, false, 0) => Glue::Any,
        _ if (any || super_) && min > 0 && separators.is_empty() => Glue::Min(min),
        _ => {
            Glue::Every { min, max: (!any && !super_).then_some(min), except: separators.to_vec() }
        }
    })
}

/// Replaces the longest run that can be glued, again and again.
fn minimize(mut matchers: Vec<Matcher>) -> Vec<Matcher> {
    loop {
        let mut best: Option<(Glue, usize, usize)> = None;
        for left in 0..matchers.len() {
            for right in (left + 1..=matchers.len()).rev() {
                let Some(glued) = matchers.get(left..right).and_then(glue) else {
                    continue;
                };
                let better = best.as_ref().is_none_or(|(done, from, to)| {
                    let longer = done.len().zip(glued.len()).is_some_and(|(old, new)| new > old);
                    longer || to - from < right - left
                });
                if better {
                    best = Some((glued, left, right));
                }
            }
        }
        let Some((glued, left, right)) = best else {
            return matchers;
        };
        let glued = glued.build(matchers.get(left..right).unwrap_or_default());
        matchers.splice(left..right, [glued]);
    }
}

/// Makes one matcher of a sequence: the piece of the greatest fixed length is looked for first, the
/// others around it. The recursion is bounded by `MAX_PIECES`.
fn combine(matchers: &[Matcher]) -> Matcher {
    let (first, rest) = match matchers {
        [] => return Matcher::Nothing,
        [only] => return only.clone(),
        [first, rest @ ..] => (first, rest),
    };
    if let Some(glued) = glue(matchers) {
        return glued.build(matchers);
    }
    let fixed = matchers.iter().enumerate().filter_map(|(i, m)| Some((m.len()?, i)));
    let Some((_, index)) = fixed.max() else {
        return BTree::matcher(first.clone(), None, Some(combine(rest)));
    };
    let (left, right) = matchers.split_at(index);
    let (value, right) = right.split_first().unwrap_or((first, &[]));
    let side = |side: &[Matcher]| (!side.is_empty()).then(|| combine(side));
    BTree::matcher(value.clone(), side(left), side(right))
}

/// Replaces a matcher by a simpler one.
fn optimize(matcher: Matcher) -> Matcher {
    match matcher {
        Matcher::AnyOf(mut matchers) if matchers.len() == 1 => {
            matchers.pop().unwrap_or(Matcher::Nothing)
        }
        Matcher::List { chars, not: false } if chars.len() == 1 => {
            Matcher::text(chars.iter().collect::<String>().into_bytes())
        }
        Matcher::BTree(tree) => optimize_tree(Arc::unwrap_or_clone(tree)),
        matcher => matcher,
    }
}

fn optimize_tree(mut tree: BTree) -> Matcher {
    tree.left = tree.left.map(optimize);
    tree.right = tree.right.map(optimize);
    let Matcher::Text { text, .. } = &tree.value else {
        return Matcher::BTree(Arc::new(tree));
    };
    let text = || text.clone();
    match (&tree.left, &tree.right) {
        (None, None) => Matcher::text(text()),
        (Some(Matcher::Super), Some(Matcher::Super)) => {
            Matcher::Contains { needle: text(), not: false }
        }
        (Some(Matcher::Super), None) => Matcher::Suffix(text()),
        (None, Some(Matcher::Super)) => Matcher::Prefix(text()),
        (None, Some(Matcher::Suffix(suffix))) => {
            Matcher::PrefixSuffix { prefix: text(), suffix: suffix.clone() }
        }
        (Some(Matcher::Prefix(prefix)), None) => {
            Matcher::PrefixSuffix { prefix: prefix.clone(), suffix: text() }
        }
        (Some(Matcher::Any), None) => Matcher::SuffixAny(text()),
        (None, Some(Matcher::Any)) => Matcher::PrefixAny(text()),
        _ => Matcher::BTree(Arc::new(tree)),
    }
}
